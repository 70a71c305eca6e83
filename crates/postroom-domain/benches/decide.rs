//! What one decision costs: clues out of the subject, the judgement of the sender, the choice of an item.
#![allow(missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use postroom_domain::reply_key::KEY_LEN;
use postroom_domain::routing::When;
use postroom_domain::{
    AddressRules, AutomaticMail, Clues, DomainPolicy, Facts, GivenTo, GlobalPolicy, ItemFacts, Limits, MailboxAddress,
    Membership, Policy, ProvenKey, ReplyKeys, Role, Routing, Rule, RuleSet, User, UserId, WorkspaceId, decide,
};
use postroom_mail::{Address, HeaderField, Message};
use std::hint::black_box;
use std::sync::Arc;

fn message() -> Message {
    Message {
        from: vec![Address::new("Ann", "ann@example.org")],
        to: vec![Address::new("", "desk@example.org"), Address::new("Bob", "bob@example.net")],
        subject: "Re: [#4711] invoice 77 of 2026 for order 12, 13 and 14".to_owned(),
        fields: (0..25)
            .map(|n| HeaderField {
                name: format!("X-Field-{n}"),
                value: "a value of usual length, so to say".to_owned(),
            })
            .collect(),
        ..Message::default()
    }
}

fn policy(patterns: &[&str]) -> Policy {
    let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
    let allowed = DomainPolicy { allowed_domains: patterns, ..DomainPolicy::default() };
    let global = GlobalPolicy { allowed, ..GlobalPolicy::default() };
    Policy {
        submissions: true,
        unknown_senders: false,
        addresses: AddressRules::global(&global).expect("these patterns are valid").into(),
        bare_numbers: true,
        automatic: AutomaticMail::File,
        workspace: Some(WorkspaceId(1)),
        routing: Routing {
            own: Arc::new(std::iter::once("desk@example.net".to_owned()).collect()),
            ..Routing::default()
        },
        limits: Limits::default(),
        released: false,
    }
}

fn facts() -> Facts {
    let workspace: postroom_domain::WorkspaceKey = "SUP".parse().expect("this key is valid");
    let item = |number| ItemFacts::open(number, WorkspaceId(1), workspace.clone());
    Facts {
        sender: Some(User {
            id: UserId(1),
            address: "ann@example.org".to_owned(),
            name: "Ann".to_owned(),
            admin: false,
            active: true,
            aliases: Vec::new(),
            memberships: vec![Membership { workspace: workspace.clone(), role: Role::Reporter }],
        }),
        items: vec![item(4711), item(77), item(12)],
        ..Facts::default()
    }
}

/// A hundred rules of all kinds, none of which applies, and the addresses of a mailbox.
fn routing() -> Routing {
    let tests = [
        "subject=*order {n}x*",
        "subject~\\bticket {n}x\\b",
        "sender=*@{n}.example",
        "header:x-team={n}",
        "recipient=r{n}@x.example",
    ];
    let rule = |n: usize| Rule {
        name: format!("rule {n}"),
        when: When::All(vec![tests[n % tests.len()].replace("{n}", &n.to_string()).parse().expect("this is a test")]),
        ..Rule::default()
    };
    let rules: Vec<Rule> = (0..100).map(rule).collect();
    Routing {
        rules: Arc::new(RuleSet::compile(&rules).expect("these rules are valid")),
        addresses: vec![MailboxAddress { address: "desk@example.org".to_owned(), workspace: None }],
        plus_addresses: true,
        ..Routing::default()
    }
}

/// Everything that a message can carry: ten numbers, twenty answered messages on items of their own, twenty reply keys that
/// are ours, none of which the sender may comment on, and twenty recipients.
fn worst() -> (Message, Facts) {
    let (mut message, mut facts) = (message(), facts());
    message.subject = "1 2 3 4 5 6 7 8 9 10 on 2026-11-22 at 12:30, call +49 89 123456".to_owned();
    let id = |n: usize| format!("i.{n}.{}.{}@example.net", "a".repeat(24), "a".repeat(26));
    message.references = (1..=20).map(id).collect();
    message.cc = (0..20).map(|n| Address::new("", format!("person{n}@example.com"))).collect();
    let elsewhere: postroom_domain::WorkspaceKey = "OPS".parse().expect("this key is valid");
    facts.items = (1..=50).map(|number| ItemFacts::open(number, WorkspaceId(2), elsewhere.clone())).collect();
    facts.keys = (1..=20).map(|item| ProvenKey { item, given_to: GivenTo::Other }).collect();
    facts.answered = (21..=40).collect();
    (message, facts)
}

fn bench(criterion: &mut Criterion) {
    let (message, facts) = (message(), facts());
    for (name, policy, facts) in [
        ("decide/comment", policy(&[]), facts.clone()),
        ("decide/comment, two patterns", policy(&[r"[^@\T]@bosch\.com", r"@example\.org"]), facts.clone()),
        (
            "decide/new item, a hundred rules",
            Policy { routing: routing(), ..policy(&[]) },
            Facts { items: Vec::new(), ..facts },
        ),
    ] {
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| {
                let clues = Clues::of(black_box(&message), true);
                decide(&message, &clues, black_box(&facts), &policy)
            });
        });
    }
    let ((message, facts), policy) = (worst(), policy(&[]));
    let clues = Clues::of(&message, true);
    criterion.bench_function("decide/everything at once, clues apart", |bencher| {
        bencher.iter(|| decide(black_box(&message), &clues, black_box(&facts), &policy));
    });
    criterion.bench_function("clues/everything at once", |bencher| {
        bencher.iter(|| Clues::of(black_box(&message), true));
    });
    let keys = ReplyKeys::new(b"bench", [&[1; KEY_LEN], &[2; KEY_LEN]]);
    let claim = clues.keys.first().expect("twenty ids have our form");
    criterion.bench_function("reply key/one that is forged, against two keys", |bencher| {
        bencher.iter(|| keys.verify(black_box(claim)).is_some());
    });
}

criterion_group!(benches, bench);
criterion_main!(benches);
