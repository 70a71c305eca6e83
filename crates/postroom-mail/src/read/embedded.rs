//! Takes files that stand uuencoded or yEncoded within a text out of it. Only whole files are taken: a text that talks
//! about `begin 644` stays as it is.

use super::{charset, encoded_word, uuencode, yenc};
use std::borrow::Cow;

#[cfg(test)]
mod tests;

/// Files taken out of the texts of one message.
pub(super) const FILES_MAX: usize = 100;

/// A file that stood within a text.
#[derive(Debug)]
pub(super) struct File {
    /// As written, decoded but not cleaned.
    pub(super) name: String,
    pub(super) octets: Vec<u8>,
    /// Whether length and checksum are right and no part of the file is missing.
    pub(super) intact: bool,
    /// Of a file that was cut: its first and last part here, and how many there are; 0 if nobody says.
    parts: Option<(u32, u32, u32)>,
}

/// A text without the files that stood in it.
#[derive(Debug)]
pub(super) struct Extracted<'x> {
    pub(super) text: Cow<'x, [u8]>,
    pub(super) files: Vec<File>,
    /// Whether there were more than asked for.
    pub(super) too_many: bool,
}

/// Takes the files out of `text`. Linear, because no line is looked at twice but those that begin a file.
/// At most `limit` of them.
pub(super) fn extract(text: &[u8], limit: usize) -> Extracted<'_> {
    let mut extracted = Extracted { text: Cow::Borrowed(text), files: Vec::new(), too_many: false };
    if memchr::memmem::find(text, b"begin").is_none() {
        return extracted;
    }
    let (mut kept, mut copied, mut at) = (Vec::new(), 0, 0);
    while let Some(start) = next_begin(text, at) {
        let lines = || text[start..].split_inclusive(|octet| *octet == b'\n').map(without_line_end);
        let begin = lines().next().unwrap_or_default();
        let found = file(begin, lines().skip(1));
        let (Ok(count) | Err(count)) = found.as_ref().map(|(_, count)| *count).map_err(|count| *count);
        let end = start
            + text[start..].split_inclusive(|octet| *octet == b'\n').take(count + 1).map(<[u8]>::len).sum::<usize>();
        at = end;
        let Ok((file, _)) = found else { continue };
        if !append_part(&mut extracted.files, &file) {
            if extracted.files.len() == limit {
                extracted.too_many = true;
                break;
            }
            extracted.files.push(file);
        }
        kept.extend_from_slice(&text[copied..start]);
        copied = end;
    }
    if copied > 0 {
        kept.extend_from_slice(&text[copied..]);
        extracted.text = Cow::Owned(kept);
    }
    for file in &mut extracted.files {
        // A file of which only some parts are here is damaged.
        file.intact &= file.parts.is_none_or(|(first, last, total)| first <= 1 && (total == 0 || last == total));
    }
    extracted
}

/// Where the next line stands that may begin a file.
fn next_begin(text: &[u8], from: usize) -> Option<usize> {
    let starts = |at: usize| text[at..].starts_with(b"begin") || text[at..].starts_with(b"=ybegin ");
    let at_start = (from == 0 || text.get(from - 1) == Some(&b'\n')).then_some(from);
    let line_ends = memchr::memchr_iter(b'\n', text.get(from..)?).map(|at| from + at + 1);
    at_start.into_iter().chain(line_ends).find(|&at| starts(at))
}

fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The file that `begin` begins and the number of its further lines, or how many lines are certainly no file.
fn file<'x>(begin: &[u8], lines: impl Iterator<Item = &'x [u8]>) -> Result<(File, usize), usize> {
    if let Some((name, is_base64)) = uuencode::begins(begin) {
        let (uuencode::Block { octets, intact }, count) = uuencode::block(is_base64, lines)?;
        return Ok((File { name: readable(name), octets, intact, parts: None }, count));
    }
    if !yenc::begins(begin) {
        return Err(0);
    }
    let (block, count) = yenc::block(begin, lines)?;
    let parts = block.part.map(|(part, total)| (part, part, total));
    Ok((File { name: readable(&block.name), octets: block.octets, intact: block.intact, parts }, count))
}

/// Appends the next part of a file that was cut to what is here of it.
fn append_part(files: &mut [File], next: &File) -> bool {
    let (Some(file), Some((part, _, total))) = (files.last_mut(), next.parts) else { return false };
    let Some((first, last, _)) = file.parts else { return false };
    if file.name != next.name || last.checked_add(1) != Some(part) {
        return false;
    }
    file.octets.extend_from_slice(&next.octets);
    file.parts = Some((first, part, total));
    file.intact &= next.intact;
    true
}

fn readable(name: &[u8]) -> String {
    encoded_word::decode(&charset::sniffed(&name[..name.len().min(1024)])).into_owned()
}
