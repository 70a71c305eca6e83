//! What limits count: how much mail arrived, by whom, where and on which item; and whose turn it is after a storm.

use crate::tx::{Param, params};
use crate::{StoreError, Tx};
use jiff::{SignedDuration, Timestamp};
use postroom_domain::storm::{WINDOW, storms_of};
use postroom_domain::{Arrivals, Facts, Limits, Mailbox, ReceiptId, Storm, StormOf};
use postroom_mail::Message;

/// How long until it is looked again whether a storm is over.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// The receipt that is being decided, and when its message arrived.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival<'a> {
    pub(crate) receipt: ReceiptId,
    pub(crate) mailbox: &'a Mailbox,
    pub(crate) received_at: Timestamp,
    /// When its turn came, if a storm held it.
    pub(crate) counted_at: Option<Timestamp>,
}

impl Arrival<'_> {
    /// When it counts as having arrived. What was there before the first visit, or is imported, arrived long ago, whatever
    /// its date says, and does not count.
    pub(crate) fn counts_at(&self) -> Option<Timestamp> {
        let is_old =
            self.mailbox.is_import || self.mailbox.first_visit_at.is_some_and(|first| self.received_at < first);
        (!is_old).then(|| self.counted_at.unwrap_or(self.received_at))
    }
}

/// What arrived before a message, as far as its limits count it.
pub(crate) fn arrivals(
    tx: &mut Tx<'_>,
    limits: &Limits,
    arrival: Arrival<'_>,
    message: &Message,
    author: Option<&str>,
    facts: &Facts,
) -> Result<Arrivals, StoreError> {
    let Some(at) = arrival.counts_at() else { return Ok(Arrivals::default()) };
    let items = facts.items.iter().map(|item| item.number);
    let storms = storms_of(message, author, facts.identity.is_verified(), arrival.mailbox.id, items);
    let mut counts = Vec::with_capacity(storms.len());
    for storm in storms {
        let count = count(tx, &storm, at, storm.limit(limits), arrival.receipt)?;
        counts.push((storm, count));
    }
    Ok(Arrivals { at: Some(at), counts, waited: at > arrival.received_at })
}

/// How many messages of a storm arrived within [`WINDOW`] before `until`, `except` not counted; at most `most`.
fn count(tx: &mut Tx<'_>, storm: &Storm, until: Timestamp, most: u32, except: ReceiptId) -> Result<u32, StoreError> {
    let since = crate::visits::after(until, -WINDOW);
    let sql = |whose: &str| {
        format!(
            "SELECT count(*) FROM (SELECT 1 FROM receipt WHERE {whose} AND counted_at > ?2 AND counted_at <= ?3 \
             AND id <> ?4 LIMIT ?5) AS counted"
        )
    };
    let most = i64::from(most);
    let (column, key) = match &storm.of {
        StormOf::Sender(address) => ("from_address", Param::Text(address)),
        StormOf::Mailbox(mailbox) => ("mailbox_id", Param::Int(mailbox.0)),
        StormOf::Item(item) => ("item_number", Param::Int(*item)),
    };
    let whose = format!("{column} = ?1 AND automatic AND verified = ?6");
    let values = params![key, since, until, except.0, most, storm.verified];
    let mut counted = tx.query_one(&sql(&whose), values)?.unsigned(0)?;
    if matches!(storm.of, StormOf::Item(_)) {
        // What is held is on no item yet.
        let storm = storm.to_string();
        let values = params![&storm, since, until, except.0, most];
        counted += tx.query_one(&sql("storm = ?1 AND state = 'held'"), values)?.unsigned(0)?;
    }
    Ok(u32::try_from(counted).unwrap_or(u32::MAX))
}

/// When it is looked for the first time whether the storm that holds a message is over.
pub(crate) fn first_look(received_at: Timestamp) -> Timestamp {
    crate::visits::after(received_at, WINDOW)
}

/// Makes what storms have held wait for intake again: in its order, and as much of it as its limit lets through now. What is
/// more than may be filed by itself stays held until a person decides.
pub(crate) fn resume(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    let due =
        tx.query("SELECT DISTINCT storm FROM receipt WHERE resume_at IS NOT NULL AND resume_at <= ?1", params![now])?;
    if due.is_empty() {
        return Ok(());
    }
    let limits = crate::workspaces::global_policy(tx)?.limits;
    for mut row in due {
        let text = row.text(0)?;
        let storm: Storm = text.parse().map_err(|_| StoreError::bad_value("a storm"))?;
        let most = storm.limit(&limits);
        let room = most.saturating_sub(count(tx, &storm, now, most, ReceiptId(0))?);
        if room == 0 {
            look_again(tx, &text, now)?;
            continue;
        }
        let sql = "SELECT count(*) FROM receipt WHERE storm = ?1 AND resume_at IS NOT NULL";
        let waiting = tx.query_one(sql, params![&text])?.unsigned(0)?;
        let stays = waiting > u64::from(limits.storm_resume);
        tracing::info!(limit = storm.name(), waiting, stays, "a storm has calmed down");
        if stays {
            let sql = "UPDATE receipt SET resume_at = NULL WHERE storm = ?1 AND resume_at IS NOT NULL";
            tx.execute(sql, params![&text])?;
            continue;
        }
        tx.execute(
            "UPDATE receipt SET state = 'accepted', reason = NULL, due_at = 0, attempts = 0, settlement = NULL, \
             resume_at = NULL, counted_at = ?2, error = NULL WHERE id IN \
             (SELECT id FROM receipt WHERE storm = ?1 AND resume_at IS NOT NULL ORDER BY id LIMIT ?3)",
            params![&text, now, i64::from(room)],
        )?;
        look_again(tx, &text, now)?;
    }
    Ok(())
}

fn look_again(tx: &mut Tx<'_>, storm: &str, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE receipt SET resume_at = ?2 WHERE storm = ?1 AND resume_at IS NOT NULL";
    tx.execute(sql, params![storm, crate::visits::after(now, LOOK_AGAIN)]).map(drop)
}
