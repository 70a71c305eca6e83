//! Mailboxes: their configuration and their sealed passwords.

use crate::audit::{AuditAction, Notes, difference};
use crate::connections::forget_bound_logins;
use crate::tx::{Param, Row, params};
use crate::workspaces::{global_policy, to_json, workspace_id};
use crate::{Noun, Store, StoreError, Tx};
use jiff::Timestamp;
use postroom_domain::admission::AllowedDomains;
use postroom_domain::{AuthenticationPolicy, Mailbox, MailboxId, MailboxPolicy, StartFrom, WorkspaceKey};
use postroom_mail::{Access, Secret};
use serde_json::json;

/// A mailbox to be added.
#[derive(Debug, Clone)]
pub struct NewMailbox {
    /// Unique name.
    pub name: String,
    /// How it is reached.
    pub access: Access,
    /// The workspace it feeds; `None` for the default one.
    pub workspace: Option<WorkspaceKey>,
    /// Its rules.
    pub policy: MailboxPolicy,
    /// What to do with mail that is there before the first visit.
    pub start: StartFrom,
    /// Seconds between two visits, 1 to 86,400.
    pub every_s: u32,
}

/// What to change on a mailbox; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct MailboxChange {
    /// How it is reached.
    pub access: Option<Access>,
    /// The workspace it feeds; `Some(None)` for the default one.
    pub workspace: Option<Option<WorkspaceKey>>,
    /// Its rules.
    pub policy: Option<MailboxPolicy>,
    /// What to do with mail that is there before the first visit; changes nothing after that visit.
    pub start: Option<StartFrom>,
    /// Seconds between two visits, 1 to 86,400.
    pub every_s: Option<u32>,
    /// Its password.
    pub password: Option<Secret>,
    /// Whether its conversations are logged; switching it off removes what was logged.
    pub wire_log: Option<bool>,
}

impl Store {
    /// Adds a mailbox; the password is sealed before it reaches the database.
    ///
    /// # Errors
    /// `MAILBOX_EXISTS`, `WORKSPACE_UNKNOWN`, `PATTERN_INVALID`; `NO_DEFAULT_WORKSPACE` when it names no workspace and none is the default.
    pub async fn add_mailbox(
        &self,
        new: NewMailbox,
        password: Option<Secret>,
        now: Timestamp,
    ) -> Result<Mailbox, StoreError> {
        usable(&new.policy)?;
        let sealer = password.as_ref().map(|_| self.sealer(true)).transpose()?;
        self.change(now, move |tx, notes| {
            let id = insert_mailbox(tx, notes, &new, false, now)?;
            // Sealing is bound to the row, so it happens once its number is known.
            if let (Some(sealer), Some(password)) = (&sealer, &password) {
                set_password(tx, id, &sealer.seal(password, &row_name(id))?)?;
            }
            note_change(tx, id)?;
            mailbox_by_id(tx, id)
        })
        .await
    }

