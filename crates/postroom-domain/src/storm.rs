//! Storms: more mail in an hour than is let through at once. What is over a limit is held, and filed by itself when its turn
//! comes: then it counts as if it arrived only now, so that nothing ever gets more within an hour than its limit.
//!
//! Everything is counted by when mail arrived, never by when it was fetched, so that a backlog or a first import is no
//! storm. Only mail that a machine sends is counted: a person's mail has no limit. What is proven to be by its author is counted
//! apart from what is not, so that nobody uses up the limit of another by writing in his name.

use crate::MailboxId;
use jiff::{SignedDuration, Timestamp};
use postroom_mail::Message;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The time within which mail is counted.
pub const WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// How much mail may arrive within [`WINDOW`]; each at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Automatic messages from one address. Lists do not count: what they bring is people's mail.
    pub automatic_per_sender: u32,
    /// Automatic comments on one item.
    pub automatic_per_item: u32,
    /// Automatic messages in one mailbox.
    pub automatic_per_mailbox: u32,
    /// Messages of one storm that are filed by themselves when it is over. If more were held, all wait for a person.
    pub storm_resume: u32,
}

/// The names of all limits, as `setting set` takes them.
pub const LIMIT_NAMES: [&str; 4] =
    ["automatic-per-sender", "automatic-per-item", "automatic-per-mailbox", "storm-resume"];

impl Default for Limits {
    fn default() -> Self {
        Self { automatic_per_sender: 50, automatic_per_item: 20, automatic_per_mailbox: 200, storm_resume: 100 }
    }
}

/// Automatic mail that is counted together. `Display` and `FromStr` are the form in which the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Storm {
    /// What it has in common.
    pub of: StormOf,
    /// Whether it is proven to be by its authors.
    pub verified: bool,
}

/// What the messages of a storm have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum StormOf {
    /// Their author, by canonical address.
    Sender(String),
    /// The item that they comment on.
    Item(i64),
    /// Their mailbox.
    Mailbox(MailboxId),
}

impl Storm {
    /// The limit that counts for it.
    pub fn limit(&self, limits: &Limits) -> u32 {
        match self.of {
            StormOf::Sender(_) => limits.automatic_per_sender,
            StormOf::Item(_) => limits.automatic_per_item,
            StormOf::Mailbox(_) => limits.automatic_per_mailbox,
        }
    }

    /// The name of that limit, as `setting set` takes it.
    pub fn name(&self) -> &'static str {
        match self.of {
            StormOf::Sender(_) => "automatic-per-sender",
            StormOf::Item(_) => "automatic-per-item",
            StormOf::Mailbox(_) => "automatic-per-mailbox",
        }
    }

    /// The storm in words, for the trace.
    fn words(&self, most: u32) -> String {
        let verified = if self.verified { "verified" } else { "unverified" };
        match &self.of {
            StormOf::Sender(address) => format!("{most} automatic messages from {address} ({verified}) within an hour"),
            StormOf::Item(item) => format!("{most} automatic comments on #{item} ({verified}) within an hour"),
            StormOf::Mailbox(_) => format!("{most} automatic messages in this mailbox ({verified}) within an hour"),
        }
    }
}

/// Stands before the rest where mail is verified. No address begins with a word and a blank.
const VERIFIED: &str = "verified ";

impl fmt::Display for Storm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, verified) = (self.name(), if self.verified { VERIFIED } else { "" });
        match &self.of {
            StormOf::Sender(address) => write!(f, "{name} {verified}{address}"),
            StormOf::Item(item) => write!(f, "{name} {verified}{item}"),
            StormOf::Mailbox(mailbox) => write!(f, "{name} {verified}{mailbox}"),
        }
    }
}

/// The text is no storm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no storm")]
pub struct NotAStorm;

impl FromStr for Storm {
    type Err = NotAStorm;

    fn from_str(text: &str) -> Result<Self, NotAStorm> {
        let (name, about) = text.split_once(' ').ok_or(NotAStorm)?;
        let (verified, about) = about.strip_prefix(VERIFIED).map_or((false, about), |rest| (true, rest));
        let number = || about.parse::<i64>().map_err(|_| NotAStorm);
        let of = match name {
            "automatic-per-sender" => StormOf::Sender(about.to_owned()),
            "automatic-per-item" => StormOf::Item(number()?),
            "automatic-per-mailbox" => StormOf::Mailbox(MailboxId(number()?)),
            _ => return Err(NotAStorm),
        };
        Ok(Self { of, verified })
    }
}

/// What arrived within [`WINDOW`] before a message, that message itself not counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// When the message arrived, or its turn came after it was held. `None` where that says nothing: it is old mail of a
    /// first visit, or was imported.
    pub at: Option<Timestamp>,
    /// How many each storm that it could be part of has; none for a person's mail. Counting may end at the limit.
    pub counts: Vec<(Storm, u32)>,
    /// Whether the message was held in a storm and its turn has come.
    pub waited: bool,
}

/// The storms that a message can be part of; `items` are those that it may become a comment on, and `verified` says whether it
/// is proven to be by its author. A person's mail is part of none. The store counts exactly these.
pub fn storms_of(
    message: &Message,
    author: Option<&str>,
    verified: bool,
    mailbox: MailboxId,
    items: impl Iterator<Item = i64>,
) -> Vec<Storm> {
    if !message.auto_submitted {
        return Vec::new();
    }
    let sender = author.map(|address| StormOf::Sender(address.to_owned()));
    let of = sender.into_iter().chain([StormOf::Mailbox(mailbox)]).chain(items.map(StormOf::Item));
    of.map(|of| Storm { of, verified }).collect()
}

impl Arrivals {
    /// The storm that a message is part of, among those that `of` accepts, with what to say of it.
    pub fn storm(&self, limits: &Limits, of: impl Fn(&StormOf) -> bool) -> Option<(&Storm, String)> {
        let at = self.at?;
        let (storm, _) = self.counts.iter().find(|(storm, count)| of(&storm.of) && *count >= storm.limit(limits))?;
        let most = storm.limit(limits);
        // A sum that cannot be expressed is no time at which anybody waits.
        let end = at.checked_add(WINDOW).unwrap_or(at);
        let until = end.strftime("%Y-%m-%d %H:%M UTC");
        let (words, name) = (storm.words(most), storm.name());
        Some((storm, format!("{words} are the limit ({name}); it ends when fewer arrive, not before {until}")))
    }
}

#[cfg(test)]
mod tests;
