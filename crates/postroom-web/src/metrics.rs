//! `GET /metrics`: numbers in the text format of Prometheus (version 0.0.4), without an address or a subject.

use crate::{App, VERSION};
use axum::extract::State;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use postroom_domain::MetricsAccess;
use postroom_store::{MailboxMetrics, Metrics, StoreError};
use std::fmt::Write as _;
use std::net::IpAddr;

/// Fields that a proxy adds: who asked is then not who is connected.
const FORWARDED: &[&str] = &["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

/// `GET /metrics`
pub(crate) async fn metrics(State(app): State<App>, headers: HeaderMap) -> Response {
    match answer(&app, &headers).await {
        Ok(Ok(text)) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response(),
        Ok(Err(StatusCode::UNAUTHORIZED)) => {
            (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], "a token is needed\n").into_response()
        }
        Ok(Err(status)) => (status, "not found\n").into_response(),
        Err(error) => {
            tracing::error!(code = error.code(), "the metrics could not be read");
            (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n").into_response()
        }
    }
}

/// The text, or the status for whoever may not have it.
async fn answer(app: &App, headers: &HeaderMap) -> Result<Result<String, StatusCode>, StoreError> {
    let allowed = match app.store.global_policy().await?.metrics {
        MetricsAccess::Off => Err(StatusCode::NOT_FOUND),
        MetricsAccess::Loopback if is_direct(headers) => Ok(()),
        MetricsAccess::Loopback => Err(StatusCode::NOT_FOUND),
        MetricsAccess::Token => match bearer(headers) {
            Some(token) if app.store.is_metrics_token(token).await? => Ok(()),
            _ => Err(StatusCode::UNAUTHORIZED),
        },
    };
    match allowed {
        Ok(()) => Ok(Ok(exposition(&app.store.metrics(Timestamp::now()).await?, Timestamp::now()))),
        Err(status) => Ok(Err(status)),
    }
}

/// Whether the page itself was asked, by its loopback address, with no sign of a proxy between. Only loopback addresses are
/// listened on, so nobody but a program of this machine can do that.
fn is_direct(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let host = host.and_then(|text| text.parse::<Authority>().ok());
    let is_loopback = host.is_some_and(|authority| {
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    });
    is_loopback && !FORWARDED.iter().any(|name| headers.contains_key(*name))
}

// RFC 6750 §2.1
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The text that is being written.
#[derive(Default)]
struct Text(String);

impl Text {
    /// Begins a metric.
    fn metric(&mut self, name: &'static str, kind: &str, help: &str) -> Series<'_> {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        Series { text: self, name }
    }
}

/// One metric, and what it is for each set of labels.
struct Series<'a> {
    text: &'a mut Text,
    name: &'static str,
}

impl Series<'_> {
    fn is(&mut self, labels: &[(&str, &str)], value: u64) {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.text.0, "{}{labels} {value}", self.name);
    }
}

/// The value of a label between quotes.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// What a mailbox is called: its name, unless that is an address.
fn label(name: &str, mailbox: &MailboxMetrics) -> String {
    if name.contains('@') { format!("mailbox-{}", mailbox.id) } else { name.to_owned() }
}

fn exposition(metrics: &Metrics, now: Timestamp) -> String {
    let mut text = Text::default();
    let schema = metrics.schema.to_string();
    let build = [("version", VERSION), ("database", metrics.database), ("schema", &schema)];
    text.metric("postroom_build_info", "gauge", "What is running.").is(&build, 1);
    of_mailboxes(&mut text, metrics);
    let seconds = |at: Timestamp| now.as_second().saturating_sub(at.as_second()).max(0).unsigned_abs();
    for (name, kind, help, value) in [
        (
            "postroom_oldest_waiting_seconds",
            "gauge",
            "For how long the oldest message waits that is not decided yet; 0 if none does.",
            metrics.oldest_waiting.map_or(0, seconds),
        ),
        ("postroom_items_opened_total", "counter", "Items that were opened.", metrics.items),
        (
            "postroom_held_expired_total",
            "counter",
            "Held messages that were deleted because their workspace's time for them was over.",
            metrics.expired,
        ),
        ("postroom_registrations_pending", "gauge", "Registrations and invitations that wait.", metrics.registrations),
        ("postroom_audit_rows_total", "counter", "Rows of the audit.", metrics.audit),
        ("postroom_database_size_bytes", "gauge", "Size of the database.", metrics.database_octets),
        ("postroom_disk_free_bytes", "gauge", "Room that is left for the data directory.", metrics.disk_free_octets),
    ] {
        text.metric(name, kind, help).is(&[], value);
    }
    text.0
}

