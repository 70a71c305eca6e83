//! Puts words, lines, lists, quotations and the cells of tables together.

use super::super::reference;
use super::Rendered;
use super::link::{is_same_number, is_same_target};
use super::marks::Marks;
use super::tag::{Attributes, Name};
use std::borrow::Cow;

/// Quotations deeper than this get no further mark, and lists deeper than this no further indent.
const QUOTES_MAX: usize = 20;
/// Lists and tables within one another that are kept apart.
const NESTED_MAX: usize = 50;
/// Octets of a link's target that are shown.
const TARGET_MAX: usize = 200;
/// Octets of a row whose cells are put on one line, and of one of its cells.
const ROW_MAX: usize = 240;
/// What is drawn for a rule.
const RULE: &str = "----------------------------------------";

#[derive(Default)]
pub(super) struct Writer {
    text: String,
    marks: Marks,
    hide: bool,
    /// Something so far may not have a white ground, so that white letters may be seen.
    has_ground: bool,
    /// The element that hides what is seen now, and how many of its name are open.
    hidden: Option<(Name, usize)>,
    /// Nothing in it was a word yet.
    hides_nothing: bool,
    /// Elements so far that hid words.
    concealed: u64,
    quotes: usize,
    /// Open `blockquote`s that only move their text to the right.
    indents: usize,
    /// For every open `blockquote`: whether it is one of these.
    blocks: Vec<bool>,
    /// Depth of quotation of the last line written.
    quotes_before: usize,
    preformatted: usize,
    /// The last paragraph has no distance to its neighbours.
    is_tight: bool,
    /// Line ends owed before the next word: 1 ends the line, 2 leaves a blank line.
    breaks: usize,
    /// The one line end that is owed is a `br`.
    is_soft: bool,
    /// White space was seen since the last word.
    blank: bool,
    lists: Vec<List>,
    /// What stands before the first word of an item of a list.
    marker: String,
    link: Option<Link>,
    rows: Vec<Row>,
}

/// An open list: the number of its next item, if items have numbers.
struct List {
    next: Option<i64>,
}

/// An open link: its target and where its text begins.
struct Link {
    target: String,
    start: usize,
}

/// The row of an open table.
#[derive(Default)]
struct Row {
    /// Where the text of each cell that has any begins: before its line end, and behind its quotation marks.
    cells: Vec<(usize, usize)>,
    /// A cell has begun and has no text yet.
    begun: bool,
    /// A cell has several lines, so that cells cannot stand beside each other.
    is_tall: bool,
    /// Any cell of the table has text.
    has_text: bool,
    /// The table has lines or headings, so that it is one of data and not for layout.
    is_data: bool,
}

impl Writer {
    pub(super) fn new(hide: bool) -> Self {
        Self { hide, ..Self::default() }
    }

    pub(super) fn text(&mut self, text: &str) {
        if self.hidden.is_some() {
            if self.hides_nothing && reference::decode(text).contains(char::is_alphanumeric) {
                self.hides_nothing = false;
                self.concealed += 1;
            }
            return;
        }
        if text.is_empty() {
            return;
        }
        let decoded = reference::decode(text);
        if self.preformatted > 0 {
            for (index, line) in decoded.split('\n').enumerate() {
                if index > 0 {
                    self.break_line();
                }
                self.word(line.trim_end_matches('\r'));
            }
            return;
        }
        let has_hard_blanks = !decoded.is_ascii() && decoded.contains('\u{a0}');
        self.blank |= decoded.starts_with(|c: char| c.is_ascii_whitespace());
        for (index, word) in decoded.split_ascii_whitespace().enumerate() {
            self.blank |= index > 0;
            if has_hard_blanks && word.contains('\u{a0}') {
                self.spaced(word);
            } else {
                self.word(word);
            }
        }
        self.blank |= decoded.ends_with(|c: char| c.is_ascii_whitespace());
    }

    /// A word with blanks that do not break: they are seen as blanks, and alone they are a blank line.
    fn spaced(&mut self, word: &str) {
        if !word.trim_matches('\u{a0}').is_empty() {
            self.word(&word.replace('\u{a0}', " "));
        } else if self.breaks > 0 || self.text.is_empty() {
            self.break_line();
        } else {
            self.blank = true;
        }
    }

