//! What is read out of replies, and that slicing never changes it.

use super::super::reader::{MAX_LINE, Piece, Reader};
use super::super::response::{Body, Code, Response};
use super::super::{ImapError, MAX_NESTING};
use bytes::Bytes;
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Reads octets that come in slices of `slice`, and describes what came, chunks of one body put together.
fn read(octets: &[u8], slice: usize) -> (Vec<String>, Option<ImapError>) {
    let mut reader = Reader::default();
    let (mut words, mut body) = (Vec::new(), Vec::new());
    for slice in octets.chunks(slice.max(1)) {
        let mut input = Bytes::copy_from_slice(slice);
        loop {
            match reader.next(&mut input) {
                Ok(None) => break,
                Ok(Some(Piece::BodyStart(length))) => words.push(format!("body of {length}")),
                Ok(Some(Piece::BodyChunk(chunk))) => body.extend_from_slice(&chunk),
                Ok(Some(Piece::Line(line))) => {
                    if !body.is_empty() {
                        words.push(format!("“{}”", String::from_utf8_lossy(&std::mem::take(&mut body))));
                    }
                    words.push(describe(&Response::read(&line)));
                }
                Err(error) => return (words, Some(error)),
            }
        }
    }
    (words, None)
}

fn describe(response: &Response) -> String {
    let status = |line: &super::super::StatusLine| format!("{:?} {:?} “{}”", line.status, line.code, line.text);
    match response {
        Response::Tagged { tag, line } => format!("{tag} {}", status(line)),
        Response::Untagged(line) => status(line),
        Response::Fetch(fetch) => {
            let date = fetch.internal_date.map(|d| d.to_string());
            format!("FETCH {:?} {:?} {date:?} {:?} {:?}", fetch.uid, fetch.size, fetch.flags, fetch.body)
        }
        Response::Folder(entry) => format!("Folder {} {:?} {}", entry.name, entry.separator, entry.selectable),
        Response::Namespace(None) => "Namespace none".to_owned(),
        Response::Namespace(Some(space)) => format!("Namespace {:?} {:?}", space.prefix, space.separator),
        Response::Counts(counts) => {
            format!("Counts {:?} {:?} {:?}", counts.uid_validity, counts.uid_next, counts.messages)
        }
        Response::Found(found) => format!("Found {:?} {:?} {:?} {:?}", found.min, found.max, found.count, found.all),
        other => format!("{other:?}"),
    }
}

fn one(octets: &str) -> Response {
    let mut reader = Reader::default();
    let mut input = Bytes::copy_from_slice(octets.as_bytes());
    loop {
        if let Piece::Line(line) = reader.next(&mut input).unwrap().unwrap() {
            return Response::read(&line);
        }
    }
}

