//! Plain text of a message, made ready for a page: the quotation set apart, web addresses made into links.

/// A run of text, or a web address in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Text.
    Plain(String),
    /// An address that begins with `http://` or `https://`.
    Link(String),
}

/// Longest address that becomes a link, in octets; a longer one stays text.
const LINK_MAX: usize = 2048;

/// Divides text into runs and links. Only `http` and `https` become links; nothing else is ever one.
pub(crate) fn pieces(text: &str) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut plain_from = 0;
    let mut at = 0;
    while let Some(found) = next_scheme(text, at) {
        let end = found + link_length(&text[found..]);
        let after_scheme = text[found..end].find("://").map_or(0, |slashes| slashes + 3);
        let stands_apart = !text[..found].ends_with(|c: char| c.is_alphanumeric());
        if stands_apart && end - found > after_scheme && end - found <= LINK_MAX {
            if plain_from < found {
                out.push(Piece::Plain(text[plain_from..found].to_owned()));
            }
            out.push(Piece::Link(text[found..end].to_owned()));
            plain_from = end;
        }
        at = end.max(found + 1);
    }
    if plain_from < text.len() {
        out.push(Piece::Plain(text[plain_from..].to_owned()));
    }
    out
}

fn next_scheme(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    (from..bytes.len()).find(|&at| {
        let rest = &bytes[at..];
        let begins = |scheme: &[u8]| rest.len() > scheme.len() && rest[..scheme.len()].eq_ignore_ascii_case(scheme);
        begins(b"http://") || begins(b"https://")
    })
}

/// How far an address reaches: to a blank or a delimiter, without the punctuation of the sentence around it.
fn link_length(rest: &str) -> usize {
    let end = rest
        .find(|c: char| {
            c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '`' | '{' | '}' | '|' | '\\' | '^')
        })
        .unwrap_or(rest.len());
    let mut link = &rest[..end];
    loop {
        let shorter = link.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '*', '_']);
        // A closing parenthesis belongs to the address only if it was opened there.
        let shorter = match shorter.strip_suffix([')', ']']) {
            Some(inner) if inner.matches(['(', '[']).count() <= inner.matches([')', ']']).count() => inner,
            _ => shorter,
        };
        if shorter.len() == link.len() {
            return link.len();
        }
        link = shorter;
    }
}

/// What the author wrote, without the quotation. Where the quotation is not found in the text as it stands, the text is
/// returned whole, so that nothing is ever hidden that is not also under "Show the quotation".
pub(crate) fn without_quotation<'a>(text: &'a str, quoted: &str) -> (String, &'a str) {
    let quoted = quoted.trim();
    if quoted.is_empty() {
        return (text.trim().to_owned(), "");
    }
    if let Some(at) = text.find(quoted) {
        let before = text[..at].trim_end();
        let after = text[at + quoted.len()..].trim();
        let glue = if before.trim().is_empty() || after.is_empty() { "" } else { "\n\n" };
        return (format!("{before}{glue}{after}").trim().to_owned(), &text[at..at + quoted.len()]);
    }
    (text.trim().to_owned(), "")
}

/// A sentence with commands between backticks, divided into runs; the flag says which are commands.
pub(crate) fn prose(sentence: &str) -> Vec<(bool, String)> {
    let runs = sentence.split('`').enumerate().map(|(place, run)| (place % 2 == 1, run.to_owned()));
    runs.filter(|(_, run)| !run.is_empty()).collect()
}

/// Longest value of a header field on a page, in octets; the download has all of it.
const FIELD_MAX: usize = 2048;

/// The header fields of a message as they came, unfolded, in order; at most `max` of them (RFC 5322 §2.2.3), none longer
/// than [`FIELD_MAX`].
pub(crate) fn header_fields(octets: &[u8], max: usize) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in octets.split(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        let text = String::from_utf8_lossy(line);
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            if let Some((_, value)) = fields.last_mut()
                && value.len() < FIELD_MAX
            {
                value.push(' ');
                value.push_str(&cut(text.trim()));
            }
            continue;
        }
        if fields.len() == max {
            break;
        }
        // What has no colon is no field (an mbox "From " line, say), but hiding it would not be "as they came".
        let (name, value) = text.split_once(':').unwrap_or(("", &text));
        fields.push((cut(name.trim()), cut(value.trim())));
    }
    fields
}

/// At most [`FIELD_MAX`] octets, ended at a character.
fn cut(text: &str) -> String {
    if text.len() <= FIELD_MAX {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(FIELD_MAX)])
}

#[cfg(test)]
mod tests;
