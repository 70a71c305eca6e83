//! `postroom rule`: add, list, set, move, remove, pause, resume, test, export, import.

mod test;

use super::args::{Clear, Global, PlaceArgs, RuleCommand, RuleOptions, YesNo};
use super::output::{Output, text_table};
use super::{open_store, workspace_key};
use crate::failure::Failure;
use jiff::Timestamp;
use postroom_domain::routing::{NotATest, Place, Rule, RuleEdit, RuleLint, When};
use postroom_store::Store;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::Path;

pub async fn run(global: &Global, command: RuleCommand, out: Output) -> Result<(), Failure> {
    let store = open_store(global).await?;
    match command {
        RuleCommand::Add(add) => {
            let rule = changed(Rule { name: add.name, ..Rule::default() }, add.options, &[])?;
            let name = rule.name.trim().to_owned();
            let place = place(&add.place).unwrap_or(Place::Last);
            let rules = edit(&store, RuleEdit::Add(Box::new(rule), place)).await?;
            say(&store, &rules, &name, "added", out).await
        }
        RuleCommand::List => list(&store, &store.rules().await?, out).await,
        RuleCommand::Set(set) => {
            let rules = store.rules().await?;
            let old = named(&rules, &set.name)?.clone();
            let mut rule = changed(old, set.options, &set.clear)?;
            rule.name = set.rename.unwrap_or(rule.name);
            let name = rule.name.trim().to_owned();
            let rules = edit(&store, RuleEdit::Set(set.name, Box::new(rule))).await?;
            say(&store, &rules, &name, "changed", out).await
        }
        RuleCommand::Move { name, place: to } => {
            let Some(to) = place(&to) else {
                let help = "write --before OTHER, --after OTHER, --first or --last";
                return Err(Failure::new("USAGE", "it does not say where to", help));
            };
            let rules = edit(&store, RuleEdit::Move(name.clone(), to)).await?;
            say(&store, &rules, &name, "moved", out).await
        }
        RuleCommand::Remove { name } => {
            edit(&store, RuleEdit::Remove(name.clone())).await?;
            out.object(&json!({"name": name, "removed": true}), || {
                format!("removed rule {name}; items that it has placed stay where they are")
            })
        }
        RuleCommand::Pause { name } => {
            let rules = edit(&store, RuleEdit::Pause(name.clone(), true)).await?;
            say(&store, &rules, &name, "paused; mail is decided without it", out).await
        }
        RuleCommand::Resume { name } => {
            let rules = edit(&store, RuleEdit::Pause(name.clone(), false)).await?;
            say(&store, &rules, &name, "asked again", out).await
        }
        RuleCommand::Test { last, mailbox, rules } => {
            let edited = rules.as_deref().map(from_file).transpose()?;
            test::run(&store, last, mailbox, edited, out).await
        }
        RuleCommand::Export => export(store.rules().await?, out),
        RuleCommand::Import { file } => {
            let rules = edit(&store, RuleEdit::Replace(from_file(&file)?)).await?;
            list(&store, &rules, out).await
        }
    }
}

async fn edit(store: &Store, change: RuleEdit) -> Result<Vec<Rule>, Failure> {
    Ok(store.edit_rules(change, Timestamp::now()).await?)
}

fn named<'r>(rules: &'r [Rule], name: &str) -> Result<&'r Rule, Failure> {
    let wanted = name.trim().to_lowercase();
    rules.iter().find(|rule| rule.name.to_lowercase() == wanted).ok_or_else(|| {
        Failure::new("RULE_UNKNOWN", format!("there is no rule `{name}`"), "`postroom rule list` shows what there is")
    })
}

fn place(args: &PlaceArgs) -> Option<Place> {
    match (&args.before, &args.after) {
        (Some(other), _) => Some(Place::Before(other.clone())),
        (_, Some(other)) => Some(Place::After(other.clone())),
        _ if args.first => Some(Place::First),
        _ => args.last.then_some(Place::Last),
    }
}

