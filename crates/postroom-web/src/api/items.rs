//! Items: what one may see, and what one does with them.

use super::answer::{Input, Page, Problem, limit_of};
use crate::failure::Failure;
use crate::item::item_for;
use crate::items::{assigned_of, cursor, cursor_of, is_status};
use crate::session::CurrentUser;
use crate::{App, desk};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use jiff::Timestamp;
use postroom_domain::{Action, Item, ItemSummary, WorkspaceKey, access};
use postroom_store::{HistoryEntry, ItemFilter};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which items.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// Of this workspace.
    workspace: Option<String>,
    /// `open`, `closed` or `all`; all if nothing is said.
    status: Option<String>,
    /// With this tag.
    tag: Option<String>,
    /// Assigned to whoever asks (`me`), or to nobody (`nobody`).
    assigned: Option<String>,
    /// With these words in the title, the description or a comment, or with this number.
    q: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Items of the workspaces that one is in, those that changed last first.
#[utoipa::path(get, path = "/items", params(Which),
    responses((status = 200, body = Page<ItemSummary>), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Query(which): Query<Which>,
) -> Result<Json<Page<ItemSummary>>, Failure> {
    let status = which.status.unwrap_or_else(|| "all".to_owned());
    if !is_status(&status) {
        return Err(Failure::Parameter("The status of an item is open or closed; all asks for both."));
    }
    let workspace: Option<WorkspaceKey> =
        which.workspace.as_deref().map(str::parse).transpose().map_err(|_| Failure::NotFound)?;
    let joined = access::joined(&user);
    // A workspace that is not theirs does not exist for them.
    if workspace.as_ref().is_some_and(|key| joined.as_ref().is_some_and(|keys| !keys.contains(key))) {
        return Err(Failure::NotFound);
    }
    let after = which
        .cursor
        .as_deref()
        .map(|text| cursor_of(text).ok_or(Failure::Parameter("`cursor` is what `next` of another page says.")));
    let limit = limit_of(which.limit)?;
    let assigned = match which.assigned.as_deref() {
        None => None,
        Some(text) => Some(assigned_of(text, &user).ok_or(Failure::Parameter("`assigned` is me or nobody."))?),
    };
    let filter = ItemFilter {
        visible: joined,
        workspace,
        status: (status != "all").then_some(status),
        tag: which.tag,
        assigned,
        query: which.q.filter(|words| !words.trim().is_empty()),
        after: after.transpose()?,
        limit: limit + 1,
    };
    let mut entries = app.store.items(filter).await?;
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let next = entries.last().filter(|_| more).map(cursor);
    Ok(Json(Page { entries, next }))
}

/// One item with its comments and attachments.
#[utoipa::path(get, path = "/items/{number}", params(("number" = i64, Path, description = "Its number")),
    responses((status = 200, body = Item), (status = 404, body = Problem)))]
pub(crate) async fn show(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(number): Path<i64>,
) -> Result<Json<Item>, Failure> {
    Ok(Json(item_for(&app, &user, Action::See, number).await?))
}

/// What has happened to an item, oldest first. It names other items and those who wrote, so it is for members.
#[utoipa::path(get, path = "/items/{number}/history", params(("number" = i64, Path, description = "Its number")),
    responses((status = 200, body = [HistoryEntry]), (status = 404, body = Problem)))]
pub(crate) async fn history(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(number): Path<i64>,
) -> Result<Json<Vec<HistoryEntry>>, Failure> {
    item_for(&app, &user, Action::ReadOriginal, number).await?;
    Ok(Json(app.store.history_for(number, &user).await?))
}

/// What is to be different about an item: one of these, for example `{"status":"closed"}`.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Change {
    /// `open` or `closed`.
    #[serde(default)]
    status: Option<String>,
    /// Address of the user who gets it, or `null` for nobody.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<String>)]
    assignee: Option<Option<String>>,
    /// A tag more.
    #[serde(default)]
    add_tag: Option<String>,
    /// A tag less.
    #[serde(default)]
    remove_tag: Option<String>,
}

/// Tells what is `null` from what is not there.
fn named<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Closes an item or opens it again, assigns it, tags it: one of these.
#[utoipa::path(patch, path = "/items/{number}", params(("number" = i64, Path, description = "Its number")),
    request_body = Change,
    responses((status = 200, body = Item), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn change(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(number): Path<i64>,
    Input(change): Input<Change>,
) -> Result<Json<Item>, Failure> {
    let Change { status, assignee, add_tag, remove_tag } = change;
    let change = match (status.as_deref(), assignee, add_tag, remove_tag) {
        (Some("open"), None, None, None) => desk::Change::Reopen,
        (Some("closed"), None, None, None) => desk::Change::Close,
        (None, Some(to), None, None) => desk::Change::Assign(to),
        (None, None, Some(tag), None) => desk::Change::Tag(tag),
        (None, None, None, Some(tag)) => desk::Change::Untag(tag),
        (status, ..) => {
            // Whoever may not change it does not learn how.
            item_for(&app, &user, Action::Edit, number).await?;
            // Each is a change of its own, which can be taken back alone.
            let why = match status {
                Some("open" | "closed") | None => "it names one change at a time",
                Some(_) => "the status of an item is open or closed",
            };
            return Err(Failure::Unprocessable(why.to_owned()));
        }
    };
    desk::change(&app, &user, number, change).await?;
    Ok(Json(item_for(&app, &user, Action::See, number).await?))
}

/// Where an item goes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MoveAsked {
    /// The workspace.
    workspace: WorkspaceKey,
}

