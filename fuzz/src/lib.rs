//! What must hold for every message, and one way into reading for each of its parts.
//!
//! Purpose: each function below is one fuzz target. It puts the octets where they meet one part of reading, in the smallest
//! message that leads there, so that the product needs no door of its own for fuzzing; then it checks what must hold.
//! May touch: the values passed in. Must not: anything else. A property that does not hold panics.
//! Read in this order: `lib`, `holds`, `live`, `tree`.

pub mod holds;
pub mod live;
pub mod tree;

use holds::read_and_check;

/// A whole message.
pub fn read(octets: &[u8]) {
    read_and_check(octets);
}

/// A header with a short body.
pub fn header(octets: &[u8]) {
    let message = read_and_check(&[octets, b"\r\n\r\nbody\r\n"].concat());
    holds::json_keeps(&message);
}

/// The value of an address field, as author and as recipient.
pub fn address(octets: &[u8]) {
    let value = one_line(octets);
    let message = read_and_check(&[b"From: ", &value[..], b"\r\nTo: ", &value[..], b"\r\n\r\n"].concat());
    holds::canonical_is_stable(&message);
    holds::json_keeps(&message);
}

/// The value of a Date field.
pub fn date(octets: &[u8]) {
    let message = read_and_check(&[b"Date: ", &one_line(octets)[..], b"\r\n\r\n"].concat());
    holds::json_keeps(&message);
}

/// A text with quotation. The first octet says whether it is plain, HTML, or that of a forwarded message.
pub fn quote(octets: &[u8]) {
    let Some((first, text)) = octets.split_first() else { return };
    let kind = if first & 1 == 0 { "plain" } else { "html" };
    let subject = if first & 2 == 0 { "Re: chairs" } else { "Fwd: chairs" };
    let header = format!("Subject: {subject}\r\nContent-Type: text/{kind}; charset=utf-8\r\n\r\n");
    let message = read_and_check(&[header.as_bytes(), text].concat());
    holds::split_keeps_words(&message);
}

/// An HTML body.
pub fn html(octets: &[u8]) {
    read_and_check(&[b"Content-Type: text/html; charset=utf-8\r\n\r\n", octets].concat());
}

/// A winmail.dat beside a text.
pub fn tnef(octets: &[u8]) {
    let before =
        b"Content-Type: multipart/mixed; boundary=kpkpkpkpkp\r\n\r\n--kpkpkpkpkp\r\n\r\ntext\r\n--kpkpkpkpkp\r\n\
        Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: binary\r\n\r\n";
    let message = read_and_check(&[before, octets, b"\r\n--kpkpkpkpkp--\r\n"].concat());
    assert!(!message.attachments.is_empty(), "neither the TNEF nor what is in it is there");
}

/// File names, one a line: percent-encoded as RFC 2231 has them, then quoted as they are.
pub fn names(octets: &[u8]) {
    let names: Vec<&[u8]> = octets.split(|b| *b == b'\n').take(12).collect();
    let encoded: Vec<u8> = names.iter().flat_map(|name| holds::named_part(name)).collect();
    let quoted: Vec<u8> = names.iter().flat_map(|name| quoted_part(name)).collect();
    let start = b"Content-Type: multipart/mixed; boundary=kpkpkpkpkp\r\n\r\n";
    let message = read_and_check(&[start, &encoded[..], &quoted[..], b"--kpkpkpkpkp--\r\n"].concat());
    assert_eq!(message.attachments.len(), names.len() * 2, "each part is an attachment");
    for attachment in &message.attachments {
        holds::name_is_stable(&attachment.name);
    }
}

fn quoted_part(name: &[u8]) -> Vec<u8> {
    let name: Vec<u8> = one_line(name).into_iter().filter(|b| !matches!(b, b'"' | b'\\')).collect();
    let start = b"--kpkpkpkpkp\r\nContent-Disposition: attachment; filename=\"";
    [start, &name[..], b"\"\r\nContent-Type: application/x-thing\r\n\r\nx\r\n"].concat()
}

/// Labels of character sets that the first octet of [`charset`] chooses from.
const LABELS: [&str; 32] = [
    "utf-8",
    "us-ascii",
    "iso-8859-1",
    "iso-8859-8-i",
    "windows-1252",
    "windows-1255",
    "koi8-r",
    "koi8-u",
    "iso-2022-jp",
    "iso-2022-kr",
    "iso-2022-cn",
    "euc-jp",
    "euc-kr",
    "shift_jis",
    "gb2312",
    "gb18030",
    "big5",
    "hz-gb-2312",
    "utf-7",
    "utf-16",
    "utf-16le",
    "utf-16be",
    "utf-32",
    "tis-620",
    "macintosh",
    "cp437",
    "cp850",
    "x-unknown",
    "ansi_x3.110",
    "unicode-1-1-utf-7",
    "x-user-defined",
    "",
];

/// A text in a character set, in the body and in an encoded word.
pub fn charset(octets: &[u8]) {
    let Some((first, text)) = octets.split_first() else { return };
    let label = LABELS[usize::from(*first) % LABELS.len()];
    let word: String = text.iter().take(60).map(|b| format!("={b:02X}")).collect();
    let header = format!("Subject: =?{label}?Q?{word}?=\r\nContent-Type: text/plain; charset={label}\r\n\r\n");
    read_and_check(&[header.as_bytes(), text].concat());
}

/// Flowed text (RFC 3676); the first octet says whether blanks at line ends go.
pub fn flowed(octets: &[u8]) {
    let Some((first, text)) = octets.split_first() else { return };
    let delsp = if first & 1 == 0 { "no" } else { "yes" };
    let header = format!("Content-Type: text/plain; charset=utf-8; format=flowed; delsp={delsp}\r\n\r\n");
    let message = read_and_check(&[header.as_bytes(), text].concat());
    holds::split_keeps_words(&message);
}

/// A tree of parts that the octets choose: every leaf of it is text, HTML or an attachment.
pub fn parts(octets: &[u8]) {
    let tree = tree::grow(octets);
    let message = read_and_check(&tree.octets);
    tree.every_leaf_is_there(&message);
}

/// White space for what would end a header field.
fn one_line(octets: &[u8]) -> Vec<u8> {
    octets.iter().map(|b| if matches!(b, b'\r' | b'\n') { b' ' } else { *b }).collect()
}
