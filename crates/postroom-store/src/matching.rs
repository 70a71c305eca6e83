//! What the store knows about the items that a message may belong to.

use crate::facts::Rules;
use crate::tx::{Param, params};
use crate::{StoreError, Tx};
use jiff::{SignedDuration, Timestamp};
use postroom_domain::closed::Closed;
use postroom_domain::{
    Actor, ClosedItems, Clues, Facts, GivenTo, ItemFacts, KeyClaim, MailboxId, ProvenKey, ReceiptId, WorkspaceId,
    WorkspacePolicy,
};

/// Messages with one Message-ID that are looked at. There is one, or one in each mailbox that it was sent to.
const SAME_ID_MAX: usize = 8;
/// Participants of one item to whom a reply key may have been given.
const PARTICIPANTS_MAX: usize = 200;
/// How far a chain of items that continue each other is followed.
const CHAIN_MAX: usize = 16;
/// For how long a reopening counts.
const REOPENED_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// Fills in what the clues of a message in this mailbox lead to. `facts` knows the sender already. What was made of `this`
/// receipt does not count: it is the one that is being decided.
pub(crate) fn find_items(
    tx: &mut Tx<'_>,
    rules: &mut Rules,
    (mailbox, this): (Option<MailboxId>, Option<ReceiptId>),
    clues: &Clues,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    // No receipt has this number.
    let this = this.unwrap_or(ReceiptId(0));
    if !clues.keys.is_empty() {
        (facts.keys, facts.keys_locked) = proven(tx, rules, clues, facts.actor(clues))?;
    }
    facts.answered = answered(tx, mailbox, this, clues)?;
    let by_number = clues.numbers.iter().map(|clue| clue.number);
    let named = facts.keys.iter().map(|key| key.item).chain(facts.answered.iter().copied()).chain(by_number);
    let mut items: Vec<ItemFacts> = Vec::new();
    for number in named {
        if items.iter().all(|item| item.number != number) {
            let actor = facts.actor(clues);
            let Some(item) = item_facts(tx, rules, (number, this), clues, actor)? else { continue };
            let next = item.closed.as_ref().and_then(|closed| closed.continued_in);
            items.push(item);
            if let Some(next) = next.filter(|next| items.iter().all(|item| item.number != *next)) {
                items.extend(item_facts(tx, rules, (next, this), clues, actor)?);
            }
        }
    }
    facts.items = items;
    Ok(())
}

/// The reply keys that are ours, and whether there are keys that cannot be opened to verify the others.
fn proven(
    tx: &mut Tx<'_>,
    rules: &mut Rules,
    clues: &Clues,
    sender: Actor<'_>,
) -> Result<(Vec<ProvenKey>, bool), StoreError> {
    let (keys, locked) = rules.reply_keys(tx)?;
    let mut proven = Vec::new();
    for claim in &clues.keys {
        let Some(key) = ProvenKey::of(claim, &keys, sender, &[]) else { continue };
        if key.given_to == GivenTo::Sender {
            proven.push(key);
            continue;
        }
        // In other hands: whose is it?
        let sql = format!("SELECT address FROM participant WHERE item_number = ?1 LIMIT {PARTICIPANTS_MAX}");
        let rows = tx.query(&sql, params![claim.item])?;
        let people = rows.into_iter().map(|mut row| row.text(0)).collect::<Result<Vec<_>, _>>()?;
        proven.extend(ProvenKey::of(claim, &keys, sender, &people));
    }
    Ok((proven, locked))
}

/// Items with a message that this one answers, the nearest first.
///
/// Several messages may have the same Message-ID. The first that came is the one, and with it its copies in other
/// mailboxes, which have the same author; of these the one in this mailbox is nearest. Whoever repeats the id of another's
/// message in his own gets nothing by it.
fn answered(
    tx: &mut Tx<'_>,
    mailbox: Option<MailboxId>,
    this: ReceiptId,
    clues: &Clues,
) -> Result<Vec<i64>, StoreError> {
    let sql = format!(
        "SELECT item_number, mailbox_id, from_address FROM receipt WHERE message_id = ?1 AND item_number IS NOT NULL \
         AND id <> ?2 ORDER BY id LIMIT {SAME_ID_MAX}"
    );
    let mut answered: Vec<i64> = Vec::new();
    for id in clues.references.iter().filter(|id| KeyClaim::of_message_id(id).is_none()) {
        let mut found = Vec::new();
        for mut row in tx.query(&sql, params![id, this.0])? {
            found.push((row.int(0)?, row.int(1)?, row.opt_text(2)?));
        }
        let Some(author) = found.first().map(|(.., author)| author.clone()) else { continue };
        found.retain(|(.., from)| *from == author);
        // Stable, so that the first that came stays first among the others.
        found.sort_by_key(|(_, at, _)| mailbox.is_none_or(|mailbox| mailbox.0 != *at));
        for (item, ..) in found {
            if !answered.contains(&item) {
                answered.push(item);
            }
        }
    }
    Ok(answered)
}

