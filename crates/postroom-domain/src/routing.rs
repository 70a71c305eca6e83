//! Routing rules: where new items go, who gets them, and what is held, by what a message shows of itself.
//!
//! An admin writes an ordered list of rules. A rule has tests, of which all or any must hold, and says what is to be done
//! then. The first rule that says something about a workspace, an assignee or a status decides it; tags add up; a rule
//! that holds, or that stops, ends the list for this message. Rules place new items and never touch what is there: a
//! comment is neither moved nor changed by one, only held.
//!
//! Read in this order: here (what a rule is), `field`, `text` (how a test is written), `set` (how rules are applied),
//! `edit` (how a list is changed), `lint` (what in a list is of no use).

mod edit;
mod field;
mod lint;
mod set;
mod text;

use crate::WorkspaceKey;
use crate::domain_pattern::PatternError;
use serde::{Deserialize, Serialize};
use std::fmt;

pub use edit::{Place, RuleEdit, edit};
pub use field::RuleField;
pub use lint::{RuleLint, lint, lint_assignees};
pub use set::{Routed, RuleSet};
pub use text::NotATest;

/// Rules in one list.
pub const RULES_MAX: usize = 500;
/// Tests of one rule.
pub const TESTS_MAX: usize = 50;
/// Tags that one rule gives.
pub const TAGS_MAX: usize = 20;
/// Characters of a rule's name.
pub const NAME_MAX: usize = 64;
/// Octets of the text of a test.
pub const TEXT_MAX: usize = 2048;

/// One rule. Its JSON is what `rule export` writes and `rule import` reads.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, unique in the list whatever the case.
    pub name: String,
    /// The one mailbox for whose mail it is asked; `None` for all.
    #[serde(default)]
    pub mailbox: Option<String>,
    /// Whether it is passed over.
    #[serde(default)]
    pub paused: bool,
    /// When it applies.
    #[serde(rename = "if", default)]
    pub when: When,
    /// What is done then.
    #[serde(default)]
    pub then: Then,
}

/// How the tests of a rule are joined. No test at all holds for every message with `All`, and for none with `Any`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// All of them must hold.
    All(Vec<Test>),
    /// One of them must hold.
    Any(Vec<Test>),
}

impl Default for When {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

impl When {
    /// The tests.
    pub fn tests(&self) -> &[Test] {
        match self {
            Self::All(tests) | Self::Any(tests) => tests,
        }
    }
}

/// One test: whether a field of the message is, is like, or matches a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenTest", into = "WrittenTest")]
pub struct Test {
    /// What is looked at. Of several values one must fit.
    pub field: RuleField,
    /// How, and with what.
    pub how: Comparison,
    /// Whether it must not fit instead.
    pub not: bool,
}

/// How a value is compared; never with regard to case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// It is this text.
    Is(String),
    /// It is this text, in which `*` stands for anything, and `\*` for an asterisk.
    Like(String),
    /// This Perl 5 pattern is found in it. One that reaches its match limit makes the rule not apply.
    Matches(String),
}

impl Comparison {
    /// The text.
    pub fn text(&self) -> &str {
        match self {
            Self::Is(text) | Self::Like(text) | Self::Matches(text) => text,
        }
    }
}

/// What a rule does. Nothing of it touches a message that becomes a comment, but `hold` and `stop`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Then {
    /// Where the new item goes.
    #[serde(default)]
    pub workspace: Option<WorkspaceKey>,
    /// Address of the user who gets it, if that user may work in the workspace where it goes.
    #[serde(default)]
    pub assignee: Option<String>,
    /// Its status.
    #[serde(default)]
    pub status: Option<String>,
    /// Its tags, besides those of other rules.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Whether the message is held.
    #[serde(default)]
    pub hold: bool,
    /// Whether no further rule is asked.
    #[serde(default)]
    pub stop: bool,
}

