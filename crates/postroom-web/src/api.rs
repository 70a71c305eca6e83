//! `/api/v1`: what the pages show and do, for programs. The handlers ask the same questions and call the same functions as
//! the pages, and the description (`/api/v1/openapi.json`) is made of them.
//!
//! Read in this order: here (how requests are let in), `answer` (how they are answered), `items`, `receipts`, `mailboxes`,
//! `rules`, `settings`, `people`.

mod answer;
mod items;
mod mailboxes;
mod people;
mod receipts;
mod rules;
mod settings;

use crate::App;
use crate::failure::Failure;
use crate::session::CurrentUser;
use axum::extract::{Request, State};
use axum::http::{Method, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use jiff::Timestamp;
use postroom_domain::UserId;
use postroom_store::Scope;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use utoipa::OpenApi;
use utoipa::openapi::path::PathItem;
use utoipa::openapi::{ContentBuilder, Ref, ResponseBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Requests that one person's programs may make within [`WINDOW`].
pub const REQUESTS_MAX: u32 = 600;
/// The time for which requests are counted.
const WINDOW: Duration = Duration::from_secs(60);

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Postroom",
        description = "Mail as work items: what the pages show and do, for programs. A request brings a token \
                       (`postroom token add`) as `Authorization: Bearer`; it may what the person may in whose name it acts, \
                       with the scope `read` only look. What one may not see does not exist: the answer is 404. Errors are \
                       problem documents (RFC 9457) with a stable `code`. Lists come in pages: `next` is the cursor of the \
                       next one."
    ),
    security(("token" = [])),
    modifiers(&Security)
)]
struct Description;

struct Security;

impl utoipa::Modify for Security {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
}

/// The routes, and their description.
fn described() -> (Router<App>, utoipa::openapi::OpenApi) {
    let routes = OpenApiRouter::new()
        .routes(routes!(people::me))
        .routes(routes!(people::workspaces))
        .routes(routes!(people::tokens))
        .routes(routes!(people::remove_token))
        .routes(routes!(items::list))
        .routes(routes!(items::show, items::change))
        .routes(routes!(items::history))
        .routes(routes!(items::comment))
        .routes(routes!(items::move_item))
        .routes(routes!(items::undo))
        .routes(routes!(items::split_comment))
        .routes(routes!(items::move_comment))
        .routes(routes!(items::add_participant))
        .routes(routes!(items::remove_participant))
        .routes(routes!(receipts::list))
        .routes(routes!(receipts::show, receipts::delete))
        .routes(routes!(receipts::raw))
        .routes(routes!(receipts::retry))
        .routes(routes!(receipts::release))
        .routes(routes!(receipts::block))
        .routes(routes!(receipts::explain))
        .routes(routes!(mailboxes::pause))
        .routes(routes!(mailboxes::resume))
        .routes(routes!(mailboxes::visit))
        .routes(routes!(settings::show, settings::replace))
        .routes(routes!(settings::users))
        .routes(routes!(settings::registrations, settings::invite))
        .routes(routes!(settings::approve))
        .routes(routes!(settings::refuse))
        .routes(routes!(rules::list, rules::replace, rules::add))
        .routes(routes!(rules::set, rules::remove))
        .routes(routes!(rules::move_rule));
    let nested = OpenApiRouter::with_openapi(Description::openapi()).nest("/api/v1", routes);
    let (router, mut openapi) = nested.split_for_parts();
    openapi.info.version = env!("CARGO_PKG_VERSION").to_owned();
    openapi.paths.paths.values_mut().for_each(add_refusals);
    (router, openapi)
}

/// Describes how every operation can be refused before it is asked anything.
fn add_refusals(item: &mut PathItem) {
    let refusal = |why: &str| {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        ResponseBuilder::new().description(why).content("application/problem+json", content).build()
    };
    let changing = [&mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
    for operation in changing.into_iter().flatten() {
        operation.responses.responses.insert("403".to_owned(), refusal("The token only looks").into());
    }
    let all = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
    for operation in all.into_iter().flatten() {
        for (status, why) in [
            ("400", "The request cannot be understood"),
            ("401", "A token is needed"),
            ("429", "Too many requests; Retry-After says when the next one is answered"),
        ] {
            operation.responses.responses.entry(status.to_owned()).or_insert_with(|| refusal(why).into());
        }
    }
}

/// All of `/api/v1`.
pub(crate) fn router(app: &App) -> Router<App> {
    let (router, openapi) = described();
    let description = get(async move || Json(openapi.clone()));
    router
        .route("/api/v1/openapi.json", description)
        .layer(from_fn(answer::etag))
        .layer(from_fn_with_state(app.clone(), admit))
}

/// Whether a path is one of the API.
pub(crate) fn is_path(path: &str) -> bool {
    path.starts_with("/api/")
}

/// Lets a request in with a token. What looks like a program's request without one learns nothing but that.
async fn admit(State(app): State<App>, mut request: Request, next: Next) -> Response {
    // The description has no secrets: it is the same for everybody.
    if request.uri().path() == "/api/v1/openapi.json" {
        return next.run(request).await;
    }
    let bearer = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    // RFC 6750 §2.1; the name of the scheme has no case.
    let token =
        bearer.and_then(|text| text.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some((_, token)) = token else { return Failure::TokenNeeded.into_response() };
    let (user, scope) = match app.store.token(token.trim(), Timestamp::now()).await {
        Ok(Some(found)) => found,
        Ok(None) => return Failure::TokenNeeded.into_response(),
        Err(error) => return Failure::from(error).into_response(),
    };
    if let Err(wait) = app.requests.count(user.id, Instant::now()) {
        return Failure::TooManyRequests(wait).into_response();
    }
    let only_looks = matches!(*request.method(), Method::GET | Method::HEAD);
    if scope == Scope::Read && !only_looks {
        return Failure::ScopeTooSmall.into_response();
    }
    request.extensions_mut().insert(CurrentUser(Arc::new(user)));
    next.run(request).await
}

/// How many requests came in whose name, since when.
#[derive(Debug, Default)]
pub(crate) struct Requests(Mutex<HashMap<UserId, (Instant, u32)>>);

impl Requests {
    /// Counts one; the error is how long to wait.
    fn count(&self, user: UserId, now: Instant) -> Result<(), Duration> {
        // Nothing panics while it is held; and what is in it is whole at any time.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = known.entry(user).or_insert((now, 0));
        let past = now.saturating_duration_since(*since);
        if past >= WINDOW {
            (*since, *count) = (now, 0);
        } else if *count >= REQUESTS_MAX {
            return Err(WINDOW - past);
        }
        *count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn requests_are_counted_for_each_person_and_forgotten_after_a_minute() {
        let (requests, now) = (Requests::default(), Instant::now());
        for _ in 0..REQUESTS_MAX {
            requests.count(UserId(1), now).unwrap();
        }
        let later = now + Duration::from_secs(10);
        assert_eq!(requests.count(UserId(1), later), Err(Duration::from_secs(50)));
        assert_eq!(requests.count(UserId(2), later), Ok(()));
        assert_eq!(requests.count(UserId(1), now + WINDOW), Ok(()));
    }
}
