//! Content lines: `NAME;PARAMETER=value:value` (RFC 5545 §3.1).

use std::borrow::Cow;

/// Parameters of one line that are looked at.
const PARAMETERS_MAX: usize = 50;

/// One content line, unfolded.
#[derive(Debug)]
pub(super) struct Line<'x> {
    /// In upper case, without the group that vCard puts before it.
    pub(super) name: String,
    /// Names in upper case, and values without quotes.
    parameters: Vec<(String, String)>,
    /// As written.
    pub(super) value: Cow<'x, str>,
}

/// The lines of a text. Lines that are none are passed over.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let line = unfolded(&mut rest)?;
            if let Some(line) = Line::parse(line) {
                return Some(line);
            }
        }
    })
}

/// Takes the next line and the lines that continue it.
// RFC 5545 §3.1: a line that begins with a blank or a tab continues the one before
fn unfolded<'x>(rest: &mut &'x str) -> Option<Cow<'x, str>> {
    if rest.is_empty() {
        return None;
    }
    let mut line = Cow::Borrowed(next_line(rest));
    while rest.starts_with([' ', '\t']) {
        line.to_mut().push_str(&next_line(rest)[1..]);
    }
    Some(line)
}

fn next_line<'x>(rest: &mut &'x str) -> &'x str {
    let (line, after) = match memchr::memchr2(b'\r', b'\n', rest.as_bytes()) {
        Some(end) => {
            let length = if rest[end..].starts_with("\r\n") { 2 } else { 1 };
            (&rest[..end], &rest[end + length..])
        }
        None => (*rest, ""),
    };
    *rest = after;
    line
}

impl<'x> Line<'x> {
    fn parse(line: Cow<'x, str>) -> Option<Self> {
        let name_end = line.find([';', ':'])?;
        let name = line[..name_end].trim().to_ascii_uppercase();
        let (parameters, value_start) = parameters(&line, name_end)?;
        let value = match line {
            Cow::Borrowed(line) => Cow::Borrowed(&line[value_start..]),
            Cow::Owned(mut line) => {
                line.drain(..value_start);
                Cow::Owned(line)
            }
        };
        (!name.is_empty() && name.len() <= 64).then_some(Self { name, parameters, value })
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value as text, with its escapes undone.
    // RFC 5545 §3.3.11
    pub(super) fn text(&self) -> String {
        let mut text = String::with_capacity(self.value.len());
        let mut characters = self.value.chars();
        while let Some(c) = characters.next() {
            match c {
                '\\' => match characters.next() {
                    Some('n' | 'N') => text.push('\n'),
                    Some(escaped) => text.push(escaped),
                    None => text.push('\\'),
                },
                '\0' => text.push('\u{fffd}'),
                _ => text.push(c),
            }
        }
        text
    }

    /// The addr-spec of a calendar user; of one that is not reached by mail its address as written.
    // RFC 5545 §3.3.3
    pub(super) fn address(&self) -> String {
        let value = super::one_line(&self.value);
        let is_mailto = value.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
        let address = if is_mailto { value[7..].trim() } else { &value };
        if !address.contains('@')
            && let Some(email) = self.parameter("EMAIL")
        {
            // RFC 7986 §6.2
            return super::one_line(email);
        }
        address.to_owned()
    }
}

/// The parameters that begin at `at`, which is a `;`, and where the value begins.
fn parameters(line: &str, mut at: usize) -> Option<(Vec<(String, String)>, usize)> {
    let octets = line.as_bytes();
    let mut parameters = Vec::new();
    while octets.get(at) == Some(&b';') {
        let start = at + 1;
        let mut quoted = false;
        // Neither `;` nor `:` end a parameter within quotes.
        let end = octets[start..].iter().position(|b| {
            quoted ^= *b == b'"';
            !quoted && matches!(b, b';' | b':')
        });
        at = start + end?;
        if let Some((name, value)) = line[start..at].split_once('=')
            && parameters.len() < PARAMETERS_MAX
        {
            parameters.push((name.trim().to_ascii_uppercase(), value.trim().trim_matches('"').to_owned()));
        }
    }
    Some((parameters, at + 1))
}
