#![allow(clippy::unwrap_used)]

use super::Mbox;
use crate::Outcome;
use std::io::BufReader;

/// The messages of an mbox, read through a buffer of `buffer` octets.
fn split(text: &str, limit: u64, buffer: usize) -> Vec<String> {
    Mbox::new(BufReader::with_capacity(buffer, text.as_bytes()), limit)
        .map(|outcome| match outcome.unwrap() {
            Outcome::Message(raw) => String::from_utf8(raw.octets().to_vec()).unwrap(),
            other => format!("{other:?}"),
        })
        .collect()
}

/// `§` in a text stands for this line.
const SEPARATOR: &str = "From a@example.org Thu Jan  1 00:00:00 1970";

fn check(text: &str, expected: &[&str]) {
    let text = text.replace('§', SEPARATOR);
    for buffer in [1, 7, 100_000] {
        assert_eq!(split(&text, 1_000_000, buffer), expected, "{text:?}");
    }
}

#[test]
fn messages_begin_at_from_lines_behind_blank_lines() {
    check("", &[]);
    check("no mbox at all\n", &[]);
    check("§\n", &[""]);
    check("§\nS: 1\n\nbody\n\n§\nS: 2\n\nbody\n", &["S: 1\n\nbody\n", "S: 2\n\nbody\n"]);
    check("§\r\nS: 1\r\n\r\nbody\r\n\r\n§\r\nS: 2\r\n", &["S: 1\r\n\r\nbody\r\n", "S: 2\r\n"]);
    // Not behind a blank line: a sentence.
    check("§\nS: 1\n\nI come\n§\n", &[&format!("S: 1\n\nI come\n{SEPARATOR}\n")]);
    // Right behind the From_ line: the first line of a message, however it begins.
    check("§\nFrom: x\n", &["From: x\n"]);
    // No line end at the end of the file.
    check("§\nS: 1\n\nbody", &["S: 1\n\nbody"]);
    check("§\nS: 1\n\nbody\n\n§", &["S: 1\n\nbody\n", ""]);
}

#[test]
fn a_from_line_ends_in_a_date() {
    let separators = [
        SEPARATOR,
        "From - Tue Apr 27 19:42:22 2021",
        "From a@example.org Thu Jan 1 00:00 1970",
        "From a@example.org Thu Jan  1 00:00:00 MET DST 1970",
        "From a@example.org Thu Jan  1 00:00:00 1970 +0100",
        "From 1234567@xxx Thu Mar 05 16:00:00 +0000 2020",
        "From uucp!a Thu Jan  1 00:00:00 1970 remote from somewhere",
        "From \"a b\"@example.org Thu Jan  1 00:00:00 1970",
        "From \u{e4}@example.org thu jan 1 00:00:00 1970",
        "From a@example.org Thu, 1 Jan 1970 00:00:00 +0000",
    ];
    let sentences = [
        "From a@example.org",
        "From Paris we went on at 10:30 in 2024",
        "From Thu Jan  1 00:00:00 1970 on, nothing happened.",
        "From 10:30 on Mon May 5 2024 we were there",
        "From 10:30 to 11:30",
        "From 2024",
        "From a Thu Jan  1 1970",
        "From a Thu Jan  1 00:00:00 70",
        "From a Thu Jan  1 00:00: 1970",
        "From ",
        "From",
        ">From a@example.org Thu Jan  1 00:00:00 1970 x",
    ];
    for line in separators {
        check(&format!("§\nS: 1\n\n{line}\nS: 2\n"), &["S: 1\n", "S: 2\n"]);
        check(&format!("{line}\nS: 1\n"), &["S: 1\n"]);
    }
    for line in sentences {
        let kept = line.strip_prefix('>').unwrap_or(line);
        check(&format!("§\nS: 1\n\n{line}\nS: 2\n"), &[&format!("S: 1\n\n{kept}\nS: 2\n")]);
    }
}

#[test]
fn one_quote_is_taken_from_quoted_from_lines() {
    check("§\n\n>From b\n>>From c\n> From d\n>Fromage\n", &["\nFrom b\n>From c\n> From d\n>Fromage\n"]);
}

#[test]
fn a_line_longer_than_any_buffer_stays_whole() {
    let long = "x".repeat(300_000);
    check(&format!("§\nS: {long}\n\n{long}>From y\n"), &[&format!("S: {long}\n\n{long}>From y\n")]);
    // Nobody has a name of this length.
    check(&format!("§\n\nFrom {long} §\n"), &[&format!("\nFrom {long} {SEPARATOR}\n")]);
}

#[test]
fn a_message_over_the_limit_is_said_and_the_next_one_comes() {
    let text = format!("§\n{}\n\n§\nS: 2\n\n§\n123456789\n", "x".repeat(100)).replace('§', SEPARATOR);
    assert_eq!(split(&text, 10, 7), ["TooLarge { announced: 101 }", "S: 2\n", "123456789\n"]);
}
