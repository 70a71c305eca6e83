//! What stands above a forwarded message, and what its subject begins with. The words stand in `languages`.

use crate::read::languages::{self, WORDS, lower};
use crate::read::lines::Line;

/// Words between an assistant and the person for whom he wrote.
pub(super) const ON_BEHALF: [&str; 8] = [
    " on behalf of ",
    " im auftrag von ",
    " Im Auftrag von ",
    " de la part de ",
    " en nombre de ",
    " per conto di ",
    " em nome de ",
    " namens ",
];

/// Whether a line, at a glance, may say that what follows was forwarded: such a line is drawn, ends with a colon, or is of
/// a script that needs neither.
pub(in crate::read) fn may_be_mark(line: &Line<'_>) -> bool {
    let first = || line.trimmed.bytes().find(|b| !matches!(b, b'>' | b'|' | b' ' | b'\t'));
    line.may_have_colon() || first().is_some_and(|b| is_drawn(char::from(b)))
}

fn is_drawn(c: char) -> bool {
    matches!(c, '-' | '_' | '=' | '*' | '—' | '–' | '─' | '~' | '#' | '+')
}

/// Whether a line, without quotation marks, says that what follows was forwarded.
pub(in crate::read) fn is_mark(line: &str) -> bool {
    if !(6..=160).contains(&line.len()) {
        return false;
    }
    let inside = line.trim_matches(|c: char| is_drawn(c) || c.is_whitespace());
    if line.starts_with(is_drawn) {
        return !inside.is_empty() && WORDS.forwarded.is_in(&lower(inside));
    }
    // Scripts without blanks between words have these without dashes, too.
    let is_unspaced = languages::is_unspaced(inside);
    if !is_unspaced && !inside.ends_with([':', '：']) {
        return false;
    }
    let whole = lower(inside).replace('\u{a0}', " ");
    let says =
        |words: &str| languages::is_unspaced(words) && whole.strip_prefix(words).is_some_and(|rest| rest.len() <= 3);
    WORDS.forward_lines.contains(whole.as_str()) || is_unspaced && WORDS.forwarded.iter().any(says)
}

/// A line that a program drew.
pub(super) fn is_rule(line: &str) -> bool {
    line.chars().all(|c| matches!(c, '-' | '_' | '=' | '*' | '—' | '─' | '~'))
        || line.trim_matches(|c: char| c == '-' || c.is_whitespace()).to_lowercase().starts_with("original")
}

/// Whether a subject says that the message was passed on, alone or behind a tag: `[Desk] Fwd: Printer`.
pub(in crate::read) fn says_forwarded(subject: &str) -> bool {
    let end = subject.trim_end().as_bytes();
    if end.len() >= 5 && end[end.len() - 5..].eq_ignore_ascii_case(b"(fwd)") {
        return true;
    }
    let start = subject[..subject.floor_char_boundary(120)].trim_start();
    // Netscape puts the whole into brackets: `[Fwd: Printer]`.
    let untagged = match start.strip_prefix('[') {
        Some(tag) if tag.get(..4).is_some_and(|inside| inside.eq_ignore_ascii_case("fwd:")) => tag,
        Some(tag) => tag.split_once(']').map_or(start, |(_, rest)| rest),
        None => start,
    };
    let Some((prefix, _)) = untagged.split_once([':', '：']) else { return false };
    let prefix = prefix.trim().to_lowercase();
    let prefix = prefix.split(['[', '(']).next().unwrap_or_default().trim();
    WORDS.forward_prefixes.contains(prefix)
}

/// Whether a subject with `VS:` stands with a header in Finnish, in which it means an answer.
pub(super) fn is_finnish_answer(subject: &str, line: &str) -> bool {
    let is_vs = subject.trim_start().get(..3).is_some_and(|start| start.eq_ignore_ascii_case("vs:"));
    is_vs && ["lähe", "päiv"].iter().any(|start| line.to_lowercase().trim_start_matches('*').starts_with(start))
}
