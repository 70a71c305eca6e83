//! How the API answers: pages of lists, bodies that are read strictly, and validators that save sending things twice.

use crate::failure::Failure;
use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use postroom_mail::Sha256;
use postroom_store::StoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

/// Entries of one page of a list, unless fewer are asked for.
const PAGE_MAX: u32 = 100;
/// Octets of an answer that gets a validator.
const VALIDATED_MAX: usize = 4 << 20;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// Its entries.
    pub(crate) entries: Vec<T>,
    /// The cursor of the next page; `null` on the last.
    pub(crate) next: Option<String>,
}

/// A problem document (RFC 9457), as it is described.
#[derive(ToSchema)]
#[schema(as = Problem)]
#[expect(dead_code, reason = "it stands for what `failure` sends")]
pub(crate) struct Problem {
    /// `about:blank`.
    r#type: String,
    /// What happened, in a few words.
    title: String,
    /// The status of the answer.
    status: u16,
    /// What happened, and what to do.
    detail: String,
    /// The stable code.
    code: String,
}

/// How many entries of a list are asked for.
pub(crate) fn limit_of(asked: Option<u32>) -> Result<u32, Failure> {
    match asked.unwrap_or(PAGE_MAX) {
        limit @ 1..=PAGE_MAX => Ok(limit),
        _ => Err(Failure::Parameter("`limit` is a number from 1 to 100.")),
    }
}

/// A body in JSON. What does not fit is said as a problem.
pub(crate) struct Input<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Input<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(JsonRejection::JsonDataError(error)) => Err(Failure::Unprocessable(error.body_text())),
            Err(JsonRejection::BytesRejection(error)) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(Failure::TooLarge)
            }
            Err(error) => Err(Failure::Unreadable(error.body_text())),
        }
    }
}

/// An error of a verb after everything in the address was found: what is unknown is something that the body names.
pub(crate) fn named_in_body(error: StoreError) -> Failure {
    Failure::Store(error)
}

/// Gives every object and list a validator, and answers a request that has it already with 304 (RFC 9110 §8.8.3, §13.1.2).
pub(crate) async fn etag(request: Request, next: Next) -> Response {
    let asks = matches!(*request.method(), Method::GET | Method::HEAD);
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let response = next.run(request).await;
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    // What is longer is sent as it is: it cannot be put back once it was taken out of the answer.
    let is_short = response.body().size_hint().upper().is_some_and(|size| size <= VALIDATED_MAX as u64);
    if !(asks && is_json && is_short && response.status() == StatusCode::OK) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(octets) = to_bytes(body, VALIDATED_MAX).await else { return Failure::Bug.into_response() };
    let tag = format!("\"{}\"", Sha256::of(&octets));
    let Ok(value) = HeaderValue::from_str(&tag) else { return Failure::Bug.into_response() };
    parts.headers.insert(header::ETAG, value);
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if known.is_some_and(|known| matches(&known, &tag)) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(octets))
}

/// Whether one of the listed validators is this one; they are compared weakly (RFC 9110 §8.8.3.2).
fn matches(known: &HeaderValue, tag: &str) -> bool {
    let Ok(known) = known.to_str() else { return false };
    known.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}