    /// Changes a mailbox. What was owed to folders that are no longer read is given up.
    ///
    /// # Errors
    /// `MAILBOX_UNKNOWN`, `WORKSPACE_UNKNOWN`, `NO_DEFAULT_WORKSPACE`, `PATTERN_INVALID`.
    pub async fn update_mailbox(
        &self,
        name: &str,
        change: MailboxChange,
        now: Timestamp,
    ) -> Result<Mailbox, StoreError> {
        if let Some(policy) = &change.policy {
            usable(policy)?;
        }
        let mailbox = self.mailbox(name).await?;
        let sealed = match &change.password {
            Some(password) => Some(self.sealer(true)?.seal(password, &row_name(mailbox.id))?),
            None => None,
        };
        self.change(now, move |tx, notes| {
            let mut mailbox = mailbox_by_id(tx, mailbox.id)?;
            let before = mailbox.clone();
            mailbox.access = change.access.clone().unwrap_or(mailbox.access);
            forget_bound_logins(tx, &before.access, &mailbox.access)?;
            mailbox.policy = change.policy.clone().unwrap_or(mailbox.policy);
            mailbox.start = change.start.unwrap_or(mailbox.start);
            if let Some(on) = change.wire_log {
                mailbox.wire_log = on;
                switch_wire_log(tx, mailbox.id, on)?;
            }
            mailbox.every_s = change.every_s.unwrap_or(mailbox.every_s);
            mailbox.workspace = change.workspace.clone().unwrap_or(mailbox.workspace);
            let workspace = workspace_or_default(tx, mailbox.workspace.as_ref())?;
            check_addresses(tx, &mailbox.policy)?;
            if matches!((change.start, &mailbox.access), (Some(StartFrom::Since(_)), Access::Pop3(_))) {
                // Which messages are older is found out again, by their dates.
                tx.execute("DELETE FROM before_start WHERE mailbox_id = ?1", params![mailbox.id.0])?;
            }
            tx.execute(
                "UPDATE mailbox SET access = ?2, policy = ?3, start_from = ?4, every_s = ?5, workspace_id = ?6 WHERE id = ?1",
                params![
                    mailbox.id.0,
                    &to_json(&mailbox.access)?,
                    &to_json(&mailbox.policy)?,
                    &to_json(&mailbox.start)?,
                    i64::from(mailbox.every_s),
                    workspace
                ],
            )?;
            let differs = difference(&configuration(&before), &configuration(&mailbox))?;
            if differs != json!({}) {
                notes.add(AuditAction::MailboxSet, "mailbox", &mailbox.name, differs);
            }
            if let Some(sealed) = &sealed {
                set_password(tx, mailbox.id, sealed)?;
                notes.add(AuditAction::MailboxPassword, "mailbox", &mailbox.name, json!({}));
            }
            if before.access != mailbox.access || change.start.is_some() {
                // What is remembered may be of another server, or of other mail than what counts now: all is looked at.
                tx.execute("UPDATE folder SET whole_at = 0 WHERE mailbox_id = ?1", params![mailbox.id.0])?;
                tx.execute("DELETE FROM folder_failure WHERE mailbox_id = ?1", params![mailbox.id.0])?;
                cancel_unread(tx, mailbox.id, &mailbox.access)?;
            }
            if before.access != mailbox.access || sealed.is_some() {
                start_afresh(tx, mailbox.id)?;
            }
            note_change(tx, mailbox.id)?;
            mailbox_by_id(tx, mailbox.id)
        })
        .await
    }

    /// How it is found out for a mailbox who wrote what comes in, and whether that is imported mail, which came to somebody
    /// else at some other time.
    ///
    /// # Errors
    /// `MAILBOX_UNKNOWN`.
    pub async fn authentication(&self, id: MailboxId) -> Result<(AuthenticationPolicy, bool), StoreError> {
        self.read(move |tx| {
            let row = tx.query_opt("SELECT policy, internal FROM mailbox WHERE id = ?1", params![id.0])?;
            let mut row = row.ok_or_else(|| StoreError::unknown(Noun::Mailbox, id))?;
            let policy: MailboxPolicy = row.json(0)?;
            Ok((global_policy(tx)?.authentication.for_mailbox(&policy.authserv_ids), row.bool(1)?))
        })
        .await
    }

    /// All mailboxes, by name; the internal ones of `import` are not among them.
    pub async fn mailboxes(&self) -> Result<Vec<Mailbox>, StoreError> {
        self.read(mailboxes).await
    }

    /// The mailbox of this name.
    ///
    /// # Errors
    /// `MAILBOX_UNKNOWN`.
    pub async fn mailbox(&self, name: &str) -> Result<Mailbox, StoreError> {
        let name = name.to_owned();
        self.read(move |tx| mailbox_by_name(tx, &name)).await
    }

    /// The mailbox of this number, also when it was removed.
    ///
    /// # Errors
    /// `MAILBOX_UNKNOWN`.
    pub async fn mailbox_by_id(&self, id: MailboxId) -> Result<Mailbox, StoreError> {
        self.read(move |tx| mailbox_by_id(tx, id)).await
    }

