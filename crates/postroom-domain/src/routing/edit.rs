//! How a list of rules is changed: one step at a time, as a value, so that every door does the same.

use super::{Rule, RuleError, RuleSet};
use postroom_mail::address::canonical;

/// A place in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Before all others.
    First,
    /// After all others.
    Last,
    /// Right before the rule of this name.
    Before(String),
    /// Right after the rule of this name.
    After(String),
}

/// One change of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleEdit {
    /// Adds a rule.
    Add(Box<Rule>, Place),
    /// Puts a rule in the place of the one of this name.
    Set(String, Box<Rule>),
    /// Moves a rule.
    Move(String, Place),
    /// Removes a rule.
    Remove(String),
    /// Passes a rule over from now on, or no longer.
    Pause(String, bool),
    /// Puts a whole list in the place of this one.
    Replace(Vec<Rule>),
}

/// The list after a change, checked as a whole.
///
/// # Errors
/// When the change cannot be made, or the list after it cannot be used; then the old list holds.
pub fn edit(mut rules: Vec<Rule>, change: RuleEdit) -> Result<Vec<Rule>, RuleError> {
    match change {
        RuleEdit::Add(rule, place) => {
            let at = index_of(&rules, &place)?;
            rules.insert(at, *rule);
        }
        RuleEdit::Set(name, rule) => {
            let at = find(&rules, &name)?;
            rules[at] = *rule;
        }
        RuleEdit::Move(name, place) => {
            let from = find(&rules, &name)?;
            if let Place::Before(other) | Place::After(other) = &place
                && find(&rules, other)? == from
            {
                return Err(RuleError::BesideItself(rules.swap_remove(from).name));
            }
            let rule = rules.remove(from);
            let at = index_of(&rules, &place)?;
            rules.insert(at, rule);
        }
        RuleEdit::Remove(name) => {
            rules.remove(find(&rules, &name)?);
        }
        RuleEdit::Pause(name, paused) => {
            let at = find(&rules, &name)?;
            rules[at].paused = paused;
        }
        RuleEdit::Replace(all) => rules = all,
    }
    rules.iter_mut().for_each(tidy);
    RuleSet::compile(&rules)?;
    Ok(rules)
}

/// Where the rule of this name stands.
fn find(rules: &[Rule], name: &str) -> Result<usize, RuleError> {
    let wanted = name.trim().to_lowercase();
    let at = rules.iter().position(|rule| rule.name.to_lowercase() == wanted);
    at.ok_or_else(|| RuleError::Unknown(name.to_owned()))
}

fn index_of(rules: &[Rule], place: &Place) -> Result<usize, RuleError> {
    match place {
        Place::First => Ok(0),
        Place::Last => Ok(rules.len()),
        Place::Before(name) => find(rules, name),
        Place::After(name) => find(rules, name).map(|at| at + 1),
    }
}

/// Brings what a person wrote into the form that is compared.
fn tidy(rule: &mut Rule) {
    rule.name = rule.name.trim().to_owned();
    let tags = std::mem::take(&mut rule.then.tags);
    for tag in tags {
        let tag = tag.trim().to_lowercase();
        if !rule.then.tags.contains(&tag) {
            rule.then.tags.push(tag);
        }
    }
    if let Some(address) = rule.then.assignee.as_mut() {
        *address = canonical(address).unwrap_or_else(|| address.clone());
    }
}
