//! `/held`: the mail that waits for a person, by reason, and what a person does with it, one message or several at a time.

use crate::App;
use crate::failure::Failure;
use crate::form::Form;
use crate::journal::Line;
use crate::page::{Choice, Frame, Pager, before, cut, href, render};
use crate::receipt::{receipt_for, release_into};
use crate::session::CurrentUser;
use crate::words::Language;
use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use postroom_domain::{
    Action, Actor, Object, Reason, Receipt, ReceiptId, ReceiptState, User, WorkspaceKey, access, authorize,
};
use postroom_store::{ReceiptFilter, StoreError};
use serde::Deserialize;

const LINES: u32 = 50;

/// What a person does with a held message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Has it decided again.
    Retry,
    /// Files it whatever the rules say of its sender, into this workspace if one is named.
    Release(Option<WorkspaceKey>),
    /// The same, and admits its sender for all of its mail.
    Always(Option<WorkspaceKey>),
    /// Takes no mail of its sender any more. The message stays held.
    Block,
    /// Removes its octets, for good, for this reason if one is given.
    Delete(Option<String>),
}

/// Does it, for the pages and the API alike, if the person may.
pub(crate) async fn act(app: &App, user: &User, id: &str, deed: Deed) -> Result<Receipt, Failure> {
    let receipt = receipt_for(app, user, Action::Handle, id).await?;
    let (store, now) = (app.by(user), Timestamp::now());
    match deed {
        Deed::Retry => store.retry(receipt.id, now).await?,
        Deed::Release(asked) => {
            let into = release_into(app, user, &receipt, asked, false).await?;
            store.release(receipt.id, into.as_ref(), false, now).await?;
        }
        Deed::Always(asked) => {
            let into = release_into(app, user, &receipt, asked, true).await?;
            store.release(receipt.id, into.as_ref(), true, now).await?;
        }
        Deed::Block => {
            require_admin(user)?;
            store.block_contact(receipt.from.as_deref().unwrap_or_default(), now).await?;
        }
        Deed::Delete(why) => {
            require_admin(user)?;
            store.delete_receipt(receipt.id, why.as_deref(), now).await?;
        }
    }
    Ok(receipt)
}

/// What holds everywhere is an admin's to decide.
fn require_admin(user: &User) -> Result<(), Failure> {
    match authorize(Actor::User(user), Action::Configure, Object::Installation) {
        true => Ok(()),
        false => Err(Failure::NotFound),
    }
}

/// The deed that a form asks for; `None` for what is none.
fn deed_of(form: &Form) -> Option<Deed> {
    Some(match form.text("do") {
        "retry" => Deed::Retry,
        "release" => Deed::Release(match form.text("workspace") {
            "" => None,
            key => Some(key.parse().ok()?),
        }),
        "always" => Deed::Always(None),
        "block" => Deed::Block,
        "delete" => Deed::Delete(None),
        _ => return None,
    })
}

