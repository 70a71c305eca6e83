#![allow(clippy::unwrap_used)]
//! When nothing answers, by the rows of the register of loops.

use super::*;
use postroom_mail::RawMessage;

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// A registered, verified person whose mail has just opened an item.
fn facts() -> AnswerFacts {
    AnswerFacts {
        author: Some("ann@example.org".to_owned()),
        opened_item: true,
        own_address: false,
        registered: true,
        verified: true,
        answers_unknown: false,
        received_at: now(),
        was_there_before: false,
        to_sender: 0,
        of_mailbox: 0,
    }
}

fn read(text: &str) -> Message {
    postroom_mail::read(&RawMessage::new(text.replace('\n', "\r\n")))
}

/// The answer to a message with this in its header besides From and Subject.
fn answer_to(header: &str) -> Answer {
    let message = read(&format!("From: Ann <ann@example.org>\nSubject: Help\n{header}\n\nplease"));
    may_answer(&message, &facts(), now())
}

#[test]
fn a_person_is_answered() {
    assert_eq!(answer_to("X-Mailer: any"), Answer::Yes(AnswerText::Full));
    for harmless in ["Auto-Submitted: no", "X-Auto-Response-Suppress: None", "Precedence: first-class", "X-Loop: no"] {
        assert_eq!(answer_to(harmless), Answer::Yes(AnswerText::Full), "{harmless}");
    }
}

/// One fact that differs.
type Change = fn(&mut AnswerFacts);

#[test]
fn e1_each_thing_alone_speaks_against_an_answer() {
    let message = read("From: ann@example.org\nSubject: Help\n\nplease");
    let changes: [(Change, Answer); 11] = [
        (|f| f.author = None, Answer::No(NoAnswer::NoAuthor)),
        (|f| f.own_address = true, Answer::No(NoAnswer::OwnAddress)),
        (|f| f.author = Some("news-request@example.org".into()), Answer::No(NoAnswer::NotAPerson)),
        (|f| f.opened_item = false, Answer::No(NoAnswer::NotTheFirst)),
        (|f| f.was_there_before = true, Answer::No(NoAnswer::Old)),
        (|f| f.registered = false, Answer::No(NoAnswer::UnknownSender)),
        (|f| (f.registered, f.answers_unknown) = (false, true), Answer::Yes(AnswerText::Full)),
        (|f| f.to_sender = PER_SENDER_MAX - 1, Answer::Yes(AnswerText::Full)),
        (|f| f.to_sender = PER_SENDER_MAX, Answer::No(NoAnswer::SenderLimit)),
        (|f| f.of_mailbox = PER_MAILBOX_MAX, Answer::No(NoAnswer::MailboxLimit)),
        (|f| f.verified = false, Answer::Yes(AnswerText::Fixed)),
    ];
    for (at, (change, expected)) in changes.into_iter().enumerate() {
        let mut facts = facts();
        change(&mut facts);
        assert_eq!(may_answer(&message, &facts, now()), expected, "change {at}");
    }
    for header in ["In-Reply-To: <a@b>", "References: <a@b> <c@d>"] {
        assert_eq!(answer_to(header), Answer::No(NoAnswer::NotTheFirst), "{header}");
    }
}

#[test]
fn e2_a_bounce_is_never_answered() {
    let report = "MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\n\
        failed\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n\
        Final-Recipient: rfc822; x@example.net\nAction: failed\nStatus: 5.1.1\n\n--b--";
    let plain =
        "\n\nA message that you sent could not be delivered to one or more of its recipients.\n\n  x@example.net";
    for (style, text) in [
        (
            "Postfix",
            format!(
                "From: MAILER-DAEMON@mx.example.net (Mail Delivery System)\nSubject: Undelivered Mail Returned to Sender\nAuto-Submitted: auto-replied\n{report}"
            ),
        ),
        (
            "Exim",
            format!(
                "From: Mail Delivery System <Mailer-Daemon@mx.example.net>\nX-Failed-Recipients: x@example.net\nAuto-Submitted: auto-replied\nSubject: Mail delivery failed: returning message to sender{plain}"
            ),
        ),
        ("Exchange", format!("From: postmaster@example.net\nSubject: Undeliverable: Help\n{report}")),
        (
            "Gmail",
            format!(
                "From: Mail Delivery Subsystem <mailer-daemon@googlemail.example>\nX-Failed-Recipients: x@example.net\nSubject: Delivery Status Notification (Failure)\nAuto-Submitted: auto-replied\n{report}"
            ),
        ),
        ("qmail", format!("Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nSubject: failure notice{plain}")),
        (
            "plain",
            format!(
                "Return-Path: <>\nFrom: postmaster@mx.example.net\nSubject: Returned mail: see transcript for details{plain}"
            ),
        ),
    ] {
        let message = read(&text);
        let author = message.author().and_then(postroom_mail::Address::canonical);
        let facts = AnswerFacts { author, ..facts() };
        assert!(matches!(may_answer(&message, &facts, now()), Answer::No(_)), "{style}");
    }
}

