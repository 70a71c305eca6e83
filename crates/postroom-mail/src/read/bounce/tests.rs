#![allow(clippy::unwrap_used)]
//! Bounces as mail systems write them; the words are ours, the forms are theirs.

use crate::RawMessage;
use crate::read::read;

struct Style {
    name: &'static str,
    header: &'static str,
    text: &'static str,
    /// address, action, status, diagnostic; one line each.
    recipients: &'static [(&'static str, &'static str, &'static str, &'static str)],
    original: Option<&'static str>,
}

const MAILER: &str = "From: Mail Delivery System <MAILER-DAEMON@mx.example.org>\nTo: ann@example.com\n";

const STYLES: &[Style] = &[
    Style {
        name: "Exim",
        header: "Subject: Mail delivery failed: returning message to sender\nX-Failed-Recipients: gone@example.net, off@example.net\n",
        text: "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  gone@example.net\n    host mx.example.net [192.0.2.1]\n    SMTP error from remote mail server after RCPT TO:<gone@example.net>:\n    550 5.1.1 no such person\n  off@example.net\n    retry timeout exceeded\n\n------ This is a copy of the message, including all the headers. ------\n\nReturn-path: <ann@example.com>\nMessage-ID: <exim@example.com>\nFrom: Ann <ann@example.com>\nTo: third@example.net\n",
        recipients: &[
            (
                "gone@example.net",
                "failed",
                "5.1.1",
                "host mx.example.net [192.0.2.1] SMTP error from remote mail server after RCPT TO:<gone@example.net>: 550 5.1.1 no such person",
            ),
            ("off@example.net", "failed", "5.1.1", "550 5.1.1 no such person"),
        ],
        original: Some("exim@example.com"),
    },
    Style {
        name: "Exim warns that mail is late",
        header: "Subject: Warning: message 1abc delayed 24 hours\nAuto-Submitted: auto-replied\n",
        text: "This message was created automatically by mail delivery software.\nA message that you sent has not yet been delivered to one or more of its\nrecipients after more than 24 hours on the queue on mx.example.org.\n\nThe message identifier is:     1abc\nThe subject of the message is: Printer\n\nThe address to which the message has not yet been delivered is:\n\n  slow@example.net\n    host mx.example.net [192.0.2.1]: 451 4.7.1 greylisted\n\nNo action is required on your part.\n",
        recipients: &[(
            "slow@example.net",
            "delayed",
            "4.7.1",
            "host mx.example.net [192.0.2.1]: 451 4.7.1 greylisted",
        )],
        original: None,
    },
    Style {
        name: "qmail",
        header: "Subject: failure notice\n",
        text: "Hi. This is the qmail-send program at mx.example.org.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<gone@example.net>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 no mailbox here by that name\nGiving up on 192.0.2.1.\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <ann@example.com>\nMessage-ID:\n <qmail@example.com>\nTo: gone@example.net\n",
        recipients: &[(
            "gone@example.net",
            "failed",
            "",
            "192.0.2.1 does not like recipient. Remote host said: 550 no mailbox here by that name Giving up on 192.0.2.1.",
        )],
        original: Some("qmail@example.com"),
    },
    Style {
        name: "Postfix without a report",
        header: "Subject: Undelivered Mail Returned to Sender\n",
        text: "This is the mail system at host mx.example.org.\n\nI'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients.\n\nFor further assistance, please send mail to postmaster.\n\n                   The mail system\n\n<gone@example.net>: host mx.example.net[192.0.2.1] said: 550 5.1.1\n    <gone@example.net>: Recipient address rejected (in reply to RCPT TO command)\n\n<full@example.net>: mailbox full (4.2.2)\n",
        recipients: &[
            (
                "gone@example.net",
                "failed",
                "5.1.1",
                "host mx.example.net[192.0.2.1] said: 550 5.1.1 <gone@example.net>: Recipient address rejected (in reply to RCPT TO command)",
            ),
            ("full@example.net", "failed", "4.2.2", "mailbox full (4.2.2)"),
        ],
        original: None,
    },
    Style {
        name: "Sendmail",
        header: "Subject: Returned mail: see transcript for details\nIn-Reply-To: <sendmail@example.com>\n",
        text: "The original message was received at Tue, 3 Mar 2026 09:15:00 +0100\nfrom desk.example.com [192.0.2.9]\n\n   ----- The following addresses had permanent fatal errors -----\n<gone@example.net>\n    (reason: 553 5.3.0 no such person)\n\n   ----- Transcript of session follows -----\n... while talking to mx.example.net.:\n>>> RCPT To:<gone@example.net>\n<<< 553 5.3.0 no such person\n550 5.1.1 <gone@example.net>... User unknown\n",
        recipients: &[("gone@example.net", "failed", "5.3.0", "(reason: 553 5.3.0 no such person)")],
        original: Some("sendmail@example.com"),
    },
    Style {
        name: "Courier",
        header: "Subject: NOTICE: mail delivery status.\n",
        text: "This is a delivery status notification from mx.example.org.\n\nThe original message was received on Tue, 03 Mar 2026 09:15:00 +0100\n\n---------------------------------------------------------------------------\n\n                           UNDELIVERABLE MAIL\n\nYour message to the following recipients cannot be delivered:\n\n<gone@example.net>:\n    mx.example.net [192.0.2.1]:\n>>> RCPT TO:<gone@example.net>\n<<< 550 5.1.1 no such person\n",
        recipients: &[(
            "gone@example.net",
            "failed",
            "5.1.1",
            "mx.example.net [192.0.2.1]: >>> RCPT TO:<gone@example.net> <<< 550 5.1.1 no such person",
        )],
        original: None,
    },
    Style {
        name: "Exchange of old",
        header: "From: System Administrator <admin@example.org>\nSubject: Undeliverable: Printer\n",
        text: "Your message\n\n  To:      gone@example.net\n  Subject: Printer\n  Sent:    Tue, 3 Mar 2026 09:15:00 +0100\n\ndid not reach the following recipient(s):\n\ngone@example.net on Tue, 3 Mar 2026 09:16:00 +0100\n    The e-mail account does not exist at the organization this message was\n    sent to.\n    <mx.example.org #5.1.1 smtp;550 5.1.1 no such person>\n",
        recipients: &[(
            "gone@example.net",
            "failed",
            "5.1.1",
            "on Tue, 3 Mar 2026 09:16:00 +0100 The e-mail account does not exist at the organization this message was sent to. <mx.example.org #5.1.1 smtp;550 5.1.1 no such person>",
        )],
        original: None,
    },
    Style {
        name: "Exchange",
        header: "From: Microsoft Outlook <MicrosoftExchange329e71ec@example.org>\nSubject: Undeliverable: Printer\n",
        text: "Delivery has failed to these recipients or groups:\n\nGone Away (gone@example.net)\nThe email address you entered couldn't be found.\n\nDiagnostic information for administrators:\n\nGenerating server: mx.example.org\n\ngone@example.net\nRemote Server returned '550 5.1.1 RESOLVER.ADR.RecipNotFound; not found'\n\nOriginal message headers:\n\nReceived: from a.example.org by b.example.org\nMessage-ID: <exchange@example.com>\nFrom: ann@example.com\n",
        recipients: &[(
            "gone@example.net",
            "failed",
            "5.1.1",
            "Remote Server returned '550 5.1.1 RESOLVER.ADR.RecipNotFound; not found'",
        )],
        original: Some("exchange@example.com"),
    },
    Style {
        name: "Notes",
        header: "Subject: DELIVERY FAILURE: User gone not listed in directory\n",
        text: "Your message\n\n  Subject: Printer\n\nwas not delivered to:\n\n  gone@example.net\n\nbecause:\n\n  User gone (gone@example.net) not listed in Domino Directory\n",
        recipients: &[(
            "gone@example.net",
            "failed",
            "",
            "because: User gone (gone@example.net) not listed in Domino Directory",
        )],
        original: None,
    },
    Style {
        name: "Gmail of old",
        header: "Subject: Delivery Status Notification (Failure)\n",
        text: "Delivery to the following recipient failed permanently:\n\n     gone@example.net\n\nTechnical details of permanent failure: \nThe error that the other server returned was: 550 550 5.1.1 no such person (state 14).\n\n----- Original message -----\n\nMessage-ID: <gmail@example.com>\nTo: gone@example.net\n",
        recipients: &[(
            "gone@example.net",
            "failed",
            "5.1.1",
            "Technical details of permanent failure: The error that the other server returned was: 550 550 5.1.1 no such person (state 14).",
        )],
        original: Some("gmail@example.com"),
    },
    Style {
        name: "Gmail",
        header: "Subject: Delivery Status Notification (Failure)\n",
        text: "** Address not found **\n\nYour message wasn't delivered to gone@example.net because the address couldn't be found, or is unable to receive mail.\n\nThe response from the remote server was:\n550 5.1.1 no such person\n",
        recipients: &[("gone@example.net", "failed", "5.1.1", "550 5.1.1 no such person")],
        original: None,
    },
    Style {
        name: "Yahoo",
        header: "Subject: Failure Notice\n",
        text: "Sorry, we were unable to deliver your message to the following address.\n\n<gone@example.net>:\nRemote host said: 554 delivery error: dd This user doesn't have an account [-5]\n\n--- Below this line is a copy of the message.\n\nMessage-ID: <yahoo@example.com>\n",
        recipients: &[(
            "gone@example.net",
            "failed",
            "",
            "Remote host said: 554 delivery error: dd This user doesn't have an account [-5]",
        )],
        original: Some("yahoo@example.com"),
    },
    Style {
        name: "Amazon",
        header: "Subject: Delivery Status Notification (Failure)\n",
        text: "An error occurred while trying to deliver the mail to the following recipients:\ngone@example.net\n",
        recipients: &[("gone@example.net", "failed", "", "")],
        original: None,
    },
    Style {
        name: "MDaemon",
        header: "Subject: MDaemon Warning - Delivery Failure\n",
        text: "The following data may contain sections which represent BASE64 encoded\nfile attachments.\n\nFailed address: gone@example.net\n\n--- Session Transcript ---\n--> RCPT To:<gone@example.net>\n<-- 550 5.1.1 no such person\n--- End Transcript ---\n",
        recipients: &[(
            "gone@example.net",
            "failed",
            "5.1.1",
            "--- Session Transcript --- --> RCPT To:<gone@example.net> <-- 550 5.1.1 no such person --- End Transcript ---",
        )],
        original: None,
    },
    Style {
        name: "in German",
        header: "Subject: Nicht zustellbar: Drucker\n",
        text: "Ihre Nachricht konnte nicht zugestellt werden an:\n\n- weg@example.net\n\nGrund: 550 5.1.1 unbekannt\n",
        recipients: &[("weg@example.net", "failed", "5.1.1", "Grund: 550 5.1.1 unbekannt")],
        original: None,
    },
    Style {
        name: "a report without its structure",
        header: "Subject: Returned mail\nContent-Type: multipart/report; report-type=delivery-status\n",
        text: "--x\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n\nFinal-Recipient: rfc822; gone@example.net\nAction: failed\nStatus: 5.4.6\n\n--x\nContent-Type: text/rfc822-headers\n\nMessage-ID: <lost@example.com>\n",
        recipients: &[("gone@example.net", "failed", "5.4.6", "")],
        original: Some("lost@example.com"),
    },
    Style {
        name: "one that names nobody",
        header: "Subject: Returned mail\n",
        text: "Your mail could not be delivered.\n",
        recipients: &[],
        original: None,
    },
];

