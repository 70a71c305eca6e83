//! Lines as values.

use super::Pop3Error;
use crate::peek;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// A reply: `+OK` or `-ERR`, a response code, and text for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Whether it is `+OK`.
    pub ok: bool,
    /// The response code in upper case and without brackets, say `SYS/TEMP` (RFC 2449 §8, RFC 3206).
    pub code: Option<String>,
    /// The text for people, at most 300 characters, without control characters.
    pub text: String,
}

impl Reply {
    /// Reads a line; `None` for one that is no reply.
    // RFC 1939 §3: in upper case. There are servers that do not keep to it.
    pub fn read(line: &[u8]) -> Option<Self> {
        let (word, rest) = match line.iter().position(|b| *b == b' ') {
            Some(at) => (&line[..at], &line[at + 1..]),
            None => (line, &b""[..]),
        };
        let ok = if word.eq_ignore_ascii_case(b"+OK") {
            true
        } else if word.eq_ignore_ascii_case(b"-ERR") {
            false
        } else {
            return None;
        };
        let (code, text) = Self::code(rest);
        let text = String::from_utf8_lossy(text);
        let text = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
        Some(Self { ok, code, text })
    }

    fn code(rest: &[u8]) -> (Option<String>, &[u8]) {
        let inner = rest.strip_prefix(b"[");
        let Some((code, text)) = inner.and_then(|inner| Some(inner.split_at(memchr::memchr(b']', inner)?))) else {
            return (None, rest);
        };
        let is_code = !code.is_empty() && code.len() <= 64 && code.iter().all(|b| (b'!'..=b'~').contains(b));
        match is_code {
            true => (Some(String::from_utf8_lossy(code).to_ascii_uppercase()), &text[1..]),
            false => (None, rest),
        }
    }

    /// Whether the response code is this one, or one below it: `SYS/TEMP` is one below `SYS`.
    pub fn is(&self, code: &str) -> bool {
        let below = |found: &str| found.strip_prefix(code).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        self.code.as_deref().is_some_and(below)
    }
}

/// What a server says that it can do (RFC 2449 §5).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    names: BTreeSet<String>,
    mechanisms: BTreeSet<String>,
    /// Seconds that must pass between two logins.
    pub login_delay: Option<u32>,
}

impl Capabilities {
    /// Whether the server names this capability, given in upper case.
    pub fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Whether the server offers this SASL mechanism, given in upper case.
    pub fn offers(&self, mechanism: &str) -> bool {
        self.mechanisms.contains(mechanism)
    }

    /// Takes in one line of the answer to CAPA.
    pub(super) fn add(&mut self, line: &[u8]) {
        let line = String::from_utf8_lossy(line).to_ascii_uppercase();
        let mut words = line.split_ascii_whitespace();
        let Some(name) = words.next() else { return };
        match name {
            "SASL" => self.mechanisms.extend(words.map(ToOwned::to_owned)),
            // RFC 2449 §6.5: `USER` behind the number says that it may be another one after the login.
            "LOGIN-DELAY" => self.login_delay = words.next().and_then(|seconds| seconds.parse().ok()),
            _ => {}
        }
        self.names.insert(name.to_owned());
    }

    /// Whether the server names none at all, as one that does not know CAPA.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// How many capabilities and mechanisms there are.
    pub(super) fn count(&self) -> usize {
        self.names.len() + self.mechanisms.len()
    }
}

/// The timestamp of a greeting for APOP: something in the form of a msg-id. Anything looser would let somebody between
/// choose it such that two digests give away part of the password.
// RFC 1939 §7; RFC 822 §4.6.1. CVE-2007-1558: the attack needs octets that no msg-id has.
pub(super) fn apop_timestamp(line: &[u8]) -> Option<String> {
    let line = std::str::from_utf8(line).ok()?;
    let start = line.find('<')?;
    let end = start + line[start..].find('>')?;
    let stamp = &line[start..=end];
    let (left, right) = stamp[1..stamp.len() - 1].split_once('@')?;
    let is_part = |part: &str| {
        let is_atom = |atom: &str| {
            !atom.is_empty() && atom.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
        };
        !part.is_empty() && part.split('.').all(is_atom)
    };
    let right = right.strip_prefix('[').and_then(|r| r.strip_suffix(']')).unwrap_or(right);
    (stamp.len() <= 256 && is_part(left) && (is_part(right) || right.parse::<std::net::Ipv6Addr>().is_ok()))
        .then(|| stamp.to_owned())
}

/// Number of messages and octets of a reply to STAT.
///
/// # Errors
/// [`Pop3Error::Number`].
// RFC 1939 §5: `+OK nn mm`, and whatever a server adds behind it.
pub fn maildrop(reply: &Reply) -> Result<(u32, u64), Pop3Error> {
    let mut words = reply.text.split_ascii_whitespace();
    let messages = words.next().and_then(|word| number(word.as_bytes())).and_then(|n| u32::try_from(n).ok());
    let octets = words.next().and_then(|word| number(word.as_bytes()));
    messages.zip(octets).ok_or(Pop3Error::Number)
}

/// One line of LIST or UIDL: the number of the message, and what follows.
///
/// # Errors
/// [`Pop3Error::Number`] unless it begins with a number from 1 on.
pub fn listing_entry(line: &[u8]) -> Result<(u32, &[u8]), Pop3Error> {
    let line = line.trim_ascii_start();
    let at = line.iter().position(|b| *b == b' ').unwrap_or(line.len());
    let message =
        number(&line[..at]).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0).ok_or(Pop3Error::Number)?;
    Ok((message, line[at..].trim_ascii()))
}

/// A number of at most 19 digits.
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 19 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Whether this is a unique-id as the standard allows it.
// RFC 1939 §7: 1 to 70 octets from 0x21 to 0x7E.
pub fn is_unique_id(text: &[u8]) -> bool {
    (1..=70).contains(&text.len()) && text.iter().all(|b| (b'!'..=b'~').contains(b))
}

/// When a message arrived at its server, by the Received field that stands first, which that server wrote. POP3 itself does
/// not say it.
// RFC 5321 §4.4: the date stands behind the last semicolon.
pub fn arrival(octets: &[u8]) -> Option<Timestamp> {
    let field = peek::field(octets, "Received:")?;
    let date = &field[memchr::memrchr(b';', &field)? + 1..];
    let date: Vec<&str> = std::str::from_utf8(date).ok()?.split_ascii_whitespace().collect();
    let parser = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true);
    parser.parse_timestamp(date.join(" ")).ok()
}
