//! Files that old programs put into the text itself: yEnc (<http://www.yenc.org/yenc-draft.1.3.txt>).

/// A file between `=ybegin` and `=yend`.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) name: Vec<u8>,
    pub(super) octets: Vec<u8>,
    /// Number of this part and of all parts, where the file was cut.
    pub(super) part: Option<(u32, u32)>,
    /// Whether length and checksum are those that the block names.
    pub(super) intact: bool,
}

/// Whether a line begins a block.
pub(super) fn begins(line: &[u8]) -> bool {
    line.starts_with(b"=ybegin ") && value(line, b" line=").is_some() && value(line, b" size=").is_some()
}

/// Reads the lines after `begin`. The second value: how many lines belong to the block, `=yend` included; an error
/// says how many lines are certainly no block: words that only stand between such lines have not the length these say.
/// Never looks beyond the next `=ybegin`, so all blocks together are linear.
pub(super) fn block<'x>(begin: &[u8], lines: impl Iterator<Item = &'x [u8]>) -> Result<(Block, usize), usize> {
    let mut block = Block { name: name(begin), ..Block::default() };
    let mut declared = number(begin, b" size=");
    let mut count = 0;
    for line in lines {
        if line.starts_with(b"=ybegin ") {
            return Err(count);
        }
        count += 1;
        if line.starts_with(b"=ypart ") && count == 1 {
            let part = number(begin, b" part=").unwrap_or(1);
            block.part = Some((part, number(begin, b" total=").unwrap_or(0)));
            declared = number(line, b" end=")
                .zip(number(line, b" begin="))
                .and_then(|(end, begin)| end.checked_sub(begin)?.checked_add(1));
        } else if line.starts_with(b"=yend") {
            let at_end = if block.part.is_some() { b" pcrc32=".as_slice() } else { b" crc32=" };
            let checksum =
                value(line, at_end).and_then(|digits| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
            let lengths = [declared, number(line, b" size=")];
            if lengths.iter().flatten().any(|size| !is_near(block.octets.len(), *size)) {
                return Err(count);
            }
            block.intact = declared.is_none_or(|size| size as usize == block.octets.len())
                && checksum.is_none_or(|checksum| checksum == crc32(&block.octets));
            return Ok((block, count));
        } else {
            decode(line, &mut block.octets);
        }
    }
    Err(count)
}

/// Whether a length is the declared one, but for what gets lost on the way.
fn is_near(length: usize, declared: u32) -> bool {
    length.abs_diff(declared as usize) <= 2 + declared as usize / 8
}

fn decode(line: &[u8], octets: &mut Vec<u8>) {
    let mut escaped = false;
    for &octet in line {
        if octet == b'=' && !escaped {
            escaped = true;
            continue;
        }
        let shift = if std::mem::take(&mut escaped) { 42 + 64 } else { 42 };
        octets.push(octet.wrapping_sub(shift));
    }
}

/// The name stands last and may have blanks in it.
fn name(line: &[u8]) -> Vec<u8> {
    let at = memchr::memmem::find(line, b" name=").map_or(line.len(), |at| at + 6);
    line[at..].trim_ascii().to_vec()
}

fn number(line: &[u8], key: &[u8]) -> Option<u32> {
    std::str::from_utf8(value(line, key)?).ok()?.parse().ok()
}

/// The value of `key`, which is given with the blank before and the `=` after it.
fn value<'x>(line: &'x [u8], key: &[u8]) -> Option<&'x [u8]> {
    let name = memchr::memmem::find(line, b" name=").unwrap_or(line.len());
    let at = memchr::memmem::find(&line[..name], key)? + key.len();
    let value = &line[at..name];
    Some(&value[..value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len())])
}

/// CRC-32 of ISO 3309, which is that of PNG, gzip and zip.
fn crc32(octets: &[u8]) -> u32 {
    !octets.iter().fold(!0u32, |crc, octet| crc >> 8 ^ CRC_TABLE[usize::from(crc as u8 ^ octet)])
}

const CRC_TABLE: [u32; 256] = crc_table();

const fn crc_table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut crc = i as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[i] = crc;
        i += 1;
    }
    table
}
