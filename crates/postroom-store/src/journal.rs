//! The journal: receipts as people see them, and what people may do with them.

use crate::audit::AuditAction;
use crate::contacts::admit;
use crate::facts::{Remote, settlement_of};
use crate::tx::{Param, Row, params};
use crate::workspaces::{to_json, workspace_id};
use crate::{Noun, Store, StoreError, Tx};
use jiff::Timestamp;
use postroom_domain::{MailboxId, Reason, Receipt, ReceiptId, ReceiptState, SettlementState, TraceStep, WorkspaceKey};
use postroom_mail::address::canonical;
use postroom_mail::{RawMessage, RemoteId, Sha256};
use serde_json::json;

/// Which receipts to list; newest first.
#[derive(Debug, Clone, Default)]
pub struct ReceiptFilter {
    /// Only of the mailbox with this name.
    pub mailbox: Option<String>,
    /// Only in this state. Held ones that nobody waits for any more, as deleted ones, are left out unless
    /// [`ReceiptFilter::reason`] asks for them.
    pub state: Option<ReceiptState>,
    /// Only for this reason.
    pub reason: Option<Reason>,
    /// Only of mailboxes that feed one of these workspaces, or whose item is in one of them. `None`: all.
    pub workspaces: Option<Vec<WorkspaceKey>>,
    /// Only older than this one.
    pub before: Option<ReceiptId>,
    /// At most so many; 0 means 100.
    pub limit: u32,
}

/// The one canonical address by which a receipt's message is.
fn sender_of(receipt: &Receipt) -> Result<String, StoreError> {
    let from = receipt.from.clone().unwrap_or_default();
    let unclear = receipt.reason == Some(Reason::SenderUnclear)
        || receipt.trace.iter().any(|step| step.rule == "author" && step.outcome == "unclear");
    match canonical(&from) {
        Some(address) if !unclear => Ok(address),
        _ => Err(StoreError::CannotAdmit {
            address: from,
            why: "the message does not name exactly one usable author".to_owned(),
        }),
    }
}

/// The condition that a held receipt with this column of reasons waits for a person.
pub(crate) fn waits(reason: &str) -> String {
    let done: Vec<String> = Reason::held_and_done().map(|reason| format!("'{reason}'")).collect();
    format!("{reason} NOT IN ({})", done.join(", "))
}

/// Which held receipts to decide again.
#[derive(Debug, Clone)]
pub struct RetryFilter {
    /// Only of the mailbox with this name.
    pub mailbox: Option<String>,
    /// Only for this reason.
    pub reason: Option<Reason>,
    /// Only newer than this one.
    pub after: ReceiptId,
    /// This one and older ones only.
    pub up_to: ReceiptId,
    /// At most so many.
    pub limit: u32,
}

/// Rows when a filter names no limit.
const LIMIT_DEFAULT: u32 = 100;

impl Store {
    /// Receipts, newest first.
    pub async fn receipts(&self, filter: ReceiptFilter) -> Result<Vec<Receipt>, StoreError> {
        self.read(move |tx| receipts(tx, &filter)).await
    }

    /// How many held receipts wait for a person, by reason, the most frequent first; of mailboxes that feed one of these
    /// workspaces, `None` for all.
    pub async fn held_by_reason(
        &self,
        workspaces: Option<Vec<WorkspaceKey>>,
    ) -> Result<Vec<(Reason, u64)>, StoreError> {
        self.read(move |tx| {
            let mut params = Vec::new();
            let of = workspaces.as_deref().map(|keys| format!(" AND {}", of_workspaces(keys, &mut params)));
            let sql = format!(
                "SELECT r.reason, count(*) FROM receipt r JOIN mailbox m ON m.id = r.mailbox_id \
                 WHERE r.state = 'held' AND {}{} GROUP BY r.reason ORDER BY 2 DESC, 1",
                waits("r.reason"),
                of.unwrap_or_default()
            );
            let rows = tx.query(&sql, &params)?;
            let counted = rows.into_iter().map(|mut row| {
                let code = row.text(0)?;
                let reason = Reason::from_code(&code).ok_or_else(|| StoreError::bad_value("reason of a receipt"))?;
                Ok((reason, row.unsigned(1)?))
            });
            counted.collect()
        })
        .await
    }

    /// One receipt.
    ///
    /// # Errors
    /// `RECEIPT_UNKNOWN`.
    pub async fn receipt(&self, id: ReceiptId) -> Result<Receipt, StoreError> {
        self.read(move |tx| receipt(tx, id)).await
    }

