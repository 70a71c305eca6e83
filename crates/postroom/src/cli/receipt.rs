//! `postroom receipt`: the journal.

use super::args::{Global, ReceiptCommand, StateArg};
use super::explain::step;
use super::item::show::marked;
use super::output::{Output, one_line, write_octets};
use super::{open_floor, open_store, workspace_key};
use crate::failure::Failure;
use crate::intake;
use jiff::Timestamp;
use postroom_domain::{Reason, Receipt, ReceiptId, ReceiptState, SettlementState};
use postroom_store::{ReceiptFilter, Store};
use serde_json::json;
use std::collections::BTreeSet;

mod held;
mod retry;

/// Characters of what a person gives as a reason.
const WHY_MAX: usize = 500;

pub async fn run(global: &Global, command: ReceiptCommand, out: Output) -> Result<(), Failure> {
    match command {
        ReceiptCommand::List { mailbox, state, reason } => {
            let reason = reason.as_deref().map(reason_of).transpose()?;
            list(&open_store(global).await?, mailbox, state, reason, out).await
        }
        ReceiptCommand::Show { id } => {
            let receipt = open_store(global).await?.receipt(ReceiptId(id)).await?;
            out.object(&receipt, || describe(&receipt))
        }
        ReceiptCommand::Raw { id } => {
            let raw = open_store(global).await?.download(ReceiptId(id), Timestamp::now()).await?;
            write_octets(raw.octets())
        }
        ReceiptCommand::Retry { id: Some(id), .. } => {
            let floor = open_floor(global).await?;
            floor.store.retry(ReceiptId(id), Timestamp::now()).await?;
            decided_again(floor, ReceiptId(id), false, out).await
        }
        ReceiptCommand::Retry { id: None, reason, mailbox, all: _ } => {
            let reason = reason.as_deref().map(reason_of).transpose()?;
            retry::all(&open_floor(global).await?, mailbox, reason, out).await
        }
        ReceiptCommand::Delete { id, why } => {
            let store = open_store(global).await?;
            let why = why.as_deref().map(printable).transpose()?;
            store.delete_receipt(ReceiptId(id), why, Timestamp::now()).await?;
            let receipt = store.receipt(ReceiptId(id)).await?;
            out.object(&receipt, || {
                format!("receipt {id} is deleted: its octets are gone here; its server was not told, and it is never fetched again")
            })
        }
        ReceiptCommand::Release { id, workspace, always } => {
            let floor = open_floor(global).await?;
            let key = workspace.as_deref().map(workspace_key).transpose()?;
            floor.store.release(ReceiptId(id), key.as_ref(), always, Timestamp::now()).await?;
            decided_again(floor, ReceiptId(id), always, out).await
        }
    }
}

/// Works off what is due, the message in question among it, and shows what became of it, and whether its sender was admitted.
async fn decided_again(
    floor: crate::floor::Floor,
    id: ReceiptId,
    is_admitted: bool,
    out: Output,
) -> Result<(), Failure> {
    intake::work_off(&floor).await?;
    let receipt = floor.store.receipt(id).await?;
    let mut object = json!(receipt);
    let mut text = describe(&receipt);
    if is_admitted && let Some(sender) = &receipt.from {
        object["admitted"] = json!(sender);
        let sender = one_line(sender, 100);
        text += &format!(
            "\n  admitted    {sender} is admitted now; its mail is no longer held as that of an unknown sender"
        );
    }
    out.object(&object, || text)
}

/// The reason with this code, in any case.
fn reason_of(code: &str) -> Result<Reason, Failure> {
    Reason::from_code(&code.to_ascii_uppercase()).ok_or_else(|| {
        let help = "docs/errors.md has the codes; `postroom receipt list --state held` shows those that hold mail";
        Failure::new("USAGE", format!("`{code}` is no reason"), help)
    })
}

