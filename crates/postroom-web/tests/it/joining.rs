//! Links by which people show that a mail address is theirs.

use crate::app::{App, Who};
use axum::http::StatusCode;
use jiff::Timestamp;
use postroom_domain::{GlobalPolicy, RegistrationMode};
use postroom_store::{Ask, AskedBy, Letter};

async fn registered(app: &App, registration: RegistrationMode) -> String {
    let policy = GlobalPolicy { registration, ..GlobalPolicy::default() };
    app.house.store.set_global_policy(&policy, Timestamp::now()).await.unwrap();
    let ask = Ask {
        address: "new@customer.example".to_owned(),
        name: "New".to_owned(),
        by: AskedBy::Stranger,
        password: None,
    };
    let asked = app.house.store.register(ask, Timestamp::now()).await.unwrap();
    let Letter::Link(token) = asked.letter else { panic!("nothing to send") };
    format!("/join/{}", token.expose())
}

#[tokio::test]
async fn a_link_asks_before_it_does_anything_and_then_signs_in() {
    let app = App::new().await;
    let path = registered(&app, RegistrationMode::Open).await;
    // Programs that look at links before people do change nothing.
    for _ in 0..2 {
        let page = app.get(Who::Nobody, &path).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text().contains("<form method=\"post\""), "{}", page.text());
    }
    let joined = app.post(Who::Nobody, &path, "").await;
    assert_eq!((joined.status, joined.header("location")), (StatusCode::SEE_OTHER, "/"));
    assert!(joined.header("set-cookie").contains("HttpOnly"));
    let again = app.post(Who::Nobody, &path, "").await;
    assert_eq!(again.status, StatusCode::GONE);
    assert!(again.text().contains("JOIN_SPENT"));
    assert_eq!(app.get(Who::Nobody, &path).await.status, StatusCode::OK, "the page is the same whatever the link");
}

#[tokio::test]
async fn where_an_admin_approves_the_link_signs_nobody_in() {
    let app = App::new().await;
    let path = registered(&app, RegistrationMode::Approval).await;
    let thanks = app.post(Who::Nobody, &path, "").await;
    assert_eq!(thanks.status, StatusCode::OK);
    assert!(thanks.text().contains("An admin has to approve") && !thanks.headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn a_link_cannot_be_pressed_from_another_site() {
    let app = App::new().await;
    let path = registered(&app, RegistrationMode::Open).await;
    let request = app.request(Who::Nobody, axum::http::Method::POST, &path).header("sec-fetch-site", "cross-site");
    let answer = app.send(request.body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(app.post(Who::Nobody, &path, "").await.status, StatusCode::SEE_OTHER);
}
