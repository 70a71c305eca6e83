//! Who asks, the workspaces they are in, and their own tokens.

use super::answer::{Input, Problem};
use crate::App;
use crate::failure::Failure;
use crate::session::CurrentUser;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use jiff::Timestamp;
use postroom_domain::{User, Workspace, access};
use postroom_store::{ApiToken, NewToken, Scope};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// In whose name the request acts.
#[utoipa::path(get, path = "/me", responses((status = 200, body = User), (status = 401, body = Problem)))]
pub(crate) async fn me(Extension(user): Extension<CurrentUser>) -> Json<User> {
    Json((*user).clone())
}

/// The workspaces that one is in; an admin is in all.
#[utoipa::path(get, path = "/workspaces", responses((status = 200, body = [Workspace])))]
pub(crate) async fn workspaces(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
) -> Result<Json<Vec<Workspace>>, Failure> {
    let joined = access::joined(&user);
    let mut workspaces = app.store.workspaces().await?;
    workspaces.retain(|workspace| joined.as_ref().is_none_or(|keys| keys.contains(&workspace.key)));
    Ok(Json(workspaces))
}

/// A token to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenAsked {
    /// What it is for.
    name: String,
    /// What it is good for.
    scope: Scope,
    /// When it stops working by itself; never if nothing is said.
    #[serde(default)]
    expires_at: Option<Timestamp>,
}

/// A token that was just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenMade {
    #[serde(flatten)]
    made: ApiToken,
    /// The secret; it is shown only now.
    token: String,
}

/// One's own tokens.
#[utoipa::path(get, path = "/tokens", responses((status = 200, body = [ApiToken])))]
pub(crate) async fn tokens(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
) -> Result<Json<Vec<ApiToken>>, Failure> {
    Ok(Json(app.store.tokens(Some(user.id)).await?))
}

/// Makes a token that acts in one's own name.
#[utoipa::path(post, path = "/tokens", request_body = TokenAsked,
    responses((status = 201, body = TokenMade), (status = 422, body = Problem)))]
pub(crate) async fn add_token(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Input(asked): Input<TokenAsked>,
) -> Result<Response, Failure> {
    let TokenAsked { name, scope, expires_at } = asked;
    let new = NewToken { user: user.address.clone(), name, scope, expires_at };
    let (made, secret) = app.by(&user).add_token(new, Timestamp::now()).await?;
    Ok((StatusCode::CREATED, Json(TokenMade { made, token: secret.expose().to_owned() })).into_response())
}

/// Makes one of one's own tokens useless at once.
#[utoipa::path(delete, path = "/tokens/{id}", params(("id" = i64, Path, description = "Its number")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(crate) async fn remove_token(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(id): Path<i64>,
) -> Result<StatusCode, Failure> {
    app.by(&user).remove_token(id, Some(user.id), Timestamp::now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