/// A rule with what the options change in it.
fn changed(mut rule: Rule, options: RuleOptions, clear: &[Clear]) -> Result<Rule, Failure> {
    let then = &mut rule.then;
    for what in clear {
        match what {
            Clear::If => rule.when = When::default(),
            Clear::Mailbox => rule.mailbox = None,
            Clear::Workspace => then.workspace = None,
            Clear::Assign => then.assignee = None,
            Clear::Status => then.status = None,
            Clear::Tag => then.tags.clear(),
        }
    }
    let is_any = options.any.map_or(matches!(rule.when, When::Any(_)), |any| any == YesNo::Yes);
    let tests = if options.tests.is_empty() {
        rule.when.tests().to_vec()
    } else {
        let parsed = options.tests.iter().map(|text| text.parse());
        parsed.collect::<Result<_, NotATest>>().map_err(|error| {
            Failure::new(
                "USAGE",
                error.to_string(),
                "nothing was changed; `postroom rule add --help` shows how tests are written",
            )
        })?
    };
    rule.when = if is_any { When::Any(tests) } else { When::All(tests) };
    rule.mailbox = options.mailbox.or(rule.mailbox);
    if let Some(key) = options.workspace {
        then.workspace = Some(workspace_key(&key)?);
    }
    then.assignee = options.assign.or(then.assignee.take());
    then.status = options.status.or(then.status.take());
    if !options.tag.is_empty() {
        then.tags = options.tag;
    }
    then.hold = options.hold.map_or(then.hold, |hold| hold == YesNo::Yes);
    then.stop = options.stop.map_or(then.stop, |stop| stop == YesNo::Yes);
    Ok(rule)
}

/// A list of rules as it is exported.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    rules: Vec<Rule>,
}

fn export(rules: Vec<Rule>, out: Output) -> Result<(), Failure> {
    let document = Document { rules };
    // For people it is JSON too, but to be edited.
    out.object(&document, || serde_json::to_string_pretty(&document).unwrap_or_default())
}

/// The rules of a file.
///
/// # Errors
/// `FILE_UNREADABLE`, `RULE_INVALID`.
pub fn from_file(path: &Path) -> Result<Vec<Rule>, Failure> {
    let text =
        if path == Path::new("-") { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(path) };
    let text = text.map_err(|error| {
        Failure::new("FILE_UNREADABLE", format!("{}: {error}", path.display()), "check the path and its permissions")
    })?;
    let invalid = |why: &dyn std::fmt::Display| {
        let help = "nothing was changed; `postroom rule export` prints what such a file looks like";
        Failure::new("RULE_INVALID", format!("{}: {why}", path.display()), help)
    };
    if !text.trim_start().starts_with('{') {
        return Err(invalid(&"it is no object with a list of `rules`"));
    }
    let document: Document = serde_json::from_str(&text).map_err(|error| invalid(&error))?;
    Ok(document.rules)
}

async fn list(store: &Store, rules: &[Rule], out: Output) -> Result<(), Failure> {
    let lints = store.lint_rules(rules).await?;
    if out.is_json() {
        return rules.iter().try_for_each(|rule| out.object(&shown(rule, &lints), String::new));
    }
    let none = "no rules; `postroom rule add --help` shows how to add one";
    out.say(text_table(rules, ["NAME", "IF", "THEN"], none, |rule| {
        [rule.name.clone(), condition(rule), rule.then.to_string()]
    }))?;
    lints.iter().try_for_each(|lint| out.say(format!("warning: {lint}")))
}

/// When a rule applies, in words.
fn condition(rule: &Rule) -> String {
    let paused = if rule.paused { "(paused) " } else { "" };
    let mailbox = rule.mailbox.as_ref().map(|name| format!("in {name}: ")).unwrap_or_default();
    format!("{paused}{mailbox}{}", rule.when)
}

/// Says what was done with one rule of a list, and what of it is of no use now.
async fn say(store: &Store, rules: &[Rule], name: &str, done: &str, out: Output) -> Result<(), Failure> {
    let rule = named(rules, name)?;
    let lints = store.lint_rules(rules).await?;
    out.object(&shown(rule, &lints), || {
        let place = rules.iter().position(|other| other.name == rule.name).map_or(0, |at| at + 1);
        format!("rule {} is {done}; it is number {place} of {}", rule.name, rules.len())
    })?;
    lints.iter().try_for_each(|lint| out.say(format!("warning: {lint}")))
}

fn shown(rule: &Rule, lints: &[RuleLint]) -> Value {
    let mut object = json!(rule);
    object["lint"] = lints.iter().filter(|lint| lint.rule == rule.name).map(|lint| lint.what.as_str()).collect();
    object
}
