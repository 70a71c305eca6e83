//! Signing in with a password, and what a person chooses for the pages. Passwords come here as PHC strings: whoever calls
//! computes them. Nothing here tells which addresses exist: an address without an account is slowed down like any other.

use crate::audit::AuditAction;
use crate::people::{user_by_address, user_by_id};
use crate::signin::{active_user, end_sessions, hash_of, new_token, open_session};
use crate::tx::params;
use crate::visits::after;
use crate::{Noun, Store, StoreError, Tx};
use jiff::{SignedDuration, Timestamp};
use postroom_domain::{User, UserId};
use postroom_mail::Secret;
use postroom_mail::address::canonical;
use serde_json::json;

/// The time within which failures count.
const FAILURES_WITHIN: SignedDuration = SignedDuration::from_mins(15);
/// Failures for one address.
pub const FAILURES_PER_ADDRESS: i64 = 10;
/// Failures for all addresses together.
pub const FAILURES_FOR_ALL: i64 = 300;

/// The password of somebody who may sign in with it.
#[derive(Debug, Clone)]
pub struct StoredPassword {
    /// Whose it is.
    pub user: UserId,
    /// Its Argon2id hash as a PHC string.
    pub phc: Secret,
}

impl Store {
    /// The password under which somebody with this address may sign in; `None` where nobody can.
    ///
    /// # Errors
    /// `TOO_MANY_REQUESTS` after [`FAILURES_PER_ADDRESS`] failures within 15 minutes, or [`FAILURES_FOR_ALL`] of all addresses.
    pub async fn stored_password(&self, address: &str, now: Timestamp) -> Result<Option<StoredPassword>, StoreError> {
        let address = canonical(address).unwrap_or_else(|| address.to_owned());
        self.read(move |tx| {
            let since = after(now, -FAILURES_WITHIN);
            let sql = "SELECT count(*) FROM signin_failure WHERE address = ?1 AND at > ?2";
            let of_address = tx.query_one(sql, params![&hash_of(&address), since])?.int(0)?;
            let of_all = tx.query_one("SELECT count(*) FROM signin_failure WHERE at > ?1", params![since])?.int(0)?;
            if of_address >= FAILURES_PER_ADDRESS || of_all >= FAILURES_FOR_ALL {
                return Err(StoreError::TooMany);
            }
            let Some(user) = user_by_address(tx, &address)?.filter(|user| user.active) else { return Ok(None) };
            let phc = password_of(tx, user.id)?;
            Ok(phc.map(|phc| StoredPassword { user: user.id, phc: Secret::new(phc) }))
        })
        .await
    }

    /// Notes that a password was wrong, or that there is no such address.
    pub async fn password_failed(&self, address: &str, now: Timestamp) -> Result<(), StoreError> {
        let hash = hash_of(&canonical(address).unwrap_or_else(|| address.to_owned()));
        self.write(move |tx| {
            tx.execute("DELETE FROM signin_failure WHERE at <= ?1", params![after(now, -FAILURES_WITHIN)])?;
            tx.execute("INSERT INTO signin_failure (address, at) VALUES (?1, ?2)", params![&hash, now]).map(drop)
        })
        .await
    }

    /// Opens a session for somebody whose password was right; `None` where it was changed meanwhile, or the account is not in
    /// use any more.
    pub async fn sign_in(&self, with: &StoredPassword, now: Timestamp) -> Result<Option<(User, Secret)>, StoreError> {
        let (session, session_hash) = new_token()?;
        let with = with.clone();
        let user = self
            .change(now, move |tx, notes| {
                let Some(user) = active_user(tx, with.user)? else { return Ok(None) };
                if password_of(tx, user.id)?.as_deref() != Some(with.phc.expose()) {
                    return Ok(None);
                }
                for address in std::iter::once(&user.address).chain(&user.aliases) {
                    tx.execute("DELETE FROM signin_failure WHERE address = ?1", params![&hash_of(address)])?;
                }
                notes.add_by(&user.address, AuditAction::SigninUse, "user", &user.address, json!({ "by": "password" }));
                open_session(tx, &user, &session_hash, now)?;
                Ok(Some(user))
            })
            .await?;
        Ok(user.map(|user| (user, session)))
    }

