//! HTML of strangers, cleaned so that showing it runs, loads and covers nothing.
//!
//! Behind a linear scan that keeps what would cost the cleaner more than linear time away from it.

use ammonia::{Builder, UrlRelative};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// HTML up to this many octets is cleaned.
const SIZE_MAX: usize = 2 * 1024 * 1024;
/// Elements within elements.
const DEPTH_MAX: usize = 512;
/// Attributes of one tag.
const ATTRIBUTES_MAX: usize = 1_000;
/// Ampersands, each of which may begin a character reference.
const AMPERSANDS_MAX: usize = 50_000;
/// Tags, and whatever else begins with `<`. A parser moves what stands in a table outside of its cells in front of it, at
/// a cost that grows with the square of its number; so many tags still take well under a second.
const TAGS_MAX: usize = 40_000;
/// Formatting elements (`b`, `font`, …) that a parser opens again in every following block, summed over all tags.
const FORMATTING_MAX: usize = 1_000_000;

/// What became of some HTML.
#[derive(Debug, Default)]
pub(super) struct Cleaned {
    /// Safe to be shown.
    pub(super) html: String,
    /// Things that could run, load or cover and were taken out.
    pub(super) removed: u64,
    /// Content-IDs of the images it shows.
    pub(super) content_ids: HashSet<String>,
}

/// Cleans `html`, or `None` where it is too complex for that.
pub(super) fn clean(html: &str) -> Option<Cleaned> {
    let scan = scan(html)?;
    let clean = CLEANER.clean(html).to_string();
    Some(Cleaned { html: clean, removed: scan.removed, content_ids: scan.content_ids })
}

/// What one linear pass over the tags finds.
#[derive(Debug, Default)]
struct Scan {
    removed: u64,
    content_ids: HashSet<String>,
}

/// Elements that could run, load or cover.
const ACTIVE: [&str; 25] = [
    "script", "iframe", "frame", "frameset", "object", "embed", "applet", "form", "input", "button", "select",
    "textarea", "base", "link", "svg", "math", "video", "audio", "source", "track", "portal", "layer", "bgsound",
    "marquee", "dialog",
];
/// Elements that have no end tag, or whose end is implied by the next one; they add no depth of their own.
const FLAT: [&str; 32] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr", "p",
    "li", "dt", "dd", "td", "th", "tr", "tbody", "thead", "tfoot", "colgroup", "option", "optgroup", "html", "head",
    "body", "bgsound", "basefont",
];
const FORMATTING: [&str; 14] =
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];

fn scan(html: &str) -> Option<Scan> {
    let octets = html.as_bytes();
    let too_many = |octet, most| memchr::memchr_iter(octet, octets).count() > most;
    if octets.len() > SIZE_MAX || too_many(b'&', AMPERSANDS_MAX) || too_many(b'<', TAGS_MAX) {
        return None;
    }
    let mut found = Scan::default();
    let mut nesting = Nesting::default();
    let mut at = 0;
    while let Some(step) = memchr::memchr(b'<', &octets[at..]) {
        at += step + 1;
        if octets[at..].starts_with(b"!--") {
            at = end_of_comment(octets, at + 3);
            continue;
        }
        let closing = octets.get(at) == Some(&b'/');
        let Some(tag) = Tag::parse(html, at + usize::from(closing)) else {
            // `<!…>`, `<?…>` and `</ …>` are comments up to the next `>`, or text.
            if matches!(octets.get(at), Some(b'!' | b'?' | b'/')) && at >= nesting.uncertain_until {
                nesting.uncertain_until = end_of(octets, at, |b| b == b'>');
            }
            continue;
        };
        let name = tag.name.to_ascii_lowercase();
        if closing {
            nesting.close(&name, at);
        } else {
            found.look_at(&name, &tag);
            nesting.open(&name, octets, &tag);
        }
        at = tag.end;
        if nesting.depth > DEPTH_MAX || tag.attributes.len() > ATTRIBUTES_MAX || nesting.reopened > FORMATTING_MAX {
            return None;
        }
    }
    Some(found)
}

/// The first position behind a comment whose text begins at `at`.
// HTML Standard §13.2.5.43 to §13.2.5.52
fn end_of_comment(octets: &[u8], at: usize) -> usize {
    let text = &octets[at..];
    if text.starts_with(b">") || text.starts_with(b"->") {
        return at;
    }
    let mut from = 0;
    while let Some(dashes) = memchr::memmem::find(&text[from..], b"--") {
        from += dashes + 1;
        if text[from + 1..].starts_with(b">") || text[from + 1..].starts_with(b"!>") {
            return at + from + 1;
        }
    }
    octets.len()
}

