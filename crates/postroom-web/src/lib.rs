//! HTTP in: the pages on which people see what their mail became.
//!
//! Purpose: [`router`] answers with pages made on the server out of the store's verbs; [`serve`] runs it until it is
//! asked to stop. Every handler asks [`postroom_domain::authorize`] first; what that does not allow does not exist for the user.
//! May touch: HTTP requests and answers, the store's verbs. Must not: SQL, mail servers, files.
//! Standards: RFC 9110 (HTTP), RFC 6265 (cookies), RFC 6266 and 8187 (downloads), RFC 9457 (problems), RFC 2392 (cid),
//! WCAG 2.2 AA (pages).
//! Read in this order: `session`, `password`, `failure`, `safety`, `words`, `form`, then the pages: `items`, `item`, `attachments`,
//! `journal`, `mailboxes`, and `live`.

mod account;
mod api;
mod assets;
mod attachments;
mod attempt;
mod audit;
mod desk;
mod download;
mod failure;
mod form;
mod frame;
mod held;
mod item;
mod items;
mod join;
mod journal;
mod live;
mod mailboxes;
mod metrics;
mod page;
mod password;
mod people;
mod receipt;
mod register;
mod safety;
mod session;
mod settings;
mod text;
mod words;
mod work;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use postroom_domain::User;
use postroom_mail::{Message, RawMessage};
use postroom_store::Store;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

/// The version that pages show.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Octets of a request body; forms here are a few dozen long.
const BODY_MAX: usize = 64 * 1024;
/// How long a page may take. Streams are not meant: only their beginning counts.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// How long connections may finish what they are at when the server is asked to stop.
const GRACE: Duration = Duration::from_secs(5);

/// How the pages are reached.
#[derive(Debug, Clone)]
pub struct WebConfig {
    /// The address under which browsers see the pages, for example `http://127.0.0.1:8025`. With `https` the session
    /// cookie is sent over TLS only. Redirects do not use it: they are relative.
    pub base_url: String,
}

impl WebConfig {
    /// The address that signs in the person to whom this token was given.
    pub fn signin_url(&self, token: &str) -> String {
        format!("{}/signin/{token}", self.base_url.trim_end_matches('/'))
    }

    /// The address by which the person to whom this token was given shows that a mail address is theirs.
    pub fn join_url(&self, token: &str) -> String {
        format!("{}/join/{token}", self.base_url.trim_end_matches('/'))
    }
}

/// What every handler has at hand.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) store: Store,
    cookie: Arc<session::Cookie>,
    config: Arc<WebConfig>,
    changes: watch::Receiver<i64>,
    requests: Arc<api::Requests>,
    passwords: password::Passwords,
    read: Read,
}

/// Has a message read in a process of its own, since what is in it may do anything to its reader; `None` where that fails.
pub type Read = Arc<dyn Fn(RawMessage) -> Reading + Send + Sync>;
/// A message that is being read.
pub type Reading = Pin<Box<dyn Future<Output = Option<Message>> + Send>>;

impl App {
    /// The store, in the name of this person.
    pub(crate) fn by(&self, user: &User) -> Store {
        self.store.by(&user.address)
    }

    fn changes(&self) -> watch::Receiver<i64> {
        self.changes.clone()
    }
}

/// All pages. Must be called inside a Tokio runtime, because it starts the task that looks for changes.
pub fn router(store: Store, config: WebConfig, read: Read) -> Router {
    let changes = live::watch_changes(store.clone());
    let app = App {
        store,
        cookie: Arc::new(session::Cookie::of(&config.base_url)),
        config: Arc::new(config.clone()),
        changes,
        requests: Arc::default(),
        passwords: password::Passwords::default(),
        read,
    };
    let csrf = CsrfLayer::new().add_trusted_origin(config.base_url.trim_end_matches('/'));
    // An address that cannot be an origin adds none; requests are then judged by their own Host alone.
    let csrf = csrf.unwrap_or_else(|_| CsrfLayer::new());
    let router = Router::new()
        .route("/", get(items::page).post(work::on_list))
        .route("/items/{number}", get(item::page).post(work::on_item))
        .route("/items/{number}/html/{part}", get(item::html))
        .route("/items/{number}/original/{receipt}", get(item::original))
        .route("/items/{number}/original/{receipt}/raw", get(item::original_raw))
        .route("/attachments/{id}", get(attachments::attachment))
        .route("/receipts", get(journal::page))
        .route("/held", get(held::page).post(held::on_list))
        .route("/receipts/{id}", get(receipt::page).post(held::on_receipt))
        .route("/receipts/{id}/try", get(attempt::page))
        .route("/receipts/{id}/raw", get(receipt::raw))
        .route("/mailboxes", get(mailboxes::page))
        .route("/mailboxes/{name}", get(mailboxes::one::page).post(mailboxes::one::on_mailbox))
        .route("/people", get(people::page).post(people::on_people))
        .route("/settings", get(settings::page).post(settings::on_settings))
        .route("/audit", get(audit::page))
        .route("/live", get(live::live))
        .route("/signout", post(session::sign_out))
        .route("/signin", get(session::sign_in_page).post(session::sign_in_by_password))
        .route("/signin/{token}", get(session::sign_in))
        .route("/join/{token}", get(join::page).post(join::join))
        .route("/register", get(register::page).post(register::register))
        .route("/account", get(account::page))
        .route("/account/language", post(account::language))
        .route("/account/password", post(account::password))
        .route("/account/address", post(account::address))
        .route("/account/sign-out", post(session::sign_out_everywhere))
        .route("/account/tokens", post(account::add_token))
        .route("/account/tokens/{id}/remove", post(account::remove_token))
        .route("/healthz", get(healthz))
        .route("/metrics", get(metrics::metrics))
        .route("/assets/{version}/{name}", get(assets::asset))
        .fallback(|| async { failure::Failure::NotFound })
        .layer(from_fn_with_state(app.clone(), session::guard))
        .merge(api::router(&app))
        .layer(RequestBodyLimitLayer::new(BODY_MAX))
        .layer(csrf)
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, ANSWER_WITHIN))
        .with_state(app);
    outermost(router)
}

/// What holds for every answer, also for those of the layers within.
fn outermost(router: Router) -> Router {
    router
        .layer(CatchPanicLayer::custom(safety::after_panic))
        .layer(from_fn(failure::dress))
        .layer(from_fn(safety::headers))
}

/// Answers requests until `shutdown` is ready; then lets connections finish for a few seconds and returns.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (close, mut closing) = watch::channel(false);
    let router = router.layer(axum::Extension(live::Closing(closing.clone())));
    let asked = async move {
        shutdown.await;
        close.send_replace(true);
    };
    let grace_over = async move {
        // An error means that `asked` is over, which is the same.
        let _ = closing.wait_for(|closing| *closing).await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        result = axum::serve(listener, router).with_graceful_shutdown(asked) => result,
        () = grace_over => Ok(()),
    }
}

/// `GET /healthz`: whether the store answers. Says nothing else, so it needs no session.
async fn healthz(State(app): State<App>) -> Response {
    let plain = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    match app.store.latest_change().await {
        Ok(_) => (plain, "ok").into_response(),
        Err(error) => {
            tracing::error!(code = error.code(), "the store does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, plain, "the store does not answer").into_response()
        }
    }
}

#[cfg(test)]
mod tests;
