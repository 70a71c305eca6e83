//! Text out of RTF, and the HTML or text that Outlook hides in it ([MS-OXRTFEX], Rich Text Format 1.9.1).

use super::property;
use crate::read::charset;
use std::collections::HashMap;

/// Groups within groups; deeper ones are read as if they had no braces.
const DEPTH_MAX: usize = 2_000;
/// Fonts whose character set is remembered.
const FONTS_MAX: usize = 1_000;

/// What the RTF was made from.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Extracted {
    /// The HTML that it carries.
    Html(String),
    /// Its text.
    Text(String),
}

/// Reads RTF. Total, and linear in its size.
pub(super) fn extract(rtf: &[u8]) -> Extracted {
    let mut reader = Reader { rtf, code_page: 1252, ..Reader::default() };
    while reader.step() {}
    reader.flush();
    if reader.from_html { Extracted::Html(reader.text) } else { Extracted::Text(reader.text) }
}

/// What holds within a group.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// Text of this group is not text of the document.
    skipped: bool,
    /// Inside of `\*\htmltag`: this is HTML.
    html_tag: bool,
    /// After `\htmlrtf`: this is for readers of RTF alone.
    rtf_only: bool,
    font_table: bool,
    /// Characters after `\u` that stand for the same character.
    fallback: Fallback,
    /// Code page of the font; 0 means that of the document.
    code_page: u32,
}

#[derive(Debug, Clone, Copy)]
struct Fallback(usize);

impl Default for Fallback {
    fn default() -> Self {
        Self(1)
    }
}

#[derive(Debug, Default)]
struct Reader<'x> {
    rtf: &'x [u8],
    at: usize,
    state: State,
    groups: Vec<State>,
    /// Opened beyond [`DEPTH_MAX`].
    too_deep: usize,
    from_html: bool,
    code_page: u32,
    fonts: HashMap<i64, u32>,
    font: i64,
    /// Characters still to be passed over after `\u`.
    pass: usize,
    /// After `\*`: a destination that one may skip.
    ignorable: bool,
    /// The first half of a character outside of the basic plane.
    surrogate: Option<u16>,
    /// Octets not decoded yet, and their code page.
    pending: Vec<u8>,
    pending_page: u32,
    text: String,
}

