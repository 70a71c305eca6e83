//! What may be shown of a logical line of an IMAP server: the words of the protocol as they came, of a challenge nothing, of a
//! message only what is no part of its text, and of what is no response nothing, since it may be the rest of a message whose
//! length was a lie.

use postroom_mail::imap::{Fetch, Response, Status};

/// Flags that are shown; any other may have been named by anybody.
// RFC 9051 §2.3.2
const FLAGS: [&str; 6] = ["\\Answered", "\\Deleted", "\\Draft", "\\Flagged", "\\Recent", "\\Seen"];

/// Other responses that have no part of a message, by their first word.
const OTHERS: [&str; 7] = ["ENABLED", "EXISTS", "FLAGS", "ID", "RECENT", "SEARCH", "VANISHED"];

/// Whether a greeting says that nobody has to log in.
pub(super) fn is_preauth(greeting: &[u8]) -> bool {
    matches!(Response::read(greeting), Response::Untagged(line) if line.status == Status::Preauth)
}

/// Whether this is OK to the command of that tag.
pub(super) fn is_ok_to(command: &[u8], line: &[u8]) -> bool {
    matches!(Response::read(line), Response::Tagged { tag, line } if tag.as_bytes() == command && line.status == Status::Ok)
}

/// What is kept of a line.
pub(super) fn shown(line: &[u8]) -> String {
    match Response::read(line) {
        Response::Fetch(fetch) => of_message(line, &fetch),
        Response::Continuation(_) => "+ …".to_owned(),
        Response::Other(word) if !line.starts_with(b"*") || !OTHERS.contains(&word.as_str()) => "…".to_owned(),
        _ => String::from_utf8_lossy(line).into_owned(),
    }
}

fn of_message(line: &[u8], fetch: &Fetch) -> String {
    let mut items = Vec::new();
    items.extend(fetch.uid.map(|uid| format!("UID {uid}")));
    items.extend(fetch.size.map(|size| format!("RFC822.SIZE {size}")));
    items.extend(fetch.internal_date.map(|at| format!("INTERNALDATE {at}")));
    items.extend(fetch.flags.as_ref().map(|flags| {
        let known = |flag: &String| FLAGS.iter().copied().find(|known| flag.eq_ignore_ascii_case(known));
        format!("FLAGS ({})", flags.iter().map(|flag| known(flag).unwrap_or("…")).collect::<Vec<_>>().join(" "))
    }));
    items.extend(fetch.has_body().then(|| "BODY[] …".to_owned()));
    items.extend(fetch.fields.is_some().then(|| "BODY[HEADER.FIELDS …] …".to_owned()));
    // In this response it is a number.
    let number = line.split(|octet| *octet == b' ').filter(|word| !word.is_empty()).nth(1).unwrap_or_default();
    format!("* {} FETCH ({})", String::from_utf8_lossy(number), items.join(" "))
}
