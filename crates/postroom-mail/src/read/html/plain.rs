//! The quick way for HTML in which nothing has to be repaired.
//!
//! Most mail is well-formed: what is opened is closed in its order, and of the repairs that a parser makes it needs only
//! a few (the end of a paragraph, an item, a cell; the body of a table; an end in the wrong order). Such HTML is cleaned here
//! in one pass, to the same octets that the library writes; a test compares both on every message and vector at hand and
//! on mutations of them. At the first thing that is anything else — an unknown element, an end that would open something
//! again, a doubtful reference — this way ends and the library does the whole. What may stay is decided by the same rules
//! in both.

use super::super::reference::{self, Reference};
use super::element::{Kind, element, may_have};
use super::library::{LINK_REL, filter};
use super::tag::{Tag, end_of, end_of_comment, end_of_raw_text, lower};
use super::{link, scan, style};
use std::borrow::Cow;

/// Elements within elements; more of them go the other way.
const DEPTH_MAX: usize = 100;
/// Attributes of one tag; a tag with more goes the other way.
const ATTRIBUTES_MAX: usize = 50;

/// Cleans `html`, which is within the limits of [`scan::fits`], and counts what could do harm, if it is well-formed.
pub(super) fn clean(html: &str) -> Option<(String, u64)> {
    if html.starts_with('\u{feff}') || memchr::memchr2(0, b'\r', html.as_bytes()).is_some() {
        return None;
    }
    let mut writer = Writer { out: String::with_capacity(html.len()), ..Writer::default() };
    let octets = html.as_bytes();
    let mut tag = Tag::default();
    let mut at = 0;
    while let Some(step) = memchr::memchr(b'<', &octets[at..]) {
        writer.text(&html[at..at + step])?;
        at += step + 1;
        at = match octets.get(at)? {
            b'!' if octets[at..].starts_with(b"!--") => {
                let (end, ended) = end_of_comment(octets, at + 3);
                ended.then_some(end)?
            }
            // A document type, or a comment by mistake (HTML Standard §13.2.5.41).
            b'!' | b'?' => end_of(octets, at, |b| b == b'>') + 1,
            b'/' => {
                if !tag.read(html, at + 1) || !tag.ended {
                    return None;
                }
                writer.end(tag.name)?;
                tag.end
            }
            first if first.is_ascii_alphabetic() => {
                if !tag.read(html, at) || !tag.ended || tag.attributes.len() > ATTRIBUTES_MAX {
                    return None;
                }
                if writer.start(&tag, html)? == Kind::Raw { end_of_hidden(html, &tag)? } else { tag.end }
            }
            _ => {
                writer.text("<")?;
                at
            }
        };
        if at > octets.len() || writer.open.len() > DEPTH_MAX {
            return None;
        }
    }
    writer.text(&html[at..])?;
    while !writer.open.is_empty() {
        writer.pop();
    }
    Some((writer.out, writer.active))
}

/// The first octet behind the element whose start tag `tag` is, and whose content is no markup.
fn end_of_hidden(html: &str, tag: &Tag<'_>) -> Option<usize> {
    let end = end_of_raw_text(html.as_bytes(), tag.end, tag.name);
    // Within a comment the end of a script need not be one (HTML Standard §13.2.5.17 to §13.2.5.31).
    if tag.name.eq_ignore_ascii_case("script") && html.get(tag.end..end)?.contains("<!--") {
        return None;
    }
    let behind = html.get(end + 2 + tag.name.len()..)?.trim_ascii_start();
    behind.starts_with('>').then(|| html.len() - behind.len() + 1)
}

#[derive(Debug, Clone, Copy)]
struct Open<'x> {
    name: &'x str,
    kind: Kind,
    shown: bool,
}

#[derive(Debug, Default)]
struct Writer<'x> {
    out: String,
    open: Vec<Open<'x>>,
    active: u64,
    /// Formatting elements that ended with something around them. Until their own end tags a parser opens them again
    /// wherever anything follows that they could format (HTML Standard §13.2.4.3).
    ended: Vec<&'x str>,
    /// Whether the last thing was the start of preformatted text.
    at_preformatted: bool,
}

