//! Character references (HTML Standard §13.2.5.72 to §13.2.5.80).

use std::borrow::Cow;

/// What stands at an ampersand.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reference {
    /// Only an ampersand.
    Ampersand,
    /// A reference to a character, with its octets without the ampersand.
    To(char, usize),
    /// Something that this table does not know.
    Unknown,
}

/// What stands at an ampersand with `rest` behind it, in the value of an attribute or in text.
pub(super) fn at(rest: &str, in_attribute: bool) -> Reference {
    let octets = rest.as_bytes();
    if octets.first() == Some(&b'#') {
        return numeric(octets);
    }
    let length = octets.iter().take(33).position(|b| !b.is_ascii_alphanumeric()).unwrap_or(octets.len().min(33));
    if length == 0 {
        return Reference::Ampersand;
    }
    let known = NAMED.binary_search_by_key(&&rest[..length], |(name, ..)| name).ok().map(|index| NAMED[index]);
    match (octets.get(length), known) {
        (Some(b';'), Some((_, character, _))) => Reference::To(character, length + 1),
        // In an attribute a name without its semicolon is one only before neither a letter, a digit nor an equals sign.
        (Some(b'='), _) if in_attribute => Reference::Ampersand,
        (Some(b';'), None) => Reference::Unknown,
        (_, None | Some((_, _, false))) if in_attribute && length < 33 => Reference::Ampersand,
        _ => Reference::Unknown,
    }
}

fn numeric(octets: &[u8]) -> Reference {
    let is_hex = matches!(octets.get(1), Some(b'x' | b'X'));
    let start = if is_hex { 2 } else { 1 };
    let digits = octets[start..].iter().take(9);
    let length = digits.take_while(|b| if is_hex { b.is_ascii_hexdigit() } else { b.is_ascii_digit() }).count();
    let Some(digits) = std::str::from_utf8(&octets[start..start + length]).ok().filter(|_| (1..9).contains(&length))
    else {
        return Reference::Unknown;
    };
    let character = u32::from_str_radix(digits, if is_hex { 16 } else { 10 }).ok().and_then(char::from_u32);
    match (character, octets.get(start + length)) {
        // Below and between stand controls, some of which mean another character.
        (Some(c), Some(b';')) if c == '\n' || (' '..='~').contains(&c) || c >= '\u{a0}' => {
            Reference::To(c, start + length + 1)
        }
        _ => Reference::Unknown,
    }
}

/// `value` of an attribute with the references that are known; others stay as they are written.
pub(super) fn decode(value: &str) -> Cow<'_, str> {
    if !value.contains('&') {
        return Cow::Borrowed(value);
    }
    let mut text = String::with_capacity(value.len());
    decode_into(value, &mut text);
    Cow::Owned(text)
}

/// Appends the text of an attribute; `false` if it has references that are not known.
pub(super) fn decode_into(value: &str, text: &mut String) -> bool {
    let (mut rest, mut all_known) = (value, true);
    while let Some(position) = memchr::memchr(b'&', rest.as_bytes()) {
        text.push_str(&rest[..position]);
        rest = &rest[position + 1..];
        match at(rest, true) {
            Reference::To(character, length) => {
                text.push(character);
                rest = &rest[length..];
            }
            other => {
                all_known &= other == Reference::Ampersand;
                text.push('&');
            }
        }
    }
    text.push_str(rest);
    all_known
}

