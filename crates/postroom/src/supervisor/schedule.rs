//! When a mailbox is visited next: a table, and nothing but a function of what happened.

use crate::collector::{Report, VisitError};
use postroom_sources::{Remedy, SourceError};
use std::time::Duration;

/// First pause after a failure that may pass by itself; each further one in a row doubles it.
const PASSING_FIRST: Duration = Duration::from_secs(5);
/// Longest pause after failures that may pass by themselves.
const PASSING_MOST: Duration = Duration::from_secs(15 * 60);
/// First and longest pause where the server asks for one without saying how long.
const THROTTLED_FIRST: Duration = Duration::from_secs(60);
const THROTTLED_MOST: Duration = Duration::from_secs(60 * 60);
/// First and longest pause after what only a person can mend.
const ADMIN_FIRST: Duration = Duration::from_secs(120);
const ADMIN_MOST: Duration = Duration::from_secs(60 * 60);
/// Logins with a password that was rejected, before they become rare, so that no account is locked because of us.
const LOGIN_TRIES: u32 = 3;
/// Pause between two of them from then on.
const LOGIN_RARE: Duration = Duration::from_secs(6 * 60 * 60);
/// Longest wait that a server can ask for between two logins.
const LOGIN_DELAY_MOST: Duration = Duration::from_secs(60 * 60);
/// By how much a pause varies in all, so that mailboxes do not come to be visited all at once.
const JITTER: f64 = 0.2;

/// How a visit ended, as far as the next one depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It went well; the server may want a pause between two logins.
    Well(Duration),
    /// What stopped it may pass by itself.
    Passing,
    /// The server asked for a pause, perhaps for how long.
    Throttled(Option<Duration>),
    /// Only a person can mend what stopped it.
    Admin,
    /// The password was rejected.
    Login,
}

impl Ended {
    /// How a visit ended.
    pub fn of(report: &Report, result: &Result<(), VisitError>) -> Self {
        match result {
            // RFC 2449 §6.5: a server may refuse a login that comes sooner.
            Ok(()) => Self::Well(report.login_delay.unwrap_or_default().min(LOGIN_DELAY_MOST)),
            Err(VisitError::Source(SourceError::AuthRejected { .. })) => Self::Login,
            Err(VisitError::Source(SourceError::Throttled { wait, .. })) => Self::Throttled(*wait),
            Err(VisitError::Source(error)) if error.remedy() == Remedy::AskAdmin => Self::Admin,
            Err(VisitError::Changed { .. }) => Self::Admin,
            Err(VisitError::Source(_) | VisitError::Store(_) | VisitError::Readers(_)) => Self::Passing,
        }
    }

    /// How long to pause before the next visit. `every`: the mailbox's own interval. `failures`: how many visits in a row
    /// have failed, this one included. `dice`: from 0 to 1.
    pub fn pause(self, every: Duration, failures: u32, dice: f64) -> Duration {
        let doubled =
            |first: Duration, most: Duration| first.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(most);
        // Around the interval where all is well; never sooner than it has to be elsewhere.
        let around = |pause: Duration| pause.mul_f64(1.0 - JITTER / 2.0 + JITTER * dice);
        let beyond = |pause: Duration| pause.mul_f64(1.0 + JITTER * dice);
        match self {
            Self::Well(delay) => around(every).max(delay),
            Self::Passing => beyond(doubled(PASSING_FIRST, PASSING_MOST)),
            Self::Throttled(Some(wait)) => beyond(wait.max(PASSING_FIRST)),
            Self::Throttled(None) => beyond(doubled(THROTTLED_FIRST, THROTTLED_MOST)),
            Self::Login if failures >= LOGIN_TRIES => beyond(LOGIN_RARE),
            Self::Login | Self::Admin => beyond(doubled(ADMIN_FIRST, ADMIN_MOST)),
        }
    }
}

/// A number from 0 to 1 that nobody can foretell; without randomness the middle.
pub fn dice() -> f64 {
    let mut octets = [0; 4];
    match getrandom::fill(&mut octets) {
        Ok(()) => f64::from(u32::from_ne_bytes(octets)) / f64::from(u32::MAX),
        Err(_) => 0.5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_to_pause() {
        let seconds = Duration::from_secs;
        let minute = seconds(60);
        for (ended, every, failures, least, most) in [
            (Ended::Well(seconds(0)), minute, 0, 54, 66),
            (Ended::Well(seconds(300)), minute, 0, 300, 300),
            (Ended::Well(seconds(0)), seconds(1), 0, 0, 1),
            (Ended::Passing, minute, 1, 5, 6),
            (Ended::Passing, minute, 4, 40, 48),
            (Ended::Passing, minute, 40, 900, 1080),
            // A long interval is no reason to leave a mailbox alone because the network was down for a moment.
            (Ended::Passing, seconds(86_400), 1, 5, 6),
            (Ended::Throttled(Some(seconds(300))), minute, 9, 300, 360),
            (Ended::Throttled(Some(seconds(0))), minute, 1, 5, 6),
            (Ended::Throttled(None), minute, 1, 60, 72),
            (Ended::Throttled(None), minute, 30, 3600, 4320),
            (Ended::Admin, minute, 1, 120, 144),
            (Ended::Admin, minute, 30, 3600, 4320),
            (Ended::Login, minute, 1, 120, 144),
            (Ended::Login, minute, 2, 240, 288),
            (Ended::Login, minute, 3, 21_600, 25_920),
            (Ended::Login, minute, 300, 21_600, 25_920),
        ] {
            assert_eq!(ended.pause(every, failures, 0.0).as_secs(), least, "{ended:?} {failures}, soonest");
            assert_eq!(ended.pause(every, failures, 1.0).as_secs(), most, "{ended:?} {failures}, latest");
        }
    }

    #[test]
    fn how_a_visit_ended() {
        let report = Report { login_delay: Some(Duration::from_secs(86_400)), ..Report::default() };
        assert_eq!(Ended::of(&report, &Ok(())), Ended::Well(LOGIN_DELAY_MOST));
        let source = |error| Err(VisitError::Source(error));
        let (host, server, text) = (|| "mail.test".to_owned(), String::new, || "no".to_owned());
        for (result, expected) in [
            (source(SourceError::AuthRejected { host: host(), server: server() }), Ended::Login),
            (source(SourceError::AuthUnavailable { host: host(), server: server() }), Ended::Passing),
            (source(SourceError::MailboxInUse { server: server() }), Ended::Passing),
            (source(SourceError::ServerRefused { what: "x", server: server(), transient: true }), Ended::Passing),
            (source(SourceError::ServerRefused { what: "x", server: server(), transient: false }), Ended::Admin),
            (source(SourceError::Throttled { server: server(), wait: None }), Ended::Throttled(None)),
            (source(SourceError::ConnectionLost { host: host(), detail: text() }), Ended::Passing),
            (source(SourceError::FolderMissing { folder: text(), server: server() }), Ended::Admin),
            (source(SourceError::PasswordMissing), Ended::Admin),
            (Err(VisitError::Changed { unknown: 60, messages: 70 }), Ended::Admin),
            (Err(VisitError::Store(postroom_store::StoreError::LeaseLost)), Ended::Passing),
        ] {
            assert_eq!(Ended::of(&Report::default(), &result), expected, "{result:?}");
        }
    }
}
