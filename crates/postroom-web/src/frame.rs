//! The HTML form of a message, as a document of its own for a sealed-off frame.
//!
//! The HTML was sanitised when it was read. That is not relied on here: the frame has no origin and no scripts, and its
//! policy lets it load nothing from anywhere. Images of the message itself are put into it as `data:` addresses, because
//! a frame without an origin sends no session with what it asks for (and so cannot ask for anything that needs one).

use crate::download::picture_type;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The policy of the frame's document.
pub(crate) const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox";

/// Octets of images that one frame may hold; further ones are listed beside it, but not shown in it.
pub(crate) const PICTURES_MAX: u64 = 12_000_000;

/// Links that are shown beside a frame; newsletters have more than anybody reads.
const LINKS_MAX: usize = 100;

/// An image of the message: its Content-ID and what is in it.
pub(crate) struct Picture {
    pub(crate) content_id: String,
    pub(crate) octets: axum::body::Bytes,
}

/// The document. Every `cid:` address becomes the image of that name in the same message, or nothing (RFC 2392).
pub(crate) fn document(html: &str, pictures: &[Picture]) -> String {
    let body = replace_cids(html, |content_id| {
        let picture = pictures.iter().find(|picture| picture.content_id == content_id)?;
        // A type that is not one of four harmless raster formats is no picture, whatever the message calls it.
        let content_type = picture_type(&picture.octets)?;
        Some(format!("data:{content_type};base64,{}", STANDARD.encode(&picture.octets)))
    });
    format!(
        "<!doctype html><html lang=\"\"><head><meta charset=\"utf-8\"><title>Message</title><base target=\"_blank\">\
         <style>html{{color-scheme:light;background:#fff}}body{{margin:12px;color:#1b2230;\
         font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}}img{{max-width:100%;height:auto}}\
         table{{max-width:100%}}pre{{white-space:pre-wrap}}blockquote{{margin:8px 0 8px 4px;padding-left:12px;\
         border-left:3px solid #ddd6c8}}</style></head><body dir=\"auto\">{body}</body></html>"
    )
}

/// The Content-IDs that the HTML names, so that only these are read from the store.
pub(crate) fn cids_of(html: &str) -> Vec<String> {
    let mut found = Vec::new();
    replace_cids(html, |content_id| {
        found.push(content_id.to_owned());
        None
    });
    found
}

/// Where the links lead that a person could follow: the frame itself opens none, so that they are shown beside it in
/// full. In order, each once, at most [`LINKS_MAX`].
pub(crate) fn links_of(html: &str) -> Vec<String> {
    let mut links: Vec<String> = Vec::new();
    replace_values(html, |before, value| {
        if before.ends_with(" href=\"") && (value.starts_with("https://") || value.starts_with("http://")) {
            let link = value.replace("&amp;", "&");
            if links.len() < LINKS_MAX && !links.contains(&link) {
                links.push(link);
            }
        }
        None
    });
    links
}

/// Rewrites attribute values that begin with `cid:`; text that only looks like one stays.
fn replace_cids(html: &str, mut address: impl FnMut(&str) -> Option<String>) -> String {
    replace_values(html, |_, value| {
        value.get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("cid:"))?;
        Some(address(&content_id(&value[4..])).unwrap_or_else(|| "data:,".to_owned()))
    })
}

/// Asks `change` about every attribute value, with what stands in its tag before it; `None` leaves the value.
fn replace_values(html: &str, mut change: impl FnMut(&str, &str) -> Option<String>) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    let mut in_tag = false;
    while let Some(at) = rest.find(if in_tag { ['"', '>'] } else { ['<', '<'] }) {
        let (before, found) = rest.split_at(at + 1);
        out.push_str(before);
        rest = found;
        match before.as_bytes()[at] {
            b'<' => in_tag = true,
            b'>' => in_tag = false,
            _ => {
                // The sanitiser writes every value in double quotes and no double quote inside one.
                let Some(end) = rest.find('"') else { break };
                let value = &rest[..end];
                out.push_str(change(before, value).as_deref().unwrap_or(value));
                out.push('"');
                rest = &rest[end + 1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// The Content-ID that a `cid:` address names: percent-decoded (RFC 2392 §2), entities resolved.
fn content_id(value: &str) -> String {
    let value = value.replace("&amp;", "&");
    let mut octets = Vec::with_capacity(value.len());
    let bytes = value.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let digit = |at: usize| bytes.get(at).and_then(|b| (*b as char).to_digit(16));
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                octets.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                octets.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}

/// How tall the frame begins: it cannot be measured from outside, so the length of the text decides.
pub(crate) fn height(text: &str) -> &'static str {
    match text.len() + 60 * text.lines().count() {
        ..500 => "s",
        500..2500 => "m",
        _ => "l",
    }
}

#[cfg(test)]
mod tests;
