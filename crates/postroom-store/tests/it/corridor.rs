//! One message through the store: accept, claim, file, settle.

use crate::support::*;
use postroom_domain::{MailboxPolicy, Reason, ReceiptState, SettlementState, StartFrom, Switch};
use postroom_mail::{Address, RemoteId, Settlement};
use postroom_store::{Accepted, ClaimLimit, Claimed, Holder, OutcomeKind, Reading, ReceiptFilter};

const MANY: ClaimLimit = ClaimLimit { count: 100, octets: u64::MAX };

fn delete_when_filed() -> MailboxPolicy {
    MailboxPolicy { filed: Settlement::Delete, held: Settlement::MoveTo("Held".into()), ..MailboxPolicy::default() }
}

#[tokio::test]
async fn a_message_is_accepted_filed_and_settled_once() {
    on_each_database(|place| async move {
        let house = House::new(&place, delete_when_filed(), StartFrom::All).await;
        let store = &house.store;
        let claimed = house.accept(&[(1, "first"), (2, "second")]).await;
        assert_eq!(claimed.len(), 2);
        assert!(house.accept(&[(1, "first"), (2, "second")]).await.is_empty(), "known already");
        let uids = store.known_uids(house.mailbox.id, &house.epoch, 1, 100).await.unwrap();
        assert_eq!(uids, [(1, noon()), (2, noon())].into());
        let pending = store.pending(noon()).await.unwrap();
        assert_eq!(pending.get(&house.mailbox.id), Some(&2));

        let again = claimed.clone();
        let mut first = message("Ann@Example.ORG", "A printer is on fire", "first");
        first.attachments.push(slice(claimed[0].raw(), "a.txt", 1..4));
        let batch =
            vec![(claimed[0].clone(), first), (claimed[1].clone(), message("eve@evil.test", "Hello", "second"))];
        let outcomes = house.file(batch.clone()).await;
        assert_eq!(outcomes[0].kind, OutcomeKind::Item(1));
        assert_eq!(outcomes[0].reason, Some(Reason::NewItem));
        assert_eq!(outcomes[1].kind, OutcomeKind::Held);
        assert_eq!(outcomes[1].reason, Some(Reason::SenderUnknown));
        assert_eq!(outcomes[1].from, "eve@evil.test");

        // Filing again, with the old claims, changes nothing.
        let lost = house.file(batch).await;
        assert!(lost.iter().all(|outcome| outcome.kind == OutcomeKind::Lost));
        assert_eq!(store.items(Default::default()).await.unwrap().len(), 1);

        let item = store.item(1).await.unwrap();
        assert_eq!((item.title.as_str(), item.text.as_str()), ("A printer is on fire", "first"));
        assert_eq!(item.requester.address, "ann@example.org");
        assert!(item.requester.user);
        assert_eq!(item.receipt, Some(again[0].receipt()));
        let attachment = store.attachment(item.attachments[0].id).await.unwrap();
        assert_eq!((attachment.octets.as_ref(), attachment.item), (b"irs".as_slice(), 1));
        assert_eq!(attachment.workspace, key("SUP"));

        let owed = store.owed(house.mailbox.id, None, 10).await.unwrap();
        let what: Vec<_> = owed.iter().map(|owed| (owed.remote_id().clone(), owed.how().clone())).collect();
        assert_eq!(what, [(uid(7, 1), Settlement::Delete), (uid(7, 2), Settlement::MoveTo("Held".into()))]);
        // The second one turned out to be another message: it stays.
        store.cancel_settlement(&house.lease, owed[1..].to_vec()).await.unwrap();
        store.mark_settled(&house.lease, owed, noon()).await.unwrap();
        let receipt = store.receipt(again[1].receipt()).await.unwrap();
        assert_eq!(receipt.settlement, Some(SettlementState::Kept));
        assert!(store.owed(house.mailbox.id, None, 10).await.unwrap().is_empty());

        let receipt = store.receipt(again[0].receipt()).await.unwrap();
        assert_eq!((receipt.state, receipt.settlement), (ReceiptState::Filed, Some(SettlementState::Settled)));
        assert_eq!((receipt.item, receipt.remote_id.clone()), (Some(1), uid(7, 1)));
        assert_eq!(receipt.subject.as_deref(), Some("A printer is on fire"));
        assert!(!receipt.trace.is_empty());
        assert_eq!(store.raw_of(receipt.id).await.unwrap().octets().as_ref(), b"first");
        let held = ReceiptFilter { state: Some(ReceiptState::Held), ..Default::default() };
        assert_eq!(store.receipts(held).await.unwrap().len(), 1);
        assert!(store.check().await.unwrap().problems.is_empty());
    })
    .await;
}