fn of_mailboxes(text: &mut Text, metrics: &Metrics) {
    let mailboxes: Vec<(String, &MailboxMetrics)> =
        metrics.mailboxes.iter().map(|(name, mailbox)| (label(name, mailbox), mailbox)).collect();
    let help = "Messages by state, and held ones by the code of their reason.";
    let mut receipts = text.metric("postroom_receipts", "gauge", help);
    for (label, mailbox) in &mailboxes {
        for ((state, reason), count) in &mailbox.receipts {
            receipts.is(&[("mailbox", label), ("state", state), ("reason", reason)], *count);
        }
    }
    type Number = fn(&MailboxMetrics) -> u64;
    let numbers: [(&'static str, &str, &str, Number); 6] = [
        ("postroom_mailbox_active", "gauge", "Whether the mailbox is visited.", |m| u64::from(m.active)),
        ("postroom_visits_total", "counter", "Visits that ended.", |m| m.visits),
        ("postroom_visit_failures_total", "counter", "Visits that failed.", |m| m.failed_visits),
        ("postroom_visit_failures_in_a_row", "gauge", "Failures since the last visit that succeeded.", |m| m.failing),
        ("postroom_owed", "gauge", "Messages that the server is still to be told about.", |m| m.owed),
        ("postroom_last_visit_timestamp_seconds", "gauge", "When the last visit ended; 0 for never.", |m| {
            m.visited_at.map_or(0, |at| at.as_second().max(0).unsigned_abs())
        }),
    ];
    for (name, kind, help, number) in numbers {
        let mut series = text.metric(name, kind, help);
        mailboxes.iter().for_each(|(label, mailbox)| series.is(&[("mailbox", label)], number(mailbox)));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use axum::http::HeaderName;

    #[test]
    fn only_a_program_of_this_machine_that_asks_the_page_itself_is_direct() {
        for (host, more, direct) in [
            ("127.0.0.1:8025", None, true),
            ("localhost:8025", None, true),
            ("LOCALHOST", None, true),
            ("[::1]:8025", None, true),
            ("127.0.0.1", Some("x-forwarded-for"), false),
            ("127.0.0.1", Some("forwarded"), false),
            ("127.0.0.1", Some("via"), false),
            ("post.example", None, false),
            ("localhost.evil.example", None, false),
            ("127.0.0.1.evil.example", None, false),
            ("10.0.0.1", None, false),
            ("", None, false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            if let Some(name) = more {
                headers.insert(HeaderName::from_static(name), "1.2.3.4".parse().unwrap());
            }
            assert_eq!(is_direct(&headers), direct, "{host} {more:?}");
        }
        assert!(!is_direct(&HeaderMap::new()));
    }

    #[test]
    fn labels_cannot_break_out_of_their_quotes_and_are_no_addresses() {
        let mut text = Text::default();
        text.metric("m", "gauge", "Help.").is(&[("a", "x\"\\\n}")], 7);
        assert_eq!(text.0, "# HELP m Help.\n# TYPE m gauge\nm{a=\"x\\\"\\\\\\n}\"} 7\n");
        let mailbox = MailboxMetrics { id: 3, ..MailboxMetrics::default() };
        assert_eq!(label("desk", &mailbox), "desk");
        assert_eq!(label("desk@example.org", &mailbox), "mailbox-3");
    }
}
