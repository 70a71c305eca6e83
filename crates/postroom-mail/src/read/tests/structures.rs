//! Shapes of messages: which part is the text, which the HTML, and what is attached.

use crate::RawMessage;
use crate::read::read;

/// Content-Type and what follows it, the text, whether there is HTML, and the names of attachments.
const TABLE: &[(&str, &str, bool, &[&str])] = &[
    ("text/plain\n\nwords", "words", false, &[]),
    // A name alone makes no file of the only text; a filename does.
    ("text/plain; name=a.txt\n\nwords", "words", false, &[]),
    ("text/plain\nContent-Disposition: inline; filename=a.txt\n\nwords", "", false, &["a.txt"]),
    ("text/plain\nContent-Disposition: attachment\n\nwords", "", false, &["part-1.txt"]),
    ("application/pdf; name=a.pdf\n\n%PDF", "", false, &["a.pdf"]),
    // Text of another kind is shown where there is no other.
    ("text/enriched\n\nwords", "words", false, &[]),
    ("multipart/mixed; boundary=b\n\n--b\nContent-Type: text/markdown\n\nwords\n--b--", "words", false, &[]),
    (
        "multipart/mixed; boundary=b\n\n--b\n\nhi\n--b\nContent-Type: text/enriched\n\nwords\n--b--",
        "hi",
        false,
        &["part-1.bin"],
    ),
    // Forms of the same.
    (
        "multipart/alternative; boundary=b\n\n--b\n\nplain\n--b\nContent-Type: text/html\n\n<p>rich</p>\n--b--",
        "plain",
        true,
        &[],
    ),
    (
        "multipart/alternative; boundary=b\n\n--b\n\n \n--b\nContent-Type: text/html\n\n<p>rich</p>\n--b--",
        "rich",
        true,
        &[],
    ),
    (
        "multipart/alternative; boundary=b\n\n--b\n\nplain\n--b\nContent-Type: text/calendar; name=i.ics\n\nBEGIN:X\n--b--",
        "plain",
        false,
        &["i.ics"],
    ),
    // Two files of a Macintosh (RFC 1740), signed content (RFC 1847), a digest, a report.
    (
        "multipart/appledouble; boundary=b\n\n--b\nContent-Type: application/applefile; name=r\n\nx\n--b\n\
         Content-Type: image/gif; name=p.gif\n\nGIF\n--b--",
        "",
        false,
        &["r", "p.gif"],
    ),
    (
        "multipart/appledouble; boundary=b\n\n--b\nContent-Type: application/applefile; name=p.gif\n\nx\n--b\n\
         Content-Type: image/gif; name=p.gif\n\nGIF\n--b--",
        "",
        false,
        &["p (2).gif", "p.gif"],
    ),
    (
        "multipart/signed; boundary=b\n\n--b\n\nwords\n--b\nContent-Type: application/pgp-signature; name=s.asc\n\nx\n--b--",
        "words",
        false,
        &["s.asc"],
    ),
    (
        "multipart/digest; boundary=b\n\n--b\n\nSubject: One\n\nx\n--b\n\nSubject: Two\n\ny\n--b--",
        "",
        false,
        &["One.eml", "Two.eml"],
    ),
    // Boundaries: trailing blanks, one that begins another, one that looks encoded, in quotes or not.
    ("multipart/mixed; boundary=\"b \"\n\n--b  \n\nwords\n--b--  \nepilogue", "words", false, &[]),
    ("multipart/mixed; boundary=b\n\npreamble\n--b\n\n--bb\nwords\n--b--", "--bb\nwords", false, &[]),
    ("multipart/mixed; boundary=\"=?utf-8?Q?x?=\"\n\n--=?utf-8?Q?x?=\n\nwords\n--=?utf-8?Q?x?=--", "words", false, &[]),
    (
        "multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=ab\n\n--ab\n\none\n--ab--\n--a\n\ntwo\n--a--",
        "one\ntwo",
        false,
        &[],
    ),
    // Missing: end, boundary parameter, blank line, any part, content.
    ("multipart/mixed; boundary=b\n\n--b\n\nwords", "words", false, &[]),
    ("multipart/mixed\n\n--xyz\n\nwords\n--xyz--", "words", false, &[]),
    ("multipart/mixed; boundary=wrong\n\n--xyz\n\nwords\n--xyz--", "words", false, &[]),
    ("multipart/mixed\n\n-- \nwords\n-----\nmore\n-----", "-- \nwords\n-----\nmore\n-----", false, &[]),
    ("multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n--b\n\nwords\n--b--", "words", false, &[]),
    (
        "multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\nno blank line\n--b--",
        "no blank line",
        false,
        &[],
    ),
    ("multipart/mixed; boundary=b\n\nno part at all", "no part at all", false, &[]),
    // Encodings that are no encodings, and a multipart that claims one.
    ("text/plain\nContent-Transfer-Encoding: Quoted_Printable\n\na=3Db", "a=b", false, &[]),
    ("text/plain\nContent-Transfer-Encoding: 7-bit ascii\n\na=3Db", "a=3Db", false, &[]),
    ("text/plain\nContent-Transfer-Encoding: base-64\n\nd29yZHM=", "words", false, &[]),
    (
        "text/plain\nContent-Transfer-Encoding: base64\n\nNothing of this, I say, is encoded.",
        "Nothing of this, I say, is encoded.",
        false,
        &[],
    ),
    ("multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\n--b\n\nwords\n--b--", "words", false, &[]),
    // The header is broken off or says nothing.
    ("\n\nwords", "words", false, &[]),
    (";;;\n\nwords", "words", false, &[]),
    ("text\n\nwords", "words", false, &[]),
    ("text / plain ; charset = utf-8\n\nwords", "words", false, &[]),
];

