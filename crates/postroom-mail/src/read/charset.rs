//! Character sets: from octets and a label to text. Total; what cannot be decoded becomes U+FFFD.
//!
//! The label is believed as long as the octets do not contradict it. Where it is missing or wrong, octets that are valid
//! UTF-8 are UTF-8, and others are what their frequencies say (`detect`).

mod detect;
mod shifted;
#[cfg(test)]
mod tests;

use super::code_page;
use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::borrow::Cow;

/// Decodes `octets` of a header field or parameter as the label says; the second value tells whether they were what the
/// label says. No label, `us-ascii` and labels that nobody knows mean whatever `octets` look like.
pub(super) fn decode<'x>(octets: &'x [u8], label: Option<&str>) -> (Cow<'x, str>, bool) {
    let label = label.unwrap_or_default().trim().to_ascii_lowercase();
    labelled(octets, &label, 2)
}

/// Decodes the text of a part, which may tell by its first octets what it is, or in HTML by a `meta` element.
pub(super) fn decode_body<'x>(octets: &'x [u8], label: Option<&str>, is_html: bool) -> (Cow<'x, str>, bool) {
    let label = label.unwrap_or_default().trim().trim_matches(['"', '\'']).to_ascii_lowercase();
    let says_utf_16_or_32 = label.starts_with("utf-16") || label.starts_with("utf-32") || label.starts_with("ucs-");
    if let Some((encoding, length)) = Encoding::for_bom(octets)
        && !label.starts_with("utf-32")
    {
        // Nobody writes a byte order mark by accident; the label was written by another program.
        let (text, damaged) = encoding.decode_without_bom_handling(&octets[length..]);
        if !damaged || encoding != UTF_8 {
            return (text, !damaged);
        }
    }
    if let Some(encoding) = detect::utf_16(octets)
        && !label.starts_with("utf-32")
    {
        let (text, damaged) = encoding.decode_without_bom_handling(octets);
        return (text, !damaged && (says_utf_16_or_32 || label.is_empty()));
    }
    if is_html
        && says_nothing(&label)
        && !octets.is_ascii()
        && std::str::from_utf8(octets).is_err()
        && let Some(meta) = detect::meta_charset(octets)
    {
        return labelled(octets, &meta, 1);
    }
    labelled(octets, &label, 1)
}

/// Decodes under a label in lower case. `sequences`: as many sequences of UTF-8 prove that a label of Latin letters lies.
fn labelled<'x>(octets: &'x [u8], label: &str, sequences: usize) -> (Cow<'x, str>, bool) {
    if octets.is_ascii() && !has_ascii_shifts(label) {
        // Nearly every message: no table is needed. ASCII is also what every other label means by these octets.
        return match detect::iso_2022_jp(octets).then(|| iso_2022_jp(octets)) {
            Some((text, true)) => (text, true),
            _ => (Cow::Borrowed(std::str::from_utf8(octets).unwrap_or_default()), true),
        };
    }
    match label {
        _ if says_nothing(label) => (sniffed(octets), true),
        "utf-8" | "utf8" => utf8(octets),
        "utf-7" | "utf7" | "unicode-1-1-utf-7" | "x-unicode-1-1-utf-7" => (shifted::utf7(octets).into(), true),
        "hz-gb-2312" | "hz" => (shifted::hz(octets).into(), true),
        "iso-2022-kr" => (shifted::iso_2022_kr(octets).into(), true),
        // Whoever writes ASCII under such a label encodes nothing.
        _ if label.starts_with("utf-16") && is_plain_ascii(octets) => {
            (Cow::Borrowed(std::str::from_utf8(octets).unwrap_or_default()), false)
        }
        "utf-16" | "ucs-2" | "iso-10646-ucs-2" => encoded(octets, detect::utf_16_order(octets), sequences),
        "utf-32" | "utf-32be" | "utf-32le" => (shifted::utf32(octets, label).into(), true),
        _ => match encoding(label) {
            Some(encoding) => encoded(octets, encoding, sequences),
            None => match code_page::decode(octets, label) {
                Some(text) => (text.into(), true),
                None => (sniffed(octets), false),
            },
        },
    }
}

