//! Bounces without a delivery status, by their text: Exim, qmail, Postfix, Sendmail, Courier, Exchange, Notes, Gmail, Yahoo,
//! Amazon and whoever else writes a recipient and, below it, what went wrong.

use super::super::header;
use super::{ADDRESS_MAX, RECIPIENTS_MAX, clean_diagnostic};
use crate::{FailedRecipient, Message};

/// Octets of the text that are looked at.
const TEXT_MAX: usize = 64 * 1024;
/// Lines that belong to what was said about a recipient.
const DIAGNOSTIC_LINES: usize = 12;

/// What mail systems write in bounces, and people hardly ever.
const PHRASES: [&str; 30] = [
    "this is the qmail-send program",
    "i wasn't able to deliver your message",
    "this is the mail system at host",
    "this message was created automatically by mail delivery software",
    "could not be delivered to one or more",
    "could not be delivered to all recipients",
    "delivery has failed to these recipients",
    "did not reach some or all of the intended recipients",
    "the following recipient(s) could not be reached",
    "the following recipient(s) cannot be reached",
    "the following addresses had permanent fatal errors",
    "the following addresses had transient non-fatal errors",
    "delivery to the following recipient",
    "wasn't delivered to",
    "was not delivered to:",
    "sorry, we were unable to deliver your message",
    "an error occurred while trying to deliver the mail to the following recipients",
    "your message to the following recipients cannot be delivered",
    "the following recipient(s) did not receive",
    "this is an automatically generated delivery status notification",
    "message could not be delivered",
    "was undeliverable",
    "konnte nicht zugestellt werden",
    "nicht zugestellt werden konnte",
    "n'a pas pu être remis",
    "n'a pas pu être délivré",
    "no se pudo entregar",
    "non è stato recapitato",
    "kon niet worden bezorgd",
    "não pôde ser entregue",
];

/// The phrase at the beginning of the text that shows a bounce.
pub(in super::super) fn says_so(text: &str) -> Option<&'static str> {
    let start = text[..text.floor_char_boundary(4096)].to_lowercase();
    let start = start.split_whitespace().collect::<Vec<_>>().join(" ");
    PHRASES.into_iter().find(|phrase| start.contains(phrase))
}

/// Lines from which on the original message follows.
const ORIGINAL_MARKS: [&str; 14] = [
    "--- below this line is a copy of the message",
    "------ this is a copy of",
    "----- this is a copy of",
    "--- the header of the original",
    "----- message header follows",
    "----- unsent message follows",
    "----- original message",
    "-----original message",
    "---- unsent message",
    "original message headers:",
    "--- original message",
    "--- undelivered message",
    "--- returned message",
    "message header follows:",
];

/// Words by which a warning says that it goes on trying.
const DELAYS: [&str; 14] = [
    "has not yet been delivered",
    "not yet been delivered",
    "not been delivered yet",
    "will be retried",
    "will continue to try",
    "will keep trying",
    "attempts to deliver the message will continue",
    "delivery attempts will continue",
    "no action is required",
    "do not need to resend",
    "this is a warning message only",
    "transient non-fatal errors",
    "delivery status notification (delay)",
    "noch nicht zugestellt",
];

/// The lines before the original message.
fn own_lines(text: &str) -> Vec<&str> {
    text[..original_at(text)].lines().collect()
}

/// Where the copy of the original message begins, at most [`TEXT_MAX`].
fn original_at(text: &str) -> usize {
    let text = &text[..text.floor_char_boundary(TEXT_MAX)];
    let is_mark = |line: &str| {
        let start = line.trim();
        let start = start[..start.floor_char_boundary(80)].to_lowercase();
        start.starts_with("received: from") || ORIGINAL_MARKS.iter().any(|mark| start.starts_with(mark))
    };
    let own = text.split_inclusive('\n').take_while(|line| !is_mark(line));
    own.map(str::len).sum()
}

/// What the mail system wrote, and the original message below it. Nothing else in a bounce is a quotation: what looks like
/// one is what the mail systems said to each other.
pub(in super::super) fn split(text: &str) -> (&str, &str) {
    let (own, original) = text.split_at(original_at(text));
    if own.trim().is_empty() { (text.trim_end(), "") } else { (own.trim_end(), original.trim()) }
}

