//! Servers that want to be asked less, and for how long, as far as their words tell.

use crate::SourceError;
use std::time::Duration;

/// Codes by which servers say so (RFC 5530 §3, RFC 2449 §8.1, and those of Gmail).
const CODES: [&str; 4] = ["LIMIT", "OVERQUOTA", "THROTTLED", "LOGIN-DELAY"];

/// Words by which servers without such a code say so, in lower case.
const WORDS: [&str; 5] = [
    "throttled",
    "too many simultaneous connections",
    "maximum number of connections",
    "too many connections",
    "too many logins",
];

/// What stands before the milliseconds that Exchange asks for, in lower case.
const BACK_OFF: &str = "suggested backoff time:";

/// Longest pause that a server can ask for.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// The error of a refusal in which a server asks for a pause; `None` for any other refusal. `wait` is what is known of its
/// length otherwise.
pub(crate) fn throttled(code: Option<&str>, text: &str, wait: Option<Duration>) -> Option<SourceError> {
    let lower = text.to_ascii_lowercase();
    let asked = lower.find(BACK_OFF).and_then(|at| milliseconds(&lower[at + BACK_OFF.len()..]));
    let asks = code.is_some_and(|code| CODES.contains(&code)) || WORDS.iter().any(|words| lower.contains(words));
    (asks || asked.is_some()).then(|| {
        let wait = asked.or(wait).map(|wait| wait.min(LONGEST));
        SourceError::Throttled { server: text.to_owned(), wait }
    })
}

fn milliseconds(text: &str) -> Option<Duration> {
    let digits: String = text.trim_start().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::throttled;
    use crate::SourceError;
    use std::time::Duration;

    #[test]
    fn a_server_asks_for_a_pause_in_many_words() {
        let (seconds, none) = (|seconds| Some(Some(Duration::from_secs(seconds))), None);
        for (code, text, known, expected) in [
            (Some("LIMIT"), "Too many", None, Some(None)),
            (Some("LOGIN-DELAY"), "wait", Some(Duration::from_secs(60)), seconds(60)),
            (Some("OVERQUOTA"), "Account exceeded command or bandwidth limits.", None, Some(None)),
            (
                None,
                "Request is throttled. Suggested Backoff Time: 299910 milliseconds",
                None,
                Some(Some(Duration::from_millis(299_910))),
            ),
            (None, "Suggested Backoff Time: 99999999999999 milliseconds", None, seconds(3600)),
            (None, "Suggested Backoff Time: soon", None, none),
            (Some("ALERT"), "Too many simultaneous connections. (Failure)", None, Some(None)),
            (None, "Maximum number of connections from user+IP exceeded", None, Some(None)),
            (Some("UNAVAILABLE"), "try later", None, none),
            (None, "no such folder", Some(Duration::from_secs(60)), none),
        ] {
            let wait = throttled(code, text, known).map(|error| match error {
                SourceError::Throttled { wait, .. } => wait,
                other => panic!("{other}"),
            });
            assert_eq!(wait, expected, "{code:?} {text}");
        }
    }
}
