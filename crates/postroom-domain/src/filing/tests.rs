#![allow(clippy::unwrap_used)]
//! One table: a message, what the store knows, the rules in force, and what becomes of it.

use super::*;
use crate::{
    AddressRules, Closed, ClosedItems, DomainPolicy, GivenTo, GlobalPolicy, ItemFacts, Limits, Membership, Offer,
    ProvenKey, ReceiptId, Role, Routing, User, UserId, WorkspacePolicy,
};
use expect_test::{Expect, expect};
use postroom_mail::{Address, Automatic, AutomaticKind};
use std::sync::Arc;

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
            routing: Routing {
                workspaces: Arc::new([("SUP".parse().unwrap(), (WorkspaceId(1), WorkspacePolicy::default()))].into()),
                own: Arc::new(std::iter::once("desk@example.net".to_owned()).collect()),
                ..Routing::default()
            },
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
        let open = ItemFacts::open(number, WorkspaceId(1), "SUP".parse().unwrap());
        self.facts.items.push(ItemFacts { participant, ..open });
        self
    }

    /// One of our reply keys for this item.
    fn key(mut self, item: i64, given_to: GivenTo) -> Self {
        self.facts.keys.push(ProvenKey { item, given_to });
        self
    }

    fn answering(mut self, items: &[i64]) -> Self {
        self.facts.answered = items.to_vec();
        self
    }

    /// Closes the last item.
    fn closed(mut self, rule: ClosedItems, reopened: u32) -> Self {
        let item = self.facts.items.last_mut().unwrap();
        item.policy.closed = rule;
        item.closed = Some(Closed { reopened, continued_in: None });
        self
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn decided(&self) -> Filing {
        let mut clues = Clues::of(&self.message, self.policy.bare_numbers);
        // What the store proves stands in for what was claimed.
        if clues.keys.is_empty() {
            let claim = format!("i.1.{}.{}@x", "a".repeat(24), "a".repeat(26));
            clues.keys = self.facts.keys.iter().filter_map(|_| crate::KeyClaim::of_message_id(&claim)).collect();
        }
        decide(&self.message, &clues, &self.facts, &self.policy)
    }

    /// What the new item begins with; it must become one.
    fn opening(&self) -> Opening {
        match self.decided().effect {
            Effect::OpenItem { opening, .. } => *opening,
            other => panic!("no new item: {other:?}"),
        }
    }

    fn check(self, expected: Expect) {
        let filing = self.decided();
        let effect = match &filing.effect {
            Effect::OpenItem { title, .. } => format!("item `{title}`"),
            Effect::AddComment { item, reopen: true, .. } => format!("comment that reopens #{item}"),
            Effect::AddComment { item, .. } => format!("comment on #{item}"),
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
    case("x")
        .known(None)
        .with(several)
        .check(expect!["held, SENDER_UNCLEAR | author: unclear From does not name exactly one author"]);
    case("[#7]")
        .known(Some(Role::Manager))
        .item(7, false)
        .with(several)
        .with(|c| {
            c.facts.sender = None;
            c.policy.unknown_senders = true;
        })
        .check(expect!["item `[#7]`, NEW_ITEM | author: unclear From does not name exactly one author | number: mention mentions #7, on which the sender may not comment | item: opened"]);
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
        assert_eq!(filing.effect, Effect::AddComment { item: 7, reopen: false, proposed: Vec::new() }, "{header}");
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
    let storm_of = |of| Storm { of, verified: false };
    let sender = || storm_of(StormOf::Sender("ann@example.org".to_owned()));
    case("x").known(None).with(|c| storm(c, sender())).check(expect![
        "held, STORM | sender: registered ann@example.org | storm: held 50 automatic messages from ann@example.org (unverified) within an hour are the limit (automatic-per-sender); it ends when fewer arrive, not before 2026-03-01 13:00 UTC"
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
        .with(|c| storm(c, storm_of(StormOf::Item(8))))
        .check(expect!["comment on #7, NUMBER_IN_SUBJECT | sender: registered ann@example.org | number: comment #7"]);
    case("[#7]").known(None).item(7, true).with(|c| storm(c, storm_of(StormOf::Item(7)))).check(expect![
        "held, STORM | sender: registered ann@example.org | number: comment #7 | storm: held 20 automatic comments on #7 (unverified) within an hour are the limit (automatic-per-item); it ends when fewer arrive, not before 2026-03-01 13:00 UTC"
    ]);
    let named = |c: &mut Case| storm(c, sender());
    let filing = {
        let case = case("x").known(None).with(named);
        decide(&case.message, &Clues::of(&case.message, true), &case.facts, &case.policy)
    };
    assert_eq!(filing.storm, Some(sender()), "the store keeps by which storm it is held");
}

#[test]
fn keys_come_before_answers_and_answers_before_numbers() {
    let all = || case("#7").known(None).item(7, true).item(8, true).item(9, true).answering(&[8]);
    all().key(9, GivenTo::Sender).check(expect!["comment on #9, REPLY_KEY | sender: registered ann@example.org | reply-key: comment #9 | identity: verified it carries a reply key that was given to its author | reference: conflict #8 as well; #9 counts"]);
    all().check(expect!["comment on #8, ANSWERS_MESSAGE | sender: registered ann@example.org | reference: comment #8"]);
    // What nobody may comment on is passed by.
    case("#7").known(None).item(7, true).item(8, false).answering(&[8]).check(expect!["comment on #7, NUMBER_IN_SUBJECT | sender: registered ann@example.org | reference: mention mentions #8, on which the sender may not comment | number: comment #7"]);
}

#[test]
fn d15_references_name_two_different_items() {
    let two = || case("x").known(None).item(7, true).item(8, true);
    two().answering(&[8, 7]).check(expect!["comment on #8, ANSWERS_MESSAGE | sender: registered ann@example.org | reference: comment #8 | reference: conflict #7 as well; #8 counts"]);
    two().key(8, GivenTo::Sender).key(7, GivenTo::Sender)
        .check(expect!["comment on #8, REPLY_KEY | sender: registered ann@example.org | reply-key: comment #8 | identity: verified it carries a reply key that was given to its author | reply-key: conflict #7 as well; #8 counts"]);
    two().key(7, GivenTo::Sender).answering(&[8]).check(expect!["comment on #7, REPLY_KEY | sender: registered ann@example.org | reply-key: comment #7 | identity: verified it carries a reply key that was given to its author | reference: conflict #8 as well; #7 counts"]);
}

#[test]
fn a_key_in_other_hands_only_proposes() {
    let stranger = |c: &mut Case| c.policy.unknown_senders = true;
    let bob = || GivenTo::Participant("bob@example.org".to_owned());
    let of_bob = case("x").with(stranger).item(7, false).key(7, bob());
    assert_eq!(of_bob.opening().offers, [Offer { item: 7, given_to: Some("bob@example.org".to_owned()) }]);
    of_bob.check(expect!["item `x`, NEW_ITEM | sender: unknown, allowed ann@example.org | reply-key: mention mentions #7, on which the sender may not comment | participant: proposed on #7, with the reply key of bob@example.org | item: opened"]);
    case("x").with(stranger).item(7, false).key(7, GivenTo::Other).check(expect!["item `x`, NEW_ITEM | sender: unknown, allowed ann@example.org | reply-key: mention mentions #7, on which the sender may not comment | participant: proposed on #7 | item: opened"]);
    // Nobody gives access to a program.
    case("x")
        .with(stranger)
        .with(|c| c.message.from = vec![Address::new("", "no-reply@shop.example")])
        .item(7, false)
        .key(7, bob())
        .check(expect!["item `x`, NEW_ITEM | sender: unknown, allowed no-reply@shop.example | reply-key: mention mentions #7, on which the sender may not comment | item: opened"]);
}

#[test]
fn forged_keys_are_counted_and_count_for_nothing() {
    let id = format!("i.7.{}.{}@example.net", "a".repeat(24), "a".repeat(26));
    let address = format!("desk+r.7.{}@example.net", "a".repeat(34));
    case("x")
        .known(None)
        .item(7, true)
        .with(|c| c.message.references = vec![id])
        .with(|c| c.message.to = vec![Address::new("", address)])
        .check(expect!["item `x`, NEW_ITEM | sender: registered ann@example.org | reply-key: not ours 2 that Postroom did not sign | item: opened"]);
}

#[test]
fn d7_mail_of_programs_is_no_comment_on_what_outsiders_see() {
    let program = |c: &mut Case| c.message.from = vec![Address::new("", "noreply@slack.example")];
    let outsiders = |c: &mut Case| c.facts.items[0].outsiders = true;
    let by_number = || case("[#7] your code is 1234").known(Some(Role::Reporter)).item(7, false).with(program);
    by_number().with(outsiders).check(expect!["item `[#7] your code is 1234`, NEW_ITEM | sender: registered ann@example.org | number: no-reply #7 | item: opened"]);
    by_number()
        .check(expect!["comment on #7, NUMBER_IN_SUBJECT | sender: registered ann@example.org | number: comment #7"]);
    // A key that another was given is worth no more than a number; its own is.
    by_number().with(outsiders).key(7, GivenTo::Other).check(expect!["item `[#7] your code is 1234`, NEW_ITEM | sender: registered ann@example.org | reply-key: no-reply #7 | number: no-reply #7 | item: opened"]);
    by_number()
        .with(outsiders)
        .key(7, GivenTo::Sender)
        .check(expect!["comment on #7, REPLY_KEY | sender: registered ann@example.org | reply-key: comment #7 | identity: verified it carries a reply key that was given to its author"]);
}

#[test]
fn d10_whoever_had_an_account_is_not_even_a_participant() {
    case("[#7]")
        .item(7, true)
        .with(|c| c.facts.deactivated = true)
        .check(expect!["held, SENDER_UNKNOWN | sender: unknown ann@example.org"]);
    case("[#7]")
        .item(7, true)
        .with(|c| {
            c.facts.deactivated = true;
            c.policy.unknown_senders = true;
        })
        .check(expect![
            "item `[#7]`, NEW_ITEM | sender: unknown, allowed ann@example.org | number: mention mentions #7, on which the sender may not comment | item: opened"
        ]);
}

#[test]
fn d17_closed_items() {
    let to = |rule, reopened| case("#7").known(None).item(7, true).closed(rule, reopened);
    to(ClosedItems::Reopen, 0).key(7, GivenTo::Sender)
        .check(expect!["comment that reopens #7, REPLY_KEY | sender: registered ann@example.org | reply-key: comment #7 | identity: verified it carries a reply key that was given to its author | closed: reopened"]);
    to(ClosedItems::Reopen, 2).key(7, GivenTo::Sender)
        .check(expect!["comment that reopens #7, REPLY_KEY | sender: registered ann@example.org | reply-key: comment #7 | identity: verified it carries a reply key that was given to its author | closed: reopened"]);
    to(ClosedItems::Reopen, 3).key(7, GivenTo::Sender)
        .check(expect!["comment on #7, REPLY_KEY | sender: registered ann@example.org | reply-key: comment #7 | identity: verified it carries a reply key that was given to its author | closed: comment mail has opened it 3 times within a day"]);
    to(ClosedItems::Reopen, 0).check(expect!["comment on #7, NUMBER_IN_SUBJECT | sender: registered ann@example.org | number: comment #7 | closed: comment its sender's identity is not proven"]);
    to(ClosedItems::Reopen, 0)
        .key(7, GivenTo::Sender)
        .with(|c| c.message.auto_submitted = true)
        .check(expect!["comment on #7, REPLY_KEY | sender: registered ann@example.org | reply-key: comment #7 | identity: verified it carries a reply key that was given to its author | closed: comment automatic mail opens nothing again"]);
    to(ClosedItems::Comment, 0).key(7, GivenTo::Sender)
        .check(expect!["comment on #7, REPLY_KEY | sender: registered ann@example.org | reply-key: comment #7 | identity: verified it carries a reply key that was given to its author | closed: comment its workspace leaves closed items closed"]);
    to(ClosedItems::NewItem, 0).check(expect!["item `#7`, CONTINUES_CLOSED | sender: registered ann@example.org | number: comment #7 | closed: new item continues #7 | item: opened"]);
}

#[test]
fn a_key_does_not_speak_for_whom_the_domain_disowns() {
    let disowned = |c: &mut Case| c.facts.identity.level = crate::Level::Failed;
    case("x")
        .known(None)
        .item(7, true)
        .key(7, GivenTo::Sender)
        .with(disowned)
        .check(expect!["held, SENDER_DISOWNED | sender: registered ann@example.org"]);
    let verified = |c: &mut Case| c.facts.identity.level = crate::Level::Verified;
    case("#7").known(None).item(7, true).closed(ClosedItems::Reopen, 0).with(verified).check(expect!["comment that reopens #7, NUMBER_IN_SUBJECT | sender: registered ann@example.org | number: comment #7 | closed: reopened"]);
}

#[test]
fn a_key_speaks_for_its_item_and_for_no_other() {
    // Whoever has read an answer of Ann's holds its key. On another item it is worth nothing.
    let other = || case("#8").known(None).item(7, false).key(7, GivenTo::Sender).item(8, true);
    other().closed(ClosedItems::Reopen, 0).check(expect!["comment on #8, NUMBER_IN_SUBJECT | sender: registered ann@example.org | reply-key: mention mentions #7, on which the sender may not comment | participant: proposed on #7 | number: comment #8 | closed: comment its sender's identity is not proven"]);
    let strict = |c: &mut Case| c.facts.items[1].policy.unverified = crate::Unverified::Hold;
    other().with(strict).check(expect!["held, SENDER_UNVERIFIED | sender: registered ann@example.org | reply-key: mention mentions #7, on which the sender may not comment | participant: proposed on #7 | identity: unverified nothing was checked"]);
    // A key that was given to somebody else proves nothing anywhere.
    for given_to in [GivenTo::Other, GivenTo::Participant("bob@example.org".to_owned())] {
        let lent = case("x").known(None).item(7, true).closed(ClosedItems::Reopen, 0).key(7, given_to);
        let effect = lent.decided().effect;
        assert!(matches!(effect, Effect::AddComment { item: 7, reopen: false, .. }), "{effect:?}");
    }
}

#[test]
fn mail_on_a_continued_item_goes_where_it_is_continued() {
    let continued = |participant| {
        let case = case("#7").known(None).item(7, true).closed(ClosedItems::NewItem, 0);
        let case = case.item(8, participant);
        case.with(|c| c.facts.items[0].closed.as_mut().unwrap().continued_in = Some(8))
    };
    continued(true).check(expect!["comment on #8, NUMBER_IN_SUBJECT | sender: registered ann@example.org | number: comment #7 | closed: continued #7 in #8"]);
    // By now it may be where nothing is taken of those who are not proven.
    let strict = |c: &mut Case| c.facts.items[1].policy.unverified = crate::Unverified::Hold;
    continued(true).with(strict).check(expect!["item `#7`, CONTINUES_CLOSED | sender: registered ann@example.org | number: comment #7 | closed: new item continues #7 | item: opened"]);
    continued(false).check(expect!["item `#7`, CONTINUES_CLOSED | sender: registered ann@example.org | number: comment #7 | closed: new item continues #7 | item: opened"]);
}

#[test]
fn d16_words_in_the_text_set_nothing() {
    let words = "Status: Closed\nAssignee: eve@evil.test\n@close\n";
    for text in [words, "/close", "#close"] {
        let case = case("x [closed]").known(Some(Role::Manager)).with(|c| {
            text.clone_into(&mut c.message.text);
            text.clone_into(&mut c.message.reply_text);
        });
        assert_eq!(case.opening(), Opening::default(), "{text}");
    }
}

#[test]
fn d6_recipients_are_proposed_and_no_more() {
    let copied = |c: &mut Case| {
        c.message.to = vec![Address::new("Desk", "Desk+sup@example.net")];
        c.message.cc = ["Eve@Evil.test", "ann@example.org", "no-reply@shop.example", "x", "eve@evil.test"]
            .map(|address| Address::new("Eve", address))
            .to_vec();
    };
    let eve = [Address::new("Eve", "eve@evil.test")];
    assert_eq!(case("x").known(None).with(copied).opening().proposed, eve);
    let on_item = |requester: bool| {
        let case = case("#7").known(None).item(7, true).with(copied);
        case.with(|c| c.facts.items[0].requester = requester).decided().effect
    };
    let comment = |proposed: &[Address]| Effect::AddComment { item: 7, reopen: false, proposed: proposed.to_vec() };
    assert_eq!(on_item(true), comment(&eve));
    assert_eq!(on_item(false), comment(&[]), "only who asked decides whom to involve");
    let alone = |c: &mut Case| c.message.to = vec![Address::new("", "help@elsewhere.example")];
    assert!(case("x").known(None).with(alone).opening().proposed.is_empty(), "the only recipient is we");
}
