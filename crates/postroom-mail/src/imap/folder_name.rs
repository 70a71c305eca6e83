//! Folder names on the wire: modified UTF-7, and below which prefix they stand.

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

/// Encodes a folder name. The result is printable ASCII whatever the name holds, line ends included, so a name can never
/// become a command.
// RFC 3501 §5.1.3. RFC 9051 servers take it too, since we never say ENABLE IMAP4rev2 or UTF8=ACCEPT.
pub fn encode_folder(name: &str) -> String {
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

/// Where the folders of a user stand: what each of their names begins with, and what divides the parts of a name.
// RFC 2342 §5: the first personal namespace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Namespace {
    /// For example `INBOX.`; often empty. As it goes over the wire.
    pub prefix: String,
    /// For example `.` or `/`; `None` where there are no folders in folders.
    pub separator: Option<char>,
}

impl Namespace {
    /// The names that a folder may have on this server when a person calls it `name`, the likeliest first: as it is,
    /// with its parts divided as the server does, and below the prefix.
    pub fn candidates(&self, name: &str) -> Vec<String> {
        let as_is = encode_folder(name);
        let divided = match self.separator {
            Some(separator) if separator != '/' => as_is.replace('/', separator.encode_utf8(&mut [0; 4])),
            _ => as_is.clone(),
        };
        let below =
            if divided.starts_with(&self.prefix) { divided.clone() } else { format!("{}{divided}", self.prefix) };
        let mut candidates = vec![as_is, divided, below];
        candidates.dedup();
        candidates
    }
}

fn is_plain(c: char) -> bool {
    (' '..='~').contains(&c)
}
