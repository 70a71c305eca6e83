//! Character sets that change their meaning with escapes, which the Encoding Standard left out.

use super::sniffed;

/// UTF-7 (RFC 2152).
pub(super) fn utf7(octets: &[u8]) -> String {
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
            let units: Vec<u16> = crate::read::transfer::base64(shifted).0.chunks_exact(2).map(be_u16).collect();
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
pub(super) fn hz(octets: &[u8]) -> String {
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
pub(super) fn iso_2022_kr(octets: &[u8]) -> String {
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
pub(super) fn utf32(octets: &[u8], label: &str) -> String {
    let little = octets.starts_with(&[0xff, 0xfe, 0, 0]) || label.ends_with("le");
    octets
        .chunks_exact(4)
        .map(|c| [c[0], c[1], c[2], c[3]])
        .map(|unit| if little { u32::from_le_bytes(unit) } else { u32::from_be_bytes(unit) })
        .map(|unit| char::from_u32(unit).unwrap_or('\u{fffd}'))
        .filter(|c| *c != '\u{feff}')
        .collect()
}
