//! Claiming receipts for reading, and giving claims back.

use crate::journal::hold;
use crate::tx::{Row, params};
use crate::visits::after;
use crate::{Holder, IsAlive, Store, StoreError, Tx};
use jiff::{SignedDuration, Timestamp};
use postroom_domain::{Identity, MailboxId, Reason, ReceiptId, TraceStep};
use postroom_mail::message::Client;
use postroom_mail::{RawMessage, Sha256};
use std::collections::HashMap;

/// How long a claim holds if its worker can neither be seen to live nor to be dead.
const CLAIM_TTL: SignedDuration = SignedDuration::from_mins(10);
/// How long a receipt waits whose octets are there but cannot be read, as when permissions were changed.
const UNREADABLE_WAIT: SignedDuration = SignedDuration::from_mins(5);

/// A receipt that is ours to read and file, with its octets. Only the store makes one.
#[derive(Debug, Clone)]
pub struct Claimed {
    receipt: ReceiptId,
    mailbox: MailboxId,
    token: i64,
    raw: RawMessage,
    received_at: Timestamp,
    attempts: u32,
    released: bool,
    client: Option<Box<Client>>,
    identity: Identity,
}

/// What a claim can be given back with once its [`Claimed`] is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    receipt: ReceiptId,
    token: i64,
}

impl Claimed {
    /// What was accepted and claimed in the same commit.
    pub(crate) fn fresh(
        receipt: ReceiptId,
        mailbox: MailboxId,
        token: i64,
        raw: RawMessage,
        received_at: Timestamp,
    ) -> Self {
        let identity = Identity::default();
        Self { receipt, mailbox, token, raw, received_at, attempts: 0, released: false, client: None, identity }
    }

    pub(crate) fn handed_over_by(self, client: Option<Client>) -> Self {
        Self { client: client.map(Box::new), ..self }
    }

    /// With what was found out about its author.
    pub fn judged(self, identity: Identity) -> Self {
        Self { identity, ..self }
    }

    /// What [`Store::give_back`] takes, without the octets.
    pub fn ticket(&self) -> Ticket {
        Ticket { receipt: self.receipt, token: self.token }
    }

    /// Which receipt.
    pub fn receipt(&self) -> ReceiptId {
        self.receipt
    }

    /// Its mailbox.
    pub fn mailbox(&self) -> MailboxId {
        self.mailbox
    }

    /// The message.
    pub fn raw(&self) -> &RawMessage {
        &self.raw
    }

    /// When the server received it, else when we did.
    pub fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// Tries to file it that the database refused.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Whether a person released it.
    pub fn released(&self) -> bool {
        self.released
    }

    /// Who handed it to the mail server that brought it, if that said so.
    pub fn client(&self) -> Option<&Client> {
        self.client.as_deref()
    }

    /// How sure it is that the author wrote it.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    pub(crate) fn token(&self) -> i64 {
        self.token
    }
}

/// How much to claim at once. At least one receipt is claimed if any is due, however large.
#[derive(Debug, Clone, Copy)]
pub struct ClaimLimit {
    /// Receipts.
    pub count: u32,
    /// Octets of all of them.
    pub octets: u64,
}

pub(crate) fn claim_until(now: Timestamp) -> Timestamp {
    after(now, CLAIM_TTL)
}

/// A claim without its octets.
struct Picked {
    receipt: ReceiptId,
    mailbox: MailboxId,
    token: i64,
    sha256: Sha256,
    size: u64,
    received_at: Timestamp,
    attempts: u32,
    released: bool,
    client: Option<Box<Client>>,
}

impl Store {
    /// Claims receipts that are due, oldest first: what is unclaimed, what has an expired claim, and what a dead worker
    /// had. A mailbox of which another living worker has receipts is passed over, so that its mail is filed in order. A
    /// receipt whose octets are missing or damaged is held here, one whose octets cannot be read is put off; neither is
    /// returned.
    pub async fn claim(&self, worker: &Holder, limit: ClaimLimit, now: Timestamp) -> Result<Vec<Claimed>, StoreError> {
        let (name, is_alive) = (worker.to_json(), self.inner.is_alive);
        let picked = self.write(move |tx| pick(tx, &name, is_alive, limit, now)).await?;
        let tickets = picked.iter().map(|one| Ticket { receipt: one.receipt, token: one.token }).collect();
        match self.with_octets(picked, now).await {
            Ok(claimed) => Ok(claimed),
            Err(error) => {
                // The first error is the one to tell; what cannot be given back now comes free when the claim expires.
                let _ = self.give_back(tickets).await;
                Err(error)
            }
        }
    }

    /// Fetches the octets of these claims. One whose octets are gone is held, and one whose octets cannot be read for now
    /// is put off, so that neither stands in the way of the others.
    async fn with_octets(&self, picked: Vec<Picked>, now: Timestamp) -> Result<Vec<Claimed>, StoreError> {
        let mut claimed = Vec::with_capacity(picked.len());
        for one in picked {
            let id = one.receipt;
            match self.octets_of_raw(one.sha256).await {
                Ok(raw) => claimed.push(one.with(raw)),
                Err(error @ (StoreError::RawMissing { .. } | StoreError::RawDamaged { .. })) => {
                    tracing::error!(receipt = %id, code = error.code(), "holding a receipt without its octets");
                    self.write(move |tx| {
                        let step = TraceStep::new("octets", "damaged", "");
                        hold(tx, id, Reason::OctetsDamaged, &[step], now)
                    })
                    .await?;
                }
                Err(error) if error.is_of_the_database() => return Err(error),
                Err(error) => {
                    tracing::error!(receipt = %id, code = error.code(), %error, "putting off a receipt whose octets cannot be read");
                    self.put_off(id, one.token, format!("{}: {error}", error.code()), after(now, UNREADABLE_WAIT))
                        .await?;
                }
            }
        }
        Ok(claimed)
    }

