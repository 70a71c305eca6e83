//! Times of calendar objects: as written, and as instants where the object itself says enough.

use super::line::Line;
use super::{VALUE_MAX, cut};
use crate::read::fields::one_line;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time, Weekday};

/// A date or a date with a time (RFC 5545 §3.3.4, 3.3.5).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// As it stands there, with the name of its zone.
    pub(super) as_written: String,
    local: Option<DateTime>,
    utc: bool,
    zone: String,
}

impl Moment {
    pub(super) fn parse(line: &Line<'_>) -> Option<Self> {
        let value = one_line(&line.value);
        let zone = line.parameter("TZID").map(|zone| cut(&one_line(zone), VALUE_MAX)).unwrap_or_default();
        let as_written = if zone.is_empty() { cut(&value, VALUE_MAX) } else { format!("{} {zone}", cut(&value, 64)) };
        (!value.is_empty()).then(|| Self { as_written, local: local(&value), utc: value.ends_with(['Z', 'z']), zone })
    }

    /// The instant. A date alone, or a time without a zone that the object defines, is none.
    pub(super) fn instant(&self, zones: &[Zone]) -> Option<Timestamp> {
        let local = self.local?;
        if self.utc {
            return timestamp(local, 0);
        }
        let zone = zones.iter().find(|zone| !self.zone.is_empty() && zone.id == self.zone)?;
        timestamp(local, zone.offset_s(local)?)
    }
}

fn timestamp(local: DateTime, offset_s: i32) -> Option<Timestamp> {
    let offset = jiff::tz::Offset::from_seconds(offset_s).ok()?;
    offset.to_timestamp(local).ok()
}

/// `19980118T230000`, with or without a `Z`.
fn local(value: &str) -> Option<DateTime> {
    let (date, time) = value.trim_end_matches(['Z', 'z']).split_once(['T', 't'])?;
    let time = number(time, 0..2).zip(number(time, 2..4)).zip(number(time, 4..6));
    let ((hour, minute), second) = time?;
    // RFC 5545 §3.3.12: a leap second is the second before it to all who do not know it
    let time = Time::new(hour, minute, second.min(59), 0).ok()?;
    Some(self::date(date)?.to_datetime(time))
}

fn date(value: &str) -> Option<Date> {
    let year = value.get(..4)?.parse().ok()?;
    Date::new(year, number(value, 4..6)?, number(value, 6..8)?).ok()
}

fn number(text: &str, range: std::ops::Range<usize>) -> Option<i8> {
    text.get(range).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()
}

