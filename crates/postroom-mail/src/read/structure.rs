//! The structure of a message: which octets are header, which are the content of which part (RFC 2046 §5.1).
//!
//! One pass over the octets, nothing is decoded and nothing recurses, so that a message of any shape costs its size.
//! A message/rfc822 part is one leaf: what it contains is somebody else's message.

use super::charset;
use super::fields::{Field, Fields, split_field};
use super::parameter::{self, Parameterised};
use crate::TransferEncoding;
use memchr::memmem::Finder;
use std::borrow::Cow;
use std::ops::Range;

/// Multiparts within multiparts are followed this deep.
pub(super) const NESTING_MAX: usize = 64;
/// Parts are read up to this number.
pub(super) const PARTS_MAX: usize = 1_000;
/// Octets of one header; what fields begin after them are passed over.
pub(super) const HEADER_MAX: usize = 1024 * 1024;
/// Fields that the header of a message usually has.
const FIELDS_USUAL: usize = 16;
/// Octets after a header in which its boundary must appear, or else is guessed.
const BOUNDARY_LOOKED_AT: usize = 64 * 1024;

/// One part: its header, and where its content is.
#[derive(Debug, Clone)]
pub(super) struct Part<'x> {
    pub(super) fields: Fields<'x>,
    /// Content-Type with the defaults of RFC 2045 §5.2 filled in.
    pub(super) content_type: Parameterised,
    pub(super) disposition: Parameterised,
    pub(super) encoding: TransferEncoding,
    /// Whether the content is uuencoded, which is no encoding of the standard and was used before there was one.
    pub(super) uuencoded: bool,
    /// The content, still encoded, without the line end that belongs to the boundary after it.
    pub(super) content: Range<usize>,
    /// Parts of this multipart, in order; empty for a leaf.
    pub(super) children: Vec<usize>,
    /// A multipart that was not followed because it stands too deep.
    pub(super) too_deep: bool,
}

/// All parts; the first one is the message itself.
#[derive(Debug)]
pub(super) struct Structure<'x> {
    pub(super) parts: Vec<Part<'x>>,
    /// A multipart without end, without parts, without a boundary.
    pub(super) damaged: bool,
    /// Words before the first or behind the last part of a multipart.
    pub(super) words_outside: bool,
    pub(super) too_deep: bool,
    pub(super) too_many: bool,
    /// A header was longer than [`HEADER_MAX`].
    pub(super) header_cut: bool,
    /// A field had more parameters than [`parameter::PARAMETERS_MAX`].
    pub(super) parameters_cut: bool,
}

/// Finds the parts of a message.
pub(super) fn parse(octets: &[u8]) -> Structure<'_> {
    let mut walker = Walker::new(octets);
    walker.run();
    walker.structure
}

/// A multipart whose parts may follow.
struct Open {
    part: usize,
    boundary: Vec<u8>,
    /// Its last boundary was seen. Further parts are read all the same, up to a boundary of what contains it.
    ended: bool,
}

/// A line that ends a part.
struct Delimiter {
    line: Range<usize>,
    /// Index into `Walker::open`.
    level: usize,
    /// Whether it ends the multipart too.
    closing: bool,
}

struct Walker<'x> {
    octets: &'x [u8],
    /// LF; CR in the rare message that has no LF at all.
    line_end: u8,
    /// Finds line ends with two dashes behind them.
    dashes: Finder<'static>,
    structure: Structure<'x>,
    open: Vec<Open>,
    /// The part whose content we are in; none in a preamble or epilogue.
    current: Option<usize>,
    at: usize,
}

impl<'x> Walker<'x> {
    fn new(octets: &'x [u8]) -> Self {
        let has_lf = memchr::memchr(b'\n', octets).is_some();
        let structure = Structure {
            parts: Vec::new(),
            damaged: false,
            words_outside: false,
            too_deep: false,
            too_many: false,
            header_cut: false,
            parameters_cut: false,
        };
        let (line_end, dashes) = if has_lf { (b'\n', b"\n--") } else { (b'\r', b"\r--") };
        let dashes = Finder::new(dashes);
        Self { octets, line_end, dashes, structure, open: Vec::new(), current: None, at: 0 }
    }

