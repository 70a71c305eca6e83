//! What the author wrote now, what is only quoted, and what is a signature.
//!
//! Cautious: a quotation is folded away only where it is one block, so that answers between quoted lines stay, what was
//! forwarded stays, and where nothing would be left everything stays. Nothing is lost: the text keeps all of it.
//!
//! Read in this order: this file (what is folded away), `kinds` (what each line is), `lines`, `signs`, `answer`,
//! `signature`. The words stand in `languages`.

mod answer;
mod kinds;
mod lines;
mod signature;
mod signs;
#[cfg(test)]
mod tests;

use super::html_text::Mark;
use super::lines::{Line, Lines};
use kinds::Kind;
use std::borrow::Cow;
use std::ops::Range;

/// What else is known of the message whose text is to be split.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Context<'x> {
    /// Whether the subject says that the message was passed on.
    pub(super) is_forwarded: bool,
    /// The name of the author, as the From field gives it; may be empty.
    pub(super) author: &'x str,
    /// What the HTML says about the lines of the text, or of one of which it is the beginning, if it was made from HTML.
    pub(super) marks: Option<&'x [Mark]>,
    /// The HTML form of a text that was not made from it.
    pub(super) html: Option<&'x str>,
    /// Whether neither the subject nor a field says that this is an answer, so that one sign in the text is not enough.
    pub(super) answers_nothing: bool,
}

/// The text without quotation and signature, and these.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) reply: String,
    pub(super) quoted: String,
    pub(super) signature: String,
}

/// Whether a subject says that the message is an answer: "Re: …", "AW: …" and the like.
pub(super) fn says_answer(subject: &str) -> bool {
    answer::says_answer(subject)
}

/// Splits a text with LF line ends. Linear in its size; every line of it is in one of the three results, but for blank lines at their ends
/// and the mark above a signature.
pub(super) fn split(body: Lines<'_, '_>, context: &Context<'_>) -> Split {
    let text = body.text;
    let everything = || Split { reply: text.trim_end().to_owned(), ..Split::default() };
    if context.is_forwarded {
        return everything();
    }
    let lines = lines::divided(body.all);
    let kinds = kinds::of(&lines, context);
    let folded = folded(&lines, &kinds, context);
    let (kept, signature) = (Vec::new(), Vec::new());
    let mut parts = Parts { text, lines: &lines, kinds: &kinds, author: context.author, kept, signature };
    parts.keep(0..folded.start, !folded.is_empty());
    parts.keep(folded.end..lines.len(), false);
    if parts.kept.is_empty() {
        return everything();
    }
    let quoted = joined(text, lines.get(folded).unwrap_or_default()).trim().to_owned();
    Split { reply: paragraphs(parts.kept), quoted, signature: paragraphs(parts.signature) }
}

/// Blocks of text with a blank line between them.
fn paragraphs(mut blocks: Vec<String>) -> String {
    if blocks.len() > 1 { blocks.join("\n\n") } else { blocks.pop().unwrap_or_default() }
}

/// What is kept of the lines above and below a quotation.
struct Parts<'p, 'x> {
    text: &'x str,
    lines: &'p [Line<'x>],
    kinds: &'p [Kind],
    author: &'p str,
    /// Blocks of what the author wrote.
    kept: Vec<String>,
    signature: Vec<String>,
}

impl Parts<'_, '_> {
    /// Takes the signature off some lines and keeps the rest.
    fn keep(&mut self, range: Range<usize>, above_quotation: bool) {
        let mut end = range.end;
        let mut signed = Vec::new();
        // What the HTML says to be a signature goes first, if something stands above it.
        let is_signature = |at: usize| self.kinds.get(at) == Some(&Kind::Signature);
        let blank = |at: usize| self.lines[at].is_blank();
        let start =
            range.clone().rev().take_while(|at| is_signature(*at) || blank(*at)).filter(|at| is_signature(*at)).last();
        if let Some(start) = start.filter(|start| (range.start..*start).any(|at| !blank(at)) || above_quotation) {
            signed.push(&self.lines[start..end]);
            end = start;
        }
        let lines = &self.lines[range.start..end];
        let above = signature::above(lines, self.author);
        // A signature is never all that there is.
        let is_all = lines[..above].iter().all(Line::is_blank);
        let above = if is_all && !above_quotation && self.kept.is_empty() { lines.len() } else { above };
        signed.insert(0, &lines[above..]);
        self.keep_lines(&lines[..above]);
        for lines in signed {
            // What somebody adds below his name is not his signature, but what a telephone adds below that is.
            let postscript = signature::postscript(lines).unwrap_or(lines.len());
            let below = &lines[postscript..];
            let above = signature::above(below, self.author);
            let (added, signed_below) = below.split_at(if above == 0 { below.len() } else { above });
            self.sign(&lines[..postscript]);
            self.keep_lines(added);
            self.sign(signed_below);
        }
    }

