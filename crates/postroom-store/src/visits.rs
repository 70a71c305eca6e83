//! Visits: who may make one, how it ended, and when the next one is due.

use crate::mailboxes::{mailbox_by_id, note_any_change};
use crate::tx::params;
use crate::{Holder, IsAlive, Store, StoreError, Tx};
use jiff::{SignedDuration, Timestamp};
use postroom_domain::MailboxId;

/// The right to visit a mailbox, until somebody else takes it over. Only the store makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    mailbox: MailboxId,
    token: i64,
}

impl Lease {
    /// The mailbox that may be visited.
    pub fn mailbox(&self) -> MailboxId {
        self.mailbox
    }
}

/// The answer to asking for a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseTaken {
    /// It is ours.
    Lease(Lease),
    /// This one has it.
    Busy(Holder),
}

/// How a visit ended.
#[derive(Debug, Clone, Default)]
pub struct VisitEnd {
    /// What is shown of it: the JSON of `postroom fetch`.
    pub report: serde_json::Value,
    /// Code and text of its failure, if it failed.
    pub error: Option<(String, String)>,
    /// Whether the mailbox is paused until a person has answered what the failure asks.
    pub asks: bool,
    /// What happens next, as far as whoever made the visit decides on it.
    pub plan: Option<Plan>,
}

/// What happens next with a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// When it is visited next, at the latest.
    pub next_visit_at: Timestamp,
    /// Whether that is so late because the server asked for it.
    pub throttled: bool,
    /// Who waits for new mail meanwhile, over a connection that stays open.
    pub waited_by: Option<Holder>,
}

impl Store {
    /// Takes the lease of a mailbox for `ttl`. It is free when nobody has it, when it expired, and when its holder
    /// died. A holder that has it already is told so too: it is the same process, but another task of it.
    ///
    /// # Errors
    /// `MAILBOX_UNKNOWN`.
    pub async fn take_lease(
        &self,
        mailbox: MailboxId,
        holder: &Holder,
        now: Timestamp,
        ttl: SignedDuration,
    ) -> Result<LeaseTaken, StoreError> {
        let (holder, is_alive) = (holder.clone(), self.inner.is_alive);
        self.write(move |tx| take_lease(tx, mailbox, &holder, is_alive, now, ttl)).await
    }

    /// Keeps a lease for another `ttl`.
    ///
    /// # Errors
    /// `LEASE_LOST`.
    pub async fn renew_lease(&self, lease: &Lease, now: Timestamp, ttl: SignedDuration) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.write(move |tx| {
            check_lease(tx, &lease)?;
            let sql = "UPDATE lease SET expires_at = ?2 WHERE mailbox_id = ?1";
            tx.execute(sql, params![lease.mailbox.0, after(now, ttl)]).map(drop)
        })
        .await
    }

    /// Gives a lease back. One that was lost already is no error.
    pub async fn release_lease(&self, lease: &Lease) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.write(move |tx| {
            let sql = "UPDATE lease SET holder = NULL, expires_at = 0 WHERE mailbox_id = ?1 AND token = ?2";
            tx.execute(sql, params![lease.mailbox.0, lease.token]).map(drop)
        })
        .await
    }

    /// Records how a visit ended.
    ///
    /// # Errors
    /// `LEASE_LOST`.
    pub async fn end_visit(&self, lease: &Lease, end: VisitEnd, now: Timestamp) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.write(move |tx| {
            check_lease(tx, &lease)?;
            end_visit(tx, lease.mailbox, &end, now)
        })
        .await
    }

    /// Records what happens next with a mailbox, for people who look; it is no right to anything.
    pub async fn plan_visit(&self, mailbox: MailboxId, plan: Plan) -> Result<(), StoreError> {
        self.write(move |tx| write_plan(tx, mailbox, &plan)).await
    }
}

/// A size as the database holds it; a server may claim more than a signed number holds.
pub(crate) fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// `now` plus `span`, or the end of time.
pub(crate) fn after(now: Timestamp, span: SignedDuration) -> Timestamp {
    now.checked_add(span).unwrap_or(Timestamp::MAX)
}

