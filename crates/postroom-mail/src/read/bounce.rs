//! What a bounce says: which recipients failed and why, and which message came back.
//!
//! The delivery status (RFC 3464, 6533) is taken at its word. Bounces without one are read by their text: a recipient on a
//! line of its own, and what the mail system said about it below.

mod text;

use super::charset;
use super::fields::{one_line, split_field};
use super::header;
use super::structure::{self, Part, Structure};
use super::transfer;
use crate::{Bounce, Defect, FailedRecipient, Message, RawMessage};
pub(super) use text::{says_so, split};

/// Recipients kept.
const RECIPIENTS_MAX: usize = 100;
/// Characters kept of what a mail system said.
const DIAGNOSTIC_MAX: usize = 500;
/// Octets kept of a recipient's address.
const ADDRESS_MAX: usize = 320;
/// Encoded octets read of a delivery status, and of the header of the original message.
const PART_MAX: usize = 1024 * 1024;

/// Parts in which a mail system says what became of a message (RFC 3464 §2, RFC 6533 §4).
pub(super) const STATUS_PARTS: [&str; 2] = ["message/delivery-status", "message/global-delivery-status"];
/// Parts that are the original message or its header (RFC 6522 §3, RFC 3464 §2, RFC 6533 §6).
pub(super) const ORIGINAL_PARTS: [&str; 6] = [
    "message/rfc822",
    "message/global",
    "text/rfc822-headers",
    "text/rfc822-header",
    "message/rfc822-headers",
    "message/global-headers",
];

/// Reads a message that is known to be a bounce, with `body` as its text.
pub(super) fn find(raw: &RawMessage, structure: &Structure<'_>, body: &str, message: &mut Message) -> Bounce {
    let of_type = |types: &'static [&str]| {
        structure.parts.iter().filter(move |part| types.contains(&part.content_type.value.as_str()))
    };
    let mut recipients = Vec::new();
    for part in of_type(&STATUS_PARTS) {
        delivery_status(&content(raw, part), &mut recipients);
    }
    if recipients.is_empty() && body.contains("Final-Recipient:") {
        // A report whose structure was lost on its way.
        delivery_status(&body.as_bytes()[..body.len().min(PART_MAX)], &mut recipients);
    }
    if recipients.is_empty() {
        let failed = structure.parts.first().and_then(|top| top.fields.get("X-Failed-Recipients"));
        recipients = text::recipients(body, message, failed.as_deref().unwrap_or_default());
    }
    if recipients.len() > RECIPIENTS_MAX {
        recipients.truncate(RECIPIENTS_MAX);
        message.defects.push(Defect::limit("recipients of a bounce", RECIPIENTS_MAX));
    }
    let attached = of_type(&ORIGINAL_PARTS).find_map(|part| message_id(&content(raw, part)));
    let answered = || message.in_reply_to.first().or(message.references.last()).cloned();
    let original_message_id = attached.or_else(|| text::message_id(body)).or_else(answered);
    Bounce { original_message_id, recipients }
}

/// The beginning of a part, decoded.
fn content(raw: &RawMessage, part: &Part<'_>) -> bytes::Bytes {
    let end = part.content.end.min(part.content.start.saturating_add(PART_MAX)).max(part.content.start);
    transfer::decode_checked(&raw.octets().slice(part.content.start..end), part.encoding).0
}

/// The Message-ID of a message or of its header alone.
fn message_id(octets: &[u8]) -> Option<String> {
    let structure = structure::parse(octets);
    let field = structure.parts.first()?.fields.get("Message-ID")?;
    header::ids(&field).into_iter().next()
}

/// Reads a delivery status: a group of fields about the message, then one for each recipient, with blank lines between.
// RFC 3464 §2.1
fn delivery_status(octets: &[u8], recipients: &mut Vec<FailedRecipient>) {
    let mut group = Group::default();
    for line in octets.split(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.trim_ascii().is_empty() {
            recipients.extend(std::mem::take(&mut group).recipient());
        } else if line[0].is_ascii_whitespace() {
            group.go_on(line);
        } else if let Some((name, value)) = split_field(line) {
            // A group that begins without a blank line before it is a group all the same.
            if name.eq_ignore_ascii_case(b"Final-Recipient") && group.has_final {
                recipients.extend(std::mem::take(&mut group).recipient());
            }
            group.begin(name, value);
        }
        if recipients.len() > RECIPIENTS_MAX {
            return;
        }
    }
    recipients.extend(group.recipient());
}

