//! The settings and the people: what is saved, what is only tried, and who may not.

use crate::app::{App, Who};
use axum::http::StatusCode;
use jiff::Timestamp;
use postroom_domain::{RegistrationMode, Role};

/// The three patterns that the documentation of the original product prints, and what their text says they admit.
#[tokio::test]
async fn the_tester_shows_what_patterns_do_and_saves_nothing() {
    let app = App::new().await;
    for (pattern, admitted, refused) in [
        (r"[^@\T]@bosch\.com", "pat@BOSCH.com", "x@bosch.com.evil.org"),
        (r"[^@\T]@t-online\.de | [^@\t]@computer\.org", "a@computer.org", "a@example.org"),
        (r"\W[-.\W]+\@[-.\W]+\.\W{2,3}", "x@firma.info", "nonsense"),
    ] {
        let form: String = [("do", "test"), ("patterns", pattern), ("samples", &format!("{admitted}\n{refused}"))]
            .iter()
            .map(|(name, value)| format!("{name}={}&", encoded(value)))
            .collect();
        let answer = app.post(Who::Admin, "/settings", &form).await;
        assert_eq!(answer.status, StatusCode::OK, "{pattern}");
        let page = answer.text();
        let verdict_of = |address: &str| {
            let before = page.split(&format!("<code>{address}</code>")).next().unwrap();
            before.rsplit("<span class=\"tag ").next().unwrap().split('<').next().unwrap().to_owned()
        };
        assert_eq!(verdict_of(admitted), "good\">admitted", "{pattern}: {page}");
        assert!(!verdict_of(refused).starts_with("good"), "{pattern}: {page}");
    }
    assert!(app.house.store.global_policy().await.unwrap().allowed.allowed_domains.is_empty(), "nothing was saved");
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn settings_are_saved_whole_or_not_at_all() {
    let app = App::new().await;
    let save = "do=save&submissions=on&unknown-senders=on&registration=approval&domains=bosch.com%0D%0A*.bosch.com&blocked=evil.org";
    for (more, field) in [("&patterns=%28", "patterns"), ("&patterns=", "")] {
        let answer = app.post(Who::Admin, "/settings", &format!("{save}{more}")).await;
        let policy = app.house.store.global_policy().await.unwrap();
        if field.is_empty() {
            assert_eq!(answer.header("location"), "/settings", "{}", answer.text());
            assert!(policy.unknown_senders && policy.registration == RegistrationMode::Approval);
            assert_eq!(
                (policy.allowed.domains, policy.blocked),
                (vec!["bosch.com".into(), "*.bosch.com".into()], vec!["evil.org".into()])
            );
        } else {
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
            let page = answer.text();
            assert!(
                page.contains(&format!("id=\"{field}-problem\"")) && page.contains("*.bosch.com</textarea>"),
                "{page}"
            );
            assert!(policy.allowed.domains.is_empty(), "nothing was saved");
        }
    }
    for (form, problem) in
        [("key=x+y&name=X", "key-problem"), ("key=SUP&name=X", "key-problem"), ("key=NEW&name=", "name-problem")]
    {
        let answer = app.post(Who::Admin, "/settings", &format!("do=add-workspace&{form}")).await;
        assert!(answer.text().contains(problem), "{form}: {}", answer.text());
        assert!(answer.text().contains("evil.org</textarea>"), "the rest of the page is as it was: {form}");
    }
    assert_eq!(app.post(Who::Admin, "/settings", "do=default&default=OPS").await.status, StatusCode::SEE_OTHER);
    let workspaces = app.house.store.workspaces().await.unwrap();
    assert!(workspaces.iter().any(|one| one.default && one.key.as_str() == "OPS"));
    for who in [Who::Outsider, Who::Participant, Who::Reader, Who::Manager] {
        for path in ["/settings", "/people"] {
            assert_eq!(app.post(who, path, "do=save").await.status, StatusCode::NOT_FOUND, "{who:?} {path}");
        }
    }
}

#[tokio::test]
async fn people_are_invited_approved_and_given_roles() {
    let app = App::new().await;
    let page =
        app.post(Who::Admin, "/people", "do=invite&address=new%40x.example&workspace=SUP&role=agent").await.text();
    let link = page.split("/join/").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let again = app.get(Who::Admin, "/people").await.text();
    assert!(again.contains("new@x.example") && !again.contains(&link), "it is shown once: {again}");
    app.post(Who::Nobody, &format!("/join/{link}"), "").await;
    let new = app.house.store.user_by_address("new@x.example").await.unwrap().unwrap();
    assert_eq!(new.role_in(&"SUP".parse().unwrap()), Some(Role::Agent));
    for (form, problem) in
        [("address=nonsense", "no mail address"), ("address=reader%40demo.example", "has this address already")]
    {
        let answer = app.post(Who::Admin, "/people", &format!("do=invite&{form}")).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        assert!(answer.text().contains(problem), "{form}: {}", answer.text());
    }
    app.post(Who::Admin, "/people", "do=member&address=new%40x.example&workspace=SUP&role=").await;
    app.post(Who::Admin, "/people", "do=deactivate&address=new%40x.example").await;
    let new = app.house.store.user_by_address("new@x.example").await.unwrap().unwrap();
    assert!(!new.active && new.memberships.is_empty());
    // Nobody locks themselves out.
    for deed in ["deactivate", "unmake-admin"] {
        let answer = app.post(Who::Admin, "/people", &format!("do={deed}&address=admin%40demo.example")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{deed}");
    }

    let policy = postroom_domain::GlobalPolicy { registration: RegistrationMode::Approval, ..Default::default() };
    app.house.store.set_global_policy(&policy, Timestamp::now()).await.unwrap();
    app.post(Who::Nobody, "/register", "address=me%40x.example&password=correct+horse").await;
    assert!(app.get(Who::Admin, "/people").await.text().contains("has not shown yet"));
    app.post(Who::Admin, "/people", "do=approve&address=me%40x.example").await;
    assert!(app.house.store.user_by_address("me@x.example").await.unwrap().is_some());
}
