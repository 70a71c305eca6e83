//! What was recognised in a message, as steps of the trace: facts for the person who reads it, without any effect.

use super::TraceStep;
use jiff::Timestamp;
use postroom_mail::{Bounce, Forwarded, Invitation, Message, Protection};

/// Findings of one kind that are told one by one; the rest is counted.
const TOLD_MAX: usize = 5;
/// Characters of one detail.
const DETAIL_MAX: usize = 300;

/// What was recognised in a message besides its text: the rules `bounce`, `forwarded`, `invitation` and `protection`. Nothing
/// of it says who the sender is: whoever wrote to us wrote this too.
pub fn findings(message: &Message) -> Vec<TraceStep> {
    let trace = &mut Vec::new();
    if let Some(bounce) = &message.bounce {
        tell_bounce(bounce, trace);
    }
    each(&message.forwarded, trace, |forwarded| {
        step("forwarded", if forwarded.attached { "attached" } else { "in the text" }, &forward(forwarded))
    });
    each(&message.invitations, trace, |found| {
        let method = if found.method.is_empty() { "event".to_owned() } else { found.method.to_lowercase() };
        step("invitation", &method, &invitation(found))
    });
    if let Some(protection) = message.protection {
        let (outcome, detail) = match protection {
            Protection::SmimeSigned => ("signed", "S/MIME; the signature is not verified"),
            Protection::PgpSigned => ("signed", "OpenPGP; the signature is not verified"),
            Protection::SmimeEncrypted => ("encrypted", "S/MIME; kept whole as an attachment"),
            Protection::PgpEncrypted => ("encrypted", "OpenPGP; kept whole as an attachment"),
        };
        trace.push(step("protection", outcome, detail));
    }
    std::mem::take(trace)
}

fn tell_bounce(bounce: &Bounce, trace: &mut Vec<TraceStep>) {
    each(&bounce.recipients, trace, |recipient| {
        let status = recipient.status.as_deref().unwrap_or_default();
        let said = [status, &recipient.diagnostic].into_iter().filter(|piece| !piece.is_empty());
        let said = said.collect::<Vec<_>>().join(", ");
        let detail = if said.is_empty() { recipient.address.clone() } else { format!("{}: {said}", recipient.address) };
        step("bounce", &recipient.action, &detail)
    });
    if let Some(id) = &bounce.original_message_id {
        trace.push(step("bounce", "original", id));
    }
}

/// A step for each of the first findings, and one that counts the rest.
fn each<T>(found: &[T], trace: &mut Vec<TraceStep>, tell: impl Fn(&T) -> TraceStep) {
    trace.extend(found.iter().take(TOLD_MAX).map(&tell));
    if let (Some(rest @ 1..), Some(last)) = (found.len().checked_sub(TOLD_MAX), trace.last()) {
        let rule = last.rule.clone();
        trace.push(step(&rule, "more", &format!("{rest} more")));
    }
}

fn step(rule: &str, outcome: &str, detail: &str) -> TraceStep {
    TraceStep::new(rule, outcome, detail.chars().take(DETAIL_MAX).collect::<String>())
}

/// Author, date and subject of a message that was passed on, as far as it names them.
fn forward(forwarded: &Forwarded) -> String {
    let from = forwarded.from.as_ref().map_or_else(|| "an unnamed author".to_owned(), ToString::to_string);
    let date = match forwarded.date {
        Some(date) => instant(date),
        None => forwarded.date_as_written.clone(),
    };
    let mut detail = format!("from {from}");
    if !date.is_empty() {
        detail.push_str(&format!(", of {date}"));
    }
    if !forwarded.subject.is_empty() {
        detail.push_str(&format!(": {}", forwarded.subject));
    }
    detail
}

/// An instant for people.
fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// What, when, where and who.
fn invitation(found: &Invitation) -> String {
    let start = match found.start {
        Some(start) => instant(start),
        None => found.start_as_written.clone(),
    };
    let answer = found.answer.as_ref().map(|(who, what)| format!("{who}: {what}"));
    let organizer = Some(&found.organizer).filter(|who| !who.is_empty()).map(|who| format!("organized by {who}"));
    let pieces = [Some(found.summary.clone()), Some(start), Some(found.location.clone()), organizer, answer];
    pieces.into_iter().flatten().filter(|piece| !piece.is_empty()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
