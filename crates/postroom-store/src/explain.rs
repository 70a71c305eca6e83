//! What would become of a message: decided like any other, and nothing written.

use crate::facts::{Rules, facts};
use crate::mailboxes::{mailbox_by_id, mailbox_by_name};
use crate::rules::tried;
use crate::storms::Arrival;
use crate::tx::params;
use crate::{Noun, Store, StoreError, Tx};
use jiff::Timestamp;
use postroom_domain::filing::Effect;
use postroom_domain::{
    Clues, Filing, GlobalPolicy, Identity, Mailbox, MailboxId, MailboxPolicy, ReceiptId, Rule, StartFrom, WorkspaceId,
    WorkspaceKey, WorkspacePolicy, decide,
};
use postroom_mail::{Access, Message, Sha256};
use std::collections::HashMap;
use std::sync::Arc;

/// What is asked about a message.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// The mailbox in which it comes. Without one, or a receipt, a global inbox with the rules that every mailbox has at
    /// first.
    pub mailbox: Option<String>,
    /// The receipt that it has: it comes in its mailbox, arrived when it did, and what it became does not count.
    pub receipt: Option<ReceiptId>,
    /// How sure it is who wrote it. Without it, what was found out when the receipt was decided.
    pub identity: Option<Identity>,
    /// Settings in place of those that are stored.
    pub instead: Instead,
}

/// Settings in place of those that are stored; `None` leaves what is stored.
#[derive(Debug, Clone, Default)]
pub struct Instead {
    /// The global policy.
    pub global: Option<GlobalPolicy>,
    /// The rules of the mailbox.
    pub mailbox: Option<MailboxPolicy>,
    /// The rules of these workspaces.
    pub workspaces: HashMap<WorkspaceKey, WorkspacePolicy>,
    /// The routing rules.
    pub rules: Option<Vec<Rule>>,
}

/// What would become of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The decision.
    pub filing: Filing,
    /// The item it would be a comment on.
    pub item: Option<i64>,
    /// The workspace of that item, or of the item it would open.
    pub workspace: Option<WorkspaceKey>,
    /// Main address of the user who would get the item.
    pub assignee: Option<String>,
}

impl Store {
    /// What would become of a message. Nothing is written.
    ///
    /// # Errors
    /// `MAILBOX_UNKNOWN`, `RECEIPT_UNKNOWN`; for settings that could not be saved `RULE_INVALID` or
    /// `PATTERN_INVALID`, and `WORKSPACE_UNKNOWN`, `USER_UNKNOWN` or `MAILBOX_UNKNOWN` for rules that name what is not there.
    pub async fn explain(
        &self,
        question: Question,
        message: &Message,
        now: Timestamp,
    ) -> Result<Explanation, StoreError> {
        let (message, cache, opener) = (message.clone(), self.inner.rules.clone(), self.opener());
        self.read(move |tx| {
            let set = match &question.instead.rules {
                Some(rules) => Arc::new(tried(tx, rules)?),
                None => cache.get(tx)?,
            };
            let rules = Rules::load(tx, set, &question.instead, opener.clone(), now)?;
            explain(tx, rules, &question, &message)
        })
        .await
    }

    /// The mailbox of a receipt, also when it was removed.
    ///
    /// # Errors
    /// `RECEIPT_UNKNOWN`.
    pub async fn mailbox_of(&self, receipt: ReceiptId) -> Result<Mailbox, StoreError> {
        self.read(move |tx| {
            let known = Known::of(tx, receipt)?;
            mailbox_by_id(tx, known.mailbox)
        })
        .await
    }
}

/// What a receipt says of its message.
struct Known {
    mailbox: MailboxId,
    sha256: Option<Sha256>,
    received_at: Timestamp,
    released: bool,
    chosen: Option<WorkspaceId>,
    counted_at: Option<Timestamp>,
    identity: Option<Identity>,
}

impl Known {
    fn of(tx: &mut Tx<'_>, id: ReceiptId) -> Result<Self, StoreError> {
        let sql = "SELECT mailbox_id, sha256, received_at, released, release_workspace_id, \
                   counted_at, identity FROM receipt WHERE id = ?1";
        let row = tx.query_opt(sql, params![id.0])?;
        let mut row = row.ok_or_else(|| StoreError::unknown(Noun::Receipt, id))?;
        Ok(Self {
            mailbox: MailboxId(row.int(0)?),
            sha256: row.opt_sha256(1)?,
            received_at: row.time(2)?,
            released: row.bool(3)?,
            chosen: row.opt_int(4)?.map(WorkspaceId),
            counted_at: row.opt_time(5)?,
            identity: row.opt_json(6)?,
        })
    }
}

fn explain(
    tx: &mut Tx<'_>,
    mut rules: Rules,
    question: &Question,
    message: &Message,
) -> Result<Explanation, StoreError> {
    let known = question.receipt.map(|id| Known::of(tx, id)).transpose()?;
    let mut mailbox = match (&known, &question.mailbox) {
        (Some(known), _) => mailbox_by_id(tx, known.mailbox)?,
        (None, Some(name)) => mailbox_by_name(tx, name)?,
        (None, None) => unnamed_mailbox(),
    };
    mailbox.policy = question.instead.mailbox.clone().unwrap_or(mailbox.policy);
    let mut policy = rules.for_mailbox(tx, &mailbox)?;
    if let Some(known) = &known {
        policy.released = known.released;
        policy.routing.chosen = known.chosen.or(policy.routing.chosen);
    }
    let clues = Clues::of(message, policy.bare_numbers);
    let found = known.as_ref().and_then(|known| known.identity.clone());
    let identity = question.identity.clone().or(found).unwrap_or_default();
    let this = question.receipt.zip(known).map(|(receipt, known)| {
        let Known { received_at, counted_at, .. } = known;
        (Arrival { receipt, mailbox: &mailbox, received_at, counted_at }, known.sha256)
    });
    // One that is not stored has no number.
    let at = Some(mailbox.id).filter(|id| id.0 > 0);
    let facts = facts(tx, &mut rules, at, this, &clues, identity, message)?;
    let filing = decide(message, &clues, &facts, &policy);
    let key_of = |id| policy.routing.workspace(id).map(|(key, _)| key.clone());
    let (item, workspace) = match &filing.effect {
        Effect::AddComment { item, .. } => {
            let found = facts.items.iter().find(|facts| facts.number == *item);
            (Some(*item), found.map(|facts| facts.workspace.clone()))
        }
        Effect::OpenItem { workspace, .. } => (None, key_of(*workspace)),
        // Where a new item would go if it were let in.
        Effect::Prove { .. } => (None, None),
        Effect::Hold => (None, policy.workspace.and_then(key_of)),
    };
    let assignee = match &filing.effect {
        Effect::OpenItem { opening, .. } => opening.given.assignee,
        _ => None,
    };
    let assignee = policy.routing.assignees.values().find(|user| Some(user.id) == assignee);
    let assignee = assignee.map(|user| user.address.clone());
    Ok(Explanation { filing, item, workspace, assignee })
}

/// A global inbox with the rules that every mailbox has at first.
fn unnamed_mailbox() -> Mailbox {
    Mailbox {
        id: MailboxId(0),
        name: String::new(),
        access: Access::Push,
        workspace: None,
        policy: MailboxPolicy::default(),
        start: StartFrom::All,
        every_s: 60,
        paused: false,
        first_visit_at: None,
        is_import: false,
        revision: 0,
        asks: false,
        accepts_new: false,
        wire_log: false,
    }
}