    /// Puts a receipt off that is not to blame: this is no try to file it.
    async fn put_off(&self, id: ReceiptId, token: i64, why: String, retry_at: Timestamp) -> Result<(), StoreError> {
        self.write(move |tx| {
            tx.execute(
                "UPDATE receipt SET state = 'deferred', due_at = ?3, error = ?4, claimed_by = NULL, claimed_until = NULL \
                 WHERE id = ?1 AND claim_token = ?2 AND due_at IS NOT NULL",
                params![id.0, token, retry_at, &why],
            )
            .map(drop)
        })
        .await
    }

    /// Gives claims back, so that others, and this worker too, can claim these receipts at once: after a batch that could
    /// not be filed, or a visit that was given up. Claims that were lost meanwhile are left as they are.
    pub async fn give_back(&self, tickets: Vec<Ticket>) -> Result<(), StoreError> {
        self.write(move |tx| {
            let sql = "UPDATE receipt SET claimed_by = NULL, claimed_until = NULL WHERE id = ?1 AND claim_token = ?2 \
                       AND due_at IS NOT NULL";
            tickets.iter().try_for_each(|ticket| tx.execute(sql, params![ticket.receipt.0, ticket.token]).map(drop))
        })
        .await
    }

    /// How many receipts of each mailbox are due now, claimed ones included.
    pub async fn pending(&self, now: Timestamp) -> Result<HashMap<MailboxId, u64>, StoreError> {
        self.read(move |tx| {
            // The plus keeps SQLite from walking all receipts in the order of their mailboxes.
            let sql = "SELECT +mailbox_id, count(*) FROM receipt WHERE due_at IS NOT NULL AND due_at <= ?1 GROUP BY 1";
            let rows = tx.query(sql, params![now])?;
            rows.into_iter().map(|mut row| Ok((MailboxId(row.int(0)?), row.unsigned(1)?))).collect()
        })
        .await
    }
}

impl Picked {
    fn with(self, raw: RawMessage) -> Claimed {
        Claimed {
            receipt: self.receipt,
            mailbox: self.mailbox,
            token: self.token,
            raw,
            received_at: self.received_at,
            attempts: self.attempts,
            released: self.released,
            client: self.client,
            identity: Identity::default(),
        }
    }
}

fn pick(
    tx: &mut Tx<'_>,
    worker: &str,
    is_alive: IsAlive,
    limit: ClaimLimit,
    now: Timestamp,
) -> Result<Vec<Picked>, StoreError> {
    release_claims_of_the_dead(tx, worker, is_alive)?;
    crate::storms::resume(tx, now)?;
    let sql = format!(
        "SELECT id, mailbox_id, claim_token, sha256, size, received_at, attempts, released, client FROM receipt \
         WHERE due_at IS NOT NULL AND due_at <= ?1 AND (claimed_until IS NULL OR claimed_until <= ?1) \
         AND mailbox_id NOT IN (SELECT mailbox_id FROM receipt \
           WHERE claimed_by IS NOT NULL AND claimed_by <> ?2 AND claimed_until > ?1) \
         ORDER BY id LIMIT ?3{}",
        tx.for_update_skip_locked()
    );
    let rows = tx.query(&sql, params![now, worker, i64::from(limit.count)])?;
    let candidates = rows.into_iter().map(picked_of).collect::<Result<Vec<_>, _>>()?;
    let mut picked: Vec<Picked> = Vec::new();
    let mut octets = 0u64;
    for mut one in candidates {
        octets = octets.saturating_add(one.size);
        if !picked.is_empty() && octets > limit.octets {
            break;
        }
        one.token += 1;
        tx.execute(
            "UPDATE receipt SET claimed_by = ?2, claimed_until = ?3, claim_token = ?4 WHERE id = ?1",
            params![one.receipt.0, worker, claim_until(now), one.token],
        )?;
        picked.push(one);
    }
    Ok(picked)
}

fn picked_of(mut row: Row) -> Result<Picked, StoreError> {
    Ok(Picked {
        receipt: ReceiptId(row.int(0)?),
        mailbox: MailboxId(row.int(1)?),
        token: row.int(2)?,
        sha256: row.sha256(3)?,
        size: row.unsigned(4)?,
        received_at: row.time(5)?,
        attempts: u32::try_from(row.int(6)?).unwrap_or(u32::MAX),
        released: row.bool(7)?,
        client: row.opt_json(8)?,
    })
}

fn release_claims_of_the_dead(tx: &mut Tx<'_>, worker: &str, is_alive: IsAlive) -> Result<(), StoreError> {
    let sql = "SELECT DISTINCT claimed_by FROM receipt WHERE claimed_by IS NOT NULL AND claimed_by <> ?1";
    for mut row in tx.query(sql, params![worker])? {
        let name = row.text(0)?;
        let holder: Option<Holder> = serde_json::from_str(&name).ok();
        if holder.is_none_or(|holder| is_alive(&holder) == Some(false)) {
            release_claims_of(tx, &name)?;
        }
    }
    Ok(())
}

fn release_claims_of(tx: &mut Tx<'_>, worker: &str) -> Result<(), StoreError> {
    let sql =
        "UPDATE receipt SET claimed_by = NULL, claimed_until = NULL WHERE claimed_by IS NOT NULL AND claimed_by = ?1";
    tx.execute(sql, params![worker]).map(drop)
}
