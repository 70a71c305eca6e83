//! What the store knows about a message: the rules in force, the facts that decide, and what the server is then owed.

use crate::contacts::standing_of;
use crate::mailboxes::mailbox_by_id;
use crate::people::user_by_address;
use crate::registration::awaited;
use crate::tx::params;
use crate::workspaces::{global_policy, to_json};
use crate::{Noun, StoreError, Tx};
use jiff::Timestamp;
use postroom_domain::{
    Clues, Facts, GlobalPolicy, Identity, ItemFacts, Mailbox, MailboxId, Policy, Reason, ReceiptId, SettlementState,
    User, WorkspaceId, WorkspacePolicy,
};
use postroom_mail::{RemoteId, Settlement, Sha256};
use std::collections::HashMap;

/// The rules in force, read once for a batch.
pub(crate) struct Rules {
    global: GlobalPolicy,
    default_workspace: Option<(WorkspaceId, WorkspacePolicy)>,
    mailboxes: HashMap<i64, (Mailbox, Policy)>,
    senders: HashMap<String, Option<User>>,
    now: Timestamp,
}

impl Rules {
    /// Reads the global policy and the default workspace.
    pub(crate) fn load(tx: &mut Tx<'_>, now: Timestamp) -> Result<Self, StoreError> {
        let default = tx.query_opt("SELECT id, policy FROM workspace WHERE is_default", &[])?;
        Ok(Self {
            global: global_policy(tx)?,
            default_workspace: default
                .map(|mut row| Ok::<_, StoreError>((WorkspaceId(row.int(0)?), row.json(1)?)))
                .transpose()?,
            mailboxes: HashMap::new(),
            senders: HashMap::new(),
            now,
        })
    }

    /// A mailbox with the policy that holds for it.
    pub(crate) fn of_mailbox(&mut self, tx: &mut Tx<'_>, id: MailboxId) -> Result<&(Mailbox, Policy), StoreError> {
        if !self.mailboxes.contains_key(&id.0) {
            let mailbox = mailbox_by_id(tx, id)?;
            let policy = self.for_mailbox(tx, &mailbox)?;
            self.mailboxes.insert(id.0, (mailbox, policy));
        }
        self.mailboxes.get(&id.0).ok_or_else(|| StoreError::unknown(Noun::Mailbox, id))
    }

    /// The user with this canonical address, active or not; people write more than one message of a batch.
    fn sender(&mut self, tx: &mut Tx<'_>, address: &str) -> Result<Option<User>, StoreError> {
        if let Some(known) = self.senders.get(address) {
            return Ok(known.clone());
        }
        let sender = user_by_address(tx, address)?;
        self.senders.insert(address.to_owned(), sender.clone());
        Ok(sender)
    }

    /// Looks this address up again when it comes next.
    pub(crate) fn forget_sender(&mut self, address: &str) {
        self.senders.remove(address);
    }

    /// The policy that holds for a mailbox, whether it is stored or not.
    pub(crate) fn for_mailbox(&self, tx: &mut Tx<'_>, mailbox: &Mailbox) -> Result<Policy, StoreError> {
        let workspace = match &mailbox.workspace {
            Some(key) => Some(crate::workspaces::workspace_rules(tx, key)?),
            None => self.default_workspace,
        };
        Policy::of(mailbox, &self.global, workspace).map_err(|error| StoreError::PatternInvalid(error.to_string()))
    }
}

