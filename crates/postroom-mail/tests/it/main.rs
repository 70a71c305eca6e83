//! What must hold for every message, for whole files and for every beginning of them.
//!
//! The properties are those that `fuzz` checks, word for word. Mail of other projects is read too where it lies beside this
//! repository.
#![allow(clippy::unwrap_used)]
// The crate itself has neither files nor threads; its tests read their cases, on all cores.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

mod found;
#[path = "../../../../fuzz/src/holds.rs"]
mod holds;
#[path = "../../../../fuzz/src/live.rs"]
mod live;
mod prefixes;

use std::fs;
use std::path::{Path, PathBuf};

/// Another directory of mail to be read instead of the one beside this repository.
const CORPUS: &str = "POSTROOM_CORPUS";

/// Every message of `testdata`, and every file of the corpus if it is there.
fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let corpus = std::env::var_os(CORPUS).map_or(root.join("../shared/corpus"), PathBuf::from);
    let mut files = Vec::new();
    collect(&root.join("testdata/messages"), &mut files);
    if corpus.is_dir() {
        collect(&corpus, &mut files);
    } else {
        eprintln!("SKIPPED: no corpus at {}", corpus.display());
    }
    files.sort();
    assert!(files.len() >= 40, "only {} files", files.len());
    files
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if !matches!(path.extension().and_then(|e| e.to_str()), Some("json" | "jsonl" | "md")) {
            files.push(path);
        }
    }
}

/// Says which file it was when a property does not hold.
struct InFile<'x>(&'x Path, usize);

impl Drop for InFile<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the first {} octets of {}", self.1, self.0.display());
        }
    }
}

#[test]
fn what_holds_for_every_message_holds_for_these() {
    for path in files() {
        let octets = fs::read(&path).unwrap();
        let _in_file = InFile(&path, octets.len());
        let message = holds::read_and_check(&octets);
        holds::json_keeps(&message);
        holds::canonical_is_stable(&message);
        holds::split_keeps_words(&message);
        message.attachments.iter().for_each(|attachment| holds::name_is_stable(&attachment.name));
    }
}
