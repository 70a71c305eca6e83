//! Serves the pages over a throw-away store, to look at them while working on them:
//!
//! `cargo run -p postroom-web --example preview -- [empty|full] [DIRECTORY OF .eml FILES]`
//!
//! Prints `sign in: ADDRESS` for an administrator, then serves until it is killed. `full` makes many workspaces, long
//! titles, a failing mailbox, and more items than stand on one page.

#[allow(dead_code)]
#[path = "../tests/it/house.rs"]
mod house;

use house::House;
use jiff::{SignedDuration, Timestamp};
use postroom_domain::Role;
use postroom_web::WebConfig;
use std::time::Duration;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1);
    let kind = args.next().unwrap_or_default();
    let dir = tempfile::tempdir()?;
    let house = House::new(dir.path());
    let admin = house.user("pat@demo.example", "Pat Admin", true, &[]).await;
    if kind != "empty" {
        fill(&house, args.next(), kind == "full").await?;
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let config = WebConfig { base_url: format!("http://{}", listener.local_addr()?) };
    println!("sign in: {}", config.signin_url(&house.token(&admin).await));
    let worker = house.clone();
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        loop {
            tick.tick().await;
            worker.work_off().await;
        }
    });
    let read: postroom_web::Read = std::sync::Arc::new(|raw| Box::pin(async move { Some(postroom_mail::read(&raw)) }));
    postroom_web::serve(listener, postroom_web::router(house.store, config, read), std::future::pending()).await
}

async fn fill(house: &House, samples: Option<String>, full: bool) -> std::io::Result<()> {
    let support = house.workspace("SUP", "Support", true).await;
    house.workspace("OPS", "Operations", false).await;
    house.user("kim@demo.example", "Kim Agent", false, &[("SUP", Role::Agent)]).await;
    house.user("lee@demo.example", "Lee Reporter", false, &[("SUP", Role::Reporter)]).await;
    let desk = house.mailbox("desk", None).await;
    let mut files = Vec::new();
    for entry in samples.map(std::fs::read_dir).into_iter().flatten().flatten() {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "eml") {
            files.push(path);
        }
    }
    files.sort();
    let mut at = Timestamp::now() - SignedDuration::from_hours(50);
    for path in files {
        at += SignedDuration::from_mins(107);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let claimed = house.accept(&desk, vec![(name, std::fs::read(&path)?)], at).await;
        house.file(claimed, at).await;
    }
    if full {
        for n in 0..24 {
            house.workspace(&format!("TEAM-{n}"), &format!("Team number {n} with quite a long name"), false).await;
        }
        let sales = house.mailbox("sales", Some(&support)).await;
        house
            .fail_visit(
                &sales,
                "LOGIN_REFUSED",
                "the server does not accept user name and password",
                "nothing was deleted; set the password with `postroom mailbox set sales --password-stdin`",
            )
            .await;
        let paused = house.mailbox("a mailbox with a very long name that somebody thought was a good idea", None).await;
        house.store.pause_mailbox(&paused.name, jiff::Timestamp::now()).await.map_err(std::io::Error::other)?;
        for n in 0..120 {
            let subject = match n % 4 {
                0 => format!("Number {n}"),
                1 => "A very long title ".repeat(14),
                2 => format!("Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnung{}", "x".repeat(150)),
                _ => format!("Printer {n} on the third floor is out of paper"),
            };
            let mail = format!(
                "From: Person {n} <person-{n}@customer.example>\r\nSubject: {subject}\r\n\r\nHello,\r\nthis is message {n}.\r\n"
            );
            house.bring(&desk, &format!("full-{n}"), mail).await;
        }
    }
    Ok(())
}
