//! The lines of a text, and what is seen of each of them at a glance.
//!
//! Quotations, forwarded messages, signatures and signed texts are all known by lines of theirs, and most lines have nothing
//! that any of them could have. One walk over the text tells these apart for all of them.

use std::ops::Range;

/// The lines of a text, in order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines<'l, 'x> {
    /// The text of which they are.
    pub(super) text: &'x str,
    pub(super) all: &'l [Line<'x>],
}

/// One line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'x> {
    /// Without its line end.
    pub(super) text: &'x str,
    /// Without white space around it.
    pub(super) trimmed: &'x str,
    /// First octet of `text`, counted from the start of the text of which it is a line.
    start: usize,
    seen: u8,
}

const FIGURE: u8 = 1;
const AT: u8 = 2;
const COLON: u8 = 4;
const DASH: u8 = 8;
const NO_ASCII: u8 = 16;

/// What each octet is seen as.
const SEEN: [u8; 256] = {
    let mut seen = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        seen[octet] = match octet as u8 {
            b'0'..=b'9' => FIGURE,
            b'@' => AT,
            b':' => COLON,
            b'-' => DASH,
            128.. => NO_ASCII,
            _ => 0,
        };
        octet += 1;
    }
    seen
};

/// The lines of `text`, as [`str::lines`] has them.
pub(super) fn of(text: &str) -> Vec<Line<'_>> {
    /// Octets of a line of mail, its line end included, where most are full.
    const USUAL: usize = 40;
    let mut lines = Vec::with_capacity(text.len() / USUAL + 4);
    let mut start = 0;
    while start < text.len() {
        let end = memchr::memchr(b'\n', &text.as_bytes()[start..]).map_or(text.len(), |at| start + at);
        let line = &text[start..end];
        let line = if end < text.len() { line.strip_suffix('\r').unwrap_or(line) } else { line };
        lines.push(Line::of(line, start));
        start = end + 1;
    }
    lines
}

impl<'x> Line<'x> {
    fn of(text: &'x str, start: usize) -> Self {
        let seen = text.bytes().fold(0, |seen, octet| seen | SEEN[usize::from(octet)]);
        Self { text, trimmed: trimmed(text), start, seen }
    }

    /// Two lines of one: its first `at` octets, and the others.
    pub(super) fn divided(&self, at: usize) -> [Self; 2] {
        let (first, second) = self.text.split_at(at);
        [Self::of(first, self.start), Self::of(second, self.start + at)]
    }

    /// Where it stands in the text.
    pub(super) fn range(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    pub(super) fn is_blank(&self) -> bool {
        self.trimmed.is_empty()
    }

    /// Without white space behind it.
    pub(super) fn trimmed_end(&self) -> &'x str {
        if self.text.starts_with(self.trimmed) { self.trimmed } else { self.text.trim_end() }
    }

    pub(super) fn is_ascii(&self) -> bool {
        self.seen & NO_ASCII == 0
    }

    /// Whether it may have a colon, if not one of ASCII.
    pub(super) fn may_have_colon(&self) -> bool {
        self.seen & (COLON | NO_ASCII) != 0
    }

    pub(super) fn has_dash(&self) -> bool {
        self.seen & DASH != 0
    }

    pub(super) fn has_at(&self) -> bool {
        self.seen & AT != 0
    }

    /// Whether it has a figure or an address, or what may be a figure of another script.
    pub(super) fn may_be_dated(&self) -> bool {
        self.seen & (FIGURE | AT | NO_ASCII) != 0
    }

    /// The first octet that is no white space; 0 in a blank line.
    pub(super) fn first(&self) -> u8 {
        self.trimmed.as_bytes().first().copied().unwrap_or_default()
    }
}

/// `line` without white space around it, most of the time at a glance.
fn trimmed(line: &str) -> &str {
    match line.as_bytes() {
        [] => line,
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => line,
        _ => line.trim(),
    }
}
