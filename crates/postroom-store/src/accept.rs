//! The first durable point: octets and receipts of a batch in one commit.

use crate::crash::crash_point;
use crate::files::Files;
use crate::intake::{Claimed, claim_until};
use crate::tx::{Param, params};
use crate::visits::{check_lease, signed};
use crate::{Holder, Lease, Store, StoreError, Tx, names};
use bytes::Bytes;
use jiff::Timestamp;
use postroom_domain::{MailboxId, Reason, Receipt, ReceiptId};
use postroom_mail::message::Client;
use postroom_mail::{Listed, RawMessage, RemoteId, Sha256};

/// A message as it came from its server.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// How the listing showed it.
    pub listed: Listed,
    /// Its octets.
    pub raw: RawMessage,
}

/// A message that is brought to us rather than fetched.
#[derive(Debug, Clone)]
pub struct Pushed {
    /// Its octets.
    pub raw: RawMessage,
    /// Who handed it to the mail server that brings it, if that says so.
    pub client: Option<Client>,
}

impl From<RawMessage> for Pushed {
    fn from(raw: RawMessage) -> Self {
        Self { raw, client: None }
    }
}

/// What became of a batch.
#[derive(Debug, Default)]
pub struct AcceptedBatch {
    /// The receipts that are new or have their octets at last, claimed by the worker that accepted them, in the order of the batch.
    pub claimed: Vec<Claimed>,
    /// How many had a receipt already.
    pub known: usize,
    /// How many were known under a name that is given up, and are now known under this one.
    pub rebound: usize,
}

/// What became of a message that was brought to us.
#[derive(Debug)]
pub enum Accepted {
    /// It is durable, and claimed by the worker that brought it.
    New(Claimed),
    /// It was brought before.
    Known(Box<Receipt>),
}

impl Store {
    /// Makes a batch durable in one commit: octets, and a receipt for every message that has none. Repeating it changes
    /// nothing. A receipt whose octets were never fetched gets them now, and waits for intake. A message whose octets have a
    /// receipt with a name that is given up is bound to that receipt, as often as there are such receipts; and a name that
    /// has other octets now is another message.
    ///
    /// # Errors
    /// `LEASE_LOST`, `DATABASE_FULL`, … Then no message of the batch has a receipt because of this call.
    pub async fn accept(
        &self,
        lease: &Lease,
        batch: Vec<Fetched>,
        worker: &Holder,
        now: Timestamp,
    ) -> Result<AcceptedBatch, StoreError> {
        self.write_large(batch.iter().map(|fetched| &fetched.raw)).await?;
        crash_point!("store.accept.after_files");
        let (lease, worker, files) = (lease.clone(), worker.to_json(), self.files().clone());
        let accepted = self
            .write(move |tx| {
                check_lease(tx, &lease)?;
                let accepted = accept(tx, &files, lease.mailbox(), &batch, &worker, now)?;
                crash_point!("store.accept.before_commit");
                Ok(accepted)
            })
            .await?;
        crash_point!("store.accept.after_commit");
        Ok(accepted)
    }

    /// Makes one message durable that was brought to us rather than fetched. The same octets brought to the same mailbox
    /// again are the same message.
    ///
    /// # Errors
    /// `MAILBOX_UNKNOWN`, `DATABASE_FULL`, …
    pub async fn accept_pushed(
        &self,
        mailbox: MailboxId,
        message: impl Into<Pushed>,
        worker: &Holder,
        now: Timestamp,
    ) -> Result<Accepted, StoreError> {
        let Pushed { raw, client } = message.into();
        let noted = client.as_ref().map(crate::workspaces::to_json).transpose()?;
        self.write_large(std::iter::once(&raw)).await?;
        crash_point!("store.accept.after_files");
        let (worker, files) = (worker.to_json(), self.files().clone());
        let id = RemoteId::Push { digest: raw.sha256().to_string() };
        let listed = Listed { id: id.clone(), size: raw.size(), received_at: None };
        let batch = [Fetched { listed, raw }];
        let accepted = self
            .write(move |tx| {
                crate::mailboxes::mailbox_by_id(tx, mailbox)?;
                let claimed = accept(tx, &files, mailbox, &batch, &worker, now)?.claimed.pop();
                let accepted = match claimed {
                    Some(claimed) => {
                        if let Some(noted) = &noted {
                            let sql = "UPDATE receipt SET client = ?2 WHERE id = ?1";
                            tx.execute(sql, params![claimed.receipt().0, noted])?;
                        }
                        Accepted::New(claimed.handed_over_by(client.clone()))
                    }
                    None => Accepted::Known(Box::new(crate::journal::receipt_by_remote_id(tx, mailbox, &id)?)),
                };
                crash_point!("store.accept.before_commit");
                Ok(accepted)
            })
            .await?;
        crash_point!("store.accept.after_commit");
        Ok(accepted)
    }

