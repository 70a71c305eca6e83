//! What all tests here do with a server.

use postroom_mail::{Access, AuthMethod, ImapAccess, Listed, RemoteId, Secret, Security, ServerAccess, Settlement};
use postroom_sources::stream::Stream;
use postroom_sources::{Budget, Fetched, Limits, Outcome, Session, SourceError, Trust, open};
use postroom_testkit::dovecot::{Dovecot, PASSWORD};
use std::time::Duration;
use tokio::sync::mpsc;

pub fn server(host: &str, port: u16, security: Security, user: &str) -> ServerAccess {
    ServerAccess {
        host: host.into(),
        port,
        security,
        user: user.into(),
        auth: AuthMethod::Auto,
        allow_private_host: true,
    }
}

pub fn imap(server: ServerAccess) -> Access {
    Access::Imap(ImapAccess::new(server, "INBOX"))
}

/// Access over TLS to a user of a Dovecot.
pub fn over_tls(dovecot: &Dovecot, user: &str) -> Access {
    imap(server("localhost", dovecot.imaps_port, Security::Ssl, user))
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

/// Logs in over this stream.
pub async fn log_in_over(
    stream: impl Stream + 'static,
    access: &Access,
    trust: &Trust,
    limits: &Limits,
) -> Result<Session, SourceError> {
    let mut session = Session::greet(Box::new(stream), access, trust, limits).await?;
    session.log_in(access.server().unwrap(), Some(&password())).await?;
    Ok(session)
}

pub async fn try_log_in(access: &Access, trust: &Trust) -> Result<Session, SourceError> {
    open(access, Some(&password()), trust, &limits()).await
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

/// Fetches all that can be fetched, over a connection that may be cut; returns the messages that were handed over.
pub async fn visit(access: &Access) -> Vec<Vec<u8>> {
    let Ok(mut session) = try_log_in(access, &Trust::default()).await else { return Vec::new() };
    let Ok(listed) = session.list().await else { return Vec::new() };
    let (fetched, _result) = fetch(&mut session, &listed).await;
    let _goodbye = session.close().await;
    octets(&fetched)
}

/// Deletes a message over a connection that may be cut; returns what is confirmed.
pub async fn try_delete(access: &Access, trust: &Trust, id: &RemoteId) -> Vec<RemoteId> {
    match try_log_in(access, trust).await {
        Ok(mut session) => session.settle(std::slice::from_ref(id), &Settlement::Delete).await.unwrap_or_default(),
        Err(_) => Vec::new(),
    }
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
