//! Where a signature begins: below `-- `, as what telephones and lists add, or as a block that no marker announces.

use crate::read::languages::{Footer, WORDS};

/// A signature of more lines than this is a text that somebody divided with dashes.
const SIGNATURE_MAX: usize = 15;
/// Lines of a signature without a marker.
const BLOCK_MAX: usize = 10;
/// Characters of a line in a signature without a marker.
const BLOCK_LINE_MAX: usize = 72;

/// The number of lines of `lines` that stand above the signature; all of them if there is none. `author` is the name that
/// the From field gives.
pub(super) fn above(lines: &[&str], author: &str) -> usize {
    let mut end = trimmed(lines);
    // A telephone's line may stand above a list's.
    for _ in 0..3 {
        let before = end;
        end = trimmed(&lines[..marked(&lines[..end])]);
        if end == before {
            break;
        }
    }
    let end = trimmed(&lines[..repeated(&lines[..end])]);
    trimmed(&lines[..unmarked(&lines[..end], author)])
}

/// The number of lines without blank ones at the end.
fn trimmed(lines: &[&str]) -> usize {
    lines.iter().rposition(|line| !line.trim().is_empty()).map_or(0, |at| at + 1)
}

/// Lines above a signature that something announces.
fn marked(lines: &[&str]) -> usize {
    let first = lines.len().saturating_sub(SIGNATURE_MAX);
    let last = &lines[first..];
    let start = last.iter().position(|line| begins_signature(line)).filter(|at| !divides(last, *at));
    // What telephones and mailing lists add stands at the very end.
    let is_last = |at: usize| is_footer(last[at]) && !is_of_form(last, at);
    let footer = (0..last.len()).rev().find(|at| is_last(*at)).filter(|at| last.len() - at <= 6);
    let named = || last.len().checked_sub(1).filter(|at| is_dashed_name(last, *at));
    start.or(footer).or_else(named).map_or(lines.len(), |at| first + at)
}

/// "-- ", which RFC 3676 §4.3 has above a signature, and what becomes of it on the way.
fn begins_signature(line: &str) -> bool {
    matches!(line.trim_end(), "--" | "—" | "---" | "- --")
}

/// Whether dashes divide what the author wrote: there are several such lines, a list or prose follows, or he announced it.
/// With the blank behind them they are what the RFC says.
fn divides(lines: &[&str], at: usize) -> bool {
    if lines[at] == "-- " {
        return false;
    }
    let is_item = |line: &&str| {
        let line = line.trim_start();
        line.starts_with("- ") || line.starts_with("* ") || line.starts_with("• ")
    };
    let below = &lines[at + 1..];
    let is_prose = |line: &&str| line.chars().count() > BLOCK_LINE_MAX && line.trim_end().ends_with(['.', '?', '!']);
    below.iter().any(|line| begins_signature(line))
        || below.iter().filter(|line| is_item(line)).count() >= 2
        || below.iter().any(is_prose)
        || at.checked_sub(1).is_some_and(|above| lines[above].trim_end().ends_with(':'))
}

/// Whether a drawn line is to be written on, or a telephone's line is what the author writes about.
fn is_of_form(lines: &[&str], at: usize) -> bool {
    let below = &lines[at + 1..];
    if lines[at].trim().bytes().all(|b| b == b'_') {
        let is_list = |line: &&str| {
            let lower = line.to_lowercase();
            ["list", "://", "www.", "@", "subscribe"].iter().any(|word| lower.contains(word))
        };
        return below.iter().any(|line| !line.trim().is_empty()) && !below.iter().any(is_list);
    }
    let is_announced = at.checked_sub(1).is_some_and(|above| lines[above].trim_end().ends_with(':'));
    is_announced && below.first().is_some_and(|line| !line.trim().is_empty())
}

/// `-Ann Baker`, alone between blank lines and the end.
fn is_dashed_name(lines: &[&str], at: usize) -> bool {
    let Some(name) = lines[at].trim_end().strip_prefix(['-', '~', '–', '—']) else { return false };
    let name = name.trim_start();
    let is_name = |word: &str| word.starts_with(char::is_uppercase) && !word.ends_with([',', ':', ';', '?', '!']);
    let words = name.split(' ').count();
    let above = lines[..at].iter().rev().find(|line| !line.trim().is_empty());
    words <= 3
        && name.len() <= 40
        && name.split(' ').all(is_name)
        && name.chars().all(|c| c.is_alphabetic() || matches!(c, ' ' | '.' | '\'' | '-'))
        && at > 0
        && lines[at - 1].trim().is_empty()
        // An item of a list is none.
        && above.is_some_and(|line| !line.trim_start().starts_with(['-', '~', '–', '—', '*']))
}

/// Characters of a footer's beginning that are compared at first.
const FOOTER_START: usize = 12;

