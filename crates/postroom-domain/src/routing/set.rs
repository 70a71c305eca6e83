//! A list of rules ready to be asked, and what it says about one message.

use super::field::{Shown, Value};
use super::{Comparison, NAME_MAX, RULES_MAX, Rule, RuleError, RuleField, TAGS_MAX, TESTS_MAX, TEXT_MAX, When};
use crate::domain_pattern::{self, Undecided};
use crate::item::{TAG_MAX, is_tag};
use crate::{Facts, TraceStep, WorkspaceKey};
use pcre2::bytes::Regex;
use postroom_mail::Message;
use postroom_mail::address::{canonical, domain_of};
use std::collections::HashSet;

/// Rules with their patterns compiled.
#[derive(Debug, Default)]
pub struct RuleSet {
    rules: Vec<Compiled>,
}

#[derive(Debug)]
struct Compiled {
    rule: Rule,
    tests: Vec<Matcher>,
}

#[derive(Debug)]
enum Matcher {
    /// In lower case.
    Is(String),
    /// The pieces between the asterisks, in lower case.
    Like(Vec<String>),
    Matches(Regex),
}

/// What the rules say about one message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routed {
    /// The rule that holds it.
    pub held_by: Option<String>,
    /// Where a new item goes, and the rule that says so.
    pub workspace: Option<(WorkspaceKey, String)>,
    /// Address of the user who gets it, and the rule that says so.
    pub assignee: Option<(String, String)>,
    /// Its status.
    pub status: Option<String>,
    /// Its tags, each once.
    pub tags: Vec<String>,
    /// The rules that applied, in order.
    pub applied: Vec<String>,
}

impl RuleSet {
    /// Checks a list and compiles its patterns.
    ///
    /// # Errors
    /// The first rule that cannot be used, or too many of them.
    pub fn compile(rules: &[Rule]) -> Result<Self, RuleError> {
        if rules.len() > RULES_MAX {
            return Err(RuleError::TooMany { what: "rules", most: RULES_MAX });
        }
        let mut names = HashSet::new();
        let mut compiled = Vec::with_capacity(rules.len());
        for rule in rules {
            check(rule)?;
            if !names.insert(rule.name.to_lowercase()) {
                return Err(RuleError::Taken(rule.name.clone()));
            }
            let tests = rule.when.tests().iter().map(|test| matcher(rule, &test.field, &test.how));
            compiled.push(Compiled { rule: rule.clone(), tests: tests.collect::<Result<_, _>>()? });
        }
        Ok(Self { rules: compiled })
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules, in order.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(|compiled| &compiled.rule)
    }

    /// Asks the rules of this mailbox (and those of all mailboxes), in order. What could not be decided goes to `trace`.
    pub fn ask(
        &self,
        message: &Message,
        author: Option<&str>,
        facts: &Facts,
        mailbox: &str,
        trace: &mut Vec<TraceStep>,
    ) -> Routed {
        let shown = Shown::new(message, author, facts);
        let mut routed = Routed::default();
        for Compiled { rule, tests } in &self.rules {
            if rule.paused || rule.mailbox.as_ref().is_some_and(|name| name != mailbox) {
                continue;
            }
            match applies(&rule.when, tests, &shown) {
                Ok(true) => routed.take(rule),
                Ok(false) => {}
                Err(undecided) => {
                    trace.push(TraceStep::new("rule", "undecided", format!("{}: {undecided}", rule.name)));
                    continue;
                }
            }
            if routed.applied.last() == Some(&rule.name) && rule.then.ends() {
                break;
            }
        }
        routed
    }
}

impl Routed {
    /// What a rule that applies adds: it decides only what no rule before it has decided.
    fn take(&mut self, rule: &Rule) {
        let (name, then) = (&rule.name, &rule.then);
        self.applied.push(name.clone());
        if then.hold {
            self.held_by = Some(name.clone());
        }
        if self.workspace.is_none() {
            self.workspace = then.workspace.clone().map(|key| (key, name.clone()));
        }
        if self.assignee.is_none() {
            self.assignee = then.assignee.clone().map(|address| (address, name.clone()));
        }
        if self.status.is_none() {
            self.status.clone_from(&then.status);
        }
        for tag in &then.tags {
            if !self.tags.contains(tag) {
                self.tags.push(tag.clone());
            }
        }
    }
}