#[tokio::test]
async fn comments_need_the_right_to_comment() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let (ann, bob) = ("ann@example.org", "bob@example.org");
        assert_eq!(house.take(1, message(ann, "One", "1")).await.kind, OutcomeKind::Item(1));
        // bob is registered, but neither a member nor a participant: his mail opens an item of his own.
        let outcome = house.take(2, message(bob, "Re: [#1] One", "2")).await;
        assert_eq!(outcome.kind, OutcomeKind::Item(2));
        assert!(outcome.trace.iter().any(|step| step.detail.contains("mentions #1")));
        // ann is a reporter in SUP.
        let outcome = house.take(3, message(ann, "Re: 2", "3")).await;
        let OutcomeKind::Comment { item: 2, comment } = outcome.kind else { panic!("{outcome:?}") };
        // A participant may comment without a role.
        let outcome = house.take(4, message(bob, "Re: #2", "4")).await;
        assert!(matches!(outcome.kind, OutcomeKind::Comment { item: 2, .. }));
        let item = house.store.item(2).await.unwrap();
        assert_eq!(item.comments.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), ["3", "4"]);
        assert_eq!(item.comments[0].id, comment);
        assert_eq!(item.participants.iter().map(|one| one.address.as_str()).collect::<Vec<_>>(), [bob, ann]);
        // An item that does not exist is no clue.
        assert_eq!(house.take(5, message(ann, "#77", "5")).await.kind, OutcomeKind::Item(3));
        let explained = house.store.explain(in_mailbox("desk"), &message(ann, "#2", "x"), noon()).await.unwrap();
        assert_eq!((explained.item, explained.workspace), (Some(2), Some(key("SUP"))));
        assert_eq!(explained.filing.reason, Reason::NumberInSubject);
        assert!(house.store.check().await.unwrap().problems.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_batch_is_filed_in_order_and_knows_its_own_items() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let texts: Vec<String> = (0..40).map(|n| format!("text {n}")).collect();
        let numbered: Vec<(u32, &str)> = (1..).zip(texts.iter().map(String::as_str)).collect();
        let claimed = house.accept(&numbered).await;
        let batch = claimed.into_iter().zip(&texts).map(|(claimed, text)| {
            let subject = if text == "text 39" { "about #5" } else { "new" };
            (claimed, message("ann@example.org", subject, text))
        });
        let outcomes = house.file(batch.collect()).await;
        let numbers: Vec<_> = outcomes.iter().take(39).map(|outcome| outcome.kind).collect();
        assert_eq!(numbers, (1..40).map(OutcomeKind::Item).collect::<Vec<_>>());
        assert!(matches!(outcomes[39].kind, OutcomeKind::Comment { item: 5, .. }));
        assert!(house.store.latest_change().await.unwrap() >= 40);
    })
    .await;
}

#[tokio::test]
async fn a_second_copy_is_held_and_can_be_released() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let ann = "ann@example.org";
        house.take(1, message(ann, "One", "same")).await;
        let copy = house.take(2, message(ann, "One", "same")).await;
        assert_eq!((copy.kind, copy.reason), (OutcomeKind::Held, Some(Reason::DuplicateCopy)));
        let store = &house.store;
        store.release(copy.receipt, Some(&key("OPS")), false, noon()).await.unwrap();
        assert_eq!(store.release(copy.receipt, None, false, noon()).await.unwrap_err().code(), "RECEIPT_STATE");
        let claimed = store.claim(&house.me, MANY, noon()).await.unwrap();
        assert!(claimed[0].released());
        let outcome = house.file(vec![(claimed[0].clone(), message(ann, "One", "same"))]).await.remove(0);
        assert_eq!(outcome.kind, OutcomeKind::Item(2));
        assert_eq!(store.item(2).await.unwrap().workspace, key("OPS"));

        // Retrying decides under the rules of today.
        let eve = house.take(3, message("eve@evil.test", "Hi", "eve")).await;
        assert_eq!(eve.reason, Some(Reason::SenderUnknown));
        let mut policy = store.global_policy().await.unwrap();
        policy.unknown_senders = true;
        store.set_global_policy(&policy, noon()).await.unwrap();
        store.retry(eve.receipt, noon()).await.unwrap();
        let claimed = store.claim(&house.me, MANY, noon()).await.unwrap().remove(0);
        let outcome = house.file(vec![(claimed, message("eve@evil.test", "Hi", "eve"))]).await.remove(0);
        assert_eq!(outcome.kind, OutcomeKind::Item(3));
        assert_eq!(store.retry(eve.receipt, noon()).await.unwrap_err().code(), "RECEIPT_STATE");
    })
    .await;
}

