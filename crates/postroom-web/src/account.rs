//! `/account`: what a person decides about themselves: language, password, sessions, tokens.

use crate::failure::Failure;
use crate::form::{Field, Form};
use crate::page::Frame;
use crate::receipt::number;
use crate::session::{CurrentUser, Preferences, with_session};
use crate::words::Language;
use crate::{App, password};
use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use jiff::{SignedDuration, Timestamp};
use postroom_domain::User;
use postroom_mail::Secret;
use postroom_store::{ApiToken, NewToken, Scope, StoreError};

/// The page itself.
const PAGE: &str = "/account";
/// What the address of the account that is made at the first start ends with: nobody can write there.
const NO_ADDRESS: &str = "@localhost";

#[derive(Template)]
#[template(path = "account.html")]
struct Account {
    t: Language,
    frame: Frame,
    now: Timestamp,
    /// Only for the account that was made at the first start.
    address: Option<Field>,
    language: Field,
    has_password: bool,
    passwords: Vec<Field>,
    tokens: Vec<ApiToken>,
    new_token: Vec<Field>,
    /// A token that was just made: it is shown this once.
    secret: String,
}

/// What a page is made of beside the store.
struct Asked<'a> {
    t: Language,
    user: &'a CurrentUser,
    chosen: &'a Preferences,
}

async fn account(app: &App, asked: &Asked<'_>, form: &Form, secret: &str) -> Result<Response, Failure> {
    let Asked { t, user, chosen } = *asked;
    let tokens = app.store.tokens(Some(user.id)).await?;
    let language = Form::with(&[("language", chosen.language.as_deref().unwrap_or_default())]);
    let languages = Language::ALL.map(|one| (one.code().to_owned(), one.own_name().to_owned()));
    let languages = std::iter::once((String::new(), t.as_the_browser_asks().to_owned())).chain(languages);
    let current = chosen
        .has_password
        .then(|| form.field("current", t.current_password(), "password").autocomplete("current-password"));
    let new = form.field("password", t.new_password(), "password").autocomplete("new-password").hint(t.password_hint());
    let scopes = vec![("read".to_owned(), t.scope_read().to_owned()), ("write".to_owned(), t.scope_write().to_owned())];
    let page = Account {
        t,
        frame: Frame::still(t.your_account(), Some(user)),
        now: Timestamp::now(),
        address: is_first(user).then(|| {
            form.field("address", t.mail_address(), "email").autocomplete("email").hint(t.first_address_hint())
        }),
        language: language.field("language", t.language(), "select").choices(languages.collect()),
        has_password: chosen.has_password,
        passwords: current.into_iter().chain([new]).collect(),
        tokens,
        new_token: vec![
            form.field("token-name", t.token_name(), "text").hint(t.token_name_hint()),
            form.field("scope", t.token_scope(), "select").choices(scopes),
            form.field("days", t.token_days(), "number").optional().hint(t.token_days_hint()),
        ],
        secret: secret.to_owned(),
    };
    Ok(form.answer(Html(page.render().map_err(|_| Failure::Bug)?)))
}

/// Whether it is the account that is made at the first start, and still has no address.
fn is_first(user: &User) -> bool {
    user.admin && user.address.ends_with(NO_ADDRESS)
}

/// `GET /account`
pub(crate) async fn page(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Extension(chosen): Extension<Preferences>,
    t: Language,
) -> Result<Response, Failure> {
    account(&app, &Asked { t, user: &user, chosen: &chosen }, &Form::default(), "").await
}

/// `POST /account/language`
pub(crate) async fn language(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    form: Form,
) -> Result<Response, Failure> {
    let language = Language::from_code(form.text("language"));
    app.by(&user).set_language(user.id, language.map(Language::code), Timestamp::now()).await?;
    Ok(Redirect::to(PAGE).into_response())
}

/// `POST /account/password`: all other sessions end, and this one goes on under another token.
pub(crate) async fn password(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Extension(chosen): Extension<Preferences>,
    t: Language,
    mut form: Form,
) -> Result<Response, Failure> {
    let now = Timestamp::now();
    if chosen.has_password {
        match app.store.stored_password(&user.address, now).await {
            Ok(stored) => {
                let phc = stored.map(|stored| stored.phc);
                if !app.passwords.fits(Secret::new(form.raw("current")), phc).await? {
                    app.store.password_failed(&user.address, now).await?;
                    form.problem("current", t.current_wrong());
                }
            }
            Err(StoreError::TooMany) => form.problem("current", t.too_many_attempts()),
            Err(error) => return Err(error.into()),
        }
    }
    let new = password::chosen(t, &mut form, "password").filter(|_| form.is_fine());
    let Some(new) = new else {
        return account(&app, &Asked { t, user: &user, chosen: &chosen }, &form, "").await;
    };
    let phc = app.passwords.hash(new).await?;
    let session = app.by(&user).set_password(user.id, phc, now).await?;
    with_session(&app, &session, PAGE)
}

/// `POST /account/address`: for the account that is made at the first start.
pub(crate) async fn address(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Extension(chosen): Extension<Preferences>,
    t: Language,
    mut form: Form,
) -> Result<Response, Failure> {
    if !is_first(&user) {
        return Err(Failure::NotFound);
    }
    match app.by(&user).set_main_address(user.id, form.text("address"), Timestamp::now()).await {
        Ok(_) => return Ok(Redirect::to(PAGE).into_response()),
        Err(StoreError::AddressInvalid(_)) => form.problem("address", t.address_nonsense()),
        Err(StoreError::Exists { .. }) => form.problem("address", t.address_taken()),
        Err(error) => return Err(error.into()),
    }
    account(&app, &Asked { t, user: &user, chosen: &chosen }, &form, "").await
}

/// `POST /account/tokens`: makes a token, and shows it this once.
pub(crate) async fn add_token(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Extension(chosen): Extension<Preferences>,
    t: Language,
    mut form: Form,
) -> Result<Response, Failure> {
    let now = Timestamp::now();
    let scope = if form.text("scope") == "write" { Scope::Write } else { Scope::Read };
    let expires_at = match form.text("days") {
        "" => None,
        days => match days.parse::<u16>() {
            Ok(days @ 1..=3650) => now.checked_add(SignedDuration::from_hours(24 * i64::from(days))).ok(),
            _ => {
                form.problem("days", t.days_nonsense());
                None
            }
        },
    };
    let asked = Asked { t, user: &user, chosen: &chosen };
    if form.is_fine() {
        let name = form.text("token-name").to_owned();
        let new = NewToken { user: user.address.clone(), name, scope, expires_at };
        match app.by(&user).add_token(new, now).await {
            Ok((_, secret)) => return account(&app, &asked, &Form::default(), secret.expose()).await,
            Err(StoreError::TokenName) => form.problem("token-name", t.token_name_nonsense()),
            Err(error) => return Err(error.into()),
        }
    }
    account(&app, &asked, &form, "").await
}

/// `POST /account/tokens/{id}/remove`
pub(crate) async fn remove_token(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    app.by(&user).remove_token(number(&id)?, Some(user.id), Timestamp::now()).await?;
    Ok(Redirect::to(PAGE).into_response())
}
