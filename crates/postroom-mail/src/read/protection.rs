//! Whether the content of a message was signed or encrypted. What is encrypted or signed as a whole stays as it is:
//! an attachment.

use super::lines::Lines;
use super::structure::{Part, Structure};
use super::transfer;
use crate::{Protection, RawMessage, TransferEncoding};

/// What the parts say, else what the text says. Encryption counts more than a signature, because it hides the content.
///
/// A text that is signed in the text (`-----BEGIN PGP SIGNED MESSAGE-----`, RFC 9580 §7) stays as it is, armour included.
pub(super) fn detect(raw: &RawMessage, structure: &Structure<'_>, text: Lines<'_, '_>) -> Option<Protection> {
    let of_parts = structure.parts.iter().enumerate().filter_map(|(index, part)| of_part(raw, structure, index, part));
    let mut found: Option<Protection> = None;
    for protection in of_parts.chain(in_text(text)) {
        if is_encrypted(protection) {
            return Some(protection);
        }
        found.get_or_insert(protection);
    }
    found
}

fn is_encrypted(protection: Protection) -> bool {
    matches!(protection, Protection::SmimeEncrypted | Protection::PgpEncrypted)
}

fn of_part(raw: &RawMessage, structure: &Structure<'_>, index: usize, part: &Part<'_>) -> Option<Protection> {
    let has =
        |name: &str, word: &str| part.content_type.get(name).is_some_and(|v| v.to_ascii_lowercase().contains(word));
    let child_is =
        |word: &str| part.children.iter().any(|child| structure.parts[*child].content_type.value.contains(word));
    match part.content_type.value.as_str() {
        // RFC 8551 §3.5.3, RFC 3156 §5
        "multipart/signed" if has("protocol", "pkcs7") || child_is("pkcs7-signature") => Some(Protection::SmimeSigned),
        "multipart/signed" if has("protocol", "pgp") || child_is("pgp-signature") => Some(Protection::PgpSigned),
        // RFC 3156 §4; the marker also where a server made a multipart/mixed of it
        "multipart/encrypted" if has("protocol", "pgp") || child_is("pgp-encrypted") => Some(Protection::PgpEncrypted),
        "multipart/encrypted" if has("protocol", "pkcs7") || child_is("pkcs7-mime") => Some(Protection::SmimeEncrypted),
        "application/pgp-encrypted" => Some(Protection::PgpEncrypted),
        "application/pgp" if has("x-action", "encrypt") => Some(Protection::PgpEncrypted),
        "application/pgp" if has("x-action", "sign") => Some(Protection::PgpSigned),
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => {
            by_smime_type(part).unwrap_or_else(|| by_content(raw, part))
        }
        // RFC 8551 §3.8: a gateway may have replaced the type; the name is then what tells
        "application/octet-stream" if index == 0 || is_named_smime(part) => {
            by_content(raw, part).filter(|_| is_named_smime(part))
        }
        _ => None,
    }
}

/// Whether there is a part in which everything stands, not beside it.
// RFC 8551 §3.5.2
pub(super) fn is_whole(structure: &Structure<'_>) -> bool {
    let is_it = |part: &Part<'_>| {
        matches!(part.content_type.value.as_str(), "application/pkcs7-mime" | "application/x-pkcs7-mime")
            || is_named_smime(part)
    };
    structure.parts.iter().any(is_it)
}

fn is_named_smime(part: &Part<'_>) -> bool {
    part.declared_name().is_some_and(|name| name.trim().eq_ignore_ascii_case("smime.p7m"))
}

/// By the smime-type parameter; `None` where there is none (RFC 8551 §3.2.2).
fn by_smime_type(part: &Part<'_>) -> Option<Option<Protection>> {
    let smime_type = part.content_type.get("smime-type")?.to_ascii_lowercase();
    Some(match smime_type.as_str() {
        "signed-data" => Some(Protection::SmimeSigned),
        "enveloped-data" | "authenveloped-data" | "encrypted-data" => Some(Protection::SmimeEncrypted),
        _ => None,
    })
}

/// Octets of the content within which its type is named.
const CONTENT_TYPE_WITHIN: usize = 64;
/// pkcs-7 (1.2.840.113549.1.7) as an object identifier, without its last number.
const PKCS_7: [u8; 10] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];

/// By the object identifier at the beginning of the content (RFC 5652 §3).
fn by_content(raw: &RawMessage, part: &Part<'_>) -> Option<Protection> {
    let end = part.content.end.min(part.content.start + 4 * CONTENT_TYPE_WITHIN);
    let beginning = raw.octets().slice(part.content.start..end);
    let encoding = if part.uuencoded { TransferEncoding::Identity } else { part.encoding };
    let (octets, _) = transfer::decode_checked(&beginning, encoding);
    let octets = &octets[..octets.len().min(CONTENT_TYPE_WITHIN)];
    let at = memchr::memmem::find(octets, &PKCS_7)?;
    match octets.get(at + PKCS_7.len())? {
        2 => Some(Protection::SmimeSigned),
        3 | 6 => Some(Protection::SmimeEncrypted),
        _ => None,
    }
}

/// Armour at the beginning of a line of the text (RFC 9580 §6.2).
fn in_text(text: Lines<'_, '_>) -> Option<Protection> {
    let mut signed = None;
    for armour in text.all.iter().filter_map(|line| line.text.strip_prefix("-----BEGIN PGP ")) {
        if armour.starts_with("MESSAGE-----") {
            return Some(Protection::PgpEncrypted);
        }
        if armour.starts_with("SIGNED MESSAGE-----") {
            signed = Some(Protection::PgpSigned);
        }
    }
    signed
}
