//! Where a message ends, and which dots are its own.

use super::super::{Piece, Pop3Error, Reader};
use bytes::Bytes;
use proptest::prelude::*;

/// The message and what follows it, read in slices of these lengths again and again.
fn read(wire: &[u8], slices: &[usize]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut reader = Reader::default();
    reader.begin_message();
    let (mut message, mut at) = (Vec::new(), 0);
    for length in slices.iter().cycle() {
        let end = (at + length).min(wire.len());
        let mut input = Bytes::copy_from_slice(&wire[at..end]);
        at = end;
        while let Some(piece) = reader.next(&mut input).unwrap() {
            match piece {
                Piece::Chunk(chunk) => message.extend_from_slice(&chunk),
                Piece::End => return Some((message, [&input[..], &wire[at..]].concat())),
                Piece::Line(line) => panic!("{line:?} within a message"),
            }
        }
        if at == wire.len() {
            return None;
        }
    }
    None
}

/// What a server sends for a message (RFC 1939 §3).
fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    let mut is_start = true;
    for (at, octet) in message.iter().enumerate() {
        if is_start && *octet == b'.' {
            wire.push(b'.');
        }
        wire.push(*octet);
        is_start = *octet == b'\n' && at > 0 && message[at - 1] == b'\r';
    }
    if !message.is_empty() && !message.ends_with(b"\r\n") {
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

#[test]
fn a_message_ends_at_one_place_only() {
    let table: [(&[u8], Option<&[u8]>); 14] = [
        (b".\r\n", Some(b"")),
        (b"a\r\n.\r\n", Some(b"a\r\n")),
        (b"\r\n.\r\n", Some(b"\r\n")),
        (b"..\r\n.\r\n", Some(b".\r\n")),
        (b"...\r\n.\r\n", Some(b"..\r\n")),
        // A dot that the server should have doubled.
        (b".a\r\n.\r\n", Some(b"a\r\n")),
        // Line ends of other systems are part of the message, and so are the dots beside them.
        (b"a\n.\nb\n.\r\nc\r\n.\r\n", Some(b"a\n.\nb\n.\r\nc\r\n")),
        (b"a\r.\r\n.\r\n", Some(b"a\r.\r\n")),
        (b".\rb\r\n.\r\n", Some(b"\rb\r\n")),
        (b".\r\r\n.\r\n", Some(b"\r\r\n")),
        (b"a\r\r\n.\r\n", Some(b"a\r\r\n")),
        (b"a\r\n.\n", None),
        (b"a\n.\r\n", None),
        (b"a\r\n.\r", None),
    ];
    for (wire, expected) in table {
        for slices in [&[1_usize][..], &[2], &[3, 1], &[1000]] {
            let found = read(wire, slices);
            assert_eq!(
                found.as_ref().map(|(m, _)| m.as_slice()),
                expected,
                "{:?} {slices:?}",
                String::from_utf8_lossy(wire)
            );
        }
    }
}

#[test]
fn lines_end_in_crlf_and_are_bounded() {
    let mut reader = Reader::default();
    let mut input = Bytes::from_static(b"+OK\r\n-ERR a\rb\r\nrest");
    assert_eq!(reader.next(&mut input), Ok(Some(Piece::Line(b"+OK".to_vec()))));
    assert_eq!(reader.next(&mut input), Ok(Some(Piece::Line(b"-ERR a\rb".to_vec()))));
    assert_eq!(reader.next(&mut input), Ok(None));
    assert!(!reader.is_between_lines());
    let mut bare = Bytes::from_static(b"+OK\n");
    assert_eq!(Reader::default().next(&mut bare), Err(Pop3Error::BareLineFeed));
    let mut long = Bytes::from(vec![b'a'; super::super::MAX_LINE + 1]);
    assert_eq!(Reader::default().next(&mut long), Err(Pop3Error::LineTooLong));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    /// Any message, sent by a server that keeps to the standard and cut anyhow, comes out as it went in; what follows is
    /// not touched.
    #[test]
    fn every_message_comes_back(
        parts in prop::collection::vec(prop_oneof![
            Just(&b"\r\n"[..]), Just(&b"."[..]), Just(&b"\r"[..]), Just(&b"\n"[..]), Just(&b"ab"[..]),
            Just(&b"\r\n."[..]), Just(&b"\0"[..]), Just(&b"\n.\r\n"[..]),
        ], 0..40),
        slices in prop::collection::vec(1_usize..8, 1..6),
    ) {
        let mut message = parts.concat();
        let wire = [stuffed(&message), b"+OK 5\r\n".to_vec()].concat();
        if !message.is_empty() && !message.ends_with(b"\r\n") {
            message.extend_from_slice(b"\r\n");
        }
        prop_assert_eq!(read(&wire, &slices), Some((message, b"+OK 5\r\n".to_vec())));
    }
}
