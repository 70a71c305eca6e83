//! Whether a message is by whom its From field names: judged by what trusted hosts wrote into the header, and by what the
//! domain of the author publishes.

mod results;

use crate::domain_list::NotAnEntry;
use jiff::{SignedDuration, Timestamp};
use postroom_mail::address::{canonical_domain, domain_of};
use postroom_mail::message::{Client, Passage, PassageStep};
use postroom_mail::{Address, AuthenticationResults, Message};
use serde::{Deserialize, Serialize};
use std::fmt;

pub use results::by_results;

/// How sure it is that the author wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The domain of the author, or somebody who is trusted, vouches for it.
    Verified,
    /// Nobody vouches for it, and nobody disowns it.
    Unverified,
    /// The domain of the author disowns it: it asks that such messages be refused or set apart.
    Failed,
}

impl Level {
    /// The name in JSON and in the trace.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Unverified => "unverified",
            Self::Failed => "failed",
        }
    }
}

/// What a level rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// Nothing was looked at: checks are off, or no host is trusted to say anything.
    NotChecked,
    /// What a trusted host wrote, or the lack of it (RFC 8601).
    AuthenticationResults,
    /// A signature of the author's domain (RFC 6376).
    Dkim,
    /// The policy of the author's domain (RFC 9989).
    Dmarc,
    /// What a trusted sealer on the way found out (RFC 8617).
    Arc,
    /// A reply key that was given to the author.
    ReplyKey,
    /// The word of an agent who forwarded it.
    Forwarded,
}

/// How sure it is that the author wrote a message, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Identity {
    /// How sure.
    pub level: Level,
    /// What that rests on.
    pub evidence: Evidence,
    /// For people; no secret, but names of domains and hosts.
    pub detail: String,
}

impl Default for Identity {
    fn default() -> Self {
        Self::not_checked("nothing was checked")
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.level.as_str(), self.detail)
    }
}

impl Identity {
    /// What nobody looked at is not verified.
    pub fn not_checked(why: &str) -> Self {
        Self::new(Level::Unverified, Evidence::NotChecked, why)
    }

    fn new(level: Level, evidence: Evidence, detail: impl Into<String>) -> Self {
        Self { level, evidence, detail: detail.into() }
    }

    /// What an agent says who forwarded a message.
    pub fn forwarded() -> Self {
        let why = "an agent forwarded it, and nothing proves that its author wrote it";
        Self::new(Level::Unverified, Evidence::Forwarded, why)
    }

    /// What is known once the message has shown a reply key that was given to its author. A domain that disowns the message
    /// is believed all the same: keys are passed on with the mail that they stand in.
    pub(crate) fn with_reply_key(self) -> Self {
        match self.level {
            Level::Unverified => {
                Self::new(Level::Verified, Evidence::ReplyKey, "it carries a reply key that was given to its author")
            }
            Level::Verified | Level::Failed => self,
        }
    }

    /// Whether the author is proven.
    pub fn is_verified(&self) -> bool {
        self.level == Level::Verified
    }

    /// Whether anything was looked at.
    pub fn is_checked(&self) -> bool {
        self.evidence != Evidence::NotChecked
    }
}

/// How it is found out whether a sender is who he says he is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuthenticationPolicy {
    /// What is looked at.
    pub checks: Checks,
    /// The hosts whose Authentication-Results are believed, by the names that they go by there.
    pub authserv_ids: Vec<String>,
    /// The hosts whose Received fields are believed about the address that mail came from.
    pub trusted_hosts: Vec<String>,
    /// The domains whose ARC seals are believed.
    pub arc_sealers: Vec<String>,
}

impl AuthenticationPolicy {
    /// What holds for a mailbox that names hosts of its own: these and no others are believed, since another provider's name
    /// could be written by anybody into mail that does not pass that provider.
    pub fn for_mailbox(mut self, authserv_ids: &[String]) -> Self {
        if !authserv_ids.is_empty() {
            self.authserv_ids = authserv_ids.to_vec();
        }
        self
    }
}

/// Names of hosts, as they are compared.
///
/// # Errors
/// The first text that cannot be the name of a host.
pub fn host_names(written: &[String]) -> Result<Vec<String>, NotAnEntry> {
    let name = |text: &String| {
        let wrong = || NotAnEntry { written: text.clone(), why: "is no name of a host" };
        canonical_domain(text.trim()).ok_or_else(wrong)
    };
    written.iter().map(name).collect()
}

/// What is looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Checks {
    /// Nothing.
    Off,
    /// What trusted hosts wrote into the header. Asks nobody.
    #[default]
    Headers,
    /// That, and where it says nothing the signatures and policies themselves, for which the DNS is asked.
    Full,
}

/// What is known after the first look, for which nobody is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirstLook {
    /// All that is to be known.
    Done(Identity),
    /// Signatures and policies are to be looked at: for this canonical address of the author, and this client.
    Verify {
        /// The author.
        author: String,
        /// Who handed the message to a trusted host, if that is known.
        client: Option<Client>,
        /// Whether seals are to be looked at.
        seals: bool,
    },
}

/// Looks at what trusted hosts wrote. `client` is who handed the message to the mail server that brought it, if that said so.
pub fn first_look(message: &Message, client: Option<&Client>, policy: &AuthenticationPolicy) -> FirstLook {
    if policy.checks == Checks::Off {
        return FirstLook::Done(Identity::not_checked("checks are switched off"));
    }
    let identity = by_results(message, &policy.authserv_ids);
    if policy.checks == Checks::Headers || identity.level != Level::Unverified {
        return FirstLook::Done(identity);
    }
    let Some(author) = message.author().and_then(Address::canonical) else {
        let why = "there is not exactly one author";
        return FirstLook::Done(Identity::new(Level::Unverified, Evidence::Dkim, why));
    };
    let client = client.cloned().or_else(|| client_of(&message.passage, &policy.trusted_hosts));
    if !message.passage.signed && client.as_ref().is_none_or(|client| client.mail_from.is_none()) {
        let why = "it is not signed, and who handed it to us is not known";
        return FirstLook::Done(Identity::new(Level::Unverified, Evidence::Dkim, why));
    }
    FirstLook::Verify { author, client, seals: !policy.arc_sealers.is_empty() }
}