/// The recipients that the text names, those of an X-Failed-Recipients field first.
pub(super) fn recipients(body: &str, message: &Message, failed: &str) -> Vec<FailedRecipient> {
    let lines = own_lines(body);
    let mut named: Vec<(String, Option<usize>)> = Vec::new();
    for word in failed.split([',', ';']).take(RECIPIENTS_MAX) {
        if let Some((address, _)) = address_in(word) {
            let at = lines.iter().position(|line| line.contains(address));
            named.push((address.to_owned(), at));
        }
    }
    if named.is_empty() {
        named = on_own_lines(&lines, message);
    }
    if named.is_empty() {
        named = in_sentences(&lines, message);
    }
    let starts: Vec<usize> = named.iter().filter_map(|(_, at)| *at).collect();
    let delayed = is_delayed(&lines, message);
    let overall = error_line(&lines);
    named
        .into_iter()
        .map(|(address, at)| {
            let own = at.map(|at| diagnostic(&lines, at, &address, &starts)).unwrap_or_default();
            let own = if has_code(&own) || overall.is_empty() { own } else { clean_diagnostic(overall) };
            let status = enhanced_status(&own);
            let action = if delayed { "delayed" } else { "failed" };
            FailedRecipient { address, action: action.to_owned(), status, diagnostic: own }
        })
        .collect()
}

fn is_delayed(lines: &[&str], message: &Message) -> bool {
    let text = lines.iter().take(60).copied().collect::<Vec<_>>().join(" ");
    let text = text[..text.floor_char_boundary(8192)].to_lowercase();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let subject = message.subject.to_lowercase();
    let says = |words: &&str| text.contains(*words) || subject.contains(*words);
    DELAYS.iter().any(says) || (subject.contains("delayed") && !text.contains("permanent"))
}

/// An address that names the mail system, not a recipient.
fn is_of_system(address: &str, message: &Message) -> bool {
    let local = address.split('@').next().unwrap_or_default().to_ascii_lowercase();
    matches!(local.as_str(), "postmaster" | "mailer-daemon" | "mail-daemon" | "abuse")
        || message.from.iter().any(|author| author.addr_spec.eq_ignore_ascii_case(address))
}

/// Recipients with which a line begins, or that stand alone behind a name or behind a colon.
fn on_own_lines(lines: &[&str], message: &Message) -> Vec<(String, Option<usize>)> {
    let mut found: Vec<(String, Option<usize>)> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some((address, range)) = address_in(line) else { continue };
        let before = line[..range.start].trim_matches(|c: char| c.is_whitespace() || "<('\"*•-[:".contains(c));
        let after = line[range.end..].trim_matches(|c: char| c.is_whitespace() || ">)'\"*]".contains(c));
        let is_name = !before.is_empty() && before.split_whitespace().count() <= 4 && range.start > 0;
        let bracketed = is_name && line[..range.start].ends_with(['<', '(', '[']) && !before.contains(':');
        let alone = before.is_empty() && (after.is_empty() || after.starts_with([':', ',', ';']) || is_moment(after));
        let ends = after.is_empty() && (bracketed || line[..range.start].trim_end_matches([' ', '<']).ends_with(':'));
        let is_field = super::split_field(line.trim_start().as_bytes())
            .is_some_and(|(name, _)| OWN_FIELDS.contains(&name.to_ascii_lowercase().as_slice()));
        // What was said to the other server is no list of recipients.
        let is_dialogue = before.starts_with(">>>") || before.starts_with("<<<");
        if (alone || ends) && !is_field && !is_dialogue && !is_of_system(address, message) {
            add(&mut found, address, at);
        }
        if found.len() > RECIPIENTS_MAX {
            break;
        }
    }
    found
}

/// Fields of the original message that bounces repeat; they name its author and recipients.
const OWN_FIELDS: [&[u8]; 9] =
    [b"from", b"to", b"cc", b"reply-to", b"sender", b"return-path", b"message-id", b"subject", b"x-envelope-from"];

/// Exchange says when: `ann@example.org on 3/3/2026 9:15 AM`.
fn is_moment(after: &str) -> bool {
    let mut words = after.split_whitespace();
    matches!(words.next(), Some("on" | "am" | "le" | "el" | "il" | "op" | "em"))
        && words.take(3).any(|word| word.starts_with(|c: char| c.is_ascii_digit()))
}

fn add(found: &mut Vec<(String, Option<usize>)>, address: &str, at: usize) {
    if found.iter().all(|(known, _)| !known.eq_ignore_ascii_case(address)) {
        found.push((address.to_owned(), Some(at)));
    }
}

/// Recipients within a sentence: "Your message wasn't delivered to ann@example.org because …".
fn in_sentences(lines: &[&str], message: &Message) -> Vec<(String, Option<usize>)> {
    let is_ours = |address: &str| message.to.iter().any(|own| own.addr_spec.eq_ignore_ascii_case(address));
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let mut from = 0;
        for _ in 0..4 {
            let Some((address, range)) = line.get(from..).and_then(address_in) else { break };
            if !is_of_system(address, message) && !is_ours(address) {
                add(&mut found, address, at);
            }
            from += range.end;
        }
        if found.len() > RECIPIENTS_MAX {
            break;
        }
    }
    found
}

