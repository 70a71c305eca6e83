//! The rules about the sender: his address, and how sure it is that it is his.

use super::{Reason, TraceStep};
use crate::{Admission, Facts, Identity, Level, Policy, Unverified, WorkspacePolicy};
use postroom_mail::Message;
use postroom_mail::address::mixes_scripts;

/// The block list and the allowed domains. Where it is not clear who the author is, all that are named must be let in.
pub(super) fn judge_addresses(
    message: &Message,
    author: Option<&str>,
    policy: &Policy,
    trace: &mut Vec<TraceStep>,
) -> Result<(), Reason> {
    let Some(author) = author else {
        let named: Vec<Option<String>> = message.from.iter().map(postroom_mail::Address::canonical).collect();
        named.iter().flatten().try_for_each(|address| judge_address(address, policy, trace))?;
        if policy.addresses.limits_domains() && (named.is_empty() || named.contains(&None)) {
            let detail = "not everybody whom it names as author has an address".to_owned();
            return refuse("allowed-domains", "refused", detail, Reason::SenderUnclear, trace);
        }
        return Ok(());
    };
    judge_address(author, policy, trace)
}

fn judge_address(author: &str, policy: &Policy, trace: &mut Vec<TraceStep>) -> Result<(), Reason> {
    if mixes_scripts(author) {
        trace.push(TraceStep::new(
            "author",
            "mixed scripts",
            format!("{author} may be made to look like another address"),
        ));
    }
    match policy.addresses.judge(author) {
        Admission::Admitted(by) if by.is_empty() => Ok(()),
        Admission::Admitted(by) => {
            trace.push(TraceStep::new("allowed-domains", "admitted", format!("{author} by {by}")));
            Ok(())
        }
        Admission::Blocked(entry) => refuse("blocked", "blocked", entry, Reason::SenderBlocked, trace),
        Admission::NotAllowed(list) => {
            let detail = format!("{author} is not among {list}");
            refuse("allowed-domains", "refused", detail, Reason::DomainNotAllowed, trace)
        }
        Admission::Undecided(limit) => {
            refuse("allowed-domains", "undecided", limit.to_string(), Reason::PatternLimit, trace)
        }
    }
}

fn refuse(rule: &str, outcome: &str, detail: String, why: Reason, trace: &mut Vec<TraceStep>) -> Result<(), Reason> {
    trace.push(TraceStep::new(rule, outcome, detail));
    Err(why)
}

/// A message that the domain of its author disowns is held, whoever he is said to be.
pub(super) fn judge_identity(identity: &Identity, trace: &mut Vec<TraceStep>) -> Result<(), Reason> {
    if identity.is_checked() {
        trace.push(step(identity));
    }
    if identity.level == Level::Failed { Err(Reason::SenderDisowned) } else { Ok(()) }
}

/// Holds a message of an unverified sender, with the reason in the trace if it is not there yet.
pub(crate) fn hold_unverified(identity: &Identity, trace: &mut Vec<TraceStep>) -> Reason {
    if !identity.is_checked() {
        trace.push(step(identity));
    }
    Reason::SenderUnverified
}

/// How sure it is who wrote a message, as a step of the trace.
pub(crate) fn step(identity: &Identity) -> TraceStep {
    TraceStep::new("identity", identity.level.as_str(), identity.detail.as_str())
}

/// What a known sender may do in a workspace, by how sure it is that he wrote the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Whatever his rights allow by mail.
    Comments,
    /// Only open items.
    OpensOnly,
    /// Nothing.
    Held,
}

impl Standing {
    /// `item` is the one that it is about, if there is one.
    pub(crate) fn of(facts: &Facts, policy: &Policy, workspace: WorkspacePolicy, item: Option<i64>) -> Self {
        if policy.released || facts.identity_on(item).is_verified() {
            return Self::Comments;
        }
        match workspace.unverified {
            Unverified::Comment => Self::Comments,
            Unverified::OpenOnly => Self::OpensOnly,
            Unverified::Hold => Self::Held,
        }
    }
}

#[cfg(test)]
mod tests;
