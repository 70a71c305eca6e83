//! Folders: what is remembered of them, what is gone from them, and how messages find their receipts again.

use crate::support::*;
use postroom_domain::connection::CertificateDates;
use postroom_domain::{MailboxPolicy, Reason, Receipt, ReceiptState, SettlementState, StartFrom};
use postroom_mail::{Access, Listed, RemoteId, Settlement};
use postroom_store::{Holder, LoggedConversation, MailboxChange, Memory, NewCertificate, Plan, VisitEnd};

fn memory(listed_to: u32, before_start: u64) -> Memory {
    Memory { listed_to, mod_seq: Some(9), names: None, octets: None, present: 0, before_start, whole_at: noon() }
}

fn listed(n: u32, size: u64, at: &str) -> Listed {
    Listed { id: uid(8, n), size, received_at: Some(crate::support::at(at)) }
}

#[tokio::test]
async fn what_a_folder_showed_is_remembered_and_counted() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let (store, id) = (&house.store, house.mailbox.id);
        assert_eq!(store.memory(id, "INBOX", 7).await.unwrap(), None);
        house.accept(&[(1, "one"), (2, "two"), (5, "five")]).await;
        assert_eq!(store.remember(&house.lease, "INBOX", 7, memory(6, 10)).await.unwrap(), 13);
        let remembered = Memory { present: 13, ..memory(6, 10) };
        assert_eq!(store.memory(id, "INBOX", 7).await.unwrap(), Some(remembered));
        assert_eq!(store.memory(id, "INBOX", 8).await.unwrap(), None, "nothing of it holds under another UIDVALIDITY");
        assert_eq!(store.present_uids(id, &house.epoch).await.unwrap(), [1, 2, 5]);
        assert_eq!(store.known_uids(id, &house.epoch, 2, 100).await.unwrap().len(), 2);

        store.vanished(&house.lease, vec![uid(7, 2), uid(7, 99)], false, noon()).await.unwrap();
        assert_eq!(store.present_uids(id, &house.epoch).await.unwrap(), [1, 5]);
        assert_eq!(store.remember(&house.lease, "INBOX", 7, memory(6, 0)).await.unwrap(), 2);
        // The very same message is back; and another one has the UID of one that was there.
        let accepted = store.accept(&house.lease, vec![fetched(uid(7, 2), "two")], &house.me, noon()).await.unwrap();
        assert_eq!((accepted.known, accepted.claimed.len()), (1, 0));
        let accepted = store.accept(&house.lease, vec![fetched(uid(7, 5), "other")], &house.me, noon()).await.unwrap();
        assert_eq!((accepted.known, accepted.claimed.len()), (0, 1));
        assert_eq!(store.present_uids(id, &house.epoch).await.unwrap(), [1, 2, 5]);
        let names: Vec<String> =
            store.receipts(Default::default()).await.unwrap().iter().map(|one| one.remote_id.to_string()).collect();
        assert_eq!(names, ["imap:7:5:INBOX", "gone:3:imap:7:5:INBOX", "imap:7:2:INBOX", "imap:7:1:INBOX"]);

        // A mailbox without folders counts all that is there; what was brought never is.
        let pushed = store.accept_pushed(id, raw("brought"), &house.me, noon()).await.unwrap();
        assert!(matches!(pushed, postroom_store::Accepted::New(_)));
        assert_eq!(store.remember(&house.lease, "", 0, memory(0, 1)).await.unwrap(), 4);
        let change = MailboxChange { start: Some(StartFrom::All), ..MailboxChange::default() };
        store.update_mailbox("desk", change, noon()).await.unwrap();
        let whole_at = store.memory(id, "INBOX", 7).await.unwrap().unwrap().whole_at;
        assert_eq!(whole_at, jiff::Timestamp::UNIX_EPOCH, "other mail counts from now on, so all is looked at");
    })
    .await;
}

