//! `/register`: asking for an account, where that is allowed. Whether an address may have one, or has one, is never told: the
//! answer is the same.

use crate::failure::Failure;
use crate::form::Form;
use crate::page::{Alone, Frame};
use crate::words::Language;
use crate::{App, password};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use postroom_domain::RegistrationMode;
use postroom_store::{Ask, AskedBy, StoreError};

/// `GET /register`
pub(crate) async fn page(State(app): State<App>, t: Language) -> Result<Response, Failure> {
    match app.store.global_policy().await?.registration {
        RegistrationMode::Closed => Err(Failure::Store(StoreError::RegistrationClosed)),
        _ => Ok(form_page(t, &Form::default()).into_response()),
    }
}

fn form_page(t: Language, form: &Form) -> Alone {
    let password = form.field("password", t.password(), "password").autocomplete("new-password");
    Alone {
        fields: vec![
            form.field("address", t.mail_address(), "email").autocomplete("email").first(form),
            form.field("name", t.name(), "text").autocomplete("name").optional(),
            password.hint(t.password_hint()),
        ],
        button: t.register(),
        href: "/signin",
        link: t.to_sign_in(),
        ..Alone::new(t, Frame::still(t.register(), None), t.register(), t.register_text())
    }
}

/// `POST /register`
pub(crate) async fn register(State(app): State<App>, t: Language, mut form: Form) -> Result<Response, Failure> {
    let password = password::chosen(t, &mut form, "password");
    if !form.is_fine() {
        return Ok(form.answer(form_page(t, &form)));
    }
    let phc = match password {
        Some(password) => Some(app.passwords.hash(password).await?),
        None => None,
    };
    let (address, name) = (form.text("address").to_owned(), form.text("name").to_owned());
    let ask = Ask { address: address.clone(), name, by: AskedBy::Stranger, password: phc };
    match app.store.register(ask, Timestamp::now()).await {
        Ok(asked) => {
            let page = Alone::new(t, Frame::still(t.register(), None), t.one_more_step(), "");
            let lines = vec![t.send_the_code(address)];
            let code = asked.code.expose().to_owned();
            Ok(Alone {
                lines,
                code_to_send: code,
                below: t.then_sign_in(),
                href: "/signin",
                link: t.to_sign_in(),
                ..page
            }
            .into_response())
        }
        Err(StoreError::AddressInvalid(_)) => {
            form.problem("address", t.address_nonsense());
            Ok(form.answer(form_page(t, &form)))
        }
        Err(StoreError::TooMany) => {
            form.problem("address", t.too_often());
            Ok(form.answer(form_page(t, &form)))
        }
        Err(error) => Err(Failure::Store(error)),
    }
}
