//! Where the mailbox of an address may be: a table of big providers, the domain's SRV records, its own settings document,
//! and whose servers take its mail. All of it is proposals; a person confirms before any server is logged in to.
//!
//! Nobody is told more than the domain, unless the caller asks for it, and documents come over https alone.

mod autoconfig;
mod providers;

use crate::dns::ServiceRecord;
use crate::https::{Https, Rules};
use crate::names::{Names, NoAnswer};
use postroom_mail::Security;
use serde::Serialize;
use std::fmt;

/// What the settings document of a domain may lead to: itself, over a few redirects.
pub fn rules() -> Rules {
    Rules { redirects: 3, body: 256 * 1024, ..Rules::default() }
}

/// Most proposals.
const MOST_PROPOSALS: usize = 20;

/// A mail address, in two parts. The local part goes nowhere unless that is said.
#[derive(Debug, Clone, Copy)]
pub struct Who<'a> {
    /// What stands before the `@`.
    pub local: &'a str,
    /// Its domain: A-labels in lower case.
    pub domain: &'a str,
    /// Whether the domain's settings server may be told the whole address, if it answers nothing else.
    pub may_be_told: bool,
}

impl Who<'_> {
    fn address(&self) -> String {
        format!("{}@{}", self.local, self.domain)
    }
}

/// A way to reach a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// IMAP.
    Imap,
    /// POP3.
    Pop3,
}

impl Protocol {
    /// The port that is used with this protection.
    pub fn default_port(self, security: Security) -> u16 {
        match self {
            Self::Imap => security.default_imap_port(),
            Self::Pop3 => security.default_pop3_port(),
        }
    }
}

/// What one needs to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Needs {
    /// The password of the mailbox.
    Password,
    /// A password of its own for programs, made in the settings of the account.
    AppPassword,
    /// OAuth: the provider takes no password.
    Oauth,
}

/// Where a proposal comes from; the first is to be believed most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The table of providers, by the domain.
    Provider,
    /// The domain's own settings document, over https.
    Autoconfig,
    /// SRV records of the domain. Nothing proves them.
    Srv,
    /// The table of providers, by whose servers take the domain's mail. A guess.
    Mx,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Provider => "the table of providers",
            Self::Autoconfig => "the domain's own settings document",
            Self::Srv => "the domain's SRV records, which nothing proves",
            Self::Mx => "a guess by whose servers take the domain's mail",
        })
    }
}

/// One way to reach the mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// IMAP or POP3.
    pub protocol: Protocol,
    /// The host.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The protection; never none.
    pub security: Security,
    /// The login name.
    pub user: String,
    /// What one needs to log in.
    pub needs: Needs,
    /// Who says so, the most credible first.
    pub from: Vec<Origin>,
    /// Whose server it is, where the table knows it.
    pub provider: Option<String>,
    /// What else is to be done or known.
    pub note: Option<String>,
}

/// Somebody who was asked, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// Whom.
    pub whom: String,
    /// What came of it.
    pub outcome: String,
}

/// Everything that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The best first.
    pub proposals: Vec<Proposal>,
    /// Who was asked. Nobody, where the table knows the domain.
    pub asked: Vec<Asked>,
}

/// Finds the servers of an address. Nobody is asked about a domain that the table knows.
pub async fn discover<N: Names>(who: Who<'_>, https: &Https<N>) -> Found {
    if let Some(provider) = providers::by_domain(who.domain) {
        let proposals = provider.proposals(who, Origin::Provider);
        return Found { asked: Vec::from_iter(without_server(provider)), proposals };
    }
    let names = https.names();
    let (services, document, exchangers) =
        tokio::join!(services(names, who), autoconfig::ask(https, who), exchangers(names, who));
    let mut found = Found::default();
    for part in [document, services, exchangers] {
        found.asked.extend(part.asked);
        for proposal in part.proposals {
            merge(&mut found.proposals, proposal);
        }
    }
    // IMAP before POP3, then by who says so, then TLS from the first octet. What the domain itself prefers stays in its order.
    found.proposals.sort_by_key(|p| (p.protocol, p.from.first().copied(), p.security != Security::Ssl));
    found.proposals.truncate(MOST_PROPOSALS);
    found
}

/// What is to be said of a provider whose servers cannot be named.
fn without_server(provider: &providers::Provider) -> Option<Asked> {
    let note = provider.note.filter(|_| provider.servers.is_empty())?;
    Some(Asked { whom: format!("the table of providers ({})", provider.name), outcome: note.to_owned() })
}