/// A multipart, its text, and whether it is told that the structure is damaged and that words stand outside.
const OUTSIDE: &[(&str, &str, bool, bool)] = &[
    ("--b\n\nwords\n--b--\n", "words", false, false),
    ("This is a multi-part message in MIME format.\n--b\n\nwords\n--b--\n\n", "words", false, false),
    ("Call me!\n--b\n\nwords\n--b--\n", "words", false, true),
    ("--b\n\nwords\n--b--\n\nCall me!\n", "words", false, true),
    // What goes on behind the end is read.
    ("--b\n\nwords\n--b--\n--b\n\nmore\n--b--\n", "words\nmore", true, false),
    ("--b\n\nwords\n--b--\n--b\n\nmore\n", "words\nmore\n", true, false),
    ("--b\n\nwords\n--b--\n--b--\n", "words", false, false),
    // Without any part the words are the text.
    ("words\n", "words\n", true, false),
    (
        "--b\nContent-Type: multipart/mixed; boundary=c\n\nBefore\n--c\n\nwords\n--c--\n--b\n\nmore\n--b--\n",
        "words\nmore",
        false,
        true,
    ),
    (
        "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\nwords\n--c--\nBehind\n--b\n\nmore\n--b--\n",
        "words\nmore",
        false,
        true,
    ),
];

#[test]
fn nothing_outside_of_the_parts_is_lost_in_silence() {
    for (content, text, damaged, outside) in OUTSIDE {
        let message = read(&RawMessage::new(format!("Content-Type: multipart/mixed; boundary=b\n\n{content}")));
        let tells = |defect: crate::Defect| message.defects.contains(&defect);
        let told = (tells(crate::Defect::Structure), tells(crate::Defect::TextOutside));
        assert_eq!((message.text.as_str(), told), (*text, (*damaged, *outside)), "{content}");
    }
}

/// What is said to be base64, the text, and whether that is told as damage.
const BASE64_TEXTS: &[(&str, &str, bool)] = &[
    ("SGVsbG8gd29ybGQK\n", "Hello world\n", false),
    ("SGVs bG8g\nd29ybGQK", "Hello world\n", false),
    // The other alphabet.
    ("Pz8_\n", "???", false),
    // A footer in clear: of letters, blanks and rules alone.
    (
        "SGVsbG8gd8O2cmxkCg==\n\n____________\nusers mailing list\n",
        "Hello wörld\n\n____________\nusers mailing list\n",
        true,
    ),
    ("SGVsbG8gd29ybGQK\n_____\nList info\n", "Hello world\n\n_____\nList info\n", true),
    ("SGVsbG8gd29ybA==\nthis is plain after\n", "Hello worl\nthis is plain after\n", true),
    ("SGVsbG8gd29ybA==\nThanks Ann\n", "Hello worl\nThanks Ann\n", true),
    ("this is plain and no base64\n", "this is plain and no base64\n", true),
];

#[test]
fn words_among_base64_are_kept_as_they_stand() {
    for (content, text, damaged) in BASE64_TEXTS {
        let octets = format!("Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n{content}");
        let message = read(&RawMessage::undigested(octets.into_bytes()));
        let told = message.defects.iter().any(|defect| matches!(defect, crate::Defect::TransferEncoding { .. }));
        assert_eq!((message.text.as_str(), told), (*text, *damaged), "{content}");
    }
}

#[test]
fn shapes() {
    let mut wrong = Vec::new();
    for (rest, text, has_html, names) in TABLE {
        for line_end in ["\n", "\r\n"] {
            let message = format!("From: ann@example.org\nContent-Type: {rest}").replace('\n', line_end);
            let message = read(&RawMessage::new(message));
            let found: Vec<_> = message.attachments.iter().map(|attachment| attachment.name.as_str()).collect();
            if (message.text.as_str(), message.html.is_some(), found.as_slice()) != (*text, *has_html, *names) {
                wrong.push(format!("{rest}\n=> {:?} {:?}", message.text, found));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn headers_end_at_a_megabyte() {
    let message = format!("Subject: first\r\nX-Long: {}\r\nTo: lost@example.org\r\n\r\nwords", "x".repeat(1_100_000));
    let message = read(&RawMessage::new(message));
    assert_eq!((message.subject.as_str(), message.text.as_str(), message.to.len()), ("first", "words", 0));
    assert!(message.defects.iter().any(|defect| defect.to_string().contains("octets of a header")));
}

#[test]
fn parameters_end_at_64() {
    let parameters: String = (0..100).map(|i| format!("; p{i}=x")).collect();
    let message = read(&RawMessage::new(format!("Content-Type: text/plain{parameters}\r\n\r\nwords")));
    assert!(message.defects.iter().any(|defect| defect.to_string().starts_with("more than 64 parameters")));
}
