//! The settings document that a domain offers for mail programs, in the form that Thunderbird has introduced.
// https://wiki.mozilla.org/Thunderbird:Autoconfiguration:ConfigFileFormat, draft-ietf-mailmaint-autoconfig

use super::{Asked, Found, Needs, Origin, Proposal, Protocol, Who, is_host};
use crate::https::{Answer, Https, HttpsError};
use crate::names::Names;
use hyper::StatusCode;
use postroom_mail::Security;
use roxmltree::{Document, Node, ParsingOptions};

/// Most nodes of a document.
const MOST_NODES: u32 = 5_000;
/// Longest login name, in octets.
const LONGEST_USER: usize = 255;

/// Asks the places where a domain may have its document, until one of them has it. They are told the domain alone. One that
/// answers without a document is asked again with an address that every domain has, and with the person's only if that is
/// allowed.
pub(super) async fn ask<N: Names>(https: &Https<N>, who: Who<'_>) -> Found {
    let domain = who.domain;
    let mut places = vec![
        format!("https://autoconfig.{domain}/mail/config-v1.1.xml"),
        format!("https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml"),
    ];
    // RFC 5321 §4.5.1: every domain has a postmaster, so this tells nothing but the domain.
    let mut queries = vec![String::new(), format!("?emailaddress=postmaster%40{domain}")];
    if who.may_be_told {
        queries.push(format!("?emailaddress={}", encoded(&who.address())));
    }
    let mut found = Found::default();
    for query in queries {
        let mut answering = Vec::new();
        for place in places {
            let url = format!("{place}{query}");
            let answer = https.get(&url).await;
            let is_there = answer.is_ok();
            let (proposals, outcome) = document(answer, who);
            found.asked.push(Asked { whom: url, outcome });
            if !proposals.is_empty() {
                found.proposals = proposals;
                return found;
            }
            answering.extend(is_there.then_some(place));
        }
        places = answering;
    }
    found
}

fn document(answer: Result<Answer, HttpsError>, who: Who<'_>) -> (Vec<Proposal>, String) {
    match answer {
        Ok(answer) if answer.status == StatusCode::OK => match std::str::from_utf8(&answer.body) {
            Ok(text) => read(text, who),
            Err(_) => (Vec::new(), "a document that is no UTF-8".to_owned()),
        },
        Ok(answer) => (Vec::new(), format!("status {}", answer.status.as_u16())),
        Err(error) => (Vec::new(), words(&error)),
    }
}

/// As it stands in the query of a URL.
// RFC 3986 §2.1
fn encoded(text: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes().map(|b| if is_plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn words(error: &HttpsError) -> String {
    let mut text = error.to_string();
    // An address of a private network is not told: the domain chose it, and would learn what is there.
    if let HttpsError::Connection(source) = error {
        source.code().clone_into(&mut text);
    }
    text
}

/// What a document proposes, and a word on it.
pub(super) fn read(text: &str, who: Who<'_>) -> (Vec<Proposal>, String) {
    // Without a DTD there are no entities but the five of XML, so a small document cannot become a large one.
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let Ok(document) = Document::parse_with_options(text, options) else {
        return (Vec::new(), "a document that is no XML, or too large".to_owned());
    };
    let root = document.root_element();
    let provider = child(root, "emailProvider");
    let Some(provider) = provider.filter(|_| root.tag_name().name() == "clientConfig") else {
        return (Vec::new(), "a document of another kind".to_owned());
    };
    let servers = provider.children().filter(|node| node.has_tag_name("incomingServer"));
    let read: Vec<Result<Proposal, Unusable>> = servers.map(|node| proposal(node, who)).collect();
    let in_clear = read.iter().filter(|one| matches!(one, Err(Unusable::InClear))).count();
    let proposals: Vec<Proposal> = read.into_iter().filter_map(Result::ok).collect();
    let mut outcome = format!("a settings document, {} usable", proposals.len());
    if in_clear > 0 {
        outcome += &format!("; {in_clear} in clear, which is not proposed");
    }
    (proposals, outcome)
}

/// Why a server of a document is not proposed.
enum Unusable {
    InClear,
    Other,
}

fn proposal(node: Node<'_, '_>, who: Who<'_>) -> Result<Proposal, Unusable> {
    let value = |name: &str| child(node, name).and_then(|node| node.text()).map(str::trim).ok_or(Unusable::Other);
    let protocol = match node.attribute("type") {
        Some("imap") => Protocol::Imap,
        Some("pop3") => Protocol::Pop3,
        _ => return Err(Unusable::Other),
    };
    let security = match value("socketType")? {
        "SSL" => Security::Ssl,
        "STARTTLS" => Security::Starttls,
        "plain" => return Err(Unusable::InClear),
        _ => return Err(Unusable::Other),
    };
    let host = filled(value("hostname")?, who).to_ascii_lowercase();
    let port = value("port")?.parse().ok().filter(|port| *port != 0).ok_or(Unusable::Other)?;
    let user = filled(child(node, "username").and_then(|node| node.text()).map_or("%EMAILADDRESS%", str::trim), who);
    // A placeholder that we do not know asks for something that only the person knows.
    let user = if user.contains('%') || user.is_empty() { who.address() } else { user };
    if !is_host(&host) || user.len() > LONGEST_USER || user.chars().any(char::is_control) {
        return Err(Unusable::Other);
    }
    let ways: Vec<&str> = node
        .children()
        .filter(|node| node.has_tag_name("authentication"))
        .filter_map(|node| node.text())
        .map(str::trim)
        .collect();
    let is_only_oauth = !ways.is_empty() && ways.iter().all(|way| *way == "OAuth2");
    let needs = if is_only_oauth { Needs::Oauth } else { Needs::Password };
    let note = super::elsewhere(&host, who.domain);
    Ok(Proposal { protocol, host, port, security, user, needs, from: vec![Origin::Autoconfig], provider: None, note })
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.has_tag_name(name))
}

/// With the parts of the address in the place of their names.
fn filled(text: &str, who: Who<'_>) -> String {
    text.replace("%EMAILADDRESS%", &who.address())
        .replace("%EMAILLOCALPART%", who.local)
        .replace("%EMAILDOMAIN%", who.domain)
}
