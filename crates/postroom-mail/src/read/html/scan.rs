//! One linear pass over the tags: keeps from the cleaner what would cost it more than linear time, and counts what the
//! cleaner is going to take out.

use super::super::reference;
use super::tag::{ATTRIBUTES_MAX, RAW_TEXT, Tag, end_of, end_of_comment, end_of_raw_text, lower};
use super::{link, style};
use std::collections::HashMap;

/// HTML up to this many octets is cleaned.
const SIZE_MAX: usize = 2 * 1024 * 1024;
/// Elements within elements.
const DEPTH_MAX: usize = 512;
/// Ampersands, each of which may begin a character reference.
const AMPERSANDS_MAX: usize = 50_000;
/// Tags, and whatever else begins with `<`. A parser moves what stands in a table outside of its cells in front of it, at
/// a cost that grows with the square of its number; so many tags still take well under a second.
const TAGS_MAX: usize = 40_000;
/// Formatting elements (`b`, `font`, …) that a parser opens again in every following block, summed over all tags.
const FORMATTING_MAX: usize = 1_000_000;

/// Octets that the library looks at to write out all text: it searches the whole rest of a text again behind every
/// ampersand and every no-break space.
const WRITING_MAX: usize = 4_000_000_000;

/// Elements that have no end tag, or whose end is implied by the next one; they add no depth of their own.
const FLAT: [&str; 32] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr", "p",
    "li", "dt", "dd", "td", "th", "tr", "tbody", "thead", "tfoot", "colgroup", "option", "optgroup", "html", "head",
    "body", "bgsound", "basefont",
];
const FORMATTING: [&str; 14] =
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];

/// Whether `html` is within the limits that need no look at its tags.
pub(super) fn fits(html: &str) -> bool {
    let few = |octet, most| memchr::memchr_iter(octet, html.as_bytes()).count() <= most;
    html.len() <= SIZE_MAX && few(b'&', AMPERSANDS_MAX) && few(b'<', TAGS_MAX)
}

/// How many things there are in `html` that could run, load or cover; `None` where it is too complex to be cleaned.
pub(super) fn scan(html: &str) -> Option<u64> {
    let octets = html.as_bytes();
    let (mut active, mut nesting) = (0, Nesting::default());
    let (mut tag, mut buffer) = (Tag::default(), String::new());
    let mut writing = Writing::default();
    // Where scripts do not run, the content of a `noscript` is markup.
    let mut raw_until = 0;
    let mut at = 0;
    while let Some(step) = memchr::memchr(b'<', &octets[at..]) {
        at += step + 1;
        if octets[at..].starts_with(b"!--") {
            at = end_of_comment(octets, at + 3).0;
            continue;
        }
        let closing = octets.get(at) == Some(&b'/');
        if !tag.read(html, at + usize::from(closing)) {
            // `<!…>`, `<?…>` and `</ …>` are comments up to the next `>`, or text.
            if matches!(octets.get(at), Some(b'!' | b'?' | b'/')) {
                if at >= nesting.uncertain_until {
                    nesting.uncertain_until = end_of(octets, at, |b| b == b'>');
                }
                if at >= raw_until {
                    raw_until = end_of(octets, at, |b| b == b'>');
                }
            }
            continue;
        }
        let name = lower(tag.name, &mut buffer);
        if closing {
            nesting.close(name, at);
        } else {
            nesting.open(name, octets, &tag);
            if SEPARATE.contains(&name) {
                writing.look_at(octets, at);
            }
            if at >= raw_until {
                active += active_in(name, &tag);
                if name != "noscript" && RAW_TEXT.contains(&name) {
                    raw_until = end_of_raw_text(octets, tag.end, name);
                    active += u64::from(name == "style" && style::is_active(&html[tag.end..raw_until]));
                }
            }
        }
        if at < raw_until && raw_until < tag.end {
            // As text it ends before that; as a tag it does not.
            nesting.uncertain_until = nesting.uncertain_until.max(tag.end);
            at = raw_until;
        } else {
            at = tag.end;
        }
        if writing.cost > WRITING_MAX {
            return None;
        }
        if nesting.depth > DEPTH_MAX || tag.attributes.len() > ATTRIBUTES_MAX || nesting.reopened > FORMATTING_MAX {
            return None;
        }
    }
    writing.look_at(octets, octets.len());
    (writing.cost <= WRITING_MAX).then_some(active)
}

/// Elements that always stand between the text before and after them; others may leave it in one piece.
const SEPARATE: [&str; 12] = ["p", "div", "br", "span", "a", "b", "font", "li", "img", "h1", "h2", "h3"];

/// An upper bound of what it costs the library to write out all text.
#[derive(Debug, Default)]
struct Writing {
    cost: usize,
    /// Where the text begins that is not in it yet.
    from: usize,
}

impl Writing {
    fn look_at(&mut self, octets: &[u8], to: usize) {
        let text = octets.get(self.from..to).unwrap_or_default();
        // 0xC2 begins a no-break space and others that are searched like one.
        let stops = memchr::memchr2_iter(b'&', 0xc2, text).count();
        self.cost = self.cost.saturating_add(stops.saturating_mul(text.len()));
        self.from = to;
    }
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
            self.uncertain_until = end_of_raw_text(octets, tag.end, name) + 1;
        }
        if FLAT.contains(&name) {
            return;
        }
        match self.by_name.get_mut(name) {
            Some(count) => *count += 1,
            None => {
                self.by_name.insert(name.to_owned(), 1);
            }
        }
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

/// Elements that could run, load or cover.
fn is_active_element(name: &str) -> bool {
    matches!(
        name,
        "script"
            | "iframe"
            | "frame"
            | "frameset"
            | "object"
            | "embed"
            | "applet"
            | "form"
            | "input"
            | "button"
            | "select"
            | "textarea"
            | "base"
            | "link"
            | "svg"
            | "math"
            | "video"
            | "audio"
            | "source"
            | "track"
            | "portal"
            | "layer"
            | "bgsound"
            | "marquee"
            | "dialog"
            | "fencedframe"
            | "keygen"
            | "isindex"
            | "image"
    )
}

/// How many things one tag brings that could run, load or cover: itself, or else its attributes and declarations.
/// An image of the message itself is none.
pub(super) fn active_in(name: &str, tag: &Tag<'_>) -> u64 {
    if is_active_element(name) {
        return 1;
    }
    let mut buffer = String::new();
    let attributes = tag.attributes.iter();
    attributes.map(|(attribute, value)| active_attribute(name, lower(attribute, &mut buffer), value)).sum()
}

fn active_attribute(name: &str, attribute: &str, value: &str) -> u64 {
    let is_active = match attribute {
        "style" => return style::sift(&reference::decode(value)).removed,
        "src" => !value.trim().is_empty() && link::content_id(&reference::decode(value)).is_none(),
        "href" if name == "a" => !link::is_harmless(&reference::decode(value)),
        "href" => name == "area",
        "http-equiv" => value.trim().eq_ignore_ascii_case("refresh"),
        "hidden" => true,
        // These load something on any element.
        "background" | "srcset" | "poster" | "lowsrc" | "dynsrc" | "ping" | "formaction" | "srcdoc" => true,
        _ => attribute.len() > 2 && attribute.starts_with("on"),
    };
    u64::from(is_active)
}
