//! `/join/{token}`: showing that a mail address is one's own, for a registration or an invitation.

use crate::App;
use crate::failure::Failure;
use crate::page::{Alone, Frame};
use crate::session::signed_in;
use crate::words::Language;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use postroom_store::Proven;

/// `GET /join/{token}`: a button, because programs that look at links before people do must not use it up, or prove anything
/// in somebody else's name. It is the same whether there is such a link or not.
pub(crate) async fn page(t: Language) -> Response {
    Alone {
        button: t.join_button(),
        ..Alone::new(t, Frame::still(t.your_account(), None), t.your_account(), t.join_text())
    }
    .into_response()
}

/// `POST /join/{token}`: uses the link.
pub(crate) async fn join(State(app): State<App>, t: Language, Path(token): Path<String>) -> Result<Response, Failure> {
    match app.store.prove(&token, Timestamp::now()).await? {
        None => Err(Failure::JoinSpent),
        Some(Proven::Joined(user, session)) => signed_in(&app, &user, &session),
        Some(Proven::Waits) => {
            Ok(Alone::new(t, Frame::still(t.your_account(), None), t.thank_you(), t.join_waits()).into_response())
        }
    }
}
