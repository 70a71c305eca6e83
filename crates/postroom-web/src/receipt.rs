//! `/receipts/{id}`: one message's whole way, what it says, its original, and what a person can do when it is held.

use crate::failure::Failure;
use crate::held::{self, Content};
use crate::journal::{Line, is_pending};
use crate::page::{Choice, Frame, render};
use crate::session::CurrentUser;
use crate::words::{Badge, Language, Step};
use crate::{App, attachments, text};
use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::Timestamp;
use postroom_domain::{Action, Actor, Object, Receipt, ReceiptId, ReceiptState, User, WorkspaceKey, access, authorize};
use postroom_store::{ReceiptFilter, StoreError};

/// Header fields that a page shows; the download has them all.
pub(crate) const FIELDS_MAX: usize = 200;

#[derive(Template)]
#[template(path = "receipt.html")]
struct ReceiptPage {
    t: Language,
    frame: Frame,
    line: Line,
    badge: Option<Badge>,
    steps: Vec<Step>,
    held: bool,
    deferred: bool,
    has_octets: bool,
    workspaces: Vec<Choice>,
    /// What a person can do about its reason.
    advice: &'static str,
    content: Option<Content>,
    /// Whether the person decides what holds everywhere.
    admin: bool,
    facts: Vec<(&'static str, String)>,
    headers: Vec<(String, String)>,
    no_headers: String,
}

/// `GET /receipts/{id}`
pub(crate) async fn page(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    t: Language,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let change = app.latest().await?;
    let receipt = receipt_for(&app, &user, Action::See, &id).await?;
    let (headers, no_headers) = headers_of(t, &app, &receipt).await?;
    let workspaces = if receipt.waits_for_a_person() { targets(&app, &user, &receipt).await? } else { Vec::new() };
    let content = held::content(&app, &receipt).await?;
    let advice = receipt.reason.filter(|_| receipt.waits_for_a_person()).map_or("", |reason| t.advice(reason));
    let steps = t.steps(&receipt);
    let facts = facts(t, &receipt);
    let badge = t.badge(receipt.identity.as_ref());
    let line = Line::of(t, receipt);
    Ok(render(&ReceiptPage {
        t,
        frame: Frame::live(line.subject.clone(), &user, "journal", false, change)
            .again_after(u32::from(is_pending(&line.receipt))),
        held: line.receipt.waits_for_a_person(),
        deferred: line.receipt.state == ReceiptState::Deferred,
        has_octets: line.receipt.has_octets(),
        advice,
        content,
        admin: user.admin,
        badge,
        steps,
        workspaces,
        facts,
        headers,
        no_headers,
        line,
    }))
}

/// The receipt of this number, if the user may do `action` with it.
pub(crate) async fn receipt_for(app: &App, user: &User, action: Action, id: &str) -> Result<Receipt, Failure> {
    let id = ReceiptId(number(id)?);
    // Which workspace a receipt belongs to is the store's to say, so that the journal and this page never differ.
    let filter = ReceiptFilter {
        workspaces: access::managed(user),
        before: Some(ReceiptId(id.0.saturating_add(1))),
        limit: 1,
        ..ReceiptFilter::default()
    };
    let found = app.store.receipts(filter).await?.pop().filter(|receipt| receipt.id == id);
    let of_own_workspace = found.is_some();
    match found {
        Some(receipt) if authorize(Actor::User(user), action, Object::Receipt { of_own_workspace }) => {
            Ok(receipt.for_user(user))
        }
        _ => Err(Failure::NotFound),
    }
}

/// A number in an address; what is none names nothing.
pub(crate) fn number(text: &str) -> Result<i64, Failure> {
    text.parse::<i64>().ok().filter(|number| *number > 0).ok_or(Failure::NotFound)
}

/// The header fields of the original, or the sentence that says why there are none.
pub(crate) async fn headers_of(
    t: Language,
    app: &App,
    receipt: &Receipt,
) -> Result<(Vec<(String, String)>, String), Failure> {
    match app.store.raw_of(receipt.id).await {
        Ok(raw) => Ok((text::header_fields(raw.octets(), FIELDS_MAX), t.no_headers().to_owned())),
        Err(
            error @ (StoreError::NoOctets(_)
            | StoreError::Deleted(_)
            | StoreError::RawMissing { .. }
            | StoreError::RawDamaged { .. }),
        ) => Ok((Vec::new(), t.sentences(&error).join(" "))),
        Err(error) => Err(error.into()),
    }
}

/// The workspaces into which the user may release it, the one it was meant for chosen beforehand.
async fn targets(app: &App, user: &User, receipt: &Receipt) -> Result<Vec<Choice>, Failure> {
    let meant = own_workspace(app, receipt).await?;
    let workspaces = app.store.workspaces().await?;
    let may = |key: &WorkspaceKey| authorize(Actor::User(user), Action::Handle, Object::Workspace(key));
    let choices = workspaces.into_iter().filter(|workspace| may(&workspace.key)).map(|workspace| Choice {
        current: meant.as_ref() == Some(&workspace.key),
        label: workspace.name,
        key: workspace.key.to_string(),
        href: String::new(),
    });
    Ok(choices.collect())
}

fn facts(t: Language, receipt: &Receipt) -> Vec<(&'static str, String)> {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
    let mut facts = vec![
        (t.from(), text(&receipt.from)),
        (t.subject(), text(&receipt.subject)),
        (t.mailbox(), receipt.mailbox.clone()),
        (t.received(), t.when(&receipt.received_at)),
        (t.size_label(), t.size(&receipt.size)),
        ("Message-ID", text(&receipt.message_id)),
        (t.name_on_server(), receipt.remote_id.to_string()),
        ("SHA-256", receipt.sha256.map_or_else(|| "–".to_owned(), |digest| digest.to_string())),
    ];
    if receipt.attempts > 0 {
        facts.push((t.attempts(), receipt.attempts.to_string()));
    }
    facts
}

/// `GET /receipts/{id}/raw`
pub(crate) async fn raw(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let receipt = receipt_for(&app, &user, Action::See, &id).await?;
    let raw = app.by(&user).download(receipt.id, Timestamp::now()).await?;
    Ok(attachments::download("message/rfc822", &format!("message-{}.eml", receipt.id), raw.octets().clone()))
}

/// Where somebody who may handle a receipt releases it into, `None` for wherever the rules lead, which may be any workspace.
/// With `always` its sender is admitted, which is to admit it everywhere.
pub(crate) async fn release_into(
    app: &App,
    user: &User,
    receipt: &Receipt,
    asked: Option<WorkspaceKey>,
    always: bool,
) -> Result<Option<WorkspaceKey>, Failure> {
    let actor = Actor::User(user);
    if authorize(actor, Action::Configure, Object::Installation) {
        return Ok(asked);
    }
    let into = match asked {
        Some(key) => Some(key),
        None => own_workspace(app, receipt).await?,
    };
    match into {
        Some(key) if !always && authorize(actor, Action::Handle, Object::Workspace(&key)) => Ok(Some(key)),
        _ => Err(Failure::NotFound),
    }
}

/// The workspace that the mailbox of a receipt feeds.
async fn own_workspace(app: &App, receipt: &Receipt) -> Result<Option<WorkspaceKey>, Failure> {
    let meant = match app.store.mailbox(&receipt.mailbox).await {
        Ok(mailbox) => mailbox.workspace,
        Err(StoreError::Unknown { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    match meant {
        Some(key) => Ok(Some(key)),
        None => Ok(app.store.workspaces().await?.into_iter().find(|one| one.default).map(|one| one.key)),
    }
}
