//! Six kinds of machines that answer mail, well and badly behaved.

use super::Mail;
use jiff::{SignedDuration, Timestamp};
use postroom_mail::{RawMessage, Sha256};

/// A machine that answers.
pub trait Responder {
    /// What it sends when this message comes.
    fn receive(&mut self, text: &str, now: Timestamp) -> Vec<Mail>;
}

type Make = fn(&str, &str) -> Box<dyn Responder>;

/// Every kind, by name; made with its own address and that of the desk.
pub const RESPONDERS: &[(&str, Make)] = &[
    ("vacation", |own, _| Box::new(Vacation { own: own.to_owned(), told: Vec::new() })),
    ("random headers", |own, _| Box::new(Random { own: own.to_owned(), n: 0 })),
    ("bouncing", |own, _| Box::new(Bouncing { own: own.to_owned(), n: 0 })),
    ("list", |own, desk| Box::new(List { own: own.to_owned(), desk: desk.to_owned() })),
    ("tickets", |own, _| Box::new(Tickets { own: own.to_owned(), n: 0 })),
    ("mirror", |own, _| Box::new(Mirror { own: own.to_owned(), n: 0 })),
];

struct Received {
    from: String,
    subject: String,
    id: String,
    null_return_path: bool,
    body: String,
    header: String,
}

impl Received {
    fn of(text: &str) -> Self {
        let read = postroom_mail::read(&RawMessage::new(text.replace('\n', "\r\n")));
        let (header, body) = text.split_once("\n\n").unwrap();
        Self {
            from: read.from[0].addr_spec.clone(),
            subject: read.subject.clone(),
            id: read.message_id.clone().unwrap_or_default(),
            null_return_path: read.fields("Return-Path").any(|path| path == "<>"),
            body: body.to_owned(),
            header: header.to_owned(),
        }
    }
}

fn id_of(own: &str, n: impl std::fmt::Display) -> String {
    format!("<{}@r.example>", &Sha256::of(format!("{own}{n}").as_bytes()).to_string()[..16])
}

/// RFC 3834: marked, once a week to one address, never to a message that is automatic itself.
struct Vacation {
    own: String,
    told: Vec<String>,
}

impl Responder for Vacation {
    fn receive(&mut self, text: &str, _now: Timestamp) -> Vec<Mail> {
        let came = Received::of(text);
        if self.told.contains(&came.from) {
            return Vec::new();
        }
        self.told.push(came.from.clone());
        let text = format!(
            "Return-Path: <>\nFrom: <{}>\nTo: {}\nSubject: Out of office: {}\nMessage-ID: {}\nIn-Reply-To: <{}>\n\
             References: <{}>\nAuto-Submitted: auto-replied (vacation)\n\nI am away.",
            self.own,
            came.from,
            came.subject,
            id_of(&self.own, self.told.len()),
            came.id,
            came.id
        );
        vec![Mail { to: came.from, text }]
    }
}

/// No mark at all, and nothing about it is the same twice.
struct Random {
    own: String,
    n: u32,
}

impl Responder for Random {
    fn receive(&mut self, text: &str, _now: Timestamp) -> Vec<Mail> {
        self.n += 1;
        let came = Received::of(text);
        let noise = Sha256::of(&self.n.to_le_bytes()).to_string();
        let text = format!(
            "From: \"{}\" <{}>\nTo: {}\nSubject: {} {}\nMessage-ID: {}\nX-{}: {}\nX-Mailer: Program {}\n\n{noise}",
            &noise[..6],
            self.own,
            came.from,
            &noise[6..14],
            self.n,
            id_of(&self.own, &noise),
            &noise[14..20],
            &noise[20..30],
            self.n
        );
        vec![Mail { to: came.from, text }]
    }
}

/// Returns everything, well formed and badly by turns, also what has no return path.
struct Bouncing {
    own: String,
    n: u32,
}

