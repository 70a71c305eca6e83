//! Content-Transfer-Encoding: from the octets on the wire to the octets that were meant.
//!
//! Both decoders are total: what is damaged is skipped or kept as it stands, and the caller learns that it was damaged.

use super::structure::Part;
use super::uuencode;
use crate::{Sha256, TransferEncoding};
use base64::Engine as _;
use base64::engine::GeneralPurpose;
use bytes::Bytes;
use sha2::Digest as _;

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

/// The decoded octets of a part that is shown, and whether its encoding was intact. Of encoded content `max` octets are
/// decoded. Text that only claims to be encoded is left as it is.
pub(super) fn text_of_part(raw: &Bytes, part: &Part<'_>, max: usize) -> (Bytes, bool) {
    let content = part.content.clone();
    if part.uuencoded {
        let file = uuencode::file_of_part(&raw[content.clone()]);
        return file.map_or_else(|| (raw.slice(content), false), |file| (file.octets.into(), file.intact));
    }
    if part.encoding == TransferEncoding::Identity {
        return (raw.slice(content), true);
    }
    let encoded = raw.slice(content.start..content.end.min(content.start.saturating_add(max)));
    if part.encoding == TransferEncoding::Base64 {
        return base64_text(&encoded);
    }
    decode_checked(&encoded, part.encoding)
}

/// Base64 of a text. Mailing lists append their footer in clear to what is encoded, and some programs only claim to
/// encode.
fn base64_text(encoded: &Bytes) -> (Bytes, bool) {
    if memchr::memmem::find(encoded, b"= ").is_some() {
        // Words behind the padding, on its line, are no base64.
        let line_end = |line: &[u8]| memchr::memmem::find(line, b"= ").map_or(line.len(), |at| at + 1);
        let lines: Vec<&[u8]> = encoded.split(|octet| *octet == b'\n').map(|line| &line[..line_end(line)]).collect();
        return (base64(&lines.join(&b'\n')).0.into(), false);
    }
    let (decoded, intact) = base64(encoded);
    // Letters, blanks and rules are of the alphabet or passed over, so a footer may hide in what seems intact.
    if intact && (memchr::memchr3(b' ', b'_', b'-', encoded).is_none() || is_text(&decoded)) {
        return (decoded.into(), true);
    }
    let clear = clear_from(encoded);
    if clear == encoded.len() {
        return (decoded.into(), intact);
    }
    if encoded[..clear].trim_ascii().is_empty() {
        return (encoded.clone(), false);
    }
    let mut text = base64(&encoded[..clear]).0;
    text.push(b'\n');
    text.extend_from_slice(&encoded[clear..]);
    (text.into(), false)
}

/// Where the lines begin that can be no base64 any more, up to the end: several words, or characters of no alphabet.
fn clear_from(encoded: &[u8]) -> usize {
    let (mut at, mut is_padded) = (0, false);
    for line in encoded.split_inclusive(|octet| *octet == b'\n') {
        let line_end = at + line.len();
        let junk = line.trim_ascii().iter().filter(|c| !c.is_ascii_alphanumeric() && !b"+/=-_".contains(c)).count();
        let is_rule = line.len() > 4 && line.trim_ascii().iter().all(|c| b"-_=*".contains(c));
        // One stray character is damage; where the rest is words, it has several. Behind padding one is enough.
        let may_be_words = is_rule || junk > usize::from(!is_padded);
        if may_be_words {
            return if is_clear(&encoded[at..], is_rule) { at } else { encoded.len() };
        }
        is_padded |= line.trim_ascii_end().ends_with(b"=");
        at = line_end;
    }
    encoded.len()
}

/// Whether this is UTF-8 without control characters, which nothing decodes to by accident.
fn is_text(octets: &[u8]) -> bool {
    let is_control = |c: char| c.is_control() && !c.is_whitespace();
    std::str::from_utf8(octets).is_ok_and(|text| !text.contains(is_control))
}

/// Whether this reads like words: blanks between them, or a rule above, and nothing that text does not have.
fn is_clear(octets: &[u8], has_rule: bool) -> bool {
    let blanks = octets.iter().filter(|octet| **octet == b' ').count();
    let controls = octets.iter().filter(|c| c.is_ascii_control() && !c.is_ascii_whitespace()).count();
    controls == 0 && (has_rule || blanks * 15 >= octets.trim_ascii().len())
}

/// Size and digest of what `encoded` decodes to, and whether the encoding was intact. Decodes piece by piece, so that
/// an attachment costs one small buffer whatever its size; the octets are those of [`decode_transfer`].
pub(super) fn digest(encoded: &[u8], encoding: TransferEncoding, scratch: &mut Scratch) -> (u64, Sha256, bool) {
    match encoding {
        TransferEncoding::Identity => (encoded.len() as u64, Sha256::of(encoded), true),
        TransferEncoding::QuotedPrintable => {
            let (decoded, intact) = quoted_printable(encoded);
            (decoded.len() as u64, Sha256::of(&decoded), intact)
        }
        TransferEncoding::Base64 => {
            let mut decoder = Base64::of(encoded);
            let (mut size, mut hasher) = (0, sha2::Sha256::new());
            for piece in encoded.chunks(PIECE) {
                scratch.decoded.clear();
                decoder.feed(piece, scratch);
                size += scratch.decoded.len() as u64;
                hasher.update(&scratch.decoded);
            }
            scratch.decoded.clear();
            let intact = decoder.finish(&mut scratch.decoded);
            size += scratch.decoded.len() as u64;
            hasher.update(&scratch.decoded);
            (size, Sha256::from_bytes(hasher.finalize().into()), intact)
        }
    }
}

