#![allow(clippy::unwrap_used)]
//! Who is credited with what an agent forwards.

use super::*;
use crate::{Membership, Role, User, UserId};
use expect_test::{Expect, expect};

/// An agent of SUP who forwards a customer's mail.
fn forward(reply_text: &str) -> Message {
    Message {
        from: vec![Address::new("Gil", "gil@example.net")],
        to: vec![Address::new("", "desk@example.net")],
        reply_text: reply_text.to_owned(),
        forwarded: vec![Forwarded {
            from: Some(Address::new("Cora", "Cora@Customer.example")),
            subject: "Printer".to_owned(),
            note: reply_text.to_owned(),
            text: "It is broken.".to_owned(),
            ..Forwarded::default()
        }],
        ..Message::default()
    }
}

fn check(message: &Message, role: Option<Role>, setting: bool, expected: Expect) {
    let workspace: WorkspaceKey = "SUP".parse().unwrap();
    let rules = WorkspacePolicy { forward_credit: setting, ..WorkspacePolicy::default() };
    let sender = role.map(|role| User {
        id: UserId(1),
        address: "gil@example.net".to_owned(),
        name: String::new(),
        admin: false,
        active: true,
        aliases: vec!["gil@home.example".to_owned()],
        memberships: vec![Membership { workspace: workspace.clone(), role }],
    });
    let facts = Facts { sender, ..Facts::default() };
    let clues = Clues::of(message, true);
    let own = std::iter::once("desk@example.net".to_owned()).collect();
    let mut trace = Vec::new();
    let credit = credit(message, &clues, &facts, (&workspace, rules), &own, &mut trace);
    let credit = credit.map_or("nobody".to_owned(), |c| format!("{}: {}: {}", c.author, c.subject, c.text));
    let steps: Vec<String> = trace.iter().map(|step| format!("{}: {}", step.outcome, step.detail)).collect();
    expected.assert_eq(&[&[credit], steps.as_slice()].concat().join(" | "));
}

const AGENT: Option<Role> = Some(Role::Agent);

#[test]
fn an_agent_asks_for_it() {
    check(
        &forward("@fwd\nShe is angry."),
        AGENT,
        false,
        expect![
            "Cora <cora@customer.example>: Printer: It is broken. | credited: Cora <cora@customer.example>, asked for by @fwd | note: She is angry."
        ],
    );
    check(
        &forward(" @FWD \n\n---"),
        Some(Role::Manager),
        false,
        expect![
            "Cora <cora@customer.example>: Printer: It is broken. | credited: Cora <cora@customer.example>, asked for by @fwd | note: ---"
        ],
    );
    check(
        &forward("Please see below"),
        AGENT,
        true,
        expect![
            "Cora <cora@customer.example>: Printer: It is broken. | credited: Cora <cora@customer.example>, as the workspace is set | note: Please see below"
        ],
    );
    let mut tagged = forward("");
    tagged.to[0].addr_spec = "Desk+FWD@example.net".to_owned();
    check(
        &tagged,
        AGENT,
        false,
        expect![
            "Cora <cora@customer.example>: Printer: It is broken. | credited: Cora <cora@customer.example>, asked for by the address"
        ],
    );
}

#[test]
fn nobody_is_credited_without_being_asked_for() {
    check(&forward("Please see below, @fwd is not alone"), AGENT, false, expect!["nobody"]);
    check(&Message { reply_text: "x\n@fwd".to_owned(), ..forward("") }, AGENT, false, expect!["nobody"]);
    check(&Message { forwarded: Vec::new(), ..forward("") }, AGENT, true, expect!["nobody"]);
}

#[test]
fn others_than_agents_ask_in_vain() {
    for role in [None, Some(Role::Reader), Some(Role::Reporter)] {
        check(
            &forward("@fwd"),
            role,
            false,
            expect!["nobody | not credited: only agents of the workspace may ask for it"],
        );
        check(&forward(""), role, true, expect!["nobody"]);
    }
}

#[test]
fn what_cannot_be_credited_says_so() {
    let from = |from: Option<Address>| Message {
        forwarded: vec![Forwarded { from, ..Forwarded::default() }],
        ..forward("@fwd")
    };
    check(
        &Message { forwarded: Vec::new(), ..forward("@fwd") },
        AGENT,
        false,
        expect!["nobody | not credited: no forwarded message was recognised"],
    );
    check(&from(None), AGENT, false, expect!["nobody | not credited: what was forwarded names no address"]);
    check(
        &from(Some(Address::new("Cora", "CORA/EXAMPLE"))),
        AGENT,
        false,
        expect!["nobody | not credited: what was forwarded names no address"],
    );
    check(
        &from(Some(Address::new("", "gil@home.example"))),
        AGENT,
        false,
        expect!["nobody | not credited: it is the sender's own, or ours"],
    );
    check(
        &from(Some(Address::new("", "desk+sup@example.net"))),
        AGENT,
        false,
        expect!["nobody | not credited: it is the sender's own, or ours"],
    );
}
