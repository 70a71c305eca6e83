//! What people do with items, and that it can be taken back exactly.

use crate::support::*;
use postroom_domain::Item;
use postroom_store::{ChangeKind, ItemFilter, NewUser, OutcomeKind, Store, UserChange};

const ANN: &str = "ann@example.org";

/// An item with a comment that has an attachment; the number of the comment.
async fn item_with_comment(house: &House) -> i64 {
    house.take(1, message(ANN, "One", "first")).await;
    let claimed = house.accept(&[(2, "about invoice 1")]).await.remove(0);
    let mut reply = message(ANN, "invoice 1", "about invoice 1");
    reply.quoted_text = "invoice".to_owned();
    reply.html = Some("<p>about invoice 1</p>".to_owned());
    reply.attachments.push(slice(claimed.raw(), "invoice.txt", 6..13));
    let outcome = house.file(vec![(claimed, reply)]).await.remove(0);
    let OutcomeKind::Comment { item: 1, comment } = outcome.kind else { panic!("{outcome:?}") };
    comment
}

/// Everything that people and programs see of these items, but for when they last changed.
async fn picture(store: &Store, numbers: &[i64]) -> Vec<(Option<Item>, Option<String>)> {
    let mut picture = Vec::new();
    for number in numbers {
        let item = store.item(*number).await.ok().map(|item| Item { updated_at: noon(), ..item });
        let found = store.items(ItemFilter { query: Some("invoice".into()), ..ItemFilter::default() }).await.unwrap();
        let mut found: Vec<i64> = found.iter().map(|item| item.number).collect();
        found.sort_unstable();
        let mut told = format!("found {found:?}");
        for comment in item.iter().flat_map(|item| &item.comments) {
            let receipt = store.receipt(comment.receipt.unwrap()).await.unwrap();
            told.push_str(&format!(", receipt {:?} {:?}", receipt.item, receipt.comment));
            for attachment in &comment.attachments {
                let stored = store.attachment(attachment.id).await.unwrap();
                told.push_str(&format!(", {} on {}", stored.attachment.name, stored.item));
            }
        }
        picture.push((item, Some(told)));
    }
    picture
}

#[tokio::test]
async fn splitting_and_moving_comments_is_taken_back_exactly() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = house.store.by("agent@example.org");
        let comment = item_with_comment(&house).await;
        house.take(3, message(ANN, "Other", "other")).await;
        let before = picture(&store, &[1, 2]).await;

        assert_eq!(store.split_comment(1, comment, noon()).await.unwrap(), 3);
        assert_eq!(store.item(3).await.unwrap().quoted_text, "invoice");
        let undone = store.undo(1, None, noon()).await.unwrap();
        assert_eq!((undone.kind, undone.other_item), (ChangeKind::Split, Some(3)));
        assert_eq!(picture(&store, &[1, 2]).await, before);
        assert_eq!(store.item(3).await.unwrap_err().code(), "ITEM_UNKNOWN");

        store.move_comment(1, comment, 2, noon()).await.unwrap();
        assert_eq!(store.item(2).await.unwrap().comments[0].attachments[0].name, "invoice.txt");
        assert!(store.check().await.unwrap().problems.is_empty());
        // From either of the two items.
        store.undo(2, None, noon()).await.unwrap();
        assert_eq!(picture(&store, &[1, 2]).await, before);
        assert!(store.check().await.unwrap().problems.is_empty());
        assert_eq!(store.undo(1, None, noon()).await.unwrap_err().code(), "NOTHING_TO_UNDO");

        let history = store.history(1).await.unwrap();
        let kinds: Vec<ChangeKind> = history.iter().map(|entry| entry.kind).collect();
        use ChangeKind::{CommentMoved, Commented, Opened, Split, Undone};
        assert_eq!(kinds, [Opened, Commented, Split, Undone, CommentMoved, Undone]);
        assert_eq!((history[2].actor.as_str(), history[2].undone_by), ("agent@example.org", Some(history[3].id)));
        assert_eq!(store.history(3).await.unwrap().len(), 3, "the number that is gone has its history");
        // It is never given to another item.
        let next = house.take(4, message(ANN, "Next", "next")).await;
        assert_eq!(next.kind, OutcomeKind::Item(4));
    })
    .await;
}

