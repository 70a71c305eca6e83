//! Numbers about the whole, for whoever watches it: counts and ages, never an address or a subject.

use crate::audit::{AuditAction, audit_rows, difference};
use crate::migrate::NEWEST;
use crate::signin::{hash_of, new_token};
use crate::tx::params;
use crate::workspaces::{global_policy, write_global_policy};
use crate::{Store, StoreError, Tx};
use jiff::Timestamp;
use postroom_domain::{MetricsAccess, Reason, ReceiptState};
use postroom_mail::{Secret, Sha256};
use serde_json::json;
use std::collections::BTreeMap;

/// The numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metrics {
    /// `sqlite` or `postgres`.
    pub database: &'static str,
    /// Its schema.
    pub schema: i64,
    /// Its size in octets.
    pub database_octets: u64,
    /// Octets that are free where the data directory is, for this user.
    pub disk_free_octets: u64,
    /// The mailboxes, those of `import` and removed ones included, by name.
    pub mailboxes: BTreeMap<String, MailboxMetrics>,
    /// When the oldest message was accepted that is not decided yet.
    pub oldest_waiting: Option<Timestamp>,
    /// Items opened since the beginning.
    pub items: u64,
    /// Registrations and invitations that wait for somebody.
    pub registrations: u64,
    /// Rows of the audit.
    pub audit: u64,
    /// Held messages that were deleted because their workspace's time for them was over.
    pub expired: u64,
}

/// The numbers of one mailbox, or of several that had the same name one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailboxMetrics {
    /// Its number in the store.
    pub id: i64,
    /// Whether it is one that is visited, and not suspended.
    pub active: bool,
    /// Visits that ended.
    pub visits: u64,
    /// Those of them that failed.
    pub failed_visits: u64,
    /// Failures since the last visit that succeeded.
    pub failing: u64,
    /// When the last visit ended.
    pub visited_at: Option<Timestamp>,
    /// Receipts by state and, for held ones, by reason.
    pub receipts: BTreeMap<(&'static str, &'static str), u64>,
    /// Settlements that are owed to its server.
    pub owed: u64,
}

/// Where the digest of the token stands.
const TOKEN: &str = "metrics_token";

impl Store {
    /// The numbers of this instant.
    ///
    /// # Errors
    /// Those of the database; `DATA_DIR_UNWRITABLE` when the file system does not say how much is free.
    pub async fn metrics(&self, now: Timestamp) -> Result<Metrics, StoreError> {
        let free = free_octets(self.data_dir())?;
        self.read(move |tx| metrics(tx, free, now)).await
    }

    /// Says who may read the metrics. For [`MetricsAccess::Token`] a new token is made and returned; one from before does not
    /// count any more.
    pub async fn set_metrics_access(
        &self,
        access: MetricsAccess,
        now: Timestamp,
    ) -> Result<Option<Secret>, StoreError> {
        let (token, hash) = new_token()?;
        self.change(now, move |tx, notes| {
            let before = global_policy(tx)?;
            let mut after = before.clone();
            after.metrics = access;
            let mut detail = difference(&before, &after)?;
            write_global_policy(tx, &after)?;
            tx.execute("DELETE FROM meta WHERE key = ?1", params![TOKEN])?;
            if access == MetricsAccess::Token {
                let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2)";
                tx.execute(sql, params![TOKEN, &hash.to_string()])?;
                detail["token"] = json!("new");
            }
            if detail != json!({}) {
                notes.add(AuditAction::SettingSet, "setting", "metrics", detail);
            }
            Ok(())
        })
        .await?;
        Ok((access == MetricsAccess::Token).then_some(token))
    }

    /// Whether this is the token for the metrics.
    pub async fn is_metrics_token(&self, token: &str) -> Result<bool, StoreError> {
        let hash = hash_of(token);
        self.read(move |tx| {
            let row = tx.query_opt("SELECT value FROM meta WHERE key = ?1", params![TOKEN])?;
            let Some(mut row) = row else { return Ok(false) };
            Ok(row.text(0)?.parse().is_ok_and(|stored| is_same(&stored, &hash)))
        })
        .await
    }
}

/// Compares digests in a time that does not depend on where they differ.
fn is_same(one: &Sha256, other: &Sha256) -> bool {
    one.as_bytes().iter().zip(other.as_bytes()).fold(0, |differs, (one, other)| differs | (one ^ other)) == 0
}

