//! Files that old programs put into the text itself: uuencode, and its base64 form (POSIX.1-2017, `uuencode`).

use super::transfer;

/// The name on a line that begins a file, which may be missing, and whether the file is in base64.
pub(super) fn begins(line: &[u8]) -> Option<(&[u8], bool)> {
    let (rest, is_base64) = match line.strip_prefix(b"begin ") {
        Some(rest) => (rest, false),
        None => (line.strip_prefix(b"begin-base64 ")?, true),
    };
    let mode = rest.iter().take_while(|octet| matches!(octet, b'0'..=b'7')).count();
    let name = rest.get(mode..).filter(|name| name.is_empty() || name.starts_with(b" "))?.trim_ascii();
    matches!(mode, 3..=6).then_some((name, is_base64))
}

/// A file between `begin` and `end`.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) octets: Vec<u8>,
    /// Whether every line has what its count says.
    pub(super) intact: bool,
}

/// Reads the lines after the one that began the file, up to its end. The second value: how many lines belong to the
/// file, the end included; an error says how many lines are certainly none. A line that begins another file is never
/// part of this one, so all files together are linear.
pub(super) fn block<'x>(is_base64: bool, lines: impl Iterator<Item = &'x [u8]>) -> Result<(Block, usize), usize> {
    let (mut lines_read, mut count) = (Lines::default(), 0);
    let mut encoded = Vec::new();
    for line in lines {
        let line = line.trim_ascii_end();
        if is_base64 && line == b"====" {
            let (octets, intact) = transfer::base64(&encoded);
            return Ok((Block { octets, intact }, count + 1));
        }
        if !is_base64 && line == b"end" {
            return if lines_read.are_a_file() { Ok((lines_read.finish(), count + 1)) } else { Err(count) };
        }
        if is_base64 {
            if line.is_empty() || !line.iter().all(|octet| octet.is_ascii_alphanumeric() || b"+/=".contains(octet)) {
                return Err(count);
            }
            encoded.extend_from_slice(line);
        } else if !is_data_line(line) {
            return Err(count);
        } else {
            lines_read.append(line);
        }
        count += 1;
    }
    Err(count)
}

/// Whether a line can be one of a file: its count, and not more characters than that needs.
fn is_data_line(line: &[u8]) -> bool {
    let Some((&first, characters)) = line.split_first() else { return true };
    let is_letter = |c: &u8| (b' '..=b'`').contains(c);
    // Some programs add a checksum.
    is_letter(&first)
        && characters.len() <= encoded_length(six_bits(first) as usize) + 3
        && characters.iter().all(is_letter)
}

/// Characters that so many octets are encoded in.
fn encoded_length(octets: usize) -> usize {
    octets.div_ceil(3) * 4
}

/// The lines of a file, decoded as they come.
#[derive(Debug, Default)]
struct Lines {
    octets: Vec<u8>,
    /// Octets of the lines so far, which bounds what may be made up for lost blanks.
    encoded: usize,
    /// Lines that have octets by their count.
    counted: usize,
    /// Those of them with far fewer characters than the count needs.
    short: usize,
    damaged: bool,
}

impl Lines {
    /// Each line begins with the number of its octets.
    fn append(&mut self, line: &[u8]) {
        let Some((&count, characters)) = line.split_first() else { return };
        let (size, start) = (six_bits(count) as usize, self.octets.len());
        self.encoded += line.len() + 1;
        self.counted += usize::from(size > 0);
        // A last group of blanks may be lost, or never written where it is padding.
        self.short += usize::from(characters.len() + 4 < encoded_length(size));
        for quad in characters.chunks(4) {
            let bits = (0..4).fold(0u32, |bits, at| bits << 6 | six_bits(quad.get(at).copied().unwrap_or(b' ')));
            self.octets.extend_from_slice(&bits.to_be_bytes()[1..]);
        }
        // Blanks at the end of a line, each of them a zero, get lost on the way. They are put back as long as the file
        // does not become longer than its lines are: a few octets must not stand for many.
        let room = self.encoded.saturating_sub(start).max(self.octets.len() - start);
        self.damaged |= size > room;
        self.octets.resize(start + size.min(room), 0);
    }

    /// Whether nearly every line is as long as it says, which words between `begin` and `end` are not.
    fn are_a_file(&self) -> bool {
        self.counted > 0 && self.short * 8 <= self.counted
    }

    fn finish(self) -> Block {
        Block { octets: self.octets, intact: !self.damaged }
    }
}

/// The file within an uuencoded part, however damaged: what stands between `begin` and `end`. `None` if there is none.
/// Never longer than the part.
pub(super) fn file_of_part(encoded: &[u8]) -> Option<Block> {
    let mut lines = encoded.split(|b| *b == b'\n').map(<[u8]>::trim_ascii_end);
    lines.find(|line| line.starts_with(b"begin "))?;
    let mut file = Lines { octets: Vec::with_capacity(encoded.len() / 4 * 3), ..Lines::default() };
    lines.take_while(|line| *line != b"end").for_each(|line| file.append(line));
    Some(file.finish())
}

/// The value of a uuencoded character; both blank and backquote are 0.
fn six_bits(character: u8) -> u32 {
    u32::from(character.wrapping_sub(b' ') & 0x3f)
}
