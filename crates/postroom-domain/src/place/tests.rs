#![allow(clippy::unwrap_used)]
//! Where a new item goes, with every rule that has a say in it, and in which order they have it.

use super::*;
use crate::routing::{Rule, RuleSet};
use crate::{AddressRules, AutomaticMail, Filing, GlobalPolicy, Limits, Membership, Role, decide};
use postroom_mail::RawMessage;

/// A desk with the workspaces SUP (its own), FIN and HR, an alias and a plus-address, bob as agent in FIN, and ann.
struct Desk {
    policy: Policy,
    facts: Facts,
}

fn user(id: i64, address: &str, memberships: &[(&str, Role)]) -> User {
    let member = |(key, role): &(&str, Role)| Membership { workspace: key.parse().unwrap(), role: *role };
    User {
        id: UserId(id),
        address: address.to_owned(),
        name: String::new(),
        admin: false,
        active: true,
        aliases: Vec::new(),
        memberships: memberships.iter().map(member).collect(),
    }
}

impl Desk {
    fn new(rules: &str) -> Self {
        let rules: Vec<Rule> = serde_json::from_str(rules).unwrap();
        let address = |address: &str, key: Option<&str>| MailboxAddress {
            address: address.to_owned(),
            workspace: key.map(|key| key.parse().unwrap()),
        };
        let own = ["desk@x.example", "billing@x.example", "ann@x.example"].map(str::to_owned);
        let bob = user(7, "bob@x.example", &[("FIN", Role::Agent), ("HR", Role::Reader)]);
        let routing = Routing {
            mailbox: "desk".to_owned(),
            rules: Arc::new(RuleSet::compile(&rules).unwrap()),
            addresses: vec![address("desk@x.example", None), address("billing@x.example", Some("FIN"))],
            plus_addresses: true,
            workspaces: Arc::new(
                [("SUP", 1), ("FIN", 2), ("HR", 3)]
                    .map(|(key, id)| (key.parse().unwrap(), (WorkspaceId(id), WorkspacePolicy::default())))
                    .into(),
            ),
            assignees: Arc::new([(bob.address.clone(), bob)].into()),
            own: Arc::new(own.into_iter().collect()),
            chosen: None,
        };
        let policy = Policy {
            submissions: true,
            unknown_senders: true,
            addresses: Arc::new(AddressRules::global(&GlobalPolicy::default()).unwrap()),
            bare_numbers: true,
            automatic: AutomaticMail::File,
            workspace: Some(WorkspaceId(1)),
            routing,
            limits: Limits::default(),
            released: false,
        };
        Self { policy, facts: Facts::default() }
    }

    fn decide(&self, text: &str) -> Filing {
        let message = postroom_mail::read(&RawMessage::new(text.replace('\n', "\r\n")));
        decide(&message, &Clues::of(&message, true), &self.facts, &self.policy)
    }

    /// The workspace of the new item, or the reason, and the steps of these rules.
    fn check(&self, header: &str, expected: &str) {
        let filing = self.decide(&format!("From: eve@y.example\n{header}\n\nx"));
        let place = match &filing.effect {
            Effect::OpenItem { workspace, opening, .. } => {
                let given = &opening.given;
                let then = GivenThen::of(&filing.trace);
                assert_eq!((&then.status, &then.tags), (&given.status, &given.tags), "{header}");
                assert_eq!(then.assignee.is_some(), given.assignee.is_some(), "{header}");
                let key = self.policy.routing.workspaces.iter().find(|(_, (id, _))| id == workspace).unwrap().0;
                let assignee = given.assignee.map(|id| format!(" to {id}")).unwrap_or_default();
                let status = given.status.as_ref().map(|status| format!(" {status}")).unwrap_or_default();
                format!("{key}{assignee}{status} {}", given.tags.join(",")).trim_end().to_owned()
            }
            Effect::AddComment { item, .. } => format!("comment on {item}"),
            Effect::Hold | Effect::Prove { .. } => filing.reason.code().to_owned(),
        };
        let steps = filing.trace.iter().filter(|step| ["rule", "address"].contains(&step.rule.as_str()));
        let steps = steps.map(|step| format!(" | {} {}: {}", step.rule, step.outcome, step.detail));
        assert_eq!(place + &steps.collect::<String>(), expected, "{header}");
    }
}