    fn word(&mut self, word: &str) {
        if word.is_empty() {
            return;
        }
        let owed = std::mem::take(&mut self.breaks);
        if owed > 0 || self.text.is_empty() {
            self.begin_line(owed);
        } else if std::mem::take(&mut self.blank) && !self.text.ends_with(' ') {
            self.text.push(' ');
        }
        self.blank = false;
        self.text.push_str(word);
    }

    fn begin_line(&mut self, owed: usize) {
        let before = self.text.len();
        if !self.text.is_empty() {
            if owed > 1 {
                // The blank line belongs to the quotation only if both its neighbours do.
                self.text.push('\n');
                self.text.extend(std::iter::repeat_n('>', self.quotes.min(self.quotes_before).min(QUOTES_MAX)));
            }
            self.text.push('\n');
        }
        self.quotes_before = self.quotes;
        self.text.extend(std::iter::repeat_n('>', self.quotes.min(QUOTES_MAX)));
        if self.quotes > 0 {
            self.text.push(' ');
        }
        self.text.extend(std::iter::repeat_n("    ", self.indents.min(QUOTES_MAX)));
        if let Some(row) = self.rows.last_mut() {
            row.has_text = true;
            if std::mem::take(&mut row.begun) {
                row.cells.push((before, self.text.len()));
            } else {
                // Rows of data stay together, also where a cell has a second line.
                row.is_tall |= !(row.is_data && self.is_soft);
            }
        }
        if let Some(link) = &mut self.link
            && link.start == before
        {
            link.start = self.text.len();
        }
        if self.marker.is_empty() {
            // Lines of an item below its first stand below its text.
            let indent = self.lists.len().saturating_sub(1).min(QUOTES_MAX) * 2;
            if indent > 0 && self.preformatted == 0 {
                self.text.extend(std::iter::repeat_n(' ', indent));
            }
        } else {
            let marker = std::mem::take(&mut self.marker);
            self.text.push_str(&marker);
        }
    }

    /// Ends the line; twice in a row leaves a blank one.
    fn break_line(&mut self) {
        self.is_soft = false;
        self.breaks = (self.breaks + 1).min(2);
    }

    fn end_block(&mut self, breaks: usize) {
        self.is_soft &= breaks == 0;
        self.breaks = self.breaks.max(breaks);
    }

    /// Handles a style sheet.
    pub(super) fn style_sheet(&mut self, sheet: &str) {
        self.has_ground |= memchr::memmem::find(sheet.as_bytes(), b"background").is_some();
    }

    /// Handles a start tag.
    pub(super) fn open(&mut self, name: &Name, attributes: &Attributes<'_>) {
        if let Some((hiding, open)) = &mut self.hidden {
            *open += usize::from(hiding == name);
            return;
        }
        let element = name.as_str();
        let look = attributes.look(element);
        self.has_ground |= look.has_ground;
        if self.hide && (look.is_hidden || look.is_white && !self.has_ground) {
            if !matches!(element, "img" | "br" | "hr" | "input" | "meta" | "link" | "wbr") {
                (self.hidden, self.hides_nothing) = (Some((*name, 1)), true);
            }
            return;
        }
        self.marks.open(element, attributes, self.text.len());
        match element {
            "br" => {
                let is_soft = self.breaks == 0;
                self.break_line();
                self.is_soft = is_soft;
            }
            "p" => {
                // Office gives its paragraphs no distance.
                self.is_tight = attributes.class.starts_with("Mso");
                self.end_block(if self.is_tight { 1 } else { 2 });
            }
            "blockquote" => self.open_block(attributes),
            "hr" => {
                self.end_block(1);
                self.word(RULE);
                self.end_block(1);
            }
            "img" => self.image(attributes),
            "a" => self.open_link(attributes.href),
            "ul" | "ol" => self.open_list(element, attributes),
            "li" => self.item(attributes),
            "pre" => {
                self.end_block(1);
                self.preformatted += 1;
            }
            "table" => {
                self.end_block(1);
                self.open_table(attributes);
            }
            "tr" => self.close_row(),
            "td" | "th" => self.open_cell(element),
            _ => self.end_block(block_breaks(element)),
        }
    }

