//! Messages that are made to be expensive: each limit has a visible outcome, and none costs more than its size.

use crate::read::read;
use crate::{Defect, Message, RawMessage};
use std::time::{Duration, Instant};

/// Reads, and fails if that took far longer than a linear way of reading takes in a slow build on a busy machine: the
/// messages are small enough for a fraction of a second, and large enough that a square of their length shows.
fn check(octets: impl Into<Vec<u8>>) -> Message {
    let raw = RawMessage::new(octets.into());
    let start = Instant::now();
    let message = read(&raw);
    let elapsed = start.elapsed();
    assert!(elapsed < Duration::from_secs(20), "{} octets took {elapsed:?}", raw.size());
    message
}

fn has_limit(message: &Message, name: &str) -> bool {
    message.defects.iter().any(|defect| matches!(defect, Defect::Limit { limit, .. } if limit == name))
}

fn html(body: &str) -> String {
    format!("From: a@example.org\r\nContent-Type: text/html\r\n\r\n{body}")
}

#[test]
fn nested_multiparts_end_at_64() {
    let mut octets = String::from("From: a@example.org\r\nSubject: deep\r\n");
    for level in 0..5_000 {
        octets.push_str(&format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"));
    }
    octets.push_str("\r\nbottom\r\n");
    let message = check(octets);
    assert!(has_limit(&message, "nested multiparts"));
    assert_eq!(message.subject, "deep");
    assert_eq!(message.attachments.len(), 1, "what lies deeper is one attachment");
}

#[test]
fn nested_messages_are_one_attachment() {
    let octets = "Content-Type: message/rfc822\r\n\r\n".repeat(50_000);
    assert_eq!(check(octets).attachments.len(), 1);
}

#[test]
fn parts_end_at_1000() {
    let octets = "Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_owned()
        + &"--b\r\nContent-Type: a/b\r\n\r\nx\r\n".repeat(20_000);
    let message = check(octets);
    assert!(has_limit(&message, "parts"));
    assert_eq!(message.attachments.len(), 999);
}

#[test]
fn lines_like_boundaries_are_cheap() {
    let octets = "Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_owned() + &"--b-\r\n".repeat(60_000);
    check(octets);
}

#[test]
fn addresses_end_at_1000() {
    let message = check("To: ".to_owned() + &"a@example.org, ".repeat(50_000) + "\r\n\r\n");
    assert_eq!(message.to.len(), 1_000);
    assert!(has_limit(&message, "addresses"));
}

#[test]
fn header_fields_end_at_64_kib() {
    let field = format!("X-Note: {}\r\n", "n".repeat(993));
    let message = check(field.repeat(100) + "\r\n");
    assert_eq!(message.fields.len(), 64 * 1024 / (6 + 993), "whole fields only");
    assert!(has_limit(&message, "octets of header fields"));
    assert!(!has_limit(&check(field.repeat(60) + "\r\n"), "octets of header fields"));
}

#[test]
fn names_without_an_address_are_linear_and_groups_end_at_1000() {
    check("From: ".to_owned() + &"a, ".repeat(300_000) + "\r\n\r\n");
    let message = check("From: ".to_owned() + &"a:".repeat(50_000) + "\r\n\r\n");
    assert_eq!(message.from.len(), 1_000);
    assert!(has_limit(&message, "addresses"));
}

#[test]
fn names_and_addresses_are_cut_and_never_become_somebody_elses() {
    let (name, label) = ("é".repeat(300), "x".repeat(300));
    let addr_specs = [
        // As far as it is kept, this one would be an address that somebody may have.
        format!("{}@{}", "y".repeat(64), "d.".repeat(200)),
        format!("a@{}", "b.".repeat(1_000)),
        format!("\"{}\"@example.org", "z@y.org ".repeat(60)),
        format!("a@[IPv6:{}]", "1:".repeat(400)),
    ];
    for addr_spec in &addr_specs {
        let forms =
            [format!("{name} <{addr_spec}>"), format!("{addr_spec} ({name})"), format!("{label}: {addr_spec};")];
        for form in forms {
            let message = check(format!("From: {form}\r\n\r\n"));
            assert!(message.author().is_none(), "{form}");
            assert!(message.from.iter().all(|a| a.canonical().is_none()), "{form}");
            assert!(message.from.iter().all(|a| a.name.chars().count() <= 200 && a.addr_spec.len() <= 320), "{form}");
            assert!(has_limit(&message, "characters of a name"), "{form}");
            assert!(has_limit(&message, "octets of an address"), "{form}");
        }
    }
    let fits = check(format!("From: {} <a@example.org>\r\n\r\n", "é".repeat(200)));
    assert_eq!(fits.from[0].name, "é".repeat(200));
    assert_eq!(fits.author().and_then(|a| a.canonical()).as_deref(), Some("a@example.org"));
    assert!(!has_limit(&fits, "characters of a name"));
    // The name is not kept once for each of many addresses before it is cut.
    let many =
        check(format!("To: {} {}\r\n\r\n", "n".repeat(1_000_000), "<a@example.org><b@example.org>".repeat(1_000)));
    assert!(many.to.len() == 1_000 && many.to.iter().all(|a| a.name.len() == 200));
}

#[test]
fn ids_and_media_types_end_at_998_octets() {
    let long = "i".repeat(1_000);
    let message = check(format!(
        "Message-ID: <{long}@x>\r\nReferences: <a@x> <{long}@x> <b@x>\r\nIn-Reply-To: <{long}@x>\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/{long}; name={long}\r\n\
         Content-ID: <{long}@x>\r\n\r\nx\r\n--b--\r\n"
    ));
    assert_eq!((message.message_id, message.in_reply_to), (None, vec![]));
    assert_eq!(message.references, ["a@x", "b@x"]);
    let attachment = &message.attachments[0];
    assert_eq!((attachment.content_type.len(), attachment.name.len()), (998, 200));
    assert_eq!(attachment.content_id, None);
}

#[test]
fn text_ends_at_a_megabyte() {
    let message = check("\r\n".to_owned() + &"é".repeat(600_000));
    assert!(has_limit(&message, "octets of text"));
    assert!(message.text.len() <= 1024 * 1024 && message.text.len() > 1024 * 1024 - 4);
}

#[test]
fn huge_text_is_decoded_as_far_as_it_is_kept() {
    let octets = "Content-Transfer-Encoding: base64\r\n\r\n".to_owned() + &"YWJjZGVm\r\n".repeat(2_500_000);
    let message = check(octets);
    assert!(has_limit(&message, "octets of text"));
    assert_eq!(message.text.len(), 1024 * 1024);
}

#[test]
fn repeated_damage_in_header_fields_is_linear() {
    let fields = [
        ("Subject", "=?utf-8?Q?"),
        ("Subject", "=?utf-8?Q?=C3=A9?= "),
        ("Subject", "=?"),
        ("From", "\"\\\""),
        ("From", "<"),
        ("From", "("),
        ("From", "a@b(c)"),
        ("From", "x:"),
        ("From", "\"a\" <b@c>,"),
        ("References", "<"),
        ("References", "<a@b>"),
        ("Content-Type", "a/b; x*1=y"),
        ("Content-Disposition", "attachment; filename*0*=a; filename*1*=%C3;"),
        ("Content-Type", "\"\\\";"),
        ("Content-Type", "(("),
    ];
    for (field, piece) in fields {
        check(format!("{field}: {}\r\n\r\nx", piece.repeat(30_000)));
    }
    check("x".repeat(1_000_000));
    check("X-Field: y\r\n".repeat(50_000));
    check("no field\r\nX-Field: y\r\n".repeat(30_000));
}

#[test]
fn expensive_html_is_shown_as_text() {
    let pieces = [
        "<div>",
        "<b>",
        "<ul><li>",
        "<blockquote>",
        "<table><tr><td>",
        "<font color=1>",
        "</p>",
        "<p>",
        "<svg><g>",
        "<div></x>",
        "<a href=x>",
        "<table><tr><td></div><div>",
    ];
    for piece in pieces {
        check(html(&piece.repeat(500_000 / piece.len())));
    }
    assert!(check(html(&"<div>".repeat(20_000))).defects.contains(&Defect::HtmlTooComplex));
    assert!(check(html(&"&a".repeat(100_000))).defects.contains(&Defect::HtmlTooComplex));
    assert!(check(html(&format!("<p {}>", "a=b ".repeat(2_000)))).defects.contains(&Defect::HtmlTooComplex));
    check(html(&("<table>".to_owned() + &"<br>".repeat(100_000))));
    check(html(&("<table>".to_owned() + &"x<td>".repeat(100_000))));
    check(html(&("<font a>".repeat(400) + &"<p>x".repeat(100_000))));
    for piece in
        ["<!--", "<!", "<?", "</ ", "<title>", "<style></x>", "<!-- --!><div>", "<!--><div>", "<script></s", "<b a='"]
    {
        check(html(&piece.repeat(39_000)));
    }
    assert!(check(html(&"<!-- --!><div>".repeat(1_000))).defects.contains(&Defect::HtmlTooComplex));
    assert!(check(html(&"<div><! </div>".repeat(1_000))).defects.contains(&Defect::HtmlTooComplex));
    assert!(check(html(&"<svg><style></svg></style>".repeat(1_000))).defects.contains(&Defect::HtmlTooComplex));
    check(html(&"<a b='".repeat(100_000)));
}

#[test]
fn a_text_is_not_compared_letter_by_letter_with_each_winmail_dat() {
    // A stream with one property: the body "abc".
    let winmail =
        b"\x78\x9f\x3e\x22\x01\x00\x01\x03\x90\x06\x00\x14\x00\x00\x00\x01\x00\x00\x00\x1e\x00\x00\x10\x01\x00\x00\x00\
        \x04\x00\x00\x00abc\x00\x5a\x01";
    let part = [b"--b\r\nContent-Type: application/ms-tnef\r\n\r\n", &winmail[..], b"\r\n"].concat();
    let head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n".to_owned() + &"word ".repeat(200_000);
    let message = check([head.as_bytes(), b"\r\n", &part.repeat(950)].concat());
    assert_eq!(message.attachments.len(), 950);
    assert!(message.attachments.iter().all(|attachment| attachment.name.starts_with("message")));
}

#[test]
fn long_quotations_are_linear() {
    let texts = [
        "> quoted\r\n",
        "On Tue, Ann wrote:\r\n",
        "From: a\r\n",
        "-- \r\n",
        "\r\n",
        "On 1\r\n",
        ">\r\nx\r\n",
        "Date: 1\r\n",
        "|x:\r\n|x|\r\n",
    ];
    for text in texts {
        check("\r\n".to_owned() + &text.repeat(150_000 / text.len()));
    }
    check(html(&("&emsp;<br>".repeat(250_000) + &"<div class=gmail_quote></div>\r\n".repeat(2_000))));
}
