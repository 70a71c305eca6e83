//! The API: who gets what from every operation that it describes, and how it says no.

use crate::app::{Answer, App, EVERYBODY, Who};
use axum::body::Body;
use axum::http::{Method, Request, header};
use jiff::Timestamp;
use postroom_domain::{Role, User};
use postroom_store::{NewToken, OutcomeKind, Scope};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// An operation of the description, where it is asked, with what, and the status for nobody, outsider, participant, reader,
/// manager, admin – asked in this order of one house, so that what the first ones may not do has not been done.
type Row = (&'static str, &'static str, &'static str, [u16; 6]);

const ROWS: &[Row] = &[
    ("get /me", "/me", "", [401, 200, 200, 200, 200, 200]),
    ("get /workspaces", "/workspaces", "", [401, 200, 200, 200, 200, 200]),
    ("get /tokens", "/tokens", "", [401, 200, 200, 200, 200, 200]),
    ("delete /tokens/{id}", "/tokens/99", "", [401, 404, 404, 404, 404, 404]),
    ("get /items", "/items?workspace=SUP", "", [401, 404, 404, 200, 200, 200]),
    ("get /items/{number}", "/items/1", "", [401, 404, 200, 200, 200, 200]),
    ("patch /items/{number}", "/items/1", r#"{"status":"closed"}"#, [401, 404, 404, 404, 200, 200]),
    ("get /items/{number}/history", "/items/1/history", "", [401, 404, 404, 200, 200, 200]),
    ("post /items/{number}/comments", "/items/1/comments", r#"{"text":"x"}"#, [401, 404, 201, 404, 201, 201]),
    ("post /items/{number}/move", "/items/1/move", r#"{"workspace":"OPS"}"#, [401, 404, 404, 404, 404, 204]),
    ("post /items/{number}/undo", "/items/1/undo", "{}", [401, 404, 404, 404, 200, 200]),
    ("post /items/{number}/comments/{comment}/split", "/items/1/comments/1/split", "", [401, 404, 404, 404, 201, 404]),
    (
        "post /items/{number}/comments/{comment}/move",
        "/items/1/comments/1/move",
        r#"{"item":2}"#,
        [401, 404, 404, 404, 204, 404],
    ),
    (
        "post /items/{number}/participants",
        "/items/1/participants",
        r#"{"address":"a@b.example"}"#,
        [401, 404, 404, 404, 204, 204],
    ),
    (
        "delete /items/{number}/participants/{address}",
        "/items/1/participants/c@b.example",
        "",
        [401, 404, 404, 404, 204, 404],
    ),
    ("get /receipts", "/receipts", "", [401, 200, 404, 404, 200, 200]),
    ("get /receipts/{id}", "/receipts/1", "", [401, 404, 404, 404, 200, 200]),
    ("get /receipts/{id}/raw", "/receipts/1/raw", "", [401, 404, 404, 404, 200, 200]),
    ("get /receipts/{id}/explain", "/receipts/2/explain", "", [401, 404, 404, 404, 200, 200]),
    ("post /receipts/{id}/retry", "/receipts/2/retry", "", [401, 404, 404, 404, 202, 409]),
    ("post /receipts/{id}/release", "/receipts/2/release", r#"{"workspace":"SUP"}"#, [401, 404, 404, 404, 202, 409]),
    ("post /receipts/{id}/block", "/receipts/2/block", "", [401, 404, 404, 404, 404, 204]),
    ("delete /receipts/{id}", "/receipts/2", "", [401, 404, 404, 404, 404, 204]),
    ("post /mailboxes/{name}/pause", "/mailboxes/desk/pause", "", [401, 404, 404, 404, 404, 204]),
    ("post /mailboxes/{name}/resume", "/mailboxes/desk/resume", "", [401, 404, 404, 404, 404, 204]),
    ("post /mailboxes/{name}/visit", "/mailboxes/desk/visit", "", [401, 404, 404, 404, 404, 202]),
    ("get /settings", "/settings", "", [401, 404, 404, 404, 404, 200]),
    ("put /settings", "/settings", r#"{"unknown_senders":true}"#, [401, 404, 404, 404, 404, 200]),
    ("get /users", "/users", "", [401, 404, 404, 404, 404, 200]),
    ("get /registrations", "/registrations", "", [401, 404, 404, 404, 404, 200]),
    ("post /registrations", "/registrations", r#"{"address":"x@y.example"}"#, [401, 404, 404, 404, 404, 201]),
    ("post /registrations/{address}/approve", "/registrations/x@y.example/approve", "", [401, 404, 404, 404, 404, 404]),
    ("delete /registrations/{address}", "/registrations/x@y.example", "", [401, 404, 404, 404, 404, 404]),
    ("get /rules", "/rules", "", [401, 404, 404, 404, 404, 200]),
    ("put /rules", "/rules", r#"{"rules":[]}"#, [401, 404, 404, 404, 404, 200]),
    ("post /rules", "/rules", r#"{"rule":{"name":"two"},"place":"first"}"#, [401, 404, 404, 404, 404, 201]),
    ("put /rules/{name}", "/rules/one", r#"{"name":"one","then":{"tags":["x"]}}"#, [401, 404, 404, 404, 404, 200]),
    ("delete /rules/{name}", "/rules/one", "", [401, 404, 404, 404, 404, 200]),
    ("post /rules/{name}/move", "/rules/one/move", r#""last""#, [401, 404, 404, 404, 404, 200]),
];

/// The house of the pages, with a comment, a second item, somebody added, and a rule.
async fn furnished() -> App {
    let app = App::new().await;
    let (admin, now) = (app.users[&Who::Admin].clone(), Timestamp::now());
    let store = app.house.store.by(&admin.address);
    store.comment_item(1, &admin, "We look into it.", false, now).await.unwrap();
    let second = app.bring("3", "From: two@customer.example\r\nSubject: Second\r\n\r\nx\r\n").await;
    assert_eq!(second.kind, OutcomeKind::Item(2));
    store.tag_item(1, &["vip".to_owned()], &[], now).await.unwrap();
    store.add_participant(1, "c@b.example", None, now).await.unwrap();
    let rule = serde_json::from_value(json!({"name": "one"})).unwrap();
    let add = postroom_domain::RuleEdit::Add(Box::new(rule), postroom_domain::routing::Place::Last);
    store.edit_rules(add, now).await.unwrap();
    app
}

async fn token_of(app: &App, user: &User, scope: Scope) -> String {
    let new = NewToken { user: user.address.clone(), name: "test".to_owned(), scope, expires_at: None };
    app.house.store.add_token(new, Timestamp::now()).await.unwrap().1.expose().to_owned()
}

async fn ask(app: &App, token: Option<&str>, method: &str, path: &str, body: &str) -> Answer {
    let method: Method = method.to_uppercase().parse().unwrap();
    let request =
        Request::builder().method(method).uri(format!("/api/v1{path}")).header(header::HOST, "127.0.0.1:8025");
    let request = match token {
        Some(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
        None => request,
    };
    let request = request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_owned()));
    app.send(request.unwrap()).await
}

fn of(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.octets).unwrap_or_else(|_| panic!("{}", answer.text()))
}

#[tokio::test]
async fn every_operation_answers_everybody_as_it_should() {
    for (operation, path, body, expected) in ROWS {
        let app = furnished().await;
        for (who, expected) in EVERYBODY.iter().zip(expected) {
            let token = match app.users.get(who) {
                Some(user) => Some(token_of(&app, user, Scope::Write).await),
                None => None,
            };
            let method = operation.split_once(' ').unwrap().0;
            let answer = ask(&app, token.as_deref(), method, path, body).await;
            assert_eq!(answer.status.as_u16(), *expected, "{operation} for {who:?}: {}", answer.text());
            if answer.status.as_u16() >= 400 {
                assert_eq!(answer.header("content-type"), "application/problem+json", "{operation}");
                assert!(of(&answer)["code"].is_string(), "{operation}");
            }
            assert!(answer.headers.contains_key("content-security-policy"), "{operation}");
        }
    }
}

#[tokio::test]
async fn what_is_described_is_what_is_there() {
    let app = App::new().await;
    let answer = ask(&app, None, "get", "/openapi.json", "").await;
    let described = of(&answer);
    assert!(described["openapi"].as_str().unwrap().starts_with("3.1"), "{}", described["openapi"]);
    assert_eq!(described["info"]["title"], "Postroom");
    let refusals = described["paths"]["/api/v1/items/{number}"]["patch"]["responses"].as_object().unwrap();
    for status in ["200", "400", "401", "403", "404", "422", "429"] {
        assert!(refusals.contains_key(status), "{status}");
    }
    let paths = described["paths"].as_object().unwrap();
    let operations: BTreeSet<String> = paths
        .iter()
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| (method, path)))
        .map(|(method, path)| format!("{method} {}", path.strip_prefix("/api/v1").unwrap()))
        .collect();
    let rows: BTreeSet<String> = ROWS.iter().map(|row| row.0.to_owned()).collect();
    assert_eq!(operations, rows, "a route without a row, or a row without a route");
    // Every schema that is referred to is there.
    let text = answer.text();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(described["components"]["schemas"].get(name).is_some(), "{name}");
    }
}

#[tokio::test]
async fn a_token_that_looks_changes_nothing_and_one_that_is_no_token_is_told_so() {
    let app = furnished().await;
    let read = token_of(&app, &app.users[&Who::Admin], Scope::Read).await;
    let answer = ask(&app, Some(&read), "patch", "/items/1", r#"{"status":"closed"}"#).await;
    assert_eq!((answer.status.as_u16(), of(&answer)["code"].as_str()), (403, Some("SCOPE_TOO_SMALL")));
    let item = of(&ask(&app, Some(&read), "get", "/items/1", "").await);
    assert_eq!((item["status"].as_str(), item["number"].as_i64()), (Some("open"), Some(1)));
    for wrong in [None, Some("postroom_nonsense"), Some("")] {
        let answer = ask(&app, wrong, "get", "/me", "").await;
        assert_eq!((answer.status.as_u16(), answer.header("www-authenticate")), (401, "Bearer"));
    }
    // A session of the pages is none of the API, so that no page of another site can use it.
    assert_eq!(app.get(Who::Admin, "/api/v1/me").await.status.as_u16(), 401);
    assert_eq!(app.get(Who::Admin, "/api/v2/me").await.status.as_u16(), 404);
}

#[tokio::test]
async fn lists_come_in_pages_and_answers_have_validators() {
    let app = furnished().await;
    let token = token_of(&app, &app.users[&Who::Admin], Scope::Read).await;
    let first = of(&ask(&app, Some(&token), "get", "/items?limit=1", "").await);
    let next = first["next"].as_str().unwrap();
    let second = of(&ask(&app, Some(&token), "get", &format!("/items?limit=1&cursor={next}"), "").await);
    let numbers: BTreeSet<_> = [&first, &second].map(|page| page["entries"][0]["number"].as_i64().unwrap()).into();
    assert_eq!((numbers, second["next"].is_null()), ([1, 2].into(), true));
    assert_eq!((&first["entries"][0]["comment_count"], &second["entries"][0]["comment_count"]), (&json!(0), &json!(1)));
    let held = of(&ask(&app, Some(&token), "get", "/receipts?reason=AUTOMATIC_MAIL", "").await);
    assert_eq!(held["entries"].as_array().unwrap().len(), 1);
    let receipts = of(&ask(&app, Some(&token), "get", "/receipts?limit=2&state=held", "").await);
    assert_eq!((receipts["entries"].as_array().unwrap().len(), receipts["next"].is_null()), (1, true));

    let answer = ask(&app, Some(&token), "get", "/items/1", "").await;
    let tag = answer.header("etag").to_owned();
    let again = Request::get("/api/v1/items/1")
        .header(header::HOST, "127.0.0.1:8025")
        .header(header::AUTHORIZATION, format!("bearer {token}"))
        .header(header::IF_NONE_MATCH, format!("\"x\", W/{tag}"));
    let again = app.send(again.body(Body::empty()).unwrap()).await;
    assert_eq!((again.status.as_u16(), again.octets.len(), again.header("etag")), (304, 0, tag.as_str()));
}

#[tokio::test]
async fn what_does_not_fit_is_said_and_nothing_is_changed() {
    let app = furnished().await;
    let token = token_of(&app, &app.users[&Who::Admin], Scope::Write).await;
    for (method, path, body, status, code) in [
        ("patch", "/items/1", r#"{"status":"done"}"#, 422, "BODY_UNFIT"),
        ("patch", "/items/1", r#"{"assignee":"nobody@demo.example"}"#, 422, "USER_UNKNOWN"),
        ("patch", "/items/1", r#"{"add-tag":"two words"}"#, 422, "TAG_INVALID"),
        ("patch", "/items/1", r#"{"colour":"red"}"#, 422, "BODY_UNFIT"),
        ("patch", "/items/1", "{", 400, "BAD_REQUEST"),
        ("patch", "/items/1", "{}", 422, "BODY_UNFIT"),
        ("patch", "/items/1", r#"{"status":"closed","assignee":null}"#, 422, "BODY_UNFIT"),
        ("get", "/items?limit=0", "", 400, "BAD_REQUEST"),
        ("get", "/receipts?reason=NONSENSE", "", 400, "BAD_REQUEST"),
        ("post", "/items/1/comments", r#"{"text":"  "}"#, 422, "TEXT_INVALID"),
        ("get", "/items?cursor=nonsense", "", 400, "BAD_REQUEST"),
        ("get", "/items/one", "", 400, "BAD_REQUEST"),
        ("get", "/receipts?state=nonsense", "", 400, "BAD_REQUEST"),
        ("post", "/rules", r#"{"rule":{"name":"One"}}"#, 409, "RULE_EXISTS"),
        ("post", "/rules", r#"{"rule":{"name":"x","then":{"workspace":"NIX"}}}"#, 422, "WORKSPACE_UNKNOWN"),
        (
            "post",
            "/rules",
            r#"{"rule":{"name":"x","if":{"all":[{"field":"subject","matches":"("}]}}}"#,
            422,
            "RULE_INVALID",
        ),
        ("put", "/rules/nix", r#"{"name":"nix"}"#, 404, "NOT_FOUND"),
        ("get", "/nowhere", "", 404, "NOT_FOUND"),
    ] {
        let answer = ask(&app, Some(&token), method, path, body).await;
        let problem = of(&answer);
        assert_eq!(
            (answer.status.as_u16(), problem["code"].as_str()),
            (status, Some(code)),
            "{method} {path} {body}: {problem}"
        );
    }
    let item = of(&ask(&app, Some(&token), "get", "/items/1", "").await);
    assert_eq!((item["status"].as_str(), item["comments"].as_array().unwrap().len()), (Some("open"), 1));
}

/// By mail one may do what one may do through the API: every role, in the item's workspace or in another, taking part or not.
#[tokio::test]
async fn whoever_may_comment_by_mail_may_comment_here_and_nobody_else() {
    let roles = [None, Some(Role::Reader), Some(Role::Reporter), Some(Role::Agent), Some(Role::Manager)];
    let app = furnished().await;
    let (mut n, mut may) = (0, 0);
    for (workspace, role) in ["SUP", "OPS"].iter().flat_map(|key| roles.map(|role| (*key, role))) {
        for takes_part in [false, true] {
            n += 1;
            let address = format!("person{n}@demo.example");
            let memberships: Vec<_> = role.map(|role| (workspace, role)).into_iter().collect();
            let user = app.house.user(&address, "", false, &memberships).await;
            if takes_part {
                app.house.store.add_participant(1, &address, None, Timestamp::now()).await.unwrap();
            }
            // Mail first: whoever comments takes part from then on.
            let mail = format!("From: {address}\r\nSubject: [#1] again\r\n\r\nBy mail.\r\n");
            let api = ask(&app, Some(&token_of(&app, &user, Scope::Write).await), "get", "/items/1", "").await;
            let by_mail = matches!(app.bring(&format!("m{n}"), mail).await.kind, OutcomeKind::Comment { .. });
            let expected = takes_part || (workspace == "SUP" && role >= Some(Role::Reporter));
            assert_eq!(by_mail, expected, "by mail: {role:?} in {workspace}, takes part: {takes_part}");
            let sees = takes_part || (workspace == "SUP" && role.is_some());
            assert_eq!(api.status.is_success(), sees, "sees: {role:?} in {workspace}, takes part: {takes_part}");
            may += usize::from(expected);

            // The same person again, on an item on which nobody has commented by mail.
            let address = format!("other{n}@demo.example");
            let user = app.house.user(&address, "", false, &memberships).await;
            if takes_part {
                app.house.store.add_participant(1, &address, None, Timestamp::now()).await.unwrap();
            }
            let token = token_of(&app, &user, Scope::Write).await;
            let answer = ask(&app, Some(&token), "post", "/items/1/comments", r#"{"text":"Here."}"#).await;
            let expected = if expected { 201 } else { 404 };
            assert_eq!(answer.status.as_u16(), expected, "here: {role:?} in {workspace}, takes part: {takes_part}");
        }
    }
    assert_eq!((n, may), (20, 13));
}

/// To release mail is to say something about one's own workspace only.
#[tokio::test]
async fn a_release_has_no_effect_in_another_workspace() {
    let app = furnished().await;
    let (admin, now) = (&app.users[&Who::Admin], Timestamp::now());
    app.house.store.by(&admin.address).move_item(2, &"OPS".parse().unwrap(), now).await.unwrap();
    // A member of both is held in SUP, where automatic mail is.
    app.house.user("both@demo.example", "", false, &[("SUP", Role::Agent), ("OPS", Role::Agent)]).await;
    let manager = token_of(&app, &app.users[&Who::Manager], Scope::Write).await;
    for (n, to, release) in [
        (1, "desk@demo.example", "{}"),
        (2, "desk@demo.example", r#"{"workspace":"SUP"}"#),
        (3, "desk+ops@demo.example", "{}"),
    ] {
        let mail = format!(
            "From: both@demo.example\r\nTo: {to}\r\nSubject: [#2] again\r\nMessage-ID: <r{n}@demo.example>\r\nAuto-Submitted: auto-replied\r\n\r\nAway.\r\n"
        );
        let held = app.bring(&format!("r{n}"), mail).await;
        assert_eq!(held.kind, OutcomeKind::Held, "{n}");
        let answer = ask(&app, Some(&manager), "post", &format!("/receipts/{}/release", held.receipt), release).await;
        assert_eq!(answer.status.as_u16(), 202, "{}", answer.text());
        let kind = app.house.work_off().await.pop().unwrap().kind;
        let OutcomeKind::Item(number) = kind else { panic!("{n}: {kind:?}") };
        let item = app.house.store.item(number).await.unwrap();
        assert_eq!((item.workspace.as_str(), item.comments.len()), ("SUP", 0), "{n}");
    }
    assert_eq!(app.house.store.item(2).await.unwrap().comments, []);
    // Nor is a sender admitted for good by somebody who may not.
    let held = app.bring("r4", "From: x@y.example\r\nSubject: 4\r\nAuto-Submitted: auto-replied\r\n\r\nx\r\n").await;
    let path = format!("/receipts/{}/release", held.receipt);
    assert_eq!(ask(&app, Some(&manager), "post", &path, r#"{"always":true}"#).await.status.as_u16(), 404);
}

#[tokio::test]
async fn an_item_of_any_length_is_answered() {
    let app = furnished().await;
    let admin = &app.users[&Who::Admin];
    // Each of these octets takes six in JSON.
    let text = format!("x{}", "\u{2}".repeat(1_000_000));
    app.house.store.by(&admin.address).comment_item(1, admin, &text, false, Timestamp::now()).await.unwrap();
    let token = token_of(&app, admin, Scope::Read).await;
    let answer = ask(&app, Some(&token), "get", "/items/1", "").await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, ""));
    assert!(answer.octets.len() > 5_000_000);
}

#[tokio::test]
async fn a_history_names_nothing_that_one_may_not_see() {
    let app = furnished().await;
    let (admin, now) = (&app.users[&Who::Admin], Timestamp::now());
    let store = app.house.store.by(&admin.address);
    store.move_item(2, &"OPS".parse().unwrap(), now).await.unwrap();
    store.move_comment(1, 1, 2, now).await.unwrap();
    store.move_item(1, &"OPS".parse().unwrap(), now).await.unwrap();
    store.move_item(1, &"SUP".parse().unwrap(), now).await.unwrap();
    for (who, knows) in [(Who::Reader, false), (Who::Admin, true)] {
        let token = token_of(&app, &app.users[&who], Scope::Read).await;
        let answer = ask(&app, Some(&token), "get", "/items/1/history", "").await;
        let entries = of(&answer);
        let moved = entries.as_array().unwrap().iter().find(|entry| entry["kind"] == "comment-moved").unwrap();
        assert_eq!((moved["other_item"] == 2, answer.text().contains("OPS")), (knows, knows), "{entries}");
    }
}
