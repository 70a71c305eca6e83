//! API tokens: made once, good for their scope, gone when they are removed or their time is over.

use crate::support::*;
use jiff::SignedDuration;
use postroom_store::{NewToken, Scope, StoreError, UserChange};

const ANN: &str = "ann@example.org";

fn new(name: &str) -> NewToken {
    NewToken { user: ANN.to_owned(), name: name.to_owned(), scope: Scope::Read, expires_at: None }
}

#[tokio::test]
async fn a_token_acts_for_its_person_until_it_is_removed() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        let (token, secret) = store.add_token(new(" nightly report "), noon()).await.unwrap();
        assert!(secret.expose().starts_with("postroom_"));
        assert_eq!((token.name.as_str(), token.user.as_str(), token.used_at), ("nightly report", ANN, None));
        let (user, scope) = store.token(secret.expose(), noon()).await.unwrap().unwrap();
        assert_eq!((user.address.as_str(), scope), (ANN, Scope::Read));
        for wrong in ["", "postroom_", "postroom_x", &secret.expose()["postroom_".len()..]] {
            assert!(store.token(wrong, noon()).await.unwrap().is_none(), "{wrong}");
        }
        // When it was used is known to the hour.
        let soon = noon() + SignedDuration::from_mins(59);
        store.token(secret.expose(), soon).await.unwrap().unwrap();
        assert_eq!(store.tokens(None).await.unwrap()[0].used_at, Some(noon()));
        let later = noon() + SignedDuration::from_mins(60);
        store.token(secret.expose(), later).await.unwrap().unwrap();
        assert_eq!(store.tokens(Some(user.id)).await.unwrap()[0].used_at, Some(later));

        let stranger = postroom_domain::UserId(user.id.0 + 1000);
        assert!(store.tokens(Some(stranger)).await.unwrap().is_empty());
        let code = |result: Result<_, StoreError>| result.unwrap_err().code();
        assert_eq!(code(store.remove_token(token.id, Some(stranger), noon()).await), "TOKEN_UNKNOWN");
        store.remove_token(token.id, Some(user.id), noon()).await.unwrap();
        assert!(store.token(secret.expose(), later).await.unwrap().is_none());
        assert_eq!(code(store.remove_token(token.id, None, noon()).await), "TOKEN_UNKNOWN");
    })
    .await;
}

#[tokio::test]
async fn a_token_ends_with_its_time_and_rests_with_its_person() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        let hour = noon() + SignedDuration::from_hours(1);
        let (_, secret) = store.add_token(NewToken { expires_at: Some(hour), ..new("x") }, noon()).await.unwrap();
        let (_, kept) = store.add_token(new("y"), noon()).await.unwrap();
        assert!(store.token(secret.expose(), noon()).await.unwrap().is_some());
        assert!(store.token(secret.expose(), hour).await.unwrap().is_none());
        let active = |active| UserChange { active: Some(active), ..UserChange::default() };
        store.set_user(ANN, active(false), noon()).await.unwrap();
        assert!(store.token(kept.expose(), noon()).await.unwrap().is_none());
        let code = |result: Result<_, StoreError>| result.map(drop).unwrap_err().code();
        assert_eq!(code(store.add_token(new("z"), noon()).await), "USER_UNKNOWN");
        for name in ["", " ", "two\nlines", &"x".repeat(65)] {
            assert_eq!(code(store.add_token(new(name), noon()).await), "TOKEN_NAME", "{name:?}");
        }
        // Only digests are stored.
        let backup = place.config.data_dir.with_file_name("backup");
        store.backup(&backup, noon()).await.unwrap();
        let rows = std::fs::read_to_string(backup.join("tables/api_token.jsonl")).unwrap();
        assert!(rows.lines().count() == 3 && !rows.contains(kept.expose()) && !rows.contains("postroom_"));
    })
    .await;
}
