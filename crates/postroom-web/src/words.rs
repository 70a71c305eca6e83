//! The catalogue: every text that a person sees on a page, in English and in German, and dates, ages, sizes and numbers in
//! the form of each language.
//!
//! A text is an entry with both languages beside each other; a missing language, a missing value or an entry that no page
//! uses does not build. What comes out of mail, and the evidence in a trace, is shown as it is.
//!
//! Read in this order: here, then `desk` (items), `mail` (journal and mailboxes), `account` (signing in, troubles), `trace`
//! (what became of a message), `reasons` and `errors` (the German of what other crates say in English).

#[macro_use]
mod entries;
mod account;
mod admin;
mod desk;
mod errors;
mod history;
mod mail;
mod reasons;
mod rules;
mod trace;

pub(crate) use errors::ErrorWords;
pub(crate) use trace::{Badge, Step, tone};

use crate::failure::Failure;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use jiff::Timestamp;
use postroom_domain::Party;

/// The language of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// English.
    English,
    /// German.
    German,
}

impl Language {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::English, Self::German];

    /// The subtag for `lang` (BCP 47).
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// The language with this subtag.
    pub(crate) fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code().eq_ignore_ascii_case(code))
    }

    /// Its own name for itself.
    pub(crate) fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
        }
    }

    /// The one that a browser asks for most, else English.
    // RFC 9110 §12.5.4
    pub(crate) fn asked_for(headers: &HeaderMap) -> Self {
        let asked = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut best = (Self::English, 0.0);
        for range in asked.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let subtag = parts.next().unwrap_or_default().split('-').next().unwrap_or_default();
            let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Ok(1.0), str::parse);
            // Of equal ones the first counts.
            if let (Some(language), Ok(weight)) = (Self::from_code(subtag), weight)
                && weight > best.1
            {
                best = (language, weight);
            }
        }
        best.0
    }

    /// How long ago, roughly; the exact instant stands beside it.
    pub(crate) fn age(self, then: &Timestamp, now: &Timestamp) -> String {
        let seconds = now.as_second() - then.as_second();
        match seconds {
            ..60 => self.just_now().to_owned(),
            60..3600 => self.minutes_ago(seconds / 60),
            3600..86_400 => self.hours_ago(seconds / 3600),
            86_400..172_800 => self.yesterday().to_owned(),
            172_800..1_209_600 => self.days_ago(seconds / 86_400),
            _ => self.day(then),
        }
    }

    /// The day, in UTC.
    pub(crate) fn day(self, at: &Timestamp) -> String {
        match self {
            Self::English => at.strftime("%-d %b %Y").to_string(),
            Self::German => at.strftime("%-d.%-m.%Y").to_string(),
        }
    }

    /// The instant in full, in UTC.
    pub(crate) fn when(self, at: &Timestamp) -> String {
        format!("{}, {}", self.day(at), at.strftime("%H:%M UTC"))
    }

    /// A number with its thousands set apart.
    pub(crate) fn number(self, number: &u64) -> String {
        let digits = number.to_string();
        let apart = match self {
            Self::English => ',',
            Self::German => '.',
        };
        let mut out = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                out.push(apart);
            }
            out.push(digit);
        }
        out
    }

    /// A number of octets, in powers of 1000 as operating systems show them.
    pub(crate) fn size(self, octets: &u64) -> String {
        let one_place = |value: f64, unit: &str| {
            let text = format!("{value:.1} {unit}");
            if self == Self::German { text.replace('.', ",") } else { text }
        };
        match *octets {
            octets @ ..1000 => format!("{octets} B"),
            octets @ 1000..1_000_000 => format!("{} kB", octets.div_ceil(1000)),
            octets @ 1_000_000..1_000_000_000 => one_place(octets as f64 / 1e6, "MB"),
            octets => one_place(octets as f64 / 1e9, "GB"),
        }
    }
}

entries! {
    just_now() = "just now", "gerade eben";
    minutes_ago(count) = "{count} min ago", "vor {count} Min.";
    hours_ago(count) = "{count} h ago", "vor {count} Std.";
    yesterday() = "yesterday", "gestern";
    days_ago(count) = "{count} days ago", "vor {count} Tagen";
}

impl<S: Sync> FromRequestParts<S> for Language {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        // What the session says was put there by the guard.
        Ok(parts.extensions.get().copied().unwrap_or_else(|| Self::asked_for(&parts.headers)))
    }
}

/// One or two letters for the round stamp beside a name.
pub(crate) fn initials(party: &Party) -> String {
    let label = party.label();
    let words: Vec<char> = label
        .split('@')
        .next()
        .unwrap_or_default()
        .split(|c: char| c.is_whitespace() || matches!(c, '.' | '-' | '_' | '+'))
        .filter_map(|word| word.chars().find(|c| c.is_alphanumeric()))
        .collect();
    let letters: String = match words.as_slice() {
        [] => "?".to_owned(),
        [one] => one.to_string(),
        [first, .., last] => [*first, *last].iter().collect(),
    };
    letters.to_uppercase()
}

/// Which of the five stamp colours a person has, always the same one.
pub(crate) fn tint(party: &Party) -> u32 {
    let key = if party.address.is_empty() { &party.name } else { &party.address };
    key.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % 5
}

/// The text with its first letter in upper case.
pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests;