#[tokio::test]
async fn claims_pass_on_when_lost_expired_or_dead() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        let old = house.accept(&[(1, "a"), (2, "b"), (3, "c")]).await;
        let other = Holder::current();
        assert!(store.claim(&other, MANY, noon()).await.unwrap().is_empty(), "claimed by a living worker");

        // Ten minutes later nobody knows whether the worker still does it.
        let later = at("2026-03-01T12:11:00Z");
        let small = ClaimLimit { count: 10, octets: 2 };
        let claimed = store.claim(&other, small, later).await.unwrap();
        assert_eq!(claimed.iter().map(|one| one.receipt()).collect::<Vec<_>>(), [old[0].receipt(), old[1].receipt()]);
        let reading = |text: &str| Reading::Message(Box::new(message("ann@example.org", "s", text)));
        let lost = store.file(vec![(old[0].clone(), reading("a"))], &house.me, later).await.unwrap();
        assert_eq!(lost[0].kind, OutcomeKind::Lost);

        // A worker that died on this machine loses its claims at once.
        store.give_back(claimed.iter().map(Claimed::ticket).collect()).await.unwrap();
        let dead = Holder { pid: u32::MAX, ..Holder::current() };
        assert_eq!(store.claim(&dead, MANY, later).await.unwrap().len(), 3);
        let claimed = store.claim(&house.me, MANY, later).await.unwrap();
        assert_eq!(claimed.len(), 3);
        let outcomes = store.file(vec![(claimed[0].clone(), reading("a"))], &house.me, later).await.unwrap();
        assert_eq!(outcomes[0].kind, OutcomeKind::Item(1));

        // Given back: at once anybody's, except what was filed or claimed by others meanwhile.
        store.give_back(old.iter().chain(&claimed[..2]).map(Claimed::ticket).collect()).await.unwrap();
        let again = store.claim(&house.me, MANY, later).await.unwrap();
        assert_eq!(
            again.iter().map(|one| one.receipt()).collect::<Vec<_>>(),
            [old[1].receipt()],
            "one is still claimed"
        );
    })
    .await;
}

