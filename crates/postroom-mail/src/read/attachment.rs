//! Attachments: a name that is safe to be used, a slice of the original, and the digest of what it decodes to.

use super::body;
use super::structure::Part;
use super::transfer::{self, Scratch};
use crate::{Attachment, Content, RawMessage, Sha256, TransferEncoding};
use std::collections::{HashMap, HashSet};

/// Longest file name in octets; file systems allow 255, and ` (999)` may be added.
const NAME_MAX: usize = 200;

/// Describes attachments one after the other; remembers the names that are taken.
#[derive(Debug, Default)]
pub(super) struct Describer {
    taken: HashSet<String>,
    next_number: HashMap<String, usize>,
    scratch: Scratch,
}

impl Describer {
    /// Describes `part`, the attachment number `number` (from 1). The second value: its transfer encoding was intact.
    pub(super) fn describe(
        &mut self,
        raw: &RawMessage,
        part: &Part<'_>,
        number: usize,
        shown: &HashSet<String>,
    ) -> (Attachment, bool) {
        let encoded = &raw.octets()[part.content.clone()];
        let encoding = effective_encoding(part);
        let (mut size, mut sha256, intact) = transfer::digest(encoded, encoding, &mut self.scratch);
        let mut content = Content::Slice { offset: part.content.start as u64, length: encoded.len() as u64, encoding };
        if part.uuencoded
            && let Some(octets) = transfer::uuencoded(encoded)
        {
            (size, sha256) = (octets.len() as u64, Sha256::of(&octets));
            content = Content::Octets(octets.into());
        }
        let content_type = part.content_type.value.clone();
        let name = clean_name(&part.declared_name().unwrap_or_default())
            .unwrap_or_else(|| format!("part-{number}.{}", extension_of(&content_type)));
        let content_id = body::content_id(part);
        let attachment = Attachment {
            name: self.unique(name),
            content_type,
            size,
            sha256,
            inline: content_id.as_ref().is_some_and(|id| shown.contains(id)),
            content_id,
            content,
        };
        (attachment, intact)
    }

    /// `name`, or `name (2).ext` where it is taken. Names that differ only in case count as the same, because they are
    /// on many file systems.
    fn unique(&mut self, name: String) -> String {
        if self.taken.insert(name.to_lowercase()) {
            return name;
        }
        let (stem, extension) = split_extension(&name);
        let next = self.next_number.entry(name.to_lowercase()).or_insert(2);
        loop {
            let candidate = format!("{} ({next}){extension}", cut(stem, NAME_MAX - 8 - extension.len()));
            *next += 1;
            if self.taken.insert(candidate.to_lowercase()) {
                return candidate;
            }
        }
    }
}

/// The transfer encoding that counts. A message or multipart may not be encoded (RFC 2046 §5.2.1), but where a whole
/// message claims base64 it is meant, because nothing else could have been sent so.
fn effective_encoding(part: &Part<'_>) -> TransferEncoding {
    if body::is_hollow_multipart(part) { TransferEncoding::Identity } else { part.encoding }
}

/// A file name without anything that could lead elsewhere or look like another name; `None` if nothing is left.
pub(super) fn clean_name(declared: &str) -> Option<String> {
    let last = declared.rsplit(['/', '\\']).find(|piece| !piece.trim().is_empty()).unwrap_or_default();
    let mut name = String::with_capacity(last.len());
    for c in last.chars().filter(|c| !is_invisible(*c)) {
        let c = if c.is_control() || c.is_whitespace() { ' ' } else { c };
        if c != ' ' || !name.ends_with(' ') {
            name.push(c);
        }
    }
    let name = name.trim_matches([' ', '.']).trim_start_matches(['.', ' ']);
    if name.is_empty() {
        return None;
    }
    let (stem, extension) = split_extension(name);
    Some(format!("{}{extension}", cut(stem, NAME_MAX - extension.len())))
}

/// Characters that are not seen, or that turn the direction of what is: `invoice<RLO>fdp.exe` must not look harmless.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffc}' | '\u{e0000}'..='\u{e007f}')
}

/// Stem and extension with its dot; a long last piece is no extension.
fn split_extension(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= 16 => name.split_at(dot),
        _ => (name, ""),
    }
}

/// At most `octets` octets of `text`, cut between characters.
fn cut(text: &str, octets: usize) -> &str {
    &text[..text.floor_char_boundary(octets)]
}

/// The usual extension of a media type.
fn extension_of(content_type: &str) -> &'static str {
    match content_type {
        "text/plain" => "txt",
        "text/html" => "html",
        "text/calendar" => "ics",
        "text/csv" => "csv",
        "text/vcard" | "text/x-vcard" => "vcf",
        "message/rfc822" | "message/global" | "text/rfc822-headers" => "eml",
        "message/delivery-status" | "message/disposition-notification" | "message/feedback-report" => "txt",
        "image/png" => "png",
        "image/jpeg" | "image/jpg" => "jpg",
        "image/gif" => "gif",
        "image/webp" => "webp",
        "image/svg+xml" => "svg",
        "application/pdf" => "pdf",
        "application/zip" => "zip",
        "application/pgp-signature" => "asc",
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => "p7s",
        "application/ms-tnef" => "dat",
        _ => "bin",
    }
}
