//! The memory of a POP3 mailbox: names that hold only as long as their message is there.
//!
//! A server may give a unique-id to another message once the first is gone, and some give all messages new ones. So a name
//! that is missing in a whole listing is given up at once: its receipt is kept under [`RemoteId::Gone`]. Octets decide what a
//! name means when it comes again, and which receipt a message has that comes under another name.

use crate::deletion::gone_unfetched;
use crate::folders::{ASKED_AGAIN, not_asked_again};
use crate::names::give_up;
use crate::tx::params;
use crate::visits::{check_lease, signed};
use crate::{Lease, Store, StoreError};
use jiff::Timestamp;
use postroom_domain::{MailboxId, ReceiptId};
use postroom_mail::{Listed, RemoteId};
use std::collections::{HashMap, HashSet};

/// What is known of a POP3 mailbox already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownDrop {
    /// The messages that have a receipt and need not be asked for again.
    pub receipted: HashMap<RemoteId, KnownMessage>,
    /// Those that were there before the first visit and are left alone.
    pub before_start: HashSet<RemoteId>,
    /// Those that are asked for again although they have a receipt.
    pub asked_again: HashSet<RemoteId>,
}

/// A message that has a receipt, as the server showed it last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownMessage {
    /// The announced size in octets; `None` where we have no octets to compare another message with.
    pub size: Option<u64>,
    /// Whether we had it deleted, so that it should not be there.
    pub settled: bool,
}

impl KnownMessage {
    /// Whether a listed message of its name need not be looked at: it has the size that it had, and should be there.
    pub fn is(&self, listed: &Listed) -> bool {
        !self.settled && self.size.is_none_or(|size| size == listed.size)
    }
}

/// The names of POP3 messages that are there, in either collation of the databases.
const IS_POP3: &str = "remote_id >= 'pop3' AND remote_id < 'pop4'";

impl Store {
    /// What is known of a POP3 mailbox, as [`Store::known_uids`] counts it.
    pub async fn known_drop(&self, mailbox: MailboxId, max_message: u64) -> Result<KnownDrop, StoreError> {
        self.read(move |tx| {
            let sql = format!(
                "SELECT remote_id, server_size, coalesce(settlement, '') = 'settled', sha256 IS NULL FROM receipt \
                 WHERE mailbox_id = ?1 AND {IS_POP3} AND {}",
                not_asked_again()
            );
            let rows = tx.query(&sql, params![mailbox.0, signed(max_message)])?;
            let mut receipted = HashMap::with_capacity(rows.len());
            for mut row in rows {
                let size = row.opt_int(1)?.map(i64::unsigned_abs);
                let known = KnownMessage { size: if row.bool(3)? { None } else { size }, settled: row.bool(2)? };
                receipted.insert(row.parse(0)?, known);
            }
            let rows = tx.query("SELECT remote_id FROM before_start WHERE mailbox_id = ?1", params![mailbox.0])?;
            let before_start = rows.into_iter().map(|mut row| row.parse(0)).collect::<Result<_, _>>()?;
            let again = format!("SELECT remote_id FROM receipt WHERE {ASKED_AGAIN} AND on_server");
            let rows = tx.query(&again, params![mailbox.0, signed(max_message)])?;
            let asked_again = rows.into_iter().map(|mut row| row.parse(0)).collect::<Result<_, _>>()?;
            Ok(KnownDrop { receipted, before_start, asked_again })
        })
        .await
    }

    /// Gives up the names that a whole listing does not have any more. Their receipts stay; for one whose octets never came
    /// nobody has to wait any longer.
    ///
    /// # Errors
    /// `LEASE_LOST`.
    pub async fn names_gone(&self, lease: &Lease, gone: Vec<RemoteId>, now: Timestamp) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.write(move |tx| {
            check_lease(tx, &lease)?;
            let find = "SELECT id FROM receipt WHERE mailbox_id = ?1 AND remote_id = ?2";
            for id in &gone {
                let id = id.to_string();
                if let Some(mut row) = tx.query_opt(find, params![lease.mailbox().0, &id])? {
                    let receipt = ReceiptId(row.int(0)?);
                    if !gone_unfetched(tx, receipt, now)? {
                        give_up(tx, receipt, &id)?;
                    }
                }
                let sql = "DELETE FROM before_start WHERE mailbox_id = ?1 AND remote_id = ?2";
                tx.execute(sql, params![lease.mailbox().0, &id])?;
            }
            Ok(())
        })
        .await
    }
}