#[tokio::test]
async fn octets_that_cannot_be_read_hold_up_nothing_else() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        let large = "l".repeat(postroom_store::BORDER + 1);
        let claimed = house.accept(&[(1, &large), (2, "small")]).await;
        let digest = claimed[0].raw().sha256().to_string();
        let path = place.config.data_dir.join("raw").join(&digest[..2]).join(&digest);
        store.give_back(claimed.iter().map(Claimed::ticket).collect()).await.unwrap();
        // A directory in its place gives EISDIR: neither missing nor damaged.
        std::fs::rename(&path, path.with_extension("aside")).unwrap();
        std::fs::create_dir(&path).unwrap();
        let ids = |claimed: Vec<Claimed>| claimed.iter().map(Claimed::receipt).collect::<Vec<_>>();
        assert_eq!(ids(store.claim(&house.me, MANY, noon()).await.unwrap()), [claimed[1].receipt()]);
        let receipt = store.receipt(claimed[0].receipt()).await.unwrap();
        assert_eq!((receipt.state, receipt.attempts), (ReceiptState::Deferred, 0));
        std::fs::remove_dir(&path).unwrap();
        std::fs::rename(path.with_extension("aside"), &path).unwrap();
        assert!(ids(store.claim(&house.me, MANY, at("2026-03-01T12:04:59Z")).await.unwrap()).is_empty());
        assert_eq!(
            ids(store.claim(&house.me, MANY, at("2026-03-01T12:05:01Z")).await.unwrap()),
            [claimed[0].receipt()]
        );
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_read_is_held_with_its_reason_and_can_be_retried() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        for (uid, reason) in [(1, Reason::ReadPanicked), (2, Reason::ReadCrashed), (3, Reason::ReadExhausted)] {
            let claimed = house.accept(&[(uid, &format!("message {uid}"))]).await.remove(0);
            let failed = Reading::Failed { reason, detail: "why".into() };
            let outcome = store.file(vec![(claimed.clone(), failed)], &house.me, noon()).await.unwrap().remove(0);
            assert_eq!((outcome.kind, outcome.reason), (OutcomeKind::Held, Some(reason)));
            let receipt = store.receipt(claimed.receipt()).await.unwrap();
            assert_eq!((receipt.state, receipt.reason), (ReceiptState::Held, Some(reason)));
            assert_eq!(receipt.settlement, Some(SettlementState::Kept));
            assert_eq!(receipt.trace[0].detail, "why");
            store.retry(claimed.receipt(), noon()).await.unwrap();
            let claimed = store.claim(&house.me, MANY, noon()).await.unwrap().remove(0);
            let filed = house.file(vec![(claimed, message("ann@example.org", "s", "b"))]).await.remove(0);
            assert!(matches!(filed.kind, OutcomeKind::Item(_)), "{reason}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_the_database_refuses_is_held_in_the_end() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        house.take(1, message("ann@example.org", "twice", "first")).await;
        place.sql("CREATE UNIQUE INDEX refuse ON item (title) WHERE title = 'twice'");
        let mut claimed = house.accept(&[(2, "second")]).await;
        let id = claimed[0].receipt();
        let refused = || message("ann@example.org", "twice", "second");
        let mut now = noon();
        for n in 1..=9u32 {
            let text = format!("innocent {n}");
            let innocent = house.accept(&[(n + 10, &text)]).await.remove(0);
            let batch = vec![(claimed.remove(0), refused()), (innocent, message("ann@example.org", "s", &text))];
            let outcomes = house.file(batch).await;
            assert_eq!(outcomes[0].kind, OutcomeKind::Deferred, "{n}");
            assert!(matches!(outcomes[1].kind, OutcomeKind::Item(_)), "{n}");
            now += jiff::SignedDuration::from_hours(2);
            claimed = store.claim(&house.me, MANY, now).await.unwrap();
            assert_eq!(claimed.len(), 1);
        }
        assert_eq!(store.receipt(id).await.unwrap().attempts, 9);
        let claimed = claimed.remove(0);
        assert_eq!(claimed.attempts(), 9);
        let outcome = house.file(vec![(claimed.clone(), refused())]).await.remove(0);
        assert_eq!((outcome.kind, outcome.reason), (OutcomeKind::Held, Some(Reason::FilingFailed)));
        assert_eq!(house.file(vec![(claimed, refused())]).await.remove(0).kind, OutcomeKind::Lost);
        let receipt = store.receipt(id).await.unwrap();
        assert_eq!((receipt.reason, receipt.settlement), (Some(Reason::FilingFailed), Some(SettlementState::Kept)));
        assert!(receipt.trace[0].detail.contains("10 times"), "{:?}", receipt.trace);
        assert_eq!(store.check().await.unwrap().problems, []);

        place.sql("DROP INDEX refuse");
        store.retry(id, noon()).await.unwrap();
        let claimed = store.claim(&house.me, MANY, now).await.unwrap().remove(0);
        assert_eq!(claimed.attempts(), 0);
        assert!(matches!(house.file(vec![(claimed, refused())]).await[0].kind, OutcomeKind::Item(_)));
    })
    .await;
}