/// What the store knows about the clues. `this` is the receipt being decided, with the digest of its octets.
pub(crate) fn facts(
    tx: &mut Tx<'_>,
    rules: &mut Rules,
    mailbox: Option<MailboxId>,
    this: Option<(ReceiptId, Sha256)>,
    clues: &Clues,
    identity: Identity,
) -> Result<Facts, StoreError> {
    let sender = match &clues.author {
        Some(address) => rules.sender(tx, address)?,
        None => None,
    };
    // Whoever has an account that is out of use is a stranger, and what he took part in is closed to him.
    let may_take_part = sender.as_ref().is_none_or(|user| user.active);
    let sender = sender.filter(|user| user.active);
    let mut addresses: Vec<&str> = clues.author.as_deref().into_iter().collect();
    if let Some(user) = &sender {
        addresses.push(&user.address);
        addresses.extend(user.aliases.iter().map(String::as_str));
    }
    let mut items = Vec::new();
    for clue in &clues.numbers {
        let sql = "SELECT w.key, w.policy FROM item i JOIN workspace w ON w.id = i.workspace_id WHERE i.number = ?1";
        let Some(mut row) = tx.query_opt(sql, params![clue.number])? else { continue };
        let mut participant = false;
        for address in addresses.iter().filter(|_| may_take_part) {
            let sql = "SELECT 1 FROM participant WHERE item_number = ?1 AND address = ?2";
            participant = participant || tx.query_opt(sql, params![clue.number, *address])?.is_some();
        }
        items.push(ItemFacts { number: clue.number, workspace: row.parse(0)?, policy: row.json(1)?, participant });
    }
    let twin = match (mailbox, this) {
        (Some(mailbox), Some((id, sha256))) => {
            let sql = "SELECT min(id) FROM receipt WHERE sha256 = ?1 AND mailbox_id = ?2 AND id < ?3 \
                       AND coalesce(reason, '') <> 'DELETED'";
            tx.query_one(sql, params![&sha256, mailbox.0, id.0])?.opt_int(0)?.map(ReceiptId)
        }
        _ => None,
    };
    let contact = match (&sender, &clues.author) {
        (None, Some(address)) => standing_of(tx, address)?,
        _ => None,
    };
    let registration = awaited(tx, clues.registration.as_ref(), rules.now)?;
    Ok(Facts { sender, contact, items, identity, twin, registration })
}

/// Where a receipt's message is on its server, and what its mailbox wants done with it.
pub(crate) struct Remote {
    /// How the server names it.
    id: RemoteId,
    /// The mailbox.
    mailbox: i64,
    removed: bool,
    /// Whether the server was told already, before a person had it decided again.
    settled: bool,
    filed: Settlement,
    held: Settlement,
}

impl Remote {
    pub(crate) fn of_receipt(tx: &mut Tx<'_>, id: ReceiptId) -> Result<Self, StoreError> {
        let row = tx.query_opt(
            "SELECT r.remote_id, r.mailbox_id, m.removed_at, r.settlement, m.policy FROM receipt r \
             JOIN mailbox m ON m.id = r.mailbox_id WHERE r.id = ?1",
            params![id.0],
        )?;
        let mut row = row.ok_or_else(|| StoreError::unknown(Noun::Receipt, id))?;
        let policy: postroom_domain::MailboxPolicy = row.json(4)?;
        Ok(Self {
            id: row.parse(0)?,
            mailbox: row.int(1)?,
            removed: row.opt_int(2)?.is_some(),
            settled: row.opt_text(3)?.as_deref() == Some(SettlementState::Settled.as_str()),
            filed: policy.filed,
            held: policy.held,
        })
    }
}

/// What the server is owed for a receipt.
pub(crate) struct Due {
    /// Owed, settled or kept.
    pub(crate) state: SettlementState,
    /// What is to be done, as JSON, if anything.
    pub(crate) how: Option<String>,
}

/// What the server is owed once a message is filed, or held for `reason`.
///
/// Nothing is owed where the message is not on a server, where its mailbox was removed, and where its UID is of an older
/// UIDVALIDITY: that UID may be another message now. Held mail is never deleted.
pub(crate) fn settlement_of(tx: &mut Tx<'_>, remote: &Remote, filed: bool, reason: Reason) -> Result<Due, StoreError> {
    if remote.settled {
        return Ok(Due { state: SettlementState::Settled, how: None });
    }
    let how = if filed { &remote.filed } else { &remote.held };
    let never = remote.removed
        || *how == Settlement::Keep
        || (!filed && *how == Settlement::Delete)
        || reason == Reason::OctetsDamaged;
    if never || !is_there(tx, remote)? {
        return Ok(Due { state: SettlementState::Kept, how: None });
    }
    Ok(Due { state: SettlementState::Owed, how: Some(to_json(how)?) })
}

fn is_there(tx: &mut Tx<'_>, remote: &Remote) -> Result<bool, StoreError> {
    match &remote.id {
        RemoteId::Push { .. } | RemoteId::Gone { .. } => Ok(false),
        RemoteId::Maildir { .. } | RemoteId::Pop3 { .. } | RemoteId::Pop3Digest { .. } => Ok(true),
        RemoteId::Imap { folder, uid_validity, .. } => {
            let sql = "SELECT 1 FROM epoch WHERE mailbox_id = ?1 AND folder = ?2 AND uid_validity = ?3 AND is_current";
            Ok(tx.query_opt(sql, params![remote.mailbox, folder, i64::from(*uid_validity)])?.is_some())
        }
    }
}
