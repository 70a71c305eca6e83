//! What the DNS said, in the form of the library's cache.

use super::super::frame::Verify;
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::dmarc::Dmarc;
use mail_auth::hickory_resolver::proto::op::ResponseCode;
use mail_auth::spf::Spf;
use mail_auth::{DnsError, DnssecStatus, Error, MX, Parameters, RecordSet, ResolverCache, Txt};
use postroom_sources::dns::{Answer, Question};
use std::borrow::Borrow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

/// What the DNS said so far. To the library it is a cache; what is not in it is noted down.
pub(super) struct Known<'a> {
    answers: HashMap<&'a Question, &'a Answer>,
    missing: RefCell<Vec<Question>>,
    /// Whether the client has an IPv4 address.
    client_is_ipv4: bool,
}

impl<'a> Known<'a> {
    pub(super) fn of(task: &'a Verify) -> Self {
        Self {
            client_is_ipv4: task.client.as_ref().is_some_and(|client| client.address.is_ipv4()),
            answers: task.answers.iter().map(|(question, answer)| (question, answer)).collect(),
            missing: RefCell::default(),
        }
    }

    pub(super) fn with<'x, P>(&'x self, parameters: P) -> Parameters<'x, P, Self, Self, Self, Self, Self> {
        Parameters {
            params: parameters,
            cache_txt: Some(self),
            cache_mx: Some(self),
            cache_ptr: Some(self),
            cache_ipv4: Some(self),
            cache_ipv6: Some(self),
        }
    }

    fn answer(&self, question: Question) -> Option<&Answer> {
        let answer = self.answers.get(&question).copied();
        if answer.is_none() && !self.missing.borrow().contains(&question) {
            self.missing.borrow_mut().push(question);
        }
        answer
    }

    /// Whether a policy was asked for that is not known.
    pub(super) fn misses_policy(&self) -> bool {
        let is_policy = |question: &Question| matches!(question, Question::Text(name) if name.starts_with("_dmarc."));
        self.missing.borrow().iter().any(is_policy)
    }

    /// Notes down texts that are going to be asked for.
    pub(super) fn expect(&self, names: Vec<String>) {
        for name in names {
            self.answer(Question::Text(name));
        }
    }

    /// What was asked for and is not known.
    pub(super) fn missing(self) -> Vec<Question> {
        self.missing.into_inner()
    }

    fn addresses<T>(&self, question: Question, of_kind: impl Fn(&IpAddr) -> Option<T>) -> Option<RecordSet<T>> {
        let addresses = match self.answer(question)? {
            Answer::Addresses(addresses) => addresses.iter().filter_map(of_kind).collect(),
            // The library takes even an empty set for the existence of a name (`exists`). For clients with an IPv6
            // address it is left to ask those who never answer, as for what could not be found out, and is not sure.
            Answer::Nothing if self.client_is_ipv4 => Vec::new(),
            _ => return None,
        };
        Some(record_set(addresses))
    }
}

fn record_set<T>(records: Vec<T>) -> RecordSet<T> {
    RecordSet { rrset: records.into(), dnssec_status: DnssecStatus::Indeterminate }
}

impl ResolverCache<Box<str>, Txt> for Known<'_> {
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let name = text_of(name)?;
        let not_found = |error| Some(Txt::Error(Error::Dns(error)));
        match self.answer(Question::Text(name.clone()))? {
            Answer::Texts(texts) => Some(parsed(&name, texts, self.client_is_ipv4)),
            Answer::Unknown(why) => not_found(DnsError::Resolver(why.clone())),
            _ => not_found(DnsError::RecordNotFound(ResponseCode::NXDomain)),
        }
    }

    fn remove<Q>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: Txt, _: Instant) {}
}

/// The first text that is a record of the kind that stands at such a name.
fn parsed(name: &str, texts: &[Vec<u8>], client_is_ipv4: bool) -> Txt {
    fn first<T: TxtRecordParser + Into<Txt>>(texts: &[Vec<u8>]) -> Txt {
        let found = texts.iter().find_map(|text| T::parse(text).ok());
        found.map_or(Txt::Error(Error::Dns(DnsError::InvalidRecordType)), Into::into)
    }
    if name.starts_with("_dmarc.") {
        first::<Dmarc>(texts)
    } else if name.contains("._domainkey.") {
        first::<DomainKey>(texts)
    } else if client_is_ipv4 {
        first::<Spf>(&texts.iter().map(|text| without_existence(text)).collect::<Vec<_>>())
    } else {
        first::<Spf>(texts)
    }
}

