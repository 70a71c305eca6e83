//! The headers that every answer carries, and the answer to a panic.

use crate::failure::Failure;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::any::Any;

/// What our own pages may load and do: nothing but what comes from here.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; frame-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const HEADERS: &[(&str, &str)] = &[
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "private, no-store"),
];

/// Adds the headers that an answer does not have in a form of its own.
pub(crate) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().entry(*name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// A panic in a handler ends that one request.
pub(crate) fn after_panic(_panic: Box<dyn Any + Send + 'static>) -> Response {
    // The panic hook has already said where; the payload may quote mail and is not logged.
    tracing::error!("a request panicked");
    Failure::Bug.into_response()
}