#[test]
fn bounces_by_their_text() {
    for style in STYLES {
        let mailer = if style.header.starts_with("From:") { "Return-Path: <>\nTo: ann@example.com\n" } else { MAILER };
        let raw = format!("{mailer}{}\n{}", style.header, style.text);
        let message = read(&RawMessage::new(raw));
        let bounce = message.bounce.unwrap_or_else(|| panic!("{} is no bounce: {:?}", style.name, message.automatic));
        let recipients: Vec<_> = bounce
            .recipients
            .iter()
            .map(|r| {
                (r.address.as_str(), r.action.as_str(), r.status.as_deref().unwrap_or_default(), r.diagnostic.as_str())
            })
            .collect();
        assert_eq!(recipients, style.recipients, "{}", style.name);
        assert_eq!(bounce.original_message_id.as_deref(), style.original, "{}", style.name);
        let is_late = style.recipients.iter().any(|recipient| recipient.1 == "delayed");
        let evidence = message.automatic.unwrap().evidence;
        assert_eq!(evidence.ends_with("; Action: delayed"), is_late, "{}: {evidence}", style.name);
    }
}

/// A report with this delivery status, and this part for the original.
fn report(status: &str, original: &str) -> crate::Bounce {
    let raw = format!(
        "From: MAILER-DAEMON@mx.example.org\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nwords\n--b\nContent-Type: message/delivery-status\n\n{status}\n--b\n{original}\n--b--\n"
    );
    read(&RawMessage::new(raw)).bounce.unwrap()
}

