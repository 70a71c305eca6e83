//! Which elements are quotations, introductions, forwarded messages or signatures, by the names that mail programs give
//! them.

use super::tag::Attributes;
use super::{Mark, MarkKind};

/// What an element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A mark of its own.
    Is(MarkKind),
    /// An element around an introduction and a `blockquote`, or around a quotation without one.
    Container,
}

/// Where the message from which a quotation comes begins, in programs that put nothing around it.
const REST_IDS: [&str; 9] = [
    "divrplyfwdmsg",
    "appendonsend",
    "olk_src_body_section",
    "mail-editor-reference-message-container",
    "stopspelling",
    "zwchr",
    "replysplit",
    "lotusquote",
    "xm_mail_oringinal_describe",
];
/// Elements that hold what is quoted and its introduction.
const CONTAINERS: [&str; 25] = [
    "gmail_quote",
    "yahoo_quoted",
    "yahooquoted",
    "protonmail_quote",
    "zmail_extra",
    "tutanota_quote",
    "front-blockquote",
    "gmail_quote_container",
    "messagereplysection",
    "hubspot-quoted",
    "hs_reply",
    "zd-quoted",
    "freshdesk_quote",
    "fd_quoted",
    "freshchat_quote",
    "sh-quoted",
    "superhuman-quote",
    "ymail_quoted",
    "mailcontentcontainer_quote",
    "ntes-quote",
    "iosymail",
    "mail-quote-collapse",
    "mailquote",
    "quoted-message",
    "xm_compose_origin_mail_container",
];
/// Elements that hold nothing but an introduction.
const INTRODUCTIONS: [&str; 6] =
    ["moz-cite-prefix", "gmail_attr", "zmail_extra_hr", "replyheader", "ydpquoteheader", "spark_quote_header"];
const SIGNATURES: [&str; 15] = [
    "gmail_signature",
    "moz-signature",
    "moz-txt-sig",
    "signature",
    "ms-outlook-mobile-signature",
    "applemailsignature",
    "protonmail_signature_block",
    "bloop_sign",
    "tutanota_signature",
    "zmail_signature",
    "messagesignaturesection",
    "sh-signature",
    "front-signature",
    "yahoo_signature",
    "x_signature",
];
const FORWARDS: [&str; 3] = ["isforwardcontent", "moz-forward-container", "forwardedmessage"];

/// What an element with these attributes is, if it is anything.
pub(super) fn role(name: &str, attributes: &Attributes<'_>) -> Option<Role> {
    if name == "blockquote" {
        return Some(Role::Is(block(attributes)));
    }
    // QQ has an element of its own.
    if name == "sign" {
        return Some(Role::Is(MarkKind::Signature));
    }
    let named = [attributes.id, attributes.class, attributes.name];
    if named.iter().all(|value| value.is_empty()) {
        return is_outlook_header(name, attributes).then_some(Role::Is(MarkKind::Rest));
    }
    let words = || named.iter().flat_map(|value| value.split_ascii_whitespace()).map(plain_name);
    let names = |set: &[&str]| words().any(|word| set.iter().any(|known| word.eq_ignore_ascii_case(known)));
    if names(&FORWARDS) {
        return Some(Role::Is(MarkKind::Forward));
    }
    if names(&SIGNATURES) {
        return Some(Role::Is(MarkKind::Signature));
    }
    if names(&INTRODUCTIONS) {
        return Some(Role::Is(MarkKind::Quoted));
    }
    if names(&REST_IDS) || is_outlook_header(name, attributes) {
        return Some(Role::Is(MarkKind::Rest));
    }
    // GMX and web.de name it only so.
    if names(&CONTAINERS) || attributes.name.eq_ignore_ascii_case("quote") {
        return Some(Role::Container);
    }
    None
}

/// A name without what programs put before and behind it: `x_gmail_quote`, `ydp12ab34yahoo_quoted`, `yahoo_quoted_123`,
/// `zmail_signature_above`.
fn plain_name(word: &str) -> &str {
    let mut word = word;
    while let Some(rest) = word.strip_prefix("x_") {
        word = rest;
    }
    if word.len() > 12
        && word.starts_with("ydp")
        && let Some(at) = word.find("yahoo")
    {
        word = &word[at..];
    }
    word.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('_')
}

/// What kind of quotation a `blockquote` is.
fn block(attributes: &Attributes<'_>) -> MarkKind {
    const CITING: [&str; 8] = [
        "protonmail_quote",
        "tutanota_quote",
        "front-blockquote",
        "spark_quote",
        "yahoo_quoted",
        "iosymail",
        "sh-quoted-content",
        "ReferenceQuote",
    ];
    let classes = || attributes.class.split_ascii_whitespace().map(plain_name);
    if attributes.kind.eq_ignore_ascii_case("cite") || classes().any(|class| CITING.contains(&class)) {
        MarkKind::Cite
    } else if classes().any(|class| class == "gmail_quote") {
        MarkKind::OwnBlock
    } else {
        MarkKind::Block
    }
}

/// Outlook puts the fields of the message that it quotes below a thin line, which is the border of their `div`.
fn is_outlook_header(name: &str, attributes: &Attributes<'_>) -> bool {
    name == "div"
        && attributes.declarations().any(|(property, value)| {
            let is_line = |value: &str| {
                let value = value.to_ascii_lowercase();
                value.contains("solid")
                    && ["#b5c4df", "#e1e1e1", "#e5e5e5", "#c4c4c4"].iter().any(|c| value.contains(c))
            };
            property.eq_ignore_ascii_case("border-top") && value.len() < 60 && is_line(value)
        })
}

