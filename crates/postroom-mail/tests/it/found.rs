//! What fuzzing found, each cut down to a line.

use postroom_mail::{RawMessage, read};

/// The names of attachments that were sent under these names.
fn names_of(declared: &[&str]) -> Vec<String> {
    let parts = declared.iter().map(|name| {
        format!("--b\r\nContent-Disposition: attachment; filename=\"{name}\"\r\nContent-Type: image/png\r\n\r\nx\r\n")
    });
    let octets = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}--b--\r\n", parts.collect::<String>());
    read(&RawMessage::new(octets)).attachments.into_iter().map(|attachment| attachment.name).collect()
}

/// The number behind a name that ends in a blank stood behind two of them, so that the name was not clean.
#[test]
fn numbered_names_are_clean() {
    let long = format!("{} {}.png", "a".repeat(187), "b".repeat(20));
    let cases: [(&[&str], [String; 2]); 2] = [
        (&["a .png", "a .png"], ["a .png".to_owned(), "a (2).png".to_owned()]),
        (
            &[&long, &long],
            [format!("{} {}.png", "a".repeat(187), "b".repeat(8)), format!("{} (2).png", "a".repeat(187))],
        ),
    ];
    for (declared, expected) in cases {
        assert_eq!(names_of(declared), expected);
    }
}
