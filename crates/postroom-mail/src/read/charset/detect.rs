//! What a text is written in when its label is missing or wrong.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Octets that are looked at; what is more does not make the guess better.
const LOOKED_AT: usize = 64 * 1024;
/// Octets of words that the detector is given.
const WORDS_MAX: usize = 4 * 1024;
/// Octets in which HTML names its character set (HTML Standard, "prescan a byte stream", 1024 there).
const META_LOOKED_AT: usize = 4096;
/// Octets above 127 that a guess needs: from fewer nobody can tell, and Windows-1252 is the commonest of the wrong ones.
const MULTI_BYTE_MIN: usize = 6;
const ALPHABET_MIN: usize = 6;
const LATIN_MIN: usize = 10;

/// The encoding, other than UTF-8, that `octets` are most probably in; `None` where there is too little to tell.
pub(super) fn legacy(octets: &[u8]) -> Option<&'static Encoding> {
    let looked_at = &octets[..octets.len().min(LOOKED_AT)];
    let high = looked_at.iter().filter(|octet| **octet >= 128).count();
    if high < MULTI_BYTE_MIN {
        return None;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let (words, are_all) = telling_words(looked_at);
    detector.feed(&words, are_all && looked_at.len() == octets.len());
    let guess = detector.guess(None, Utf8Detection::Deny);
    let letters = looked_at.iter().filter(|octet| octet.is_ascii_alphabetic()).count();
    let is_sure = match guess {
        _ if guess == WINDOWS_1252 => true,
        _ if !guess.is_single_byte() => high >= MULTI_BYTE_MIN,
        // Latin letters with accents are few among many without, those of other alphabets stand in whole words.
        _ if is_latin(guess) => high >= LATIN_MIN,
        _ => high >= ALPHABET_MIN && high * 2 > letters,
    };
    is_sure.then_some(guess)
}

/// The words with an octet above 127, with one blank between them, up to [`WORDS_MAX`], and whether these are all. The
/// detector weighs each octet in each of its forty alphabets, and other words say nothing.
fn telling_words(octets: &[u8]) -> (Vec<u8>, bool) {
    let mut words = Vec::with_capacity(WORDS_MAX.min(octets.len()));
    for word in octets.split(u8::is_ascii_whitespace).filter(|word| !word.is_ascii()) {
        let fits = word.len().min(WORDS_MAX - words.len());
        words.extend_from_slice(&word[..fits]);
        if fits < word.len() || words.len() == WORDS_MAX {
            return (words, false);
        }
        words.push(b' ');
    }
    (words, true)
}

fn is_latin(encoding: &'static Encoding) -> bool {
    matches!(
        encoding.name(),
        "windows-1250"
            | "windows-1252"
            | "windows-1254"
            | "windows-1257"
            | "windows-1258"
            | "ISO-8859-2"
            | "ISO-8859-3"
            | "ISO-8859-4"
            | "ISO-8859-10"
            | "ISO-8859-13"
            | "ISO-8859-14"
            | "ISO-8859-15"
            | "ISO-8859-16"
            | "macintosh"
    )
}

/// Whether seven-bit octets have the escapes of ISO-2022-JP (RFC 1468) in them, which nothing else has.
pub(super) fn iso_2022_jp(octets: &[u8]) -> bool {
    memchr::memchr_iter(0x1b, octets)
        .take(16)
        .any(|at| matches!(octets.get(at + 1..at + 3), Some(b"$B" | b"$@" | b"(J" | b"(I")))
}

/// UTF-16 without a byte order mark: every other octet of Latin text is zero.
pub(super) fn utf_16(octets: &[u8]) -> Option<&'static Encoding> {
    let looked_at = &octets[..octets.len().min(1024)];
    memchr::memchr(0, looked_at)?;
    let zeros = |from: usize| looked_at.iter().skip(from).step_by(2).filter(|octet| **octet == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let half = looked_at.len() / 2;
    if half < 2 {
        return None;
    }
    if odd * 2 >= half && even * 20 <= half {
        return Some(UTF_16LE);
    }
    (even * 2 >= half && odd * 20 <= half).then_some(UTF_16BE)
}

/// The order of the octets of UTF-16 that says none: big-endian (RFC 2781 §4.3), unless the zeros of blanks and line ends
/// stand behind them. Other zeros tell nothing: the Chinese one is U+4E00.
pub(super) fn utf_16_order(octets: &[u8]) -> &'static Encoding {
    let (mut big, mut little) = (0usize, 0usize);
    for unit in octets[..octets.len().min(LOOKED_AT)].chunks_exact(2) {
        big += usize::from(matches!(unit, [0, b' ' | b'\r' | b'\n']));
        little += usize::from(matches!(unit, [b' ' | b'\r' | b'\n', 0]));
    }
    if little > big { UTF_16LE } else { UTF_16BE }
}

/// The label in the `meta` element of HTML, in lower case.
pub(super) fn meta_charset(octets: &[u8]) -> Option<String> {
    let head = octets[..octets.len().min(META_LOOKED_AT)].to_ascii_lowercase();
    let mut rest = head.as_slice();
    while let Some(at) = memchr::memmem::find(rest, b"<meta") {
        let element = &rest[at..];
        let end = memchr::memchr(b'>', element).unwrap_or(element.len());
        if let Some(label) =
            memchr::memmem::find(&element[..end], b"charset").and_then(|at| value(&element[at + 7..end]))
        {
            return Some(label);
        }
        rest = &rest[at + 5..];
    }
    None
}

/// The value after `=`, in quotes or not. A `meta` that can be read as ASCII is in no UTF-16 whatever it claims.
fn value(octets: &[u8]) -> Option<String> {
    let value = octets.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let is_delimiter = |octet: &u8| matches!(octet, b'"' | b'\'' | b';' | b'/') || octet.is_ascii_whitespace();
    let start = value.iter().position(|octet| !is_delimiter(octet))?;
    let value = &value[start..];
    let end = value.iter().position(is_delimiter).unwrap_or(value.len());
    let label = std::str::from_utf8(&value[..end]).ok()?.to_owned();
    (!label.is_empty() && !label.starts_with("utf-16") && !label.starts_with("utf-32")).then_some(label)
}
