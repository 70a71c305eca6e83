//! Dates: strictly by the standard with its obsolete forms, then as programs and people write them besides.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;

#[cfg(test)]
mod tests;

/// Octets of a field that are looked at; the longest form has not half of them.
const FIELD_MAX: usize = 200;

/// The instant that a Date field names, if it lies in the years 1970 to 2100: other dates are mistakes of a machine
/// without a clock, and would stand at the end of every list.
// RFC 5322 §3.3 and §4.3
pub(super) fn parse(field: &str) -> Option<Timestamp> {
    const STANDARD: rfc2822::DateTimeParser = rfc2822::DateTimeParser::new().relaxed_weekday(true);
    let field = field.trim();
    // RFC 5322 §4.3 takes zones that it does not know for UTC, and some of them are known all the same.
    let last = field.rsplit(char::is_whitespace).next().unwrap_or_default();
    let is_name = last.starts_with(char::is_alphabetic) && zone(&last.to_lowercase()).is_some();
    let by_name = if is_name { guessed(field) } else { None };
    let instant = by_name.or_else(|| STANDARD.parse_timestamp(field).ok()).or_else(|| guessed(field))?;
    let first = Timestamp::UNIX_EPOCH;
    // 2101-01-01T00:00:00Z
    let end = Timestamp::from_second(4_133_980_800).ok()?;
    (instant >= first && instant < end).then_some(instant)
}

/// What has been found so far.
#[derive(Debug, Default)]
struct Parts {
    day: Option<i32>,
    month: Option<i8>,
    year: Option<i32>,
    time: Option<(i32, i32, i32)>,
    /// Seconds east of Greenwich.
    offset: Option<i64>,
    afternoon: Option<bool>,
}

/// The names may be in another language, stand in another order, or be missing. What has no zone is taken for UTC, as
/// RFC 5322 §4.3 wants it of unknown ones.
fn guessed(field: &str) -> Option<Timestamp> {
    let field = super::parameter::without_comments(&field[..field.floor_char_boundary(FIELD_MAX)]);
    // RFC 5322 §4.3: white space and comments may stand around the colons.
    let field = field.split(':').map(str::trim).collect::<Vec<_>>().join(":");
    let mut parts = Parts::default();
    let separators = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '(' | ')');
    let mut words = field.split(separators).filter(|word| !word.is_empty()).peekable();
    while let Some(word) = words.next() {
        parts.take(word, words.peek().copied());
    }
    parts.instant()
}

impl Parts {
    fn take(&mut self, word: &str, next: Option<&str>) {
        let first = word.bytes().next().unwrap_or_default();
        if let Some(([year, month, day], time)) = iso_8601(word) {
            (self.year, self.month, self.day) = (Some(year), i8::try_from(month).ok(), Some(day));
            if let Some(time) = time {
                self.time_of_day(time);
            }
        } else if word.contains(':') && first.is_ascii_digit() {
            self.time_of_day(word);
        } else if matches!(first, b'+' | b'-') && self.time.is_some() {
            self.offset = offset(word).or(self.offset);
        } else if first.is_ascii_digit() && word.contains(['-', '/', '.']) && self.day.is_none() {
            // "03-Mar-2026", "3.March" and "3."
            word.split(['-', '/', '.']).filter(|piece| !piece.is_empty()).for_each(|piece| self.take(piece, None));
        } else if first.is_ascii_digit() {
            self.number(word);
        } else {
            self.name(word, next);
        }
    }

    /// `09:15`, `09:15:30`, `09:15:30.123`, and what zone may follow at once.
    fn time_of_day(&mut self, word: &str) {
        if self.time.is_some() {
            return;
        }
        let end = word.find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.')).unwrap_or(word.len());
        let (time, zone) = word.split_at(end);
        let whole = time.split('.').next().unwrap_or(time);
        let mut numbers = whole.split(':').map(|piece| piece.parse::<i32>().ok());
        if let (Some(Some(hour)), Some(Some(minute))) = (numbers.next(), numbers.next()) {
            let second = numbers.next().flatten().unwrap_or(0);
            self.time = Some((hour, minute, second));
        }
        if zone.starts_with(['+', '-']) {
            self.offset = offset(zone);
        } else {
            self.name(zone, None);
        }
    }

