//! Whatever somebody does on the page leaves one row in the audit, in that person's name.

use crate::app::{App, Who};
use jiff::Timestamp;
use postroom_domain::{GlobalPolicy, RegistrationMode};
use postroom_store::{AuditEntry, AuditFilter};

/// Addresses that change something, or give out what the audit accounts for: a form for those that are posted to.
const ROUTES: &[(&str, Option<&str>, &str)] = &[
    ("/receipts/2/raw", None, "receipt.download"),
    ("/items/1/original/1/raw", None, "receipt.download"),
    ("/receipts/2", Some("do=retry"), "receipt.retry"),
    ("/held", Some("do=release&receipt=2"), "receipt.release"),
    ("/items/1", Some("do=close"), "item.close"),
    ("/", Some("do=reopen&item=1"), "item.reopen"),
    ("/account/language", Some("language=de"), "user.set"),
    ("/account/tokens", Some("token-name=report&scope=read"), "token.add"),
    ("/account/tokens/1/remove", Some(""), "token.remove"),
    ("/signout", Some(""), "signin.out"),
];

/// Those that begin or end sessions, or are for some accounts alone; each is used on its own below.
const APART: &[&str] = &[
    "/people",
    "/settings",
    "/mailboxes/{name}",
    "/join/{token}",
    "/signin",
    "/register",
    "/account/password",
    "/account/sign-out",
    "/account/address",
];

async fn rows(app: &App) -> Vec<AuditEntry> {
    app.house.store.audit(AuditFilter { limit: 1000, ..AuditFilter::default() }).await.unwrap()
}

#[tokio::test]
async fn k12_every_route_that_changes_something_leaves_one_row() {
    let routes = include_str!("../../src/lib.rs").lines().filter_map(|line| line.trim().strip_prefix(".route(\""));
    let posted: Vec<&str> =
        routes.filter(|line| line.contains("post(")).map(|line| line.split('"').next().unwrap()).collect();
    assert!(posted.len() > 2, "only {posted:?} found: the search is broken");
    let filled = |route: &str| {
        route.replace("tokens/{id}", "tokens/1").replace("{id}", "2").replace("{number}", "1").replace("{receipt}", "1")
    };
    for route in posted {
        let known =
            APART.contains(&route) || ROUTES.iter().any(|(path, form, _)| form.is_some() && *path == filled(route));
        assert!(known, "{route} changes something and has no row in ROUTES");
    }

    let app = App::new().await;
    for (path, form, action) in ROUTES {
        let before = rows(&app).await.len();
        let answer = match form {
            Some(form) => app.post(Who::Manager, path, form).await,
            None => app.get(Who::Manager, path).await,
        };
        assert!(answer.status.as_u16() < 400, "{path}: {}", answer.text());
        let mut after = rows(&app).await;
        after.truncate(after.len() - before);
        let done: Vec<(&str, &str)> = after.iter().map(|row| (row.actor.as_str(), row.action.as_str())).collect();
        assert_eq!(done, [("manager@demo.example", *action)], "{path}");
        app.house.work_off().await;
    }
    // A link that signs in acts in the name of whom it signs in; one that is spent does nothing.
    let path = format!("/signin/{}", app.house.token(&app.users[&Who::Reader]).await);
    let before = rows(&app).await.len();
    app.get(Who::Nobody, &path).await;
    app.get(Who::Nobody, &path).await;
    let after = rows(&app).await;
    assert_eq!((after.len(), after[0].action.as_str()), (before + 1, "signin.use"));
    assert_eq!(after[0].actor, "reader@demo.example");
    // Who joins acts in their own name too; that leaves the proof and the account.
    let invited = app.house.store.invite("new@customer.example", "", vec![], Timestamp::now()).await.unwrap();
    let path = format!("/join/{}", invited.link.expose());
    app.get(Who::Nobody, &path).await;
    app.post(Who::Nobody, &path, "").await;
    app.post(Who::Nobody, &path, "").await;
    let joined = rows(&app).await;
    let actions: Vec<&str> = joined.iter().take(3).map(|row| row.action.as_str()).collect();
    assert_eq!((joined.len(), actions), (after.len() + 3, vec!["user.add", "user.prove", "user.invite"]));
    assert!(joined[..2].iter().all(|row| row.actor == "new@customer.example"));
    let before = joined.len() - 1;
    // Looking at a page leaves none, nor does what one may not do.
    for (who, path) in
        [(Who::Admin, "/receipts/2"), (Who::Admin, "/items/1/original/1"), (Who::Reader, "/receipts/2/raw")]
    {
        app.get(who, path).await;
    }
    app.post(Who::Reader, "/receipts/2", "do=retry").await;
    assert_eq!(rows(&app).await.len(), before + 1);
}

