//! Signing in with a password, registering, and what people decide about themselves.

use crate::app::{App, Who};
use axum::http::StatusCode;
use jiff::Timestamp;
use postroom_domain::{GlobalPolicy, RegistrationMode};

const WRONG: &str = "do not belong together";

async fn with_password(app: &App, who: Who, password: &str) -> String {
    let answer = app.post(who, "/account/password", &format!("password={password}")).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/account"), "{}", answer.text());
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

async fn sign_in(app: &App, address: &str, password: &str) -> crate::app::Answer {
    app.post(Who::Nobody, "/signin", &format!("address={address}&password={password}")).await
}

#[tokio::test]
async fn a_password_signs_in_and_a_wrong_one_tells_nothing() {
    let app = App::new().await;
    let cookie = with_password(&app, Who::Reader, "correct+horse").await;
    assert_eq!(app.get(Who::Reader, "/").await.status, StatusCode::SEE_OTHER, "the session has another token now");
    assert_eq!(app.get_with(&cookie, "/").await.status, StatusCode::OK);
    let answer = sign_in(&app, "Reader%40demo.example", "correct+horse").await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/"));
    assert!(answer.header("set-cookie").contains("HttpOnly"));
    let mut pages = Vec::new();
    for (address, password) in [
        ("reader%40demo.example", "correct+horsf"),
        ("reader%40demo.example", ""),
        ("manager%40demo.example", "correct+horse"),
        ("nobody%40demo.example", "correct+horse"),
    ] {
        let answer = sign_in(&app, address, password).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{address}");
        assert!(!answer.headers.contains_key("set-cookie"), "{address}");
        let page = answer.text();
        assert!(page.contains(WRONG) && page.contains("aria-describedby=\"address-problem\""), "{page}");
        assert!(!page.contains("horse"), "a password is not sent back: {page}");
        pages.push(page.replace(&address.replace("%40", "@"), "ADDRESS"));
    }
    pages.dedup();
    assert_eq!(pages.len(), 1, "whoever has no account, or no password, gets the same page");
}

#[tokio::test]
async fn guessing_ends_soon() {
    let app = App::new().await;
    with_password(&app, Who::Reader, "correct+horse").await;
    for address in ["reader%40demo.example", "nobody%40demo.example"] {
        for _ in 0..postroom_store::FAILURES_PER_ADDRESS {
            assert!(sign_in(&app, address, "guess").await.text().contains(WRONG));
        }
        let answer = sign_in(&app, address, "correct+horse").await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{address}");
        assert!(answer.text().contains("Too many attempts"), "{address}");
    }
}

#[tokio::test]
async fn a_password_is_changed_only_by_whoever_knows_it() {
    let app = App::new().await;
    let short = app.post(Who::Reader, "/account/password", "password=short").await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(short.text().contains("at least 10 characters"), "{}", short.text());
    let cookie = with_password(&app, Who::Reader, "correct+horse").await;
    let wrong = app.post_with(&cookie, "/account/password", "current=guess&password=battery+staple").await;
    assert!(wrong.text().contains("not your present password"), "{}", wrong.text());
    let right = app.post_with(&cookie, "/account/password", "current=correct+horse&password=battery+staple").await;
    assert_eq!(right.status, StatusCode::SEE_OTHER, "{}", right.text());
    assert_eq!(app.get_with(&cookie, "/").await.status, StatusCode::SEE_OTHER, "the old session is over");
    assert_eq!(sign_in(&app, "reader%40demo.example", "battery+staple").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session() {
    let app = App::new().await;
    let cookie = with_password(&app, Who::Reader, "correct+horse").await;
    let other = sign_in(&app, "reader%40demo.example", "correct+horse").await;
    let other = other.header("set-cookie").split(';').next().unwrap().to_owned();
    let answer = app.post_with(&cookie, "/account/sign-out", "").await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/signin"));
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    for cookie in [&cookie, &other] {
        assert_eq!(app.get_with(cookie, "/").await.status, StatusCode::SEE_OTHER);
    }
}

#[tokio::test]
async fn people_choose_their_language_and_the_first_admin_an_address() {
    let app = App::new().await;
    assert!(app.get(Who::Admin, "/account").await.text().contains("<html lang=\"en\">"));
    app.post(Who::Admin, "/account/language", "language=de").await;
    assert!(app.get(Who::Admin, "/account").await.text().contains("<html lang=\"de\">"));
    app.post(Who::Admin, "/account/language", "language=").await;
    assert!(app.get(Who::Admin, "/").await.text().contains("<html lang=\"en\">"));

    assert_eq!(app.post(Who::Admin, "/account/address", "address=x%40y.example").await.status, StatusCode::NOT_FOUND);
    let admin = app.users[&Who::Admin].id;
    app.house.store.set_main_address(admin, "admin@localhost", Timestamp::now()).await.unwrap();
    for (address, problem) in [("nonsense", "no mail address"), ("reader%40demo.example", "has this address already")] {
        let answer = app.post(Who::Admin, "/account/address", &format!("address={address}")).await;
        assert!(answer.text().contains(problem), "{address}: {}", answer.text());
    }
    assert_eq!(
        app.post(Who::Admin, "/account/address", "address=Me%40demo.example").await.status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(app.house.store.user(admin).await.unwrap().unwrap().address, "me@demo.example");
}

#[tokio::test]
async fn a_token_is_shown_once_and_can_be_removed_by_its_person() {
    let app = App::new().await;
    for (form, problem) in
        [("token-name=&scope=read", "at most 64 characters"), ("token-name=x&days=0", "from 1 to 3650")]
    {
        let answer = app.post(Who::Reader, "/account/tokens", form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        assert!(answer.text().contains(problem), "{form}: {}", answer.text());
    }
    let page = app.post(Who::Reader, "/account/tokens", "token-name=nightly&scope=write&days=30").await.text();
    let secret = page.split("postroom_").nth(1).unwrap().split('<').next().unwrap();
    assert!(app.house.store.token(&format!("postroom_{secret}"), Timestamp::now()).await.unwrap().is_some());
    let again = app.get(Who::Reader, "/account").await.text();
    assert!(again.contains("<bdi>nightly</bdi>") && !again.contains(secret), "{again}");
    assert_eq!(app.post(Who::Manager, "/account/tokens/1/remove", "").await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.post(Who::Reader, "/account/tokens/1/remove", "").await.status, StatusCode::SEE_OTHER);
    assert!(!app.get(Who::Reader, "/account").await.text().contains("<bdi>nightly</bdi>"));
}

#[tokio::test]
async fn registering_tells_nothing_about_addresses() {
    let app = App::new().await;
    let closed = app.get(Who::Nobody, "/register").await;
    assert_eq!(closed.status, StatusCode::NOT_FOUND);
    let policy = GlobalPolicy { registration: RegistrationMode::Open, ..GlobalPolicy::default() };
    app.house.store.set_global_policy(&policy, Timestamp::now()).await.unwrap();
    assert!(app.get(Who::Nobody, "/signin").await.text().contains("href=\"/register\""));
    for (form, problem) in [
        ("address=nonsense&password=correct+horse", "no mail address"),
        ("address=a%40b.example&password=short", "at least 10 characters"),
    ] {
        let answer = app.post(Who::Nobody, "/register", form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        assert!(answer.text().contains(problem), "{form}: {}", answer.text());
    }
    let mut pages = Vec::new();
    for address in ["new@customer.example", "reader@demo.example"] {
        let form = format!("address={}&name=New&password=correct+horse", address.replace('@', "%40"));
        let answer = app.post(Who::Nobody, "/register", &form).await;
        assert_eq!(answer.status, StatusCode::OK, "{address}");
        let page = answer.text();
        let code = page.split("<pre class=\"shell\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
        pages.push(page.replace(address, "ADDRESS").replace(&code, "CODE"));
    }
    // An admin who approves it vouches for the address, not for the password: anybody may have typed it.
    app.house.store.approve_registration("new@customer.example", Timestamp::now()).await.unwrap();
    assert_eq!(pages[0], pages[1]);
    let unproven = sign_in(&app, "new%40customer.example", "correct+horse").await;
    assert_eq!(unproven.status, StatusCode::UNPROCESSABLE_ENTITY, "the password of whoever asked does not count");
    let taken = sign_in(&app, "reader%40demo.example", "correct+horse").await;
    assert_eq!(taken.status, StatusCode::UNPROCESSABLE_ENTITY, "nobody gets another's account");
}
