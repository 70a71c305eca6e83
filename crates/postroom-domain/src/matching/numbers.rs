//! Numbers in a subject that may be items, and those that look like something else.

use std::fmt;

/// Numbers that are looked up; more in one subject are not meant for us.
const NUMBERS_MAX: usize = 10;

/// A number in the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberClue {
    /// The number, at least 1.
    pub number: i64,
    /// Whether it was written `#123` rather than `123`.
    pub marked: bool,
}

/// A bare number that is not looked up, because of what stands around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// As it stands there, with its neighbours where they are the reason.
    pub text: String,
    /// What it looks like.
    pub looks_like: LooksLike,
}

/// What a number is when it is hardly an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LooksLike {
    /// `22.11.2026`, `11/22`, `22 November`.
    Date,
    /// `2026` within a year of the message's own date.
    Year,
    /// `12:30`, `5 pm`.
    Time,
    /// `+49 89 123456`, `089 123456`, `555-1234`.
    Phone,
    /// `24/7`, `3/4`, `10-12`.
    Ratio,
    /// `$5`, `5 €`, `50 %`.
    Amount,
    /// `v12`, `12th`, `1.5`.
    Part,
    /// One more than are looked up.
    Surplus,
}

impl fmt::Display for LooksLike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Date => "a date",
            Self::Year => "a year",
            Self::Time => "a time",
            Self::Phone => "a phone number",
            Self::Ratio => "a ratio or a range",
            Self::Amount => "an amount",
            Self::Part => "a part of a word, a date or a decimal number",
            Self::Surplus => "one more than the ten numbers that are looked up",
        })
    }
}

/// What the numbers of a subject are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Numbers {
    /// Marked ones before bare ones, each group left to right, without repetition.
    pub(super) clues: Vec<NumberClue>,
    /// Bare ones that are not looked up.
    pub(super) passed_over: Vec<PassedOver>,
}

/// The numbers of a subject. `bare` says whether unmarked ones count, `year` is that of the message's date.
///
/// A number stands apart from letters and other digits: `SUP-123` and `#123` name 123, `A4` and `1.5k` name nothing. A bare
/// one that is part of a date, a time, a telephone number, a ratio or an amount is passed over, unless a word says what it is:
/// `ticket 0012`, `Item12`, `case 12/13`. All other numbers count,
/// also the third of "three invoices, 77 of them paid": whether such an item is there, and whether the sender may write on
/// it, is asked next. A marked number always counts.
pub(super) fn in_subject(subject: &str, bare: bool, year: Option<i64>) -> Numbers {
    let runs = runs(subject);
    let mut numbers = Numbers::default();
    for (at, run) in runs.iter().enumerate() {
        let Some(number) = run.number.filter(|number| *number > 0) else {
            if (bare || run.marked) && !run.apart {
                numbers.pass_over(word_around(subject, run), LooksLike::Part);
            }
            continue;
        };
        if run.marked {
            numbers.clues.push(NumberClue { number, marked: true });
        } else if bare {
            match looks_like(subject, &runs, at, year) {
                None => numbers.clues.push(NumberClue { number, marked: false }),
                Some((looks_like, text)) => numbers.pass_over(text, looks_like),
            }
        }
    }
    numbers.clues.sort_by_key(|clue| !clue.marked);
    let mut distinct: Vec<NumberClue> = Vec::new();
    for clue in std::mem::take(&mut numbers.clues) {
        if distinct.iter().any(|seen| seen.number == clue.number) {
            continue;
        }
        if distinct.len() < NUMBERS_MAX {
            distinct.push(clue);
        } else {
            numbers.pass_over(&clue.number.to_string(), LooksLike::Surplus);
        }
    }
    Numbers { clues: distinct, ..numbers }
}

impl Numbers {
    fn pass_over(&mut self, text: &str, looks_like: LooksLike) {
        let text = text.trim();
        if self.passed_over.len() < NUMBERS_MAX && self.passed_over.iter().all(|seen| seen.text != text) {
            self.passed_over.push(PassedOver { text: text.to_owned(), looks_like });
        }
    }
}

/// The digits with what stands around them up to the next blanks, but not endlessly.
fn word_around<'s>(subject: &'s str, run: &Run) -> &'s str {
    const AROUND_MAX: usize = 20;
    let before = subject[..run.start].char_indices().rev().take(AROUND_MAX).take_while(|(_, c)| !c.is_whitespace());
    let start = before.last().map_or(run.start, |(at, _)| at);
    let after = subject[run.end..].char_indices().take(AROUND_MAX).take_while(|(_, c)| !c.is_whitespace());
    let end = after.last().map_or(run.end, |(at, c)| run.end + at + c.len_utf8());
    &subject[start..end]
}

/// Digits that stand together.
struct Run {
    start: usize,
    end: usize,
    /// Whether they stand apart from words and decimals.
    apart: bool,
    /// What they name, if they do.
    number: Option<i64>,
    marked: bool,
}

