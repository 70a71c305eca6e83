#![allow(clippy::unwrap_used)]
//! One table: a message, what the store knows, the rules in force, and what becomes of it.

use super::*;
use crate::{
    AddressRules, DomainPolicy, GlobalPolicy, Limits, Membership, ReceiptId, Role, Routing, User, UserId,
    WorkspacePolicy,
};
use expect_test::{Expect, expect};
use postroom_mail::{Address, Automatic, AutomaticKind};

struct Case {
    message: Message,
    facts: Facts,
    policy: Policy,
}

fn case(subject: &str) -> Case {
    Case {
        message: Message {
            from: vec![Address::new("Ann", "ann@example.org")],
            subject: subject.to_owned(),
            ..Message::default()
        },
        facts: Facts::default(),
        policy: Policy {
            submissions: true,
            unknown_senders: false,
            addresses: AddressRules::global(&GlobalPolicy::default()).unwrap().into(),
            bare_numbers: true,
            automatic: AutomaticMail::File,
            workspace: Some(WorkspaceId(1)),
            routing: Routing::default(),
            limits: Limits::default(),
            released: false,
        },
    }
}

impl Case {
    fn known(mut self, role: Option<Role>) -> Self {
        self.facts.sender = Some(User {
            id: UserId(1),
            address: "ann@example.org".to_owned(),
            name: String::new(),
            admin: false,
            active: true,
            aliases: Vec::new(),
            memberships: role.map(|role| Membership { workspace: "SUP".parse().unwrap(), role }).into_iter().collect(),
        });
        self
    }

