//! The signs by which mail programs introduce what they quote. The words of the languages stand in `languages.txt`.

use super::kinds::Kind;
use super::lines;
pub(super) use crate::read::languages::Field;
use crate::read::languages::{TICKET_LINES, WORDS, is_unseen, is_unspaced, lower};
use crate::read::lines::Line;
use std::borrow::Cow;

/// Introductions take up to this many lines, because programs fold them.
const INTRODUCTION_LINES: usize = 5;
/// Lines of more octets are prose.
const LINE_MAX: usize = 600;

/// What introduces a quotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sign {
    /// Its first line; the last is where it was looked for.
    pub(super) start: usize,
    /// A line of a ticket system, which stands above mail that is no answer, too.
    pub(super) is_ticket_line: bool,
}

/// Whether `at` is the last line of what introduces a quotation. `before_marks` tells that quoted lines follow,
/// `may_be_ticket` that some line may be one of a ticket system.
pub(super) fn quotation_sign(lines: &[Line<'_>], at: usize, before_marks: bool, may_be_ticket: bool) -> Option<Sign> {
    let line = lines.get(at)?;
    if line.is_blank() || line.trimmed.len() > LINE_MAX {
        return None;
    }
    let sign = |start| Some(Sign { start, is_ticket_line: false });
    if is_original_mark(line) || is_header_block(lines, at) || is_notes_line(line) || lines::is_groupwise(line.trimmed)
    {
        return sign(at);
    }
    if may_be_ticket && is_ticket_line(line) {
        return Some(Sign { start: at, is_ticket_line: true });
    }
    introduction(lines, at, before_marks).map(|start| below_rule(lines, start)).and_then(sign)
}

/// The rule and the fields above an introduction, where Yandex puts both: whom the message went to, and its subject.
fn below_rule(lines: &[Line<'_>], start: usize) -> usize {
    let is_field = |line: &&Line<'_>| matches!(field(line), Some((Field::To | Field::Subject, _)));
    let above = lines[..start].iter().rev().take_while(is_field).count();
    let rule = (start - above).checked_sub(1).filter(|at| above > 0 && is_rule(&lines[*at]));
    rule.unwrap_or(start)
}

/// The first line of the introduction that ends with the line `at`.
fn introduction(lines: &[Line<'_>], at: usize, before_marks: bool) -> Option<usize> {
    let line = visible(&lines[at]);
    let line = line.trim();
    let may_end = line.ends_with([':', '：', '-'])
        || (before_marks && line.ends_with(['>', ')', ']']))
        || line.len() < LINE_MAX / 2
            && WORDS.may_end_with_wrote(without_end(line))
            && ends_with_wrote(&end_of(line).to_lowercase());
    if !may_end {
        return None;
    }
    // Without a figure, an address or a drawn line there is none; most lines with a colon end here.
    let window = &lines[at.saturating_sub(INTRODUCTION_LINES - 1)..=at];
    let is_drawn = line.starts_with("--");
    if !(before_marks || is_drawn || window.iter().any(Line::may_be_dated))
        || is_drawn && !line.contains(char::is_alphabetic)
    {
        return None;
    }
    let mut found = Vec::new();
    let mut whole = String::new();
    for start in (0..=at).rev().take(INTRODUCTION_LINES) {
        let part = lines[start].trimmed;
        if part.is_empty() {
            // One program leaves a blank line before the address.
            let is_gap = start > 0 && lines[start + 1].first() == b'<' && !found.is_empty();
            if is_gap {
                continue;
            }
            break;
        }
        let part_seen = visible(&lines[start]);
        whole = if whole.is_empty() { part_seen.into_owned() } else { format!("{part_seen} {whole}") };
        if whole.len() > LINE_MAX {
            break;
        }
        let lower = whole.to_lowercase();
        if is_introduction(&lower, before_marks) {
            found.push((start, lower));
        }
        if part.starts_with("--") {
            break;
        }
    }
    // `<ann@example.org> wrote:` is one already, but a line above it may begin it.
    let begins = |lower: &str| begins_with_on(lower);
    let dated = |lower: &str| lower.starts_with(|c: char| c.is_numeric());
    let known = found.iter().find(|(_, lower)| begins(lower)).or_else(|| found.iter().find(|(_, lower)| dated(lower)));
    // With nothing but an address on the line, the name stands above.
    let goes_on = |lower: &str| lower.split(' ').next().is_some_and(|word| word.contains('@') && word.contains('>'));
    let wrapped = || {
        let (first, lower) = found.first()?;
        let above = found.iter().skip(1).take_while(|(start, _)| !lines[*start].trimmed.ends_with(['.', '!', '?']));
        goes_on(lower).then(|| above.last()).flatten().filter(|(start, _)| start < first)
    };
    // With nothing but the verb on the line, the rest of it stands above.
    let is_verb = |lower: &str| lower.split(' ').count() <= 2 && !lower.contains('@') && !is_dated(lower);
    let above_verb = || {
        let (_, lower) = found.first().filter(|(start, lower)| *start == at && is_verb(lower))?;
        let tells = |(_, whole): &&(usize, String)| whole.len() > lower.len() && whole.contains('@') && is_dated(whole);
        found.iter().skip(1).find(tells)
    };
    known.or_else(above_verb).or_else(wrapped).or(found.first()).map(|(start, _)| *start)
}

/// A line without marks for the direction of text and other characters that nobody sees.
fn visible<'x>(line: &Line<'x>) -> Cow<'x, str> {
    if line.is_ascii() && memchr::memchr(b'\t', line.trimmed.as_bytes()).is_none() {
        return line.trimmed.into();
    }
    line.trimmed
        .chars()
        .filter(|c| !is_unseen(*c))
        .map(|c| if matches!(c, '\u{a0}' | '\u{202f}' | '\t') { ' ' } else { c })
        .collect()
}

/// "On Tue, 3 Mar 2026 at 09:15, Ann <ann@example.org> wrote:" in its many forms: a day or hour, and an address or a word
/// for writing.
fn is_introduction(lower: &str, before_marks: bool) -> bool {
    let dashed = lower.starts_with("--");
    let head = lower.trim_matches(|c: char| matches!(c, ':' | '：' | '-' | '*' | '"') || c.is_whitespace());
    let (dated, has_address) = (is_dated(head), head.contains('@'));
    if !(dashed || dated || has_address || before_marks) {
        return false;
    }
    let cites = ["zitat von ", "quoting ", "citando ", "citát ", "citeren ", "citerar "];
    if before_marks && has_address && head.len() <= 200 && cites.iter().any(|word| head.starts_with(word)) {
        return true;
    }
    let ends_wrote = ends_with_wrote(head);
    if ends_wrote && (dashed || has_address) {
        return true;
    }
    if before_marks && ends_wrote && head.chars().count() <= 80 {
        return true;
    }
    if !dated {
        return false;
    }
    if has_address && head.ends_with(['>', ']']) {
        return true;
    }
    let begins = begins_with_on(head);
    let says_wrote = ends_wrote || WORDS.wrote.is_in(head) && WORDS.wrote.iter().any(|word| contains_word(head, word));
    says_wrote && (begins || ends_wrote || has_address || before_marks) || begins && head.ends_with(" sent")
}

fn begins_with_on(lower: &str) -> bool {
    WORDS.on.iter().any(|word| {
        lower.strip_prefix(word).is_some_and(|rest| {
            // Some languages have no blank behind the word.
            rest.starts_with(|c: char| c.is_whitespace() || c.is_numeric()) || !word.is_ascii() && is_unspaced(word)
        })
    })
}

/// The end of a line, long enough for any word for writing and what stands around it.
fn end_of(line: &str) -> &str {
    const END: usize = 120;
    &line[line.ceil_char_boundary(line.len().saturating_sub(END))..]
}

/// A line without what may stand behind a word for writing.
fn without_end(line: &str) -> &str {
    line.trim_end_matches(|c: char| matches!(c, ':' | '：' | '-' | '*') || c.is_whitespace())
}

fn ends_with_wrote(lower: &str) -> bool {
    let head = without_end(lower);
    WORDS.wrote_at_the_end_of(head).any(|word| {
        word != "sent"
            && head
                .strip_suffix(word)
                .is_some_and(|rest| is_unspaced(word) || !rest.ends_with(|c: char| c.is_alphabetic()))
    })
}

fn contains_word(text: &str, word: &str) -> bool {
    *word != *"sent"
        && text.match_indices(word).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + word.len()..].chars().next();
            let is_letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
            is_unspaced(word) || (!is_letter(before) && !is_letter(after))
        })
}

