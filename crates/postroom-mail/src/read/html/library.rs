//! The sanitising library, set up for mail: what is not named here falls away.

use super::{link, style};
use ammonia::{Builder, UrlRelative};
use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

/// What every link carries in `rel`.
pub(super) const LINK_REL: &str = "noopener noreferrer nofollow";

/// The cleaner.
pub(super) static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::default();
    builder
        .add_tags(&["font", "big"])
        .rm_tags(&["area", "map"])
        .add_clean_content_tags(&[
            "title", "iframe", "noembed", "noframes", "template", "object", "select", "svg", "math",
        ])
        .add_generic_attributes(&["dir", "align", "valign", "bgcolor", "style", "width", "height"])
        .add_tag_attributes("font", &["color", "face", "size"])
        .add_tag_attributes("table", &["border", "cellpadding", "cellspacing"])
        .add_tag_attributes("ol", &["type"])
        .add_tag_attributes("td", &["nowrap"])
        .add_tag_attributes("details", &["open"])
        .rm_tag_attributes("blockquote", &["cite"])
        .rm_tag_attributes("q", &["cite"])
        .rm_tag_attributes("ins", &["cite"])
        .rm_tag_attributes("del", &["cite"])
        .url_schemes(link::SCHEMES.into_iter().chain(["cid"]).collect::<HashSet<_>>())
        .url_relative(UrlRelative::Deny)
        .link_rel(Some(LINK_REL))
        .strip_comments(true)
        .attribute_filter(filter);
    builder
});

/// What becomes of an attribute that may stand where it is.
pub(super) fn filter<'v>(element: &str, attribute: &str, value: &'v str) -> Option<Cow<'v, str>> {
    match (element, attribute) {
        ("img", "src") => link::content_id(value).map(|id| {
            let mut address = String::with_capacity(value.len());
            link::push_cid(&id, &mut address);
            Cow::Owned(address)
        }),
        (_, "src") => None,
        (_, "href") => link::content_id(value).is_none().then_some(Cow::Borrowed(value)),
        (_, "style") => Some(style::sift(value).kept).filter(|kept| !kept.is_empty()).map(Cow::Owned),
        (_, "width") => is_at_most(value, 2_000).then_some(Cow::Borrowed(value)),
        (_, "height") => is_at_most(value, 4_000).then_some(Cow::Borrowed(value)),
        (_, "border" | "cellpadding" | "cellspacing" | "size") => {
            is_at_most(value, 100).then_some(Cow::Borrowed(value))
        }
        (_, "colspan" | "rowspan" | "span") => is_at_most(value, 1_000).then_some(Cow::Borrowed(value)),
        _ => Some(Cow::Borrowed(value)),
    }
}

/// Whether a length of HTML names at most so many pixels, or at most the whole of what surrounds it.
// HTML Standard §2.4.4.4
fn is_at_most(value: &str, most: u32) -> bool {
    let value = value.trim_start();
    let digits = value.strip_prefix('+').unwrap_or(value);
    let unit = digits.trim_start_matches(|c: char| c.is_ascii_digit());
    let most = if unit.contains('%') { most.min(100) } else { most };
    match digits[..digits.len() - unit.len()].parse::<u32>() {
        Ok(number) => number <= most,
        // `-1` and `auto` are none; a number too long for this type is too large.
        Err(_) => unit.len() == digits.len(),
    }
}