/// Replies and what we take from them: the ones that a standard allows first, then what servers really send.
#[test]
fn replies_have_their_sense() {
    let cases = [
        ("A1 OK done", "A1 Ok None “done”"),
        ("A1 OK", "A1 Ok None “”"),
        ("A1 OK ", "A1 Ok None “”"),
        ("* ok done", "Ok None “done”"),
        ("* BYE", "Bye None “”"),
        ("* OK [UIDVALIDITY 3857529045] UIDs valid", "Ok Some(UidValidity(3857529045)) “UIDs valid”"),
        ("* OK [UIDVALIDITY 1700000000000] x", "Ok None “x”"),
        ("* OK [UIDNEXT 0] x", "Ok None “x”"),
        ("* OK [HIGHESTMODSEQ 13637]", "Ok Some(HighestModSeq(13637)) “”"),
        ("* OK [HIGHESTMODSEQ 9223372036854775808] x", "Ok None “x”"),
        ("* OK [NOMODSEQ] x", "Ok Some(Named(\"NOMODSEQ\")) “x”"),
        ("A1 NO [AUTHENTICATIONFAILED] bad login", "A1 No Some(Named(\"AUTHENTICATIONFAILED\")) “bad login”"),
        ("* OK [COPYUID 1 1:4294967295 1:4294967295] x", "Ok Some(Named(\"COPYUID\")) “x”"),
        ("* OK see {3}", "Ok None “see {3}”"),
        ("* 23 EXISTS ", "Exists(23)"),
        ("*  3 EXISTS", "Exists(3)"),
        ("* -3 EXISTS", "Other(\"-3\")"),
        ("* 4294967296 EXISTS", "Other(\"EXISTS\")"),
        ("* 1 EXPUNGE", "Expunge(1)"),
        ("* 0 EXPUNGE", "Other(\"EXPUNGE\")"),
        ("* LIST (\\HasNoChildren) \".\" \"INBOX.a\\\"b\"", "Folder INBOX.a\"b Some('.') true"),
        ("* LIST () NIL INBOX", "Folder INBOX None true"),
        ("* list (\\NoSelect) \"/\" {3}\r\na b", "Folder a b Some('/') false"),
        ("* LIST (\\NonExistent) \"/\" x (\"OLDNAME\" (y))", "Folder x Some('/') false"),
        ("* LIST (", "Other(\"LIST\")"),
        ("* NAMESPACE ((\"INBOX.\" \".\")(\"x\" \"/\")) NIL NIL", "Namespace \"INBOX.\" Some('.')"),
        ("* NAMESPACE ((\"\" NIL)) ((\"~\" \"/\")) NIL", "Namespace \"\" None"),
        ("* NAMESPACE NIL NIL NIL", "Namespace none"),
        ("* NAMESPACE", "Namespace none"),
        ("* STATUS \"a b\" (MESSAGES 3 UIDNEXT 5 UIDVALIDITY 9)", "Counts Some(9) Some(5) Some(3)"),
        ("* STATUS {3}\r\na b (UIDNEXT 0 X 1 MESSAGES 99999999999)", "Counts None None None"),
        ("* STATUS INBOX ()", "Counts None None None"),
        ("* ESEARCH (TAG \"P5\") UID MIN 2 MAX 9 COUNT 4", "Found Some(2) Some(9) Some(4) []"),
        (
            "* ESEARCH (TAG \"P5\") UID ALL 2,5:7,4294967295",
            "Found None None None [(2, 2), (5, 7), (4294967295, 4294967295)]",
        ),
        ("* ESEARCH UID ALL 9:7,0,x,3:*,4", "Found None None None [(7, 9), (4, 4)]"),
        ("* ESEARCH (TAG \"P5\") UID", "Found None None None []"),
        ("* XFOO bar (baz)", "Other(\"XFOO\")"),
        ("", "Other(\"\")"),
        ("+", "Continuation([])"),
        ("+ go", "Continuation([103, 111])"),
        ("* 11487 FETCH (UID 19436 )", "FETCH Some(19436) None None None Absent"),
        ("* 1 FETCH (UID 5  FLAGS (\\Seen))", "FETCH Some(5) None None Some([\"\\\\Seen\"]) Absent"),
        ("* 1 FETCH (UID 3 RFC822.SIZE -1)", "FETCH Some(3) None None None Absent"),
        ("* 1 FETCH (UID 3 RFC822.SIZE 5000000000)", "FETCH Some(3) Some(5000000000) None None Absent"),
        ("* 1 FETCH (INTERNALDATE NIL UID 3)", "FETCH Some(3) None None None Absent"),
        ("* 1 FETCH (INTERNALDATE \"\" UID 3)", "FETCH Some(3) None None None Absent"),
        (
            "* 1 FETCH (INTERNALDATE \"1-Feb-2026 10:00:00 +0530\" UID 3)",
            "FETCH Some(3) None Some(\"2026-02-01T04:30:00Z\") None Absent",
        ),
        ("* 1 FETCH (UID 3 X-GM-LABELS (\\Inbox (a \")\")) RFC822.SIZE 4)", "FETCH Some(3) Some(4) None None Absent"),
        ("* 1 FETCH (UID 3 BODY[] NIL)", "FETCH Some(3) None None None Nil"),
        ("* 1 FETCH (UID 3 BODY[] \"a\\\"b\\c\")", "FETCH Some(3) None None None Inline(b\"a\\\"b\\\\c\")"),
        ("* 1 FETCH (BODY[HEADER.FIELDS (FROM \"X-Weird\")] {2}\r\n\r\n UID 3)", "FETCH Some(3) None None None Absent"),
        ("* 1 FETCH (UID 5 BODY[]<0> {5}\r\nhello)", "FETCH Some(5) None None None Streamed"),
        ("* 1 FETCH (BINARY[] ~{3}\r\na\0b UID 5)", "FETCH Some(5) None None None Streamed"),
        ("* 1 FETCH (UID 5 UID 5)", "FETCH Some(5) None None None Absent"),
        ("* 1 FETCH (UID 5 UID 6)", "FETCH None None None None Absent"),
        ("* 1 FETCH (UID 4294967296)", "FETCH None None None None Absent"),
    ];
    for (octets, expected) in cases {
        assert_eq!(describe(&one(&format!("{octets}\r\n"))), expected, "{octets}");
        assert_eq!(describe(&one(&format!("{octets}\n"))), expected, "{octets} with a bare line feed");
    }
    assert!(matches!(one("* 1 FETCH (BODY[] {5}\r\nhello)\r\n"), Response::Fetch(f) if f.body == Body::Streamed));
    let Response::Untagged(line) = one("* OK [CAPABILITY imap4rev1 Auth=PLAIN] x\r\n") else { panic!("untagged") };
    assert!(matches!(line.code, Some(Code::Capability(c)) if c.has("AUTH=PLAIN") && c.has("IMAP4REV1")));
}

