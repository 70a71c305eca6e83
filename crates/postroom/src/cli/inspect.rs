//! `postroom inspect` and `postroom explain`: look at messages without writing anything.

use super::args::Global;
use super::output::{Output, clean_text, one_line, report};
use super::{FAILED, open_store};
use crate::failure::Failure;
use postroom_domain::filing::Effect;
use postroom_domain::{Filing, Reason, TraceStep};
use postroom_mail::RawMessage;
use postroom_mail::read::Inspection;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Stack of the thread that reads, as on the floor.
const STACK: usize = 32 << 20;

pub fn inspect(files: &[PathBuf], out: Output) -> Result<ExitCode, Failure> {
    let mut status = ExitCode::SUCCESS;
    for file in files {
        let inspection = match open(file).and_then(|raw| read(file, raw)) {
            Ok(inspection) => inspection,
            Err(failure) => {
                report(&failure, out.is_json());
                status = ExitCode::from(FAILED);
                continue;
            }
        };
        out.object(&inspection, || describe(&inspection))?;
    }
    Ok(status)
}

fn open(file: &Path) -> Result<RawMessage, Failure> {
    std::fs::read(file).map(RawMessage::new).map_err(|error| {
        Failure::new("FILE_UNREADABLE", format!("{}: {error}", file.display()), "check the path and its permissions")
    })
}

fn read(file: &Path, raw: RawMessage) -> Result<Inspection, Failure> {
    let name = file.display().to_string();
    let unread = |name: &str| {
        Failure::new("READ_PANICKED", format!("{name}: reading it failed inside Postroom"), "please report this file")
    };
    let thread = std::thread::Builder::new().stack_size(STACK).spawn({
        let name = name.clone();
        move || Inspection::of(&name, &postroom_mail::read(&raw))
    });
    thread.map_err(|_| unread(&name))?.join().map_err(|_| unread(&name))
}

fn describe(read: &Inspection) -> String {
    let mut lines = vec![
        read.file.clone(),
        format!("  from        {} <{}>", one_line(&read.from_name, 60), one_line(&read.from, 100)),
        format!("  subject     {}", one_line(&read.subject, 120)),
    ];
    if let Some(date) = read.date {
        lines.push(format!("  date        {date}"));
    }
    if let Some(kind) = read.automatic_kind {
        lines.push(format!("  automatic   {}", json!(kind).as_str().unwrap_or_default()));
    }
    for attachment in &read.attachments {
        let how = if attachment.inline { ", shown inside the text" } else { "" };
        let (name, size) = (one_line(&attachment.name, 80), attachment.size);
        lines.push(format!("  attachment  {name} ({}, {size} octets{how})", one_line(&attachment.content_type, 60)));
    }
    for defect in &read.defects {
        lines.push(format!("  defect      {defect}"));
    }
    let text = clean_text(&read.reply_text);
    lines.extend(text.lines().map(|line| format!("  | {line}")));
    lines.join("\n")
}

pub async fn explain(global: &Global, file: &Path, mailbox: Option<&str>, out: Output) -> Result<(), Failure> {
    let store = open_store(global).await?;
    let raw = open(file)?;
    let limit = crate::floor::limits()?.max_message;
    if raw.size() > limit {
        let (size, reason) = (raw.size(), Reason::TooLarge);
        let trace = [TraceStep::new("size", "too large", format!("{size} octets; the limit is {limit}"))];
        let object = json!({"filing": "held", "reason": reason, "item": null, "workspace": null, "trace": trace});
        return out
            .object(&object, || format!("It would become held mail: {}.\n{}", reason.sentence(), step(&trace[0])));
    }
    let unread =
        || Failure::new("READ_PANICKED", format!("{}: reading it failed", file.display()), "please report this file");
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(move || postroom_mail::read(&raw));
    let message = thread.map_err(|_| unread())?.join().map_err(|_| unread())?;
    let postroom_store::Explanation { filing, item, workspace } = store.explain(mailbox, &message).await?;
    let kind = match &filing.effect {
        Effect::OpenItem { .. } => "item",
        Effect::AddComment { .. } => "comment",
        Effect::Hold => "held",
    };
    let object = json!({
        "filing": kind, "reason": filing.reason, "item": item, "workspace": workspace, "trace": filing.trace,
    });
    out.object(&object, || {
        let place = match (item, &workspace) {
            (Some(item), _) => format!("a comment on item {item}"),
            (None, Some(key)) => format!("a new item in {key}"),
            (None, None) => "held mail".to_owned(),
        };
        format!("It would become {place}: {}.\n{}", filing.reason.sentence(), steps(&filing))
    })
}

fn steps(filing: &Filing) -> String {
    filing.trace.iter().map(step).collect::<Vec<_>>().join("\n")
}

/// One step of a trace as a line.
pub fn step(step: &TraceStep) -> String {
    format!("  {:16} {:18} {}", step.rule, step.outcome, one_line(&step.detail, 120)).trim_end().to_owned()
}
