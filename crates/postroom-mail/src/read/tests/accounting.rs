//! Every octet of a message has one place: a header, a boundary, or a leaf, and every leaf with content is shown or
//! attached, never both.

use crate::read::{body, structure};
use proptest::prelude::*;

const KINDS: [&str; 18] = [
    "text/plain",
    "text/plain; name=a.txt",
    "text/plain; format=flowed",
    "text/html",
    "text/enriched",
    "text/calendar; method=REQUEST",
    "image/png",
    "application/octet-stream; name=b.bin",
    "message/rfc822",
    "message/partial; number=1; total=2; id=x",
    "message/external-body; access-type=url; url=\"https://x.example/a\"",
    "multipart/mixed; boundary=B",
    "multipart/alternative; boundary=B",
    "multipart/related; boundary=B",
    "multipart/digest; boundary=B",
    "multipart/signed; boundary=B",
    "multipart/mixed",
    "garbage",
];

const DISPOSITIONS: [&str; 4] = [
    "",
    "Content-Disposition: attachment\r\n",
    "Content-Disposition: inline; filename=c.txt\r\n",
    "Content-Disposition: inline\r\n",
];

/// A header, or a boundary line, or words: in any order they make a message of some shape.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0..KINDS.len(), 0..DISPOSITIONS.len(), 0..4u8).prop_map(|(kind, disposition, level)| {
            let kind = KINDS[kind].replace("boundary=B", &format!("boundary=b{level}"));
            format!("Content-Type: {kind}\r\n{}\r\n", DISPOSITIONS[disposition])
        }),
        4 => (0..4u8).prop_map(|level| format!("\r\n--b{level}\r\n")),
        1 => (0..4u8).prop_map(|level| format!("\r\n--b{level}--\r\n")),
        2 => Just("words\r\n".to_owned()),
        1 => Just("\r\n".to_owned()),
    ]
}

fn check(octets: &[u8]) {
    let structure = structure::parse(octets);
    let choice = body::choose(&structure, octets);
    let mut last_end = 0;
    for (index, part) in structure.parts.iter().enumerate() {
        let range = part.content.clone();
        assert!(range.start <= range.end && range.end <= octets.len());
        let shown = choice.text.contains(&index) || choice.html.contains(&index);
        let attached = choice.attachments.iter().filter(|&&attached| attached == index).count();
        if !part.children.is_empty() {
            assert!(!shown && attached == 0, "part {index} has parts");
            continue;
        }
        assert!(range.start >= last_end, "leaf {index} overlaps the one before it");
        last_end = range.end;
        let is_empty = octets[range].trim_ascii().is_empty();
        assert!(attached + usize::from(shown) == 1 || (is_empty && attached + usize::from(shown) == 0), "leaf {index}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn every_leaf_has_one_place(pieces in proptest::collection::vec(piece(), 0..40)) {
        check(pieces.concat().as_bytes());
    }
}

#[test]
fn every_leaf_of_the_cases_has_one_place() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/messages");
    for entry in std::fs::read_dir(directory).unwrap() {
        let Ok(octets) = std::fs::read(entry.unwrap().path().join("message.eml")) else { continue };
        check(&octets);
    }
}