/// The references that mail is full of, in the order of their octets: name, character, and whether the semicolon may be
/// missing (HTML Standard §13.5). What is not here is left to the cleaner.
const NAMED: [(&str, char, bool); 158] = [
    ("AElig", 'Æ', true),
    ("AMP", '&', true),
    ("Aacute", 'Á', true),
    ("Acirc", 'Â', true),
    ("Agrave", 'À', true),
    ("Aring", 'Å', true),
    ("Atilde", 'Ã', true),
    ("Auml", 'Ä', true),
    ("COPY", '©', true),
    ("Ccedil", 'Ç', true),
    ("Dagger", '‡', false),
    ("ETH", 'Ð', true),
    ("Eacute", 'É', true),
    ("Ecirc", 'Ê', true),
    ("Egrave", 'È', true),
    ("Euml", 'Ë', true),
    ("GT", '>', true),
    ("Iacute", 'Í', true),
    ("Icirc", 'Î', true),
    ("Igrave", 'Ì', true),
    ("Iuml", 'Ï', true),
    ("LT", '<', true),
    ("Ntilde", 'Ñ', true),
    ("OElig", 'Œ', false),
    ("Oacute", 'Ó', true),
    ("Ocirc", 'Ô', true),
    ("Ograve", 'Ò', true),
    ("Oslash", 'Ø', true),
    ("Otilde", 'Õ', true),
    ("Ouml", 'Ö', true),
    ("QUOT", '"', true),
    ("REG", '®', true),
    ("Scaron", 'Š', false),
    ("THORN", 'Þ', true),
    ("Uacute", 'Ú', true),
    ("Ucirc", 'Û', true),
    ("Ugrave", 'Ù', true),
    ("Uuml", 'Ü', true),
    ("Yacute", 'Ý', true),
    ("Yuml", 'Ÿ', false),
    ("aacute", 'á', true),
    ("acirc", 'â', true),
    ("acute", '´', true),
    ("aelig", 'æ', true),
    ("agrave", 'à', true),
    ("amp", '&', true),
    ("apos", '\'', false),
    ("aring", 'å', true),
    ("asymp", '≈', false),
    ("atilde", 'ã', true),
    ("auml", 'ä', true),
    ("bdquo", '„', false),
    ("brvbar", '¦', true),
    ("bull", '•', false),
    ("ccedil", 'ç', true),
    ("cedil", '¸', true),
    ("cent", '¢', true),
    ("check", '✓', false),
    ("circ", 'ˆ', false),
    ("clubs", '♣', false),
    ("copy", '©', true),
    ("curren", '¤', true),
    ("dagger", '†', false),
    ("darr", '↓', false),
    ("deg", '°', true),
    ("diams", '♦', false),
    ("divide", '÷', true),
    ("eacute", 'é', true),
    ("ecirc", 'ê', true),
    ("egrave", 'è', true),
    ("emsp", '\u{2003}', false),
    ("ensp", '\u{2002}', false),
    ("eth", 'ð', true),
    ("euml", 'ë', true),
    ("euro", '€', false),
    ("fnof", 'ƒ', false),
    ("frac12", '½', true),
    ("frac14", '¼', true),
    ("frac34", '¾', true),
    ("ge", '≥', false),
    ("gt", '>', true),
    ("harr", '↔', false),
    ("hearts", '♥', false),
    ("hellip", '…', false),
    ("iacute", 'í', true),
    ("icirc", 'î', true),
    ("iexcl", '¡', true),
    ("igrave", 'ì', true),
    ("infin", '∞', false),
    ("iquest", '¿', true),
    ("iuml", 'ï', true),
    ("laquo", '«', true),
    ("larr", '←', false),
    ("ldquo", '“', false),
    ("le", '≤', false),
    ("lrm", '\u{200e}', false),
    ("lsaquo", '‹', false),
    ("lsquo", '‘', false),
    ("lt", '<', true),
    ("macr", '¯', true),
    ("mdash", '—', false),
    ("micro", 'µ', true),
    ("middot", '·', true),
    ("minus", '−', false),
    ("nbsp", '\u{a0}', true),
    ("ndash", '–', false),
    ("ne", '≠', false),
    ("not", '¬', true),
    ("ntilde", 'ñ', true),
    ("oacute", 'ó', true),
    ("ocirc", 'ô', true),
    ("oelig", 'œ', false),
    ("ograve", 'ò', true),
    ("ordf", 'ª', true),
    ("ordm", 'º', true),
    ("oslash", 'ø', true),
    ("otilde", 'õ', true),
    ("ouml", 'ö', true),
    ("para", '¶', true),
    ("permil", '‰', false),
    ("plusmn", '±', true),
    ("pound", '£', true),
    ("quot", '"', true),
    ("radic", '√', false),
    ("raquo", '»', true),
    ("rarr", '→', false),
    ("rdquo", '”', false),
    ("reg", '®', true),
    ("rlm", '\u{200f}', false),
    ("rsaquo", '›', false),
    ("rsquo", '’', false),
    ("sbquo", '‚', false),
    ("scaron", 'š', false),
    ("sect", '§', true),
    ("shy", '\u{ad}', true),
    ("spades", '♠', false),
    ("star", '☆', false),
    ("sum", '∑', false),
    ("sup1", '¹', true),
    ("sup2", '²', true),
    ("sup3", '³', true),
    ("szlig", 'ß', true),
    ("thinsp", '\u{2009}', false),
    ("thorn", 'þ', true),
    ("tilde", '˜', false),
    ("times", '×', true),
    ("trade", '™', false),
    ("uacute", 'ú', true),
    ("uarr", '↑', false),
    ("ucirc", 'û', true),
    ("ugrave", 'ù', true),
    ("uml", '¨', true),
    ("uuml", 'ü', true),
    ("yacute", 'ý', true),
    ("yen", '¥', true),
    ("yuml", 'ÿ', true),
    ("zwj", '\u{200d}', false),
    ("zwnj", '\u{200c}', false),
];

#[cfg(test)]
mod tests;
