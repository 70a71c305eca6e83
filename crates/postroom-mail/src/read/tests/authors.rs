//! Who the author is: From fields, and the one canonical address that rules go by.

use crate::RawMessage;
use crate::read::read;

#[test]
fn d13_forty_from_fields_have_one_canonical_author_or_none() {
    let text = include_str!("../../../../../testdata/addresses/authors.txt");
    let expected: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let author = |line: &&str| {
        let field = line.split('\t').next().unwrap_or_default();
        let message = read(&RawMessage::undigested(format!("From: {field}\r\n\r\nx").into_bytes()));
        let author = message.author().and_then(crate::Address::canonical);
        format!("{field}\t{}", author.as_deref().unwrap_or("–"))
    };
    assert_eq!(expected.iter().map(author).collect::<Vec<_>>(), expected);
    assert_eq!(expected.len(), 40);
}
