//! `postroom rule test`: what rules make of the last messages, without writing anything.

use crate::cli::explain::Decided;
use crate::cli::inspect::unread_file;
use crate::cli::output::{Output, count, one_line};
use crate::failure::Failure;
use postroom_domain::{Receipt, Rule};
use postroom_mail::Message;
use postroom_store::{Instead, Question, ReceiptFilter, Store, StoreError};
use serde_json::json;

/// Octets of the messages that are read together.
const TOGETHER: u64 = 16 << 20;

/// Decides the last messages twice, without `edited` by no rules and by those in force, with it by those in force and by
/// the edited ones, and tells where that differs.
pub async fn run(
    store: &Store,
    last: u32,
    mailbox: Option<String>,
    edited: Option<Vec<Rule>>,
    out: Output,
) -> Result<(), Failure> {
    if let Some(name) = &mailbox {
        store.mailbox(name).await?;
    }
    let (before, after) = match edited {
        Some(rules) => (None, Some(rules)),
        None => (Some(Vec::new()), None),
    };
    let filter = ReceiptFilter { mailbox, limit: last, ..ReceiptFilter::default() };
    let receipts = store.receipts(filter).await?;
    let readers = crate::floor::readers()?;
    let (mut tried, mut changed, mut absent, mut unread) = (0u64, 0u64, 0u64, 0u64);
    let mut waiting = receipts.into_iter().peekable();
    while waiting.peek().is_some() {
        let (mut together, mut raws, mut octets) = (Vec::new(), Vec::new(), 0);
        while octets < TOGETHER
            && let Some(receipt) = waiting.next()
        {
            match store.raw_of(receipt.id).await {
                Ok(raw) => {
                    octets += receipt.size;
                    raws.push(raw);
                    together.push(receipt);
                }
                Err(error) if is_absent(&error) => {
                    absent += 1;
                    tell_untried(&receipt, error.code(), out)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        let read = readers.read(raws).await.map_err(|error| Failure::of_readers(&error))?;
        for (receipt, message) in together.iter().zip(read) {
            let message = match message {
                Ok(message) => message,
                Err(why) => {
                    unread += 1;
                    tell_untried(receipt, unread_file(&format!("receipt {}", receipt.id), why).code, out)?;
                    continue;
                }
            };
            tried += 1;
            let before = decided(store, receipt, before.clone(), &message).await?;
            let after = decided(store, receipt, after.clone(), &message).await?;
            changed += u64::from(tell(receipt, &before, &after, out)?);
        }
    }
    out.say(summary(tried, changed, absent, unread))
}

/// Whether one message alone cannot be had, because it was deleted, never taken or is damaged; all others can.
fn is_absent(error: &StoreError) -> bool {
    use StoreError::{Deleted, NoOctets, RawDamaged, RawMissing};
    matches!(error, Deleted(_) | NoOctets(_) | RawMissing { .. } | RawDamaged { .. })
}

/// Tells scripts of a message that was left out, and why; people are told how many there were.
fn tell_untried(receipt: &Receipt, code: &str, out: Output) -> Result<(), Failure> {
    if !out.is_json() {
        return Ok(());
    }
    let object = json!({
        "receipt": receipt.id, "mailbox": receipt.mailbox, "from": receipt.from, "subject": receipt.subject,
        "changed": null, "untried": code,
    });
    out.object(&object, String::new)
}

async fn decided(
    store: &Store,
    receipt: &Receipt,
    rules: Option<Vec<Rule>>,
    message: &Message,
) -> Result<Decided, Failure> {
    let instead = Instead { rules, ..Instead::default() };
    let question = Question { receipt: Some(receipt.id), instead, ..Question::default() };
    Ok(Decided::of(store.explain(question, message, jiff::Timestamp::now()).await?))
}

/// Tells what becomes of one message; true if the rules make a difference.
fn tell(receipt: &Receipt, before: &Decided, after: &Decided, out: Output) -> Result<bool, Failure> {
    let is_changed = !before.ends_like(after);
    let object = json!({
        "receipt": receipt.id, "mailbox": receipt.mailbox, "from": receipt.from, "subject": receipt.subject,
        "before": before.without_trace(), "after": after.without_trace(), "rules": after.rules(), "changed": is_changed,
    });
    if out.is_json() || is_changed {
        out.object(&object, || {
            let subject = one_line(receipt.subject.as_deref().unwrap_or_default(), 60);
            let from = one_line(receipt.from.as_deref().unwrap_or("-"), 40);
            format!("receipt {}, {from}, “{subject}”\n  {} → {}", receipt.id, before.in_words(), after.in_words())
        })?;
    }
    Ok(is_changed)
}

fn summary(tried: u64, changed: u64, absent: u64, unread: u64) -> String {
    let tried = count(tried, "message");
    let mut text = format!("{tried} tried; it makes a difference for {changed} of them; nothing was written");
    if absent > 0 {
        text += &format!("; {absent} could not be tried, since deleted, not here or damaged");
    }
    if unread > 0 {
        text += &format!("; {unread} could not be read");
    }
    text
}
