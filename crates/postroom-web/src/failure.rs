//! What can go wrong with a request, and the page or problem document (RFC 9457) that says so.

use crate::page::{Alone, Frame};
use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use postroom_store::{Remedy, StoreError};
use serde::Serialize;
use std::time::Duration;

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
    /// A request to the API has no token that counts.
    TokenNeeded,
    /// The token is good for looking only.
    ScopeTooSmall,
    /// Too many requests; the next one after so long.
    TooManyRequests(Duration),
    /// The body is no JSON.
    Unreadable(String),
    /// The body is JSON, but not what is asked for.
    Unprocessable(String),
    /// The body is longer than any that is taken.
    TooLarge,
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
            Self::BadRequest(_) | Self::Unreadable(_) => StatusCode::BAD_REQUEST,
            Self::SignInNeeded | Self::TokenNeeded => StatusCode::UNAUTHORIZED,
            Self::ScopeTooSmall => StatusCode::FORBIDDEN,
            Self::TooManyRequests(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::LinkSpent | Self::JoinSpent => StatusCode::GONE,
            Self::Store(error) if is_conflict(error) => StatusCode::CONFLICT,
            Self::Store(error) if is_unfit(error) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Store(error) if error.remedy() == Remedy::RetryLater => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(_) | Self::Bug => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn trouble(&self) -> Trouble {
        match self {
            Self::BadRequest(why) => Trouble::new("That did not work", why, "BAD_REQUEST"),
            Self::TokenNeeded => Trouble::new(
                "A token is needed",
                "The request has none, or one that does not count any more. `postroom token add` makes one.",
                "TOKEN_NEEDED",
            ),
            Self::ScopeTooSmall => Trouble::new(
                "This token only looks",
                "Its scope is `read`; `postroom token add --scope write` makes one that may change something.",
                "SCOPE_TOO_SMALL",
            ),
            Self::TooManyRequests(_) => Trouble::new(
                "Too many requests",
                "Nothing was done; Retry-After says when the next request is answered.",
                "TOO_MANY_REQUESTS",
            ),
            Self::Unreadable(why) => Trouble::new("The body is no JSON", &sentence(why), "BAD_REQUEST"),
            Self::Unprocessable(why) => Trouble::new("The body does not fit", &sentence(why), "BODY_UNFIT"),
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
            Self::NotFound | Self::TooLarge | Self::Bug => Trouble::of_status(self.status()),
        }
    }
}

/// Whether it does not go with how things stand.
fn is_conflict(error: &StoreError) -> bool {
    use StoreError as E;
    let state = matches!(error, E::ReceiptState { .. } | E::Deleted(_) | E::NoOctets(_) | E::Exists { .. });
    state || matches!(error, E::NothingToUndo(_) | E::UndoRefused { .. } | E::ParticipantIsRequester(_))
}

/// Whether what was asked for names or says something that cannot be.
fn is_unfit(error: &StoreError) -> bool {
    use StoreError as E;
    let value = matches!(error, E::AddressInvalid(_) | E::PatternInvalid(_) | E::RuleInvalid(_) | E::TagInvalid(_));
    value
        || matches!(
            error,
            E::TokenName | E::TextInvalid | E::AssigneeUnfit { .. } | E::CannotAdmit { .. } | E::Unknown { .. }
        )
}

/// The text as a sentence: a capital letter in front and a full stop behind.
fn sentence(text: &str) -> String {
    // An address at the beginning is no word.
    let is_address = text.split_whitespace().next().is_some_and(|word| word.contains('@'));
    let text = if is_address { text.trim().to_owned() } else { crate::words::capital(text.trim()) };
    if text.ends_with(['.', '!', '?']) { text } else { format!("{text}.") }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        if let Self::Store(error) = &self
            && self.status().is_server_error()
        {
            tracing::error!(code = error.code(), "a request failed in the store");
        }
        if matches!(self, Self::Bug) {
            tracing::error!("a request met a fault of Postroom");
        }
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self.trouble());
        match self {
            // RFC 6750 §3
            Self::TokenNeeded => {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            // Rounded up: a second early would be too early.
            Self::TooManyRequests(wait) => {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
            }
            _ => {}
        }
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
    let json = wants_json(request.headers()) || crate::api::is_path(request.uri().path());
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
    for name in [header::RETRY_AFTER, header::ALLOW, header::WWW_AUTHENTICATE] {
        if let Some(value) = response.headers().get(&name) {
            dressed.headers_mut().insert(name, value.clone());
        }
    }
    dressed
}
