//! Content-Transfer-Encoding: from the octets on the wire to the octets that were meant.
//!
//! Both decoders are total: what is damaged is skipped or kept as it stands, and the caller learns that it was damaged.

use crate::TransferEncoding;
use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;

/// The octets that `octets` stand for. Deterministic and total; identity costs nothing, because it is the same memory.
///
/// Base64 skips whatever is not of its alphabet (RFC 2045 §6.8 asks for that), accepts the URL-safe alphabet, missing
/// padding and several padded pieces in a row. Quoted-printable keeps a `=` that introduces nothing as it stands.
pub fn decode_transfer(octets: &Bytes, encoding: TransferEncoding) -> Bytes {
    decode_checked(octets, encoding).0
}

/// As [`decode_transfer`], and whether the encoding was intact.
pub(crate) fn decode_checked(octets: &Bytes, encoding: TransferEncoding) -> (Bytes, bool) {
    match encoding {
        TransferEncoding::Identity => (octets.clone(), true),
        TransferEncoding::Base64 => {
            let (decoded, intact) = base64(octets);
            (decoded.into(), intact)
        }
        TransferEncoding::QuotedPrintable => {
            let (decoded, intact) = quoted_printable(octets);
            (decoded.into(), intact)
        }
    }
}

/// Trailing bits are tolerated, because some encoders leave them in and they carry nothing.
const STANDARD: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Base64 (RFC 2045 §6.8): the fast decoder where the text is clean but for its line ends, else the tolerant one.
pub(crate) fn base64(encoded: &[u8]) -> (Vec<u8>, bool) {
    let packed = without_line_ends(encoded);
    match STANDARD.decode(&packed) {
        Ok(decoded) => (decoded, true),
        Err(_) => base64_tolerant(&packed),
    }
}

/// The text without CR, LF, blanks and tabs at line ends; whole lines are copied at once.
fn without_line_ends(encoded: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(encoded.len());
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', encoded).chain(std::iter::once(encoded.len())) {
        packed.extend_from_slice(encoded[start..end].trim_ascii());
        start = (end + 1).min(encoded.len());
    }
    packed
}

/// The value of each octet in either alphabet of RFC 4648 (§4 and §5); `SKIP` for all others but `=`.
const VALUES: [u8; 256] = values();
const SKIP: u8 = 255;

const fn values() -> [u8; 256] {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [SKIP; 256];
    let mut i = 0;
    while i < 64 {
        values[alphabet[i] as usize] = i as u8;
        i += 1;
    }
    values[b'-' as usize] = 62;
    values[b'_' as usize] = 63;
    values
}

fn base64_tolerant(encoded: &[u8]) -> (Vec<u8>, bool) {
    let mut decoded = Vec::with_capacity(encoded.len() / 4 * 3 + 3);
    let (mut bits, mut count, mut intact) = (0u32, 0u32, true);
    for &octet in encoded {
        if octet == b'=' {
            // Padding ends a quantum; another encoded piece may follow it.
            flush(&mut decoded, bits, count);
            (bits, count) = (0, 0);
            continue;
        }
        let value = VALUES[octet as usize];
        if value == SKIP {
            intact &= octet.is_ascii_whitespace();
            continue;
        }
        bits = bits << 6 | u32::from(value);
        count += 1;
        if count == 4 {
            decoded.extend_from_slice(&bits.to_be_bytes()[1..]);
            (bits, count) = (0, 0);
        }
    }
    intact &= count != 1;
    flush(&mut decoded, bits, count);
    (decoded, intact)
}

/// Writes the whole octets of an unfinished quantum of `count` characters.
fn flush(decoded: &mut Vec<u8>, bits: u32, count: u32) {
    match count {
        2 => decoded.push((bits >> 4) as u8),
        3 => decoded.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]),
        _ => {}
    }
}

/// Quoted-printable (RFC 2045 §6.7). Blanks at the end of a line are padding and fall away.
pub(crate) fn quoted_printable(encoded: &[u8]) -> (Vec<u8>, bool) {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut intact = true;
    let mut start = 0;
    while start < encoded.len() {
        let end = memchr::memchr(b'\n', &encoded[start..]).map_or(encoded.len(), |at| start + at + 1);
        let line = &encoded[start..end];
        let (content, line_end) = split_line_end(line);
        intact &= quoted_printable_line(content.trim_ascii_end(), line_end, &mut decoded);
        start = end;
    }
    (decoded, intact)
}

fn split_line_end(line: &[u8]) -> (&[u8], &[u8]) {
    let content = line.strip_suffix(b"\r\n").or_else(|| line.strip_suffix(b"\n")).unwrap_or(line);
    (content, &line[content.len()..])
}

fn quoted_printable_line(content: &[u8], line_end: &[u8], decoded: &mut Vec<u8>) -> bool {
    let mut intact = true;
    let mut at = 0;
    while let Some(step) = memchr::memchr(b'=', &content[at..]) {
        decoded.extend_from_slice(&content[at..at + step]);
        at += step;
        match content[at + 1..] {
            // A soft line break: neither `=` nor line end are part of the text.
            [] => return intact,
            [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                decoded.push(hex(high) << 4 | hex(low));
                at += 3;
            }
            _ => {
                decoded.push(b'=');
                at += 1;
                intact = false;
            }
        }
    }
    decoded.extend_from_slice(&content[at..]);
    decoded.extend_from_slice(line_end);
    intact
}

/// The value of a hexadecimal digit; 0 for anything else, which callers exclude.
pub(crate) fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}
