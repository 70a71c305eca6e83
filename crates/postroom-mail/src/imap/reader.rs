//! Divides the octets from a server into logical lines, with message literals handed on in chunks.

use super::ImapError;
use bytes::{Buf as _, Bytes};

/// Longest logical line in octets: its text and those literals that are not a message.
pub const MAX_LINE: usize = 64 * 1024;

/// What the reader gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A message literal of so many octets begins.
    BodyStart(u64),
    /// The next octets of the message literal.
    BodyChunk(Bytes),
    /// A logical line is whole: its text, small literals included. The message literal stands in it as
    /// [`BODY_MARK`], everything else as it came; line ends are taken off the end.
    Line(Vec<u8>),
}

/// Stands in a line where the message literal was. NUL has no place in an IMAP line outside of literals (RFC 9051 §4),
/// and the reader replaces any that comes, so no server can write this.
pub(super) const BODY_MARK: u8 = 0;

/// Divides octets into pieces. Octets come from a buffer that the caller owns, so that message chunks are never copied.
#[derive(Debug, Default)]
pub struct Reader {
    line: Vec<u8>,
    /// Where in `line` the text that is being read began: after the last literal.
    fragment: usize,
    state: Mode,
    has_body: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Mode {
    #[default]
    Text,
    /// So many octets of a small literal are still to come; it becomes part of the line.
    Keep(usize),
    /// So many octets of a literal that nobody wants are still to come.
    Skip(u64),
    /// So many octets of a message are still to come.
    Body(u64),
}

/// A literal announced at the end of a fragment.
struct Literal {
    /// Where in the line its `{` (or `~{`) stands.
    at: usize,
    length: u64,
}

impl Reader {
    /// Takes the next piece off `input`, or `None` when `input` is used up.
    ///
    /// # Errors
    /// [`ImapError::LineTooLong`], [`ImapError::LiteralMalformed`], [`ImapError::TwoBodies`]; the octets after them have
    /// no meaning any more.
    pub fn next(&mut self, input: &mut Bytes) -> Result<Option<Piece>, ImapError> {
        loop {
            match self.state {
                Mode::Keep(0) | Mode::Skip(0) | Mode::Body(0) => {
                    self.state = Mode::Text;
                    self.fragment = self.line.len();
                }
                _ if input.is_empty() => return Ok(None),
                Mode::Keep(left) => {
                    let octets = input.split_to(left.min(input.len()));
                    self.line.extend_from_slice(&octets);
                    self.state = Mode::Keep(left - octets.len());
                }
                Mode::Skip(left) => {
                    let skipped = at_most(left, input);
                    input.advance(skipped);
                    self.state = Mode::Skip(left - skipped as u64);
                }
                Mode::Body(left) => {
                    let chunk = input.split_to(at_most(left, input));
                    self.state = Mode::Body(left - chunk.len() as u64);
                    return Ok(Some(Piece::BodyChunk(chunk)));
                }
                Mode::Text => {
                    if let Some(piece) = self.text(input)? {
                        return Ok(Some(piece));
                    }
                }
            }
        }
    }

    /// Takes text up to and including the next LF.
    fn text(&mut self, input: &mut Bytes) -> Result<Option<Piece>, ImapError> {
        let end = memchr::memchr(b'\n', input).map(|at| at + 1);
        let text = input.split_to(end.unwrap_or(input.len()));
        if self.line.len() + text.len() > MAX_LINE {
            return Err(ImapError::LineTooLong);
        }
        let new = self.line.len();
        self.line.extend_from_slice(&text);
        if memchr::memchr(0, &text).is_some() {
            self.line[new..].iter_mut().filter(|b| **b == BODY_MARK).for_each(|b| *b = b'?');
        }
        if end.is_none() {
            return Ok(None);
        }
        match self.literal()? {
            Some(literal) => self.begin(&literal),
            None => Ok(Some(self.finish())),
        }
    }

