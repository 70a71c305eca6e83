//! Character references (HTML Standard §13.5).

use mail_parser::decoders::html::add_html_token;

/// Character references decoded; an ampersand that begins none stays.
pub(super) fn decode(text: &str) -> std::borrow::Cow<'_, str> {
    if memchr::memchr(b'&', text.as_bytes()).is_none() {
        return text.into();
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        decoded.push_str(&rest[..start]);
        rest = &rest[start..];
        // The longest name has 31 letters.
        let length = rest.bytes().take(34).position(|b| b == b';');
        let reference = length.map(|end| &rest[..=end]).filter(|r| r[1..r.len() - 1].bytes().all(is_reference_octet));
        match reference {
            Some(reference) if reference.len() > 2 => {
                push(&mut decoded, reference);
                rest = &rest[reference.len()..];
            }
            _ => {
                decoded.push('&');
                rest = &rest[1..];
            }
        }
    }
    decoded.push_str(rest);
    decoded.into()
}

fn is_reference_octet(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'#'
}

fn push(decoded: &mut String, reference: &str) {
    let number = reference[1..reference.len() - 1].strip_prefix('#').and_then(|digits| {
        digits.strip_prefix(['x', 'X']).map_or_else(|| digits.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok())
    });
    match number {
        // Numbers 128 to 159 are what Windows-1252 has there (HTML Standard §13.2.5.80).
        Some(number @ 128..=159) => {
            decoded.push_str(&encoding_rs::WINDOWS_1252.decode_without_bom_handling(&[number as u8]).0)
        }
        Some(0) => decoded.push('\u{fffd}'),
        _ => add_html_token(decoded, reference.as_bytes(), false),
    }
}