    /// Removes a mailbox. Its receipts and items stay, its name can be used again, what it owed its server is cancelled,
    /// and its password is wiped.
    ///
    /// # Errors
    /// `MAILBOX_UNKNOWN`.
    pub async fn remove_mailbox(&self, name: &str, now: Timestamp) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.change(now, move |tx, notes| {
            let id = mailbox_by_name(tx, &name)?.id.0;
            notes.add(AuditAction::MailboxRemove, "mailbox", &name, json!({ "id": id }));
            tx.execute(
                "UPDATE mailbox SET removed_at = ?2, paused = TRUE, password = NULL WHERE id = ?1",
                params![id, now],
            )?;
            // Nobody may go on visiting it.
            tx.execute(
                "UPDATE lease SET token = token + 1, holder = NULL, expires_at = 0 WHERE mailbox_id = ?1",
                params![id],
            )?;
            tx.execute(
                "UPDATE receipt SET settlement = 'kept' WHERE mailbox_id = ?1 AND settlement = 'owed'",
                params![id],
            )?;
            switch_wire_log(tx, MailboxId(id), false)?;
            note_change(tx, MailboxId(id))
        })
        .await
    }

    /// Suspends the visits of a mailbox.
    ///
    /// # Errors
    /// `MAILBOX_UNKNOWN`.
    pub async fn pause_mailbox(&self, name: &str, now: Timestamp) -> Result<(), StoreError> {
        self.set_paused(name, true, false, now).await
    }

    /// Resumes the visits of a mailbox. With `accept_new` the next visit takes for new mail whatever it does not know, where
    /// it would otherwise ask whether this is still the same mailbox.
    ///
    /// # Errors
    /// `MAILBOX_UNKNOWN`.
    pub async fn resume_mailbox(&self, name: &str, accept_new: bool, now: Timestamp) -> Result<(), StoreError> {
        self.set_paused(name, false, accept_new, now).await
    }

    /// Has a mailbox visited now, by whoever makes the visits, as if it had never failed. One that is paused stays so.
    ///
    /// # Errors
    /// `MAILBOX_UNKNOWN`.
    pub async fn visit_mailbox(&self, name: &str, now: Timestamp) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.change(now, move |tx, notes| {
            let id = mailbox_by_name(tx, &name)?.id;
            notes.add(AuditAction::MailboxVisit, "mailbox", &name, json!({}));
            start_afresh(tx, id)?;
            note_change(tx, id)
        })
        .await
    }

    async fn set_paused(&self, name: &str, paused: bool, accept_new: bool, now: Timestamp) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.change(now, move |tx, notes| {
            let id = mailbox_by_name(tx, &name)?.id;
            let action = if paused { AuditAction::MailboxPause } else { AuditAction::MailboxResume };
            notes.add(action, "mailbox", &name, if accept_new { json!({ "accept_new": true }) } else { json!({}) });
            tx.execute(
                "UPDATE mailbox SET paused = ?2, accepts_new = ?3 WHERE id = ?1",
                params![id.0, paused, accept_new],
            )?;
            start_afresh(tx, id)?;
            note_change(tx, id)
        })
        .await
    }

    /// A number that changes with every change of a mailbox's settings, of its certificates or of the global policy.
    pub async fn mailboxes_version(&self) -> Result<i64, StoreError> {
        self.read(|tx| match tx.query_opt("SELECT value FROM meta WHERE key = 'mailboxes'", &[])? {
            Some(mut row) => row.parse(0),
            None => Ok(0),
        })
        .await
    }

    /// The password of a mailbox, if it has one.
    ///
    /// # Errors
    /// `SECRET_KEY_MISSING`, `SECRET_UNREADABLE`.
    pub async fn password(&self, id: MailboxId) -> Result<Option<Secret>, StoreError> {
        let sealed = self
            .read(move |tx| match tx.query_opt("SELECT password FROM mailbox WHERE id = ?1", params![id.0])? {
                Some(mut row) => row.opt_blob(0),
                None => Ok(None),
            })
            .await?;
        let Some(sealed) = sealed else { return Ok(None) };
        self.sealer(false)?.open_sealed(&sealed, &row_name(id)).map(Some)
    }

    /// The internal mailbox through which `import` feeds a workspace; it is made when first asked for.
    ///
    /// # Errors
    /// `WORKSPACE_UNKNOWN`.
    pub async fn push_mailbox(&self, workspace: &WorkspaceKey, now: Timestamp) -> Result<Mailbox, StoreError> {
        let workspace = workspace.clone();
        self.change(now, move |tx, notes| {
            let name = format!("import:{workspace}");
            match mailbox_by_name(tx, &name) {
                Err(StoreError::Unknown { noun: Noun::Mailbox, .. }) => {
                    let new = NewMailbox {
                        name,
                        access: Access::Push,
                        workspace: Some(workspace.clone()),
                        policy: MailboxPolicy::default(),
                        start: StartFrom::All,
                        every_s: 86_400,
                    };
                    let id = insert_mailbox(tx, notes, &new, true, now)?;
                    mailbox_by_id(tx, id)
                }
                other => other,
            }
        })
        .await
    }
}

