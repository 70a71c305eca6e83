//! How mailboxes are doing: what the last visit did, what comes next, and whether the numbers add up.

use crate::connections::{connections, trusted_dates};
use crate::journal::waits;
use crate::mailboxes::{mailbox_of, select};
use crate::tx::params;
use crate::{Holder, Store, StoreError, Tx};
use jiff::Timestamp;
use postroom_domain::Mailbox;
use postroom_domain::connection::{self, CertificateDates, ConnectionSeen, Warning};
use serde::Serialize;
use std::collections::HashMap;

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
    /// How many visits have failed in a row, since then or since a person changed something.
    pub failures: u32,
    /// Code and text of the last failure.
    pub last_error: Option<(String, String)>,
    /// When it is visited next, at the latest, as far as that was decided.
    pub next_visit_at: Option<Timestamp>,
    /// Whether that is so late because the server asked for it.
    pub throttled: bool,
    /// Whether new mail is waited for over a connection that stays open.
    pub waits: bool,
    /// The folders that could not be read although others could.
    pub failed_folders: Vec<FolderStatus>,
    /// Its receipts.
    pub counts: ReceiptCounts,
    /// Those of them whose messages are on the server, as far as the last visit could tell; none of them owed.
    pub present: ReceiptCounts,
    /// What its last connection showed.
    pub connection: Option<ConnectionSeen>,
    /// When the certificates that are trusted for it run out, as far as that is known.
    pub trusted: Vec<CertificateDates>,
}

/// How a mailbox is doing, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailboxState {
    /// A person has paused it.
    Paused,
    /// It looks like another mailbox, and waits for an answer.
    Asks,
    /// Its server asked to be left alone, until then if that was decided.
    Throttled(Option<Timestamp>),
    /// Its visits fail since then.
    Failing(Timestamp),
    /// All is well, and its server tells of new mail.
    Waiting,
    /// All is well.
    Ok,
    /// It was not visited yet.
    NotVisited,
}

/// Why a folder could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FolderStatus {
    /// The folder.
    pub folder: String,
    /// The stable code.
    pub code: String,
    /// What happened.
    pub message: String,
    /// Since when.
    pub since: Timestamp,
}

/// How many receipts are in which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
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

impl ReceiptCounts {
    fn of(&mut self, state: &str) -> &mut u64 {
        match state {
            "accepted" => &mut self.accepted,
            "deferred" => &mut self.deferred,
            "filed" => &mut self.filed,
            _ => &mut self.held,
        }
    }
}

/// What is on a server and what we know of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Ledger {
    /// Messages on the server, as it said at the last visit, less those that were deleted or moved then.
    pub on_server: u64,
    /// Items and comments.
    pub filed: u64,
    /// Held messages.
    pub held: u64,
    /// Messages that wait for their decision.
    pub pending: u64,
    /// Messages from before the first visit, which are left alone.
    pub before_start: u64,
    /// Messages on the server without an account; 0 as long as all is well.
    pub unaccounted: u64,
    /// Messages that should be on the server and are not; 0 once a visit has found out which they are.
    pub missing: u64,
}

impl MailboxStatus {
    /// How it is doing.
    pub fn state(&self) -> MailboxState {
        match self.failing_since {
            _ if self.mailbox.paused && self.mailbox.asks => MailboxState::Asks,
            _ if self.mailbox.paused => MailboxState::Paused,
            Some(_) if self.throttled => MailboxState::Throttled(self.next_visit_at),
            Some(since) => MailboxState::Failing(since),
            None if self.waits => MailboxState::Waiting,
            None if self.visited_at.is_some() => MailboxState::Ok,
            None => MailboxState::NotVisited,
        }
    }

    /// What a person should be told of it, apart from its failures.
    pub fn warnings(&self, now: Timestamp) -> Vec<Warning> {
        connection::warnings(&self.mailbox.access, self.connection.as_ref(), &self.trusted, now)
    }