/// A delivery status, and of each recipient: address, action, status, diagnostic.
#[rustfmt::skip]
const STATUS: &[(&str, &[&str])] = &[
    ("Reporting-MTA: dns; mx.example.org\n\nFinal-Recipient: rfc822; gone@example.net\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no\n  such person", &["gone@example.net failed 5.1.1 550 5.1.1 no such person"]),
    ("Reporting-MTA: dns; a\n\nFinal-Recipient: rfc822;<a@example.net>\nAction: Failed\nStatus: 5.0.0\n\nFinal-Recipient: rfc822;b@example.net\nAction: delayed\nStatus: 4.4.1 (later)", &["a@example.net failed 5.0.0 ", "b@example.net delayed 4.4.1 "]),
    // The final recipient is a path of the other system
    ("Final-Recipient: x-unix; /var/mail/ann\nOriginal-Recipient: rfc822; ann@example.net\nAction: failed\nStatus: 5.2.2", &["ann@example.net failed 5.2.2 "]),
    ("Final-Recipient: LOCAL;ann\nAction: failed\nStatus: 5.2.2", &["ann failed 5.2.2 "]),
    // RFC 6533
    ("Final-Recipient: utf-8; andr\\x{E9}@example.net\nAction: relayed\nStatus: 2.1.9", &["andré@example.net relayed 2.1.9 "]),
    // What is missing follows from the rest
    ("Final-Recipient: rfc822; a@example.net\nStatus: 4.4.1", &["a@example.net delayed 4.4.1 "]),
    ("Final-Recipient: rfc822; a@example.net\nDiagnostic-Code: smtp; 550 #5.7.1 refused", &["a@example.net failed 5.7.1 550 #5.7.1 refused"]),
    ("Final-Recipient: rfc822; a@example.net\nAction: failed (really)", &["a@example.net failed - "]),
    // Without blank lines between
    ("Reporting-MTA: dns; a\nFinal-Recipient: rfc822; a@example.net\nAction: failed\nFinal-Recipient: rfc822; b@example.net\nAction: expanded", &["a@example.net failed - ", "b@example.net expanded - "]),
];

