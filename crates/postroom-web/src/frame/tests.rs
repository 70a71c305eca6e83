#![allow(clippy::unwrap_used)]

use super::*;
use axum::body::Bytes;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nrest";

fn pictures() -> Vec<Picture> {
    vec![
        Picture { content_id: "logo@x".to_owned(), octets: Bytes::from_static(PNG) },
        Picture { content_id: "page@x".to_owned(), octets: Bytes::from_static(b"<script>alert(1)</script>") },
    ]
}

#[test]
fn cid_addresses_become_the_pictures_of_the_message() {
    let data = format!("data:image/png;base64,{}", STANDARD.encode(PNG));
    for (html, expected) in [
        (r#"<img src="cid:logo@x" alt="a">"#, format!(r#"<img src="{data}" alt="a">"#)),
        (r#"<IMG alt="a" src="CID:logo%40x">"#, format!(r#"<IMG alt="a" src="{data}">"#)),
        // Not of this message; not a picture; not an attribute: none of them loads anything.
        (r#"<img src="cid:other@x">"#, r#"<img src="data:,">"#.to_owned()),
        (r#"<img src="cid:page@x">"#, r#"<img src="data:,">"#.to_owned()),
        (r#"<p>src="cid:logo@x"</p>"#, r#"<p>src="cid:logo@x"</p>"#.to_owned()),
        (r#"<p title="a>b">x</p><img src="cid:logo@x">"#, format!(r#"<p title="a>b">x</p><img src="{data}">"#)),
        ("<img src=\"cid:logo@x", "<img src=\"cid:logo@x".to_owned()),
    ] {
        let page = document(html, &pictures());
        assert!(page.contains(&format!("<body dir=\"auto\">{expected}</body>")), "{html}\n{page}");
    }
}

#[test]
fn only_named_pictures_are_asked_for() {
    assert_eq!(cids_of(r#"<img src="cid:a@b"><p>cid:c@d</p><img src="http://e/">"#), ["a@b"]);
}

#[test]
fn links_are_told_in_full() {
    let html = r#"<a href="https://a.example/?b=1&amp;c=2">x</a><a href="javascript:x">y</a><a href="https://a.example/?b=1&amp;c=2">z</a>
        <p title="https://no.example/"> href="https://text.example/" </p><a class="k" href="http://b.example/">w</a>"#;
    assert_eq!(links_of(html), ["https://a.example/?b=1&c=2", "http://b.example/"]);
}

#[test]
fn the_policy_lets_nothing_out() {
    for directive in ["default-src 'none'", "sandbox", "img-src data:"] {
        assert!(POLICY.contains(directive));
    }
    assert!(!POLICY.contains("allow-") && !POLICY.contains("http") && !POLICY.contains('*'));
}