/// `POST /receipts/{id}`: what is to be done with one message.
pub(crate) async fn on_receipt(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Failure> {
    let deed = deed_of(&form).ok_or(Failure::BadRequest(Language::not_understood))?;
    let receipt = act(&app, &user, &id, deed).await?;
    tracing::info!(receipt = receipt.id.0, user = user.id.0, "handled by a person");
    Ok(Redirect::to(&format!("/receipts/{}", receipt.id)).into_response())
}

/// `POST /held`: the same with all that are ticked. What fails with one message leaves the others as they are asked to be.
pub(crate) async fn on_list(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    form: Form,
) -> Result<Response, Failure> {
    let deed = deed_of(&form).ok_or(Failure::BadRequest(Language::not_understood))?;
    let (mut done, mut failed) = (0_u64, 0_u64);
    for id in form.all("receipt").take(LINES as usize) {
        match act(&app, &user, id, deed.clone()).await {
            Ok(_) => done += 1,
            Err(Failure::NotFound | Failure::Store(_)) => failed += 1,
            Err(failure) => return Err(failure),
        }
    }
    let count = |number: u64| if number > 0 { number.to_string() } else { String::new() };
    let (done, failed) = (count(done), count(failed));
    let back = href("/held", &[("reason", form.text("reason")), ("done", &done), ("failed", &failed)]);
    Ok(Redirect::to(&back).into_response())
}

#[derive(Template)]
#[template(path = "held.html")]
struct Held {
    t: Language,
    frame: Frame,
    now: Timestamp,
    reasons: Vec<Choice>,
    reason: String,
    /// What a person can do about this reason.
    advice: &'static str,
    lines: Vec<HeldLine>,
    /// Whether the person decides what holds everywhere.
    admin: bool,
    done: Vec<String>,
    pager: Option<Pager>,
}

struct HeldLine {
    line: Line,
    why: String,
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    before: String,
    /// With how many it was done, and with how many it could not be.
    #[serde(default)]
    done: String,
    #[serde(default)]
    failed: String,
}

/// `GET /held`
pub(crate) async fn page(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    t: Language,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    if !authorize(Actor::User(&user), Action::See, Object::Journal) {
        return Err(Failure::NotFound);
    }
    let reason = match asked.reason.as_str() {
        "" => None,
        code => Some(Reason::from_code(code).ok_or(Failure::BadRequest(Language::reason_nonsense))?),
    };
    let before = before(&asked.before)?.map(ReceiptId);
    let change = app.latest().await?;
    let managed = access::managed(&user);
    let counts = app.store.held_by_reason(managed.clone()).await?;
    let filter = ReceiptFilter {
        state: Some(ReceiptState::Held),
        reason,
        workspaces: managed,
        before,
        limit: LINES + 1,
        ..ReceiptFilter::default()
    };
    let mut receipts = app.store.receipts(filter).await?;
    let older = cut(&mut receipts, LINES).map(|last| last.id.to_string()).unwrap_or_default();
    Ok(render(&Held {
        t,
        frame: Frame::live(t.held_mail(), &user, "held", true, change).again_after(5),
        now: Timestamp::now(),
        reasons: reasons(t, &counts, reason),
        advice: reason.map_or("", |reason| t.advice(reason)),
        lines: receipts.into_iter().map(|one| HeldLine { why: t.why_held(&one), line: Line::of(t, one) }).collect(),
        admin: user.admin,
        done: told(t, &asked),
        pager: pager(&asked, &older),
        reason: asked.reason,
    }))
}

fn reasons(t: Language, counts: &[(Reason, u64)], chosen: Option<Reason>) -> Vec<Choice> {
    let all = Choice {
        label: t.every_reason().to_owned(),
        key: t.number(&counts.iter().map(|(_, count)| count).sum()),
        href: "/held".to_owned(),
        current: chosen.is_none(),
    };
    let choice = |(reason, count): &(Reason, u64)| Choice {
        label: t.reason_name(*reason).to_owned(),
        key: t.number(count),
        href: href("/held", &[("reason", reason.code())]),
        current: chosen == Some(*reason),
    };
    std::iter::once(all).chain(counts.iter().map(choice)).collect()
}

fn told(t: Language, asked: &Asked) -> Vec<String> {
    let done = asked.done.parse().ok().map(|count| t.messages_done(&count));
    let failed = asked.failed.parse().ok().map(|count| t.messages_failed(&count));
    done.into_iter().chain(failed).collect()
}

fn pager(asked: &Asked, older: &str) -> Option<Pager> {
    let address = |before: &str| href("/held", &[("reason", &asked.reason), ("before", before)]);
    let pager = Pager {
        newest: if asked.before.is_empty() { String::new() } else { address("") },
        older: if older.is_empty() { String::new() } else { address(older) },
    };
    (!pager.newest.is_empty() || !pager.older.is_empty()).then_some(pager)
}

/// What a message says, for a page: read in a process of its own, and never more than [`SHOWN_MAX`] octets of text.
pub(crate) struct Content {
    pub(crate) text: String,
    pub(crate) files: Vec<(String, u64)>,
    /// Whether there is more than is shown.
    pub(crate) cut: bool,
}

/// Octets of a message that is read for a page.
const READ_MAX: u64 = 4 << 20;
/// Octets of text that a page shows of a held message.
const SHOWN_MAX: usize = 64 << 10;

/// What a held message says. `None` where it cannot be read, or is too large to be read while somebody waits.
pub(crate) async fn content(app: &App, receipt: &Receipt) -> Result<Option<Content>, Failure> {
    if !receipt.waits_for_a_person() || !receipt.has_octets() || receipt.size > READ_MAX {
        return Ok(None);
    }
    let raw = match app.store.raw_of(receipt.id).await {
        Ok(raw) => raw,
        Err(StoreError::RawMissing { .. } | StoreError::RawDamaged { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Ok((app.read)(raw).await.map(|message| {
        let shown = message.text.floor_char_boundary(SHOWN_MAX.min(message.text.len()));
        Content {
            text: message.text[..shown].trim().to_owned(),
            files: message.attachments.iter().map(|file| (file.name.clone(), file.size)).collect(),
            cut: shown < message.text.len(),
        }
    }))
}
