//! `/receipts/{id}/try`: what would become of a message that was received, under the rules of now; nothing is written.

use crate::App;
use crate::failure::Failure;
use crate::page::{Frame, render};
use crate::receipt::receipt_for;
use crate::session::CurrentUser;
use crate::words::{Language, Step};
use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::Timestamp;
use postroom_domain::receipt::steps_for;
use postroom_domain::{Action, Receipt, User};
use postroom_store::{Explanation, Question};

#[derive(Template)]
#[template(path = "try.html")]
struct Attempt {
    t: Language,
    frame: Frame,
    receipt: Receipt,
    subject: String,
    steps: Vec<Step>,
    before: Vec<Step>,
}

/// What would become of the message of a receipt; `None` where it cannot be read.
pub(crate) async fn explain(app: &App, user: &User, id: &str) -> Result<(Receipt, Option<Explanation>), Failure> {
    let receipt = receipt_for(app, user, Action::Handle, id).await?;
    let raw = app.store.raw_of(receipt.id).await?;
    let Some(message) = (app.read)(raw).await else { return Ok((receipt, None)) };
    let question = Question { receipt: Some(receipt.id), ..Question::default() };
    let mut explanation = app.store.explain(question, &message, Timestamp::now()).await?;
    explanation.filing.trace = steps_for(user, explanation.filing.trace);
    Ok((receipt, Some(explanation)))
}

/// `GET /receipts/{id}/try`
pub(crate) async fn page(
    State(app): State<App>,
    Extension(user): Extension<CurrentUser>,
    t: Language,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let (receipt, explanation) = explain(&app, &user, &id).await?;
    let subject = receipt.subject.clone().filter(|subject| !subject.trim().is_empty());
    let steps = match explanation {
        Some(explanation) => t.would_become(&explanation),
        None => vec![Step { tone: "warn", sentence: t.cannot_be_read().to_owned(), code: "" }],
    };
    Ok(render(&Attempt {
        t,
        frame: Frame::still(t.try_title(), Some(&user)).section("journal"),
        subject: subject.unwrap_or_else(|| t.no_subject().to_owned()),
        steps,
        before: t.steps(&receipt),
        receipt,
    }))
}
