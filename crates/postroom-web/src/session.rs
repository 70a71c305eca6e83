//! Signing in by a link or a password, the session cookie, and the guard in front of every page.

use crate::App;
use crate::api;
use crate::failure::{Failure, wants_json};
use crate::form::Form;
use crate::page::{Alone, Frame};
use crate::words::Language;
use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use jiff::Timestamp;
use postroom_domain::{RegistrationMode, User};
use postroom_mail::Secret;
use postroom_store::{Session, StoreError};
use std::ops::Deref;
use std::sync::Arc;

/// Seconds for which a browser keeps the cookie; the store's own limit holds whatever the browser does.
const COOKIE_MAX_AGE: u32 = 14 * 24 * 3600;

/// The user of the session that a request came with.
#[derive(Debug, Clone)]
pub(crate) struct CurrentUser(pub(crate) Arc<User>);

impl Deref for CurrentUser {
    type Target = User;

    fn deref(&self) -> &User {
        &self.0
    }
}

/// What the user of the session has chosen.
#[derive(Debug, Clone)]
pub(crate) struct Preferences {
    /// Subtag of the language of the pages; `None` for what the browser asks for.
    pub(crate) language: Option<String>,
    /// Whether they can sign in with a password.
    pub(crate) has_password: bool,
}

/// The token of the session that a request came with.
#[derive(Clone)]
pub(crate) struct SessionToken(Secret);

/// The session cookie's name and protection.
pub(crate) struct Cookie {
    name: String,
    secure: bool,
}

impl Cookie {
    /// Browsers do not tell ports apart: without the port in its name, two installations on one machine would sign
    /// each other out. With TLS the name's prefix keeps other hosts from setting it (RFC 6265bis §4.1.3.2).
    pub(crate) fn of(base_url: &str) -> Self {
        let secure = base_url.starts_with("https://");
        let authority = base_url.split("://").nth(1).unwrap_or_default().split('/').next().unwrap_or_default();
        let port = authority.rsplit_once(':').map(|(_, port)| port).filter(|port| port.parse::<u16>().is_ok());
        let port = port.map(|port| format!("-{port}")).unwrap_or_default();
        Self { name: format!("{}postroom{port}", if secure { "__Host-" } else { "" }), secure }
    }

    fn set(&self, value: &str, max_age: u32) -> Option<HeaderValue> {
        let secure = if self.secure { "; Secure" } else { "" };
        let text = format!("{}={value}; HttpOnly; SameSite=Lax; Path=/; Max-Age={max_age}{secure}", self.name);
        HeaderValue::from_str(&text).ok()
    }

    // RFC 6265 §5.4
    fn read(&self, headers: &HeaderMap) -> Option<SessionToken> {
        let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = pairs.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let (_, value) = pairs.find(|(name, _)| *name == self.name)?;
        Some(SessionToken(Secret::new(value)))
    }
}

/// What is answered without a session: signing in, whether we live, how the page looks; and what has rules of its own.
fn is_public(path: &str) -> bool {
    matches!(path, "/healthz" | "/metrics" | "/signin" | "/register")
        || path.starts_with("/signin/")
        || path.starts_with("/join/")
        || path.starts_with("/assets/")
}

/// Lets a request through to its page only with a session; without one it learns nothing but where to sign in, whether
/// the page exists or not.
pub(crate) async fn guard(State(app): State<App>, mut request: Request, next: Next) -> Response {
    if is_public(request.uri().path()) {
        return next.run(request).await;
    }
    // What exists of the API has a guard of its own.
    if api::is_path(request.uri().path()) {
        return Failure::NotFound.into_response();
    }
    let user = match app.cookie.read(request.headers()) {
        None => Ok(None),
        Some(token) => app.session(&token, Timestamp::now()).await.map(|user| user.map(|user| (user, token))),
    };
    match user {
        Err(error) => Failure::from(error).into_response(),
        Ok(None) if wants_json(request.headers()) => Failure::SignInNeeded.into_response(),
        Ok(None) => Redirect::to("/signin").into_response(),
        Ok(Some((session, token))) => {
            let user = CurrentUser(Arc::new(session.user));
            let asked_for = || Language::asked_for(request.headers());
            let language = session.language.as_deref().and_then(Language::from_code).unwrap_or_else(asked_for);
            request.extensions_mut().insert(language);
            request
                .extensions_mut()
                .insert(Preferences { language: session.language, has_password: session.has_password });
            request.extensions_mut().insert(user.clone());
            request.extensions_mut().insert(token);
            let mut response = next.run(request).await;
            response.extensions_mut().insert(user);
            response.extensions_mut().insert(language);
            response
        }
    }
}

