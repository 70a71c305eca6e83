//! Pages that keep themselves up to date, and a server that stops when it is asked to.

use crate::app::{App, Who};
use axum::body::Body;
use axum::http::Method;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tower::ServiceExt;

/// A bound, not a pause: it ends a test that would otherwise wait for ever.
const BOUND: Duration = Duration::from_secs(20);

/// Reads from a stream until `text` has come.
async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut seen = String::new();
    let mut buffer = [0; 4096];
    while !seen.contains(text) {
        let count = timeout(BOUND, stream.read(&mut buffer)).await.expect("something comes").unwrap();
        assert!(count > 0, "the stream ended after {seen:?}");
        seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    seen
}

#[tokio::test]
async fn an_open_stream_tells_of_a_new_item_and_ends_with_the_server() {
    let app = App::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let shutdown = async { drop(stopped.await) };
    let server = tokio::spawn(postroom_web::serve(listener, app.router.clone(), shutdown));
    let cookie = app.request(Who::Reader, Method::GET, "/live").body(Body::empty()).unwrap();
    let cookie = cookie.headers()["cookie"].to_str().unwrap().to_owned();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /live HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let head = read_until(&mut stream, "event: change").await;
    assert!(head.contains("text/event-stream"), "{head}");
    app.bring("new", "From: a@customer.example\r\nSubject: New\r\n\r\nNew\r\n").await;
    read_until(&mut stream, "event: change").await;
    stop.send(()).unwrap();
    read_until(&mut stream, "event: end").await;
    drop(stream);
    timeout(BOUND, server).await.expect("the server stops").unwrap().unwrap();
}

#[tokio::test]
async fn a_page_says_which_change_it_shows() {
    let app = App::new().await;
    let change = |page: &str| -> i64 {
        page.split("data-change=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
    };
    let before = change(&app.get(Who::Reader, "/").await.text());
    app.bring("new", "From: a@customer.example\r\nSubject: New\r\n\r\nNew\r\n").await;
    assert!(change(&app.get(Who::Reader, "/").await.text()) > before);
}

#[tokio::test]
async fn what_waits_to_be_read_makes_the_journal_look_again() {
    let app = App::new().await;
    assert!(app.get(Who::Admin, "/receipts").await.text().contains("data-again=\"0\""));
    app.post(Who::Admin, "/receipts/2", "do=retry").await;
    for path in ["/receipts", "/receipts/2"] {
        assert!(app.get(Who::Admin, path).await.text().contains("data-again=\"1\""), "{path}");
    }
    app.house.work_off().await;
    assert!(app.get(Who::Admin, "/receipts/2").await.text().contains("data-again=\"0\""));
}

#[tokio::test]
async fn without_a_session_there_is_no_stream() {
    let app = App::new().await;
    let request = app.request(Who::Nobody, Method::GET, "/live").body(Body::empty()).unwrap();
    assert_eq!(app.router.clone().oneshot(request).await.unwrap().status().as_u16(), 303);
}
