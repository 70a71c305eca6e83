//! A message within a winmail.dat becomes a message that every mail program opens.

use super::property::tag;
use super::{Body, File, Fuel, Stream};
use crate::read::fields::one_line;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The message as message/rfc822, without its attachments, which follow it as files. `None` if the fuel is not enough.
// Its form in Outlook is a stream that no other program opens; what people read of a message is its header and its text.
pub(super) fn message(stream: &Stream, fuel: &mut Fuel) -> Option<File> {
    let subject = stream.subject();
    let (kind, text) = match stream.body(fuel) {
        Body { html: Some(html), .. } => ("html", html),
        Body { text, .. } => ("plain", text.unwrap_or_default()),
    };
    let header = header(stream, &subject, kind);
    fuel.take(header.len() + text.len() * 2).then(|| {
        let mut octets = header.into_bytes();
        let encoded = STANDARD.encode(text);
        for line in encoded.as_bytes().chunks(76) {
            octets.extend_from_slice(line);
            octets.extend_from_slice(b"\r\n");
        }
        // A slash in a subject is no path.
        let stem = subject.replace(['/', '\\'], "_");
        let name = if stem.is_empty() { stem } else { format!("{stem}.eml") };
        File { name, content_type: Some("message/rfc822".to_owned()), content_id: None, content: octets.into() }
    })
}

fn header(stream: &Stream, subject: &str, kind: &str) -> String {
    let text = |tag| stream.text(tag).map(|text| one_line(&text)).unwrap_or_default();
    let mut header = String::new();
    let address = |tag| Some(text(tag)).filter(|text| text.contains('@') && !text.contains(['<', '>', ' ']));
    let address = address(tag::SENDER_SMTP_ADDRESS).or_else(|| address(tag::SENDER_EMAIL_ADDRESS));
    let name = text(tag::SENDER_NAME);
    if !name.is_empty() || address.is_some() {
        header.push_str(&format!("From: {} <{}>\r\n", encoded_words(&name), address.unwrap_or_default()));
    }
    if let Some(date) = stream.properties.instant(tag::CLIENT_SUBMIT_TIME) {
        header.push_str(&format!("Date: {}\r\n", date.strftime("%a, %d %b %Y %H:%M:%S +0000")));
    }
    let id = text(tag::INTERNET_MESSAGE_ID);
    if id.starts_with('<') && id.is_ascii() && id.len() <= 998 {
        header.push_str(&format!("Message-ID: {id}\r\n"));
    }
    header.push_str(&format!("Subject: {}\r\nMIME-Version: 1.0\r\n", encoded_words(subject)));
    header.push_str(&format!("Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"));
    header
}

/// Octets in one encoded word, which may have 75 characters (RFC 2047 §2).
const WORD: usize = 39;

/// A text of one line as encoded words, at most 998 octets of it.
fn encoded_words(text: &str) -> String {
    let mut rest = &text[..text.floor_char_boundary(998)];
    let mut words = Vec::new();
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.floor_char_boundary(WORD));
        words.push(format!("=?utf-8?B?{}?=", STANDARD.encode(word)));
        rest = after;
    }
    words.join("\r\n ")
}