/// The fields of one group that say something about a recipient.
#[derive(Default)]
struct Group {
    has_final: bool,
    /// Values in the order of [`GROUP_FIELDS`].
    values: [String; 5],
    /// Which of them a folded line goes on.
    last: Option<usize>,
}

const GROUP_FIELDS: [&str; 5] = ["Final-Recipient", "Original-Recipient", "Action", "Status", "Diagnostic-Code"];
/// Octets kept of one value; more than all of it that is kept in the end.
const VALUE_MAX: usize = 4 * DIAGNOSTIC_MAX;

impl Group {
    fn begin(&mut self, name: &[u8], value: &[u8]) {
        self.last = GROUP_FIELDS.iter().position(|field| name.eq_ignore_ascii_case(field.as_bytes()));
        self.has_final |= self.last == Some(0);
        let is_new = self.last.is_some_and(|index| self.values.get(index).is_some_and(String::is_empty));
        if is_new { self.go_on(value) } else { self.last = None }
    }

    fn go_on(&mut self, line: &[u8]) {
        let Some(value) = self.last.and_then(|index| self.values.get_mut(index)) else { return };
        if value.len() < VALUE_MAX {
            let line = &line[..line.len().min(VALUE_MAX)];
            value.push(' ');
            value.push_str(&charset::sniffed(line));
        }
    }

    fn recipient(self) -> Option<FailedRecipient> {
        let [final_recipient, original_recipient, action, status, diagnostic] = self.values;
        let address = [&final_recipient, &original_recipient].into_iter().find_map(|field| typed_address(field));
        let address = address.or_else(|| {
            let written = one_line(after_type(&final_recipient));
            (!written.is_empty()).then(|| written[..written.floor_char_boundary(ADDRESS_MAX)].to_owned())
        })?;
        let diagnostic = clean_diagnostic(after_type(&diagnostic));
        let status = text::enhanced_status(&status).or_else(|| text::enhanced_status(&diagnostic));
        let action = action.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        let action = match ACTIONS.iter().find(|known| **known == action) {
            Some(known) => known,
            // RFC 3463 §2: the class says whether it failed
            None if status.as_deref().is_some_and(|status| status.starts_with('2')) => "delivered",
            None if status.as_deref().is_some_and(|status| status.starts_with('4')) => "delayed",
            None => "failed",
        };
        Some(FailedRecipient { address, action: action.to_owned(), status, diagnostic })
    }
}

/// What a mail system can have done.
// RFC 3464 §2.3.3
const ACTIONS: [&str; 5] = ["failed", "delayed", "delivered", "relayed", "expanded"];

/// What stands behind the type and its semicolon, as in `rfc822; ann@example.org`.
fn after_type(field: &str) -> &str {
    match field.split_once(';') {
        Some((kind, rest)) if !kind.trim().contains(char::is_whitespace) && !kind.contains('@') => rest,
        _ => field,
    }
}

/// The address of a recipient field, without brackets, characters of RFC 6533 §3 unescaped.
fn typed_address(field: &str) -> Option<String> {
    let text = unescape(after_type(field));
    let text = text.trim().trim_matches(['<', '>', '"', '\'']).trim();
    let fits = text.contains('@')
        && text.len() <= ADDRESS_MAX
        && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    fits.then(|| text.to_owned())
}

/// `\x{E9}` as the character it stands for.
// RFC 6533 §3
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\\x{") {
        plain.push_str(before);
        let decoded = after.split_once('}').and_then(|(digits, behind)| {
            let digits = Some(digits).filter(|digits| digits.len() <= 6)?;
            Some((u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)?, behind))
        });
        match decoded {
            Some((c, behind)) => {
                plain.push(c);
                rest = behind;
            }
            None => {
                plain.push_str("\\x{");
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// On one line, at most [`DIAGNOSTIC_MAX`] characters.
fn clean_diagnostic(text: &str) -> String {
    one_line(text).chars().take(DIAGNOSTIC_MAX).collect()
}

#[cfg(test)]
mod tests;
