//! Compressed RTF ([MS-OXRTFCP]).
//!
//! Forty lines of our own, because the crate for it panics on fewer than 16 octets, allocates what the header claims, and
//! gives up where a checksum is wrong.

use super::Fuel;

/// Octets of RTF that are made at most.
const SIZE_MAX: usize = 8 * 1024 * 1024;
const COMPRESSED: &[u8] = b"LZFu";
const UNCOMPRESSED: &[u8] = b"MELA";
const HEADER: usize = 16;
const DICTIONARY: usize = 4096;

/// What the dictionary begins with ([MS-OXRTFCP] §2.1.3.1.1).
const INITIAL: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \
\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

/// The RTF, as far as it is there; `None` if it is none, is larger than 8 MiB, or the fuel is not enough.
/// A wrong checksum is no reason to lose the text.
pub(super) fn decompress(octets: &[u8], fuel: &mut Fuel) -> Option<Vec<u8>> {
    let (header, content) = octets.split_at_checked(HEADER)?;
    let size = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
    if size > SIZE_MAX || !fuel.take(size) {
        return None;
    }
    match &header[8..12] {
        COMPRESSED => Some(expand(content, size)),
        UNCOMPRESSED => Some(content.get(..size).unwrap_or(content).to_vec()),
        _ => None,
    }
}

/// Runs of eight literals or references into the last 4096 octets; a reference to where we are is the end.
fn expand(content: &[u8], size: usize) -> Vec<u8> {
    let mut dictionary = [b' '; DICTIONARY];
    dictionary[..INITIAL.len()].copy_from_slice(INITIAL);
    let mut write = INITIAL.len();
    let mut expanded = Vec::with_capacity(size.min(content.len().saturating_mul(9)));
    let mut octets = content.iter().copied();
    while let Some(control) = octets.next() {
        for bit in 0..8 {
            let Some(first) = octets.next() else { return expanded };
            let (mut read, length) = if control >> bit & 1 == 0 {
                // A literal is put where a reference of one octet finds it.
                dictionary[write] = first;
                (write, 1)
            } else {
                let Some(second) = octets.next() else { return expanded };
                let reference = usize::from(first) << 8 | usize::from(second);
                if reference >> 4 == write {
                    return expanded;
                }
                (reference >> 4, (reference & 15) + 2)
            };
            for _ in 0..length {
                if expanded.len() >= size {
                    return expanded;
                }
                let octet = dictionary[read];
                expanded.push(octet);
                dictionary[write] = octet;
                read = (read + 1) % DICTIONARY;
                write = (write + 1) % DICTIONARY;
            }
        }
    }
    expanded
}
