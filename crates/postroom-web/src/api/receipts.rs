//! Receipts: what became of every message, and what a person does with held mail.

use super::answer::{Input, Page, Problem, limit_of};
use crate::failure::Failure;
use crate::held::{self, Deed};
use crate::receipt::receipt_for;
use crate::session::CurrentUser;
use crate::{App, attachments, attempt};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};
use jiff::Timestamp;
use postroom_domain::filing::Effect;
use postroom_domain::{
    Action, Actor, Object, Reason, Receipt, ReceiptId, ReceiptState, TraceStep, WorkspaceKey, access, authorize,
};
use postroom_store::{ReceiptFilter, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which receipts.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// Of this mailbox.
    mailbox: Option<String>,
    /// In this state: `accepted`, `deferred`, `filed` or `held`.
    state: Option<String>,
    /// Where they are for this reason, as its code.
    reason: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<i64>,
}

/// Receipts of the mailboxes and items of the workspaces that one manages, newest first.
#[utoipa::path(get, path = "/receipts", params(Which),
    responses((status = 200, body = Page<Receipt>), (status = 404, body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Query(which): Query<Which>,
) -> Result<Json<Page<Receipt>>, Failure> {
    if !authorize(Actor::User(&user), Action::See, Object::Journal) {
        return Err(Failure::NotFound);
    }
    let state = match which.state.as_deref() {
        None => None,
        Some(name) => {
            Some(ReceiptState::from_name(name).ok_or(Failure::Parameter("There is no such state of a receipt."))?)
        }
    };
    let reason = match which.reason.as_deref() {
        None => None,
        Some(code) => Some(Reason::from_code(code).ok_or(Failure::Parameter("There is no such reason."))?),
    };
    let limit = limit_of(which.limit)?;
    let filter = ReceiptFilter {
        mailbox: which.mailbox,
        state,
        reason,
        workspaces: access::managed(&user),
        before: which.cursor.map(ReceiptId),
        limit: limit + 1,
    };
    let mut entries = app.store.receipts(filter).await?;
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let next = entries.last().filter(|_| more).map(|last| last.id.to_string());
    let entries = entries.into_iter().map(|receipt| receipt.for_user(&user)).collect();
    Ok(Json(Page { entries, next }))
}

/// One receipt, with the steps that led to its decision.
#[utoipa::path(get, path = "/receipts/{id}", params(("id" = i64, Path, description = "Its number")),
    responses((status = 200, body = Receipt), (status = 404, body = Problem)))]
pub(crate) async fn show(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(id): Path<String>,
) -> Result<Json<Receipt>, Failure> {
    Ok(Json(receipt_for(&app, &user, Action::See, &id).await?))
}

/// The octets of the message as they were fetched. That they were given out stands in the audit.
#[utoipa::path(get, path = "/receipts/{id}/raw", params(("id" = i64, Path, description = "Its number")),
    responses((status = 200, content_type = "message/rfc822", body = Vec<u8>), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(crate) async fn raw(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let receipt = receipt_for(&app, &user, Action::See, &id).await?;
    let raw = app.by(&user).download(receipt.id, Timestamp::now()).await?;
    Ok(attachments::download("message/rfc822", &format!("message-{}.eml", receipt.id), raw.octets().clone()))
}

/// Has a held or deferred message decided again.
#[utoipa::path(post, path = "/receipts/{id}/retry", params(("id" = i64, Path, description = "Its number")),
    responses((status = 202), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn retry(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    held::act(&app, &user, &id, Deed::Retry).await?;
    Ok(StatusCode::ACCEPTED)
}

/// How a message is released.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ReleaseAsked {
    /// Where to. If nothing is said, the workspace that its mailbox feeds, or for an admin wherever the rules lead. Items of other
    /// workspaces get no comment of it.
    workspace: Option<WorkspaceKey>,
    /// Whether its sender is admitted for all of its mail, so that it need not be done again; for an admin.
    always: bool,
}

/// Files a held message whatever the rules say about its sender.
#[utoipa::path(post, path = "/receipts/{id}/release", params(("id" = i64, Path, description = "Its number")),
    request_body = ReleaseAsked,
    responses((status = 202), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn release(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(id): Path<String>,
    Input(asked): Input<ReleaseAsked>,
) -> Result<StatusCode, Failure> {
    let deed = match asked {
        ReleaseAsked { workspace, always: true } => Deed::Always(workspace),
        ReleaseAsked { workspace, always: false } => Deed::Release(workspace),
    };
    held::act(&app, &user, &id, deed).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Why a message is deleted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deletion {
    /// In a few words; it stands in the audit.
    why: Option<String>,
}

/// Removes the octets of a held message, for good; for an admin. The receipt stays, and so does what its server has.
#[utoipa::path(delete, path = "/receipts/{id}", params(("id" = i64, Path, description = "Its number"), Deletion),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn delete(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(id): Path<String>,
    Query(deletion): Query<Deletion>,
) -> Result<StatusCode, Failure> {
    held::act(&app, &user, &id, Deed::Delete(deletion.why)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes no mail of its sender any more; for an admin. The message itself stays held.
#[utoipa::path(post, path = "/receipts/{id}/block", params(("id" = i64, Path, description = "Its number")),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn block(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    held::act(&app, &user, &id, Deed::Block).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What would become of a message.
#[derive(Serialize, ToSchema)]
pub(crate) struct Explained {
    /// `item`, `comment` or `held`.
    filing: &'static str,
    /// Why, as a code.
    reason: &'static str,
    /// The item that it would be a comment on.
    item: Option<i64>,
    /// The workspace of that item, or of the one that it would open.
    workspace: Option<WorkspaceKey>,
    /// The rules that were asked, with their answers.
    trace: Vec<TraceStep>,
}

/// What would become of its message under the rules of now. Nothing is written.
#[utoipa::path(get, path = "/receipts/{id}/explain", params(("id" = i64, Path, description = "Its number")),
    responses((status = 200, body = Explained), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn explain(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(id): Path<String>,
) -> Result<Json<Explained>, Failure> {
    let (receipt, explanation) = attempt::explain(&app, &user, &id).await?;
    // What cannot be read now has no octets that anything could be decided by.
    let explanation = explanation.ok_or(Failure::Store(StoreError::NoOctets(receipt.id)))?;
    Ok(Json(Explained {
        filing: match explanation.filing.effect {
            Effect::OpenItem { .. } => "item",
            Effect::AddComment { .. } => "comment",
            Effect::Hold | Effect::Prove { .. } => "held",
        },
        reason: explanation.filing.reason.code(),
        item: explanation.item,
        workspace: explanation.workspace,
        trace: explanation.filing.trace,
    }))
}