/// What the signatures of a message and the policy of its author's domain say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// The domains of valid DKIM signatures that cover the From field.
    pub signers: Vec<String>,
    /// What DMARC says of the author's domain, if that has a policy.
    pub dmarc: Option<Dmarc>,
    /// What was sealed on the way, if the chain of seals holds.
    pub sealed: Option<Sealed>,
    /// Why something could not be found out.
    pub trouble: Option<String>,
}

/// What DMARC says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dmarc {
    /// The author's domain, as the library read it.
    pub domain: String,
    /// What passed and is aligned with the domain: `DKIM` or `SPF`.
    pub passed: Option<String>,
    /// Whether the domain asks that what does not pass be refused or set apart.
    pub enforced: bool,
    /// Whether everything that could have passed was looked at: signatures, and the address that the message came from.
    pub complete: bool,
}

/// What was sealed on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// The domains of all seals, oldest first.
    pub sealers: Vec<String>,
    /// What the first one found out.
    pub results: AuthenticationResults,
}

/// Who handed the message to a trusted host, by what that host wrote: the topmost Received field by a host of this name.
/// The envelope's sender counts if it was noted down later, so above that field.
pub fn client_of(passage: &Passage, trusted_hosts: &[String]) -> Option<Client> {
    let mut mail_from = None;
    for step in &passage.steps {
        match step {
            PassageStep::ReturnPath(path) => {
                mail_from.get_or_insert(path);
            }
            PassageStep::Received(hop) if trusted_hosts.iter().any(|host| host.eq_ignore_ascii_case(&hop.by)) => {
                return Some(Client { address: hop.client?, helo: hop.helo.clone(), mail_from: mail_from.cloned() });
            }
            PassageStep::Received(_) | PassageStep::Results(_) => {}
        }
    }
    None
}

/// How old a message may be to be disowned by what the DNS says today.
const RECENT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Whether a message is new enough to be disowned by what the DNS says today: keys and addresses change, so one that does
/// not pass any more may have passed when it came.
pub fn is_recent(received_at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(received_at) <= RECENT
}

/// Judges by signatures and policies. `author` is the canonical address of the one author.
pub fn by_verification(author: &str, found: &Verification, arc_sealers: &[String], recent: bool) -> Identity {
    let domain = domain_of(author);
    if let Some(dmarc) = &found.dmarc
        && dmarc.domain != domain
    {
        // Two readers that differ about the author are how forgeries get past one of them.
        let detail = format!("the author is at {domain}, the policy that was found is of {}", dmarc.domain);
        return Identity::new(Level::Unverified, Evidence::Dmarc, detail);
    }
    if let Some(passed) = found.dmarc.as_ref().and_then(|dmarc| dmarc.passed.as_ref()) {
        return Identity::new(Level::Verified, Evidence::Dmarc, format!("{passed} passed for {domain}"));
    }
    if let (None, Some(signer)) = (&found.dmarc, found.signers.iter().find(|signer| speaks_for(signer, domain))) {
        return Identity::new(Level::Verified, Evidence::Dkim, format!("signed by {signer}"));
    }
    if let Some(identity) = by_seals(author, found, arc_sealers) {
        return identity;
    }
    if let Some(trouble) = &found.trouble {
        return Identity::new(Level::Unverified, Evidence::Dkim, format!("it could not be found out: {trouble}"));
    }
    match &found.dmarc {
        Some(dmarc) if dmarc.enforced && dmarc.complete && recent => {
            let detail =
                format!("{domain} asks that messages be refused or set apart that it did not send, as this one");
            Identity::new(Level::Failed, Evidence::Dmarc, detail)
        }
        Some(_) => Identity::new(Level::Unverified, Evidence::Dmarc, format!("nothing passed for {domain}")),
        None => Identity::new(Level::Unverified, Evidence::Dkim, format!("no signature speaks for {domain}")),
    }
}

/// Judges by what trusted sealers found out before the message was changed on the way, say by a mailing list.
fn by_seals(author: &str, found: &Verification, arc_sealers: &[String]) -> Option<Identity> {
    let sealed = found.sealed.as_ref()?;
    let trusted = |sealer: &String| arc_sealers.iter().any(|known| known.eq_ignore_ascii_case(sealer));
    // The first could be believed, but not what those after it let pass.
    if sealed.sealers.is_empty() || !sealed.sealers.iter().all(trusted) {
        return None;
    }
    let passed = results::passed(author, &[&sealed.results]).ok()?;
    let detail = format!("{passed}, sealed by {}", sealed.sealers.join(", "));
    Some(Identity::new(Level::Verified, Evidence::Arc, detail))
}

/// Whether a signature of `signer` speaks for addresses at `domain`: it is that domain or one above it. A domain above has
/// the say over those below in any case; the reverse is not so, and needs the domain's own word (DMARC).
fn speaks_for(signer: &str, domain: &str) -> bool {
    let Some(signer) = canonical_domain(signer) else { return false };
    signer == domain || (signer.contains('.') && domain.strip_suffix(&signer).is_some_and(|below| below.ends_with('.')))
}

#[cfg(test)]
mod tests;
