//! Which parts are shown as the text, which as its HTML form, and which are attachments.
//!
//! The choice of RFC 8621 §4.1.4: text and HTML are two ways to show the same body, and what is in neither is attached.

use super::header::ID_MAX;
use super::structure::{Part, Structure};

/// Indices of parts, in the order of the message.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// Parts whose sequence is the plain text; `text/html` where nothing else says the same.
    pub(super) text: Vec<usize>,
    /// Parts whose sequence is the HTML; `text/plain` where nothing else says the same.
    pub(super) html: Vec<usize>,
    /// All other leaves.
    pub(super) attachments: Vec<usize>,
}

impl Choice {
    fn append(&mut self, mut other: Self) {
        self.text.append(&mut other.text);
        self.html.append(&mut other.html);
        self.attachments.append(&mut other.attachments);
    }
}

/// Chooses for a whole message. Every leaf with content is in one of the lists, and none is both shown and attached.
pub(super) fn choose(structure: &Structure<'_>, octets: &[u8]) -> Choice {
    let place = Place { first: true, in_related: false, in_alternative: false };
    let mut choice = part(structure, octets, 0, place);
    if !choice.text.iter().chain(&choice.html).any(|&leaf| has_content(structure, octets, leaf)) {
        promote(structure, octets, &mut choice);
    }
    attach_the_rest(structure, octets, &mut choice);
    // Parts come in the order of the message whatever the nesting.
    choice.attachments.sort_unstable();
    choice
}

/// Shows the first text that is only a file by its name, or is text of another kind, in a message without words.
fn promote(structure: &Structure<'_>, octets: &[u8], choice: &mut Choice) {
    let is_wordy = |part: &Part<'_>| {
        let kind = part.content_type.value.as_str();
        matches!(
            kind,
            "text/plain" | "text/html" | "text/enriched" | "text/richtext" | "text/markdown" | "text/x-markdown"
        ) && part.disposition.value != "attachment"
            && part.disposition.get("filename").is_none()
    };
    let found = choice
        .attachments
        .iter()
        .position(|&leaf| is_wordy(&structure.parts[leaf]) && has_content(structure, octets, leaf));
    if let Some(position) = found {
        let leaf = choice.attachments.remove(position);
        choice.text.push(leaf);
        choice.html.push(leaf);
    }
}

/// Attaches what is in neither body: a form within a form of which a better one is shown, a body of what is only referred
/// to. Of an empty one there is nothing to be lost.
fn attach_the_rest(structure: &Structure<'_>, octets: &[u8], choice: &mut Choice) {
    let mut chosen = vec![false; structure.parts.len()];
    choice.text.iter().chain(&choice.html).chain(&choice.attachments).for_each(|&leaf| chosen[leaf] = true);
    let leaves = structure.parts.iter().enumerate().filter(|(_, part)| part.children.is_empty());
    let lost = leaves.map(|(leaf, _)| leaf).filter(|&leaf| !chosen[leaf] && has_content(structure, octets, leaf));
    choice.attachments.extend(lost);
}

/// Whether a part has anything but white space in it.
fn has_content(structure: &Structure<'_>, octets: &[u8], index: usize) -> bool {
    octets.get(structure.parts[index].content.clone()).is_some_and(|content| !content.trim_ascii_start().is_empty())
}

/// Where a leaf stands among its siblings; it decides what a text with a name is. The `name` of a Content-Type does not
/// make the first text a file, because scripts write it without thinking; a `filename` does. An empty text with a name is
/// not the first one.
#[derive(Debug, Clone, Copy)]
struct Place {
    first: bool,
    in_related: bool,
    in_alternative: bool,
}