    /// Handles an end tag.
    pub(super) fn close(&mut self, name: &Name) {
        if let Some((hiding, open)) = &mut self.hidden {
            *open -= usize::from(hiding == name);
            // What is never closed ends with what is around it.
            let is_end = match hiding.as_str() {
                "p" | "span" => matches!(name.as_str(), "div" | "td" | "table" | "body"),
                "td" | "th" | "tr" => name.as_str() == "table",
                _ => false,
            };
            if *open == 0 || is_end {
                self.hidden = None;
            }
            return;
        }
        let element = name.as_str();
        self.marks.close(element, self.text.len());
        match element {
            "blockquote" => {
                self.end_block(1);
                match self.blocks.pop() {
                    Some(true) => self.indents = self.indents.saturating_sub(1),
                    Some(false) => self.quotes = self.quotes.saturating_sub(1),
                    None => {}
                }
            }
            "a" => self.close_link(),
            "ul" | "ol" => {
                self.lists.pop();
                self.marker.clear();
                self.end_block(if self.lists.is_empty() { 2 } else { 1 });
            }
            "li" => {
                self.marker.clear();
                self.end_block(1);
            }
            "pre" => {
                self.end_block(1);
                self.preformatted = self.preformatted.saturating_sub(1);
            }
            "table" => self.close_table(),
            "tr" => self.close_row(),
            "td" | "th" => self.end_block(usize::from(!self.rows.is_empty())),
            "br" => self.break_line(),
            "p" => self.end_block(if self.is_tight { 1 } else { 2 }),
            _ => self.end_block(block_breaks(element)),
        }
    }

    fn open_block(&mut self, attributes: &Attributes<'_>) {
        self.end_block(1);
        let indents = self.quotes == 0 && !self.marks.cites(attributes) && !self.text.trim_end().ends_with([':', '：']);
        // Beyond any depth that a person makes it is not remembered, only counted as a quotation.
        if self.blocks.len() < NESTED_MAX * 4 {
            self.blocks.push(indents);
            self.quotes += usize::from(!indents);
            self.indents += usize::from(indents);
        }
    }

    fn image(&mut self, attributes: &Attributes<'_>) {
        let is_dot = |length: &str| matches!(length.trim_end_matches("px"), "0" | "1");
        let alt = attributes.alt.trim();
        if alt.is_empty() || alt.len() > ROW_MAX || is_dot(attributes.width) || is_dot(attributes.height) {
            return;
        }
        let alt = reference::decode(alt);
        let mut words = alt.split(|c: char| c.is_ascii_whitespace()).filter(|word| !word.is_empty()).peekable();
        let mut first = true;
        while let Some(word) = words.next() {
            self.blank |= !first;
            let open = if first { "[" } else { "" };
            let close = if words.peek().is_none() { "]" } else { "" };
            self.word(&format!("{open}{word}{close}"));
            first = false;
        }
    }

