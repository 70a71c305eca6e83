//! `postroom mailbox`: add, set, test, list, pause, resume, remove.

use super::access::{changed_access, new_access, same_place};
use super::args::{
    AutomaticArg, Global, MailboxAdd, MailboxCommand, MailboxOptions, MailboxSet, OnOff, SwitchArg, YesNo,
};
use super::output::{Output, count, text_table};
use super::{open_or_create, open_store, read_secret_file, workspace_key};
use crate::failure::Failure;
use jiff::Timestamp;
use postroom_domain::connection::{Warning, warnings};
use postroom_domain::domain_pattern::Syntax;
use postroom_domain::{AutomaticMail, Mailbox, MailboxAddress, MailboxPolicy, StartFrom, Switch};
use postroom_mail::{Access, Secret, Settlement};
use postroom_sources::SourceError;
use postroom_store::{LoggedConversation, MailboxChange, MailboxState, MailboxStatus, NewMailbox, Store};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;

pub async fn run(global: &Global, command: MailboxCommand, out: Output) -> Result<ExitCode, Failure> {
    let store = || open_store(global);
    match command {
        MailboxCommand::Add(add) => self::add(&open_or_create(global).await?, *add, out).await?,
        MailboxCommand::Discover(args) => super::discover::run(args, out).await?,
        MailboxCommand::Set(set) => self::set(&store().await?, *set, out).await?,
        MailboxCommand::Test { name } => return super::probe::run(&store().await?, &name, out).await,
        MailboxCommand::Trust(args) => super::trust::run(&store().await?, args, out).await?,
        MailboxCommand::List => list(&store().await?, out).await?,
        MailboxCommand::Log { name } => log(&store().await?, &name, out).await?,
        MailboxCommand::Pause { name } => {
            let store = store().await?;
            store.pause_mailbox(&name, Timestamp::now()).await?;
            say(&store, &name, "paused; its mail waits on the server", out).await?;
        }
        MailboxCommand::Resume { name, accept_new } => {
            let store = store().await?;
            store.resume_mailbox(&name, accept_new, Timestamp::now()).await?;
            let done = if accept_new { "resumed; unknown messages are taken for new mail" } else { "resumed" };
            say(&store, &name, done, out).await?;
        }
        MailboxCommand::Remove { name } => {
            store().await?.remove_mailbox(&name, Timestamp::now()).await?;
            out.object(&json!({"name": name, "removed": true}), || {
                format!("removed mailbox {name}; its items and receipts stay, and nothing on the server was changed")
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn say(store: &Store, name: &str, done: &str, out: Output) -> Result<(), Failure> {
    let mailbox = store.mailbox(name).await?;
    out.object(&shown(&mailbox), || format!("mailbox {name} is {done}"))
}

async fn add(store: &Store, add: MailboxAdd, out: Output) -> Result<(), Failure> {
    printable("name", &add.name)?;
    let access = new_access(&add)?;
    let options = add.options;
    let workspace = options.workspace.as_deref().map(workspace_key).transpose()?;
    let new = NewMailbox {
        name: add.name,
        access,
        workspace,
        policy: policy(MailboxPolicy::default(), &options)?,
        start: options.start.as_deref().map_or(Ok(StartFrom::New), start_from)?,
        every_s: options.every.as_deref().map_or(Ok(60), seconds)?,
    };
    distinct_folders(&new.access, &new.policy)?;
    let mut password = password(&options)?;
    // Only where a password is needed: on `set` a variable that happens to be there must not change one.
    let on_server = new.access.server().is_some();
    if let (None, true, Some(file)) = (&password, on_server, std::env::var_os("POSTROOM_PASSWORD_FILE")) {
        password = Some(usable(read_secret_file(Path::new(&file))?)?);
    }
    if password.is_none() && on_server {
        return Err(Failure::new(
            "USAGE",
            "a mailbox on a server needs a password",
            "give it with --password-stdin or --password-file FILE, never as an argument",
        ));
    }
    let others = store.mailbox_status().await?;
    let mailbox = store.add_mailbox(new, password, Timestamp::now()).await?;
    out.object(&shown(&mailbox), || {
        let name = &mailbox.name;
        let old = match mailbox.start {
            StartFrom::New => "Mail that is already there stays untouched; --start all takes it too.",
            StartFrom::Since(_) | StartFrom::All => "Mail that is already there is taken too.",
        };
        format!("added mailbox {name}. {old}\nTry the connection: postroom mailbox test {name}\nFetch once: postroom fetch {name}")
    })?;
    if let Access::Maildir { path } = &mailbox.access
        && !path.join("cur").is_dir()
    {
        out.say(format!("WARNING: there is no Maildir at {}; visits fail until there is", path.display()))?;
    }
    if let Some(other) = others.iter().find(|other| same_place(&other.mailbox.access, &mailbox.access)) {
        let (other, name) = (&other.mailbox.name, &mailbox.name);
        out.say(format!(
            "WARNING: {other} reads the same place: each message there has an effect in {other} and in {name}"
        ))?;
    }
    say_warnings(&warnings(&mailbox.access, None, &[], Timestamp::now()), out)
}

async fn set(store: &Store, set: MailboxSet, out: Output) -> Result<(), Failure> {
    let options = &set.options;
    let now = store.mailbox(&set.name).await?;
    let (access, policy) = (changed_access(now.access.clone(), &set)?, policy(now.policy.clone(), options)?);
    distinct_folders(&access, &policy)?;
    let change = MailboxChange {
        access: Some(access),
        workspace: options.workspace.as_deref().map(workspace_key).transpose()?.map(Some),
        policy: Some(policy),
        start: options.start.as_deref().map(start_from).transpose()?,
        every_s: options.every.as_deref().map(seconds).transpose()?,
        password: password(options)?,
        wire_log: set.wire_log.map(|switch| switch == OnOff::On),
    };
    let mailbox = store.update_mailbox(&set.name, change, Timestamp::now()).await?;
    out.object(&shown(&mailbox), || format!("changed mailbox {}", mailbox.name))?;
    say_warnings(&warnings(&mailbox.access, None, &[], Timestamp::now()), out)
}

fn say_warnings(warnings: &[Warning], out: Output) -> Result<(), Failure> {
    warnings.iter().try_for_each(|warning| out.say(format!("WARNING [{}]: {warning}", warning.code())))
}

/// What was said to its server, the oldest conversation first.
async fn log(store: &Store, name: &str, out: Output) -> Result<(), Failure> {
    let is_on = store.mailbox(name).await?.wire_log;
    let conversations = store.logged_conversations(name).await?;
    for LoggedConversation { begun_at, log } in &conversations {
        out.object(&json!({"mailbox": name, "begun_at": begun_at, "lines": log.lines().collect::<Vec<_>>()}), || {
            format!("{begun_at:.0}\n{log}")
        })?;
    }
    match (conversations.is_empty(), is_on) {
        (true, true) => out.say("Nothing was said yet; the next visit is logged."),
        (true, false) => out.say(format!("Nothing is logged: postroom mailbox set {name} --wire-log on")),
        (false, _) => Ok(()),
    }
}

async fn list(store: &Store, out: Output) -> Result<(), Failure> {
    let mailboxes = store.mailbox_status().await?;
    let has_default = store.workspaces().await?.iter().any(|workspace| workspace.default);
    // Its mail is held until there is one.
    let leads_nowhere = |mailbox: &Mailbox| mailbox.workspace.is_none() && !has_default;
    if out.is_json() {
        return mailboxes.iter().try_for_each(|one| {
            let mut object = status(one);
            object["problem"] = json!(leads_nowhere(&one.mailbox).then_some("NO_DEFAULT_WORKSPACE"));
            out.object(&object, String::new)
        });
    }
    let none = "no mailboxes yet; `postroom mailbox add --help` shows how to add one";
    let workspace = |mailbox: &Mailbox| match &mailbox.workspace {
        Some(key) => key.to_string(),
        None if leads_nowhere(mailbox) => "none [NO_DEFAULT_WORKSPACE]".to_owned(),
        None => "(default)".to_owned(),
    };
    out.say(text_table(
        &mailboxes,
        ["NAME", "WHERE", "WORKSPACE", "STATE", "NEXT VISIT", "FILED", "HELD", "WAITING"],
        none,
        |s| {
            [
                s.mailbox.name.clone(),
                place(&s.mailbox.access),
                workspace(&s.mailbox),
                state(s),
                next(s),
                s.counts.filed.to_string(),
                s.counts.held.to_string(),
                (s.counts.accepted + s.counts.deferred).to_string(),
            ]
        },
    ))?;
    mailboxes.iter().try_for_each(|s| troubles(s).into_iter().try_for_each(|line| out.say(line)))?;
    let now = Timestamp::now();
    mailboxes.iter().try_for_each(|s| {
        let lines = s.warnings(now).into_iter().map(|w| format!("WARNING [{}] {}: {w}", w.code(), s.mailbox.name));
        lines.into_iter().try_for_each(|line| out.say(line))
    })
}

/// How a mailbox is doing, in a few words that begin with one of a few: `ok`, `waiting`, `paused`, `asks`, `throttled`,
/// `failing`, `not`.
fn state(status: &MailboxStatus) -> String {
    let code = status.last_error.as_ref().map_or("", |(code, _)| code);
    match status.state() {
        MailboxState::Asks => format!("asks: {code}"),
        MailboxState::Paused => "paused".to_owned(),
        MailboxState::Throttled(Some(until)) => format!("throttled until {}", minute(until)),
        MailboxState::Throttled(None) => "throttled".to_owned(),
        MailboxState::Failing(since) => {
            format!("failing since {}: {code}, {}", minute(since), count(u64::from(status.failures), "time"))
        }
        MailboxState::Waiting => "waiting for mail".to_owned(),
        MailboxState::Ok => "ok".to_owned(),
        MailboxState::NotVisited => "not visited yet".to_owned(),
    }
}

/// Why it is not doing well, and what to do.
fn troubles(status: &MailboxStatus) -> Vec<String> {
    let name = &status.mailbox.name;
    let failed = status.last_error.as_ref().filter(|_| status.failing_since.is_some()).map(|(code, message)| {
        let help = help(status).map_or_else(String::new, |help| format!("\n  help: {help}"));
        format!("{name} [{code}]: {message}{help}")
    });
    let folders = status.failed_folders.iter().map(|failed| {
        format!(
            "{name}, folder {} [{}]: {}, since {}",
            failed.folder,
            failed.code,
            failed.message,
            minute(failed.since)
        )
    });
    failed.into_iter().chain(folders).collect()
}

fn help(status: &MailboxStatus) -> Option<&str> {
    status.last_visit.as_ref()?["error"]["help"].as_str()
}

/// What comes next.
fn next(status: &MailboxStatus) -> String {
    match status.next_visit_at {
        _ if status.mailbox.paused => "-".to_owned(),
        _ if status.waits => "when mail comes".to_owned(),
        Some(at) => minute(at),
        None => "-".to_owned(),
    }
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn place(access: &Access) -> String {
    match access {
        Access::Imap(imap) => {
            let folders: Vec<&str> = imap.folders().collect();
            format!("imap {}:{} {}", imap.server.host, imap.server.port, folders.join(", "))
        }
        Access::Pop3(pop3) => format!("pop3 {}:{}", pop3.host, pop3.port),
        Access::Maildir { path } => format!("maildir {}", path.display()),
        Access::Push => "delivered".to_owned(),
    }
}

fn status(status: &MailboxStatus) -> Value {
    let mut object = shown(&status.mailbox);
    object["state"] = json!(state(status));
    object["visited_at"] = json!(status.visited_at);
    object["failing_since"] = json!(status.failing_since);
    object["error"] = status
        .last_error
        .as_ref()
        .map_or(Value::Null, |(code, message)| json!({"code": code, "message": message, "help": help(status)}));
    object["last_visit"] = json!(status.last_visit);
    object["warnings"] = json!(status.warnings(Timestamp::now()));
    object["next_visit_at"] = json!(status.next_visit_at);
    object["throttled_until"] = json!(status.next_visit_at.filter(|_| status.throttled));
    object["waits"] = json!(status.waits);
    object["failed_folders"] = json!(status.failed_folders);
    object["ledger"] = json!(status.ledger());
    let counts = &status.counts;
    object["receipts"] = json!({
        "accepted": counts.accepted, "deferred": counts.deferred, "filed": counts.filed, "held": counts.held, "done": counts.done,
        "owed": counts.owed,
    });
    object
}

/// A mailbox without anything secret.
fn shown(mailbox: &Mailbox) -> Value {
    let policy = &mailbox.policy;
    json!({
        "name": mailbox.name,
        "access": mailbox.access,
        "workspace": mailbox.workspace,
        "start": mailbox.start,
        "every_s": mailbox.every_s,
        "paused": mailbox.paused,
        "wire_log": mailbox.wire_log,
        "submissions": policy.submissions,
        "unknown_senders": policy.unknown_senders,
        "allowed_domains": policy.allowed.allowed_domains,
        "allowed_domains_syntax": policy.allowed.allowed_domains_syntax,
        "domains": policy.allowed.domains,
        "authserv_ids": policy.authserv_ids,
        "bare_numbers": policy.bare_numbers,
        "automatic": policy.automatic,
        "addresses": policy.addresses,
        "plus_addresses": policy.plus_addresses,
        "filed": policy.filed,
        "held": policy.held,
    })
}

/// The mailbox's rules with what the options change in them.
fn policy(mut policy: MailboxPolicy, options: &MailboxOptions) -> Result<MailboxPolicy, Failure> {
    if options.keep.is_some() && options.done_folder.is_some() {
        let help = "leave one of them away: --done-folder moves filed mail, --keep says whether it stays or is deleted";
        return Err(Failure::new("USAGE", "--keep and --done-folder contradict each other", help));
    }
    match options.keep {
        Some(YesNo::Yes) => policy.filed = Settlement::Keep,
        Some(YesNo::No) => policy.filed = Settlement::Delete,
        None => {}
    }
    if let Some(folder) = &options.done_folder {
        policy.filed = Settlement::MoveTo(folder.clone());
    }
    if let Some(folder) = &options.held_folder {
        policy.held = Settlement::MoveTo(folder.clone());
    }
    let switch = |arg: Option<SwitchArg>, now: Switch| match arg {
        Some(SwitchArg::Yes) => Switch::Yes,
        Some(SwitchArg::No) => Switch::No,
        Some(SwitchArg::Inherit) => Switch::Inherit,
        None => now,
    };
    policy.unknown_senders = switch(options.unknown_senders, policy.unknown_senders);
    policy.submissions = switch(options.submissions, policy.submissions);
    if let Some(patterns) = &options.allowed_domains {
        policy.allowed.allowed_domains.clone_from(patterns);
        policy.allowed.allowed_domains_syntax = options.allowed_domains_syntax.map(Syntax::from);
    }
    if let Some(domains) = &options.domains {
        policy.allowed.domains.clone_from(domains);
    }
    if let Some(ids) = &options.authserv_ids {
        policy.authserv_ids = super::setting::names(ids)?;
    }
    policy.bare_numbers = options.bare_numbers.map_or(policy.bare_numbers, |value| value == YesNo::Yes);
    policy.automatic = match options.automatic {
        Some(AutomaticArg::Hold) => AutomaticMail::Hold,
        Some(AutomaticArg::File) => AutomaticMail::File,
        None => policy.automatic,
    };
    if options.no_address {
        policy.addresses.clear();
    }
    if !options.address.is_empty() {
        policy.addresses = options.address.iter().map(|text| address(text)).collect::<Result<_, _>>()?;
    }
    policy.plus_addresses = options.plus_addresses.map_or(policy.plus_addresses, |value| value == YesNo::Yes);
    Ok(policy)
}

/// An address, with the workspace that it leads to behind the last `=`, if there is one that can be a key.
fn address(text: &str) -> Result<MailboxAddress, Failure> {
    let (address, key) = match text.rsplit_once('=') {
        // An address may have such a sign, too, but never behind its `@`.
        Some((address, key)) if address.contains('@') => (address, Some(workspace_key(key)?)),
        _ => (text, None),
    };
    let address = super::setting::canonical_all(&[address.to_owned()])?.remove(0);
    Ok(MailboxAddress { address, workspace: key })
}

/// Refuses folders that there cannot be, and to move mail to where it cannot go.
fn distinct_folders(access: &Access, policy: &MailboxPolicy) -> Result<(), Failure> {
    if let Access::Imap(imap) = access {
        [&imap.folder].into_iter().chain(&imap.more_folders).try_for_each(|folder| printable("folder", folder))?;
    }
    for settlement in [&policy.filed, &policy.held] {
        if matches!(access, Access::Pop3(_)) && matches!(settlement, Settlement::MoveTo(_) | Settlement::MarkSeen) {
            return Err(SourceError::SettlementUnsupported.into());
        }
        if let Settlement::MoveTo(folder) = settlement {
            printable("folder", folder)?;
        }
    }
    let Some(folder) = policy.loops_into(access) else { return Ok(()) };
    let message = format!("mail cannot be moved to `{folder}`, the folder that it is read from");
    Err(Failure::new("USAGE", message, "nothing was saved; name another folder"))
}

/// Refuses characters that would command a terminal or break a protocol.
fn printable(what: &str, text: &str) -> Result<(), Failure> {
    if !text.trim().is_empty() && text.len() <= 255 && !text.chars().any(char::is_control) {
        return Ok(());
    }
    let message = format!("a {what} has 1 to 255 octets and no control characters");
    Err(Failure::new("USAGE", message, "nothing was saved; choose another one"))
}

fn start_from(text: &str) -> Result<StartFrom, Failure> {
    let help = "write --start new, --start all, or --start since:2026-11-01";
    match text {
        "new" => Ok(StartFrom::New),
        "all" => Ok(StartFrom::All),
        _ => {
            let date = text.strip_prefix("since:").unwrap_or("");
            // A date alone means its first instant in UTC, so that the same command means the same everywhere.
            let instant = date.parse::<Timestamp>().ok().or_else(|| {
                let day = date.parse::<jiff::civil::Date>().ok()?;
                day.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
            });
            instant.map(StartFrom::Since).ok_or_else(|| Failure::new("USAGE", format!("`{text}` names no start"), help))
        }
    }
}

/// Seconds of `60s`, `5m`, `2h` or a bare number, from 1 second to a day.
fn seconds(text: &str) -> Result<u32, Failure> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let unit = match &text[split..] {
        "" | "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3600),
        _ => None,
    };
    let seconds = text[..split].parse::<u32>().ok().zip(unit).and_then(|(number, unit)| number.checked_mul(unit));
    seconds.filter(|s| (1..=86_400).contains(s)).ok_or_else(|| {
        Failure::new(
            "USAGE",
            format!("`{text}` is no time between visits"),
            "write for example 30s, 5m or 1h; at most a day",
        )
    })
}

fn password(options: &MailboxOptions) -> Result<Option<Secret>, Failure> {
    let given = if options.password_stdin {
        Some(super::terminal::read_secret().map_err(|error| {
            let help = "pipe the password in, for example: pass show desk | postroom mailbox add … --password-stdin";
            Failure::new("SECRET_FILE_UNREADABLE", format!("no password on standard input: {error}"), help)
        })?)
    } else {
        options.password_file.as_deref().map(read_secret_file).transpose()?
    };
    given.map(usable).transpose()
}

/// Refuses what can be no password on any server, before it is saved.
fn usable(password: Secret) -> Result<Secret, Failure> {
    let help = "nothing was saved; check the file or what is piped in";
    if password.expose().is_empty() {
        return Err(Failure::new("USAGE", "the password is empty", help));
    }
    if password.expose().contains(['\0', '\r', '\n']) {
        return Err(Failure::new("USAGE", "the password has a NUL or a line end in it", help));
    }
    Ok(password)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn times_between_visits() {
        for (text, expected) in [("60s", 60), ("5m", 300), ("1h", 3600), ("90", 90), ("24h", 86_400)] {
            assert_eq!(seconds(text).unwrap(), expected, "{text}");
        }
        for text in ["", "0", "25h", "-1", "5 m", "m", "99999999999s", "1d"] {
            assert_eq!(seconds(text).unwrap_err().code, "USAGE", "{text}");
        }
    }

    #[test]
    fn starts() {
        assert_eq!(start_from("new").unwrap(), StartFrom::New);
        assert_eq!(start_from("since:2026-11-01").unwrap(), StartFrom::Since("2026-11-01T00:00:00Z".parse().unwrap()));
        assert!(start_from("since:yesterday").is_err());
        assert!(start_from("2026-11-01").is_err());
    }
}
