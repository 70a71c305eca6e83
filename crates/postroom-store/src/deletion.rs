//! Deleting held mail: its octets go, its receipt stays, so that the message is never taken for a new one.
//!
//! The row of the octets is marked in the transaction of the deletion; a file is removed by a later one, which finds out again
//! that nobody wants it. Whoever brings the same octets meanwhile takes the mark away under the same lock.

use crate::audit::{AuditAction, Notes};
use crate::files::Files;
use crate::journal::receipt;
use crate::names::give_up;
use crate::tx::params;
use crate::visits::after;
use crate::workspaces::{to_json, workspaces};
use crate::{Store, StoreError, Tx};
use jiff::{SignedDuration, Timestamp};
use postroom_domain::{Cause, Reason, Receipt, ReceiptId, ReceiptState, TraceStep, WorkspaceId};
use postroom_mail::Sha256;
use serde_json::json;

/// Files removed in one transaction.
const SWEEP: u32 = 64;

impl Store {
    /// Deletes a held receipt: its octets are removed here, unless another receipt has the same ones; the receipt stays with
    /// its digest and the reason `DELETED`. Its server is not told, and nothing more is owed to it. `why`: for people, in the
    /// trace and in the audit.
    ///
    /// # Errors
    /// `RECEIPT_UNKNOWN`; `RECEIPT_STATE` when it is not held; `RECEIPT_DELETED`.
    pub async fn delete_receipt(&self, id: ReceiptId, why: Option<&str>, now: Timestamp) -> Result<(), StoreError> {
        let why = why.map(str::to_owned);
        self.change(now, move |tx, notes| {
            let was = locked(tx, id)?;
            if was.state != ReceiptState::Held {
                return Err(StoreError::ReceiptState { id, state: was.state });
            }
            if was.is_deleted() {
                return Err(StoreError::Deleted(id));
            }
            delete(tx, &was, "by a person", why.as_deref().unwrap_or_default(), now)?;
            let detail = json!({ "reason": was.reason, "size": was.size, "sha256": was.sha256, "why": why });
            notes.add(AuditAction::ReceiptDelete, "receipt", id, detail);
            Ok(())
        })
        .await?;
        self.sweep_deleted().await.map(drop)
    }

    /// Deletes what was held by a rule for longer than its workspace keeps such mail, and returns how much that was. What a
    /// failure holds is never among it. The workspace is that which the mailbox feeds. What deletions left behind is removed.
    pub async fn expire_held(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut expired = 0;
        loop {
            let batch = self.change(now, move |tx, notes| expire(tx, notes, now)).await?;
            expired += batch;
            if batch == 0 {
                self.sweep_deleted().await?;
                return Ok(expired);
            }
        }
    }

    /// Removes the files of deleted octets, and returns how many. What a crash left over is among them.
    pub async fn sweep_deleted(&self) -> Result<u64, StoreError> {
        let mut removed = 0;
        loop {
            let files = self.files().clone();
            let swept = self.write(move |tx| sweep(tx, &files)).await?;
            removed += swept;
            if swept < u64::from(SWEEP) {
                return Ok(removed);
            }
        }
    }
}

/// Receipts of one workspace that are deleted in one transaction.
const EXPIRE: u32 = 64;

fn expire(tx: &mut Tx<'_>, notes: &mut Notes, now: Timestamp) -> Result<u64, StoreError> {
    let mut expired = 0;
    for workspace in workspaces(tx)? {
        let Some(days) = workspace.policy.retain_held_days else { continue };
        let until = after(now, -SignedDuration::from_hours(24 * i64::from(days)));
        for id in expired_receipts(tx, workspace.id, workspace.default, until)? {
            let was = locked(tx, id)?;
            let why = format!("{workspace} keeps held mail for {days} days", workspace = workspace.key);
            delete(tx, &was, "by retention", &why, now)?;
            let detail = json!({ "reason": was.reason, "size": was.size, "sha256": was.sha256, "days": days });
            notes.add(AuditAction::ReceiptDelete, "receipt", id, detail);
            expired += 1;
        }
    }
    if expired > 0 {
        tx.execute(
            "INSERT INTO meta (key, value) VALUES ('held_expired', ?1) ON CONFLICT (key) DO UPDATE \
             SET value = CAST(CAST(meta.value AS BIGINT) + CAST(excluded.value AS BIGINT) AS TEXT)",
            params![&expired.to_string()],
        )?;
    }
    Ok(expired)
}

