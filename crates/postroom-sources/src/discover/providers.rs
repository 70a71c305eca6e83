//! The table of big providers: `data/providers.txt`, compiled in.

use super::{Needs, Origin, Proposal, Protocol, Who};
use postroom_mail::Security;
use std::sync::OnceLock;

const TABLE: &str = include_str!("../../data/providers.txt");

/// One provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Provider {
    pub(super) name: &'static str,
    /// Domains of its own addresses.
    pub(super) domains: Vec<&'static str>,
    /// What the names of its mail exchangers end in.
    pub(super) exchangers: Vec<&'static str>,
    /// Its servers, the best first; none where only a note can be given.
    pub(super) servers: Vec<Server>,
    user: &'static str,
    needs: Needs,
    pub(super) note: Option<&'static str>,
}

/// A server in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) protocol: Protocol,
    pub(super) security: Security,
    pub(super) host: &'static str,
}

impl Provider {
    /// Its servers for one person.
    pub(super) fn proposals(&self, who: Who<'_>, origin: Origin) -> Vec<Proposal> {
        let user = if self.user == "local" { who.local.to_owned() } else { who.address() };
        self.servers
            .iter()
            .map(|server| Proposal {
                protocol: server.protocol,
                host: server.host.to_owned(),
                port: server.protocol.default_port(server.security),
                security: server.security,
                user: user.clone(),
                needs: self.needs,
                from: vec![origin],
                provider: Some(self.name.to_owned()),
                note: self.note.map(str::to_owned),
            })
            .collect()
    }
}

/// The provider that gives out addresses of this domain.
pub(super) fn by_domain(domain: &str) -> Option<&'static Provider> {
    all().iter().find(|provider| provider.domains.contains(&domain))
}

/// The provider whose server this mail exchanger is.
pub(super) fn by_exchanger(host: &str) -> Option<&'static Provider> {
    let is_of = |suffix: &&str| host == *suffix || host.strip_suffix(*suffix).is_some_and(|rest| rest.ends_with('.'));
    all().iter().find(|provider| provider.exchangers.iter().any(is_of))
}

/// The table. A line that has no meaning would be a mistake of ours, which a test finds; it is passed over here.
pub(super) fn all() -> &'static [Provider] {
    static ALL: OnceLock<Vec<Provider>> = OnceLock::new();
    ALL.get_or_init(|| TABLE.split("\n\n").filter_map(|block| read(block).ok()).collect())
}

/// Reads the lines of one provider; comments alone are no provider.
pub(super) fn read(block: &'static str) -> Result<Provider, &'static str> {
    let (mut domains, mut exchangers, mut servers) = (Vec::new(), Vec::new(), Vec::new());
    let (mut name, mut user, mut needs, mut note) = ("", "address", Needs::Password, None);
    for line in block.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (key, value) = line.split_once(": ").ok_or(line)?;
        match key {
            "name" => name = value,
            "domains" => domains.extend(value.split(' ')),
            "mx" => exchangers.extend(value.split(' ')),
            "imap" => servers.push(server(Protocol::Imap, value).ok_or(line)?),
            "pop3" => servers.push(server(Protocol::Pop3, value).ok_or(line)?),
            "user" if matches!(value, "local" | "address") => user = value,
            "needs" => {
                needs = match value {
                    "app-password" => Needs::AppPassword,
                    "oauth" => Needs::Oauth,
                    _ => return Err(line),
                }
            }
            "note" => note = Some(value),
            _ => return Err(line),
        }
    }
    if name.is_empty() || (servers.is_empty() && note.is_none()) {
        return Err(block);
    }
    Ok(Provider { name, domains, exchangers, servers, user, needs, note })
}

fn server(protocol: Protocol, value: &'static str) -> Option<Server> {
    let (security, host) = value.split_once(' ')?;
    let security = match security {
        "ssl" => Security::Ssl,
        "starttls" => Security::Starttls,
        _ => return None,
    };
    Some(Server { protocol, security, host })
}