/// Notes that something has changed by which visits are planned, and returns the number of the change.
pub(crate) fn note_any_change(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    let sql = "INSERT INTO meta (key, value) VALUES ('mailboxes', '1') ON CONFLICT (key) DO UPDATE \
               SET value = CAST(CAST(meta.value AS BIGINT) + 1 AS TEXT) RETURNING value";
    tx.query_one(sql, &[])?.parse(0)
}

/// The same for one mailbox, which is to be looked at again.
pub(crate) fn note_change(tx: &mut Tx<'_>, id: MailboxId) -> Result<(), StoreError> {
    let number = note_any_change(tx)?;
    tx.execute("UPDATE mailbox SET revision = ?2 WHERE id = ?1", params![id.0, number]).map(drop)
}

/// A person has changed what may have made visits fail: they are tried as if they had never failed.
fn start_afresh(tx: &mut Tx<'_>, id: MailboxId) -> Result<(), StoreError> {
    let sql = "UPDATE mailbox SET failures = 0, next_visit_at = NULL, throttled = FALSE WHERE id = ?1";
    tx.execute(sql, params![id.0]).map(drop)
}

/// Gives up what is owed to folders that are read no longer: nobody looks into them any more.
fn cancel_unread(tx: &mut Tx<'_>, id: MailboxId, access: &Access) -> Result<(), StoreError> {
    let Access::Imap(imap) = access else { return Ok(()) };
    let sql =
        "SELECT DISTINCT folder FROM receipt WHERE mailbox_id = ?1 AND settlement = 'owed' AND folder IS NOT NULL";
    for mut row in tx.query(sql, params![id.0])? {
        let folder = row.text(0)?;
        if !imap.folders().any(|read| read == folder) {
            tx.execute(
                "UPDATE receipt SET settlement = 'kept' WHERE mailbox_id = ?1 AND folder = ?2 AND settlement = 'owed'",
                params![id.0, &folder],
            )?;
        }
    }
    Ok(())
}

fn switch_wire_log(tx: &mut Tx<'_>, id: MailboxId, on: bool) -> Result<(), StoreError> {
    tx.execute("UPDATE mailbox SET wire_log = ?2 WHERE id = ?1", params![id.0, on])?;
    if on {
        return Ok(());
    }
    tx.execute("DELETE FROM wire_log WHERE mailbox_id = ?1", params![id.0]).map(drop)
}

/// Refuses domains that could not be asked when mail comes.
fn usable(policy: &MailboxPolicy) -> Result<(), StoreError> {
    let domains = AllowedDomains::of(&policy.allowed);
    domains.map(drop).map_err(|error| StoreError::PatternInvalid(error.to_string()))
}

/// What a sealed password is bound to.
fn row_name(id: MailboxId) -> String {
    format!("mailbox/{id}/password")
}

fn set_password(tx: &mut Tx<'_>, id: MailboxId, sealed: &[u8]) -> Result<(), StoreError> {
    tx.execute("UPDATE mailbox SET password = ?2 WHERE id = ?1", params![id.0, sealed]).map(drop)
}

fn insert_mailbox(
    tx: &mut Tx<'_>,
    notes: &mut Notes,
    new: &NewMailbox,
    internal: bool,
    now: Timestamp,
) -> Result<MailboxId, StoreError> {
    let workspace = workspace_or_default(tx, new.workspace.as_ref())?;
    check_addresses(tx, &new.policy)?;
    let row = tx.query_opt(
        "INSERT INTO mailbox (name, access, policy, start_from, every_s, paused, internal, workspace_id, created_at, failures) \
         VALUES (?1, ?2, ?3, ?4, ?5, FALSE, ?6, ?7, ?8, 0) \
         ON CONFLICT (name) WHERE removed_at IS NULL DO NOTHING RETURNING id",
        params![
            &new.name,
            &to_json(&new.access)?,
            &to_json(&new.policy)?,
            &to_json(&new.start)?,
            i64::from(new.every_s),
            internal,
            workspace,
            now
        ],
    )?;
    let Some(mut row) = row else {
        return Err(StoreError::Exists { noun: Noun::Mailbox, name: new.name.clone() });
    };
    let id = MailboxId(row.int(0)?);
    notes.add(AuditAction::MailboxAdd, "mailbox", &new.name, configuration(&mailbox_by_id(tx, id)?));
    Ok(id)
}

