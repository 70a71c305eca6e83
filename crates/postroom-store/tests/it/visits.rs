//! Visits: leases, what was there before, and changes of UIDVALIDITY.

use crate::support::*;
use jiff::SignedDuration;
use postroom_domain::{MailboxPolicy, Reason, ReceiptState, SettlementState, StartFrom};
use postroom_mail::{Listed, RemoteId, Settlement};
use postroom_store::{Holder, LeaseTaken, OutcomeKind, VisitEnd};

#[tokio::test]
async fn one_holder_has_the_lease_until_it_ends_expires_or_dies() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let (store, id) = (&house.store, house.mailbox.id);
        let other = Holder::current();
        let ask = |holder: Holder, now| async move { store.take_lease(id, &holder, now, TTL).await.unwrap() };
        assert_eq!(ask(other.clone(), noon()).await, LeaseTaken::Busy(house.me.clone()));
        assert_eq!(ask(house.me.clone(), noon()).await, LeaseTaken::Busy(house.me.clone()));
        store.renew_lease(&house.lease, noon(), SignedDuration::from_mins(10)).await.unwrap();
        let later = at("2026-03-01T12:06:00Z");
        assert!(matches!(ask(other.clone(), later).await, LeaseTaken::Busy(_)));
        let LeaseTaken::Lease(theirs) = ask(other.clone(), at("2026-03-01T12:11:00Z")).await else { panic!("busy") };

        // Whoever lost it writes nothing any more.
        let batch = vec![fetched(uid(7, 1), "late")];
        assert_eq!(store.accept(&house.lease, batch, &house.me, noon()).await.unwrap_err().code(), "LEASE_LOST");
        assert_eq!(store.renew_lease(&house.lease, noon(), TTL).await.unwrap_err().code(), "LEASE_LOST");
        assert_eq!(store.begin_folder(&house.lease, seen(7, 1), noon()).await.unwrap_err().code(), "LEASE_LOST");
        let end = VisitEnd { report: serde_json::json!({}), ..VisitEnd::default() };
        assert_eq!(store.end_visit(&house.lease, end, noon()).await.unwrap_err().code(), "LEASE_LOST");
        store.release_lease(&house.lease).await.unwrap();
        assert!(matches!(ask(house.me.clone(), noon()).await, LeaseTaken::Busy(_)), "the other's lease still stands");
        store.release_lease(&theirs).await.unwrap();

        // A holder that died on this machine is taken over at once, one elsewhere is not.
        let dead = Holder { start_ticks: 1, ..Holder::current() };
        assert!(matches!(ask(dead, noon()).await, LeaseTaken::Lease(_)));
        let elsewhere = Holder { host: "elsewhere".into(), ..Holder::current() };
        assert!(matches!(ask(elsewhere, noon()).await, LeaseTaken::Lease(_)));
        assert!(matches!(ask(other, noon()).await, LeaseTaken::Busy(_)));
    })
    .await;
}

