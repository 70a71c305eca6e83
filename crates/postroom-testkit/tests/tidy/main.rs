//! The house keeps its own rules: the arrows between crates, what a pure crate may use, and that the documents are true.
//!
//! A rule that no machine runs is a wish, so every rule of ARCHITECTURE.md and CONTRIBUTING.md that a machine can check is
//! checked here. Each failure says where and what to do.

#![allow(clippy::unwrap_used)]

mod crates;
mod dependencies;
mod documents;
mod sources;
mod threats;

use std::fs;
use std::path::{Path, PathBuf};

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The text of a file of the repository; a missing file fails the test that wants it.
fn text_of(path: &str) -> String {
    let full = root().join(path);
    fs::read_to_string(&full).unwrap_or_else(|error| panic!("{path} cannot be read: {error}"))
}

/// All files under `folder` whose name ends in `suffix`, as paths from the root, sorted.
fn files_under(folder: &str, suffix: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.map(Result::unwrap) {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                if !matches!(name.as_str(), "target" | "node_modules" | ".git") {
                    folders.push(path);
                }
            } else if name.ends_with(suffix) {
                found.push(path.strip_prefix(root()).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

/// The names of the folders under `crates/`, sorted.
fn crate_names() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(root().join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().join("Cargo.toml").is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Fails with all complaints at once, one a line, under a sentence that says which rule they break.
fn assert_none(rule: &str, complaints: &[String]) {
    assert!(complaints.is_empty(), "{rule}\n  {}\n", complaints.join("\n  "));
}
