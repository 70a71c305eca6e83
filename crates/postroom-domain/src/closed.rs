//! Mail on closed items: whether it opens them again, becomes a comment only, or opens an item that continues them.

use crate::access::Actor;
use crate::filing::Standing;
use crate::matching::{Clues, Facts, ItemFacts};
use crate::{Policy, TraceStep};
use postroom_mail::Message;
use serde::{Deserialize, Serialize};

/// What a comment by mail does to a closed item, for each workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClosedItems {
    /// It opens the item again, if the sender's identity is proven and no limit is reached.
    #[default]
    Reopen,
    /// It is a comment, and the item stays closed.
    Comment,
    /// It opens a new item that continues the closed one.
    NewItem,
}

/// How often mail opens one item again within a day, unless its workspace says otherwise.
pub const REOPENINGS_A_DAY: u32 = 3;

/// What holds for a closed item.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Closed {
    /// How often mail did, in the last 24 hours.
    pub reopened: u32,
    /// The open item that continues it, through others that did and are closed, if there is one.
    pub continued_in: Option<i64>,
}

/// What becomes of mail on an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer<'a> {
    /// A comment on this item, which opens it again or not.
    Comment { item: &'a ItemFacts, reopen: bool },
    /// A new item that continues this one.
    Continue { item: &'a ItemFacts },
}

/// What becomes of a message that is a comment on `item`. Automatic mail, and mail of a sender whose identity is not
/// proven, never changes a state.
pub(crate) fn answer<'a>(
    item: &'a ItemFacts,
    message: &Message,
    clues: &Clues,
    facts: &'a Facts,
    policy: &Policy,
    trace: &mut Vec<TraceStep>,
) -> Answer<'a> {
    let Some(closed) = &item.closed else { return Answer::Comment { item, reopen: false } };
    match item.policy.closed {
        ClosedItems::Comment => {
            trace.push(TraceStep::new("closed", "comment", "its workspace leaves closed items closed"));
            Answer::Comment { item, reopen: false }
        }
        ClosedItems::Reopen => {
            let obstacle = obstacle(item, message, facts, closed);
            let outcome = if obstacle.is_none() { "reopened" } else { "comment" };
            trace.push(TraceStep::new("closed", outcome, obstacle.unwrap_or_default()));
            Answer::Comment { item, reopen: outcome == "reopened" }
        }
        ClosedItems::NewItem => match successor(closed, facts, facts.actor(clues), policy) {
            Some(next) => {
                trace.push(TraceStep::new("closed", "continued", format!("#{} in #{}", item.number, next.number)));
                Answer::Comment { item: next, reopen: false }
            }
            None => {
                trace.push(TraceStep::new("closed", "new item", format!("continues #{}", item.number)));
                Answer::Continue { item }
            }
        },
    }
}

/// Why the item stays closed, if it does.
fn obstacle(item: &ItemFacts, message: &Message, facts: &Facts, closed: &Closed) -> Option<String> {
    if message.auto_submitted {
        Some("automatic mail opens nothing again".to_owned())
    } else if !facts.identity_on(Some(item.number)).is_verified() {
        Some("its sender's identity is not proven".to_owned())
    } else if closed.reopened >= item.policy.reopen_limit {
        Some(format!("mail has opened it {} times within a day", closed.reopened))
    } else {
        None
    }
}

/// The item that continues it, if the sender may comment there, which may be in another workspace by now.
fn successor<'a>(closed: &Closed, facts: &'a Facts, actor: Actor<'_>, policy: &Policy) -> Option<&'a ItemFacts> {
    let next = facts.item(closed.continued_in?)?;
    let may = policy.reaches(next.workspace_id)
        && next.takes_comment_of(actor)
        && Standing::of(facts, policy, next.policy, Some(next.number)) == Standing::Comments;
    (next.closed.is_none() && may).then_some(next)
}
