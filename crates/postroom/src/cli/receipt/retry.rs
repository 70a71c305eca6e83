//! Deciding all held mail again that matches, as after a change of the rules.

use super::super::output::{Output, count};
use crate::failure::Failure;
use crate::floor::Floor;
use crate::intake;
use jiff::Timestamp;
use postroom_domain::{Reason, ReceiptId, ReceiptState};
use postroom_store::{ReceiptFilter, RetryFilter};
use serde::Serialize;

/// Messages decided again before the next ones are looked at.
const TOGETHER: u32 = 64;

/// What became of them.
#[derive(Debug, Default, Serialize)]
struct Sum {
    retried: u64,
    items: u64,
    comments: u64,
    held: u64,
    waiting: u64,
}

/// Decides all held mail again that matches, the oldest first. What comes to be held meanwhile is not looked at again.
pub async fn all(floor: &Floor, mailbox: Option<String>, reason: Option<Reason>, out: Output) -> Result<(), Failure> {
    let store = &floor.store;
    if let Some(name) = &mailbox {
        let filter = ReceiptFilter { mailbox: Some(name.clone()), limit: 1, ..ReceiptFilter::default() };
        if store.receipts(filter).await?.is_empty() {
            // A misspelt name is an error; a mailbox that was removed still has its receipts.
            store.mailbox(name).await?;
        }
    }
    let newest = store.receipts(ReceiptFilter { limit: 1, ..ReceiptFilter::default() }).await?;
    let up_to = newest.first().map_or(ReceiptId(0), |receipt| receipt.id);
    let mut which = RetryFilter { mailbox, reason, after: ReceiptId(0), up_to, limit: TOGETHER };
    let mut sum = Sum::default();
    loop {
        let ids = store.retry_held(which.clone(), Timestamp::now()).await?;
        let Some(last) = ids.last() else { break };
        which.after = *last;
        intake::work_off(floor).await?;
        for id in ids {
            let receipt = store.receipt(id).await?;
            sum.retried += 1;
            match (receipt.state, receipt.comment) {
                (ReceiptState::Filed, None) => sum.items += 1,
                (ReceiptState::Filed, Some(_)) => sum.comments += 1,
                (ReceiptState::Held, _) => sum.held += 1,
                // Another process has it, or it is put off; it is filed there or later.
                (ReceiptState::Accepted | ReceiptState::Deferred, _) => sum.waiting += 1,
            }
        }
    }
    out.object(&sum, || {
        let waiting = if sum.waiting > 0 { format!(", {} waiting", sum.waiting) } else { String::new() };
        format!(
            "decided again {}: {}, {}, {} held{waiting}",
            count(sum.retried, "message"),
            count(sum.items, "item"),
            count(sum.comments, "comment"),
            sum.held
        )
    })
}
