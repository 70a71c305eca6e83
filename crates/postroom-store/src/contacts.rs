//! Contacts: people without an account who wrote to us. They have an address and no login.

use crate::tx::params;
use crate::{Store, StoreError, Tx};
use jiff::Timestamp;
use serde::Serialize;

/// Somebody without an account whose mail became an item or a comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// Canonical address.
    pub address: String,
    /// The name that came with the latest message that had one; may be empty.
    pub name: String,
    /// When the first of the messages arrived.
    pub first_seen_at: Timestamp,
    /// When the latest one arrived.
    pub last_seen_at: Timestamp,
}

impl Store {
    /// All contacts, by address. Who was registered meanwhile is no contact any more.
    pub async fn contacts(&self) -> Result<Vec<Contact>, StoreError> {
        self.read(|tx| {
            let rows = tx.query(
                "SELECT c.address, c.name, c.first_seen_at, c.last_seen_at FROM contact c \
                 WHERE NOT EXISTS (SELECT 1 FROM address d WHERE d.address = c.address) ORDER BY c.address",
                &[],
            )?;
            rows.into_iter()
                .map(|mut row| {
                    Ok(Contact {
                        address: row.text(0)?,
                        name: row.text(1)?,
                        first_seen_at: row.time(2)?,
                        last_seen_at: row.time(3)?,
                    })
                })
                .collect()
        })
        .await
    }
}

/// Notes that a message of somebody without an account arrived.
pub(crate) fn note_contact(tx: &mut Tx<'_>, address: &str, name: &str, at: Timestamp) -> Result<(), StoreError> {
    // Messages are not always filed in the order in which they arrived.
    tx.execute(
        "INSERT INTO contact (address, name, first_seen_at, last_seen_at) VALUES (?1, ?2, ?3, ?3) \
         ON CONFLICT (address) DO UPDATE SET \
         name = CASE WHEN excluded.name = '' OR excluded.last_seen_at < contact.last_seen_at AND contact.name <> '' \
           THEN contact.name ELSE excluded.name END, \
         first_seen_at = CASE WHEN excluded.first_seen_at < contact.first_seen_at \
           THEN excluded.first_seen_at ELSE contact.first_seen_at END, \
         last_seen_at = CASE WHEN excluded.last_seen_at > contact.last_seen_at \
           THEN excluded.last_seen_at ELSE contact.last_seen_at END",
        params![address, name, at],
    )
    .map(drop)
}
