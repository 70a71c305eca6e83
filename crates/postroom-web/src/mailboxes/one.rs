//! `/mailboxes/{name}`: one mailbox with its last visit and what was said to its server; pausing it, and having it visited.

use crate::App;
use crate::failure::Failure;
use crate::form::Form;
use crate::mailboxes::{Inbox, inbox, since_midnight};
use crate::page::{Frame, in_path, render};
use crate::session::CurrentUser;
use crate::words::Language;
use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use postroom_domain::{Action, Actor, Object, User, authorize};
use postroom_store::{LoggedConversation, MailboxChange};

#[derive(Template)]
#[template(path = "mailbox.html")]
struct MailboxPage {
    t: Language,
    frame: Frame,
    now: Timestamp,
    inbox: Inbox,
    /// What the last visit reported, as labels and numbers.
    report: Vec<(&'static str, String)>,
    /// Whether what is said to its server is logged.
    logs: bool,
    conversations: Vec<LoggedConversation>,
}

/// What a person does with a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// No more visits.
    Pause,
    /// Visits again; `true` takes what is unknown for new mail.
    Resume(bool),
    /// A visit now.
    Visit,
    /// Whether what is said to its server is logged.
    Log(bool),
}

/// Does it, for the pages and the API alike, if the person may.
pub(crate) async fn act(app: &App, user: &User, name: &str, deed: Deed) -> Result<(), Failure> {
    if !authorize(Actor::User(user), Action::Configure, Object::Installation) {
        return Err(Failure::NotFound);
    }
    let (store, now) = (app.by(user), Timestamp::now());
    match deed {
        Deed::Pause => store.pause_mailbox(name, now).await?,
        Deed::Resume(accept_new) => store.resume_mailbox(name, accept_new, now).await?,
        Deed::Visit => store.visit_mailbox(name, now).await?,
        Deed::Log(on) => {
            let change = MailboxChange { wire_log: Some(on), ..MailboxChange::default() };
            store.update_mailbox(name, change, now).await?;
        }
    }
    Ok(())
}

/// `GET /mailboxes/{name}`
pub(crate) async fn page(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    t: Language,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    if !authorize(Actor::User(&user), Action::See, Object::Mailboxes) {
        return Err(Failure::NotFound);
    }
    let change = app.latest().await?;
    let now = Timestamp::now();
    let default = app.store.workspaces().await?.into_iter().find(|one| one.default).map(|one| one.key);
    let status = app.store.mailbox_status().await?.into_iter().find(|status| status.mailbox.name == name);
    let status = status.ok_or(Failure::NotFound)?;
    let lately = app.store.lately(since_midnight(now)).await?;
    let mut conversations = app.store.logged_conversations(&name).await?;
    conversations.reverse();
    let number = |key: &str| status.last_visit.as_ref().and_then(|report| report[key].as_u64());
    let report = [
        (t.listed(), number("listed")),
        (t.fetched(), number("fetched")),
        (t.made_items(), number("items")),
        (t.made_comments(), number("comments")),
        (t.sum_held(), number("held")),
        (t.settled(), number("settled")),
        (t.milliseconds(), number("ms")),
    ];
    let report = report.into_iter().filter_map(|(label, number)| Some((label, t.number(&number?)))).collect();
    Ok(render(&MailboxPage {
        t,
        frame: Frame::live(&name, &user, "mailboxes", false, change).again_after(5),
        now,
        report,
        logs: status.mailbox.wire_log,
        inbox: inbox(t, status, &lately, default.as_ref(), now),
        conversations,
    }))
}

/// `POST /mailboxes/{name}`
pub(crate) async fn on_mailbox(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(name): Path<String>,
    form: Form,
) -> Result<Response, Failure> {
    let deed = match form.text("do") {
        "pause" => Deed::Pause,
        "resume" => Deed::Resume(false),
        "accept-new" => Deed::Resume(true),
        "visit" => Deed::Visit,
        "log-on" => Deed::Log(true),
        "log-off" => Deed::Log(false),
        _ => return Err(Failure::BadRequest(Language::not_understood)),
    };
    act(&app, &user, &name, deed).await?;
    Ok(Redirect::to(&format!("/mailboxes/{}", in_path(&name))).into_response())
}
