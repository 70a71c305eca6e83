//! `mailbox test`: how far we get with a mailbox, step by step. Changes nothing on the server.

use crate::imap::ImapSession;
use crate::maildir::MaildirSession;
use crate::pop3::Pop3Session;
use crate::session::Folder;
use crate::stream;
use crate::{Limits, Purpose, SourceError, Trust};
use postroom_mail::{Access, ImapAccess, Pop3Access, Secret, Security};
use serde::Serialize;
use tokio::net::TcpStream;

/// One step of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// `resolve`, `connect`, `tls`, `login` or `folder`.
    pub step: &'static str,
    /// Whether it succeeded.
    pub ok: bool,
    /// What was found, or what went wrong.
    pub detail: String,
    /// The stable code of what went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// What is safe and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Step {
    fn done(step: &'static str, detail: impl Into<String>) -> Self {
        Self { step, ok: true, detail: detail.into(), code: None, help: None }
    }

    fn failed(step: &'static str, error: &SourceError) -> Self {
        // The certificate stands in the detail, so not once more in the help.
        let detail = match error.certificate() {
            Some(certificate) => format!("{error}; {}", certificate.describe()),
            None => error.to_string(),
        };
        Self { step, ok: false, detail, code: Some(error.code()), help: Some(error.advice()) }
    }
}

/// Tries a mailbox step by step and stops at the first step that fails. The folder is opened read-only.
pub async fn probe(access: &Access, password: Option<&Secret>, trust: &Trust, limits: &Limits) -> Vec<Step> {
    let mut steps = Vec::new();
    match access {
        Access::Imap(access) => {
            if let Err(failed) = probe_imap(access, password, trust, limits, &mut steps).await {
                steps.push(failed);
            }
        }
        Access::Pop3(access) => {
            if let Err(failed) = probe_pop3(access, password, trust, limits, &mut steps).await {
                steps.push(failed);
            }
        }
        Access::Maildir { path } => {
            let found = match MaildirSession::open(path, limits).await {
                Ok(mut session) => session.list().await,
                Err(error) => Err(error),
            };
            steps.push(match found {
                Ok(listed) => Step::done("folder", format!("{} messages", listed.len())),
                Err(error) => Step::failed("folder", &error),
            });
        }
        Access::Push => steps.push(Step::failed("connect", &SourceError::NothingToVisit)),
    }
    steps
}

async fn probe_imap(
    access: &ImapAccess,
    password: Option<&Secret>,
    trust: &Trust,
    limits: &Limits,
    steps: &mut Vec<Step>,
) -> Result<(), Step> {
    let tcp = connect(&access.host, access.port, access.allow_private_host, limits, steps).await?;
    let mut session = ImapSession::greet(Box::new(tcp), access, trust, limits).await.map_err(at("tls"))?;
    steps.push(Step::done("tls", tls_words(access.security, session.tls())));

    session.log_in(access, password).await.map_err(at("login"))?;
    steps.push(Step::done("login", "accepted"));

    let folder = session.select(Purpose::Look).await.map_err(at("folder"))?;
    steps.push(Step::done("folder", folder_words(&access.folder, folder)));
    // The test is over; whether the server hears our goodbye makes no difference.
    let _goodbye = session.close().await;
    Ok(())
}

async fn probe_pop3(
    access: &Pop3Access,
    password: Option<&Secret>,
    trust: &Trust,
    limits: &Limits,
    steps: &mut Vec<Step>,
) -> Result<(), Step> {
    let tcp = connect(&access.host, access.port, access.allow_private_host, limits, steps).await?;
    let mut session = Pop3Session::greet(Box::new(tcp), access, trust, limits).await.map_err(at("tls"))?;
    steps.push(Step::done("tls", tls_words(access.security, session.tls())));
    session.log_in(access, password).await.map_err(at("login"))?;
    steps.push(Step::done("login", "accepted"));
    let folder = session.select().await.map_err(at("folder"))?;
    steps.push(Step::done("folder", format!("{} messages", folder.exists.unwrap_or(0))));
    // Nothing was marked for deletion, so the goodbye changes nothing either.
    let _goodbye = session.close().await;
    Ok(())
}

/// The steps `resolve` and `connect`.
async fn connect(
    host: &str,
    port: u16,
    allow_private_host: bool,
    limits: &Limits,
    steps: &mut Vec<Step>,
) -> Result<TcpStream, Step> {
    let addresses = stream::resolve(host, port, allow_private_host, limits).await.map_err(at("resolve"))?;
    let list = addresses.iter().map(|a| a.ip().to_string()).collect::<Vec<_>>().join(", ");
    steps.push(Step::done("resolve", list));
    let tcp = stream::connect(host, &addresses, limits).await.map_err(at("connect"))?;
    let peer = tcp.peer_addr().map_or_else(|_| host.to_owned(), |a| a.to_string());
    steps.push(Step::done("connect", peer));
    Ok(tcp)
}

fn at(step: &'static str) -> impl Fn(SourceError) -> Step {
    move |error| Step::failed(step, &error)
}

fn tls_words(security: Security, tls: bool) -> &'static str {
    match (tls, security) {
        (true, Security::Ssl) => "protected, the certificate is trusted",
        (true, _) => "protected by STARTTLS, the certificate is trusted",
        (false, Security::None) => "NOT protected: the password and all mail go in clear, as configured",
        (false, _) => "NOT protected: the server does not offer STARTTLS, so the password and all mail go in clear",
    }
}

fn folder_words(name: &str, folder: Folder) -> String {
    let number = |n: Option<u32>| n.map_or_else(|| "unknown".to_owned(), |n| n.to_string());
    format!("{name}: {} messages, UIDVALIDITY {}", number(folder.exists), number(folder.uid_validity))
}