#[tokio::test]
async fn only_what_may_come_now_is_asked_for_again() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let (store, id) = (&house.store, house.mailbox.id);
        house.accept(&[(1, "one")]).await;
        let listed = |n, size| Listed { id: uid(7, n), size, received_at: Some(noon()) };
        let batch = vec![(listed(2, 1000), Reason::TooLarge), (listed(3, 10), Reason::Unfetchable)];
        store.accept_unfetched(&house.lease, batch, noon()).await.unwrap();
        for (limit, expected) in [(999, vec![3]), (1000, vec![2, 3])] {
            assert_eq!(store.asked_again(id, &house.epoch, limit).await.unwrap(), expected, "limit {limit}");
        }
        assert_eq!(store.present_uids(id, &house.epoch).await.unwrap(), [1, 2, 3], "they are there all the same");
        store.vanished(&house.lease, vec![uid(7, 3)], false, noon()).await.unwrap();
        assert!(store.asked_again(id, &house.epoch, 999).await.unwrap().is_empty());
        let waits = |receipt: &Receipt| receipt.state == ReceiptState::Held && !receipt.is_deleted();
        let left = store.receipts(Default::default()).await.unwrap();
        assert_eq!(
            left.iter().filter(|receipt| waits(receipt)).count(),
            1,
            "nobody waits for what cannot come any more"
        );
        // Should it come again all the same, it is new mail.
        let again = store.accept(&house.lease, vec![fetched(uid(7, 3), "late")], &house.me, noon()).await.unwrap();
        assert_eq!(again.claimed.len(), 1);
        assert_eq!(store.check().await.unwrap().problems, []);
    })
    .await;
}

#[tokio::test]
async fn clues_bind_where_they_are_clear_and_octets_elsewhere() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let (store, id) = (&house.store, house.mailbox.id);
        // Two are alike in size, arrival and Message-ID; one has no Message-ID.
        for (n, text) in [(1, "one"), (2, "two"), (3, "same a"), (4, "same b"), (5, "none")] {
            let mut message = message("ann@example.org", text, text);
            message.message_id = match n {
                3 | 4 => Some("same@test".to_owned()),
                5 => None,
                _ => Some(format!("{n}@test")),
            };
            house.take(n, message).await;
        }
        let epoch = store.begin_folder(&house.lease, seen(8, 1), noon()).await.unwrap();
        assert!(epoch.successor && store.present_uids(id, &epoch).await.unwrap().is_empty());
        let at = "2026-03-01T12:00:00.000001Z";
        let candidates = vec![
            (listed(11, 3, at), Some("1@test".to_owned())),
            (listed(12, 4, at), Some("2@test".to_owned())),
            (listed(13, 6, at), Some("same@test".to_owned())),
            (listed(14, 6, at), Some("same@test".to_owned())),
            (listed(15, 4, at), None),
            (listed(16, 3, "2026-03-02T12:00:00Z"), Some("2@test".to_owned())),
        ];
        let bound = store.bind_by_clues(&house.lease, candidates).await.unwrap();
        assert_eq!(bound.messages, [true, false, false, false, false, false]);
        assert_eq!((bound.receipts_left, bound.had_receipts), (4, true));
        let digest = |text: &str| raw(text).sha256();
        let candidates = vec![
            (listed(12, 4, at), digest("two")),
            (listed(13, 6, at), digest("same a")),
            (listed(17, 6, at), digest("same a")),
        ];
        assert_eq!(store.bind_by_digest(&house.lease, candidates).await.unwrap(), [true, true, false]);
        assert_eq!(store.present_uids(id, &epoch).await.unwrap(), [11, 12, 13]);
        assert_eq!(store.receipt(postroom_domain::ReceiptId(1)).await.unwrap().remote_id, uid(8, 11));
        // A folder keeps its receipts: the same octets elsewhere are another message.
        let elsewhere = RemoteId::Imap { folder: "Support".to_owned(), uid_validity: 8, uid: 1 };
        let other = Listed { id: elsewhere, size: 6, received_at: None };
        assert_eq!(store.bind_by_digest(&house.lease, vec![(other, digest("same b"))]).await.unwrap(), [false]);
        // Whoever restored a backup has messages under other UIDs of the same UIDVALIDITY.
        store.vanished(&house.lease, vec![uid(8, 12)], true, noon()).await.unwrap();
        let again = store.accept(&house.lease, vec![fetched(uid(8, 20), "two")], &house.me, noon()).await.unwrap();
        assert_eq!((again.rebound, again.claimed.len()), (1, 0));
        assert_eq!(store.present_uids(id, &epoch).await.unwrap(), [11, 13, 20]);
    })
    .await;
}

