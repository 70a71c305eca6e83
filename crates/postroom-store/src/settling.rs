//! What is owed to the mail servers, and the third durable point.

use crate::crash::crash_point;
use crate::tx::params;
use crate::visits::check_lease;
use crate::{Lease, Store, StoreError};
use jiff::Timestamp;
use postroom_domain::{MailboxId, ReceiptId};
use postroom_mail::{RemoteId, Settlement};

/// A change that is owed to the server, for a message that is durably decided. Only the store makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    receipt: ReceiptId,
    remote_id: RemoteId,
    how: Settlement,
    size: u64,
    received_at: Timestamp,
}

impl Owed {
    /// The receipt.
    pub fn receipt(&self) -> ReceiptId {
        self.receipt
    }

    /// The message on the server.
    pub fn remote_id(&self) -> &RemoteId {
        &self.remote_id
    }

    /// What to do with it.
    pub fn how(&self) -> &Settlement {
        &self.how
    }

    /// The size that the server announced when it was fetched, for a second look.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// When the server received it, for a second look.
    pub fn received_at(&self) -> Timestamp {
        self.received_at
    }
}

impl Store {
    /// What is owed to the server of a mailbox, oldest first; in one folder, or (`None`) in all of it.
    pub async fn owed(&self, mailbox: MailboxId, folder: Option<&str>, limit: u32) -> Result<Vec<Owed>, StoreError> {
        let folder = folder.map(ToOwned::to_owned);
        self.read(move |tx| {
            let rows = tx.query(
                "SELECT id, remote_id, how, coalesce(server_size, size), received_at FROM receipt \
                 WHERE mailbox_id = ?1 AND settlement = 'owed' AND coalesce(folder, '') = coalesce(?3, folder, '') \
                 ORDER BY id LIMIT ?2",
                params![mailbox.0, i64::from(limit), folder.as_ref()],
            )?;
            rows.into_iter()
                .map(|mut row| {
                    Ok(Owed {
                        receipt: ReceiptId(row.int(0)?),
                        remote_id: row.parse(1)?,
                        how: row.json(2)?,
                        size: row.unsigned(3)?,
                        received_at: row.time(4)?,
                    })
                })
                .collect()
        })
        .await
    }

    /// The mailboxes to which something is owed.
    pub async fn mailboxes_owed(&self) -> Result<Vec<MailboxId>, StoreError> {
        self.read(|tx| {
            let rows = tx.query("SELECT DISTINCT mailbox_id FROM receipt WHERE settlement = 'owed'", &[])?;
            rows.into_iter().map(|mut row| row.int(0).map(MailboxId)).collect()
        })
        .await
    }

    /// Gives up what is owed for messages that are no longer the ones that were filed, by size or arrival: they stay on the
    /// server as they are.
    ///
    /// # Errors
    /// `LEASE_LOST`.
    pub async fn cancel_settlement(&self, lease: &Lease, strangers: Vec<Owed>) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.write(move |tx| {
            check_lease(tx, &lease)?;
            let sql = "UPDATE receipt SET settlement = 'kept' WHERE id = ?1 AND remote_id = ?2 AND settlement = 'owed'";
            strangers
                .iter()
                .try_for_each(|owed| tx.execute(sql, params![owed.receipt.0, &owed.remote_id.to_string()]).map(drop))
        })
        .await
    }

    /// Records that the server has confirmed these, or that the messages were gone. What is not owed any more stays as it
    /// is.
    ///
    /// # Errors
    /// `LEASE_LOST`.
    pub async fn mark_settled(&self, lease: &Lease, done: Vec<Owed>, now: Timestamp) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.write(move |tx| {
            check_lease(tx, &lease)?;
            for owed in &done {
                // The remote id is compared because a change of UIDVALIDITY may have given the receipt another one.
                let stays = matches!(owed.how, Settlement::Keep | Settlement::MarkSeen);
                tx.execute(
                    "UPDATE receipt SET settlement = 'settled', settled_at = ?3, on_server = (on_server AND ?4) \
                     WHERE id = ?1 AND remote_id = ?2 AND settlement = 'owed'",
                    params![owed.receipt.0, &owed.remote_id.to_string(), now, stays],
                )?;
            }
            crash_point!("store.settle.before_commit");
            Ok(())
        })
        .await?;
        crash_point!("store.settle.after_commit");
        Ok(())
    }
}