#[tokio::test]
async fn what_is_for_some_alone_leaves_one_row() {
    let app = App::new().await;
    let policy = GlobalPolicy { registration: RegistrationMode::Open, ..GlobalPolicy::default() };
    app.house.store.set_global_policy(&policy, Timestamp::now()).await.unwrap();
    let admin = &app.users[&Who::Admin];
    app.house.store.set_main_address(admin.id, "admin@localhost", Timestamp::now()).await.unwrap();
    let mut before = rows(&app).await.len();
    let password = "password=correct+horse";
    for (who, path, form, actor, action) in [
        (Who::Nobody, "/register", &*format!("address=new%40x.example&{password}"), "stranger", "user.register"),
        (Who::Admin, "/account/address", "address=pat%40demo.example", "admin@localhost", "user.set"),
        (Who::Reader, "/account/password", password, "reader@demo.example", "user.password"),
        (Who::Nobody, "/signin", "address=reader%40demo.example&password=wrong", "", ""),
        (
            Who::Nobody,
            "/signin",
            &format!("address=reader%40demo.example&{password}"),
            "reader@demo.example",
            "signin.use",
        ),
        (Who::Admin, "/settings", "do=save&submissions=on&unknown-senders=on", "pat@demo.example", "setting.set"),
        (Who::Admin, "/settings", "do=test&submissions=off", "", ""),
        (Who::Admin, "/settings", "do=add-workspace&key=NEW&name=New", "pat@demo.example", "workspace.add"),
        (Who::Admin, "/settings", "do=default&default=NEW", "pat@demo.example", "workspace.default"),
        (Who::Admin, "/people", "do=invite&address=y%40x.example", "pat@demo.example", "user.invite"),
        (Who::Admin, "/people", "do=refuse&address=y%40x.example", "pat@demo.example", "user.refuse"),
        (Who::Admin, "/people", "do=make-admin&address=outsider%40demo.example", "pat@demo.example", "user.set"),
        (Who::Reader, "/people", "do=make-admin&address=reader%40demo.example", "", ""),
        (Who::Manager, "/settings", "do=save", "", ""),
        (Who::Admin, "/mailboxes/desk", "do=pause", "pat@demo.example", "mailbox.pause"),
        (Who::Admin, "/mailboxes/desk", "do=resume", "pat@demo.example", "mailbox.resume"),
        (Who::Admin, "/mailboxes/desk", "do=visit", "pat@demo.example", "mailbox.visit"),
        (Who::Admin, "/mailboxes/desk", "do=log-on", "pat@demo.example", "mailbox.set"),
        (Who::Manager, "/mailboxes/desk", "do=pause", "", ""),
        (Who::Manager, "/account/sign-out", "", "manager@demo.example", "user.sign-out"),
    ] {
        app.post(who, path, form).await;
        let after = rows(&app).await;
        assert_eq!(after.len() - before, usize::from(!action.is_empty()), "{path}");
        if !action.is_empty() {
            assert_eq!((after[0].actor.as_str(), after[0].action.as_str()), (actor, action), "{path}");
        }
        before = after.len();
    }
}
