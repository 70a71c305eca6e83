//! What stands above a forwarded message, and what its subject begins with. The words stand in `languages`.

use crate::read::languages::{WORDS, is_unspaced};

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

/// Whether a line, without quotation marks, says that what follows was forwarded.
pub(in crate::read) fn is_mark(line: &str) -> bool {
    if line.len() > 160 || line.len() < 6 {
        return false;
    }
    let is_drawn = |c: char| matches!(c, '-' | '_' | '=' | '*' | '—' | '–' | '─' | '~' | '#' | '+');
    // Nearly every line ends here: a mark is drawn, ends with a colon, or is of a script that needs neither.
    let end = || line.trim_end_matches(|c: char| is_drawn(c) || c.is_whitespace());
    if line.is_ascii() && !line.starts_with(is_drawn) && !end().ends_with(':') {
        return false;
    }
    let lower = line.to_lowercase();
    let inside = lower.trim_matches(|c: char| is_drawn(c) || c.is_whitespace());
    if line.starts_with(is_drawn) {
        return WORDS.forwarded.iter().any(|words| inside.contains(words));
    }
    let whole = inside.replace('\u{a0}', " ");
    // Scripts without blanks between words have these without dashes, too.
    let says = |words: &&str| is_unspaced(words) && whole.strip_prefix(words).is_some_and(|rest| rest.len() <= 3);
    WORDS.forward_lines.contains(whole.as_str()) || WORDS.forwarded.iter().any(says)
}

/// A line that a program drew.
pub(super) fn is_rule(line: &str) -> bool {
    line.chars().all(|c| matches!(c, '-' | '_' | '=' | '*' | '—' | '─' | '~'))
        || line.trim_matches(|c: char| c == '-' || c.is_whitespace()).to_lowercase().starts_with("original")
}

/// Whether a subject says that the message was passed on, alone or behind a tag: `[Desk] Fwd: Printer`.
pub(in crate::read) fn says_forwarded(subject: &str) -> bool {
    if subject.trim_end().to_lowercase().ends_with("(fwd)") {
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
