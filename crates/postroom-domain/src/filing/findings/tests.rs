#![allow(clippy::unwrap_used)]

use super::*;
use crate::matching::Clues;
use expect_test::{Expect, expect};
use postroom_mail::{Address, FailedRecipient};

fn check(message: &Message, expected: Expect) {
    let trace = findings(message);
    let steps: Vec<String> = trace.iter().map(|s| format!("{}: {} {}\n", s.rule, s.outcome, s.detail)).collect();
    expected.assert_eq(&steps.concat());
}

#[test]
fn findings_are_told() {
    check(&Message::default(), expect![""]);
    let recipient = |address: &str, action: &str, status: Option<&str>, diagnostic: &str| FailedRecipient {
        address: address.to_owned(),
        action: action.to_owned(),
        status: status.map(str::to_owned),
        diagnostic: diagnostic.to_owned(),
    };
    let bounce = Bounce {
        original_message_id: Some("1@example.com".to_owned()),
        recipients: vec![
            recipient("gone@example.net", "failed", Some("5.1.1"), "550 no such person"),
            recipient("slow@example.net", "delayed", None, ""),
        ],
    };
    check(
        &Message { bounce: Some(bounce), ..Message::default() },
        expect![[r#"
            bounce: failed gone@example.net: 5.1.1, 550 no such person
            bounce: delayed slow@example.net
            bounce: original 1@example.com
        "#]],
    );
    let forwarded = Forwarded {
        from: Some(Address::new("Ann", "ann@example.org")),
        date_as_written: "3 March".to_owned(),
        subject: "Printer".to_owned(),
        ..Forwarded::default()
    };
    let attached = Forwarded { attached: true, ..Forwarded::default() };
    check(
        &Message { forwarded: vec![forwarded, attached], ..Message::default() },
        expect![[r#"
            forwarded: in the text from Ann <ann@example.org>, of 3 March: Printer
            forwarded: attached from an unnamed author
        "#]],
    );
    let invitation = Invitation {
        method: "REPLY".to_owned(),
        summary: "Review".to_owned(),
        start_as_written: "20260303T090000".to_owned(),
        location: "Room 4".to_owned(),
        organizer: "ann@example.org".to_owned(),
        answer: Some(("bob@example.com".to_owned(), "ACCEPTED".to_owned())),
        ..Invitation::default()
    };
    check(
        &Message { invitations: vec![invitation], protection: Some(Protection::PgpSigned), ..Message::default() },
        expect![[r#"
            invitation: reply Review, 20260303T090000, Room 4, organized by ann@example.org, bob@example.com: ACCEPTED
            protection: signed OpenPGP; the signature is not verified
        "#]],
    );
}

#[test]
fn many_findings_are_counted() {
    let forwarded = vec![Forwarded { subject: "x".repeat(5_000), ..Forwarded::default() }; 20];
    let trace = findings(&Message { forwarded, ..Message::default() });
    assert_eq!((trace.len(), trace[5].detail.as_str()), (6, "15 more"));
    assert_eq!(trace[0].detail.chars().count(), DETAIL_MAX);
}

/// Whoever wrote the forwarded message, rights are those of him who sent it.
#[test]
fn a_forwarded_author_is_not_the_sender() {
    let forwarded = Forwarded { from: Some(Address::new("", "boss@example.org")), ..Forwarded::default() };
    let from = vec![Address::new("", "eve@example.net")];
    let message = Message { from, forwarded: vec![forwarded], ..Message::default() };
    assert_eq!(Clues::of(&message, true).author.as_deref(), Some("eve@example.net"));
}