    fn run(&mut self) {
        self.skip_to_header();
        self.begin_part(None);
        while let Some(delimiter) = self.next_delimiter() {
            let begins_first_part = !delimiter.closing && delimiter.level + 1 == self.open.len();
            self.note_words_outside(delimiter.line.start, begins_first_part);
            self.end_content(delimiter.line.start, delimiter.level);
            self.at = delimiter.line.end;
            let multipart = &mut self.open[delimiter.level];
            self.structure.damaged |= multipart.ended && !delimiter.closing;
            multipart.ended = delimiter.closing;
            if delimiter.closing {
                continue;
            }
            if self.structure.parts.len() >= PARTS_MAX {
                self.structure.too_many = true;
                break;
            }
            self.begin_part(Some(self.open[delimiter.level].part));
        }
        if !self.structure.too_many {
            self.note_words_outside(self.octets.len(), false);
            self.structure.damaged |= self.open.iter().any(|open| !open.ended);
        }
        self.end_content(self.octets.len(), 0);
    }

    /// Looks for words from here up to `end` where they belong to no part. Before the first part they are shown if no
    /// part follows.
    fn note_words_outside(&mut self, end: usize, begins_first_part: bool) {
        let is_outside = self.current.is_none() && self.open.last().is_some_and(|open| open.ended || begins_first_part);
        self.structure.words_outside |= is_outside && has_words(&self.octets[self.at.min(end)..end]);
    }

    /// Passes over what programs put before the header: a byte order mark, an mbox From_ line, blank lines.
    fn skip_to_header(&mut self) {
        if self.octets.starts_with(b"\xef\xbb\xbf") {
            self.at = 3;
        }
        let mut at = self.at;
        while let Some(line) = self.line(at) {
            let text = &self.octets[line.clone()];
            if split_field(text).is_some() {
                self.at = at;
                return;
            }
            if !text.trim_ascii().is_empty() && !text.starts_with(b"From ") && !text.starts_with(b">From ") {
                return;
            }
            at = line.end;
        }
    }

    /// The line that begins at `at`, its line end included.
    fn line(&self, at: usize) -> Option<Range<usize>> {
        let rest = self.octets.get(at..).filter(|rest| !rest.is_empty())?;
        Some(at..memchr::memchr(self.line_end, rest).map_or(self.octets.len(), |end| at + end + 1))
    }

    /// Reads a header at `self.at` and enters the part it begins.
    fn begin_part(&mut self, parent: Option<usize>) {
        let mut fields = self.header();
        let is_digest =
            parent.is_some_and(|parent| self.structure.parts[parent].content_type.value == "multipart/digest");
        let content_type = content_type(&fields, if is_digest { "message/rfc822" } else { "text/plain" });
        fields.set_hint(|| content_type.get("charset"));
        let disposition = fields.get("Content-Disposition").map(|f| Parameterised::parse(&f)).unwrap_or_default();
        self.structure.parameters_cut |= content_type.cut || disposition.cut;
        let (encoding, uuencoded) = transfer_encoding(&fields);
        let content = self.at..self.at;
        let index = self.structure.parts.len();
        let boundary = self.boundary(&content_type);
        let too_deep = boundary.is_some() && self.open.len() >= NESTING_MAX;
        self.structure.too_deep |= too_deep;
        let children = Vec::new();
        self.structure.parts.push(Part {
            fields,
            content_type,
            disposition,
            encoding,
            uuencoded,
            content,
            children,
            too_deep,
        });
        if let Some(parent) = parent {
            self.structure.parts[parent].children.push(index);
        }
        match boundary {
            Some(boundary) if !too_deep => {
                self.open.push(Open { part: index, boundary, ended: false });
                self.current = None;
            }
            _ => self.current = Some(index),
        }
    }