/// Seconds of a duration, for example `PT1H30M` (RFC 5545 §3.3.6).
pub(super) fn duration_s(value: &str) -> Option<i64> {
    let value = value.trim();
    let (sign, value) = value.strip_prefix('-').map_or((1, value), |rest| (-1, rest));
    let mut seconds = 0i64;
    let mut digits = 0i64;
    for c in value.trim_start_matches('+').strip_prefix('P')?.chars() {
        let unit = match c {
            '0'..='9' => {
                digits = digits.checked_mul(10)?.checked_add(i64::from(c as u32 - '0' as u32))?;
                continue;
            }
            'T' => continue,
            'W' => 7 * 86_400,
            'D' => 86_400,
            'H' => 3_600,
            'M' => 60,
            'S' => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(digits.checked_mul(unit)?)?;
        digits = 0;
    }
    Some(sign * seconds)
}

/// A time zone that an object defines (RFC 5545 §3.6.5).
#[derive(Debug, Default)]
pub(super) struct Zone {
    pub(super) id: String,
    pub(super) rules: Vec<Rule>,
}

/// When an offset begins to hold: once, or every year.
#[derive(Debug, Default)]
pub(super) struct Rule {
    first: Option<DateTime>,
    from_s: Option<i32>,
    to_s: Option<i32>,
    yearly: Option<Yearly>,
    /// Whether the recurrence is one that is not understood.
    unknown: bool,
}

/// A day of the year.
#[derive(Debug, Clone, Copy)]
struct Yearly {
    month: i8,
    /// Which of these weekdays, counted from the end if negative; 0 for a day of the month.
    nth: i8,
    weekday: Option<Weekday>,
    day: i8,
    until: Option<DateTime>,
}

impl Zone {
    /// Seconds east of UTC at a local time: of the rule that began last before it.
    fn offset_s(&self, local: DateTime) -> Option<i32> {
        if self.rules.iter().any(|rule| rule.unknown) {
            return None;
        }
        let latest =
            self.rules.iter().filter_map(|rule| Some((rule.onset(local)?, rule.to_s?))).max_by_key(|(onset, _)| *onset);
        // Before the first of all rules holds what it changes.
        let first = || self.rules.iter().min_by_key(|rule| rule.first).and_then(|rule| rule.from_s);
        latest.map(|(_, to_s)| to_s).or_else(first)
    }
}

impl Rule {
    pub(super) fn property(&mut self, line: &Line<'_>) {
        match line.name.as_str() {
            "DTSTART" => self.first = local(line.value.trim()),
            "TZOFFSETFROM" => self.from_s = offset_s(&line.value),
            "TZOFFSETTO" => self.to_s = offset_s(&line.value),
            "RRULE" => {
                self.yearly = Yearly::parse(&line.value);
                self.unknown |= self.yearly.is_none();
            }
            "RDATE" => self.unknown = true,
            _ => {}
        }
    }

    /// The last time at or before `local` at which this began.
    fn onset(&self, local: DateTime) -> Option<DateTime> {
        let first = self.first.filter(|first| *first <= local)?;
        let Some(yearly) = self.yearly else { return Some(first) };
        let last_year = yearly.until.map_or(local.year(), |until| until.year().min(local.year()));
        let in_year = |year: i16| {
            let onset = yearly.date(year)?.to_datetime(first.time());
            // The end of the rule stands there in UTC, which is less than a day away.
            let goes_on = yearly.until.is_none_or(|until| onset.date() <= until.date());
            (onset <= local && onset >= first && goes_on).then_some(onset)
        };
        in_year(last_year).or_else(|| in_year(last_year.checked_sub(1)?)).or(Some(first))
    }
}

impl Yearly {
    /// `FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU` and its relatives.
    fn parse(rule: &str) -> Option<Self> {
        let mut yearly = Self { month: 0, nth: 0, weekday: None, day: 0, until: None };
        for (name, value) in rule.trim().split(';').filter_map(|part| part.split_once('=')).take(20) {
            match name.trim().to_ascii_uppercase().as_str() {
                "FREQ" if !value.eq_ignore_ascii_case("YEARLY") => return None,
                "INTERVAL" if value != "1" => return None,
                "COUNT" | "BYYEARDAY" | "BYWEEKNO" | "BYSETPOS" => return None,
                "BYMONTH" => yearly.month = value.parse().ok().filter(|month| (1..=12).contains(month))?,
                // Several days of a month are those among which the weekday is looked for; the first one decides.
                "BYMONTHDAY" => {
                    yearly.day = value.split(',').next()?.parse().ok().filter(|day| (1..=31).contains(day))?
                }
                "BYDAY" => {
                    let split = value.len().checked_sub(2).filter(|split| value.is_char_boundary(*split))?;
                    let (nth, weekday) = value.split_at(split);
                    yearly.weekday = Some(self::weekday(weekday)?);
                    yearly.nth = if nth.is_empty() { 0 } else { nth.parse().ok().filter(|n| (-5..=5).contains(n))? };
                }
                "UNTIL" => yearly.until = local(value).or_else(|| Some(date(value)?.to_datetime(Time::midnight()))),
                _ => {}
            }
        }
        (yearly.month != 0 && (yearly.nth != 0 && yearly.weekday.is_some() || yearly.day != 0)).then_some(yearly)
    }

    fn date(&self, year: i16) -> Option<Date> {
        let first = Date::new(year, self.month, 1).ok()?;
        match (self.weekday, self.nth) {
            (Some(weekday), nth) if nth != 0 => first.nth_weekday_of_month(nth, weekday).ok(),
            (weekday, _) => {
                let day = Date::new(year, self.month, self.day).ok()?;
                match weekday {
                    // The first such weekday from that day on.
                    Some(weekday) if day.weekday() != weekday => day.nth_weekday(1, weekday).ok(),
                    _ => Some(day),
                }
            }
        }
    }
}

fn weekday(name: &str) -> Option<Weekday> {
    Some(match name.to_ascii_uppercase().as_str() {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    })
}

/// Seconds of `+0130` (RFC 5545 §3.3.14).
fn offset_s(value: &str) -> Option<i32> {
    let value = value.trim();
    let sign = if value.starts_with('-') { -1 } else { 1 };
    let digits = value.trim_start_matches(['+', '-']);
    let part = |range| number(digits, range).map(i32::from);
    Some(sign * (part(0..2)? * 3_600 + part(2..4)? * 60 + part(4..6).unwrap_or_default()))
}

/// A time as written, so that people can read it: `20260303T091500 Europe/Berlin` as `2026-03-03 09:15 (Europe/Berlin)`.
pub(super) fn readable(as_written: &str) -> String {
    let (value, zone) = as_written.split_once(' ').unwrap_or((as_written, ""));
    let zone = match zone {
        "" if value.ends_with(['Z', 'z']) => " UTC".to_owned(),
        "" => String::new(),
        zone => format!(" ({zone})"),
    };
    match (local(value), date(value)) {
        (Some(local), _) => format!("{}{zone}", local.strftime("%Y-%m-%d %H:%M")),
        (None, Some(date)) => date.to_string(),
        _ => as_written.to_owned(),
    }
}
