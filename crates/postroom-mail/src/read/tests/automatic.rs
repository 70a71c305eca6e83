//! Which messages machines wrote.

use crate::AutomaticKind::{self, AutoReply, Bounce, List, Report};
use crate::RawMessage;
use crate::read::read;

/// Header fields besides From, the kind, and whether the message must not be answered.
const TABLE: &[(&str, Option<AutomaticKind>, bool)] = &[
    ("Subject: Printer", None, false),
    ("Auto-Submitted: no", None, false),
    ("Auto-Submitted: auto-replied", Some(AutoReply), true),
    ("Auto-Submitted: auto-generated; owner-email=x@y", Some(AutoReply), true),
    ("Auto-Submitted: Auto-Notified (rfc5436)", Some(AutoReply), true),
    ("Auto-Submitted: auto-forwarded", None, false),
    ("X-Autoreply: yes", Some(AutoReply), true),
    ("X-Autorespond: Printer", Some(AutoReply), true),
    ("Precedence: auto_reply", Some(AutoReply), true),
    ("Precedence: bulk", Some(AutoReply), true),
    ("Precedence: list", Some(List), false),
    ("Precedence: bulk\r\nList-Id: <a.example>", Some(List), false),
    ("List-Unsubscribe: <mailto:a@example.org>", Some(List), false),
    ("List-Id: <a.example>\r\nAuto-Submitted: auto-generated", Some(AutoReply), true),
    ("Return-Path: <>", Some(AutoReply), true),
    ("Return-Path: <a@example.org>", None, false),
    ("Return-Path: <>\r\nAuto-Submitted: auto-replied", Some(AutoReply), true),
    ("X-Auto-Response-Suppress: All", None, false),
    ("X-Auto-Response-Suppress: All\r\nSubject: Automatic reply: Printer", Some(AutoReply), true),
    ("Subject: Automatic reply: is it possible?", None, false),
    ("Subject: Re: Out of office AutoReply: Printer", Some(AutoReply), true),
    ("X-Failed-Recipients: a@example.org", Some(Bounce), true),
    ("Content-Type: multipart/report; report-type=delivery-status; boundary=b", Some(Bounce), true),
    ("Content-Type: multipart/report; boundary=b", Some(Bounce), true),
    ("Content-Type: multipart/report; report-type=disposition-notification; boundary=b", Some(Report), true),
    ("Content-Type: multipart/report; report-type=\"feedback-report\"; boundary=b", Some(Report), true),
];

fn check(from: &str, fields: &str, kind: Option<AutomaticKind>, auto_submitted: bool) {
    let message = read(&RawMessage::new(format!("From: {from}\r\n{fields}\r\n\r\nwords\r\n")));
    assert_eq!((message.automatic.map(|automatic| automatic.kind), message.auto_submitted), (kind, auto_submitted), "{from}: {fields}");
}

#[test]
fn automatic_mail() {
    for (fields, kind, auto_submitted) in TABLE {
        check("ann@example.org", fields, *kind, *auto_submitted);
    }
    check("MAILER-DAEMON@mx.example.org", "Subject: failure notice", Some(Bounce), true);
    check("Postmaster <postmaster@example.org>", "Return-Path: <>", Some(Bounce), true);
    check("Postmaster <postmaster@example.org>", "Subject: from a person", None, false);
}