    /// The octets of a receipt, as fetched and verified.
    ///
    /// # Errors
    /// `RECEIPT_UNKNOWN`, `NO_OCTETS`, `RECEIPT_DELETED`, `RAW_MISSING`, `RAW_DAMAGED`.
    pub async fn raw_of(&self, id: ReceiptId) -> Result<RawMessage, StoreError> {
        let receipt = self.receipt(id).await?;
        if receipt.is_deleted() {
            return Err(StoreError::Deleted(id));
        }
        let sha256 = receipt.sha256.ok_or(StoreError::NoOctets(id))?;
        self.octets_of_raw(sha256).await
    }

    /// The octets of a receipt, for somebody who takes them away. That stands in the audit before they are given out.
    ///
    /// # Errors
    /// Those of [`Store::raw_of`].
    pub async fn download(&self, id: ReceiptId, now: Timestamp) -> Result<RawMessage, StoreError> {
        let raw = self.raw_of(id).await?;
        let detail = json!({ "size": raw.size(), "sha256": raw.sha256() });
        self.change(now, move |_, notes| {
            notes.add(AuditAction::ReceiptDownload, "receipt", id, detail.clone());
            Ok(())
        })
        .await?;
        Ok(raw)
    }

    /// Decides a held or deferred receipt again, under the rules of today.
    ///
    /// # Errors
    /// `RECEIPT_UNKNOWN`, `RECEIPT_STATE`, `RECEIPT_DELETED`, `NO_OCTETS`.
    pub async fn retry(&self, id: ReceiptId, now: Timestamp) -> Result<(), StoreError> {
        self.change(now, move |tx, notes| {
            let was = again(tx, id, &[ReceiptState::Held, ReceiptState::Deferred], None)?;
            notes.add(AuditAction::ReceiptRetry, "receipt", id, json!({ "reason": was.reason }));
            Ok(())
        })
        .await
    }

    /// Decides held receipts again, the oldest first, and returns those for which that was arranged: the next ones after
    /// `after`. What has no octets is left out.
    pub async fn retry_held(&self, which: RetryFilter, now: Timestamp) -> Result<Vec<ReceiptId>, StoreError> {
        self.change(now, move |tx, notes| {
            let ids = held_again(tx, &which)?;
            for id in &ids {
                let was = again(tx, *id, &[ReceiptState::Held], None)?;
                notes.add(AuditAction::ReceiptRetry, "receipt", id, json!({ "reason": was.reason }));
            }
            Ok(ids)
        })
        .await
    }

    /// Files a held receipt whatever the rules say about its sender; into this workspace if one is named. With `always` its
    /// sender is admitted as a contact, so that it need not be done again.
    ///
    /// # Errors
    /// `CANNOT_ADMIT`, where admitting the sender would change nothing, `RECEIPT_UNKNOWN`, `RECEIPT_STATE`, `RECEIPT_DELETED`, `NO_OCTETS`, `WORKSPACE_UNKNOWN`.
    pub async fn release(
        &self,
        id: ReceiptId,
        workspace: Option<&WorkspaceKey>,
        always: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let workspace = workspace.cloned();
        self.change(now, move |tx, notes| {
            let chosen = workspace.as_ref().map(|key| workspace_id(tx, key)).transpose()?;
            let was = again(tx, id, &[ReceiptState::Held], Some(chosen.map(|id| id.0)))?;
            let detail = json!({ "reason": was.reason, "workspace": workspace, "always": always });
            notes.add(AuditAction::ReceiptRelease, "receipt", id, detail);
            if always {
                admit(tx, notes, &sender_of(&was)?, now)?;
            }
            Ok(())
        })
        .await
    }
}

const SELECT: &str = "SELECT r.id, m.name, r.remote_id, r.state, r.settlement, r.reason, r.item_number, r.comment_id, \
     r.size, r.sha256, r.message_id, r.from_address, r.subject, r.received_at, r.attempts, r.trace, r.identity, r.decided_at, \
     r.resume_at \
     FROM receipt r JOIN mailbox m ON m.id = r.mailbox_id";