    fn open_link(&mut self, href: &str) {
        self.close_link();
        let href = href.trim();
        let is_shown = ["http://", "https://", "mailto:", "tel:", "ftp://"]
            .iter()
            .any(|scheme| href.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
        if is_shown {
            let cut = &href[..href.floor_char_boundary(TARGET_MAX * 4)];
            let target = reference::decode(cut).into_owned();
            self.link = Some(Link { target, start: self.text.len() });
        }
    }

    /// Shows where a link goes, if its words do not.
    fn close_link(&mut self) {
        let Some(link) = self.link.take() else { return };
        let words = self.text.get(link.start..).unwrap_or_default().trim();
        let mut target: String =
            link.target.chars().filter(|c| !c.is_whitespace() && !c.is_control() && !matches!(c, '<' | '>')).collect();
        if target.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:")) {
            target.drain(..7);
            target.truncate(target.find('?').unwrap_or(target.len()));
        } else if target.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("tel:")) {
            target.drain(..4);
            if is_same_number(words, &target) {
                return;
            }
        }
        if words.is_empty() || target.is_empty() || is_same_target(words, &target) {
            return;
        }
        if target.len() > TARGET_MAX {
            target.truncate(target.floor_char_boundary(TARGET_MAX));
            target.push('…');
        }
        // A break within the link belongs behind its target.
        let breaks = std::mem::take(&mut self.breaks);
        self.text.push_str(" <");
        self.text.push_str(&target);
        self.text.push('>');
        self.breaks = breaks;
    }

    fn open_list(&mut self, element: &str, attributes: &Attributes<'_>) {
        self.end_block(if self.lists.is_empty() { 2 } else { 1 });
        if self.lists.len() < NESTED_MAX {
            let next = (element == "ol").then(|| attributes.start.trim().parse().unwrap_or(1));
            self.lists.push(List { next });
        }
    }

    fn item(&mut self, attributes: &Attributes<'_>) {
        self.end_block(1);
        let indent = "  ".repeat(self.lists.len().saturating_sub(1).min(QUOTES_MAX));
        let number = self.lists.last_mut().and_then(|list| list.next.as_mut());
        self.marker = match number {
            Some(number) => {
                *number = attributes.value.trim().parse().unwrap_or(*number);
                let marker = format!("{indent}{number}. ");
                *number = number.saturating_add(1);
                marker
            }
            None => format!("{indent}* "),
        };
    }

    fn open_table(&mut self, attributes: &Attributes<'_>) {
        let is_data = !matches!(attributes.border.trim(), "" | "0") || attributes.class.contains("MsoTableGrid");
        if self.rows.len() < NESTED_MAX {
            self.rows.push(Row { is_data, ..Row::default() });
        }
    }

    fn close_table(&mut self) {
        self.close_row();
        let inner = self.rows.pop();
        if let (Some(inner), Some(outer)) = (inner, self.rows.last_mut()) {
            // Whatever a table within a cell has, it does not fit beside another cell.
            outer.is_tall |= inner.has_text;
            outer.has_text |= inner.has_text;
            outer.begun = false;
        }
        self.end_block(1);
    }

    fn open_cell(&mut self, element: &str) {
        self.end_block(1);
        if let Some(row) = self.rows.last_mut() {
            row.begun = true;
            row.is_data |= element == "th";
        }
    }

    /// Puts the cells of a row beside each other where each is one short line.
    fn close_row(&mut self) {
        self.end_block(1);
        let Some(row) = self.rows.last_mut() else { return };
        let cells = std::mem::take(&mut row.cells);
        let is_tall = std::mem::take(&mut row.is_tall);
        row.begun = false;
        let Some(&(_, first)) = cells.first() else { return };
        if !is_tall && cells.len() > 1 && self.text.len().saturating_sub(first) <= ROW_MAX {
            let separator = if row.is_data { " | " } else { "  " };
            let joined: Vec<Cow<'_, str>> = cells
                .iter()
                .enumerate()
                .map(|(index, (_, start))| {
                    let end = cells.get(index + 1).map_or(self.text.len(), |(end, _)| *end);
                    on_one_line(self.text.get(*start..end).unwrap_or_default().trim(), self.quotes > 0)
                })
                .collect();
            let mut line = String::new();
            for (index, cell) in joined.into_iter().enumerate() {
                // "Subject:" and its value are one thing.
                let between = if index == 0 || line.is_empty() {
                    ""
                } else if line.ends_with(':') {
                    " "
                } else {
                    separator
                };
                line.push_str(between);
                line.push_str(&cell);
            }
            self.text.truncate(first);
            self.text.push_str(&line);
        }
    }

    pub(super) fn finish(mut self) -> Rendered {
        self.close_link();
        let marks = self.marks.finish(&self.text);
        Rendered { text: self.text, marks, concealed: self.concealed }
    }
}

/// Line ends before and behind an element.
fn block_breaks(element: &str) -> usize {
    match element {
        "p" | "dl" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => 2,
        "div" | "dt" | "dd" | "center" | "section" | "article" | "header" | "footer" | "main" | "nav" | "aside"
        | "body" | "address" | "form" | "caption" | "legend" | "fieldset" | "figure" | "figcaption" | "details"
        | "summary" => 1,
        _ => 0,
    }
}

/// The lines of a cell on one, without the marks of the quotation in which they stand.
fn on_one_line(cell: &str, is_quoted: bool) -> Cow<'_, str> {
    if !cell.contains('\n') {
        return Cow::Borrowed(cell);
    }
    let mut line = String::new();
    for piece in cell.lines() {
        let piece = if is_quoted { piece.trim_start_matches('>') } else { piece }.trim();
        if !line.is_empty() {
            line.push_str(if line.ends_with([',', ';', ':', '.']) { " " } else { "; " });
        }
        line.push_str(piece);
    }
    Cow::Owned(line)
}
