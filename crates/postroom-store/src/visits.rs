//! Visits: who may make one, what is known of the mailbox already, and how it ended.

use crate::mailboxes::mailbox_by_id;
use crate::tx::{Row, params};
use crate::{Holder, IsAlive, Store, StoreError, Tx};
use jiff::{SignedDuration, Timestamp};
use postroom_domain::{Mailbox, MailboxId, StartFrom};
use postroom_mail::RemoteId;
use std::collections::{HashMap, HashSet};

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

/// A folder as its server shows it on selecting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderSeen {
    /// The folder as configured.
    pub folder: String,
    /// UIDVALIDITY (RFC 9051 §2.3.1.1).
    pub uid_validity: u32,
    /// UIDNEXT: no message has this UID yet, or a higher one.
    pub uid_next: u32,
}

/// What holds for a folder as long as its UIDVALIDITY stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epoch {
    /// The folder.
    pub folder: String,
    /// Its UIDVALIDITY.
    pub uid_validity: u32,
    /// Messages with a lower UID were there before the first visit and are left alone; 0 when none are.
    pub first_uid: u32,
    /// Messages that arrived before this instant are left alone too.
    pub floor: Option<Timestamp>,
    /// Whether the folder had another UIDVALIDITY before, so that messages may be known under other UIDs.
    pub successor: bool,
}

/// A message that has a receipt, as the server showed it when it was accepted: a UID alone does not prove that it is still
/// the same message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownUid {
    /// The announced size in octets.
    pub size: u64,
    /// When the server received it; when we accepted it, if the server did not tell.
    pub received_at: Timestamp,
}

/// The messages of a Maildir that are known already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownNames {
    /// Those that have a receipt, by the name of [`RemoteId::Maildir`].
    pub receipted: HashSet<String>,
    /// Those that were there before the first visit and are left alone.
    pub before_start: HashSet<String>,
}

/// How a visit ended.
#[derive(Debug, Clone)]
pub struct VisitEnd {
    /// What is shown of it: the JSON of `postroom fetch`.
    pub report: serde_json::Value,
    /// Code and text of its failure, if it failed.
    pub error: Option<(String, String)>,
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

    /// Notes what the folder shows, and says which messages count. On the first visit this fixes which mail was there
    /// before. After a change of UIDVALIDITY everything owed under the old one is cancelled in the same commit, because
    /// an old UID may now be another message.
    ///
    /// # Errors
    /// `LEASE_LOST`.
    pub async fn begin_visit(&self, lease: &Lease, seen: FolderSeen, now: Timestamp) -> Result<Epoch, StoreError> {
        let lease = lease.clone();
        self.write(move |tx| {
            check_lease(tx, &lease)?;
            begin_visit(tx, lease.mailbox, &seen, now)
        })
        .await
    }

    /// The UIDs of this epoch that need not be fetched: those that have a receipt. A receipt without octets counts only as
    /// long as asking again is no use: a message that was too large for `max_message` octets is asked for once it no longer
    /// is, and one that the server did not hand over is asked for at every visit.
    pub async fn known_uids(
        &self,
        mailbox: MailboxId,
        epoch: &Epoch,
        max_message: u64,
    ) -> Result<HashMap<u32, KnownUid>, StoreError> {
        let epoch = epoch.clone();
        self.read(move |tx| {
            let rows = tx.query(
                &format!(
                    "SELECT uid, server_size, received_at FROM receipt WHERE mailbox_id = ?1 AND folder = ?3 \
                     AND uid_validity = ?4 AND uid IS NOT NULL AND {NOT_ASKED_AGAIN}"
                ),
                params![mailbox.0, signed(max_message), &epoch.folder, i64::from(epoch.uid_validity)],
            )?;
            let mut known = HashMap::with_capacity(rows.len());
            for mut row in rows {
                let size = row.opt_int(1)?.unwrap_or(0).unsigned_abs();
                known.insert(uid_of(row.int(0)?)?, KnownUid { size, received_at: row.time(2)? });
            }
            Ok(known)
        })
        .await
    }

    /// The messages of a Maildir that need not be read, as [`Store::known_uids`] counts them.
    pub async fn known_names(&self, mailbox: MailboxId, max_message: u64) -> Result<KnownNames, StoreError> {
        self.read(move |tx| {
            let receipts =
                format!("SELECT remote_id FROM receipt WHERE mailbox_id = ?1 AND uid IS NULL AND {NOT_ASKED_AGAIN}");
            let before = "SELECT remote_id FROM before_start WHERE mailbox_id = ?1";
            Ok(KnownNames {
                receipted: names_of(tx.query(&receipts, params![mailbox.0, signed(max_message)])?)?,
                before_start: names_of(tx.query(before, params![mailbox.0])?)?,
            })
        })
        .await
    }

    /// Records messages of a Maildir or POP3 mailbox that are left alone because they were there before what is to be taken;
    /// that this is no longer the first visit stands in the same commit. [`Mailbox::first_visit_at`] has to be read under the
    /// lease: then nobody else can make the first visit.
    ///
    /// # Errors
    /// `LEASE_LOST`.
    pub async fn leave(&self, lease: &Lease, ids: Vec<RemoteId>, now: Timestamp) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.write(move |tx| {
            check_lease(tx, &lease)?;
            let sql = "INSERT INTO before_start (mailbox_id, remote_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            for id in &ids {
                tx.execute(sql, params![lease.mailbox.0, &id.to_string()])?;
            }
            first_visit(tx, lease.mailbox, now)
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
            let id = lease.mailbox.0;
            let report = end.report.to_string();
            match &end.error {
                None => tx.execute(
                    "UPDATE mailbox SET visits = visits + 1, visited_at = ?2, last_visit = ?3, failing_since = NULL, failures = 0, \
                     error_code = NULL, error_text = NULL WHERE id = ?1",
                    params![id, now, &report],
                ),
                Some((code, text)) => tx.execute(
                    "UPDATE mailbox SET visits = visits + 1, failed_visits = failed_visits + 1, visited_at = ?2, last_visit = ?3, \
                     failing_since = coalesce(failing_since, ?2), \
                     failures = failures + 1, error_code = ?4, error_text = ?5 WHERE id = ?1",
                    params![id, now, &report, code, text],
                ),
            }
            .map(drop)
        })
        .await
    }
}

