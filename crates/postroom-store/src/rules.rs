//! Routing rules: the list as it is stored, and how it is changed.

use crate::audit::{AuditAction, Notes, difference};
use crate::mailboxes::mailbox_by_name;
use crate::people::user_by_address;
use crate::tx::params;
use crate::workspaces::{to_json, workspace_id};
use crate::{Noun, Store, StoreError, Tx};
use jiff::Timestamp;
use postroom_domain::routing::{Rule, RuleEdit, RuleError, RuleLint, RuleSet, edit, lint, lint_assignees};
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

impl Store {
    /// The routing rules, in the order in which they are asked.
    pub async fn rules(&self) -> Result<Vec<Rule>, StoreError> {
        self.read(|tx| written(&stored(tx)?)).await
    }

    /// Changes the list of rules by one step; returns the list after it. Rules are an admin's: they may name any workspace.
    ///
    /// # Errors
    /// `RULE_UNKNOWN`, `RULE_EXISTS`, `RULE_INVALID`; `WORKSPACE_UNKNOWN`, `USER_UNKNOWN` or `MAILBOX_UNKNOWN` when a rule
    /// that is new or changed names something that is not there.
    pub async fn edit_rules(&self, change: RuleEdit, now: Timestamp) -> Result<Vec<Rule>, StoreError> {
        self.change(now, move |tx, notes| {
            let old = written(&stored(tx)?)?;
            let new = edit(old.clone(), change.clone()).map_err(refusal)?;
            for rule in new.iter().filter(|rule| !old.contains(rule)) {
                check_names(tx, rule)?;
            }
            note(notes, &change, &old, &new)?;
            tx.execute(
                "INSERT INTO meta (key, value) VALUES ('rules', ?1) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                params![&to_json(&new)?],
            )?;
            Ok(new)
        })
        .await
    }

    /// What in a list of rules is of no use.
    pub async fn lint_rules(&self, rules: &[Rule]) -> Result<Vec<RuleLint>, StoreError> {
        let rules = rules.to_vec();
        self.read(move |tx| {
            let mut active = HashMap::new();
            for address in rules.iter().filter_map(|rule| rule.then.assignee.as_ref()) {
                if let Some(user) = user_by_address(tx, address)?.filter(|user| user.active) {
                    active.insert(address.clone(), user);
                }
            }
            let mut found = lint(&rules);
            found.extend(lint_assignees(&rules, &active));
            Ok(found)
        })
        .await
    }
}

/// The compiled form of rules that are tried in place of those that are stored.
pub(crate) fn tried(tx: &mut Tx<'_>, rules: &[Rule]) -> Result<RuleSet, StoreError> {
    let stored = written(&stored(tx)?)?;
    for rule in rules.iter().filter(|rule| !stored.contains(rule)) {
        check_names(tx, rule)?;
    }
    RuleSet::compile(rules).map_err(refusal)
}

/// What a rule that is to be kept names must be there.
fn check_names(tx: &mut Tx<'_>, rule: &Rule) -> Result<(), StoreError> {
    if let Some(name) = &rule.mailbox {
        mailbox_by_name(tx, name)?;
    }
    if let Some(key) = &rule.then.workspace {
        workspace_id(tx, key)?;
    }
    if let Some(address) = &rule.then.assignee {
        let user = user_by_address(tx, address)?.filter(|user| user.active);
        user.ok_or_else(|| StoreError::unknown(Noun::User, address))?;
    }
    Ok(())
}

/// An error of the list as one of the store.
fn refusal(error: RuleError) -> StoreError {
    match error {
        RuleError::Unknown(name) => StoreError::unknown(Noun::Rule, name),
        RuleError::Taken(name) => StoreError::Exists { noun: Noun::Rule, name },
        other => StoreError::RuleInvalid(other.to_string()),
    }
}

fn note(notes: &mut Notes, change: &RuleEdit, old: &[Rule], new: &[Rule]) -> Result<(), StoreError> {
    let find = |rules: &[Rule], name: &str| {
        let name = name.trim().to_lowercase();
        rules.iter().position(|rule| rule.name.to_lowercase() == name)
    };
    let rule = |rules: &[Rule], name: &str| find(rules, name).and_then(|at| rules.get(at).cloned());
    match change {
        RuleEdit::Add(added, _) => {
            let detail = json!({ "rule": rule(new, &added.name), "place": find(new, &added.name) });
            notes.add(AuditAction::RuleAdd, "rule", added.name.trim(), detail);
        }
        RuleEdit::Set(name, set) => {
            let differs = match (rule(old, name), rule(new, &set.name)) {
                (Some(old), Some(new)) => difference(&old, &new)?,
                _ => json!({}),
            };
            if differs != json!({}) {
                notes.add(AuditAction::RuleSet, "rule", name, differs);
            }
        }
        RuleEdit::Pause(name, paused) => {
            if rule(old, name).is_some_and(|rule| rule.paused != *paused) {
                let detail = json!({ "paused": { "old": !paused, "new": paused } });
                notes.add(AuditAction::RuleSet, "rule", name, detail);
            }
        }
        RuleEdit::Move(name, _) => {
            let (from, to) = (find(old, name), find(new, name));
            if from != to {
                notes.add(AuditAction::RuleMove, "rule", name, json!({ "place": { "old": from, "new": to } }));
            }
        }
        RuleEdit::Remove(name) => {
            notes.add(
                AuditAction::RuleRemove,
                "rule",
                name,
                json!({ "rule": rule(old, name), "place": find(old, name) }),
            );
        }
        RuleEdit::Replace(_) => {
            if old != new {
                notes.add(AuditAction::RuleImport, "rule", "all", json!({ "old": old, "new": new }));
            }
        }
    }
    Ok(())
}

/// The list as it stands in the database; empty where none was ever made.
fn stored(tx: &mut Tx<'_>) -> Result<String, StoreError> {
    let row = tx.query_opt("SELECT value FROM meta WHERE key = 'rules'", &[])?;
    row.map_or_else(|| Ok(String::new()), |mut row| row.text(0))
}

fn written(text: &str) -> Result<Vec<Rule>, StoreError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_str(text).map_err(|error| StoreError::bad_value(format!("the routing rules: {error}")))
}

/// The rules with their patterns compiled, kept from batch to batch as long as the list stays the same.
#[derive(Debug, Default, Clone)]
pub(crate) struct RuleCache(Arc<Mutex<(String, Arc<RuleSet>)>>);

impl RuleCache {
    /// The rules that are stored.
    pub(crate) fn get(&self, tx: &mut Tx<'_>) -> Result<Arc<RuleSet>, StoreError> {
        let text = stored(tx)?;
        // Nothing panics while it is held; and what is in it is whole at any time.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.0 != text {
            let rules = RuleSet::compile(&written(&text)?).map_err(refusal)?;
            *kept = (text, Arc::new(rules));
        }
        Ok(Arc::clone(&kept.1))
    }
}