    fn number(&mut self, word: &str) {
        let digits = word.trim_end_matches(|c: char| !c.is_ascii_digit());
        let Ok(number) = digits.parse::<i32>() else { return };
        if self.day.is_none() && digits.len() <= 2 {
            self.day = Some(number);
        } else if self.year.is_none() {
            // RFC 5322 §4.3: two and three digits
            self.year = Some(match (digits.len(), number) {
                (..=2, 0..50) => number + 2000,
                (..=3, _) => number + 1900,
                _ => number,
            });
        }
    }

    /// A month, a zone, am or pm; the name of a day says nothing. `Mar` is a day in some languages, but only where no day
    /// of the month stands before it and none follows.
    fn name(&mut self, word: &str, next: Option<&str>) {
        let name = word.trim_matches('.').to_lowercase();
        let may_be_month =
            self.day.is_some() || next.is_some_and(|next| next.starts_with(|c: char| c.is_ascii_digit()));
        match name.as_str() {
            "am" | "a.m" => self.afternoon = Some(false),
            "pm" | "p.m" => self.afternoon = Some(true),
            _ if self.time.is_some() && self.offset.is_none() && zone(&name).is_some() => self.offset = zone(&name),
            _ if may_be_month || self.month.is_none() => {
                if let Some(month) = month(&name) {
                    self.month = Some(month);
                }
            }
            _ => {}
        }
    }

    fn instant(self) -> Option<Timestamp> {
        let (mut hour, minute, second) = self.time.unwrap_or_default();
        match self.afternoon {
            Some(true) if hour < 12 => hour += 12,
            Some(false) if hour == 12 => hour = 0,
            _ => {}
        }
        let small = |number: i32| i8::try_from(number).ok();
        // RFC 5322 §3.3 allows a leap second, which no clock here has.
        let second = small(second.min(59))?;
        let year = i16::try_from(self.year?).ok()?;
        let civil =
            DateTime::new(year, self.month?, small(self.day?)?, small(hour)?, small(minute)?, second, 0).ok()?;
        let local = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
        Timestamp::from_second(local - self.offset.unwrap_or(0)).ok()
    }
}

/// `2026-03-03`, `2026/03/03`, `2026-03-03T09:15:00Z`: year, month and day, and what follows the `T`.
fn iso_8601(word: &str) -> Option<([i32; 3], Option<&str>)> {
    let (date, time) = match word.split_once(['T', 't']) {
        Some((date, time)) => (date, Some(time)),
        None => (word, None),
    };
    let mut pieces = date.split(['-', '/', '.']);
    let year = pieces.next().filter(|year| year.len() == 4)?.parse().ok()?;
    let month = pieces.next()?.parse().ok()?;
    let day = pieces.next()?.parse().ok()?;
    pieces.next().is_none().then_some(([year, month, day], time))
}

