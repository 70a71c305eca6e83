//! Folder names on the wire: modified UTF-7.

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

/// Encodes a folder name. The result is printable ASCII whatever the name holds, line ends included, so a name can never
/// become a command.
// RFC 3501 §5.1.3. RFC 9051 servers take it too, since we never say ENABLE IMAP4rev2 or UTF8=ACCEPT.
pub(super) fn encode(name: &str) -> String {
    let engine = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        if first == '&' {
            out.push_str("&-");
            rest = &rest[1..];
            continue;
        }
        let plain = is_plain(first);
        let end = rest.find(|c| c == '&' || is_plain(c) != plain).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        if plain {
            out.push_str(run);
        } else {
            let utf16: Vec<u8> = run.encode_utf16().flat_map(u16::to_be_bytes).collect();
            out.push('&');
            engine.encode_string(utf16, &mut out);
            out.push('-');
        }
        rest = after;
    }
    out
}

fn is_plain(c: char) -> bool {
    (' '..='~').contains(&c)
}
