//! Messages passed on within the text: a mark, and below it the header as the author's program wrote it.

use super::super::address_list;
use super::super::fields::one_line;
use super::super::header::SUBJECT_MAX;
use super::{FORWARDED_MAX, date, mark, note_of, written};
use crate::read::languages::{Field, WORDS};
use crate::read::lines::{Line, Lines};
use crate::{Address, Forwarded, Message};
use std::cell::LazyCell;
use std::collections::HashSet;

/// Lines between a mark and its header.
const GAP_MAX: usize = 4;
/// Lines of a header.
const HEADER_MAX: usize = 24;
/// Octets of one line that are looked at; longer ones are prose.
const LINE_MAX: usize = 2_000;
/// Octets of a value put together from folded lines.
const VALUE_MAX: usize = 4_000;

/// The messages passed on in the text, in its order.
pub(super) fn find(text: Lines<'_, '_>, message: &Message) -> Vec<Forwarded> {
    let lines = text.all;
    let subject_says = mark::says_forwarded(&message.subject);
    // A mark within what an answer quotes was set by somebody else.
    let visible = LazyCell::new(|| message.reply_text.lines().map(str::trim).collect::<HashSet<&str>>());
    let is_visible = |line: &Line<'_>| message.quoted_text.is_empty() || visible.contains(line.trimmed);
    let mut found = Vec::new();
    let mut at = 0;
    while at < lines.len() && found.len() < FORWARDED_MAX {
        let line = &lines[at];
        at += 1;
        if mark::may_be_mark(line)
            && mark::is_mark(bare(line.text))
            && (subject_says || line.first() != b'>' && is_visible(line))
            && let Some((forwarded, end)) = header_after(lines, at)
        {
            found.push(if found.is_empty() { with_text(forwarded, lines, at - 1, end) } else { forwarded });
            at = end;
        }
    }
    if found.is_empty() && subject_says {
        found.extend(unmarked(lines, &message.subject));
    }
    found
}

/// Outlook sets no mark, or one that answers have too: then the subject says it, and the first header is the one.
fn unmarked(lines: &[Line<'_>], subject: &str) -> Option<Forwarded> {
    (0..lines.len()).find_map(|at| {
        let starts = matches!(field(&lines[at]), Some((Field::From | Field::Sent | Field::Subject, _)));
        // "VS:" is a forward in Norwegian and an answer in Finnish.
        let is_answer = mark::is_finnish_answer(subject, bare(lines[at].text));
        let starts = starts && !is_answer;
        let (forwarded, end) = starts.then(|| header_after(lines, at)).flatten()?;
        Some(with_text(forwarded, lines, at, end))
    })
}

/// A forwarded message with what stands above it and what it says: the lines before `start`, and from `end` on.
fn with_text(forwarded: Forwarded, lines: &[Line<'_>], start: usize, end: usize) -> Forwarded {
    let is_marked = |line: &Line<'_>| line.trimmed.starts_with('>');
    let all_marked = lines[start + 1..end].iter().filter(|line| !line.trimmed.is_empty()).all(is_marked);
    let unmarked = |line: &Line<'_>| {
        let inner = line.text.trim_start().strip_prefix('>').filter(|_| all_marked);
        inner.map_or(line.text, |inner| inner.strip_prefix(' ').unwrap_or(inner)).to_owned()
    };
    // A line that a program drew above the header belongs to neither.
    let above = lines[..start].iter().rposition(|line| !line.trimmed.is_empty() && !mark::is_rule(line.trimmed));
    let above: Vec<_> = lines[..above.map_or(0, |last| last + 1)].iter().map(|line| line.text).collect();
    let text = lines[end..].iter().map(unmarked).collect::<Vec<_>>().join("\n");
    Forwarded { note: note_of(&above.join("\n")), text: text.trim().to_owned(), ..forwarded }
}

/// A line without quotation marks and the signs of bold text.
fn bare(line: &str) -> &str {
    let line = &line[..line.floor_char_boundary(LINE_MAX)];
    line.trim_matches(|c: char| matches!(c, '>' | '|' | '\u{200e}' | '\u{200f}' | '\u{feff}') || c.is_whitespace())
}

/// Which field a line is, and its value.
fn field<'x>(line: &Line<'x>) -> Option<(Field, &'x str)> {
    if !line.may_have_colon() {
        return None;
    }
    let line = bare(line.text).trim_start_matches('*');
    let (name, value) = line.split_once([':', '：'])?;
    let field = WORDS.field(name)?;
    Some((field, value.trim_start_matches('*').trim()))
}

