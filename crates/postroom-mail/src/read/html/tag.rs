//! Tags, comments and raw text, told apart as the tokenizer of the HTML Standard does (§13.2.5).

/// Attributes of one tag that are kept; a tag with more is cleaned by nobody.
pub(super) const ATTRIBUTES_MAX: usize = 1_000;

/// One start or end tag.
#[derive(Debug, Default)]
pub(super) struct Tag<'x> {
    pub(super) name: &'x str,
    /// Names and values as written; of equal names the first one counts.
    pub(super) attributes: Vec<(&'x str, &'x str)>,
    /// First octet behind it.
    pub(super) end: usize,
    /// Whether its `>` is there.
    pub(super) ended: bool,
}

impl<'x> Tag<'x> {
    /// Reads the tag whose name begins at `at` in place of the one before; `false` if no tag begins there.
    pub(super) fn read(&mut self, html: &'x str, at: usize) -> bool {
        let octets = html.as_bytes();
        if !octets.get(at).is_some_and(u8::is_ascii_alphabetic) {
            return false;
        }
        let name_end = end_of(octets, at, |b| b.is_ascii_whitespace() || b == b'>' || b == b'/');
        self.name = &html[at..name_end];
        self.attributes.clear();
        (self.end, self.ended) = (octets.len(), false);
        let mut at = name_end;
        loop {
            at = end_of(octets, at, |b| !b.is_ascii_whitespace() && b != b'/');
            match octets.get(at) {
                None => return true,
                Some(b'>') => {
                    (self.end, self.ended) = (at + 1, true);
                    return true;
                }
                Some(_) => {}
            }
            let name = at;
            // An equals sign in first place is part of the name (HTML Standard §13.2.5.32).
            at = end_of(octets, at + 1, |b| b.is_ascii_whitespace() || matches!(b, b'>' | b'/' | b'='));
            // The first octet may be one of a longer character.
            let attribute = html.get(name..at).unwrap_or_default();
            let mut value = "";
            let equals = end_of(octets, at, |b| !b.is_ascii_whitespace());
            if octets.get(equals) == Some(&b'=') {
                let start = end_of(octets, equals + 1, |b| !b.is_ascii_whitespace());
                (value, at) = attribute_value(html, start);
            }
            if self.attributes.len() <= ATTRIBUTES_MAX {
                self.attributes.push((attribute, value));
            }
        }
    }
}

/// The value that begins at `start`, and the first octet behind it.
fn attribute_value(html: &str, start: usize) -> (&str, usize) {
    let octets = html.as_bytes();
    match octets.get(start) {
        Some(&quote @ (b'"' | b'\'')) => {
            let rest = &octets[start + 1..];
            let end = memchr::memchr(quote, rest).map_or(octets.len(), |step| start + 1 + step);
            (&html[start + 1..end], (end + 1).min(octets.len()))
        }
        Some(_) => {
            let end = end_of(octets, start, |b| b.is_ascii_whitespace() || b == b'>');
            (&html[start..end], end)
        }
        None => ("", octets.len()),
    }
}

/// The first position from `at` on whose octet is `wanted`. All of these octets are ASCII, so it is a character border.
pub(super) fn end_of(octets: &[u8], at: usize, wanted: impl Fn(u8) -> bool) -> usize {
    octets.get(at..).and_then(|rest| rest.iter().position(|b| wanted(*b))).map_or(octets.len(), |step| at + step)
}

/// The first position behind a comment whose text begins at `at`, and whether the comment ends at all.
// HTML Standard §13.2.5.43 to §13.2.5.52
pub(super) fn end_of_comment(octets: &[u8], at: usize) -> (usize, bool) {
    let text = &octets[at..];
    if text.starts_with(b">") {
        return (at + 1, true);
    }
    if text.starts_with(b"->") {
        return (at + 2, true);
    }
    let mut from = 0;
    while let Some(dashes) = memchr::memmem::find(&text[from..], b"--") {
        from += dashes + 1;
        let behind = &text[from + 1..];
        if behind.starts_with(b">") {
            return (at + from + 2, true);
        }
        if behind.starts_with(b"!>") {
            return (at + from + 3, true);
        }
    }
    (octets.len(), false)
}

/// Elements in which tags are text, unless they stand in SVG or MathML.
pub(super) const RAW_TEXT: [&str; 9] =
    ["script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "noscript"];

/// Where the end tag of a raw text element begins.
pub(super) fn end_of_raw_text(octets: &[u8], from: usize, name: &str) -> usize {
    let mut at = from;
    while let Some(step) = memchr::memmem::find(&octets[at..], b"</") {
        at += step + 2;
        if octets[at..].get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes())) {
            return at - 2;
        }
    }
    octets.len()
}

/// `name` in lower case, in `buffer` if it has to be changed.
pub(super) fn lower<'b>(name: &'b str, buffer: &'b mut String) -> &'b str {
    if !name.bytes().any(|b| b.is_ascii_uppercase()) {
        return name;
    }
    buffer.clear();
    buffer.push_str(name);
    buffer.make_ascii_lowercase();
    buffer
}
