//! Where a new item goes and what it gets: what a person chose, what rules say, where the address leads, and at last the
//! workspace of the mailbox.

use crate::delivery::{Led, MailboxAddress, OwnAddresses, led};
use crate::filing::Effect;
use crate::filing::sender::{Standing, hold_unverified};
use crate::routing::{Routed, RuleSet};
use crate::{Clues, Facts, Policy, Reason, Role, TraceStep, User, UserId, WorkspaceId, WorkspaceKey, WorkspacePolicy};
use postroom_mail::Message;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What decides where the mail of one mailbox goes.
#[derive(Debug, Clone, Default)]
pub struct Routing {
    /// The mailbox, for rules of one mailbox.
    pub mailbox: String,
    /// All rules.
    pub rules: Arc<RuleSet>,
    /// The addresses of the mailbox.
    pub addresses: Vec<MailboxAddress>,
    /// Whether what stands behind a plus sign names a workspace.
    pub plus_addresses: bool,
    /// All workspaces, with their rules.
    pub workspaces: Arc<BTreeMap<WorkspaceKey, (WorkspaceId, WorkspacePolicy)>>,
    /// The active users whom a rule names.
    pub assignees: Arc<HashMap<String, User>>,
    /// The addresses from which we write ourselves.
    pub own: Arc<OwnAddresses>,
    /// The workspace that a person chose for this message or for an import; it goes before everything.
    pub chosen: Option<WorkspaceId>,
}

/// What a new item gets besides its place and title.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Given {
    /// Who gets it.
    pub assignee: Option<UserId>,
    /// Its status, if not the usual one.
    pub status: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
}

/// Whether mail comes from one of our own addresses, and is therefore to be held. A registered person may write from one
/// of them, a machine may not: that is how our own answers come back.
pub(crate) fn is_own_mail(
    message: &Message,
    clues: &Clues,
    facts: &Facts,
    policy: &Policy,
    trace: &mut Vec<TraceStep>,
) -> bool {
    let Some(author) = clues.author.as_deref().filter(|author| policy.routing.own.has(author)) else { return false };
    let is_person = facts.sender.is_some() && !message.auto_submitted;
    trace.push(TraceStep::new("own-address", if is_person { "registered" } else { "held" }, author));
    !is_person
}

/// Asks the rules; `Err` if one of them holds the message.
pub(crate) fn ask_rules(
    message: &Message,
    clues: &Clues,
    facts: &Facts,
    policy: &Policy,
    trace: &mut Vec<TraceStep>,
) -> Result<Routed, Reason> {
    let routing = &policy.routing;
    if routing.rules.is_empty() {
        return Ok(Routed::default());
    }
    let routed = routing.rules.ask(message, clues.author.as_deref(), facts, &routing.mailbox, trace);
    match &routed.held_by {
        Some(rule) if policy.released => trace.push(TraceStep::new("rule", "released", rule)),
        Some(rule) => {
            trace.push(TraceStep::new("rule", "held", rule));
            return Err(Reason::HeldByRule);
        }
        None => {}
    }
    Ok(routed)
}

/// Notes the rules that would have placed a new item, where the message became a comment.
pub(crate) fn note_comment(routed: &Routed, trace: &mut Vec<TraceStep>) {
    trace.extend(routed.applied.iter().map(|rule| TraceStep::new("rule", "not on a comment", rule)));
}

/// The new item that a message opens, or why it opens none.
pub(crate) fn open(
    message: &Message,
    facts: &Facts,
    policy: &Policy,
    routed: &Routed,
    trace: &mut Vec<TraceStep>,
) -> Result<(Effect, Reason), Reason> {
    let Some(workspace) = workspace(message, policy, routed, trace) else {
        trace.push(TraceStep::new("workspace", "none", ""));
        return Err(Reason::NoDefaultWorkspace);
    };
    let known = policy.routing.workspaces.iter().find(|(_, (id, _))| *id == workspace);
    let rules = known.map(|(_, (_, rules))| *rules).unwrap_or_default();
    // Those who are not known claim no rights that would have to be proven.
    if facts.sender.is_some() && Standing::of(facts, policy, rules) == Standing::Held {
        return Err(hold_unverified(&facts.identity, trace));
    }
    let given = given(policy, routed, known.map(|(key, _)| key), trace);
    trace.push(TraceStep::new("item", "opened", ""));
    Ok((Effect::OpenItem { workspace, title: crate::filing::title_of(&message.subject), given }, Reason::NewItem))
}

fn workspace(message: &Message, policy: &Policy, routed: &Routed, trace: &mut Vec<TraceStep>) -> Option<WorkspaceId> {
    let routing = &policy.routing;
    if routing.chosen.is_some() {
        return routing.chosen;
    }
    if let Some((key, rule)) = &routed.workspace {
        match routing.workspaces.get(key) {
            Some((id, _)) => {
                trace.push(TraceStep::new("rule", "workspace", format!("{rule}: {key}")));
                return Some(*id);
            }
            None => trace.push(TraceStep::new("rule", "no such workspace", format!("{rule}: {key}"))),
        }
    }
    for led in led(message, &routing.addresses, routing.plus_addresses, &routing.workspaces) {
        match led {
            Led::To(key, id, recipient) => {
                let detail = format!("{}: {} leads to {key}", recipient.field, recipient.address);
                trace.push(TraceStep::new("address", "workspace", detail));
                return Some(id);
            }
            Led::Astray(recipient, name) => {
                let detail = format!("{}: {}, but `{name}` is no workspace", recipient.field, recipient.address);
                trace.push(TraceStep::new("address", "no such workspace", detail));
            }
        }
    }
    policy.workspace
}

/// What the rules give to a new item in this workspace.
fn given(policy: &Policy, routed: &Routed, workspace: Option<&WorkspaceKey>, trace: &mut Vec<TraceStep>) -> Given {
    let mut given = Given { assignee: None, status: routed.status.clone(), tags: routed.tags.clone() };
    if let Some((address, rule)) = &routed.assignee {
        let works_there = |user: &&User| workspace.and_then(|key| user.role_in(key)) >= Some(Role::Agent);
        given.assignee = policy.routing.assignees.get(address).filter(works_there).map(|user| user.id);
        let outcome = if given.assignee.is_some() { "assignee" } else { "no such agent" };
        trace.push(TraceStep::new("rule", outcome, format!("{rule}: {address}")));
    }
    if let Some(status) = &given.status {
        trace.push(TraceStep::new("rule", "status", status));
    }
    if !given.tags.is_empty() {
        trace.push(TraceStep::new("rule", "tags", given.tags.join(", ")));
    }
    given
}

#[cfg(test)]
mod tests;
