//! Credit where it is due: an agent forwards a customer's mail, and the item is the customer's.

use crate::access::{Action, Object, authorize};
use crate::delivery::OwnAddresses;
use crate::matching::{Clues, Facts};
use crate::{TraceStep, WorkspaceKey, WorkspacePolicy};
use postroom_mail::{Address, Forwarded, Message};

/// What an agent writes alone on the first line to credit the author of what he forwards.
const REQUEST: &str = "@fwd";
/// The tag of a recipient's address that asks for the same.
const TAG: &str = "fwd";

/// What an item has of a forwarded message instead of the message that brought it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    /// The author, with a canonical addr-spec. Nothing proves that he wrote it; the agent says so.
    pub author: Address,
    /// Subject of what was forwarded; may be empty.
    pub subject: String,
    /// What was forwarded, without the agent's own words.
    pub text: String,
}

/// The author who is credited with a new item in `workspace`, if the sender asks for it and may.
///
/// What the agent wrote above the forwarded message is for the desk. It stands in the trace, which only members of the
/// workspace see, and not in the item, which its requester sees.
pub(crate) fn credit(
    message: &Message,
    clues: &Clues,
    facts: &Facts,
    (workspace, rules): (&WorkspaceKey, WorkspacePolicy),
    own: &OwnAddresses,
    trace: &mut Vec<TraceStep>,
) -> Option<Credit> {
    let asked = asked(message, rules)?;
    let actor = facts.actor(clues);
    let refuse = |trace: &mut Vec<TraceStep>, why: &str| {
        trace.push(TraceStep::new("forward", "not credited", why));
        None
    };
    if !authorize(actor, Action::Credit, Object::Workspace(workspace)) {
        // Whoever did not ask needs no answer.
        let asked = asked != Asked::Setting;
        return if asked { refuse(trace, "only agents of the workspace may ask for it") } else { None };
    }
    let Some(forwarded) = message.forwarded.first() else {
        return if asked == Asked::Setting { None } else { refuse(trace, "no forwarded message was recognised") };
    };
    let Some(author) = author_of(forwarded) else {
        return refuse(trace, "what was forwarded names no address");
    };
    if own.has(&author.addr_spec) || actor.addresses().any(|address| address == author.addr_spec) {
        return refuse(trace, "it is the sender's own, or ours");
    }
    trace.push(TraceStep::new("forward", "credited", format!("{author}, {}", asked.words())));
    let note = note_of(&forwarded.note);
    if !note.is_empty() {
        trace.push(TraceStep::new("forward", "note", note));
    }
    Some(Credit { author, subject: forwarded.subject.clone(), text: forwarded.text.clone() })
}

/// How credit was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Line,
    Tag,
    Setting,
}

impl Asked {
    fn words(self) -> &'static str {
        match self {
            Self::Line => "asked for by @fwd",
            Self::Tag => "asked for by the address",
            Self::Setting => "as the workspace is set",
        }
    }
}

fn asked(message: &Message, rules: WorkspacePolicy) -> Option<Asked> {
    if is_request(message.reply_text.trim_start().lines().next()) {
        Some(Asked::Line)
    } else if message.to.iter().chain(&message.cc).any(|address| is_asked_by(&address.addr_spec)) {
        Some(Asked::Tag)
    } else {
        rules.forward_credit.then_some(Asked::Setting)
    }
}

/// Whether mail to this address asks for it.
pub(crate) fn is_asked_by(address: &str) -> bool {
    let local = address.rsplit_once('@').map_or("", |(local, _)| local);
    local.rsplit_once('+').is_some_and(|(_, tag)| tag.eq_ignore_ascii_case(TAG))
}

fn is_request(line: Option<&str>) -> bool {
    line.is_some_and(|line| line.trim().eq_ignore_ascii_case(REQUEST))
}

fn author_of(forwarded: &Forwarded) -> Option<Address> {
    let from = forwarded.from.as_ref()?;
    Some(Address::new(from.name.as_str(), from.canonical()?))
}

/// The note without the line that asks for credit.
fn note_of(note: &str) -> &str {
    let (first, rest) = note.split_once('\n').unwrap_or((note, ""));
    if is_request(Some(first)) { rest.trim() } else { note }
}

#[cfg(test)]
mod tests;
