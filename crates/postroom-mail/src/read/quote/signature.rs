//! Where a signature begins: below `-- `, as what telephones and lists add, or as a block that no marker announces.

use super::signs;
use crate::read::languages::{Footer, WORDS};
use crate::read::lines::Line;

/// A signature of more lines than this is a text that somebody divided with dashes.
const SIGNATURE_MAX: usize = 15;
/// Lines of a signature without a marker.
const BLOCK_MAX: usize = 10;
/// Characters of a line in a signature without a marker.
const BLOCK_LINE_MAX: usize = 72;
/// Lines within which a second drawn line shows that neither stands above a signature.
const DRAWN_WITHIN: usize = 40;

/// The number of lines of `lines` that stand above the signature; all of them if there is none. `author` is the name that
/// the From field gives.
pub(super) fn above(lines: &[Line<'_>], author: &str) -> usize {
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
fn trimmed(lines: &[Line<'_>]) -> usize {
    lines.iter().rposition(|line| !line.is_blank()).map_or(0, |at| at + 1)
}

/// Lines above a signature that something announces.
fn marked(lines: &[Line<'_>]) -> usize {
    let first = lines.len().saturating_sub(SIGNATURE_MAX);
    let last = &lines[first..];
    let start = last.iter().position(begins_signature).filter(|at| !divides(last, *at));
    // What telephones and mailing lists add stands at the very end.
    let is_last = |at: &usize| is_footer(&last[*at]) && !is_of_form(last, *at);
    let footer = || (0..last.len()).rev().take(FOOTER_LINES).find(is_last);
    let named = || last.len().checked_sub(1).filter(|at| is_dashed_name(last, *at));
    start.or_else(footer).or_else(named).map_or(lines.len(), |at| first + at)
}

/// "-- ", which RFC 3676 §4.3 has above a signature, and what becomes of it on the way: programs make one long dash of two,
/// and people draw several.
fn begins_signature(line: &Line<'_>) -> bool {
    matches!(line.first(), b'-' | 0xe2)
        && (matches!(line.trimmed_end(), "--" | "---" | "- --") || is_of_long_dashes(line.trimmed_end()))
}

fn is_of_long_dashes(line: &str) -> bool {
    /// Octets of a line of three.
    const LONG_DASHES_MAX: usize = 9;
    line.len() <= LONG_DASHES_MAX
        && line.len() > 1
        && !line.is_ascii()
        && line.chars().all(|c| matches!(c, '-' | '–' | '—' | '―' | '⸺' | '⸻'))
}

/// Whether a line is nothing but what divides a signature from the text.
pub(super) fn is_mark(line: &Line<'_>) -> bool {
    begins_signature(line) || signs::is_rule(line) && !line.trimmed.starts_with('_')
}

/// Whether dashes divide what the author wrote: there are several such lines, a list or prose follows, or he announced it.
/// With the blank behind them they are what the RFC says.
fn divides(lines: &[Line<'_>], at: usize) -> bool {
    if lines[at].text == "-- " {
        return false;
    }
    // A short long dash stands for nothing in a column, too.
    if lines[at].trimmed == "–" && at.checked_sub(1).is_some_and(|above| !lines[above].is_blank()) {
        return true;
    }
    let is_item = |line: &&Line<'_>| {
        let line = line.text.trim_start();
        line.starts_with("- ") || line.starts_with("* ") || line.starts_with("• ")
    };
    let below = &lines[at + 1..];
    let is_prose =
        |line: &Line<'_>| line.text.chars().count() > BLOCK_LINE_MAX && line.trimmed.ends_with(['.', '?', '!']);
    below.iter().any(begins_signature)
        || below.iter().filter(is_item).count() >= 2
        || below.iter().any(is_prose)
        || at.checked_sub(1).is_some_and(|above| lines[above].trimmed.ends_with(':'))
}

/// Whether a drawn line is to be written on, or a telephone's line is what the author writes about.
fn is_of_form(lines: &[Line<'_>], at: usize) -> bool {
    let below = &lines[at + 1..];
    if lines[at].trimmed.bytes().all(|b| b == b'_') {
        let is_list = |line: &Line<'_>| {
            let lower = line.text.to_lowercase();
            ["list", "://", "www.", "@", "subscribe"].iter().any(|word| lower.contains(word))
        };
        return below.iter().any(|line| !line.is_blank()) && !below.iter().any(is_list);
    }
    let is_announced = at.checked_sub(1).is_some_and(|above| lines[above].trimmed.ends_with(':'));
    is_announced && below.first().is_some_and(|line| !line.is_blank())
}

/// `-Ann Baker`, alone between blank lines and the end.
fn is_dashed_name(lines: &[Line<'_>], at: usize) -> bool {
    let Some(name) = lines[at].trimmed_end().strip_prefix(['-', '~', '–', '—']) else { return false };
    let name = name.trim_start();
    let is_name = |word: &str| word.starts_with(char::is_uppercase) && !word.ends_with([',', ':', ';', '?', '!']);
    let words = name.split(' ').count();
    let above = lines[..at].iter().rev().find(|line| !line.is_blank());
    words <= 3
        && name.len() <= 40
        && name.split(' ').all(is_name)
        && name.chars().all(|c| c.is_alphabetic() || matches!(c, ' ' | '.' | '\'' | '-'))
        && at > 0
        && lines[at - 1].is_blank()
        // An item of a list is none.
        && above.is_some_and(|line| !line.trimmed.starts_with(['-', '~', '–', '—', '*']))
}

/// Where among the lines of a signature a postscript begins: what somebody adds below his name.
pub(super) fn postscript(lines: &[Line<'_>]) -> Option<usize> {
    lines.iter().position(|line| {
        WORDS.postscript_in(line.trimmed).is_some_and(|rest| {
            let is_divided = rest.starts_with([':', '.', ',', '-', '–', '—', '：', '、', '）', ')']);
            // "PS Paper" may be a firm, and "PD Dr. Ann Baker" has a title.
            let is_sentence = || rest.ends_with(['.', '!', '?']) && rest.split_whitespace().count() >= 4;
            is_divided && rest.contains(char::is_alphanumeric) || is_sentence()
        })
    })
}

/// Lines above the end within which such a line stands.
const FOOTER_LINES: usize = 6;
/// Characters of a footer's beginning that are compared at first.
const FOOTER_START: usize = 12;

/// What telephones, apps and mailing lists put below every message.
fn is_footer(line: &Line<'_>) -> bool {
    let (is_ascii, line) = (line.is_ascii(), line.trimmed);
    if line.starts_with("______________________") || line.len() >= 2 && line.bytes().all(|b| b == b'_') {
        return true;
    }
    // Nearly every line ends here: none of the footers begins so, and those that are known by their end are not in ASCII.
    if is_ascii && !WORDS.may_begin_footer(line) {
        return false;
    }
    let start: String = line.chars().take(FOOTER_START).flat_map(char::to_lowercase).collect();
    let begins = |footer: &Footer| {
        let beginning = &footer.start[..footer.start.floor_char_boundary(FOOTER_START)];
        !beginning.is_empty() && start.starts_with(beginning)
    };
    if is_ascii && !WORDS.footers_of(&start).any(|footer| begins(&footer)) {
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
fn repeated(lines: &[Line<'_>]) -> usize {
    let filled = || (0..lines.len()).rev().filter(|at| !lines[*at].is_blank()).take(2 * SIGNATURE_MAX);
    // Its last line is there twice.
    let last = filled().next().map(|at| lines[at].trimmed);
    if !filled().skip(2).any(|at| Some(lines[at].trimmed) == last) {
        return lines.len();
    }
    let filled: Vec<usize> = filled().collect();
    let trimmed: Vec<&str> = filled.iter().map(|at| lines[*at].trimmed).collect();
    let longest = (2..=filled.len() / 2).rev().find(|length| {
        let first = filled[length - 1];
        // The copy is a paragraph of its own, and no line of it is prose.
        let is_apart = first > 0 && lines[first - 1].is_blank();
        is_apart
            && (0..*length).all(|index| {
                trimmed.get(index) == trimmed.get(index + length)
                    && trimmed.get(index).is_some_and(|line| line.chars().count() <= BLOCK_LINE_MAX)
            })
    });
    longest.map_or(lines.len(), |length| filled[length - 1])
}

/// Lines above a signature that nothing announces but the end of a letter or the author's name.
fn unmarked(lines: &[Line<'_>], author: &str) -> usize {
    let (mut filled, mut contacts) = (0, 0);
    for at in (0..lines.len()).rev() {
        let line = lines[at].trimmed;
        if line.is_empty() {
            continue;
        }
        if filled >= BLOCK_MAX || line.len() > BLOCK_LINE_MAX && line.chars().count() > BLOCK_LINE_MAX {
            break;
        }
        let is_author = is_author(line, author);
        let is_closing = is_closing(line);
        // The end of a letter is the author's, unless his address and numbers follow it.
        let is_his = || author.trim().is_empty() || names(&lines[at..], author);
        if is_closing && contacts > 0 && is_his()
            || is_author && at > 0 && (contacts > 0 && is_apart(lines[at - 1].trimmed) || is_signed(lines, at, author))
        {
            let closing =
                (0..at).rev().find(|at| !lines[*at].is_blank()).filter(|at| self::is_closing(lines[*at].trimmed));
            let cut = if is_author { closing.unwrap_or(at - usize::from(is_signed(lines, at, author))) } else { at };
            // It never takes everything.
            return if lines[..cut].iter().any(|line| !line.is_blank()) { cut } else { lines.len() };
        }
        if is_closing || line.ends_with(['?', '!', ':', ';']) || line.starts_with('>') {
            break;
        }
        contacts += usize::from(is_contact(&lines[at]));
        filled += 1;
    }
    lines.len()
}

/// Whether any line has a word of the author's name; what stands below a letter's end may be about somebody else.
fn names(lines: &[Line<'_>], author: &str) -> bool {
    let author = author.to_lowercase();
    let words = || author.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() >= 3);
    lines.iter().take(BLOCK_MAX + 1).any(|line| {
        let line = line.text.to_lowercase();
        words().take(8).any(|word| line.contains(word))
    })
}

/// Whether the line `at` is the author's name below a drawn line. Several of these divide the text, and a sentence that
/// begins with a name is none.
fn is_signed(lines: &[Line<'_>], at: usize, author: &str) -> bool {
    let mut drawn = lines[..at].iter().rev().take(DRAWN_WITHIN).map(signs::is_rule);
    let behind = lines[at].trimmed.get(author.trim().len()..).unwrap_or_default().trim_start();
    drawn.next() == Some(true)
        && !drawn.any(|drawn| drawn)
        && (behind.is_empty() || behind.starts_with([',', '|', '-', '–', '—', '/', '(']))
}

fn is_apart(above: &str) -> bool {
    above.is_empty() || is_closing(above)
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
    WORDS.is_closing(line.trim_end_matches([',', '.', '!', ' ', '，', '、', '。']))
}

/// A number to call, an address of mail or of the web.
fn is_contact(line: &Line<'_>) -> bool {
    if line.is_ascii() && !line.may_be_dated() && memchr::memchr2(b'.', b':', line.trimmed.as_bytes()).is_none() {
        return false;
    }
    let line = line.trimmed;
    let digits = line.bytes().filter(u8::is_ascii_digit).count();
    let letters = line.chars().filter(|c| c.is_alphabetic()).count();
    let lower = line.to_lowercase();
    let named = ["tel", "phone", "mobil", "fax", "t:", "m:", "p:", "cell", "тел", "電話", "电话", "전화"];
    let is_phone = digits >= 6 && (letters <= 16 || named.iter().any(|name| lower.starts_with(name)));
    let is_web = ["www.", "http://", "https://"].iter().any(|start| lower.contains(start));
    let is_mail = lower.split_whitespace().any(|word| word.contains('@') && word.contains('.'));
    digits <= 30 && (is_phone || (is_web || is_mail) && line.split_whitespace().count() <= 6)
}
