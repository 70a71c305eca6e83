//! Every threat has a test: the register in docs/threats.md is complete and true.

use crate::{assert_none, files_under, root, text_of};
use std::collections::{BTreeMap, BTreeSet};

/// The rows of each part. One more threat is one more number here.
const ROWS: [(&str, usize); 11] = [
    ("A", 21),
    ("B", 20),
    ("C", 14),
    ("D", 18),
    ("E", 9),
    ("F", 16),
    ("G", 9),
    ("H", 8),
    ("I", 7),
    ("J", 5),
    ("K", 12),
];

/// The names of all test functions, in modules of tests and in tests of crates, and of the journeys in a browser.
fn test_names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in files_under("crates", ".rs") {
        let text = text_of(&path);
        // `#[test]` and `#[tokio::test]`, with arguments or without, then perhaps other attributes, then the function.
        for rest in text.split("#[test]").skip(1).chain(text.split("#[tokio::test").skip(1)) {
            let name = rest.split("fn ").nth(1).and_then(|rest| rest.split('(').next());
            names.extend(name.map(str::to_owned));
        }
        // Tests over generated values stand in a macro of their own.
        for block in text.split("proptest! {").skip(1) {
            let names_in = block.lines().filter_map(|line| line.trim().strip_prefix("fn ")?.split('(').next());
            names.extend(names_in.map(str::to_owned));
        }
    }
    for path in files_under("e2e", ".mjs") {
        let text = text_of(&path);
        names.extend(text.split("\ntest(\"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned));
    }
    names
}

/// Whether the text is a letter of a part and a number.
fn is_number(text: &str) -> bool {
    let (part, digits) = text.split_at_checked(1).unwrap_or_default();
    ROWS.iter().any(|(known, _)| *known == part)
        && !digits.is_empty()
        && digits.bytes().all(|octet| octet.is_ascii_digit())
}

/// The rows of the register: number and last cell.
fn rows() -> BTreeMap<String, String> {
    let mut rows = BTreeMap::new();
    for line in text_of("docs/threats.md").lines() {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        if let (Some(first), Some(last)) = (cells.first(), cells.last())
            && is_number(first)
        {
            assert!(rows.insert((*first).to_owned(), (*last).to_owned()).is_none(), "{first} stands there twice");
        }
    }
    rows
}

#[test]
fn every_threat_has_a_test_or_says_what_brings_it() {
    let (names, rows) = (test_names(), rows());
    let mut complaints = Vec::new();
    let numbers = ROWS.iter().flat_map(|(part, count)| (1..=*count).map(move |number| format!("{part}{number}")));
    for row in numbers {
        let Some(shown_by) = rows.get(&row) else {
            complaints.push(format!("docs/threats.md has no row {row}"));
            continue;
        };
        let prefix = format!("{}_", row.to_lowercase());
        let by_number = names.iter().any(|name| name.starts_with(&prefix));
        let named: Vec<&str> = shown_by.split('`').skip(1).step_by(2).collect();
        for name in &named {
            let is_there = match name.contains('/') {
                true => root().join(format!("testdata/dialogues/{name}.dialogue")).is_file(),
                false => names.contains(*name),
            };
            if !is_there {
                complaints.push(format!("{row} names {name}, which is neither a test nor a dialogue"));
            }
        }
        if shown_by.contains("by its number") && !by_number {
            complaints.push(format!("{row} is to be shown by a test called {prefix}…, and there is none"));
        }
        if by_number && shown_by.starts_with("later: ") {
            complaints.push(format!("{row} waits for what is there: a test called {prefix}…"));
        }
        if named.is_empty() && !by_number && !shown_by.starts_with("later: ") {
            complaints.push(format!("{row} has neither a test nor a word on what will bring it"));
        }
    }
    assert_none("A threat without a test is a wish", &complaints);
}

#[test]
fn tests_with_a_number_belong_to_a_threat() {
    let rows = rows();
    let number = |name: &str| {
        let number = name.split('_').next()?.to_uppercase();
        is_number(&number).then_some(number)
    };
    let strays: Vec<String> =
        test_names().into_iter().filter(|name| number(name).is_some_and(|row| !rows.contains_key(&row))).collect();
    assert_none("A test with a number that is no threat of docs/threats.md", &strays);
}