    fn finish(&mut self) -> Piece {
        let mut line = std::mem::take(&mut self.line);
        // A bare LF ends a line too: there are servers that send it.
        line.pop();
        if line.ends_with(b"\r") {
            line.pop();
        }
        (self.fragment, self.has_body) = (0, false);
        Piece::Line(line)
    }

    /// The literal that the fragment just ended announces, if it does.
    // RFC 9051 §4.3; literal8 RFC 3516; a non-synchronising `+` is not the server's to send, but harmless.
    fn literal(&self) -> Result<Option<Literal>, ImapError> {
        let text = self.line.trim_ascii_end();
        let Some(inner) = text.strip_suffix(b"}") else { return Ok(None) };
        let Some(open) = memchr::memrchr(b'{', inner).filter(|open| *open >= self.fragment) else { return Ok(None) };
        if is_free_text(text) || ends_in_quotes(&text[self.fragment..open]) {
            return Ok(None);
        }
        let length = inner[open + 1..].strip_suffix(b"+").unwrap_or(&inner[open + 1..]);
        if !length.iter().all(|b| b.is_ascii_digit() || *b == b'-') {
            return Ok(None);
        }
        let length = parse_number(length).ok_or(ImapError::LiteralMalformed)?;
        let at = if text[..open].ends_with(b"~") { open - 1 } else { open };
        Ok(Some(Literal { at, length }))
    }

    fn begin(&mut self, literal: &Literal) -> Result<Option<Piece>, ImapError> {
        let before = &self.line[..literal.at];
        if is_fetch(before) && is_body_name(before) {
            if std::mem::replace(&mut self.has_body, true) {
                return Err(ImapError::TwoBodies);
            }
            self.line.truncate(literal.at);
            self.line.push(BODY_MARK);
            self.state = Mode::Body(literal.length);
            return Ok(Some(Piece::BodyStart(literal.length)));
        }
        let room = (MAX_LINE - self.line.len()) as u64;
        self.state = match usize::try_from(literal.length) {
            Ok(length) if literal.length <= room => Mode::Keep(length),
            _ => {
                // Nobody asked for it. The line stays readable with NIL in its place.
                self.line.truncate(literal.at);
                self.line.extend_from_slice(b"NIL");
                Mode::Skip(literal.length)
            }
        };
        Ok(None)
    }
}

fn at_most(left: u64, input: &Bytes) -> usize {
    usize::try_from(left).unwrap_or(usize::MAX).min(input.len())
}

/// A number as IMAP writes it, of at most 20 digits.
pub(super) fn parse_number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 20 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Whether the rest of the line is text for people, in which `{5}` is no literal: status responses, tagged ones too, and
/// continuation requests. Only an untagged line that is no status response has literals.
fn is_free_text(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"*") else { return true };
    let word = rest.trim_ascii_start().split(|b| *b == b' ').next().unwrap_or_default();
    [b"OK".as_slice(), b"NO", b"BAD", b"BYE", b"PREAUTH"].iter().any(|s| word.eq_ignore_ascii_case(s))
}

/// Whether a quoted string is still open at the end of `text`.
fn ends_in_quotes(text: &[u8]) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    for b in text {
        match b {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
    }
    quoted
}

fn is_fetch(line: &[u8]) -> bool {
    let mut words = line.split(|b| *b == b' ').filter(|word| !word.is_empty());
    words.next() == Some(b"*")
        && words.next().is_some()
        && words.next().is_some_and(|w| w.eq_ignore_ascii_case(b"FETCH"))
}

/// Whether `line` ends with the name of a whole message: `BODY[]`, `BODY[]<0>`, `BINARY[]`.
fn is_body_name(line: &[u8]) -> bool {
    let name = line.trim_ascii_end().rsplit(|b| matches!(b, b' ' | b'(')).next().unwrap_or_default();
    is_whole_message(name)
}

/// Whether a FETCH item of this name is the whole message from its first octet.
pub(super) fn is_whole_message(name: &[u8]) -> bool {
    let name = name.strip_suffix(b"<0>").unwrap_or(name);
    name.eq_ignore_ascii_case(b"BODY[]") || name.eq_ignore_ascii_case(b"BINARY[]")
}
