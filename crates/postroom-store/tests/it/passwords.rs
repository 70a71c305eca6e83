//! Passwords, what they open, and how guessing is slowed down; notes that only members see.

use crate::support::*;
use jiff::SignedDuration;
use postroom_domain::{GlobalPolicy, RegistrationMode};
use postroom_mail::Secret;
use postroom_store::{Ask, AskedBy, FAILURES_PER_ADDRESS, Letter, NewUser, Proven, UserChange};

const ANN: &str = "ann@example.org";

#[tokio::test]
async fn a_password_opens_a_session_and_a_new_one_ends_all_others() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        let ann = store.user_by_address(ANN).await.unwrap().unwrap();
        assert!(store.stored_password(ANN, noon()).await.unwrap().is_none());
        let first = store.set_password(ann.id, Secret::new("phc-1"), noon()).await.unwrap();
        assert!(store.session(first.expose(), noon()).await.unwrap().unwrap().has_password);

        let stored = store.stored_password("Ann@EXAMPLE.org", noon()).await.unwrap().unwrap();
        assert_eq!(stored.phc.expose(), "phc-1");
        let (user, second) = store.sign_in(&stored, noon()).await.unwrap().unwrap();
        assert_eq!(user, ann);
        let link = store.make_signin_link(ann.id, SignedDuration::from_mins(15), noon()).await.unwrap();
        let third = store.set_password(ann.id, Secret::new("phc-2"), noon()).await.unwrap();
        for ended in [&first, &second] {
            assert!(store.session(ended.expose(), noon()).await.unwrap().is_none());
        }
        assert!(store.use_signin_link(link.expose(), noon()).await.unwrap().is_none());
        assert!(store.session(third.expose(), noon()).await.unwrap().is_some());
        assert!(store.sign_in(&stored, noon()).await.unwrap().is_none(), "it was changed meanwhile");
        let change = UserChange { active: Some(false), ..UserChange::default() };
        store.set_user(ANN, change, noon()).await.unwrap();
        assert!(store.stored_password(ANN, noon()).await.unwrap().is_none(), "the account is not in use any more");
    })
    .await;
}

#[tokio::test]
async fn guessing_is_slowed_down_whether_there_is_an_account_or_not() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        for address in [ANN, "nobody@nowhere.example", "no address at all"] {
            for n in 0..FAILURES_PER_ADDRESS {
                assert!(store.stored_password(address, noon()).await.is_ok(), "{address} {n}");
                store.password_failed(address, noon()).await.unwrap();
            }
            assert_eq!(
                store.stored_password(address, noon()).await.unwrap_err().code(),
                "TOO_MANY_REQUESTS",
                "{address}"
            );
        }
        assert!(store.stored_password("bob@example.org", noon()).await.is_ok(), "others are not affected");
        let later = noon() + SignedDuration::from_mins(15);
        assert!(store.stored_password(ANN, later).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn whoever_registers_has_the_password_of_whoever_proves_the_address() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        let policy = GlobalPolicy { registration: RegistrationMode::Open, ..GlobalPolicy::default() };
        store.set_global_policy(&policy, noon()).await.unwrap();
        let ask = |address: &str| Ask {
            address: address.to_owned(),
            name: String::new(),
            by: AskedBy::Operator,
            password: Some(Secret::new("typed-beside-the-code")),
        };
        for (address, chosen) in [("one@example.org", None), ("two@example.org", Some("chosen-behind-the-link"))] {
            let asked = store.register(ask(address), noon()).await.unwrap();
            let Letter::Link(link) = asked.letter else { panic!("nothing to send") };
            let proven = store.prove(link.expose(), chosen.map(Secret::new), noon()).await.unwrap();
            assert!(matches!(proven, Some(Proven::Joined(..))));
            let stored = store.stored_password(address, noon()).await.unwrap();
            assert_eq!(stored.as_ref().map(|stored| stored.phc.expose()), chosen, "{address}");
        }
        // Whoever has the code has typed the password.
        let asked = store.register(ask("three@example.org"), noon()).await.unwrap();
        house.take(1, message("three@example.org", asked.code.expose(), "Here I am.")).await;
        let stored = store.stored_password("three@example.org", noon()).await.unwrap().unwrap();
        assert_eq!(stored.phc.expose(), "typed-beside-the-code");
    })
    .await;
}

#[tokio::test]
async fn a_language_and_an_address_are_kept() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        let ann = store.user_by_address(ANN).await.unwrap().unwrap();
        let session = store.set_password(ann.id, Secret::new("x"), noon()).await.unwrap();
        for language in [Some("de"), None] {
            store.set_language(ann.id, language, noon()).await.unwrap();
            let session = store.session(session.expose(), noon()).await.unwrap().unwrap();
            assert_eq!(session.language.as_deref(), language);
        }
        let code = |result: Result<_, postroom_store::StoreError>| result.unwrap_err().code();
        assert_eq!(code(store.set_main_address(ann.id, "bob@example.org", noon()).await), "USER_EXISTS");
        assert_eq!(code(store.set_main_address(ann.id, "nonsense", noon()).await), "ADDRESS_INVALID");
        let renamed = store.set_main_address(ann.id, "Anna@Example.org", noon()).await.unwrap();
        assert_eq!(renamed.address, "anna@example.org");
        assert!(store.user_by_address(ANN).await.unwrap().is_none());
        assert_eq!(store.set_main_address(ann.id, "anna@example.org", noon()).await.unwrap(), renamed);
    })
    .await;
}

#[tokio::test]
async fn an_internal_note_is_seen_by_members_alone() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        house.take(1, message(ANN, "first", "first")).await;
        let ann = store.user_by_address(ANN).await.unwrap().unwrap();
        store.comment_item(1, &ann, "For all.", false, noon()).await.unwrap();
        store.comment_item(1, &ann, "Among us.", true, noon()).await.unwrap();
        let guest = NewUser { address: "guest@example.org".into(), ..NewUser::default() };
        let guest = store.add_user(guest, noon()).await.unwrap();
        store.add_participant(1, "guest@example.org", None, noon()).await.unwrap();
        let texts = |item: postroom_domain::Item| item.comments.into_iter().map(|one| one.text).collect::<Vec<_>>();
        assert_eq!(texts(store.item_for(1, &ann).await.unwrap()), ["For all.", "Among us."]);
        assert_eq!(texts(store.item_for(1, &guest).await.unwrap()), ["For all."]);
    })
    .await;
}