/// An upper bound of how deep elements nest. Where a browser might see text or a comment, start tags count and end tags
/// do not, so that nothing hides its depth there.
#[derive(Debug, Default)]
struct Nesting {
    depth: usize,
    /// Open formatting elements, and how often a parser would open them again.
    formatting: usize,
    reopened: usize,
    by_name: HashMap<String, usize>,
    /// Until here end tags may be text.
    uncertain_until: usize,
}

impl Nesting {
    fn open(&mut self, name: &str, octets: &[u8], tag: &Tag<'_>) {
        self.reopened += self.formatting;
        if RAW_TEXT.contains(&name) && tag.end >= self.uncertain_until {
            self.uncertain_until = end_of_raw_text(octets, tag.end, name);
        }
        if FLAT.contains(&name) {
            return;
        }
        *self.by_name.entry(name.to_owned()).or_default() += 1;
        self.depth += 1;
        self.formatting += usize::from(FORMATTING.contains(&name));
    }

    fn close(&mut self, name: &str, at: usize) {
        if at < self.uncertain_until {
            return;
        }
        if let Some(count) = self.by_name.get_mut(name).filter(|count| **count > 0) {
            *count -= 1;
            self.depth -= 1;
            self.formatting -= usize::from(FORMATTING.contains(&name));
        }
    }
}

/// Elements in which tags are text, unless they stand in SVG or MathML.
const RAW_TEXT: [&str; 9] =
    ["script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "noscript"];

/// Where the end tag of a raw text element begins.
fn end_of_raw_text(octets: &[u8], from: usize, name: &str) -> usize {
    let mut at = from;
    while let Some(step) = memchr::memmem::find(&octets[at..], b"</") {
        at += step + 2;
        if octets[at..].get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes())) {
            return at - 1;
        }
    }
    octets.len()
}

impl Scan {
    fn look_at(&mut self, name: &str, tag: &Tag<'_>) {
        if ACTIVE.contains(&name) {
            self.removed += 1;
        }
        for (attribute, value) in &tag.attributes {
            let value = value.trim();
            let is_handler = attribute.len() > 2 && attribute.as_bytes()[..2].eq_ignore_ascii_case(b"on");
            let is_image = name == "img" && attribute.eq_ignore_ascii_case("src");
            let is_link = attribute.eq_ignore_ascii_case("href") && name == "a";
            if is_image && let Some(id) = content_id(value) {
                self.content_ids.insert(id);
                continue;
            }
            let is_unsafe_link = is_link && !value.is_empty() && !is_safe_link(value);
            let is_style = attribute.eq_ignore_ascii_case("style") && value.to_ascii_lowercase().contains("url(");
            let is_background =
                attribute.eq_ignore_ascii_case("background") || attribute.eq_ignore_ascii_case("srcset");
            self.removed += u64::from(is_handler || is_image || is_unsafe_link || is_style || is_background);
        }
    }
}

/// One start or end tag.
struct Tag<'x> {
    name: &'x str,
    attributes: Vec<(&'x str, &'x str)>,
    /// First octet behind it.
    end: usize,
}

impl<'x> Tag<'x> {
    /// Reads the tag whose name begins at `at`.
    fn parse(html: &'x str, at: usize) -> Option<Self> {
        let octets = html.as_bytes();
        if !octets.get(at)?.is_ascii_alphabetic() {
            return None;
        }
        let name_end = end_of(octets, at, |b| b.is_ascii_whitespace() || b == b'>' || b == b'/');
        let mut tag = Self { name: &html[at..name_end], attributes: Vec::new(), end: octets.len() };
        let mut at = name_end;
        loop {
            at = end_of(octets, at, |b| !b.is_ascii_whitespace() && b != b'/');
            match octets.get(at) {
                None => return Some(tag),
                Some(b'>') => {
                    tag.end = at + 1;
                    return Some(tag);
                }
                Some(_) => {}
            }
            let name = at;
            // An equals sign in first place is part of the name (HTML Standard §13.2.5.32).
            at = end_of(octets, at + 1, |b| b.is_ascii_whitespace() || matches!(b, b'>' | b'/' | b'='));
            let attribute = &html[name..at];
            let mut value = "";
            let equals = end_of(octets, at, |b| !b.is_ascii_whitespace());
            if octets.get(equals) == Some(&b'=') {
                let start = end_of(octets, equals + 1, |b| !b.is_ascii_whitespace());
                (value, at) = attribute_value(html, start);
            }
            if tag.attributes.len() <= ATTRIBUTES_MAX {
                tag.attributes.push((attribute, value));
            }
        }
    }
}

/// The value that begins at `start`, and the first octet behind it.
fn attribute_value(html: &str, start: usize) -> (&str, usize) {
    let octets = html.as_bytes();
    match octets.get(start) {
        Some(&quote @ (b'"' | b'\'')) => {
            let end = end_of(octets, start + 1, |b| b == quote);
            (&html[start + 1..end], (end + 1).min(octets.len()))
        }
        Some(_) => {
            let end = end_of(octets, start, |b| b.is_ascii_whitespace() || b == b'>');
            (&html[start..end], end)
        }
        None => ("", octets.len()),
    }
}

