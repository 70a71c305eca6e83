//! `/join/{token}`: showing that a mail address is one's own, for a registration or an invitation.

use crate::App;
use crate::failure::Failure;
use crate::page::{Alone, Frame};
use crate::session::signed_in;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use postroom_store::Proven;

/// `GET /join/{token}`: a button, because programs that look at links before people do must not use it up, or prove anything
/// in somebody else's name. It is the same whether there is such a link or not.
pub(crate) async fn page() -> Response {
    Alone {
        button: "Yes, this mail address is mine",
        ..Alone::new(
            Frame::still("Your account", None),
            "Your account",
            "Somebody asked for an account with your mail address, or invited you to have one. If that was not you, or you do not \
             want it, close this page and nothing happens.",
        )
    }
    .into_response()
}

/// `POST /join/{token}`: uses the link.
pub(crate) async fn join(State(app): State<App>, Path(token): Path<String>) -> Result<Response, Failure> {
    match app.store.prove(&token, Timestamp::now()).await? {
        None => Err(Failure::JoinSpent),
        Some(Proven::Joined(user, session)) => signed_in(&app, &user, &session),
        Some(Proven::Waits) => Ok(Alone::new(
            Frame::still("Your account", None),
            "Thank you",
            "Your mail address is confirmed. An admin has to approve your account; then you can sign in.",
        )
        .into_response()),
    }
}
