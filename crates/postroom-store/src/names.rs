//! Names that hold no longer, and which receipt a message has that comes under another one.
//!
//! A server may give all messages new names: a new UIDVALIDITY, other UIDLs after a move to another machine, a restored
//! backup. Receipts then keep their old name as [`RemoteId::Gone`], and each message is bound to one of them again: by size,
//! arrival and Message-ID together where that is clear, else by its octets; and never more messages than there are receipts.

use crate::tx::params;
use crate::visits::{check_lease, signed};
use crate::{Lease, Store, StoreError, Tx};
use postroom_domain::{MailboxId, ReceiptId};
use postroom_mail::{Listed, RawMessage, RemoteId, Sha256};
use std::collections::HashMap;

/// What binding messages by clues came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// For each message, whether it is bound now.
    pub messages: Vec<bool>,
    /// How many receipts are left that a message might be bound to.
    pub receipts_left: u64,
    /// Whether this folder ever had a message that has a receipt.
    pub had_receipts: bool,
}

impl Store {
    /// Binds messages of one folder whose names are new to receipts whose names are given up, by size, arrival and
    /// Message-ID together; only where exactly one message and one receipt have them.
    ///
    /// # Errors
    /// `LEASE_LOST`.
    pub async fn bind_by_clues(
        &self,
        lease: &Lease,
        messages: Vec<(Listed, Option<String>)>,
    ) -> Result<Bound, StoreError> {
        let lease = lease.clone();
        self.write(move |tx| {
            check_lease(tx, &lease)?;
            bind_by_clues(tx, lease.mailbox(), &messages)
        })
        .await
    }

    /// The same by digest of the octets: the messages are bound one after the other, each to a receipt of its own.
    ///
    /// # Errors
    /// `LEASE_LOST`.
    pub async fn bind_by_digest(
        &self,
        lease: &Lease,
        messages: Vec<(Listed, Sha256)>,
    ) -> Result<Vec<bool>, StoreError> {
        let lease = lease.clone();
        self.write(move |tx| {
            check_lease(tx, &lease)?;
            messages.iter().map(|(listed, sha256)| bind(tx, lease.mailbox(), listed, sha256)).collect()
        })
        .await
    }
}

/// Takes its name from a receipt, so that another message can have it.
pub(crate) fn give_up(tx: &mut Tx<'_>, receipt: ReceiptId, was: &str) -> Result<(), StoreError> {
    let gone = RemoteId::Gone { receipt: receipt.0, was: was.to_owned() };
    let sql = "UPDATE receipt SET remote_id = ?2, uid = NULL, on_server = FALSE WHERE id = ?1";
    tx.execute(sql, params![receipt.0, &gone.to_string()]).map(drop)
}

/// Takes their names from all receipts of a folder under a UIDVALIDITY, but for those whose message we had deleted or moved:
/// a message that has the octets of one of those is another copy.
pub(crate) fn give_up_all(
    tx: &mut Tx<'_>,
    mailbox: MailboxId,
    folder: &str,
    uid_validity: u32,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE receipt SET remote_id = 'gone:' || id || ':' || remote_id, uid = NULL, on_server = FALSE \
         WHERE mailbox_id = ?1 AND folder = ?2 AND uid_validity = ?3 AND uid IS NOT NULL \
         AND coalesce(settlement, '') <> 'settled'",
        params![mailbox.0, folder, i64::from(uid_validity)],
    )?;
    tx.execute(
        "UPDATE receipt SET on_server = FALSE WHERE mailbox_id = ?1 AND folder = ?2 AND uid_validity = ?3 AND on_server",
        params![mailbox.0, folder, i64::from(uid_validity)],
    )
    .map(drop)
}

/// A message came whose name has the receipt `id` already. The same octets are the same message: what its server says of it
/// now is noted, and one that was deleted as far as we knew and is still there is kept from now on, or each visit would
/// delete it again. So is one that was deleted here before its octets ever came. Other octets are another message, for which the
/// name is made free. Returns whether it is the same.
pub(crate) fn is_same(tx: &mut Tx<'_>, id: ReceiptId, listed: &Listed, raw: &RawMessage) -> Result<bool, StoreError> {
    let changed = tx.execute(
        "UPDATE receipt SET server_size = ?3, received_at = coalesce(?4, received_at), on_server = TRUE, \
         settlement = CASE WHEN settlement = 'settled' THEN 'kept' ELSE settlement END \
         WHERE id = ?1 AND (sha256 = ?2 OR sha256 IS NULL)",
        params![id.0, &raw.sha256(), signed(listed.size), imap_arrival(listed)],
    )?;
    if changed == 0 {
        give_up(tx, id, &listed.id.to_string())?;
    }
    Ok(changed > 0)
}

/// Whether any receipt of a mailbox has a name that is given up.
pub(crate) fn are_given_up(tx: &mut Tx<'_>, mailbox: MailboxId) -> Result<bool, StoreError> {
    // A range of the unique index, in either collation of the databases.
    let sql = "SELECT 1 FROM receipt WHERE mailbox_id = ?1 AND remote_id >= 'gone' AND remote_id < 'gonf' LIMIT 1";
    Ok(tx.query_opt(sql, params![mailbox.0])?.is_some())
}

