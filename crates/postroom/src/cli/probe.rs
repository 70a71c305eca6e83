//! `postroom mailbox test`: how far we get with a mailbox, step by step. Changes nothing on the server.

use super::FAILED;
use super::certificate::print_chain;
use super::output::{Output, count};
use crate::connection;
use crate::failure::{Failure, named};
use jiff::{SignedDuration, Timestamp};
use postroom_domain::connection::{self as seen, ConnectionSeen};
use postroom_domain::{Mailbox, StartFrom};
use postroom_sources::probe::{Count, Step};
use postroom_sources::{Binding, Limits, WireLog, probe};
use postroom_store::{LoggedConversation, Store};
use serde_json::json;
use std::process::ExitCode;

/// What is counted as recent where the mailbox names no date.
const RECENT: SignedDuration = SignedDuration::from_hours(30 * 24);

pub async fn run(store: &Store, name: &str, out: Output) -> Result<ExitCode, Failure> {
    let mailbox = store.mailbox(name).await?;
    let password = store.password(mailbox.id).await?;
    let trust = connection::trust(store, &mailbox).await?;
    let now = Timestamp::now();
    let since = match mailbox.start {
        StartFrom::Since(at) => at,
        StartFrom::New | StartFrom::All => now.checked_sub(RECENT).unwrap_or(now),
    };
    let log = mailbox.wire_log.then(|| WireLog::begin(now, &mailbox.access));
    let limits = Limits { log: log.clone(), ..Limits::default() };
    let steps = probe(&mailbox.access, password.as_ref(), &trust, &limits, since).await;
    if let Some(log) = log {
        let said = LoggedConversation { begun_at: log.begun_at(), log: log.text() };
        store.log_conversation(mailbox.id, said).await?;
    }
    let shown = steps.iter().find(|step| step.ok && step.protection.is_some());
    let shown = shown.map(|step| connection::seen(step.protection != Some("clear"), &step.chain));
    if let Some(shown) = &shown {
        let login = steps.iter().find(|step| step.step == "login");
        let binding = login.map_or(Binding::Unknown, |step| step.binding);
        connection::remember(store, &mailbox, shown, binding, now).await?;
    }
    let warnings = warnings(store, &mailbox, shown.as_ref(), now).await?;
    for step in steps.iter().cloned().map(|step| for_mailbox(step, name)) {
        let is_tls = step.step == "tls";
        let mut object = json!(step);
        if is_tls && !warnings.is_empty() {
            object["warnings"] = json!(warnings);
        }
        out.object(&object, || in_words(&step))?;
        print_chain(&step.chain, out)?;
        if is_tls {
            warnings.iter().try_for_each(|warning| out.say(format!("WARNING       [{}] {warning}", warning.code())))?;
        }
        step.count.map_or(Ok(()), |found| out.say(count_words(found, &mailbox)))?;
    }
    let ok = steps.iter().all(|step| step.ok);
    if ok {
        out.say("The mailbox can be visited. Nothing on the server was changed.")?;
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

async fn warnings(
    store: &Store,
    mailbox: &Mailbox,
    shown: Option<&ConnectionSeen>,
    now: Timestamp,
) -> Result<Vec<seen::Warning>, Failure> {
    let trusted = store.trusted_dates(mailbox.id).await?;
    Ok(seen::warnings(&mailbox.access, shown, &trusted, now))
}

fn for_mailbox(mut step: Step, name: &str) -> Step {
    step.help = step.help.map(|help| named(&help, name));
    step
}

fn in_words(step: &Step) -> String {
    let mark = if step.ok { "ok    " } else { "FAILED" };
    let code = step.code.map(|code| format!("[{code}] ")).unwrap_or_default();
    let help = step.help.as_ref().map(|help| format!("\n               help: {help}")).unwrap_or_default();
    format!("{mark} {:7} {code}{}{help}", step.step, step.detail)
}

fn count_words(found: Count, mailbox: &Mailbox) -> String {
    let since = found.takes.since.map_or_else(String::new, |since| {
        format!(", --start since:{} would take {}", since.at.strftime("%Y-%m-%d"), since.messages)
    });
    let all = found.takes.all;
    let visited = if mailbox.first_visit_at.is_some() {
        " It was visited before; `mailbox set --start` changes what is left alone."
    } else {
        ""
    };
    format!(
        "              {} there: --start new takes none of them{since}, --start all takes {all}.{visited}",
        count(found.messages, "message")
    )
}
