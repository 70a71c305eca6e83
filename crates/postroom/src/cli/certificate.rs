//! `postroom certificate`: whom single mailboxes trust besides the system's authorities, and what servers show.

use super::args::{CertificateCommand, Global, PasswordArgs, StarttlsArg};
use super::output::{Output, count, text_table};
use super::{open_store, read_secret_file};
use crate::connection::dates;
use crate::failure::Failure;
use jiff::{SignedDuration, Timestamp};
use postroom_domain::connection::EXPIRY_NOTICE;
use postroom_mail::{Access, AuthMethod, ImapAccess, Secret, Security, ServerAccess};
use postroom_sources::certificate::{self, CertificateInfo};
use postroom_sources::error::CertificateRefused;
use postroom_sources::{Limits, Shown, SourceError, Trust};
use postroom_store::{NewCertificate, Store};
use serde_json::{Value, json};
use std::path::Path;

pub async fn run(global: &Global, command: CertificateCommand, out: Output) -> Result<(), Failure> {
    match command {
        CertificateCommand::Fetch { server, starttls } => fetch(&server, starttls, out).await,
        CertificateCommand::Add { file, mailbox, password } => {
            add(&open_store(global).await?, &file, &mailbox, &password, out).await
        }
        CertificateCommand::List => list(&open_store(global).await?, out).await,
        CertificateCommand::Remove { fingerprint } => {
            let removed = open_store(global).await?.remove_certificate(&fingerprint, Timestamp::now()).await?;
            out.object(&json!({"fingerprint": fingerprint, "removed": removed}), || {
                format!("{fingerprint} is trusted no more ({})", count(removed, "mailbox"))
            })
        }
    }
}

async fn add(store: &Store, file: &Path, mailbox: &str, password: &PasswordArgs, out: Output) -> Result<(), Failure> {
    let octets = std::fs::read(file).map_err(|error| {
        let message = format!("{}: {error}", file.display());
        Failure::new("FILE_UNREADABLE", message, "nothing was changed; check the path and its permissions")
    })?;
    let password = keystore_password(password)?;
    for certificate in certificate::parse_file(&octets, password.as_ref())? {
        let new = NewCertificate { der: certificate.der.clone(), dates: dates(&certificate), replaces: Vec::new() };
        store.add_certificate(mailbox, new, Timestamp::now()).await?;
        let mut object = json!(certificate);
        object["mailbox"] = json!(mailbox);
        out.object(&object, || format!("mailbox {mailbox} now trusts {}", certificate.describe()))?;
    }
    Ok(())
}

fn keystore_password(password: &PasswordArgs) -> Result<Option<Secret>, Failure> {
    if password.password_stdin {
        let read = super::terminal::read_secret();
        return read.map(Some).map_err(|error| {
            let help =
                "pipe the password in, for example: printf changeit | postroom certificate add … --password-stdin";
            Failure::new("SECRET_FILE_UNREADABLE", format!("no password on standard input: {error}"), help)
        });
    }
    password.password_file.as_deref().map(read_secret_file).transpose()
}

async fn list(store: &Store, out: Output) -> Result<(), Failure> {
    let now = Timestamp::now();
    let mut rows = Vec::new();
    for entry in store.certificates().await? {
        let info = certificate::parse_der(&entry.der)?;
        let mut object = json!(info);
        object["mailbox"] = json!(entry.mailbox);
        object["expires"] = json!(expiry(&info, now));
        rows.push((object, entry.mailbox, info));
    }
    if out.is_json() {
        return rows.iter().try_for_each(|(object, ..)| out.object(object, String::new));
    }
    let none = "no mailbox trusts more than the system's authorities";
    out.say(text_table(&rows, ["FINGERPRINT", "MAILBOX", "VALID UNTIL", "", "SUBJECT"], none, |(_, mailbox, info)| {
        let fingerprint = info.fingerprint.to_string();
        [
            fingerprint[..16].to_owned(),
            mailbox.clone(),
            info.not_after.strftime("%Y-%m-%d").to_string(),
            expiry(info, now).unwrap_or_default().to_uppercase(),
            info.subject.clone(),
        ]
    }))
}