impl Then {
    /// Whether it ends the list.
    pub fn ends(&self) -> bool {
        self.hold || self.stop
    }
}

/// The statuses that a rule can give.
pub const STATUSES: &[&str] = &["open", "closed"];

/// A rule or a list that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The name is empty, too long, or has control characters.
    #[error("a rule has a name of 1 to {NAME_MAX} characters without control characters, not `{0}`")]
    Name(String),
    /// Two rules have it.
    #[error("there is already a rule `{0}`")]
    Taken(String),
    /// No rule has it.
    #[error("there is no rule `{0}`")]
    Unknown(String),
    /// It is to be moved to a place that it names itself.
    #[error("rule `{0}` cannot stand before or after itself")]
    BesideItself(String),
    /// Too many of something.
    #[error("{what}: at most {most}")]
    TooMany {
        /// Of what, for example `rules`.
        what: &'static str,
        /// How many there may be.
        most: usize,
    },
    /// The text of a test means nothing for its field.
    #[error("rule `{rule}`: `{text}` is no value of {field}: {why}")]
    Value {
        /// Which rule.
        rule: String,
        /// Which field.
        field: RuleField,
        /// The text.
        text: String,
        /// What it should be.
        why: &'static str,
    },
    /// A pattern cannot be used.
    #[error("rule `{rule}`: {error}")]
    Pattern {
        /// Which rule.
        rule: String,
        /// Why.
        error: PatternError,
    },
    /// Something that is done cannot be done.
    #[error("rule `{rule}`: {why}")]
    Action {
        /// Which rule.
        rule: String,
        /// Why not.
        why: String,
    },
}

/// A test as JSON has it: `{"field":"subject","like":"*invoice*"}`.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct WrittenTest {
    field: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    is: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    like: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    matches: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    not: bool,
}

impl utoipa::PartialSchema for Test {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        WrittenTest::schema()
    }
}

impl utoipa::ToSchema for Test {}

impl TryFrom<WrittenTest> for Test {
    type Error = NotATest;

    fn try_from(written: WrittenTest) -> Result<Self, NotATest> {
        let how = match (written.is, written.like, written.matches) {
            (Some(text), None, None) => Comparison::Is(text),
            (None, Some(text), None) => Comparison::Like(text),
            (None, None, Some(text)) => Comparison::Matches(text),
            _ => return Err(NotATest::Comparison(written.field)),
        };
        Ok(Self { field: written.field.parse()?, how, not: written.not })
    }
}

impl From<Test> for WrittenTest {
    fn from(test: Test) -> Self {
        let mut written = Self { field: test.field.to_string(), is: None, like: None, matches: None, not: test.not };
        match test.how {
            Comparison::Is(text) => written.is = Some(text),
            Comparison::Like(text) => written.like = Some(text),
            Comparison::Matches(text) => written.matches = Some(text),
        }
        written
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tests, join) = match self {
            Self::All(tests) if tests.is_empty() => return f.write_str("every message"),
            Self::Any(tests) if tests.is_empty() => return f.write_str("no message"),
            Self::All(tests) => (tests, " and "),
            Self::Any(tests) => (tests, " or "),
        };
        for (n, test) in tests.iter().enumerate() {
            write!(f, "{}{test}", if n > 0 { join } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Then {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut done: Vec<String> = Vec::new();
        done.extend(self.workspace.as_ref().map(|key| format!("workspace {key}")));
        done.extend(self.assignee.as_ref().map(|address| format!("assignee {address}")));
        done.extend(self.status.as_ref().map(|status| format!("status {status}")));
        done.extend(self.tags.iter().map(|tag| format!("tag {tag}")));
        done.extend(self.hold.then(|| "hold".to_owned()));
        done.extend(self.stop.then(|| "stop".to_owned()));
        f.write_str(if done.is_empty() { "nothing" } else { "" })?;
        f.write_str(&done.join(", "))
    }
}

#[cfg(test)]
mod tests;