#[test]
fn a_message_id_is_bound_to_the_uid_beside_it() {
    let fields = "Message-ID: <a@b>\r\n\r\n";
    let reply = format!("* 1 FETCH (UID 7 BODY[HEADER.FIELDS (MESSAGE-ID)] {{{}}}\r\n{fields})\r\n", fields.len());
    let Response::Fetch(fetch) = one(&reply) else { panic!("no fetch") };
    assert_eq!((fetch.uid, fetch.fields.as_deref(), fetch.body), (Some(7), Some(fields.as_bytes()), Body::Absent));
}

/// A NUL in a line could otherwise pass for the place where a body was.
#[test]
fn no_octet_of_a_line_passes_for_a_body() {
    assert_eq!(describe(&one("* 1 FETCH (UID 5 BODY[] \0)\r\n")), "FETCH Some(5) None None None Nil");
}

#[test]
fn framing_that_cannot_be_trusted_ends_the_conversation() {
    let cases = [
        ("* 1 FETCH (BODY[] {-1}\r\n", ImapError::LiteralMalformed),
        ("* 1 FETCH (BODY[] {}\r\n", ImapError::LiteralMalformed),
        ("* 1 FETCH (BODY[] {99999999999999999999}\r\n", ImapError::LiteralMalformed),
        ("* 1 FETCH (BODY[] {123456789012345678901}\r\n", ImapError::LiteralMalformed),
        ("* 1 FETCH (BODY[] {1}\r\nx BODY[] {1}\r\nx)\r\n", ImapError::TwoBodies),
    ];
    for (octets, expected) in cases {
        for slice in [1, 3, 1000] {
            assert_eq!(read(octets.as_bytes(), slice).1, Some(expected), "{octets:?}");
        }
    }
    let endless = vec![b'x'; MAX_LINE + 1];
    assert_eq!(read(&endless, 1000).1, Some(ImapError::LineTooLong));
    let many_literals = "* X ".to_owned() + &"{1}\r\nx ".repeat(1_000_000);
    let begun = Instant::now();
    assert_eq!(read(many_literals.as_bytes(), 16_384).1, Some(ImapError::LineTooLong));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

/// A large literal that nobody asked for is let go; the rest of its line keeps its sense.
#[test]
fn unwanted_literals_are_skipped() {
    let octets = format!("* 1 FETCH (BODY[HEADER] {{100000}}\r\n{} UID 7)\r\n* 2 EXISTS\r\n", "x".repeat(100_000));
    let (words, error) = read(octets.as_bytes(), 4096);
    assert_eq!((words.join("; ").as_str(), error), ("FETCH Some(7) None None None Absent; Exists(2)", None));
}

#[test]
fn nesting_and_braces_cost_linear_time() {
    let begun = Instant::now();
    for filler in ["(", "{", "((()", "{1 ", "\"", "\"\\", "[", "BODY[", "(a", ")", "~{", "\0"] {
        let fit = (MAX_LINE - 100) / filler.len();
        for prefix in ["* 1 FETCH (UID 3 X ", "* 1 FETCH (FLAGS (", "* 1 FETCH ", "* OK [", "* LIST ", "A "] {
            let (_, error) = read(format!("{prefix}{}\r\n", filler.repeat(fit)).as_bytes(), 10_000);
            assert_eq!(error, None, "{prefix}{filler}");
        }
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let nested = |depth: usize| format!("* 1 FETCH (X {}{} UID 3)\r\n", "(".repeat(depth), ")".repeat(depth));
    assert!(matches!(one(&nested(MAX_NESTING)), Response::Fetch(f) if f.uid == Some(3)));
    assert!(matches!(one(&nested(MAX_NESTING + 1)), Response::Fetch(f) if f.uid.is_none()));
}

/// All replies of the shared collection, where it is at hand: none ends the conversation, and none changes by slicing.
#[test]
fn the_collected_replies_survive() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/imap-replies/replies.jsonl");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED: no {}", path.display());
        return;
    };
    let mut count = 0;
    for line in text.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let (name, octets) = (case["name"].as_str().unwrap(), case["octets"].as_str().unwrap());
        // Each character of the file is one octet.
        let octets: Vec<u8> = octets.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        let (words, error) = read(&octets, usize::MAX);
        assert_eq!(error, None, "{name}");
        assert!(!words.is_empty(), "{name}");
        for slice in 1..7 {
            assert_eq!(read(&octets, slice), (words.clone(), None), "{name}, in slices of {slice}");
        }
        if case["standard"] == true {
            assert!(has_its_sense(&octets, words.last().unwrap()), "{name}: {words:?}");
        }
        count += 1;
    }
    assert!(count >= 87, "only {count} replies");
}

