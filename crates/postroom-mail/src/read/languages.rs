//! The words of `languages.txt` and `ticket_lines.txt`, sorted by what they are for.

use aho_corasick::AhoCorasick;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// A field of the block that programs put above what they quote or pass on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    From,
    Sent,
    To,
    Subject,
    /// What else stands in such a block; nothing is known by it alone.
    Other,
}

/// Octets of the longest name of a field that is looked for.
const FIELD_MAX: usize = 40;

/// How a line of a telephone or an app begins, and what stands at its end where the beginning alone says too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Footer {
    pub(super) start: &'static str,
    pub(super) end: &'static str,
}

#[derive(Debug)]
pub(super) struct Words {
    /// First words of introductions.
    pub(super) on: Vec<&'static str>,
    /// Words for writing.
    pub(super) wrote: Vec<&'static str>,
    /// The same by their last character, because every line is asked for them.
    wrote_by_end: HashMap<char, Vec<&'static str>>,
    fields: HashMap<&'static str, Field>,
    /// What stands between dashes above a quotation.
    pub(super) original: Vec<&'static str>,
    /// What stands between dashes above what was passed on.
    pub(super) forwarded: Vec<&'static str>,
    /// Lines above what was passed on, whole.
    pub(super) forward_lines: HashSet<&'static str>,
    /// How subjects of what was passed on begin, without the colon.
    pub(super) forward_prefixes: HashSet<&'static str>,
    /// By the first character of their beginning; under `None` those that are known by their end alone.
    footers: HashMap<Option<char>, Vec<Footer>>,
    pub(super) closings: HashSet<&'static str>,
    /// Lines of ticket systems, to be found all at once and in either case of ASCII.
    ticket_lines: AhoCorasick,
}

/// All words of all languages: who writes in one language quotes in another.
pub(super) static WORDS: LazyLock<Words> =
    LazyLock::new(|| Words::of(include_str!("languages.txt"), include_str!("ticket_lines.txt")));

impl Words {
    fn of(languages: &'static str, ticket_lines: &'static str) -> Self {
        let ticket_lines = ticket_lines.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let mut words = Self {
            on: Vec::new(),
            wrote: Vec::new(),
            wrote_by_end: HashMap::new(),
            fields: HashMap::new(),
            original: Vec::new(),
            forwarded: Vec::new(),
            forward_lines: HashSet::new(),
            forward_prefixes: HashSet::new(),
            footers: HashMap::new(),
            closings: HashSet::new(),
            ticket_lines: automaton(ticket_lines),
        };
        for line in languages.lines().filter(|line| !line.starts_with(['#', '['])) {
            let Some((key, values)) = line.split_once(": ") else { continue };
            let values = values.split('|').filter(|value| !value.trim().is_empty());
            match key {
                "on" => words.on.extend(values),
                "wrote" => values.for_each(|word| words.add_wrote(word)),
                "from" => words.add_fields(values, Field::From),
                "sent" => words.add_fields(values, Field::Sent),
                "to" => words.add_fields(values, Field::To),
                "subject" => words.add_fields(values, Field::Subject),
                "other" => words.add_fields(values, Field::Other),
                "original" => words.original.extend(values),
                "forwarded" => words.forwarded.extend(values),
                "forward line" => words.forward_lines.extend(values),
                "forward prefix" => words.forward_prefixes.extend(values),
                "footer" => values.for_each(|value| {
                    let (start, end) = value.split_once('…').unwrap_or((value, ""));
                    let footer = Footer { start, end: end.trim() };
                    words.footers.entry(start.chars().next()).or_default().push(footer);
                }),
                "closing" => words.closings.extend(values),
                _ => {}
            }
        }
        words
    }

    fn add_wrote(&mut self, word: &'static str) {
        self.wrote.push(word);
        if let Some(last) = word.chars().next_back() {
            self.wrote_by_end.entry(last).or_default().push(word);
        }
    }

    /// The field of this name, which may have any case, blanks and the signs of bold text around it.
    pub(super) fn field(&self, name: &str) -> Option<Field> {
        let name = name.trim_matches(|c: char| c == '*' || c.is_whitespace() || is_unseen(c));
        if name.is_empty() || name.len() > FIELD_MAX {
            return None;
        }
        self.fields.get(name.to_lowercase().replace('\u{a0}', " ").as_str()).copied()
    }

    /// The words for writing that end with the last character of `head`.
    pub(super) fn wrote_at_the_end_of(&self, head: &str) -> impl Iterator<Item = &'static str> {
        let last = head.chars().next_back();
        last.and_then(|last| self.wrote_by_end.get(&last)).into_iter().flatten().copied()
    }

    /// The footers that may begin as `line` does, which is in lower case, and those known by their end.
    pub(super) fn footers_of(&self, line: &str) -> impl Iterator<Item = Footer> {
        let first = line.chars().next();
        [first, None].into_iter().filter_map(|key| self.footers.get(&key)).flatten().copied()
    }

    /// Whether a line has what ticket systems write above what is theirs. Letters outside ASCII are in lower case.
    pub(super) fn has_ticket_line(&self, line: &str) -> bool {
        self.ticket_lines.is_match(line)
    }

    fn add_fields(&mut self, names: impl Iterator<Item = &'static str>, field: Field) {
        for name in names {
            self.fields.entry(name).or_insert(field);
        }
    }
}

/// Whether a character only says in which direction others run, or nothing at all.
pub(super) fn is_unseen(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Whether a word is of a script that has no blanks between words, or other ones.
pub(super) fn is_unspaced(word: &str) -> bool {
    word.chars().next().is_some_and(|c| c >= '\u{0590}')
}

/// Finds any of `words`. They are our own and few, so that they always fit; should they not, nothing is found.
fn automaton<'w>(words: impl Iterator<Item = &'w str>) -> AhoCorasick {
    let mut builder = AhoCorasick::builder();
    builder.ascii_case_insensitive(true);
    // An automaton of no words cannot fail to be built.
    builder.build(words).or_else(|_| builder.build([""; 0])).unwrap_or_else(|_| unreachable!())
}
