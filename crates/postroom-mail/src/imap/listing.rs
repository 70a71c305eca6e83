//! What LIST, NAMESPACE, STATUS and ESEARCH answer. As everywhere here, what makes no sense is left out.

use super::cursor::{Cursor, Value};
use super::folder_name::Namespace;
use super::reader::parse_number;

/// A folder that exists, as LIST shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderEntry {
    /// Its name as it goes over the wire.
    pub name: String,
    /// What divides the parts of its name.
    pub separator: Option<char>,
    /// Whether it can be selected.
    pub selectable: bool,
}

/// What STATUS says of a folder that is not selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// UIDVALIDITY, 1 to 2^32 - 1.
    pub uid_validity: Option<u32>,
    /// UIDNEXT, 1 to 2^32 - 1.
    pub uid_next: Option<u32>,
    /// Number of messages.
    pub messages: Option<u32>,
}

/// What ESEARCH found.
// RFC 4731 §3.1
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The lowest UID.
    pub min: Option<u32>,
    /// The highest UID.
    pub max: Option<u32>,
    /// How many.
    pub count: Option<u32>,
    /// All of them, as ranges from the first to the last UID in each, in the order of the answer.
    pub all: Vec<(u32, u32)>,
}

impl FolderEntry {
    // RFC 9051 §7.3.1
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        let attributes = cursor.words_of_list();
        let separator = match cursor.value()? {
            Value::Text(text) => std::str::from_utf8(&text).ok()?.chars().next(),
            Value::Atom(_) | Value::Nil | Value::Body | Value::List => None,
        };
        let name = match cursor.value()? {
            Value::Text(text) => String::from_utf8_lossy(&text).into_owned(),
            Value::Atom(text) => String::from_utf8_lossy(text).into_owned(),
            Value::Nil => "NIL".to_owned(),
            Value::Body | Value::List => return None,
        };
        let is = |attribute: &&str| attributes.iter().any(|one| one.eq_ignore_ascii_case(attribute));
        let selectable = !["\\Noselect", "\\NonExistent"].iter().any(is);
        Some(Self { name, separator, selectable })
    }
}

/// The first personal namespace; `None` where there is none.
// RFC 2342 §5
pub(super) fn namespace(cursor: &mut Cursor<'_>) -> Option<Namespace> {
    for _ in 0..2 {
        cursor.skip_blanks();
        if !cursor.take(b'(') {
            return None;
        }
    }
    let Value::Text(prefix) = cursor.value()? else { return None };
    let separator = match cursor.value() {
        Some(Value::Text(text)) => std::str::from_utf8(&text).ok()?.chars().next(),
        _ => None,
    };
    Some(Namespace { prefix: String::from_utf8_lossy(&prefix).into_owned(), separator })
}

impl Counts {
    // RFC 9051 §7.3.4. Whose counts they are is known by the command that asked.
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Self {
        let _name = cursor.value();
        let mut counts = Self::default();
        cursor.skip_blanks();
        cursor.take(b'(');
        loop {
            let name = cursor.word();
            if name.is_empty() {
                return counts;
            }
            let value = number(cursor.word());
            if name.eq_ignore_ascii_case(b"UIDVALIDITY") {
                counts.uid_validity = value.filter(|n| *n > 0);
            } else if name.eq_ignore_ascii_case(b"UIDNEXT") {
                counts.uid_next = value.filter(|n| *n > 0);
            } else if name.eq_ignore_ascii_case(b"MESSAGES") {
                counts.messages = value;
            }
        }
    }
}

impl Found {
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Self {
        let mut found = Self::default();
        let mut ahead = *cursor;
        if ahead.value() == Some(Value::List) {
            // The tag of the command, in parentheses.
            *cursor = ahead;
        }
        loop {
            let name = cursor.word();
            if name.is_empty() {
                return found;
            }
            if name.eq_ignore_ascii_case(b"UID") {
                continue;
            }
            let value = cursor.word();
            if name.eq_ignore_ascii_case(b"MIN") {
                found.min = number(value);
            } else if name.eq_ignore_ascii_case(b"MAX") {
                found.max = number(value);
            } else if name.eq_ignore_ascii_case(b"COUNT") {
                found.count = number(value);
            } else if name.eq_ignore_ascii_case(b"ALL") {
                found.all = value.split(|b| *b == b',').filter_map(range).collect();
            }
        }
    }
}

/// `7` or `7:9`, in either order.
fn range(text: &[u8]) -> Option<(u32, u32)> {
    let at = text.iter().position(|b| *b == b':');
    let (first, last) = at.map_or((text, text), |at| (&text[..at], &text[at + 1..]));
    let (first, last) = (number(first)?, number(last)?);
    (first > 0 && last > 0).then_some((first.min(last), first.max(last)))
}

fn number(digits: &[u8]) -> Option<u32> {
    parse_number(digits).and_then(|n| u32::try_from(n).ok())
}