#[tokio::test]
async fn the_first_visit_fixes_what_was_there_before() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        let since = at("2026-01-01T00:00:00Z");
        for (name, start, first_uid, floor) in [
            ("new", StartFrom::New, 40, None),
            ("all", StartFrom::All, 0, None),
            ("since", StartFrom::Since(since), 0, Some(since)),
        ] {
            let mailbox = store.add_mailbox(imap(name, MailboxPolicy::default(), start), None, noon()).await.unwrap();
            let lease = lease(store, &mailbox, &house.me).await;
            let epoch = store.begin_folder(&lease, seen(3, 40), noon()).await.unwrap();
            assert_eq!((epoch.first_uid, epoch.floor, epoch.successor), (first_uid, floor, false), "{name}");
            let again = store.begin_folder(&lease, seen(3, 90), at("2026-03-02T00:00:00Z")).await.unwrap();
            assert_eq!(again, epoch, "{name}: it stays so");
            assert_eq!(store.mailbox(name).await.unwrap().first_visit_at, Some(noon()));
        }
        // A Maildir has no UIDs: the names are recorded.
        let mut new = imap("dir", MailboxPolicy::default(), StartFrom::New);
        new.access = postroom_mail::Access::Maildir { path: "/mail".into() };
        let mailbox = store.add_mailbox(new, None, noon()).await.unwrap();
        let lease = lease(store, &mailbox, &house.me).await;
        let name = |name: &str| RemoteId::Maildir { name: name.to_owned() };
        store.leave(&lease, vec![name("1.a"), name("2.b")], noon()).await.unwrap();
        assert_eq!(store.mailbox("dir").await.unwrap().first_visit_at, Some(noon()));
        store.leave(&lease, vec![name("2.b")], at("2026-03-02T00:00:00Z")).await.unwrap();
        assert_eq!(store.mailbox("dir").await.unwrap().first_visit_at, Some(noon()));
        store.accept(&lease, vec![fetched(name("3.c"), "c")], &house.me, noon()).await.unwrap();
        let known = store.known_names(mailbox.id, 100).await.unwrap();
        assert_eq!(known.receipted, ["3.c".to_owned()].into());
        assert_eq!(known.before_start, ["1.a".to_owned(), "2.b".to_owned()].into());
    })
    .await;
}

#[tokio::test]
async fn a_new_uidvalidity_cancels_what_was_owed_and_binds_known_octets() {
    on_each_database(|place| async move {
        let policy = MailboxPolicy { filed: Settlement::Delete, ..MailboxPolicy::default() };
        let house = House::new(&place, policy, StartFrom::New).await;
        let store = &house.store;
        let ann = "ann@example.org";
        let first = house.take(1, message(ann, "One", "one")).await;
        house.take(2, message(ann, "One", "one")).await;
        let late = house.accept(&[(3, "three")]).await.remove(0);
        // This one was deleted on its server by us: what comes with its octets later is another copy.
        let gone = house.take(4, message(ann, "Gone", "gone")).await;
        let settled = store.owed(house.mailbox.id, None, 9).await.unwrap().split_off(1);
        store.mark_settled(&house.lease, settled, noon()).await.unwrap();
        assert_eq!(store.owed(house.mailbox.id, None, 9).await.unwrap().len(), 1);
        let old = store.owed(house.mailbox.id, None, 9).await.unwrap();

        let epoch = store.begin_folder(&house.lease, seen(8, 5), noon()).await.unwrap();
        assert_eq!((epoch.uid_validity, epoch.first_uid, epoch.floor, epoch.successor), (8, 0, Some(noon()), true));
        assert!(store.owed(house.mailbox.id, None, 9).await.unwrap().is_empty(), "an old UID is never used again");
        store.mark_settled(&house.lease, old, noon()).await.unwrap();
        let receipt = store.receipt(first.receipt).await.unwrap();
        assert_eq!(receipt.settlement, Some(SettlementState::Kept));

        // Filed after the change, the old UID is not deleted either.
        let outcome = house.file(vec![(late, message(ann, "Three", "three"))]).await.remove(0);
        let receipt = store.receipt(outcome.receipt).await.unwrap();
        assert_eq!(receipt.settlement, Some(SettlementState::Kept));

        let batch = vec![fetched(uid(8, 9), "gone")];
        let copy = store.accept(&house.lease, batch, &house.me, noon()).await.unwrap();
        assert_eq!((copy.rebound, copy.claimed.len()), (0, 1));
        let copy = house.file(vec![(copy.claimed[0].clone(), message(ann, "Gone", "gone"))]).await.remove(0);
        assert_eq!((copy.kind, copy.reason), (OutcomeKind::Held, Some(Reason::DuplicateCopy)));
        let receipt = store.receipt(gone.receipt).await.unwrap();
        assert_eq!((receipt.remote_id, receipt.settlement), (uid(7, 4), Some(SettlementState::Settled)));

        // Two copies were known; a third one is new.
        let batch: Vec<_> = (1..=3).map(|n| fetched(uid(8, n), "one")).chain([fetched(uid(8, 4), "four")]).collect();
        let accepted = store.accept(&house.lease, batch.clone(), &house.me, noon()).await.unwrap();
        assert_eq!((accepted.rebound, accepted.claimed.len(), accepted.known), (2, 2, 0));
        let accepted = store.accept(&house.lease, batch, &house.me, noon()).await.unwrap();
        assert_eq!((accepted.rebound, accepted.claimed.len(), accepted.known), (0, 0, 4));
        let receipt = store.receipt(first.receipt).await.unwrap();
        assert_eq!((receipt.remote_id, receipt.item), (uid(8, 1), Some(1)));
        let mut known: Vec<u32> =
            store.known_uids(house.mailbox.id, &epoch, 1, 100).await.unwrap().into_keys().collect();
        known.sort_unstable();
        assert_eq!(known, [1, 2, 3, 4, 9]);
        assert!(store.begin_folder(&house.lease, seen(8, 9), noon()).await.unwrap().successor);

        // A clock that ran ahead at the first visit must not hide mail that is yet to come.
        let earlier = at("2026-02-01T00:00:00Z");
        let epoch = store.begin_folder(&house.lease, seen(9, 1), earlier).await.unwrap();
        assert_eq!(epoch.floor, Some(earlier));
    })
    .await;
}

