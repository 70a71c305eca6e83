//! `postroom setting` and `postroom pattern`.

use super::args::{Global, OnOff, PatternCommand, SettingCommand, SettingSet};
use super::output::Output;
use super::{open_or_create, open_store};
use crate::failure::Failure;
use jiff::Timestamp;
use postroom_domain::domain_pattern::{PatternError, PatternList};
use serde_json::json;

pub async fn setting(global: &Global, command: SettingCommand, out: Output) -> Result<(), Failure> {
    let store = match &command {
        SettingCommand::Set(_) => open_or_create(global).await?,
        SettingCommand::Show => open_store(global).await?,
    };
    let mut policy = store.global_policy().await?;
    if let SettingCommand::Set(set) = command {
        match set {
            SettingSet::Submissions { value } => policy.submissions = value == OnOff::On,
            SettingSet::UnknownSenders { value } => policy.unknown_senders = value == OnOff::On,
            SettingSet::AllowedDomains { patterns } => {
                PatternList::compile(&patterns).map_err(unusable)?;
                policy.allowed_domains = patterns;
            }
        }
        store.set_global_policy(&policy, Timestamp::now()).await?;
    }
    let on = |value: bool| if value { "on" } else { "off" };
    let shown = json!({
        "submissions": on(policy.submissions),
        "unknown_senders": on(policy.unknown_senders),
        "allowed_domains": policy.allowed_domains,
    });
    out.object(&shown, || {
        let domains = match policy.allowed_domains.as_slice() {
            [] => "every domain".to_owned(),
            patterns => patterns.join("  "),
        };
        format!(
            "submissions      {}\nunknown-senders  {}\nallowed-domains  {domains}",
            on(policy.submissions),
            on(policy.unknown_senders)
        )
    })
}

pub fn pattern(command: PatternCommand, out: Output) -> Result<(), Failure> {
    let PatternCommand::Test { pattern, addresses } = command;
    let list = PatternList::compile(std::slice::from_ref(&pattern)).map_err(unusable)?;
    for address in addresses {
        let canonical = postroom_mail::address::canonical(&address);
        let admitted = match &canonical {
            // What is no address is admitted by nothing.
            None => false,
            Some(canonical) => list.admits(canonical).map_err(|undecided| {
                Failure::new(
                    "PATTERN_LIMIT",
                    format!("{undecided} on {address}"),
                    "mail from this address would be held; write the pattern with fewer nested repetitions",
                )
            })?,
        };
        let syntax = list.syntax().to_string();
        let result = json!({"pattern": pattern, "syntax": syntax, "address": address, "admitted": admitted});
        out.object(&result, || {
            format!("{}  {address}  (read as {syntax})", if admitted { "admitted" } else { "refused " })
        })?;
    }
    Ok(())
}

fn unusable(error: PatternError) -> Failure {
    Failure::new(
        "PATTERN_INVALID",
        error.to_string(),
        "nothing was changed; try patterns with `postroom pattern test PATTERN ADDRESS…`",
    )
}