/// `+0100`, `-3`, `+01:00`, `+0545`.
fn offset(word: &str) -> Option<i64> {
    let sign = if word.starts_with('-') { -1 } else { 1 };
    let digits: String = word.chars().skip(1).filter(char::is_ascii_digit).take(4).collect();
    let (hours, minutes) = match digits.len() {
        1 | 2 => (digits.parse::<i64>().ok()?, 0),
        3 | 4 => {
            let number = digits.parse::<i64>().ok()?;
            (number / 100, number % 100)
        }
        _ => return None,
    };
    (hours <= 15 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Seconds east of Greenwich of a zone that means the same everywhere. `gmt+1` is what it looks like.
fn zone(name: &str) -> Option<i64> {
    for prefix in ["gmt", "utc"] {
        if let Some(rest) = name.strip_prefix(prefix).filter(|rest| rest.starts_with(['+', '-'])) {
            return offset(rest);
        }
    }
    let hours = match name {
        "gmt" | "utc" | "ut" | "z" | "wet" => 0,
        "cet" | "mez" | "met" | "west" | "bst" => 1,
        "cest" | "mesz" | "mest" | "eet" | "sast" => 2,
        "eest" | "msk" | "trt" => 3,
        "pkt" => 5,
        "wib" => 7,
        "hkt" | "awst" | "sgt" => 8,
        "jst" | "kst" => 9,
        "aest" => 10,
        "aedt" => 11,
        "nzst" => 12,
        "nzdt" => 13,
        "brt" | "art" => -3,
        "edt" => -4,
        "est" | "cdt" => -5,
        "cst" | "mdt" => -6,
        "mst" | "pdt" => -7,
        "pst" => -8,
        "akst" => -9,
        "hst" => -10,
        _ => return None,
    };
    Some(hours * 3600)
}

/// The number of a month by the beginning of its name.
fn month(name: &str) -> Option<i8> {
    // The longest beginning wins, so that `juil` is not `jui` and `mars` not another language's `mar`.
    let found = MONTHS.iter().filter(|(start, _)| name.starts_with(start)).max_by_key(|(start, _)| start.len());
    found.map(|(_, number)| *number)
}

/// Beginnings of the names of months in lower case: English, German, French, Spanish, Portuguese, Italian, Dutch, Danish,
/// Norwegian, Swedish, Finnish, Polish, Czech, Hungarian, Turkish, Russian.
const MONTHS: [(&str, i8); 95] = [
    ("jan", 1),
    ("jän", 1),
    ("ene", 1),
    ("gen", 1),
    ("sty", 1),
    ("led", 1),
    ("oca", 1),
    ("янв", 1),
    ("tammi", 1),
    ("feb", 2),
    ("fév", 2),
    ("fev", 2),
    ("lut", 2),
    ("úno", 2),
    ("şub", 2),
    ("фев", 2),
    ("helmi", 2),
    ("mar", 3),
    ("mär", 3),
    ("mrz", 3),
    ("mrt", 3),
    ("maa", 3),
    ("már", 3),
    ("bře", 3),
    ("мар", 3),
    ("apr", 4),
    ("avr", 4),
    ("abr", 4),
    ("kwi", 4),
    ("dub", 4),
    ("ápr", 4),
    ("nis", 4),
    ("апр", 4),
    ("huhti", 4),
    ("may", 5),
    ("mai", 5),
    ("mag", 5),
    ("maj", 5),
    ("mei", 5),
    ("máj", 5),
    ("kvě", 5),
    ("мая", 5),
    ("май", 5),
    ("jun", 6),
    ("juin", 6),
    ("giu", 6),
    ("cze", 6),
    ("jún", 6),
    ("haz", 6),
    ("июн", 6),
    ("kesä", 6),
    ("jul", 7),
    ("juil", 7),
    ("lug", 7),
    ("lip", 7),
    ("júl", 7),
    ("tem", 7),
    ("июл", 7),
    ("heinä", 7),
    ("aug", 8),
    ("aoû", 8),
    ("aou", 8),
    ("ago", 8),
    ("sie", 8),
    ("srp", 8),
    ("ağu", 8),
    ("авг", 8),
    ("elo", 8),
    ("sep", 9),
    ("set", 9),
    ("wrz", 9),
    ("zář", 9),
    ("eyl", 9),
    ("сен", 9),
    ("syys", 9),
    ("oct", 10),
    ("okt", 10),
    ("out", 10),
    ("ott", 10),
    ("paź", 10),
    ("eki", 10),
    ("окт", 10),
    ("loka", 10),
    ("nov", 11),
    ("kas", 11),
    ("ноя", 11),
    ("marras", 11),
    ("dec", 12),
    ("dez", 12),
    ("dic", 12),
    ("déc", 12),
    ("gru", 12),
    ("ara", 12),
    ("дек", 12),
    ("joulu", 12),
];
