//! Header fields: where they are in the octets, and their values as text on one line.

use super::charset;
use std::borrow::Cow;

/// One header field as it stands in the message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'x> {
    /// Field name without the colon and what blanks stand before it.
    name: &'x [u8],
    /// Everything after the colon, folds and final line end included.
    value: &'x [u8],
}

/// The header fields of a message or part, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields<'x>(Vec<Field<'x>>);

impl<'x> Fields<'x> {
    /// All values of a field, in order, unfolded. Names have no case.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Cow<'x, str>> + 'a {
        self.0.iter().filter(move |field| field.name.eq_ignore_ascii_case(name.as_bytes())).map(|f| unfold(f.value))
    }

    /// The first value of a field, unfolded.
    pub(super) fn get(&self, name: &str) -> Option<Cow<'x, str>> {
        self.0.iter().find(|field| field.name.eq_ignore_ascii_case(name.as_bytes())).map(|f| unfold(f.value))
    }

    /// Whether a field is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|field| field.name.eq_ignore_ascii_case(name.as_bytes()))
    }

    pub(super) fn push(&mut self, field: Field<'x>) {
        self.0.push(field);
    }
}

impl<'x> Field<'x> {
    pub(super) fn new(name: &'x [u8], value: &'x [u8]) -> Self {
        Self { name, value }
    }
}

/// The name of the field that begins on this line and what follows its colon; `None` if no field begins here.
// RFC 5322 §2.2, and blanks before the colon as RFC 5322 §4.5 tolerates them
pub(super) fn split_field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', line)?;
    let name = line[..colon].trim_ascii_end();
    let is_name = !name.is_empty() && name.iter().all(|b| (33..=126).contains(b));
    is_name.then_some((name, &line[colon + 1..]))
}

/// The value on one line: line ends vanish, the white space after them stays (RFC 5322 §2.2.3), NUL becomes U+FFFD.
/// Octets above 127 are UTF-8 where they can be (RFC 6532), else Windows-1252, the commonest of the wrong ones.
fn unfold(value: &[u8]) -> Cow<'_, str> {
    let text = charset::sniffed(value.trim_ascii());
    if text.bytes().any(|b| matches!(b, b'\r' | b'\n' | 0)) {
        let unfolded = text.chars().filter(|c| !matches!(c, '\r' | '\n'));
        return Cow::Owned(unfolded.map(|c| if c == '\0' { '\u{fffd}' } else { c }).collect());
    }
    text
}

/// `text` with white space and control characters, the line separators of Unicode included, folded to single blanks.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}