#[test]
fn what_an_item_was_given_is_read_out_of_its_trace() {
    let tags = |name: &str| (0..20).map(|n| format!("{name}{n}")).collect::<Vec<_>>();
    let rules = serde_json::json!([
        {"name": "a: b", "then": {"workspace": "FIN", "assignee": "bob@x.example", "status": "closed", "tags": tags("a")}},
        {"name": "c", "then": {"tags": tags("c")}},
        {"name": "d", "then": {"tags": tags("d")}},
    ]);
    let then = GivenThen::of(&Desk::new(&rules.to_string()).decide("From: eve@y.example\n\nx").trace);
    assert_eq!((then.assignee.as_deref(), then.status.as_deref()), (Some("bob@x.example"), Some("closed")));
    // More than an item may have.
    assert_eq!(then.tags, [tags("a"), tags("c"), tags("d")].concat()[..TAGS_MAX]);
}

#[test]
fn s19_a_rule_goes_before_an_address_and_an_address_before_the_mailbox() {
    let desk = Desk::new(
        r#"[{"name":"jobs","if":{"all":[{"field":"subject","matches":"\\bjob\\b"}]},"then":{"workspace":"HR","tags":["job"]}},
            {"name":"gone","if":{"all":[{"field":"subject","is":"gone"}]},"then":{"workspace":"NIX"}}]"#,
    );
    desk.check("To: desk@x.example\nSubject: hello", "SUP");
    desk.check("To: billing@x.example\nSubject: hello", "FIN | address workspace: To: billing@x.example leads to FIN");
    desk.check("To: desk+hr@x.example\nSubject: hello", "HR | address workspace: To: desk+hr@x.example leads to HR");
    desk.check(
        "To: desk+nix@x.example\nSubject: hello",
        "SUP | address no such workspace: To: desk+nix@x.example, but `nix` is no workspace",
    );
    desk.check("To: desk+fin@x.example\nSubject: a job", "HR job | rule workspace: jobs: HR | rule tags: job");
    desk.check(
        "To: billing@x.example\nSubject: gone",
        "FIN | rule no such workspace: gone: NIX | address workspace: To: billing@x.example leads to FIN",
    );
}

