//! Signing in by a link that works once. Only digests of the tokens are stored.

use crate::audit::AuditAction;
use crate::people::user_by_id;
use crate::tx::params;
use crate::visits::after;
use crate::{Noun, Store, StoreError, Tx};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use postroom_domain::{User, UserId};
use postroom_mail::{Secret, Sha256};
use serde_json::json;

/// Octets of a token: 256 bits, so that guessing one is out of the question and a fast digest is enough to store it.
const TOKEN_LEN: usize = 32;
/// How long a session lasts.
const SESSION_TTL: SignedDuration = SignedDuration::from_hours(14 * 24);

/// A session that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose it is.
    pub user: User,
    /// The language in which the person wants the pages, as a subtag; `None` for what the browser asks for.
    pub language: Option<String>,
    /// Whether the person can sign in with a password.
    pub has_password: bool,
}

impl Store {
    /// Makes a token that signs this user in once, within `ttl`.
    ///
    /// # Errors
    /// `USER_UNKNOWN`, also for a user that is not active.
    pub async fn make_signin_link(
        &self,
        user: UserId,
        ttl: SignedDuration,
        now: Timestamp,
    ) -> Result<Secret, StoreError> {
        let (token, hash) = new_token()?;
        self.change(now, move |tx, notes| {
            let person = active_user(tx, user)?.ok_or_else(|| StoreError::unknown(Noun::User, user))?;
            notes.add(AuditAction::SigninLink, "user", &person.address, json!({ "expires_at": after(now, ttl) }));
            tx.execute("DELETE FROM signin_link WHERE expires_at < ?1", params![now])?;
            tx.execute(
                "INSERT INTO signin_link (hash, person_id, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)",
                params![&hash, user.0, now, after(now, ttl)],
            )
            .map(drop)
        })
        .await?;
        Ok(token)
    }

    /// Uses a sign-in token and opens a session: the user and the session's own token. `None` when the token is unknown,
    /// expired or was used before.
    pub async fn use_signin_link(&self, token: &str, now: Timestamp) -> Result<Option<(User, Secret)>, StoreError> {
        let hash = hash_of(token);
        let (session, session_hash) = new_token()?;
        let user = self
            .change(now, move |tx, notes| {
                let used = tx.query_opt(
                    "UPDATE signin_link SET used_at = ?2 WHERE hash = ?1 AND used_at IS NULL AND expires_at > ?2 \
                     RETURNING person_id",
                    params![&hash, now],
                )?;
                let Some(mut row) = used else { return Ok(None) };
                let Some(user) = active_user(tx, UserId(row.int(0)?))? else { return Ok(None) };
                notes.add_by(&user.address, AuditAction::SigninUse, "user", &user.address, json!({ "by": "link" }));
                open_session(tx, &user, &session_hash, now)?;
                Ok(Some(user))
            })
            .await?;
        Ok(user.map(|user| (user, session)))
    }

    /// The session of an active user.
    pub async fn session(&self, token: &str, now: Timestamp) -> Result<Option<Session>, StoreError> {
        let hash = hash_of(token);
        self.read(move |tx| {
            let sql = "SELECT s.person_id, p.language, p.password IS NOT NULL FROM session s \
                       JOIN person p ON p.id = s.person_id WHERE s.hash = ?1 AND s.expires_at > ?2";
            let Some(mut row) = tx.query_opt(sql, params![&hash, now])? else { return Ok(None) };
            let Some(user) = active_user(tx, UserId(row.int(0)?))? else { return Ok(None) };
            Ok(Some(Session { user, language: row.opt_text(1)?, has_password: row.bool(2)? }))
        })
        .await
    }

    /// Notes that the web page was started, and tells whether that is the first time.
    pub async fn is_first_start(&self, now: Timestamp) -> Result<bool, StoreError> {
        self.write(move |tx| {
            let sql = "INSERT INTO meta (key, value) VALUES ('first_start', ?1) ON CONFLICT (key) DO NOTHING";
            Ok(tx.execute(sql, params![&now.to_string()])? > 0)
        })
        .await
    }

    /// Ends a session. One that is unknown is no error.
    pub async fn end_session(&self, token: &str, now: Timestamp) -> Result<(), StoreError> {
        let hash = hash_of(token);
        self.change(now, move |tx, notes| {
            let ended = tx.query_opt("DELETE FROM session WHERE hash = ?1 RETURNING person_id", params![&hash])?;
            let Some(mut row) = ended else { return Ok(()) };
            if let Some(user) = user_by_id(tx, UserId(row.int(0)?))? {
                notes.add_by(&user.address, AuditAction::SigninOut, "user", &user.address, json!({}));
            }
            Ok(())
        })
        .await
    }
}

/// Ends all sessions of somebody, and makes the unused sign-in addresses useless. Returns how many sessions there were.
pub(crate) fn end_sessions(tx: &mut Tx<'_>, user: UserId) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM signin_link WHERE person_id = ?1 AND used_at IS NULL", params![user.0])?;
    tx.execute("DELETE FROM session WHERE person_id = ?1", params![user.0])
}

/// Opens a session under a token with this digest.
pub(crate) fn open_session(tx: &mut Tx<'_>, user: &User, hash: &Sha256, now: Timestamp) -> Result<(), StoreError> {
    tx.execute("DELETE FROM session WHERE expires_at < ?1", params![now])?;
    tx.execute(
        "INSERT INTO session (hash, person_id, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)",
        params![hash, user.id.0, now, after(now, SESSION_TTL)],
    )
    .map(drop)
}

pub(crate) fn active_user(tx: &mut Tx<'_>, id: UserId) -> Result<Option<User>, StoreError> {
    Ok(user_by_id(tx, id)?.filter(|user| user.active))
}

pub(crate) fn hash_of(token: &str) -> Sha256 {
    Sha256::of(token.as_bytes())
}

/// A new token and the digest under which it is stored.
pub(crate) fn new_token() -> Result<(Secret, Sha256), StoreError> {
    let mut octets = [0u8; TOKEN_LEN];
    getrandom::fill(&mut octets).map_err(|error| StoreError::Database(error.to_string().into()))?;
    let token = URL_SAFE_NO_PAD.encode(octets);
    let hash = hash_of(&token);
    Ok((Secret::new(token), hash))
}
