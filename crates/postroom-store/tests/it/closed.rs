//! Mail on closed items, reply keys, and forwards, from the message to the rows.

use crate::support::*;
use postroom_domain::identity::Evidence;
use postroom_domain::{ClosedItems, Level, MailboxPolicy, Reason, Role, StartFrom, Switch, WorkspacePolicy};
use postroom_mail::{Address, Forwarded};
use postroom_store::{NewUser, OutcomeKind, Question};

const ANN: &str = "ann@example.org";

#[tokio::test]
async fn d17_mail_opens_an_item_three_times_a_day() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        house.take(1, message(ANN, "One", "first")).await;
        let keys = store.reply_key(1, Some("desk"), None, noon()).await.unwrap();
        let reply = |n: u32, key: bool| {
            let mut reply = message(ANN, "Re: [#1] One", &format!("reply {n}"));
            reply.in_reply_to.extend(key.then(|| keys.message_id.clone()));
            reply
        };
        let mut reopened = 0;
        for n in 0..100 {
            store.close_item(1, noon()).await.unwrap();
            house.take(10 + n, reply(n, true)).await;
            reopened += u32::from(store.item(1).await.unwrap().status == "open");
        }
        assert_eq!((reopened, store.item(1).await.unwrap().comments.len()), (3, 100));
        let shown = store.item(1).await.unwrap().comments[0].identity.clone().unwrap();
        assert_eq!((shown.level, shown.evidence), (Level::Verified, Evidence::ReplyKey));
        // A sender whose identity nothing proves changes no state.
        store.close_item(1, noon()).await.unwrap();
        place.sql("UPDATE change SET at = at - 86400000001 WHERE kind = 'reopened'");
        house.take(200, reply(200, false)).await;
        assert_eq!(store.item(1).await.unwrap().status, "closed");
        // The next day counts anew.
        house.take(201, reply(201, true)).await;
        assert_eq!(store.item(1).await.unwrap().status, "open");
        // It is in the history, and can be taken back.
        assert_eq!(store.undo(1, None, noon()).await.unwrap().actor, ANN);
        assert_eq!(store.item(1).await.unwrap().status, "closed");
    })
    .await;
}

