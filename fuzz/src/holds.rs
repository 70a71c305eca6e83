//! Properties of a message that was read.

use crate::live;
use postroom_mail::read::Inspection;
use postroom_mail::{Address, Content, Message, RawMessage, Sha256, read};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// Reads twice, checks what must hold for every message, and gives the message.
pub fn read_and_check(octets: &[u8]) -> Message {
    let raw = RawMessage::new(octets.to_vec());
    let message = read(&raw);
    assert!(message == read(&raw), "reading is deterministic");
    strings(&message);
    texts(&message);
    limits(&message);
    attachments(&raw, &message);
    if let Some(html) = &message.html {
        live::nothing_lives_in(html);
    }
    message
}

/// No string of a message has a NUL in it, which neither HTML nor every database knows.
fn strings(message: &Message) {
    let inspection = serde_json::to_value(Inspection::of("", message)).expect("an inspection is JSON");
    let mut open = vec![&inspection];
    while let Some(value) = open.pop() {
        match value {
            Value::String(text) => assert!(!text.contains('\0'), "a NUL in {text:?}"),
            Value::Array(values) => open.extend(values),
            Value::Object(fields) => open.extend(fields.values()),
            _ => {}
        }
    }
}

/// Texts have LF line ends; what is one line is one line.
fn texts(message: &Message) {
    for text in [&message.text, &message.reply_text, &message.quoted_text, &message.signature] {
        assert!(!text.contains('\r'), "a CR in {text:?}");
    }
    let pieces = [&message.reply_text, &message.quoted_text, &message.signature];
    let all_blank = pieces.iter().all(|piece| piece.trim().is_empty());
    assert!(message.text.trim().is_empty() || !all_blank, "nothing is left of {:?}", message.text);
    let evidence = message.automatic.iter().map(|automatic| &automatic.evidence);
    let diagnostics = message.bounce.iter().flat_map(|b| &b.recipients).map(|r| &r.diagnostic);
    let names = message.from.iter().chain(&message.to).chain(&message.cc).flat_map(|a| [&a.name, &a.addr_spec]);
    for line in [&message.subject].into_iter().chain(evidence).chain(diagnostics).chain(names) {
        assert!(!line.contains(char::is_control), "a control character in {line:?}");
    }
}

/// What is documented as limited is.
fn limits(message: &Message) {
    assert!(message.subject.chars().count() <= 998);
    assert!(message.text.len() <= 1 << 20, "{} octets of text", message.text.len());
    // Groups stand among the authors besides the addresses.
    assert!(message.to.len() + message.cc.len() <= 1_000 && message.from.len() <= 2_000);
    for address in message.from.iter().chain(&message.to).chain(&message.cc) {
        assert!(address.name.chars().count() <= 200, "{:?}", address.name);
        assert!(address.addr_spec.len() <= 320, "{:?}", address.addr_spec);
    }
    assert!(message.references.len() <= 100 && message.in_reply_to.len() <= 100);
    for id in message.references.iter().chain(&message.in_reply_to).chain(&message.message_id) {
        assert!(!id.is_empty() && id.len() <= 998 && !id.contains(char::is_whitespace), "{id:?}");
    }
    assert!(message.attachments.len() <= 2_000, "{} attachments", message.attachments.len());
    if let Some(automatic) = &message.automatic {
        assert!(automatic.evidence.chars().count() <= 200 && !automatic.evidence.is_empty());
    }
    if let Some(bounce) = &message.bounce {
        assert!(bounce.recipients.len() <= 100);
        assert!(bounce.recipients.iter().all(|r| r.diagnostic.chars().count() <= 500));
    }
    assert!(message.forwarded.len() <= 1_000 && message.invitations.len() <= 1_000);
    assert!(message.defects.len() <= 4_000, "{} defects", message.defects.len());
}