    /// The boundary of a multipart: the declared one, or the one that its lines have where that is missing or wrong.
    fn boundary(&mut self, content_type: &Parameterised) -> Option<Vec<u8>> {
        if !content_type.value.starts_with("multipart/") {
            return None;
        }
        let declared = content_type.get_raw("boundary").unwrap_or_default();
        let declared = declared.trim_end().as_bytes().to_vec();
        let window = &self.octets[self.at..self.octets.len().min(self.at + BOUNDARY_LOOKED_AT)];
        let line = [b"--", declared.as_slice()].concat();
        if !declared.is_empty() && memchr::memmem::find(window, &line).is_some() {
            return Some(declared);
        }
        let guessed = self.guessed_boundary(window);
        self.structure.damaged |= declared.is_empty() || guessed.is_some();
        guessed.or_else(|| (!declared.is_empty()).then_some(declared))
    }

    /// What follows `--` on the first line of `window` that begins so, if another such line follows later. A dash of
    /// another multipart or in a text has none.
    fn guessed_boundary(&self, window: &[u8]) -> Option<Vec<u8>> {
        let start = if window.starts_with(b"--") { 0 } else { memchr::memmem::find(window, b"\n--")? + 1 };
        let line = self.line(self.at + start)?;
        if self.delimiter_at(&line).is_some() {
            return None;
        }
        let text = self.octets[line].trim_ascii_end();
        // RFC 2046 §5.1.1: at most 70 characters. A row of dashes is a line that somebody drew.
        let is_boundary = (4..=72).contains(&text.len())
            && text.iter().any(u8::is_ascii_alphanumeric)
            && text.iter().all(|octet| octet.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(octet));
        let after = window.get(start + text.len()..)?;
        let again = [b"\n", text].concat();
        (is_boundary && memchr::memmem::find(after, &again).is_some()).then(|| text[2..].to_vec())
    }

    /// Fields up to the blank line, which is passed over, or up to a line that can be neither field nor continuation.
    fn header(&mut self) -> Fields<'x> {
        let mut fields = Fields::with_room_for(if self.structure.parts.is_empty() { FIELDS_USUAL } else { 4 });
        let mut field: Option<(&'x [u8], usize)> = None;
        let octets = self.octets;
        let begin = self.at;
        while let Some(line) = self.line(self.at) {
            let text = &octets[line.clone()];
            let is_folded = text.starts_with(b" ") || text.starts_with(b"\t");
            let next = split_field(text);
            if field.is_some() && (is_folded || self.goes_on_unfolded(field, &line, next.is_some())) {
                self.at = line.end;
                continue;
            }
            if let Some((name, start)) = field.take() {
                self.keep(&mut fields, Field::new(name, &octets[start..line.start]), start - begin);
            }
            let is_blank = matches!(text, b"\r\n" | b"\n" | b"\r");
            if is_blank || self.delimiter_at(&line).is_some() {
                self.at = if is_blank { line.end } else { line.start };
                return fields;
            }
            match next {
                Some((name, value)) => field = Some((name, line.end - value.len())),
                None if self.header_goes_on_after(&line) => {}
                None => return fields,
            }
            self.at = line.end;
        }
        if let Some((name, start)) = field {
            self.keep(&mut fields, Field::new(name, &octets[start..]), start - begin);
        }
        fields
    }

    fn keep(&mut self, fields: &mut Fields<'x>, field: Field<'x>, offset: usize) {
        if offset < HEADER_MAX {
            fields.push(field.cut(HEADER_MAX - offset));
        }
        self.structure.header_cut |= offset + field.len() > HEADER_MAX;
    }

