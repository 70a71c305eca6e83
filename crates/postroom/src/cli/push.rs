//! `postroom deliver` and `postroom import`: messages that are brought to us.

use super::args::{ClientArgs, Global};
use super::fetch::Bar;
use super::output::{Output, count, report};
use super::{open_floor, workspace_key};
use crate::collector::Progress as _;
use crate::failure::Failure;
use crate::floor::Floor;
use crate::intake::{self, Tally};
use jiff::Timestamp;
use postroom_domain::{Mailbox, MailboxId};
use postroom_mail::RawMessage;
use postroom_mail::message::Client;
use postroom_sources::Outcome;
use postroom_store::{Accepted, Claimed, Pushed};
use serde_json::json;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// sysexits' EX_TEMPFAIL: the mail server keeps the message and tries again.
pub const EX_TEMPFAIL: u8 = 75;

/// How long `deliver` waits for the filing; what takes longer is filed by the next `fetch` or by `serve`.
const FILING: Duration = Duration::from_secs(10);

/// Messages of an import that are accepted and filed together.
const TOGETHER: usize = 64;

pub async fn deliver(global: &Global, name: &str, client: ClientArgs, out: Output) -> ExitCode {
    match try_deliver(global, name, client, out).await {
        Ok(()) => ExitCode::SUCCESS,
        // Whatever went wrong, the message is not durable here, and the mail server still has it.
        Err(failure) => {
            report(&failure, out.is_json());
            ExitCode::from(EX_TEMPFAIL)
        }
    }
}

async fn try_deliver(global: &Global, name: &str, client: ClientArgs, out: Output) -> Result<(), Failure> {
    let floor = open_floor(global).await?;
    let mailbox = floor.store.mailbox(name).await?;
    let raw = read_message(floor.limits.max_message)?;
    let client = client.client_ip.map(|address| {
        let mail_from = client.mail_from.map(|path| path.trim_matches(['<', '>']).to_owned());
        Client { address, helo: client.helo, mail_from }
    });
    let claimed = match accept(&floor, &mailbox, Pushed { raw, client }).await? {
        Accepted::New(claimed) => claimed,
        Accepted::Known(receipt) => {
            let id = receipt.id;
            return out.object(&receipt, || format!("this very message is already here, as receipt {id}"));
        }
    };
    let id = claimed.receipt();
    // From here on the message is safe, so nothing that happens may be told to the mail server as a failure.
    let filed = tokio::time::timeout(FILING, intake::work(&floor, vec![claimed])).await;
    if let Ok(Err(error)) = &filed {
        tracing::warn!(receipt = id.0, code = error.code(), "accepted, but not filed yet");
    }
    let Ok(receipt) = floor.store.receipt(id).await else { return Ok(()) };
    let _ = out.object(&receipt, || match (receipt.reason, receipt.item) {
        (Some(reason), Some(item)) => format!("receipt {id}: item {item}, {}", reason.sentence()),
        (Some(reason), None) => format!("receipt {id}: held, {}", reason.sentence()),
        (None, _) => {
            format!("receipt {id}: accepted; it will be filed by the next `postroom fetch` or by `postroom serve`")
        }
    });
    Ok(())
}

/// The message on standard input. One over the limit is refused before it is taken, so that the mail server keeps it.
fn read_message(limit: u64) -> Result<RawMessage, Failure> {
    let mut octets = Vec::new();
    std::io::stdin().take(limit + 1).read_to_end(&mut octets).map_err(|error| {
        let help = "nothing was taken; the mail server keeps the message";
        Failure::new("INPUT_UNREADABLE", format!("standard input: {error}"), help)
    })?;
    if octets.len() as u64 > limit {
        let help = "nothing was taken; raise POSTROOM_MAX_MESSAGE (octets) if such messages are wanted";
        return Err(Failure::new("TOO_LARGE", format!("the message is larger than {limit} octets"), help));
    }
    if octets.is_empty() {
        return Err(Failure::new("INPUT_EMPTY", "there was no message on standard input", "pipe one message in"));
    }
    Ok(RawMessage::new(octets))
}

