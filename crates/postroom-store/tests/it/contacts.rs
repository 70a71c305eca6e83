//! Contacts: what was decided about people without an account, once for all of their mail.

use crate::support::*;
use postroom_domain::{ContactStanding, DomainPolicy, GlobalPolicy, Reason};
use postroom_store::{AuditFilter, Contact, NewUser, OutcomeKind, Store};

const EVE: &str = "eve@customer.example";

async fn contact(store: &Store, address: &str) -> Option<Contact> {
    store.contacts().await.unwrap().into_iter().find(|contact| contact.address == address)
}

#[tokio::test]
async fn a_contact_is_admitted_blocked_and_forgotten() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        let take = async |n| house.take(n, message(EVE, &format!("message m{n}"), &format!("text {n}"))).await;
        assert_eq!(take(1).await.reason, Some(Reason::SenderUnknown));
        let admitted = store.admit_contact("Eve@Customer.example", noon()).await.unwrap();
        assert_eq!((admitted.standing, admitted.first_seen_at), (Some(ContactStanding::Admitted), None));
        assert_eq!(take(2).await.kind, OutcomeKind::Item(1));
        let seen = contact(store, EVE).await.unwrap();
        assert_eq!((seen.name.as_str(), seen.first_seen_at), ("Ann Other", Some(noon())));
        assert_eq!(seen.standing, Some(ContactStanding::Admitted));
        // Admitted is not registered: it gives no right on what others have opened.
        house.take(10, message("ann@example.org", "mine", "mine")).await;
        let outcome = house.take(11, message(EVE, "Re: [#2] mine", "let me in")).await;
        assert_eq!(outcome.kind, OutcomeKind::Item(3));

        let open = GlobalPolicy { unknown_senders: true, ..GlobalPolicy::default() };
        store.set_global_policy(&open, noon()).await.unwrap();
        store.block_contact(EVE, noon()).await.unwrap();
        assert_eq!(take(3).await.reason, Some(Reason::SenderBlocked));
        store.forget_contact(EVE, noon()).await.unwrap();
        assert_eq!(contact(store, EVE).await, None);
        assert_eq!(take(4).await.kind, OutcomeKind::Item(4), "the rules for unknown senders hold again");
        assert_eq!(store.item(1).await.unwrap().requester.address, EVE);
        assert_eq!(contact(store, EVE).await.unwrap().standing, None);

        for (result, code) in [
            (store.admit_contact("nobody", noon()).await.map(drop), "ADDRESS_INVALID"),
            (store.admit_contact("ann@example.org", noon()).await.map(drop), "CANNOT_ADMIT"),
            (store.block_contact("ann@example.org", noon()).await.map(drop), "USER_EXISTS"),
            (store.forget_contact("nobody@example.org", noon()).await, "CONTACT_UNKNOWN"),
            (store.forget_contact("nonsense", noon()).await, "CONTACT_UNKNOWN"),
        ] {
            assert_eq!(result.unwrap_err().code(), code);
        }
        // Deciding the same again is no change.
        let rows = || async {
            store.audit(AuditFilter { object: Some("contact".into()), ..AuditFilter::default() }).await.unwrap()
        };
        let before = rows().await.len();
        store.block_contact("zed@example.org", noon()).await.unwrap();
        store.block_contact("zed@example.org", noon()).await.unwrap();
        assert_eq!(rows().await.len(), before + 1);
    })
    .await;
}

#[tokio::test]
async fn an_admission_overrules_neither_the_block_list_nor_the_allowed_domains() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        store.admit_contact(EVE, noon()).await.unwrap();
        let blocked = GlobalPolicy { blocked: vec!["customer.example".into()], ..GlobalPolicy::default() };
        let allowed = DomainPolicy { domains: vec!["example.org".into()], ..DomainPolicy::default() };
        let narrow = GlobalPolicy { allowed, ..GlobalPolicy::default() };
        for (n, policy, reason) in [(1, blocked, Reason::SenderBlocked), (2, narrow, Reason::DomainNotAllowed)] {
            store.set_global_policy(&policy, noon()).await.unwrap();
            let held = house.take(n, message(EVE, "s", &format!("text {n}"))).await;
            assert_eq!(held.reason, Some(reason));
            assert_eq!(store.admit_contact(EVE, noon()).await.unwrap_err().code(), "CANNOT_ADMIT");
            // Releasing for always says so too, and does nothing; for once it is possible.
            let always = store.release(held.receipt, None, true, noon()).await.unwrap_err();
            assert_eq!(always.code(), "CANNOT_ADMIT");
            assert_eq!(store.receipt(held.receipt).await.unwrap().reason, Some(reason));
            store.release(held.receipt, None, false, noon()).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn releasing_for_always_admits_the_sender() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        let held = house.take(1, message(EVE, "first", "first")).await;
        store.by("ann@example.org").release(held.receipt, Some(&key("OPS")), true, noon()).await.unwrap();
        assert_eq!(contact(store, EVE).await.unwrap().standing, Some(ContactStanding::Admitted));
        assert_eq!(house.take(2, message(EVE, "second", "second")).await.kind, OutcomeKind::Item(1));
        let rows =
            store.audit(AuditFilter { actor: Some("ann@example.org".into()), ..AuditFilter::default() }).await.unwrap();
        let actions: Vec<&str> = rows.iter().map(|row| row.action.as_str()).collect();
        assert_eq!(actions, ["contact.admit", "receipt.release"]);

        let mut unclear = message(EVE, "two authors", "two");
        unclear.from.push(postroom_mail::Address::new("", "bob@example.org"));
        let unclear = house.take(3, unclear).await;
        assert_eq!(unclear.reason, Some(Reason::SenderUnclear));
        assert_eq!(store.release(unclear.receipt, None, true, noon()).await.unwrap_err().code(), "CANNOT_ADMIT");
        // Who has an account is no contact, and what was decided about the address waits until it has none.
        let user = NewUser { address: EVE.into(), ..NewUser::default() };
        store.add_user(user, noon()).await.unwrap();
        assert_eq!(contact(store, EVE).await, None);
    })
    .await;
}

#[tokio::test]
async fn whoever_was_blocked_cannot_register() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let registration = postroom_domain::RegistrationMode::Open;
        let policy = GlobalPolicy { registration, ..GlobalPolicy::default() };
        house.store.set_global_policy(&policy, noon()).await.unwrap();
        let ask = || postroom_store::Ask {
            address: EVE.into(),
            name: String::new(),
            by: postroom_store::AskedBy::Operator,
            password: None,
        };
        let asked = house.store.register(ask(), noon()).await.unwrap();
        house.store.block_contact(EVE, noon()).await.unwrap();
        assert_eq!(house.store.register(ask(), noon()).await.unwrap_err().code(), "ADDRESS_NOT_ALLOWED");
        let outcome = house.take(1, message(EVE, asked.code.expose(), "proof")).await;
        assert_eq!(outcome.reason, Some(Reason::SenderBlocked));
        let postroom_store::Letter::Link(link) = asked.letter else { panic!() };
        assert!(house.store.prove(link.expose(), None, noon()).await.unwrap().is_none());
    })
    .await;
}