/// Whether a bar is drawn beside a block that no program of its kind made.
fn has_bar(attributes: &Attributes<'_>) -> bool {
    let is_bar = |(property, value): (&str, &str)| {
        property.get(..11).is_some_and(|start| start.eq_ignore_ascii_case("border-left"))
            && !value.starts_with(['0', 'n'])
    };
    block(attributes) == MarkKind::Block && attributes.declarations().any(is_bar)
}

/// Elements that may carry a mark; only these are counted.
const COUNTED: [&str; 10] = ["div", "blockquote", "span", "table", "td", "section", "p", "hr", "body", "sign"];
/// Marked elements that may be open at once; more are not looked at.
const OPEN_MAX: usize = 32;
/// Marks kept of a message.
const MARKS_MAX: usize = 2000;

/// The marked elements that are open, and the marks that are finished. Positions are octets of the text.
#[derive(Debug, Default)]
pub(super) struct Marks {
    depth: [usize; COUNTED.len()],
    open: Vec<Open>,
    /// First and last position, and kind.
    done: Vec<(usize, usize, MarkKind)>,
}

#[derive(Debug)]
struct Open {
    element: usize,
    depth: usize,
    start: usize,
    /// Where the first `blockquote` within it began.
    block: Option<usize>,
    role: Role,
}

impl Marks {
    /// An element opens where the text ends at `at`.
    pub(super) fn open(&mut self, name: &str, attributes: &Attributes<'_>, at: usize) {
        let Some(element) = COUNTED.iter().position(|counted| *counted == name) else { return };
        if name == "hr" {
            if role("hr", attributes) == Some(Role::Is(MarkKind::Rest)) {
                self.add(at, usize::MAX, MarkKind::Rest);
            }
            return;
        }
        self.depth[element] += 1;
        let Some(role) = role(name, attributes) else { return };
        let within_block = self.open.iter().any(|open| matches!(open.role, Role::Is(kind) if kind != MarkKind::Rest));
        if within_block || self.open.len() >= OPEN_MAX {
            return;
        }
        let mut role = role;
        if name == "blockquote" {
            for open in self.open.iter_mut().filter(|open| open.role == Role::Container) {
                open.block.get_or_insert(at);
                role = Role::Is(MarkKind::Cite);
            }
        }
        self.open.push(Open { element, depth: self.depth[element], start: at, block: None, role });
    }

    /// Whether a `blockquote` cites a message, as far as it can be known when it opens; it has been opened here.
    pub(super) fn cites(&self, attributes: &Attributes<'_>) -> bool {
        let is_within =
            self.open.iter().any(|open| open.role == Role::Container || open.role == Role::Is(MarkKind::Cite));
        is_within || block(attributes) == MarkKind::Cite || has_bar(attributes)
    }

    /// An element closes where the text ends at `at`.
    pub(super) fn close(&mut self, name: &str, at: usize) {
        let Some(element) = COUNTED.iter().position(|counted| *counted == name) else { return };
        let depth = self.depth[element];
        self.depth[element] = depth.saturating_sub(1);
        let Some(index) = self.open.iter().rposition(|open| open.element == element && open.depth >= depth) else {
            return;
        };
        // What was opened within it and never closed ends with it.
        for open in self.open.drain(index..).rev().collect::<Vec<_>>() {
            self.end(open, at);
        }
    }

    fn end(&mut self, open: Open, at: usize) {
        match (open.role, open.block) {
            (Role::Is(MarkKind::Rest), _) => self.add(open.start, usize::MAX, MarkKind::Rest),
            (Role::Is(kind), _) => self.add(open.start, at, kind),
            // What stands below a blockquote within such an element may be an answer.
            (Role::Container, block) => self.add(open.start, block.unwrap_or(at), MarkKind::Quoted),
        }
    }

    fn add(&mut self, start: usize, end: usize, kind: MarkKind) {
        if self.done.len() < MARKS_MAX {
            self.done.push((start, end, kind));
        }
    }

    /// The marks as lines of `text`.
    pub(super) fn finish(mut self, text: &str) -> Vec<Mark> {
        while let Some(open) = self.open.pop() {
            self.end(open, text.len());
        }
        let mut positions: Vec<usize> = self.done.iter().flat_map(|(start, end, _)| [*start, *end]).collect();
        positions.sort_unstable();
        positions.dedup();
        let breaks = |range: std::ops::Range<usize>| memchr::memchr_iter(b'\n', &text.as_bytes()[range]).count();
        // One pass over the text numbers the line on which each position stands.
        let (mut line, mut before) = (0, 0);
        let lines: Vec<usize> = positions
            .iter()
            .map(|&position| {
                let position = position.min(text.len());
                line += breaks(before..position.max(before));
                before = before.max(position);
                line
            })
            .collect();
        let line_of = |position: &usize| positions.binary_search(position).map_or(0, |index| lines[index]);
        let mut marks: Vec<Mark> = self
            .done
            .iter()
            .map(|(start, end, kind)| {
                // The element begins a line of its own below the text that was there.
                let first = if *start == 0 { 0 } else { line_of(start) + 1 };
                let last = if end > start { line_of(end) + 1 } else { first };
                Mark { lines: first..last.max(first), kind: *kind }
            })
            .collect();
        marks.sort_by_key(|mark| mark.lines.start);
        marks
    }
}
