//! Working on items from the pages: what the forms of an item and of the list ask for, and the way back that says what was done
//! and how to take it back.

use crate::App;
use crate::desk::{self, Change};
use crate::failure::Failure;
use crate::form::Form;
use crate::item::{self, item_for};
use crate::items::{DONE_MAX, Done};
use crate::page::href;
use crate::receipt::number;
use crate::session::CurrentUser;
use crate::words::Language;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use postroom_domain::Action;
use postroom_store::StoreError;

/// The change that a form asks for; `None` for what is none.
fn change_of(form: &Form) -> Option<Change> {
    Some(match form.text("do") {
        "close" => Change::Close,
        "reopen" => Change::Reopen,
        "assign" => Change::Assign(Some(form.text("to").to_owned()).filter(|to| !to.is_empty())),
        "tag" => Change::Tag(form.text("tag").to_owned()),
        "untag" => Change::Untag(form.text("untag").to_owned()),
        "move" => Change::Move(form.text("workspace").parse().ok()?),
        "admit" => Change::Admit(form.text("address").to_owned(), None),
        "drop" => Change::Drop(form.text("drop").to_owned()),
        _ => return None,
    })
}

/// The field that this error is about.
fn field_of(error: &StoreError) -> Option<&'static str> {
    match error {
        StoreError::TagInvalid(_) => Some("tag"),
        StoreError::TextInvalid => Some("text"),
        StoreError::AddressInvalid(_) => Some("address"),
        StoreError::AssigneeUnfit { .. } => Some("to"),
        _ => None,
    }
}

/// `POST /items/{number}`: one change, a comment, or something taken back.
pub(crate) async fn on_item(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    t: Language,
    Path(asked): Path<String>,
    mut form: Form,
) -> Result<Response, Failure> {
    let number = number(&asked)?;
    let done = match form.text("do") {
        what @ ("comment" | "note") => {
            desk::comment(&app, &user, number, form.raw("text"), what == "note").await.map(|id| format!("#c{id}"))
        }
        "undo" => {
            let change = form.text("change").parse().map_err(|_| Failure::NotFound)?;
            desk::undo(&app, &user, number, Some(change)).await.map(|_| String::new())
        }
        _ => match change_of(&form) {
            Some(change) => match desk::change(&app, &user, number, change).await {
                Ok(()) => Ok(desk::last_change(&app, number).await?.map_or(String::new(), |id| format!("?done={id}"))),
                Err(failure) => Err(failure),
            },
            None => Err(Failure::BadRequest(Language::not_understood)),
        },
    };
    match done {
        Ok(rest) => Ok(Redirect::to(&format!("/items/{number}{rest}")).into_response()),
        Err(Failure::Store(error)) if field_of(&error).is_some() => {
            let sentences = t.sentences(&error);
            form.problem(field_of(&error).unwrap_or_default(), sentences.first().cloned().unwrap_or_default());
            item::answer(&app, &user, t, number, None, &form).await
        }
        Err(failure) => Err(failure),
    }
}

/// `POST /`: the same change on all items that are ticked, or what was done last to several taken back. What fails on one item
/// leaves the others as they are asked to be.
pub(crate) async fn on_list(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    form: Form,
) -> Result<Response, Failure> {
    let mut done = Done::default();
    if form.text("do") == "undo" {
        for (number, change) in Done::parse(form.text("done")).changes {
            match desk::undo(&app, &user, number, Some(change)).await {
                Ok(_) | Err(Failure::Store(_) | Failure::NotFound) => {}
                Err(failure) => return Err(failure),
            }
        }
    } else {
        let change = change_of(&form).ok_or(Failure::BadRequest(Language::not_understood))?;
        let items = form.all("item").filter_map(|text| text.parse().ok()).take(DONE_MAX);
        for number in items.collect::<Vec<i64>>() {
            match one_of_many(&app, &user, number, &change).await {
                Ok(Some(id)) => done.changes.push((number, id)),
                Ok(None) => {}
                Err(Failure::Store(_) | Failure::NotFound) => done.failed += 1,
                Err(failure) => return Err(failure),
            }
        }
    }
    let (changes, failed) = (done.to_string(), if done.failed > 0 { done.failed.to_string() } else { String::new() });
    // The form names the workspace that the list shows `in`, since it also names one to move into.
    let back = [("workspace", "in"), ("status", "status"), ("assigned", "assigned"), ("q", "q")];
    let back = back.map(|(name, field)| (name, form.text(field)));
    let back = back.into_iter().chain([("done", &*changes), ("failed", &*failed)]).collect::<Vec<_>>();
    Ok(Redirect::to(&href("/", &back)).into_response())
}

/// Changes one of several items; the number of the change, if it was one.
async fn one_of_many(app: &App, user: &CurrentUser, number: i64, change: &Change) -> Result<Option<i64>, Failure> {
    let before = item_for(app, user, Action::See, number).await?.updated_at;
    desk::change(app, user, number, change.clone()).await?;
    let after = item_for(app, user, Action::See, number).await?.updated_at;
    if before == after { Ok(None) } else { desk::last_change(app, number).await }
}
