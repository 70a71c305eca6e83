//! The rules in force for one mailbox, and the judgement whether a sender may write.

use crate::admission::{AddressRules, UnusableRule};
use crate::domain_pattern::Syntax;
use crate::identity::AuthenticationPolicy;
use crate::{Limits, Mailbox, RegistrationMode, Routing, WorkspaceId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What happens to automatic mail (auto-replies, bounces, lists).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AutomaticMail {
    /// Filed like other mail, and marked.
    File,
    /// Held.
    Hold,
}

/// Which domains may write, as written. Without pattern and name, every domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DomainPolicy {
    /// Patterns over addresses.
    pub allowed_domains: Vec<String>,
    /// How the patterns are read; `None` to find it out.
    pub allowed_domains_syntax: Option<Syntax>,
    /// Names such as `bosch.com` and `*.bosch.com`.
    pub domains: Vec<String>,
}

/// The global policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GlobalPolicy {
    /// Whether mail is taken at all.
    pub submissions: bool,
    /// Whether people without an account may write.
    pub unknown_senders: bool,
    /// The domains that may write and register.
    #[serde(flatten)]
    pub allowed: DomainPolicy,
    /// Addresses and domains that may not write or register, whoever they are.
    pub blocked: Vec<String>,
    /// How it is found out whether a sender is who he says he is.
    pub authentication: AuthenticationPolicy,
    /// Who may register.
    pub registration: RegistrationMode,
    /// Who may read the metrics.
    pub metrics: MetricsAccess,
    /// How much mail may arrive within an hour.
    pub limits: Limits,
    /// Canonical addresses from which we write ourselves, besides those of the mailboxes.
    pub own_addresses: Vec<String>,
}

/// Who may read the metrics of the web page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MetricsAccess {
    /// Nobody: there is no such page.
    #[default]
    Off,
    /// Programs of this machine that ask the page itself rather than a proxy in front of it.
    Loopback,
    /// Whoever has the token.
    Token,
}

impl MetricsAccess {
    /// The name in settings and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Loopback => "loopback",
            Self::Token => "token",
        }
    }
}

impl Default for GlobalPolicy {
    fn default() -> Self {
        Self {
            submissions: true,
            unknown_senders: false,
            allowed: DomainPolicy::default(),
            blocked: Vec::new(),
            authentication: AuthenticationPolicy::default(),
            registration: RegistrationMode::Closed,
            metrics: MetricsAccess::Off,
            limits: Limits::default(),
            own_addresses: Vec::new(),
        }
    }
}

/// What a known sender may do of whom nothing proves that he wrote the message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unverified {
    /// Comment, marked as unverified, and open items; nothing that changes the state of an item.
    #[default]
    Comment,
    /// Nothing: the message is held.
    Hold,
    /// Open items, but not comment.
    OpenOnly,
}

/// The rules in force for one mailbox: its own switches over the global ones.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Both switches are on.
    pub submissions: bool,
    /// Whether people without an account may write.
    pub unknown_senders: bool,
    /// Addresses and domains that may write. Shared, since lists can be long and a policy is copied for each message.
    pub addresses: Arc<AddressRules>,
    /// Whether any number in a subject may name an item.
    pub bare_numbers: bool,
    /// What happens to automatic mail.
    pub automatic: AutomaticMail,
    /// Where new items go: the mailbox's workspace, else the default one, else nowhere.
    pub workspace: Option<WorkspaceId>,
    /// By which rules and addresses its new items are placed.
    pub routing: Routing,
    /// How much mail may arrive within an hour.
    pub limits: Limits,
    /// A person released this message: nothing about its sender is judged any more, in the workspace that was chosen, if one was.
    pub released: bool,
}

impl Policy {
    /// Lays a mailbox's rules over the global ones. `workspace` is the one new items go to.
    ///
    /// # Errors
    /// When a stored rule cannot be used; a rule is checked before it is stored, so that means damage.
    pub fn of(mailbox: &Mailbox, global: &GlobalPolicy, workspace: Option<WorkspaceId>) -> Result<Self, UnusableRule> {
        Ok(Self {
            submissions: mailbox.policy.takes_mail(global),
            unknown_senders: mailbox.policy.unknown_senders.or(global.unknown_senders),
            addresses: Arc::new(AddressRules::of_mailbox(global, &mailbox.policy.allowed)?),
            bare_numbers: mailbox.policy.bare_numbers,
            automatic: mailbox.policy.automatic,
            workspace,
            routing: Routing::default(),
            limits: global.limits,
            released: false,
        })
    }

    /// Whether the message may have an effect in this workspace, whatever else stands in the way. Whoever releases it into one
    /// workspace has said nothing about the others, where he may have no right to.
    pub(crate) fn reaches(&self, workspace: WorkspaceId) -> bool {
        !self.released || self.routing.chosen.is_none_or(|chosen| chosen == workspace)
    }
}
