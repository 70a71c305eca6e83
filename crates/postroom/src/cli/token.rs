//! `postroom token`: add, list, remove.

use super::args::{Global, ScopeArg, TokenCommand};
use super::open_store;
use super::output::{Output, one_line};
use crate::failure::Failure;
use jiff::{SignedDuration, Timestamp};
use postroom_store::{NewToken, Scope};
use serde_json::json;

pub async fn run(global: &Global, command: TokenCommand, out: Output) -> Result<(), Failure> {
    let (store, now) = (open_store(global).await?, Timestamp::now());
    match command {
        TokenCommand::Add { name, user, scope, days } => {
            let scope = match scope {
                ScopeArg::Read => Scope::Read,
                ScopeArg::Write => Scope::Write,
            };
            // Ten years from now is a time that a timestamp can hold.
            let expires_at = days.map(|days| now + SignedDuration::from_hours(24) * days.cast_signed());
            let (token, secret) = store.add_token(NewToken { user, name, scope, expires_at }, now).await?;
            let mut object = json!(token);
            object["token"] = json!(secret.expose());
            out.object(&object, || {
                format!("{}\n(token {} of {}; it is shown only now)", secret.expose(), token.id, token.user)
            })
        }
        TokenCommand::List => {
            let tokens = store.tokens(None).await?;
            let none = "no tokens: no program uses the API";
            let day = |at: Option<Timestamp>| at.map_or("never".to_owned(), |at| at.strftime("%Y-%m-%d").to_string());
            out.table(&tokens, ["ID", "FOR", "IN THE NAME OF", "SCOPE", "EXPIRES", "LAST USED"], none, |token| {
                [
                    token.id.to_string(),
                    one_line(&token.name, 40),
                    token.user.clone(),
                    token.scope.as_str().to_owned(),
                    day(token.expires_at),
                    day(token.used_at),
                ]
            })
        }
        TokenCommand::Remove { id } => {
            let token = store.remove_token(id, None, now).await?;
            out.object(&json!({"id": id, "removed": true}), || {
                format!("removed token {id} ({}); it does not work any more", one_line(&token.name, 40))
            })
        }
    }
}
