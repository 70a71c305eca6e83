//! Receipts: the durable record that a message is ours, and how far it has come.

use crate::{Cause, Identity, Reason, TraceStep, User};
use jiff::Timestamp;
use postroom_mail::{RemoteId, Sha256};
use serde::{Serialize, Serializer};

crate::id!(
    /// A receipt in the store.
    ReceiptId
);

/// A receipt as the journal shows it. The field names are those of the JSON that scripts rely on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Receipt {
    /// Its number.
    pub id: ReceiptId,
    /// Name of the mailbox it came from.
    pub mailbox: String,
    /// How the server names the message.
    #[serde(serialize_with = "as_text")]
    #[schema(value_type = String)]
    pub remote_id: RemoteId,
    /// How far it has come.
    pub state: ReceiptState,
    /// What is owed to the server; `None` before filing.
    pub settlement: Option<SettlementState>,
    /// Why it is where it is; `None` before the decision.
    #[schema(value_type = Option<String>)]
    pub reason: Option<Reason>,
    /// Item that it opened or that its comment is on.
    pub item: Option<i64>,
    /// Comment that it became.
    pub comment: Option<i64>,
    /// Octets; for a message over the size limit what the server announced.
    pub size: u64,
    /// Digest of the octets; `None` when they are not here.
    #[schema(value_type = Option<String>)]
    pub sha256: Option<Sha256>,
    /// Message-ID, without angle brackets.
    pub message_id: Option<String>,
    /// Canonical address of the author, or what stood there.
    pub from: Option<String>,
    /// How sure it is that the author wrote it; `None` before the decision.
    pub identity: Option<Identity>,
    /// Subject.
    pub subject: Option<String>,
    /// When the server received it, else when we did.
    pub received_at: Timestamp,
    /// When it was filed, held or deleted.
    pub decided_at: Option<Timestamp>,
    /// Tries to file it that the database refused.
    pub attempts: u32,
    /// The steps that led to the decision.
    pub trace: Vec<TraceStep>,
    /// When it is looked next whether it can be filed by itself although a storm held it; `None` where it never is.
    pub resumes_at: Option<Timestamp>,
}

/// The steps of a trace as a user may see them. Which other items a message named, who takes part in them, and which of its
/// numbers are none, is for admins: who works in one workspace does not learn so what there is in another.
pub fn steps_for(user: &User, trace: Vec<TraceStep>) -> Vec<TraceStep> {
    const OF_OTHERS: [&str; 5] = ["mention", "no such item", "no-reply", "conflict", "proposed"];
    let is_of_others = |step: &TraceStep| OF_OTHERS.contains(&step.outcome.as_str());
    trace.into_iter().filter(|step| user.admin || !is_of_others(step)).collect()
}

impl Receipt {
    /// The receipt as a user may see it: see [`steps_for`].
    pub fn for_user(self, user: &User) -> Self {
        Self { trace: steps_for(user, self.trace), ..self }
    }

    /// Whether it was deleted: its octets are gone, and nothing more can be done with it.
    pub fn is_deleted(&self) -> bool {
        self.reason == Some(Reason::Deleted)
    }

    /// Whether it waits for a person.
    pub fn waits_for_a_person(&self) -> bool {
        self.state == ReceiptState::Held && self.reason.is_none_or(|reason| reason.cause() != Cause::Done)
    }

    /// What a person can do about it, as commands; empty if nobody waits for anything.
    pub fn advice(&self) -> String {
        let reason = self.reason.filter(|_| self.state == ReceiptState::Held);
        reason.map_or("", Reason::advice).replace(" ID", &format!(" {}", self.id))
    }

    /// Whether its octets are here, as far as is known.
    pub fn has_octets(&self) -> bool {
        self.sha256.is_some() && !self.is_deleted()
    }
}

fn as_text<S: Serializer>(id: &RemoteId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

/// How far a receipt has come: `Accepted → Filed | Held`, `Accepted ⇄ Deferred`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReceiptState {
    /// The octets are durable; nothing was decided yet.
    Accepted,
    /// An operating error stood in the way; tried again later.
    Deferred,
    /// It is an item or a comment.
    Filed,
    /// It is neither, for a reason that a person can read.
    Held,
}

impl ReceiptState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Accepted, Self::Deferred, Self::Filed, Self::Held];

    /// The name in JSON, on the command line and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Deferred => "deferred",
            Self::Filed => "filed",
            Self::Held => "held",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// Whether the server still has to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SettlementState {
    /// We owe the server a change.
    Owed,
    /// The server confirmed it, or the message was gone.
    Settled,
    /// Nothing is to be done: the message stays as it is.
    Kept,
}

impl SettlementState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Owed, Self::Settled, Self::Kept];

    /// The name in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owed => "owed",
            Self::Settled => "settled",
            Self::Kept => "kept",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UserId;

    #[test]
    fn what_a_message_named_elsewhere_is_for_admins() {
        for (admin, expected) in [
            (true, &["mention", "no such item", "no-reply", "conflict", "proposed", "comment", "opened"][..]),
            (false, &["comment", "opened"]),
        ] {
            let user = User {
                id: UserId(1),
                address: "ann@example.org".to_owned(),
                name: String::new(),
                admin,
                active: true,
                aliases: Vec::new(),
                memberships: Vec::new(),
            };
            let all = ["mention", "no such item", "no-reply", "conflict", "proposed", "comment", "opened"];
            let trace = all.map(|outcome| TraceStep::new("x", outcome, "#2")).to_vec();
            let shown: Vec<String> = steps_for(&user, trace).into_iter().map(|step| step.outcome).collect();
            assert_eq!(shown, expected, "admin: {admin}");
        }
    }
}
