//! The messages of `testdata/messages`: one directory a case, with what must be read out of it and why it is there.

use crate::RawMessage;
use crate::read::{Inspection, read};
use std::fs;
use std::path::Path;

/// Compares a case with its `expected.json`; with `UPDATE_EXPECT=1` writes that file, to be reviewed before it is kept.
fn check(case: &Path) {
    let raw = RawMessage::new(fs::read(case.join("message.eml")).unwrap());
    let message = read(&raw);
    let actual = serde_json::to_string_pretty(&Inspection::of("message.eml", &message)).unwrap() + "\n";
    expect_test::expect_file![case.join("expected.json")].assert_eq(&actual);
    let readme = fs::read_to_string(case.join("readme.md")).unwrap_or_default();
    assert!(!readme.trim().is_empty(), "{} has no readme.md", case.display());
}

#[test]
fn every_message_reads_as_expected() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/messages");
    let mut cases: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.is_dir());
    cases.sort();
    assert!(cases.len() >= 25, "only {} cases", cases.len());
    cases.iter().for_each(|case| check(case));
}
