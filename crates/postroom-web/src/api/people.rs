//! Who asks, the workspaces they are in, and their own tokens.

use super::answer::Problem;
use crate::App;
use crate::failure::Failure;
use crate::session::CurrentUser;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use jiff::Timestamp;
use postroom_domain::{User, Workspace, access};
use postroom_store::ApiToken;

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

/// One's own tokens. None is made by a token, which would outlive it: `postroom token add` makes them.
#[utoipa::path(get, path = "/tokens", responses((status = 200, body = [ApiToken])))]
pub(crate) async fn tokens(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
) -> Result<Json<Vec<ApiToken>>, Failure> {
    Ok(Json(app.store.tokens(Some(user.id)).await?))
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
