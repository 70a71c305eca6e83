//! The words of `languages.txt` and `ticket_lines.txt`, sorted by what they are for.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// A field of the block that Outlook and others put above a quotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    From,
    Sent,
    To,
    Subject,
}

/// How a line of a telephone or an app begins, and what stands at its end where the beginning alone says too little.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Footer {
    pub(super) start: &'static str,
    pub(super) end: &'static str,
}

#[derive(Debug, Default)]
pub(super) struct Words {
    /// First words of introductions.
    pub(super) on: Vec<&'static str>,
    /// Words for writing.
    pub(super) wrote: Vec<&'static str>,
    pub(super) fields: HashMap<&'static str, Field>,
    /// What stands between dashes above a quotation.
    pub(super) original: Vec<&'static str>,
    pub(super) footers: Vec<Footer>,
    pub(super) closings: HashSet<&'static str>,
    /// Lines of ticket systems.
    pub(super) ticket_lines: Vec<&'static str>,
}

/// All words of all languages: who writes in one language quotes in another.
pub(super) static WORDS: LazyLock<Words> =
    LazyLock::new(|| Words::of(include_str!("languages.txt"), include_str!("ticket_lines.txt")));

impl Words {
    fn of(languages: &'static str, ticket_lines: &'static str) -> Self {
        let mut words = Self::default();
        for line in languages.lines().filter(|line| !line.starts_with(['#', '['])) {
            let Some((key, values)) = line.split_once(": ") else { continue };
            let values = values.split('|').filter(|value| !value.trim().is_empty());
            match key {
                "on" => words.on.extend(values),
                "wrote" => words.wrote.extend(values),
                "from" => words.add_fields(values, Field::From),
                "sent" => words.add_fields(values, Field::Sent),
                "to" => words.add_fields(values, Field::To),
                "subject" => words.add_fields(values, Field::Subject),
                "original" => words.original.extend(values),
                "footer" => words.footers.extend(values.map(|value| {
                    let (start, end) = value.split_once('…').unwrap_or((value, ""));
                    Footer { start, end: end.trim() }
                })),
                "closing" => words.closings.extend(values),
                _ => {}
            }
        }
        words.ticket_lines = ticket_lines.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
        words
    }

    fn add_fields(&mut self, names: impl Iterator<Item = &'static str>, field: Field) {
        for name in names {
            self.fields.entry(name).or_insert(field);
        }
    }
}
