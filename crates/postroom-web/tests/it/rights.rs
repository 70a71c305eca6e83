//! Who gets what: every address for everybody.

use crate::app::{App, EVERYBODY, Who};
use axum::body::Body;
use axum::http::{Method, StatusCode, header};

/// Status for nobody, outsider, participant, reader, manager, admin.
const GET: &[(&str, [u16; 6])] = &[
    ("/healthz", [200, 200, 200, 200, 200, 200]),
    ("/metrics", [404, 404, 404, 404, 404, 404]),
    ("/signin", [200, 200, 200, 200, 200, 200]),
    ("/signin/nonsense", [410, 410, 410, 410, 410, 410]),
    ("/join/nonsense", [200, 200, 200, 200, 200, 200]),
    ("/", [303, 200, 200, 200, 200, 200]),
    ("/?workspace=SUP", [303, 404, 404, 200, 200, 200]),
    ("/?workspace=%3C", [303, 404, 404, 404, 404, 404]),
    ("/?status=nonsense", [303, 400, 400, 400, 400, 400]),
    ("/?after=nonsense", [303, 400, 400, 400, 400, 400]),
    ("/items/1", [303, 404, 200, 200, 200, 200]),
    ("/items/2", [303, 404, 404, 404, 404, 404]),
    ("/items/one", [303, 404, 404, 404, 404, 404]),
    ("/items/99999999999999999999", [303, 404, 404, 404, 404, 404]),
    ("/items/1/html/description", [303, 404, 200, 200, 200, 200]),
    ("/items/1/html/c1", [303, 404, 404, 404, 404, 404]),
    ("/items/1/original/1", [303, 404, 404, 200, 200, 200]),
    ("/items/1/original/2", [303, 404, 404, 404, 404, 404]),
    ("/items/1/original/1/raw", [303, 404, 404, 200, 200, 200]),
    ("/attachments/1", [303, 404, 200, 200, 200, 200]),
    ("/attachments/1?inline=1", [303, 404, 200, 200, 200, 200]),
    ("/attachments/77", [303, 404, 404, 404, 404, 404]),
    ("/receipts", [303, 200, 404, 404, 200, 200]),
    ("/receipts?state=held", [303, 200, 404, 404, 200, 200]),
    ("/receipts?state=nonsense", [303, 400, 404, 404, 400, 400]),
    ("/receipts/1", [303, 404, 404, 404, 200, 200]),
    ("/receipts/2", [303, 404, 404, 404, 200, 200]),
    ("/receipts/3", [303, 404, 404, 404, 404, 404]),
    ("/receipts/2/raw", [303, 404, 404, 404, 200, 200]),
    ("/mailboxes", [303, 404, 404, 404, 404, 200]),
    ("/account", [303, 200, 200, 200, 200, 200]),
    ("/register", [404, 404, 404, 404, 404, 404]),
    ("/audit", [303, 404, 404, 404, 404, 200]),
    ("/audit?before=2", [303, 404, 404, 404, 404, 200]),
    ("/audit?before=x", [303, 404, 404, 404, 404, 400]),
    ("/receipts/2/try", [303, 404, 404, 404, 200, 200]),
    ("/settings", [303, 404, 404, 404, 404, 200]),
    ("/people", [303, 404, 404, 404, 404, 200]),
    ("/mailboxes/desk", [303, 404, 404, 404, 404, 200]),
    ("/mailboxes/nix", [303, 404, 404, 404, 404, 404]),
    ("/nowhere", [303, 404, 404, 404, 404, 404]),
    ("/signout", [303, 405, 405, 405, 405, 405]),
    ("/held", [303, 200, 404, 404, 200, 200]),
    ("/held?reason=AUTOMATIC_MAIL", [303, 200, 404, 404, 200, 200]),
    ("/held?reason=NONSENSE", [303, 400, 404, 404, 400, 400]),
    ("/assets/0/postroom.css", [404, 404, 404, 404, 404, 404]),
];

#[tokio::test]
async fn every_address_answers_everybody_as_it_should() {
    let app = App::new().await;
    for (path, expected) in GET {
        for (who, expected) in EVERYBODY.iter().zip(expected) {
            let answer = app.get(*who, path).await;
            assert_eq!(answer.status.as_u16(), *expected, "{path} for {who:?}: {}", answer.text());
            for name in ["content-security-policy", "x-content-type-options", "referrer-policy", "cache-control"] {
                assert!(answer.headers.contains_key(name), "{path} has no {name}");
            }
            if answer.status == StatusCode::SEE_OTHER {
                assert_eq!(answer.header("location"), "/signin", "{path}");
                assert!(answer.octets.is_empty(), "nothing is told before signing in");
            }
        }
    }
}

