//! What the store knows about a message: the rules in force, the facts that decide, and what the server is then owed.

use crate::contacts::standing_of;
use crate::mailboxes::{mailbox_by_id, mailboxes};
use crate::matching::find_items;
use crate::people::user_by_address;
use crate::registration::awaited;
use crate::reply_keys::verifying_keys;
use crate::seal::Sealer;
use crate::storms::{Arrival, arrivals};
use crate::tx::params;
use crate::workspaces::{global_policy, to_json, workspaces};
use crate::{Instead, Noun, StoreError, Tx};
use jiff::Timestamp;
use postroom_domain::delivery::{addresses_of, login_address};
use postroom_domain::{
    Clues, ContactStanding, Facts, GlobalPolicy, Identity, Mailbox, MailboxId, Policy, Reason, ReceiptId, ReplyKeys,
    Routing, RuleSet, SettlementState, User, WorkspaceId, WorkspaceKey, WorkspacePolicy,
};
use postroom_mail::{Address, Message, RemoteId, Settlement, Sha256};
use std::collections::HashMap;
use std::sync::Arc;

/// The rules in force, read once for a batch.
pub(crate) struct Rules {
    global: GlobalPolicy,
    default_workspace: Option<WorkspaceId>,
    mailboxes: HashMap<i64, (Mailbox, Policy)>,
    accounts: HashMap<String, Option<User>>,
    opener: Option<Arc<Sealer>>,
    /// Read with the first message that has a reply key: the keys, and whether others cannot be opened.
    reply_keys: Option<(Arc<ReplyKeys>, bool)>,
    now: Timestamp,
    /// What every mailbox shares of where its mail goes.
    routing: Routing,
}

impl Rules {
    /// Reads what holds for all mailboxes. `set` are the routing rules; what is in `instead` stands in for what is stored;
    /// `opener` opens the keys by which reply keys are verified.
    pub(crate) fn load(
        tx: &mut Tx<'_>,
        set: Arc<RuleSet>,
        instead: &Instead,
        opener: Option<Arc<Sealer>>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let global = instead.global.clone().map_or_else(|| global_policy(tx), Ok)?;
        let mut workspaces = workspaces(tx)?;
        for workspace in &mut workspaces {
            workspace.policy = instead.workspaces.get(&workspace.key).copied().unwrap_or(workspace.policy);
        }
        let own = mailboxes(tx)?.into_iter().flat_map(|mailbox| {
            let login = login_address(&mailbox.access);
            mailbox.policy.addresses.into_iter().map(|one| one.address).chain(login)
        });
        let mut rules = Self {
            default_workspace: workspaces.iter().find(|one| one.default).map(|one| one.id),
            mailboxes: HashMap::new(),
            accounts: HashMap::new(),
            opener,
            reply_keys: None,
            now,
            routing: Routing {
                own: Arc::new(own.chain(global.own_addresses.iter().cloned()).collect()),
                workspaces: Arc::new(workspaces.into_iter().map(|one| (one.key, (one.id, one.policy))).collect()),
                ..Routing::default()
            },
            global,
        };
        let mut assignees = HashMap::new();
        for address in set.rules().filter_map(|rule| rule.then.assignee.as_ref()) {
            if let Some(user) = rules.account(tx, address)?.filter(|user| user.active) {
                assignees.insert(address.clone(), user);
            }
        }
        rules.routing.assignees = Arc::new(assignees);
        rules.routing.rules = set;
        Ok(rules)
    }

    /// When the batch is decided.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// The key and the rules of the workspace of that number.
    pub(crate) fn workspace(&self, id: WorkspaceId) -> Result<(&WorkspaceKey, WorkspacePolicy), StoreError> {
        self.routing.workspace(id).ok_or_else(|| StoreError::bad_value(format!("workspace {id}")))
    }

