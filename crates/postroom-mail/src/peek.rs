//! A look at single fields of a header where the message itself is not read: to recognise it, or to tell when it arrived.
//! Nothing here makes anything of what it finds; what is read of a message is read by [`crate::read`].

/// How far into a message its header is looked for.
const MOST: usize = 64 * 1024;

/// What stands behind the name of the first field of this name, which is given with its colon; folded lines included.
// RFC 5322 §2.2
pub(crate) fn field(octets: &[u8], name: &str) -> Option<Vec<u8>> {
    let mut rest = &octets[..octets.len().min(MOST)];
    let mut found: Option<Vec<u8>> = None;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        rest = after;
        match &mut found {
            Some(value) if line.starts_with(b" ") || line.starts_with(b"\t") => value.extend_from_slice(line),
            Some(_) => break,
            None if line.trim_ascii().is_empty() => break,
            None if line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes())) => {
                found = Some(line[name.len()..].to_vec());
            }
            None => {}
        }
    }
    found
}

/// The Message-ID of a header, where it is written as the standard says: between angle brackets, in ASCII. Any other is
/// none here, although reading makes something of it.
// RFC 5322 §3.6.4
pub fn message_id(header: &[u8]) -> Option<String> {
    const LONGEST: usize = 998;
    let field = field(header, "Message-ID:")?;
    let start = memchr::memchr(b'<', &field)? + 1;
    let end = start + memchr::memchr(b'>', &field[start..])?;
    let id: String = field[start..end].iter().filter(|b| !b.is_ascii_whitespace()).map(|b| char::from(*b)).collect();
    let is_plain = !id.is_empty() && id.len() <= LONGEST && id.bytes().all(|b| (b'!'..=b'~').contains(&b));
    is_plain.then_some(id)
}

#[cfg(test)]
mod tests {
    use super::{field, message_id};
    use crate::RawMessage;
    use bytes::Bytes;

    #[test]
    fn a_field_ends_where_the_next_begins() {
        for (header, expected) in [
            ("X-A: 1\r\nx-b: 2\r\n 3\r\n\t4\r\nX-C: 5\r\n\r\nX-B: 6\r\n", Some(" 2\r\n 3\r\n\t4\r\n")),
            ("X-A: 1\n\nX-B: 6\n", None),
            ("X-B:", Some("")),
            ("X-Bad: 1\n", None),
            ("", None),
        ] {
            let found = field(header.as_bytes(), "X-B:");
            assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{header:?}");
        }
    }

    /// What is found here must be what is stored of the message once it is read, or the two would never match.
    #[test]
    fn an_id_is_the_one_that_reading_finds_or_none() {
        for (field, plain) in [
            ("Message-ID: <a@b.example>", true),
            ("message-id:<a@b.example>", true),
            ("Message-Id:\r\n <a@b.example>", true),
            ("Message-ID: <a@\r\n b.example>", true),
            ("Message-ID: (comment) <a@b.example> <c@d.example>", true),
            ("Message-ID: a@b.example", false),
            ("Message-ID: <>", false),
            ("Message-ID: <ä@b.example>", false),
            ("Message-ID: <a@b.example", false),
            ("X: y", false),
        ] {
            let message = format!("From: a@b.example\r\n{field}\r\nSubject: s\r\n\r\n<x@y>\r\n");
            let found = message_id(message.as_bytes());
            assert_eq!(found.is_some(), plain, "{field}");
            if plain {
                assert_eq!(found, crate::read(&RawMessage::new(Bytes::from(message))).message_id, "{field}");
            }
        }
    }
}
