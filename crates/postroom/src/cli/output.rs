//! Results on stdout: one JSON object per line for scripts, or text for people.

use crate::failure::Failure;
use serde::Serialize;
use std::io::{self, IsTerminal, Write};

/// Where results go.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
}

impl Output {
    /// JSON or text.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether scripts read it.
    pub fn is_json(self) -> bool {
        self.json
    }

    /// One result: its JSON form for scripts, `text` for people.
    pub fn object(self, value: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
        let line = if self.json { serde_json::to_string(value).map_err(unprintable)? } else { text() };
        print(&line)
    }

    /// Several results; for people as a table with these headings, or `none` if there are none.
    pub fn table<T: Serialize, const N: usize>(
        self,
        values: &[T],
        headings: [&str; N],
        none: &str,
        row: impl Fn(&T) -> [String; N],
    ) -> Result<(), Failure> {
        if self.json {
            return values.iter().try_for_each(|value| self.object(value, String::new));
        }
        print(&text_table(values, headings, none, row))
    }

    /// A sentence for people; nothing for scripts.
    pub fn say(self, sentence: impl AsRef<str>) -> Result<(), Failure> {
        if self.json { Ok(()) } else { print(sentence.as_ref()) }
    }
}

/// Reports a failure on stderr, in the form that was asked for.
pub fn report(failure: &Failure, json: bool) {
    let line = if json { serde_json::json!({ "error": failure }).to_string() } else { failure.to_string() };
    // Nobody is left to be told if stderr is closed.
    let _ = writeln!(io::stderr(), "{line}");
}

/// Prints a line. A reader that has gone away, as `| head` does, has seen enough and is no failure.
fn print(line: &str) -> Result<(), Failure> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(unprintable(error)),
        _ => Ok(()),
    }
}

/// Writes octets as they are.
pub fn write_octets(octets: &[u8]) -> Result<(), Failure> {
    match io::stdout().write_all(octets).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(unprintable(error)),
        _ => Ok(()),
    }
}

fn unprintable(error: impl std::fmt::Display) -> Failure {
    Failure::new("OUTPUT_FAILED", format!("the result could not be written: {error}"), "what was done stays done")
}

/// A table for people, or `none` if there is nothing in it.
pub fn text_table<T, const N: usize>(
    values: &[T],
    headings: [&str; N],
    none: &str,
    row: impl Fn(&T) -> [String; N],
) -> String {
    if values.is_empty() {
        return none.to_owned();
    }
    let mut rows = vec![headings.map(str::to_owned)];
    rows.extend(values.iter().map(row));
    columns(&rows)
}

/// Aligns rows in columns; the last one is not padded.
fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// One line of mail text for a terminal: without characters that could take it over, and not endless.
pub fn one_line(text: &str, most: usize) -> String {
    let clean: String = text.chars().map(|c| if commands(c) { ' ' } else { c }).collect();
    match clean.char_indices().nth(most) {
        Some((cut, _)) => format!("{}…", clean[..cut].trim_end()),
        None => clean,
    }
}

/// Mail text for a terminal: line ends and tabs stay, other characters that command it do not.
pub fn clean_text(text: &str) -> String {
    text.chars().map(|c| if commands(c) && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}

/// Whether a terminal may do something else with a character than show it: control characters, other line ends, and what
/// turns the direction of what follows, so that one thing looks like another (UAX 9 §2.1 to 2.5).
fn commands(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a progress bar makes sense: a person watches stderr.
pub fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// `1 item`, `2 items`.
pub fn count(number: u64, noun: &str) -> String {
    let plural = if noun.ends_with('x') { "es" } else { "s" };
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}{plural}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_text_cannot_command_a_terminal() {
        assert_eq!(one_line("a\x1b[2Jb\nc", 80), "a [2Jb c");
        assert_eq!(one_line("abcdef", 3), "abc…");
        assert_eq!(clean_text("a\x1b[2J\n\tb"), "a\u{fffd}[2J\n\tb");
        assert_eq!(one_line("a\u{202e}b\u{2066}c\u{2028}d\u{200f}", 80), "a b c d\u{200f}");
        assert_eq!(clean_text("a\u{202e}b\u{2069}c\u{2029}d"), "a\u{fffd}b\u{fffd}c\u{fffd}d");
    }

    #[test]
    fn columns_are_aligned() {
        let rows = [["a".to_owned(), "b".to_owned()], ["ääää".to_owned(), "c".to_owned()]];
        assert_eq!(columns(&rows), "a     b\nääää  c");
    }
}
