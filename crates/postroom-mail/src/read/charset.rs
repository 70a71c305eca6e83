//! Character sets: from octets and a label to text. Total; what cannot be decoded becomes U+FFFD.

use super::code_page;
use encoding_rs::{Encoding, ISO_2022_JP, WINDOWS_1252};
use std::borrow::Cow;

/// Decodes `octets` as the label says; the second value tells whether they were what the label says.
///
/// No label, `us-ascii` and labels that nobody knows mean: UTF-8 where it can be, else Windows-1252.
pub(super) fn decode<'x>(octets: &'x [u8], label: Option<&str>) -> (Cow<'x, str>, bool) {
    let label = label.unwrap_or_default().trim().to_ascii_lowercase();
    if octets.is_ascii() && !has_ascii_shifts(&label) {
        // Nearly every message: no table is needed. ASCII is also what every other label means by these octets.
        return (Cow::Borrowed(std::str::from_utf8(octets).unwrap_or_default()), true);
    }
    match label.as_str() {
        "" | "us-ascii" | "ascii" | "ansi_x3.4-1968" | "unknown-8bit" | "x-unknown" | "8bit" | "default" => {
            (sniffed(octets), true)
        }
        "utf-8" | "utf8" => utf8(octets),
        "utf-7" | "utf7" | "unicode-1-1-utf-7" | "x-unicode-1-1-utf-7" => (utf7(octets).into(), true),
        "hz-gb-2312" | "hz" => (hz(octets).into(), true),
        "iso-2022-kr" => (iso_2022_kr(octets).into(), true),
        "utf-32" | "utf-32be" | "utf-32le" => (utf32(octets, &label).into(), true),
        _ => match encoding(&label) {
            Some(encoding) if encoding == ISO_2022_JP => iso_2022_jp(octets),
            Some(encoding) => {
                let (text, _, damaged) = encoding.decode(octets);
                (text, !damaged)
            }
            None => match code_page::decode(octets, &label) {
                Some(text) => (text.into(), true),
                None => (sniffed(octets), false),
            },
        },
    }
}

/// Text of octets that nobody labelled: UTF-8 if they are, else Windows-1252, in which every octet means something.
pub(super) fn sniffed(octets: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(octets) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(octets).0,
    }
}

/// Labels under which octets below 128 are not ASCII.
fn has_ascii_shifts(label: &str) -> bool {
    label.contains("2022") || label.contains("utf") && label != "utf-8" && label != "utf8" || label.starts_with("hz")
}

/// Declared UTF-8. Where not one sequence of it is valid, it is some 8-bit set with a wrong label.
fn utf8(octets: &[u8]) -> (Cow<'_, str>, bool) {
    let octets = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets);
    if let Ok(text) = std::str::from_utf8(octets) {
        return (Cow::Borrowed(text), true);
    }
    let multibyte_is_valid = octets.utf8_chunks().any(|chunk| !chunk.valid().is_ascii());
    if multibyte_is_valid {
        return (String::from_utf8_lossy(octets), false);
    }
    (WINDOWS_1252.decode_without_bom_handling(octets).0, false)
}

/// The encodings that the Encoding Standard knows, under its labels and those that mail uses besides.
fn encoding(label: &str) -> Option<&'static Encoding> {
    let standard = match label {
        "cp932" | "ms932" | "windows-932" | "x-ms-cp932" => "shift_jis",
        "cp950" | "ms950" | "windows-950" | "x-windows-950" => "big5",
        "cp936" | "ms936" | "windows-936" => "gbk",
        "cp949" | "ms949" | "uhc" | "x-windows-949" | "ks_c_5601" => "euc-kr",
        "cp874" | "tis620" => "windows-874",
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

/// UTF-7 (RFC 2152).
fn utf7(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    let mut rest = octets;
    while let Some(plus) = memchr::memchr(b'+', rest) {
        text.push_str(&sniffed(&rest[..plus]));
        rest = &rest[plus + 1..];
        let length = rest.iter().position(|b| !matches!(b, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/'));
        let (shifted, after) = rest.split_at(length.unwrap_or(rest.len()));
        let ends_with_minus = after.first() == Some(&b'-');
        if shifted.is_empty() {
            text.push('+');
        } else {
            let units: Vec<u16> = super::transfer::base64(shifted).0.chunks_exact(2).map(be_u16).collect();
            text.push_str(&String::from_utf16_lossy(&units));
        }
        rest = if ends_with_minus { &after[1..] } else { after };
    }
    text.push_str(&sniffed(rest));
    text
}

fn be_u16(pair: &[u8]) -> u16 {
    u16::from(pair[0]) << 8 | u16::from(pair[1])
}

/// HZ (RFC 1843): GB 2312 in seven bits between `~{` and `~}`.
fn hz(octets: &[u8]) -> String {
    let mut gbk = Vec::with_capacity(octets.len());
    let (mut shifted, mut at) = (false, 0);
    while at < octets.len() {
        match (octets[at], octets.get(at + 1)) {
            (b'~', Some(b'{')) => (shifted, at) = (true, at + 2),
            (b'~', Some(b'}')) => (shifted, at) = (false, at + 2),
            (b'~', Some(b'~')) if !shifted => {
                gbk.push(b'~');
                at += 2;
            }
            (b'~', Some(b'\n')) if !shifted => at += 2,
            (b'\n', _) => {
                // A line always ends in ASCII.
                gbk.push(b'\n');
                (shifted, at) = (false, at + 1);
            }
            (octet, Some(&second)) if shifted && octet > b' ' => {
                gbk.extend_from_slice(&[octet | 0x80, second | 0x80]);
                at += 2;
            }
            (octet, _) => {
                gbk.push(octet);
                at += 1;
            }
        }
    }
    encoding_rs::GBK.decode_without_bom_handling(&gbk).0.into_owned()
}

/// ISO-2022-KR (RFC 1557): KS X 1001 in seven bits between SO and SI.
fn iso_2022_kr(octets: &[u8]) -> String {
    let mut euc_kr = Vec::with_capacity(octets.len());
    let (mut shifted, mut at) = (false, 0);
    while at < octets.len() {
        let octet = octets[at];
        match octet {
            0x0e => shifted = true,
            0x0f => shifted = false,
            0x1b if octets[at..].starts_with(b"\x1b$)C") => at += 3,
            b'\n' => {
                shifted = false;
                euc_kr.push(octet);
            }
            _ if shifted && octet > b' ' => euc_kr.push(octet | 0x80),
            _ => euc_kr.push(octet),
        }
        at += 1;
    }
    encoding_rs::EUC_KR.decode_without_bom_handling(&euc_kr).0.into_owned()
}

/// UTF-32 with a byte order mark or a labelled order; big-endian without either.
fn utf32(octets: &[u8], label: &str) -> String {
    let little = octets.starts_with(&[0xff, 0xfe, 0, 0]) || label.ends_with("le");
    octets
        .chunks_exact(4)
        .map(|c| [c[0], c[1], c[2], c[3]])
        .map(|unit| if little { u32::from_le_bytes(unit) } else { u32::from_be_bytes(unit) })
        .map(|unit| char::from_u32(unit).unwrap_or('\u{fffd}'))
        .filter(|c| *c != '\u{feff}')
        .collect()
}