/// Whether a year, an hour or a day in figures is named.
pub(super) fn is_dated(text: &str) -> bool {
    let figure = |c: char| {
        // Figures of Arabic, Persian, Hindi and Thai stand in the same order.
        let code = u32::from(c);
        let zero =
            [0x30, 0x660, 0x6f0, 0x966, 0xe50, 0xff10].into_iter().find(|zero| (*zero..*zero + 10).contains(&code))?;
        char::from_digit(code - zero, 10)
    };
    // The last four characters are enough for all of it.
    let mut last = [' '; 4];
    let mut run = 0;
    for c in text.chars().chain([' ']) {
        let c = figure(c).unwrap_or(c);
        if c.is_ascii_digit() {
            run += 1;
            if run == 1 && matches!(last[3], ':' | '.' | '/' | '-') && last[2].is_ascii_digit() {
                return true;
            }
        } else {
            if run == 4 && matches!(last, ['1', '9', ..] | ['2', '0' | '5', ..]) {
                return true;
            }
            run = 0;
        }
        last = [last[1], last[2], last[3], c];
    }
    false
}

/// The inside of a line between dashes or underscores.
fn between_dashes(line: &str) -> Option<String> {
    let is_drawn = |c: char| matches!(c, '-' | '_' | '=' | '—' | '–' | '*');
    if !line.starts_with("--") && !line.starts_with("__") && !line.starts_with("==") && !line.starts_with("—") {
        return None;
    }
    let inside = line.trim_matches(|c: char| is_drawn(c) || c.is_whitespace() || c == ':');
    (inside.contains(char::is_alphabetic) && inside.len() <= 90).then(|| {
        // The dotted capital I of Turkish becomes two characters.
        lower(inside).replace("i\u{307}", "i")
    })
}

