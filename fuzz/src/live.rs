//! That cleaned HTML has nothing in it that runs, loads or covers, by a reader of tags that shares nothing with the cleaner.

/// Elements that never belong into cleaned HTML.
const NEVER: [&str; 40] = [
    "script",
    "iframe",
    "frame",
    "frameset",
    "object",
    "embed",
    "applet",
    "form",
    "input",
    "button",
    "select",
    "textarea",
    "option",
    "base",
    "link",
    "meta",
    "svg",
    "math",
    "video",
    "audio",
    "source",
    "track",
    "portal",
    "layer",
    "bgsound",
    "marquee",
    "dialog",
    "style",
    "template",
    "slot",
    "noscript",
    "noembed",
    "noframes",
    "xmp",
    "plaintext",
    "title",
    "head",
    "html",
    "body",
    "param",
];
/// Attributes that load, submit or name something.
const NEVER_NAMED: [&str; 16] = [
    "srcset",
    "background",
    "action",
    "formaction",
    "poster",
    "ping",
    "srcdoc",
    "data",
    "xlink:href",
    "manifest",
    "codebase",
    "dynsrc",
    "lowsrc",
    "http-equiv",
    "autofocus",
    "contenteditable",
];
/// Properties of a style that run something or leave the box.
const NEVER_STYLED: [&str; 4] = ["position", "behavior", "-moz-binding", "z-index"];
/// Functions of a style that load or run.
const NEVER_CALLED: [&str; 6] = ["url(", "image(", "image-set(", "expression(", "src(", "element("];

/// Panics where a tag could run, load or cover.
pub fn nothing_lives_in(html: &str) {
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        rest = &rest[open + 1..];
        // What the cleaner writes is `<name attribute="value">` or `</name>`, and `<` of the text is `&lt;`.
        let inner = rest.strip_prefix('/').unwrap_or(rest);
        let end = inner.find(|c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/')).unwrap_or(inner.len());
        let name = inner[..end].to_ascii_lowercase();
        assert!(name.starts_with(|c: char| c.is_ascii_lowercase()), "no tag: {:?}", start_of(rest));
        assert!(!NEVER.contains(&name.as_str()), "<{name}> in cleaned HTML");
        rest = attributes(&name, &inner[end..]);
    }
}

/// Looks at the attributes of a tag; gives what follows its `>`.
fn attributes<'x>(element: &str, mut rest: &'x str) -> &'x str {
    loop {
        rest = rest.trim_start();
        if let Some(behind) = rest.strip_prefix('>') {
            return behind;
        }
        let end = rest.find(['=', '>']).unwrap_or_else(|| panic!("an open tag: {:?}", start_of(rest)));
        let name = rest[..end].trim().to_ascii_lowercase();
        let Some(value) = rest[end..].strip_prefix("=\"") else {
            panic!("a value without quotes: {:?}", start_of(rest))
        };
        let close = value.find('"').unwrap_or_else(|| panic!("an open value: {:?}", start_of(value)));
        attribute(element, &name, &decoded(&value[..close]));
        rest = &value[close + 1..];
    }
}

fn attribute(element: &str, name: &str, value: &str) {
    assert!(!name.starts_with("on"), "{name} on <{element}>");
    assert!(!NEVER_NAMED.contains(&name), "{name} on <{element}>");
    // Browsers leave out control characters and blanks before and within a scheme.
    let plain: String =
        value.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect::<String>().to_lowercase();
    match name {
        "href" | "cite" | "longdesc" => {
            for scheme in ["javascript:", "vbscript:", "data:", "file:", "blob:", "about:"] {
                assert!(!plain.starts_with(scheme), "{name}={value:?} on <{element}>");
            }
        }
        "src" => assert!(plain.starts_with("cid:"), "src={value:?} on <{element}>"),
        "style" => style(element, &plain),
        _ => {}
    }
}

/// Looks at a style without its blanks, in lower case.
fn style(element: &str, plain: &str) {
    for piece in NEVER_CALLED {
        assert!(!plain.contains(piece), "style={plain:?} on <{element}>");
    }
    assert!(!plain.contains(['\\', '@']) && !plain.contains("/*"), "style={plain:?} on <{element}>");
    let properties = plain.split(';').filter_map(|declaration| declaration.split_once(':'));
    for (property, _) in properties {
        assert!(!NEVER_STYLED.contains(&property), "style={plain:?} on <{element}>");
    }
}

/// The character references that a serialiser writes in a value.
fn decoded(value: &str) -> String {
    value
        .replace("&quot;", "\"")
        .replace("&nbsp;", "\u{a0}")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

fn start_of(text: &str) -> String {
    text.chars().take(80).collect()
}
