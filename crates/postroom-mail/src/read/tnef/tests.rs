//! A winmail.dat is written here as Outlook writes it, and then damaged in every way.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::Sha256;

/// Attributes of the message (1) or of an attachment (2), with their checksums.
#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn new() -> Self {
        let mut octets = SIGNATURE.to_vec();
        octets.extend_from_slice(&[1, 0]);
        Self(octets).attribute(1, 0x0008_9006, &[0, 0, 1, 0]).attribute(1, 0x0006_9007, &[0xe4, 4, 0, 0, 0, 0, 0, 0])
    }

    fn attribute(mut self, level: u8, id: u32, data: &[u8]) -> Self {
        self.0.push(level);
        self.0.extend_from_slice(&id.to_le_bytes());
        self.0.extend_from_slice(&(data.len() as u32).to_le_bytes());
        self.0.extend_from_slice(data);
        let sum = data.iter().fold(0u16, |sum, octet| sum.wrapping_add(u16::from(*octet)));
        self.0.extend_from_slice(&sum.to_le_bytes());
        self
    }

    fn message(self, properties: &[Vec<u8>]) -> Self {
        let list = list(properties);
        self.attribute(1, 0x0006_9003, &list)
    }

    fn attachment(self, title: &str, data: &[u8], properties: &[Vec<u8>]) -> Self {
        let rend_data = self.attribute(2, 0x0006_9002, &[1, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
        let titled = rend_data.attribute(2, 0x0001_8010, &[title.as_bytes(), b"\0"].concat());
        let filled = if data.is_empty() { titled } else { titled.attribute(2, 0x0006_800f, data) };
        filled.attribute(2, 0x0006_9005, &list(properties))
    }

    fn done(self) -> Bytes {
        self.0.into()
    }
}

fn list(properties: &[Vec<u8>]) -> Vec<u8> {
    [(properties.len() as u32).to_le_bytes().to_vec(), properties.concat()].concat()
}

fn head(kind: u16, tag: u16) -> Vec<u8> {
    [kind.to_le_bytes(), tag.to_le_bytes()].concat()
}

/// A value of its own length: one value, its length, itself, filled up.
fn value(octets: &[u8]) -> Vec<u8> {
    let mut value = [1u32.to_le_bytes(), (octets.len() as u32).to_le_bytes()].concat();
    value.extend_from_slice(octets);
    value.resize(value.len().next_multiple_of(4), 0);
    value
}

fn unicode(tag: u16, text: &str) -> Vec<u8> {
    let octets: Vec<u8> = text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
    [head(0x1f, tag), value(&octets)].concat()
}

fn string8(tag: u16, text: &[u8]) -> Vec<u8> {
    [head(0x1e, tag), value(&[text, b"\0"].concat())].concat()
}

fn binary(tag: u16, octets: &[u8]) -> Vec<u8> {
    [head(0x102, tag), value(octets)].concat()
}

fn number(tag: u16, number: u32) -> Vec<u8> {
    [head(3, tag), number.to_le_bytes().to_vec()].concat()
}

fn instant(tag: u16, unix_s: i64) -> Vec<u8> {
    let tenths = (unix_s + 11_644_473_600) as u64 * 10_000_000;
    [head(0x40, tag), tenths.to_le_bytes().to_vec()].concat()
}

fn appointment(kind: u16, lid: u32, rest: &[u8]) -> Vec<u8> {
    let set = [0x02, 0x20, 0x06, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46];
    [&head(kind, 0x8123)[..], &set, &0u32.to_le_bytes(), &lid.to_le_bytes(), rest].concat()
}

fn object(stream: &[u8]) -> Vec<u8> {
    let id = [0x07, 0x03, 0x02, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46];
    [head(0x0d, tag::ATTACH_DATA), value(&[&id[..], stream].concat())].concat()
}

/// RTF that is not compressed, only wrapped ([MS-OXRTFCP] §2.1.3.1.4).
fn wrapped_rtf(rtf: &str) -> Vec<u8> {
    let size = rtf.len() as u32;
    [&(size + 12).to_le_bytes()[..], &size.to_le_bytes(), b"MELA", &[0; 4], rtf.as_bytes()].concat()
}

fn fuel() -> Fuel {
    Fuel::of(0)
}

fn open(octets: &Bytes) -> Contents {
    unpack(octets, &mut fuel()).unwrap()
}

/// Names, types and contents, as one reads them.
fn files(contents: &Contents) -> Vec<String> {
    let line = |file: &File| {
        let kind = file.content_type.as_deref().unwrap_or("-");
        format!("{}|{kind}|{}", file.name, String::from_utf8_lossy(&file.content))
    };
    contents.files.iter().map(line).collect()
}

fn sample() -> Bytes {
    let inner = Writer::new()
        .message(&[
            unicode(tag::SUBJECT, "Grüße"),
            unicode(tag::BODY, "inner words"),
            unicode(tag::SENDER_NAME, "Bea"),
            string8(tag::SENDER_SMTP_ADDRESS, b"bea@example.org"),
            instant(tag::CLIENT_SUBMIT_TIME, 1_772_525_700),
        ])
        .attachment("i.txt", b"inner file", &[])
        .done();
    Writer::new()
        .message(&[
            number(0x0e07, 1),
            [head(2, 0x1234), vec![7, 0, 0, 0]].concat(),
            [head(0x1003, 0x1235), 2u32.to_le_bytes().to_vec(), vec![0; 8]].concat(),
            [
                head(0x101f, 0x1236),
                2u32.to_le_bytes().to_vec(),
                value(b"a\0")[4..].to_vec(),
                value(b"b\0")[4..].to_vec(),
            ]
            .concat(),
            unicode(tag::BODY, "words"),
        ])
        .attachment("LONGNA~1.TXT", b"one", &[unicode(tag::ATTACH_LONG_FILENAME, "Long näme.txt")])
        .attachment(
            "x.png",
            b"two",
            &[string8(tag::ATTACH_MIME_TAG, b"image/PNG"), unicode(tag::ATTACH_CONTENT_ID, "<i@x>")],
        )
        .attachment("obj", b"", &[binary(tag::ATTACH_DATA, b"three")])
        .attachment("message", b"", &[number(tag::ATTACH_METHOD, 5), object(&inner)])
        .done()
}

#[test]
fn files_are_unpacked_in_their_order() {
    let contents = open(&sample());
    assert!(!contents.damaged && !contents.limited);
    assert_eq!(contents.body.text.as_deref(), Some("words"));
    let files = files(&contents);
    assert_eq!(files[..3], ["Long näme.txt|-|one", "x.png|image/png|two", "obj|-|three"]);
    assert!(
        files[3]
            .starts_with("Grüße.eml|message/rfc822|From: =?utf-8?B?QmVh?= <bea@example.org>\r\nDate: Tue, 03 Mar 2026")
    );
    assert_eq!(files[4..], ["i.txt|-|inner file"]);
    assert_eq!(contents.files[1].content_id.as_deref(), Some("<i@x>"));
    let message = crate::read(&crate::RawMessage::new(contents.files[3].content.to_vec()));
    assert_eq!((message.subject.as_str(), message.text.as_str()), ("Grüße", "inner words"));
}

#[test]
fn media_types_are_tokens() {
    for (declared, expected) in [
        ("image/PNG", "image/png"),
        (" text/plain ", "text/plain"),
        ("image/pn\u{e9}", "application/octet-stream"),
        ("text/plain; charset=x", "application/octet-stream"),
        ("image", "application/octet-stream"),
        ("a/b/c", "application/octet-stream"),
        ("/", "application/octet-stream"),
    ] {
        assert_eq!(super::media_type(declared), expected, "{declared}");
    }
}

#[test]
fn strings_are_in_their_code_page() {
    let cyrillic = Writer(Writer::new().0[..6].to_vec())
        .attribute(1, 0x0006_9007, &1251u32.to_le_bytes())
        .attachment("\u{0}", b"x", &[string8(tag::ATTACH_FILENAME, b"\xcf\xf0\xe8.txt")])
        .done();
    assert_eq!(files(&open(&cyrillic)), ["При.txt|-|x"]);
    let html =
        Writer::new().message(&[number(tag::INTERNET_CODE_PAGE, 65001), binary(tag::HTML, "<p>größe</p>".as_bytes())]);
    assert_eq!(open(&html.done()).body.html.as_deref(), Some("<p>größe</p>"));
}

#[test]
fn meeting_requests_are_invitations() {
    let start = 1_772_525_700;
    let time = |unix_s: i64| ((unix_s + 11_644_473_600) as u64 * 10_000_000).to_le_bytes().to_vec();
    let place: Vec<u8> = "Room 1\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let octets = Writer::new()
        .message(&[
            unicode(tag::MESSAGE_CLASS, "IPM.Schedule.Meeting.Request"),
            unicode(tag::SUBJECT, "Plan"),
            appointment(0x40, 0x820d, &time(start)),
            appointment(0x40, 0x820e, &time(start + 1_800)),
            appointment(0x1f, 0x8208, &value(&place)),
            unicode(tag::SENDER_SMTP_ADDRESS, "ann@example.org"),
        ])
        .done();
    let invitation = open(&octets).invitation.unwrap();
    assert_eq!(invitation.start_as_written, "20260303T081500Z");
    assert_eq!(invitation.end.unwrap().as_second(), start + 1_800);
    let texts = [&invitation.method, &invitation.summary, &invitation.location, &invitation.organizer];
    assert_eq!(texts, ["REQUEST", "Plan", "Room 1", "ann@example.org"]);
    let answer = Writer::new()
        .attribute(1, 0x0007_8008, b"IPM.Microsoft Schedule.MtgRespP\0")
        .message(&[unicode(tag::SENDER_EMAIL_ADDRESS, "bob@example.org")]);
    let answer = open(&answer.done()).invitation.unwrap().answer.unwrap();
    assert_eq!(answer, ("bob@example.org".to_owned(), "ACCEPTED".to_owned()));
}

/// The two examples of [MS-OXRTFCP] §4.1.
#[test]
fn compressed_rtf_is_expanded() {
    for (octets, expected) in [
        (
            &b"\x2d\0\0\0\x2b\0\0\0LZFu\xf1\xc5\xc7\xa7\x03\0\x0a\0rcpg125B2\x0a\xf3 hel\x09\0 bw\x05\xb0ld}\x0a\x80\x0f\xa0"[..],
            "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n",
        ),
        (b"\x1a\0\0\0\x1c\0\0\0LZFu\xe2\xd4KQA\0\x04 WXYZ\x0dn}\x01\x0e\xb0", "{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"),
        (&wrapped_rtf("{\\rtf1 x}"), "{\\rtf1 x}"),
    ] {
        assert_eq!(compressed::decompress(octets, &mut fuel()).unwrap(), expected.as_bytes());
        for end in 0..octets.len() {
            let part = compressed::decompress(&octets[..end], &mut fuel());
            assert!(part.is_none_or(|part| expected.as_bytes().starts_with(&part)));
        }
    }
    // What the header claims is neither believed nor reserved.
    let claims = |size: u32| [&[0; 4][..], &size.to_le_bytes(), b"LZFu\0\0\0\0\0x"].concat();
    assert_eq!(compressed::decompress(&claims(u32::MAX), &mut fuel()), None);
    assert_eq!(compressed::decompress(&claims(8 << 20), &mut fuel()).unwrap(), b"x");
    assert_eq!(compressed::decompress(&claims(100), &mut Fuel(99)), None);
}

#[test]
fn rtf_gives_back_html_and_text() {
    let html = |text: &str| rtf::Extracted::Html(text.to_owned());
    let text = |text: &str| rtf::Extracted::Text(text.to_owned());
    for (written, expected) in [
        (
            "{\\rtf1\\ansi\\ansicpg1252\\fromhtml1 {\\fonttbl{\\f0\\fswiss Arial;}}{\\*\\generator x;}{\\*\\htmltag64 <p>}\
             \\htmlrtf {\\b \\htmlrtf0 na\\'efve{\\*\\htmltag84 &amp;}\\htmlrtf &\\htmlrtf0 \\htmlrtf }\\htmlrtf0 \
             {\\*\\htmltag72 </p>}{\\*\\mhtmltag <x>}}",
            html("<p>naïve&amp;</p>"),
        ),
        ("{\\rtf1\\ansi one\\par two\\tab three\\line\r\n four}", text("one\ntwo\tthree\n four")),
        ("{\\rtf1\\fromtext a\\\\b\\{c\\}}", text("a\\b{c}")),
        ("{\\rtf1\\ansicpg1252\\uc1 \\u8364?\\u-10179?\\u-8704? x}", text("€\u{1f600} x")),
        ("{\\rtf1{\\uc2\\u8364\\'80\\'80}y}", text("€y")),
        (
            "{\\rtf1\\ansicpg1252{\\fonttbl{\\f0\\fcharset0 A;}{\\f1\\fcharset204 B;}}\\f0\\'e9\\f1\\'cf\\'f0\\f0 z}",
            text("éПрz"),
        ),
        ("{\\rtf1\\ansicpg932 \\'83e\\'83X\\'83g}", text("テスト")),
        ("{\\rtf1\\ansi a{\\pict\\bin3 }}}b}c", text("ac")),
        ("{\\rtf1 a\\ldblquote q\\rdblquote\\~b\\emdash}", text("a“q”\u{a0}b—")),
        ("{\\rtf1{\\field{\\*\\fldinst HYPERLINK \"x\"}{\\fldrslt link}}}", text("link")),
        ("", text("")),
        ("\\", text("")),
        ("}}}x", text("x")),
        ("{\\u}", text("\u{fffd}")),
    ] {
        assert_eq!(rtf::extract(written.as_bytes()), expected, "{written}");
    }
    let octets = Writer::new()
        .message(&[binary(tag::RTF_COMPRESSED, &wrapped_rtf("{\\rtf1\\fromhtml{\\*\\htmltag <b>x</b>}}"))]);
    assert_eq!(open(&octets.done()).body.html.as_deref(), Some("<b>x</b>"));
}

#[test]
fn a_wrong_checksum_is_damage_and_not_the_end() {
    let mut octets = sample().to_vec();
    let at = memchr::memmem::find(&octets, b"two").unwrap();
    octets[at] = b'T';
    let contents = open(&octets.into());
    assert!(contents.damaged);
    assert_eq!(contents.files.len(), 5);
    assert_eq!(&contents.files[1].content[..], b"Two");
}

/// Every prefix, and every octet with a bit changed: no panic, no loop, the same result twice.
#[test]
fn damaged_streams_are_read_as_far_as_they_go() {
    let whole = sample();
    let digest = |octets: Bytes| {
        let contents = unpack(&octets, &mut fuel()).unwrap_or_default();
        let made: usize = contents.files.iter().map(|file| file.content.len()).sum();
        assert!(made <= octets.len() * 2 + 2_000, "{made} octets out of {}", octets.len());
        (contents.files.len(), contents.files.iter().map(|file| Sha256::of(&file.content)).collect::<Vec<_>>())
    };
    for end in 0..whole.len() {
        digest(whole.slice(..end));
        assert!(
            end < 6
                || unpack(&whole.slice(..end), &mut fuel()).is_none_or(|contents| contents.damaged || end == 6 || {
                    // Cut between two attributes, it is a shorter stream.
                    contents.files.len() <= 5
                })
        );
    }
    for at in 0..whole.len() {
        for bit in [0x01, 0x10, 0x80, 0xff] {
            let mut octets = whole.to_vec();
            octets[at] ^= bit;
            let octets = Bytes::from(octets);
            assert_eq!(digest(octets.clone()), digest(octets));
        }
    }
}

#[test]
fn what_is_made_to_be_expensive_is_not() {
    let mut nested = Writer::new().message(&[unicode(tag::BODY, "bottom")]).done();
    for _ in 0..12 {
        nested = Writer::new().attachment("m", b"", &[number(tag::ATTACH_METHOD, 5), object(&nested)]).done();
    }
    let contents = open(&nested);
    assert_eq!(contents.files.len(), DEPTH_MAX + 1, "what lies deeper is one file");
    assert!(contents.files[DEPTH_MAX].content.starts_with(&SIGNATURE));
    let many = (0..1_500).fold(Writer::new(), |writer, _| writer.attachment("a", b"x", &[])).done();
    let contents = open(&many);
    assert!(contents.limited && !contents.damaged && contents.files.len() == FILES_MAX);
    // Counts that claim billions.
    for kind in [0x1003u16, 0x101f, 0x1102, 0x1e, 0x1000] {
        let claims = [vec![0xff; 4], head(kind, 0x1234), vec![0xff; 4], vec![0; 64]].concat();
        assert!(unpack(&Writer::new().attribute(1, 0x0006_9003, &claims).done(), &mut fuel()).is_none());
    }
    for piece in [
        "{",
        "}",
        "\\u1",
        "{\\f1",
        "\\'",
        "\\bin9",
        "\\par",
        "{\\fonttbl{\\f1\\fcharset2",
        "\\uc99\\u1",
        "\\f1\\'e9\\f2 a",
    ] {
        rtf::extract(piece.repeat(200_000 / piece.len()).as_bytes());
    }
}
