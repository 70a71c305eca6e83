//! `/receipts`: every message that was taken, newest first, and what became of it.

use crate::App;
use crate::failure::Failure;
use crate::page::{Choice, Empty, Frame, Pager, before, cut, href, render};
use crate::session::CurrentUser;
use crate::words::{self, Language};
use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use jiff::Timestamp;
use postroom_domain::{Action, Actor, Object, Receipt, ReceiptId, ReceiptState, User, access, authorize};
use postroom_store::ReceiptFilter;
use serde::Deserialize;

const LINES: u32 = 50;

/// A receipt as a line of the journal.
pub(crate) struct Line {
    pub(crate) receipt: Receipt,
    pub(crate) state: &'static str,
    pub(crate) tone: &'static str,
    pub(crate) subject: String,
    pub(crate) from: String,
    pub(crate) doubt: Option<&'static str>,
    pub(crate) outcome: String,
    pub(crate) settlement: &'static str,
}

impl Line {
    pub(crate) fn of(t: Language, receipt: Receipt) -> Self {
        let or = |text: &Option<String>, otherwise: &str| match text.as_deref().map(str::trim) {
            None | Some("") => otherwise.to_owned(),
            Some(text) => text.to_owned(),
        };
        Self {
            state: t.state(&receipt),
            tone: words::tone(&receipt),
            subject: or(&receipt.subject, t.no_subject()),
            from: or(&receipt.from, t.no_sender()),
            doubt: t.doubt(receipt.identity.as_ref().map(|identity| &identity.level)),
            outcome: t.outcome(&receipt),
            settlement: t.settlement(receipt.settlement),
            receipt,
        }
    }
}

#[derive(Template)]
#[template(path = "receipts.html")]
struct Journal {
    t: Language,
    frame: Frame,
    now: Timestamp,
    states: Vec<Choice>,
    mailboxes: Vec<Choice>,
    receipts: Vec<Line>,
    empty: Empty,
    pager: Option<Pager>,
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    mailbox: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    before: String,
}

/// `GET /receipts`
pub(crate) async fn page(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    t: Language,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    if !authorize(Actor::User(&user), Action::See, Object::Journal) {
        return Err(Failure::NotFound);
    }
    let state = match asked.state.as_str() {
        "" => None,
        name => Some(ReceiptState::from_name(name).ok_or(Failure::BadRequest(Language::state_nonsense))?),
    };
    let before = before(&asked.before)?.map(ReceiptId);
    let change = app.latest().await?;
    let filter = ReceiptFilter {
        mailbox: (!asked.mailbox.is_empty()).then(|| asked.mailbox.clone()),
        state,
        workspaces: access::managed(&user),
        before,
        limit: LINES + 1,
        ..ReceiptFilter::default()
    };
    let mut receipts = app.store.receipts(filter).await?;
    let older = cut(&mut receipts, LINES).map(|last| last.id.to_string()).unwrap_or_default();
    let pending = receipts.iter().any(is_pending);
    Ok(render(&Journal {
        t,
        frame: Frame::live(t.journal(), &user, "journal", true, change).again_after(u32::from(pending)),
        now: Timestamp::now(),
        states: states(t, &asked),
        mailboxes: mailboxes(t, &app, &user, &asked).await?,
        receipts: receipts.into_iter().map(|receipt| Line::of(t, receipt)).collect(),
        empty: empty(t, &asked, &user),
        pager: pager(&asked, &older),
    }))
}

/// Whether it will soon be something else. That a message is held changes no item, so nobody announces it.
pub(crate) fn is_pending(receipt: &Receipt) -> bool {
    receipt.state == ReceiptState::Accepted
}

fn states(t: Language, asked: &Asked) -> Vec<Choice> {
    let choices = [
        (t.all(), ""),
        (t.filed(), "filed"),
        (t.held(), "held"),
        (t.waiting(), "accepted"),
        (t.deferred(), "deferred"),
    ];
    let choice = |(label, state): (&str, &str)| Choice {
        label: label.to_owned(),
        key: String::new(),
        href: href("/receipts", &[("mailbox", &asked.mailbox), ("state", state)]),
        current: asked.state == state,
    };
    choices.into_iter().map(choice).collect()
}

/// The mailboxes that the user may choose from: for a manager those that feed a workspace of theirs.
async fn mailboxes(t: Language, app: &App, user: &User, asked: &Asked) -> Result<Vec<Choice>, Failure> {
    let workspaces = app.store.workspaces().await?;
    let default = workspaces.iter().find(|workspace| workspace.default).map(|workspace| &workspace.key);
    let managed = access::managed(user);
    let choice = |name: &str, label: &str| Choice {
        label: label.to_owned(),
        key: String::new(),
        href: href("/receipts", &[("mailbox", name), ("state", &asked.state)]),
        current: asked.mailbox == name,
    };
    let mut choices = vec![choice("", t.all_mailboxes())];
    for mailbox in app.store.mailboxes().await? {
        let feeds = mailbox.workspace.as_ref().or(default);
        if managed.as_ref().is_none_or(|managed| feeds.is_some_and(|key| managed.contains(key))) {
            choices.push(choice(&mailbox.name, &mailbox.name));
        }
    }
    Ok(choices)
}

fn empty(t: Language, asked: &Asked, user: &User) -> Empty {
    if !(asked.mailbox.is_empty() && asked.state.is_empty() && asked.before.is_empty()) {
        return Empty {
            title: t.nothing_of_kind(),
            text: t.nothing_of_kind_text(),
            href: "/receipts".to_owned(),
            link: t.whole_journal(),
            ..Empty::default()
        };
    }
    Empty {
        title: t.no_mail(),
        text: t.no_mail_text(),
        shell: if user.admin { "postroom mailbox add NAME --help" } else { "" },
        ..Empty::default()
    }
}

fn pager(asked: &Asked, older: &str) -> Option<Pager> {
    let address =
        |before: &str| href("/receipts", &[("mailbox", &asked.mailbox), ("state", &asked.state), ("before", before)]);
    let pager = Pager {
        newest: if asked.before.is_empty() { String::new() } else { address("") },
        older: if older.is_empty() { String::new() } else { address(older) },
    };
    (!pager.newest.is_empty() || !pager.older.is_empty()).then_some(pager)
}
