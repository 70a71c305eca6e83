//! Dates of forwarded headers, where they name an instant. Without a zone nobody can say which one it is.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::Offset;

/// The instant that a date names together with its zone.
pub(super) fn instant(written: &str) -> Option<Timestamp> {
    const STANDARD: rfc2822::DateTimeParser = rfc2822::DateTimeParser::new().relaxed_weekday(true);
    if let Ok(instant) = STANDARD.parse_timestamp(written.trim()) {
        return Some(instant);
    }
    if let Ok(instant) = written.trim().parse::<Timestamp>() {
        return Some(instant);
    }
    let words: Vec<&str> = written.split([' ', ',', '\u{a0}', '\u{202f}']).filter(|word| !word.is_empty()).collect();
    let (words, offset) = zone(&words)?;
    // The day of the week says nothing new, "at" and its translations stand between date and time.
    let is_needed = |word: &&str| word.bytes().any(|b| b.is_ascii_digit()) || is_month(word) || is_half(word);
    let needed: Vec<&str> = words.iter().copied().filter(is_needed).collect();
    let text = needed.join(" ");
    let civil = FORMATS.iter().find_map(|format| DateTime::strptime(format, &text).ok())?;
    offset.to_timestamp(civil).ok()
}

/// Orders that leave no doubt. Figures alone do not say whether the day or the month comes first.
const FORMATS: [&str; 12] = [
    "%d %B %Y %H:%M:%S",
    "%d %B %Y %H:%M",
    "%d %b %Y %H:%M:%S",
    "%d %b %Y %H:%M",
    "%B %d %Y %I:%M:%S %p",
    "%B %d %Y %I:%M %p",
    "%b %d %Y %I:%M:%S %p",
    "%b %d %Y %I:%M %p",
    "%B %d %Y %H:%M",
    "%b %d %Y %H:%M",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
];

fn is_month(word: &str) -> bool {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    word.get(..3).is_some_and(|start| MONTHS.contains(&start.to_ascii_lowercase().as_str()))
}

fn is_half(word: &str) -> bool {
    word.eq_ignore_ascii_case("am") || word.eq_ignore_ascii_case("pm")
}

/// The words before the zone, and the zone, which comes last: `+0100`, `GMT+1`, `UTC`, or a name that means one offset.
fn zone<'w, 'x>(words: &'w [&'x str]) -> Option<(&'w [&'x str], Offset)> {
    let (last, before) = words.split_last()?;
    let name = last.trim_matches(['(', ')']);
    // A name in parentheses repeats the figures before it.
    let (name, before) = match before.split_last() {
        Some((figures, earlier)) if last.starts_with('(') && figures.starts_with(['+', '-']) => (*figures, earlier),
        _ => (name, before),
    };
    Some((before, offset(name)?))
}

fn offset(name: &str) -> Option<Offset> {
    let upper = name.to_ascii_uppercase();
    // RFC 5322 §4.3, and the zones of Europe whose names nobody else has
    let hours = match upper.as_str() {
        "UTC" | "GMT" | "UT" | "Z" | "WET" => Some(0),
        "CET" | "MEZ" | "WEST" => Some(1),
        "CEST" | "MESZ" | "EET" => Some(2),
        "EEST" | "MSK" => Some(3),
        "EDT" => Some(-4),
        "EST" | "CDT" => Some(-5),
        "CST" | "MDT" => Some(-6),
        "MST" | "PDT" => Some(-7),
        "PST" => Some(-8),
        _ => None,
    };
    if let Some(hours) = hours {
        return Offset::from_hours(hours).ok();
    }
    let figures = upper.strip_prefix("GMT").or_else(|| upper.strip_prefix("UTC")).unwrap_or(&upper);
    let (sign, digits) = match figures.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) => (hours, minutes),
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "0"),
    };
    let (hours, minutes) = (hours.parse::<i32>().ok()?, minutes.parse::<i32>().ok()?);
    if !(0..=14).contains(&hours) || !(0..60).contains(&minutes) {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}