#[tokio::test]
async fn what_later_things_rest_on_stays() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        let comment = item_with_comment(&house).await;
        let split = store.split_comment(1, comment, noon()).await.unwrap();
        let refused = |error: postroom_store::StoreError| {
            assert_eq!(error.code(), "UNDO_REFUSED", "{error}");
            error.to_string()
        };

        store.tag_item(split, &["urgent".into()], &[], noon()).await.unwrap();
        let error = refused(store.undo(1, None, noon()).await.unwrap_err());
        assert!(error.contains("something was done with item 2"), "{error}");
        store.undo(split, None, noon()).await.unwrap();

        house.take(3, message(ANN, "[#2] more", "more")).await;
        let error = refused(store.undo(1, None, noon()).await.unwrap_err());
        assert!(error.contains("has comments"), "{error}");
        let later = store.item(split).await.unwrap().comments[0].id;
        store.move_comment(split, later, 1, noon()).await.unwrap();
        let error = refused(store.undo(1, Some(store.history(1).await.unwrap()[2].id), noon()).await.unwrap_err());
        assert!(error.contains("something was done with item 2"), "{error}");

        // Of two moves the second goes first.
        store.move_item(1, &key("OPS"), noon()).await.unwrap();
        store.move_item(1, &key("SUP"), noon()).await.unwrap();
        let moves: Vec<i64> =
            store.history(1).await.unwrap().iter().filter(|e| e.kind == ChangeKind::Moved).map(|e| e.id).collect();
        refused(store.undo(1, Some(moves[0]), noon()).await.unwrap_err());
        assert_eq!(store.undo(1, None, noon()).await.unwrap().id, moves[1]);
        assert_eq!(store.item(1).await.unwrap().workspace, key("OPS"));
        refused(store.undo(1, Some(moves[1]), noon()).await.unwrap_err());
        assert_eq!(store.undo(1, None, noon()).await.unwrap().id, moves[0]);
        assert_eq!(store.item(1).await.unwrap().workspace, key("SUP"));
        let opened = store.history(1).await.unwrap()[0].id;
        refused(store.undo(1, Some(opened), noon()).await.unwrap_err());
        assert_eq!(store.undo(1, Some(9_999), noon()).await.unwrap_err().code(), "CHANGE_UNKNOWN");
        assert_eq!(store.undo(99, None, noon()).await.unwrap_err().code(), "ITEM_UNKNOWN");
    })
    .await;
}

#[tokio::test]
async fn status_assignee_and_tags_have_a_history() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        for (address, role) in [("gil@example.org", postroom_domain::Role::Agent)] {
            let memberships = vec![(key("SUP"), role)];
            let new = NewUser { address: address.to_owned(), memberships, ..NewUser::default() };
            store.add_user(new, noon()).await.unwrap();
        }
        house.take(1, message(ANN, "One", "first")).await;
        store.close_item(1, noon()).await.unwrap();
        store.close_item(1, noon()).await.unwrap();
        assert_eq!(store.item(1).await.unwrap().status, "closed");
        store.undo(1, None, noon()).await.unwrap();
        assert_eq!(store.item(1).await.unwrap().status, "open");

        assert_eq!(store.assign_item(1, Some(ANN), noon()).await.unwrap_err().code(), "ASSIGNEE_UNFIT");
        assert_eq!(store.assign_item(1, Some("eve@evil.test"), noon()).await.unwrap_err().code(), "USER_UNKNOWN");
        store.assign_item(1, Some("Gil@Example.org"), noon()).await.unwrap();
        assert_eq!(store.item(1).await.unwrap().assignee.as_deref(), Some("gil@example.org"));
        // Where he has no role, it is nobody's; back again, it is his.
        store.move_item(1, &key("OPS"), noon()).await.unwrap();
        assert_eq!(store.item(1).await.unwrap().assignee, None);
        store.undo(1, None, noon()).await.unwrap();
        assert_eq!(store.item(1).await.unwrap().assignee.as_deref(), Some("gil@example.org"));
        store.undo(1, None, noon()).await.unwrap();
        assert_eq!(store.item(1).await.unwrap().assignee, None);
        // Whoever may not work on it any more does not get it back, by whatever is taken back.
        let retire = |active| {
            let change = UserChange { active: Some(active), ..UserChange::default() };
            async move { store.set_user("gil@example.org", change, noon()).await.unwrap() }
        };
        for undone in [true, false] {
            store.assign_item(1, Some("gil@example.org"), noon()).await.unwrap();
            match undone {
                true => store.assign_item(1, None, noon()).await.unwrap(),
                false => store.move_item(1, &key("OPS"), noon()).await.unwrap(),
            }
            retire(false).await;
            store.undo(1, None, noon()).await.unwrap();
            let item = store.item(1).await.unwrap();
            assert_eq!((item.assignee, item.workspace), (None, key("SUP")), "{undone}");
            retire(true).await;
        }

        let tags = |add: &[&str], remove: &[&str]| {
            let own = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
            (own(add), own(remove))
        };
        let (add, remove) = tags(&["Urgent", "net/dns"], &["later"]);
        store.tag_item(1, &add, &remove, noon()).await.unwrap();
        assert_eq!(store.item(1).await.unwrap().tags, ["net/dns", "urgent"]);
        let (add, remove) = tags(&["later", "urgent"], &["net/dns", "none"]);
        store.tag_item(1, &add, &remove, noon()).await.unwrap();
        let of_tag = ItemFilter { tag: Some("URGENT".into()), ..ItemFilter::default() };
        assert_eq!(store.items(of_tag).await.unwrap().len(), 1);
        store.undo(1, None, noon()).await.unwrap();
        assert_eq!(store.item(1).await.unwrap().tags, ["net/dns", "urgent"]);
        for bad in ["", "two words", "-x", "#1", &"x".repeat(41)] {
            let error = store.tag_item(1, &[bad.to_owned()], &[], noon()).await.unwrap_err();
            assert_eq!(error.code(), "TAG_INVALID", "{bad:?}");
        }
        let many: Vec<String> = (0..60).map(|n| format!("t{n}")).collect();
        assert_eq!(store.tag_item(1, &many, &[], noon()).await.unwrap_err().code(), "TAG_INVALID");
    })
    .await;
}

