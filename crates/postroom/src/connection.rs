//! Whom a mailbox trusts to be its server, and what is remembered and said of a connection once it is there.

use jiff::{SignedDuration, Timestamp};
use postroom_domain::connection::{CertificateDates, ConnectionSeen, Warning, warnings};
use postroom_domain::{Mailbox, MailboxId};
use postroom_sources::certificate::CertificateInfo;
use postroom_sources::{Binding, Session, Trust};
use postroom_store::{Store, StoreError};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// What this mailbox trusts, and whether its host is known to have TLS, and to take logins that are bound to it.
pub async fn trust(store: &Store, mailbox: &Mailbox) -> Result<Trust, StoreError> {
    let trust = Trust::new(store.trusted(mailbox.id).await?);
    let Some(server) = mailbox.access.server() else { return Ok(trust) };
    let binding = match store.takes_bound_logins(&server.host, server.port).await? {
        None => Binding::Unknown,
        Some(true) => Binding::Works,
        Some(false) => Binding::Refused,
    };
    Ok(trust.tls_seen(store.is_tls_seen(&server.host).await?).binding(binding))
}

/// Remembers what the connection of a visit showed, and logs what a person should know of it.
pub async fn note(store: &Store, mailbox: &Mailbox, session: &mut Session) -> Result<(), StoreError> {
    if mailbox.access.server().is_none() {
        return Ok(());
    }
    let (seen, now) = (seen(session.tls(), &session.take_chain()), Timestamp::now());
    remember(store, mailbox, &seen, session.binding(), now).await?;
    let trusted = store.trusted_dates(mailbox.id).await?;
    for warning in warnings(&mailbox.access, Some(&seen), &trusted, now) {
        if is_due(mailbox.id, &warning, now) {
            tracing::warn!(mailbox = mailbox.id.0, code = warning.code(), "{warning}");
        }
    }
    Ok(())
}

/// Remembers what a connection showed of its protection and of bound logins, so that the next one takes nothing weaker.
pub async fn remember(
    store: &Store,
    mailbox: &Mailbox,
    seen: &ConnectionSeen,
    binding: Binding,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(server) = mailbox.access.server() else { return Ok(()) };
    let works = match binding {
        Binding::Unknown => None,
        Binding::Works => Some(true),
        Binding::Refused => Some(false),
    };
    let known = store.takes_bound_logins(&server.host, server.port).await?;
    if let Some(works) = works.filter(|works| known != Some(*works)) {
        store.saw_bound_login(&server.host, server.port, works, now).await?;
    }
    store.saw_connection(mailbox.id, seen.clone(), now).await
}

/// What a connection with these certificates, its server's own first, showed.
pub fn seen(protected: bool, chain: &[CertificateInfo]) -> ConnectionSeen {
    ConnectionSeen { protected, certificate: chain.first().map(dates) }
}

/// When a certificate runs out.
pub fn dates(certificate: &CertificateInfo) -> CertificateDates {
    CertificateDates { fingerprint: certificate.fingerprint.to_string(), not_after: certificate.not_after }
}

/// Whether to log a warning now: that mail goes in clear with every visit, that a certificate runs out once a day.
fn is_due(mailbox: MailboxId, warning: &Warning, now: Timestamp) -> bool {
    static SAID: Mutex<Option<HashMap<(MailboxId, String), Timestamp>>> = Mutex::new(None);
    let Warning::CertificateExpires { certificate, .. } = warning else { return true };
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    let last = said.get_or_insert_default().entry((mailbox, certificate.fingerprint.clone())).or_insert(Timestamp::MIN);
    let is_due = now.duration_since(*last) >= SignedDuration::from_hours(24);
    if is_due {
        *last = now;
    }
    is_due
}