fn runs(subject: &str) -> Vec<Run> {
    let bytes = subject.as_bytes();
    let mut runs = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        if !bytes[start].is_ascii_digit() {
            start += 1;
            continue;
        }
        let end = start + bytes[start..].iter().take_while(|b| b.is_ascii_digit()).count();
        let apart = stands_apart(subject, start, end);
        let number = subject[start..end].parse::<i64>().ok().filter(|_| apart);
        runs.push(Run { start, end, apart, number, marked: start > 0 && bytes[start - 1] == b'#' });
        start = end;
    }
    runs
}

/// Whether the digits `at..end` are not part of a word or of a decimal number.
fn stands_apart(subject: &str, at: usize, end: usize) -> bool {
    let before = subject[..at].chars().next_back();
    let mut after = subject[end..].chars();
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let next = after.next();
    // A date with points is one too, and is named as one below.
    let decimal = matches!(next, Some('.' | ',')) && after.next().is_some_and(|c| c.is_ascii_digit());
    let of_decimal =
        matches!(before, Some('.' | ',')) && subject[..at].chars().rev().nth(1).is_some_and(|c| c.is_ascii_digit());
    let is_joined = joins(before) && !names_items(last_word(&subject[..at]));
    !is_joined && !joins(next) && !decimal && !of_decimal
}

/// What the bare number of `runs[at]` looks like, with the text that shows it; `None` where it may well be an item.
fn looks_like<'s>(subject: &'s str, runs: &[Run], at: usize, year: Option<i64>) -> Option<(LooksLike, &'s str)> {
    let run = &runs[at];
    let alone = &subject[run.start..run.end];
    let (before, after) = (&subject[..run.start], &subject[run.end..]);
    let (word_before, word_after) = (last_word(before), first_word(after));
    let is_named = names_items(word_before);
    if let Some(joined) = joined(subject, runs, at).filter(|(kind, _)| !is_named || *kind != LooksLike::Ratio) {
        return Some(joined);
    }
    // "No 50 % discount" names nothing.
    if is_named && !word_before.eq_ignore_ascii_case("no") {
        return None;
    }
    if let Some(phone) = phone(subject, runs, at) {
        return Some((LooksLike::Phone, phone));
    }
    if is_amount(before, after) || is_currency(word_before) || is_currency(word_after) {
        return Some((LooksLike::Amount, alone));
    }
    if is_hour(alone, word_after) {
        return Some((LooksLike::Time, alone));
    }
    if alone.len() <= 2 && (is_month(word_after) || is_month(word_before)) {
        return Some((LooksLike::Date, alone));
    }
    let is_this_year = alone.len() == 4 && year.is_some_and(|year| (run.number.unwrap_or(0) - year).abs() <= 1);
    if is_this_year && !is_named && !is_all(before, after) {
        return Some((LooksLike::Year, alone));
    }
    None
}

/// Digits joined to other digits by a sign: a date, a time, a telephone number, a ratio or a range.
fn joined<'s>(subject: &'s str, runs: &[Run], at: usize) -> Option<(LooksLike, &'s str)> {
    let sign_between = |left: &Run, right: &Run| {
        let between = &subject[left.end..right.start];
        let mut signs = between.chars();
        let sign = signs.next().filter(|sign| signs.next().is_none() && matches!(sign, '/' | ':' | '-' | '–' | '.'));
        sign.filter(|_| !left.marked)
    };
    let (mut first, mut last) = (at, at);
    let mut signs = Vec::new();
    while first > 0
        && let Some(sign) = sign_between(&runs[first - 1], &runs[first])
    {
        signs.push(sign);
        first -= 1;
    }
    while last + 1 < runs.len()
        && let Some(sign) = sign_between(&runs[last], &runs[last + 1])
    {
        signs.push(sign);
        last += 1;
    }
    let sign = *signs.first()?;
    let length = |run: &Run| run.end - run.start;
    let is_date = signs.len() == 2 || runs[first..=last].iter().any(|run| length(run) == 4 && year_like(subject, run));
    let kind = match sign {
        ':' => LooksLike::Time,
        '-' | '–' if signs.len() == 1 && runs[first..=last].iter().any(|run| length(run) >= 4) && !is_date => {
            LooksLike::Phone
        }
        _ if is_date && runs[first..=last].iter().all(|run| length(run) <= 4) => LooksLike::Date,
        '-' | '–' if signs.len() > 1 => LooksLike::Phone,
        _ => LooksLike::Ratio,
    };
    Some((kind, &subject[runs[first].start..runs[last].end]))
}

fn year_like(subject: &str, run: &Run) -> bool {
    matches!(&subject[run.start..run.start + 2], "19" | "20")
}

/// Groups of digits between blanks, the first of which begins with `+` or 0, as no item does.
fn phone<'s>(subject: &'s str, runs: &[Run], at: usize) -> Option<&'s str> {
    let follows = |left: &Run, right: &Run| {
        let between = &subject[left.end..right.start];
        between.len() <= 3 && between.chars().all(|c| matches!(c, ' ' | '\u{a0}' | '(' | ')' | '/' | '-'))
    };
    let mut first = at;
    while first > 0 && follows(&runs[first - 1], &runs[first]) {
        first -= 1;
    }
    let start = runs[first].start;
    let begins = subject[..start].trim_end_matches('(').ends_with('+')
        || (subject[start..].starts_with('0') && runs[first].end - start > 1);
    if !begins {
        return None;
    }
    let mut last = at;
    while last + 1 < runs.len() && follows(&runs[last], &runs[last + 1]) {
        last += 1;
    }
    Some(&subject[start..runs[last].end])
}