    /// Gives somebody another password. All their sessions end, and unused sign-in addresses are useless; the token of a new
    /// session is returned.
    ///
    /// # Errors
    /// `USER_UNKNOWN`, also for a user that is not active.
    pub async fn set_password(&self, user: UserId, phc: Secret, now: Timestamp) -> Result<Secret, StoreError> {
        let (session, session_hash) = new_token()?;
        self.change(now, move |tx, notes| {
            let user = active_user(tx, user)?.ok_or_else(|| StoreError::unknown(Noun::User, user))?;
            put_password(tx, user.id, phc.expose())?;
            let ended = end_sessions(tx, user.id)?;
            notes.add(AuditAction::UserPassword, "user", &user.address, json!({ "sessions": ended }));
            open_session(tx, &user, &session_hash, now)
        })
        .await?;
        Ok(session)
    }

    /// In which language somebody wants the pages, as a subtag (BCP 47); `None` for what the browser asks for.
    ///
    /// # Errors
    /// `USER_UNKNOWN`.
    pub async fn set_language(&self, user: UserId, language: Option<&str>, now: Timestamp) -> Result<(), StoreError> {
        let language = language.map(str::to_owned);
        self.change(now, move |tx, notes| {
            let user = user_by_id(tx, user)?.ok_or_else(|| StoreError::unknown(Noun::User, user))?;
            let sql = "UPDATE person SET language = ?2 WHERE id = ?1";
            tx.execute(sql, params![user.id.0, language.as_ref()])?;
            notes.add(AuditAction::UserSet, "user", &user.address, json!({ "language": language }));
            Ok(())
        })
        .await
    }

    /// Gives somebody another main address; the old one is theirs no more. For the account that is made at the first start,
    /// which has no address at which anybody could write.
    ///
    /// # Errors
    /// `USER_UNKNOWN`, `ADDRESS_INVALID`; `USER_EXISTS` when the address belongs to somebody else.
    pub async fn set_main_address(&self, user: UserId, address: &str, now: Timestamp) -> Result<User, StoreError> {
        let new = canonical(address).ok_or_else(|| StoreError::AddressInvalid(address.to_owned()))?;
        self.change(now, move |tx, notes| {
            let before = user_by_id(tx, user)?.ok_or_else(|| StoreError::unknown(Noun::User, user))?;
            match user_by_address(tx, &new)? {
                Some(other) if other.id != user => {
                    return Err(StoreError::Exists { noun: Noun::User, name: new.clone() });
                }
                _ => {}
            }
            tx.execute("DELETE FROM address WHERE person_id = ?1 AND (main OR address = ?2)", params![user.0, &new])?;
            let sql = "INSERT INTO address (address, person_id, main) VALUES (?1, ?2, TRUE)";
            tx.execute(sql, params![&new, user.0])?;
            notes.add(AuditAction::UserSet, "user", &before.address, json!({ "address": [&before.address, &new] }));
            user_by_id(tx, user)?.ok_or_else(|| StoreError::unknown(Noun::User, user))
        })
        .await
    }
}

pub(crate) fn password_of(tx: &mut Tx<'_>, user: UserId) -> Result<Option<String>, StoreError> {
    let row = tx.query_opt("SELECT password FROM person WHERE id = ?1", params![user.0])?;
    Ok(row.map(|mut row| row.opt_text(0)).transpose()?.flatten())
}

pub(crate) fn put_password(tx: &mut Tx<'_>, user: UserId, phc: &str) -> Result<(), StoreError> {
    tx.execute("UPDATE person SET password = ?2 WHERE id = ?1", params![user.0, phc]).map(drop)
}
