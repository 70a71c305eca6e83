//! Registrations and invitations that wait, and what follows once an address was shown to be somebody's.

use super::{APPROVE_WITHIN, Pending, has_account, is_admitted};
use crate::audit::{AuditAction, Notes};
use crate::passwords::put_password;
use crate::people::{NewUser, insert_user};
use crate::signin::hash_of;
use crate::tx::{Row, params};
use crate::visits::after;
use crate::workspaces::global_policy;
use crate::{StoreError, Tx};
use jiff::Timestamp;
use postroom_domain::registration::{Awaited, Code};
use postroom_domain::{MailboxId, RegistrationId, RegistrationMode, Role, User, WorkspaceKey};
use postroom_mail::Secret;
use serde_json::json;

/// A registration or invitation that leads somewhere.
pub(super) struct Registration {
    id: i64,
    pub(super) address: String,
    name: String,
    invited: bool,
    memberships: Vec<(WorkspaceKey, Role)>,
    created_at: Timestamp,
    expires_at: Timestamp,
    pub(super) proven: bool,
    by_stranger: bool,
    pub(super) password: Option<Secret>,
}

pub(super) const SELECT: &str = "SELECT r.id, r.address, r.name, r.invited, r.memberships, r.created_at, r.expires_at, \
                      r.proven_at IS NOT NULL, r.by_stranger, r.password FROM registration r";
/// That it is not over at `?1`.
pub(super) const PENDING: &str = "NOT r.void AND r.ended_at IS NULL AND r.expires_at > ?1";
/// Those that can still be proven at `?1`.
pub(super) const SELECT_WAITING: &str = "SELECT r.id, r.address, r.name, r.invited, r.memberships, r.created_at, r.expires_at, \
     r.proven_at IS NOT NULL, r.by_stranger, r.password FROM registration r \
     WHERE NOT r.void AND r.ended_at IS NULL AND r.expires_at > ?1 AND r.proven_at IS NULL";

impl Registration {
    pub(super) fn of(mut row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.int(0)?,
            address: row.text(1)?,
            name: row.text(2)?,
            invited: row.bool(3)?,
            memberships: row.json(4)?,
            created_at: row.time(5)?,
            expires_at: row.time(6)?,
            proven: row.bool(7)?,
            by_stranger: row.bool(8)?,
            password: row.opt_text(9)?.map(Secret::new),
        })
    }

    /// Has it lead to an account with its password, should it have to wait.
    pub(super) fn keep_password(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let password = self.password.as_ref().map(Secret::expose);
        tx.execute("UPDATE registration SET password = ?2 WHERE id = ?1", params![self.id, password]).map(drop)
    }

    pub(super) fn pending(self) -> Pending {
        Pending {
            address: self.address,
            name: self.name,
            invited: self.invited,
            memberships: self.memberships,
            created_at: self.created_at,
            expires_at: self.expires_at,
            proven: self.proven,
        }
    }
}

/// The registration that waits for this code.
pub(crate) fn awaited(tx: &mut Tx<'_>, code: Option<&Code>, now: Timestamp) -> Result<Option<Awaited>, StoreError> {
    let Some(code) = code else { return Ok(None) };
    let sql = format!("{SELECT_WAITING} AND r.code_hash = ?2");
    let row = tx.query_opt(&sql, params![now, &hash_of(&code.to_string())])?;
    let registration = row.map(Registration::of).transpose()?;
    let awaited = |one: Registration| {
        let Registration { id, address, by_stranger, .. } = one;
        Awaited { id: RegistrationId(id), address, by_stranger }
    };
    Ok(registration.map(awaited))
}

/// A message from the address showed that it is the person's. A registration that is over by now stays as it is.
pub(crate) fn proven_by_mail(
    tx: &mut Tx<'_>,
    notes: &mut Notes,
    id: RegistrationId,
    mailbox: MailboxId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = format!("{SELECT_WAITING} AND r.id = ?2{}", tx.for_update());
    let Some(row) = tx.query_opt(&sql, params![now, id.0])? else { return Ok(()) };
    proven(tx, notes, &Registration::of(row)?, &format!("mailbox:{mailbox}"), "mail", now).map(drop)
}

/// What became of a proof that came in time.
pub(super) enum Outcome {
    Joined(Box<User>),
    Waits,
}

/// What follows from a proof. `None` where it comes too late: the rules do not admit the address any more, or it has an
/// account.
pub(super) fn proven(
    tx: &mut Tx<'_>,
    notes: &mut Notes,
    registration: &Registration,
    actor: &str,
    by: &str,
    now: Timestamp,
) -> Result<Option<Outcome>, StoreError> {
    let policy = global_policy(tx)?;
    let address = &registration.address;
    if has_account(tx, address)? || !(registration.invited || is_admitted(tx, &policy, address)?) {
        return Ok(None);
    }
    notes.add_by(actor, AuditAction::UserProve, "user", address, json!({ "by": by, "invited": registration.invited }));
    if registration.invited || policy.registration == RegistrationMode::Open {
        let user = join(tx, registration, now)?;
        notes.add_by(actor, AuditAction::UserAdd, "user", address, json!(user));
        return Ok(Some(Outcome::Joined(Box::new(user))));
    }
    tx.execute(
        "UPDATE registration SET proven_at = ?2, expires_at = ?3 WHERE id = ?1",
        params![registration.id, now, after(now, APPROVE_WITHIN)],
    )?;
    Ok(Some(Outcome::Waits))
}

/// Makes the account, and ends whatever else waits for its address. Whoever was invited has the roles of the invitation, by
/// whatever the address was shown to be theirs.
pub(super) fn join(tx: &mut Tx<'_>, registration: &Registration, now: Timestamp) -> Result<User, StoreError> {
    let sql = format!("{SELECT} WHERE {PENDING} AND r.invited AND r.address = ?2 AND r.id <> ?3 ORDER BY r.id");
    let mut memberships = registration.memberships.clone();
    for row in tx.query(&sql, params![now, &registration.address, registration.id])? {
        let offered = Registration::of(row)?.memberships;
        memberships
            .extend(offered.into_iter().filter(|(key, _)| registration.memberships.iter().all(|(had, _)| had != key)));
    }
    let new = NewUser {
        address: registration.address.clone(),
        name: registration.name.clone(),
        memberships,
        ..NewUser::default()
    };
    let user = insert_user(tx, &new, now)?;
    if let Some(password) = &registration.password {
        put_password(tx, user.id, password.expose())?;
    }
    let sql = "UPDATE registration SET ended_at = ?2 WHERE address = ?1 AND ended_at IS NULL";
    tx.execute(sql, params![&registration.address, now])?;
    Ok(user)
}
