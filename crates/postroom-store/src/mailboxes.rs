//! Mailboxes: their configuration, their sealed passwords, and how they are doing.

use crate::audit::{AuditAction, Notes, difference};
use crate::connections::{connections, trusted_dates};
use crate::journal::waits;
use crate::tx::{Param, Row, params};
use crate::workspaces::{global_policy, to_json, workspace_id};
use crate::{Noun, Store, StoreError, Tx};
use jiff::Timestamp;
use postroom_domain::admission::AllowedDomains;
use postroom_domain::connection::{self, CertificateDates, ConnectionSeen, Warning};
use postroom_domain::{AuthenticationPolicy, Mailbox, MailboxId, MailboxPolicy, StartFrom, WorkspaceKey};
use postroom_mail::{Access, Secret};
use serde_json::json;
use std::collections::HashMap;

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
}

/// How a mailbox is doing.
#[derive(Debug, Clone)]
pub struct MailboxStatus {
    /// Its configuration.
    pub mailbox: Mailbox,
    /// When the last visit ended.
    pub visited_at: Option<Timestamp>,
    /// What the last visit reported.
    pub last_visit: Option<serde_json::Value>,
    /// Since when visits fail; `None` when the last one did not.
    pub failing_since: Option<Timestamp>,
    /// How many visits have failed since then.
    pub failures: u32,
    /// Code and text of the last failure.
    pub last_error: Option<(String, String)>,
    /// Its receipts.
    pub counts: ReceiptCounts,
    /// What its last connection showed.
    pub connection: Option<ConnectionSeen>,
    /// When the certificates that are trusted for it run out, as far as that is known.
    pub trusted: Vec<CertificateDates>,
}

impl MailboxStatus {
    /// What a person should be told of it, apart from its failures.
    pub fn warnings(&self, now: Timestamp) -> Vec<Warning> {
        connection::warnings(&self.mailbox.access, self.connection.as_ref(), &self.trusted, now)
    }
}

/// How many receipts are in which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct ReceiptCounts {
    /// Accepted and not yet decided.
    pub accepted: u64,
    /// To be tried again later.
    pub deferred: u64,
    /// Items and comments.
    pub filed: u64,
    /// Held, and waiting for a person.
    pub held: u64,
    /// Held, and done with: deleted, or proof of an address for a registration.
    pub done: u64,
    /// Receipts whose settlement is owed to the server, whatever their state.
    pub owed: u64,
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
            mailbox_by_id(tx, id)
        })
        .await
    }

    /// Changes a mailbox.
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
            mailbox.policy = change.policy.clone().unwrap_or(mailbox.policy);
            mailbox.start = change.start.unwrap_or(mailbox.start);
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
            )
            .map(drop)
        })
        .await
    }

    /// Suspends the visits of a mailbox.
    ///
    /// # Errors
    /// `MAILBOX_UNKNOWN`.
    pub async fn pause_mailbox(&self, name: &str, now: Timestamp) -> Result<(), StoreError> {
        self.set_paused(name, true, now).await
    }

    /// Resumes the visits of a mailbox.
    ///
    /// # Errors
    /// `MAILBOX_UNKNOWN`.
    pub async fn resume_mailbox(&self, name: &str, now: Timestamp) -> Result<(), StoreError> {
        self.set_paused(name, false, now).await
    }

    async fn set_paused(&self, name: &str, paused: bool, now: Timestamp) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.change(now, move |tx, notes| {
            let id = mailbox_by_name(tx, &name)?.id.0;
            let action = if paused { AuditAction::MailboxPause } else { AuditAction::MailboxResume };
            notes.add(action, "mailbox", &name, json!({}));
            tx.execute("UPDATE mailbox SET paused = ?2 WHERE id = ?1", params![id, paused]).map(drop)
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

    /// How every mailbox is doing, by name.
    pub async fn mailbox_status(&self) -> Result<Vec<MailboxStatus>, StoreError> {
        self.read(mailbox_status).await
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

/// What a sealed password is bound to.
/// Refuses domains that could not be asked when mail comes.
fn usable(policy: &MailboxPolicy) -> Result<(), StoreError> {
    let domains = AllowedDomains::of(&policy.allowed);
    domains.map(drop).map_err(|error| StoreError::PatternInvalid(error.to_string()))
}

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
     m.first_visit_at, m.visited_at, m.last_visit, m.failing_since, m.failures, m.error_code, m.error_text, m.internal \
     FROM mailbox m LEFT JOIN workspace w ON w.id = m.workspace_id";

fn select(tx: &mut Tx<'_>, which: &str, params: &[Param<'_>]) -> Result<Vec<Row>, StoreError> {
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

fn mailbox_of(row: &mut Row) -> Result<Mailbox, StoreError> {
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
        is_import: row.bool(15)?,
    })
}

fn mailbox_status(tx: &mut Tx<'_>) -> Result<Vec<MailboxStatus>, StoreError> {
    let mut counts: HashMap<i64, ReceiptCounts> = HashMap::new();
    for mut row in tx.query("SELECT mailbox_id, state, count(*) FROM receipt GROUP BY mailbox_id, state", &[])? {
        let of_mailbox = counts.entry(row.int(0)?).or_default();
        let (state, count) = (row.text(1)?, row.unsigned(2)?);
        match state.as_str() {
            "accepted" => of_mailbox.accepted = count,
            "deferred" => of_mailbox.deferred = count,
            "filed" => of_mailbox.filed = count,
            _ => of_mailbox.held = count,
        }
    }
    // Both databases find these few by the index on held receipts.
    let done = format!(
        "SELECT mailbox_id, count(*) FROM receipt WHERE state = 'held' AND NOT ({}) GROUP BY mailbox_id",
        waits("reason")
    );
    for mut row in tx.query(&done, &[])? {
        let (of_mailbox, count) = (counts.entry(row.int(0)?).or_default(), row.unsigned(1)?);
        (of_mailbox.held, of_mailbox.done) = (of_mailbox.held.saturating_sub(count), count);
    }
    let owed = "SELECT mailbox_id, count(*) FROM receipt WHERE settlement = 'owed' GROUP BY mailbox_id";
    for mut row in tx.query(owed, &[])? {
        counts.entry(row.int(0)?).or_default().owed = row.unsigned(1)?;
    }
    let (mut connections, mut trusted) = (connections(tx)?, trusted_dates(tx)?);
    let rows = select(tx, "WHERE m.removed_at IS NULL AND NOT m.internal ORDER BY m.name", &[])?;
    rows.into_iter()
        .map(|mut row| {
            let mailbox = mailbox_of(&mut row)?;
            let last_visit = row.opt_text(10)?.and_then(|json| serde_json::from_str(&json).ok());
            Ok(MailboxStatus {
                counts: counts.get(&mailbox.id.0).copied().unwrap_or_default(),
                connection: connections.remove(&mailbox.id.0),
                trusted: trusted.remove(&mailbox.id.0).unwrap_or_default(),
                mailbox,
                visited_at: row.opt_time(9)?,
                last_visit,
                failing_since: row.opt_time(11)?,
                failures: u32::try_from(row.int(12)?).unwrap_or(u32::MAX),
                last_error: row.opt_text(13)?.zip(row.opt_text(14)?),
            })
        })
        .collect()
}
