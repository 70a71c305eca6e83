//! What a browser would make of HTML: the judge of the hostile vectors. It reads with the same parser that browsers
//! agree on, and knows nothing of what the cleaner allows.

use html5ever::serialize::{SerializeOpts, TraversalScope, serialize};
use html5ever::tendril::TendrilSink as _;
use html5ever::{ParseOpts, QualName, local_name, ns, parse_fragment};
use markup5ever_rcdom::{Handle, NodeData, RcDom, SerializableHandle};

const EXEC: [&str; 17] = [
    "script",
    "iframe",
    "frame",
    "frameset",
    "object",
    "embed",
    "applet",
    "base",
    "meta",
    "link",
    "xml",
    "portal",
    "fencedframe",
    "isindex",
    "layer",
    "ilayer",
    "bgsound",
];
const FORM: [&str; 11] =
    ["form", "input", "button", "select", "textarea", "option", "optgroup", "keygen", "datalist", "fieldset", "output"];
/// Attributes that hold an address.
const ADDRESSES: [&str; 24] = [
    "href",
    "src",
    "action",
    "formaction",
    "data",
    "poster",
    "background",
    "lowsrc",
    "dynsrc",
    "code",
    "codebase",
    "cite",
    "longdesc",
    "usemap",
    "ping",
    "profile",
    "classid",
    "icon",
    "manifest",
    "from",
    "to",
    "values",
    "by",
    "folder",
];
/// Attributes that load by being shown.
const LOADS: [&str; 6] = ["src", "poster", "background", "lowsrc", "dynsrc", "data"];
/// Properties that take an element out of its place or lay it over others.
const COVERS: [&str; 9] = [
    "position:fixed",
    "position:absolute",
    "position:sticky",
    "z-index",
    "transform",
    "text-indent",
    "inset",
    "zoom",
    "clip",
];

/// Everything alive in `html`, in two readings: as it is, and as a browser writes out what it has read.
pub(super) fn live(html: &str) -> Vec<String> {
    let mut found = Vec::new();
    let first = parse(html);
    examine(&first, &mut found);
    examine(&parse(&write(&first)), &mut found);
    found
}

/// A tree must not be dropped: that recurses.
struct Tree(RcDom);

impl Drop for Tree {
    fn drop(&mut self) {
        let mut open = vec![self.0.document.clone()];
        while let Some(node) = open.pop() {
            open.append(&mut node.children.borrow_mut());
        }
    }
}

fn parse(html: &str) -> Tree {
    let context = QualName::new(None, ns!(html), local_name!("div"));
    // A reader of mail shows it without scripts, another page with them: both must be safe.
    Tree(parse_fragment(RcDom::default(), ParseOpts::default(), context, Vec::new(), true).one(html))
}

fn write(tree: &Tree) -> String {
    let root = tree.0.document.children.borrow()[0].clone();
    let mut octets = Vec::new();
    let options = SerializeOpts { traversal_scope: TraversalScope::ChildrenOnly(None), ..SerializeOpts::default() };
    serialize(&mut octets, &SerializableHandle::from(root), options).unwrap();
    String::from_utf8(octets).unwrap()
}

fn examine(tree: &Tree, found: &mut Vec<String>) {
    let mut open: Vec<Handle> = tree.0.document.children.borrow().to_vec();
    while let Some(node) = open.pop() {
        if let NodeData::Element { name, attrs, template_contents, .. } = &node.data {
            let element = name.local.to_string().to_ascii_lowercase();
            let is_html = name.ns == ns!(html);
            if !is_html || EXEC.contains(&element.as_str()) || element == "template" {
                found.push(format!("exec: <{element}>"));
            }
            if FORM.contains(&element.as_str()) {
                found.push(format!("form: <{element}>"));
            }
            if element == "style" {
                found.push("style: <style>".to_owned());
            }
            for attribute in attrs.borrow().iter() {
                examine_attribute(&element, &attribute.name.local.to_ascii_lowercase(), &attribute.value, found);
            }
            open.extend(template_contents.borrow().clone());
        }
        open.extend(node.children.borrow().iter().cloned());
    }
}

