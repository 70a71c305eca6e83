//! What mail leaves on items besides files: an item or a comment, links to other items, and people who are proposed.

use crate::changes::{Change, ChangeKind, record_change};
use crate::items::next_item_number;
use crate::participants::{Proposal, Why, propose};
use crate::search::Words;
use crate::tx::params;
use crate::work::change_tags;
use crate::workspaces::to_json;
use crate::{StoreError, Tx};
use jiff::Timestamp;
use postroom_domain::{Identity, Offer, Opening, ReceiptId, WorkspaceId};
use postroom_mail::{Address, Message};

/// Whom a message is from, and when it is filed.
pub(crate) struct Sender<'a> {
    /// Canonical address; empty where there is no usable one.
    pub(crate) address: &'a str,
    pub(crate) name: &'a str,
    pub(crate) identity: &'a Identity,
    pub(crate) receipt: ReceiptId,
    pub(crate) now: Timestamp,
}

/// Opens an item for a message, with what it begins with.
pub(crate) fn open_item(
    tx: &mut Tx<'_>,
    workspace: WorkspaceId,
    title: &str,
    opening: &Opening,
    message: &Message,
    sender: &Sender<'_>,
    words: &mut Words,
) -> Result<i64, StoreError> {
    let item = next_item_number(tx)?;
    // What an agent forwards is its author's, without the agent's own words.
    let forwarded = opening.credit.as_ref().map(|_| Identity::forwarded());
    let (requester, requester_name, text, html, quoted) = match &opening.credit {
        Some(credit) => (credit.author.addr_spec.as_str(), credit.author.name.as_str(), &credit.text, None, ""),
        None => (sender.address, sender.name, &message.text, message.html.as_ref(), message.quoted_text.as_str()),
    };
    tx.execute(
        "INSERT INTO item (number, receipt_id, workspace_id, title, status, requester_address, requester_name, created_at, \
         updated_at, text, html, quoted_text, identity, assignee_id) \
         VALUES (?9, ?1, ?2, ?3, ?12, ?4, ?5, ?6, ?6, ?7, ?8, ?10, ?11, ?13)",
        params![
            sender.receipt.0,
            workspace.0,
            title,
            requester,
            requester_name,
            sender.now,
            text,
            html,
            item,
            quoted,
            &to_json(forwarded.as_ref().unwrap_or(sender.identity))?,
            opening.given.status.as_deref().unwrap_or("open"),
            opening.given.assignee.map(|id| id.0)
        ],
    )?;
    add_participant(tx, item, requester, requester_name, "requester")?;
    words.of_item(item, title, text);
    let opened = Change::new(item, ChangeKind::Opened, sender.address, sender.now);
    record_change(tx, &Change { receipt: Some(sender.receipt), ..opened })?;
    let tags = &opening.given.tags;
    change_tags(tx, item, tags, "INSERT INTO tag (item_number, name) VALUES (?1, ?2)")?;
    begin(tx, item, opening, sender)?;
    Ok(item)
}

/// Adds a message to an item as a comment; its sender takes part from then on.
pub(crate) fn add_comment(
    tx: &mut Tx<'_>,
    item: i64,
    message: &Message,
    sender: &Sender<'_>,
    words: &mut Words,
) -> Result<i64, StoreError> {
    let mut row = tx.query_one(
        "INSERT INTO comment (receipt_id, item_number, author_address, author_name, created_at, text, html, quoted_text, \
         identity) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING id",
        params![
            sender.receipt.0,
            item,
            sender.address,
            sender.name,
            sender.now,
            &message.text,
            message.html.as_ref(),
            &message.quoted_text,
            &to_json(sender.identity)?
        ],
    )?;
    let comment = row.int(0)?;
    tx.execute("UPDATE item SET updated_at = ?2 WHERE number = ?1", params![item, sender.now])?;
    add_participant(tx, item, sender.address, sender.name, "author")?;
    words.of_comment(comment, &message.text);
    let commented = Change::new(item, ChangeKind::Commented, sender.address, sender.now);
    record_change(tx, &Change { comment: Some(comment), receipt: Some(sender.receipt), ..commented })?;
    Ok(comment)
}

pub(crate) fn add_participant(
    tx: &mut Tx<'_>,
    item: i64,
    address: &str,
    name: &str,
    role: &str,
) -> Result<(), StoreError> {
    if address.is_empty() {
        return Ok(());
    }
    tx.execute(
        "INSERT INTO participant (item_number, address, name, role) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (item_number, address) DO NOTHING",
        params![item, address, name, role],
    )
    .map(drop)
}

/// Writes what a new item begins with besides its text.
fn begin(tx: &mut Tx<'_>, item: i64, opening: &Opening, sender: &Sender<'_>) -> Result<(), StoreError> {
    for target in &opening.mentions {
        link(tx, item, "mentions", *target)?;
    }
    if let Some(target) = opening.continues {
        link(tx, item, "continues", target)?;
    }
    propose_recipients(tx, item, &opening.proposed, sender)?;
    opening.offers.iter().try_for_each(|offer| propose_holder(tx, item, offer, sender))
}

/// Proposes the other recipients of a requester's mail.
pub(crate) fn propose_recipients(
    tx: &mut Tx<'_>,
    item: i64,
    people: &[Address],
    sender: &Sender<'_>,
) -> Result<(), StoreError> {
    let mut any = false;
    for person in people {
        let (address, name) = (person.addr_spec.clone(), person.name.clone());
        let proposal = Proposal { address, name, why: Why::Recipient, key_of: None, from_item: None };
        any |= propose(tx, item, &proposal, sender.now)?;
    }
    if any { record(tx, item, None, sender) } else { Ok(()) }
}

/// Proposes the sender on the item whose reply key he has, which was given to somebody else.
fn propose_holder(tx: &mut Tx<'_>, opened: i64, offer: &Offer, sender: &Sender<'_>) -> Result<(), StoreError> {
    let proposal = Proposal {
        address: sender.address.to_owned(),
        name: sender.name.to_owned(),
        why: Why::ReplyKey,
        key_of: offer.given_to.clone(),
        from_item: Some(opened),
    };
    if propose(tx, offer.item, &proposal, sender.now)? { record(tx, offer.item, Some(opened), sender) } else { Ok(()) }
}

fn record(tx: &mut Tx<'_>, item: i64, other: Option<i64>, sender: &Sender<'_>) -> Result<(), StoreError> {
    let change = Change::new(item, ChangeKind::Proposed, sender.address, sender.now);
    record_change(tx, &Change { other, receipt: Some(sender.receipt), ..change })
}

fn link(tx: &mut Tx<'_>, item: i64, kind: &str, target: i64) -> Result<(), StoreError> {
    let sql = "INSERT INTO item_link (item_number, kind, target) VALUES (?1, ?2, ?3) \
               ON CONFLICT (item_number, kind, target) DO NOTHING";
    tx.execute(sql, params![item, kind, target]).map(drop)
}

/// The items to which an item has links of this kind, the smallest number first.
pub(crate) fn linked(tx: &mut Tx<'_>, item: i64, kind: &str) -> Result<Vec<i64>, StoreError> {
    let sql = "SELECT target FROM item_link WHERE item_number = ?1 AND kind = ?2 ORDER BY target";
    tx.query(sql, params![item, kind])?.into_iter().map(|mut row| row.int(0)).collect()
}