    /// The ledger after the last visit; `None` before a visit has come far enough to see the mailbox.
    pub fn ledger(&self) -> Option<Ledger> {
        let number = |key: &str| self.last_visit.as_ref()?.get(key)?.as_u64();
        let on_server = number("on_server").or_else(|| number("listed"))?;
        let before_start = number("before_start").unwrap_or(0);
        let ReceiptCounts { accepted, deferred, filed, .. } = self.present;
        let (pending, held) = (accepted + deferred, self.present.held + self.present.done);
        let known = filed + held + pending + before_start;
        let (unaccounted, missing) = (on_server.saturating_sub(known), known.saturating_sub(on_server));
        Some(Ledger { on_server, filed, held, pending, before_start, unaccounted, missing })
    }
}

/// What came into a mailbox lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Lately {
    /// Messages that arrived and were filed.
    pub filed: u64,
    /// Messages that arrived and are held.
    pub held: u64,
    /// Messages that arrived and wait for their decision.
    pub waiting: u64,
    /// When the oldest message of all that wait for their decision arrived.
    pub oldest_waiting: Option<Timestamp>,
}

impl Store {
    /// What came into each mailbox since then, by name.
    pub async fn lately(&self, since: Timestamp) -> Result<HashMap<String, Lately>, StoreError> {
        self.read(move |tx| {
            let sql = "SELECT m.name, r.state, count(*), min(r.received_at) FROM receipt r \
                       JOIN mailbox m ON m.id = r.mailbox_id WHERE m.removed_at IS NULL \
                       AND (r.received_at >= ?1 OR (r.state IN ('accepted', 'deferred') AND r.due_at IS NOT NULL)) \
                       GROUP BY m.name, r.state";
            let mut all: HashMap<String, Lately> = HashMap::new();
            for mut row in tx.query(sql, params![since])? {
                let one = all.entry(row.text(0)?).or_default();
                let (state, count, oldest) = (row.text(1)?, row.unsigned(2)?, row.time(3)?);
                match state.as_str() {
                    "filed" => one.filed += count,
                    "held" => one.held += count,
                    _ => {
                        one.waiting += count;
                        one.oldest_waiting = Some(one.oldest_waiting.map_or(oldest, |known| known.min(oldest)));
                    }
                }
            }
            Ok(all)
        })
        .await
    }
}

/// A mailbox and what was planned for it, for whoever makes the visits.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Its configuration.
    pub mailbox: Mailbox,
    /// How many visits have failed in a row.
    pub failures: u32,
    /// Code of the last failure.
    pub error_code: Option<String>,
    /// When it was to be visited next.
    pub next_visit_at: Option<Timestamp>,
    /// Whether that is so late because the server asked for it.
    pub throttled: bool,
}

impl Store {
    /// All mailboxes with what was planned for them, by name.
    pub async fn planned(&self) -> Result<Vec<Planned>, StoreError> {
        self.read(|tx| {
            let rows = select(tx, "WHERE m.removed_at IS NULL AND NOT m.internal ORDER BY m.name", &[])?;
            rows.into_iter()
                .map(|mut row| {
                    Ok(Planned {
                        mailbox: mailbox_of(&mut row)?,
                        failures: u32::try_from(row.int(16)?).unwrap_or(u32::MAX),
                        error_code: row.opt_text(17)?,
                        next_visit_at: row.opt_time(19)?,
                        throttled: row.bool(20)?,
                    })
                })
                .collect()
        })
        .await
    }