#[tokio::test]
async fn a_visit_reports_and_what_stays_on_the_server_is_held() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        let listed = Listed { id: uid(7, 9), size: 99_000_000, received_at: None };
        for new in [1, 0] {
            let batch = vec![(listed.clone(), Reason::TooLarge)];
            assert_eq!(store.accept_unfetched(&house.lease, batch, noon()).await.unwrap(), new);
        }
        let outcome = house.take(1, message("ann@example.org", "s", "t")).await;
        assert_eq!(outcome.kind, OutcomeKind::Item(1));
        let receipt = store.receipts(Default::default()).await.unwrap().pop().unwrap();
        assert_eq!((receipt.reason, receipt.size, receipt.sha256), (Some(Reason::TooLarge), 99_000_000, None));
        assert_eq!(store.raw_of(receipt.id).await.unwrap_err().code(), "NO_OCTETS");
        assert_eq!(store.retry(receipt.id, noon()).await.unwrap_err().code(), "NO_OCTETS");

        let end = |error: Option<(&str, &str)>| VisitEnd {
            report: serde_json::json!({"listed": 2}),
            error: error.map(|(code, text)| (code.to_owned(), text.to_owned())),
            ..VisitEnd::default()
        };
        store.end_visit(&house.lease, end(Some(("TIMEOUT", "no answer"))), noon()).await.unwrap();
        let later = at("2026-03-01T13:00:00Z");
        store.end_visit(&house.lease, end(Some(("TIMEOUT", "no answer"))), later).await.unwrap();
        let status = store.mailbox_status().await.unwrap().remove(0);
        assert_eq!((status.failing_since, status.failures), (Some(noon()), 2));
        assert_eq!((status.visited_at, status.last_error.unwrap().0.as_str()), (Some(later), "TIMEOUT"));
        assert_eq!(status.last_visit.unwrap()["listed"], 2);
        assert_eq!((status.counts.filed, status.counts.held, status.counts.owed), (1, 1, 0));
        store.end_visit(&house.lease, end(None), later).await.unwrap();
        assert_eq!(store.check().await.unwrap().problems, []);
        for (report, gap) in [
            (serde_json::json!({"listed": 9, "before_start": 6, "unaccounted": 0}), 0),
            (serde_json::json!({"listed": 2, "unaccounted": 1}), 1),
        ] {
            store.end_visit(&house.lease, VisitEnd { report, ..VisitEnd::default() }, later).await.unwrap();
            let problems = store.check().await.unwrap().problems;
            assert_eq!(problems.iter().map(|one| one.code).collect::<Vec<_>>(), vec!["LEDGER_GAP"; gap]);
        }
        store.pause_mailbox("desk", noon()).await.unwrap();
        assert_eq!(store.check().await.unwrap().problems, [], "nobody visits it");
        let status = store.mailbox_status().await.unwrap().remove(0);
        assert_eq!((status.failing_since, status.failures, status.last_error), (None, 0, None));
    })
    .await;
}

