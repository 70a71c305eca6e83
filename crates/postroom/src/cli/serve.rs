//! `postroom serve`: the web page, and the workers that visit the mailboxes.

use super::actor::SETUP;
use super::args::{Global, Listen};
use super::open_or_create;
use super::output::Output;
use super::people::{SIGNIN_LINK_TTL, signin_url};
use crate::failure::Failure;
use crate::floor::Floor;
use crate::supervisor;
use jiff::Timestamp;
use postroom_domain::User;
use postroom_mail::Secret;
use postroom_store::{NewUser, SYSTEM};
use postroom_web::WebConfig;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The first admin, where nobody made one.
const FIRST_ADMIN: &str = "admin@localhost";

/// How long an orderly end may take before what is under way is given up.
const PATIENCE: Duration = Duration::from_secs(10);

pub async fn run(global: &Global, listen: Listen, out: Output) -> Result<(), Failure> {
    let stop = stop_signal()?;
    let listener = bind(listen.listen).await?;
    // What the workers do, nobody in particular does; people on the page act in their own name.
    let floor = Floor::open(open_or_create(global).await?.by(SYSTEM))?;
    let address = local_address(&listener)?;
    out.object(&json!({"listening": base_of(address)}), || format!("Postroom serves {}", base_of(address)))?;
    match first_admin(&floor).await? {
        Some(admin) => {
            let url = signin(&floor, &admin, &base_of(address)).await?;
            let address = &admin.address;
            out.object(&json!({"address": address, "url": url}), || {
                format!("sign in: {url}\n(as {address}, once, within 15 minutes; later: postroom user signin-link {address})")
            })?;
        }
        None => out.say("sign in with the address that this prints: postroom user signin-link ADDRESS")?,
    }
    serve(floor, listener, stop).await
}

/// Listens, on loopback alone: there is no TLS here, and a session cookie must not cross a network in clear.
pub async fn bind(listen: SocketAddr) -> Result<TcpListener, Failure> {
    if !listen.ip().is_loopback() {
        return Err(Failure::new(
            "LISTEN_NOT_LOOPBACK",
            format!("{listen} is not on the loopback interface"),
            "listen on 127.0.0.1 and put a web server with TLS in front of it",
        ));
    }
    TcpListener::bind(listen).await.map_err(|error| {
        let help = "another program listens there; choose another port with --listen 127.0.0.1:PORT";
        Failure::new("LISTEN_FAILED", format!("{listen}: {error}"), help)
    })
}

/// Where a listener really listens, which differs from what was asked for if that was port 0.
pub fn local_address(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    listener.local_addr().map_err(|error| Failure::new("LISTEN_FAILED", error.to_string(), "try again"))
}

/// The web page's address.
pub fn base_of(address: SocketAddr) -> String {
    format!("http://{address}")
}

/// Serves and works until told to stop by SIGINT or SIGTERM.
pub async fn serve(floor: Floor, listener: TcpListener, stopping: watch::Receiver<bool>) -> Result<(), Failure> {
    let base = base_of(local_address(&listener)?);
    let readers = floor.readers.clone();
    let read: postroom_web::Read = Arc::new(move |raw| {
        let readers = readers.clone();
        // What cannot be read is not shown; why is in the trace of its receipt.
        Box::pin(async move { readers.read(vec![raw]).await.ok()?.pop()?.ok() })
    });
    let router = postroom_web::router(floor.store.clone(), WebConfig { base_url: base }, read);
    let workers = tokio::spawn(supervisor::run(floor, stopping.clone()));
    let mut stopped = stopping.clone();
    let web = postroom_web::serve(listener, router, async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    });
    let mut late = stopping;
    tokio::select! {
        result = web => result.map_err(|error| Failure::new("LISTEN_FAILED", error.to_string(), "start it again"))?,
        () = async { let _ = late.wait_for(|stop| *stop).await; tokio::time::sleep(PATIENCE).await } => {}
    }
    // A worker that does not end in time is cut off where it stands; the next start goes on from there.
    let _ = tokio::time::timeout(PATIENCE, workers).await;
    Ok(())
}

/// Becomes true at SIGINT or SIGTERM. To be called first of all, so that no signal meets a process without an ear for it.
pub fn stop_signal() -> Result<watch::Receiver<bool>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let deaf = |error: std::io::Error| Failure::new("RUNTIME_FAILED", format!("signals: {error}"), "start it again");
    let mut interrupt = signal(SignalKind::interrupt()).map_err(deaf)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(deaf)?;
    let (stop, stopping) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        let _ = stop.send(true);
    });
    Ok(stopping)
}

/// At the first start the admin, who is made where nobody made one; later nobody.
async fn first_admin(floor: &Floor) -> Result<Option<User>, Failure> {
    let store = floor.store.by(SETUP);
    if !store.is_first_start(Timestamp::now()).await? {
        return Ok(None);
    }
    if let Some(admin) = store.users().await?.into_iter().find(|user| user.admin && user.active) {
        return Ok(Some(admin));
    }
    let name = "Administrator".to_owned();
    let new = NewUser { address: FIRST_ADMIN.to_owned(), name, admin: true, ..NewUser::default() };
    Ok(Some(store.add_user(new, Timestamp::now()).await?))
}

/// A sign-in address for `user`.
pub async fn signin(floor: &Floor, user: &User, base: &str) -> Result<String, Failure> {
    let token: Secret = floor.store.by(SETUP).make_signin_link(user.id, SIGNIN_LINK_TTL, Timestamp::now()).await?;
    Ok(signin_url(base, &token))
}