#[tokio::test]
async fn what_was_deleted_or_moved_is_on_its_server_no_longer() {
    on_each_database(|place| async move {
        for (filed, there) in [(Settlement::Delete, 0), (Settlement::MarkSeen, 1), (Settlement::MoveTo("D".into()), 0)]
        {
            let place = if matches!(place.config.database, postroom_store::Database::Sqlite) {
                Place::sqlite()
            } else {
                continue;
            };
            let house = House::new(&place, MailboxPolicy { filed, ..MailboxPolicy::default() }, StartFrom::All).await;
            let store = &house.store;
            house.take(1, message("ann@example.org", "s", "t")).await;
            assert_eq!(store.mailboxes_owed().await.unwrap(), [house.mailbox.id]);
            let owed = store.owed(house.mailbox.id, None, 9).await.unwrap();
            store.mark_settled(&house.lease, owed, noon()).await.unwrap();
            assert!(store.mailboxes_owed().await.unwrap().is_empty());
            assert_eq!(store.present_uids(house.mailbox.id, &house.epoch).await.unwrap().len(), there);
            let status = store.mailbox_status().await.unwrap().remove(0);
            assert_eq!((status.counts.filed, status.present.filed), (1, there as u64));
            assert_eq!(status.ledger(), None, "no visit has ended");
            let report = serde_json::json!({"on_server": 3, "before_start": 1});
            let end = VisitEnd { report, ..VisitEnd::default() };
            store.end_visit(&house.lease, end, noon()).await.unwrap();
            let ledger = store.mailbox_status().await.unwrap().remove(0).ledger().unwrap();
            assert_eq!((ledger.on_server, ledger.filed, ledger.before_start), (3, there as u64, 1));
            assert_eq!((ledger.unaccounted, ledger.missing), (2 - there as u64, 0));
        }
    })
    .await;
}

#[tokio::test]
async fn whoever_plans_visits_hears_of_every_change() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        let mut last = store.mailboxes_version().await.unwrap();
        let mut revision = store.mailbox("desk").await.unwrap().revision;
        let mut heard = async |what: &str, of_this: bool| {
            let version = store.mailboxes_version().await.unwrap();
            assert!(version > last, "{what} was not heard of");
            let now = store.mailbox("desk").await.unwrap().revision;
            assert_eq!(now > revision, of_this, "{what}");
            (last, revision) = (version, now);
        };
        store.pause_mailbox("desk", noon()).await.unwrap();
        heard("pausing", true).await;
        store.resume_mailbox("desk", true, noon()).await.unwrap();
        heard("resuming", true).await;
        let change = MailboxChange { every_s: Some(9), ..MailboxChange::default() };
        store.update_mailbox("desk", change, noon()).await.unwrap();
        heard("a new interval", true).await;
        let dates = CertificateDates { fingerprint: "ab".repeat(32), not_after: noon() };
        let certificate = NewCertificate { der: vec![1], dates, replaces: Vec::new() };
        store.add_certificate("desk", certificate, noon()).await.unwrap();
        heard("a certificate", true).await;
        store.remove_certificate(&"ab".repeat(32), noon()).await.unwrap();
        heard("the end of a certificate", true).await;
        store.set_global_policy(&store.global_policy().await.unwrap(), noon()).await.unwrap();
        heard("the policy", false).await;
        store.add_mailbox(imap("other", MailboxPolicy::default(), StartFrom::All), None, noon()).await.unwrap();
        heard("another mailbox", false).await;

        // A question pauses; going well again after a failure is news to whoever waits long because of it.
        let failed = Some(("MAILBOX_CHANGED".to_owned(), "another mailbox?".to_owned()));
        let end = VisitEnd { error: failed, asks: true, ..VisitEnd::default() };
        store.end_visit(&house.lease, end, noon()).await.unwrap();
        heard("a question", false).await;
        let mailbox = store.mailbox("desk").await.unwrap();
        assert!(mailbox.paused && mailbox.accepts_new, "the permission holds until a visit went well");
        store.end_visit(&house.lease, VisitEnd::default(), noon()).await.unwrap();
        heard("going well again", false).await;
        assert!(!store.mailbox("desk").await.unwrap().accepts_new);
        store.end_visit(&house.lease, VisitEnd::default(), noon()).await.unwrap();
        assert_eq!(store.mailboxes_version().await.unwrap(), last, "an ordinary visit changes no settings");
    })
    .await;
}