fn expired_receipts(
    tx: &mut Tx<'_>,
    workspace: WorkspaceId,
    default: bool,
    until: Timestamp,
) -> Result<Vec<ReceiptId>, StoreError> {
    let by_rule: Vec<String> =
        Reason::ALL.iter().filter(|reason| reason.cause() == Cause::Rule).map(|reason| format!("'{reason}'")).collect();
    // A mailbox without a workspace feeds the default one.
    let feeds = if default { "m.workspace_id = ?1 OR m.workspace_id IS NULL" } else { "m.workspace_id = ?1" };
    let sql = format!(
        "SELECT r.id FROM receipt r JOIN mailbox m ON m.id = r.mailbox_id WHERE r.state = 'held' AND ({feeds}) \
         AND r.decided_at < ?2 AND r.reason IN ({}) ORDER BY r.id LIMIT {EXPIRE}",
        by_rule.join(", ")
    );
    let rows = tx.query(&sql, params![workspace.0, until])?;
    rows.into_iter().map(|mut row| row.int(0).map(ReceiptId)).collect()
}

fn locked(tx: &mut Tx<'_>, id: ReceiptId) -> Result<Receipt, StoreError> {
    let sql = format!("SELECT id FROM receipt WHERE id = ?1{}", tx.for_update());
    tx.query_opt(&sql, params![id.0])?;
    receipt(tx, id)
}

/// Makes a tombstone of a held receipt.
fn delete(tx: &mut Tx<'_>, was: &Receipt, whose: &str, why: &str, now: Timestamp) -> Result<(), StoreError> {
    let held = was.reason.map_or(String::new(), |reason| format!("it was held as {reason}"));
    let detail = if why.is_empty() { held } else { format!("{held}: {why}") };
    let mut trace = was.trace.clone();
    trace.push(TraceStep::new("deletion", whose, detail));
    tx.execute(
        "UPDATE receipt SET reason = ?2, trace = ?3, decided_at = ?4, error = NULL, \
         settlement = CASE WHEN settlement = 'settled' THEN settlement ELSE 'kept' END WHERE id = ?1",
        params![was.id.0, Reason::Deleted.code(), &to_json(&trace)?, now],
    )?;
    let Some(sha256) = was.sha256 else { return Ok(()) };
    let sql = format!("SELECT 1 FROM raw WHERE sha256 = ?1{}", tx.for_update());
    tx.query_opt(&sql, params![&sha256])?;
    if is_wanted(tx, sha256)? {
        return Ok(());
    }
    tx.execute("UPDATE raw SET octets = NULL, deleted = TRUE WHERE sha256 = ?1", params![&sha256]).map(drop)
}

/// A message is not on its server any more. If its octets never came, they never will: nobody has to wait for it, and its name
/// is given up, so that it is a new message should it come again. Returns whether it was such a one.
pub(crate) fn gone_unfetched(tx: &mut Tx<'_>, id: ReceiptId, now: Timestamp) -> Result<bool, StoreError> {
    let unfetched = "SELECT 1 FROM receipt WHERE id = ?1 AND sha256 IS NULL AND state = 'held' AND reason <> 'DELETED'";
    if tx.query_opt(unfetched, params![id.0])?.is_none() {
        return Ok(false);
    }
    let was = locked(tx, id)?;
    delete(tx, &was, "on its server", "somebody removed it before its octets came", now)?;
    give_up(tx, id, &was.remote_id.to_string()).map(|()| true)
}

/// Whether a receipt that was not deleted has these octets. Attachments that are parts of them are on what a filed receipt
/// became, and that is one of these.
fn is_wanted(tx: &mut Tx<'_>, sha256: Sha256) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM receipt WHERE sha256 = ?1 AND coalesce(reason, '') <> 'DELETED' LIMIT 1";
    Ok(tx.query_opt(sql, params![&sha256])?.is_some())
}

fn sweep(tx: &mut Tx<'_>, files: &Files) -> Result<u64, StoreError> {
    // Not beside a filing, which may be about to name a file that is there.
    tx.take_turn()?;
    let sql = format!("SELECT sha256 FROM raw WHERE deleted AND in_file LIMIT {SWEEP}{}", tx.for_update_skip_locked());
    let rows = tx.query(&sql, &[])?;
    let count = rows.len() as u64;
    for mut row in rows {
        let sha256 = row.sha256(0)?;
        // The content of an attachment may have the same digest, and then the same file.
        let blob = tx.query_opt("SELECT 1 FROM blob WHERE sha256 = ?1 AND in_file", params![&sha256])?;
        if blob.is_none() {
            files.remove(sha256)?;
        }
        tx.execute("UPDATE raw SET in_file = FALSE WHERE sha256 = ?1", params![&sha256])?;
    }
    Ok(count)
}
