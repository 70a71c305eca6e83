//! One author or recipient: display name and canonical addr-spec.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use unicode_security::MixedScript as _;

#[cfg(test)]
mod tests;

/// An RFC 5322 §3.4 mailbox: display name and addr-spec. (In this product `Mailbox` means a configured inbox.)
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    /// Display name, decoded (RFC 2047) and trimmed; empty when there was none. Read from a message, at most 200 characters.
    pub name: String,
    /// The addr-spec as written, decoded, without comments or route; see [`Address::canonical`] for comparing.
    /// Read from a message, at most 320 octets; a longer one is cut so that it is nobody's.
    pub addr_spec: String,
}

impl Address {
    /// An address with a display name (which may be empty).
    pub fn new(name: impl Into<String>, addr_spec: impl Into<String>) -> Self {
        Self { name: name.into(), addr_spec: addr_spec.into() }
    }

    /// The form that rules and tables use, or `None` when this is no addr-spec.
    pub fn canonical(&self) -> Option<String> {
        canonical(&self.addr_spec)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() {
            f.write_str(&self.addr_spec)
        } else {
            write!(f, "{} <{}>", self.name, self.addr_spec)
        }
    }
}

/// The one canonical form of an addr-spec: local part in ASCII lower case, domain in IDNA A-labels and lower case, at
/// most 320 octets. `None` for anything that is not `dot-atom@domain`, `quoted-string@domain` or `local@[literal]`:
/// the last `@` outside quotes divides, so that `"x@bosch.com"@evil.org` is at evil.org. Quotes and backslashes that a local
/// part does not need are left out: `"ann"@example.org` is `ann@example.org` (RFC 5321 §4.1.2).
///
/// RFC 5321 §2.4 leaves the case of a local part to its host; no mail system in use tells `Ann@` from `ann@`, and
/// treating them as two people is how registered users become strangers.
// RFC 5322 §3.4.1, RFC 5321 §4.5.3.1, RFC 5891
pub fn canonical(addr_spec: &str) -> Option<String> {
    let text = addr_spec.trim();
    let (local, domain) = text.rsplit_once('@')?;
    if local.is_empty() || local.len() > 64 || domain.is_empty() || text.len() > 320 {
        return None;
    }
    let (mut local, domain) = (canonical_local(local)?, canonical_domain(domain)?);
    local.make_ascii_lowercase();
    Some(format!("{local}@{domain}"))
}

/// The domain of a canonical address.
pub fn domain_of(canonical: &str) -> &str {
    canonical.rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// Whether a part of a canonical address mixes scripts as no written language does, such as Latin with Cyrillic, so that
/// it may have been made to look like another one. What is written in one script alone is not told apart here.
// UTS #39 §5.1 (single script)
pub fn mixes_scripts(canonical: &str) -> bool {
    let Some((local, domain)) = canonical.rsplit_once('@') else { return false };
    let mixed = |text: &str| !text.is_ascii() && !text.is_single_script();
    let (shown, _) = idna::domain_to_unicode(domain);
    mixed(local) || shown.split('.').any(mixed)
}

/// A local part without quotes and backslashes that it does not need; `None` if it is none.
fn canonical_local(local: &str) -> Option<String> {
    let Some(inner) = local.strip_prefix('"') else { return is_dot_atom(local).then(|| local.to_owned()) };
    let inner = inner.strip_suffix('"')?;
    let (mut content, mut quoted) = (String::new(), String::from('"'));
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            '"' => return None,
            '\\' => chars.next()?,
            c => c,
        };
        if c.is_control() || is_invisible(c) {
            return None;
        }
        content.push(c);
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    match content.as_str() {
        "" => None,
        plain if is_dot_atom(plain) => Some(content),
        _ => Some(quoted),
    }
}

/// Whether a local part needs no quotes. Those beyond ASCII are RFC 6531; a dot may stand anywhere, because real providers have
/// given out such addresses. U+FFFD stands where octets could not be read: two such addresses are not the same one.
fn is_dot_atom(local: &str) -> bool {
    let is_atom = |c: char| {
        !c.is_whitespace()
            && !c.is_control()
            && !is_invisible(c)
            && c != char::REPLACEMENT_CHARACTER
            && !r#"()<>[]:;@\,""#.contains(c)
    };
    local.chars().all(is_atom)
}

/// Characters that show nothing or turn the direction of what follows, so that an address with them looks like another one.
// Unicode: Default_Ignorable_Code_Point, and UAX #9 §2
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// The one canonical form of a domain: A-labels in lower case without a final dot, or an address literal in brackets.
// RFC 5891, RFC 5321 §4.1.3
pub fn canonical_domain(domain: &str) -> Option<String> {
    if let Some(literal) = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let tagged = literal.get(..5).is_some_and(|tag| tag.eq_ignore_ascii_case("IPv6:"));
        let plain = if tagged { &literal[5..] } else { literal };
        return Some(match plain.parse().ok()? {
            IpAddr::V4(address) => format!("[{address}]"),
            IpAddr::V6(address) => format!("[ipv6:{address}]"),
        });
    }
    let domain = domain.trim_end_matches('.');
    let ascii = if is_plain(domain) { domain.to_ascii_lowercase() } else { idna::domain_to_ascii(domain).ok()? };
    let labels_are_valid = ascii.split('.').all(|label| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    });
    (labels_are_valid && ascii.len() <= 253).then_some(ascii)
}

/// Whether a domain is one of ASCII in which nothing is encoded, so that it is its own A-label but for its case.
fn is_plain(domain: &str) -> bool {
    domain.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
        && !domain.as_bytes().windows(4).any(|four| four.eq_ignore_ascii_case(b"xn--"))
}
