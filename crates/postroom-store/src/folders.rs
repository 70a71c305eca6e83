//! Folders: what was there before the first visit, what is known of them, and what they showed last.

use crate::deletion::gone_unfetched;
use crate::mailboxes::mailbox_by_id;
use crate::names::{give_up, give_up_all};
use crate::tx::{Row, params};
use crate::visits::{check_lease, first_visit, signed};
use crate::{Lease, Store, StoreError, Tx};
use jiff::Timestamp;
use postroom_domain::{Mailbox, MailboxId, ReceiptId, StartFrom};
use postroom_mail::{RemoteId, Sha256};
use std::collections::{HashMap, HashSet};

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

/// What a folder showed at the end of the last visit that came to its end in it. A POP3 mailbox or a Maildir is one folder
/// whose name is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// Every message with this UID or a lower one has its account.
    pub listed_to: u32,
    /// HIGHESTMODSEQ (RFC 7162).
    pub mod_seq: Option<u64>,
    /// What the names of all messages in their order come to, over POP3.
    pub names: Option<Sha256>,
    /// Octets of all messages, over POP3.
    pub octets: Option<u64>,
    /// How many messages were there: ours, and those from before the first visit.
    pub present: u64,
    /// How many of them were there before the first visit.
    pub before_start: u64,
    /// When the whole folder was listed last.
    pub whole_at: Timestamp,
}

/// The messages of a Maildir that are known already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownNames {
    /// Those that have a receipt, by the name of [`RemoteId::Maildir`].
    pub receipted: HashSet<String>,
    /// Those that were there before the first visit and are left alone.
    pub before_start: HashSet<String>,
}

impl Store {
    /// Notes what a folder shows, and says which messages count. On the first visit this fixes which mail was there before.
    /// After a change of UIDVALIDITY everything owed under the old one is cancelled and its names are given up in the same
    /// commit, because an old UID may now be another message.
    ///
    /// # Errors
    /// `LEASE_LOST`.
    pub async fn begin_folder(&self, lease: &Lease, seen: FolderSeen, now: Timestamp) -> Result<Epoch, StoreError> {
        let lease = lease.clone();
        self.write(move |tx| {
            check_lease(tx, &lease)?;
            begin_folder(tx, lease.mailbox(), &seen, now)
        })
        .await
    }

    /// What a folder showed last, if that still holds: its UIDVALIDITY (0 where it has none) must be this one.
    pub async fn memory(
        &self,
        mailbox: MailboxId,
        folder: &str,
        uid_validity: u32,
    ) -> Result<Option<Memory>, StoreError> {
        let folder = folder.to_owned();
        self.read(move |tx| {
            let row = tx.query_opt(
                "SELECT listed_to, mod_seq, names, octets, present, before_start, whole_at FROM folder \
                 WHERE mailbox_id = ?1 AND name = ?2 AND uid_validity = ?3",
                params![mailbox.0, &folder, i64::from(uid_validity)],
            )?;
            row.map(memory_of).transpose()
        })
        .await
    }

    /// Records what a folder showed at the end of a visit; `present` is counted here, and returned.
    ///
    /// # Errors
    /// `LEASE_LOST`.
    pub async fn remember(
        &self,
        lease: &Lease,
        folder: &str,
        uid_validity: u32,
        memory: Memory,
    ) -> Result<u64, StoreError> {
        let (lease, folder) = (lease.clone(), folder.to_owned());
        self.write(move |tx| {
            check_lease(tx, &lease)?;
            let id = lease.mailbox().0;
            let present = memory.before_start + count_ours(tx, id, &folder, uid_validity)?;
            tx.execute(
                "INSERT INTO folder (mailbox_id, name, uid_validity, listed_to, mod_seq, names, octets, present, \
                 before_start, whole_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
                 ON CONFLICT (mailbox_id, name) DO UPDATE SET uid_validity = excluded.uid_validity, \
                 listed_to = excluded.listed_to, mod_seq = excluded.mod_seq, names = excluded.names, \
                 octets = excluded.octets, present = excluded.present, before_start = excluded.before_start, \
                 whole_at = excluded.whole_at",
                params![
                    id,
                    &folder,
                    i64::from(uid_validity),
                    i64::from(memory.listed_to),
                    memory.mod_seq.map(signed),
                    memory.names.as_ref(),
                    memory.octets.map(signed),
                    signed(present),
                    signed(memory.before_start),
                    memory.whole_at
                ],
            )?;
            Ok(present)
        })
        .await
    }

