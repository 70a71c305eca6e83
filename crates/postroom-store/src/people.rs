//! Registered users, their addresses and memberships.

use crate::audit::AuditAction;
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
        let canonical_of = |text: &String| canonical(text).ok_or_else(|| StoreError::AddressInvalid(text.clone()));
        let main = canonical_of(&user.address)?;
        let mut aliases = user.aliases.iter().map(canonical_of).collect::<Result<Vec<_>, _>>()?;
        aliases.sort();
        aliases.dedup();
        aliases.retain(|alias| *alias != main);
        self.change(now, move |tx, notes| {
            let mut row = tx.query_one(
                "INSERT INTO person (name, admin, active, created_at) VALUES (?1, ?2, TRUE, ?3) RETURNING id",
                params![&user.name, user.admin, now],
            )?;
            let id = row.int(0)?;
            for address in std::iter::once(&main).chain(&aliases) {
                let added = tx.execute(
                    "INSERT INTO address (address, person_id, main) VALUES (?1, ?2, ?3) ON CONFLICT (address) DO NOTHING",
                    params![address, id, *address == main],
                )?;
                if added == 0 {
                    return Err(StoreError::Exists { noun: Noun::User, name: address.clone() });
                }
            }
            for (key, role) in &user.memberships {
                let workspace = workspace_id(tx, key)?;
                tx.execute(
                    "INSERT INTO member (person_id, workspace_id, role) VALUES (?1, ?2, ?3) \
                     ON CONFLICT (person_id, workspace_id) DO UPDATE SET role = excluded.role",
                    params![id, workspace.0, role.as_str()],
                )?;
            }
            let user = user_by_id(tx, UserId(id))?.ok_or_else(|| StoreError::unknown(Noun::User, &main))?;
            notes.add(AuditAction::UserAdd, "user", &main, json!(user));
            Ok(user)
        })
        .await
    }

    /// Takes an account out of use, or back into it. Mail of somebody whose account is out of use is mail of a stranger.
    ///
    /// # Errors
    /// `USER_UNKNOWN`.
    pub async fn set_user_active(&self, address: &str, active: bool, now: Timestamp) -> Result<User, StoreError> {
        let name = address.to_owned();
        let address = canonical(address).ok_or_else(|| StoreError::AddressInvalid(name.clone()))?;
        self.change(now, move |tx, notes| {
            let unknown = || StoreError::unknown(Noun::User, &name);
            let user = user_by_address(tx, &address)?.ok_or_else(unknown)?;
            if user.active != active {
                let detail = json!({ "active": { "old": user.active, "new": active } });
                notes.add(AuditAction::UserSet, "user", &user.address, detail);
            }
            tx.execute("UPDATE person SET active = ?2 WHERE id = ?1", params![user.id.0, active])?;
            user_by_id(tx, user.id)?.ok_or_else(unknown)
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
