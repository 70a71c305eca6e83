//! `/mailboxes`: how every mailbox is doing, and whether its numbers add up.

pub(crate) mod one;

use crate::App;
use crate::failure::Failure;
use crate::page::{Empty, Frame, href, in_path, render};
use crate::session::CurrentUser;
use crate::words::{ErrorWords, Language, capital};
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use postroom_domain::{Action, Actor, Object, WorkspaceKey, authorize};
use postroom_mail::{Access, Security, ServerAccess};
use postroom_store::{FolderStatus, Lately, Ledger, MailboxState, MailboxStatus, ReceiptCounts};
use std::collections::HashMap;

#[derive(Template)]
#[template(path = "mailboxes.html")]
struct Mailboxes {
    t: Language,
    frame: Frame,
    now: Timestamp,
    boxes: Vec<Inbox>,
    empty: Empty,
}

/// A mailbox as its card shows it.
struct Inbox {
    name: String,
    /// The address of its own page.
    href: String,
    paused: bool,
    /// Whether it looks like another mailbox, and waits for an answer.
    asks: bool,
    /// Whether there is a server to be visited.
    visited: bool,
    lately: Lately,
    journal: String,
    place: String,
    feeds: String,
    state: String,
    tone: &'static str,
    trouble: Option<Trouble>,
    /// What should be known of it although it works: mail in clear, certificates that run out.
    warnings: Vec<String>,
    visited_at: Option<Timestamp>,
    every: String,
    counts: ReceiptCounts,
    waiting: u64,
    next_visit_at: Option<Timestamp>,
    /// What happened, and its code.
    failed_folders: Vec<(String, String)>,
    ledger: Option<Ledger>,
}

/// Why visits fail.
struct Trouble {
    code: String,
    words: ErrorWords,
    since: Option<Timestamp>,
    failures: u64,
}

/// `GET /mailboxes`
pub(crate) async fn page(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    t: Language,
) -> Result<Response, Failure> {
    if !authorize(Actor::User(&user), Action::See, Object::Mailboxes) {
        return Err(Failure::NotFound);
    }
    let change = app.latest().await?;
    let workspaces = app.store.workspaces().await?;
    let default = workspaces.into_iter().find(|workspace| workspace.default).map(|workspace| workspace.key);
    let boxes = app.store.mailbox_status().await?;
    let now = Timestamp::now();
    let lately = app.store.lately(since_midnight(now)).await?;
    Ok(render(&Mailboxes {
        t,
        // Visits are no changes of items: the page looks for itself.
        frame: Frame::live(t.mailboxes(), &user, "mailboxes", true, change).again_after(5),
        now,
        boxes: boxes.into_iter().map(|status| inbox(t, status, &lately, default.as_ref(), now)).collect(),
        empty: Empty {
            title: t.no_mailbox(),
            text: t.no_mailbox_text(),
            shell: "postroom mailbox add NAME --help",
            ..Empty::default()
        },
    }))
}

/// Midnight before, in UTC as all times of the pages.
fn since_midnight(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second() - now.as_second().rem_euclid(86_400)).unwrap_or(now)
}

/// The mailbox as its card shows it.
fn inbox(
    t: Language,
    status: MailboxStatus,
    lately: &HashMap<String, Lately>,
    default: Option<&WorkspaceKey>,
    now: Timestamp,
) -> Inbox {
    let mailbox = &status.mailbox;
    let (state, tone) = state(t, status.state());
    Inbox {
        href: format!("/mailboxes/{}", in_path(&mailbox.name)),
        paused: mailbox.paused,
        asks: mailbox.asks,
        visited: !matches!(mailbox.access, Access::Push),
        lately: lately.get(&mailbox.name).copied().unwrap_or_default(),
        journal: href("/receipts", &[("mailbox", &mailbox.name)]),
        place: place(t, &mailbox.access),
        feeds: match (&mailbox.workspace, default) {
            (Some(key), _) => key.to_string(),
            (None, Some(key)) => t.default_workspace(key),
            (None, None) => t.feeds_nothing().to_owned(),
        },
        state,
        tone,
        trouble: trouble(t, &status),
        warnings: status.warnings(now).iter().map(|warning| t.warning(warning)).collect(),
        visited_at: status.visited_at,
        every: every(t, mailbox.every_s),
        waiting: status.counts.accepted + status.counts.deferred,
        next_visit_at: status.next_visit_at.filter(|_| !mailbox.paused && !status.waits),
        failed_folders: status.failed_folders.iter().map(|folder| folder_trouble(t, folder)).collect(),
        ledger: status.ledger(),
        counts: status.counts,
        name: status.mailbox.name,
    }
}

/// In words, and in which tone.
fn state(t: Language, state: MailboxState) -> (String, &'static str) {
    let (words, tone) = match state {
        MailboxState::Paused => (t.paused(), "warn"),
        MailboxState::Asks => (t.paused_asks(), "bad"),
        MailboxState::Throttled(Some(until)) => return (t.throttled_until(t.when(&until)), "warn"),
        MailboxState::Throttled(None) => (t.throttled(), "warn"),
        MailboxState::Failing(_) => (t.failing(), "bad"),
        MailboxState::Waiting => (t.waiting_for_mail(), "good"),
        MailboxState::Ok => (t.well(), "good"),
        MailboxState::NotVisited => (t.not_visited(), "info"),
    };
    (words.to_owned(), tone)
}

fn place(t: Language, access: &Access) -> String {
    match access {
        Access::Imap(imap) => {
            let folders: Vec<&str> = imap.folders().collect();
            let word = if folders.len() == 1 { t.folder() } else { t.folders() };
            format!("IMAP · {} · {word} {}", server(t, &imap.server), folders.join(", "))
        }
        Access::Pop3(pop3) => format!("POP3 · {}", server(t, pop3)),
        Access::Maildir { path } => format!("Maildir · {}", path.display()),
        Access::Push => t.brought().to_owned(),
    }
}

fn server(t: Language, server: &ServerAccess) -> String {
    format!("{}:{} · {}", server.host, server.port, protection(t, server.security))
}

fn protection(t: Language, security: Security) -> &'static str {
    match security {
        Security::Ssl => "TLS",
        Security::Starttls => "STARTTLS",
        Security::StarttlsIfAvailable => t.starttls_if_available(),
        Security::None => t.in_clear(),
    }
}

fn every(t: Language, seconds: u32) -> String {
    match seconds {
        1 => t.every_second().to_owned(),
        60 => t.every_minute().to_owned(),
        seconds if seconds.is_multiple_of(3600) => t.every_hours(seconds / 3600),
        seconds if seconds.is_multiple_of(60) => t.every_minutes(seconds / 60),
        seconds => t.every_seconds(seconds),
    }
}

fn trouble(t: Language, status: &MailboxStatus) -> Option<Trouble> {
    let (code, text) = status.last_error.as_ref().filter(|_| status.failing_since.is_some())?;
    let help = status.last_visit.as_ref().and_then(|report| report["error"]["help"].as_str());
    Some(Trouble {
        code: code.clone(),
        words: t.error(code, &capital(text), &help.map(capital).unwrap_or_default()),
        since: status.failing_since,
        failures: status.failures.into(),
    })
}

fn folder_trouble(t: Language, folder: &FolderStatus) -> (String, String) {
    let what = t.error(&folder.code, &capital(&folder.message), "").what;
    (t.folder_failed(&folder.folder, what), folder.code.clone())
}