/// A record of SPF with `exists:NAME` written as `a:NAME/0`, which means the same to a client with an IPv4 address: any
/// address of that name will do. Of the two, the library understands only the second when there is none.
// RFC 7208 §5.7, §5.3
fn without_existence(text: &[u8]) -> Vec<u8> {
    let term = |term: &[u8]| {
        let (qualifier, rest) = term.split_at(usize::from(term.first().is_some_and(|first| b"+-?~".contains(first))));
        match rest.split_at_checked("exists:".len()) {
            Some((word, name)) if word.eq_ignore_ascii_case(b"exists:") => [qualifier, b"a:", name, b"/0"].concat(),
            _ => term.to_vec(),
        }
    };
    text.split(|octet| *octet == b' ').map(term).collect::<Vec<_>>().join(&b' ')
}

impl ResolverCache<Box<str>, RecordSet<Ipv4Addr>> for Known<'_> {
    fn get<Q>(&self, name: &Q) -> Option<RecordSet<Ipv4Addr>>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.addresses(Question::Ipv4(text_of(name)?), |address| match address {
            IpAddr::V4(address) => Some(*address),
            IpAddr::V6(_) => None,
        })
    }

    fn remove<Q>(&self, _: &Q) -> Option<RecordSet<Ipv4Addr>>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: RecordSet<Ipv4Addr>, _: Instant) {}
}

impl ResolverCache<Box<str>, RecordSet<Ipv6Addr>> for Known<'_> {
    fn get<Q>(&self, name: &Q) -> Option<RecordSet<Ipv6Addr>>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.addresses(Question::Ipv6(text_of(name)?), |address| match address {
            IpAddr::V6(address) => Some(*address),
            IpAddr::V4(_) => None,
        })
    }

    fn remove<Q>(&self, _: &Q) -> Option<RecordSet<Ipv6Addr>>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: RecordSet<Ipv6Addr>, _: Instant) {}
}

impl ResolverCache<Box<str>, RecordSet<MX>> for Known<'_> {
    fn get<Q>(&self, name: &Q) -> Option<RecordSet<MX>>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        match self.answer(Question::Exchangers(text_of(name)?))? {
            Answer::Exchangers(hosts) => {
                let mut hosts = hosts.clone();
                hosts.sort();
                let mx = |(preference, host): (u16, String)| MX { preference, exchanges: [host.into()].into() };
                Some(record_set(hosts.into_iter().map(mx).collect()))
            }
            Answer::Nothing => Some(record_set(Vec::new())),
            _ => None,
        }
    }

    fn remove<Q>(&self, _: &Q) -> Option<RecordSet<MX>>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: RecordSet<MX>, _: Instant) {}
}

/// The names of an address are whatever its owner says, so that records which ask for them (`ptr`, RFC 7208 §5.5) are
/// answered as if there were none.
impl ResolverCache<IpAddr, RecordSet<Box<str>>> for Known<'_> {
    fn get<Q>(&self, _: &Q) -> Option<RecordSet<Box<str>>>
    where
        IpAddr: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        Some(record_set(Vec::new()))
    }

    fn remove<Q>(&self, _: &Q) -> Option<RecordSet<Box<str>>>
    where
        IpAddr: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: IpAddr, _: RecordSet<Box<str>>, _: Instant) {}
}

/// A name that the library shows only as something that can be hashed: what would be hashed is the name.
fn text_of<Q: Hash + ?Sized>(name: &Q) -> Option<String> {
    struct Heard(Vec<u8>);
    impl Hasher for Heard {
        fn write(&mut self, octets: &[u8]) {
            self.0.extend_from_slice(octets);
        }

        fn finish(&self) -> u64 {
            0
        }
    }
    let mut heard = Heard(Vec::new());
    name.hash(&mut heard);
    // After the octets of a text comes one that no text has.
    let name = heard.0.strip_suffix(&[0xff])?;
    String::from_utf8(name.to_vec()).ok().map(|name| name.to_ascii_lowercase())
}
