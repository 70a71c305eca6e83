//! What one decision costs: clues out of the subject, the judgement of the sender, the choice of an item.
#![allow(missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use postroom_domain::{
    AddressRules, AutomaticMail, Clues, DomainPolicy, Facts, GlobalPolicy, Identity, ItemFacts, Membership, Policy,
    Role, User, UserId, WorkspaceId, WorkspacePolicy, decide,
};
use postroom_mail::{Address, Message};
use std::hint::black_box;

fn message() -> Message {
    Message {
        from: vec![Address::new("Ann", "ann@example.org")],
        subject: "Re: [#4711] invoice 77 of 2026 for order 12, 13 and 14".to_owned(),
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
        workspace_policy: WorkspacePolicy::default(),
        released: false,
    }
}

fn facts() -> Facts {
    let workspace: postroom_domain::WorkspaceKey = "SUP".parse().expect("this key is valid");
    let item = |number| ItemFacts {
        number,
        workspace: workspace.clone(),
        policy: WorkspacePolicy::default(),
        participant: false,
    };
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
        identity: Identity::default(),
        twin: None,
        registration: None,
        contact: None,
    }
}

fn bench(criterion: &mut Criterion) {
    let (message, facts) = (message(), facts());
    for (name, policy) in [
        ("decide/comment", policy(&[])),
        ("decide/comment, two patterns", policy(&[r"[^@\T]@bosch\.com", r"@example\.org"])),
    ] {
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| {
                let clues = Clues::of(black_box(&message), true);
                decide(&message, &clues, black_box(&facts), &policy)
            });
        });
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
