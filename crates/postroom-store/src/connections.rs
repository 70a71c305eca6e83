//! What connections to mail servers showed: hosts that have TLS, and the protection of each mailbox's last connection.

use crate::mailboxes::mailbox_by_id;
use crate::tx::{Row, params};
use crate::{Store, StoreError, Tx};
use jiff::Timestamp;
use postroom_domain::MailboxId;
use postroom_domain::connection::{CertificateDates, ConnectionSeen};
use postroom_mail::Access;
use std::collections::HashMap;

impl Store {
    /// Whether TLS was ever seen on a host, by whatever mailbox, port or protocol.
    pub async fn is_tls_seen(&self, host: &str) -> Result<bool, StoreError> {
        let host = canonical(host);
        self.read(move |tx| {
            let row = tx.query_opt("SELECT 1 FROM tls_host WHERE host = ?1", params![&host])?;
            Ok(row.is_some())
        })
        .await
    }

    /// Whether logins that are bound to the TLS connection work on this server; `None` as long as that is not known.
    pub async fn takes_bound_logins(&self, host: &str, port: u16) -> Result<Option<bool>, StoreError> {
        let host = canonical(host);
        self.read(move |tx| {
            let sql = "SELECT works FROM bound_login WHERE host = ?1 AND port = ?2";
            tx.query_opt(sql, params![&host, i64::from(port)])?.map(|mut row| row.bool(0)).transpose()
        })
        .await
    }

    /// Notes that a bound login works on this server, or that it was refused and the same without the binding was not. What is
    /// known to work is believed for ever, or until somebody chooses another login for a mailbox there.
    pub async fn saw_bound_login(&self, host: &str, port: u16, works: bool, now: Timestamp) -> Result<(), StoreError> {
        let host = canonical(host);
        self.write(move |tx| {
            tx.execute(
                "INSERT INTO bound_login (host, port, works, seen_at) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT (host, port) DO UPDATE SET works = excluded.works, seen_at = excluded.seen_at \
                 WHERE NOT bound_login.works",
                params![&host, i64::from(port), works, now],
            )
            .map(drop)
        })
        .await
    }

    /// Notes what a connection of this mailbox showed; TLS is remembered of its host for ever. Writes nothing that is known.
    ///
    /// # Errors
    /// `MAILBOX_UNKNOWN`.
    pub async fn saw_connection(
        &self,
        mailbox: MailboxId,
        seen: ConnectionSeen,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let asked = seen.clone();
        let is_known = self.read(move |tx| is_known(tx, mailbox, &asked)).await?;
        if is_known {
            return Ok(());
        }
        self.write(move |tx| {
            if let Some(server) = mailbox_by_id(tx, mailbox)?.access.server().filter(|_| seen.protected) {
                let sql = "INSERT INTO tls_host (host, seen_at) VALUES (?1, ?2) ON CONFLICT (host) DO NOTHING";
                tx.execute(sql, params![&canonical(&server.host), now])?;
            }
            let certificate = seen.certificate.as_ref();
            tx.execute("DELETE FROM connection WHERE mailbox_id = ?1", params![mailbox.0])?;
            tx.execute(
                "INSERT INTO connection (mailbox_id, protected, fingerprint, not_after, since) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    mailbox.0,
                    seen.protected,
                    certificate.map(|c| c.fingerprint.as_str()),
                    certificate.map(|c| c.not_after),
                    now
                ],
            )
            .map(drop)
        })
        .await
    }

    /// When the certificates that are trusted for this mailbox run out, as far as that is known.
    pub async fn trusted_dates(&self, mailbox: MailboxId) -> Result<Vec<CertificateDates>, StoreError> {
        self.read(move |tx| {
            let sql =
                "SELECT mailbox_id, fingerprint, not_after FROM trusted_certificate WHERE mailbox_id = ?1 ORDER BY id";
            let known = tx.query(sql, params![mailbox.0])?.into_iter().map(|mut row| certificate(&mut row, 1));
            Ok(known.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        })
        .await
    }
}

/// Forgets what is known of bound logins on the server of a mailbox for which somebody has chosen another login.
pub(crate) fn forget_bound_logins(tx: &mut Tx<'_>, before: &Access, after: &Access) -> Result<(), StoreError> {
    let (Some(before), Some(after)) = (before.server(), after.server()) else { return Ok(()) };
    if before.auth == after.auth {
        return Ok(());
    }
    let sql = "DELETE FROM bound_login WHERE host = ?1 AND port = ?2";
    tx.execute(sql, params![&canonical(&after.host), i64::from(after.port)]).map(drop)
}

/// A host name is the same in any case, with or without the dot of the root.
fn canonical(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

fn is_known(tx: &mut Tx<'_>, mailbox: MailboxId, seen: &ConnectionSeen) -> Result<bool, StoreError> {
    let sql = "SELECT mailbox_id, protected, fingerprint, not_after FROM connection WHERE mailbox_id = ?1";
    let last = tx.query_opt(sql, params![mailbox.0])?.map(|mut row| connection_of(&mut row)).transpose()?;
    if last.as_ref() != Some(seen) {
        return Ok(false);
    }
    let Some(host) = mailbox_by_id(tx, mailbox)?.access.server().map(|server| canonical(&server.host)) else {
        return Ok(true);
    };
    let tls = tx.query_opt("SELECT 1 FROM tls_host WHERE host = ?1", params![&host])?;
    Ok(tls.is_some() || !seen.protected)
}

/// The last connection of every mailbox that had one.
pub(crate) fn connections(tx: &mut Tx<'_>) -> Result<HashMap<i64, ConnectionSeen>, StoreError> {
    let rows = tx.query("SELECT mailbox_id, protected, fingerprint, not_after FROM connection", &[])?;
    rows.into_iter().map(|mut row| Ok((row.int(0)?, connection_of(&mut row)?))).collect()
}

fn connection_of(row: &mut Row) -> Result<ConnectionSeen, StoreError> {
    let certificate = certificate(row, 2)?;
    Ok(ConnectionSeen { protected: row.bool(1)?, certificate })
}

/// The dates of all trusted certificates, by mailbox.
pub(crate) fn trusted_dates(tx: &mut Tx<'_>) -> Result<HashMap<i64, Vec<CertificateDates>>, StoreError> {
    let mut found: HashMap<i64, Vec<CertificateDates>> = HashMap::new();
    for mut row in tx.query("SELECT mailbox_id, fingerprint, not_after FROM trusted_certificate ORDER BY id", &[])? {
        let dates = certificate(&mut row, 1)?;
        found.entry(row.int(0)?).or_default().extend(dates);
    }
    Ok(found)
}

/// A fingerprint and a date in two columns, where both are known.
fn certificate(row: &mut Row, first: usize) -> Result<Option<CertificateDates>, StoreError> {
    let known = row.opt_text(first)?.zip(row.opt_time(first + 1)?);
    Ok(known.map(|(fingerprint, not_after)| CertificateDates { fingerprint, not_after }))
}