fn receipts(tx: &mut Tx<'_>, filter: &ReceiptFilter) -> Result<Vec<Receipt>, StoreError> {
    let mut params: Vec<Param<'_>> = Vec::new();
    let mut wheres = vec!["TRUE".to_owned()];
    if let Some(name) = &filter.mailbox {
        params.push(name.into());
        wheres.push(format!("m.name = ?{}", params.len()));
    }
    // Written out rather than bound, so that the indexes of the rarer states can be used.
    wheres.extend(filter.state.map(|state| match state {
        ReceiptState::Accepted => "r.state = 'accepted' AND r.due_at IS NOT NULL".to_owned(),
        ReceiptState::Deferred => "r.state = 'deferred' AND r.due_at IS NOT NULL".to_owned(),
        ReceiptState::Filed => "r.state = 'filed'".to_owned(),
        ReceiptState::Held if filter.reason.is_none() => format!("r.state = 'held' AND {}", waits("r.reason")),
        ReceiptState::Held => "r.state = 'held'".to_owned(),
    }));
    if let Some(reason) = filter.reason {
        params.push(reason.code().into());
        wheres.push(format!("r.reason = ?{}", params.len()));
    }
    if let Some(before) = filter.before {
        params.push(before.0.into());
        wheres.push(format!("r.id < ?{}", params.len()));
    }
    wheres.extend(filter.workspaces.as_deref().map(|keys| of_workspaces(keys, &mut params)));
    let limit = if filter.limit == 0 { LIMIT_DEFAULT } else { filter.limit };
    let sql = format!("{SELECT} WHERE {} ORDER BY r.id DESC LIMIT {limit}", wheres.join(" AND "));
    tx.query(&sql, &params)?.into_iter().map(receipt_of).collect()
}

/// The condition that a receipt is of one of these workspaces.
fn of_workspaces<'a>(keys: &'a [WorkspaceKey], params: &mut Vec<Param<'a>>) -> String {
    let first = params.len() + 1;
    params.extend(keys.iter().map(|key| Param::from(key.as_str())));
    let places: Vec<String> = (first..=params.len()).map(|n| format!("?{n}")).collect();
    let keys = if places.is_empty() { "NULL".to_owned() } else { places.join(", ") };
    // What became an item is seen where the item now is, not where the mailbox would have put it.
    format!(
        "coalesce((SELECT w.key FROM item i JOIN workspace w ON w.id = i.workspace_id WHERE i.number = r.item_number), \
         (SELECT w.key FROM workspace w WHERE w.id = m.workspace_id), \
         (SELECT w.key FROM workspace w WHERE w.is_default)) IN ({keys})"
    )
}

pub(crate) fn receipt(tx: &mut Tx<'_>, id: ReceiptId) -> Result<Receipt, StoreError> {
    let row = tx.query_opt(&format!("{SELECT} WHERE r.id = ?1"), params![id.0])?;
    receipt_of(row.ok_or_else(|| StoreError::unknown(Noun::Receipt, id))?)
}

pub(crate) fn receipt_by_remote_id(tx: &mut Tx<'_>, mailbox: MailboxId, id: &RemoteId) -> Result<Receipt, StoreError> {
    let sql = format!("{SELECT} WHERE r.mailbox_id = ?1 AND r.remote_id = ?2");
    let row = tx.query_opt(&sql, params![mailbox.0, &id.to_string()])?;
    receipt_of(row.ok_or_else(|| StoreError::unknown(Noun::Receipt, id))?)
}

fn receipt_of(mut row: Row) -> Result<Receipt, StoreError> {
    let (state, settlement, reason) = (row.text(3)?, row.opt_text(4)?, row.opt_text(5)?);
    let wrong = || StoreError::bad_value("state of a receipt");
    Ok(Receipt {
        id: ReceiptId(row.int(0)?),
        mailbox: row.text(1)?,
        remote_id: row.parse(2)?,
        state: ReceiptState::from_name(&state).ok_or_else(wrong)?,
        settlement: settlement.map(|name| SettlementState::from_name(&name).ok_or_else(wrong)).transpose()?,
        reason: reason.map(|code| Reason::from_code(&code).ok_or_else(wrong)).transpose()?,
        item: row.opt_int(6)?,
        comment: row.opt_int(7)?,
        size: row.unsigned(8)?,
        sha256: row.opt_sha256(9)?,
        message_id: row.opt_text(10)?,
        from: row.opt_text(11)?,
        identity: row.opt_json(16)?,
        subject: row.opt_text(12)?,
        received_at: row.time(13)?,
        attempts: u32::try_from(row.int(14)?).unwrap_or(u32::MAX),
        trace: trace_of(row.opt_text(15)?)?,
        decided_at: row.opt_time(17)?,
        resumes_at: row.opt_time(18)?,
    })
}

fn trace_of(json: Option<String>) -> Result<Vec<TraceStep>, StoreError> {
    let Some(json) = json else { return Ok(Vec::new()) };
    serde_json::from_str(&json).map_err(|error| StoreError::bad_value(format!("trace: {error}")))
}

