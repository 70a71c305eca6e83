//! Logical lines as values. What we have no use for is [`Response::Other`].

use super::cursor::{Cursor, Value};
use super::date;
use super::folder_name::Namespace;
use super::listing::{self, Counts, FolderEntry, Found};
use super::reader::{is_whole_message, parse_number};
use bytes::Bytes;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// One response of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// The reply to a command.
    Tagged {
        /// The tag as the server wrote it.
        tag: String,
        /// OK, NO or BAD.
        line: StatusLine,
    },
    /// An untagged OK, NO, BAD, BYE or PREAUTH.
    Untagged(StatusLine),
    /// `+`: the server waits for the rest of a command. In a login what follows is a challenge in base64.
    Continuation(Vec<u8>),
    /// `* CAPABILITY`.
    Capability(Capabilities),
    /// `* n EXISTS`.
    Exists(u32),
    /// `* n EXPUNGE`: the message of this number is gone.
    Expunge(u32),
    /// `* LIST`.
    Folder(FolderEntry),
    /// `* NAMESPACE`, if a user has folders of his own at all.
    Namespace(Option<Namespace>),
    /// `* STATUS`.
    Counts(Counts),
    /// `* ESEARCH`.
    Found(Found),
    /// `* n FETCH`.
    Fetch(Fetch),
    /// Anything else, with its first word in upper case (or the second, after a number); empty for an empty line.
    Other(String),
}

/// OK, NO, BAD, BYE or PREAUTH with what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusLine {
    /// Which of them.
    pub status: Status,
    /// The response code in brackets.
    pub code: Option<Code>,
    /// The text for people, at most 300 characters, without control characters.
    pub text: String,
}

/// The first word of a status response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words of RFC 9051 §7.1")]
pub enum Status {
    Ok,
    No,
    Bad,
    Bye,
    Preauth,
}

/// A response code (RFC 9051 §7.1, RFC 5530), as far as we act on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// `UIDVALIDITY`, 1 to 2^32 - 1.
    UidValidity(u32),
    /// `UIDNEXT`, 1 to 2^32 - 1.
    UidNext(u32),
    /// `HIGHESTMODSEQ` (RFC 7162 §3.1.2.1), 1 to 2^63 - 1.
    HighestModSeq(u64),
    /// `CAPABILITY`.
    Capability(Capabilities),
    /// Any other, in upper case and without its arguments, say `AUTHENTICATIONFAILED`.
    Named(String),
}

impl Code {
    /// Whether this is the code of that name, which has no arguments that we read.
    pub fn is(&self, name: &str) -> bool {
        matches!(self, Self::Named(found) if found == name)
    }
}

/// What a server says that it can do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities(BTreeSet<String>);

impl Capabilities {
    /// Whether the server names this capability, given in upper case.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    fn read(cursor: &mut Cursor<'_>) -> Self {
        let mut names = BTreeSet::new();
        loop {
            let word = cursor.word();
            if word.is_empty() {
                return Self(names);
            }
            names.insert(upper(word));
        }
    }
}

/// One FETCH response. What a server leaves out or garbles is `None`; a UID from another response is never assumed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fetch {
    /// UID, 1 to 2^32 - 1; `None` also when the response names two.
    pub uid: Option<u32>,
    /// RFC822.SIZE in octets.
    pub size: Option<u64>,
    /// INTERNALDATE.
    pub internal_date: Option<Timestamp>,
    /// FLAGS.
    pub flags: Option<Vec<String>>,
    /// BODY[].
    pub body: Body,
    /// BODY[HEADER.FIELDS (…)], the fields that were asked for.
    pub fields: Option<Vec<u8>>,
}

/// The whole message in a FETCH response.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Body {
    /// The response has none.
    #[default]
    Absent,
    /// It came as a literal; its chunks were handed on before this response.
    Streamed,
    /// It came as a quoted string.
    Inline(Bytes),
    /// The server has no octets for it.
    Nil,
}

impl Response {
    /// Reads one logical line. Never fails: what it does not know is [`Response::Other`].
    pub fn read(line: &[u8]) -> Self {
        let mut cursor = Cursor::new(line);
        if cursor.take(b'+') {
            return Self::Continuation(cursor.rest().trim_ascii().to_vec());
        }
        let first = cursor.word();
        if first != b"*" {
            return Self::tagged(first, &mut cursor);
        }
        let word = cursor.word();
        if let Some(status) = status(word) {
            return Self::Untagged(StatusLine::read(status, &mut cursor));
        }
        match parse_number(word) {
            Some(number) => Self::numbered(number, &mut cursor),
            None => Self::named(word, &mut cursor),
        }
    }

