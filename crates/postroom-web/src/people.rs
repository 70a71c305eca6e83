//! `/people`: who has an account, who may do what where, who waits for an account, and invitations.

use crate::App;
use crate::failure::Failure;
use crate::form::{Field, Form};
use crate::page::{Frame, render};
use crate::session::CurrentUser;
use crate::settings::store_of;
use crate::words::Language;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use postroom_domain::{Role, User, WorkspaceKey};
use postroom_store::{Pending, Store, StoreError, UserChange};

const PAGE: &str = "/people";

#[derive(Template)]
#[template(path = "people.html")]
struct People {
    t: Language,
    frame: Frame,
    pending: Vec<Pending>,
    people: Vec<User>,
    /// Main address of whoever looks: nobody takes away their own rights.
    me: String,
    invite: Vec<Field>,
    /// Workspaces and roles that can be chosen for somebody, as values and labels.
    workspaces: Vec<(String, String)>,
    roles: Vec<(String, String)>,
    /// The address of an invitation that was just made, and for whom.
    invited: Option<(String, String)>,
}

async fn people(
    app: &App,
    user: &CurrentUser,
    t: Language,
    form: &Form,
    invited: Option<(String, String)>,
) -> Result<Response, Failure> {
    let store = store_of(app, user)?;
    let workspaces: Vec<_> =
        store.workspaces().await?.iter().map(|one| (one.key.to_string(), one.name.clone())).collect();
    let roles: Vec<_> = Role::ALL.iter().map(|role| (role.as_str().to_owned(), t.role(*role).to_owned())).collect();
    let nowhere = std::iter::once((String::new(), t.no_workspace_yet().to_owned()));
    Ok(form.answer(render(&People {
        t,
        frame: Frame::still(t.accounts(), Some(user)).section("people"),
        pending: store.pending_registrations(Timestamp::now()).await?,
        people: store.users().await?,
        me: user.address.clone(),
        invite: vec![
            form.field("address", t.mail_address(), "email"),
            form.field("name", t.name(), "text").optional(),
            form.field("workspace", t.workspace(), "select").choices(nowhere.chain(workspaces.clone()).collect()),
            form.field("role", t.role_label(), "select").choices(roles.clone()).hint(t.roles_hint()),
        ],
        workspaces,
        roles,
        invited,
    })))
}

/// `GET /people`
pub(crate) async fn page(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    t: Language,
) -> Result<Response, Failure> {
    people(&app, &user, t, &Form::default(), None).await
}

/// `POST /people`
pub(crate) async fn on_people(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    t: Language,
    mut form: Form,
) -> Result<Response, Failure> {
    let store = store_of(&app, &user)?;
    if form.text("do") == "invite" {
        let address = form.text("address").to_owned();
        match invite(&store, &form).await {
            Ok(token) => {
                let invited = Some((address, app.config.join_url(&token)));
                return people(&app, &user, t, &Form::default(), invited).await;
            }
            Err(Failure::Store(StoreError::AddressInvalid(_))) => form.problem("address", t.address_nonsense()),
            Err(Failure::Store(StoreError::Exists { .. })) => form.problem("address", t.address_taken()),
            Err(failure) => return Err(failure),
        }
        return people(&app, &user, t, &form, None).await;
    }
    one_person(&store, &user, &form).await?;
    Ok(Redirect::to(PAGE).into_response())
}

/// Invites whom the form names; the token of the link.
async fn invite(store: &Store, form: &Form) -> Result<String, Failure> {
    let membership = match form.text("workspace") {
        "" => None,
        key => Some((workspace_of(key)?, role_of(form.text("role"))?)),
    };
    let memberships = membership.into_iter().collect();
    let invitation = store.invite(form.text("address"), form.text("name"), memberships, Timestamp::now()).await?;
    Ok(invitation.link.expose().to_owned())
}

fn workspace_of(key: &str) -> Result<WorkspaceKey, Failure> {
    key.parse().map_err(|_| Failure::NotFound)
}

fn role_of(name: &str) -> Result<Role, Failure> {
    name.parse().map_err(|_| Failure::BadRequest(Language::not_understood))
}

/// What is done with one person, who is named by address.
async fn one_person(store: &Store, me: &User, form: &Form) -> Result<(), Failure> {
    let (who, now) = (form.text("address"), Timestamp::now());
    let change = match form.text("do") {
        "approve" => return Ok(store.approve_registration(who, now).await.map(drop)?),
        "refuse" => return Ok(store.refuse_registration(who, now).await.map(drop)?),
        "sign-out" => return Ok(store.sign_out_user(who, now).await.map(drop)?),
        "member" => {
            let role = match form.text("role") {
                "" => None,
                name => Some(role_of(name)?),
            };
            UserChange { memberships: vec![(workspace_of(form.text("workspace"))?, role)], ..UserChange::default() }
        }
        "activate" => UserChange { active: Some(true), ..UserChange::default() },
        "make-admin" => UserChange { admin: Some(true), ..UserChange::default() },
        // Somebody has to be left who can take it back.
        "deactivate" | "unmake-admin" if who == me.address => return Err(Failure::NotFound),
        "deactivate" => UserChange { active: Some(false), ..UserChange::default() },
        "unmake-admin" => UserChange { admin: Some(false), ..UserChange::default() },
        _ => return Err(Failure::BadRequest(Language::not_understood)),
    };
    store.set_user(who, change, now).await?;
    Ok(())
}