fn is_plain_ascii(octets: &[u8]) -> bool {
    octets.iter().all(|octet| octet.is_ascii_graphic() || octet.is_ascii_whitespace())
}

/// Labels that programs write which know nothing about the text.
fn says_nothing(label: &str) -> bool {
    matches!(
        label,
        "" | "us-ascii"
            | "ascii"
            | "ansi_x3.4-1968"
            | "iso646-us"
            | "unknown-8bit"
            | "x-unknown"
            | "unknown"
            | "8bit"
            | "default"
            | "default_charset"
            | "x-user-defined"
            | "binary"
            | "none"
            | "utf-8\0"
    )
}

/// Decodes as declared, unless the octets show that this is not what they are.
fn encoded<'x>(octets: &'x [u8], encoding: &'static Encoding, sequences: usize) -> (Cow<'x, str>, bool) {
    if encoding.is_single_byte() {
        // Of Latin letters such rows as UTF-8 has make no words; in other alphabets a few may.
        let is_latin = encoding == WINDOWS_1252 || encoding.name().ends_with("8859-15");
        if let Ok(text) = std::str::from_utf8(octets)
            && text.chars().filter(|c| !c.is_ascii()).take(3).count() >= if is_latin { sequences } else { 3 }
        {
            return (Cow::Borrowed(text), false);
        }
        let (text, damaged) = encoding.decode_without_bom_handling(octets);
        return (text, !damaged);
    }
    let (text, intact) = match encoding {
        _ if encoding == ISO_2022_JP => iso_2022_jp(octets),
        _ => decoded(octets, encoding),
    };
    if intact || encoding == UTF_16LE || encoding == UTF_16BE {
        return (text, intact);
    }
    if let Ok(text) = std::str::from_utf8(octets) {
        return (Cow::Borrowed(text), false);
    }
    // A few damaged characters are damage; where it is much, the label is wrong.
    let (lost, others) = text.chars().filter(|c| !c.is_ascii()).fold((0usize, 0usize), |(lost, others), c| {
        if c == char::REPLACEMENT_CHARACTER { (lost + 1, others) } else { (lost, others + 1) }
    });
    if lost * 10 > others
        && let Some(guess) = detect::legacy(octets)
        && guess != encoding
        && let (guessed, true) = decoded(octets, guess)
    {
        return (guessed, false);
    }
    (text, false)
}

fn decoded<'x>(octets: &'x [u8], encoding: &'static Encoding) -> (Cow<'x, str>, bool) {
    let (text, _, damaged) = encoding.decode(octets);
    (text, !damaged)
}

/// Text of octets that nobody labelled: UTF-8 if they are, else what they look like; in short texts Windows-1252, in
/// which every octet means something.
pub(super) fn sniffed(octets: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(octets) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => sniffed_with(octets, None),
    }
}

/// As [`sniffed`]; `hint` is what the rest of the message is written in, and is tried before anything is guessed.
pub(super) fn sniffed_with<'x>(octets: &'x [u8], hint: Option<&'static Encoding>) -> Cow<'x, str> {
    let (whole, broken) = utf8_sequences(octets);
    if broken == 0 || (whole >= 2 && whole >= 4 * broken) {
        return String::from_utf8_lossy(octets);
    }
    if let Some(hint) = hint
        && let (text, true) = decoded(octets, hint)
    {
        return text;
    }
    detect::legacy(octets).unwrap_or(WINDOWS_1252).decode_without_bom_handling(octets).0
}

/// What `octets` that are not UTF-8 are probably in, if there are enough of them to tell.
pub(super) fn guess(octets: &[u8]) -> Option<&'static Encoding> {
    detect::legacy(octets)
}

/// The encoding that a part of the message declares, as a hint for what else of it is unlabelled. UTF-8 is none: it is
/// recognised without.
pub(super) fn hint(label: &str) -> Option<&'static Encoding> {
    let label = label.trim().to_ascii_lowercase();
    let encoding = if says_nothing(&label) { None } else { encoding(&label) };
    encoding.filter(|encoding| *encoding != UTF_8 && encoding.is_ascii_compatible())
}

