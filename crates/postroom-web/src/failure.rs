//! What can go wrong with a request, and the page or problem document (RFC 9457) that says so.

use crate::page::{Alone, Frame};
use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use postroom_store::{Remedy, StoreError};
use serde::Serialize;

/// Why a request was not answered with what was asked for.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is no such thing, or it is not for this user: nobody learns which.
    NotFound,
    /// The request makes no sense.
    BadRequest(&'static str),
    /// A program asked without a session; a person is shown the sign-in page instead.
    SignInNeeded,
    /// The sign-in link was used, has expired, or never was one.
    LinkSpent,
    /// The link to join was used, has expired, leads nowhere, or never was one.
    JoinSpent,
    /// The store could not do it.
    Store(StoreError),
    /// A bug.
    Bug,
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unknown { .. } => Self::NotFound,
            error => Self::Store(error),
        }
    }
}

/// What is said about a failure; travels with the response to [`dress`].
#[derive(Debug, Clone)]
struct Trouble {
    heading: String,
    lines: Vec<String>,
    shell: &'static str,
    code: String,
}

impl Trouble {
    fn new(heading: &str, line: &str, code: &str) -> Self {
        Self { heading: heading.to_owned(), lines: vec![line.to_owned()], shell: "", code: code.to_owned() }
    }

    /// What is said where only a status is known: answers of the HTTP machinery itself.
    fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => {
                Self::new("Nothing here", "There is no such page, or it is not one that you may see.", "NOT_FOUND")
            }
            StatusCode::FORBIDDEN => Self::new(
                "Not from there",
                "This request came from another site, so nothing was done. Go back to the page and press the button again.",
                "CROSS_SITE",
            ),
            StatusCode::METHOD_NOT_ALLOWED => {
                Self::new("Not like this", "This page does not answer that kind of request.", "METHOD_NOT_ALLOWED")
            }
            StatusCode::PAYLOAD_TOO_LARGE => {
                Self::new("Too large", "The request is larger than anything this page takes.", "TOO_LARGE")
            }
            status if status.is_client_error() => {
                Self::new("That did not work", "The request cannot be understood. Nothing was changed.", "BAD_REQUEST")
            }
            StatusCode::SERVICE_UNAVAILABLE => Self::new(
                "Just a moment",
                "It took too long to answer. Nothing is lost; try again in a moment.",
                "TRY_AGAIN",
            ),
            _ => Self::new(
                "Something went wrong inside",
                "This is a fault of Postroom. No mail is lost by it; the log has the details.",
                "INTERNAL",
            ),
        }
    }
}

impl Failure {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::SignInNeeded => StatusCode::UNAUTHORIZED,
            Self::LinkSpent | Self::JoinSpent => StatusCode::GONE,
            Self::Store(StoreError::ReceiptState { .. } | StoreError::Deleted(_) | StoreError::NoOctets(_)) => {
                StatusCode::CONFLICT
            }
            Self::Store(error) if error.remedy() == Remedy::RetryLater => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(_) | Self::Bug => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn trouble(&self) -> Trouble {
        match self {
            Self::BadRequest(why) => Trouble::new("That did not work", why, "BAD_REQUEST"),
            Self::SignInNeeded => Trouble::new("Please sign in", "There is no session.", "SIGN_IN_NEEDED"),
            Self::LinkSpent => Trouble {
                shell: "postroom user signin-link ADDRESS",
                ..Trouble::new(
                    "This link does not sign in any more",
                    "A sign-in link works once and for 15 minutes. Ask for a new one, or print one where Postroom runs:",
                    "LINK_SPENT",
                )
            },
            Self::JoinSpent => Trouble::new(
                "This link does not work any more",
                "It works once, and only for a while. Ask for a new one.",
                "JOIN_SPENT",
            ),
            Self::Store(error) => Trouble {
                heading: "That did not work".to_owned(),
                lines: [error.to_string(), error.help()].iter().map(|line| sentence(line)).collect(),
                shell: "",
                code: error.code().to_owned(),
            },
            Self::NotFound | Self::Bug => Trouble::of_status(self.status()),
        }
    }
}

/// The text as a sentence: a capital letter in front and a full stop behind.
fn sentence(text: &str) -> String {
    let text = crate::words::capital(text.trim());
    if text.ends_with(['.', '!', '?']) { text } else { format!("{text}.") }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        if let Self::Store(error) = &self {
            tracing::error!(code = error.code(), "a request failed in the store");
        }
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self.trouble());
        response
    }
}

/// Whether the client would rather have JSON than a page.
pub(crate) fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.contains("json") && !accept.contains("text/html")
}

#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    detail: String,
    code: &'a str,
}

/// Gives every answer of status 400 and above its page, or its problem document where the client asked for JSON.
pub(crate) async fn dress(request: Request, next: Next) -> Response {
    let json = wants_json(request.headers());
    let plain = matches!(request.uri().path(), "/healthz" | "/metrics");
    let response = next.run(request).await;
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) || plain {
        return response;
    }
    let trouble = response.extensions().get::<Trouble>().cloned().unwrap_or_else(|| Trouble::of_status(status));
    let mut dressed = if json {
        let problem = Problem {
            r#type: "about:blank",
            title: &trouble.heading,
            status: status.as_u16(),
            detail: trouble.lines.join(" "),
            code: &trouble.code,
        };
        ([(header::CONTENT_TYPE, "application/problem+json")], Json(problem)).into_response()
    } else {
        let user = response.extensions().get::<crate::session::CurrentUser>();
        let page = Alone {
            href: if user.is_some() { "/" } else { "/signin" },
            link: if user.is_some() { "To the items" } else { "To the sign-in page" },
            frame: Frame::still(&trouble.heading, user),
            heading: trouble.heading,
            lines: trouble.lines,
            shell: trouble.shell,
            code: trouble.code,
            button: "",
        };
        page.into_response()
    };
    *dressed.status_mut() = status;
    for name in [header::RETRY_AFTER, header::ALLOW] {
        if let Some(value) = response.headers().get(&name) {
            dressed.headers_mut().insert(name, value.clone());
        }
    }
    dressed
}