/// Binds a message whose name is new to a receipt that the same octets had under a name that is given up: one of this very
/// name first, then any that we did not have deleted. Returns whether there was one.
pub(crate) fn bind(tx: &mut Tx<'_>, mailbox: MailboxId, listed: &Listed, sha256: &Sha256) -> Result<bool, StoreError> {
    let Some(folder) = folder_of(&listed.id) else { return Ok(false) };
    let rows = tx.query(
        "SELECT id, remote_id, coalesce(settlement, '') FROM receipt WHERE mailbox_id = ?1 AND sha256 = ?2 \
         AND remote_id LIKE 'gone:%' AND coalesce(folder, '') = ?3 ORDER BY id",
        params![mailbox.0, sha256, folder],
    )?;
    let name = listed.id.to_string();
    let mut found = None;
    for mut row in rows {
        let (id, remote_id, settlement) = (row.int(0)?, row.parse::<RemoteId>(1)?, row.text(2)?);
        if matches!(&remote_id, RemoteId::Gone { was, .. } if *was == name) {
            found = Some(id);
            break;
        }
        // A copy of what we deleted is not what we deleted.
        if settlement != "settled" {
            found = found.or(Some(id));
        }
    }
    let Some(id) = found else { return Ok(false) };
    rename(tx, ReceiptId(id), listed).map(|()| true)
}

/// Gives a receipt the name under which its message is there now.
fn rename(tx: &mut Tx<'_>, receipt: ReceiptId, listed: &Listed) -> Result<(), StoreError> {
    let (uid_validity, uid) = match &listed.id {
        RemoteId::Imap { uid_validity, uid, .. } => (Some(i64::from(*uid_validity)), Some(i64::from(*uid))),
        _ => (None, None),
    };
    tx.execute(
        "UPDATE receipt SET remote_id = ?2, uid_validity = ?3, uid = ?4, server_size = ?5, \
         received_at = coalesce(?6, received_at), on_server = TRUE, \
         settlement = CASE WHEN settlement = 'settled' THEN 'kept' ELSE settlement END WHERE id = ?1",
        params![
            receipt.0,
            &listed.id.to_string(),
            uid_validity,
            uid,
            signed(listed.size),
            // Later it is compared with what the server shows under the new name.
            listed.received_at
        ],
    )
    .map(drop)
}

fn bind_by_clues(
    tx: &mut Tx<'_>,
    mailbox: MailboxId,
    messages: &[(Listed, Option<String>)],
) -> Result<Bound, StoreError> {
    let mut bound = Bound { messages: vec![false; messages.len()], receipts_left: 0, had_receipts: false };
    let Some(folder) = messages.first().and_then(|(listed, _)| folder_of(&listed.id)) else { return Ok(bound) };
    let any = "SELECT 1 FROM receipt WHERE mailbox_id = ?1 AND coalesce(folder, '') = ?2 LIMIT 1";
    bound.had_receipts = tx.query_opt(any, params![mailbox.0, folder])?.is_some();
    let mut receipts: HashMap<Clues, Vec<i64>> = HashMap::new();
    let rows = tx.query(
        "SELECT id, server_size, received_at, message_id FROM receipt WHERE mailbox_id = ?1 AND remote_id LIKE 'gone:%' \
         AND coalesce(folder, '') = ?2 AND sha256 IS NOT NULL AND coalesce(settlement, '') <> 'settled'",
        params![mailbox.0, folder],
    )?;
    bound.receipts_left = rows.len() as u64;
    for mut row in rows {
        let (size, received_at) = (row.opt_int(1)?.unwrap_or(0), row.time(2)?.as_microsecond());
        if let Some(message_id) = row.opt_text(3)? {
            receipts.entry((size, received_at, message_id)).or_default().push(row.int(0)?);
        }
    }
    let mut there: HashMap<Clues, Vec<usize>> = HashMap::new();
    for (at, (listed, message_id)) in messages.iter().enumerate() {
        if let (Some(received_at), Some(message_id)) = (listed.received_at, message_id) {
            let clues = (signed(listed.size), received_at.as_microsecond(), message_id.clone());
            there.entry(clues).or_default().push(at);
        }
    }
    for (clues, at) in there {
        if let ([at], Some([receipt])) = (at.as_slice(), receipts.get(&clues).map(Vec::as_slice)) {
            rename(tx, ReceiptId(*receipt), &messages[*at].0)?;
            bound.messages[*at] = true;
            bound.receipts_left -= 1;
        }
    }
    Ok(bound)
}

/// Size as the server says, arrival in microseconds, Message-ID.
type Clues = (i64, i64, String);

/// The folder in which a name is looked for: that of an IMAP message, none for a POP3 message. Other names are never bound
/// again.
fn folder_of(id: &RemoteId) -> Option<&str> {
    match id {
        RemoteId::Imap { folder, .. } => Some(folder),
        RemoteId::Pop3 { .. } | RemoteId::Pop3Digest { .. } => Some(""),
        RemoteId::Gone { .. } | RemoteId::Maildir { .. } | RemoteId::Push { .. } => None,
    }
}

/// What IMAP says of an arrival. Over POP3 it comes out of the message, which says the same each time.
fn imap_arrival(listed: &Listed) -> Option<jiff::Timestamp> {
    listed.received_at.filter(|_| matches!(listed.id, RemoteId::Imap { .. }))
}
