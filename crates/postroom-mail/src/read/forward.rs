//! Messages that the author passed on: within the text, as mail programs set them, or attached (message/rfc822).
//!
//! These are facts about the content. Nothing here says who sent the message: anybody can write such a header.

mod date;
mod inline;
mod mark;

use super::fields::one_line;
use super::header;
use super::lines::Lines;
use super::structure::{self, Part, Structure};
use super::transfer;
use crate::{Forwarded, Message, RawMessage};
use bytes::Bytes;
pub(super) use mark::{is_mark, may_be_mark, says_forwarded};

/// Forwarded messages kept.
const FORWARDED_MAX: usize = 20;
/// Attached messages within attached messages are followed this deep.
const DEPTH_MAX: usize = 3;
/// Encoded octets of one attached message that are looked at, and of all together at each depth.
const ATTACHED_MAX: usize = 16 * 1024 * 1024;
/// Characters kept of what stands above a forwarded message.
const NOTE_MAX: usize = 2_000;
/// Characters kept of a date as it was written.
const DATE_MAX: usize = 200;

/// What was passed on, in the text first, then attached, outermost first. Not for bounces and reports, which attach the
/// message that they are about.
pub(super) fn find(
    raw: &RawMessage,
    structure: &Structure<'_>,
    text: Lines<'_, '_>,
    message: &Message,
) -> Vec<Forwarded> {
    let mut found = inline::find(text, message);
    let is_first = found.is_empty();
    attached(raw, structure, &mut found);
    found.truncate(FORWARDED_MAX);
    if let Some(first) = found.first_mut().filter(|_| is_first) {
        first.note = note_of(text.text);
    }
    found
}

/// Walks attached messages level by level, so that the outermost come first.
fn attached(raw: &RawMessage, structure: &Structure<'_>, found: &mut Vec<Forwarded>) {
    let mut level = contents(raw.octets(), structure);
    for depth in 1..=DEPTH_MAX {
        let mut next = Vec::new();
        for octets in level {
            let inner = structure::parse(&octets);
            let Some(top) = inner.parts.first() else { continue };
            if !is_message(top) {
                continue;
            }
            let text = if found.is_empty() { super::text_of(&octets, &inner) } else { String::new() };
            found.push(Forwarded { text, ..of_header(top) });
            if found.len() >= FORWARDED_MAX {
                return;
            }
            // What a forwarded bounce is about was not forwarded.
            if depth < DEPTH_MAX && top.content_type.value != "multipart/report" {
                next.append(&mut contents(&octets, &inner));
            }
        }
        level = next;
    }
}

/// The attached messages of one message, decoded.
fn contents(octets: &Bytes, structure: &Structure<'_>) -> Vec<Bytes> {
    let is_digest = |part: &Part<'_>| part.content_type.value == "multipart/digest";
    let in_digest = structure.parts.iter().filter(|part| is_digest(part)).flat_map(|part| &part.children);
    let in_digest: std::collections::HashSet<usize> = in_digest.copied().collect();
    let mut left = ATTACHED_MAX;
    let parts = structure.parts.iter().enumerate();
    let messages = parts.filter(|(index, part)| is_attached_message(part) && !in_digest.contains(index));
    let decoded = messages.take(FORWARDED_MAX).map(|(_, part)| {
        let end = part.content.end.min(part.content.start.saturating_add(left)).max(part.content.start);
        left -= end - part.content.start;
        transfer::decode_checked(&octets.slice(part.content.start..end), part.encoding).0
    });
    decoded.collect()
}

/// Mail programs that do not know message/rfc822 attach an `.eml` file.
fn is_attached_message(part: &Part<'_>) -> bool {
    let is_file = || part.declared_name().is_some_and(|name| name.to_ascii_lowercase().ends_with(".eml"));
    match part.content_type.value.as_str() {
        "message/rfc822" | "message/global" => true,
        "application/octet-stream" => is_file(),
        _ => false,
    }
}

/// Whether it begins with the header of a message, and not with something else that has the name of one.
fn is_message(top: &Part<'_>) -> bool {
    ["From", "Date", "Subject", "Message-ID"].iter().filter(|name| top.fields.has(name)).count() >= 2
}

fn of_header(top: &Part<'_>) -> Forwarded {
    let mut inner = Message::default();
    header::read(&top.fields, &mut inner);
    Forwarded {
        from: inner.from.into_iter().next().filter(|from| !from.name.is_empty() || !from.addr_spec.is_empty()),
        date: inner.date,
        date_as_written: written(&top.fields.get("Date").unwrap_or_default()),
        subject: inner.subject,
        message_id: inner.message_id,
        attached: true,
        ..Forwarded::default()
    }
}

/// The words above a forwarded message.
fn note_of(words: &str) -> String {
    words.trim().chars().take(NOTE_MAX).collect()
}

/// A date as it was written, on one line.
fn written(date: &str) -> String {
    one_line(&date[..date.floor_char_boundary(8 * DATE_MAX)]).chars().take(DATE_MAX).collect()
}

#[cfg(test)]
mod tests;
