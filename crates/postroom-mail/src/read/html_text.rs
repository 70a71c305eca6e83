//! Text of HTML that reads like what was seen, and where in it quotations and signatures of mail programs stand.
//!
//! One linear pass without recursion: nothing is built but the text. What is not balanced ends where a browser would end
//! it or at the end of the message. Read in this order: this file (finds the tags), `tag` (attributes, what is hidden),
//! `marks` (which elements are quotations), `link`, `writer` (lines, lists, tables).

mod link;
mod marks;
mod tag;
#[cfg(test)]
mod tests;
mod writer;

use std::ops::Range;
use tag::{Attributes, Name};
use writer::Writer;

/// The text of some HTML, and what its elements say about lines of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rendered {
    /// Lines with LF between them. Quoted blocks have `> ` before each line, list items `* ` or a number.
    pub(super) text: String,
    /// In the order of their first lines; they may be within one another, and they may be empty.
    pub(super) marks: Vec<Mark>,
    /// Pieces of text that a reader would not see and that are left out.
    pub(super) concealed: u64,
}

/// What an element says about the lines that it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// Lines of the text, counted from 0.
    pub(super) lines: Range<usize>,
    pub(super) kind: MarkKind,
}

/// What kind of element covers some lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MarkKind {
    /// A `blockquote` that a program made to cite a message.
    Cite,
    /// A `blockquote` that may be a citation or the author's own.
    Block,
    /// A `blockquote` that the author made himself, by the button of his program.
    OwnBlock,
    /// What introduces a quotation, or an element that holds nothing but a quotation.
    Quoted,
    /// From here on all is quoted.
    Rest,
    /// A message that is passed on.
    Forward,
    /// The signature that a program adds.
    Signature,
}

impl Rendered {
    /// Puts the text of another part below.
    pub(super) fn append(&mut self, mut other: Self) {
        other.concealed += self.concealed;
        if self.text.is_empty() {
            *self = other;
            return;
        }
        self.concealed = other.concealed;
        let above = self.text.matches('\n').count() + 1;
        self.text.push('\n');
        self.text.push_str(&other.text);
        self.marks.extend(other.marks.into_iter().map(|mark| Mark {
            lines: mark.lines.start + above..mark.lines.end.saturating_add(above),
            kind: mark.kind,
        }));
    }
}

/// The text that a reader of `html` would see.
pub(super) fn text_of(html: &str) -> String {
    render(html).text
}

/// The text that a reader of `html` would see, with its marks.
pub(super) fn render(html: &str) -> Rendered {
    let rendered = render_with(html, true);
    if rendered.text.is_empty() {
        // Everything was hidden, or an element that hides was never closed: rather show too much than nothing.
        return render_with(html, false);
    }
    rendered
}

fn render_with(html: &str, hide: bool) -> Rendered {
    let mut writer = Writer::new(hide);
    let octets = html.as_bytes();
    let mut at = 0;
    while at < html.len() {
        let text_end = memchr::memchr(b'<', &octets[at..]).map_or(html.len(), |step| at + step);
        writer.text(&html[at..text_end]);
        at = text_end;
        if at < html.len() {
            at = markup(html, at, &mut writer);
        }
    }
    writer.finish()
}

/// Handles what begins with the `<` at `at`; returns the first position behind it.
fn markup(html: &str, at: usize, writer: &mut Writer) -> usize {
    let octets = html.as_bytes();
    let rest = &octets[at + 1..];
    if rest.starts_with(b"!--") {
        return memchr::memmem::find(rest, b"-->").map_or(html.len(), |end| at + 1 + end + 3);
    }
    let closing = rest.first() == Some(&b'/');
    let name_start = at + 1 + usize::from(closing);
    let is_declaration = matches!(rest.first(), Some(b'!' | b'?'));
    let is_tag = octets.get(name_start).is_some_and(u8::is_ascii_alphabetic);
    if !is_tag && !is_declaration && !closing {
        writer.text("<");
        return at + 1;
    }
    let name = Name::at(&octets[name_start..]);
    let name_end = name_start + name.len();
    let end = end_of_tag(octets, name_end);
    if !closing && SKIPPED.contains(&name.as_str()) {
        let behind = skip_element(html, end, name.as_str());
        if name.as_str() == "style" {
            writer.style_sheet(html.get(end..behind).unwrap_or_default());
        }
        return behind;
    }
    if closing {
        writer.close(&name);
    } else if is_tag {
        writer.open(&name, &Attributes::of(html.get(name_end..end).unwrap_or_default()));
    }
    end
}

/// Elements whose content nobody sees.
const SKIPPED: [&str; 11] =
    ["script", "style", "title", "template", "iframe", "noembed", "noframes", "object", "select", "svg", "math"];

/// The first position behind the `>` that ends a tag; quotes around values are respected.
fn end_of_tag(octets: &[u8], mut at: usize) -> usize {
    let mut after_equals = false;
    while let Some(&b) = octets.get(at) {
        match b {
            b'>' => return at + 1,
            b'"' | b'\'' if after_equals => {
                at = memchr::memchr(b, &octets[at + 1..]).map_or(octets.len(), |step| at + 1 + step);
                after_equals = false;
            }
            b'=' => after_equals = true,
            _ => after_equals &= b.is_ascii_whitespace(),
        }
        at += 1;
    }
    octets.len()
}

/// The position behind `</name…>`. Without an end tag everything is inside, as a browser has it.
fn skip_element(html: &str, from: usize, name: &str) -> usize {
    let octets = html.as_bytes();
    let mut at = from;
    while let Some(step) = memchr::memmem::find(&octets[at..], b"</") {
        at += step + 2;
        if octets[at..].get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes())) {
            return end_of_tag(octets, at);
        }
    }
    html.len()
}