/// The first addr-spec of a line and where it stands.
fn address_in(line: &str) -> Option<(&str, std::ops::Range<usize>)> {
    let is_of_address = |c: char| c.is_alphanumeric() || "!#$%&*+-/=?^_`{|}~.".contains(c);
    for (at, _) in line.match_indices('@').take(8) {
        let before = &line[..at];
        let local = before.len() - before.trim_end_matches(is_of_address).len();
        let start = at - local;
        let behind = &line[at + 1..];
        let domain = behind.trim_start_matches(|c: char| c.is_alphanumeric() || c == '-' || c == '.' || c == '_');
        let domain = behind[..behind.len() - domain.len()].trim_end_matches(['.', '-', '_']);
        let address = &line[start..at + 1 + domain.len()];
        let trimmed = address.trim_start_matches(['*', '.', '-', '=', '#', '/']);
        let start = start + (address.len() - trimmed.len());
        if !trimmed.starts_with('@') && domain.contains('.') && trimmed.len() <= ADDRESS_MAX {
            return Some((trimmed, start..start + trimmed.len()));
        }
    }
    None
}

/// What was said about the recipient on line `at`: the rest of that line and the lines below, up to a blank line after the
/// first words or to the next recipient.
fn diagnostic(lines: &[&str], at: usize, address: &str, starts: &[usize]) -> String {
    let mut said = String::new();
    let first = lines.get(at).and_then(|line| line.split_once(address)).map_or("", |(_, after)| after);
    let first = first.trim_start_matches(['>', ')', ']', ':', '\'', '"', ' ', '\t', '.']);
    said.push_str(first.trim());
    let mut blanks = 0;
    for (step, line) in lines.iter().enumerate().skip(at + 1).take(DIAGNOSTIC_LINES) {
        if starts.contains(&step) {
            break;
        }
        let line = line.trim();
        if line.is_empty() {
            blanks += 1;
            // The words may stand behind a blank line, and what introduces them between two, as Notes has it.
            let introduces = said.is_empty() || said.ends_with(':');
            if blanks > 2 || has_code(&said) || !(introduces || said.len() <= 40 && blanks == 1) {
                break;
            }
            continue;
        }
        said.push(' ');
        said.push_str(line);
    }
    clean_diagnostic(&said)
}

/// The first line on which a mail system gives a code.
fn error_line<'x>(lines: &[&'x str]) -> &'x str {
    let with_status = lines.iter().find(|line| enhanced_status(line).is_some());
    with_status.or_else(|| lines.iter().find(|line| has_code(line))).map_or("", |line| line.trim())
}

/// Whether an SMTP reply or an enhanced status is named.
fn has_code(text: &str) -> bool {
    let is_reply = |word: &str| {
        let digits = word.get(..3).unwrap_or_default();
        digits.starts_with(['4', '5'])
            && digits.bytes().all(|b| b.is_ascii_digit())
            && word.get(3..).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', ' ']))
    };
    let words = text.split(|c: char| c.is_whitespace() || "<(#:;,>)".contains(c));
    words.take(400).any(is_reply) || enhanced_status(text).is_some()
}

/// The enhanced status code that a text names first.
// RFC 3463 §2: a class of 2, 4 or 5, then two numbers of up to three digits
pub(super) fn enhanced_status(text: &str) -> Option<String> {
    let words = text.split(|c: char| !(c.is_ascii_digit() || c == '.' || c.is_alphabetic() || c == '@'));
    words.take(600).map(|word| word.trim_end_matches('.')).find(|word| is_enhanced_status(word)).map(str::to_owned)
}

fn is_enhanced_status(word: &str) -> bool {
    let mut pieces = word.split('.');
    let is_number = |piece: Option<&str>| {
        piece.is_some_and(|piece| (1..=3).contains(&piece.len()) && piece.bytes().all(|b| b.is_ascii_digit()))
    };
    matches!(pieces.next(), Some("2" | "4" | "5"))
        && is_number(pieces.next())
        && is_number(pieces.next())
        && pieces.next().is_none()
}

/// The Message-ID in a header that the text repeats.
pub(super) fn message_id(text: &str) -> Option<String> {
    let text = &text[..text.floor_char_boundary(4 * TEXT_MAX)];
    let mut lines = text.lines().map(|line| line.trim_start_matches(['>', ' ', '|', '\t']));
    while let Some(line) = lines.next() {
        let Some(rest) = line.get(..11).filter(|name| name.eq_ignore_ascii_case("message-id:")).map(|_| &line[11..])
        else {
            continue;
        };
        // The id may stand on the next line, folded.
        let rest = if rest.trim().is_empty() { lines.next().unwrap_or_default() } else { rest };
        return header::ids(rest).into_iter().next();
    }
    None
}