    fn keep_lines(&mut self, lines: &[Line<'_>]) {
        let kept = joined(self.text, lines);
        let kept = kept.trim_matches('\n').trim_end();
        self.kept.extend(Some(kept).filter(|kept| !kept.trim().is_empty()).map(str::to_owned));
    }

    fn sign(&mut self, lines: &[Line<'_>]) {
        let signed = without_mark(self.text, lines);
        self.signature.extend(Some(signed.trim()).filter(|signed| !signed.is_empty()).map(str::to_owned));
    }
}

/// A signature without the dashes that divide it from the text.
fn without_mark<'x>(text: &'x str, lines: &[Line<'x>]) -> Cow<'x, str> {
    let first = lines.iter().position(|line| !line.is_blank()).unwrap_or(lines.len());
    let is_mark = lines.get(first).is_some_and(signature::is_mark);
    joined(text, &lines[first + usize::from(is_mark)..])
}

/// Lines of `text` that follow each other, as one text with LF line ends.
fn joined<'x>(text: &'x str, lines: &[Line<'x>]) -> Cow<'x, str> {
    let (Some(first), Some(last)) = (lines.first(), lines.last()) else { return Cow::Borrowed("") };
    let range = first.range().start..last.range().end;
    let as_they_stand = lines.iter().map(|line| line.text.len() + 1).sum::<usize>() == range.len() + 1;
    match text.get(range).filter(|_| as_they_stand) {
        Some(text) => Cow::Borrowed(text),
        // One of them was divided, or had another line end.
        None => Cow::Owned(lines.iter().map(|line| line.text).collect::<Vec<_>>().join("\n")),
    }
}

/// The lines that are folded away; empty at the end if there are none.
fn folded(lines: &[Line<'_>], kinds: &[Kind], context: &Context<'_>) -> Range<usize> {
    let none = lines.len()..lines.len();
    if !kinds.iter().any(|kind| kind.is_quoted()) {
        return none;
    }
    let blocks = blocks(lines, kinds);
    let quotations = || blocks.iter().filter(|block| block.kind.is_quoted());
    let author_is_alone = |from: usize| {
        blocks
            .iter()
            .filter(|block| block.lines.start >= from && !block.kind.is_quoted())
            .all(|block| block.kind == Kind::Signature || signature::above(&lines[block.lines.clone()], "") == 0)
    };
    let Some(last) = quotations().next_back() else { return none };
    // What the author announces with a colon he shows, if it is in mail that answers nothing or in a `blockquote` that no
    // program made: there are buttons for it.
    let may_be_his = last.kind == Kind::Marked && (context.answers_nothing || context.marks.is_some());
    if may_be_his && signs::is_announced(lines, last.lines.start) {
        return none;
    }
    if quotations().count() == 1 {
        // Marked lines without a sign are a quotation only at the end.
        let is_folded = last.kind == Kind::Quoted || author_is_alone(last.lines.end);
        return if is_folded { with_rule(lines, last.lines.clone()) } else { none };
    }
    // Answers stand between quotations: all of it is to be seen, but for what nobody answered.
    /// Lines of a quotation that is worth folding below such answers.
    const WORTH_FOLDING: usize = 4;
    let filled = lines[last.lines.clone()].iter().filter(|line| !line.is_blank()).count();
    // Where nothing introduces the others, the author cites.
    let is_only_introduced =
        last.kind == Kind::Quoted && quotations().filter(|block| block.kind == Kind::Quoted).count() == 1;
    let is_folded = author_is_alone(last.lines.end) && (filled >= WORTH_FOLDING || is_only_introduced);
    if is_folded { with_rule(lines, last.lines.clone()) } else { none }
}

/// A quotation with the line that a program drew above it.
fn with_rule(lines: &[Line<'_>], mut range: Range<usize>) -> Range<usize> {
    while let Some(at) = lines[..range.start].iter().rposition(|line| !line.is_blank())
        && signs::is_rule(&lines[at])
        && (lines[at].trimmed.len() > 3 || at + 1 == range.start)
    {
        range.start = at;
    }
    range
}

/// Lines of one kind with the blank lines between them.
struct Block {
    kind: Kind,
    lines: Range<usize>,
}

fn blocks(lines: &[Line<'_>], kinds: &[Kind]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for (at, (line, kind)) in lines.iter().zip(kinds).enumerate() {
        if line.is_blank() {
            continue;
        }
        match blocks.last_mut() {
            Some(block) if block.kind == *kind => block.lines.end = at + 1,
            _ => blocks.push(Block { kind: *kind, lines: at..at + 1 }),
        }
    }
    blocks
}