impl<'x> Writer<'x> {
    fn text(&mut self, text: &str) -> Option<()> {
        if text.is_empty() {
            return Some(());
        }
        // A parser drops a line end at the start of preformatted text, also one that is written as a reference.
        let is_blank = text.bytes().all(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\x0c'));
        if !is_blank && self.top().is_some_and(|kind| kind.is_frame_of_cells())
            || self.at_preformatted && text.starts_with(['\n', '&'])
            || !self.ended.is_empty()
        {
            return None;
        }
        self.at_preformatted = false;
        let mut rest = text;
        while let Some(position) = memchr::memchr(b'&', rest.as_bytes()) {
            escape_text(&rest[..position], &mut self.out);
            rest = &rest[position + 1..];
            match reference::at(rest, false) {
                Reference::Ampersand => self.out.push_str("&amp;"),
                Reference::To(first, second, length) => {
                    for character in [Some(first), second].into_iter().flatten() {
                        escape_text(character.encode_utf8(&mut [0; 4]), &mut self.out);
                    }
                    rest = &rest[length..];
                }
                Reference::Unknown => return None,
            }
        }
        escape_text(rest, &mut self.out);
        Some(())
    }

    /// A start tag; says what it starts.
    fn start(&mut self, tag: &Tag<'x>, html: &str) -> Option<Kind> {
        let mut buffer = String::new();
        let name = lower(tag.name, &mut buffer);
        let (kind, shown) = element(name)?;
        self.active += scan::active_in(name, tag);
        self.at_preformatted = false;
        if !self.ended.is_empty() && !kind.is_block() {
            return None;
        }
        match kind {
            Kind::Frame | Kind::Silent => return Some(kind),
            Kind::Raw => {
                let content = &html[tag.end..end_of_raw_text(html.as_bytes(), tag.end, name)];
                self.active += u64::from(name == "style" && style::is_active(content));
                return Some(kind);
            }
            Kind::Section | Kind::Row | Kind::Cell => self.part_of_table(kind)?,
            _ => self.content(kind, name)?,
        }
        if shown {
            self.out.push('<');
            self.out.push_str(name);
            self.attributes(name, tag)?;
            self.out.push('>');
        }
        if !matches!(kind, Kind::Void | Kind::Rule) {
            self.open.push(Open { name: tag.name, kind, shown });
        }
        self.at_preformatted = kind == Kind::Preformatted;
        Some(kind)
    }

    /// Makes room for something that stands in text (HTML Standard §13.2.6.4.7).
    fn content(&mut self, kind: Kind, name: &str) -> Option<()> {
        if self.top().is_some_and(|top| top.is_frame_of_cells() || kind == Kind::Heading && top == Kind::Heading) {
            return None;
        }
        match kind {
            Kind::Link if self.open.iter().any(|open| open.name.eq_ignore_ascii_case(name)) => return None,
            Kind::Item => {
                self.end_item(name)?;
                self.end_paragraph()?;
            }
            Kind::Block | Kind::Heading | Kind::Paragraph | Kind::Preformatted | Kind::Rule | Kind::Table => {
                self.end_paragraph()?;
            }
            _ => {}
        }
        // A heading may have come up from under a paragraph.
        (kind != Kind::Heading || self.top() != Some(Kind::Heading)).then_some(())
    }

    /// Ends the paragraph in which a block would stand.
    fn end_paragraph(&mut self) -> Option<()> {
        let within = self.open.iter().rev().take_while(|open| !matches!(open.kind, Kind::Table | Kind::Cell));
        let depth = within.enumerate().find(|(_, open)| open.kind == Kind::Paragraph).map(|(depth, _)| depth);
        match depth {
            None => Some(()),
            Some(0) => {
                self.pop();
                Some(())
            }
            Some(_) => None,
        }
    }

    /// Ends the item before the item `name`.
    fn end_item(&mut self, name: &str) -> Option<()> {
        let is_list = name == "li";
        let position = self.open.iter().rposition(|open| {
            let passes = ["div", "address", "p"].iter().any(|passed| open.name.eq_ignore_ascii_case(passed));
            open.kind == Kind::Item && open.name.eq_ignore_ascii_case("li") == is_list
                || open.kind.is_special() && !passes
        });
        let Some(position) = position else { return Some(()) };
        let found = self.open[position];
        if found.kind != Kind::Item || found.name.eq_ignore_ascii_case("li") != is_list {
            return Some(());
        }
        while self.open.len() > position + 1 && self.top() == Some(Kind::Paragraph) {
            self.pop();
        }
        (self.open.len() == position + 1).then(|| self.pop())
    }

    /// Makes room for a part of a table, opening and closing what is implied (HTML Standard §13.2.6.4.9 and following).
    fn part_of_table(&mut self, kind: Kind) -> Option<()> {
        loop {
            match (self.top()?, kind) {
                (Kind::Table, Kind::Section) | (Kind::Section, Kind::Row) | (Kind::Row, Kind::Cell) => return Some(()),
                (Kind::Table, _) => self.imply("tbody", Kind::Section),
                (Kind::Section, Kind::Cell) => self.imply("tr", Kind::Row),
                (Kind::Section, _) | (Kind::Row, _) => self.pop(),
                (Kind::Cell, _) => self.pop(),
                (implied, _) if implied.is_implied() && self.is_in_cell() => self.pop(),
                _ => return None,
            }
        }
    }

    fn is_in_cell(&self) -> bool {
        let part = |open: &&Open<'_>| open.kind.is_frame_of_cells() || open.kind == Kind::Cell;
        self.open.iter().rev().find(part).is_some_and(|open| open.kind == Kind::Cell)
    }

    fn imply(&mut self, name: &'static str, kind: Kind) {
        for piece in ["<", name, ">"] {
            self.out.push_str(piece);
        }
        self.open.push(Open { name, kind, shown: true });
    }

    /// An end tag.
    fn end(&mut self, written: &str) -> Option<()> {
        let mut buffer = String::new();
        let name = lower(written, &mut buffer);
        let (kind, _) = element(name)?;
        self.at_preformatted = false;
        let is = |open: &Open<'_>| open.name.eq_ignore_ascii_case(name);
        match kind {
            Kind::Frame => return Some(()),
            Kind::Silent | Kind::Raw | Kind::Void | Kind::Rule => return None,
            Kind::Block | Kind::Preformatted => return self.end_out_of_order(kind, is),
            Kind::Heading | Kind::Item => self.imply_ends(is),
            // Whatever is open of its cells ends with a part of a table.
            Kind::Cell | Kind::Table | Kind::Section | Kind::Row => {
                self.ended.is_empty().then_some(())?;
                self.imply_ends(is);
                if kind != Kind::Cell {
                    self.end_cells(is)?;
                }
            }
            Kind::Formatting | Kind::Link => {
                let ended = self.ended.iter().rposition(|ended| ended.eq_ignore_ascii_case(name));
                // Of more than three that are alike a parser forgets the first (HTML Standard §13.2.4.3).
                if let Some(ended) = ended {
                    self.ended.remove(ended);
                    return (self.open.iter().filter(|open| is(open)).count() < 3).then_some(());
                }
            }
            Kind::Paragraph | Kind::Inline => {}
        }
        if self.open.last().is_some_and(is) {
            self.pop();
            return Some(());
        }
        self.end_out_of_order(kind, is)
    }

    /// Ends paragraphs and items that nothing else ends, but for the one that is to be ended.
    fn imply_ends(&mut self, is: impl Fn(&Open<'_>) -> bool) {
        while self.open.last().is_some_and(|open| open.kind.is_implied() && !is(open)) {
            self.pop();
        }
    }

    /// Ends the cell, the row and the section before the end of the part of a table that is to be ended.
    fn end_cells(&mut self, is: impl Fn(&Open<'_>) -> bool) -> Option<()> {
        if self.is_in_cell() {
            while self.top().is_some_and(Kind::is_implied) {
                self.pop();
            }
            (self.top()? == Kind::Cell).then(|| self.pop())?;
        }
        let is_inner = |open: &Open<'_>| open.kind.is_frame_of_cells() && open.kind != Kind::Table && !is(open);
        while self.open.last().is_some_and(is_inner) {
            self.pop();
        }
        Some(())
    }

    /// The end of a block, or of something that is not what was opened last (HTML Standard §13.2.6.4.7).
    fn end_out_of_order(&mut self, kind: Kind, is: impl Fn(&Open<'_>) -> bool) -> Option<()> {
        if self.top().is_some_and(Kind::is_frame_of_cells) {
            return None;
        }
        let found = self.open.iter().rposition(is);
        let within = found.and_then(|found| self.open.get(found + 1..)).unwrap_or_default();
        let is_only = |allowed: fn(Kind) -> bool| within.iter().all(|open| allowed(open.kind));
        let ends = match kind {
            Kind::Inline | Kind::Formatting | Kind::Link | Kind::Paragraph => is_only(|kind| !kind.is_special()),
            Kind::Block | Kind::Preformatted => is_only(|kind| !kind.is_frame_of_cells() && kind != Kind::Cell),
            _ => return None,
        };
        match (found, kind) {
            (Some(found), _) if ends => self.end_down_to(found),
            // The end of nothing.
            (_, Kind::Block | Kind::Preformatted | Kind::Inline) | (None, Kind::Formatting | Kind::Link) => {}
            _ => return None,
        }
        Some(())
    }

    /// Ends an element with all that is open in it.
    fn end_down_to(&mut self, position: usize) {
        let inner = self.open.get(position + 1..).unwrap_or_default().iter();
        let formatting = inner.filter(|open| matches!(open.kind, Kind::Formatting | Kind::Link));
        self.ended.extend(formatting.map(|open| open.name));
        while self.open.len() > position {
            self.pop();
        }
    }

    fn top(&self) -> Option<Kind> {
        self.open.last().map(|open| open.kind)
    }

    fn pop(&mut self) {
        let Some(open) = self.open.pop().filter(|open| open.shown) else { return };
        self.out.push_str("</");
        let start = self.out.len();
        self.out.push_str(open.name);
        if let Some(name) = self.out.get_mut(start..) {
            name.make_ascii_lowercase();
        }
        self.out.push('>');
    }

    /// The attributes that may stay, in the order in which the library writes them.
    fn attributes(&mut self, element: &str, tag: &Tag<'x>) -> Option<()> {
        let mut kept: Vec<(&str, Cow<'_, str>)> = Vec::new();
        for (index, &(name, value)) in tag.attributes.iter().enumerate() {
            let Some(name) = known(name).filter(|name| may_have(element, name)) else { continue };
            if tag.attributes[..index].iter().any(|(before, _)| before.eq_ignore_ascii_case(name)) {
                continue;
            }
            let mut value = Cow::Borrowed(value);
            if value.contains('&') {
                let mut decoded = String::with_capacity(value.len());
                reference::decode_into(&value, &mut decoded).then_some(())?;
                value = Cow::Owned(decoded);
            }
            if !matches!(name, "href" | "src") || link::may_stay(&value) {
                kept.push((name, value));
            }
        }
        if element == "a" {
            kept.push(("rel", Cow::Borrowed(LINK_REL)));
        }
        // From the end, as each that goes is replaced with the last one.
        for index in (0..kept.len()).rev() {
            let (name, value) = &kept[index];
            match filter(element, name, value) {
                Some(same) if same == *value => {}
                Some(other) => kept[index].1 = Cow::Owned(other.into_owned()),
                None => {
                    kept.swap_remove(index);
                }
            }
        }
        for (name, value) in &kept {
            for piece in [" ", name, "=\""] {
                self.out.push_str(piece);
            }
            escape_value(value, &mut self.out);
            self.out.push('"');
        }
        Some(())
    }
}

/// The name of an attribute that may stand anywhere, in lower case.
fn known(name: &str) -> Option<&'static str> {
    ATTRIBUTES.into_iter().find(|known| known.eq_ignore_ascii_case(name))
}

const ATTRIBUTES: [&str; 32] = [
    "style",
    "href",
    "width",
    "height",
    "align",
    "valign",
    "src",
    "alt",
    "border",
    "cellpadding",
    "cellspacing",
    "bgcolor",
    "color",
    "face",
    "size",
    "lang",
    "title",
    "dir",
    "colspan",
    "rowspan",
    "nowrap",
    "open",
    "hreflang",
    "summary",
    "char",
    "charoff",
    "headers",
    "scope",
    "start",
    "type",
    "datetime",
    "rel",
];

/// Text as the library writes it (HTML Standard §13.3).
fn escape_text(text: &str, out: &mut String) {
    escape(text, out, false);
}

fn escape_value(value: &str, out: &mut String) {
    escape(value, out, true);
}

/// What may have to be written in another way.
const SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    special[b'&' as usize] = true;
    special[b'<' as usize] = true;
    special[b'>' as usize] = true;
    special[b'"' as usize] = true;
    special[0xc2] = true;
    special
};

fn escape(text: &str, out: &mut String, in_value: bool) {
    let octets = text.as_bytes();
    let mut from = 0;
    while let Some(step) = octets[from..].iter().position(|b| SPECIAL[usize::from(*b)]) {
        let at = from + step;
        let (replacement, length) = match octets[at] {
            b'&' => ("&amp;", 1),
            b'<' => ("&lt;", 1),
            b'>' => ("&gt;", 1),
            b'"' if in_value => ("&quot;", 1),
            0xc2 if octets.get(at + 1) == Some(&0xa0) => ("&nbsp;", 2),
            // The first octet of another character, or a quote in text.
            first => {
                let length = if first == 0xc2 { 2 } else { 1 };
                out.push_str(text.get(from..at + length).unwrap_or_default());
                from = at + length;
                continue;
            }
        };
        out.push_str(&text[from..at]);
        out.push_str(replacement);
        from = at + length;
    }
    out.push_str(&text[from..]);
}
