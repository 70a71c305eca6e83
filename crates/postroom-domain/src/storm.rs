//! Storms: more mail in an hour than is let through at once. What is over a limit is held, and filed by itself when its turn
//! comes: then it counts as if it arrived only now, so that nothing ever gets more within an hour than its limit.
//!
//! Everything is counted by when mail arrived, never by when it was fetched, so that a backlog or a first import is no
//! storm. Only mail that a machine sends has narrow limits; a person's mail has one that no person reaches.

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
    /// Messages of any kind from one address: more than a person writes.
    pub mail_per_sender: u32,
    /// Messages of one storm that are filed by themselves when it is over. If more were held, all wait for a person.
    pub storm_resume: u32,
}

/// The names of all limits, as `setting set` takes them.
pub const LIMIT_NAMES: [&str; 5] =
    ["automatic-per-sender", "automatic-per-item", "automatic-per-mailbox", "mail-per-sender", "storm-resume"];

impl Default for Limits {
    fn default() -> Self {
        Self {
            automatic_per_sender: 50,
            automatic_per_item: 20,
            automatic_per_mailbox: 200,
            // Forms of web sites send the mail of many people from one address.
            mail_per_sender: 1_000,
            storm_resume: 100,
        }
    }
}

/// Which limit a storm is over, and of whom. `Display` and `FromStr` are the form in which the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Storm {
    /// Automatic mail from this address.
    AutomaticSender(String),
    /// Automatic comments on this item.
    AutomaticItem(i64),
    /// Automatic mail in this mailbox.
    AutomaticMailbox(MailboxId),
    /// Mail from this address.
    Sender(String),
}

impl Storm {
    /// The limit that counts for it.
    pub fn limit(&self, limits: &Limits) -> u32 {
        match self {
            Self::AutomaticSender(_) => limits.automatic_per_sender,
            Self::AutomaticItem(_) => limits.automatic_per_item,
            Self::AutomaticMailbox(_) => limits.automatic_per_mailbox,
            Self::Sender(_) => limits.mail_per_sender,
        }
    }

    /// The name of that limit, as `setting set` takes it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::AutomaticSender(_) => "automatic-per-sender",
            Self::AutomaticItem(_) => "automatic-per-item",
            Self::AutomaticMailbox(_) => "automatic-per-mailbox",
            Self::Sender(_) => "mail-per-sender",
        }
    }

    /// The storm in words, for the trace.
    fn words(&self, most: u32) -> String {
        match self {
            Self::AutomaticSender(address) => format!("{most} automatic messages from {address} within an hour"),
            Self::AutomaticItem(item) => format!("{most} automatic comments on #{item} within an hour"),
            Self::AutomaticMailbox(_) => format!("{most} automatic messages in this mailbox within an hour"),
            Self::Sender(address) => format!("{most} messages from {address} within an hour"),
        }
    }
}

impl fmt::Display for Storm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AutomaticSender(address) | Self::Sender(address) => write!(f, "{} {address}", self.name()),
            Self::AutomaticItem(item) => write!(f, "{} {item}", self.name()),
            Self::AutomaticMailbox(mailbox) => write!(f, "{} {mailbox}", self.name()),
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
        let number = || about.parse::<i64>().map_err(|_| NotAStorm);
        match name {
            "automatic-per-sender" => Ok(Self::AutomaticSender(about.to_owned())),
            "automatic-per-item" => number().map(Self::AutomaticItem),
            "automatic-per-mailbox" => number().map(|id| Self::AutomaticMailbox(MailboxId(id))),
            "mail-per-sender" => Ok(Self::Sender(about.to_owned())),
            _ => Err(NotAStorm),
        }
    }
}

/// What arrived within [`WINDOW`] before a message, that message itself not counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// When the message arrived, or its turn came after it was held. `None` where that says nothing: it is old mail of a
    /// first visit, or was imported.
    pub at: Option<Timestamp>,
    /// How many each storm that it could be part of has: automatic ones only for automatic mail. Counting may end at the
    /// limit.
    pub counts: Vec<(Storm, u32)>,
    /// Whether the message was held in a storm and its turn has come.
    pub waited: bool,
}

/// The storms that a message can be part of before it is known which item it belongs to. The store counts exactly these.
pub fn storms_of(message: &Message, author: Option<&str>, mailbox: MailboxId) -> Vec<Storm> {
    let mut storms = Vec::new();
    if message.auto_submitted {
        storms.extend(author.map(|address| Storm::AutomaticSender(address.to_owned())));
        storms.push(Storm::AutomaticMailbox(mailbox));
    }
    storms.extend(author.map(|address| Storm::Sender(address.to_owned())));
    storms
}

impl Arrivals {
    /// The storm that a message is part of, among those that `of` accepts, with what to say of it.
    pub fn storm(&self, limits: &Limits, of: impl Fn(&Storm) -> bool) -> Option<(&Storm, String)> {
        let at = self.at?;
        let (storm, _) = self.counts.iter().find(|(storm, count)| of(storm) && *count >= storm.limit(limits))?;
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
