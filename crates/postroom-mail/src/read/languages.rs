//! The words of `languages.txt` and `ticket_lines.txt`, sorted by what they are for.

use aho_corasick::packed::Searcher;
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

#[derive(Debug, Default)]
pub(super) struct Words {
    /// First words of introductions.
    pub(super) on: Vec<&'static str>,
    /// Words for writing.
    pub(super) wrote: Any,
    /// The same by their last character, because every line is asked for them.
    wrote_by_end: HashMap<char, Vec<&'static str>>,
    wrote_ends: Pairs,
    fields: HashMap<&'static str, Field>,
    field_starts: Pairs,
    /// What stands between dashes above a quotation.
    pub(super) original: Any,
    /// What stands between dashes above what was passed on.
    pub(super) forwarded: Any,
    /// Lines above what was passed on, whole.
    pub(super) forward_lines: HashSet<&'static str>,
    /// How subjects of what was passed on begin, without the colon.
    pub(super) forward_prefixes: HashSet<&'static str>,
    /// By the first character of their beginning; under `None` those that are known by their end alone.
    footers: HashMap<Option<char>, Vec<Footer>>,
    footer_starts: Pairs,
    closings: HashSet<&'static str>,
    closing_starts: Pairs,
    postscripts: Vec<&'static str>,
    postscript_starts: Pairs,
}

/// All words of all languages: who writes in one language quotes in another.
pub(super) static WORDS: LazyLock<Words> = LazyLock::new(|| Words::of(include_str!("languages.txt")));

impl Words {
    fn of(languages: &'static str) -> Self {
        let mut words = Self::default();
        let (mut original, mut forwarded, mut wrote) = (Vec::new(), Vec::new(), Vec::new());
        for line in languages.lines().filter(|line| !line.starts_with(['#', '['])) {
            let Some((key, values)) = line.split_once(": ") else { continue };
            let values = values.split('|').filter(|value| !value.trim().is_empty());
            match key {
                "on" => words.on.extend(values),
                "wrote" => wrote.extend(values),
                "from" => words.add_fields(values, Field::From),
                "sent" => words.add_fields(values, Field::Sent),
                "to" => words.add_fields(values, Field::To),
                "subject" => words.add_fields(values, Field::Subject),
                "other" => words.add_fields(values, Field::Other),
                "original" => original.extend(values),
                "forwarded" => forwarded.extend(values),
                "forward line" => words.forward_lines.extend(values),
                "forward prefix" => words.forward_prefixes.extend(values),
                "footer" => values.for_each(|value| {
                    let (start, end) = value.split_once('…').unwrap_or((value, ""));
                    let footer = Footer { start, end: end.trim() };
                    words.footers.entry(start.chars().next()).or_default().push(footer);
                    words.footer_starts.add(start.bytes());
                }),
                "closing" => values.for_each(|value| {
                    words.closings.insert(value);
                    words.closing_starts.add(value.bytes());
                }),
                "postscript" => values.for_each(|value| {
                    words.postscripts.push(value);
                    words.postscript_starts.add(value.bytes());
                }),
                _ => {}
            }
        }
        wrote.iter().for_each(|word| words.add_end_of_wrote(word));
        (words.original, words.forwarded, words.wrote) = (Any::of(original), Any::of(forwarded), Any::of(wrote));
        words
    }

    fn add_end_of_wrote(&mut self, word: &'static str) {
        self.wrote_ends.add(word.bytes().rev());
        if let Some(last) = word.chars().next_back() {
            self.wrote_by_end.entry(last).or_default().push(word);
        }
    }

    /// The field of this name, which may have any case, blanks and the signs of bold text around it.
    pub(super) fn field(&self, name: &str) -> Option<Field> {
        let name = name.trim_matches(|c: char| c == '*' || c.is_whitespace() || is_unseen(c));
        if name.is_empty() || name.len() > FIELD_MAX || !self.field_starts.may_have(name.bytes()) {
            return None;
        }
        self.fields.get(lower(name).replace('\u{a0}', " ").as_str()).copied()
    }