#[tokio::test]
async fn plans_are_shown_as_long_as_somebody_keeps_to_them() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        let later = at("2026-03-01T13:00:00Z");
        let plan = |holder: Option<Holder>| Plan { next_visit_at: later, throttled: true, waited_by: holder };
        let end = VisitEnd { plan: Some(plan(Some(house.me.clone()))), ..VisitEnd::default() };
        store.end_visit(&house.lease, end, noon()).await.unwrap();
        let status = store.mailbox_status().await.unwrap().remove(0);
        assert_eq!((status.next_visit_at, status.throttled, status.waits), (Some(later), true, true));
        let dead = Holder { start_ticks: 1, ..house.me.clone() };
        store.plan_visit(house.mailbox.id, plan(Some(dead))).await.unwrap();
        assert!(!store.mailbox_status().await.unwrap()[0].waits, "the dead do not wait");

        let failure = || Some(("FOLDER_MISSING".to_owned(), "there is no such folder".to_owned()));
        store.folder_failed(&house.lease, "Support", failure(), noon()).await.unwrap();
        store.folder_failed(&house.lease, "Support", failure(), later).await.unwrap();
        let failed = store.mailbox_status().await.unwrap().remove(0).failed_folders;
        assert_eq!((failed.len(), failed[0].folder.as_str(), failed[0].since), (1, "Support", noon()));
        store.folder_failed(&house.lease, "Support", None, later).await.unwrap();
        assert!(store.mailbox_status().await.unwrap()[0].failed_folders.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_is_owed_to_a_folder_that_is_read_no_longer_is_given_up() {
    on_each_database(|place| async move {
        let policy = MailboxPolicy { filed: Settlement::Delete, ..MailboxPolicy::default() };
        let house = House::new(&place, policy, StartFrom::All).await;
        let store = &house.store;
        let receipt = house.take(1, message("ann@example.org", "s", "t")).await.receipt;
        let Access::Imap(mut imap) = house.mailbox.access.clone() else { panic!("no IMAP") };
        imap.more_folders = vec!["Support".to_owned()];
        let change = |imap: &postroom_mail::ImapAccess| MailboxChange {
            access: Some(Access::Imap(imap.clone())),
            ..MailboxChange::default()
        };
        store.update_mailbox("desk", change(&imap), noon()).await.unwrap();
        assert_eq!(store.receipt(receipt).await.unwrap().settlement, Some(SettlementState::Owed));
        imap.folder = "Elsewhere".to_owned();
        store.update_mailbox("desk", change(&imap), noon()).await.unwrap();
        assert_eq!(store.receipt(receipt).await.unwrap().settlement, Some(SettlementState::Kept));
    })
    .await;
}

#[tokio::test]
async fn conversations_are_kept_as_long_as_their_log_is_switched_on() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let (store, id) = (&house.store, house.mailbox.id);
        let begun = |minute: i64| noon() + jiff::SignedDuration::from_mins(minute);
        let said = |minute, log: &str| LoggedConversation { begun_at: begun(minute), log: log.to_owned() };
        store.log_conversation(id, said(0, "early")).await.unwrap();
        let switch = |on| MailboxChange { wire_log: Some(on), ..MailboxChange::default() };
        assert!(store.update_mailbox("desk", switch(true), noon()).await.unwrap().wire_log);
        store.log_conversation(id, said(1, "one")).await.unwrap();
        store.log_conversation(id, said(1, "one and more")).await.unwrap();
        assert_eq!(store.logged_conversations("desk").await.unwrap(), [said(1, "one and more")]);
        for n in 0..20 {
            store.log_conversation(id, said(2 + n, &format!("{n}"))).await.unwrap();
        }
        let kept = store.logged_conversations("desk").await.unwrap();
        assert_eq!((kept.len(), kept[0].log.as_str(), kept[19].log.as_str()), (20, "0", "19"));
        store.update_mailbox("desk", switch(false), noon()).await.unwrap();
        assert!(store.logged_conversations("desk").await.unwrap().is_empty());
        store.log_conversation(id, said(1, "late")).await.unwrap();
        assert!(store.logged_conversations("desk").await.unwrap().is_empty());
        assert_eq!(store.logged_conversations("nobody").await.unwrap_err().code(), "MAILBOX_UNKNOWN");
    })
    .await;
}