    /// Records messages whose octets stay on the server: too large, or not handed over. They are held and kept. Returns how
    /// many had no receipt yet; one without octets takes over the reason of today.
    ///
    /// # Errors
    /// `LEASE_LOST`.
    pub async fn accept_unfetched(
        &self,
        lease: &Lease,
        batch: Vec<(Listed, Reason)>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let lease = lease.clone();
        self.write(move |tx| {
            check_lease(tx, &lease)?;
            let mut new = 0;
            for (listed, reason) in &batch {
                let row = NewReceipt { mailbox: lease.mailbox(), listed, size: listed.size, sha256: None, now };
                new += u64::from(row.insert(tx, None, Some(*reason))?.is_some());
                let trace =
                    format!(r#"[{{"rule":"fetch","outcome":"{reason}","detail":"announced {} octets"}}]"#, listed.size);
                tx.execute(
                    "UPDATE receipt SET reason = ?3, size = ?4, server_size = ?4, trace = ?5, decided_at = ?6, on_server = TRUE \
                     WHERE mailbox_id = ?1 AND remote_id = ?2 AND sha256 IS NULL AND coalesce(reason, '') <> 'DELETED'",
                    params![row.mailbox.0, &listed.id.to_string(), reason.code(), signed(listed.size), &trace, now],
                )?;
            }
            Ok(new)
        })
        .await
    }

    /// Writes what is large into files, on a thread that may block.
    async fn write_large(&self, raws: impl Iterator<Item = &RawMessage>) -> Result<(), StoreError> {
        let contents = raws.map(|raw| (raw.sha256(), raw.octets().clone())).collect();
        self.write_large_contents(contents).await
    }

    pub(crate) async fn write_large_contents(&self, contents: Vec<(Sha256, Bytes)>) -> Result<(), StoreError> {
        if !contents.iter().any(|(_, octets)| self.files().takes(octets)) {
            return Ok(());
        }
        let files = self.files().clone();
        tokio::task::spawn_blocking(move || files.write_large(&contents))
            .await
            .unwrap_or_else(|error| Err(StoreError::Database(error.into())))
    }
}

fn accept(
    tx: &mut Tx<'_>,
    files: &Files,
    mailbox: MailboxId,
    batch: &[Fetched],
    worker: &str,
    now: Timestamp,
) -> Result<AcceptedBatch, StoreError> {
    let mut out = AcceptedBatch::default();
    let mut may_be_bound = names::are_given_up(tx, mailbox)?;
    for fetched in batch {
        let (listed, raw) = (&fetched.listed, &fetched.raw);
        match standing(tx, mailbox, &listed.id)? {
            // A digest names nothing but these octets; any other name may have been given to another message.
            Standing::Known(id) if !is_pushed(&listed.id) && !names::is_same(tx, id, listed, raw)? => {
                may_be_bound = true;
            }
            Standing::Known(_) => {
                out.known += 1;
                continue;
            }
            Standing::Unfetched(id) => {
                insert_raw(tx, files, raw)?;
                out.claimed.push(fill(tx, id, mailbox, fetched, worker, now)?);
                continue;
            }
            Standing::New => {}
        }
        if may_be_bound && names::bind(tx, mailbox, listed, &raw.sha256())? {
            out.rebound += 1;
            continue;
        }
        insert_raw(tx, files, raw)?;
        crash_point!("store.accept.raw_inserted");
        let sha256 = raw.sha256();
        let row = NewReceipt { mailbox, listed, size: raw.size(), sha256: Some(&sha256), now };
        match row.insert(tx, Some(worker), None)? {
            Some(id) => out.claimed.push(Claimed::fresh(id, mailbox, 1, raw.clone(), row.received_at())),
            None => out.known += 1,
        }
    }
    Ok(out)
}

/// What is known of a message already.
enum Standing {
    New,
    /// It has a receipt without octets, which was held for that.
    Unfetched(ReceiptId),
    Known(ReceiptId),
}

/// Whether there is a receipt. Two processes that ask at the same time still get only one, by the unique key; asking first
/// spares the octets a second way into the database.
fn standing(tx: &mut Tx<'_>, mailbox: MailboxId, id: &RemoteId) -> Result<Standing, StoreError> {
    let sql = "SELECT id, sha256 IS NULL AND coalesce(reason, '') <> 'DELETED' FROM receipt \
               WHERE mailbox_id = ?1 AND remote_id = ?2";
    let Some(mut row) = tx.query_opt(sql, params![mailbox.0, &id.to_string()])? else { return Ok(Standing::New) };
    let id = ReceiptId(row.int(0)?);
    Ok(if row.bool(1)? { Standing::Unfetched(id) } else { Standing::Known(id) })
}

/// Gives a receipt the octets that it never had, claimed by `worker` and as if it were new. The lease keeps others from
/// doing so at the same time.
fn fill(
    tx: &mut Tx<'_>,
    id: ReceiptId,
    mailbox: MailboxId,
    fetched: &Fetched,
    worker: &str,
    now: Timestamp,
) -> Result<Claimed, StoreError> {
    let received_at = arrival(&fetched.listed, now);
    let mut row = tx.query_one(
        "UPDATE receipt SET sha256 = ?2, size = ?3, server_size = ?4, received_at = ?5, accepted_at = ?6, state = 'accepted', \
         due_at = 0, settlement = NULL, how = NULL, reason = NULL, trace = NULL, decided_at = NULL, error = NULL, \
         claimed_by = ?7, claimed_until = ?8, claim_token = claim_token + 1, on_server = TRUE WHERE id = ?1 RETURNING claim_token",
        params![
            id.0,
            &fetched.raw.sha256(),
            signed(fetched.raw.size()),
            signed(fetched.listed.size),
            received_at,
            now,
            worker,
            claim_until(now)
        ],
    )?;
    Ok(Claimed::fresh(id, mailbox, row.int(0)?, fetched.raw.clone(), received_at))
}

fn insert_raw(tx: &mut Tx<'_>, files: &Files, raw: &RawMessage) -> Result<(), StoreError> {
    let in_file = files.takes(raw.octets());
    let octets = if in_file { Param::Null } else { Param::Blob(raw.octets()) };
    // Octets that were deleted and come again are here again. On PostgreSQL the row stays locked either way, so that nobody
    // finds these octets unwanted before this transaction has said that they are.
    tx.execute(
        "INSERT INTO raw (sha256, size, octets, in_file) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (sha256) DO UPDATE \
         SET octets = excluded.octets, in_file = excluded.in_file, deleted = FALSE WHERE raw.deleted",
        &[(&raw.sha256()).into(), (raw.size() as i64).into(), octets, in_file.into()],
    )?;
    files.ensure(raw.sha256(), raw.octets())
}

/// When a message arrived, as far as that is known. POP3 does not say it, so it comes from the message, and a message may
/// claim what it likes: nothing arrives later than now.
fn arrival(listed: &Listed, now: Timestamp) -> Timestamp {
    match (listed.received_at, is_pop3(&listed.id)) {
        (Some(at), true) => at.min(now),
        (Some(at), false) => at,
        (None, _) => now,
    }
}

fn is_pushed(id: &RemoteId) -> bool {
    matches!(id, RemoteId::Push { .. })
}

fn is_pop3(id: &RemoteId) -> bool {
    matches!(id, RemoteId::Pop3 { .. } | RemoteId::Pop3Digest { .. })
}

struct NewReceipt<'a> {
    mailbox: MailboxId,
    listed: &'a Listed,
    size: u64,
    sha256: Option<&'a Sha256>,
    now: Timestamp,
}

