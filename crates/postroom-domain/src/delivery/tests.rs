#![allow(clippy::unwrap_used)]
//! Which recipients are believed, and where their addresses lead.

use super::*;
use postroom_mail::RawMessage;

fn message(header: &str) -> Message {
    postroom_mail::read(&RawMessage::new(format!("{}\r\n\r\nx", header.replace('\n', "\r\n"))))
}

/// A header and the recipients in their order.
const RECIPIENTS: &[(&str, &[&str])] = &[
    ("To: a@x.example\nCc: B@X.example, c@x.example", &["To a@x.example", "Cc b@x.example", "Cc c@x.example"]),
    // What stands above the first Received field is the word of the server that received it.
    ("Delivered-To: d@x.example\nReceived: by mx\nTo: a@x.example", &["Delivered-To d@x.example", "To a@x.example"]),
    (
        "Return-Path: <b@y.example>\nX-Original-To: o@x.example\nDelivered-To: d@x.example\nReceived: by mx",
        &["Delivered-To d@x.example", "X-Original-To o@x.example"],
    ),
    (
        "Envelope-To: e@x.example, f@x.example\nDelivery-Date: x\nReceived: by mx",
        &["Envelope-To e@x.example", "Envelope-To f@x.example"],
    ),
    // The sender can write anything below it, or where no server has written at all.
    ("Received: by mx\nDelivered-To: evil@x.example\nTo: a@x.example", &["To a@x.example"]),
    ("Delivered-To: evil@x.example\nTo: a@x.example", &["To a@x.example"]),
    // Only the first of a kind: the next may have come with the message.
    (
        "Delivered-To: d@x.example\nDelivered-To: e@x.example\nReceived: by mx\nTo: a@x.example",
        &["Delivered-To d@x.example", "To a@x.example"],
    ),
    ("Delivered-To: nonsense\nReceived: by mx\nTo: undisclosed-recipients:;", &[]),
];

#[test]
fn recipients_are_believed_by_who_wrote_them() {
    for (header, expected) in RECIPIENTS {
        let found: Vec<String> =
            recipients(&message(header)).map(|one| format!("{} {}", one.field, one.address)).collect();
        assert_eq!(found, *expected, "{header}");
    }
}

fn workspaces() -> BTreeMap<WorkspaceKey, (WorkspaceId, WorkspacePolicy)> {
    [("SUP", 1), ("FIN", 2), ("HR", 3)]
        .map(|(key, id)| (key.parse().unwrap(), (WorkspaceId(id), WorkspacePolicy::default())))
        .into()
}

fn addresses() -> Vec<MailboxAddress> {
    let one = |address: &str, key: Option<&str>| MailboxAddress {
        address: address.to_owned(),
        workspace: key.map(|key| key.parse().unwrap()),
    };
    vec![one("desk@x.example", None), one("billing@x.example", Some("FIN")), one("desk+jobs@x.example", Some("HR"))]
}

/// A header, whether plus-addresses count, and where it leads.
const LED: &[(&str, bool, &str)] = &[
    ("To: desk@x.example", true, ""),
    ("To: desk+sup@x.example", true, "SUP by To desk+sup@x.example"),
    ("To: DESK+Sup@X.Example", true, "SUP by To desk+sup@x.example"),
    ("To: desk+sup@x.example", false, ""),
    ("To: other+sup@x.example", true, ""),
    ("To: desk+sup@y.example", true, ""),
    ("To: billing@x.example", true, "FIN by To billing@x.example"),
    ("To: billing@x.example", false, "FIN by To billing@x.example"),
    ("To: billing+sup@x.example", true, "SUP by To billing+sup@x.example"),
    // A tag that is no workspace is noted, and the address means what it means without it.
    ("To: billing+2026@x.example", true, "`2026` astray, FIN by To billing+2026@x.example"),
    ("To: billing+2026@x.example", false, "FIN by To billing+2026@x.example"),
    ("To: desk+nix@x.example", true, "`nix` astray"),
    ("To: desk+nix@x.example, desk+fin@x.example", true, "`nix` astray, FIN by To desk+fin@x.example"),
    ("To: desk+@x.example", true, ""),
    ("To: desk+jobs@x.example", true, "HR by To desk+jobs@x.example"),
    ("To: desk+jobs@x.example", false, "HR by To desk+jobs@x.example"),
    // What the server says goes before what the sender says, but only if it leads anywhere.
    (
        "Delivered-To: desk+hr@x.example\nReceived: x\nTo: desk+sup@x.example",
        true,
        "HR by Delivered-To desk+hr@x.example",
    ),
    ("Delivered-To: desk@x.example\nReceived: x\nTo: desk+sup@x.example", true, "SUP by To desk+sup@x.example"),
    (
        "X-Original-To: billing@x.example\nDelivered-To: desk@x.example\nReceived: x\nTo: list@z.example",
        true,
        "FIN by X-Original-To billing@x.example",
    ),
    ("To: someone@z.example\nCc: desk+fin@x.example", true, "FIN by Cc desk+fin@x.example"),
    ("To: \"desk+sup\"@x.example", true, "SUP by To desk+sup@x.example"),
    ("To: +sup@x.example", true, ""),
];

#[test]
fn s19_addresses_lead_to_workspaces() {
    for (header, plus, expected) in LED {
        let found = led(&message(header), &addresses(), *plus, &workspaces());
        let found: Vec<String> = found
            .into_iter()
            .map(|led| match led {
                Led::To(key, _, by) => format!("{key} by {} {}", by.field, by.address),
                Led::Astray(_, name) => format!("`{name}` astray"),
            })
            .collect();
        assert_eq!(found.join(", "), *expected, "{header} {plus}");
    }
}

#[test]
fn addresses_that_lead_astray_are_noted_a_few_times_only() {
    let many: Vec<String> = (0..900).map(|n| format!("desk+t{n}@x.example")).collect();
    let found = led(&message(&format!("To: {}", many.join(", "))), &addresses(), true, &workspaces());
    assert_eq!(found.len(), ASTRAY_MAX);
}

#[test]
fn e6_our_own_addresses_in_all_their_forms() {
    let own: OwnAddresses = ["desk@x.example", "desk@xn--bcher-kva.example"].map(str::to_owned).into_iter().collect();
    for (from, is_own) in [
        ("desk@x.example", true),
        ("Support Team <Desk@X.EXAMPLE>", true),
        ("\"desk@elsewhere.example\" <desk@x.example>", true),
        ("desk+sup@x.example", true),
        ("desk+7.a@x.example", true),
        ("desk@bücher.example", true),
        ("desk@y.example", false),
        ("desk@sub.x.example", false),
        ("help@x.example", false),
        ("\"desk@x.example\" <eve@evil.example>", false),
        ("\"desk@x.example\"@evil.example", false),
    ] {
        let author = message(&format!("From: {from}")).author().and_then(postroom_mail::Address::canonical).unwrap();
        assert_eq!(own.has(&author), is_own, "{from}");
    }
}
