//! Certificates that are trusted for one mailbox each.

use crate::audit::AuditAction;
use crate::mailboxes::{mailbox_by_name, note_change};
use crate::tx::{Row, params};
use crate::{Noun, Store, StoreError};
use jiff::Timestamp;
use postroom_domain::MailboxId;
use postroom_domain::connection::CertificateDates;
use serde_json::json;

/// A certificate trusted for one mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedCertificate {
    /// Name of the mailbox.
    pub mailbox: String,
    /// SHA-256 of the DER form, 64 lower-case hexadecimal digits.
    pub fingerprint: String,
    /// The certificate (X.509, DER).
    pub der: Vec<u8>,
    /// When it was added.
    pub added_at: Timestamp,
}

/// A certificate that is to be trusted for one mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCertificate {
    /// The certificate (X.509, DER).
    pub der: Vec<u8>,
    /// Its fingerprint, and when it runs out.
    pub dates: CertificateDates,
    /// Fingerprints of certificates that are trusted no more because of it.
    pub replaces: Vec<String>,
}

const SELECT: &str = "SELECT m.name, c.fingerprint, c.der, c.added_at FROM trusted_certificate c \
                      JOIN mailbox m ON m.id = c.mailbox_id AND m.removed_at IS NULL";

/// Shortest prefix of a fingerprint by which a certificate can be removed.
const PREFIX_MIN: usize = 8;

impl Store {
    /// Trusts a certificate for one mailbox, in place of those that it replaces. Adding it again changes nothing.
    ///
    /// # Errors
    /// `MAILBOX_UNKNOWN`.
    pub async fn add_certificate(&self, mailbox: &str, new: NewCertificate, now: Timestamp) -> Result<(), StoreError> {
        let mailbox = mailbox.to_owned();
        self.change(now, move |tx, notes| {
            let id = mailbox_by_name(tx, &mailbox)?.id.0;
            for old in &new.replaces {
                let sql = "DELETE FROM trusted_certificate WHERE mailbox_id = ?1 AND fingerprint = ?2";
                if tx.execute(sql, params![id, old])? > 0 {
                    notes.add(AuditAction::CertificateRemove, "certificate", old, json!({ "mailbox": mailbox }));
                }
            }
            let added = tx.execute(
                "INSERT INTO trusted_certificate (mailbox_id, fingerprint, der, added_at, not_after) VALUES (?1, ?2, ?3, ?4, ?5) \
                 ON CONFLICT (mailbox_id, fingerprint) DO NOTHING",
                params![id, &new.dates.fingerprint, new.der.as_slice(), now, new.dates.not_after],
            )?;
            if added > 0 {
                let fingerprint = &new.dates.fingerprint;
                notes.add(AuditAction::CertificateAdd, "certificate", fingerprint, json!({ "mailbox": mailbox }));
            }
            note_change(tx, MailboxId(id))
        })
        .await
    }

    /// All trusted certificates, by mailbox.
    pub async fn certificates(&self) -> Result<Vec<TrustedCertificate>, StoreError> {
        self.read(|tx| {
            let rows = tx.query(&format!("{SELECT} ORDER BY m.name, c.id"), &[])?;
            rows.into_iter().map(certificate_of).collect()
        })
        .await
    }

    /// Takes the trust from a certificate, in all mailboxes that have it, and returns how many these were. `prefix`: at
    /// least 8 digits of the fingerprint; colons and case do not matter.
    ///
    /// # Errors
    /// `CERTIFICATE_UNKNOWN`; `FINGERPRINT_AMBIGUOUS` when several certificates begin with these digits.
    pub async fn remove_certificate(&self, prefix: &str, now: Timestamp) -> Result<u64, StoreError> {
        let digits = prefix.replace(':', "").to_ascii_lowercase();
        let unknown = StoreError::unknown(Noun::Certificate, prefix);
        if digits.len() < PREFIX_MIN || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(unknown);
        }
        let found = self
            .change(now, move |tx, notes| {
                let pattern = format!("{digits}%");
                let fitting =
                    tx.query(&format!("{SELECT} WHERE c.fingerprint LIKE ?1 ORDER BY m.name"), params![&pattern])?;
                let fitting = fitting.into_iter().map(certificate_of).collect::<Result<Vec<_>, _>>()?;
                let Some(first) = fitting.first() else { return Ok(0) };
                if fitting.iter().any(|other| other.fingerprint != first.fingerprint) {
                    return Err(StoreError::Ambiguous(digits.clone()));
                }
                let mailboxes: Vec<&str> = fitting.iter().map(|one| one.mailbox.as_str()).collect();
                let detail = json!({ "mailboxes": mailboxes });
                notes.add(AuditAction::CertificateRemove, "certificate", &first.fingerprint, detail);
                let trusting = "SELECT DISTINCT mailbox_id FROM trusted_certificate WHERE fingerprint = ?1";
                for mut row in tx.query(trusting, params![&first.fingerprint])? {
                    note_change(tx, MailboxId(row.int(0)?))?;
                }
                tx.execute("DELETE FROM trusted_certificate WHERE fingerprint = ?1", params![&first.fingerprint])
            })
            .await?;
        if found == 0 { Err(unknown) } else { Ok(found) }
    }

    /// The certificates that are trusted for a mailbox, in DER form.
    pub async fn trusted(&self, mailbox: MailboxId) -> Result<Vec<Vec<u8>>, StoreError> {
        self.read(move |tx| {
            let sql = "SELECT der FROM trusted_certificate WHERE mailbox_id = ?1 ORDER BY id";
            tx.query(sql, params![mailbox.0])?.into_iter().map(|mut row| row.blob(0)).collect()
        })
        .await
    }
}

fn certificate_of(mut row: Row) -> Result<TrustedCertificate, StoreError> {
    Ok(TrustedCertificate {
        mailbox: row.text(0)?,
        fingerprint: row.text(1)?,
        der: row.blob(2)?,
        added_at: row.time(3)?,
    })
}