/// In this order: what the first ones may not do must not have been done when the last one does it.
#[tokio::test]
async fn held_mail_is_handled_only_by_those_who_may() {
    let app = App::new().await;
    for (path, form) in [("/receipts/2", "do=retry"), ("/receipts/2", "do=release&workspace=SUP")] {
        for (who, expected) in
            [(Who::Nobody, 303), (Who::Outsider, 404), (Who::Participant, 404), (Who::Reader, 404), (Who::Manager, 303)]
        {
            let answer = app.post(who, path, form).await;
            assert_eq!(answer.status.as_u16(), expected, "{path} for {who:?}");
            let location = if who == Who::Nobody { "/signin" } else { "/receipts/2" };
            if expected == 303 {
                assert_eq!(answer.header("location"), location);
            }
        }
        // Under the same rules it is held again; released, it is not.
        let outcomes = app.house.work_off().await;
        assert_eq!(outcomes.len(), 1, "{path}");
    }
    let page = app.get(Who::Manager, "/receipts/2").await.text();
    assert!(page.contains("It became item #2."), "{page}");
    // What is filed can be neither retried nor released.
    assert_eq!(app.post(Who::Admin, "/receipts/2", "do=retry").await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn nobody_releases_into_a_workspace_that_is_not_theirs() {
    let app = App::new().await;
    for (who, workspace, expected) in [
        (Who::Manager, "OPS", 404),
        (Who::Manager, "NONE", 404),
        (Who::Manager, "%20%3C", 400),
        (Who::Outsider, "OPS", 404),
        (Who::Admin, "OPS", 303),
    ] {
        let answer = app.post(who, "/receipts/2", &format!("do=release&workspace={workspace}")).await;
        assert_eq!(answer.status.as_u16(), expected, "{who:?} {workspace}");
    }
}

#[tokio::test]
async fn what_comes_from_another_site_does_nothing() {
    let app = App::new().await;
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("origin", "null")] {
        for path in ["/receipts/2", "/signout"] {
            let request = app.request(Who::Admin, Method::POST, path).header(name, value).body(Body::empty());
            let answer = app.send(request.unwrap()).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} with {name}: {value}");
        }
    }
    assert!(app.house.work_off().await.is_empty(), "nothing was retried");
    assert_eq!(app.get(Who::Admin, "/").await.status, StatusCode::OK, "nobody was signed out");
}

#[tokio::test]
async fn lists_show_only_what_one_may_see() {
    let app = App::new().await;
    for (who, path, seen) in [
        (Who::Outsider, "/", false),
        (Who::Outsider, "/?workspace=SUP", false),
        (Who::Outsider, "/?q=hello", false),
        (Who::Outsider, "/?q=%231", false),
        (Who::Outsider, "/receipts", false),
        (Who::Outsider, "/receipts?mailbox=desk", false),
        (Who::Reader, "/", true),
        (Who::Reader, "/?q=hello", true),
        (Who::Manager, "/receipts", true),
        (Who::Admin, "/?workspace=OPS", false),
    ] {
        let page = app.get(who, path).await.text();
        assert_eq!(page.contains("alert(&#39;subject&#39;)"), seen, "{path} for {who:?}");
        assert!(seen || !page.contains("Participant"), "{path} for {who:?}");
    }
}

#[tokio::test]
async fn the_bar_offers_only_what_one_may_see() {
    let app = App::new().await;
    for (who, journal, mailboxes) in
        [(Who::Reader, false, false), (Who::Manager, true, false), (Who::Admin, true, true)]
    {
        let page = app.get(who, "/").await.text();
        assert_eq!(page.contains("href=\"/receipts\""), journal, "{who:?}");
        assert_eq!(page.contains("href=\"/mailboxes\""), mailboxes, "{who:?}");
    }
}

#[tokio::test]
async fn programs_get_problem_documents() {
    let app = App::new().await;
    for (who, path, status, code) in [
        (Who::Nobody, "/items/1", 401, "SIGN_IN_NEEDED"),
        (Who::Outsider, "/items/1", 404, "NOT_FOUND"),
        (Who::Admin, "/nowhere", 404, "NOT_FOUND"),
        (Who::Admin, "/?status=x", 400, "BAD_REQUEST"),
        (Who::Admin, "/signout", 405, "METHOD_NOT_ALLOWED"),
    ] {
        let request = app.request(who, Method::GET, path).header(header::ACCEPT, "application/json");
        let answer = app.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let problem: serde_json::Value = serde_json::from_slice(&answer.octets).unwrap();
        assert_eq!((problem["status"].as_u64(), problem["code"].as_str()), (Some(status.into()), Some(code)), "{path}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let app = App::new().await;
    let answer = app.post(Who::Admin, "/receipts/2", &"x".repeat(100_000)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

/// Why a message ended where it did says which items there are; links say it too.
#[tokio::test]
async fn what_mail_names_is_shown_to_those_who_may_see_it() {
    let app = App::new().await;
    app.bring("3", "From: Other <other@customer.example>\r\nSubject: Other\r\n\r\nx\r\n").await;
    app.house.store.move_item(2, &"OPS".parse().unwrap(), jiff::Timestamp::now()).await.unwrap();
    let guess = "From: Participant <participant@customer.example>\r\nTo: desk@demo.example, kim@customer.example\r\n\
                 Subject: [#2] and [#9]\r\n\r\nguess\r\n";
    app.bring("4", guess).await;
    for (who, why, linked, proposed) in [
        (Who::Participant, false, false, false),
        (Who::Reader, true, false, false),
        (Who::Manager, true, false, true),
        (Who::Admin, true, true, true),
    ] {
        let page = app.get(who, "/items/3").await.text();
        assert!(page.contains("guess"), "{who:?}");
        assert_eq!(page.contains("Why is this here?"), why, "{who:?}");
        // Which numbers are items elsewhere, and which are none, is told to nobody who may not see all of them.
        assert_eq!(page.contains("no such item"), linked, "{who:?}");
        assert_eq!(page.contains("mentions #2"), linked, "{who:?}");
        assert_eq!(page.contains("href=\"/items/2\""), linked, "{who:?}");
        assert_eq!(page.contains("kim@customer.example"), proposed, "{who:?}");
    }
}