/// What a person sets on a mailbox, as the audit shows it.
fn configuration(mailbox: &Mailbox) -> serde_json::Value {
    json!({
        "id": mailbox.id,
        "access": mailbox.access,
        "workspace": mailbox.workspace,
        "policy": mailbox.policy,
        "start": mailbox.start,
        "every_s": mailbox.every_s,
        "wire_log": mailbox.wire_log,
    })
}

/// The workspaces to which addresses lead must be there.
fn check_addresses(tx: &mut Tx<'_>, policy: &MailboxPolicy) -> Result<(), StoreError> {
    let mut keys = policy.addresses.iter().filter_map(|address| address.workspace.as_ref());
    keys.try_for_each(|key| workspace_id(tx, key).map(drop))
}

/// The number of the named workspace; `None` for a global inbox, which needs a default workspace.
fn workspace_or_default(tx: &mut Tx<'_>, key: Option<&WorkspaceKey>) -> Result<Option<i64>, StoreError> {
    if let Some(key) = key {
        return workspace_id(tx, key).map(|id| Some(id.0));
    }
    let default = tx.query_opt("SELECT id FROM workspace WHERE is_default", &[])?;
    default.map(|_| None).ok_or(StoreError::NoDefaultWorkspace)
}

const SELECT_MAILBOX: &str = "SELECT m.id, m.name, m.access, w.key, m.policy, m.start_from, m.every_s, m.paused, \
     m.first_visit_at, m.revision, m.accepts_new, m.wire_log, m.asks, m.visited_at, m.last_visit, \
     m.failing_since, m.failures, m.error_code, m.error_text, m.next_visit_at, m.throttled, m.waited_by, m.internal \
     FROM mailbox m LEFT JOIN workspace w ON w.id = m.workspace_id";

pub(crate) fn select(tx: &mut Tx<'_>, which: &str, params: &[Param<'_>]) -> Result<Vec<Row>, StoreError> {
    tx.query(&format!("{SELECT_MAILBOX} {which}"), params)
}

pub(crate) fn mailboxes(tx: &mut Tx<'_>) -> Result<Vec<Mailbox>, StoreError> {
    let rows = select(tx, "WHERE m.removed_at IS NULL AND NOT m.internal ORDER BY m.name", &[])?;
    rows.into_iter().map(|mut row| mailbox_of(&mut row)).collect()
}

pub(crate) fn mailbox_by_name(tx: &mut Tx<'_>, name: &str) -> Result<Mailbox, StoreError> {
    let row = select(tx, "WHERE m.name = ?1 AND m.removed_at IS NULL", params![name])?.pop();
    mailbox_of(&mut row.ok_or_else(|| StoreError::unknown(Noun::Mailbox, name))?)
}

pub(crate) fn mailbox_by_id(tx: &mut Tx<'_>, id: MailboxId) -> Result<Mailbox, StoreError> {
    let row = select(tx, "WHERE m.id = ?1", params![id.0])?.pop();
    mailbox_of(&mut row.ok_or_else(|| StoreError::unknown(Noun::Mailbox, id))?)
}

pub(crate) fn mailbox_of(row: &mut Row) -> Result<Mailbox, StoreError> {
    let workspace = row.opt_text(3)?.map(|key| key.parse().map_err(|_| StoreError::bad_value("workspace key")));
    Ok(Mailbox {
        id: MailboxId(row.int(0)?),
        name: row.text(1)?,
        access: row.json(2)?,
        workspace: workspace.transpose()?,
        policy: row.json(4)?,
        start: row.json(5)?,
        every_s: u32::try_from(row.int(6)?).unwrap_or(u32::MAX),
        paused: row.bool(7)?,
        first_visit_at: row.opt_time(8)?,
        revision: row.int(9)?,
        accepts_new: row.bool(10)?,
        wire_log: row.bool(11)?,
        asks: row.bool(12)?,
        is_import: row.bool(22)?,
    })
}