/// How many characters above 127 are valid UTF-8, and how many places are not.
fn utf8_sequences(octets: &[u8]) -> (usize, usize) {
    octets.utf8_chunks().fold((0, 0), |(whole, broken), chunk| {
        let here = chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        (whole + here, broken + usize::from(!chunk.invalid().is_empty()))
    })
}

/// Labels under which octets below 128 are not ASCII.
fn has_ascii_shifts(label: &str) -> bool {
    label.contains("2022") || label.contains("utf") && label != "utf-8" && label != "utf8" || label.starts_with("hz")
}

/// Declared UTF-8. Where more of it is broken than valid, it is some other set with a wrong label.
fn utf8(octets: &[u8]) -> (Cow<'_, str>, bool) {
    let octets = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets);
    if let Ok(text) = std::str::from_utf8(octets) {
        return (Cow::Borrowed(text), true);
    }
    let (whole, broken) = utf8_sequences(octets);
    let guess = detect::legacy(octets).unwrap_or(WINDOWS_1252);
    // Western text has no valid sequence by accident, others may have a few.
    if whole > 0 && (whole >= broken || guess == WINDOWS_1252) {
        return (String::from_utf8_lossy(octets), false);
    }
    (guess.decode_without_bom_handling(octets).0, false)
}

/// The encodings that the Encoding Standard knows, under its labels and those that mail uses besides.
fn encoding(label: &str) -> Option<&'static Encoding> {
    let standard = match label {
        "cp932" | "ms932" | "windows-932" | "x-ms-cp932" | "shift-jis2004" | "shift_jisx0213" => "shift_jis",
        "cp950" | "ms950" | "windows-950" | "x-windows-950" => "big5",
        "cp936" | "ms936" | "windows-936" => "gbk",
        "cp54936" | "gb-18030" | "gb18030-2000" => "gb18030",
        "cp949" | "ms949" | "uhc" | "x-windows-949" | "ks_c_5601" => "euc-kr",
        "cp874" | "tis620" => "windows-874",
        "cp20866" | "koi8" | "koi" => "koi8-r",
        "cp21866" | "koi8u" | "koi8-ru" => "koi8-u",
        "cp65001" | "utf-8-mac" | "utf8mb4" | "unicode-2-0-utf-8" => "utf-8",
        "iso-2022-jp-1" | "iso-2022-jp-2" | "iso-2022-jp-3" | "iso-2022-jp-ms" | "cp50220" | "cp50221" => "iso-2022-jp",
        "euc-tw" | "x-euc-tw" => "big5",
        other => other,
    };
    Encoding::for_label_no_replacement(standard.as_bytes()).or_else(|| {
        // "win-1251", "cp-1251", "windows1251", "ms-1251", "latin-1", "iso8859-15" and the like.
        let digits = standard.trim_start_matches(|c: char| !c.is_ascii_digit());
        let prefix = standard[..standard.len() - digits.len()].trim_end_matches(['-', '_']);
        let name = match prefix {
            "win" | "windows" | "cp" | "ms" | "x-cp" | "ansi" if digits.len() == 4 => format!("windows-{digits}"),
            "iso" if digits.starts_with("8859") => format!("iso-8859-{}", digits[4..].trim_start_matches(['-', '_'])),
            "latin" => format!("latin{digits}"),
            _ => return None,
        };
        Encoding::for_label_no_replacement(name.as_bytes())
    })
}

/// ISO-2022-JP (RFC 1468). A change to ASCII and back with nothing between is an error to the Encoding Standard, but
/// mail programs that put pieces together write it all the time.
fn iso_2022_jp(octets: &[u8]) -> (Cow<'_, str>, bool) {
    const TO_ASCII: &[u8] = b"\x1b(B";
    let mut cleaned = Vec::with_capacity(octets.len());
    let mut rest = octets;
    while let Some(at) = memchr::memmem::find(rest, b"\x1b(B\x1b") {
        cleaned.extend_from_slice(&rest[..at]);
        rest = &rest[at + TO_ASCII.len()..];
    }
    cleaned.extend_from_slice(rest);
    let (text, _, damaged) = ISO_2022_JP.decode(&cleaned);
    (Cow::Owned(text.into_owned()), !damaged)
}
