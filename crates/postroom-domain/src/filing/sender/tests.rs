#![allow(clippy::unwrap_used)]
//! Who is believed to be whom: messages as octets, and what becomes of them where Ann is registered, has a right to comment
//! on item 7, and takes part in it.

use crate::filing::Effect;
use crate::identity::Evidence;
use crate::{
    AutomaticMail, Clues, Facts, Filing, GlobalPolicy, Identity, ItemFacts, Level, Limits, Membership, Policy, Reason,
    Role, Routing, Unverified, User, UserId, WorkspaceId, WorkspaceKey, WorkspacePolicy, decide,
};
use postroom_mail::{RawMessage, read};
use std::sync::Arc;

fn ann() -> User {
    User {
        id: UserId(1),
        address: "ann@example.org".to_owned(),
        name: "Ann".to_owned(),
        admin: false,
        active: true,
        aliases: vec!["admin@example.org".to_owned(), "mike@example.org".to_owned()],
        memberships: vec![Membership { workspace: "SUP".parse().unwrap(), role: Role::Agent }],
    }
}

fn identity(level: Level) -> Identity {
    Identity { level, evidence: Evidence::AuthenticationResults, detail: "a host says so".to_owned() }
}

struct Desk {
    global: GlobalPolicy,
    unverified: Unverified,
    level: Level,
}

impl Default for Desk {
    fn default() -> Self {
        Self { global: GlobalPolicy::default(), unverified: Unverified::Comment, level: Level::Unverified }
    }
}

impl Desk {
    /// What becomes of a message with this header. The facts are what a store would know of the address that it names.
    fn file(&self, header: &str) -> Filing {
        self.file_with(header, |_, _| {})
    }

    /// The same, with facts and policy changed.
    fn file_with(&self, header: &str, change: impl FnOnce(&mut Facts, &mut Policy)) -> Filing {
        let octets = format!("{}\r\n\r\ntext", header.trim().replace('\n', "\r\n"));
        let message = read(&RawMessage::undigested(octets.into_bytes()));
        let clues = Clues::of(&message, true);
        let sender = Some(ann()).filter(|ann| {
            clues.author.as_ref().is_some_and(|author| ann.address == *author || ann.aliases.contains(author))
        });
        let rules = WorkspacePolicy { unverified: self.unverified, ..WorkspacePolicy::default() };
        let key: WorkspaceKey = "SUP".parse().unwrap();
        let participant = clues.author.as_deref() == Some("ann@example.org");
        let item = ItemFacts { policy: rules, participant, ..ItemFacts::open(7, WorkspaceId(1), key.clone()) };
        let workspace = (key, (WorkspaceId(1), rules));
        let mut facts = Facts { sender, items: vec![item], identity: identity(self.level), ..Facts::default() };
        let mut policy = Policy {
            submissions: true,
            unknown_senders: self.global.unknown_senders,
            addresses: crate::AddressRules::global(&self.global).unwrap().into(),
            bare_numbers: true,
            automatic: AutomaticMail::File,
            workspace: Some(WorkspaceId(1)),
            routing: Routing { workspaces: Arc::new([workspace].into()), ..Routing::default() },
            limits: Limits::default(),
            released: false,
        };
        change(&mut facts, &mut policy);
        decide(&message, &clues, &facts, &policy)
    }
}

fn comments(filing: &Filing) -> bool {
    matches!(filing.effect, Effect::AddComment { .. })
}

