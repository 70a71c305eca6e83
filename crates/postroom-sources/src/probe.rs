//! `mailbox test`: how far we get with a mailbox, step by step. Changes nothing on the server.

use crate::maildir::MaildirSession;
use crate::session::Folder;
use crate::stream;
use crate::{Limits, Purpose, Session, SourceError, Trust};
use postroom_mail::{Access, Secret, Security};
use serde::Serialize;
use std::path::Path;

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
    let ended = match access {
        Access::Maildir { path } => probe_maildir(path, limits, &mut steps).await,
        _ => probe_server(access, password, trust, limits, &mut steps).await,
    };
    steps.extend(ended.err());
    steps
}

async fn probe_maildir(path: &Path, limits: &Limits, steps: &mut Vec<Step>) -> Result<(), Step> {
    let mut session = MaildirSession::open(path, limits).await.map_err(at("folder"))?;
    let listed = session.list().await.map_err(at("folder"))?;
    steps.push(Step::done("folder", format!("{} messages", listed.len())));
    Ok(())
}

async fn probe_server(
    access: &Access,
    password: Option<&Secret>,
    trust: &Trust,
    limits: &Limits,
    steps: &mut Vec<Step>,
) -> Result<(), Step> {
    let server = access.server().ok_or_else(|| Step::failed("connect", &SourceError::NothingToVisit))?;
    let addresses = stream::resolve(server, limits).await.map_err(at("resolve"))?;
    let list = addresses.iter().map(|a| a.ip().to_string()).collect::<Vec<_>>().join(", ");
    steps.push(Step::done("resolve", list));

    let tcp = stream::connect(&server.host, &addresses, limits).await.map_err(at("connect"))?;
    let peer = tcp.peer_addr().map_or_else(|_| server.host.clone(), |a| a.to_string());
    steps.push(Step::done("connect", peer));

    let mut session = Session::greet(Box::new(tcp), access, trust, limits).await.map_err(at("tls"))?;
    steps.push(Step::done("tls", tls_words(server.security, session.tls())));

    session.log_in(server, password).await.map_err(at("login"))?;
    steps.push(Step::done("login", "accepted"));

    let folder = session.select(Purpose::Look).await.map_err(at("folder"))?;
    steps.push(Step::done("folder", folder_words(access, folder)));
    // The test is over, and nothing was marked for deletion; whether the server hears our goodbye makes no difference.
    let _goodbye = session.close().await;
    Ok(())
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

fn folder_words(access: &Access, folder: Folder) -> String {
    let number = |n: Option<u32>| n.map_or_else(|| "unknown".to_owned(), |n| n.to_string());
    match access {
        Access::Imap(imap) => {
            format!("{}: {} messages, UIDVALIDITY {}", imap.folder, number(folder.exists), number(folder.uid_validity))
        }
        _ => format!("{} messages", number(folder.exists)),
    }
}