/// Recursion ends at [`super::structure::NESTING_MAX`].
fn part(structure: &Structure<'_>, octets: &[u8], index: usize, place: Place) -> Choice {
    let part = &structure.parts[index];
    if part.children.is_empty() {
        return leaf(structure, octets, index, place);
    }
    match part.content_type.value.as_str() {
        "multipart/alternative" => alternative(structure, octets, part),
        "multipart/related" => related(structure, octets, part),
        _ => {
            let mut choice = Choice::default();
            let mut first = true;
            for &child in &part.children {
                let place = Place { first, in_related: false, in_alternative: false };
                choice.append(self::part(structure, octets, child, place));
                let child = &structure.parts[child];
                first &= child.declared_name().is_some() && octets[child.content.clone()].trim_ascii().is_empty();
            }
            choice
        }
    }
}

fn leaf(structure: &Structure<'_>, octets: &[u8], index: usize, place: Place) -> Choice {
    let part = &structure.parts[index];
    let kind = part.content_type.value.as_str();
    // A multipart in which no part was found: what it has is shown rather than lost.
    let is_text = matches!(kind, "text/plain" | "text/html") || is_hollow_multipart(part);
    let is_file = part.disposition.get("filename").is_some() && !place.in_alternative;
    let is_first =
        place.first && (index == 0 || part.declared_name().is_none() || has_content(structure, octets, index));
    let has_place = is_first || place.in_alternative || (!place.in_related && part.declared_name().is_none());
    if is_text && has_place && !is_file && !part.is_attachment() {
        return Choice { text: vec![index], html: vec![index], attachments: Vec::new() };
    }
    Choice { attachments: vec![index], ..Choice::default() }
}

/// Whether this claims to have parts and has none.
pub(super) fn is_hollow_multipart(part: &Part<'_>) -> bool {
    part.children.is_empty() && !part.too_deep && part.content_type.value.starts_with("multipart/")
}

/// The same content in several forms: those without HTML are the text, those with HTML the HTML.
// RFC 2046 §5.1.4
fn alternative(structure: &Structure<'_>, octets: &[u8], multipart: &Part<'_>) -> Choice {
    let mut choice = Choice::default();
    let (mut plain, mut rich) = (Vec::new(), Vec::new());
    for &child in &multipart.children {
        let place = Place { first: false, in_related: false, in_alternative: true };
        let mut form = part(structure, octets, child, place);
        choice.attachments.append(&mut form.attachments);
        let is_rich = form.html.iter().any(|&leaf| structure.parts[leaf].content_type.value == "text/html");
        if is_rich {
            rich.push(form);
        } else if !form.text.is_empty() {
            plain.push(form);
        }
    }
    // Without one of the two forms the other one serves for both.
    let says_something = |form: &Choice| form.text.iter().any(|&leaf| has_content(structure, octets, leaf));
    if plain.iter().any(says_something) || rich.is_empty() {
        choice.text.extend(plain.iter().flat_map(|form| &form.text));
    } else {
        choice.text.extend(rich.iter().flat_map(|form| &form.text));
    }
    let html = if rich.is_empty() { &plain } else { &rich };
    choice.html.extend(html.iter().flat_map(|form| &form.html));
    choice
}

/// A root, and what it refers to.
// RFC 2387
fn related(structure: &Structure<'_>, octets: &[u8], multipart: &Part<'_>) -> Choice {
    let mut choice = Choice::default();
    let start = multipart.content_type.get("start");
    let root = start
        .and_then(|start| {
            multipart.children.iter().position(|&child| content_id(&structure.parts[child]) == Some(bare(&start)))
        })
        .unwrap_or(0);
    for (position, &child) in multipart.children.iter().enumerate() {
        let place = Place { first: position == root, in_related: true, in_alternative: false };
        let mut chosen = part(structure, octets, child, place);
        if position != root {
            chosen.attachments.append(&mut chosen.text);
            chosen.html.clear();
        }
        choice.append(chosen);
    }
    choice
}

/// Content-ID without angle brackets.
pub(super) fn content_id(part: &Part<'_>) -> Option<String> {
    part.fields.get("Content-ID").map(|field| bare(&field)).filter(|id| !id.is_empty() && id.len() <= ID_MAX)
}

/// An id without angle brackets, blanks and control characters.
pub(super) fn bare(id: &str) -> String {
    id.trim().trim_matches(['<', '>']).chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect()
}