/// Leaves out the receipts of mailbox `?1` without octets whose message is asked for again under a limit of `?2` octets.
/// Both databases find these few by the index on digests.
pub(crate) const NOT_ASKED_AGAIN: &str = "id NOT IN (SELECT id FROM receipt WHERE sha256 IS NULL AND mailbox_id = ?1 \
     AND (reason = 'UNFETCHABLE' OR (reason = 'TOO_LARGE' AND server_size <= ?2)))";

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

fn begin_visit(tx: &mut Tx<'_>, id: MailboxId, seen: &FolderSeen, now: Timestamp) -> Result<Epoch, StoreError> {
    let row = tx.query_opt(
        "SELECT uid_validity, first_uid, floor_at FROM epoch WHERE mailbox_id = ?1 AND folder = ?2 AND is_current",
        params![id.0, &seen.folder],
    )?;
    let mailbox = mailbox_by_id(tx, id)?;
    let epoch = match row {
        Some(row) => match epoch_of(row, seen)? {
            epoch if epoch.uid_validity == seen.uid_validity => {
                return Ok(Epoch { successor: is_successor(tx, id, &seen.folder, seen.uid_validity)?, ..epoch });
            }
            old => succeed(tx, &mailbox, &old, seen, now)?,
        },
        None => first_epoch(&mailbox, seen),
    };
    tx.execute(
        "INSERT INTO epoch (mailbox_id, folder, uid_validity, first_uid, floor_at, is_current, begun_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, TRUE, ?6) \
         ON CONFLICT (mailbox_id, folder, uid_validity) DO UPDATE SET is_current = TRUE",
        params![id.0, &epoch.folder, i64::from(epoch.uid_validity), i64::from(epoch.first_uid), epoch.floor, now],
    )?;
    first_visit(tx, id, now)?;
    Ok(epoch)
}

fn epoch_of(mut row: Row, seen: &FolderSeen) -> Result<Epoch, StoreError> {
    Ok(Epoch {
        folder: seen.folder.clone(),
        uid_validity: uid_of(row.int(0)?)?,
        first_uid: uid_of(row.int(1)?)?,
        floor: row.opt_time(2)?,
        successor: false,
    })
}

fn first_epoch(mailbox: &Mailbox, seen: &FolderSeen) -> Epoch {
    let (first_uid, floor) = match mailbox.start {
        StartFrom::New => (seen.uid_next, None),
        StartFrom::Since(instant) => (0, Some(instant)),
        StartFrom::All => (0, None),
    };
    Epoch { folder: seen.folder.clone(), uid_validity: seen.uid_validity, first_uid, floor, successor: false }
}

/// Ends the old epoch and begins the next. Old mail can then be told only by its date; should our clock have run ahead at
/// the first visit, that date is no later than now, so that no new mail is taken for old.
fn succeed(
    tx: &mut Tx<'_>,
    mailbox: &Mailbox,
    old: &Epoch,
    seen: &FolderSeen,
    now: Timestamp,
) -> Result<Epoch, StoreError> {
    tx.execute(
        "UPDATE receipt SET settlement = 'kept' \
         WHERE mailbox_id = ?1 AND folder = ?2 AND uid_validity = ?3 AND settlement = 'owed'",
        params![mailbox.id.0, &old.folder, i64::from(old.uid_validity)],
    )?;
    tx.execute(
        "UPDATE epoch SET is_current = FALSE WHERE mailbox_id = ?1 AND folder = ?2",
        params![mailbox.id.0, &old.folder],
    )?;
    let floor = match mailbox.start {
        StartFrom::New => mailbox.first_visit_at.map(|first| first.min(now)),
        StartFrom::Since(instant) => Some(instant),
        StartFrom::All => None,
    };
    Ok(Epoch { folder: seen.folder.clone(), uid_validity: seen.uid_validity, first_uid: 0, floor, successor: true })
}

/// Whether this folder was known under another UIDVALIDITY.
pub(crate) fn is_successor(
    tx: &mut Tx<'_>,
    mailbox: MailboxId,
    folder: &str,
    uid_validity: u32,
) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM epoch WHERE mailbox_id = ?1 AND folder = ?2 AND uid_validity <> ?3 LIMIT 1";
    Ok(tx.query_opt(sql, params![mailbox.0, folder, i64::from(uid_validity)])?.is_some())
}

fn first_visit(tx: &mut Tx<'_>, mailbox: MailboxId, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE mailbox SET first_visit_at = ?2 WHERE id = ?1 AND first_visit_at IS NULL";
    tx.execute(sql, params![mailbox.0, now]).map(drop)
}

fn uid_of(stored: i64) -> Result<u32, StoreError> {
    u32::try_from(stored).map_err(|_| StoreError::bad_value("a UID beyond 32 bits"))
}

fn names_of(rows: Vec<Row>) -> Result<HashSet<String>, StoreError> {
    rows.into_iter()
        .filter_map(|mut row| match row.text(0).map(|text| text.parse()) {
            Ok(Ok(RemoteId::Maildir { name })) => Some(Ok(name)),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        })
        .collect()
}