    /// The UIDs of this epoch from `from` on whose messages are there and need not be fetched: those that have a receipt; with
    /// the time when the server received each, or we accepted it, since a UID alone does not prove that it is still the same. A
    /// receipt without octets counts only as long as asking again is no use: a message that was too large for
    /// `max_message` octets is asked for once it no longer is, and one that the server did not hand over is asked for at
    /// every visit.
    pub async fn known_uids(
        &self,
        mailbox: MailboxId,
        epoch: &Epoch,
        from: u32,
        max_message: u64,
    ) -> Result<HashMap<u32, Timestamp>, StoreError> {
        let epoch = epoch.clone();
        self.read(move |tx| {
            let rows = tx.query(
                &format!("SELECT uid, received_at {IN_EPOCH} AND uid >= ?5 AND {}", not_asked_again()),
                params![mailbox.0, signed(max_message), &epoch.folder, i64::from(epoch.uid_validity), i64::from(from)],
            )?;
            let mut known = HashMap::with_capacity(rows.len());
            for mut row in rows {
                known.insert(uid_of(row.int(0)?)?, row.time(1)?);
            }
            Ok(known)
        })
        .await
    }

    /// The UIDs of this epoch that are asked for at this visit although they have a receipt, for [`Store::known_uids`].
    pub async fn asked_again(
        &self,
        mailbox: MailboxId,
        epoch: &Epoch,
        max_message: u64,
    ) -> Result<Vec<u32>, StoreError> {
        let epoch = epoch.clone();
        self.read(move |tx| {
            // Written so that the index on UIDs, by which there may be many, is not taken.
            let rows = tx.query(
                &format!(
                    "SELECT uid FROM receipt WHERE {ASKED_AGAIN} AND coalesce(folder, '') = ?3 \
                     AND coalesce(uid_validity, 0) = ?4 AND uid IS NOT NULL AND on_server ORDER BY uid"
                ),
                params![mailbox.0, signed(max_message), &epoch.folder, i64::from(epoch.uid_validity)],
            )?;
            rows.into_iter().map(|mut row| uid_of(row.int(0)?)).collect()
        })
        .await
    }

    /// Whether any message of a mailbox is asked for at this visit although it has a receipt.
    pub async fn asks_again(&self, mailbox: MailboxId, max_message: u64) -> Result<bool, StoreError> {
        self.read(move |tx| {
            let sql = format!("SELECT 1 FROM receipt WHERE {ASKED_AGAIN} AND on_server LIMIT 1");
            Ok(tx.query_opt(&sql, params![mailbox.0, signed(max_message)])?.is_some())
        })
        .await
    }

    /// The UIDs of this epoch that have a receipt and are there as far as is known, in ascending order.
    pub async fn present_uids(&self, mailbox: MailboxId, epoch: &Epoch) -> Result<Vec<u32>, StoreError> {
        let epoch = epoch.clone();
        self.read(move |tx| {
            let rows = tx.query(
                "SELECT uid FROM receipt WHERE mailbox_id = ?1 AND folder = ?2 AND uid_validity = ?3 \
                 AND uid IS NOT NULL AND on_server ORDER BY uid",
                params![mailbox.0, &epoch.folder, i64::from(epoch.uid_validity)],
            )?;
            rows.into_iter().map(|mut row| uid_of(row.int(0)?)).collect()
        })
        .await
    }

    /// Records that these messages are on their server no longer. With `give_up_names` their UIDs may mean other messages from
    /// now on, and they may come under other UIDs, as after a restored backup. For one whose octets never came nobody has to wait any
    /// longer.
    ///
    /// # Errors
    /// `LEASE_LOST`.
    pub async fn vanished(
        &self,
        lease: &Lease,
        ids: Vec<RemoteId>,
        give_up_names: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.write(move |tx| {
            check_lease(tx, &lease)?;
            for id in &ids {
                let name = id.to_string();
                let sql = "UPDATE receipt SET on_server = FALSE WHERE mailbox_id = ?1 AND remote_id = ?2 RETURNING id";
                let row = tx.query_opt(sql, params![lease.mailbox().0, &name])?;
                let Some(mut row) = row else { continue };
                let receipt = ReceiptId(row.int(0)?);
                if !gone_unfetched(tx, receipt, now)? && give_up_names {
                    give_up(tx, receipt, &name)?;
                }
            }
            Ok(())
        })
        .await
    }

