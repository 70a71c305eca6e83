//! Reading: from a raw message to a [`Message`]. Never fails; what is wrong becomes a [`Defect`].
//!
//! The structure is walked here and not by a MIME library, because those at hand decode every attachment to find the next
//! part, recurse into messages within messages until the stack ends, or lose text after a boundary in mid-line.
//!
//! Read in this order: `structure` (which octets are which part), `fields`, `parameter`, `encoded_word`, `charset`,
//! `code_page`, `transfer` (from octets to text), `header`, `passage`, `address_list`, `date`, `body`, `flowed`, `embedded`
//! (files within a text: `uuencode`, `yenc`), `reference` (`&amp;`), `html`, `html_text`, `languages` (words of mail
//! programs), `lines`, `quote`, `attachment`, `media_type`, `tnef`, `calendar`, `protection`, `automatic`, `bounce`,
//! `forward`, `inspect`.

mod address_list;
mod attachment;
mod automatic;
mod body;
mod bounce;
mod calendar;
mod charset;
mod code_page;
mod date;
mod embedded;
mod encoded_word;
mod fields;
mod flowed;
mod forward;
mod header;
mod html;
mod html_text;
pub mod inspect;
mod languages;
mod lines;
mod media_type;
mod parameter;
mod passage;
mod protection;
mod quote;
mod reference;
mod structure;
#[cfg(test)]
mod tests;
mod tnef;
mod transfer;
mod uuencode;
mod yenc;

use crate::{Defect, Message, Protection, RawMessage};
use html_text::{Mark, Rendered};
pub use inspect::{InspectedAttachment, Inspection};
use parameter::PARAMETERS_MAX;
use std::borrow::Cow;
use std::collections::HashSet;
use structure::{HEADER_MAX, NESTING_MAX, PARTS_MAX, Part, Structure};
pub use transfer::decode_transfer;

/// Octets of text kept of a message.
const TEXT_MAX: usize = 1024 * 1024;
/// Encoded octets of one part that are decoded for showing it. However it is encoded, that is more than [`TEXT_MAX`] of
/// text and more HTML than is cleaned, and it bounds the memory that a message of one huge part takes.
const SHOWN_MAX: usize = 16 * 1024 * 1024;

/// What can be understood of `raw`. Total, deterministic, and linear in the size of the message.
pub fn read(raw: &RawMessage) -> Message {
    let structure = structure::parse(raw.octets());
    let mut message = Message::default();
    let Some(top) = structure.parts.first() else { return message };
    header::read(&top.fields, &mut message);
    message.passage = passage::read(&top.fields);
    note_structure(&structure, &mut message);
    let choice = body::choose(&structure, raw.octets());
    let mut containers = attachment::Containers::open(raw, &structure, &choice, &mut message);
    let mut bodies = Bodies::decode(raw, &structure, &choice, &mut message);
    let (text, marks) = bodies.text(&mut message);
    message.text = text;
    let mut source = bodies.html();
    containers.stand_in(&mut source, &mut message);
    let shown = source
        .as_deref()
        .map(|html| clean_html(html, &content_ids(&structure, &choice, &containers), &mut message))
        .unwrap_or_default();
    attachment::describe(raw, &structure, &choice, containers, bodies.files, &shown, &mut message);
    // Out of the message while it is filled in with what the lines of the text say.
    let text = std::mem::take(&mut message.text);
    let lines = lines::of(&text);
    let lines = lines::Lines { text: &text, all: &lines };
    message.protection = protection::detect(raw, &structure, lines);
    if message.protection == Some(Protection::SmimeSigned) && text.trim().is_empty() && protection::is_whole(&structure)
    {
        message.defects.push(Defect::SignedAsAWhole);
    }
    let context = quote::Context {
        is_forwarded: forward::says_forwarded(&message.subject),
        author: message.from.first().map_or("", |from| &from.name),
        marks: marks.as_deref(),
        html: source.as_deref(),
        answers_nothing: message.in_reply_to.is_empty()
            && message.references.is_empty()
            && !quote::says_answer(&message.subject),
    };
    let split = quote::split(lines, &context);
    (message.reply_text, message.quoted_text, message.signature) = (split.reply, split.quoted, split.signature);
    automatic::recognise(raw, &structure, lines, &mut message);
    message.text = text;
    message
}