/// Names are clean and unique, and the content is where it is said to be.
fn attachments(raw: &RawMessage, message: &Message) {
    let mut names = HashSet::new();
    let mut slices = HashSet::new();
    for attachment in &message.attachments {
        let name = &attachment.name;
        assert!(!name.is_empty() && name.len() <= 200, "{name:?}");
        assert!(!name.contains(['/', '\\']) && !name.contains(char::is_control), "{name:?}");
        assert!(!name.contains(turns_or_hides) && !name.starts_with('.') && !name.ends_with(['.', ' ']), "{name:?}");
        assert!(names.insert(name.to_lowercase()), "{name:?} is there twice");
        let content_type = &attachment.content_type;
        assert!(content_type.len() <= 998 && *content_type == content_type.to_ascii_lowercase(), "{content_type:?}");
        assert!(attachment.content_id.as_ref().is_none_or(|id| !id.is_empty() && id.len() <= 998));
        let octets = attachment.content.octets(raw);
        assert_eq!(octets.len() as u64, attachment.size, "the size of {name:?}");
        assert_eq!(Sha256::of(&octets), attachment.sha256, "the digest of {name:?}");
        if let Content::Slice { offset, length, .. } = attachment.content {
            assert!(offset.checked_add(length).is_some_and(|end| end <= raw.size()), "a slice behind the end");
            assert!(length == 0 || slices.insert(offset), "two attachments are the same octets");
        }
    }
}

/// Characters that turn the direction of a name or are not seen in it.
fn turns_or_hides(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{200b}')
}

/// A message that was stored as JSON is the same message.
pub fn json_keeps(message: &Message) {
    let json = serde_json::to_string(message).expect("a message is JSON");
    let back: Message = serde_json::from_str(&json).expect("what was written is read");
    assert!(back == *message, "JSON keeps a message");
}

/// The canonical form of an address is its own canonical form.
pub fn canonical_is_stable(message: &Message) {
    for address in message.from.iter().chain(&message.to) {
        let Some(canonical) = address.canonical() else { continue };
        let again = Address::new("", canonical.clone()).canonical();
        assert_eq!(again.as_ref(), Some(&canonical), "the canonical form of {:?}", address.addr_spec);
        assert!(canonical.contains('@') && !canonical.contains(char::is_control), "{canonical:?}");
    }
}

/// Reply, quotation and signature say nothing that the text does not say.
pub fn split_keeps_words(message: &Message) {
    let mut left = words(&message.text);
    for part in [&message.reply_text, &message.quoted_text, &message.signature] {
        for (word, count) in words(part) {
            let there = left.get_mut(word).filter(|there| **there >= count);
            let there = there.unwrap_or_else(|| panic!("{word:?} is shown more often than it was written"));
            *there -= count;
        }
    }
}

/// How often each word is there; marks of quotation are none.
fn words(text: &str) -> HashMap<&str, usize> {
    let mut words = HashMap::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        *words.entry(word).or_default() += 1;
    }
    words
}

/// An attachment of this name, percent-encoded (RFC 2231 §4).
pub fn named_part(name: &[u8]) -> Vec<u8> {
    let encoded: String = name.iter().map(|b| format!("%{b:02X}")).collect();
    let start = "--kpkpkpkpkp\r\nContent-Disposition: attachment; filename*=utf-8''";
    format!("{start}{encoded}\r\nContent-Type: application/x-thing\r\n\r\nx\r\n").into_bytes()
}

/// A name that was cleaned stays as it is when it is cleaned again. One that still looks like an encoded word, because it was
/// encoded twice, would be decoded on this way.
pub fn name_is_stable(name: &str) {
    if name.contains("=?") {
        return;
    }
    let start = b"Content-Type: multipart/mixed; boundary=kpkpkpkpkp\r\n\r\n";
    let raw = RawMessage::new([start, &named_part(name.as_bytes())[..], b"--kpkpkpkpkp--\r\n"].concat());
    let message = read(&raw);
    assert_eq!(message.attachments[0].name, name, "a clean name stays as it is");
}
