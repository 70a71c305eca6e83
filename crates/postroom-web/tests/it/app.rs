//! The application under test: a filled house, five people with sessions, and requests without a network.

use crate::house::House;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use postroom_domain::{Mailbox, ReceiptId, Role, User};
use postroom_store::{Outcome, OutcomeKind};
use postroom_web::WebConfig;
use std::collections::HashMap;
use tempfile::TempDir;
use tower::ServiceExt;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// No session.
    Nobody,
    /// A member of another workspace.
    Outsider,
    /// No member of anything, but the requester of item 1.
    Participant,
    /// A reader of the workspace.
    Reader,
    /// A manager of the workspace.
    Manager,
    /// An admin.
    Admin,
}

pub const EVERYBODY: [Who; 6] = [Who::Nobody, Who::Outsider, Who::Participant, Who::Reader, Who::Manager, Who::Admin];

/// Who, address, whether an admin, memberships.
type Person<'a> = (Who, &'a str, bool, &'a [(&'a str, Role)]);

/// An answer, read to its end.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub octets: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.octets).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub struct App {
    pub house: House,
    pub router: Router,
    pub desk: Option<Mailbox>,
    pub users: HashMap<Who, User>,
    cookies: HashMap<Who, String>,
    /// Goes with the application, not before it.
    dir: Option<TempDir>,
}

/// Item 1 of the workspace SUP: HTML with a picture of its own, a picture as an attachment, a file with a hostile name.
pub const FIRST: &str = "From: Participant <participant@customer.example>\r\n\
    To: desk@demo.example\r\nSubject: <script>alert('subject')</script> & \"quotes\"\r\n\
    Message-ID: <first@customer.example>\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=m\r\n\r\n\
    --m\r\nContent-Type: multipart/related; boundary=r\r\n\r\n\
    --r\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
    <p>Hello <b>there</b></p><img src=\"cid:logo@x\"><img src=\"cid:elsewhere@x\"><img src=\"https://evil.example/track.png\">\
    <script>alert(1)</script>\r\n\
    --r\r\nContent-Type: image/png\r\nContent-ID: <logo@x>\r\nContent-Disposition: inline; filename=logo.png\r\n\
    Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--r--\r\n\
    --m\r\nContent-Type: text/html\r\nContent-Disposition: attachment; filename=\"<b>ü.html\"\r\n\r\n\
    <script>alert('file')</script>\r\n\
    --m--\r\n";

/// Held: automatic mail.
const AUTOMATIC: &str =
    "From: Away <away@customer.example>\r\nSubject: I am away\r\nAuto-Submitted: auto-replied\r\n\r\nAway.\r\n";

/// Reads mail where it stands: what the tests bring does nobody harm.
pub fn reader() -> postroom_web::Read {
    std::sync::Arc::new(|raw| Box::pin(async move { Some(postroom_mail::read(&raw)) }))
}

impl App {
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let house = House::new(dir.path());
        let sup = house.workspace("SUP", "Support", true).await;
        house.workspace("OPS", "Operations", false).await;
        let mut users = HashMap::new();
        let people: [Person<'_>; 5] = [
            (Who::Outsider, "outsider@demo.example", false, &[("OPS", Role::Manager)]),
            (Who::Participant, "participant@customer.example", false, &[]),
            (Who::Reader, "reader@demo.example", false, &[("SUP", Role::Reader)]),
            (Who::Manager, "manager@demo.example", false, &[("SUP", Role::Manager)]),
            (Who::Admin, "admin@demo.example", true, &[]),
        ];
        for (who, address, admin, memberships) in people {
            users.insert(who, house.user(address, &format!("{who:?}"), admin, memberships).await);
        }
        let desk = house.mailbox("desk", Some(&sup)).await;
        let first = house.bring(&desk, "1", FIRST).await;
        assert_eq!(first.kind, OutcomeKind::Item(1));
        assert_eq!(first.receipt, ReceiptId(1));
        assert_eq!(house.bring(&desk, "2", AUTOMATIC).await.kind, OutcomeKind::Held);
        let people: Vec<_> = EVERYBODY.iter().filter_map(|who| users.remove_entry(who)).collect();
        Self { desk: Some(desk), ..Self::of(house, &people).await.keeping(dir) }
    }

    /// The application over this store, with a session for each of these people.
    pub async fn of(house: House, people: &[(Who, User)]) -> Self {
        let config = WebConfig { base_url: "http://127.0.0.1:8025".to_owned() };
        let router = postroom_web::router(house.store.clone(), config, reader());
        let users = people.iter().cloned().collect();
        let mut app = Self { house, router, desk: None, users, cookies: HashMap::new(), dir: None };
        for (who, user) in people {
            let token = app.house.token(user).await;
            let answer = app.get(Who::Nobody, &format!("/signin/{token}")).await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER);
            let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
            app.cookies.insert(*who, cookie);
        }
        app
    }

    fn keeping(mut self, dir: TempDir) -> Self {
        self.dir = Some(dir);
        self
    }

    /// Brings one more message into the mailbox of the workspace SUP.
    pub async fn bring(&self, name: &str, mail: impl Into<Vec<u8>>) -> Outcome {
        self.house.bring(self.desk.as_ref().unwrap(), name, mail).await
    }

    pub fn request(&self, who: Who, method: Method, path: &str) -> axum::http::request::Builder {
        let request = Request::builder().method(method).uri(path).header(header::HOST, "127.0.0.1:8025");
        match self.cookies.get(&who) {
            Some(cookie) => request.header(header::COOKIE, cookie),
            None => request,
        }
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let octets = axum::body::to_bytes(body, 1 << 24).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, octets }
    }

    pub async fn get(&self, who: Who, path: &str) -> Answer {
        self.send(self.request(who, Method::GET, path).body(Body::empty()).unwrap()).await
    }

    /// What a browser gets that has this cookie.
    pub async fn get_with(&self, cookie: &str, path: &str) -> Answer {
        let request = self.request(Who::Nobody, Method::GET, path).header(header::COOKIE, cookie);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// A form out of a browser that has this cookie.
    pub async fn post_with(&self, cookie: &str, path: &str, form: &str) -> Answer {
        let request = self
            .request(Who::Nobody, Method::POST, path)
            .header("sec-fetch-site", "same-origin")
            .header(header::COOKIE, cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()));
        self.send(request.unwrap()).await
    }

    /// A form as a page of ours sends it.
    pub async fn post(&self, who: Who, path: &str, form: &str) -> Answer {
        let request = self
            .request(who, Method::POST, path)
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()));
        self.send(request.unwrap()).await
    }
}
