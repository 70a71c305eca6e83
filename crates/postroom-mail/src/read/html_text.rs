//! Plain text of HTML, where a message has no plain part: one linear pass that keeps lines, lists and quotations.

use mail_parser::decoders::html::add_html_token;

/// The text that a reader of `html` would see. Quoted blocks get `> ` before each line, list items `* `.
pub(super) fn text_of(html: &str) -> String {
    let mut writer = Writer::default();
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
    let name_length = octets[name_start..].iter().take_while(|b| b.is_ascii_alphanumeric()).take(16).count();
    let is_declaration = matches!(rest.first(), Some(b'!' | b'?'));
    let is_tag = octets.get(name_start).is_some_and(u8::is_ascii_alphabetic);
    if !is_tag && !is_declaration && !closing {
        writer.text("<");
        return at + 1;
    }
    let end = end_of_tag(octets, name_start + name_length);
    let name = html[name_start..name_start + name_length].to_ascii_lowercase();
    if !closing && SKIPPED.contains(&name.as_str()) {
        return skip_element(html, end, &name);
    }
    writer.tag(&name, closing);
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

/// Quotations deeper than this get no further mark.
const QUOTES_MAX: usize = 20;

#[derive(Default)]
struct Writer {
    text: String,
    quotes: usize,
    /// Depth of quotation of the last line written.
    quotes_before: usize,
    preformatted: usize,
    /// Line ends owed before the next word: 1 ends the line, 2 leaves a blank line.
    breaks: usize,
    /// White space was seen since the last word.
    blank: bool,
    marker: &'static str,
}

impl Writer {
    fn text(&mut self, text: &str) {
        let decoded = decode_references(text);
        if self.preformatted > 0 {
            for (index, line) in decoded.split('\n').enumerate() {
                if index > 0 {
                    self.break_line();
                }
                self.word(line.trim_end_matches('\r'));
            }
            return;
        }
        for (index, word) in decoded.split(|c: char| c.is_ascii_whitespace()).enumerate() {
            self.blank |= index > 0;
            if !word.is_empty() {
                self.word(word);
            }
        }
    }

    fn word(&mut self, word: &str) {
        if word.is_empty() {
            return;
        }
        let owed = std::mem::take(&mut self.breaks);
        let at_line_start = owed > 0 || self.text.is_empty();
        if at_line_start {
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
            self.text.push_str(std::mem::take(&mut self.marker));
        } else if std::mem::take(&mut self.blank) && !self.text.ends_with(' ') {
            self.text.push(' ');
        }
        self.blank = false;
        self.text.push_str(word);
    }

    /// Ends the line; twice in a row leaves a blank one.
    fn break_line(&mut self) {
        self.breaks = (self.breaks + 1).min(2);
    }

    fn end_block(&mut self, breaks: usize) {
        self.breaks = self.breaks.max(breaks);
    }

    fn tag(&mut self, name: &str, closing: bool) {
        match name {
            "br" => self.break_line(),
            "p" | "ul" | "ol" | "dl" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "hr" | "table" => self.end_block(2),
            "div" | "tr" | "dt" | "dd" | "center" | "section" | "article" | "header" | "footer" | "body"
            | "address" | "form" | "caption" | "legend" | "fieldset" | "figure" => self.end_block(1),
            "li" => {
                self.end_block(1);
                self.marker = if closing { "" } else { "* " };
            }
            "td" | "th" => self.blank = true,
            "pre" => {
                self.end_block(1);
                self.preformatted = if closing { self.preformatted.saturating_sub(1) } else { self.preformatted + 1 };
            }
            "blockquote" => {
                self.end_block(1);
                self.quotes = if closing { self.quotes.saturating_sub(1) } else { self.quotes + 1 };
            }
            _ => {}
        }
    }

    fn finish(self) -> String {
        self.text
    }
}

/// Character references decoded (HTML Standard §13.5); an ampersand that begins none stays.
fn decode_references(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.contains('&') {
        return text.into();
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        decoded.push_str(&rest[..start]);
        rest = &rest[start..];
        // The longest name has 31 letters.
        let length = rest.bytes().take(34).position(|b| b == b';');
        let reference = length.map(|end| &rest[..=end]).filter(|r| r[1..r.len() - 1].bytes().all(is_reference_octet));
        match reference {
            Some(reference) if reference.len() > 2 => {
                push_reference(&mut decoded, reference);
                rest = &rest[reference.len()..];
            }
            _ => {
                decoded.push('&');
                rest = &rest[1..];
            }
        }
    }
    decoded.push_str(rest);
    decoded.into()
}

fn is_reference_octet(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'#'
}

fn push_reference(decoded: &mut String, reference: &str) {
    let number = reference[1..reference.len() - 1].strip_prefix('#').and_then(|digits| {
        digits.strip_prefix(['x', 'X']).map_or_else(|| digits.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok())
    });
    match number {
        // Numbers 128 to 159 are what Windows-1252 has there (HTML Standard §13.2.5.80).
        Some(number @ 128..=159) => decoded.push_str(&super::charset::sniffed(&[number as u8])),
        Some(0) => decoded.push('\u{fffd}'),
        _ => add_html_token(decoded, reference.as_bytes(), false),
    }
}
