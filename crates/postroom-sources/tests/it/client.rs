//! What all tests here do with a server.

use postroom_mail::{Access, AuthMethod, ImapAccess, Listed, Pop3Access, Secret, Security};
use postroom_sources::{Budget, Fetched, Limits, Outcome, Session, SourceError, Trust, open};
use postroom_testkit::dovecot::{Dovecot, PASSWORD};
use std::time::Duration;
use tokio::sync::mpsc;

pub fn imap(host: &str, port: u16, security: Security, user: &str) -> ImapAccess {
    ImapAccess {
        host: host.into(),
        port,
        security,
        user: user.into(),
        auth: AuthMethod::Auto,
        folder: "INBOX".into(),
        allow_private_host: true,
    }
}

pub fn pop3(host: &str, port: u16, security: Security, user: &str) -> Pop3Access {
    Pop3Access {
        host: host.into(),
        port,
        security,
        user: user.into(),
        auth: AuthMethod::Auto,
        allow_private_host: true,
    }
}

/// Access over TLS to a user of a Dovecot.
pub fn over_tls(dovecot: &Dovecot, user: &str) -> ImapAccess {
    imap("localhost", dovecot.imaps_port, Security::Ssl, user)
}

pub fn password() -> Secret {
    Secret::new(PASSWORD)
}

pub fn pinned(dovecot: &Dovecot) -> Trust {
    Trust::new(vec![dovecot.certificate.der.clone()])
}

/// Short enough that a test of a stall does not take long.
pub fn limits() -> Limits {
    Limits {
        connect: Duration::from_secs(5),
        step: Duration::from_secs(5),
        stall: Duration::from_secs(5),
        ..Limits::default()
    }
}

pub async fn try_log_in(access: &ImapAccess, trust: &Trust) -> Result<Session, SourceError> {
    open(&Access::Imap(access.clone()), Some(&password()), trust, &limits()).await
}

pub async fn log_in(dovecot: &Dovecot, user: &str) -> Session {
    try_log_in(&over_tls(dovecot, user), &pinned(dovecot)).await.unwrap()
}

/// Fetches with a consumer beside, as the collector does, and returns what came with how it ended.
pub async fn fetch(session: &mut Session, wanted: &[Listed]) -> (Vec<Fetched>, Result<(), SourceError>) {
    let (sender, mut receiver) = mpsc::channel::<Fetched>(4);
    let budget = Budget::new(16 << 20);
    let consumer = async {
        let mut all = Vec::new();
        while let Some(mut fetched) = receiver.recv().await {
            // The part of the budget is given back at once, as after a commit.
            fetched.release();
            all.push(fetched);
        }
        all
    };
    let producer = async {
        let sender = sender;
        session.fetch(wanted, &budget, &sender).await
    };
    let (result, all) = tokio::join!(producer, consumer);
    assert_eq!(budget.free(), 16 << 20, "all of the budget came back");
    (all, result)
}

/// The octets of the messages among `fetched`.
pub fn octets(fetched: &[Fetched]) -> Vec<Vec<u8>> {
    fetched
        .iter()
        .filter_map(|f| if let Outcome::Message(raw) = &f.outcome { Some(raw.octets().to_vec()) } else { None })
        .collect()
}

pub fn code<T>(result: Result<T, SourceError>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(error) => {
            assert!(!error.to_string().is_empty() && !error.help().is_empty());
            error.code()
        }
    }
}
