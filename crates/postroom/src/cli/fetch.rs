//! `postroom fetch`: one visit to each mailbox, everything filed and settled before it returns.

use super::args::Global;
use super::output::{Output, count, is_watched};
use super::{FAILED, open_floor};
use crate::collector::{self, Progress, Report};
use crate::failure::Failure;
use crate::floor::Floor;
use crate::{intake, supervisor};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use postroom_domain::Mailbox;
use serde_json::json;
use std::process::ExitCode;
use std::time::Instant;

pub async fn run(global: &Global, names: Vec<String>, out: Output) -> Result<ExitCode, Failure> {
    let floor = open_floor(global).await?;
    let mailboxes = chosen(&floor, &names).await?;
    let left_over = intake::work_off(&floor).await?;
    let worked_off = left_over.items + left_over.comments + left_over.held;
    if worked_off > 0 {
        out.say(format!("filed {} that had been accepted earlier", count(worked_off, "message")))?;
    }
    if mailboxes.is_empty() {
        out.say(
            "no mailbox is enabled: `postroom mailbox list` shows which are paused, `postroom setting show` whether \
             submissions are on, `postroom mailbox add --help` how to add one",
        )?;
    }
    let mut failed = false;
    for mailbox in mailboxes {
        failed |= !visit(&floor, &mailbox, out).await?;
    }
    Ok(if failed { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

async fn chosen(floor: &Floor, names: &[String]) -> Result<Vec<Mailbox>, Failure> {
    let enabled = supervisor::enabled(floor).await?;
    if names.is_empty() {
        return Ok(enabled);
    }
    let mut chosen = Vec::new();
    for name in names {
        let mailbox = floor.store.mailbox(name).await?;
        if !enabled.iter().any(|other| other.id == mailbox.id) {
            return Err(Failure::new(
                "MAILBOX_NOT_ENABLED",
                format!("mailbox {name} is paused, or submissions are switched off, or there is nothing to visit"),
                format!(
                    "its mail waits on the server; see `postroom mailbox list`, `postroom mailbox resume {name}`, `postroom setting show`"
                ),
            ));
        }
        chosen.push(mailbox);
    }
    Ok(chosen)
}

async fn visit(floor: &Floor, mailbox: &Mailbox, out: Output) -> Result<bool, Failure> {
    let started = Instant::now();
    let bar = Bar::new(&mailbox.name, out);
    let (report, result) = match collector::lease(floor, mailbox, true).await {
        Ok(Some(lease)) => collector::visit_once(floor, lease, &bar).await,
        Ok(None) => return Ok(true),
        // This mailbox cannot be visited; the others can.
        Err(error) => (Report::default(), Err(error.into())),
    };
    bar.0.finish_and_clear();
    // One folder that cannot be read is a failure, although the others were.
    let folder_error = report.failed_folders.first().map(|(_, error)| Failure::from(error.clone()));
    let error = result.err().map(Failure::from).or(folder_error).map(|failure| failure.for_mailbox(&mailbox.name));
    let ms = started.elapsed().as_millis() as u64;
    let mut object = report.to_json(mailbox);
    object["ms"] = json!(ms);
    object["error"] = json!(error);
    out.object(&object, || match &error {
        Some(_) if report.fetched == 0 => format!("{}: the visit failed", mailbox.name),
        Some(_) => format!("{}\n  then the visit failed", describe(mailbox, &report, ms)),
        None => describe(mailbox, &report, ms),
    })?;
    if let (Some(error), false) = (&error, out.is_json()) {
        super::output::report(error, false);
    }
    Ok(error.is_none())
}

fn describe(mailbox: &Mailbox, report: &Report, ms: u64) -> String {
    let tally = &report.tally;
    let mut text = format!(
        "{}: {} on the server, {} fetched ({:.1} MB): {}, {}, {} held",
        mailbox.name,
        report.listed,
        report.fetched,
        report.bytes as f64 / 1e6,
        count(tally.items, "item"),
        count(tally.comments, "comment"),
        tally.held
    );
    if tally.deferred > 0 {
        text += &format!(", {} to be tried again", tally.deferred);
    }
    if report.settled > 0 {
        text += &format!("; {} settled on the server", report.settled);
    }
    text += &format!("; {:.1} s", ms as f64 / 1e3);
    if report.before_start > 0 {
        text += &format!(
            "\n  {} were there before the first visit and are left alone; to take them: postroom mailbox set {} --start all",
            count(report.before_start, "message"),
            mailbox.name
        );
    }
    text
}

/// A progress bar on a terminal, nothing elsewhere.
pub struct Bar(pub ProgressBar);

impl Bar {
    /// A bar labelled with a mailbox's name.
    pub fn new(name: &str, out: Output) -> Self {
        if out.is_json() || !is_watched() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
        let template = "{prefix} {bar:30} {pos}/{len} messages, {per_sec}, {eta} left";
        // The template is a constant; should it ever be wrong, the library's own style does.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(name.to_owned());
        Self(bar)
    }
}

impl Progress for Bar {
    fn expect(&self, messages: u64) {
        self.0.set_length(messages);
    }

    fn filed(&self, messages: u64) {
        self.0.inc(messages);
    }
}
