//! Addresses in HTML: which are kept, and what they are shown as.

use ammonia::url::Url;

/// Schemes of links that may stay.
pub(super) const SCHEMES: [&str; 4] = ["http", "https", "mailto", "tel"];

/// The id that a `cid:` address names (RFC 2392).
pub(super) fn content_id(address: &str) -> Option<String> {
    let (scheme, id) = address.trim().split_once(':')?;
    if !scheme.eq_ignore_ascii_case("cid") {
        return None;
    }
    let mut octets = Vec::new();
    crate::read::parameter::percent_decode(id, &mut octets);
    Some(crate::read::body::bare(&String::from_utf8_lossy(&octets)))
}

/// Writes `id` as a `cid:` address that needs no character reference within HTML (RFC 2392 §2).
pub(super) fn push_cid(id: &str, address: &mut String) {
    address.push_str("cid:");
    for c in id.chars() {
        if matches!(c, '%' | '&' | '<' | '>' | '"' | '\'' | '\u{a0}') {
            let mut octets = [0; 4];
            for octet in c.encode_utf8(&mut octets).bytes() {
                address.push('%');
                address
                    .extend([octet >> 4, octet & 15].map(|digit| char::from(b"0123456789ABCDEF"[usize::from(digit)])));
            }
        } else {
            address.push(c);
        }
    }
}

/// Whether a link leads to where one may go, or only to another place in the message.
pub(super) fn is_harmless(address: &str) -> bool {
    let address = address.trim();
    let scheme = address.split_once(':').map_or("", |(scheme, _)| scheme);
    address.is_empty() || address.starts_with('#') || SCHEMES.iter().any(|safe| scheme.eq_ignore_ascii_case(safe))
}

/// Whether the library would keep an address: a whole one, with a scheme that is allowed.
pub(super) fn may_stay(address: &str) -> bool {
    is_plain_target(address)
        || Url::parse(address).is_ok_and(|url| url.scheme() == "cid" || SCHEMES.contains(&url.scheme()))
}

/// Where a link really leads: the address as a browser would go there, with the host in ASCII (so that no letter of
/// another script stands for a Latin one), and without the user name that can pass for a host.
/// `None` if `address` says that already.
// URL Standard §4.1, §4.3
pub(super) fn real_target(address: &str) -> Option<String> {
    if is_plain_target(address) {
        return None;
    }
    let mut url = Url::parse(address).ok()?;
    // Only an address without a host refuses this, and then it has no user either.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Some(url.into()).filter(|target: &String| target != address)
}

/// An address that already reads as where it leads.
fn is_plain_target(address: &str) -> bool {
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    let Some(rest) = rest else {
        return address.starts_with("mailto:") && address.bytes().all(|b| b.is_ascii_graphic());
    };
    let host = rest.find(['/', '?', '#']).map_or(rest, |end| &rest[..end]);
    let name = host.strip_suffix(":443").or_else(|| host.strip_suffix(":80")).unwrap_or(host);
    let last = name.rsplit('.').next().unwrap_or_default();
    // What is written in that form is worth a closer look.
    !name.contains("xn--")
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.')
        && last.starts_with(|c: char| c.is_ascii_lowercase())
        && rest.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
}
