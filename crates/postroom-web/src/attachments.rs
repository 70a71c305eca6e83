//! `/attachments/{id}`: files to be downloaded, and pictures to be shown.

use crate::App;
use crate::download::{disposition, picture_type, safe_type};
use crate::failure::Failure;
use crate::item::item_for;
use crate::receipt::number;
use crate::session::CurrentUser;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use postroom_domain::Action;
use serde::Deserialize;

/// The policy of what is handed out: should a browser show it after all, it can do nothing.
const POLICY: &str = "default-src 'none'; sandbox";

#[derive(Deserialize)]
pub(crate) struct How {
    #[serde(default)]
    inline: String,
}

/// `GET /attachments/{id}`
pub(crate) async fn attachment(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(id): Path<String>,
    Query(how): Query<How>,
) -> Result<Response, Failure> {
    let stored = app.store.attachment(number(&id)?).await?;
    item_for(&app, &user, Action::See, stored.item).await?;
    let name = &stored.attachment.name;
    match picture_type(&stored.octets) {
        Some(content_type) if how.inline == "1" => Ok(answer("inline", content_type, name, stored.octets)),
        _ => Ok(download(&stored.attachment.content_type, name, stored.octets)),
    }
}

/// Octets as a download under this name.
pub(crate) fn download(content_type: &str, name: &str, octets: Bytes) -> Response {
    answer("attachment", safe_type(content_type), name, octets)
}

fn answer(kind: &str, content_type: &str, name: &str, octets: Bytes) -> Response {
    let octet_stream = HeaderValue::from_static("application/octet-stream");
    let attachment = HeaderValue::from_static("attachment");
    let headers = [
        // Both are made of ASCII alone, so the other branch is never taken.
        (header::CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap_or(octet_stream)),
        (header::CONTENT_DISPOSITION, HeaderValue::from_str(&disposition(kind, name)).unwrap_or(attachment)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    ];
    (headers, octets).into_response()
}
