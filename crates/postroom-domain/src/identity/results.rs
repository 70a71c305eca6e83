//! What trusted hosts wrote into the header, and how a forger's lines are told from theirs: by where they stand.

use super::{Evidence, Identity, Level, speaks_for};
use postroom_mail::address::{canonical_domain, domain_of};
use postroom_mail::authentication_results::MethodResult;
use postroom_mail::message::{Passage, PassageStep};
use postroom_mail::{Address, AuthenticationResults, Message};

/// Judges by the Authentication-Results of the hosts whose names are given.
///
/// Hosts write on top of what is there, so only the topmost run of such fields can be theirs: from the first one, which must
/// be by a trusted host, down to the next Received field or the first by another host. What cannot be read in it makes all
/// of it worthless, and so does a check of which two fields say different things.
// RFC 8601 §4.1, §7.1
pub fn by_results(message: &Message, authserv_ids: &[String]) -> Identity {
    if authserv_ids.is_empty() {
        return Identity::not_checked("no host is trusted to say whether the sender is who he says he is");
    }
    let unverified = |why: String| Identity::new(Level::Unverified, Evidence::AuthenticationResults, why);
    let Some(author) = message.author().and_then(Address::canonical) else {
        return unverified("there is not exactly one author".to_owned());
    };
    let run = match topmost_run(&message.passage, authserv_ids) {
        Ok(run) => run,
        Err(why) => return unverified(why),
    };
    let by = run.first().map(|first| first.authserv_id.clone()).unwrap_or_default();
    match passed(&author, &run) {
        Ok(passed) => Identity::new(Level::Verified, Evidence::AuthenticationResults, format!("{passed}, says {by}")),
        Err(NotPassed { why, disowned }) => {
            let level = if disowned { Level::Failed } else { Level::Unverified };
            Identity::new(level, Evidence::AuthenticationResults, format!("{why}, says {by}"))
        }
    }
}

fn topmost_run<'a>(passage: &'a Passage, authserv_ids: &[String]) -> Result<Vec<&'a AuthenticationResults>, String> {
    let trusted = |id: &str| authserv_ids.iter().any(|known| known.eq_ignore_ascii_case(id));
    let mut run = Vec::new();
    for step in &passage.steps {
        match step {
            PassageStep::ReturnPath(_) => {}
            // Below it stands what was there when the message came to the trusted host.
            PassageStep::Received(_) if !run.is_empty() => break,
            PassageStep::Received(_) => {}
            PassageStep::Results(Err(why)) => {
                return Err(format!("an Authentication-Results field cannot be read: {why}"));
            }
            PassageStep::Results(Ok(results)) if trusted(&results.authserv_id) => run.push(results),
            PassageStep::Results(Ok(results)) if run.is_empty() => {
                let id = &results.authserv_id;
                return Err(format!("the topmost Authentication-Results field is by {id}, which is not trusted"));
            }
            PassageStep::Results(Ok(_)) => break,
        }
    }
    if run.is_empty() { Err("no trusted host wrote Authentication-Results".to_owned()) } else { Ok(run) }
}

/// Why results do not show that the author wrote a message.
pub(super) struct NotPassed {
    why: String,
    /// Whether the domain of the author disowns it.
    disowned: bool,
}

/// What in a run of results, topmost first, shows that the author wrote the message: DMARC passed for his domain, or a
/// signature speaks for it. Only the topmost field can show it, which nobody but the trusted host can have written; those
/// below may be a forger's where that host does not take such fields out, and can only speak against him.
pub(super) fn passed(author: &str, run: &[&AuthenticationResults]) -> Result<String, NotPassed> {
    let domain = domain_of(author);
    let not = |why: String, disowned| Err(NotPassed { why, disowned });
    let about = |result: &MethodResult| result.property("header.from").and_then(domain_in);
    let is_dmarc = |result: &&MethodResult| result.method == "dmarc";
    for result in run.iter().flat_map(|field| &field.results).filter(is_dmarc) {
        if result.result == "fail" && about(result).is_none_or(|from| from == domain) {
            return not(format!("DMARC fails for {domain}"), is_enforced(result));
        }
    }
    let topmost = run.first().map(|field| field.results.as_slice()).unwrap_or_default();
    let mut passes = false;
    for result in topmost.iter().filter(is_dmarc) {
        match (result.result.as_str(), about(result)) {
            (_, Some(from)) if from != domain => return not(format!("its DMARC result is about {from}"), false),
            ("pass", Some(_)) => passes = true,
            ("pass", None) => return not("its DMARC result does not say about which domain".to_owned(), false),
            // The domain has no policy, or it was not found out.
            _ => {}
        }
    }
    if passes {
        return Ok(format!("DMARC passes for {domain}"));
    }
    let signers = topmost.iter().filter(|result| result.method == "dkim" && result.result == "pass").filter_map(signer);
    match signers.into_iter().find(|signer| speaks_for(signer, domain)) {
        Some(signer) => Ok(format!("signed by {signer}")),
        None => not(format!("nothing passes for {domain}"), false),
    }
}

/// The domain of a signature: `header.d`, else that of `header.i`.
fn signer(result: &MethodResult) -> Option<String> {
    result.property("header.d").or_else(|| result.property("header.i")).and_then(domain_in)
}

/// The domain of a domain or of an address.
fn domain_in(value: &str) -> Option<String> {
    canonical_domain(value.rsplit_once('@').map_or(value, |(_, domain)| domain))
}

/// Whether the domain asks for more than a report about what fails: programs say so in a comment (`p=REJECT`) or in a
/// property (`action=quarantine`, `policy.dmarc=reject`).
fn is_enforced(dmarc: &MethodResult) -> bool {
    let asks = |value: &str| ["reject", "oreject", "quarantine"].iter().any(|word| value.eq_ignore_ascii_case(word));
    let in_properties =
        dmarc.properties.iter().any(|(name, value)| (name == "action" || name.starts_with("policy.")) && asks(value));
    let mut words = dmarc.comment.split([' ', '\t', ',', ';']).filter_map(|word| word.split_once('='));
    in_properties || words.any(|(name, value)| matches!(name.to_ascii_lowercase().as_str(), "p" | "dis") && asks(value))
}
