//! What each line is: by its marks and by the signs above it, and for HTML by the elements around it.

use super::signs::{self, Sign};
use super::{Context, answer, lines};
use crate::read::forward;
use crate::read::html_text::{self, Mark, MarkKind, Rendered};
use crate::read::lines::{self as all_lines, Line};

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The author's own, or not known to be anything else.
    Author,
    /// Set apart as a citation, but nothing says whose words they are.
    Marked,
    /// In a block that the author made himself; a quotation only if something introduces it.
    Own,
    /// A quotation and what introduces it.
    Quoted,
    /// A signature, as the HTML has it.
    Signature,
    /// Forwarded, so the author's.
    Forwarded,
}

impl Kind {
    /// Whether such lines are somebody else's, as far as is known.
    pub(super) fn is_quoted(self) -> bool {
        matches!(self, Self::Quoted | Self::Marked)
    }
}

/// The kind of each line.
pub(super) fn of(lines: &[Line<'_>], context: &Context<'_>) -> Vec<Kind> {
    let mut kinds = match context.marks {
        Some(marks) => of_elements(lines, marks),
        None => {
            let kind = |marked: bool| if marked { Kind::Marked } else { Kind::Author };
            lines::marked(lines).into_iter().map(kind).collect()
        }
    };
    apply_signs(lines, &mut kinds, context.answers_nothing);
    if context.marks.is_none() && !kinds.contains(&Kind::Quoted) && !kinds.contains(&Kind::Marked) {
        apply_html(lines, &mut kinds, context);
    }
    kinds
}

/// Kinds as the elements have it. Lines may differ in number from the text's, so that none is taken for granted.
fn of_elements(lines: &[Line<'_>], marks: &[Mark]) -> Vec<Kind> {
    let mut kinds = vec![Kind::Author; lines.len()];
    let has_author_above = |kinds: &[Kind], end: usize| {
        kinds.iter().zip(lines).take(end).any(|(kind, line)| *kind == Kind::Author && !line.is_blank())
    };
    let mut rest = None;
    for mark in marks {
        let end = mark.lines.end.min(lines.len());
        let start = mark.lines.start.min(end);
        let kind = match mark.kind {
            MarkKind::Cite | MarkKind::Quoted => Kind::Quoted,
            MarkKind::Block => Kind::Marked,
            MarkKind::OwnBlock => Kind::Own,
            MarkKind::Signature => Kind::Signature,
            MarkKind::Forward => Kind::Forwarded,
            MarkKind::Rest => {
                rest = rest.or(Some(start));
                continue;
            }
        };
        if kind == Kind::Quoted && is_forward(lines, start, end) {
            kinds[start..end].fill(Kind::Forwarded);
            continue;
        }
        for line in &mut kinds[start..end] {
            if *line == Kind::Author || kind == Kind::Forwarded {
                *line = kind;
            }
        }
    }
    // With nothing above it, it is the message.
    if let Some(start) =
        rest.filter(|start| has_author_above(&kinds, *start) && !is_forward(lines, *start, lines.len()))
    {
        kinds[start..].fill(Kind::Quoted);
    }
    kinds
}

/// Whether a forwarded message is what an element holds: its first line or the line above says so.
fn is_forward(lines: &[Line<'_>], start: usize, end: usize) -> bool {
    /// Blank lines that are passed over: there may be thousands of elements, and a megabyte of blank lines above them.
    const LOOKED_AT_MAX: usize = 50;
    let says = |line: &Line<'_>| forward::is_mark(line.text.trim_start_matches(['>', ' ']).trim());
    let filled = |line: &&Line<'_>| !line.is_blank();
    lines[start..end].iter().take(LOOKED_AT_MAX).find(filled).is_some_and(says)
        || lines[..start].iter().rev().take(LOOKED_AT_MAX).find(filled).is_some_and(says)
}

/// Marks introductions and what follows them.
fn apply_signs(lines: &[Line<'_>], kinds: &mut [Kind], answers_nothing: bool) {
    let is_cited = |kind: Option<&Kind>| matches!(kind, Some(Kind::Marked | Kind::Own | Kind::Quoted));
    let next = if kinds.iter().any(|kind| is_cited(Some(kind))) { next_filled(lines) } else { Vec::new() };
    let may_be_ticket = signs::may_have_ticket_line(lines, kinds);
    let (mut has_author, mut at) = (false, 0);
    while at < lines.len() {
        let line = &lines[at];
        if kinds[at] != Kind::Author || line.is_blank() {
            at += 1;
            continue;
        }
        if forward::may_be_mark(line) && forward::is_mark(line.trimmed) {
            kinds[at..].fill(Kind::Forwarded);
            return;
        }
        let below = next.get(at).copied().unwrap_or(lines.len());
        let before_marks = is_cited(kinds.get(below));
        match signs::quotation_sign(lines, at, before_marks, may_be_ticket) {
            Some(Sign { start, .. }) if before_marks => {
                let start = (start..at).rev().take_while(|line| kinds[*line] == Kind::Author).last().unwrap_or(at);
                kinds[start..=at].fill(Kind::Quoted);
                at = introduce(lines, kinds, below);
                continue;
            }
            Some(sign) if answers_nothing && !answer::is_sure(lines, sign, at) => has_author = true,
            Some(Sign { start, is_ticket_line }) => {
                let has_author =
                    has_author && (0..start).rev().any(|at| kinds[at] != Kind::Signature && !lines[at].is_blank());
                if has_author {
                    kinds[start..].fill(Kind::Quoted);
                    return;
                }
                if !is_ticket_line {
                    // Where nothing stands above, it is no answer but mail that was passed on.
                    kinds[at..].fill(Kind::Forwarded);
                    return;
                }
            }
            None => has_author = true,
        }
        at += 1;
    }
}

/// What stands below an introduction is a quotation as long as it is marked; returns the first line behind it.
fn introduce(lines: &[Line<'_>], kinds: &mut [Kind], from: usize) -> usize {
    let mut at = from;
    while at < lines.len() {
        match kinds[at] {
            Kind::Marked | Kind::Own | Kind::Quoted => kinds[at] = Kind::Quoted,
            _ if lines[at].is_blank() => {}
            _ => return at,
        }
        at += 1;
    }
    at
}

/// For each line, the next one that is not blank.
fn next_filled(lines: &[Line<'_>]) -> Vec<usize> {
    let mut next = vec![lines.len(); lines.len()];
    let mut filled = lines.len();
    for at in (0..lines.len()).rev() {
        next[at] = filled;
        if !lines[at].is_blank() {
            filled = at;
        }
    }
    next
}

/// Where a plain text shows no quotation but its HTML form has one: finds the first words of that in the text.
fn apply_html(lines: &[Line<'_>], kinds: &mut [Kind], context: &Context<'_>) {
    /// Letters and figures that are compared, and fewer are no evidence.
    const WORDS_MAX: usize = 40;
    const WORDS_MIN: usize = 12;
    let Some(html) = context.html.filter(|html| says_quotation(html)) else { return };
    if kinds.contains(&Kind::Forwarded) {
        return;
    }
    let rendered: Rendered = html_text::render(html);
    let rendered_lines = all_lines::of(&rendered.text);
    let mut rendered_kinds = of_elements(&rendered_lines, &rendered.marks);
    apply_signs(&rendered_lines, &mut rendered_kinds, context.answers_nothing);
    let filled = |line: &Line<'_>| !line.is_blank();
    let quoted =
        rendered_kinds.iter().zip(&rendered_lines).position(|(kind, line)| *kind == Kind::Quoted && filled(line));
    let Some(quoted) = quoted.filter(|quoted| rendered_lines[..*quoted].iter().any(filled)) else {
        return;
    };
    // Below the first quotation nothing is the author's, or it is not known where in the text that stands.
    if rendered_kinds[quoted..]
        .iter()
        .zip(&rendered_lines[quoted..])
        .any(|(kind, line)| *kind == Kind::Author && filled(line))
    {
        return;
    }
    let wanted: String = rendered_lines[quoted..].iter().flat_map(|line| letters(line.text)).take(WORDS_MAX).collect();
    if wanted.chars().count() < WORDS_MIN {
        return;
    }
    let mut all = String::new();
    let mut starts = Vec::with_capacity(lines.len());
    for line in lines {
        starts.push(all.len());
        all.extend(letters(line.text));
    }
    let found = memchr::memmem::find_iter(all.as_bytes(), wanted.as_bytes()).find_map(|at| {
        // Blank lines begin at the same place; the last of them is the line with the words.
        let line = starts.partition_point(|start| *start <= at).checked_sub(1)?;
        (starts[line] == at && lines[..line].iter().any(filled)).then_some(line)
    });
    if let Some(start) = found {
        kinds[start..].fill(Kind::Quoted);
    }
}

/// Letters and figures, which the two forms of a text have in common.
fn letters(line: &str) -> impl Iterator<Item = char> {
    line.chars().filter(|c| c.is_alphanumeric())
}

/// Whether HTML has any element of a quotation, so that it is worth looking at.
fn says_quotation(html: &str) -> bool {
    [
        "blockquote",
        "gmail_quote",
        "RplyFwdMsg",
        "OLK_SRC",
        "yahoo_quoted",
        "appendonsend",
        "border-top:solid",
        "_quote",
        "zwchr",
    ]
    .iter()
    .any(|words| memchr::memmem::find(html.as_bytes(), words.as_bytes()).is_some())
}