    /// Whether a line, in any case, may end with a word for writing.
    pub(super) fn may_end_with_wrote(&self, line: &str) -> bool {
        self.wrote_ends.may_have(line.bytes().rev())
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

    /// Whether a line, in any case, may begin as a footer does.
    pub(super) fn may_begin_footer(&self, line: &str) -> bool {
        self.footer_starts.may_have(line.bytes())
    }

    /// Whether this is the end of a letter, in any case, without what may stand behind it.
    pub(super) fn is_closing(&self, line: &str) -> bool {
        self.closing_starts.may_have(line.bytes()) && self.closings.contains(lower(line).as_str())
    }

    /// What follows the word for a postscript, in any case, with which a line begins.
    pub(super) fn postscript_in<'x>(&self, line: &'x str) -> Option<&'x str> {
        if !self.postscript_starts.may_have(line.bytes()) {
            return None;
        }
        self.postscripts.iter().find_map(|word| {
            let start = line.get(..word.len()).filter(|start| lower(start) == **word)?;
            let rest = &line[start.len()..];
            let is_whole = is_unspaced(word) || !rest.starts_with(char::is_alphanumeric);
            is_whole.then_some(rest)
        })
    }

    fn add_fields(&mut self, names: impl Iterator<Item = &'static str>, field: Field) {
        for name in names {
            self.fields.entry(name).or_insert(field);
            self.field_starts.add(name.bytes());
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

/// The first two octets of words, or the last two: nearly every line is passed over by them alone.
#[derive(Debug)]
struct Pairs(Vec<bool>);

impl Default for Pairs {
    fn default() -> Self {
        Self(vec![false; 128 * 128])
    }
}

impl Pairs {
    /// Adds a word in lower case.
    fn add(&mut self, word: impl Iterator<Item = u8>) {
        if let Some(pair) = Self::pair(word) {
            self.0[pair] = true;
        }
    }

    /// Whether a word in any case may be there. Of letters outside of ASCII nothing is known: both cases of them have
    /// different octets.
    fn may_have(&self, word: impl Iterator<Item = u8>) -> bool {
        Self::pair(word).is_none_or(|pair| self.0[pair])
    }

    fn pair(mut word: impl Iterator<Item = u8>) -> Option<usize> {
        let mut next = || word.next().filter(u8::is_ascii).map(|octet| usize::from(octet.to_ascii_lowercase()));
        Some(next()? * 128 + next()?)
    }
}

/// Words that may stand anywhere in a text, to be looked for all at once.
#[derive(Debug, Default)]
pub(super) struct Any {
    words: Vec<&'static str>,
    /// One for every [`Self::TOGETHER`] of them; `None` on processors that cannot do so.
    searchers: Option<Vec<Searcher>>,
}

impl Any {
    /// Words that one searcher looks for; the library takes fewer than 128.
    const TOGETHER: usize = 64;

    fn of(words: Vec<&'static str>) -> Self {
        Self { searchers: words.chunks(Self::TOGETHER).map(Searcher::new).collect(), words }
    }

    /// Whether any of them stands in `text`, which is in lower case.
    pub(super) fn is_in(&self, text: &str) -> bool {
        match &self.searchers {
            Some(searchers) => searchers.iter().any(|searcher| searcher.find(text).is_some()),
            None => self.all_in(text).next().is_some(),
        }
    }

    /// Those that stand in `text`, which is in lower case.
    pub(super) fn all_in(&self, text: &str) -> impl Iterator<Item = &'static str> {
        self.words.iter().copied().filter(move |word| text.contains(word))
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &'static str> {
        self.words.iter().copied()
    }
}

/// Lines that ticket systems and mailing services put above what they quote.
pub(super) static TICKET_LINES: LazyLock<Any> = LazyLock::new(|| {
    let lines = include_str!("ticket_lines.txt").lines();
    Any::of(lines.filter(|line| !line.starts_with('#') && !line.is_empty()).collect())
});

/// `text` in lower case, at once where it is ASCII.
pub(super) fn lower(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.to_lowercase() }
}
