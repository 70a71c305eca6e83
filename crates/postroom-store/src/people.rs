//! Registered users, their addresses and memberships.

use crate::audit::{AuditAction, difference};
use crate::signin::end_sessions;
use crate::tx::{Row, params};
use crate::workspaces::workspace_id;
use crate::{Noun, Store, StoreError, Tx};
use jiff::Timestamp;
use postroom_domain::{Membership, Role, User, UserId, WorkspaceKey};
use postroom_mail::address::canonical;
use serde_json::json;

/// A user to be registered.
#[derive(Debug, Clone, Default)]
pub struct NewUser {
    /// Main address, in any form that has a canonical one.
    pub address: String,
    /// Name for people; may be empty.
    pub name: String,
    /// Whether the user may do everything everywhere.
    pub admin: bool,
    /// Workspaces and roles.
    pub memberships: Vec<(WorkspaceKey, Role)>,
    /// Further addresses.
    pub aliases: Vec<String>,
}

impl Store {
    /// Registers a user.
    ///
    /// # Errors
    /// `ADDRESS_INVALID`; `USER_EXISTS` when an address belongs to somebody; `WORKSPACE_UNKNOWN`.
    pub async fn add_user(&self, user: NewUser, now: Timestamp) -> Result<User, StoreError> {
        let user = user.in_canonical_form()?;
        self.change(now, move |tx, notes| {
            let user = insert_user(tx, &user, now)?;
            notes.add(AuditAction::UserAdd, "user", &user.address, json!(user));
            Ok(user)
        })
        .await
    }

    /// Changes a user, and returns the user as it is then. Whoever is deactivated is signed out everywhere.
    ///
    /// # Errors
    /// `USER_UNKNOWN`; `ADDRESS_INVALID`; `USER_EXISTS` when an alias belongs to somebody else; `WORKSPACE_UNKNOWN`.
    pub async fn set_user(&self, address: &str, change: UserChange, now: Timestamp) -> Result<User, StoreError> {
        let aliases = canonical_list(&change.aliases)?;
        let without = canonical_list(&change.without_aliases)?;
        let address = address.to_owned();
        self.change(now, move |tx, notes| {
            let before = named(tx, &address)?;
            let id = before.id.0;
            tx.execute(
                "UPDATE person SET name = ?2, admin = ?3, active = ?4 WHERE id = ?1",
                params![
                    id,
                    change.name.as_ref().unwrap_or(&before.name),
                    change.admin.unwrap_or(before.admin),
                    change.active.unwrap_or(before.active)
                ],
            )?;
            for alias in &without {
                let sql = "DELETE FROM address WHERE address = ?1 AND person_id = ?2 AND NOT main";
                tx.execute(sql, params![alias, id])?;
            }
            for alias in &aliases {
                add_address(tx, id, alias, false)?;
            }
            for (key, role) in &change.memberships {
                set_membership(tx, id, key, *role)?;
            }
            if change.active == Some(false) {
                end_sessions(tx, before.id)?;
            }
            let after = user_by_id(tx, before.id)?.ok_or_else(|| StoreError::unknown(Noun::User, &address))?;
            let differs = difference(&before, &after)?;
            if differs != json!({}) {
                notes.add(AuditAction::UserSet, "user", &before.address, differs);
            }
            Ok(after)
        })
        .await
    }

    /// Signs a user out everywhere: all sessions end, and no address that was made for signing in works any more. Returns how
    /// many sessions there were.
    ///
    /// # Errors
    /// `USER_UNKNOWN`.
    pub async fn sign_out_user(&self, address: &str, now: Timestamp) -> Result<u64, StoreError> {
        let address = address.to_owned();
        self.change(now, move |tx, notes| {
            let user = named(tx, &address)?;
            let ended = end_sessions(tx, user.id)?;
            notes.add(AuditAction::UserSignOut, "user", &user.address, json!({ "sessions": ended }));
            Ok(ended)
        })
        .await
    }

    /// All users, by main address.
    pub async fn users(&self) -> Result<Vec<User>, StoreError> {
        self.read(|tx| {
            let rows = tx.query(&format!("{SELECT_USER} ORDER BY a.address"), &[])?;
            rows.into_iter().map(|row| user_of(tx, row)).collect()
        })
        .await
    }

    /// The user with this address, main or alias, active or not.
    pub async fn user_by_address(&self, address: &str) -> Result<Option<User>, StoreError> {
        let Some(address) = canonical(address) else { return Ok(None) };
        self.read(move |tx| user_by_address(tx, &address)).await
    }

    /// The user with this number.
    pub async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.read(move |tx| user_by_id(tx, id)).await
    }
}

/// What to change on a user; `None` and an empty list leave it.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// Name for people.
    pub name: Option<String>,
    /// Whether the account is in use.
    pub active: Option<bool>,
    /// Whether the user may do everything everywhere.
    pub admin: Option<bool>,
    /// Roles in workspaces; `None` ends a membership.
    pub memberships: Vec<(WorkspaceKey, Option<Role>)>,
    /// Further addresses to add.
    pub aliases: Vec<String>,
    /// Further addresses to take away.
    pub without_aliases: Vec<String>,
}