pub(super) fn is_original_mark(line: &Line<'_>) -> bool {
    // RFC 4880 §6.2 and §7: "-----BEGIN PGP SIGNED MESSAGE-----" stands above what the author signed.
    between_dashes(line.trimmed).filter(|inside| !inside.contains("pgp ")).is_some_and(|inside| {
        // One word alone says it only if little stands beside it.
        let is_enough = |words: &str| words.contains(' ') || inside.chars().count() <= words.chars().count() + 20;
        WORDS.original.is_in(&inside) && WORDS.original.all_in(&inside).any(is_enough)
    }) || is_qq_mark(line.trimmed)
}

/// `------------------ Original ------------------`, as QQ has it in English.
fn is_qq_mark(line: &str) -> bool {
    const DRAWN: &str = "------------------";
    let inside = line.strip_prefix(DRAWN).and_then(|rest| rest.strip_suffix(DRAWN));
    inside.is_some_and(|inside| inside.trim_matches(|c: char| c.is_whitespace() || c == '\u{a0}') == "Original")
}

/// `"Ann Baker" ---03/03/2026 09:15:11 AM---Is there paper?`, as Notes has it.
pub(super) fn is_notes_line(line: &Line<'_>) -> bool {
    if !line.has_dash() {
        return false;
    }
    let Some((name, rest)) = line.trimmed.split_once("---") else { return false };
    let Some((date, _)) = rest.split_once("---") else { return false };
    !name.trim().is_empty() && name.len() <= 120 && date.len() <= 60 && !date.starts_with('-') && is_dated(date)
}