/// A sign of a currency or a share beside the digits, with at most one blank between.
fn is_amount(before: &str, after: &str) -> bool {
    const SIGNS: &str = "$€£¥₹₽₺₩";
    let before = before.strip_suffix([' ', '\u{a0}']).unwrap_or(before);
    let after = after.strip_prefix([' ', '\u{a0}']).unwrap_or(after);
    before.ends_with(|c| SIGNS.contains(c)) || after.starts_with(|c| SIGNS.contains(c) || matches!(c, '%' | '‰' | '°'))
}

fn is_currency(word: &str) -> bool {
    const CODES: [&str; 8] = ["eur", "usd", "gbp", "chf", "jpy", "inr", "cny", "euro"];
    matches!(word.len(), 3 | 4) && CODES.iter().any(|code| word.eq_ignore_ascii_case(code))
}

fn is_hour(digits: &str, word_after: &str) -> bool {
    const HALVES: [&str; 6] = ["am", "pm", "uhr", "o'clock", "a.m", "p.m"];
    digits.len() <= 2 && HALVES.iter().any(|half| word_after.eq_ignore_ascii_case(half))
}

/// Whether a word is a month, written out or short, in the languages of most mail.
fn is_month(word: &str) -> bool {
    /// Octets of the longest of them.
    const LONGEST: usize = 10;
    // The first letters, and how long a word may be that begins so: `mar` is March, `market` is none.
    const MONTHS: [(&str, &[&str]); 12] = [
        ("jan", &["january", "januar", "jänner", "janvier", "januari"]),
        ("feb", &["february", "februar", "febrero", "febbraio", "februari"]),
        ("mar", &["march", "mars", "marzo", "maart"]),
        ("apr", &["april", "aprile"]),
        ("may", &["mayo"]),
        ("jun", &["june", "juni", "junio"]),
        ("jul", &["july", "juli", "julio"]),
        ("aug", &["august", "augustus", "agosto"]),
        ("sep", &["september", "sept", "septembre", "septiembre"]),
        ("oct", &["october", "octobre", "octubre"]),
        ("nov", &["november", "novembre", "noviembre"]),
        ("dec", &["december", "diciembre", "dicembre"]),
    ];
    const OTHERS: [&str; 32] = [
        "märz",
        "mai",
        "okt",
        "oktober",
        "dez",
        "dezember",
        "jän",
        "janv",
        "fév",
        "févr",
        "février",
        "avr",
        "avril",
        "juin",
        "juil",
        "juillet",
        "août",
        "déc",
        "décembre",
        "ene",
        "enero",
        "abr",
        "abril",
        "ago",
        "dic",
        "gennaio",
        "maggio",
        "giugno",
        "luglio",
        "settembre",
        "ottobre",
        "mei",
    ];
    // "Item 5 may be wrong" is no date.
    if word == "may" || !(3..=LONGEST).contains(&word.len()) {
        return false;
    }
    let word = word.to_lowercase();
    MONTHS.iter().any(|(short, long)| word == *short || long.contains(&word.as_str()))
        || OTHERS.contains(&word.as_str())
}

/// Whether a word says that the number behind it is one of ours.
fn names_items(word: &str) -> bool {
    const NOUNS: [&str; 16] = [
        "item", "ticket", "issue", "case", "request", "task", "number", "no", "nr", "num", "id", "ref", "vorgang",
        "anfrage", "fall", "aufgabe",
    ];
    NOUNS.iter().any(|noun| word.eq_ignore_ascii_case(noun))
}

/// Whether nothing but signs and prefixes such as "Re:" stands around the number.
fn is_all(before: &str, after: &str) -> bool {
    let prefix = before.trim_end_matches([' ', '[', '(']);
    let is_prefix = prefix.is_empty() || (prefix.ends_with(':') && prefix.split_whitespace().all(|w| w.ends_with(':')));
    is_prefix && !after.contains(char::is_alphanumeric)
}

/// The last word of a text, if only blanks and the point of an abbreviation stand behind it.
fn last_word(text: &str) -> &str {
    let text = text.trim_end_matches([' ', '\u{a0}', '.', ',', ':']);
    let start = text
        .rfind(|c: char| !c.is_alphabetic())
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    &text[start..]
}

/// The first word of a text, if only blanks and the point of an ordinal stand before it.
fn first_word(text: &str) -> &str {
    let text = text.trim_start_matches([' ', '\u{a0}', '.']);
    let end = text.find(|c: char| !c.is_alphabetic() && !matches!(c, '\'' | '.')).unwrap_or(text.len());
    text[..end].trim_end_matches('.')
}

#[cfg(test)]
mod tests;