/// A text that is kept for people: one line, not endless.
fn printable(why: &str) -> Result<&str, Failure> {
    if why.chars().count() <= WHY_MAX && !why.chars().any(char::is_control) {
        return Ok(why);
    }
    let message = format!("--why takes one line of at most {WHY_MAX} characters");
    Err(Failure::new("USAGE", message, "nothing was changed; say it more shortly"))
}

async fn list(
    store: &Store,
    mailbox: Option<String>,
    state: Option<StateArg>,
    reason: Option<Reason>,
    out: Output,
) -> Result<(), Failure> {
    let state = state.map(|state| match state {
        StateArg::Accepted => ReceiptState::Accepted,
        StateArg::Deferred => ReceiptState::Deferred,
        StateArg::Filed => ReceiptState::Filed,
        StateArg::Held => ReceiptState::Held,
    });
    let named = mailbox.clone();
    let desk = state == Some(ReceiptState::Held);
    let mut reasons = BTreeSet::new();
    let mut filter = ReceiptFilter { mailbox, state, reason, limit: 500, ..ReceiptFilter::default() };
    let mut first = true;
    loop {
        let page = store.receipts(filter.clone()).await?;
        if let (true, true, Some(name)) = (first, page.is_empty(), &named) {
            // A misspelt name is an error, not an empty list; a mailbox that was removed still has its receipts.
            store.mailbox(name).await?;
        }
        if (first || !page.is_empty()) && desk {
            reasons.extend(page.iter().filter_map(|receipt| receipt.reason).map(Reason::code));
            held::table(&page, out)?;
        } else if first || !page.is_empty() {
            out.table(&page, ["ID", "MAILBOX", "STATE", "BECAME", "FROM", "SUBJECT"], "no receipts", |r| {
                [
                    r.id.to_string(),
                    r.mailbox.clone(),
                    r.state.as_str().to_owned(),
                    became(r),
                    marked(
                        one_line(r.from.as_deref().unwrap_or_default(), 30),
                        r.identity.as_ref().map(|one| one.level),
                    ),
                    one_line(r.subject.as_deref().unwrap_or_default(), 60),
                ]
            })?;
        }
        first = false;
        let Some(last) = page.last().filter(|_| page.len() == filter.limit as usize) else { break };
        filter.before = Some(last.id);
    }
    if desk { held::what_to_do(reasons, out) } else { Ok(()) }
}

fn became(receipt: &Receipt) -> String {
    match (receipt.item, receipt.comment, receipt.reason) {
        (Some(item), Some(comment), _) => format!("comment {comment} on #{item}"),
        (Some(item), None, _) => format!("item #{item}"),
        (None, _, Some(reason)) => reason.to_string(),
        (None, _, None) => String::new(),
    }
}

fn describe(receipt: &Receipt) -> String {
    let level = receipt.identity.as_ref().map(|identity| identity.level);
    let mut lines = vec![
        format!("receipt {} of mailbox {}", receipt.id, receipt.mailbox),
        format!("  remote id   {}", one_line(&receipt.remote_id.to_string(), 200)),
        format!("  received    {}", receipt.received_at),
        format!("  from        {}", marked(one_line(receipt.from.as_deref().unwrap_or("-"), 100), level)),
        format!("  subject     {}", one_line(receipt.subject.as_deref().unwrap_or("-"), 120)),
        format!("  size        {} octets", receipt.size),
        format!("  state       {}", receipt.state.as_str()),
        format!("  on server   {}", receipt.settlement.map_or("nothing decided yet", SettlementState::as_str)),
    ];
    let became = became(receipt);
    if let Some(reason) = receipt.reason {
        lines.push(format!("  became      {became}: {}", reason.sentence()));
    }
    if let Some(at) = receipt.resumes_at {
        lines.push(format!("  waits       files itself when its turn comes, not before {at}"));
    }
    lines.extend(receipt.trace.iter().map(step));
    if receipt.waits_for_a_person() {
        lines.push(format!("  what to do  {}", receipt.advice()));
    }
    lines.join("\n")
}
