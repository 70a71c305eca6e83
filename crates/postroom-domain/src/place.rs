//! Where a new item goes and what it gets: what a person chose, what rules say, where the address leads, and at last the
//! workspace of the mailbox.

use crate::credit::{Credit, credit};
use crate::delivery::{Led, MailboxAddress, OwnAddresses, led};
use crate::filing::{Effect, Standing, hold_unverified, title_of};
use crate::item::TAGS_MAX;
use crate::matching::{Choice, Offer};
use crate::participant::proposed;
use crate::routing::{Routed, RuleSet};
use crate::{
    Action, Actor, Clues, Facts, ItemFacts, Object, Policy, Reason, TraceStep, User, UserId, WorkspaceId, WorkspaceKey,
    WorkspacePolicy, authorize,
};
use postroom_mail::{Address, Message};
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

/// What a new item begins with besides workspace, title and text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Opening {
    /// What rules give to it.
    pub given: Given,
    /// Whose it is and what it says, where the message forwards somebody else's.
    pub credit: Option<Credit>,
    /// Items that the message names without a right to comment on them.
    pub mentions: Vec<i64>,
    /// The closed item that it continues.
    pub continues: Option<i64>,
    /// Items on which the sender is proposed as a participant.
    pub offers: Vec<Offer>,
    /// People who are proposed as participants of this one.
    pub proposed: Vec<Address>,
}

impl Routing {
    /// The key and the rules of a workspace.
    pub fn workspace(&self, id: WorkspaceId) -> Option<(&WorkspaceKey, WorkspacePolicy)> {
        let known = self.workspaces.iter().find(|(_, (known, _))| *known == id);
        known.map(|(key, (_, rules))| (key, *rules))
    }
}

/// What rules give to a new item besides its place.
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
pub(crate) fn is_own_mail(message: &Message, facts: &Facts, policy: &Policy, trace: &mut Vec<TraceStep>) -> bool {
    // Where several are named, one of them is enough.
    let own = message.from.iter().filter_map(Address::canonical).find(|address| policy.routing.own.has(address));
    let Some(author) = own else { return false };
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

/// How it came to a new item.
pub(crate) struct Beginning<'a> {
    /// What the rules say.
    pub(crate) routed: Routed,
    /// The closed item that it continues.
    pub(crate) continues: Option<&'a ItemFacts>,
    /// What its clues came to.
    pub(crate) choice: Choice<'a>,
}

/// The new item that a message opens, or why it opens none.
pub(crate) fn open(
    message: &Message,
    clues: &Clues,
    facts: &Facts,
    policy: &Policy,
    beginning: Beginning<'_>,
    trace: &mut Vec<TraceStep>,
) -> Result<(Effect, Reason), Reason> {
    let Beginning { routed, continues, choice } = beginning;
    let Some(id) = workspace(message, policy, &routed, continues, trace) else {
        trace.push(TraceStep::new("workspace", "none", ""));
        return Err(Reason::NoDefaultWorkspace);
    };
    let known = policy.routing.workspace(id);
    let rules = known.map(|(_, rules)| rules).unwrap_or_default();
    // Those who are not known claim no rights that would have to be proven.
    let about = continues.map(|item| item.number);
    if facts.sender.is_some() && Standing::of(facts, policy, rules, about) == Standing::Held {
        return Err(hold_unverified(&facts.identity, trace));
    }
    let credit = known.and_then(|(key, rules)| credit(message, clues, facts, (key, rules), &policy.routing.own, trace));
    // Whom an agent writes to is the desk, and not whom the author wrote to.
    let proposed = if credit.is_none() { proposed(message, clues, policy) } else { Vec::new() };
    let subject = credit.as_ref().map(|credit| credit.subject.as_str()).filter(|subject| !subject.trim().is_empty());
    let title = title_of(subject.unwrap_or(&message.subject));
    let given = given(policy, &routed, known.map(|(key, _)| key), trace);
    trace.push(TraceStep::new("item", "opened", ""));
    let reason = if continues.is_some() { Reason::ContinuesClosed } else { Reason::NewItem };
    let opening =
        Opening { given, credit, mentions: choice.mentions, continues: about, offers: choice.offers, proposed };
    Ok((Effect::OpenItem { workspace: id, title, opening: Box::new(opening) }, reason))
}

fn workspace(
    message: &Message,
    policy: &Policy,
    routed: &Routed,
    continues: Option<&ItemFacts>,
    trace: &mut Vec<TraceStep>,
) -> Option<WorkspaceId> {
    let routing = &policy.routing;
    // What continues an item belongs where that is.
    if let Some(id) = routing.chosen.or(continues.map(|item| item.workspace_id)) {
        return Some(id);
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

/// Whether items of this workspace can be assigned to the user.
pub(crate) fn works_in(user: &User, workspace: &WorkspaceKey) -> bool {
    authorize(Actor::User(user), Action::Edit, Object::Item { workspace, takes_part: false })
}

/// What the rules give to a new item in this workspace.
fn given(policy: &Policy, routed: &Routed, workspace: Option<&WorkspaceKey>, trace: &mut Vec<TraceStep>) -> Given {
    let tags: Vec<String> = routed.tags.iter().take(TAGS_MAX).cloned().collect();
    let mut given = Given { assignee: None, status: routed.status.clone(), tags };
    if let Some((address, rule)) = &routed.assignee {
        let works_there = |user: &&User| workspace.is_some_and(|key| works_in(user, key));
        given.assignee = policy.routing.assignees.get(address).filter(works_there).map(|user| user.id);
        let outcome = if given.assignee.is_some() { "assignee" } else { "no such agent" };
        trace.push(TraceStep::new("rule", outcome, format!("{rule}: {address}")));
    }
    if let Some(status) = &given.status {
        trace.push(TraceStep::new("rule", "status", status));
    }
    if !given.tags.is_empty() {
        let left_off = match routed.tags.len() - given.tags.len() {
            0 => String::new(),
            more => format!("; {more} more are left off, since an item has at most {TAGS_MAX}"),
        };
        trace.push(TraceStep::new("rule", "tags", given.tags.join(", ") + &left_off));
    }
    given
}

/// What rules gave to an item when it was opened, as its trace tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GivenThen {
    /// The address of who got it.
    pub assignee: Option<String>,
    /// Its status, if not the usual one.
    pub status: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
}

impl GivenThen {
    /// Reads the steps that are written when it is given.
    pub fn of(trace: &[TraceStep]) -> Self {
        let mut then = Self::default();
        for step in trace.iter().filter(|step| step.rule == "rule") {
            match step.outcome.as_str() {
                "assignee" => then.assignee = step.detail.rsplit_once(": ").map(|(_, address)| address.to_owned()),
                "status" => then.status = Some(step.detail.clone()),
                "tags" => {
                    // A tag has no blanks in it.
                    let tags = step.detail.split_once("; ").map_or(step.detail.as_str(), |(tags, _)| tags);
                    then.tags = tags.split(", ").map(str::to_owned).collect();
                }
                _ => {}
            }
        }
        then
    }
}

#[cfg(test)]
mod tests;