/// The header that begins within a few lines of `at`, and the first line behind it.
fn header_after(lines: &[Line<'_>], at: usize) -> Option<(Forwarded, usize)> {
    let mut values: Vec<(Field, String)> = Vec::new();
    let mut end = at;
    let mut blanks = 0;
    for (index, line) in lines.iter().enumerate().skip(at).take(GAP_MAX + HEADER_MAX) {
        let text = bare(line.text);
        if text.is_empty() {
            blanks += 1;
            // One blank line may stand between two fields, where each was a paragraph of HTML.
            if blanks > if values.is_empty() { GAP_MAX } else { 1 } {
                break;
            }
            continue;
        }
        match field(line) {
            Some((kind, _)) if is_single(kind) && values.iter().any(|(known, _)| *known == kind) => break,
            Some((kind, value)) => values.push((kind, value.to_owned())),
            // Words instead of a header.
            None if values.is_empty() => {
                if index >= at + GAP_MAX || !mark::is_rule(text) {
                    return None;
                }
            }
            None if blanks > 0 => break,
            None => {
                // Long fields are folded; a line behind the subject may be its end, and behind a short one is the text.
                let Some((kind, value)) = values.last_mut() else { break };
                let field_follows = || lines.get(index + 1).is_some_and(|next| field(next).is_some());
                let is_open = value.is_empty()
                    || matches!(kind, Field::To | Field::Other)
                    || value.ends_with([',', ';'])
                    || value.len() > 55
                    || field_follows();
                if !is_open || value.len() + text.len() > VALUE_MAX {
                    break;
                }
                value.push(' ');
                value.push_str(text);
            }
        }
        blanks = 0;
        end = index + 1;
    }
    forwarded(values).map(|forwarded| (forwarded, end))
}

/// Whether a header has a field once. Where it comes again, another header has begun.
fn is_single(field: Field) -> bool {
    matches!(field, Field::From | Field::Sent | Field::Subject)
}

/// A header names an author or a subject, and something else: a timetable has "From:" and "To:" too.
fn forwarded(values: Vec<(Field, String)>) -> Option<Forwarded> {
    let value = |kind: Field| values.iter().find(|(known, _)| *known == kind).map(|(_, value)| value.as_str());
    let (from, subject, date) = (value(Field::From), value(Field::Subject), value(Field::Sent));
    let other = value(Field::To).or_else(|| value(Field::Other));
    let has_two = [from, subject, date, other].iter().filter(|value| value.is_some()).count() >= 2;
    let is_mail = subject.is_some() || date.is_some() || from.is_some_and(|from| from.contains('@'));
    if !has_two || !is_mail || (from.is_none() && subject.is_none()) {
        return None;
    }
    let date_as_written = written(date.unwrap_or_default());
    Some(Forwarded {
        from: from.and_then(author),
        date: date::instant(&date_as_written),
        date_as_written,
        subject: one_line(subject.unwrap_or_default()).trim_matches('*').chars().take(SUBJECT_MAX).collect(),
        message_id: None,
        attached: false,
        ..Forwarded::default()
    })
}

/// The author as programs write him: `Ann <ann@example.org>`, `Ann [mailto:ann@example.org]`, an address that became a link,
/// somebody on behalf of somebody, or only a name.
fn author(value: &str) -> Option<Address> {
    let value = mark::ON_BEHALF.iter().fold(value, |value, words| value.split(words).next().unwrap_or_default());
    let mut plain = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("mailto:") {
        let before = before.trim_end_matches(['<', '[', '(']);
        let (inside, behind) = after.split_once(['>', ']', ')']).unwrap_or((after, ""));
        plain.push_str(before);
        // The link of an address that stands there already.
        if !plain.contains('@') {
            plain.push_str(&format!(" <{}>", inside.split('?').next().unwrap_or_default()));
        }
        rest = behind;
    }
    plain.push_str(rest);
    let plain = if plain.contains('<') { plain } else { bracketed(&plain) };
    let list = address_list::parse(&one_line(&plain), 1);
    let found = list.addresses.into_iter().next();
    let mut address = found.unwrap_or_else(|| Address::new(one_line(&plain), ""));
    let name = address.name.trim_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '"' | '\'')).to_owned();
    address.name = if name == address.addr_spec { String::new() } else { name.chars().take(200).collect() };
    (!address.name.is_empty() || !address.addr_spec.is_empty()).then_some(address)
}

/// `Ann [ann@example.org]` and `Ann (ann@example.org)` with angle brackets.
fn bracketed(value: &str) -> String {
    let inner = value.rsplit_once(['[', '(']).and_then(|(name, rest)| {
        let (address, _) = rest.split_once([']', ')'])?;
        (address.contains('@') && !name.contains('@')).then(|| format!("{} <{}>", name.trim(), address.trim()))
    });
    inner.unwrap_or_else(|| value.to_owned())
}
