//! Mailboxes: what a person does with them. They are an admin's.

use super::answer::Problem;
use crate::App;
use crate::failure::Failure;
use crate::mailboxes::one::{self, Deed};
use crate::session::CurrentUser;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;

/// Suspends the visits of a mailbox.
#[utoipa::path(post, path = "/mailboxes/{name}/pause", params(("name" = String, Path, description = "Its name")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(crate) async fn pause(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(name): Path<String>,
) -> Result<StatusCode, Failure> {
    one::act(&app, &user, &name, Deed::Pause).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Has the visits of a mailbox go on.
#[utoipa::path(post, path = "/mailboxes/{name}/resume", params(("name" = String, Path, description = "Its name")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(crate) async fn resume(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(name): Path<String>,
) -> Result<StatusCode, Failure> {
    one::act(&app, &user, &name, Deed::Resume(false)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Has a mailbox visited now. The visit is made soon after the answer, unless the mailbox is paused.
#[utoipa::path(post, path = "/mailboxes/{name}/visit", params(("name" = String, Path, description = "Its name")),
    responses((status = 202), (status = 404, body = Problem)))]
pub(crate) async fn visit(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(name): Path<String>,
) -> Result<StatusCode, Failure> {
    one::act(&app, &user, &name, Deed::Visit).await?;
    Ok(StatusCode::ACCEPTED)
}
