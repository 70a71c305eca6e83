//! What the header of a message says: who, to whom, when, about what, and in answer to what.

use super::address_list;
use super::date;
use super::encoded_word;
use super::fields::{Fields, one_line};
use crate::{Address, Defect, HeaderField, Message};

/// Addresses kept of all fields together.
pub(super) const ADDRESSES_MAX: usize = 1_000;
/// Ids kept of References, and of In-Reply-To.
pub(super) const REFERENCES_MAX: usize = 100;
/// Characters kept of the subject; RFC 5322 §2.1.1 allows no longer line.
pub(super) const SUBJECT_MAX: usize = 998;
/// Octets of one message id; longer ones are no ids.
pub(super) const ID_MAX: usize = 998;

/// Octets kept of all header fields together, for rules that ask for one.
pub(super) const FIELDS_MAX: usize = 64 * 1024;
/// What the names of Postroom's own fields begin with. In mail from outside they mean nothing.
const OWN_FIELDS: &str = "X-Postroom-";

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
    message.date = fields.all("Date").find_map(|field| date::parse(&field));
    if message.date.is_none() {
        message.defects.push(Defect::Date);
    }
    message.message_id = fields.all("Message-ID").find_map(|field| message_id(&field));
    message.in_reply_to = all_ids(fields, "In-Reply-To");
    message.in_reply_to.truncate(REFERENCES_MAX);
    references(fields, message);
    keep_fields(fields, message);
}

/// Keeps the fields themselves, those on top first: servers write above what was there.
fn keep_fields(fields: &Fields<'_>, message: &mut Message) {
    let mut left = FIELDS_MAX;
    for (name, value) in fields.iter() {
        if name.get(..OWN_FIELDS.len()).is_some_and(|start| start.eq_ignore_ascii_case(OWN_FIELDS)) {
            continue;
        }
        let value = value();
        let octets = name.len() + value.len();
        if octets > left {
            message.defects.push(Defect::limit("octets of header fields", FIELDS_MAX));
            return;
        }
        left -= octets;
        let value = one_line(&encoded_word::decode(&value));
        message.fields.push(HeaderField { name: name.to_owned(), value });
    }
}

fn subject(fields: &Fields<'_>, message: &mut Message) {
    // Of several fields the first that says anything: gateways add empty ones.
    let mut lines = fields.all("Subject").map(|field| one_line(&encoded_word::decode(&field)));
    let mut subject = lines.find(|line| !line.is_empty()).unwrap_or_default();
    if let Some((end, _)) = subject.char_indices().nth(SUBJECT_MAX) {
        subject.truncate(end);
        message.defects.push(Defect::limit("characters of the subject", SUBJECT_MAX));
    }
    message.subject = subject;
}

/// Keeps the first id, which names the conversation, and the last ones, which name the nearest messages.
fn references(fields: &Fields<'_>, message: &mut Message) {
    let mut references = all_ids(fields, "References");
    if references.len() > REFERENCES_MAX {
        references.drain(1..=references.len() - REFERENCES_MAX);
        message.defects.push(Defect::limit("references", REFERENCES_MAX));
    }
    message.references = references;
}

/// The id of a message itself; a single word is one even where brackets and `@` are missing, because answers repeat it.
fn message_id(field: &str) -> Option<String> {
    ids(field).into_iter().next().or_else(|| {
        let word = field.trim().trim_matches(['<', '>', '"']);
        let is_word =
            !word.is_empty() && word.len() <= ID_MAX && !word.contains(|c: char| c.is_whitespace() || c == '<');
        (is_word && !word.contains(char::is_control)).then(|| word.to_owned())
    })
}

/// The ids of all fields of this name.
fn all_ids(fields: &Fields<'_>, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for field in fields.all(name) {
        // No standard allows encoded words here; some programs encode every field that they have to fold.
        found.extend(ids(&encoded_word::decode(&field)));
    }
    found.dedup();
    found
}

/// Message ids without brackets: what stands in brackets, else words with an `@` in them. White space within brackets
/// comes from folding in the wrong place and is not part of the id. An opening bracket that is never closed and a closing
/// one that was never opened bound an id all the same.
// RFC 5322 §3.6.4
pub(super) fn ids(field: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut is_open = false;
    let mut rest = field;
    while let Some(at) = memchr::memchr2(b'<', b'>', rest.as_bytes()) {
        let (piece, closes) = (&rest[..at], rest.as_bytes()[at] == b'>');
        match (is_open, closes) {
            (true, true) => add_ids(&mut found, piece),
            (true, false) => add_id(&mut found, piece.split_whitespace().next().filter(is_id).unwrap_or_default()),
            (false, true) => add_id(&mut found, piece.split_whitespace().last().filter(is_id).unwrap_or_default()),
            (false, false) => {}
        }
        is_open = !closes;
        rest = &rest[at + 1..];
    }
    if is_open && !found.is_empty() {
        add_id(&mut found, rest.split_whitespace().next().filter(is_id).unwrap_or_default());
    }
    if found.is_empty() {
        let words = field.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '<' | '>' | '"' | '(' | ')'));
        words.filter(|word| word.contains('@')).for_each(|word| add_id(&mut found, word));
    }
    found
}

/// What stands between two brackets: one id that was folded, or several with one pair of brackets around them all.
fn add_ids(found: &mut Vec<String>, inner: &str) {
    let words = || inner.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
    if words().count() > 1 && words().all(|word| is_id(&word)) {
        return words().for_each(|word| add_id(found, word));
    }
    add_id(found, inner);
}

fn is_id(word: &&str) -> bool {
    word.split_once('@').is_some_and(|(left, right)| !left.is_empty() && !right.is_empty())
}

fn add_id(found: &mut Vec<String>, id: &str) {
    let is_whole = id.bytes().all(|b| b.is_ascii_graphic());
    let id: String = match is_whole {
        true => id.to_owned(),
        false => id.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect(),
    };
    if !id.is_empty() && id.len() <= ID_MAX && found.last() != Some(&id) {
        found.push(id);
    }
}
