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
use postroom_store::{FolderStatus, Ledger, MailboxState, MailboxStatus, ReceiptCounts};

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
    failed_folders: Vec<FolderStatus>,
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
    let (state, tone) = state(status.state());
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
        next_visit_at: status.next_visit_at.filter(|_| !mailbox.paused && !status.waits),
        failed_folders: status.failed_folders.clone(),
        ledger: status.ledger(),
        counts: status.counts,
        name: status.mailbox.name,
    }
}

/// In words, and in which tone.
fn state(state: MailboxState) -> (String, &'static str) {
    let (words, tone) = match state {
        MailboxState::Paused => ("paused", "warn"),
        MailboxState::Asks => ("paused, and asks", "bad"),
        MailboxState::Throttled(Some(until)) => return (format!("throttled until {}", words::when(&until)), "warn"),
        MailboxState::Throttled(None) => ("throttled", "warn"),
        MailboxState::Failing(_) => ("failing", "bad"),
        MailboxState::Waiting => ("waiting for mail", "good"),
        MailboxState::Ok => ("well", "good"),
        MailboxState::NotVisited => ("not visited yet", "info"),
    };
    (words.to_owned(), tone)
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