/// What somebody can do who has read mail of an item: take its keys, and write Ann's address into From.
#[tokio::test]
async fn d3_keys_of_others_and_a_forged_from_open_nothing_again() {
    on_each_database(|place| async move {
        let policy = MailboxPolicy { unknown_senders: Switch::Yes, ..MailboxPolicy::default() };
        let house = House::new(&place, policy, StartFrom::All).await;
        let store = &house.store;
        house.take(1, message(ANN, "One", "first")).await;
        house.take(2, message(ANN, "Two", "second")).await;
        let anns = store.reply_key(2, Some("desk"), None, noon()).await.unwrap().message_id;
        let bobs = store.reply_key(1, Some("desk"), Some("bob@example.org"), noon()).await.unwrap().message_id;
        store.close_item(1, noon()).await.unwrap();
        let forged = |key: &str, subject: &str, text: &str| {
            let mut forged = message(ANN, subject, text);
            forged.in_reply_to = vec![key.to_owned()];
            forged
        };
        // Bob's key names the item, but does not prove that Ann wrote.
        let by_bobs = house.take(3, forged(&bobs, "Re: One", "in her name")).await;
        assert!(matches!(by_bobs.kind, OutcomeKind::Comment { item: 1, .. }), "{by_bobs:?}");
        let shown = store.item(1).await.unwrap().comments[0].identity.clone().unwrap();
        assert_eq!((shown.level, store.item(1).await.unwrap().status.as_str()), (Level::Unverified, "closed"));
        // Ann's own key of the second item does not lead to the first.
        let by_anns = house.take(4, forged(&anns, "Re: [#1] One", "with a key of another item")).await;
        assert!(matches!(by_anns.kind, OutcomeKind::Comment { item: 2, .. }), "{by_anns:?}");
        // In a stranger's own name no key gives anything but a proposal.
        let mut replayed = message("eve@evil.test", "Re: [#1] One", "replayed");
        replayed.in_reply_to = vec![bobs, anns];
        assert!(matches!(house.take(5, replayed).await.kind, OutcomeKind::Item(3)));
        let one = store.item(1).await.unwrap();
        assert_eq!((one.status.as_str(), one.comments.len(), one.participants.len()), ("closed", 1, 1));
        assert_eq!(store.item(2).await.unwrap().comments.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_closed_item_goes_on_in_a_new_one() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        let policy = WorkspacePolicy { closed: ClosedItems::NewItem, ..WorkspacePolicy::default() };
        store.set_workspace_policy(&key("OPS"), policy, noon()).await.unwrap();
        house.take(1, message(ANN, "One", "first")).await;
        store.move_item(1, &key("OPS"), noon()).await.unwrap();
        store.close_item(1, noon()).await.unwrap();
        let reply = |n: u32| message(ANN, "Re: [#1] One", &format!("reply {n}"));
        let next = house.take(2, reply(2)).await;
        assert_eq!((next.kind, next.reason), (OutcomeKind::Item(2), Some(Reason::ContinuesClosed)));
        let item = store.item(2).await.unwrap();
        assert_eq!((item.workspace, item.continues, item.mentions), (key("OPS"), Some(1), vec![]));
        // Who goes on answering to the old one writes on the new one, and on the one after that.
        let more = house.take(3, reply(3)).await;
        assert!(matches!(more.kind, OutcomeKind::Comment { item: 2, .. }), "{more:?}");
        store.close_item(2, noon()).await.unwrap();
        assert_eq!(house.take(4, reply(4)).await.kind, OutcomeKind::Item(3));
        assert_eq!(store.item(3).await.unwrap().continues, Some(1));
        let last = house.take(5, message(ANN, "#2", "to the second")).await;
        assert_eq!(last.kind, OutcomeKind::Item(4));
        let comment = WorkspacePolicy { closed: ClosedItems::Comment, ..WorkspacePolicy::default() };
        store.set_workspace_policy(&key("OPS"), comment, noon()).await.unwrap();
        let only = house.take(6, message(ANN, "#2", "only a comment")).await;
        assert!(matches!(only.kind, OutcomeKind::Comment { item: 2, .. }), "{only:?}");
        assert_eq!(store.item(2).await.unwrap().status, "closed");
        assert!(store.check().await.unwrap().problems.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_participant_who_writes_from_elsewhere_is_proposed() {
    on_each_database(|place| async move {
        let policy = MailboxPolicy { unknown_senders: Switch::Yes, ..MailboxPolicy::default() };
        let house = House::new(&place, policy, StartFrom::All).await;
        let store = &house.store;
        house.take(1, message("kim@work.test", "One", "first")).await;
        let keys = store.reply_key(1, Some("desk"), None, noon()).await.unwrap();
        assert_eq!(keys.addressee, "kim@work.test");
        let mut elsewhere = message("kim@home.test", "Re: One", "from home");
        elsewhere.in_reply_to = vec![keys.message_id];
        assert_eq!(house.take(2, elsewhere).await.kind, OutcomeKind::Item(2));
        let item = store.item(1).await.unwrap();
        let proposed = &item.proposed[0];
        let shown = (proposed.party.address.as_str(), proposed.key_of.as_deref(), proposed.item);
        assert_eq!(shown, ("kim@home.test", Some("kim@work.test"), Some(2)));
        assert_eq!((item.participants.len(), store.item(2).await.unwrap().mentions), (1, vec![1]));
        // Accepted with one verb, the next mail is a comment.
        store.add_participant(1, "kim@home.test", None, noon()).await.unwrap();
        let next = house.take(3, message("kim@home.test", "#1", "again from home")).await;
        assert!(matches!(next.kind, OutcomeKind::Comment { item: 1, .. }), "{next:?}");
    })
    .await;
}

#[tokio::test]
async fn reply_keys_survive_rotation_and_restore() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        house.take(1, message(ANN, "One", "first")).await;
        let old = store.reply_key(1, Some("desk"), None, noon()).await.unwrap();
        let answers = |n: u32, id: &str| {
            let mut answer = message(ANN, "Hello", &format!("answer {n}"));
            answer.references = vec![id.to_owned()];
            answer
        };
        assert_eq!(store.rotate_reply_key(false, noon()).await.unwrap(), 2);
        let new = store.reply_key(1, Some("desk"), None, noon()).await.unwrap();
        for (n, id) in [(2, &old.message_id), (3, &new.message_id)] {
            let outcome = house.take(n, answers(n, id)).await;
            assert_eq!(outcome.reason, Some(Reason::ReplyKey), "{:?}", outcome.trace);
        }
        // A backup has the keys sealed: with the key file they are good elsewhere, without it they count for nothing.
        let backup = tempfile::tempdir().unwrap();
        store.backup(&backup.path().join("b"), noon()).await.unwrap();
        for with_key in [true, false] {
            let to = Place::sqlite();
            std::fs::create_dir_all(&to.config.data_dir).unwrap();
            if with_key {
                let key_file = "secret.key";
                std::fs::copy(place.config.data_dir.join(key_file), to.config.data_dir.join(key_file)).unwrap();
            }
            let (restored, _) =
                postroom_store::Store::restore(&backup.path().join("b"), &to.config, "test", noon()).await.unwrap();
            let question = Question { mailbox: Some("desk".to_owned()), ..Question::default() };
            let explained = restored.explain(question, &answers(4, &old.message_id), noon()).await.unwrap();
            let expected = if with_key { Reason::ReplyKey } else { Reason::NewItem };
            assert_eq!(explained.filing.reason, expected, "{:?}", explained.filing.trace);
            let said = explained.filing.trace.iter().any(|step| step.outcome == "not verified");
            assert_eq!(said, !with_key);
        }
        // Once they are revoked, only new ones count.
        assert_eq!(store.rotate_reply_key(true, noon()).await.unwrap(), 1);
        assert_eq!(house.take(5, answers(5, &new.message_id)).await.reason, Some(Reason::NewItem));
        assert_eq!(store.reply_key(9, None, None, noon()).await.unwrap_err().code(), "ITEM_UNKNOWN");
        assert_eq!(store.reply_key(1, Some("none"), None, noon()).await.unwrap_err().code(), "MAILBOX_UNKNOWN");
    })
    .await;
}

#[tokio::test]
async fn forwarded_mail_is_its_authors() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        let memberships = vec![(key("SUP"), Role::Agent)];
        let new = NewUser { address: "gil@example.org".into(), memberships, ..NewUser::default() };
        store.add_user(new, noon()).await.unwrap();
        let mut forward = message("gil@example.org", "Fwd: Printer", "@fwd\nShe is angry.\n\nIt is broken.");
        forward.html = Some("<p>She is angry.</p>".to_owned());
        forward.cc = ["x@outside.test", "desk@example.net"].map(|address| Address::new("", address)).to_vec();
        forward.forwarded = vec![Forwarded {
            from: Some(Address::new("Cora", "Cora@Customer.test")),
            subject: "Printer".to_owned(),
            note: "@fwd\nShe is angry.".to_owned(),
            text: "It is broken.".to_owned(),
            ..Forwarded::default()
        }];
        let outcome = house.take(1, forward).await;
        let item = store.item(1).await.unwrap();
        assert_eq!((item.requester.address.as_str(), item.requester.user), ("cora@customer.test", false));
        assert_eq!((item.title.as_str(), item.text.as_str(), item.html), ("Printer", "It is broken.", None));
        assert_eq!((item.participants.len(), item.proposed.len()), (1, 0));
        let shown = item.identity.unwrap();
        assert_eq!((shown.level, shown.evidence), (Level::Unverified, Evidence::Forwarded));
        assert!(store.contacts().await.unwrap().iter().any(|contact| contact.address == "cora@customer.test"));
        let note = outcome.trace.iter().find(|step| step.outcome == "note").unwrap();
        assert_eq!(note.detail, "She is angry.");
        assert_eq!(store.history(1).await.unwrap()[0].actor, "gil@example.org");
        // Unregistered, she may write on it as soon as unknown senders may.
        assert!(store.check().await.unwrap().problems.is_empty());
    })
    .await;
}
