//! Mail of other projects, where it lies beside this repository: everything must be read without a panic, and every
//! attachment must be found again by its slice.

use crate::read::{Inspection, read};
use crate::{RawMessage, Sha256};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Set to a file, the test writes one inspection a line to it, to be judged by hand.
const OUTPUT: &str = "POSTROOM_CORPUS_OUTPUT";

/// Another directory to be read instead.
const CORPUS: &str = "POSTROOM_CORPUS";

#[test]
fn every_file_is_read() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let corpus = std::env::var_os(CORPUS).map_or(beside, PathBuf::from);
    if !corpus.is_dir() {
        eprintln!("SKIPPED: no corpus at {}", corpus.display());
        return;
    }
    let mut output = std::env::var_os(OUTPUT).map(|path| fs::File::create(path).unwrap());
    let mut files = Vec::new();
    collect(&corpus, &mut files);
    files.sort();
    for path in &files {
        let raw = RawMessage::new(fs::read(path).unwrap());
        let message = read(&raw);
        assert_eq!(message, read(&raw), "{}", path.display());
        for attachment in &message.attachments {
            let octets = attachment.content.octets(&raw);
            assert_eq!(Sha256::of(&octets), attachment.sha256, "{}", path.display());
            assert_eq!(octets.len() as u64, attachment.size, "{}", path.display());
        }
        if let Some(output) = &mut output {
            let file = path.strip_prefix(&corpus).unwrap().display().to_string();
            let line = serde_json::to_string(&Inspection::of(&file, &message)).unwrap();
            writeln!(output, "{line}").unwrap();
        }
    }
    assert!(!files.is_empty());
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if !matches!(path.extension().and_then(|e| e.to_str()), Some("json" | "jsonl")) {
            files.push(path);
        }
    }
}