#[tokio::test]
async fn what_was_not_fetched_is_asked_for_again_and_filled() {
    on_each_database(|place| async move {
        let policy = MailboxPolicy { filed: Settlement::Delete, ..MailboxPolicy::default() };
        let house = House::new(&place, policy, StartFrom::All).await;
        let (store, id) = (&house.store, house.mailbox.id);
        let maildir = RemoteId::Maildir { name: "1.a".to_owned() };
        let listed = |id: &RemoteId, size| Listed { id: id.clone(), size, received_at: Some(noon()) };
        let batch = vec![
            (listed(&uid(7, 1), 1000), Reason::TooLarge),
            (listed(&uid(7, 2), 10), Reason::Unfetchable),
            (listed(&maildir, 1000), Reason::TooLarge),
        ];
        assert_eq!(store.accept_unfetched(&house.lease, batch, noon()).await.unwrap(), 3);
        for (limit, uids, names) in [(999, vec![1], 1), (1000, vec![], 0)] {
            let known = store.known_uids(id, &house.epoch, 1, limit).await.unwrap();
            assert_eq!(known.into_keys().collect::<Vec<_>>(), uids, "limit {limit}");
            assert_eq!(store.known_names(id, limit).await.unwrap().receipted.len(), names, "limit {limit}");
        }
        // Another reason on another day.
        let batch = vec![(listed(&uid(7, 1), 1000), Reason::Unfetchable)];
        assert_eq!(store.accept_unfetched(&house.lease, batch, noon()).await.unwrap(), 0);
        assert!(store.known_uids(id, &house.epoch, 1, 999).await.unwrap().is_empty());

        let later = at("2026-03-02T00:00:00Z");
        let batch = vec![fetched(uid(7, 1), "at last"), fetched(uid(7, 2), "too"), fetched(maildir, "as well")];
        let accepted = store.accept(&house.lease, batch.clone(), &house.me, later).await.unwrap();
        assert_eq!((accepted.claimed.len(), accepted.known), (3, 0));
        let again = store.accept(&house.lease, batch, &house.me, later).await.unwrap();
        assert_eq!((again.claimed.len(), again.known), (0, 3));
        let receipt = store.receipt(accepted.claimed[0].receipt()).await.unwrap();
        assert_eq!((receipt.state, receipt.reason, receipt.settlement), (ReceiptState::Accepted, None, None));
        assert_eq!((receipt.size, receipt.trace.len()), (7, 0));
        assert_eq!(store.known_uids(id, &house.epoch, 1, 0).await.unwrap().len(), 2);
        let batch = accepted.claimed.into_iter().map(|claimed| {
            let text = String::from_utf8(claimed.raw().octets().to_vec()).unwrap();
            (claimed, message("ann@example.org", "s", &text))
        });
        let outcomes = house.file(batch.collect()).await;
        assert_eq!(
            outcomes.iter().map(|one| one.kind).collect::<Vec<_>>(),
            (1..=3).map(OutcomeKind::Item).collect::<Vec<_>>()
        );
        assert_eq!(store.owed(id, None, 9).await.unwrap().len(), 3);
        // What has its octets is never taken for unfetched again.
        let batch = vec![(listed(&uid(7, 1), 1000), Reason::Unfetchable)];
        assert_eq!(store.accept_unfetched(&house.lease, batch, later).await.unwrap(), 0);
        assert_eq!(store.receipt(outcomes[0].receipt).await.unwrap().reason, Some(Reason::NewItem));
        assert_eq!(store.check().await.unwrap().problems, []);
    })
    .await;
}