    /// The messages of a Maildir that need not be read, as [`Store::known_uids`] counts them.
    pub async fn known_names(&self, mailbox: MailboxId, max_message: u64) -> Result<KnownNames, StoreError> {
        self.read(move |tx| {
            let receipts = format!(
                "SELECT remote_id FROM receipt WHERE mailbox_id = ?1 AND uid IS NULL AND on_server AND {}",
                not_asked_again()
            );
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
                tx.execute(sql, params![lease.mailbox().0, &id.to_string()])?;
            }
            first_visit(tx, lease.mailbox(), now)
        })
        .await
    }

    /// Records why a folder could not be read although others could, or that it can be read again.
    ///
    /// # Errors
    /// `LEASE_LOST`.
    pub async fn folder_failed(
        &self,
        lease: &Lease,
        folder: &str,
        error: Option<(String, String)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (lease, folder) = (lease.clone(), folder.to_owned());
        self.write(move |tx| {
            check_lease(tx, &lease)?;
            match &error {
                None => {
                    let sql = "DELETE FROM folder_failure WHERE mailbox_id = ?1 AND name = ?2";
                    tx.execute(sql, params![lease.mailbox().0, &folder])
                }
                Some((code, message)) => tx.execute(
                    "INSERT INTO folder_failure (mailbox_id, name, code, message, since) VALUES (?1, ?2, ?3, ?4, ?5) \
                     ON CONFLICT (mailbox_id, name) DO UPDATE SET code = excluded.code, message = excluded.message",
                    params![lease.mailbox().0, &folder, code, message, now],
                ),
            }
            .map(drop)
        })
        .await
    }
}

/// The receipts of mailbox `?1`, folder `?3` and UIDVALIDITY `?4` whose messages are there.
const IN_EPOCH: &str =
    "FROM receipt WHERE mailbox_id = ?1 AND folder = ?3 AND uid_validity = ?4 AND uid IS NOT NULL AND on_server";

/// The receipts of mailbox `?1` without octets whose message is asked for again under a limit of `?2` octets. Both databases
/// find these few by the index on digests.
pub(crate) const ASKED_AGAIN: &str = "sha256 IS NULL AND mailbox_id = ?1 \
     AND (reason = 'UNFETCHABLE' OR (reason = 'TOO_LARGE' AND server_size <= ?2))";

/// Leaves them out.
pub(crate) fn not_asked_again() -> String {
    format!("id NOT IN (SELECT id FROM receipt WHERE {ASKED_AGAIN})")
}

/// How many messages that have a receipt are there.
fn count_ours(tx: &mut Tx<'_>, mailbox: i64, folder: &str, uid_validity: u32) -> Result<u64, StoreError> {
    let (sql, params) = match folder {
        // Where the mailbox is one folder: all, less those that are somewhere else, which are counted by their own index.
        "" => (
            "SELECT (SELECT count(*) FROM receipt WHERE mailbox_id = ?1) \
             - (SELECT count(*) FROM receipt WHERE mailbox_id = ?1 AND NOT on_server)",
            &params![mailbox][..],
        ),
        _ => (
            "SELECT count(*) FROM receipt WHERE mailbox_id = ?1 AND folder = ?2 AND uid_validity = ?3 \
             AND uid IS NOT NULL AND on_server",
            &params![mailbox, folder, i64::from(uid_validity)][..],
        ),
    };
    tx.query_one(sql, params)?.unsigned(0)
}

fn memory_of(mut row: Row) -> Result<Memory, StoreError> {
    Ok(Memory {
        listed_to: u32::try_from(row.int(0)?).map_err(|_| StoreError::bad_value("a UID beyond 32 bits"))?,
        mod_seq: row.opt_int(1)?.map(i64::unsigned_abs),
        names: row.opt_sha256(2)?,
        octets: row.opt_int(3)?.map(i64::unsigned_abs),
        present: row.unsigned(4)?,
        before_start: row.unsigned(5)?,
        whole_at: row.time(6)?,
    })
}

fn begin_folder(tx: &mut Tx<'_>, id: MailboxId, seen: &FolderSeen, now: Timestamp) -> Result<Epoch, StoreError> {
    let row = tx.query_opt(
        "SELECT uid_validity, first_uid, floor_at FROM epoch WHERE mailbox_id = ?1 AND folder = ?2 AND is_current",
        params![id.0, &seen.folder],
    )?;
    let mailbox = mailbox_by_id(tx, id)?;
    let epoch = match row {
        Some(row) => match epoch_of(row, seen)? {
            epoch if epoch.uid_validity == seen.uid_validity => {
                return Ok(Epoch { successor: is_successor(tx, id, seen)?, ..epoch });
            }
            old => succeed(tx, &mailbox, &old, seen, now)?,
        },
        None => first_epoch(&mailbox, seen),
    };
    tx.execute(
        "INSERT INTO epoch (mailbox_id, folder, uid_validity, first_uid, floor_at, is_current, begun_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, TRUE, ?6) \
         ON CONFLICT (mailbox_id, folder, uid_validity) DO UPDATE SET is_current = TRUE, \
         first_uid = excluded.first_uid, floor_at = excluded.floor_at",
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
    give_up_all(tx, mailbox.id, &old.folder, old.uid_validity)?;
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
fn is_successor(tx: &mut Tx<'_>, mailbox: MailboxId, seen: &FolderSeen) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM epoch WHERE mailbox_id = ?1 AND folder = ?2 AND uid_validity <> ?3 LIMIT 1";
    Ok(tx.query_opt(sql, params![mailbox.0, &seen.folder, i64::from(seen.uid_validity)])?.is_some())
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
