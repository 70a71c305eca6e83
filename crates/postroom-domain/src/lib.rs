//! The rules of the house: what a message becomes.
//!
//! Purpose: give [`decide`] a message, the [`Facts`] the store knows and a [`Policy`]; it returns a [`Filing`] with the
//! trace that led to it. The nouns of the product ([`Item`], [`Receipt`], [`Mailbox`], …) live here too.
//! May touch: the values passed in, the time included. Must not: I/O, async, SQL, HTTP, the clock.
//! Standards: RFC 2104 (HMAC), RFC 5322 §3.6.2 (authors), RFC 3834 (automatic mail), RFC 5891 (domain names), RFC 8601 and 9989
//! (authentication).
//! Read in this order: `mailbox`, `user`, `contact`, `item`, `receipt`, `access`, `registration`, `policy`,
//! `domain_pattern`, `domain_list`, `admission`, `identity`, `reply_key`, `matching`, `closed`, `credit`, `participant`,
//! `filing`, `delivery`, `routing`, `place`, `storm`, `answer`, `held`, `as_if`.

pub mod access;
pub mod admission;
pub mod answer;
pub mod as_if;
pub mod closed;
pub mod connection;
pub mod contact;
pub mod credit;
pub mod delivery;
pub mod domain_list;
pub mod domain_pattern;
pub mod filing;
pub mod held;
pub mod identity;
pub mod item;
pub mod mailbox;
pub mod matching;
mod participant;
pub mod place;
pub mod policy;
pub mod receipt;
pub mod registration;
pub mod reply_key;
pub mod routing;
pub mod storm;
pub mod user;
pub mod workspace;

pub use access::{Action, Actor, Object, authorize};
pub use admission::{AddressRules, Admission};
pub use closed::{Closed, ClosedItems};
pub use contact::ContactStanding;
pub use credit::Credit;
pub use delivery::{MailboxAddress, OwnAddresses};
pub use filing::{Filing, Reason, TraceStep, decide};
pub use held::Cause;
pub use identity::{AuthenticationPolicy, Checks, Evidence, Identity, Level};
pub use item::{Attachment, Comment, Item, ItemSummary, Party};
pub use mailbox::{Mailbox, MailboxId, MailboxPolicy, StartFrom, Switch};
pub use matching::{Clues, Facts, GivenTo, ItemFacts, NumberClue, Offer, ProvenKey};
pub use place::{Given, GivenThen, Opening, Routing};
pub use policy::{AutomaticMail, DomainPolicy, GlobalPolicy, MetricsAccess, Policy, Unverified};
pub use receipt::{Receipt, ReceiptId, ReceiptState, SettlementState};
pub use registration::{RegistrationId, RegistrationMode};
pub use reply_key::{KeyClaim, ReplyKeys};
pub use routing::{Rule, RuleEdit, RuleError, RuleSet};
pub use storm::{Arrivals, Limits, Storm, StormOf};
pub use user::{Membership, Role, User, UserId};
pub use workspace::{Workspace, WorkspaceId, WorkspaceKey, WorkspacePolicy};

/// Declares an identifier type: a number that only the store makes and that cannot be mixed up with another kind.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}
pub(crate) use id;
