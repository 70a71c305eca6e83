//! Mailboxes: configured inboxes, the workspace each feeds, and its policy.

use crate::{AutomaticMail, WorkspaceKey};
use jiff::Timestamp;
use postroom_mail::{Access, Settlement};
use serde::{Deserialize, Serialize};

crate::id!(
    /// A mailbox in the store.
    MailboxId
);

/// One configured inbox. Its password is not here: the store gives it only to the collector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// Number in the store.
    pub id: MailboxId,
    /// Unique name.
    pub name: String,
    /// How it is reached.
    pub access: Access,
    /// The workspace it feeds; `None` for a global inbox, which feeds the default workspace.
    pub workspace: Option<WorkspaceKey>,
    /// Its rules.
    pub policy: MailboxPolicy,
    /// What to do with mail that was there before the first visit.
    pub start: StartFrom,
    /// Seconds between two visits, 1 to 86,400.
    pub every_s: u32,
    /// Whether visits are suspended by a person.
    pub paused: bool,
    /// When it was first visited; mail that arrived before is old mail.
    pub first_visit_at: Option<Timestamp>,
    /// Whether TLS was ever seen on it, so that `starttls-if-available` must not fall back any more.
    pub tls_seen: bool,
}

/// The rules of one mailbox. What is `Inherit` or `None` follows the global policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxPolicy {
    /// Whether mail is taken from it at all.
    pub submissions: Switch,
    /// Whether people without an account may write.
    pub unknown_senders: Switch,
    /// Whether any number in a subject may name an item, not only a marked one.
    pub bare_numbers: bool,
    /// What happens to automatic mail.
    pub automatic: AutomaticMail,
    /// What to do on the server with filed mail.
    pub filed: Settlement,
    /// What to do on the server with held mail; never a deletion.
    pub held: Settlement,
}

impl Default for MailboxPolicy {
    fn default() -> Self {
        Self {
            submissions: Switch::Inherit,
            unknown_senders: Switch::Inherit,
            bare_numbers: true,
            automatic: AutomaticMail::File,
            filed: Settlement::Keep,
            held: Settlement::Keep,
        }
    }
}

/// A switch of a mailbox: its own value or the global one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// On.
    Yes,
    /// Off.
    No,
    /// As set globally.
    Inherit,
}

impl Switch {
    /// The value in force, given the global one.
    pub fn or(self, global: bool) -> bool {
        match self {
            Self::Yes => true,
            Self::No => false,
            Self::Inherit => global,
        }
    }
}

/// What to do with mail that was in the mailbox before the first visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "from", content = "at")]
pub enum StartFrom {
    /// Leave it; take only what arrives later.
    New,
    /// Take what arrived at or after this instant.
    Since(Timestamp),
    /// Take everything.
    All,
}