impl Reader<'_> {
    /// Reads one token; whether there was one.
    fn step(&mut self) -> bool {
        let Some(&octet) = self.rtf.get(self.at) else { return false };
        self.at += 1;
        match octet {
            b'{' => self.open(),
            b'}' => self.close(),
            b'\\' => self.control(),
            b'\r' | b'\n' | 0 => {}
            _ => self.octet(octet),
        }
        true
    }

    fn open(&mut self) {
        self.pass = 0;
        self.ignorable = false;
        if self.groups.len() < DEPTH_MAX {
            self.groups.push(self.state);
        } else {
            self.too_deep += 1;
        }
    }

    fn close(&mut self) {
        self.pass = 0;
        self.ignorable = false;
        if self.too_deep > 0 {
            self.too_deep -= 1;
        } else if let Some(state) = self.groups.pop() {
            self.state = state;
        }
    }

    fn control(&mut self) {
        let Some(&octet) = self.rtf.get(self.at) else { return };
        if octet.is_ascii_alphabetic() {
            return self.word();
        }
        self.at += 1;
        match octet {
            b'\'' => {
                let digits =
                    self.rtf.get(self.at..self.at + 2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
                if let Some(&[high, low]) = digits {
                    self.at += 2;
                    self.octet(crate::read::transfer::hex(high) << 4 | crate::read::transfer::hex(low));
                }
            }
            b'*' => self.ignorable = true,
            b'~' => self.character('\u{a0}'),
            b'_' => self.character('\u{2011}'),
            b'\\' | b'{' | b'}' => self.octet(octet),
            b'\r' | b'\n' => self.character('\n'),
            _ => {}
        }
    }

    /// A control word: letters, a number perhaps, and one blank that belongs to it.
    fn word(&mut self) {
        let rest = &self.rtf[self.at..];
        let letters = rest.iter().take(32).take_while(|b| b.is_ascii_alphabetic()).count();
        let (name, rest) = rest.split_at(letters);
        let sign = usize::from(rest.first() == Some(&b'-'));
        let digits = rest[sign..].iter().take(10).take_while(|b| b.is_ascii_digit()).count();
        let number = std::str::from_utf8(&rest[..sign + digits]).ok().and_then(|digits| digits.parse::<i64>().ok());
        let length = if number.is_some() { sign + digits } else { 0 };
        let blank = usize::from(rest.get(length) == Some(&b' '));
        self.at += letters + length + blank;
        let ignorable = std::mem::take(&mut self.ignorable);
        if !self.formatting(name, number) && !self.letter(name) && (ignorable || SKIPPED.contains(&name)) {
            self.state.skipped = true;
        }
    }

    /// Words that change how the rest is read; whether this is one.
    fn formatting(&mut self, name: &[u8], number: Option<i64>) -> bool {
        match name {
            b"fromhtml" => self.from_html = number != Some(0),
            b"htmltag" => self.state.html_tag = true,
            b"htmlrtf" => self.state.rtf_only = number != Some(0),
            b"ansicpg" => self.code_page = number.and_then(|n| u32::try_from(n).ok()).unwrap_or(1252),
            b"mac" => self.code_page = 10000,
            b"uc" => self.state.fallback = Fallback(number.and_then(|n| usize::try_from(n).ok()).unwrap_or(1).min(100)),
            b"u" => self.unicode(number.unwrap_or_default()),
            b"bin" => {
                let length = number.and_then(|n| usize::try_from(n).ok()).unwrap_or_default();
                self.at = self.at.saturating_add(length).min(self.rtf.len());
            }
            b"fonttbl" => (self.state.font_table, self.state.skipped) = (true, true),
            b"f" => {
                self.font = number.unwrap_or_default();
                if !self.state.font_table {
                    self.state.code_page = self.fonts.get(&self.font).copied().unwrap_or_default();
                }
            }
            b"fcharset" if self.state.font_table => self.font_page(code_page_of(number.unwrap_or_default())),
            b"cpg" if self.state.font_table => {
                self.font_page(number.and_then(|n| u32::try_from(n).ok()).unwrap_or_default());
            }
            b"plain" => self.state.code_page = 0,
            _ => return false,
        }
        true
    }

    fn font_page(&mut self, code_page: u32) {
        if self.fonts.len() < FONTS_MAX {
            self.fonts.insert(self.font, code_page);
        }
    }

    /// Words that stand for a character; whether this is one.
    fn letter(&mut self, name: &[u8]) -> bool {
        let character = match name {
            b"par" | b"line" | b"row" | b"page" | b"sect" => '\n',
            b"tab" | b"cell" => '\t',
            b"lquote" => '‘',
            b"rquote" => '’',
            b"ldblquote" => '“',
            b"rdblquote" => '”',
            b"bullet" => '•',
            b"endash" => '–',
            b"emdash" => '—',
            b"enspace" | b"emspace" | b"qmspace" => ' ',
            _ => return false,
        };
        self.character(character);
        true
    }

    /// A UTF-16 unit, written as a signed number.
    fn unicode(&mut self, number: i64) {
        // Only the lower 16 bits were ever meant.
        let unit = (number & 0xffff) as u16;
        let units = match (self.surrogate.take(), unit) {
            (_, 0xd800..=0xdbff) => {
                self.surrogate = Some(unit);
                self.pass = self.state.fallback.0;
                return;
            }
            (Some(high), 0xdc00..=0xdfff) => vec![high, unit],
            _ => vec![unit],
        };
        for c in char::decode_utf16(units) {
            let c = c.unwrap_or('\u{fffd}');
            self.pass = 0;
            self.character(if c == '\0' { '\u{fffd}' } else { c });
        }
        self.pass = self.state.fallback.0;
    }

    fn is_shown(&self) -> bool {
        !self.state.skipped && (self.state.html_tag || !self.from_html || !self.state.rtf_only)
    }

    /// Whether a character is one of those that repeat a `\u`.
    fn is_passed(&mut self) -> bool {
        let passed = self.pass > 0;
        self.pass = self.pass.saturating_sub(1);
        passed
    }

    /// A character in the code page of the font.
    fn octet(&mut self, octet: u8) {
        if self.is_passed() || !self.is_shown() {
            return;
        }
        let code_page = if self.state.code_page == 0 { self.code_page } else { self.state.code_page };
        if self.pending_page != code_page {
            self.flush();
            self.pending_page = code_page;
        }
        self.pending.push(octet);
    }

    fn character(&mut self, c: char) {
        if !self.is_passed() && self.is_shown() {
            self.flush();
            self.text.push(c);
        }
    }

    fn flush(&mut self) {
        if !self.pending.is_empty() {
            self.text.push_str(&charset::decode(&self.pending, Some(&property::label(self.pending_page))).0);
            self.pending.clear();
        }
    }
}

/// Groups that are not text of the document.
const SKIPPED: [&[u8]; 16] = [
    b"colortbl",
    b"stylesheet",
    b"info",
    b"pict",
    b"object",
    b"header",
    b"headerl",
    b"headerr",
    b"headerf",
    b"footer",
    b"footerl",
    b"footerr",
    b"footerf",
    b"listtable",
    b"themedata",
    b"xmlnstbl",
];

/// The code page of a Windows character set ([MS-WMF] §2.1.1.5); 0 is that of the document.
fn code_page_of(charset: i64) -> u32 {
    match charset {
        77 => 10000,
        128 => 932,
        129 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        _ => 0,
    }
}