impl Responder for Bouncing {
    fn receive(&mut self, text: &str, _now: Timestamp) -> Vec<Mail> {
        self.n += 1;
        let came = Received::of(text);
        if came.null_return_path && self.n.is_multiple_of(3) {
            return Vec::new();
        }
        let head = format!(
            "Return-Path: <>\nFrom: Mail Delivery System <MAILER-DAEMON@r.example>\nTo: {}\nMessage-ID: {}\n\
             Subject: Undelivered Mail Returned to Sender\n",
            came.from,
            id_of(&self.own, self.n)
        );
        let text = if self.n.is_multiple_of(2) {
            format!(
                "{head}\nThis is the mail system. Your message could not be delivered to {}.\n\n{}",
                self.own, came.header
            )
        } else {
            format!(
                "{head}Auto-Submitted: auto-replied\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n\
                 --b\n\nfailed\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; r.example\n\n\
                 Final-Recipient: rfc822; {}\nAction: failed\nStatus: 5.1.1\n\n--b\nContent-Type: message/rfc822\n\n{}\n\n{}\n--b--",
                self.own, came.header, came.body
            )
        };
        vec![Mail { to: came.from, text }]
    }
}

/// Sends what it gets to its members, the desk among them, and tells the author that it waits for a moderator.
struct List {
    own: String,
    desk: String,
}

impl Responder for List {
    fn receive(&mut self, text: &str, _now: Timestamp) -> Vec<Mail> {
        let came = Received::of(text);
        let passed_on = format!("List-Id: <robot.r.example>\nPrecedence: list\n{}\n\n{}", came.header, came.body);
        let notice = format!(
            "From: robot-owner@r.example\nTo: {}\nSubject: Your message to Robot awaits moderator approval\n\
             Message-ID: {}\nPrecedence: bulk\nList-Id: <robot.r.example>\nX-BeenThere: {}\n\nIt waits.",
            came.from,
            id_of(&self.own, &came.id),
            self.own
        );
        vec![Mail { to: self.desk.clone(), text: passed_on }, Mail { to: came.from, text: notice }]
    }
}

/// A desk of another make: its own number in front of the subject, another subject each time, and no mark.
struct Tickets {
    own: String,
    n: u32,
}

impl Responder for Tickets {
    fn receive(&mut self, text: &str, _now: Timestamp) -> Vec<Mail> {
        self.n += 1;
        let came = Received::of(text);
        let text = format!(
            "From: Tickets <{}>\nTo: {}\nSubject: [TICKET:{}] {}\nMessage-ID: {}\n\nWe have received your request.\n\n> {}",
            self.own,
            came.from,
            9_000 + self.n,
            came.subject.replace("Re: ", ""),
            id_of(&self.own, self.n),
            came.body.replace('\n', "\n> ")
        );
        vec![Mail { to: came.from, text }]
    }
}

/// Sends back what it gets, word for word: under its own name and, each second time, under that of the author.
struct Mirror {
    own: String,
    n: u32,
}

impl Responder for Mirror {
    fn receive(&mut self, text: &str, _now: Timestamp) -> Vec<Mail> {
        self.n += 1;
        let came = Received::of(text);
        let text = if self.n.is_multiple_of(2) {
            text.to_owned()
        } else {
            format!(
                "From: <{}>\nTo: {}\nSubject: {}\nMessage-ID: {}\n\n{}",
                self.own,
                came.from,
                came.subject,
                id_of(&self.own, self.n),
                came.body
            )
        };
        vec![Mail { to: came.from, text }]
    }
}

/// What some of them send without being asked: a ticket system reminds of an open item every minute, a bouncing server
/// returns mail that somebody else has sent in the desk's name.
pub fn unasked(name: &str, own: &str, desk: &str) -> Vec<(Mail, Timestamp)> {
    let every = |n: i64, text: &dyn Fn(i64) -> String| {
        let at = |n| super::noon() + SignedDuration::from_mins(n) + SignedDuration::from_secs(15);
        (0..n).map(|n| (Mail { to: desk.to_owned(), text: text(n) }, at(n))).collect()
    };
    match name {
        "tickets" => every(600, &|n| {
            format!(
                "From: Tickets <{own}>\nTo: {desk}\nSubject: Reminder {n}h of [#1]\nAuto-Submitted: auto-generated\n\
                 Message-ID: {}\n\nStill open.",
                id_of(own, format!("reminder {n}"))
            )
        }),
        "bouncing" => every(300, &|n| {
            format!(
                "Return-Path: <>\nFrom: MAILER-DAEMON@r.example\nTo: {desk}\nSubject: failure notice\nMessage-ID: {}\n\n\
                 Sorry, it could not be delivered.",
                id_of(own, format!("backscatter {n}"))
            )
        }),
        _ => Vec::new(),
    }
}
