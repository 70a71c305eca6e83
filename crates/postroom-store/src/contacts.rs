//! Contacts: people without an account who wrote to us. They have an address and no login.

use crate::audit::{AuditAction, Notes};
use crate::people::user_by_address;
use crate::tx::{Row, params};
use crate::workspaces::global_policy;
use crate::{Noun, Store, StoreError, Tx};
use jiff::Timestamp;
use postroom_domain::{AddressRules, Admission, ContactStanding};
use postroom_mail::address::canonical;
use serde::Serialize;
use serde_json::json;

/// Somebody without an account whose mail became an item or a comment, or about whom something was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// Canonical address.
    pub address: String,
    /// The name that came with the latest message that had one; may be empty.
    pub name: String,
    /// When the first of the messages arrived; `None` if none was filed yet.
    pub first_seen_at: Option<Timestamp>,
    /// When the latest one arrived.
    pub last_seen_at: Option<Timestamp>,
    /// What was decided about it; `None` where the rules for unknown senders hold.
    pub standing: Option<ContactStanding>,
}

/// The contacts, with what was decided about them, and those that have not written yet.
const SELECT: &str = "SELECT c.address, c.name, c.first_seen_at, c.last_seen_at, \
     (SELECT s.standing FROM contact_standing s WHERE s.address = c.address) FROM contact c \
     UNION ALL SELECT s.address, '', NULL, NULL, s.standing FROM contact_standing s \
     WHERE NOT EXISTS (SELECT 1 FROM contact c WHERE c.address = s.address)";

impl Store {
    /// All contacts, by address. Who was registered meanwhile is no contact any more.
    pub async fn contacts(&self) -> Result<Vec<Contact>, StoreError> {
        self.read(|tx| {
            let sql = format!(
                "SELECT * FROM ({SELECT}) known \
                 WHERE NOT EXISTS (SELECT 1 FROM address d WHERE d.address = known.address) ORDER BY address"
            );
            tx.query(&sql, &[])?.into_iter().map(contact_of).collect()
        })
        .await
    }

    /// Admits an address for all of its mail, although unknown senders may not write. That overrules neither the block list
    /// nor the allowed domains.
    ///
    /// # Errors
    /// `ADDRESS_INVALID`; `CANNOT_ADMIT` when it would change nothing: the address has an account, or the rules about
    /// addresses refuse it.
    pub async fn admit_contact(&self, address: &str, now: Timestamp) -> Result<Contact, StoreError> {
        let address = canonical_of(address)?;
        self.change(now, move |tx, notes| {
            admit(tx, notes, &address, now)?;
            contact(tx, &address)
        })
        .await
    }

    /// Blocks an address for all of its mail, although unknown senders may write.
    ///
    /// # Errors
    /// `ADDRESS_INVALID`; `USER_EXISTS` when it is that of an account, which can be taken out of use instead.
    pub async fn block_contact(&self, address: &str, now: Timestamp) -> Result<Contact, StoreError> {
        let address = canonical_of(address)?;
        self.change(now, move |tx, notes| {
            if user_by_address(tx, &address)?.is_some_and(|user| user.active) {
                return Err(StoreError::Exists { noun: Noun::User, name: address.clone() });
            }
            set_standing(tx, notes, &address, ContactStanding::Blocked, now)?;
            contact(tx, &address)
        })
        .await
    }

    /// Forgets an address: its name, when it wrote, and what was decided about it. Items and comments keep whom they are by.
    ///
    /// # Errors
    /// `CONTACT_UNKNOWN`.
    pub async fn forget_contact(&self, address: &str, now: Timestamp) -> Result<(), StoreError> {
        let given = address.to_owned();
        self.change(now, move |tx, notes| {
            let address = canonical(&given).unwrap_or_default();
            let before = standing_of(tx, &address)?;
            let mut gone = tx.execute("DELETE FROM contact WHERE address = ?1", params![&address])?;
            gone += tx.execute("DELETE FROM contact_standing WHERE address = ?1", params![&address])?;
            if gone == 0 {
                return Err(StoreError::unknown(Noun::Contact, &given));
            }
            notes.add(AuditAction::ContactForget, "contact", &address, json!({ "standing": before }));
            Ok(())
        })
        .await
    }
}

fn canonical_of(address: &str) -> Result<String, StoreError> {
    canonical(address).ok_or_else(|| StoreError::AddressInvalid(address.to_owned()))
}

fn contact(tx: &mut Tx<'_>, address: &str) -> Result<Contact, StoreError> {
    let row = tx.query_opt(&format!("SELECT * FROM ({SELECT}) known WHERE address = ?1"), params![address])?;
    contact_of(row.ok_or_else(|| StoreError::unknown(Noun::Contact, address))?)
}

fn contact_of(mut row: Row) -> Result<Contact, StoreError> {
    Ok(Contact {
        address: row.text(0)?,
        name: row.text(1)?,
        first_seen_at: row.opt_time(2)?,
        last_seen_at: row.opt_time(3)?,
        standing: standing(row.opt_text(4)?)?,
    })
}

fn standing(name: Option<String>) -> Result<Option<ContactStanding>, StoreError> {
    let wrong = || StoreError::bad_value("standing of a contact");
    name.map(|name| ContactStanding::from_name(&name).ok_or_else(wrong)).transpose()
}

/// What was decided about a canonical address.
pub(crate) fn standing_of(tx: &mut Tx<'_>, address: &str) -> Result<Option<ContactStanding>, StoreError> {
    let row = tx.query_opt("SELECT standing FROM contact_standing WHERE address = ?1", params![address])?;
    standing(row.map_or(Ok(None), |mut row| row.opt_text(0))?)
}

/// Admits a canonical address, unless that would change nothing.
pub(crate) fn admit(tx: &mut Tx<'_>, notes: &mut Notes, address: &str, now: Timestamp) -> Result<(), StoreError> {
    let cannot = |why: String| Err(StoreError::CannotAdmit { address: address.to_owned(), why });
    if user_by_address(tx, address)?.is_some_and(|user| user.active) {
        return cannot("it has an account".to_owned());
    }
    let rules = AddressRules::global(&global_policy(tx)?);
    match rules.map_err(|error| StoreError::PatternInvalid(error.to_string()))?.judge(address) {
        Admission::Admitted(_) => set_standing(tx, notes, address, ContactStanding::Admitted, now),
        Admission::Blocked(entry) => cannot(format!("it is on the block list, as {entry}")),
        Admission::NotAllowed(list) => cannot(format!("it is not among {list}")),
        Admission::Undecided(limit) => cannot(limit.to_string()),
    }
}

fn set_standing(
    tx: &mut Tx<'_>,
    notes: &mut Notes,
    address: &str,
    standing: ContactStanding,
    now: Timestamp,
) -> Result<(), StoreError> {
    let before = standing_of(tx, address)?;
    if before == Some(standing) {
        return Ok(());
    }
    tx.execute(
        "INSERT INTO contact_standing (address, standing, since) VALUES (?1, ?2, ?3) ON CONFLICT (address) DO UPDATE \
         SET standing = excluded.standing, since = excluded.since",
        params![address, standing.as_str(), now],
    )?;
    let action = match standing {
        ContactStanding::Admitted => AuditAction::ContactAdmit,
        ContactStanding::Blocked => AuditAction::ContactBlock,
    };
    notes.add(action, "contact", address, json!({ "standing": { "old": before, "new": standing } }));
    Ok(())
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
