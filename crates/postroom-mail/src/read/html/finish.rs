//! The last pass, over what the library wrote: images are bound to the message, links say where they lead.

use super::super::reference;
use super::link;
use std::collections::HashSet;

/// Octets of a target that are shown.
const TARGET_MAX: usize = 200;

/// The HTML with its bound images.
#[derive(Debug, Default)]
pub(super) struct Finished {
    pub(super) html: String,
    /// Addresses that were taken out or put right.
    pub(super) removed: u64,
    pub(super) content_ids: HashSet<String>,
}

/// Finishes `html`, in which every value stands in double quotes and has no `<`, `>` or `"` in it. Only images whose
/// id is one of `parts` keep their address.
pub(super) fn finish(html: &str, parts: &HashSet<String>) -> Finished {
    let mut done = Finished { html: String::with_capacity(html.len() + html.len() / 4), ..Finished::default() };
    let mut rest = html;
    let mut in_link = false;
    while let Some(start) = memchr::memchr(b'<', rest.as_bytes()) {
        let end = memchr::memchr(b'>', &rest.as_bytes()[start..]).map_or(rest.len(), |step| start + step + 1);
        let (before, tag) = (&rest[..start], &rest[start..end]);
        rest = &rest[end..];
        done.html.push_str(before);
        if tag.starts_with("<a ") {
            in_link = true;
            done.link(tag);
        } else if tag == "</a>" {
            in_link = false;
            done.html.push_str(tag);
        } else if tag.starts_with("<img ") || in_link && tag.contains(" title=\"") {
            done.without(tag, parts, in_link);
        } else {
            done.html.push_str(tag);
        }
    }
    done.html.push_str(rest);
    done
}

impl Finished {
    /// A link, with its target in `title` instead of whatever its author put there.
    fn link(&mut self, tag: &str) {
        let mut target = None;
        self.html.push_str("<a");
        for (name, value) in attributes(tag) {
            match name {
                "title" => {}
                "href" => {
                    let address = reference::decode(value);
                    let real = link::real_target(&address);
                    self.removed += u64::from(real.as_ref().is_some_and(|real| differs(real, &address)));
                    let shown = real.as_deref().map_or_else(|| value.to_owned(), escaped);
                    self.push(name, &shown);
                    target = Some(shown);
                }
                _ => self.push(name, value),
            }
        }
        if let Some(mut target) = target {
            if target.len() > TARGET_MAX {
                // Not within a character reference.
                let cut = target.floor_char_boundary(TARGET_MAX);
                let cut = target[..cut].rfind('&').filter(|at| cut - at < 8).unwrap_or(cut);
                target.truncate(cut);
                target.push('…');
            }
            self.push("title", &target);
        }
        self.html.push('>');
    }

    /// A tag without an address of an image that the message does not have, and within a link without a title, which
    /// could pass for the target.
    fn without(&mut self, tag: &str, parts: &HashSet<String>, in_link: bool) {
        let name = tag.find([' ', '>']).map_or(tag, |end| &tag[..end]);
        self.html.push_str(name);
        for (name, value) in attributes(tag) {
            if name == "title" && in_link {
                continue;
            }
            if name == "src" {
                match link::content_id(&reference::decode(value)).filter(|id| parts.contains(id)) {
                    Some(id) => self.content_ids.insert(id),
                    None => {
                        self.removed += 1;
                        continue;
                    }
                };
            }
            self.push(name, value);
        }
        self.html.push('>');
    }

    fn push(&mut self, name: &str, value: &str) {
        for piece in [" ", name, "=\"", value, "\""] {
            self.html.push_str(piece);
        }
    }
}

/// Whether an address was more than written in another way: its host was hidden or disguised.
fn differs(real: &str, address: &str) -> bool {
    let host = |address: &str| {
        let rest = address.split_once("://").map_or("", |(_, rest)| rest);
        rest.split(['/', '?', '#']).next().unwrap_or_default().to_ascii_lowercase()
    };
    host(real) != host(address)
}

/// Names and values of the attributes of a tag that the library wrote.
fn attributes(tag: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = tag.find(' ').map_or("", |at| &tag[at..]);
    std::iter::from_fn(move || {
        let (name, behind) = rest.split_once("=\"")?;
        let (value, behind) = behind.split_once('"')?;
        rest = behind;
        Some((name.trim_start(), value))
    })
}

fn escaped(value: &str) -> String {
    let value = value.replace('&', "&amp;").replace('"', "&quot;");
    value.replace('<', "&lt;").replace('>', "&gt;").replace('\u{a0}', "&nbsp;")
}
