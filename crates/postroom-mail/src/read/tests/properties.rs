//! What holds for every message, whatever is in it.

use crate::read::{Inspection, decode_transfer, read};
use crate::{Content, Message, RawMessage, Sha256, TransferEncoding};
use bytes::Bytes;
use proptest::prelude::*;

/// Pieces of which mail is made, and of which mail is broken.
const PIECES: [&[u8]; 64] = [
    b"\r\n",
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b" ",
    b"\t",
    b"\0",
    b"--",
    b"--b",
    b"--b\r\n",
    b"--b--\r\n",
    b"--b2\r\n",
    b"From: ",
    b"To: ",
    b"Cc: ",
    b"Subject: ",
    b"Date: Tue, 03 Mar 2026 09:15:00 +0100\r\n",
    b"Message-ID: <a@b>\r\n",
    b"References: <a@b> <c@d>",
    b"Content-Type: ",
    b"multipart/mixed",
    b"multipart/alternative",
    b"multipart/related",
    b"multipart/digest",
    b"multipart/report",
    b"; boundary=b\r\n",
    b"; boundary=\"b2\"\r\n",
    b"text/plain",
    b"text/html",
    b"message/rfc822",
    b"image/png",
    b"; charset=utf-8",
    b"; charset=iso-2022-jp",
    b"; charset=utf-7",
    b"; charset=hz",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Transfer-Encoding: quoted-printable\r\n",
    b"Content-Disposition: attachment; filename=",
    b"\"../a.txt\"",
    b"; filename*0*=utf-8''%C3; filename*1*=%A9\r\n",
    b"Content-ID: <x@y>\r\n",
    b"=?utf-8?Q?=C3=A9?=",
    b"=?utf-8?B?w6k=?=",
    b"=?iso-2022-jp?B?GyRC?=",
    b"=?",
    b"?=",
    b"=3D",
    b"=\r\n",
    b"aGVsbG8=",
    b"AAECAwQFBgc",
    b"<a@b>",
    b"\"x\" <",
    b"group: a@b;",
    b"(comment",
    b"<p>",
    b"<b><div>",
    b"<img src=cid:x@y>",
    b"<!--",
    b"&amp;",
    b"> quoted\r\n",
    b"On Tue, Ann <a@b> wrote:\r\n",
    b"\xff\xfe\xe9",
    b"-- \r\n",
];

fn message() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => (0..PIECES.len()).prop_map(|index| PIECES[index].to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..20),
    ];
    proptest::collection::vec(piece, 0..80).prop_map(|pieces| pieces.concat())
}

/// All strings of a message.
fn strings(message: &Message) -> String {
    serde_json::to_string(&Inspection::of("", message)).unwrap()
}

fn check(octets: Vec<u8>) {
    let raw = RawMessage::new(octets);
    let message = read(&raw);
    assert_eq!(message, read(&raw), "reading is deterministic");
    // JSON writes NUL as an escape.
    assert!(!strings(&message).contains("\\u0000"), "NUL in {}", strings(&message));
    for attachment in &message.attachments {
        let octets = attachment.content.octets(&raw);
        assert_eq!(Sha256::of(&octets), attachment.sha256);
        assert_eq!(octets.len() as u64, attachment.size);
        assert!(!attachment.name.is_empty() && attachment.name.len() <= 200, "{:?}", attachment.name);
        assert!(!attachment.name.contains(['/', '\\']), "{:?}", attachment.name);
        let Content::Slice { offset, length, .. } = attachment.content else { continue };
        assert!(offset + length <= raw.size());
    }
    let mut names: Vec<_> = message.attachments.iter().map(|attachment| attachment.name.to_lowercase()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), message.attachments.len(), "names are unique");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn reading_is_total(octets in message()) {
        check(octets);
    }

    #[test]
    fn any_octets_are_a_message(octets in proptest::collection::vec(any::<u8>(), 0..400)) {
        check(octets);
    }

    /// A message cut anywhere or with any octet changed is still read.
    #[test]
    fn damaged_messages_are_read(cut in 0usize..4_000, at in 0usize..4_000, octet: u8, case in 0usize..38) {
        let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/messages");
        let mut cases: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        cases.retain(|path| path.is_dir());
        cases.sort();
        let mut octets = std::fs::read(cases[case % cases.len()].join("message.eml")).unwrap();
        if let Some(changed) = octets.get_mut(at) {
            *changed = octet;
        }
        octets.truncate(cut.max(1));
        check(octets);
    }

    #[test]
    fn base64_gives_back_what_was_encoded(octets in proptest::collection::vec(any::<u8>(), 0..200), width in 1usize..80) {
        use base64::Engine as _;
        let encoded = base64::engine::general_purpose::STANDARD.encode(&octets);
        let lines: Vec<_> = encoded.as_bytes().chunks(width).map(|line| [line, b"\r\n"].concat()).collect();
        let decoded = decode_transfer(&Bytes::from(lines.concat()), TransferEncoding::Base64);
        prop_assert_eq!(&decoded[..], &octets[..]);
    }
}

/// A part longer than the pieces in which it is decoded: the digest of the pieces is that of the whole.
#[test]
fn digests_do_not_depend_on_pieces() {
    use base64::Engine as _;
    let content: Vec<u8> = (0..300_000u32).map(|i| (i * 7 % 251) as u8).collect();
    let encoded = base64::engine::general_purpose::STANDARD.encode(&content);
    for width in [4, 60, 75, 76, 77, 998, 100_000] {
        for junk in ["", "!", "=", "-"] {
            let mut lines: Vec<_> = encoded.as_bytes().chunks(width).map(|line| [line, b"\r\n"].concat()).collect();
            let middle = lines.len() / 2;
            lines.insert(middle, junk.as_bytes().to_vec());
            let header = b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n".to_vec();
            let raw = RawMessage::new([header, lines.concat()].concat());
            let message = read(&raw);
            let octets = message.attachments[0].content.octets(&raw);
            assert_eq!(Sha256::of(&octets), message.attachments[0].sha256);
            // Junk changes nothing; padding in the middle of a quantum may.
            assert!(junk == "=" || octets == content, "{width} {junk}");
        }
    }
}
