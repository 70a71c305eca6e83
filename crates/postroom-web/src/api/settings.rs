//! The rules that hold everywhere, and accounts: who has one, who waits for one, invitations. They are an admin's.

use super::answer::{Input, Problem, named_in_body};
use crate::App;
use crate::failure::Failure;
use crate::session::CurrentUser;
use crate::settings::store_of;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use jiff::Timestamp;
use postroom_domain::{GlobalPolicy, Role, User, WorkspaceKey};
use postroom_store::Pending;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The settings, as `postroom setting show --json` has them.
#[utoipa::path(get, path = "/settings", responses((status = 200, body = Value), (status = 404, body = Problem)))]
pub(crate) async fn show(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
) -> Result<Json<GlobalPolicy>, Failure> {
    Ok(Json(store_of(&app, &user)?.global_policy().await?))
}

/// Replaces the settings; what is left out is as at first.
#[utoipa::path(put, path = "/settings", request_body = Value,
    responses((status = 200, body = Value), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn replace(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Input(policy): Input<GlobalPolicy>,
) -> Result<Json<GlobalPolicy>, Failure> {
    let store = store_of(&app, &user)?;
    store.set_global_policy(&policy, Timestamp::now()).await?;
    Ok(Json(store.global_policy().await?))
}

/// All accounts.
#[utoipa::path(get, path = "/users", responses((status = 200, body = [User]), (status = 404, body = Problem)))]
pub(crate) async fn users(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
) -> Result<Json<Vec<User>>, Failure> {
    Ok(Json(store_of(&app, &user)?.users().await?))
}

/// Registrations and invitations that wait for somebody, oldest first.
#[utoipa::path(get, path = "/registrations", responses((status = 200, body = [Pending]), (status = 404, body = Problem)))]
pub(crate) async fn registrations(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
) -> Result<Json<Vec<Pending>>, Failure> {
    Ok(Json(store_of(&app, &user)?.pending_registrations(Timestamp::now()).await?))
}

/// Makes the account that was asked for.
#[utoipa::path(post, path = "/registrations/{address}/approve",
    params(("address" = String, Path, description = "The address")),
    responses((status = 200, body = User), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn approve(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(address): Path<String>,
) -> Result<Json<User>, Failure> {
    Ok(Json(store_of(&app, &user)?.approve_registration(&address, Timestamp::now()).await?))
}

/// Refuses a registration, or withdraws an invitation.
#[utoipa::path(delete, path = "/registrations/{address}",
    params(("address" = String, Path, description = "The address")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(crate) async fn refuse(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(address): Path<String>,
) -> Result<StatusCode, Failure> {
    store_of(&app, &user)?.refuse_registration(&address, Timestamp::now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whom to invite.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Invite {
    /// The address.
    address: String,
    /// The name; may be empty.
    #[serde(default)]
    name: String,
    /// What the person may do where.
    #[serde(default)]
    memberships: Vec<InvitedTo>,
}

/// A workspace and a role in it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvitedTo {
    /// The workspace.
    workspace: WorkspaceKey,
    /// The role.
    role: Role,
}

/// An invitation that was just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct Invited {
    /// The canonical address.
    address: String,
    /// The address that makes the account, once. It is not shown again.
    url: String,
    /// Until when.
    expires_at: Timestamp,
}

/// Invites somebody.
#[utoipa::path(post, path = "/registrations", request_body = Invite,
    responses((status = 201, body = Invited), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn invite(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Input(Invite { address, name, memberships }): Input<Invite>,
) -> Result<(StatusCode, Json<Invited>), Failure> {
    let memberships = memberships.into_iter().map(|one| (one.workspace, one.role)).collect();
    let made = store_of(&app, &user)?.invite(&address, &name, memberships, Timestamp::now()).await;
    let made = made.map_err(named_in_body)?;
    let url = app.config.join_url(made.link.expose());
    Ok((StatusCode::CREATED, Json(Invited { address: made.address, url, expires_at: made.expires_at })))
}
