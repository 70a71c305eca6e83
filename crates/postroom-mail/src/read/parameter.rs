//! Fields with parameters: Content-Type, Content-Disposition, Content-Transfer-Encoding (RFC 2045 §5, 2183, 2231).

use super::{charset, encoded_word, transfer};
use std::borrow::Cow;

/// Parameters, pieces of continued ones counted each, beyond this number are not looked at.
pub(super) const PARAMETERS_MAX: usize = 64;

/// Octets kept of a main value; RFC 6838 §4.2 allows a media type a quarter of it.
const VALUE_MAX: usize = 998;

/// The parameters that anybody asks for. Others are counted and not kept.
const NAMES: [&str; 13] = [
    "charset",
    "boundary",
    "name",
    "filename",
    "format",
    "delsp",
    "method",
    "protocol",
    "report-type",
    "smime-type",
    "start",
    "url",
    "x-action",
];

/// A main value and its parameters.
#[derive(Debug, Clone, Default)]
pub(super) struct Parameterised {
    /// The value before the first semicolon, in lower case, without comments and quotes.
    pub(super) value: String,
    sections: Vec<Section>,
    /// Whether there were more than [`PARAMETERS_MAX`].
    pub(super) cut: bool,
}

/// One parameter as written, or one piece of a continued one.
#[derive(Debug, Clone)]
struct Section {
    /// One of [`NAMES`].
    name: &'static str,
    /// Number of the piece, where the name ends in `*N`.
    number: Option<u32>,
    /// Whether the value is percent-encoded, with a character set before the first piece.
    extended: bool,
    value: String,
}

impl Parameterised {
    /// Reads an unfolded field value.
    pub(super) fn parse(field: &str) -> Self {
        let mut segments = Segments { rest: field };
        let value = segments.next().map(without_comments).unwrap_or_default();
        let value = value.trim().trim_matches('"').trim();
        let value = value[..value.floor_char_boundary(VALUE_MAX)].to_ascii_lowercase();
        let sections = segments.by_ref().take(PARAMETERS_MAX).filter_map(Section::parse).collect();
        let cut = !segments.rest.trim().is_empty();
        Self { value, sections, cut }
    }

    /// A plain parameter as written: a boundary is a row of octets and may look like an encoded word.
    pub(super) fn get_raw(&self, name: &str) -> Option<Cow<'_, str>> {
        let plain = self.named(name).find(|section| section.is_plain());
        plain.map(|section| Cow::Borrowed(section.value.as_str())).or_else(|| self.get(name))
    }

    /// A parameter, one of [`NAMES`], put together from its pieces and decoded. The extended form wins over the plain one.
    // RFC 2231 §3 and §4, RFC 6266 §4.3
    pub(super) fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        if self.named(name).all(Section::is_plain) {
            return self.named(name).next().map(|section| encoded_word::decode(&section.value));
        }
        let mut pieces: Vec<&Section> = self.named(name).filter(|section| !section.is_plain()).collect();
        if let Some(whole) = pieces.iter().find(|s| s.number.is_none()) {
            return Some(decode_pieces(&[whole]).into());
        }
        pieces.sort_by_key(|s| s.number);
        pieces.dedup_by_key(|s| s.number);
        Some(decode_pieces(&pieces).into())
    }

    fn named(&self, name: &str) -> impl Iterator<Item = &Section> {
        debug_assert!(NAMES.contains(&name), "{name} is not kept");
        self.sections.iter().filter(move |section| section.name == name)
    }
}

impl Section {
    fn parse(segment: &str) -> Option<Self> {
        let (name, value) = segment.split_once('=')?;
        let name = without_comments(name);
        let name = name.trim();
        let (base, star) = name.split_once('*').unwrap_or((name, ""));
        let (extended, number) = (name.ends_with('*'), star.trim_end_matches('*').parse().ok());
        let name = NAMES.into_iter().find(|known| known.eq_ignore_ascii_case(base))?;
        let value = value.trim();
        let value = match value.strip_prefix('"') {
            Some(quoted) => unquote(quoted),
            // A blank and a parenthesis may be part of a file name that its program forgot to quote.
            None if name.contains("name") => value.to_owned(),
            None => without_comments(value).trim().to_owned(),
        };
        Some(Self { name, number, extended, value })
    }

