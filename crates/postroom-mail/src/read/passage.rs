//! The way that a message took, by what hosts wrote into its header.

use super::fields::Fields;
use crate::authentication_results::AuthenticationResults;
use crate::message::{Hop, Passage, PassageStep};
use std::net::IpAddr;

/// Longest Received field in octets that is looked at.
const RECEIVED_MAX: usize = 4 * 1024;

pub(super) fn read(fields: &Fields<'_>) -> Passage {
    let mut passage = Passage::default();
    for (name, value) in fields.iter() {
        passage.signed |= name.eq_ignore_ascii_case("DKIM-Signature") || name.eq_ignore_ascii_case("ARC-Seal");
        let step = if name.eq_ignore_ascii_case("Received") {
            PassageStep::Received(hop(&value()))
        } else if name.eq_ignore_ascii_case("Authentication-Results") {
            PassageStep::Results(AuthenticationResults::parse(&value()).map_err(|error| error.to_string()))
        } else if name.eq_ignore_ascii_case("Return-Path") {
            let value = value();
            let path = value.trim();
            PassageStep::ReturnPath(path.strip_prefix('<').and_then(|p| p.strip_suffix('>')).unwrap_or(path).to_owned())
        } else {
            continue;
        };
        if passage.steps.len() < Passage::STEPS_MAX {
            passage.steps.push(step);
        }
    }
    passage
}

/// Reads `from HELO (NAME [ADDRESS]) by HOST …` and what is near to it.
fn hop(value: &str) -> Hop {
    let value = &value[..value.floor_char_boundary(RECEIVED_MAX)];
    let Some(client_end) = clause(value, "by") else { return Hop::default() };
    let by = value[client_end + 2..].split_whitespace().next().unwrap_or_default();
    let by = by.trim_end_matches([';', '.']).to_ascii_lowercase();
    let Some(from) = value[..client_end].trim().strip_prefix("from ") else {
        return Hop { by, ..Hop::default() };
    };
    let helo = from.split([' ', '\t', '(']).find(|word| !word.is_empty()).unwrap_or_default();
    Hop { by, helo: helo.to_owned(), client: client(from) }
}

/// Where a clause of a Received field begins: at that word outside of comments.
fn clause(value: &str, word: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut before = ' ';
    for (at, c) in value.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 && before.is_whitespace() => {
                let rest = value[at..].strip_prefix(word);
                if rest.is_some_and(|rest| rest.starts_with([' ', '\t'])) {
                    return Some(at);
                }
            }
            _ => {}
        }
        before = c;
    }
    None
}

/// The address of the client. What the server found out stands in the comment, what the client says of itself before it or
/// after `helo=`; so an address in the comment counts before one outside, and two different ones are none.
fn client(from: &str) -> Option<IpAddr> {
    let (outside, comment) = from.split_once('(').unwrap_or((from, ""));
    let mut found = None;
    let mut said_by_client = false;
    for word in comment.split([' ', '\t', '(', ')', ',']).filter(|word| !word.is_empty()) {
        let lower = word.to_ascii_lowercase();
        let is_claim = said_by_client || lower.starts_with("helo=") || lower.starts_with("ehlo=");
        said_by_client = lower == "helo" || lower == "ehlo";
        let Some(address) = address(word).filter(|_| !is_claim) else { continue };
        if found.is_some_and(|other| other != address) {
            return None;
        }
        found = Some(address);
    }
    // Without any in the comment it is the form of Exim, in which the address stands first.
    found.or_else(|| {
        let first = outside.split_whitespace().next()?;
        first.starts_with('[').then(|| address(first)).flatten()
    })
}

/// `[192.0.2.1]`, `[IPv6:2001:db8::1]`, `[2001:db8::1]`, `192.0.2.1`, with a port or without.
fn address(word: &str) -> Option<IpAddr> {
    let (inner, bracketed) = match word.split_once('[') {
        Some((before, rest)) if before.is_empty() || before.ends_with('@') => (rest.split_once(']')?.0, true),
        Some(_) => return None,
        None => (word, false),
    };
    let plain = inner.get(..5).filter(|tag| tag.eq_ignore_ascii_case("IPv6:")).map_or(inner, |_| &inner[5..]);
    let address: IpAddr = plain.parse().ok()?;
    (bracketed || plain.contains(['.', ':'])).then_some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn clients_as_servers_write_them() {
        for (field, by, client) in [
            (
                "from mail.example.org (mail.example.org [192.0.2.1]) by mx.example.net (Postfix) with ESMTPS id 1; Sun",
                "mx.example.net",
                Some("192.0.2.1"),
            ),
            (
                "from mail.example.org (unknown [IPv6:2001:db8::1]) by mx.example.net with ESMTP",
                "mx.example.net",
                Some("2001:db8::1"),
            ),
            (
                "from [198.51.100.9] (unknown [192.0.2.1]) by mx.example.net (Postfix)",
                "mx.example.net",
                Some("192.0.2.1"),
            ),
            (
                "from a.example.org ([192.0.2.1] helo=a.example.org) by mx.example.net with esmtp (Exim 4.96)",
                "mx.example.net",
                Some("192.0.2.1"),
            ),
            (
                "from [192.0.2.1] (helo=[198.51.100.9]) by mx.example.net with esmtp (Exim 4.96)",
                "mx.example.net",
                Some("192.0.2.1"),
            ),
            ("from [192.0.2.1] (port=4711 helo=a.example.org) by mx.example.net", "mx.example.net", Some("192.0.2.1")),
            (
                "from unknown (HELO a.example.org) (192.0.2.1) by mx.example.net with SMTP",
                "mx.example.net",
                Some("192.0.2.1"),
            ),
            (
                "from unknown (HELO [198.51.100.9]) (192.0.2.1) by mx.example.net with SMTP",
                "mx.example.net",
                Some("192.0.2.1"),
            ),
            (
                "from A.example.org (192.0.2.1) by MX.example.net (198.51.100.2) with Microsoft SMTP Server",
                "mx.example.net",
                Some("192.0.2.1"),
            ),
            ("from a (a. [192.0.2.1]) by mx.google.com with ESMTPS id x; Sun", "mx.google.com", Some("192.0.2.1")),
            ("from a (b [192.0.2.1] (may be forged)) by mx.example.net (8.17)", "mx.example.net", Some("192.0.2.1")),
            ("from a (b [::ffff:192.0.2.1]) by mx.example.net", "mx.example.net", Some("192.0.2.1")),
            // What could mean two is none.
            ("from x (evil [198.51.100.9]) (b [192.0.2.1]) by mx.example.net", "mx.example.net", None),
            ("from a.example.org by mx.example.net with ESMTP", "mx.example.net", None),
            ("by mx.example.net with LMTP id 1", "mx.example.net", None),
            ("from (by fake.example.com [198.51.100.9]) by mx.example.net", "mx.example.net", Some("198.51.100.9")),
            ("nothing of this kind", "", None),
            ("", "", None),
        ] {
            let hop = hop(field);
            assert_eq!((hop.by.as_str(), hop.client.map(|c| c.to_string()).as_deref()), (by, client), "{field}");
        }
    }
}
