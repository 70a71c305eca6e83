//! Which lines carry quotation marks.

use super::signs;
use crate::read::lines::Line;
use std::borrow::Cow;

/// Whether a line carries a quotation mark; `>:` is the end of a folded introduction.
fn is_marked(line: &Line<'_>) -> bool {
    line.first() == b'>'
        && !matches!(line.trimmed, ">:" | "> wrote:")
        && !is_groupwise(line.trimmed)
        && !is_gnus(line.text)
}

/// `>>>>> "Ann" == Ann Baker <ann@example.org> writes:`, as Gnus has it above a quotation.
fn is_gnus(line: &str) -> bool {
    line.starts_with(">>>>> \"") && line.contains("\" == ")
}

/// `>>> Ann Baker <ann@example.org> 03/03/2026 09:15 >>>`, as GroupWise has it above a quotation.
pub(super) fn is_groupwise(line: &str) -> bool {
    let inside = line.strip_prefix(">>> ").and_then(|rest| rest.strip_suffix(" >>>"));
    inside.is_some_and(|inside| inside.len() <= 300 && signs::is_dated(inside))
}

/// The lines, of which one that has an introduction behind the author's words becomes two.
pub(super) fn divided<'l, 'x>(lines: &'l [Line<'x>]) -> Cow<'l, [Line<'x>]> {
    let at = |pair: &[Line<'x>]| match pair {
        [line, below] if below.text.starts_with('>') => shared_introduction(line.text),
        _ => None,
    };
    let mut divided = Vec::new();
    let mut taken = 0;
    for (index, pair) in lines.windows(2).enumerate() {
        if let Some(at) = at(pair) {
            divided.extend_from_slice(&lines[taken..index]);
            divided.extend(pair[0].divided(at));
            taken = index + 1;
        }
    }
    if taken == 0 {
        return Cow::Borrowed(lines);
    }
    divided.extend_from_slice(&lines[taken..]);
    Cow::Owned(divided)
}

/// Where in a line an introduction begins behind other words: `Yes. On Wed, Apr 4, 2012 at 3:59 PM, ann@example.org wrote:`.
fn shared_introduction(line: &str) -> Option<usize> {
    let may_be = line.len() <= 400 && line.trim_end().ends_with("wrote:") && !line.starts_with(['>', '-']);
    if !may_be || line.trim_start().starts_with("On ") {
        return None;
    }
    let at = line.rfind("On ").filter(|at| *at > 0)?;
    let (above, below) = line.split_at(at);
    let is_apart = above.ends_with(|c: char| c.is_whitespace() || c == '-');
    (is_apart && signs::is_dated(below)).then(|| above.trim_end_matches(|c: char| c == '-' || c.is_whitespace()).len())
}

/// Which lines carry quotation marks, also other marks than `>`, and lines that a mark was lost of.
pub(super) fn marked(lines: &[Line<'_>]) -> Vec<bool> {
    let mut marked: Vec<bool> = lines.iter().map(is_marked).collect();
    // Stores of mail put the mark before lines that begin with the word.
    for at in 0..lines.len() {
        let is_cited =
            |at: Option<usize>| at.and_then(|at| lines.get(at)).is_some_and(|line| line.text.starts_with('>'));
        if marked[at] && lines[at].text.starts_with(">From ") && !is_cited(at.checked_sub(1)) && !is_cited(Some(at + 1))
        {
            marked[at] = false;
        }
    }
    mark_named(lines, &mut marked);
    mark_drawn(lines, &mut marked);
    for at in 1..lines.len() {
        if !marked[at] && marked[at - 1] && !lines[at].is_blank() {
            let next_marked = lines.get(at + 1).is_none_or(|next| next.is_blank() || marked[at + 1]);
            marked[at] = next_marked && lost_its_mark(lines[at - 1].text, lines[at].text);
        }
    }
    marked
}

/// `Ann> ` before at least two lines in a row.
fn mark_named(lines: &[Line<'_>], marked: &mut [bool]) {
    let name = |line: &str| {
        let length = line.bytes().take(13).take_while(u8::is_ascii_alphabetic).count();
        let is_mark = (1..=12).contains(&length) && line[length..].starts_with('>');
        is_mark.then_some(length)
    };
    for at in 1..lines.len() {
        let (above, line) = (lines[at - 1].text, lines[at].text);
        if let Some(second) = name(line)
            && let Some(first) = name(above)
            && above[..first] == line[..second]
        {
            (marked[at - 1], marked[at]) = (true, true);
        }
    }
}

/// `| ` or `: ` before at least two lines in a row below a line that ends with a colon.
fn mark_drawn(lines: &[Line<'_>], marked: &mut [bool]) {
    let drawn = |at: usize, mark: u8| lines.get(at).is_some_and(|line| line.first() == mark);
    let mut at = 0;
    while at < lines.len() {
        let is_colon = lines[at].may_have_colon() && lines[at].trimmed.len() > 1 && lines[at].trimmed.ends_with(':');
        let first = if lines.get(at + 1).is_some_and(Line::is_blank) { at + 2 } else { at + 1 };
        at += 1;
        if !is_colon {
            continue;
        }
        // A table has bars on the right, too. It is known before its lines are counted, because each line of it may end
        // with a colon.
        if lines.get(first).is_some_and(|line| line.trimmed.ends_with('|') && line.trimmed.len() > 1) {
            continue;
        }
        for mark in [b'|', b':'] {
            let length = (first..lines.len()).take_while(|at| drawn(*at, mark)).count();
            if length >= 2 {
                marked[first..first + length].fill(true);
                at = first + length;
            }
        }
    }
}

/// Whether a line below a quoted one is its end, which a program broke off without marking it.
fn lost_its_mark(above: &str, line: &str) -> bool {
    let above_words = above.trim_start_matches(['>', ' ']).trim_end();
    let line_words = line.trim();
    let is_link = |word: &str| word.starts_with("http://") || word.starts_with("https://") || word.starts_with("www.");
    let bare = line_words.trim_matches(['(', ')', '<', '>', '[', ']', ' ']);
    if is_link(bare) && !bare.contains(' ') && line_words.ends_with(['>', ')']) {
        return true;
    }
    let last = above_words.rsplit(' ').next().unwrap_or_default();
    if is_link(last.trim_start_matches(['(', '<', '[']))
        && !last.ends_with([')', '>', ']'])
        && !line_words.contains(' ')
    {
        return line_words.ends_with([')', '>', ']']);
    }
    // A full line without an end, and one that goes on in the middle of a sentence.
    const FULL: usize = 60;
    above.chars().count() >= FULL
        && !above_words.ends_with(['.', '?', '!', ':', ';', '…', '"', '”', '»', '。', '？', '！', ')', '-'])
        && line_words.starts_with(char::is_lowercase)
        && !line_words.ends_with('?')
}