fn free_octets(dir: &std::path::Path) -> Result<u64, StoreError> {
    let free = rustix::fs::statvfs(dir).map_err(|error| StoreError::file(dir, error.into()))?;
    Ok(free.f_bavail.saturating_mul(free.f_frsize))
}

fn metrics(tx: &mut Tx<'_>, disk_free_octets: u64, now: Timestamp) -> Result<Metrics, StoreError> {
    let (database, size) = match tx {
        Tx::Sqlite(_) => ("sqlite", "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"),
        Tx::Postgres(_) => ("postgres", "SELECT pg_database_size(current_database())"),
    };
    let database_octets = tx.query_one(size, &[])?.unsigned(0)?;
    // By the index of what is due, in which the oldest comes first.
    let oldest = "SELECT accepted_at FROM receipt WHERE due_at IS NOT NULL ORDER BY id LIMIT 1";
    let oldest_waiting = tx.query_opt(oldest, &[])?.map(|mut row| row.time(0)).transpose()?;
    let pending = "SELECT count(*) FROM registration WHERE NOT void AND ended_at IS NULL AND expires_at > ?1";
    Ok(Metrics {
        database,
        schema: NEWEST,
        database_octets,
        disk_free_octets,
        mailboxes: mailboxes(tx)?,
        oldest_waiting,
        items: counter(tx, "item_number")?,
        registrations: tx.query_one(pending, params![now])?.unsigned(0)?,
        audit: audit_rows(tx)?,
        expired: counter(tx, "held_expired")?,
    })
}

/// A number that is counted in `meta`.
fn counter(tx: &mut Tx<'_>, key: &str) -> Result<u64, StoreError> {
    let row = tx.query_opt("SELECT value FROM meta WHERE key = ?1", params![key])?;
    row.map_or(Ok(0), |mut row| row.parse(0))
}

fn mailboxes(tx: &mut Tx<'_>) -> Result<BTreeMap<String, MailboxMetrics>, StoreError> {
    let mut names: BTreeMap<i64, String> = BTreeMap::new();
    let mut mailboxes: BTreeMap<String, MailboxMetrics> = BTreeMap::new();
    let sql = "SELECT id, name, removed_at IS NULL AND NOT internal AND NOT paused, visits, failed_visits, failures, visited_at \
               FROM mailbox ORDER BY id";
    for mut row in tx.query(sql, &[])? {
        let (id, name) = (row.int(0)?, row.text(1)?);
        let one = mailboxes.entry(name.clone()).or_default();
        (one.id, one.active) = (id, row.bool(2)?);
        one.visits += row.unsigned(3)?;
        one.failed_visits += row.unsigned(4)?;
        (one.failing, one.visited_at) = (row.unsigned(5)?, row.opt_time(6)?);
        names.insert(id, name);
    }
    let mut add = |id: i64, key: Option<(&'static str, &'static str)>, count: u64| {
        let Some(one) = names.get(&id).and_then(|name| mailboxes.get_mut(name)) else { return };
        match key {
            Some(key) => *one.receipts.entry(key).or_default() += count,
            None => one.owed += count,
        }
    };
    // The states by their index alone, the reasons by that of the held ones.
    for mut row in tx.query("SELECT mailbox_id, state, count(*) FROM receipt GROUP BY mailbox_id, state", &[])? {
        let state =
            ReceiptState::from_name(&row.text(1)?).ok_or_else(|| StoreError::bad_value("state of a receipt"))?;
        if state != ReceiptState::Held {
            add(row.int(0)?, Some((state.as_str(), "")), row.unsigned(2)?);
        }
    }
    let held = "SELECT mailbox_id, reason, count(*) FROM receipt WHERE state = 'held' GROUP BY mailbox_id, reason";
    for mut row in tx.query(held, &[])? {
        let reason = Reason::from_code(&row.text(1)?).ok_or_else(|| StoreError::bad_value("reason of a receipt"))?;
        add(row.int(0)?, Some((ReceiptState::Held.as_str(), reason.code())), row.unsigned(2)?);
    }
    let owed = "SELECT mailbox_id, count(*) FROM receipt WHERE settlement = 'owed' GROUP BY mailbox_id";
    for mut row in tx.query(owed, &[])? {
        add(row.int(0)?, None, row.unsigned(1)?);
    }
    Ok(mailboxes)
}