#[test]
fn d3_a_spoofed_registered_sender_may_do_what_the_workspace_allows_the_unverified() {
    let spoof = "From: Ann <ann@example.org>\nSubject: Re: [#7] pay this";
    let fresh = "From: Ann <ann@example.org>\nSubject: pay this";
    use Reason::{NewItem, NumberInSubject, SenderDisowned, SenderUnverified};
    for (level, unverified, on_item, on_new) in [
        (Level::Verified, Unverified::Comment, NumberInSubject, NewItem),
        (Level::Verified, Unverified::Hold, NumberInSubject, NewItem),
        (Level::Verified, Unverified::OpenOnly, NumberInSubject, NewItem),
        (Level::Unverified, Unverified::Comment, NumberInSubject, NewItem),
        (Level::Unverified, Unverified::Hold, SenderUnverified, SenderUnverified),
        (Level::Unverified, Unverified::OpenOnly, NewItem, NewItem),
        (Level::Failed, Unverified::Comment, SenderDisowned, SenderDisowned),
        (Level::Failed, Unverified::Hold, SenderDisowned, SenderDisowned),
        (Level::Failed, Unverified::OpenOnly, SenderDisowned, SenderDisowned),
    ] {
        let desk = Desk { level, unverified, ..Desk::default() };
        for (header, expected) in [(spoof, on_item), (fresh, on_new)] {
            let filing = desk.file(header);
            assert_eq!(filing.reason, expected, "{level:?} {unverified:?} {header}");
            assert!(filing.trace.iter().any(|step| step.rule == "identity" && step.outcome == level.as_str()));
        }
    }
    // A stranger claims no rights that would have to be proven, but may be disowned as well.
    let stranger = "From: eve@evil.example\nSubject: hello";
    let open = GlobalPolicy { unknown_senders: true, ..GlobalPolicy::default() };
    for (level, expected) in [(Level::Unverified, NewItem), (Level::Failed, SenderDisowned)] {
        let desk = Desk { global: open.clone(), unverified: Unverified::Hold, level };
        assert_eq!(desk.file(stranger).reason, expected, "{level:?}");
    }
}

#[test]
fn d5_who_names_several_authors_or_none_has_no_rights() {
    let text = include_str!("../../../../../testdata/addresses/unclear-authors.txt");
    let mut number = 0;
    for case in text.split("\n\n").filter(|case| !case.trim().is_empty()) {
        let (words, fields) = case.trim().split_once('\n').unwrap();
        let header = format!("{fields}\nSubject: Re: [#7] x");
        // Proof of what is said about one of them would be no proof about the others.
        for level in [Level::Verified, Level::Unverified] {
            let filing = Desk { level, ..Desk::default() }.file(&header);
            assert_eq!(filing.effect, Effect::Hold, "{words}");
            let open = GlobalPolicy { unknown_senders: true, ..GlobalPolicy::default() };
            let filing = Desk { global: open, level, ..Desk::default() }.file(&header);
            assert!(!comments(&filing), "{words}");
        }
        number += 1;
    }
    assert_eq!(number, 18);
}