async fn accept(floor: &Floor, mailbox: &Mailbox, message: Pushed) -> Result<Accepted, Failure> {
    Ok(floor.store.accept_pushed(mailbox.id, message, &floor.worker, Timestamp::now()).await?)
}

pub async fn import(global: &Global, path: &Path, workspace: &str, out: Output) -> Result<ExitCode, Failure> {
    let floor = open_floor(global).await?;
    let key = workspace_key(workspace)?;
    let mailbox = floor.store.push_mailbox(&key, Timestamp::now()).await?;
    let mut messages = postroom_sources::local::messages(path, &floor.limits)?;
    let bar = Bar::new("import", out);
    let mut sum = Sum::default();
    loop {
        let (mut together, mut octets) = (Vec::new(), 0);
        while together.len() < TOGETHER && octets < 8 << 20 {
            let Some(message) = messages.next() else { break };
            let message = message?;
            match message.outcome {
                Outcome::Message(raw) => {
                    octets += raw.size();
                    together.push(raw);
                }
                Outcome::TooLarge { .. } => {
                    let why = format!("it is larger than {} octets", floor.limits.max_message);
                    sum.skip(&message.origin, "TOO_LARGE", &why, out)?;
                }
                Outcome::Unfetchable(why) => sum.skip(&message.origin, "FILE_UNREADABLE", &why, out)?,
                Outcome::Vanished => sum.skip(&message.origin, "FILE_UNREADABLE", "it is not there any more", out)?,
            }
        }
        if together.is_empty() {
            break;
        }
        bar.expect(sum.messages + together.len() as u64 + messages.files_left() as u64);
        sum.messages += together.len() as u64;
        file_together(&floor, mailbox.id, together, &bar, &mut sum).await?;
    }
    bar.0.finish_and_clear();
    sum.print(out)?;
    Ok(if sum.skipped > 0 { ExitCode::from(super::FAILED) } else { ExitCode::SUCCESS })
}

/// Accepts messages in one commit and files them in their order.
async fn file_together(
    floor: &Floor,
    mailbox: MailboxId,
    together: Vec<RawMessage>,
    bar: &Bar,
    sum: &mut Sum,
) -> Result<(), Failure> {
    let number = together.len() as u64;
    let accepting: Vec<_> = together
        .into_iter()
        .map(|raw| {
            let (store, worker) = (floor.store.clone(), floor.worker.clone());
            // All are queued at once and share a commit.
            tokio::spawn(async move { store.accept_pushed(mailbox, raw, &worker, Timestamp::now()).await })
        })
        .collect();
    let mut claimed: Vec<Claimed> = Vec::new();
    for accepted in accepting {
        let accepted =
            accepted.await.map_err(|error| Failure::new("INTERNAL", error.to_string(), "please report this"))?;
        match accepted? {
            Accepted::New(new) => claimed.push(new),
            Accepted::Known(_) => sum.known += 1,
        }
    }
    // They were queued at once; filing follows the order of the files.
    sum.tally.count(&intake::work(floor, claimed).await?);
    bar.filed(number);
    Ok(())
}

#[derive(Default)]
struct Sum {
    messages: u64,
    known: u64,
    skipped: u64,
    tally: Tally,
}

impl Sum {
    fn skip(&mut self, origin: &str, code: &str, why: &str, out: Output) -> Result<(), Failure> {
        self.skipped += 1;
        out.object(&json!({"file": origin, "skipped": why, "code": code}), || {
            format!("skipped {origin}: [{code}] {why}")
        })
    }

    fn print(&self, out: Output) -> Result<(), Failure> {
        let tally = &self.tally;
        let object = json!({
            "messages": self.messages, "items": tally.items, "comments": tally.comments, "held": tally.held,
            "deferred": tally.deferred, "known": self.known, "skipped": self.skipped,
        });
        out.object(&object, || {
            let mut text = format!(
                "{}: {}, {}, {} held",
                count(self.messages, "message"),
                count(tally.items, "item"),
                count(tally.comments, "comment"),
                tally.held
            );
            if self.known > 0 {
                text += &format!(", {} already here", self.known);
            }
            if self.skipped > 0 {
                text += &format!(", {} skipped", self.skipped);
            }
            text
        })
    }
}
