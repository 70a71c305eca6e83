//! Verifying a message inside a reading process: signatures, SPF, DMARC and seals, by the library, which is told what the
//! DNS says and never asks it. What it would have asked for is answered instead, and the parent asks.

mod known;

use super::frame::{Verified, Verify};
use known::Known;
use mail_auth::dmarc::Policy;
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{
    AuthenticatedMessage, DkimOutput, DkimResult, DmarcOutput, DmarcResult, MessageAuthenticator, SpfOutput, SpfResult,
};
use postroom_domain::identity::{self, Sealed, Verification};
use postroom_mail::AuthenticationResults;
use postroom_mail::address::domain_of;
use postroom_mail::message::Client;
use postroom_sources::dns::resolver_without_servers;

/// Signatures looked at; each can cost a question and the work of checking it.
const SIGNATURES_MAX: usize = 10;
/// Labels of a domain for which a policy is looked for.
const LABELS_MAX: usize = 8;

/// What verifies, once it is needed.
#[derive(Default)]
pub(super) struct Verifier(Option<(tokio::runtime::Runtime, MessageAuthenticator)>);

impl Verifier {
    /// Finds out what can be found out with these answers.
    ///
    /// # Errors
    /// When the library cannot be set up, in words.
    pub(super) fn verify(&mut self, octets: &[u8], task: &Verify) -> Result<Verified, String> {
        if self.0.is_none() {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
            let runtime = runtime.map_err(|error| error.to_string())?;
            let resolver = {
                let _inside = runtime.enter();
                resolver_without_servers()?
            };
            self.0 = Some((runtime, MessageAuthenticator(resolver)));
        }
        let Some((runtime, authenticator)) = &self.0 else { return Err("it was not set up".to_owned()) };
        let Some(mut message) = AuthenticatedMessage::parse(octets) else {
            let trouble = Some("the library finds no header in it".to_owned());
            return Ok(Verified { found: Verification { trouble, ..Verification::default() }, missing: Vec::new() });
        };
        message.dkim_headers.truncate(SIGNATURES_MAX);
        let known = Known::of(task);
        let found = runtime.block_on(verify(authenticator, &message, task, &known));
        known.expect(expected(&message, task, &known));
        Ok(Verified { found, missing: known.missing() })
    }
}

async fn verify(
    authenticator: &MessageAuthenticator,
    message: &AuthenticatedMessage<'_>,
    task: &Verify,
    known: &Known<'_>,
) -> Verification {
    let dkim = authenticator.verify_dkim(known.with(message)).await;
    let (spf, envelope) = match &task.client {
        Some(client) => spf(authenticator, client, known).await,
        None => (SpfOutput::default(), ""),
    };
    let parameters = DmarcParameters::new(message, &dkim, envelope, &spf);
    let dmarc = authenticator.verify_dmarc(known.with(parameters)).await;
    let signers = dkim.iter().filter(|one| *one.result() == DkimResult::Pass).filter_map(DkimOutput::signature);
    let covers_from = |signed: &[String]| signed.iter().any(|name| name.eq_ignore_ascii_case("from"));
    Verification {
        signers: signers.filter(|signer| covers_from(&signer.h)).map(|signer| signer.d.clone()).collect(),
        dmarc: dmarc_of(&dmarc, &dkim, &spf, task),
        sealed: if task.seals { sealed(authenticator, message, known).await } else { None },
        trouble: trouble(&dkim, &dmarc, &spf),
    }
}

/// What SPF says of the client, and the domain that it is about: that of the envelope's sender, or the client's name where
/// there is none (RFC 7208 §2.4).
async fn spf<'a>(authenticator: &MessageAuthenticator, client: &'a Client, known: &Known<'_>) -> (SpfOutput, &'a str) {
    let Some(sender) = client.mail_from.as_deref() else { return (SpfOutput::default(), "") };
    let (helo, address) = (client.helo.as_str(), client.address);
    let (parameters, domain) = match sender.rsplit_once('@') {
        Some((_, domain)) => (SpfParameters::verify_mail_from(address, helo, "localhost", sender), domain),
        None => (SpfParameters::verify_ehlo(address, helo, "localhost"), helo),
    };
    (authenticator.verify_spf(known.with(parameters)).await, domain)
}

