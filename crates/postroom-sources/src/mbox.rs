//! Splits an mbox into its messages, one at a time, whatever its size.
//!
//! A message begins at a line `From …` that is the first of the file or follows a blank line. `>From ` at the start of a
//! line was quoted when the message was put in (mboxo, mboxrd), so one `>` is taken away again.

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
            if line_start && after_blank && piece.starts_with(b"From ") {
                self.skip_rest_of_line(&piece)?;
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

    fn skip_rest_of_line(&mut self, begun: &[u8]) -> io::Result<()> {
        let mut ended = begun.ends_with(b"\n");
        while !ended {
            let mut piece = Vec::new();
            let read = io::Read::take(&mut self.input, PIECE).read_until(b'\n', &mut piece)?;
            ended = read == 0 || piece.ends_with(b"\n");
        }
        Ok(())
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