    fn named(word: &[u8], cursor: &mut Cursor<'_>) -> Self {
        let name = upper(word);
        match name.as_str() {
            "CAPABILITY" => Self::Capability(Capabilities::read(cursor)),
            "LIST" => FolderEntry::read(cursor).map_or(Self::Other(name), Self::Folder),
            "NAMESPACE" => Self::Namespace(listing::namespace(cursor)),
            "STATUS" => Self::Counts(Counts::read(cursor)),
            "ESEARCH" => Self::Found(Found::read(cursor)),
            _ => Self::Other(name),
        }
    }

    fn tagged(tag: &[u8], cursor: &mut Cursor<'_>) -> Self {
        match status(cursor.word()) {
            Some(status @ (Status::Ok | Status::No | Status::Bad)) if !tag.is_empty() => {
                Self::Tagged { tag: lossy(tag), line: StatusLine::read(status, cursor) }
            }
            _ => Self::Other(upper(tag)),
        }
    }

    fn numbered(number: u64, cursor: &mut Cursor<'_>) -> Self {
        let word = cursor.word();
        if word.eq_ignore_ascii_case(b"FETCH") {
            return Self::Fetch(Fetch::read(cursor));
        }
        match u32::try_from(number) {
            Ok(number) if word.eq_ignore_ascii_case(b"EXISTS") => Self::Exists(number),
            Ok(number) if word.eq_ignore_ascii_case(b"EXPUNGE") && number > 0 => Self::Expunge(number),
            _ => Self::Other(upper(word)),
        }
    }
}

fn status(word: &[u8]) -> Option<Status> {
    const WORDS: [(&str, Status); 5] = [
        ("OK", Status::Ok),
        ("NO", Status::No),
        ("BAD", Status::Bad),
        ("BYE", Status::Bye),
        ("PREAUTH", Status::Preauth),
    ];
    WORDS.into_iter().find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes())).map(|(_, status)| status)
}

impl StatusLine {
    fn read(status: Status, cursor: &mut Cursor<'_>) -> Self {
        cursor.skip_blanks();
        let code = if cursor.take(b'[') {
            let inside = cursor.until(b"]");
            cursor.take(b']');
            Code::read(inside)
        } else {
            None
        };
        Self { status, code, text: clean(cursor.rest()) }
    }
}

impl Code {
    fn read(inside: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(inside);
        let name = upper(cursor.word());
        let mut number = || parse_number(cursor.word()).filter(|n| *n > 0);
        let small = |number: u64| u32::try_from(number).ok();
        match name.as_str() {
            "" => None,
            "UIDVALIDITY" => number().and_then(small).map(Self::UidValidity),
            "UIDNEXT" => number().and_then(small).map(Self::UidNext),
            "HIGHESTMODSEQ" => number().filter(|n| i64::try_from(*n).is_ok()).map(Self::HighestModSeq),
            "CAPABILITY" => Some(Self::Capability(Capabilities::read(&mut cursor))),
            _ => Some(Self::Named(name)),
        }
    }
}

impl Fetch {
    fn read(cursor: &mut Cursor<'_>) -> Self {
        let mut fetch = Self::default();
        let mut uids = BTreeSet::new();
        cursor.skip_blanks();
        cursor.take(b'(');
        loop {
            let name = cursor.item_name();
            if name.is_empty() {
                break;
            }
            if name.eq_ignore_ascii_case(b"FLAGS") {
                fetch.flags = Some(cursor.words_of_list());
                continue;
            }
            let Some(value) = cursor.value() else { break };
            if name.eq_ignore_ascii_case(b"UID") {
                uids.insert(number(&value).and_then(|n| u32::try_from(n).ok()).unwrap_or(0));
            } else if name.eq_ignore_ascii_case(b"RFC822.SIZE") {
                fetch.size = number(&value);
            } else if name.eq_ignore_ascii_case(b"INTERNALDATE") {
                fetch.internal_date = text(&value).and_then(date::parse);
            } else if name.len() > 19 && name[..19].eq_ignore_ascii_case(b"BODY[HEADER.FIELDS ") {
                fetch.fields = text(&value).map(<[u8]>::to_vec);
            } else if is_whole_message(name) {
                fetch.body = match value {
                    Value::Body => Body::Streamed,
                    Value::Text(text) => Body::Inline(Bytes::from(text.into_owned())),
                    _ => Body::Nil,
                };
            }
        }
        // Two different UIDs in one response: neither can be believed.
        fetch.uid = if uids.len() == 1 { uids.first().copied().filter(|uid| *uid > 0) } else { None };
        fetch
    }
}

fn text<'a>(value: &'a Value<'_>) -> Option<&'a [u8]> {
    match value {
        Value::Atom(text) => Some(text),
        Value::Text(text) => Some(text),
        Value::Nil | Value::Body | Value::List => None,
    }
}

fn number(value: &Value<'_>) -> Option<u64> {
    text(value).and_then(parse_number)
}

fn lossy(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

fn upper(word: &[u8]) -> String {
    lossy(word).to_ascii_uppercase()
}

/// The server's words, fit to be shown and logged on one line.
fn clean(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.trim().chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).take(300).collect()
}