/// Conditions with one parameter for each address, from the given place on; `NULL` where there is none.
fn places(first: usize, count: usize) -> String {
    let places: Vec<String> = (first..first + count).map(|n| format!("?{n}")).collect();
    if places.is_empty() { "NULL".to_owned() } else { places.join(", ") }
}

fn item_facts(
    tx: &mut Tx<'_>,
    rules: &Rules,
    (number, this): (i64, ReceiptId),
    clues: &Clues,
    actor: Actor<'_>,
) -> Result<Option<ItemFacts>, StoreError> {
    let addresses: Vec<&str> = actor.addresses().collect();
    let mut params: Vec<Param<'_>> = vec![number.into(), this.0.into()];
    params.extend(addresses.iter().map(|address| Param::from(*address)));
    let sql = format!(
        "SELECT i.workspace_id, i.status, i.requester_address, EXISTS (SELECT 1 FROM participant p \
         WHERE p.item_number = i.number AND p.address IN ({})) FROM item i WHERE i.number = ?1 \
         AND coalesce(i.receipt_id, 0) <> ?2",
        places(3, addresses.len())
    );
    let Some(mut row) = tx.query_opt(&sql, &params)? else { return Ok(None) };
    let workspace = WorkspaceId(row.int(0)?);
    let (key, policy) = rules.workspace(workspace)?;
    let is_closed = row.text(1)? == "closed";
    let requester = row.text(2)?;
    let mut item = ItemFacts::open(number, workspace, key.clone());
    item.policy = policy;
    item.participant = row.bool(3)?;
    item.requester = addresses.contains(&requester.as_str());
    if is_closed {
        item.closed = Some(closed(tx, rules, number, policy)?);
    }
    if clues.no_reply {
        item.outsiders = has_outsiders(tx, number, workspace, &addresses)?;
    }
    Ok(Some(item))
}

fn closed(tx: &mut Tx<'_>, rules: &Rules, number: i64, policy: WorkspacePolicy) -> Result<Closed, StoreError> {
    let mut closed = Closed::default();
    match policy.closed {
        ClosedItems::Comment => {}
        ClosedItems::Reopen => {
            // What a person did does not count, only what mail did.
            let sql = "SELECT count(*) FROM change WHERE item_number = ?1 AND kind = 'reopened' AND at > ?2 \
                       AND receipt_id IS NOT NULL";
            let since = rules.now().checked_sub(REOPENED_WITHIN).unwrap_or(Timestamp::MIN);
            let mut row = tx.query_one(sql, params![number, since])?;
            closed.reopened = u32::try_from(row.int(0)?).unwrap_or(u32::MAX);
        }
        ClosedItems::NewItem => closed.continued_in = continued_in(tx, number)?,
    }
    Ok(closed)
}

/// The newest item that continues this one, or one that does, and so on; `None` if the last of them is closed too.
fn continued_in(tx: &mut Tx<'_>, number: i64) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT l.item_number, i.status FROM item_link l JOIN item i ON i.number = l.item_number \
               WHERE l.target = ?1 AND l.kind = 'continues' ORDER BY l.item_number DESC LIMIT 1";
    let mut at = number;
    for _ in 0..CHAIN_MAX {
        let Some(mut row) = tx.query_opt(sql, params![at])? else { return Ok(None) };
        at = row.int(0)?;
        if row.text(1)? == "open" {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// Whether somebody besides the sender takes part who is no member of the workspace.
fn has_outsiders(tx: &mut Tx<'_>, number: i64, workspace: WorkspaceId, addresses: &[&str]) -> Result<bool, StoreError> {
    let mut params: Vec<Param<'_>> = vec![number.into(), workspace.0.into()];
    params.extend(addresses.iter().map(|address| Param::from(*address)));
    let not_sender = if addresses.is_empty() {
        String::new()
    } else {
        format!("AND p.address NOT IN ({})", places(3, addresses.len()))
    };
    let sql = format!(
        "SELECT 1 FROM participant p WHERE p.item_number = ?1 {not_sender} AND NOT EXISTS (SELECT 1 FROM address d \
         JOIN person x ON x.id = d.person_id AND x.active LEFT JOIN member m ON m.person_id = x.id AND m.workspace_id = ?2 \
         WHERE d.address = p.address AND (x.admin OR m.person_id IS NOT NULL)) LIMIT 1"
    );
    Ok(tx.query_opt(&sql, &params)?.is_some())
}
