//! `mailbox test`: how far we get with a mailbox, step by step. Changes nothing on the server.

use crate::certificate::CertificateInfo;
use crate::error::CertificateRefused;
use crate::login::Binding;
use crate::maildir::MaildirSession;
use crate::session::Folder;
use crate::stream;
use crate::{Limits, Purpose, Session, SourceError, Trust};
use jiff::Timestamp;
use postroom_mail::{Access, Listed, Secret, Security};
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
    /// What is safe and what to do; NAME stands for the mailbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// At the step `tls`: `tls`, `starttls`, or `clear`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protection: Option<&'static str>,
    /// At the step `tls`: the certificates that the server showed, its own first, also where they were not accepted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<CertificateInfo>,
    /// At the step `login`: what it has shown of logins that are bound to the TLS connection.
    #[serde(skip)]
    pub binding: Binding,
    /// At the step `folder`: what is there.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub count: Option<Count>,
}

/// What is in a mailbox, and what of it a first visit would take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Messages in it.
    pub messages: u64,
    /// What each value of `--start` takes of them.
    pub takes: Takes,
}

/// What a first visit would take of the messages that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Takes {
    /// With `new`: none, since they are there already.
    pub new: u64,
    /// With `all`.
    pub all: u64,
    /// With `since`; `None` where that cannot be told by looking at a list.
    pub since: Option<Since>,
}

/// What a first visit takes that begins with an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Since {
    /// The instant.
    pub at: Timestamp,
    /// Messages that arrived at or after it, or whose arrival is not known.
    pub messages: u64,
}

/// Longest folder that is listed to count what is newer than a date.
const MOST_COUNTED: u32 = 20_000;

impl Step {
    fn done(step: &'static str, detail: impl Into<String>) -> Self {
        Self {
            step,
            ok: true,
            detail: detail.into(),
            code: None,
            help: None,
            protection: None,
            chain: Vec::new(),
            binding: Binding::Unknown,
            count: None,
        }
    }

    fn failed(step: &'static str, error: &SourceError) -> Self {
        let (code, help) = (Some(error.code()), Some(error.help()));
        Self { ok: false, code, help, chain: error.chain().to_vec(), ..Self::done(step, error.to_string()) }
    }
}

/// Tries a mailbox step by step and stops at the first step that fails. The folder is opened read-only. What `since` would
/// take is counted where a list tells it.
pub async fn probe(
    access: &Access,
    password: Option<&Secret>,
    trust: &Trust,
    limits: &Limits,
    since: Timestamp,
) -> Vec<Step> {
    let mut steps = Vec::new();
    let ended = match access {
        Access::Maildir { path } => probe_maildir(path, limits, since, &mut steps).await,
        _ => probe_server(access, password, trust, limits, since, &mut steps).await,
    };
    steps.extend(ended.err());
    steps
}

async fn probe_maildir(path: &Path, limits: &Limits, since: Timestamp, steps: &mut Vec<Step>) -> Result<(), Step> {
    let mut session = MaildirSession::open(path, limits).await.map_err(at("folder"))?;
    let listed = session.list().await.map_err(at("folder"))?;
    let count = Some(count(listed.len() as u64, Some(&listed), since));
    steps.push(Step { count, ..Step::done("folder", format!("{} messages", listed.len())) });
    Ok(())
}

async fn probe_server(
    access: &Access,
    password: Option<&Secret>,
    trust: &Trust,
    limits: &Limits,
    since: Timestamp,
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
    let (protection, words) = protection(server.security, session.tls());
    let chain = session.take_chain();
    steps.push(Step { protection: Some(protection), chain, ..Step::done("tls", words) });

    session.log_in(server, password).await.map_err(at("login"))?;
    steps.push(Step { binding: session.binding(), ..Step::done("login", "accepted") });

    let folder = session.select(Purpose::Look).await.map_err(at("folder"))?;
    let is_listed = matches!(access, Access::Imap(_)) && folder.exists.is_some_and(|exists| exists <= MOST_COUNTED);
    let listed = if is_listed { Some(session.list().await.map_err(at("folder"))?) } else { None };
    let count = folder.exists.map(|exists| count(exists.into(), listed.as_deref(), since));
    steps.push(Step { count, ..Step::done("folder", folder_words(access, folder)) });
    // The test is over, and nothing was marked for deletion; whether the server hears our goodbye makes no difference.
    let _goodbye = session.close().await;
    Ok(())
}

/// What a server shows of itself before anybody logs in.
#[derive(Debug)]
pub struct Shown {
    /// Its certificates, its own first; empty without TLS.
    pub chain: Vec<CertificateInfo>,
    /// Why they are not trusted; `None` where they are, or where there are none.
    pub refused: Option<CertificateRefused>,
}

/// Looks at the certificates of a server. Nobody logs in, and nothing is changed.
///
/// # Errors
/// Those of the connection, and of a server that does not get as far as showing a certificate.
pub async fn shown(access: &Access, trust: &Trust, limits: &Limits) -> Result<Shown, SourceError> {
    let server = access.server().ok_or(SourceError::NothingToVisit)?;
    let addresses = stream::resolve(server, limits).await?;
    let tcp = stream::connect(&server.host, &addresses, limits).await?;
    match Session::greet(Box::new(tcp), access, trust, limits).await {
        Ok(mut session) => {
            let chain = session.take_chain();
            // We only wanted to look.
            let _goodbye = session.close().await;
            Ok(Shown { chain, refused: None })
        }
        Err(SourceError::Certificate(refused)) => Ok(Shown { chain: refused.chain.clone(), refused: Some(*refused) }),
        Err(error) => Err(error),
    }
}

fn at(step: &'static str) -> impl Fn(SourceError) -> Step {
    move |error| Step::failed(step, &error)
}

fn protection(security: Security, tls: bool) -> (&'static str, &'static str) {
    match (tls, security) {
        (true, Security::Ssl) => ("tls", "protected, the certificate is trusted"),
        (true, _) => ("starttls", "protected by STARTTLS, the certificate is trusted"),
        (false, Security::None) => ("clear", "NOT protected: the password and all mail go in clear, as configured"),
        (false, _) => {
            ("clear", "NOT protected: the server does not offer STARTTLS, so the password and all mail go in clear")
        }
    }
}

fn count(messages: u64, listed: Option<&[Listed]>, since: Timestamp) -> Count {
    let is_newer = |listed: &&Listed| listed.received_at.is_none_or(|at| at >= since);
    let since = listed.map(|listed| Since { at: since, messages: listed.iter().filter(is_newer).count() as u64 });
    Count { messages, takes: Takes { new: 0, all: messages, since } }
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
