//! Asking the DNS what domains publish about the mail they send. Bounded: a deadline for each question, a cache by the
//! time to live of the answers, and a fuse: where nobody answers, nobody is asked for a minute.

mod fuse;

use fuse::Fuse;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Resolver, TokioResolver};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Longest wait for one question in all its tries.
const PATIENCE: Duration = Duration::from_secs(5);
/// Wait for an answer to one packet.
const PACKET_PATIENCE: Duration = Duration::from_secs(2);
/// Answers kept, as long as they hold.
const CACHE: u64 = 4096;
/// Longest time for which an answer is kept, whatever it says.
const TTL_MAX: Duration = Duration::from_secs(3600);
/// Records taken of one answer.
const RECORDS_MAX: usize = 64;
/// Octets taken of one text.
const TEXT_MAX: usize = 8 * 1024;

/// One question.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Question {
    /// The texts of a name.
    Text(String),
    /// The IPv4 addresses of a name.
    Ipv4(String),
    /// The IPv6 addresses of a name.
    Ipv6(String),
    /// The hosts that take mail for a name.
    Exchangers(String),
    /// Where the service of a name is.
    Services(String),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// The strings of each text, joined.
    Texts(Vec<Vec<u8>>),
    /// Addresses.
    Addresses(Vec<IpAddr>),
    /// Preference and name.
    Exchangers(Vec<(u16, String)>),
    /// Where the service is.
    Services(Vec<ServiceRecord>),
    /// There is nothing of this kind.
    Nothing,
    /// It could not be found out, for this reason.
    Unknown(String),
}

/// Where a service is (RFC 2782).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRecord {
    /// The lowest is to be tried first.
    pub priority: u16,
    /// Among equals, the largest first.
    pub weight: u16,
    /// The port.
    pub port: u16,
    /// The host, without the dot of the root; empty where the service is decidedly not available.
    pub target: String,
}

/// Whom to ask. Clones share what was answered.
#[derive(Clone)]
pub struct Dns {
    resolver: Result<Arc<TokioResolver>, String>,
    fuse: Arc<Fuse>,
}

impl Dns {
    /// Asks the name servers of this system.
    pub fn of_system() -> Self {
        let read = hickory_resolver::system_conf::read_system_conf();
        Self::over(read.map_err(|error| error.to_string()).and_then(|(config, _)| resolver(config)))
    }

    /// Asks this name server alone.
    pub fn at(server: SocketAddr) -> Self {
        let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
        connections.iter_mut().for_each(|connection| connection.port = server.port());
        let server = NameServerConfig::new(server.ip(), true, connections);
        Self::over(resolver(ResolverConfig::from_name_servers(vec![server])))
    }

    fn over(resolver: Result<TokioResolver, String>) -> Self {
        Self { resolver: resolver.map(Arc::new), fuse: Arc::new(Fuse::default()) }
    }

    /// Asks all questions at once and returns when all are answered or `deadline` is there. Every question has an answer
    /// in what it returns.
    pub async fn ask(&self, questions: Vec<Question>, deadline: Instant) -> HashMap<Question, Answer> {
        let deadline = deadline.min(Instant::now() + PATIENCE);
        let asking: Vec<_> = questions
            .into_iter()
            .map(|question| {
                let this = self.clone();
                tokio::spawn(async move {
                    let answer = this.answer(&question, deadline).await;
                    (question, answer)
                })
            })
            .collect();
        let mut answers = HashMap::new();
        for asked in asking {
            // One that panicked has no answer; whoever looks for it takes that for unknown.
            if let Ok((question, answer)) = asked.await {
                answers.insert(question, answer);
            }
        }
        answers
    }

    async fn answer(&self, question: &Question, deadline: Instant) -> Answer {
        let resolver = match &self.resolver {
            Ok(resolver) => resolver,
            Err(why) => return Answer::Unknown(format!("no name server is known: {why}")),
        };
        match self.fuse.guard(lookup(resolver, question), deadline).await {
            Ok(answer) => answer,
            Err(why) => Answer::Unknown(why.to_owned()),
        }
    }
}

/// A resolver that knows no name server and so never asks anybody: all it can do is say so.
///
/// # Errors
/// When the library cannot be set up.
pub fn resolver_without_servers() -> Result<TokioResolver, String> {
    resolver(ResolverConfig::from_name_servers(Vec::new()))
}

fn resolver(config: ResolverConfig) -> Result<TokioResolver, String> {
    let mut options = ResolverOpts::default();
    options.timeout = PACKET_PATIENCE;
    options.attempts = 1;
    options.cache_size = CACHE;
    options.positive_max_ttl = Some(TTL_MAX);
    options.negative_max_ttl = Some(TTL_MAX);
    // What is published about mail is in the DNS alone.
    options.use_hosts_file = ResolveHosts::Never;
    // The library would read the system's certificates for TLS, which is never used here.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Resolver::builder_with_config(config, TokioRuntimeProvider::default())
        .with_options(options)
        .with_tls_config(tls)
        .build()
        .map_err(|error| error.to_string())
}

async fn lookup(resolver: &TokioResolver, question: &Question) -> Answer {
    let (name, kind) = match question {
        Question::Text(name) => (name, RecordType::TXT),
        Question::Ipv4(name) => (name, RecordType::A),
        Question::Ipv6(name) => (name, RecordType::AAAA),
        Question::Exchangers(name) => (name, RecordType::MX),
        Question::Services(name) => (name, RecordType::SRV),
    };
    let Ok(mut name) = Name::from_str_relaxed(name) else { return Answer::Nothing };
    // Otherwise the search domains of this machine would be tried.
    name.set_fqdn(true);
    records(resolver.lookup(name, kind).await, kind)
}

fn records(
    found: Result<hickory_resolver::lookup::Lookup, hickory_resolver::net::NetError>,
    kind: RecordType,
) -> Answer {
    let found = match found {
        Ok(found) => found,
        Err(error) if error.is_no_records_found() => return Answer::Nothing,
        Err(error) => return Answer::Unknown(error.to_string()),
    };
    let data = || found.answers().iter().map(|record| &record.data).take(RECORDS_MAX);
    let dotless = |name: &Name| name.to_lowercase().to_ascii().trim_end_matches('.').to_owned();
    match kind {
        RecordType::TXT => Answer::Texts(
            data()
                .filter_map(|data| match data {
                    RData::TXT(text) => Some(text.txt_data.iter().flat_map(|part| part.iter().copied())),
                    _ => None,
                })
                .map(|octets| octets.take(TEXT_MAX).collect())
                .collect(),
        ),
        RecordType::MX => Answer::Exchangers(
            data()
                .filter_map(|data| match data {
                    RData::MX(mx) => Some((mx.preference, dotless(&mx.exchange))),
                    _ => None,
                })
                .collect(),
        ),
        RecordType::SRV => Answer::Services(
            data()
                .filter_map(|data| match data {
                    RData::SRV(srv) => {
                        let (priority, weight, port) = (srv.priority, srv.weight, srv.port);
                        Some(ServiceRecord { priority, weight, port, target: dotless(&srv.target) })
                    }
                    _ => None,
                })
                .collect(),
        ),
        _ => Answer::Addresses(
            data()
                .filter_map(|data| match data {
                    RData::A(address) => Some(IpAddr::V4(address.0)),
                    RData::AAAA(address) => Some(IpAddr::V6(address.0)),
                    _ => None,
                })
                .collect(),
        ),
    }
}
