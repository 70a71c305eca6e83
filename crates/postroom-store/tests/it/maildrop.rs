//! POP3: names that hold only as long as their message is there.

use crate::support::*;
use postroom_domain::{MailboxPolicy, SettlementState, StartFrom};
use postroom_mail::{Access, Listed, RemoteId, Settlement};
use postroom_store::{AcceptedBatch, Fetched};

fn pop3(uidl: &str) -> RemoteId {
    RemoteId::Pop3 { uidl: uidl.to_owned() }
}

fn came(uidl: &str, text: &str) -> Fetched {
    let raw = raw(text);
    Fetched { listed: Listed { id: pop3(uidl), size: raw.size(), received_at: None }, raw }
}

async fn accept(house: &House, batch: Vec<Fetched>) -> AcceptedBatch {
    house.store.accept(&house.lease, batch, &house.me, noon()).await.unwrap()
}

/// Accepts one message and files it.
async fn take(house: &House, uidl: &str, text: &str) -> postroom_store::Outcome {
    let claimed = accept(house, vec![came(uidl, text)]).await.claimed.remove(0);
    house.file(vec![(claimed, message("ann@example.org", text, text))]).await.remove(0)
}

async fn house(place: &Place) -> House {
    let policy = MailboxPolicy { filed: Settlement::Delete, ..MailboxPolicy::default() };
    House::new(place, policy, StartFrom::All).await
}

#[tokio::test]
async fn octets_decide_what_a_name_means() {
    on_each_database(|place| async move {
        let house = house(&place).await;
        let (store, id) = (&house.store, house.mailbox.id);
        let first = take(&house, "a", "one").await.receipt;
        let known = store.known_drop(id, 1000).await.unwrap();
        let listed = |size| Listed { id: pop3("a"), size, received_at: None };
        assert!(known.receipted[&pop3("a")].is(&listed(3)) && !known.receipted[&pop3("a")].is(&listed(4)));
        // The same octets once more, under another size: nothing new but the size.
        let again = Fetched { listed: listed(4), raw: raw("one") };
        assert_eq!(accept(&house, vec![again]).await.known, 1);
        assert!(store.known_drop(id, 1000).await.unwrap().receipted[&pop3("a")].is(&listed(4)));
        // Others: the name passes on, and what is owed for the first names nothing that is there.
        let second = take(&house, "a", "other").await.receipt;
        assert_ne!(first, second);
        let gone = RemoteId::Gone { receipt: first.0, was: "pop3:a".to_owned() };
        assert_eq!(store.receipt(first).await.unwrap().remote_id, gone);
        let owed = store.owed(id, None, 9).await.unwrap();
        assert_eq!(owed.iter().map(|o| o.remote_id().clone()).collect::<Vec<_>>(), [gone, pop3("a")]);
        // Settled and there again: looked at once, kept from then on.
        store.mark_settled(&house.lease, owed, noon()).await.unwrap();
        assert!(!store.known_drop(id, 1000).await.unwrap().receipted[&pop3("a")].is(&listed(5)));
        assert_eq!(accept(&house, vec![came("a", "other")]).await.known, 1);
        assert_eq!(store.receipt(second).await.unwrap().settlement, Some(SettlementState::Kept));
        assert!(store.known_drop(id, 1000).await.unwrap().receipted[&pop3("a")].is(&listed(5)));
    })
    .await;
}

#[tokio::test]
async fn new_names_are_bound_to_old_receipts_by_their_octets() {
    on_each_database(|place| async move {
        let house = house(&place).await;
        let (store, id) = (&house.store, house.mailbox.id);
        let one = take(&house, "a", "one").await.receipt;
        let two = take(&house, "b", "two").await.receipt;
        // The second was deleted by us: what comes with its octets under another name is a copy of it.
        let settled = store.owed(id, None, 9).await.unwrap().split_off(1);
        store.mark_settled(&house.lease, settled, noon()).await.unwrap();
        store.names_gone(&house.lease, vec![pop3("a"), pop3("b"), pop3("never")], noon()).await.unwrap();
        assert!(store.known_drop(id, 1000).await.unwrap().receipted.is_empty());
        let batch = accept(&house, vec![came("x", "one"), came("y", "two"), came("z", "one")]).await;
        assert_eq!((batch.rebound, batch.claimed.len()), (1, 2), "each receipt has one message");
        let receipt = store.receipt(one).await.unwrap();
        assert_eq!((receipt.remote_id, receipt.settlement), (pop3("x"), Some(SettlementState::Owed)));
        assert!(matches!(store.receipt(two).await.unwrap().remote_id, RemoteId::Gone { .. }));
        // Under its own name it is the same message, whatever the server confirmed.
        store.names_gone(&house.lease, vec![pop3("y")], noon()).await.unwrap();
        assert_eq!(accept(&house, vec![came("b", "two")]).await.rebound, 1);
        assert_eq!(store.receipt(two).await.unwrap().settlement, Some(SettlementState::Kept));
    })
    .await;
}

#[tokio::test]
async fn old_mail_is_left_alone_as_long_as_it_is_there() {
    on_each_database(|place| async move {
        let house = house(&place).await;
        let (store, id) = (&house.store, house.mailbox.id);
        store.leave(&house.lease, vec![pop3("a"), pop3("b")], noon()).await.unwrap();
        store.leave(&house.lease, vec![pop3("b")], noon()).await.unwrap();
        store.names_gone(&house.lease, vec![pop3("a")], noon()).await.unwrap();
        assert_eq!(store.known_drop(id, 1000).await.unwrap().before_start, [pop3("b")].into());
        let access = Access::Pop3(postroom_mail::ServerAccess {
            host: "mail.test".to_owned(),
            port: 995,
            security: postroom_mail::Security::Ssl,
            user: "desk".to_owned(),
            auth: postroom_mail::AuthMethod::Auto,
            allow_private_host: false,
        });
        let start = Some(StartFrom::Since(noon()));
        let change = postroom_store::MailboxChange { access: Some(access), start, ..Default::default() };
        store.update_mailbox("desk", change, noon()).await.unwrap();
        assert!(store.known_drop(id, 1000).await.unwrap().before_start.is_empty(), "their dates are asked for again");
    })
    .await;
}
