//! API tokens: programs act in somebody's name with them. Only digests are stored.

use crate::audit::AuditAction;
use crate::people::{named, user_by_id};
use crate::signin::{hash_of, new_token};
use crate::tx::{Row, params};
use crate::{Noun, Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use postroom_domain::{User, UserId};
use postroom_mail::Secret;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What stands in front of every token, so that a person and a program that looks for leaked secrets know what it is.
pub const TOKEN_PREFIX: &str = "postroom_";
/// Characters of a token's name.
pub const TOKEN_NAME_MAX: usize = 64;
/// How exactly it is noted when a token was last used: a note for every request would be a write for every request.
const USED_EXACTLY: SignedDuration = SignedDuration::from_hours(1);

/// What a token is good for; never more than its person may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Looking only.
    Read,
    /// Whatever its person may do.
    Write,
}

impl Scope {
    /// The name in the database and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// A token as it is listed; the secret itself is shown once, when it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ApiToken {
    /// Its number.
    pub id: i64,
    /// What it is for, in the words of whoever made it.
    pub name: String,
    /// Main address of the person in whose name it acts.
    pub user: String,
    /// What it is good for.
    pub scope: Scope,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the hour.
    pub used_at: Option<Timestamp>,
}

/// A token to be made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// An address of the person in whose name it acts.
    pub user: String,
    /// What it is for; 1 to [`TOKEN_NAME_MAX`] characters.
    pub name: String,
    /// What it is good for.
    pub scope: Scope,
    /// When it stops working by itself; `None` for never.
    pub expires_at: Option<Timestamp>,
}

impl Store {
    /// Makes a token. What is returned beside it is the secret, which nobody sees again.
    ///
    /// # Errors
    /// `USER_UNKNOWN`, also for a user that is not active; `TOKEN_NAME` for a name that is empty or too long.
    pub async fn add_token(&self, new: NewToken, now: Timestamp) -> Result<(ApiToken, Secret), StoreError> {
        let name = new.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > TOKEN_NAME_MAX || name.chars().any(char::is_control) {
            return Err(StoreError::TokenName);
        }
        let (secret, _) = new_token()?;
        let secret = Secret::new(format!("{TOKEN_PREFIX}{}", secret.expose()));
        let hash = hash_of(secret.expose());
        let token = self
            .change(now, move |tx, notes| {
                let user = named(tx, &new.user)?;
                if !user.active {
                    return Err(StoreError::unknown(Noun::User, &new.user));
                }
                let mut row = tx.query_one(
                    "INSERT INTO api_token (hash, person_id, name, scope, created_at, expires_at) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id",
                    params![&hash, user.id.0, &name, new.scope.as_str(), now, new.expires_at],
                )?;
                let (id, name) = (row.int(0)?, name.clone());
                let (scope, expires_at) = (new.scope, new.expires_at);
                let token =
                    ApiToken { id, name, user: user.address, scope, created_at: now, expires_at, used_at: None };
                notes.add(AuditAction::TokenAdd, "token", id, json!(token));
                Ok(token)
            })
            .await?;
        Ok((token, secret))
    }

    /// All tokens, those that have expired too, oldest first; with `user` those of one person.
    pub async fn tokens(&self, user: Option<UserId>) -> Result<Vec<ApiToken>, StoreError> {
        self.read(move |tx| {
            let sql = format!("{SELECT} WHERE CAST(?1 AS BIGINT) IS NULL OR t.person_id = ?1 ORDER BY t.id");
            tx.query(&sql, params![user.map(|id| id.0)])?.into_iter().map(token_of).collect()
        })
        .await
    }

    /// Makes a token useless, from the next request on. With `user` only if it is theirs.
    ///
    /// # Errors
    /// `TOKEN_UNKNOWN`.
    pub async fn remove_token(&self, id: i64, user: Option<UserId>, now: Timestamp) -> Result<ApiToken, StoreError> {
        self.change(now, move |tx, notes| {
            let sql = format!("{SELECT} WHERE t.id = ?1 AND (CAST(?2 AS BIGINT) IS NULL OR t.person_id = ?2)");
            let row = tx.query_opt(&sql, params![id, user.map(|id| id.0)])?;
            let token = token_of(row.ok_or_else(|| StoreError::unknown(Noun::Token, id))?)?;
            tx.execute("DELETE FROM api_token WHERE id = ?1", params![id])?;
            let detail = json!({ "name": &token.name, "user": &token.user });
            notes.add(AuditAction::TokenRemove, "token", id, detail);
            Ok(token)
        })
        .await
    }

    /// In whose name whoever brings this token acts, and what it is good for. `None` when it is unknown or has expired, or its
    /// person is not active.
    pub async fn token(&self, token: &str, now: Timestamp) -> Result<Option<(User, Scope)>, StoreError> {
        if !token.starts_with(TOKEN_PREFIX) {
            return Ok(None);
        }
        let hash = hash_of(token);
        let found = self
            .read(move |tx| {
                let sql = "SELECT id, person_id, scope, used_at FROM api_token \
                           WHERE hash = ?1 AND (expires_at IS NULL OR expires_at > ?2)";
                let Some(mut row) = tx.query_opt(sql, params![&hash, now])? else { return Ok(None) };
                let (id, person, scope, used) =
                    (row.int(0)?, UserId(row.int(1)?), scope_of(&row.text(2)?)?, row.opt_time(3)?);
                let user = user_by_id(tx, person)?.filter(|user| user.active);
                Ok(user.map(|user| (id, user, scope, used)))
            })
            .await?;
        let Some((id, user, scope, used)) = found else { return Ok(None) };
        if used.is_none_or(|used| now.duration_since(used) >= USED_EXACTLY) {
            self.write(move |tx| {
                tx.execute("UPDATE api_token SET used_at = ?2 WHERE id = ?1", params![id, now]).map(drop)
            })
            .await?;
        }
        Ok(Some((user, scope)))
    }
}

const SELECT: &str = "SELECT t.id, t.name, a.address, t.scope, t.created_at, t.expires_at, t.used_at FROM api_token t \
                      JOIN address a ON a.person_id = t.person_id AND a.main";

fn token_of(mut row: Row) -> Result<ApiToken, StoreError> {
    Ok(ApiToken {
        id: row.int(0)?,
        name: row.text(1)?,
        user: row.text(2)?,
        scope: scope_of(&row.text(3)?)?,
        created_at: row.time(4)?,
        expires_at: row.opt_time(5)?,
        used_at: row.opt_time(6)?,
    })
}

fn scope_of(text: &str) -> Result<Scope, StoreError> {
    [Scope::Read, Scope::Write]
        .into_iter()
        .find(|scope| scope.as_str() == text)
        .ok_or_else(|| StoreError::bad_value(format!("the scope {text:?}")))
}
