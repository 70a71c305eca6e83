#![allow(clippy::unwrap_used)]

use super::*;

fn links(text: &str) -> Vec<String> {
    let pieces = pieces(text);
    let whole: String = pieces
        .iter()
        .map(|p| match p {
            Piece::Plain(t) | Piece::Link(t) => t.as_str(),
        })
        .collect();
    assert_eq!(whole, text, "nothing of the text is lost");
    pieces
        .into_iter()
        .filter_map(|p| match p {
            Piece::Link(url) => Some(url),
            Piece::Plain(_) => None,
        })
        .collect()
}

#[test]
fn only_web_addresses_become_links() {
    for (text, expected) in [
        ("see https://example.org/a?b=c.", vec!["https://example.org/a?b=c"]),
        ("(http://example.org/x_(y)), then", vec!["http://example.org/x_(y)"]),
        ("<https://example.org/>", vec!["https://example.org/"]),
        ("HTTPS://EXAMPLE.ORG", vec!["HTTPS://EXAMPLE.ORG"]),
        ("javascript:alert(1) data:text/html,x mailto:a@b.example", vec![]),
        ("https:// nothing", vec![]),
        ("xhttps://example.org", vec![]),
        ("a http://b.example\nhttp://c.example/é b", vec!["http://b.example", "http://c.example/é"]),
        ("\"https://example.org/\" onclick=\"x\"", vec!["https://example.org/"]),
        ("", vec![]),
    ] {
        assert_eq!(links(text), expected, "{text}");
    }
}

#[test]
fn a_very_long_address_stays_text() {
    assert!(links(&format!("https://example.org/{}", "a".repeat(3000))).is_empty());
}

#[test]
fn the_quotation_is_cut_out_only_where_it_stands() {
    let text = "Yes.\n\nOn Monday Kim wrote:\n> Shall we?\n\nRegards";
    let (front, quotation) = without_quotation(text, "On Monday Kim wrote:\n> Shall we?\n");
    assert_eq!(front, "Yes.\n\nRegards");
    assert_eq!(quotation, "On Monday Kim wrote:\n> Shall we?");
    assert_eq!(without_quotation("Yes.", "").0, "Yes.");
    assert_eq!(without_quotation("Yes.", "elsewhere"), ("Yes.".to_owned(), ""));
}

#[test]
fn commands_in_a_sentence_are_set_apart() {
    let run = |code: bool, text: &str| (code, text.to_owned());
    assert_eq!(
        prose("Run `postroom check` now."),
        [run(false, "Run "), run(true, "postroom check"), run(false, " now.")]
    );
    assert_eq!(prose("Nothing."), [run(false, "Nothing.")]);
}

#[test]
fn header_fields_are_unfolded_and_counted() {
    let octets = b"Subject: a\r\n b\r\nFrom: x\xff\r\nodd line\r\n\r\nBody: no";
    let fields = header_fields(octets, 10);
    assert_eq!(fields[0], ("Subject".to_owned(), "a b".to_owned()));
    assert_eq!(fields[1].0, "From");
    assert_eq!(fields[2], (String::new(), "odd line".to_owned()));
    assert_eq!(fields.len(), 3);
    assert_eq!(header_fields(octets, 1).len(), 1);
}