    /// Whether it is neither encoded nor a piece.
    fn is_plain(&self) -> bool {
        self.number.is_none() && !self.extended
    }
}

/// Joins the octets of all pieces before decoding them, because a character may be cut between two of them.
fn decode_pieces(pieces: &[&Section]) -> String {
    let mut octets = Vec::new();
    let mut label = None;
    let is_encoded = pieces.iter().any(|piece| piece.extended);
    for (index, piece) in pieces.iter().enumerate() {
        let mut value = piece.value.as_str();
        if !piece.extended {
            // Programs that cut the value first forget to say that the first piece has the character set.
            let value = if index == 0 && is_encoded { value.strip_prefix("''").unwrap_or(value) } else { value };
            octets.extend_from_slice(value.as_bytes());
            continue;
        }
        if index == 0
            && let Some((set, rest)) = value.split_once('\'')
            && let Some((_language, rest)) = rest.split_once('\'')
        {
            label = Some(set.to_owned());
            value = rest;
        }
        percent_decode(value, &mut octets);
    }
    let text = match label.as_deref().map(str::trim) {
        // RFC 8187 §3.2.1: whoever encodes so and names no set means UTF-8.
        None | Some("" | "us-ascii" | "US-ASCII" | "ascii") if is_encoded => String::from_utf8_lossy(&octets),
        label => charset::decode(&octets, label).0,
    };
    // Some programs put encoded words into pieces, which no standard allows and everybody reads.
    encoded_word::decode(&text).into_owned()
}

/// Appends what `text` stands for; a `%` without two digits stands for itself.
pub(super) fn percent_decode(text: &str, octets: &mut Vec<u8>) {
    let text = text.as_bytes();
    let mut at = 0;
    while at < text.len() {
        match text[at..] {
            [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                octets.push(transfer::hex(high) << 4 | transfer::hex(low));
                at += 3;
            }
            _ => {
                octets.push(text[at]);
                at += 1;
            }
        }
    }
}

/// The text of a quoted string after its opening quote. Only quote and backslash are unescaped: a backslash before
/// anything else is far more often part of a Windows path than an escape.
fn unquote(quoted: &str) -> String {
    if let Some(end) = memchr::memchr2(b'"', b'\\', quoted.as_bytes()).filter(|end| quoted.as_bytes()[*end] == b'"') {
        return quoted[..end].to_owned();
    }
    let mut text = String::with_capacity(quoted.len());
    let mut characters = quoted.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' => break,
            '\\' if matches!(characters.peek(), Some('"' | '\\')) => text.extend(characters.next()),
            _ => text.push(c),
        }
    }
    text
}

/// The pieces between semicolons that stand neither in quotes nor in comments.
struct Segments<'x> {
    rest: &'x str,
}

impl<'x> Iterator for Segments<'x> {
    type Item = &'x str;

    fn next(&mut self) -> Option<&'x str> {
        if self.rest.is_empty() {
            return None;
        }
        let (mut quoted, mut escaped) = (false, false);
        let end = self.rest.bytes().position(|b| {
            let here = std::mem::take(&mut escaped);
            match b {
                b'\\' if quoted => escaped = !here,
                b'"' if !here => quoted = !quoted,
                b';' => return !quoted,
                _ => {}
            }
            false
        });
        let segment = &self.rest[..end.unwrap_or(self.rest.len())];
        self.rest = end.map_or("", |end| &self.rest[end + 1..]);
        Some(segment)
    }
}

/// `text` without comments in parentheses (RFC 5322 §3.2.2), which nest; quoted strings are left alone.
pub(super) fn without_comments(text: &str) -> Cow<'_, str> {
    if !text.contains('(') {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for c in text.chars() {
        let here = std::mem::take(&mut escaped);
        match c {
            '\\' if quoted || depth > 0 => escaped = !here,
            '"' if depth == 0 && !here => quoted = !quoted,
            '(' if !quoted && !here => depth += 1,
            ')' if !quoted && !here && depth > 0 => {
                depth -= 1;
                continue;
            }
            _ => {}
        }
        if depth == 0 {
            kept.push(c);
        }
    }
    Cow::Owned(kept)
}