/// Moves an item into another workspace, in which one may work too.
#[utoipa::path(post, path = "/items/{number}/move", params(("number" = i64, Path, description = "Its number")),
    request_body = MoveAsked, responses((status = 204), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn move_item(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(number): Path<i64>,
    Input(MoveAsked { workspace }): Input<MoveAsked>,
) -> Result<StatusCode, Failure> {
    desk::change(&app, &user, number, desk::Change::Move(workspace)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which change is taken back.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct UndoAsked {
    /// Its number; the last that can be taken back if nothing is said.
    change: Option<i64>,
}

/// Takes back a change of an item.
#[utoipa::path(post, path = "/items/{number}/undo", params(("number" = i64, Path, description = "Its number")),
    request_body = UndoAsked,
    responses((status = 200, body = HistoryEntry), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn undo(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(number): Path<i64>,
    Input(asked): Input<UndoAsked>,
) -> Result<Json<HistoryEntry>, Failure> {
    Ok(Json(desk::undo(&app, &user, number, asked.change).await?))
}

/// What somebody writes on an item.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewComment {
    /// The text, without markup.
    text: String,
    /// Whether it is a note that only members of the workspace see; for one who is.
    #[serde(default)]
    internal: bool,
}

/// A comment that was just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct Commented {
    /// Its number.
    comment: i64,
}

/// Comments on an item, as one may by mail.
#[utoipa::path(post, path = "/items/{number}/comments", params(("number" = i64, Path, description = "Its number")),
    request_body = NewComment,
    responses((status = 201, body = Commented), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn comment(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(number): Path<i64>,
    Input(new): Input<NewComment>,
) -> Result<(StatusCode, Json<Commented>), Failure> {
    let comment = desk::comment(&app, &user, number, &new.text, new.internal).await?;
    Ok((StatusCode::CREATED, Json(Commented { comment })))
}

/// An item that was just opened.
#[derive(Serialize, ToSchema)]
pub(crate) struct Opened {
    /// Its number.
    item: i64,
}

/// Makes an item of a comment that landed wrongly.
#[utoipa::path(post, path = "/items/{number}/comments/{comment}/split",
    params(("number" = i64, Path, description = "The item's number"), ("comment" = i64, Path, description = "The comment's")),
    responses((status = 201, body = Opened), (status = 404, body = Problem)))]
pub(crate) async fn split_comment(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path((number, comment)): Path<(i64, i64)>,
) -> Result<(StatusCode, Json<Opened>), Failure> {
    item_for(&app, &user, Action::Split, number).await?;
    let item = app.by(&user).split_comment(number, comment, Timestamp::now()).await?;
    Ok((StatusCode::CREATED, Json(Opened { item })))
}

/// Where a comment goes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MoveCommentAsked {
    /// The item.
    item: i64,
}

/// Moves a comment that landed wrongly to another item, on which one may work too.
#[utoipa::path(post, path = "/items/{number}/comments/{comment}/move",
    params(("number" = i64, Path, description = "The item's number"), ("comment" = i64, Path, description = "The comment's")),
    request_body = MoveCommentAsked, responses((status = 204), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn move_comment(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path((number, comment)): Path<(i64, i64)>,
    Input(MoveCommentAsked { item: target }): Input<MoveCommentAsked>,
) -> Result<StatusCode, Failure> {
    item_for(&app, &user, Action::Split, number).await?;
    item_for(&app, &user, Action::Split, target).await?;
    app.by(&user).move_comment(number, comment, target, Timestamp::now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Somebody who is to take part.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewParticipant {
    /// The address.
    address: String,
    /// The name; the one that is known if nothing is said.
    #[serde(default)]
    name: Option<String>,
}

/// Lets somebody take part in an item: they see it, and may comment on it.
#[utoipa::path(post, path = "/items/{number}/participants", params(("number" = i64, Path, description = "Its number")),
    request_body = NewParticipant,
    responses((status = 204), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn add_participant(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(number): Path<i64>,
    Input(new): Input<NewParticipant>,
) -> Result<StatusCode, Failure> {
    desk::change(&app, &user, number, desk::Change::Admit(new.address, new.name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes somebody off an item, or drops that they are proposed.
#[utoipa::path(delete, path = "/items/{number}/participants/{address}",
    params(("number" = i64, Path, description = "Its number"), ("address" = String, Path, description = "The address")),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn remove_participant(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path((number, address)): Path<(i64, String)>,
) -> Result<StatusCode, Failure> {
    desk::change(&app, &user, number, desk::Change::Drop(address)).await?;
    Ok(StatusCode::NO_CONTENT)
}