/// Encoded octets that are decoded at a time; both buffers stay in a core's cache.
const PIECE: usize = 48 * 1024;

/// Buffers that serve one attachment after the other.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    packed: Vec<u8>,
    decoded: Vec<u8>,
}

/// Base64 (RFC 2045 §6.8), whole.
pub(crate) fn base64(encoded: &[u8]) -> (Vec<u8>, bool) {
    let mut scratch = Scratch { packed: Vec::new(), decoded: Vec::with_capacity(encoded.len() / 4 * 3 + 3) };
    let mut decoder = Base64::of(encoded);
    for piece in encoded.chunks(PIECE) {
        decoder.feed(piece, &mut scratch);
    }
    let intact = decoder.finish(&mut scratch.decoded);
    (scratch.decoded, intact)
}

/// Whole quanta without padding; everything else is left to the tolerant way.
const STRICT: GeneralPurpose =
    GeneralPurpose::new(&base64::alphabet::STANDARD, base64::engine::general_purpose::NO_PAD);

/// A decoder that takes pieces of any length. What it gives does not depend on where they are cut.
#[derive(Debug)]
struct Base64 {
    bits: u32,
    /// Characters of the unfinished quantum, 0 to 3.
    count: u32,
    /// Whether `-` and `_` are letters of the alphabet (RFC 4648 §5) and not junk.
    url_safe: bool,
    intact: bool,
}

impl Base64 {
    /// A decoder for `encoded`, which decides for one of the two alphabets.
    fn of(encoded: &[u8]) -> Self {
        let url_safe = memchr::memchr2(b'-', b'_', encoded).is_some() && memchr::memchr2(b'+', b'/', encoded).is_none();
        Self { bits: 0, count: 0, url_safe, intact: true }
    }

    /// Decodes `encoded` to the end of `scratch.decoded`.
    fn feed(&mut self, encoded: &[u8], scratch: &mut Scratch) {
        scratch.packed.clear();
        pack(encoded, &mut scratch.packed);
        let mut packed = scratch.packed.as_slice();
        // What the piece before began, or nothing of this one would be whole quanta.
        while self.count > 0
            && let Some((octet, rest)) = packed.split_first()
        {
            self.take(*octet, &mut scratch.decoded);
            packed = rest;
        }
        // Most pieces are whole but for the padding at their end; after the first damage one looks where the next is.
        let mut letters = packed.len() - packed.iter().rev().take(2).take_while(|octet| **octet == b'=').count();
        while !packed.is_empty() {
            let whole = letters - letters % 4;
            let before = scratch.decoded.len();
            if STRICT.decode_vec(&packed[..whole], &mut scratch.decoded).is_ok() {
                packed = &packed[whole..];
            } else {
                scratch.decoded.truncate(before);
            }
            // Up to the end of a quantum, so that the rest is whole quanta again.
            let mut taken = 0;
            for &octet in packed {
                if taken >= TOLERATED && self.count == 0 {
                    break;
                }
                self.take(octet, &mut scratch.decoded);
                taken += 1;
            }
            packed = &packed[taken..];
            letters = packed.iter().position(|octet| !is_standard(*octet)).unwrap_or(packed.len());
        }
    }

    /// One character: of either alphabet, padding, or junk that is passed over.
    fn take(&mut self, octet: u8, decoded: &mut Vec<u8>) {
        let is_letter = self.url_safe || !matches!(octet, b'-' | b'_');
        let value = if is_letter { VALUES[octet as usize] } else { SKIP };
        if octet == b'=' {
            // Padding ends a quantum; another encoded piece may follow it.
            self.flush(decoded);
        } else if value == SKIP {
            self.intact &= octet.is_ascii_whitespace();
        } else {
            self.bits = self.bits << 6 | u32::from(value);
            self.count += 1;
            if self.count == 4 {
                decoded.extend_from_slice(&self.bits.to_be_bytes()[1..]);
                (self.bits, self.count) = (0, 0);
            }
        }
    }

    /// Writes the whole octets of an unfinished quantum. A single character has none and is damage.
    fn flush(&mut self, decoded: &mut Vec<u8>) {
        match self.count {
            2 => decoded.push((self.bits >> 4) as u8),
            3 => decoded.extend_from_slice(&[(self.bits >> 10) as u8, (self.bits >> 2) as u8]),
            count => self.intact &= count == 0,
        }
        (self.bits, self.count) = (0, 0);
    }

    fn finish(mut self, decoded: &mut Vec<u8>) -> bool {
        self.flush(decoded);
        self.intact
    }
}

/// Octets that are decoded one by one from a damaged place on, so that damage everywhere costs little more than that.
const TOLERATED: usize = 64;

/// Whether an octet is a letter of the standard alphabet (RFC 4648 §4).
fn is_standard(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/')
}

/// Appends the text without its line ends and the blanks beside them; whole lines are copied at once.
fn pack(encoded: &[u8], packed: &mut Vec<u8>) {
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', encoded) {
        packed.extend_from_slice(encoded[start..end].trim_ascii());
        start = end + 1;
    }
    packed.extend_from_slice(encoded[start..].trim_ascii());
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
