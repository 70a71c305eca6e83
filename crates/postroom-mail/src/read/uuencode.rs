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

/// Reads the lines after the one that began the file, up to its end. The second value: how many lines belong to the
/// file, the end included; an error says how many lines are certainly none. A line that begins another file is never
/// part of this one, so all files together are linear.
pub(super) fn block<'x>(is_base64: bool, lines: impl Iterator<Item = &'x [u8]>) -> Result<(Vec<u8>, usize), usize> {
    let (mut decoded, mut count) = (Vec::new(), 0);
    let mut encoded = Vec::new();
    for line in lines {
        let line = line.trim_ascii_end();
        if is_base64 && line == b"====" {
            return Ok((transfer::base64(&encoded).0, count + 1));
        }
        if !is_base64 && line == b"end" {
            return if decoded.is_empty() { Err(count) } else { Ok((decoded, count + 1)) };
        }
        if is_base64 {
            if line.is_empty() || !line.iter().all(|octet| octet.is_ascii_alphanumeric() || b"+/=".contains(octet)) {
                return Err(count);
            }
            encoded.extend_from_slice(line);
        } else if !data_line(line, &mut decoded) {
            return Err(count);
        }
        count += 1;
    }
    Err(count)
}

/// Appends the octets of a line; `false` if it can be none of a file.
fn data_line(line: &[u8], decoded: &mut Vec<u8>) -> bool {
    let Some((&first, characters)) = line.split_first() else { return true };
    if !(b' '..=b'`').contains(&first) {
        return false;
    }
    let size = six_bits(first) as usize;
    // Blanks at the end get lost on the way; some programs add a checksum, or zeros of the machine's choice.
    if characters.len() > size.div_ceil(3) * 4 + 3 || !characters.iter().all(|c| (b' '..=b'`').contains(c)) {
        return false;
    }
    append(size, characters, decoded);
    true
}

// Each line begins with the number of its octets.
fn append(size: usize, characters: &[u8], decoded: &mut Vec<u8>) {
    let start = decoded.len();
    for quad in characters.chunks(4) {
        let bits = (0..4).fold(0u32, |bits, at| bits << 6 | six_bits(quad.get(at).copied().unwrap_or(b' ')));
        decoded.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
    // Blanks at the end of a line, each of them a zero, get lost on the way.
    decoded.resize(start + size, 0);
}

/// The file within an uuencoded part, however damaged: what stands between `begin` and `end`. `None` if there is none.
pub(super) fn file_of_part(encoded: &[u8]) -> Option<Vec<u8>> {
    let mut lines = encoded.split(|b| *b == b'\n').map(<[u8]>::trim_ascii_end);
    lines.find(|line| line.starts_with(b"begin "))?;
    let mut decoded = Vec::with_capacity(encoded.len() / 4 * 3);
    for line in lines.take_while(|line| *line != b"end") {
        let Some((count, characters)) = line.split_first() else { continue };
        append(six_bits(*count) as usize, characters, &mut decoded);
    }
    Some(decoded)
}

/// The value of a uuencoded character; both blank and backquote are 0.
fn six_bits(character: u8) -> u32 {
    u32::from(character.wrapping_sub(b' ') & 0x3f)
}
