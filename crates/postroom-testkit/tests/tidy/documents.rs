//! The documents are true: what they name exists, and what exists is named.

use crate::{assert_none, crate_names, files_under, root, text_of};
use std::collections::BTreeSet;

/// Longest ARCHITECTURE.md in lines: a map that fits a walk.
const MAP_LINES_MAX: usize = 200;

/// Beginnings of paths that documents write in code font.
const PLACES: &[&str] = &["crates/", "docs/", "testdata/", "e2e/", "benches/", ".ci/"];

/// What stands in code font in a document, outside of code blocks.
fn code_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut in_block = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            words.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    words
}

/// Text in double quotes on a line, as long as it looks like a stable code: capitals, digits and `_`.
fn codes_in(line: &str) -> impl Iterator<Item = &str> {
    line.split('"').skip(1).step_by(2).filter(|text| is_code(text))
}

fn is_code(text: &str) -> bool {
    text.len() >= 4
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// All error and reason codes that the sources can give, test files left out.
fn codes_of_the_sources() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for path in files_under("crates", ".rs") {
        if !path.contains("/src/") || path.contains("/tests") || path.contains("postroom-testkit") {
            continue;
        }
        let text = text_of(&path);
        // An error type has a function `code`, and its codes are the values of a match; the reasons are a table.
        if text.contains("fn code(") || path.ends_with("store/src/error/noun.rs") {
            let values = text.lines().filter(|line| line.contains("=> \""));
            codes.extend(values.flat_map(codes_in).map(str::to_owned));
        }
        // What `check` finds and what the web page answers are tables.
        let tables = ["store/src/check.rs", "store/src/audit.rs", "web/src/failure.rs"];
        if tables.iter().any(|table| path.ends_with(table)) {
            codes.extend(text.lines().flat_map(codes_in).filter(|code| code.contains('_')).map(str::to_owned));
        }
        // The command line makes its own where no library could.
        let made = text.split("Failure::new(").skip(1).filter_map(|rest| rest.split('"').nth(1));
        codes.extend(made.filter(|text| is_code(text)).map(str::to_owned));
        if path.ends_with("domain/src/filing.rs") {
            let table = text.lines().filter(|line| line.contains(" = \"") && line.trim_end().ends_with("\";"));
            codes.extend(table.flat_map(|line| codes_in(line).next()).map(str::to_owned));
        }
    }
    codes
}

#[test]
fn every_code_is_explained_and_no_other() {
    let document = text_of("docs/errors.md");
    let explained: BTreeSet<String> = document
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|c| is_code(c))
        .map(str::to_owned)
        .collect();
    let given = codes_of_the_sources();
    assert!(given.len() > 40, "only {} codes found: the search is broken", given.len());
    let mut complaints: Vec<String> =
        given.difference(&explained).map(|code| format!("{code} is not explained")).collect();
    complaints.extend(explained.difference(&given).map(|code| format!("{code} is explained, but nothing gives it")));
    assert_none("docs/errors.md explains every code, in the first column of its tables:", &complaints);
}

#[test]
fn every_crash_point_is_in_the_state_table() {
    let document = text_of("docs/receipt-states.md");
    let mut complaints = Vec::new();
    for path in files_under("crates", ".rs").into_iter().filter(|path| path.contains("/src/")) {
        for line in text_of(&path).lines().filter(|line| !line.trim_start().starts_with("//")) {
            let Some(call) = line.split("crash_point!(\"").nth(1) else { continue };
            let name = call.split('"').next().unwrap_or_default();
            if !document.contains(&format!("`{name}`")) {
                complaints.push(format!("{name} ({path})"));
            }
        }
    }
    assert_none("docs/receipt-states.md says what a crash at each point leaves behind:", &complaints);
}

#[test]
fn the_map_is_short_and_true() {
    let map = text_of("ARCHITECTURE.md");
    let mut complaints = Vec::new();
    let lines = map.lines().count();
    if lines > MAP_LINES_MAX {
        complaints.push(format!("ARCHITECTURE.md has {lines} lines, at most {MAP_LINES_MAX}"));
    }
    for name in crate_names() {
        if !map.contains(&format!("`crates/{name}`")) {
            complaints.push(format!("ARCHITECTURE.md does not name `crates/{name}`"));
        }
    }
    assert_none("the map:", &complaints);
}

#[test]
fn every_path_named_in_a_document_exists() {
    let mut complaints = Vec::new();
    let documents = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];
    let documents = documents.into_iter().map(str::to_owned).chain(files_under("docs", ".md"));
    for document in documents {
        for word in code_words(&text_of(&document)) {
            let is_path = PLACES.iter().any(|place| word.starts_with(place));
            let is_name = word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
            if is_path && is_name && !root().join(&word).exists() {
                complaints.push(format!("{document}: {word}"));
            }
        }
    }
    assert_none("these documents name a path that does not exist:", &complaints);
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let mut complaints = Vec::new();
    let mut documents = files_under("docs", ".md");
    documents
        .extend(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"].map(str::to_owned));
    for document in documents {
        let folder = root().join(&document).parent().unwrap().to_path_buf();
        for link in text_of(&document).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap_or_default();
            if !link.contains("://") && !path.is_empty() && !folder.join(path).exists() {
                complaints.push(format!("{document}: {link}"));
            }
        }
    }
    assert_none("these links lead nowhere:", &complaints);
}

#[test]
fn every_decision_is_listed() {
    let index = text_of("docs/adr/README.md");
    let complaints: Vec<String> = files_under("docs/adr", ".md")
        .into_iter()
        .filter_map(|path| path.rsplit('/').next().map(str::to_owned))
        .filter(|name| name != "README.md" && !index.contains(&format!("]({name})")))
        .collect();
    assert_none("docs/adr/README.md lists every decision:", &complaints);
}

#[test]
fn every_word_of_the_glossary_is_a_type() {
    let sources: String = files_under("crates", ".rs").iter().map(|path| text_of(path)).collect();
    let mut complaints = Vec::new();
    for line in text_of("docs/glossary.md").lines().filter(|line| line.starts_with("| `")) {
        let first = line.split('|').nth(1).unwrap_or_default();
        for word in code_words(first) {
            let exists = ["struct ", "enum ", "trait ", "type ", "fn "].iter().any(|kind| {
                sources.match_indices(&format!("{kind}{word}")).any(|(at, text)| {
                    !sources[at + text.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
                })
            });
            if !exists {
                complaints.push(word);
            }
        }
    }
    assert_none("a word in code font in docs/glossary.md is a type or a function of that name:", &complaints);
}
