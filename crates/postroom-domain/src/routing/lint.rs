//! What in a list of rules is of no use: rules that can never apply, that are never reached, or that do nothing.

use super::{Comparison, Rule, RuleField, Test, When};
use crate::User;
use crate::place::works_in;
use serde::Serialize;
use std::collections::HashMap;
use std::fmt;

/// Something in a list that was hardly meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleLint {
    /// The rule.
    pub rule: String,
    /// What is wrong with it, as a sentence without its end.
    pub what: String,
}

impl fmt::Display for RuleLint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule `{}`: {}", self.rule, self.what)
    }
}

/// Everything in a list that is of no use, in the order of the rules. A paused rule is not looked at.
pub fn lint(rules: &[Rule]) -> Vec<RuleLint> {
    let mut found = Vec::new();
    let in_force: Vec<&Rule> = rules.iter().filter(|rule| !rule.paused).collect();
    for (at, rule) in in_force.iter().enumerate() {
        let mut say = |what: String| found.push(RuleLint { rule: rule.name.clone(), what });
        if let Some(why) = never(&rule.when) {
            say(format!("it can never apply: {why}"));
            continue;
        }
        let before = in_force[..at].iter().filter(|earlier| never(&earlier.when).is_none() && covers(earlier, rule));
        let mut before = before.peekable();
        if let Some(end) = before.clone().find(|earlier| earlier.then.ends()) {
            let how = if end.then.hold { "holds" } else { "stops at" };
            say(format!("it is never reached: rule `{}` {how} everything that it applies to", end.name));
            continue;
        }
        if rule.then == super::Then::default() {
            say("it does nothing".to_owned());
        } else if before.peek().is_some() {
            useless(rule, &before.copied().collect::<Vec<_>>()).into_iter().for_each(&mut say);
        }
        if rule.then.hold && has_placement(rule) {
            say("it holds the message, so the rest of what it does has no effect".to_owned());
        }
    }
    found
}

/// Rules whose items stay assigned to nobody, since whom they name cannot work on them. `active` are the users in use, by the
/// address that a rule names them by. A paused rule is not looked at.
pub fn lint_assignees(rules: &[Rule], active: &HashMap<String, User>) -> Vec<RuleLint> {
    let wrong = |rule: &Rule| {
        let address = rule.then.assignee.as_ref()?;
        let Some(user) = active.get(address) else {
            return Some(format!("its items stay unassigned: {address} has no account that is in use"));
        };
        let key = rule.then.workspace.as_ref().filter(|key| !works_in(user, key))?;
        Some(format!("its items stay unassigned: {address} is no agent in {key}"))
    };
    let in_force = rules.iter().filter(|rule| !rule.paused);
    in_force.filter_map(|rule| wrong(rule).map(|what| RuleLint { rule: rule.name.clone(), what })).collect()
}

fn has_placement(rule: &Rule) -> bool {
    let then = &rule.then;
    then.workspace.is_some() || then.assignee.is_some() || then.status.is_some() || !then.tags.is_empty()
}

/// What a rule says although a rule before it, which applies whenever it does, has always said it already.
fn useless(rule: &Rule, before: &[&Rule]) -> Vec<String> {
    let then = &rule.then;
    let decided = |what: &str, here: bool, there: fn(&Rule) -> bool| {
        let earlier = before.iter().find(|earlier| there(earlier))?;
        here.then(|| format!("its {what} never counts: rule `{}` always decides it before", earlier.name))
    };
    [
        decided("workspace", then.workspace.is_some(), |rule| rule.then.workspace.is_some()),
        decided("assignee", then.assignee.is_some(), |rule| rule.then.assignee.is_some()),
        decided("status", then.status.is_some(), |rule| rule.then.status.is_some()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whether `earlier` surely applies to every message that `later` applies to.
fn covers(earlier: &Rule, later: &Rule) -> bool {
    if earlier.mailbox.is_some() && earlier.mailbox != later.mailbox {
        return false;
    }
    match (&earlier.when, &later.when) {
        // Fewer tests let more through.
        (When::All(few), When::All(many)) => few.iter().all(|test| many.contains(test)),
        (When::All(few), When::Any(any)) => {
            few.is_empty() || (any.len() == 1 && few.iter().all(|test| any.contains(test)))
        }
        (When::Any(wide), When::All(all)) => all.iter().any(|test| wide.contains(test)),
        (When::Any(wide), When::Any(narrow)) => narrow.iter().all(|test| wide.contains(test)),
    }
}

/// Why a condition holds for no message, as far as that can be told.
fn never(when: &When) -> Option<String> {
    match when {
        When::Any(tests) if tests.is_empty() => Some("it asks for one of no tests".to_owned()),
        When::Any(tests) => {
            let whys: Vec<String> = tests.iter().map_while(never_fits).collect();
            (whys.len() == tests.len()).then(|| whys.join(", and "))
        }
        When::All(tests) => tests.iter().find_map(never_fits).or_else(|| contradiction(tests)),
    }
}

/// Why one test fits no message.
fn never_fits(test: &Test) -> Option<String> {
    if test.not {
        return None;
    }
    let why = match &test.how {
        Comparison::Is(text) | Comparison::Like(text) if text.is_empty() && test.field != RuleField::Subject => {
            "no value is empty"
        }
        // A canonical address has one sign, and what stands around it on one line.
        Comparison::Like(text) if test.field.is_address() && !text.contains(['@', '*']) => "it is no address",
        Comparison::Like(text) | Comparison::Is(text)
            if test.field == RuleField::SenderDomain && text.contains('@') =>
        {
            "a domain has no `@`"
        }
        Comparison::Is(text) | Comparison::Like(text) if text.contains(['\n', '\r']) => "a value is one line",
        _ => return None,
    };
    Some(format!("`{test}` fits nothing, since {why}"))
}

/// Two tests that cannot hold at once.
fn contradiction(tests: &[Test]) -> Option<String> {
    for (at, one) in tests.iter().enumerate() {
        for other in &tests[at + 1..] {
            if excludes(one, other) || excludes(other, one) {
                return Some(format!("`{one}` and `{other}` exclude each other"));
            }
        }
    }
    None
}

fn excludes(one: &Test, other: &Test) -> bool {
    if one.field == other.field && one.how == other.how {
        return one.not != other.not;
    }
    let (Comparison::Is(text), Comparison::Is(another), false) = (&one.how, &other.how, one.not) else { return false };
    let same = text.to_lowercase() == another.to_lowercase();
    if one.field == other.field {
        // A message that is automatic has two values of that field, `yes` and the kind.
        let no_with_another = one.field == RuleField::Automatic && text.eq_ignore_ascii_case("no");
        return !other.not && !same && (one.field.is_single() || no_with_another);
    }
    let domain = postroom_mail::address::domain_of(text).to_lowercase();
    let of_domain = (&one.field, &other.field) == (&RuleField::Sender, &RuleField::SenderDomain);
    of_domain && (another.to_lowercase() == domain) == other.not
}
