//! Character references of HTML (HTML Standard §13.2.5.72 to §13.2.5.80), by the table of the parser that cleans it.

use html5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};
use std::borrow::Cow;

/// Octets that are looked at for the end of a reference; the longest name has 31 letters.
const LENGTH_MAX: usize = 33;

/// What stands at an ampersand.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reference {
    /// Only an ampersand.
    Ampersand,
    /// A reference that ends with a semicolon: its character, a second one that a few names have, and its octets
    /// without the ampersand.
    To(char, Option<char>, usize),
    /// Something that one must know more of the standard for.
    Unknown,
}

/// What stands at an ampersand with `rest` behind it, in the value of an attribute or in text.
pub(super) fn at(rest: &str, in_attribute: bool) -> Reference {
    let octets = rest.as_bytes();
    if octets.first() == Some(&b'#') {
        return numeric(octets);
    }
    let length = octets.iter().take(LENGTH_MAX).take_while(|b| b.is_ascii_alphanumeric()).count();
    match octets.get(length) {
        _ if length == 0 => Reference::Ampersand,
        Some(b';') => named(&rest[..=length])
            .map_or(Reference::Unknown, |(first, second)| Reference::To(first, second, length + 1)),
        // In an attribute a name without its semicolon is one only before neither a letter, a digit nor an equals sign.
        Some(b'=') if in_attribute => Reference::Ampersand,
        _ if in_attribute && length < LENGTH_MAX && named(&rest[..length]).is_none() => Reference::Ampersand,
        _ => Reference::Unknown,
    }
}

/// The characters of a name, which has its semicolon unless it may be without.
fn named(name: &str) -> Option<(char, Option<char>)> {
    let &(first, second) = NAMED_ENTITIES.get(name)?;
    // The beginnings of names are in the table as well, with zeros.
    let character = |code| char::from_u32(code).filter(|c| *c != '\0');
    Some((character(first)?, character(second)))
}

fn numeric(octets: &[u8]) -> Reference {
    let (radix, start) = if matches!(octets.get(1), Some(b'x' | b'X')) { (16, 2) } else { (10, 1) };
    let digits = octets[start..].iter().take(LENGTH_MAX).map_while(|b| char::from(*b).to_digit(radix));
    let (mut number, mut end) = (0_u32, start);
    for digit in digits {
        number = number.saturating_mul(radix).saturating_add(digit);
        end += 1;
    }
    if end == start || octets.get(end) != Some(&b';') {
        return Reference::Unknown;
    }
    Reference::To(numbered(number), None, end + 1)
}

// HTML Standard §13.2.5.80
fn numbered(number: u32) -> char {
    let windows = number.checked_sub(0x80).and_then(|index| *C1_REPLACEMENTS.get(index as usize)?);
    let character = windows.or_else(|| char::from_u32(number).filter(|c| *c != '\0'));
    character.unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// `text` with the references that are known and end with a semicolon; others stay as they are written.
pub(super) fn decode(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'&', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut decoded = String::with_capacity(text.len());
    decode_into(text, &mut decoded);
    Cow::Owned(decoded)
}

/// Appends the value of an attribute; `false` if it has references that are not known.
pub(super) fn decode_into(value: &str, decoded: &mut String) -> bool {
    let (mut rest, mut all_known) = (value, true);
    while let Some(position) = memchr::memchr(b'&', rest.as_bytes()) {
        decoded.push_str(&rest[..position]);
        rest = &rest[position + 1..];
        match at(rest, true) {
            Reference::To(first, second, length) => {
                decoded.push(first);
                decoded.extend(second);
                rest = &rest[length..];
            }
            other => {
                all_known &= other == Reference::Ampersand;
                decoded.push('&');
            }
        }
    }
    decoded.push_str(rest);
    all_known
}

#[cfg(test)]
mod tests;
