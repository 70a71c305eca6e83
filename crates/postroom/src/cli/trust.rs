//! `postroom mailbox trust`: looks at the server's certificate, has its fingerprint confirmed, and trusts it from then on.

use super::args::TrustArgs;
use super::certificate::{print_chain, trusted};
use super::output::Output;
use super::terminal;
use crate::connection;
use crate::failure::{Failure, shell_word};
use jiff::Timestamp;
use postroom_domain::Mailbox;
use postroom_mail::Security;
use postroom_sources::certificate::CertificateInfo;
use postroom_sources::error::{Cause, CertificateRefused, Distrust};
use postroom_sources::{Limits, Shown, SourceError};
use postroom_store::{NewCertificate, Store};
use serde_json::json;

pub async fn run(store: &Store, args: TrustArgs, out: Output) -> Result<(), Failure> {
    let mailbox = store.mailbox(&args.name).await?;
    check_has_tls(&mailbox)?;
    let trust = connection::trust(store, &mailbox).await?;
    let shown = postroom_sources::shown(&mailbox.access, &trust, &Limits::default()).await;
    let Shown { chain, refused } = shown.map_err(|error| Failure::from(error).for_mailbox(&mailbox.name))?;
    print_chain(&chain, out)?;
    let Some(refused) = refused else {
        let own = chain.first().ok_or_else(|| in_clear(&mailbox.name))?;
        let mut object = trusted(&mailbox.name, own);
        object["changed"] = json!(false);
        return out
            .object(&object, || format!("mailbox {} trusts this server already; nothing was changed", mailbox.name));
    };
    if !helps(&refused.cause) {
        return Err(Failure::from(SourceError::Certificate(Box::new(refused))).for_mailbox(&mailbox.name));
    }
    let fingerprint = match &args.fingerprint {
        Some(fingerprint) => fingerprint.clone(),
        None => ask(&mailbox.name, &refused, &chain, out)?,
    };
    let chosen = chosen(&fingerprint, &chain)?;
    let replaces: Vec<String> = match refused.cause {
        // Who took the place of a pin takes all of it: the old key may be in other hands.
        Cause::Changed => refused.pinned.iter().map(|old| old.fingerprint.to_string()).collect(),
        _ => Vec::new(),
    };
    let new = NewCertificate { der: chosen.der.clone(), dates: connection::dates(chosen), replaces: replaces.clone() };
    store.add_certificate(&mailbox.name, new, Timestamp::now()).await?;
    let mut object = trusted(&mailbox.name, chosen);
    object["changed"] = json!(true);
    object["replaced"] = json!(replaces);
    out.object(&object, || {
        let old = if replaces.is_empty() { String::new() } else { format!(", in place of {}", replaces.join(", ")) };
        let name = shell_word(&mailbox.name);
        format!(
            "mailbox {} now trusts SHA-256 {}{old}\nTry it: postroom mailbox test {name}",
            mailbox.name, chosen.fingerprint
        )
    })
}

fn check_has_tls(mailbox: &Mailbox) -> Result<(), Failure> {
    match mailbox.access.server().map(|server| server.security) {
        Some(Security::None) | None => Err(in_clear(&mailbox.name)),
        Some(_) => Ok(()),
    }
}

fn in_clear(name: &str) -> Failure {
    let message = format!("there is no certificate to trust: mailbox {name} does not use TLS");
    Failure::new("NO_CERTIFICATE", message, "nothing was changed; TLS begins with `mailbox set NAME --security ssl`")
        .for_mailbox(name)
}

/// Whether trusting the certificate would help against what is wrong with it.
fn helps(cause: &Cause) -> bool {
    !matches!(
        cause,
        Cause::Expired | Cause::NotYetValid | Cause::Untrusted(Distrust::WeakKey(_) | Distrust::Unreadable)
    )
}

/// Has a person compare the fingerprint. Scripts must know it beforehand.
fn ask(name: &str, refused: &CertificateRefused, chain: &[CertificateInfo], out: Output) -> Result<String, Failure> {
    let own = chain.first().map(|own| own.fingerprint.to_string()).unwrap_or_default();
    if out.is_json() || !terminal::is_interactive() {
        let message = format!("{refused}; somebody has to confirm its fingerprint");
        let help = "nothing was changed; compare the fingerprint with the operator of the server, then `postroom mailbox trust NAME --fingerprint ";
        return Err(Failure::new("FINGERPRINT_NEEDED", message, format!("{help}{own}`")).for_mailbox(name));
    }
    out.say(format!("\n{refused}.\nCompare the SHA-256 with what the operator of the server tells you, on another way than this connection."))?;
    let answer = terminal::ask(&format!("Trust it for mailbox {name}? (yes, or the fingerprint): "));
    let answer = answer.map_err(|error| {
        Failure::new("INPUT_UNREADABLE", error.to_string(), "nothing was changed; say --fingerprint SHA256 instead")
    })?;
    match answer.trim() {
        "yes" => Ok(own),
        "" | "no" => Err(Failure::new("FINGERPRINT_NEEDED", "it was not confirmed", "nothing was changed")),
        typed => Ok(typed.to_owned()),
    }
}

/// The certificate of the chain that has this fingerprint. The server's own is a pin; any other must be an authority.
fn chosen<'a>(fingerprint: &str, chain: &'a [CertificateInfo]) -> Result<&'a CertificateInfo, Failure> {
    let digits: String = fingerprint.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
    let digits = digits.to_ascii_lowercase();
    let (position, found) =
        chain.iter().enumerate().find(|(_, c)| c.fingerprint.to_string() == digits).ok_or_else(|| {
            let shown: Vec<String> = chain.iter().map(|c| c.fingerprint.to_string()).collect();
            Failure::new(
                "FINGERPRINT_DIFFERS",
                format!("the server shows no certificate with this fingerprint, but {}", shown.join(", ")),
                "nothing was changed; if the operator's fingerprint is another one, somebody may stand between you and the server",
            )
        })?;
    if position > 0 && !found.ca {
        let help = "nothing was changed; give the fingerprint of the server's own certificate, or of an authority";
        return Err(Failure::new("USAGE", format!("{} is no authority", found.subject), help));
    }
    Ok(found)
}
