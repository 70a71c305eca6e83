//! Divides the octets from a server into lines, and the octets of a message from the dots that were put into it.

use super::Pop3Error;
use bytes::{Buf as _, Bytes};
use memchr::memmem;

/// Longest line outside of a message, in octets. The standard has 512 (RFC 2449 §4); challenges may be longer (RFC 5034 §4).
pub const MAX_LINE: usize = 16 * 1024;

/// What the reader gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A line without its CRLF.
    Line(Vec<u8>),
    /// Octets of a message, as they were before dots were put in.
    Chunk(Bytes),
    /// The message is complete.
    End,
}

/// Divides octets into pieces. Octets come from a buffer that the caller owns, so that chunks are never copied.
#[derive(Debug, Default)]
pub struct Reader {
    line: Vec<u8>,
    message: Option<At>,
}

/// Where in a message the next octet stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Behind CRLF, or at the very beginning.
    LineStart,
    /// Behind a dot at the start of a line, which is not part of the message.
    Dot,
    /// Behind such a dot and a CR: an LF ends the message.
    DotCr,
    /// Behind a CR.
    Cr,
    /// Anywhere else.
    Middle,
}

impl Reader {
    /// From the next octet on a message is read, until [`Piece::End`].
    pub fn begin_message(&mut self) {
        self.message = Some(At::LineStart);
    }

    /// Whether nothing of an unfinished line or message is held.
    pub fn is_between_lines(&self) -> bool {
        self.line.is_empty() && self.message.is_none()
    }

    /// Takes the next piece off `input`, or `None` when `input` is used up.
    ///
    /// # Errors
    /// [`Pop3Error::LineTooLong`], [`Pop3Error::BareLineFeed`].
    pub fn next(&mut self, input: &mut Bytes) -> Result<Option<Piece>, Pop3Error> {
        match self.message {
            Some(at) => Ok(self.message(at, input)),
            None => self.text(input),
        }
    }

    fn text(&mut self, input: &mut Bytes) -> Result<Option<Piece>, Pop3Error> {
        let end = memchr::memchr(b'\n', input).map(|at| at + 1);
        let text = input.split_to(end.unwrap_or(input.len()));
        if self.line.len() + text.len() > MAX_LINE {
            return Err(Pop3Error::LineTooLong);
        }
        self.line.extend_from_slice(&text);
        if end.is_none() {
            return Ok(None);
        }
        let mut line = std::mem::take(&mut self.line);
        if !line.ends_with(b"\r\n") {
            return Err(Pop3Error::BareLineFeed);
        }
        line.truncate(line.len() - 2);
        Ok(Some(Piece::Line(line)))
    }

    // RFC 1939 §3: the dot at the start of a line is taken off; a line of nothing but the dot ends the message.
    fn message(&mut self, mut at: At, input: &mut Bytes) -> Option<Piece> {
        loop {
            let Some(&octet) = input.first() else {
                self.message = Some(at);
                return None;
            };
            at = match (at, octet) {
                (At::LineStart, b'.') => {
                    input.advance(1);
                    At::Dot
                }
                (At::Dot, b'\r') => {
                    input.advance(1);
                    At::DotCr
                }
                (At::DotCr, b'\n') => {
                    input.advance(1);
                    self.message = None;
                    return Some(Piece::End);
                }
                // The dot stood before something else, and the CR that was held back belongs to the message.
                (At::DotCr, _) => {
                    self.message = Some(At::Cr);
                    return Some(Piece::Chunk(Bytes::from_static(b"\r")));
                }
                (At::Cr, b'\n') => {
                    self.message = Some(At::LineStart);
                    return Some(Piece::Chunk(input.split_to(1)));
                }
                (At::LineStart | At::Dot | At::Cr | At::Middle, _) => return Some(self.run(input)),
            };
        }
    }

    /// Everything up to the next line that begins with a dot, or to the end of what is there.
    fn run(&mut self, input: &mut Bytes) -> Piece {
        let end = match memmem::find(input, b"\r\n.") {
            Some(at) => at + 2,
            None => input.len(),
        };
        let run = input.split_to(end);
        self.message = Some(if run.ends_with(b"\r\n") {
            At::LineStart
        } else if run.ends_with(b"\r") {
            At::Cr
        } else {
            At::Middle
        });
        Piece::Chunk(run)
    }
}