/// Whether a reply is taken for what it is: what we read by its value, everything else by its name.
fn has_its_sense(octets: &[u8], words: &str) -> bool {
    let text = String::from_utf8_lossy(octets).to_ascii_uppercase();
    let mut fields = text.split_whitespace();
    match (fields.next().unwrap(), fields.next().unwrap_or_default()) {
        ("*", status @ ("OK" | "NO" | "BAD" | "BYE" | "PREAUTH")) => words.to_ascii_uppercase().starts_with(status),
        ("*", number) if number.parse::<u32>().is_ok() => words.to_ascii_uppercase().contains(fields.next().unwrap()),
        ("*", "CAPABILITY") => words.starts_with("Capability"),
        ("*", "LIST") => words.starts_with("Folder"),
        ("*", "NAMESPACE") => words.starts_with("Namespace"),
        ("*", "STATUS") => words.starts_with("Counts"),
        ("*", "ESEARCH") => words.starts_with("Found"),
        ("*", name) => words == format!("Other({name:?})"),
        ("+", _) => words.starts_with("Continuation"),
        (tag, _) => words.starts_with(tag),
    }
}

fn dialogues() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/dialogues/imap");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "dialogue"));
    paths
}

/// What the servers of the dialogues say, read whole, octet by octet and in slices between: always the same.
#[test]
fn slicing_never_changes_what_is_read() {
    let paths = dialogues();
    assert!(paths.len() >= 15);
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut octets = String::new();
        for line in text.lines() {
            let (mark, rest) = line.split_at_checked(2).unwrap_or_default();
            let rest = rest.strip_prefix(' ').unwrap_or(rest);
            match mark {
                "S:" => octets.push_str(&format!("{rest}\r\n")),
                "S-" => octets.push_str(rest),
                _ => {}
            }
        }
        let whole = read(octets.as_bytes(), usize::MAX);
        let slices = if octets.len() < 10_000 { 1..40 } else { 1..3 };
        for slice in slices {
            assert_eq!(read(octets.as_bytes(), slice), whole, "{} in slices of {slice}", path.display());
        }
    }
}

proptest! {
    /// Whatever comes: no panic, no endless loop, and slicing never changes what is read.
    #[test]
    fn any_octets_survive(octets in proptest::collection::vec(any::<u8>(), 0..400), slice in 1_usize..50) {
        prop_assert_eq!(read(&octets, slice), read(&octets, usize::MAX));
    }

    /// The same with octets that look like IMAP.
    #[test]
    fn anything_like_imap_survives(
        words in proptest::collection::vec(
            prop::sample::select(vec![
                "* ", "1 ", "FETCH ", "(", ")", "UID ", "7", " ", "BODY[]", "BODY[TEXT]<", "{3}\r\n", "~{2}\r\n", "{-1}\r\n",
                "\"", "\\", "NIL", "\r\n", "\n", "+", "OK ", "[", "]", "P1 ", "FLAGS ", "RFC822.SIZE ", "INTERNALDATE ",
                "\" 1-Feb-2026 10:00:00 +0000\"", "CAPABILITY ", "x", "\0", "é",
            ]),
            0..60,
        ),
        slice in 1_usize..9,
    ) {
        let octets = words.concat();
        prop_assert_eq!(read(octets.as_bytes(), slice), read(octets.as_bytes(), usize::MAX));
    }
}
