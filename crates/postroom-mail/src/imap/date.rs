//! INTERNALDATE.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::Offset;

/// Reads `" 1-Feb-2026 10:00:00 +0100"`, also with one digit or zero for the blank. `None` for anything else: a server's
/// date is a help, never a condition.
// RFC 9051 §2.3.3, date-time
pub(super) fn parse(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?;
    let mut words = text.split_ascii_whitespace();
    let (date, time, zone) = (words.next()?, words.next()?, words.next().unwrap_or("+0000"));
    let mut date = date.split('-');
    let (day, month, year) = (number(date.next()?)?, month(date.next()?)?, number(date.next()?)?);
    let mut time = time.split(':');
    let (hour, minute, second) = (number(time.next()?)?, number(time.next()?)?, number(time.next()?)?);
    let date = Date::new(year, month, i8::try_from(day).ok()?).ok()?;
    // A leap second is a time that servers may send and clocks do not have.
    let second = i8::try_from(second.min(59)).ok()?;
    let time = Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, second, 0).ok()?;
    offset(zone)?.to_timestamp(date.to_datetime(time)).ok()
}

fn number(digits: &str) -> Option<i16> {
    let is_number = !digits.is_empty() && digits.len() <= 4 && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

fn month(name: &str) -> Option<i8> {
    const NAMES: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let at = NAMES.iter().position(|n| name.eq_ignore_ascii_case(n))?;
    i8::try_from(at + 1).ok()
}

fn offset(zone: &str) -> Option<Offset> {
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let minutes = i32::from(number(digits).filter(|_| digits.len() == 4)?);
    Offset::from_seconds(sign * ((minutes / 100) * 3600 + (minutes % 100) * 60)).ok()
}