impl App {
    pub(crate) async fn session(&self, token: &SessionToken, now: Timestamp) -> Result<Option<Session>, StoreError> {
        self.store.session(token.0.expose(), now).await
    }
}

/// `GET /signin`: how to get in.
pub(crate) async fn sign_in_page(State(app): State<App>, t: Language) -> Result<Response, Failure> {
    Ok(form_page(&app, t, &Form::default()).await?.into_response())
}

async fn form_page(app: &App, t: Language, form: &Form) -> Result<Alone, Failure> {
    let open = app.store.global_policy().await?.registration != RegistrationMode::Closed;
    let address = form.field("address", t.mail_address(), "email").autocomplete("username").first(form);
    Ok(Alone {
        fields: vec![address, form.field("password", t.password(), "password").autocomplete("current-password")],
        button: t.sign_in(),
        below: t.sign_in_by_link(),
        shell: "postroom user signin-link ADDRESS",
        href: if open { "/register" } else { "" },
        link: t.register(),
        ..Alone::new(t, Frame::still(t.sign_in(), None), t.sign_in(), "")
    })
}

/// `POST /signin`: opens a session with address and password. Whether the address or the password is wrong is not told, and it
/// takes as long.
pub(crate) async fn sign_in_by_password(
    State(app): State<App>,
    t: Language,
    headers: HeaderMap,
    mut form: Form,
) -> Result<Response, Failure> {
    let (address, password, now) =
        (form.text("address").to_owned(), Secret::new(form.raw("password")), Timestamp::now());
    let stored = match app.store.stored_password(&address, now).await {
        Err(StoreError::TooMany) => {
            form.problem("address", t.too_many_attempts());
            return Ok(form.answer(form_page(&app, t, &form).await?));
        }
        stored => stored?,
    };
    let phc = stored.as_ref().map(|stored| stored.phc.clone());
    if app.passwords.fits(password, phc).await?
        && let Some(stored) = stored
        && let Some((user, session)) = app.store.sign_in(&stored, now).await?
    {
        // Whoever has put a cookie into this browser does not share the session that begins now.
        if let Some(old) = app.cookie.read(&headers) {
            app.store.end_session(old.0.expose(), now).await?;
        }
        return signed_in(&app, &user, &session);
    }
    app.store.password_failed(&address, now).await?;
    form.problem("address", t.password_wrong());
    Ok(form.answer(form_page(&app, t, &form).await?))
}

/// `GET /signin/{token}`: uses the link and opens a session.
pub(crate) async fn sign_in(
    State(app): State<App>,
    Path(token): Path<String>,
    method: Method,
) -> Result<Response, Failure> {
    // Programs that look at links before people do ask with HEAD; that must not use the link up.
    if method == Method::HEAD {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let (user, session) = app.store.use_signin_link(&token, Timestamp::now()).await?.ok_or(Failure::LinkSpent)?;
    signed_in(&app, &user, &session)
}

/// The answer to somebody who has a session now.
pub(crate) fn signed_in(app: &App, user: &User, session: &Secret) -> Result<Response, Failure> {
    tracing::info!(user = user.id.0, "signed in");
    with_session(app, session, "/")
}

/// The way to a page, under a session that has just begun.
pub(crate) fn with_session(app: &App, session: &Secret, to: &'static str) -> Result<Response, Failure> {
    let cookie = app.cookie.set(session.expose(), COOKIE_MAX_AGE).ok_or(Failure::Bug)?;
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to(to)).into_response())
}

/// `POST /signout`: ends the session.
pub(crate) async fn sign_out(
    State(app): State<App>,
    Extension(token): Extension<SessionToken>,
) -> Result<Response, Failure> {
    app.store.end_session(token.0.expose(), Timestamp::now()).await?;
    out(&app)
}

/// `POST /account/sign-out`: ends all sessions of the user, this one too.
pub(crate) async fn sign_out_everywhere(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
) -> Result<Response, Failure> {
    app.by(&user).sign_out_user(&user.address, Timestamp::now()).await?;
    out(&app)
}

/// The way to the sign-in page, without the cookie.
fn out(app: &App) -> Result<Response, Failure> {
    let cookie = app.cookie.set("", 0).ok_or(Failure::Bug)?;
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to("/signin")).into_response())
}