/// What asks not to be answered, although a person may have written it.
pub(crate) const SUPPRESSING: [&str; 25] = [
    "Auto-Submitted: auto-generated",
    "Auto-Submitted: auto-replied",
    "Auto-Submitted: auto-notified",
    "Auto-Submitted: auto-replied (vacation)",
    "auto-submitted: AUTO-GENERATED; type=x",
    "Precedence: bulk",
    "Precedence: list",
    "Precedence: junk",
    "Precedence: auto_reply",
    "List-Id: <news.example.org>",
    "List-Unsubscribe: <mailto:leave@example.org>",
    "List-Post: <mailto:news@example.org>",
    "List-Help: <mailto:help@example.org>",
    "List-Owner: <mailto:owner@example.org>",
    "Mailing-List: contact help@example.org",
    "X-Mailing-List: news",
    "X-Auto-Response-Suppress: All",
    "X-Auto-Response-Suppress: OOF, AutoReply",
    "X-Auto-Response-Suppress: DR, RN, NRN",
    "X-Autoreply: yes",
    "X-Autorespond: Help",
    "X-Autoresponder: program",
    "X-Auto-Reply: 1",
    "X-Loop: ann@example.org",
    "Feedback-ID: 1:2:3:mailer",
];

#[test]
fn e4_whatever_asks_for_silence_gets_it() {
    for header in SUPPRESSING {
        assert_eq!(answer_to(header), Answer::No(NoAnswer::Automatic), "{header}");
    }
    assert_eq!(answer_to("Return-Path: <>"), Answer::No(NoAnswer::Automatic));
}

#[test]
fn e7_forged_authors_never_get_more_than_a_hundred_answers_an_hour_and_nothing_of_what_came() {
    let (mut given, mut texts) = (0, Vec::new());
    for n in 0..1_000 {
        let message = read(&format!("From: victim{n}@elsewhere.example\nSubject: Buy this\n\nhttp://evil.example"));
        let author = message.author().and_then(postroom_mail::Address::canonical);
        let unproven = AnswerFacts { author, registered: false, verified: false, of_mailbox: given, ..facts() };
        assert_eq!(may_answer(&message, &unproven, now()), Answer::No(NoAnswer::UnknownSender), "off by default");
        let facts = AnswerFacts { answers_unknown: true, ..unproven };
        if let Answer::Yes(text) = may_answer(&message, &facts, now()) {
            given += 1;
            texts.push(text);
        }
    }
    assert_eq!(given, PER_MAILBOX_MAX);
    assert!(texts.iter().all(|text| *text == AnswerText::Fixed));
}

#[test]
fn b17_a_backlog_is_never_answered() {
    let message = read("From: ann@example.org\nSubject: Help\n\nplease");
    let old = |n: i64| AnswerFacts { received_at: now() - SignedDuration::from_hours(24 + n % 50_000), ..facts() };
    for n in 0..5_000 {
        // In the mailbox before the first visit, also where it says that it has just arrived.
        let there_before = AnswerFacts { was_there_before: true, ..facts() };
        assert_eq!(may_answer(&message, &there_before, now()), Answer::No(NoAnswer::Old));
        // Fetched late, say after a week without a network.
        assert_eq!(may_answer(&message, &old(n + 1), now()), Answer::No(NoAnswer::Old), "{n}");
    }
}

#[test]
fn c13_mail_older_than_a_day_is_not_answered() {
    let message = read("From: ann@example.org\nSubject: Help\n\nplease");
    for (age_s, answered) in [(0, true), (86_400, true), (86_401, false), (-60, true)] {
        let facts = AnswerFacts { received_at: now() - SignedDuration::from_secs(age_s), ..facts() };
        assert_eq!(may_answer(&message, &facts, now()) == Answer::Yes(AnswerText::Full), answered, "{age_s} s");
    }
}
