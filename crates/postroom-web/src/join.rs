//! `/join/{token}`: showing that a mail address is one's own, for a registration or an invitation.

use crate::failure::Failure;
use crate::form::Form;
use crate::page::{Alone, Frame};
use crate::session::signed_in;
use crate::words::Language;
use crate::{App, password};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use postroom_store::Proven;

/// `GET /join/{token}`: a button, because programs that look at links before people do must not use it up, or prove anything
/// in somebody else's name. It is the same whether there is such a link or not.
pub(crate) async fn page(t: Language) -> Response {
    form_page(t, &Form::default()).into_response()
}

fn form_page(t: Language, form: &Form) -> Alone {
    let password = form.field("password", t.choose_password(), "password").autocomplete("new-password").optional();
    Alone {
        fields: vec![password.hint(t.choose_password_hint())],
        button: t.join_button(),
        ..Alone::new(t, Frame::still(t.your_account(), None), t.your_account(), t.join_text())
    }
}

/// `POST /join/{token}`: uses the link. Without a password one gets in by links.
pub(crate) async fn join(
    State(app): State<App>,
    t: Language,
    Path(token): Path<String>,
    mut form: Form,
) -> Result<Response, Failure> {
    let password = match form.raw("password") {
        "" => None,
        _ => password::chosen(t, &mut form, "password"),
    };
    if !form.is_fine() {
        return Ok(form.answer(form_page(t, &form)));
    }
    let phc = match password {
        Some(password) => Some(app.passwords.hash(password).await?),
        None => None,
    };
    match app.store.prove(&token, phc, Timestamp::now()).await? {
        None => Err(Failure::JoinSpent),
        Some(Proven::Joined(user, session)) => signed_in(&app, &user, &session),
        Some(Proven::Waits) => {
            Ok(Alone::new(t, Frame::still(t.your_account(), None), t.thank_you(), t.join_waits()).into_response())
        }
    }
}