fn take_lease(
    tx: &mut Tx<'_>,
    mailbox: MailboxId,
    holder: &Holder,
    is_alive: IsAlive,
    now: Timestamp,
    ttl: SignedDuration,
) -> Result<LeaseTaken, StoreError> {
    mailbox_by_id(tx, mailbox)?;
    tx.execute(
        "INSERT INTO lease (mailbox_id, holder, token, expires_at) VALUES (?1, NULL, 0, 0) ON CONFLICT (mailbox_id) DO NOTHING",
        params![mailbox.0],
    )?;
    let sql = format!("SELECT holder, expires_at FROM lease WHERE mailbox_id = ?1{}", tx.for_update());
    let mut row = tx.query_one(&sql, params![mailbox.0])?;
    let other: Option<Holder> = match row.opt_text(0)? {
        Some(json) => serde_json::from_str(&json).ok(),
        None => None,
    };
    if let Some(other) = other
        && row.time(1)? > now
        && is_alive(&other) != Some(false)
    {
        return Ok(LeaseTaken::Busy(other));
    }
    let sql = "UPDATE lease SET holder = ?2, token = token + 1, expires_at = ?3 WHERE mailbox_id = ?1 RETURNING token";
    let mut row = tx.query_one(sql, params![mailbox.0, &holder.to_json(), after(now, ttl)])?;
    Ok(LeaseTaken::Lease(Lease { mailbox, token: row.int(0)? }))
}

/// Fails if the lease was taken over; if not, nobody can take it over before this transaction ends.
pub(crate) fn check_lease(tx: &mut Tx<'_>, lease: &Lease) -> Result<(), StoreError> {
    let sql = format!("SELECT 1 FROM lease WHERE mailbox_id = ?1 AND token = ?2{}", tx.for_update());
    let row = tx.query_opt(&sql, params![lease.mailbox.0, lease.token])?;
    row.map(drop).ok_or(StoreError::LeaseLost)
}

pub(crate) fn first_visit(tx: &mut Tx<'_>, mailbox: MailboxId, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE mailbox SET first_visit_at = ?2 WHERE id = ?1 AND first_visit_at IS NULL";
    tx.execute(sql, params![mailbox.0, now]).map(drop)
}

fn end_visit(tx: &mut Tx<'_>, id: MailboxId, end: &VisitEnd, now: Timestamp) -> Result<(), StoreError> {
    let report = end.report.to_string();
    let mut row = tx.query_one("SELECT failing_since FROM mailbox WHERE id = ?1", params![id.0])?;
    let was_failing = row.opt_int(0)?.is_some();
    match &end.error {
        None => tx.execute(
            "UPDATE mailbox SET visits = visits + 1, visited_at = ?2, last_visit = ?3, failing_since = NULL, failures = 0, \
             error_code = NULL, error_text = NULL, asks = FALSE, accepts_new = FALSE WHERE id = ?1",
            params![id.0, now, &report],
        )?,
        Some((code, text)) => tx.execute(
            "UPDATE mailbox SET visits = visits + 1, failed_visits = failed_visits + 1, visited_at = ?2, last_visit = ?3, \
             failing_since = coalesce(failing_since, ?2), \
             failures = failures + 1, error_code = ?4, error_text = ?5, paused = (paused OR ?6), asks = (asks OR ?6) \
             WHERE id = ?1",
            params![id.0, now, &report, code, text, end.asks],
        )?,
    };
    // Whoever plans visits waits long after a failure, and must hear that somebody else's visit went well.
    if end.asks || (was_failing && end.error.is_none()) {
        note_any_change(tx)?;
    }
    end.plan.as_ref().map_or(Ok(()), |plan| write_plan(tx, id, plan))
}

fn write_plan(tx: &mut Tx<'_>, id: MailboxId, plan: &Plan) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE mailbox SET next_visit_at = ?2, throttled = ?3, waited_by = ?4 WHERE id = ?1",
        params![id.0, plan.next_visit_at, plan.throttled, plan.waited_by.as_ref().map(Holder::to_json).as_ref()],
    )
    .map(drop)
}
