//! Workspaces and the global policy.

use crate::audit::{AuditAction, difference};
use crate::mailboxes::note_any_change;
use crate::tx::params;
use crate::{Noun, Store, StoreError, Tx};
use jiff::Timestamp;
use postroom_domain::{AddressRules, GlobalPolicy, Workspace, WorkspaceId, WorkspaceKey, WorkspacePolicy};
use serde_json::json;

impl Store {
    /// The policy that holds where a mailbox has no value of its own.
    pub async fn global_policy(&self) -> Result<GlobalPolicy, StoreError> {
        self.read(global_policy).await
    }

    /// Sets the global policy.
    ///
    /// # Errors
    /// `PATTERN_INVALID` when a pattern or an entry of a list cannot be used.
    pub async fn set_global_policy(&self, policy: &GlobalPolicy, now: Timestamp) -> Result<(), StoreError> {
        AddressRules::global(policy).map_err(|error| StoreError::PatternInvalid(error.to_string()))?;
        let policy = policy.clone();
        self.change(now, move |tx, notes| {
            let differs = difference(&global_policy(tx)?, &policy)?;
            if differs != json!({}) {
                notes.add(AuditAction::SettingSet, "setting", "policy", differs);
            }
            write_global_policy(tx, &policy)?;
            note_any_change(tx).map(drop)
        })
        .await
    }

    /// Adds a workspace; `default` makes it the one that mailboxes without a workspace feed.
    ///
    /// # Errors
    /// `WORKSPACE_EXISTS`.
    pub async fn add_workspace(
        &self,
        key: &WorkspaceKey,
        name: &str,
        default: bool,
        now: Timestamp,
    ) -> Result<Workspace, StoreError> {
        let (key, name) = (key.clone(), name.to_owned());
        self.change(now, move |tx, notes| {
            if default {
                tx.execute("UPDATE workspace SET is_default = FALSE WHERE is_default", &[])?;
            }
            let row = tx.query_opt(
                "INSERT INTO workspace (key, name, is_default) VALUES (?1, ?2, ?3) ON CONFLICT (key) DO NOTHING RETURNING id",
                params![key.as_str(), &name, default],
            )?;
            let Some(mut row) = row else {
                return Err(StoreError::Exists { noun: Noun::Workspace, name: key.to_string() });
            };
            notes.add(AuditAction::WorkspaceAdd, "workspace", &key, json!({ "name": name, "default": default }));
            let policy = WorkspacePolicy::default();
            Ok(Workspace { id: WorkspaceId(row.int(0)?), key: key.clone(), name: name.clone(), default, policy })
        })
        .await
    }

    /// All workspaces, by key.
    pub async fn workspaces(&self) -> Result<Vec<Workspace>, StoreError> {
        self.read(workspaces).await
    }

    /// Sets the rules of a workspace.
    ///
    /// # Errors
    /// `WORKSPACE_UNKNOWN`.
    pub async fn set_workspace_policy(
        &self,
        key: &WorkspaceKey,
        policy: WorkspacePolicy,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let key = key.clone();
        self.change(now, move |tx, notes| {
            let (id, old) = workspace_rules(tx, &key)?;
            let differs = difference(&old, &policy)?;
            if differs != json!({}) {
                notes.add(AuditAction::WorkspaceSet, "workspace", &key, differs);
            }
            tx.execute("UPDATE workspace SET policy = ?2 WHERE id = ?1", params![id.0, &to_json(&policy)?]).map(drop)
        })
        .await
    }

    /// Makes this the workspace that mailboxes without a workspace feed, or none: then their mail is held.
    ///
    /// # Errors
    /// `WORKSPACE_UNKNOWN`.
    pub async fn set_default_workspace(&self, key: Option<&WorkspaceKey>, now: Timestamp) -> Result<(), StoreError> {
        let key = key.cloned();
        self.change(now, move |tx, notes| {
            let id = key.as_ref().map(|key| workspace_id(tx, key)).transpose()?;
            let name = key.as_ref().map_or("none", WorkspaceKey::as_str);
            notes.add(AuditAction::WorkspaceDefault, "workspace", name, json!({}));
            tx.execute("UPDATE workspace SET is_default = FALSE WHERE is_default", &[])?;
            let id = id.map(|id| id.0);
            tx.execute("UPDATE workspace SET is_default = TRUE WHERE id = ?1", params![id]).map(drop)
        })
        .await
    }
}

pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::bad_value(error.to_string()))
}

pub(crate) fn global_policy(tx: &mut Tx<'_>) -> Result<GlobalPolicy, StoreError> {
    let row = tx.query_opt("SELECT value FROM meta WHERE key = 'policy'", &[])?;
    row.map_or_else(|| Ok(GlobalPolicy::default()), |mut row| row.json(0))
}

pub(crate) fn write_global_policy(tx: &mut Tx<'_>, policy: &GlobalPolicy) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO meta (key, value) VALUES ('policy', ?1) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        params![&to_json(policy)?],
    )
    .map(drop)
}

pub(crate) fn workspaces(tx: &mut Tx<'_>) -> Result<Vec<Workspace>, StoreError> {
    let rows = tx.query("SELECT id, key, name, is_default, policy FROM workspace ORDER BY key", &[])?;
    rows.into_iter()
        .map(|mut row| {
            Ok(Workspace {
                id: WorkspaceId(row.int(0)?),
                key: row.parse(1)?,
                name: row.text(2)?,
                default: row.bool(3)?,
                policy: row.json(4)?,
            })
        })
        .collect()
}

pub(crate) fn workspace_id(tx: &mut Tx<'_>, key: &WorkspaceKey) -> Result<WorkspaceId, StoreError> {
    let row = tx.query_opt("SELECT id FROM workspace WHERE key = ?1", params![key.as_str()])?;
    let mut row = row.ok_or_else(|| StoreError::unknown(Noun::Workspace, key))?;
    Ok(WorkspaceId(row.int(0)?))
}

/// The number of a workspace and its rules.
pub(crate) fn workspace_rules(
    tx: &mut Tx<'_>,
    key: &WorkspaceKey,
) -> Result<(WorkspaceId, WorkspacePolicy), StoreError> {
    let row = tx.query_opt("SELECT id, policy FROM workspace WHERE key = ?1", params![key.as_str()])?;
    let mut row = row.ok_or_else(|| StoreError::unknown(Noun::Workspace, key))?;
    Ok((WorkspaceId(row.int(0)?), row.json(1)?))
}