#[tokio::test]
async fn what_is_brought_is_accepted_once_and_owes_nothing() {
    on_each_database(|place| async move {
        let house = House::new(&place, delete_when_filed(), StartFrom::All).await;
        let store = &house.store;
        let inbox = store.push_mailbox(&key("OPS"), noon()).await.unwrap();
        assert_eq!(store.push_mailbox(&key("OPS"), noon()).await.unwrap().id, inbox.id);
        assert_eq!(store.mailboxes().await.unwrap().len(), 1, "internal mailboxes are not listed");
        let Accepted::New(claimed) = store.accept_pushed(inbox.id, raw("x"), &house.me, noon()).await.unwrap() else {
            panic!("known")
        };
        let outcome = house.file(vec![(claimed, message("ann@example.org", "s", "x"))]).await.remove(0);
        assert_eq!(store.item(1).await.unwrap().workspace, key("OPS"));
        match store.accept_pushed(inbox.id, raw("x"), &house.me, noon()).await.unwrap() {
            Accepted::Known(receipt) => assert_eq!((receipt.id, receipt.item), (outcome.receipt, Some(1))),
            Accepted::New(_) => panic!("new"),
        }
        // Also where the mailbox is one that is visited: what was brought to it is not on its server.
        let Accepted::New(claimed) = store.accept_pushed(house.mailbox.id, raw("y"), &house.me, noon()).await.unwrap()
        else {
            panic!("known")
        };
        let outcome = house.file(vec![(claimed, message("ann@example.org", "s", "y"))]).await.remove(0);
        let receipt = store.receipt(outcome.receipt).await.unwrap();
        assert_eq!(receipt.settlement, Some(SettlementState::Kept));
        assert!(matches!(receipt.remote_id, RemoteId::Push { .. }));
    })
    .await;
}

#[tokio::test]
async fn odd_messages_are_stored_as_they_are() {
    on_each_database(|place| async move {
        let policy = MailboxPolicy { unknown_senders: Switch::Yes, ..MailboxPolicy::default() };
        let house = House::new(&place, policy, StartFrom::All).await;
        let octets = "NUL \0 in \u{1F4A9} text";
        let mut odd = message("o\0dd@x.test", "sub\0ject", octets);
        odd.from.push(Address::new("two", "b@x.test"));
        odd.html = Some("<p>\0</p>".into());
        let outcome = house.take(1, odd).await;
        assert_eq!(
            outcome.kind,
            OutcomeKind::Item(1),
            "several authors are an unknown sender, and those may write here"
        );
        let item = house.store.item(1).await.unwrap();
        assert_eq!((item.title.as_str(), item.requester.address.as_str()), ("sub\u{fffd}ject", ""));
        assert!(item.participants.is_empty());
        let mut odd = message("ann@example.org", "sub\0ject", octets);
        odd.text.push_str(" more");
        odd.attachments.push(slice(&raw(octets), "n\0ame", 0..5));
        let claimed = house.accept(&[(2, &format!("{octets} more"))]).await.remove(0);
        let outcome = house.file(vec![(claimed, odd)]).await.remove(0);
        let item = house.store.item(2).await.unwrap();
        assert_eq!(item.attachments[0].name, "n\u{fffd}ame");
        assert_eq!(house.store.attachment(item.attachments[0].id).await.unwrap().octets.as_ref(), b"NUL \0");
        let raw = house.store.raw_of(outcome.receipt).await.unwrap();
        assert_eq!(raw.octets().as_ref(), format!("{octets} more").as_bytes());

        // Large messages and large decoded contents are in files.
        let large = "l".repeat(postroom_store::BORDER + 1);
        let mut with_large = message("ann@example.org", "large", &large);
        with_large.attachments.push(postroom_mail::Attachment {
            content: postroom_mail::Content::Octets(bytes::Bytes::from(large.to_uppercase().into_bytes())),
            sha256: postroom_mail::Sha256::of(large.to_uppercase().as_bytes()),
            size: large.len() as u64,
            ..slice(&raw, "big", 0..1)
        });
        let outcome = house.take(3, with_large).await;
        let files = walk(&place.config.data_dir.join("raw"));
        assert_eq!(files, 2);
        assert_eq!(house.store.raw_of(outcome.receipt).await.unwrap().octets().as_ref(), large.as_bytes());
        let item = house.store.item(3).await.unwrap();
        let stored = house.store.attachment(item.attachments[0].id).await.unwrap();
        assert_eq!(stored.octets.as_ref(), large.to_uppercase().as_bytes());
        assert!(house.store.check().await.unwrap().problems.is_empty());
    })
    .await;
}

fn walk(dir: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { walk(&path) } else { 1 }).sum()
}