/// The plain body of a message within a message.
fn text_of(octets: &bytes::Bytes, structure: &Structure<'_>) -> String {
    let raw = RawMessage::undigested(octets.clone());
    // What is wrong with it is a defect of that message, not of the one around it.
    let mut inner = Message::default();
    let choice = body::choose(structure, octets);
    let mut bodies = Bodies::decode(&raw, structure, &choice, &mut inner);
    bodies.text(&mut inner).0.trim().to_owned()
}

fn note_structure(structure: &Structure<'_>, message: &mut Message) {
    if structure.damaged {
        message.defects.push(Defect::Structure);
    }
    if structure.words_outside {
        message.defects.push(Defect::TextOutside);
    }
    if structure.too_deep {
        message.defects.push(Defect::limit("nested multiparts", NESTING_MAX));
    }
    if structure.too_many {
        message.defects.push(Defect::limit("parts", PARTS_MAX));
    }
    if structure.header_cut {
        message.defects.push(Defect::limit("octets of a header", HEADER_MAX));
    }
    if structure.parameters_cut {
        message.defects.push(Defect::limit("parameters", PARAMETERS_MAX));
    }
}

/// The parts that are shown, decoded.
struct Bodies<'c> {
    choice: &'c body::Choice,
    shown: Vec<Shown>,
    /// Files that stood within the text.
    files: Vec<embedded::File>,
}

/// One of them.
struct Shown {
    /// The index of the part.
    part: usize,
    is_html: bool,
    /// With LF line ends and without NUL.
    text: String,
}

impl<'c> Bodies<'c> {
    fn decode(raw: &RawMessage, structure: &Structure<'_>, choice: &'c body::Choice, message: &mut Message) -> Self {
        let mut bodies = Self { choice, shown: Vec::new(), files: Vec::new() };
        for &index in choice.text.iter().chain(&choice.html) {
            if bodies.shown.iter().all(|shown| shown.part != index) {
                let part = &structure.parts[index];
                let text = decode(raw, part, &mut bodies.files, message);
                bodies.shown.push(Shown { part: index, is_html: is_html(part), text });
            }
        }
        bodies
    }

    fn parts<'a>(&'a self, indices: &'a [usize]) -> impl Iterator<Item = &'a Shown> {
        indices.iter().filter_map(|index| self.shown.iter().find(|shown| shown.part == *index))
    }

    /// The plain body, and what the HTML says about its lines where it was made from HTML alone.
    fn text(&mut self, message: &mut Message) -> (String, Option<Vec<Mark>>) {
        let (mut text, mut marks, mut concealed) = (String::new(), None, 0);
        if let ([Shown { is_html: false, text: only, .. }], [_]) = (self.shown.as_mut_slice(), &self.choice.text[..]) {
            // Nothing else needs it.
            text = std::mem::take(only);
        } else if !self.parts(&self.choice.text).all(|shown| shown.is_html) {
            for shown in self.parts(&self.choice.text) {
                let made = shown.is_html.then(|| html_text::render(&shown.text));
                concealed += made.as_ref().map_or(0, |made| made.concealed);
                append_block(&mut text, made.as_ref().map_or(&shown.text, |made| &made.text));
            }
        } else {
            (text, marks, concealed) = self.render(&self.choice.text);
        }
        if text.trim().is_empty() {
            // A plain form with nothing in it: the HTML has the words.
            (text, marks, concealed) = self.render(&self.choice.html);
        }
        if concealed > 0 {
            message.defects.push(Defect::HiddenText { count: concealed });
        }
        if text.len() > TEXT_MAX {
            text.truncate(text.floor_char_boundary(TEXT_MAX));
            message.defects.push(Defect::limit("octets of text", TEXT_MAX));
        }
        (text, marks)
    }

    /// The text of the HTML parts among some, what the HTML says about its lines, and how many pieces are left out of it.
    /// Nothing is said about the lines of an empty one, for which another text may stand in.
    fn render(&self, indices: &[usize]) -> (String, Option<Vec<Mark>>, u64) {
        let mut rendered = Rendered::default();
        for shown in self.parts(indices).filter(|shown| shown.is_html) {
            rendered.append(html_text::render(&shown.text));
        }
        let has_words = !rendered.text.trim().is_empty();
        (rendered.text, has_words.then_some(rendered.marks), rendered.concealed)
    }