#[test]
fn delivery_status() {
    for (status, expected) in STATUS {
        let bounce =
            report(status, "Content-Type: text/rfc822-headers\n\nSubject: Printer\nMessage-ID: <1@example.com>");
        let found: Vec<String> = bounce
            .recipients
            .iter()
            .map(|r| format!("{} {} {} {}", r.address, r.action, r.status.as_deref().unwrap_or("-"), r.diagnostic))
            .collect();
        assert_eq!(found, *expected, "{status}");
        assert_eq!(bounce.original_message_id.as_deref(), Some("1@example.com"));
    }
}

#[test]
fn original_of_every_form() {
    for kind in super::ORIGINAL_PARTS {
        let bounce = report("", &format!("Content-Type: {kind}\n\nMessage-ID: <1@example.com>\n\nHi"));
        assert_eq!(bounce.original_message_id.as_deref(), Some("1@example.com"), "{kind}");
    }
}

#[test]
fn recipients_and_diagnostics_have_a_limit() {
    let group = format!(
        "Final-Recipient: rfc822; a@example.net\nAction: failed\nDiagnostic-Code: smtp; {}\n\n",
        "no ".repeat(900)
    );
    let bounce = report(&group.repeat(150), "Content-Type: text/plain\n\n");
    assert_eq!(bounce.recipients.len(), 100);
    assert_eq!(bounce.recipients[0].diagnostic.chars().count(), 500);
    let lines: String = (0..5_000).map(|n| format!("<a{n}@example.net>:\nno\n\n")).collect();
    let message = read(&RawMessage::new(format!("{MAILER}Subject: failure notice\n\n{lines}")));
    assert_eq!(message.bounce.unwrap().recipients.len(), 100);
    assert!(message.defects.iter().any(|defect| defect.to_string().contains("100 recipients of a bounce")));
}