/// The first position from `at` on whose octet is `wanted`. All of these octets are ASCII, so it is a character border.
fn end_of(octets: &[u8], at: usize, wanted: impl Fn(u8) -> bool) -> usize {
    octets.get(at..).and_then(|rest| rest.iter().position(|b| wanted(*b))).map_or(octets.len(), |step| at + step)
}

/// The id that a `cid:` address names (RFC 2392).
fn content_id(address: &str) -> Option<String> {
    let (scheme, id) = address.trim().split_once(':')?;
    if !scheme.eq_ignore_ascii_case("cid") {
        return None;
    }
    let mut octets = Vec::new();
    super::parameter::percent_decode(id, &mut octets);
    Some(super::body::bare(&String::from_utf8_lossy(&octets)))
}

fn is_safe_link(address: &str) -> bool {
    let scheme = address.split(':').next().unwrap_or_default();
    ["http", "https", "mailto", "tel"].iter().any(|safe| scheme.eq_ignore_ascii_case(safe)) || address.starts_with('#')
}

/// The cleaner: what is not named here falls away.
static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::default();
    builder
        .add_tags(&["font", "big"])
        .rm_tags(&["area", "map"])
        .add_clean_content_tags(&[
            "title", "iframe", "noembed", "noframes", "template", "object", "select", "svg", "math",
        ])
        .add_generic_attributes(&["dir", "align", "valign", "bgcolor", "style", "width", "height"])
        .add_tag_attributes("font", &["color", "face", "size"])
        .add_tag_attributes("table", &["border", "cellpadding", "cellspacing"])
        .add_tag_attributes("ol", &["type"])
        .add_tag_attributes("td", &["nowrap"])
        .rm_tag_attributes("blockquote", &["cite"])
        .rm_tag_attributes("q", &["cite"])
        .rm_tag_attributes("ins", &["cite"])
        .rm_tag_attributes("del", &["cite"])
        .url_schemes(HashSet::from(["http", "https", "mailto", "cid"]))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow"))
        .strip_comments(true)
        .attribute_filter(|element, attribute, value| match (element, attribute) {
            ("img", "src") => content_id(value).map(|id| Cow::Owned(format!("cid:{id}"))),
            (_, "src") => None,
            (_, "href") => content_id(value).is_none().then_some(Cow::Borrowed(value)),
            (_, "style") => safe_style(value).map(Cow::Owned),
            _ => Some(Cow::Borrowed(value)),
        });
    builder
});

/// Properties that colour, size and align, and nothing that takes an element out of its place.
const PROPERTIES: [&str; 41] = [
    "background-color",
    "border",
    "border-bottom",
    "border-bottom-color",
    "border-bottom-style",
    "border-bottom-width",
    "border-collapse",
    "border-color",
    "border-left",
    "border-left-color",
    "border-left-style",
    "border-left-width",
    "border-radius",
    "border-right",
    "border-spacing",
    "border-style",
    "border-top",
    "border-width",
    "color",
    "direction",
    "font-family",
    "font-size",
    "font-style",
    "font-variant",
    "font-weight",
    "height",
    "letter-spacing",
    "line-height",
    "list-style-type",
    "margin",
    "margin-bottom",
    "margin-left",
    "margin-top",
    "max-width",
    "padding",
    "padding-left",
    "text-align",
    "text-decoration",
    "vertical-align",
    "white-space",
    "width",
];

/// The harmless declarations of a style attribute. A declaration with anything in it that a value of these properties
/// does not need is dropped whole: escapes, comments, functions other than colours, negative lengths.
fn safe_style(style: &str) -> Option<String> {
    let mut kept = String::new();
    for declaration in style.split(';') {
        let Some((property, value)) = declaration.split_once(':') else { continue };
        let property = property.trim().to_ascii_lowercase();
        let value = value.trim();
        if PROPERTIES.contains(&property.as_str()) && is_safe_value(value) {
            if !kept.is_empty() {
                kept.push(';');
            }
            kept.push_str(&property);
            kept.push(':');
            kept.push_str(value);
        }
    }
    (!kept.is_empty()).then_some(kept)
}

fn is_safe_value(value: &str) -> bool {
    let plain = value.chars().all(|c| c.is_alphanumeric() || " #.,%()-'\"!+".contains(c));
    let is_negative =
        value.as_bytes().windows(2).any(|pair| pair[0] == b'-' && (pair[1].is_ascii_digit() || pair[1] == b'.'))
            && !value.contains(['\'', '"']);
    let functions = value.split('(').rev().skip(1).all(|before| {
        let name = before.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        ["rgb", "rgba", "hsl", "hsla"].iter().any(|colour| name.eq_ignore_ascii_case(colour))
    });
    plain && !is_negative && functions && value.len() <= 200
}