    /// The HTML body before it is cleaned, if any part is HTML. To be asked for once.
    fn html(&mut self) -> Option<String> {
        if !self.parts(&self.choice.html).any(|shown| shown.is_html) {
            return None;
        }
        if let [only] = self.choice.html[..] {
            return self.shown.iter_mut().find(|shown| shown.part == only).map(|shown| std::mem::take(&mut shown.text));
        }
        let mut html = String::new();
        for shown in self.parts(&self.choice.html) {
            if shown.is_html { html.push_str(&shown.text) } else { push_escaped(&mut html, &shown.text) }
        }
        Some(html)
    }
}

/// Decoded text of a part: LF line ends, no NUL, paragraphs of flowed text in one line. Files that stood within it go to
/// `files`.
fn decode(raw: &RawMessage, part: &Part<'_>, files: &mut Vec<embedded::File>, message: &mut Message) -> String {
    let name = if is_html(part) { "HTML" } else { "text" };
    let (octets, intact) = transfer::text_of_part(raw.octets(), part, SHOWN_MAX);
    if !intact {
        message.defects.push(Defect::TransferEncoding { part: name.to_owned() });
    }
    let mut extracted = embedded::extract(if is_html(part) { &[] } else { &octets }, embedded::FILES_MAX - files.len());
    if extracted.too_many {
        message.defects.push(Defect::limit("files in the text", embedded::FILES_MAX));
    }
    files.append(&mut extracted.files);
    let octets = if is_html(part) { &octets } else { extracted.text.as_ref() };
    let (text, as_declared) = part.decode_charset(&octets[..octets.len().min(SHOWN_MAX)]);
    if !as_declared {
        message.defects.push(Defect::Charset { part: name.to_owned() });
    }
    let text = normalised(text);
    match part.content_type.get("format") {
        // RFC 3676 §4: both parameters are of text/plain alone and have no case.
        Some(format) if format.eq_ignore_ascii_case("flowed") && !is_html(part) => {
            let delsp = part.content_type.get("delsp").is_some_and(|delsp| delsp.eq_ignore_ascii_case("yes"));
            flowed::unflow(&text, delsp)
        }
        _ => text,
    }
}

fn is_html(part: &Part<'_>) -> bool {
    part.content_type.value == "text/html"
}

/// What the HTML may name with `cid:`: the ids of the parts that are not shown otherwise.
fn content_ids(
    structure: &Structure<'_>,
    choice: &body::Choice,
    containers: &attachment::Containers,
) -> HashSet<String> {
    let parts = choice.attachments.iter().filter_map(|&index| body::content_id(&structure.parts[index]));
    parts.chain(containers.content_ids()).collect()
}

/// Fills in the HTML; returns the Content-IDs of the images that it shows.
fn clean_html(source: &str, parts: &HashSet<String>, message: &mut Message) -> HashSet<String> {
    let Some(cleaned) = html::clean(source, parts) else {
        message.defects.push(Defect::HtmlTooComplex);
        return HashSet::new();
    };
    if cleaned.removed > 0 {
        message.defects.push(Defect::HtmlRemoved { count: cleaned.removed });
    }
    if !cleaned.html.trim().is_empty() {
        message.html = Some(cleaned.html);
    }
    cleaned.content_ids
}

/// LF line ends, and U+FFFD for NUL, which neither HTML nor every store knows.
fn normalised(text: Cow<'_, str>) -> String {
    if memchr::memchr2(b'\r', 0, text.as_bytes()).is_none() {
        return text.into_owned();
    }
    let mut lines = String::with_capacity(text.len());
    let mut rest = &text[..];
    while let Some(at) = memchr::memchr2(b'\r', 0, rest.as_bytes()) {
        lines.push_str(&rest[..at]);
        let is_nul = rest.as_bytes()[at] == 0;
        lines.push(if is_nul { '\u{fffd}' } else { '\n' });
        let length = if rest[at..].starts_with("\r\n") { 2 } else { 1 };
        rest = &rest[at + length..];
    }
    lines.push_str(rest);
    lines
}

/// Blocks of text stand on lines of their own.
fn append_block(text: &mut String, block: &str) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(block);
}

/// Plain text between HTML parts.
fn push_escaped(html: &mut String, text: &str) {
    html.push_str("<div>");
    for c in text.chars() {
        match c {
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '&' => html.push_str("&amp;"),
            '\n' => html.push_str("<br>"),
            _ => html.push(c),
        }
    }
    html.push_str("</div>");
}
