//! Splits an mbox into its messages, one at a time, whatever its size.
//!
//! A message begins at a line `From …` that ends in a date and is the first of the file or follows a blank line: not every
//! program quotes a sentence that begins with this word. `>From ` at the start of a line was quoted when the message was
//! put in (mboxo, mboxrd), so one `>` is taken away again.

use crate::session::Outcome;
use postroom_mail::RawMessage;
use std::io::{self, BufRead};

/// Longest piece that is looked at at once; a longer line is taken piece by piece.
const PIECE: u64 = 64 * 1024;

/// The messages of an mbox. Memory holds one message of at most `limit` octets.
pub struct Mbox<R> {
    input: R,
    limit: u64,
    /// Whether the From_ line of the next message has been read.
    begun: bool,
    done: bool,
}

impl<R: BufRead> Mbox<R> {
    /// Reads messages from `input`; one with more than `limit` octets comes out as [`Outcome::TooLarge`].
    pub fn new(input: R, limit: u64) -> Self {
        Self { input, limit, begun: false, done: false }
    }

    fn message(&mut self) -> io::Result<Option<Outcome>> {
        let mut message = Collected::new(self.limit);
        let (mut piece, mut line_start, mut after_blank) = (Vec::new(), true, true);
        loop {
            piece.clear();
            let read = io::Read::take(&mut self.input, PIECE).read_until(b'\n', &mut piece)?;
            if read == 0 {
                self.done = true;
                return Ok(self.begun.then(|| message.finish()));
            }
            if line_start && after_blank && is_separator(&piece) {
                if std::mem::replace(&mut self.begun, true) {
                    return Ok(Some(message.finish()));
                }
                (line_start, after_blank) = (true, false);
                continue;
            }
            after_blank = line_start && matches!(piece.as_slice(), b"\n" | b"\r\n");
            if self.begun {
                message.push(if line_start { unquoted(&piece) } else { &piece });
                message.blank_end = if after_blank { piece.len() } else { 0 };
            }
            line_start = piece.ends_with(b"\n");
        }
    }
}

impl<R: BufRead> Iterator for Mbox<R> {
    type Item = io::Result<Outcome>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.message();
        // After a read error the position in the file is unknown: there is no next message.
        self.done |= next.is_err();
        next.transpose()
    }
}

/// Whether the first line of `input` begins a message of an mbox.
///
/// # Errors
/// Those of `input`.
pub(crate) fn is_mbox(input: &mut impl BufRead) -> io::Result<bool> {
    let mut line = Vec::new();
    io::Read::take(input, PIECE).read_until(b'\n', &mut line)?;
    Ok(is_separator(&line))
}

/// Whether a line is `From `, somebody, and a date as asctime(3) writes it, with or without seconds; there may be a zone
/// before or behind the year, and `remote from` and a host at the end, as UUCP left it.
// RFC 4155 appendix A
fn is_separator(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"From ") else { return false };
    let rest = String::from_utf8_lossy(rest);
    let date = rest.rsplit_once(" remote from ").map_or(&*rest, |(date, _)| date);
    let (mut time, mut year, mut month) = (false, false, false);
    for word in date.split_ascii_whitespace().rev() {
        let is_number = word.bytes().all(|b| b.is_ascii_digit());
        let is_name_of = |names: &str| word.len() == 3 && names.split(' ').any(|name| name.eq_ignore_ascii_case(word));
        if is_time(word) {
            time = true;
        } else if is_name_of("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec") {
            month = true;
        } else if is_number && word.len() == 4 {
            year = true;
        } else if !(is_zone(word) || (is_number && word.len() <= 2)) {
            break;
        }
    }
    time && year && month
}

/// `hh:mm` or `hh:mm:ss`.
fn is_time(word: &str) -> bool {
    let parts: Vec<&str> = word.split(':').collect();
    (2..=3).contains(&parts.len())
        && parts.iter().all(|part| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
}

/// `+0100`, or the letters of a zone.
fn is_zone(word: &str) -> bool {
    let digits = word.strip_prefix(['+', '-']).unwrap_or_default();
    let is_offset = digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit());
    is_offset || (word.len() <= 5 && word.bytes().all(|b| b.is_ascii_uppercase()))
}

/// Takes one `>` from `>From `, `>>From ` and so on.
fn unquoted(line: &[u8]) -> &[u8] {
    let quotes = line.iter().take_while(|&&b| b == b'>').count();
    if quotes > 0 && line[quotes..].starts_with(b"From ") { &line[1..] } else { line }
}

/// The octets of one message, as far as they are within the limit.
struct Collected {
    octets: Vec<u8>,
    size: u64,
    limit: u64,
    /// Length of the last line if it is blank.
    blank_end: usize,
}

impl Collected {
    fn new(limit: u64) -> Self {
        Self { octets: Vec::new(), size: 0, limit, blank_end: 0 }
    }

    fn push(&mut self, piece: &[u8]) {
        self.size += piece.len() as u64;
        // The blank line before the next From_ line is not part of the message, so two octets more may come.
        if self.size <= self.limit.saturating_add(2) {
            self.octets.extend_from_slice(piece);
        } else {
            self.octets = Vec::new();
        }
    }

    fn finish(mut self) -> Outcome {
        // The blank line before the next From_ line divides messages and is part of none.
        self.octets.truncate(self.octets.len().saturating_sub(self.blank_end));
        self.size -= self.blank_end as u64;
        if self.size > self.limit {
            return Outcome::TooLarge { announced: self.size };
        }
        Outcome::Message(RawMessage::new(self.octets))
    }
}

#[cfg(test)]
mod tests;