/// Whether any of the author's lines may be one of a ticket system.
pub(super) fn may_have_ticket_line(lines: &[Line<'_>], kinds: &[Kind]) -> bool {
    /// Octets that are looked at together.
    const TOGETHER: usize = 16 * 1024;
    let is_asked = |(line, kind): &(&Line<'_>, &Kind)| **kind == Kind::Author && may_be_ticket_line(line);
    let octets = lines.last().map_or(0, |last| last.range().end);
    let mut together = String::with_capacity(octets.min(TOGETHER) + 256);
    for (line, _) in lines.iter().zip(kinds).filter(is_asked) {
        if together.len() > TOGETHER {
            together.make_ascii_lowercase();
            if TICKET_LINES.is_in(&together) {
                return true;
            }
            together.clear();
        }
        // Letters outside of ASCII have two cases, too.
        match line.is_ascii() {
            true => together.push_str(line.trimmed),
            false => together.push_str(&line.trimmed.to_lowercase()),
        }
        together.push('\n');
    }
    together.make_ascii_lowercase();
    TICKET_LINES.is_in(&together)
}

/// "##- Please type your reply above this line -##"
fn is_ticket_line(line: &Line<'_>) -> bool {
    may_be_ticket_line(line) && TICKET_LINES.is_in(&lower(line.trimmed))
}

/// Such a line is short and has several words.
fn may_be_ticket_line(line: &Line<'_>) -> bool {
    line.trimmed.len() <= 250 && (!line.is_ascii() || memchr::memchr2(b' ', b'\t', line.trimmed.as_bytes()).is_some())
}

/// Which field a line is, and its value.
pub(super) fn field<'x>(line: &Line<'x>) -> Option<(Field, &'x str)> {
    if !line.may_have_colon() {
        return None;
    }
    let line =
        line.text.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '>' | '|') || is_unseen(c));
    // Names have up to 40 octets and a mark behind them.
    let start = &line[..line.floor_char_boundary(48)];
    let at = start.find([':', '：'])?;
    let value = line[at..].trim_start_matches([':', '：']);
    lookup(&line[..at]).map(|field| (field, value))
}

/// The field of this name. Of those that stand above what was passed on as well, one shows a quotation.
fn lookup(name: &str) -> Option<Field> {
    WORDS.field(name).filter(|field| *field != Field::Other)
}

/// Whether a block of such fields begins here. A timetable has "From:" and "To:" too, so that there must be an address or
/// a subject with them.
pub(super) fn is_header_block(lines: &[Line<'_>], at: usize) -> bool {
    if !matches!(field(&lines[at]), Some((Field::From | Field::Sent, _))) {
        return false;
    }
    let (mut seen, mut has_address) = ([false; 4], false);
    for line in lines[at..].iter().filter(|line| !line.is_blank()).take(7) {
        // Long fields are folded onto a second line.
        let Some((kind, value)) = field(line) else { continue };
        seen[kind as usize] = true;
        has_address |= kind != Field::Subject && value.contains('@');
        // Where line ends were lost several fields stand on a line.
        let value = &value[..value.floor_char_boundary(LINE_MAX)];
        for (end, _) in value.match_indices(':').take(8) {
            if let Some(kind) = value[..end].split_whitespace().next_back().and_then(lookup) {
                seen[kind as usize] = true;
            }
        }
    }
    let kinds = seen.iter().filter(|seen| **seen).count();
    let [from, sent, _, subject] = seen;
    kinds >= 3 && (subject || has_address) || kinds == 2 && has_address && (from || sent)
}

/// Whether the line above `start` ends with a colon, so that the author announces what follows.
pub(super) fn is_announced(lines: &[Line<'_>], start: usize) -> bool {
    let says = |line: &&Line<'_>| !line.is_blank() && !is_rule(line);
    let above = lines.get(..start).unwrap_or_default().iter().rev().take(6).find(says);
    above.is_some_and(|line| line.trimmed.ends_with([':', '：']))
}

/// Whether one word alone stands between dashes, as people draw it, too.
pub(super) fn is_one_word(line: &Line<'_>) -> bool {
    between_dashes(line.trimmed)
        .is_some_and(|inside| !inside.contains([' ', '-', '\'']) && inside.chars().count() <= 12)
}

/// A line of dashes, underscores or equals signs.
pub(super) fn is_rule(line: &Line<'_>) -> bool {
    line.trimmed.len() >= 3 && line.trimmed.chars().all(|c| matches!(c, '-' | '_' | '=' | '–' | '—' | '―' | '─' | '━'))
}