    /// How every mailbox is doing, by name.
    pub async fn mailbox_status(&self) -> Result<Vec<MailboxStatus>, StoreError> {
        let is_alive = self.inner.is_alive;
        self.read(move |tx| {
            let counts = counts(tx)?;
            let mut failed = failed_folders(tx)?;
            let (mut connections, mut trusted) = (connections(tx)?, trusted_dates(tx)?);
            let rows = select(tx, "WHERE m.removed_at IS NULL AND NOT m.internal ORDER BY m.name", &[])?;
            rows.into_iter()
                .map(|mut row| {
                    let mailbox = mailbox_of(&mut row)?;
                    let (counts, present) = counts.get(&mailbox.id.0).copied().unwrap_or_default();
                    let holder: Option<Holder> = row.opt_text(21)?.and_then(|json| serde_json::from_str(&json).ok());
                    Ok(MailboxStatus {
                        visited_at: row.opt_time(13)?,
                        last_visit: row.opt_text(14)?.and_then(|json| serde_json::from_str(&json).ok()),
                        failing_since: row.opt_time(15)?,
                        failures: u32::try_from(row.int(16)?).unwrap_or(u32::MAX),
                        last_error: row.opt_text(17)?.zip(row.opt_text(18)?),
                        next_visit_at: row.opt_time(19)?,
                        throttled: row.bool(20)?,
                        // Who has died waits no longer.
                        waits: holder.is_some_and(|holder| is_alive(&holder) != Some(false)),
                        failed_folders: failed.remove(&mailbox.id.0).unwrap_or_default(),
                        connection: connections.remove(&mailbox.id.0),
                        trusted: trusted.remove(&mailbox.id.0).unwrap_or_default(),
                        mailbox,
                        counts,
                        present,
                    })
                })
                .collect()
        })
        .await
    }
}

/// All receipts of each mailbox by state, and those of them whose messages are on the server.
fn counts(tx: &mut Tx<'_>) -> Result<HashMap<i64, (ReceiptCounts, ReceiptCounts)>, StoreError> {
    let mut counts: HashMap<i64, (ReceiptCounts, ReceiptCounts)> = HashMap::new();
    for mut row in tx.query("SELECT mailbox_id, state, count(*) FROM receipt GROUP BY mailbox_id, state", &[])? {
        let (all, present) = counts.entry(row.int(0)?).or_default();
        let (state, count) = (row.text(1)?, row.unsigned(2)?);
        (*all.of(&state), *present.of(&state)) = (count, count);
    }
    let away = "SELECT mailbox_id, state, count(*) FROM receipt WHERE NOT on_server GROUP BY mailbox_id, state";
    for mut row in tx.query(away, &[])? {
        let (_, present) = counts.entry(row.int(0)?).or_default();
        let (state, count) = (row.text(1)?, row.unsigned(2)?);
        *present.of(&state) = present.of(&state).saturating_sub(count);
    }
    // Both databases find these few by the index on held receipts.
    let done = format!(
        "SELECT mailbox_id, on_server, count(*) FROM receipt WHERE state = 'held' AND NOT ({}) GROUP BY mailbox_id, on_server",
        waits("reason")
    );
    for mut row in tx.query(&done, &[])? {
        let (all, present) = counts.entry(row.int(0)?).or_default();
        let (is_present, count) = (row.bool(1)?, row.unsigned(2)?);
        for counts in [Some(all), is_present.then_some(present)].into_iter().flatten() {
            (counts.held, counts.done) = (counts.held.saturating_sub(count), counts.done + count);
        }
    }
    let owed = "SELECT mailbox_id, count(*) FROM receipt WHERE settlement = 'owed' GROUP BY mailbox_id";
    for mut row in tx.query(owed, &[])? {
        counts.entry(row.int(0)?).or_default().0.owed = row.unsigned(1)?;
    }
    Ok(counts)
}

fn failed_folders(tx: &mut Tx<'_>) -> Result<HashMap<i64, Vec<FolderStatus>>, StoreError> {
    let mut failed: HashMap<i64, Vec<FolderStatus>> = HashMap::new();
    for mut row in tx.query("SELECT mailbox_id, name, code, message, since FROM folder_failure ORDER BY name", &[])? {
        let (folder, code, message) = (row.text(1)?, row.text(2)?, row.text(3)?);
        let status = FolderStatus { folder, code, message, since: row.time(4)? };
        failed.entry(row.int(0)?).or_default().push(status);
    }
    Ok(failed)
}
