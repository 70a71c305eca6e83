//! `postroom certificate`: whom single mailboxes trust besides the system's authorities.

use super::args::{CertificateCommand, Global};
use super::open_store;
use super::output::{Output, count, text_table};
use crate::failure::Failure;
use jiff::Timestamp;
use postroom_sources::certificate;
use serde_json::json;

pub async fn run(global: &Global, command: CertificateCommand, out: Output) -> Result<(), Failure> {
    let store = open_store(global).await?;
    match command {
        CertificateCommand::Add { file, mailbox } => {
            let octets = std::fs::read(&file).map_err(|error| {
                let message = format!("{}: {error}", file.display());
                Failure::new("FILE_UNREADABLE", message, "nothing was changed; check the path and its permissions")
            })?;
            for certificate in certificate::parse(&octets)? {
                let fingerprint = certificate.fingerprint.to_string();
                store.add_certificate(&mailbox, certificate.der.clone(), &fingerprint, Timestamp::now()).await?;
                let mut object = json!(certificate);
                object["mailbox"] = json!(mailbox);
                out.object(&object, || format!("mailbox {mailbox} now trusts {}", certificate.describe()))?;
            }
            Ok(())
        }
        CertificateCommand::List => {
            let trusted = store.certificates().await?;
            let mut rows = Vec::new();
            for entry in trusted {
                let info = certificate::parse(&entry.der)?.into_iter().next();
                let Some(info) = info else { continue };
                let mut object = json!(info);
                object["mailbox"] = json!(entry.mailbox);
                rows.push((object, entry.mailbox, info));
            }
            if out.is_json() {
                return rows.iter().try_for_each(|(object, ..)| out.object(object, String::new));
            }
            let none = "no mailbox trusts more than the system's authorities";
            out.say(text_table(
                &rows,
                ["FINGERPRINT", "MAILBOX", "VALID UNTIL", "SUBJECT"],
                none,
                |(_, mailbox, info)| {
                    let fingerprint = info.fingerprint.to_string();
                    [fingerprint[..16].to_owned(), mailbox.clone(), info.not_after.to_string(), info.subject.clone()]
                },
            ))
        }
        CertificateCommand::Remove { fingerprint } => {
            let removed = store.remove_certificate(&fingerprint, Timestamp::now()).await?;
            out.object(&json!({"fingerprint": fingerprint, "removed": removed}), || {
                format!("{fingerprint} is trusted no more ({})", count(removed, "mailbox"))
            })
        }
    }
}
