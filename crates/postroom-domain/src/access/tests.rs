#![allow(clippy::unwrap_used)]
//! The whole table of rights, as the document prints it.

use super::*;
use crate::UserId;

const DOCUMENT: &str = include_str!("../../../../docs/access.md");

fn user(change: impl FnOnce(&mut User)) -> User {
    let mut user = User {
        id: UserId(1),
        address: "ann@example.org".to_owned(),
        name: String::new(),
        admin: false,
        active: true,
        aliases: vec!["ann@home.example".to_owned()],
        memberships: Vec::new(),
    };
    change(&mut user);
    user
}

fn key(text: &str) -> WorkspaceKey {
    text.parse().unwrap()
}

fn member(role: Role) -> User {
    user(|user| user.memberships.push(Membership { workspace: key("SUP"), role }))
}

/// What can be asked for, by the words of the document. Everything is in the workspace SUP.
fn questions(sup: &WorkspaceKey, takes_part: bool) -> Vec<(&'static str, Action, Object<'_>)> {
    let item = Object::Item { workspace: sup, takes_part };
    let receipt = Object::Receipt { of_own_workspace: true };
    vec![
        ("see an item", Action::See, item),
        ("read its original messages, and why they ended there", Action::ReadOriginal, item),
        ("comment on it", Action::Comment, item),
        ("change status, assignee, tags, participants", Action::Edit, item),
        ("move it out of its workspace", Action::Move, item),
        ("split off or move a comment", Action::Split, item),
        ("see that the workspace is there, and list its items", Action::See, Object::Workspace(sup)),
        ("open an item in it, otherwise than by mail", Action::Create, Object::Workspace(sup)),
        ("open an item for the author of what one forwards", Action::Credit, Object::Workspace(sup)),
        ("move an item into it", Action::Move, Object::Workspace(sup)),
        ("release mail into it", Action::Handle, Object::Workspace(sup)),
        ("change its settings", Action::Configure, Object::Workspace(sup)),
        ("see the journal", Action::See, Object::Journal),
        ("see a receipt of it", Action::See, receipt),
        ("retry or release such a receipt", Action::Handle, receipt),
        ("see the mailboxes", Action::See, Object::Mailboxes),
        ("change users, mailboxes and global rules", Action::Configure, Object::Installation),
    ]
}

#[test]
fn the_document_has_the_table_that_the_function_gives() {
    let sup = key("SUP");
    let stranger = user(|_| {});
    let [reader, reporter, agent, manager] = Role::ALL.map(member);
    let admin = user(|user| user.admin = true);
    let gone = user(|user| {
        user.admin = true;
        user.active = false;
    });
    let columns = [
        ("nobody", Actor::Nobody, true),
        ("stranger", Actor::Contact("eve@evil.test"), false),
        ("registered", Actor::User(&stranger), false),
        ("participant", Actor::Contact("eve@evil.test"), true),
        ("reader", Actor::User(&reader), false),
        ("reporter", Actor::User(&reporter), false),
        ("agent", Actor::User(&agent), false),
        ("manager", Actor::User(&manager), false),
        ("admin", Actor::User(&admin), false),
        ("deactivated", Actor::User(&gone), true),
    ];
    let heads: Vec<&str> = columns.iter().map(|(name, ..)| *name).collect();
    let mut table = format!("| | {} |\n|---|{}\n", heads.join(" | "), "---|".repeat(columns.len()));
    for (row, (words, ..)) in questions(&sup, false).iter().enumerate() {
        let cells = columns.iter().map(|(_, actor, takes_part)| {
            let (_, action, object) = questions(&sup, *takes_part)[row];
            if authorize(*actor, action, object) { "yes" } else { "–" }
        });
        table.push_str(&format!("| {words} | {} |\n", cells.collect::<Vec<_>>().join(" | ")));
    }
    assert!(DOCUMENT.contains(&table), "docs/access.md should have this table:\n{table}");
}

#[test]
fn a_role_ends_at_the_border_of_its_workspace() {
    let (sup, ops) = (key("SUP"), key("OPS"));
    let manager = member(Role::Manager);
    for (words, action, object) in questions(&ops, false) {
        let outside = matches!(object, Object::Item { .. } | Object::Workspace(_));
        assert!(!outside || !authorize(Actor::User(&manager), action, object), "{words}");
    }
    for (words, action, object) in questions(&sup, false) {
        let foreign = match object {
            Object::Receipt { .. } => Object::Receipt { of_own_workspace: false },
            other => other,
        };
        let same = matches!(object, Object::Receipt { .. });
        assert!(!same || !authorize(Actor::User(&manager), action, foreign), "{words}");
    }
}

#[test]
fn a_participant_is_known_by_every_address_of_the_account() {
    let people = |address: &str| vec![Party { address: address.to_owned(), name: String::new(), user: false }];
    let ann = user(|_| {});
    let actor = Actor::User(&ann);
    assert!(actor.is_among(&people("ann@example.org")) && actor.is_among(&people("ann@home.example")));
    assert!(!actor.is_among(&people("eve@evil.test")) && !Actor::Nobody.is_among(&people("")));
    assert!(!Actor::Contact("").is_among(&people("")), "an item without an author belongs to nobody");
    assert_eq!(joined(&member(Role::Reader)), Some(vec![key("SUP")]));
    assert_eq!(managed(&member(Role::Reader)), Some(vec![]));
    assert_eq!(managed(&member(Role::Manager)), Some(vec![key("SUP")]));
    assert_eq!((managed(&user(|u| u.admin = true)), joined(&user(|u| u.admin = true))), (None, None));
}
