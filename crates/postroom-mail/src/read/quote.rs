//! What the author wrote now, and what is only quoted.
//!
//! Cautious: a quotation is folded away only where it is one block, so that answers between quoted lines stay, what was
//! forwarded stays, and where nothing would be left everything stays. Nothing is lost: the text keeps all of it.

mod signs;
#[cfg(test)]
mod tests;

use signs::is_marked;

/// The text without quotation and signature, and the quotation.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) reply: String,
    pub(super) quoted: String,
}

/// Splits a text with LF line ends; `subject` tells whether it was forwarded.
pub(super) fn split(text: &str, subject: &str) -> Split {
    let lines: Vec<&str> = text.lines().collect();
    let everything = || Split { reply: text.trim_end().to_owned(), quoted: String::new() };
    if signs::says_forwarded(subject) {
        return everything();
    }
    let quotation = quotation(&lines);
    let (above, below) = (&lines[..quotation.start], &lines[quotation.end..]);
    let mut reply = without_signature(above, !quotation.is_empty()).join("\n").trim_end().to_owned();
    let below = without_signature(below, false).join("\n");
    if !below.trim().is_empty() {
        // An answer below the quotation, or around it.
        let gap = if reply.is_empty() { "" } else { "\n\n" };
        reply = format!("{reply}{gap}{}", below.trim_matches('\n').trim_end());
    }
    if reply.trim().is_empty() && !quotation.is_empty() {
        return everything();
    }
    let quoted = lines[quotation].join("\n").trim().to_owned();
    Split { reply, quoted }
}

/// The lines of the quotation; empty at the end if there is none.
fn quotation(lines: &[&str]) -> std::ops::Range<usize> {
    let none = lines.len()..lines.len();
    let forwarded = lines.iter().position(|line| signs::is_forward_mark(line)).unwrap_or(lines.len());
    let marks = Marks::of(lines);
    let Some((start, end)) = (0..forwarded).find_map(|at| signs::quotation_sign(lines, at).map(|start| (start, at)))
    else {
        // Marked lines without a sign are a quotation only at the end.
        let first = marks.next(0).filter(|first| *first < forwarded);
        let block = first.and_then(|first| marks.block(first, first));
        return block.filter(|block| marks.ends(block.end)).unwrap_or(none);
    };
    match marks.next(end + 1) {
        Some(first) if marks.only_blank(end + 1, first) => marks.block(start, first).unwrap_or(none),
        // Without marks it lasts to the end. Where nothing stands above it, it is no answer.
        _ if start > 0 => start..lines.len(),
        _ => none,
    }
}

/// Which lines carry a quotation mark.
struct Marks<'x> {
    lines: &'x [&'x str],
    last: usize,
}

impl<'x> Marks<'x> {
    fn of(lines: &'x [&'x str]) -> Self {
        Self { lines, last: lines.iter().rposition(|line| is_marked(line)).unwrap_or(0) }
    }

    /// The first marked line from `at` on.
    fn next(&self, at: usize) -> Option<usize> {
        self.lines.get(at..)?.iter().position(|line| is_marked(line)).map(|step| at + step)
    }

    fn only_blank(&self, from: usize, to: usize) -> bool {
        self.lines.get(from..to).is_some_and(|lines| lines.iter().all(|line| line.trim().is_empty()))
    }

    /// From `start` to the last marked line, if all lines from `first` on are marked or blank: then nobody answered in
    /// between.
    fn block(&self, start: usize, first: usize) -> Option<std::ops::Range<usize>> {
        let block = &self.lines[first..=self.last];
        let is_whole = block.iter().all(|line| is_marked(line) || line.trim().is_empty());
        is_whole.then_some(start..self.last + 1)
    }

    /// Whether nothing but a signature stands from `at` on.
    fn ends(&self, at: usize) -> bool {
        without_signature(&self.lines[at..], false).iter().all(|line| line.trim().is_empty())
    }
}

/// `lines` without the signature at their end, and without the rule that a program drew above a quotation.
fn without_signature<'l, 'x>(lines: &'l [&'x str], above_quotation: bool) -> &'l [&'x str] {
    let mut lines = trim_end(lines);
    if above_quotation {
        while lines.last().is_some_and(|line| signs::is_rule(line)) {
            lines = trim_end(&lines[..lines.len() - 1]);
        }
    }
    /// A signature longer than this is a text that somebody divided with dashes.
    const SIGNATURE_MAX: usize = 15;
    let last = &lines[lines.len().saturating_sub(SIGNATURE_MAX)..];
    let start = last.iter().position(|line| signs::begins_signature(line));
    // What telephones and mailing lists add stands at the very end.
    let footer = last.iter().rposition(|line| signs::is_footer(line)).filter(|at| last.len() - at <= 6);
    let cut = start.or(footer).map_or(lines.len(), |at| lines.len() - last.len() + at);
    trim_end(&lines[..cut])
}

fn trim_end<'l, 'x>(lines: &'l [&'x str]) -> &'l [&'x str] {
    let end = lines.iter().rposition(|line| !line.trim().is_empty()).map_or(0, |at| at + 1);
    &lines[..end]
}
