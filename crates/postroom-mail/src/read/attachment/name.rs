//! File names of strangers: decoded already, and made safe to be shown, stored and saved.

use std::collections::{HashMap, HashSet};
use unicode_normalization::UnicodeNormalization as _;

/// Longest file name in octets; file systems allow 255, and ` (999)` may be added.
const NAME_MAX: usize = 200;
/// Octets of a declared name that are looked at, from its end: a path may be long, its last part is what counts.
const LOOKED_AT_MAX: usize = 16 * 1024;
/// Longest extension in octets, its dot included.
const EXTENSION_MAX: usize = 16;

/// The names of one message. No two of them are the same on any file system.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: HashSet<String>,
    next_number: HashMap<String, usize>,
}

impl Names {
    /// `name`, or `name (2).ext` where it is taken. Names that differ only in case count as the same, because they are
    /// on many file systems; `ß` and `SS` too.
    pub(super) fn unique(&mut self, name: String) -> String {
        let key = folded(&name);
        if self.taken.insert(key.clone()) {
            return name;
        }
        let (stem, extension) = split_extension(&name);
        let next = self.next_number.entry(key).or_insert(2);
        loop {
            let stem = cut(stem, NAME_MAX - 8 - extension.len()).trim_end();
            let candidate = format!("{stem} ({next}){extension}");
            *next += 1;
            if self.taken.insert(folded(&candidate)) {
                return candidate;
            }
        }
    }
}

/// `name` without its case. Capitals of capitals are enough for `ß`, small letters before them for `ẞ`.
fn folded(name: &str) -> String {
    name.to_lowercase().to_uppercase()
}

/// A file name without anything that could lead elsewhere or look like another name; `None` if nothing is left.
///
/// The order matters: what is not seen goes first and then the text is composed, so that nothing can hide from the steps
/// after them. Cleaning a cleaned name changes nothing. `"`, `*` and `?` stay, although Windows does not take them:
/// people write them, no path or stream can be made of them, and a browser replaces them where it saves the file.
pub(in crate::read) fn clean_name(declared: &str) -> Option<String> {
    let from = declared.ceil_char_boundary(declared.len().saturating_sub(LOOKED_AT_MAX));
    let composed: String = declared[from..].chars().filter(|c| !is_invisible(*c)).nfc().collect();
    let mut name = String::new();
    for c in last_part(&composed).chars() {
        match c {
            _ if c.is_control() || c.is_whitespace() => {
                if !name.ends_with(' ') {
                    name.push(' ');
                }
            }
            // A colon names a drive or a stream of a file (`a.txt:b`), the others redirect in a shell.
            ':' | '<' | '>' | '|' => name.push('_'),
            // They look like the separators of a path.
            '\u{2044}' | '\u{2215}' | '\u{29f5}' | '\u{29f8}' | '\u{29f9}' | '\u{fe68}' | '\u{ff0f}' | '\u{ff3c}' => {
                name.push('_');
            }
            _ => name.push(c),
        }
    }
    let name = without_reserved(name.trim_matches([' ', '.']));
    let (stem, extension) = split_extension(&name);
    let name = format!("{}{extension}", cut(stem, NAME_MAX - extension.len()));
    let name = name.trim_end_matches([' ', '.']);
    (!name.is_empty()).then(|| name.to_owned())
}

/// What stands behind the last separator that has something behind it, of either kind of path, without `C:`.
fn last_part(path: &str) -> &str {
    let is_empty = |part: &str| part.chars().all(|c| c == '.' || c.is_whitespace() || c.is_control());
    let mut part = path.rsplit(['/', '\\']).find(|part| !is_empty(part)).unwrap_or_default();
    while let Some(rest) = without_drive(part) {
        part = rest;
    }
    part
}

/// `C:name` means a file of drive C.
fn without_drive(part: &str) -> Option<&str> {
    let part = part.trim_start_matches(|c: char| c == '.' || c.is_whitespace() || c.is_control());
    let mut characters = part.chars();
    let letter = characters.next()?;
    (letter.is_ascii_alphabetic() && characters.next() == Some(':')).then_some(characters.as_str())
}

/// Devices of Windows are found under any extension, so `con.txt` becomes `con_.txt`.
fn without_reserved(name: &str) -> String {
    let stem = name.split('.').next().unwrap_or_default();
    let device = stem.trim_end().to_uppercase();
    let is_numbered = |prefix: &str| {
        let number = device.strip_prefix(prefix);
        number.is_some_and(|n| matches!(n, "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³"))
    };
    let is_device = matches!(device.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$");
    if is_device || is_numbered("COM") || is_numbered("LPT") {
        let (device, rest) = name.split_at(stem.trim_end().len());
        return format!("{device}_{rest}");
    }
    name.to_owned()
}

/// Characters that are not seen, or that turn the direction of what is: `invoice<RLO>fdp.exe` must not look harmless.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffc}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Stem and extension with its dot; a long last piece is no extension.
pub(super) fn split_extension(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= EXTENSION_MAX => name.split_at(dot),
        _ => (name, ""),
    }
}

/// At most `octets` octets of `text`, cut between characters.
fn cut(text: &str, octets: usize) -> &str {
    &text[..text.floor_char_boundary(octets)]
}
