//! `/mailboxes`: how every mailbox is doing, and whether its numbers add up.

use crate::App;
use crate::failure::Failure;
use crate::page::{Empty, Frame, href, render};
use crate::session::CurrentUser;
use crate::words;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use postroom_domain::{Action, Actor, Object, WorkspaceKey, authorize};
use postroom_mail::{Access, Security, ServerAccess};
use postroom_store::{MailboxStatus, ReceiptCounts};
use serde_json::Value;
use std::cmp::Ordering;

#[derive(Template)]
#[template(path = "mailboxes.html")]
struct Mailboxes {
    frame: Frame,
    now: Timestamp,
    boxes: Vec<Inbox>,
    empty: Empty,
}

/// A mailbox as its card shows it.
struct Inbox {
    name: String,
    journal: String,
    place: String,
    feeds: String,
    state: &'static str,
    tone: &'static str,
    trouble: Option<Trouble>,
    /// What should be known of it although it works: mail in clear, certificates that run out.
    warnings: Vec<String>,
    visited_at: Option<Timestamp>,
    every: String,
    counts: ReceiptCounts,
    waiting: u64,
    ledger: Option<Ledger>,
}

/// Why visits fail.
struct Trouble {
    code: String,
    text: String,
    help: String,
    since: Option<Timestamp>,
    failures: u64,
}

/// Contract: what is on the server is what we have, and what we left alone.
struct Ledger {
    on_server: u64,
    before_start: u64,
    /// What is on the server and not accounted for.
    gap: u64,
    /// What we have that is no longer there.
    gone: u64,
    sign: &'static str,
}

/// `GET /mailboxes`
pub(crate) async fn page(State(app): State<App>, Extension(user): Extension<CurrentUser>) -> Result<Response, Failure> {
    if !authorize(Actor::User(&user), Action::See, Object::Mailboxes) {
        return Err(Failure::NotFound);
    }
    let change = app.latest().await?;
    let workspaces = app.store.workspaces().await?;
    let default = workspaces.into_iter().find(|workspace| workspace.default).map(|workspace| workspace.key);
    let boxes = app.store.mailbox_status().await?;
    let now = Timestamp::now();
    Ok(render(&Mailboxes {
        // Visits are no changes of items: the page looks for itself.
        frame: Frame::live("Mailboxes", &user, "mailboxes", true, change).again_after(5),
        now,
        boxes: boxes.into_iter().map(|status| inbox(status, default.as_ref(), now)).collect(),
        empty: Empty {
            title: "No mailbox yet",
            text: "Postroom works without one, too: mail can be brought by an MTA or imported. To have a mailbox visited, add it:"
                .to_owned(),
            shell: "postroom mailbox add NAME --help",
            ..Empty::default()
        },
    }))
}

fn inbox(status: MailboxStatus, default: Option<&WorkspaceKey>, now: Timestamp) -> Inbox {
    let mailbox = &status.mailbox;
    let failing = status.failing_since.is_some();
    let (state, tone) = match (mailbox.paused, failing, status.visited_at) {
        (true, ..) => ("paused", "warn"),
        (_, true, _) => ("failing", "bad"),
        (_, _, None) => ("not visited yet", "info"),
        _ => ("well", "good"),
    };
    Inbox {
        journal: href("/receipts", &[("mailbox", &mailbox.name)]),
        place: place(&mailbox.access),
        feeds: match (&mailbox.workspace, default) {
            (Some(key), _) => key.to_string(),
            (None, Some(key)) => format!("{key} (the default workspace)"),
            (None, None) => "no workspace: none is the default".to_owned(),
        },
        state,
        tone,
        trouble: trouble(&status),
        warnings: status.warnings(now).iter().map(|warning| words::capital(&warning.to_string())).collect(),
        visited_at: status.visited_at,
        every: every(mailbox.every_s),
        waiting: status.counts.accepted + status.counts.deferred,
        ledger: status.last_visit.as_ref().and_then(|report| ledger(report, &status.counts)),
        counts: status.counts,
        name: status.mailbox.name,
    }
}

fn place(access: &Access) -> String {
    match access {
        Access::Imap(imap) => {
            let folders: Vec<&str> = imap.folders().collect();
            let word = if folders.len() == 1 { "folder" } else { "folders" };
            format!("IMAP · {} · {word} {}", server(&imap.server), folders.join(", "))
        }
        Access::Pop3(pop3) => format!("POP3 · {}", server(pop3)),
        Access::Maildir { path } => format!("Maildir · {}", path.display()),
        Access::Push => "brought by other programs".to_owned(),
    }
}

fn server(server: &ServerAccess) -> String {
    format!("{}:{} · {}", server.host, server.port, protection(server.security))
}

fn protection(security: Security) -> &'static str {
    match security {
        Security::Ssl => "TLS",
        Security::Starttls => "STARTTLS",
        Security::StarttlsIfAvailable => "STARTTLS if available",
        Security::None => "in clear",
    }
}

fn every(seconds: u32) -> String {
    match seconds {
        1 => "every second".to_owned(),
        60 => "every minute".to_owned(),
        seconds if seconds.is_multiple_of(3600) => format!("every {} h", seconds / 3600),
        seconds if seconds.is_multiple_of(60) => format!("every {} min", seconds / 60),
        seconds => format!("every {seconds} s"),
    }
}

fn trouble(status: &MailboxStatus) -> Option<Trouble> {
    let (code, text) = status.last_error.as_ref().filter(|_| status.failing_since.is_some())?;
    let help = status.last_visit.as_ref().and_then(|report| report["error"]["help"].as_str());
    Some(Trouble {
        code: code.clone(),
        text: words::capital(text),
        help: help.map(words::capital).unwrap_or_default(),
        since: status.failing_since,
        failures: status.failures.into(),
    })
}

/// The ledger of the last visit that could list the mailbox.
fn ledger(report: &Value, counts: &ReceiptCounts) -> Option<Ledger> {
    let on_server = report["listed"].as_u64()?;
    let before_start = report["before_start"].as_u64().unwrap_or(0);
    let ours = counts.filed + counts.held + counts.done + counts.accepted + counts.deferred;
    let known = ours + before_start;
    let sign = match on_server.cmp(&known) {
        Ordering::Less => "<",
        Ordering::Equal => "=",
        Ordering::Greater => ">",
    };
    let (gap, gone) = (on_server.saturating_sub(known), known.saturating_sub(on_server));
    Some(Ledger { on_server, before_start, gap, gone, sign })
}