    fn item(mut self, number: i64, participant: bool) -> Self {
        self.facts.items.push(ItemFacts {
            number,
            workspace: "SUP".parse().unwrap(),
            policy: WorkspacePolicy::default(),
            participant,
        });
        self
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn check(self, expected: Expect) {
        let clues = Clues::of(&self.message, self.policy.bare_numbers);
        let filing = decide(&self.message, &clues, &self.facts, &self.policy);
        let effect = match &filing.effect {
            Effect::OpenItem { title, .. } => format!("item `{title}`"),
            Effect::AddComment { item } => format!("comment on #{item}"),
            Effect::Hold | Effect::Prove { .. } => "held".to_owned(),
        };
        let steps: Vec<String> =
            filing.trace.iter().map(|s| format!("{}: {} {}", s.rule, s.outcome, s.detail)).collect();
        let steps: Vec<&str> = steps.iter().map(|s| s.trim_end()).collect();
        expected.assert_eq(&format!("{effect}, {} | {}", filing.reason, steps.join(" | ")));
    }
}

#[test]
fn unknown_senders() {
    case("Hello").check(expect!["held, SENDER_UNKNOWN | sender: unknown ann@example.org"]);
    case("Hello")
        .with(|c| c.policy.unknown_senders = true)
        .check(expect!["item `Hello`, NEW_ITEM | sender: unknown, allowed ann@example.org | item: opened"]);
    case("Hello")
        .known(None)
        .check(expect!["item `Hello`, NEW_ITEM | sender: registered ann@example.org | item: opened"]);
}

#[test]
fn unclear_authors_are_strangers_without_an_address() {
    let several = |c: &mut Case| c.message.from.push(Address::new("", "eve@example.org"));
    case("x").known(None).with(several).check(expect!["held, SENDER_UNCLEAR | author: unclear 2 addresses in From"]);
    case("[#7]")
        .known(Some(Role::Manager))
        .item(7, false)
        .with(several)
        .with(|c| {
            c.facts.sender = None;
            c.policy.unknown_senders = true;
        })
        .check(expect![[
            "item `[#7]`, NEW_ITEM | author: unclear 2 addresses in From | number: mention mentions #7, on which the sender may not comment | item: opened"
        ]]);
}

#[test]
fn a_number_is_a_hint_not_a_right() {
    case("Re: [#7] x")
        .known(Some(Role::Reporter))
        .item(7, false)
        .check(expect!["comment on #7, NUMBER_IN_SUBJECT | sender: registered ann@example.org | number: comment #7"]);
    case("Re: [#7] x").known(Some(Role::Reader)).item(7, false).check(expect![
        "item `Re: [#7] x`, NEW_ITEM | sender: registered ann@example.org | number: mention mentions #7, on which the sender may not comment | item: opened"
    ]);
    case("Re: [#7] x")
        .known(None)
        .item(7, true)
        .check(expect!["comment on #7, NUMBER_IN_SUBJECT | sender: registered ann@example.org | number: comment #7"]);
    case("Re: [#8] x").known(None).item(7, true).check(expect![
        "item `Re: [#8] x`, NEW_ITEM | sender: registered ann@example.org | number: no such item #8 | item: opened"
    ]);
    case("5 of #7")
        .known(None)
        .item(5, true)
        .item(7, true)
        .check(expect!["comment on #7, NUMBER_IN_SUBJECT | sender: registered ann@example.org | number: comment #7"]);
    case("5 of #7").known(None).item(5, true).item(7, false).check(expect![
        "comment on #5, NUMBER_IN_SUBJECT | sender: registered ann@example.org | number: mention mentions #7, on which the sender may not comment | number: comment 5"
    ]);
}

#[test]
fn the_other_reasons_to_hold() {
    case("x").with(|c| c.policy.submissions = false).check(expect!["held, SUBMISSIONS_OFF | submissions: off"]);
    case("x")
        .known(None)
        .with(|c| {
            let allowed = DomainPolicy { domains: vec!["bosch.com".to_owned()], ..DomainPolicy::default() };
            c.policy.addresses =
                AddressRules::global(&GlobalPolicy { allowed, ..GlobalPolicy::default() }).unwrap().into();
        })
        .check(expect![
            "held, DOMAIN_NOT_ALLOWED | allowed-domains: refused ann@example.org is not among the allowed domains"
        ]);
    case("x").known(None).with(|c| c.facts.twin = Some(ReceiptId(3))).check(expect![
        "held, DUPLICATE_COPY | sender: registered ann@example.org | copy: duplicate same octets as receipt 3"
    ]);
    case("x")
        .known(None)
        .with(|c| c.policy.workspace = None)
        .check(expect!["held, NO_DEFAULT_WORKSPACE | sender: registered ann@example.org | workspace: none"]);
}

#[test]
fn automatic_mail_is_filed_unless_the_mailbox_says_hold() {
    let bounce = |c: &mut Case| {
        let evidence = "Return-Path: <>".to_owned();
        c.message.automatic = Some(Automatic { kind: AutomaticKind::Bounce, evidence });
    };
    case("x").known(None).with(bounce).check(expect![
        "item `x`, NEW_ITEM | sender: registered ann@example.org | automatic: filed bounce: Return-Path: <> | item: opened"
    ]);
    case("x").known(None).with(bounce).with(|c| c.policy.automatic = AutomaticMail::Hold).check(expect![
        "held, AUTOMATIC_MAIL | sender: registered ann@example.org | automatic: held bounce: Return-Path: <>"
    ]);
}

#[test]
fn a_release_overrules_every_judgement_but_no_right() {
    case("[#7]").item(7, false).with(|c| c.policy.released = true).check(expect![
        "item `[#7]`, NEW_ITEM | release: admitted a person released it | number: mention mentions #7, on which the sender may not comment | item: opened"
    ]);
}

#[test]
fn titles_are_never_empty_and_never_endless() {
    assert_eq!(title_of("  "), "(no subject)");
    assert_eq!(title_of(&"ä".repeat(255)), "ä".repeat(255));
    assert_eq!(title_of(&"ä".repeat(256)), format!("{}…", "ä".repeat(254)));
}

#[test]
fn e3_reports_and_mail_without_a_return_path_are_filed_and_marked() {
    let report = |kind: &str| {
        format!(
            "From: Ann <ann@example.org>\r\nSubject: x\r\nContent-Type: multipart/report; report-type={kind}; boundary=b\r\n\
             \r\n--b\r\n\r\nx\r\n--b--"
        )
    };
    let plain = |header: &str| format!("From: Ann <ann@example.org>\r\nSubject: x\r\n{header}\r\n\r\nx");
    let mails = [
        plain("Return-Path: <>"),
        plain("Return-Path: <>\r\nAuto-Submitted: auto-replied"),
        plain("X-Failed-Recipients: a@example.org"),
        plain("Content-Type: message/disposition-notification"),
        plain("Content-Type: message/delivery-status"),
        plain("TLS-Report-Domain: example.org"),
        report("delivery-status"),
        report("disposition-notification"),
        report("feedback-report"),
        report("tlsrpt"),
        "From: MAILER-DAEMON@example.org\r\nSubject: x\r\n\r\nx".to_owned(),
        plain("Subject: Report domain: example.org Submitter: example.net Report-ID: 1"),
    ];
    for text in mails {
        let text = if text.contains("Report domain") { text.replacen("Subject: x\r\n", "", 1) } else { text };
        let message = postroom_mail::read(&postroom_mail::RawMessage::new(text.clone()));
        let clues = Clues::of(&message, true);
        let case = case("x").with(|c| c.policy.unknown_senders = true);
        let filing = decide(&message, &clues, &case.facts, &case.policy);
        assert_eq!(filing.reason, Reason::NewItem, "{text}");
        assert!(filing.trace.iter().any(|step| step.rule == "automatic" && step.outcome == "filed"), "{text}");
        assert!(message.auto_submitted, "{text}: nothing may answer it");
    }
}

#[test]
fn e4_what_asks_not_to_be_answered_is_filed_all_the_same() {
    for header in crate::answer::tests::SUPPRESSING {
        let text = format!("From: ann@example.org\r\nSubject: Help\r\n{header}\r\n\r\nx");
        let message = postroom_mail::read(&postroom_mail::RawMessage::new(text));
        let case = case("x").known(None);
        let filing = decide(&message, &Clues::of(&message, true), &case.facts, &case.policy);
        assert_eq!(filing.reason, Reason::NewItem, "{header}");
    }
}

#[test]
fn e5_a_persons_answer_that_is_marked_as_automatic_is_a_comment() {
    for header in ["Auto-Submitted: auto-generated", "X-Auto-Response-Suppress: All", "Precedence: bulk"] {
        let text =
            format!("From: ann@example.org\r\nSubject: Re: [#7] Help\r\n{header}\r\n\r\nIt works now, thank you.");
        let message = postroom_mail::read(&postroom_mail::RawMessage::new(text));
        let case = case("x").known(Some(Role::Reporter)).item(7, false);
        let filing = decide(&message, &Clues::of(&message, true), &case.facts, &case.policy);
        assert_eq!(filing.effect, Effect::AddComment { item: 7 }, "{header}");
    }
}

#[test]
fn a_storm_holds_what_would_be_filed_and_nothing_that_is_held_anyway() {
    let storm = |c: &mut Case, storm: Storm| {
        c.facts.arrivals = crate::Arrivals {
            at: Some("2026-03-01T12:00:00Z".parse().unwrap()),
            counts: vec![(storm, 1_000)],
            ..crate::Arrivals::default()
        };
    };
    let sender = || Storm::Sender("ann@example.org".to_owned());
    case("x").known(None).with(|c| storm(c, sender())).check(expect![
        "held, STORM | sender: registered ann@example.org | storm: held 1000 messages from ann@example.org within an hour are the limit (mail-per-sender); it ends when fewer arrive, not before 2026-03-01 13:00 UTC"
    ]);
    case("x").with(|c| storm(c, sender())).check(expect!["held, SENDER_UNKNOWN | sender: unknown ann@example.org"]);
    case("x")
        .known(None)
        .with(|c| storm(c, sender()))
        .with(|c| c.policy.released = true)
        .check(expect!["item `x`, NEW_ITEM | release: admitted a person released it | item: opened"]);
    // The limit of an item counts only for comments on it.
    case("[#7]")
        .known(None)
        .item(7, true)
        .with(|c| storm(c, Storm::AutomaticItem(8)))
        .check(expect!["comment on #7, NUMBER_IN_SUBJECT | sender: registered ann@example.org | number: comment #7"]);
    case("[#7]").known(None).item(7, true).with(|c| storm(c, Storm::AutomaticItem(7))).check(expect![
        "held, STORM | sender: registered ann@example.org | number: comment #7 | storm: held 20 automatic comments on #7 within an hour are the limit (automatic-per-item); it ends when fewer arrive, not before 2026-03-01 13:00 UTC"
    ]);
    let named = |c: &mut Case| storm(c, sender());
    let filing = {
        let case = case("x").known(None).with(named);
        decide(&case.message, &Clues::of(&case.message, true), &case.facts, &case.policy)
    };
    assert_eq!(filing.storm, Some(sender()), "the store keeps by which storm it is held");
}