impl NewUser {
    /// The same user with canonical addresses, each once.
    ///
    /// # Errors
    /// `ADDRESS_INVALID`.
    pub(crate) fn in_canonical_form(mut self) -> Result<Self, StoreError> {
        self.address = canonical_list(std::slice::from_ref(&self.address))?.remove(0);
        self.aliases = canonical_list(&self.aliases)?;
        self.aliases.sort();
        self.aliases.dedup();
        self.aliases.retain(|alias| *alias != self.address);
        Ok(self)
    }
}

fn canonical_list(texts: &[String]) -> Result<Vec<String>, StoreError> {
    texts.iter().map(|text| canonical(text).ok_or_else(|| StoreError::AddressInvalid(text.clone()))).collect()
}

/// Makes the account of somebody whose addresses are canonical.
///
/// # Errors
/// `USER_EXISTS`, `WORKSPACE_UNKNOWN`.
pub(crate) fn insert_user(tx: &mut Tx<'_>, user: &NewUser, now: Timestamp) -> Result<User, StoreError> {
    let mut row = tx.query_one(
        "INSERT INTO person (name, admin, active, created_at) VALUES (?1, ?2, TRUE, ?3) RETURNING id",
        params![&user.name, user.admin, now],
    )?;
    let id = row.int(0)?;
    add_address(tx, id, &user.address, true)?;
    for alias in &user.aliases {
        add_address(tx, id, alias, false)?;
    }
    for (key, role) in &user.memberships {
        set_membership(tx, id, key, Some(*role))?;
    }
    user_by_id(tx, UserId(id))?.ok_or_else(|| StoreError::unknown(Noun::User, &user.address))
}

/// Gives somebody an address; one that is theirs already stays.
fn add_address(tx: &mut Tx<'_>, person: i64, address: &str, main: bool) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO address (address, person_id, main) VALUES (?1, ?2, ?3) ON CONFLICT (address) DO NOTHING",
        params![address, person, main],
    )?;
    let sql = "SELECT 1 FROM address WHERE address = ?1 AND person_id = ?2";
    let theirs = tx.query_opt(sql, params![address, person])?;
    theirs.map(drop).ok_or_else(|| StoreError::Exists { noun: Noun::User, name: address.to_owned() })
}

fn set_membership(tx: &mut Tx<'_>, person: i64, key: &WorkspaceKey, role: Option<Role>) -> Result<(), StoreError> {
    let workspace = workspace_id(tx, key)?.0;
    match role {
        Some(role) => tx.execute(
            "INSERT INTO member (person_id, workspace_id, role) VALUES (?1, ?2, ?3) \
             ON CONFLICT (person_id, workspace_id) DO UPDATE SET role = excluded.role",
            params![person, workspace, role.as_str()],
        ),
        None => tx.execute("DELETE FROM member WHERE person_id = ?1 AND workspace_id = ?2", params![person, workspace]),
    }
    .map(drop)
}

/// The user with this address, active or not.
pub(crate) fn named(tx: &mut Tx<'_>, address: &str) -> Result<User, StoreError> {
    let found = canonical(address).map(|address| user_by_address(tx, &address)).transpose()?.flatten();
    found.ok_or_else(|| StoreError::unknown(Noun::User, address))
}

const SELECT_USER: &str = "SELECT p.id, a.address, p.name, p.admin, p.active FROM person p \
                           JOIN address a ON a.person_id = p.id AND a.main";

/// The user with this canonical address.
pub(crate) fn user_by_address(tx: &mut Tx<'_>, address: &str) -> Result<Option<User>, StoreError> {
    let row = tx.query_opt("SELECT person_id FROM address WHERE address = ?1", params![address])?;
    let Some(mut row) = row else { return Ok(None) };
    user_by_id(tx, UserId(row.int(0)?))
}

pub(crate) fn user_by_id(tx: &mut Tx<'_>, id: UserId) -> Result<Option<User>, StoreError> {
    let row = tx.query_opt(&format!("{SELECT_USER} WHERE p.id = ?1"), params![id.0])?;
    row.map(|row| user_of(tx, row)).transpose()
}

fn user_of(tx: &mut Tx<'_>, mut row: Row) -> Result<User, StoreError> {
    let id = row.int(0)?;
    let aliases =
        tx.query("SELECT address FROM address WHERE person_id = ?1 AND NOT main ORDER BY address", params![id])?;
    let members = tx.query(
        "SELECT w.key, m.role FROM member m JOIN workspace w ON w.id = m.workspace_id WHERE m.person_id = ?1 ORDER BY w.key",
        params![id],
    )?;
    Ok(User {
        id: UserId(id),
        address: row.text(1)?,
        name: row.text(2)?,
        admin: row.bool(3)?,
        active: row.bool(4)?,
        aliases: aliases.into_iter().map(|mut row| row.text(0)).collect::<Result<_, _>>()?,
        memberships: members
            .into_iter()
            .map(|mut row| Ok(Membership { workspace: row.parse(0)?, role: row.parse(1)? }))
            .collect::<Result<_, StoreError>>()?,
    })
}
