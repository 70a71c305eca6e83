//! Files that are handed out: their names in the header, and the four kinds of picture that may be shown in a page.

/// The media type of a picture that browsers show without running anything in it, told by its first octets.
pub(crate) fn picture_type(octets: &[u8]) -> Option<&'static str> {
    match octets {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// What ends a quoted string early, or what some operating system does not take in the name of a file.
const NOT_IN_NAMES: &str = r#""\%/<>:|?*"#;

/// The Content-Disposition of a download: the name in ASCII for old programs, and as it is for all others.
// RFC 6266 §4, RFC 8187 §3.2
pub(crate) fn disposition(kind: &str, name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| if (c.is_ascii_graphic() && !NOT_IN_NAMES.contains(c)) || c == ' ' { c } else { '_' })
        .collect();
    let mut exact = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            exact.push(byte as char);
        } else {
            exact.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{exact}")
}

/// A media type that may stand in a header: `type/subtype` of RFC 6838 characters, else that of any octets.
pub(crate) fn safe_type(content_type: &str) -> &str {
    let token = |part: &str| {
        !part.is_empty()
            && part.len() <= 127
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    match content_type.split_once('/') {
        Some((kind, subtype)) if token(kind) && token(subtype) => content_type,
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