    /// The keys by which reply keys are verified, and whether there are others that cannot be opened.
    pub(crate) fn reply_keys(&mut self, tx: &mut Tx<'_>) -> Result<(Arc<ReplyKeys>, bool), StoreError> {
        if let Some((keys, locked)) = &self.reply_keys {
            return Ok((Arc::clone(keys), *locked));
        }
        let (keys, locked) = verifying_keys(tx, self.opener.as_deref())?;
        let keys = Arc::new(keys);
        self.reply_keys = Some((Arc::clone(&keys), locked));
        Ok((keys, locked))
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
    fn account(&mut self, tx: &mut Tx<'_>, address: &str) -> Result<Option<User>, StoreError> {
        if let Some(known) = self.accounts.get(address) {
            return Ok(known.clone());
        }
        let account = user_by_address(tx, address)?;
        self.accounts.insert(address.to_owned(), account.clone());
        Ok(account)
    }

    /// Looks this address up again when it comes next.
    pub(crate) fn forget_account(&mut self, address: &str) {
        self.accounts.remove(address);
    }

    /// The policy that holds for a mailbox, whether it is stored or not.
    pub(crate) fn for_mailbox(&self, tx: &mut Tx<'_>, mailbox: &Mailbox) -> Result<Policy, StoreError> {
        let workspace = match &mailbox.workspace {
            Some(key) => Some(crate::workspaces::workspace_id(tx, key)?),
            None => self.default_workspace,
        };
        let policy = Policy::of(mailbox, &self.global, workspace);
        let mut policy = policy.map_err(|error| StoreError::PatternInvalid(error.to_string()))?;
        policy.routing = Routing {
            mailbox: mailbox.name.clone(),
            addresses: addresses_of(mailbox),
            plus_addresses: mailbox.policy.plus_addresses,
            // Whoever imports says where to.
            chosen: workspace.filter(|_| mailbox.is_import),
            ..self.routing.clone()
        };
        Ok(policy)
    }
}

/// What the store knows about the clues of a message in this mailbox. `this` is the receipt being decided, with the digest of its octets; what was made
/// of it before does not count.
pub(crate) fn facts(
    tx: &mut Tx<'_>,
    rules: &mut Rules,
    mailbox: Option<MailboxId>,
    this: Option<(Arrival<'_>, Option<Sha256>)>,
    clues: &Clues,
    identity: Identity,
    message: &Message,
) -> Result<Facts, StoreError> {
    let this_receipt = this.map(|(arrival, _)| arrival.receipt);
    let account = match &clues.author {
        Some(address) => rules.account(tx, address)?,
        None => None,
    };
    // Whoever has an account that is out of use is a stranger, and what he took part in is closed to him.
    let deactivated = account.as_ref().is_some_and(|user| !user.active);
    let sender = account.filter(|user| user.active);
    let mut facts = Facts { sender, deactivated, identity, ..Facts::default() };
    find_items(tx, rules, (mailbox, this_receipt), clues, &mut facts)?;
    if let Some((arrival, sha256)) = this {
        let sql = "SELECT min(id) FROM receipt WHERE sha256 = ?1 AND mailbox_id = ?2 AND id < ?3 \
                   AND coalesce(reason, '') <> 'DELETED'";
        let mut row = tx.query_one(sql, params![sha256.as_ref(), arrival.mailbox.id.0, arrival.receipt.0])?;
        facts.twin = row.opt_int(0)?.map(ReceiptId);
        let limits = &rules.global.limits;
        facts.arrivals = arrivals(tx, limits, arrival, message, clues.author.as_deref(), &facts)?;
    }
    facts.contact = match (&facts.sender, &clues.author) {
        (None, Some(address)) => standing_of(tx, address)?,
        (None, None) => blocked_author(tx, message)?,
        _ => None,
    };
    facts.registration = awaited(tx, clues.registration.as_ref(), rules.now)?;
    Ok(facts)
}

/// Whether one of several authors is a contact that may not write. Reading limits how many there can be.
fn blocked_author(tx: &mut Tx<'_>, message: &Message) -> Result<Option<ContactStanding>, StoreError> {
    for address in message.from.iter().filter_map(Address::canonical) {
        if standing_of(tx, &address)? == Some(ContactStanding::Blocked) {
            return Ok(Some(ContactStanding::Blocked));
        }
    }
    Ok(None)
}

/// Where a receipt's message is on its server, and what its mailbox wants done with it.
pub(crate) struct Remote {
    /// How the server names it.
    pub(crate) id: RemoteId,
    /// The mailbox.
    pub(crate) mailbox: i64,
    /// Whether the mailbox was removed.
    pub(crate) removed: bool,
    /// Whether the server was told already, before a person had it decided again.
    pub(crate) settled: bool,
    /// What the mailbox wants done with filed mail.
    pub(crate) filed: Settlement,
    /// And with held mail.
    pub(crate) held: Settlement,
}

/// Whether the state of a settlement, as it is stored, is that the server was told.
pub(crate) fn is_settled(settlement: Option<String>) -> bool {
    settlement.as_deref() == Some(SettlementState::Settled.as_str())
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
            settled: is_settled(row.opt_text(3)?),
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
        // What a storm holds is decided again, so nothing is moved for it.
        || matches!(reason, Reason::OctetsDamaged | Reason::Storm);
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
