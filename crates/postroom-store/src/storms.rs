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

/// How many messages of a storm arrived, `except` not counted, in the worst [`WINDOW`] that `at` is in; at most `most`.
///
/// Mail does not come in the order in which it arrived: another mailbox is visited first, messages are moved, a Maildir has no
/// order. What arrived later and is here already counts as well, or else a storm that is fetched backwards would be none.
fn count(tx: &mut Tx<'_>, storm: &Storm, at: Timestamp, most: u32, except: ReceiptId) -> Result<u32, StoreError> {
    let (since, until) = (crate::visits::after(at, -WINDOW), crate::visits::after(at, WINDOW));
    let before = arrived(tx, storm, (since, at), "DESC", most, except)?;
    let after = arrived(tx, storm, (at, until), "ASC", most, except)?;
    let mut worst = before.len();
    for (later, end) in (1..).zip(&after) {
        let start = crate::visits::after(*end, -WINDOW);
        worst = worst.max(later + before.iter().filter(|arrived| **arrived > start).count());
    }
    Ok(u32::try_from(worst).unwrap_or(u32::MAX).min(most))
}

/// When the messages of a storm arrived that are nearest to one end of a span, whose first instant does not belong to it and
/// whose last does; at most `most`.
fn arrived(
    tx: &mut Tx<'_>,
    storm: &Storm,
    (after, until): (Timestamp, Timestamp),
    order: &str,
    most: u32,
    except: ReceiptId,
) -> Result<Vec<Timestamp>, StoreError> {
    let sql = |whose: &str| {
        format!(
            "SELECT counted_at FROM receipt WHERE {whose} AND counted_at > ?2 AND counted_at <= ?3 AND id <> ?4 \
             ORDER BY counted_at {order} LIMIT ?5"
        )
    };
    let most = i64::from(most);
    let (column, key) = match &storm.of {
        StormOf::Sender(address) => ("from_address", Param::Text(address)),
        StormOf::Mailbox(mailbox) => ("mailbox_id", Param::Int(mailbox.0)),
        StormOf::Item(item) => ("item_number", Param::Int(*item)),
    };
    let whose = format!("{column} = ?1 AND automatic AND verified = ?6");
    let mut rows = tx.query(&sql(&whose), params![key, after, until, except.0, most, storm.verified])?;
    if matches!(storm.of, StormOf::Item(_)) {
        // What is held is on no item yet.
        let held = storm.to_string();
        rows.extend(tx.query(&sql("storm = ?1 AND state = 'held'"), params![&held, after, until, except.0, most])?);
    }
    rows.into_iter().map(|mut row| row.time(0)).collect()
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
