//! What can go wrong with a request, and the page or problem document (RFC 9457) that says so.

use crate::page::{Alone, Frame};
use crate::words::Language;
use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use postroom_store::{Remedy, StoreError};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// Why a request was not answered with what was asked for.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is no such thing, or it is not for this user: nobody learns which.
    NotFound,
    /// The request makes no sense.
    BadRequest(fn(Language) -> &'static str),
    /// A request to the API makes no sense.
    Parameter(&'static str),
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

/// What is said about a failure.
struct Trouble {
    heading: &'static str,
    lines: Vec<String>,
    shell: &'static str,
    code: &'static str,
}

impl Trouble {
    fn new(heading: &'static str, line: &str, code: &'static str) -> Self {
        Self { heading, lines: vec![line.to_owned()], shell: "", code }
    }

    /// What is said where only a status is known: answers of the HTTP machinery itself.
    fn of_status(t: Language, status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::new(t.not_found(), t.not_found_text(), "NOT_FOUND"),
            StatusCode::FORBIDDEN => Self::new(t.cross_site(), t.cross_site_text(), "CROSS_SITE"),
            StatusCode::METHOD_NOT_ALLOWED => {
                Self::new(t.not_like_this(), t.not_like_this_text(), "METHOD_NOT_ALLOWED")
            }
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(t.too_large(), t.too_large_text(), "TOO_LARGE"),
            status if status.is_client_error() => Self::new(t.did_not_work(), t.not_understood(), "BAD_REQUEST"),
            StatusCode::SERVICE_UNAVAILABLE => Self::new(t.moment(), t.moment_text(), "TRY_AGAIN"),
            _ => Self::new(t.bug(), t.bug_text(), "INTERNAL"),
        }
    }
}

impl Failure {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound | Self::Store(StoreError::RegistrationClosed) => StatusCode::NOT_FOUND,
            Self::BadRequest(_) | Self::Parameter(_) | Self::Unreadable(_) => StatusCode::BAD_REQUEST,
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

    fn trouble(&self, t: Language) -> Trouble {
        match self {
            Self::BadRequest(why) => Trouble::new(t.did_not_work(), why(t), "BAD_REQUEST"),
            Self::Parameter(why) => Trouble::new(t.did_not_work(), why, "BAD_REQUEST"),
            Self::TokenNeeded => Trouble::new(t.token_needed(), t.token_needed_text(), "TOKEN_NEEDED"),
            Self::ScopeTooSmall => Trouble::new(t.only_looks(), t.only_looks_text(), "SCOPE_TOO_SMALL"),
            Self::TooManyRequests(_) => Trouble::new(t.too_many(), t.too_many_text(), "TOO_MANY_REQUESTS"),
            Self::Unreadable(why) => Trouble::new(t.no_json(), &sentence(why), "BAD_REQUEST"),
            Self::Unprocessable(why) => Trouble::new(t.unfit(), &sentence(why), "BODY_UNFIT"),
            Self::SignInNeeded => Trouble::new(t.please_sign_in(), t.no_session(), "SIGN_IN_NEEDED"),
            Self::LinkSpent => Trouble {
                shell: "postroom user signin-link ADDRESS",
                ..Trouble::new(t.link_spent(), t.link_spent_text(), "LINK_SPENT")
            },
            Self::JoinSpent => Trouble::new(t.join_spent(), t.join_spent_text(), "JOIN_SPENT"),
            Self::Store(error) => {
                Trouble { heading: t.did_not_work(), lines: t.sentences(error), shell: "", code: error.code() }
            }
            Self::NotFound | Self::TooLarge | Self::Bug => Trouble::of_status(t, self.status()),
        }
    }
}

impl Language {
    /// What a failure of the store is: what happened, what is safe and what to do.
    pub(crate) fn sentences(self, error: &StoreError) -> Vec<String> {
        let words = self.error(error.code(), &error.to_string(), &error.help());
        [words.what, words.help, words.particulars]
            .iter()
            .filter(|line| !line.is_empty())
            .map(|line| sentence(line))
            .collect()
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
        match &self {
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
        // What is said of it depends on the language, which `dress` knows.
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// Whether the client would rather have JSON than a page.
pub(crate) fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.contains("json") && !accept.contains("text/html")
}

/// Marks an answer that says itself what is wrong, beside the fields of its form.
#[derive(Clone)]
pub(crate) struct SaysItself;

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
    let asked_for = Language::asked_for(request.headers());
    let response = next.run(request).await;
    let status = response.status();
    let says_itself = !json && response.extensions().get::<SaysItself>().is_some();
    if !(status.is_client_error() || status.is_server_error()) || plain || says_itself {
        return response;
    }
    let known = response.extensions();
    // Programs are always told in English.
    let t = if json { Language::English } else { known.get().copied().unwrap_or(asked_for) };
    let failure = known.get::<Arc<Failure>>();
    let trouble = failure.map_or_else(|| Trouble::of_status(t, status), |failure| failure.trouble(t));
    let mut dressed = if json {
        let problem = Problem {
            r#type: "about:blank",
            title: trouble.heading,
            status: status.as_u16(),
            detail: trouble.lines.join(" "),
            code: trouble.code,
        };
        ([(header::CONTENT_TYPE, "application/problem+json")], Json(problem)).into_response()
    } else {
        let user = response.extensions().get::<crate::session::CurrentUser>();
        let page = Alone {
            href: if user.is_some() { "/" } else { "/signin" },
            link: if user.is_some() { t.to_items() } else { t.to_sign_in() },
            lines: trouble.lines,
            shell: trouble.shell,
            code: trouble.code,
            ..Alone::new(t, Frame::still(trouble.heading, user), trouble.heading, "")
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