fn dmarc_of(output: &DmarcOutput, dkim: &[DkimOutput<'_>], spf: &SpfOutput, task: &Verify) -> Option<identity::Dmarc> {
    // Without a record there is no policy.
    output.dmarc_record()?;
    let passed = match (output.dkim_result(), output.spf_result()) {
        (DmarcResult::Pass, _) => Some("DKIM".to_owned()),
        (_, DmarcResult::Pass) => Some("SPF".to_owned()),
        _ => None,
    };
    let unsure = |result: &DmarcResult| matches!(result, DmarcResult::TempError(_));
    let is_sure = !unsure(output.dkim_result())
        && !unsure(output.spf_result())
        && spf.result() != SpfResult::TempError
        && !dkim.iter().any(|one| matches!(one.result(), DkimResult::TempError(_)));
    Some(identity::Dmarc {
        domain: output.domain().to_ascii_lowercase(),
        passed,
        enforced: matches!(output.policy(), Policy::Quarantine | Policy::Reject),
        complete: is_sure && task.client.as_ref().is_some_and(|client| client.mail_from.is_some()),
    })
}

/// Why something could not be found out, if that may pass.
fn trouble(dkim: &[DkimOutput<'_>], dmarc: &DmarcOutput, spf: &SpfOutput) -> Option<String> {
    let of_dkim = dkim.iter().find_map(|one| match one.result() {
        DkimResult::TempError(error) => Some(error.to_string()),
        _ => None,
    });
    let of_dmarc = || match dmarc.dkim_result() {
        DmarcResult::TempError(error) => Some(error.to_string()),
        _ => None,
    };
    let of_spf = || (spf.result() == SpfResult::TempError).then(|| "the record of SPF cannot be looked up".to_owned());
    of_dkim.or_else(of_dmarc).or_else(of_spf)
}

/// The seals, if all of them hold, and what the first one found out.
async fn sealed(
    authenticator: &MessageAuthenticator,
    message: &AuthenticatedMessage<'_>,
    known: &Known<'_>,
) -> Option<Sealed> {
    let output = authenticator.verify_arc(known.with(message)).await;
    if *output.result() != DkimResult::Pass {
        return None;
    }
    let first = message.aar_headers.first()?;
    let value = String::from_utf8_lossy(first.value).replace(['\r', '\n'], "");
    Some(Sealed {
        sealers: message.as_headers.iter().map(|seal| seal.header.d.clone()).collect(),
        results: AuthenticationResults::parse_arc(value.trim()).ok()?,
    })
}

/// Names whose texts the library is going to ask for: it asks for one after the other, and would need a round for each.
fn expected(message: &AuthenticatedMessage<'_>, task: &Verify, known: &Known<'_>) -> Vec<String> {
    let mut names = Vec::new();
    if known.misses_policy() {
        let labels: Vec<&str> = domain_of(&task.author).split('.').collect();
        names.extend((0..labels.len()).take(LABELS_MAX).map(|at| format!("_dmarc.{}.", labels[at..].join("."))));
    }
    if task.seals {
        let of_seals = message.as_headers.iter().map(|seal| (&seal.header.s, &seal.header.d));
        let of_signatures = message.ams_headers.iter().map(|one| (&one.header.s, &one.header.d));
        let keys = of_seals.chain(of_signatures).map(|(selector, domain)| format!("{selector}._domainkey.{domain}."));
        names.extend(keys.take(2 * SIGNATURES_MAX).map(|name| name.to_ascii_lowercase()));
    }
    names
}
