//! Header fields: where they are in the octets, and their values as text on one line.

use super::charset;
use encoding_rs::Encoding;
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
pub(super) struct Fields<'x> {
    fields: Vec<Field<'x>>,
    /// The [`trace`]s of all names, so that most of the fields that are not there are not looked for.
    traces: u128,
    /// What raw octets above 127 are in, where they are not UTF-8: the body was written by the same program.
    hint: Option<&'static Encoding>,
}

impl<'x> Fields<'x> {
    pub(super) fn with_room_for(number: usize) -> Self {
        Self { fields: Vec::with_capacity(number), ..Self::default() }
    }

    /// All values of a field, in order, unfolded. Names have no case.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Cow<'x, str>> + 'a {
        self.named(name).map(|field| unfold(field.value, self.hint))
    }

    /// The first value of a field, unfolded.
    pub(super) fn get(&self, name: &str) -> Option<Cow<'x, str>> {
        self.named(name).next().map(|field| unfold(field.value, self.hint))
    }

    /// Every field in order: its name, and what unfolds its value.
    pub(super) fn iter<'a>(&'a self) -> impl Iterator<Item = (&'x str, impl FnOnce() -> Cow<'x, str>)> + 'a {
        self.fields.iter().map(|field| {
            // Names are ASCII, since nothing else is taken for one.
            (std::str::from_utf8(field.name).unwrap_or_default(), || unfold(field.value, self.hint))
        })
    }

    /// Whether a field is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.named(name).next().is_some()
    }

    fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Field<'x>> {
        let may_be_there = self.traces & trace(name.as_bytes()) != 0;
        let fields = if may_be_there { self.fields.as_slice() } else { &[] };
        fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name.as_bytes()))
    }

    pub(super) fn push(&mut self, field: Field<'x>) {
        self.traces |= trace(field.name);
        self.fields.push(field);
    }

    /// Says what raw octets above 127 are in, if they are not UTF-8. What the declared `charset` cannot decode, or where
    /// it is missing, is guessed from all such fields together, because one of them is too short to tell.
    pub(super) fn set_hint<'c>(&mut self, charset: impl FnOnce() -> Option<Cow<'c, str>>) {
        let is_raw = |field: &&Field<'_>| !field.value.is_ascii() && std::str::from_utf8(field.value).is_err();
        if !self.fields.iter().any(|field| is_raw(&field)) {
            return;
        }
        self.hint = charset().and_then(|charset| charset::hint(&charset)).or_else(|| {
            let raw: Vec<u8> = self.fields.iter().filter(is_raw).flat_map(|field| field.value).copied().collect();
            charset::guess(&raw)
        });
    }
}

/// One of 128 bits, by what names differ in most, without regard to case.
fn trace(name: &[u8]) -> u128 {
    let letter = |at: usize| usize::from(name.get(at).copied().unwrap_or_default() | 0x20);
    let length = name.len();
    1 << ((length * 5 + letter(length / 2) * 7 + letter(length.saturating_sub(1)) * 3) % 128)
}

impl<'x> Field<'x> {
    pub(super) fn new(name: &'x [u8], value: &'x [u8]) -> Self {
        Self { name, value }
    }

    /// Octets of name and value.
    pub(super) fn len(&self) -> usize {
        self.name.len() + self.value.len()
    }

    /// At most `octets` octets of the value.
    pub(super) fn cut(self, octets: usize) -> Self {
        Self { value: &self.value[..self.value.len().min(octets)], ..self }
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
/// Octets above 127 are UTF-8 where they can be (RFC 6532), else what `hint` says.
fn unfold<'x>(value: &'x [u8], hint: Option<&'static Encoding>) -> Cow<'x, str> {
    let value = value.trim_ascii();
    let text = match std::str::from_utf8(value) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => charset::sniffed_with(value, hint),
    };
    let next = |rest: &str| memchr::memchr3(b'\r', b'\n', 0, rest.as_bytes());
    let Some(mut end) = next(&text) else { return text };
    let mut unfolded = String::with_capacity(text.len());
    let mut rest = &text[..];
    loop {
        let (line, behind) = rest.split_at(end);
        unfolded.push_str(line);
        let octet = behind.as_bytes().first().copied();
        rest = behind.get(1..).unwrap_or_default();
        match octet {
            // A line that was broken without the white space that folding needs.
            Some(b'\n') if !matches!(rest.as_bytes().first(), Some(b' ' | b'\t' | b'\r' | b'\n') | None) => {
                unfolded.push(' ');
            }
            Some(0) => unfolded.push(char::REPLACEMENT_CHARACTER),
            Some(_) => {}
            None => return Cow::Owned(unfolded),
        }
        end = next(rest).unwrap_or(rest.len());
    }
}

/// `text` with white space and control characters, the line separators of Unicode included, folded to single blanks.
pub(super) fn one_line(text: &str) -> String {
    if is_one_line(text.as_bytes()) {
        return text.to_owned();
    }
    let mut line = String::with_capacity(text.len());
    let mut add = |word: &str| {
        if !word.is_empty() {
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(word);
        }
    };
    if text.is_ascii() {
        // The same at half the price: nearly every field that is folded ends here.
        let mut rest = text;
        while let Some(end) = rest.bytes().position(|octet| octet <= b' ' || octet == 0x7f) {
            add(&rest[..end]);
            rest = &rest[end + 1..];
        }
        add(rest);
    } else {
        text.split(|c: char| c.is_whitespace() || c.is_control()).for_each(add);
    }
    line
}

/// Whether `text` is words of ASCII with single blanks between them, as nearly every field has it. Every octet is looked
/// at whatever the others are, because processors do that for many of them at once.
fn is_one_line(text: &[u8]) -> bool {
    let ([first, rest @ ..], [.., last]) = (text, text) else { return false };
    let odd = text.iter().fold(0, |odd, octet| odd | u8::from(octet.wrapping_sub(b' ') > b'~' - b' '));
    let double = text.iter().zip(rest).fold(0, |double, (before, octet)| double | u8::from((before | octet) == b' '));
    odd == 0 && double == 0 && *first != b' ' && *last != b' '
}