    /// Whether a line belongs to the field before it although the white space is missing that folding needs: a parameter
    /// after a semicolon, or a line that is no field between a known field and another field.
    fn goes_on_unfolded(&self, field: Option<(&[u8], usize)>, line: &Range<usize>, is_field: bool) -> bool {
        let Some((name, start)) = field else { return false };
        let text = self.octets[line.clone()].trim_ascii_end();
        if text.is_empty() || text.starts_with(b"--") {
            return false;
        }
        let is_content = name.len() > 8 && name[..8].eq_ignore_ascii_case(b"content-");
        if is_content && self.octets[start..line.start].trim_ascii_end().ends_with(b";") {
            let token = text.iter().take_while(|octet| octet.is_ascii_alphanumeric() || b"-_*".contains(octet)).count();
            return token > 0 && text[token..].trim_ascii_start().starts_with(b"=");
        }
        let is_text = |name: &[u8]| {
            [&b"subject"[..], b"references", b"in-reply-to", b"to", b"cc"]
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known))
        };
        let is_from_line = text.starts_with(b"From ") || text.starts_with(b">From ");
        !is_field && is_text(name) && !is_from_line && self.header_goes_on_after(line)
    }

    /// Whether a line that is no field is only a damaged line within a header: another well-known field follows it.
    fn header_goes_on_after(&self, line: &Range<usize>) -> bool {
        let Some(next) = self.line(line.end) else { return false };
        split_field(&self.octets[next]).is_some_and(|(name, _)| {
            let name = name.to_ascii_lowercase();
            KNOWN_FIELDS.contains(&name.as_slice()) || name.starts_with(b"content-") || name.starts_with(b"x-")
        })
    }

    /// The next line that is a boundary of any open multipart.
    fn next_delimiter(&self) -> Option<Delimiter> {
        if self.open.is_empty() {
            return None;
        }
        // The content may begin with a boundary, so the line end before it counts as well.
        let mut from = self.at.saturating_sub(1);
        while let Some(found) = self.dashes.find(&self.octets[from..]) {
            let start = from + found + 1;
            let line = self.line(start)?;
            from = line.end - 1;
            if let Some(delimiter) = self.delimiter_at(&line) {
                return Some(delimiter);
            }
        }
        None
    }

    /// Which multipart the line is a boundary of; the innermost one first, and those that have ended last.
    // RFC 2046 §5.1.1: white space may follow the boundary
    fn delimiter_at(&self, line: &Range<usize>) -> Option<Delimiter> {
        let text = self.octets[line.clone()].strip_prefix(b"--")?.trim_ascii_end();
        let innermost_first = || self.open.iter().enumerate().rev();
        let by_state = innermost_first().filter(|(_, open)| !open.ended);
        by_state.chain(innermost_first().filter(|(_, open)| open.ended)).find_map(|(level, open)| {
            let rest = text.strip_prefix(open.boundary.as_slice())?;
            let closing = rest == b"--";
            (closing || rest.is_empty()).then(|| Delimiter { line: line.clone(), level, closing })
        })
    }

    /// The content of the current part, and of all multiparts deeper than `level`, ends before `end`.
    fn end_content(&mut self, end: usize, level: usize) {
        let before = &self.octets[..end];
        let is_delimiter = end < self.octets.len();
        let line_end = match before {
            [.., b'\r', b'\n'] if is_delimiter => 2,
            [.., last] if is_delimiter && *last == self.line_end => 1,
            _ => 0,
        };
        let deeper = self.open.get(level + 1..).unwrap_or_default();
        self.structure.damaged |= deeper.iter().any(|open| !open.ended);
        let ending = deeper.iter().filter(|open| !open.ended).map(|open| open.part).chain(self.current.take());
        let outermost = self.open.get(level).filter(|open| !open.ended).map(|open| open.part);
        for index in ending.chain(outermost) {
            let content = &mut self.structure.parts[index].content;
            content.end = (end - line_end).max(content.start);
        }
        self.open.truncate(level + 1);
    }
}

/// Whether text outside of all parts says anything to people: not the note to old programs, nor left-over boundaries.
fn has_words(text: &[u8]) -> bool {
    // The note comes in all languages, but all of them name MIME or the several parts.
    let is_note = text.len() <= 1000 && {
        let lower = text.to_ascii_lowercase();
        [&b"mime"[..], b"multipart", b"multi-part"].iter().any(|word| memchr::memmem::find(&lower, word).is_some())
    };
    let is_said = |line: &[u8]| !line.starts_with(b"--") && line.iter().any(|c| c.is_ascii_alphanumeric() || *c >= 128);
    !is_note && text.split(|octet| *octet == b'\n').any(is_said)
}