/// A word on a certificate that is about to run out, or has.
fn expiry(certificate: &CertificateInfo, now: Timestamp) -> Option<&'static str> {
    if certificate.not_after < now {
        Some("expired")
    } else if certificate.not_after.duration_since(now) <= EXPIRY_NOTICE {
        Some("soon")
    } else {
        None
    }
}

/// `certificate fetch`: needs no data, sends no password, and so may look at any host.
async fn fetch(server: &str, starttls: Option<StarttlsArg>, out: Output) -> Result<(), Failure> {
    let access = access(server, starttls)?;
    let Shown { chain, refused } = postroom_sources::shown(&access, &Trust::default(), &Limits::default()).await?;
    if out.is_json() {
        return chain.iter().enumerate().try_for_each(|(position, certificate)| {
            let mut object = json!(certificate);
            object["position"] = json!(position);
            object["trusted"] = json!(refused.is_none());
            object["pem"] = json!(certificate.pem());
            if let Some(refused) = &refused {
                object["code"] = json!(refused.code());
                object["reason"] = json!(refused.to_string());
            }
            out.object(&object, String::new)
        });
    }
    print_chain(&chain, out)?;
    let verdict = match &refused {
        None => "Trusted: the system's authorities vouch for it, so no mailbox needs to import it.".to_owned(),
        Some(refused) => format!("NOT trusted [{}]: {refused}.\n{}", refused.code(), how_to_trust(refused)),
    };
    out.say(format!("{verdict}\n\n{}", chain.first().map(CertificateInfo::pem).unwrap_or_default().trim_end()))
}

fn how_to_trust(refused: &CertificateRefused) -> String {
    SourceError::Certificate(Box::new(refused.clone())).help()
}

/// A look at a server, which is no mailbox and has no user.
fn access(server: &str, starttls: Option<StarttlsArg>) -> Result<Access, Failure> {
    let unclear =
        || Failure::new("USAGE", format!("`{server}` is no HOST:PORT"), "write for example mail.example.org:993");
    let (host, port) = server.rsplit_once(':').ok_or_else(unclear)?;
    let is_host = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/');
    let port = port.parse().ok().filter(|port| *port > 0 && is_host).ok_or_else(unclear)?;
    let security = if starttls.is_some() { Security::Starttls } else { Security::Ssl };
    let server = ServerAccess {
        host: host.to_owned(),
        port,
        security,
        user: String::new(),
        auth: AuthMethod::Auto,
        allow_private_host: true,
    };
    Ok(match starttls {
        Some(StarttlsArg::Pop3) => Access::Pop3(server),
        // With TLS from the first octet the certificates come before anything of a protocol.
        Some(StarttlsArg::Imap) | None => Access::Imap(ImapAccess::new(server, "INBOX")),
    })
}

/// Certificates for people, the server's own first.
pub fn print_chain(chain: &[CertificateInfo], out: Output) -> Result<(), Failure> {
    let now = Timestamp::now();
    for (position, certificate) in chain.iter().enumerate() {
        let what = if position == 0 { "the server's own" } else { "shown to vouch for it" };
        let names = if certificate.names.is_empty() { "none".to_owned() } else { certificate.names.join(", ") };
        let authority = if certificate.ca { ", an authority" } else { "" };
        out.say(format!(
            "certificate {} of {}, {what}{authority}\n  subject   {}\n  names     {names}\n  issuer    {}\n  valid     {} to {} ({})\n  key       {}\n  SHA-256   {}",
            position + 1,
            chain.len(),
            certificate.subject,
            certificate.issuer,
            certificate.not_before,
            certificate.not_after,
            left(certificate, now),
            certificate.key,
            certificate.fingerprint,
        ))?;
    }
    Ok(())
}

fn left(certificate: &CertificateInfo, now: Timestamp) -> String {
    let left = certificate.not_after.duration_since(now);
    let days = left.as_hours() / 24;
    if left < SignedDuration::ZERO {
        "expired".to_owned()
    } else {
        format!("{} left", count(days.unsigned_abs(), "day"))
    }
}

/// The object of one certificate that a mailbox trusts from now on.
pub fn trusted(mailbox: &str, certificate: &CertificateInfo) -> Value {
    let mut object = json!(certificate);
    object["mailbox"] = json!(mailbox);
    object["trusted"] = json!(true);
    object
}
