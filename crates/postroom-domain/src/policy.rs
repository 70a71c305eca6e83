//! The rules in force for one mailbox, and the judgement whether a sender may write.

use crate::domain_pattern::PatternList;
use crate::{Mailbox, WorkspaceId};
use serde::{Deserialize, Serialize};

/// What happens to automatic mail (auto-replies, bounces, lists).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AutomaticMail {
    /// Filed like other mail, and marked.
    File,
    /// Held.
    Hold,
}

/// The global policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlobalPolicy {
    /// Whether mail is taken at all.
    pub submissions: bool,
    /// Whether people without an account may write.
    pub unknown_senders: bool,
    /// Allowed domain patterns as written; none allows every domain.
    pub allowed_domains: Vec<String>,
}

impl Default for GlobalPolicy {
    fn default() -> Self {
        Self { submissions: true, unknown_senders: false, allowed_domains: Vec::new() }
    }
}

/// The rules in force for one mailbox: its own switches over the global ones.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Both switches are on.
    pub submissions: bool,
    /// Whether people without an account may write.
    pub unknown_senders: bool,
    /// Domains that may write.
    pub allowed_domains: PatternList,
    /// Whether any number in a subject may name an item.
    pub bare_numbers: bool,
    /// What happens to automatic mail.
    pub automatic: AutomaticMail,
    /// Where new items go: the mailbox's workspace, else the default one, else nowhere.
    pub workspace: Option<WorkspaceId>,
    /// A person released this message: nothing about its sender is judged any more.
    pub released: bool,
}

impl Policy {
    /// Lays a mailbox's rules over the global ones. `workspace` is the one new items go to.
    ///
    /// # Errors
    /// When a stored pattern does not compile; a pattern is checked before it is stored, so that means damage.
    pub fn of(
        mailbox: &Mailbox,
        global: &GlobalPolicy,
        workspace: Option<WorkspaceId>,
    ) -> Result<Self, crate::domain_pattern::PatternError> {
        Ok(Self {
            submissions: mailbox.policy.takes_mail(global),
            unknown_senders: mailbox.policy.unknown_senders.or(global.unknown_senders),
            allowed_domains: PatternList::compile(&global.allowed_domains)?,
            bare_numbers: mailbox.policy.bare_numbers,
            automatic: mailbox.policy.automatic,
            workspace,
            released: false,
        })
    }
}