#[test]
fn s15_without_any_workspace_mail_is_held_and_an_address_or_a_rule_can_still_name_one() {
    let mut desk =
        Desk::new(r#"[{"name":"jobs","if":{"all":[{"field":"subject","is":"job"}]},"then":{"workspace":"HR"}}]"#);
    desk.policy.workspace = None;
    desk.check("To: desk@x.example\nSubject: hello", "NO_DEFAULT_WORKSPACE");
    desk.check("To: desk@x.example\nSubject: job", "HR | rule workspace: jobs: HR");
    desk.check("Cc: billing@x.example", "FIN | address workspace: Cc: billing@x.example leads to FIN");
}

#[test]
fn what_a_person_chose_goes_before_everything() {
    let mut desk = Desk::new(r#"[{"name":"all","then":{"workspace":"HR","tags":["t"]}}]"#);
    desk.policy.routing.chosen = Some(WorkspaceId(1));
    desk.check("To: desk+fin@x.example", "SUP t | rule tags: t");
}

#[test]
fn an_assignee_must_be_an_agent_where_the_item_goes() {
    let rule = |address: &str, key: &str| {
        format!(r#"[{{"name":"a","then":{{"workspace":"{key}","assignee":"{address}","status":"closed"}}}}]"#)
    };
    for (address, key, expected) in [
        (
            "bob@x.example",
            "FIN",
            "FIN to 7 closed | rule workspace: a: FIN | rule assignee: a: bob@x.example | rule status: closed",
        ),
        (
            "bob@x.example",
            "HR",
            "HR closed | rule workspace: a: HR | rule no such agent: a: bob@x.example | rule status: closed",
        ),
        (
            "gone@x.example",
            "FIN",
            "FIN closed | rule workspace: a: FIN | rule no such agent: a: gone@x.example | rule status: closed",
        ),
    ] {
        Desk::new(&rule(address, key)).check("To: desk@x.example", expected);
    }
}

#[test]
fn a_comment_is_held_by_a_rule_but_neither_moved_nor_changed() {
    let mut desk = Desk::new(
        r#"[{"name":"spam","if":{"all":[{"field":"subject","like":"*casino*"}]},"then":{"hold":true}},
            {"name":"all","then":{"workspace":"HR","tags":["t"],"status":"closed"}}]"#,
    );
    let item = ItemFacts::open(7, WorkspaceId(2), "FIN".parse().unwrap());
    desk.facts.items.push(ItemFacts { participant: true, ..item });
    desk.check("Subject: [#7] hello", "comment on 7 | rule not on a comment: all");
    desk.check("Subject: [#7] casino", "HELD_BY_RULE | rule held: spam");
    desk.policy.released = true;
    desk.check("Subject: [#7] casino", "comment on 7 | rule released: spam | rule not on a comment: spam");
}

#[test]
fn e6_mail_from_our_own_addresses_is_held() {
    let mut desk = Desk::new("[]");
    for from in [
        "desk@x.example",
        "Support <DESK@X.Example>",
        "\"Ann Other\" <billing@x.example>",
        "desk+sup@x.example",
        "desk+7.a8f3@x.example",
        "=?utf-8?Q?Sup=C3=A9r?= <desk@x.example>",
    ] {
        for header in ["", "Auto-Submitted: auto-replied\n", "List-Id: <l.x.example>\n"] {
            let filing = desk.decide(&format!("From: {from}\n{header}To: desk@x.example\nSubject: x\n\nx"));
            assert_eq!(filing.reason, Reason::OwnAddress, "{from} {header}");
        }
    }
    assert_eq!(desk.decide("From: help@x.example\nSubject: x\n\nx").reason, Reason::NewItem);
    // A person may have the address of a mailbox for an own one; a machine that writes in that name is held all the same.
    desk.facts.sender = Some(user(9, "ann@x.example", &[]));
    let filing = desk.decide("From: ann@x.example\nSubject: x\n\nx");
    assert_eq!(filing.reason, Reason::NewItem);
    assert_eq!(filing.trace[0], TraceStep::new("own-address", "registered", "ann@x.example"));
    let answer = desk.decide("From: ann@x.example\nAuto-Submitted: auto-replied\nSubject: x\n\nx");
    assert_eq!(answer.reason, Reason::OwnAddress);
    // What a person released is filed.
    desk.policy.released = true;
    let answer = desk.decide("From: ann@x.example\nAuto-Submitted: auto-replied\nSubject: x\n\nx");
    assert_eq!(answer.reason, Reason::NewItem);
}

#[test]
fn d8_header_fields_in_our_name_have_no_effect() {
    let desk = Desk::new(
        r#"[{"name":"trap","if":{"any":[{"field":"header:X-Postroom-Workspace","like":"*"},
            {"field":"header:x-postroom-rule","matches":"."}]},"then":{"workspace":"HR","hold":true}}]"#,
    );
    let plain = "From: eve@y.example\nTo: desk@x.example\nSubject: x\n\nx";
    let expected = desk.decide(plain);
    let fields: [&str; 15] = [
        "X-Postroom-Workspace: HR",
        "X-POSTROOM-WORKSPACE: FIN",
        "x-postroom-item: 7",
        "X-Postroom-Status: closed",
        "X-Postroom-Assignee: bob@x.example",
        "X-Postroom-Tag: vip",
        "X-Postroom-Released: yes",
        "X-Postroom-Sender: ann@x.example",
        "X-Postroom-User: admin",
        "X-Postroom-Rule: skip",
        "X-Postroom-Policy: {\"unknown_senders\":true}",
        "X-Postroom-Verified: yes",
        "X-Postroom-Key: 7.0123456789abcdef",
        "X-Postroom-Hold: no",
        "X-Postroom-Mailbox: other",
    ];
    for field in fields {
        assert_eq!(desk.decide(&format!("{field}\n{plain}")), expected, "{field}");
    }
    assert_eq!(desk.decide(&format!("{}\n{plain}", fields.join("\n"))), expected, "all of them");
}

#[test]
fn d16_words_in_subject_and_text_set_nothing() {
    let desk = Desk::new("[]");
    for words in [
        "Status: Closed",
        "Workspace: HR",
        "#close",
        "@bob",
        "Assignee: bob@x.example",
        "Tags: a, b",
        "Priority: urgent",
    ] {
        let filing = desk.decide(&format!("From: eve@y.example\nSubject: {words}\n\n{words}\n\n{words}"));
        let Effect::OpenItem { workspace, opening, .. } = filing.effect else { panic!("{words}: {:?}", filing.effect) };
        assert_eq!((workspace, opening.given), (WorkspaceId(1), Given::default()), "{words}");
    }
}
