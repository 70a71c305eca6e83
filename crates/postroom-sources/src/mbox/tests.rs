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

fn check(text: &str, expected: &[&str]) {
    for buffer in [1, 7, 100_000] {
        assert_eq!(split(text, 1_000_000, buffer), expected, "{text:?}");
    }
}

#[test]
fn messages_begin_at_from_lines_behind_blank_lines() {
    check("", &[]);
    check("no mbox at all\n", &[]);
    check("From a Thu Jan  1 00:00:00 1970\n", &[""]);
    check("From a\nS: 1\n\nbody\n\nFrom b\nS: 2\n\nbody\n", &["S: 1\n\nbody\n", "S: 2\n\nbody\n"]);
    check("From a\r\nS: 1\r\n\r\nbody\r\n\r\nFrom b\r\nS: 2\r\n", &["S: 1\r\n\r\nbody\r\n", "S: 2\r\n"]);
    // Not behind a blank line: a sentence.
    check("From a\nS: 1\n\nI come\nFrom Paris\n", &["S: 1\n\nI come\nFrom Paris\n"]);
    // Right behind the From_ line: the first line of a message, however it begins.
    check("From a\nFrom: x\n", &["From: x\n"]);
    // No line end at the end of the file.
    check("From a\nS: 1\n\nbody", &["S: 1\n\nbody"]);
}

#[test]
fn one_quote_is_taken_from_quoted_from_lines() {
    check("From a\n\n>From b\n>>From c\n> From d\n>Fromage\n", &["\nFrom b\n>From c\n> From d\n>Fromage\n"]);
}

#[test]
fn a_line_longer_than_any_buffer_stays_whole() {
    let long = "x".repeat(300_000);
    check(&format!("From {long}\nS: {long}\n\n{long}>From y\n"), &[&format!("S: {long}\n\n{long}>From y\n")]);
}

#[test]
fn a_message_over_the_limit_is_said_and_the_next_one_comes() {
    let text = format!("From a\n{}\n\nFrom b\nS: 2\n\nFrom c\n123456789\n", "x".repeat(100));
    assert_eq!(split(&text, 10, 7), ["TooLarge { announced: 101 }", "S: 2\n", "123456789\n"]);
}