/// Whether the tests hold. A test that cannot be decided matters only if the others do not decide without it.
fn applies(when: &When, tests: &[Matcher], shown: &Shown<'_>) -> Result<bool, Undecided> {
    let (is_all, written) = (matches!(when, When::All(_)), when.tests());
    let mut trouble = None;
    for (test, matcher) in written.iter().zip(tests) {
        let fits = shown.any(&test.field, |value| matcher.fits(test.how.text(), value));
        match fits.map(|fits| fits != test.not) {
            Ok(holds) if holds != is_all => return Ok(holds),
            Ok(_) => {}
            Err(undecided) => trouble = trouble.or(Some(undecided)),
        }
    }
    trouble.map_or(Ok(is_all), Err)
}

impl Matcher {
    fn fits(&self, written: &str, value: Value<'_>) -> Result<bool, Undecided> {
        match self {
            Self::Is(text) => Ok(value.folded() == text.as_str()),
            Self::Like(pieces) => Ok(is_like(pieces, &value.folded())),
            Self::Matches(regex) => regex.is_match(value.text.as_bytes()).map_err(|_| Undecided(written.to_owned())),
        }
    }
}

/// Whether a text consists of the pieces in their order with anything between them. The first begins it, the last ends it.
fn is_like(pieces: &[String], text: &str) -> bool {
    let [first, middle @ .., last] = pieces else { return pieces.first().is_some_and(|only| only == text) };
    let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
    for piece in middle {
        let Some(at) = rest.find(piece.as_str()) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last.as_str())
}

/// The pieces between the asterisks that are not escaped.
fn pieces(glob: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut characters = glob.chars().peekable();
    while let Some(c) = characters.next() {
        let escaped = c == '\\' && characters.next_if_eq(&'*').is_some();
        match c {
            '*' => pieces.push(String::new()),
            // There is always a last one: none is ever taken away.
            _ => pieces.iter_mut().last().into_iter().for_each(|piece| piece.push(if escaped { '*' } else { c })),
        }
    }
    pieces
}

fn check(rule: &Rule) -> Result<(), RuleError> {
    let name = &rule.name;
    if name.trim().is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(RuleError::Name(name.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect()));
    }
    let then = &rule.then;
    let action = |why: String| Err(RuleError::Action { rule: name.clone(), why });
    if rule.when.tests().len() > TESTS_MAX {
        return Err(RuleError::TooMany { what: "tests of a rule", most: TESTS_MAX });
    }
    if then.tags.len() > TAGS_MAX {
        return Err(RuleError::TooMany { what: "tags of a rule", most: TAGS_MAX });
    }
    if let Some(tag) = then.tags.iter().find(|tag| !is_tag(tag)) {
        return action(format!(
            "`{tag}` is no tag: use one word of at most {TAG_MAX} characters that begins with a letter or a digit"
        ));
    }
    if let Some(status) = then.status.as_ref().filter(|status| !super::STATUSES.contains(&status.as_str())) {
        return action(format!("`{status}` is no status: use {}", super::STATUSES.join(" or ")));
    }
    if let Some(address) = then.assignee.as_ref().filter(|address| canonical(address).as_ref() != Some(address)) {
        return action(format!("`{address}` is no address of a user in its canonical form"));
    }
    Ok(())
}

fn matcher(rule: &Rule, field: &RuleField, how: &Comparison) -> Result<Matcher, RuleError> {
    let text = how.text();
    let wrong = |why| RuleError::Value { rule: rule.name.clone(), field: field.clone(), text: text.to_owned(), why };
    if text.len() > TEXT_MAX {
        let start = text[..text.floor_char_boundary(40)].to_owned();
        return Err(RuleError::Value {
            rule: rule.name.clone(),
            field: field.clone(),
            text: start,
            why: "it is longer than 2048 octets",
        });
    }
    if let Some(values) = field.values() {
        let known = matches!(how, Comparison::Is(text) if values.contains(&text.to_lowercase().as_str()));
        if !known {
            return Err(wrong(if values.len() == 2 {
                "write yes or no"
            } else {
                "write yes, no, auto-reply, bounce, list or report"
            }));
        }
    }
    Ok(match how {
        Comparison::Is(text) if field.is_address() => {
            Matcher::Is(canonical(text).ok_or_else(|| wrong("write a whole address, or use `*`"))?)
        }
        Comparison::Is(text) if *field == RuleField::SenderDomain => {
            // Compared as it stands in a canonical address.
            let address = canonical(&format!("x@{text}")).ok_or_else(|| wrong("write a domain, or use `*`"))?;
            Matcher::Is(domain_of(&address).to_owned())
        }
        Comparison::Is(text) => Matcher::Is(text.to_lowercase()),
        Comparison::Like(text) => Matcher::Like(pieces(&text.to_lowercase())),
        Comparison::Matches(text) => Matcher::Matches(
            domain_pattern::search(text).map_err(|error| RuleError::Pattern { rule: rule.name.clone(), error })?,
        ),
    })
}
