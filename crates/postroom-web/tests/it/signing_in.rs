//! Links that work once, sessions, and the cookie.

use crate::app::{App, Who};
use axum::body::Body;
use axum::http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};

#[tokio::test]
async fn a_link_signs_in_once() {
    let app = App::new().await;
    let path = format!("/signin/{}", app.house.token(&app.users[&Who::Reader]).await);
    // A program that looks at the link first does not use it up.
    let head = app.request(Who::Nobody, Method::HEAD, &path).body(Body::empty()).unwrap();
    assert_eq!(app.send(head).await.status, StatusCode::NO_CONTENT);
    let first = app.get(Who::Nobody, &path).await;
    assert_eq!((first.status, first.header("location")), (StatusCode::SEE_OTHER, "/"));
    let cookie = first.header("set-cookie");
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "there is no TLS here");
    let second = app.get(Who::Nobody, &path).await;
    assert_eq!(second.status, StatusCode::GONE);
    assert!(second.headers.get("set-cookie").is_none());
    assert!(second.text().contains("postroom user signin-link"));
}

#[tokio::test]
async fn an_expired_link_does_not_sign_in() {
    let app = App::new().await;
    let user = app.users[&Who::Reader].id;
    let long_ago = Timestamp::now() - SignedDuration::from_hours(1);
    let link = app.house.store.make_signin_link(user, SignedDuration::from_mins(15), long_ago).await.unwrap();
    assert_eq!(app.get(Who::Nobody, &format!("/signin/{}", link.expose())).await.status, StatusCode::GONE);
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let app = App::new().await;
    assert_eq!(app.get(Who::Reader, "/").await.status, StatusCode::OK);
    let out = app.post(Who::Reader, "/signout", "").await;
    assert_eq!((out.status, out.header("location")), (StatusCode::SEE_OTHER, "/signin"));
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(app.get(Who::Reader, "/").await.status, StatusCode::SEE_OTHER, "the old cookie opens nothing");
}

#[tokio::test]
async fn cookies_of_others_open_nothing() {
    let app = App::new().await;
    for cookie in ["postroom-8025=", "postroom-8025=x", "postroom=x; a=b", "postroom-8025=' OR 1=1 --", "=;;=", "é"] {
        let request = app.request(Who::Nobody, Method::GET, "/").header("cookie", cookie).body(Body::empty());
        assert_eq!(app.send(request.unwrap()).await.status, StatusCode::SEE_OTHER, "{cookie}");
    }
}

#[tokio::test]
async fn with_tls_the_cookie_travels_over_tls_only() {
    let mut app = App::new().await;
    let config = postroom_web::WebConfig { base_url: "https://post.example/".to_owned() };
    let token = app.house.token(&app.users[&Who::Reader]).await;
    assert_eq!(config.signin_url("T"), "https://post.example/signin/T");
    app.router = postroom_web::router(app.house.store.clone(), config, crate::app::reader());
    let answer = app.get(Who::Nobody, &format!("/signin/{token}")).await;
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-postroom=") && cookie.ends_with("; Secure"), "{cookie}");
}

#[tokio::test]
async fn redirects_never_name_a_host() {
    let app = App::new().await;
    let request = app.request(Who::Nobody, Method::GET, "/").header("x-forwarded-host", "evil.example");
    let answer = app.send(request.header("host", "evil.example").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.header("location"), "/signin");
}

#[tokio::test]
async fn the_way_in_shows_how_postroom_looks() {
    let app = App::new().await;
    let page = app.get(Who::Nobody, "/signin").await.text();
    let style = page.split("rel=\"stylesheet\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let answer = app.get(Who::Nobody, style).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.header("cache-control").contains("immutable"));
    assert!(answer.header("content-type").starts_with("text/css"));
}