/// What telephones, apps and mailing lists put below every message.
fn is_footer(line: &str) -> bool {
    let line = line.trim();
    if line.starts_with("______________________") || line.len() >= 2 && line.bytes().all(|b| b == b'_') {
        return true;
    }
    // Nearly every line ends here: none of the footers begins so, and those that are known by their end are not in ASCII.
    let start: String = line.chars().take(FOOTER_START).flat_map(char::to_lowercase).collect();
    let begins = |footer: &Footer| {
        let beginning = &footer.start[..footer.start.floor_char_boundary(FOOTER_START)];
        !beginning.is_empty() && start.starts_with(beginning)
    };
    if line.is_ascii() && !WORDS.footers_of(&start).any(|footer| begins(&footer)) {
        return false;
    }
    // A link to the program may follow.
    let line = line.split(['<', '(']).next().unwrap_or_default().trim();
    if line.is_empty() || line.chars().count() > 70 || line.contains(", ") {
        return false;
    }
    let lower = line.to_lowercase();
    let lower = lower.trim_end_matches('.');
    if lower.len() < line.len() && !lower.starts_with("diese nachricht") && !lower.starts_with("this message") {
        return false;
    }
    WORDS.footers_of(lower).any(|footer| {
        lower.strip_prefix(footer.start).is_some_and(|rest| rest.ends_with(footer.end))
            && (!footer.start.is_empty() || footer.end.len() >= 6)
    })
}

/// Lines above a signature that stands twice at the end: the second is taken off.
fn repeated(lines: &[&str]) -> usize {
    let filled: Vec<usize> =
        (0..lines.len()).rev().filter(|at| !lines[*at].trim().is_empty()).take(2 * SIGNATURE_MAX).collect();
    let trimmed: Vec<&str> = filled.iter().map(|at| lines[*at].trim()).collect();
    let longest = (2..=filled.len() / 2).rev().find(|length| {
        let first = filled[length - 1];
        // The copy is a paragraph of its own, and no line of it is prose.
        let is_apart = first > 0 && lines[first - 1].trim().is_empty();
        is_apart
            && (0..*length).all(|index| {
                trimmed.get(index) == trimmed.get(index + length)
                    && trimmed.get(index).is_some_and(|line| line.chars().count() <= BLOCK_LINE_MAX)
            })
    });
    longest.map_or(lines.len(), |length| filled[length - 1])
}

/// Lines above a signature that nothing announces but the end of a letter or the author's name.
fn unmarked(lines: &[&str], author: &str) -> usize {
    let (mut filled, mut contacts) = (0, 0);
    for at in (0..lines.len()).rev() {
        let line = lines[at].trim();
        if line.is_empty() {
            continue;
        }
        if filled >= BLOCK_MAX || line.chars().count() > BLOCK_LINE_MAX {
            break;
        }
        let is_author = is_author(line, author);
        let is_closing = is_closing(line);
        // The end of a letter is the author's, unless his address and numbers follow it.
        let is_his = || author.trim().is_empty() || names(&lines[at..], author);
        if is_closing && contacts > 0 && is_his() || is_author && contacts > 0 && at > 0 && is_apart(lines[at - 1]) {
            let closing =
                (0..at).rev().find(|at| !lines[*at].trim().is_empty()).filter(|at| self::is_closing(lines[*at].trim()));
            let cut = if is_author { closing.unwrap_or(at) } else { at };
            // It never takes everything.
            return if lines[..cut].iter().any(|line| !line.trim().is_empty()) { cut } else { lines.len() };
        }
        if is_closing || line.ends_with(['?', '!', ':', ';']) || line.starts_with('>') {
            break;
        }
        contacts += usize::from(is_contact(line));
        filled += 1;
    }
    lines.len()
}

/// Whether any line has a word of the author's name; what stands below a letter's end may be about somebody else.
fn names(lines: &[&str], author: &str) -> bool {
    let author = author.to_lowercase();
    let words = || author.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() >= 3);
    lines.iter().take(BLOCK_MAX + 1).any(|line| {
        let line = line.to_lowercase();
        words().take(8).any(|word| line.contains(word))
    })
}

fn is_apart(above: &str) -> bool {
    above.trim().is_empty() || is_closing(above.trim())
}

fn is_author(line: &str, author: &str) -> bool {
    let author = author.trim();
    author.len() >= 4 && line.get(..author.len()).is_some_and(|start| start.eq_ignore_ascii_case(author))
}

/// "Best regards," and the like.
fn is_closing(line: &str) -> bool {
    if line.len() > 80 {
        return false;
    }
    let line = line.trim_end_matches([',', '.', '!', ' ', '，', '、', '。']).to_lowercase();
    WORDS.closings.contains(line.as_str())
}

/// A number to call, an address of mail or of the web.
fn is_contact(line: &str) -> bool {
    let digits = line.bytes().filter(u8::is_ascii_digit).count();
    let letters = line.chars().filter(|c| c.is_alphabetic()).count();
    let lower = line.to_lowercase();
    let named = ["tel", "phone", "mobil", "fax", "t:", "m:", "p:", "cell", "тел", "電話", "电话", "전화"];
    let is_phone = digits >= 6 && (letters <= 16 || named.iter().any(|name| lower.starts_with(name)));
    let is_web = ["www.", "http://", "https://"].iter().any(|start| lower.contains(start));
    let is_mail = lower.split_whitespace().any(|word| word.contains('@') && word.contains('.'));
    digits <= 30 && (is_phone || (is_web || is_mail) && line.split_whitespace().count() <= 6)
}