impl NewReceipt<'_> {
    fn received_at(&self) -> Timestamp {
        arrival(self.listed, self.now)
    }

    /// Writes the receipt: claimed by a worker, or held at once for a reason. `None` if there is one already.
    fn insert(
        &self,
        tx: &mut Tx<'_>,
        worker: Option<&str>,
        held: Option<Reason>,
    ) -> Result<Option<ReceiptId>, StoreError> {
        let (folder, uid_validity, uid) = match &self.listed.id {
            RemoteId::Imap { folder, uid_validity, uid } => {
                (Some(folder), Some(i64::from(*uid_validity)), Some(i64::from(*uid)))
            }
            RemoteId::Pop3 { .. }
            | RemoteId::Pop3Digest { .. }
            | RemoteId::Gone { .. }
            | RemoteId::Maildir { .. }
            | RemoteId::Push { .. } => (None, None, None),
        };
        let row = tx.query_opt(
            "INSERT INTO receipt (mailbox_id, remote_id, folder, uid_validity, uid, server_size, state, settlement, \
             reason, size, sha256, received_at, accepted_at, attempts, due_at, claimed_by, claimed_until, \
             claim_token, released, on_server) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 0, ?14, ?15, ?16, 1, FALSE, ?17) \
             ON CONFLICT (mailbox_id, remote_id) DO NOTHING RETURNING id",
            params![
                self.mailbox.0,
                &self.listed.id.to_string(),
                folder,
                uid_validity,
                uid,
                signed(self.listed.size),
                if held.is_some() { "held" } else { "accepted" },
                held.map(|_| "kept"),
                held.map(Reason::code),
                signed(self.size),
                self.sha256,
                self.received_at(),
                self.now,
                if held.is_some() { None } else { Some(0) },
                worker,
                worker.map(|_| claim_until(self.now)),
                !is_pushed(&self.listed.id)
            ],
        )?;
        row.map(|mut row| row.int(0).map(ReceiptId)).transpose()
    }
}