/// The held receipts that can be decided again.
fn held_again(tx: &mut Tx<'_>, which: &RetryFilter) -> Result<Vec<ReceiptId>, StoreError> {
    let mut params: Vec<Param<'_>> = vec![which.after.0.into(), which.up_to.0.into(), i64::from(which.limit).into()];
    let mut wheres = String::new();
    if let Some(reason) = which.reason {
        params.push(reason.code().into());
        wheres += &format!(" AND r.reason = ?{}", params.len());
    }
    if let Some(name) = &which.mailbox {
        params.push(name.into());
        wheres += &format!(" AND m.name = ?{}", params.len());
    }
    let sql = format!(
        "SELECT r.id FROM receipt r JOIN mailbox m ON m.id = r.mailbox_id WHERE r.state = 'held' AND {} \
         AND r.sha256 IS NOT NULL AND r.id > ?1 AND r.id <= ?2{wheres} ORDER BY r.id LIMIT ?3",
        waits("r.reason")
    );
    tx.query(&sql, &params)?.into_iter().map(|mut row| row.int(0).map(ReceiptId)).collect()
}

/// Makes a receipt wait for intake again, and returns it as it was; `released` with the workspace that a person chose, if one
/// was chosen.
fn again(
    tx: &mut Tx<'_>,
    id: ReceiptId,
    allowed: &[ReceiptState],
    released: Option<Option<i64>>,
) -> Result<Receipt, StoreError> {
    let sql = format!("SELECT id FROM receipt WHERE id = ?1{}", tx.for_update());
    tx.query_opt(&sql, params![id.0])?;
    let receipt = receipt(tx, id)?;
    if !allowed.contains(&receipt.state) {
        return Err(StoreError::ReceiptState { id, state: receipt.state });
    }
    if receipt.is_deleted() {
        return Err(StoreError::Deleted(id));
    }
    if receipt.sha256.is_none() {
        return Err(StoreError::NoOctets(id));
    }
    // A settlement that was carried out stays; one still owed is decided anew.
    tx.execute(
        "UPDATE receipt SET state = 'accepted', reason = NULL, due_at = 0, attempts = 0, \
         settlement = CASE WHEN settlement = 'settled' THEN settlement END, released = ?2, release_workspace_id = ?3, \
         storm = NULL, resume_at = NULL, claimed_by = NULL, claimed_until = NULL, error = NULL WHERE id = ?1",
        params![id.0, released.is_some(), released.flatten()],
    )?;
    Ok(receipt)
}

/// Holds a receipt that was not decided by the rules.
pub(crate) fn hold(
    tx: &mut Tx<'_>,
    id: ReceiptId,
    reason: Reason,
    trace: &[TraceStep],
    now: Timestamp,
) -> Result<(), StoreError> {
    let remote = Remote::of_receipt(tx, id)?;
    let settlement = settlement_of(tx, &remote, false, reason)?;
    tx.execute(
        "UPDATE receipt SET state = 'held', reason = ?2, trace = ?3, settlement = ?4, how = ?5, decided_at = ?6, \
         due_at = NULL, claimed_by = NULL, claimed_until = NULL WHERE id = ?1",
        params![id.0, reason.code(), &to_json(&trace)?, settlement.state.as_str(), settlement.how.as_ref(), now],
    )
    .map(drop)
}

impl Store {
    /// The octets with this digest, verified.
    ///
    /// # Errors
    /// `RAW_MISSING`, `RAW_DAMAGED`.
    pub async fn octets_of_raw(&self, sha256: Sha256) -> Result<RawMessage, StoreError> {
        let row = self
            .read(move |tx| {
                let sql = "SELECT octets, in_file FROM raw WHERE sha256 = ?1";
                let Some(mut row) = tx.query_opt(sql, params![&sha256])? else { return Ok(None) };
                Ok(Some((row.opt_blob(0)?, row.bool(1)?)))
            })
            .await?;
        match row {
            Some((_, true)) => {
                let files = self.files().clone();
                let octets = tokio::task::spawn_blocking(move || files.read(sha256))
                    .await
                    .unwrap_or_else(|error| Err(StoreError::Database(error.into())))?;
                Ok(RawMessage::new(octets))
            }
            Some((Some(octets), false)) => {
                let raw = RawMessage::new(octets);
                if raw.sha256() == sha256 { Ok(raw) } else { Err(StoreError::RawDamaged { sha256 }) }
            }
            _ => Err(StoreError::RawMissing { sha256 }),
        }
    }
}
