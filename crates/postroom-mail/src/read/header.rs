//! What the header of a message says: who, to whom, when, about what, and in answer to what.

use super::address_list;
use super::encoded_word;
use super::fields::{Fields, one_line};
use crate::{Address, Defect, Message};
use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// Addresses kept of all fields together.
pub(super) const ADDRESSES_MAX: usize = 1_000;
/// Ids kept of References, and of In-Reply-To.
pub(super) const REFERENCES_MAX: usize = 100;
/// Characters kept of the subject; RFC 5322 §2.1.1 allows no longer line.
pub(super) const SUBJECT_MAX: usize = 998;
/// Octets of one message id; longer ones are no ids.
pub(super) const ID_MAX: usize = 998;

/// Fills in everything that stands in the header.
pub(super) fn read(fields: &Fields<'_>, message: &mut Message) {
    let mut addresses_left = ADDRESSES_MAX;
    let (mut cut, mut long_names, mut long_addr_specs) = (false, false, false);
    let mut addresses = |name: &str, keep_groups: bool| {
        let mut found: Vec<Address> = Vec::new();
        for field in fields.all(name) {
            let list = address_list::parse(&field, addresses_left);
            addresses_left -= list.addresses.len();
            cut |= list.cut;
            long_names |= list.long_names;
            long_addr_specs |= list.long_addr_specs;
            if keep_groups {
                // A group among the authors stands as one without an address: nobody can say who of it wrote.
                found.extend(list.groups.into_iter().map(|label| Address::new(label, "")));
            }
            found.extend(list.addresses);
        }
        found
    };
    message.from = addresses("From", true);
    message.to = addresses("To", false);
    message.cc = addresses("Cc", false);
    for (reached, limit, allowed) in [
        (cut, "addresses", ADDRESSES_MAX),
        (long_names, "characters of a name", address_list::NAME_MAX),
        (long_addr_specs, "octets of an address", address_list::ADDR_SPEC_MAX),
    ] {
        if reached {
            message.defects.push(Defect::limit(limit, allowed));
        }
    }
    if !message.from.iter().any(|address| address.canonical().is_some()) {
        message.defects.push(Defect::NoAuthor);
    }
    subject(fields, message);
    message.date = fields.get("Date").and_then(|field| date(&field));
    if message.date.is_none() {
        message.defects.push(Defect::Date);
    }
    message.message_id = fields.get("Message-ID").and_then(|field| ids(&field).into_iter().next());
    message.in_reply_to = ids(&fields.get("In-Reply-To").unwrap_or_default());
    message.in_reply_to.truncate(REFERENCES_MAX);
    references(fields, message);
}

fn subject(fields: &Fields<'_>, message: &mut Message) {
    let field = fields.get("Subject").unwrap_or_default();
    let mut subject = one_line(&encoded_word::decode(&field));
    if let Some((end, _)) = subject.char_indices().nth(SUBJECT_MAX) {
        subject.truncate(end);
        message.defects.push(Defect::limit("characters of the subject", SUBJECT_MAX));
    }
    message.subject = subject;
}

/// Keeps the first id, which names the conversation, and the last ones, which name the nearest messages.
fn references(fields: &Fields<'_>, message: &mut Message) {
    let mut references = ids(&fields.get("References").unwrap_or_default());
    if references.len() > REFERENCES_MAX {
        references.drain(1..=references.len() - REFERENCES_MAX);
        message.defects.push(Defect::limit("references", REFERENCES_MAX));
    }
    message.references = references;
}

/// The instant that a Date field names: strictly by the standard with its obsolete forms, then as well as it can be
/// guessed, because the day's name is wrong or in another language in many messages.
// RFC 5322 §3.3 and §4.3
fn date(field: &str) -> Option<Timestamp> {
    const STANDARD: rfc2822::DateTimeParser = rfc2822::DateTimeParser::new().relaxed_weekday(true);
    if let Ok(instant) = STANDARD.parse_timestamp(field.trim()) {
        return Some(instant);
    }
    let guessed = mail_parser::DateTime::parse_rfc822(field.trim())?;
    guessed.is_valid().then(|| Timestamp::from_second(guessed.to_timestamp()).ok())?
}

/// Message ids without brackets: what stands in brackets, else words with an `@` in them. White space within brackets
/// comes from folding in the wrong place and is not part of the id.
// RFC 5322 §3.6.4
pub(super) fn ids(field: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut rest = field;
    while let Some(open) = rest.find('<') {
        let Some(close) = rest[open..].find('>') else { break };
        let inner = &rest[open + 1..open + close];
        add_id(&mut found, inner.rsplit('<').next().unwrap_or(inner));
        rest = &rest[open + close + 1..];
    }
    if found.is_empty() {
        let words = field.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '<' | '>' | '"' | '(' | ')'));
        words.filter(|word| word.contains('@')).for_each(|word| add_id(&mut found, word));
    }
    found
}

fn add_id(found: &mut Vec<String>, id: &str) {
    let id: String = id.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    if !id.is_empty() && id.len() <= ID_MAX && found.last() != Some(&id) {
        found.push(id);
    }
}