fn examine_attribute(element: &str, name: &str, value: &str, found: &mut Vec<String>) {
    let mut live = |class: &str| found.push(format!("{class}: <{element} {name}={value}>"));
    if name.starts_with("on") || name == "srcdoc" {
        live("exec");
    }
    if matches!(name, "srcset" | "ping" | "imagesrcset" | "attributionsrc") {
        live("remote");
    }
    if matches!(name, "id" | "name" | "class") {
        live("clobber");
    }
    if matches!(name, "target" | "contenteditable" | "popover" | "accesskey" | "tabindex") {
        live("form");
    }
    if ADDRESSES.contains(&name) {
        let scheme = scheme(value);
        if !["http", "https", "mailto", "tel", "cid"].contains(&&*scheme) {
            live("exec");
        }
        if LOADS.contains(&name) && scheme != "cid" {
            live("remote");
        }
        if name == "href" && value.contains('@') && value.starts_with("http") && host_has_user(value)
            || !value.is_ascii()
        {
            live("deceit");
        }
    }
    if matches!(name, "width" | "height" | "cellpadding" | "cellspacing" | "border" | "size" | "colspan" | "rowspan")
        && largest(value) > 4_000.0
    {
        live("style");
    }
    if name == "style" {
        let css = plain_css(value);
        let runs =
            ["expression(", "behavior:", "-moz-binding", "@import", "script:"].iter().any(|word| css.contains(word));
        let loads = ["url(", "image-set(", "image(", "src(", "var(", "attr("].iter().any(|word| css.contains(word));
        let covers = COVERS.iter().any(|word| css.contains(word)) || css.contains(":-") || largest(&css) > 4_000.0;
        [(runs, "exec"), (loads, "remote"), (covers, "style")]
            .iter()
            .filter(|(is, _)| *is)
            .for_each(|(_, class)| live(class));
    }
}

fn host_has_user(address: &str) -> bool {
    let rest = address.split_once(':').map_or("", |(_, rest)| rest.trim_start_matches(['/', '\\']));
    rest.split(['/', '\\', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
}

/// As the URL Standard reads it: controls and blanks in front go, tabs and line ends go everywhere (§4.4).
fn scheme(address: &str) -> String {
    let address = address.trim_start_matches(|c: char| c <= ' ').replace(['\t', '\n', '\r'], "").to_ascii_lowercase();
    let end = address.find(|c: char| !c.is_ascii_alphanumeric() && !"+.-".contains(c)).unwrap_or(address.len());
    if address[end..].starts_with(':') { address[..end].to_owned() } else { String::new() }
}

/// A declaration list without escapes, comments and blanks, in lower case.
fn plain_css(css: &str) -> String {
    let mut plain = String::new();
    let mut rest = css;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c == '/' && rest.starts_with('*') {
            rest = rest.find("*/").map_or("", |end| &rest[end + 2..]);
        } else if c == '\\' {
            let digits = rest.bytes().take(6).take_while(u8::is_ascii_hexdigit).count();
            let escaped = u32::from_str_radix(&rest[..digits], 16).ok().and_then(char::from_u32);
            plain.extend(escaped);
            rest = rest[digits..].strip_prefix(' ').unwrap_or(&rest[digits..]);
        } else if c > ' ' {
            plain.extend(c.to_lowercase());
        }
    }
    plain
}

/// The largest number, as if every length were in pixels.
fn largest(value: &str) -> f64 {
    let numbers = value.split(|c: char| !c.is_ascii_digit() && c != '.').filter(|_| !value.contains('#'));
    numbers.filter_map(|number| number.parse::<f64>().ok()).fold(0.0, f64::max)
}
