//! `postroom backup`, `restore` and `check`.

use super::actor::actor;
use super::args::Global;
use super::output::{Output, count};
use super::{FAILED, open_store, store_config};
use crate::failure::Failure;
use jiff::Timestamp;
use postroom_store::Store;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

pub async fn backup(global: &Global, dir: &Path, out: Output) -> Result<(), Failure> {
    let store = open_store(global).await?;
    store.backup(dir, Timestamp::now()).await?;
    out.object(&json!({"backup": dir}), || {
        format!(
            "backed up to {}.\nThe key that opens mailbox passwords is not in it: keep a copy of {} in another place.",
            dir.display(),
            global.data.join("secret.key").display()
        )
    })
}

pub async fn restore(global: &Global, dir: &Path, out: Output) -> Result<(), Failure> {
    let config = store_config(global)?;
    Store::restore(dir, &config, &actor(), Timestamp::now()).await?;
    out.object(&json!({"restored": dir}), || {
        format!(
            "restored into {}. All mailboxes are paused, so that two copies never visit the same one:\n\
             when the other copy is off, put its secret.key here and resume them with `postroom mailbox resume NAME`.",
            global.data.display()
        )
    })
}

pub async fn tidy(global: &Global, out: Output) -> Result<(), Failure> {
    let store = open_store(global).await?;
    let expired = store.expire_held(Timestamp::now()).await?;
    out.object(&json!({"expired": expired}), || {
        format!("deleted {} whose time is over; their receipts stay", count(expired, "held message"))
    })
}

pub async fn check(global: &Global, out: Output) -> Result<ExitCode, Failure> {
    let store = open_store(global).await?;
    let report = store.check().await?;
    out.object(&report, || {
        let mut lines = vec![format!(
            "{} and {} of message octets verified",
            count(report.receipts, "receipt"),
            count(report.octets, "octet")
        )];
        if report.audit > 0 {
            let rows = count(report.audit, "row");
            lines.push(format!("{rows} of the audit verified; the last one is {}", report.audit_head));
        }
        lines.extend(report.problems.iter().map(|problem| format!("PROBLEM [{}] {}", problem.code, problem.what)));
        lines.push(if report.problems.is_empty() {
            "everything is as it should be".to_owned()
        } else {
            count(report.problems.len() as u64, "problem")
        });
        lines.join("\n")
    })?;
    Ok(if report.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}