#[tokio::test]
async fn participants_come_and_go() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        let mut first = message(ANN, "One", "first");
        first.cc = ["Eve@Evil.test", "bob@example.org", "kim@outside.test"]
            .map(|a| postroom_mail::Address::new("N", a))
            .to_vec();
        first.to = vec![postroom_mail::Address::new("", "desk@example.net")];
        house.take(1, first).await;
        let proposed = || async {
            let people = store.item(1).await.unwrap().proposed;
            people.into_iter().map(|one| one.party.address).collect::<Vec<_>>()
        };
        let taking = || async {
            let people = store.item(1).await.unwrap().participants;
            people.into_iter().map(|party| party.address).collect::<Vec<_>>()
        };
        assert_eq!(proposed().await, ["bob@example.org", "eve@evil.test", "kim@outside.test"]);
        store.add_participant(1, "EVE@evil.test", None, noon()).await.unwrap();
        assert_eq!((proposed().await.len(), taking().await), (2, vec![ANN.to_owned(), "eve@evil.test".to_owned()]));
        store.undo(1, None, noon()).await.unwrap();
        assert_eq!((proposed().await.len(), taking().await), (3, vec![ANN.to_owned()]));
        store.remove_participant(1, "kim@outside.test", noon()).await.unwrap();
        assert_eq!(proposed().await.len(), 2);
        // Dropped for good: the next mail does not propose her again.
        let mut again = message(ANN, "[#1] again", "again");
        again.cc = ["kim@outside.test", "lee@outside.test"].map(|a| postroom_mail::Address::new("", a)).to_vec();
        house.take(2, again).await;
        assert_eq!(proposed().await, ["bob@example.org", "eve@evil.test", "lee@outside.test"]);
        store.undo(1, None, noon()).await.unwrap();
        assert_eq!(proposed().await.len(), 4);
        store.add_participant(1, "kim@outside.test", Some("Kim"), noon()).await.unwrap();
        store.remove_participant(1, "kim@outside.test", noon()).await.unwrap();
        store.undo(1, None, noon()).await.unwrap();
        assert!(taking().await.contains(&"kim@outside.test".to_owned()));
        for (address, code) in [
            (ANN, "PARTICIPANT_IS_REQUESTER"),
            ("nobody@outside.test", "PARTICIPANT_UNKNOWN"),
            ("x", "ADDRESS_INVALID"),
        ] {
            assert_eq!(store.remove_participant(1, address, noon()).await.unwrap_err().code(), code);
        }
        // A comment that is moved proposes its author there and gives no part.
        house.take(3, message("bob@example.org", "Other", "other")).await;
        store.add_participant(1, "bob@example.org", None, noon()).await.unwrap();
        let OutcomeKind::Comment { comment, .. } = house.take(4, message("bob@example.org", "#1", "bob's")).await.kind
        else {
            panic!("no comment")
        };
        house.take(5, message(ANN, "Third", "third")).await;
        store.move_comment(1, comment, 3, noon()).await.unwrap();
        let third = store.item(3).await.unwrap();
        assert_eq!((third.participants.len(), third.proposed[0].party.address.as_str()), (1, "bob@example.org"));
        store.undo(3, None, noon()).await.unwrap();
        assert!(store.item(3).await.unwrap().proposed.is_empty());
    })
    .await;
}
