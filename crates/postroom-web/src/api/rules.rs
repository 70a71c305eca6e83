//! Routing rules. They are an admin's: they may name any workspace.

use super::answer::{Input, Problem, named_in_body};
use crate::App;
use crate::failure::Failure;
use crate::session::CurrentUser;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use jiff::Timestamp;
use postroom_domain::routing::{Place, RuleLint};
use postroom_domain::{Action, Actor, Object, Rule, RuleEdit, User, authorize};
use postroom_store::{Noun, Store, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The list of rules.
#[derive(Serialize, ToSchema)]
pub(crate) struct RuleList {
    /// The rules, in the order in which they are asked.
    rules: Vec<Rule>,
    /// What in the list is probably not meant.
    lint: Vec<String>,
}

/// A new list of rules.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRules {
    /// The rules, in the order in which they are to be asked.
    rules: Vec<Rule>,
}

/// A rule to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRule {
    /// The rule.
    rule: Rule,
    /// Where it goes; at the end if nothing is said.
    #[serde(default)]
    place: Option<PlaceAsked>,
}

/// Where in the list.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PlaceAsked {
    /// At the beginning.
    First,
    /// At the end.
    Last,
    /// Before the rule of this name.
    Before(String),
    /// After the rule of this name.
    After(String),
}

impl From<PlaceAsked> for Place {
    fn from(asked: PlaceAsked) -> Self {
        match asked {
            PlaceAsked::First => Self::First,
            PlaceAsked::Last => Self::Last,
            PlaceAsked::Before(other) => Self::Before(other),
            PlaceAsked::After(other) => Self::After(other),
        }
    }
}

fn store_of(app: &App, user: &User) -> Result<Store, Failure> {
    match authorize(Actor::User(user), Action::Configure, Object::Installation) {
        true => Ok(app.by(user)),
        false => Err(Failure::NotFound),
    }
}

async fn edit(app: &App, user: &User, change: RuleEdit) -> Result<Json<RuleList>, Failure> {
    let edited = store_of(app, user)?.edit_rules(change, Timestamp::now()).await;
    // A rule is named in the address, whatever else is unknown in the rule itself.
    let rules = edited.map_err(|error| match error {
        StoreError::Unknown { noun: Noun::Rule, .. } => Failure::NotFound,
        error => named_in_body(error),
    })?;
    shown(app, rules).await
}

async fn shown(app: &App, rules: Vec<Rule>) -> Result<Json<RuleList>, Failure> {
    let lint = app.store.lint_rules(&rules).await?.iter().map(RuleLint::to_string).collect();
    Ok(Json(RuleList { rules, lint }))
}

/// The routing rules.
#[utoipa::path(get, path = "/rules", responses((status = 200, body = RuleList), (status = 404, body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
) -> Result<Json<RuleList>, Failure> {
    let rules = store_of(&app, &user)?.rules().await?;
    shown(&app, rules).await
}

/// Replaces all routing rules.
#[utoipa::path(put, path = "/rules", request_body = NewRules,
    responses((status = 200, body = RuleList), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn replace(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Input(new): Input<NewRules>,
) -> Result<Json<RuleList>, Failure> {
    edit(&app, &user, RuleEdit::Replace(new.rules)).await
}

/// Adds a routing rule.
#[utoipa::path(post, path = "/rules", request_body = NewRule,
    responses((status = 201, body = RuleList), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn add(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Input(new): Input<NewRule>,
) -> Result<Response, Failure> {
    let place = new.place.map_or(Place::Last, Place::from);
    let list = edit(&app, &user, RuleEdit::Add(Box::new(new.rule), place)).await?;
    Ok((StatusCode::CREATED, list).into_response())
}

/// Changes a routing rule; another name renames it.
#[utoipa::path(put, path = "/rules/{name}", params(("name" = String, Path, description = "Its name")), request_body = Rule,
    responses((status = 200, body = RuleList), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn set(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(name): Path<String>,
    Input(rule): Input<Rule>,
) -> Result<Json<RuleList>, Failure> {
    edit(&app, &user, RuleEdit::Set(name, Box::new(rule))).await
}

/// Removes a routing rule; items that it has placed stay where they are.
#[utoipa::path(delete, path = "/rules/{name}", params(("name" = String, Path, description = "Its name")),
    responses((status = 200, body = RuleList), (status = 404, body = Problem)))]
pub(crate) async fn remove(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(name): Path<String>,
) -> Result<Json<RuleList>, Failure> {
    edit(&app, &user, RuleEdit::Remove(name)).await
}

/// Moves a routing rule within the list.
#[utoipa::path(post, path = "/rules/{name}/move", params(("name" = String, Path, description = "Its name")),
    request_body = PlaceAsked,
    responses((status = 200, body = RuleList), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn move_rule(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    Path(name): Path<String>,
    Input(place): Input<PlaceAsked>,
) -> Result<Json<RuleList>, Failure> {
    edit(&app, &user, RuleEdit::Move(name, place.into())).await
}