/// Whoever names several authors, or none, gets past no rule that one author would not get past.
#[test]
fn d5_an_unclear_author_is_judged_by_all_that_are_named() {
    let open = || GlobalPolicy { unknown_senders: true, ..GlobalPolicy::default() };
    let mut limited = open();
    limited.allowed.domains = vec!["bosch.example".to_owned()];
    let blocking = GlobalPolicy { blocked: vec!["carl@bosch.example".to_owned()], ..open() };
    let own = |desk: &Desk, header: &str| {
        desk.file_with(header, |_, policy| {
            policy.routing.own = Arc::new(std::iter::once("desk@example.org".to_owned()).collect());
        })
    };
    let blocked_contact = |desk: &Desk, header: &str| {
        desk.file_with(header, |facts, _| {
            facts.contact = Some(crate::ContactStanding::Blocked);
        })
    };
    let plain = |desk: &Desk, header: &str| desk.file(header);
    type How<'h> = &'h dyn Fn(&Desk, &str) -> Filing;
    let cases: [(GlobalPolicy, How<'_>, &str, Reason); 12] = [
        (limited.clone(), &plain, "a@bosch.example, b@bosch.example", Reason::NewItem),
        (limited.clone(), &plain, "a@bosch.example, b@evil.example", Reason::DomainNotAllowed),
        (limited.clone(), &plain, "a@evil.example, b@bosch.example", Reason::DomainNotAllowed),
        (limited.clone(), &plain, "nobody", Reason::SenderUnclear),
        (limited.clone(), &plain, "x: a@evil.example;", Reason::DomainNotAllowed),
        (open(), &plain, "nobody", Reason::NewItem),
        (open(), &plain, "a@evil.example, b@evil.example", Reason::NewItem),
        (blocking.clone(), &plain, "x@evil.example, carl@bosch.example", Reason::SenderBlocked),
        (blocking.clone(), &plain, "\"carl\"@bosch.example", Reason::SenderBlocked),
        (blocking, &plain, "\"c\\arl\"@bosch.example", Reason::SenderBlocked),
        (open(), &own, "x@evil.example, \"desk\"@example.org", Reason::OwnAddress),
        (open(), &blocked_contact, "x@evil.example, dora@evil.example", Reason::SenderBlocked),
    ];
    for (global, how, from, reason) in cases {
        let desk = Desk { global, ..Desk::default() };
        assert_eq!(how(&desk, &format!("From: {from}\nSubject: x")).reason, reason, "{from}");
    }
    let disowned = Desk { global: open(), level: Level::Failed, ..Desk::default() };
    let filing = disowned.file("From: a@evil.example, b@evil.example\nSubject: x");
    assert_eq!(filing.reason, Reason::SenderDisowned);
}

#[test]
fn d11_a_reply_to_gives_its_address_nothing() {
    let desk = Desk::default();
    for header in [
        "From: eve@evil.example\nReply-To: Ann <ann@example.org>\nSubject: Re: [#7] x",
        "Reply-To: ann@example.org\nFrom: eve@evil.example\nSender: ann@example.org\nSubject: Re: [#7] x",
        "From: eve@evil.example\nResent-From: ann@example.org\nReturn-Path: <ann@example.org>\nSubject: Re: [#7] x",
        "From: eve@evil.example\nX-Original-From: ann@example.org\nX-Sender: ann@example.org\nSubject: Re: [#7] x",
    ] {
        assert_eq!(desk.file(header).reason, Reason::SenderUnknown, "{header}");
    }
    // Nor does it take away anything from whom From names.
    assert!(comments(&desk.file("From: ann@example.org\nReply-To: eve@evil.example\nSubject: Re: [#7] x")));
}

#[test]
fn d12_letters_that_look_alike_are_not_alike() {
    let desk = Desk::default();
    for (address, mixed) in [
        ("m\u{131}ke@example.org", false),
        ("\u{430}dmin@example.org", true),
        ("\u{430}nn@example.org", true),
        ("ann@ex\u{430}mple.org", true),
        ("ann@\u{435}xample.org", true),
        ("ann@xn--exmple-4nf.org", true),
        ("\u{ff41}nn@example.org", false),
        ("a\u{301}nn@example.org", false),
        ("ann@exam\u{440}le.org", true),
    ] {
        let filing = desk.file(&format!("From: {address}\nSubject: Re: [#7] x"));
        assert!(!comments(&filing), "{address}");
        let flagged = filing.trace.iter().any(|step| step.rule == "author" && step.outcome == "mixed scripts");
        assert_eq!(flagged, mixed, "{address}: {:?}", filing.trace);
    }
    // The same domain in another form is the same domain, and only the letters of ASCII have no case.
    for same in ["Ann@EXAMPLE.org", "ann@example.org.", "ANN@\u{ff45}xample.org", "MIKE@example.org"] {
        assert!(comments(&desk.file(&format!("From: {same}\nSubject: Re: [#7] x"))), "{same}");
    }
}

#[test]
fn who_is_blocked_is_blocked_whoever_he_is() {
    let blocked = |entry: &str| Desk {
        global: GlobalPolicy { blocked: vec![entry.to_owned()], unknown_senders: true, ..GlobalPolicy::default() },
        level: Level::Verified,
        ..Desk::default()
    };
    for (entry, from, expected) in [
        ("ann@example.org", "ann@example.org", Reason::SenderBlocked),
        ("example.org", "Ann <ANN@Example.ORG>", Reason::SenderBlocked),
        ("*.example.org", "ann@example.org", Reason::NumberInSubject),
        ("*.example.org", "ann@mail.example.org", Reason::SenderBlocked),
        // Where it is not clear who wrote it, nobody of them may be blocked.
        ("evil.example", "bob@example.net, eve@evil.example", Reason::SenderBlocked),
        ("evil.example", "bob@example.net, ann@example.org", Reason::NewItem),
    ] {
        assert_eq!(blocked(entry).file(&format!("From: {from}\nSubject: [#7]")).reason, expected, "{entry} {from}");
    }
}
