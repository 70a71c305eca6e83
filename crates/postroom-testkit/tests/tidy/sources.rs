//! Rules for every source file: size, headers, and words that must not be left behind.

use crate::{assert_none, crate_names, files_under, text_of};
use std::fs;

/// Longest source file in lines. Who needs more splits the module.
const LINES_MAX: usize = 500;

/// Texts that mean that something is not finished. Written in two halves, so that this file does not find itself.
const UNFINISHED: &[&str] = &[
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("dbg", "!("),
    concat!("#[", "ignore"),
    concat!("TO", "DO"),
    concat!("XX", "X:"),
];

#[test]
fn no_source_file_is_too_long() {
    let complaints: Vec<String> = files_under("crates", ".rs")
        .into_iter()
        .map(|path| (text_of(&path).lines().count(), path))
        .filter(|(lines, _)| *lines > LINES_MAX)
        .map(|(lines, path)| format!("{path}: {lines} lines"))
        .collect();
    assert_none("a file has at most 500 lines; split the module:", &complaints);
}

#[test]
fn nothing_is_left_unfinished() {
    let mut complaints = Vec::new();
    for path in files_under("crates", ".rs") {
        for (number, line) in text_of(&path).lines().enumerate() {
            for text in UNFINISHED.iter().filter(|text| has_word(line, text)) {
                complaints.push(format!("{path}:{}: {text}", number + 1));
            }
        }
    }
    assert_none("finish it, or assert today's result and say what is wrong with it:", &complaints);
}

/// Whether `text` stands in `line` and not only as the end of a longer word, as in the component VTODO of calendars.
fn has_word(line: &str, text: &str) -> bool {
    line.match_indices(text).any(|(at, _)| !line[..at].ends_with(char::is_alphanumeric))
}

#[test]
fn a_longer_word_is_not_taken_for_its_end() {
    let word = concat!("TO", "DO");
    assert!(has_word(&format!("// {word}: more"), word) && has_word(word, word));
    assert!(!has_word(&format!("V{word}"), word));
}

#[test]
fn every_crate_says_what_it_may_touch() {
    let mut complaints = Vec::new();
    for name in crate_names() {
        let main = format!("crates/{name}/src/main.rs");
        let path = if crate::root().join(&main).exists() { main } else { format!("crates/{name}/src/lib.rs") };
        let header: String = text_of(&path).lines().take_while(|line| line.starts_with("//!")).collect();
        let pure_words = ["May touch", "Must not"];
        complaints.extend(
            pure_words
                .iter()
                .filter(|word| !header.contains(**word))
                .map(|word| format!("{path}: no `{word}` in its header")),
        );
        let sections: &[&str] = if name == "postroom-testkit" { &[] } else { &["Read in this order"] };
        complaints.extend(
            sections
                .iter()
                .filter(|word| !header.contains(**word))
                .map(|word| format!("{path}: no `{word}` in its header")),
        );
    }
    assert_none(
        "the header of a crate says its purpose, what it may touch, what it must not, and where to begin:",
        &complaints,
    );
}

#[test]
fn every_case_says_what_it_shows() {
    let mut complaints = Vec::new();
    for path in files_under("testdata/messages", "message.eml") {
        let readme = path.replace("message.eml", "readme.md");
        if !crate::root().join(&readme).is_file() {
            complaints.push(format!("{readme} is missing"));
        }
    }
    for path in files_under("testdata/dialogues", ".dialogue") {
        let first = text_of(&path).lines().next().unwrap_or_default().to_owned();
        if !first.starts_with('#') || first.len() < 10 {
            complaints.push(format!("{path}: its first line is no comment that says what it shows"));
        }
    }
    assert_none("a case without a word on what it shows helps nobody:", &complaints);
}

#[test]
fn every_sample_of_the_demo_is_listed() {
    let index = text_of("crates/postroom/demo/samples.txt");
    let listed: Vec<&str> =
        index.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_whitespace().next()).collect();
    let present: Vec<String> = fs::read_dir(crate::root().join("crates/postroom/demo"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".eml"))
        .collect();
    let mut complaints: Vec<String> = present
        .iter()
        .filter(|name| !listed.contains(&name.as_str()))
        .map(|name| format!("{name} is not in samples.txt"))
        .collect();
    complaints.extend(
        listed
            .iter()
            .filter(|name| !present.iter().any(|p| p == *name))
            .map(|name| format!("{name} is in samples.txt only")),
    );
    assert_none("crates/postroom/demo/samples.txt says what each sample shows:", &complaints);
}

/// What a log line must not carry: a log travels further than mail does.
const NOT_IN_LOGS: &[&str] =
    &["subject", "address", "addr_spec", "body", "password", "secret", "text", "html", "message_id", "from"];

#[test]
fn logs_carry_ids_and_counts_only() {
    let mut complaints = Vec::new();
    for path in files_under("crates", ".rs").into_iter().filter(|path| path.contains("/src/")) {
        let source = text_of(&path);
        for call in source.split("tracing::").skip(1) {
            let Some((level, rest)) = call.split_once("!(") else { continue };
            if !matches!(level, "trace" | "debug" | "info" | "warn" | "error") {
                continue;
            }
            let arguments = up_to_closing_parenthesis(rest);
            // What stands in quotes is for people; what stands outside is data.
            let data: String = arguments.split('"').step_by(2).collect::<Vec<_>>().join(" ");
            let words: Vec<&str> = data.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
            complaints
                .extend(NOT_IN_LOGS.iter().filter(|word| words.contains(word)).map(|word| format!("{path}: {word}")));
        }
    }
    assert_none("logs carry ids and counts, never what is in a message or a setting:", &complaints);
}

/// What stands before the parenthesis that closes a call; those in quotes do not count.
fn up_to_closing_parenthesis(rest: &str) -> &str {
    let (mut depth, mut quoted) = (1, false);
    for (at, c) in rest.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &rest[..at];
        }
    }
    rest
}

/// Beginnings of paths that only exist on the machine of whoever wrote them.
const PRIVATE_PATHS: &[&str] = &[concat!("/wo", "rk/"), concat!("/tmp/br", "ief"), concat!("/ho", "me/")];

#[test]
fn nothing_depends_on_one_machine() {
    let mut complaints = Vec::new();
    for suffix in [".rs", ".md", ".toml", ".json", ".mjs", ".css", ".js", ".html", ".sql", "justfile"] {
        for path in files_under(".", suffix) {
            let text = text_of(&path);
            complaints.extend(PRIVATE_PATHS.iter().filter(|p| text.contains(**p)).map(|p| format!("{path}: {p}")));
            if path.ends_with("package-lock.json") && text.contains("\"resolved\"") {
                complaints
                    .push(format!("{path} names a registry; write it with npm's omit-lockfile-registry-resolved"));
            }
        }
    }
    assert_none("a path of one machine:", &complaints);
}