/// Fields after which a damaged line is taken for part of the header.
const KNOWN_FIELDS: [&[u8]; 14] = [
    b"from",
    b"to",
    b"cc",
    b"subject",
    b"date",
    b"message-id",
    b"mime-version",
    b"received",
    b"reply-to",
    b"sender",
    b"return-path",
    b"in-reply-to",
    b"references",
    b"delivered-to",
];

// RFC 2045 §5.2: what is no media type is text/plain. Of several fields the first that is one counts.
fn content_type(fields: &Fields<'_>, default: &str) -> Parameterised {
    let mut unusable = None;
    for field in fields.all("Content-Type") {
        let mut content_type = Parameterised::parse(&field);
        content_type.value.retain(|c| !c.is_whitespace());
        match content_type.value.split_once('/') {
            Some((kind, subtype)) if is_token(kind) && is_token(subtype) => return content_type,
            _ => {
                content_type.value = if content_type.value.is_empty() { default } else { "text/plain" }.to_owned();
                unusable.get_or_insert(content_type);
            }
        }
    }
    unusable.unwrap_or_else(|| Parameterised::parse(default))
}

fn is_token(text: &str) -> bool {
    let is_special = |b: u8| matches!(b, b'(' | b')' | b',' | b'/' | b':'..=b'@' | b'['..=b']' | b'"');
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && !is_special(b))
}

// RFC 2045 §6.1; quotes around the value are against it and are written, as are other ways to spell it
fn transfer_encoding(fields: &Fields<'_>) -> (TransferEncoding, bool) {
    let Some(field) = fields.get("Content-Transfer-Encoding") else { return (TransferEncoding::Identity, false) };
    let value = Parameterised::parse(&field).value;
    let letters: String = value.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
    match letters.as_str() {
        "base64" | "xbase64" | "b64" => (TransferEncoding::Base64, false),
        "quotedprintable" | "xquotedprintable" | "quotedprintible" | "quoteprintable" | "quoted" | "qp" => {
            (TransferEncoding::QuotedPrintable, false)
        }
        "xuuencode" | "xuue" | "uuencode" | "uue" | "xuu" => (TransferEncoding::Identity, true),
        _ => (TransferEncoding::Identity, false),
    }
}

impl Part<'_> {
    /// The character set that the part declares.
    pub(super) fn charset(&self) -> Option<Cow<'_, str>> {
        self.content_type.get("charset").filter(|label| !label.is_empty())
    }

    /// The file name that the part declares, decoded but not cleaned.
    pub(super) fn declared_name(&self) -> Option<String> {
        let is_said = |name: &Cow<'_, str>| !name.trim().is_empty();
        let name = self.disposition.get("filename").filter(is_said).or_else(|| self.content_type.get("name"));
        name.filter(is_said).map(Cow::into_owned).or_else(|| self.external_name())
    }

    /// What a message/external-body is called where it lies. It is never fetched.
    // RFC 2046 §5.2.3, RFC 2017
    fn external_name(&self) -> Option<String> {
        if self.content_type.value != "message/external-body" {
            return None;
        }
        let url = self.content_type.get("url")?;
        let path = url.split(['?', '#']).next()?.trim_end_matches('/');
        let (_, last) = path.split_once("://")?.1.rsplit_once('/')?;
        let mut name = Vec::new();
        parameter::percent_decode(last, &mut name);
        (!name.is_empty()).then(|| charset::sniffed(&name).into_owned())
    }

    /// Whether the sender wants it offered, not shown.
    pub(super) fn is_attachment(&self) -> bool {
        self.disposition.value == "attachment"
    }

    /// Decoded text of a text part, and whether it was in the character set it declares.
    pub(super) fn decode_charset<'o>(&self, octets: &'o [u8]) -> (Cow<'o, str>, bool) {
        charset::decode_body(octets, self.charset().as_deref(), self.content_type.value == "text/html")
    }
}