/// Adds a proposal, or only where it is from if the same server is proposed already.
fn merge(proposals: &mut Vec<Proposal>, new: Proposal) {
    let key = |p: &Proposal| (p.protocol, p.host.clone(), p.port, p.security);
    match proposals.iter_mut().find(|known| key(known) == key(&new)) {
        Some(known) => {
            known.from.extend(new.from);
            known.from.sort();
            known.from.dedup();
            known.provider = known.provider.take().or(new.provider);
            known.note = known.note.take().or(new.note);
        }
        None => proposals.push(new),
    }
}

/// The services that a domain may offer for reading mail.
// RFC 6186 §3.2 and §3.3
const SERVICES: [(&str, Protocol, Security); 4] = [
    ("_imaps", Protocol::Imap, Security::Ssl),
    ("_imap", Protocol::Imap, Security::Starttls),
    ("_pop3s", Protocol::Pop3, Security::Ssl),
    ("_pop3", Protocol::Pop3, Security::Starttls),
];

async fn services<N: Names>(names: &N, who: Who<'_>) -> Found {
    let ask = |at: usize| {
        let name = format!("{}._tcp.{}", SERVICES[at].0, who.domain);
        async move { (names.services(&name).await, name) }
    };
    let all = tokio::join!(ask(0), ask(1), ask(2), ask(3));
    let mut found = Found::default();
    for ((answer, name), (_, protocol, security)) in [all.0, all.1, all.2, all.3].into_iter().zip(SERVICES) {
        let (proposals, outcome) = offered(answer, protocol, security, who);
        found.proposals.extend(proposals);
        found.asked.push(Asked { whom: format!("SRV {name}"), outcome });
    }
    found
}

/// What the records of one service propose, and a word on them.
fn offered(
    answer: Result<Vec<ServiceRecord>, NoAnswer>,
    protocol: Protocol,
    security: Security,
    who: Who<'_>,
) -> (Vec<Proposal>, String) {
    let mut records = match answer {
        Err(error) => return (Vec::new(), error.to_string()),
        Ok(records) if records.is_empty() => return (Vec::new(), "nothing".to_owned()),
        Ok(records) => records,
    };
    // RFC 2782: the lowest priority first, among equals the largest weight, which is as good as any throw of dice.
    records.sort_by_key(|record| (record.priority, std::cmp::Reverse(record.weight)));
    // RFC 6186 §3.4: a single target `.` says that there is no such service.
    if records.iter().all(|record| record.target.is_empty()) {
        return (Vec::new(), "decidedly not offered".to_owned());
    }
    let usable = records.into_iter().filter(|record| record.port != 0 && is_host(&record.target));
    let proposals: Vec<Proposal> = usable
        .map(|record| Proposal {
            protocol,
            note: elsewhere(&record.target, who.domain),
            host: record.target,
            port: record.port,
            security,
            user: who.address(),
            needs: Needs::Password,
            from: vec![Origin::Srv],
            provider: None,
        })
        .collect();
    let outcome =
        if proposals.len() == 1 { "1 server named".into() } else { format!("{} servers named", proposals.len()) };
    (proposals, outcome)
}

/// A word on a server outside of the domain, which whoever can forge the name service could have named.
// RFC 6186 §6
fn elsewhere(host: &str, domain: &str) -> Option<String> {
    let is_within = host == domain || host.ends_with(&format!(".{domain}"));
    (!is_within).then(|| format!("{host} is outside of {domain}: make sure that it is your provider's"))
}

async fn exchangers<N: Names>(names: &N, who: Who<'_>) -> Found {
    let answer = names.exchangers(who.domain).await;
    let (proposals, outcome) = match answer {
        Err(error) => (Vec::new(), error.to_string()),
        Ok(hosts) if hosts.is_empty() => (Vec::new(), "nothing".to_owned()),
        Ok(hosts) => match hosts.iter().find_map(|host| providers::by_exchanger(host)) {
            Some(provider) => {
                let more = without_server(provider).map_or_else(String::new, |asked| format!(". {}", asked.outcome));
                (provider.proposals(who, Origin::Mx), format!("its mail goes to {}{more}", provider.name))
            }
            None => (Vec::new(), "its mail goes to nobody in the table of providers".to_owned()),
        },
    };
    Found { proposals, asked: vec![Asked { whom: format!("MX {}", who.domain), outcome }] }
}

/// Whether a text is a host name that can be proposed: letters, digits and `-` in labels, and more than one label.
// RFC 1123 §2.1
fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests;
