//! Workspaces: where items live.

use crate::Unverified;
use crate::closed::{ClosedItems, REOPENINGS_A_DAY};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

crate::id!(
    /// A workspace in the store.
    WorkspaceId
);

/// A workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Workspace {
    /// Its number in the store.
    #[serde(skip)]
    pub id: WorkspaceId,
    /// Short name, for example `SUP`.
    pub key: WorkspaceKey,
    /// Name for people.
    pub name: String,
    /// Whether items of mailboxes that name no workspace come here.
    pub default: bool,
    /// Its own rules.
    pub policy: WorkspacePolicy,
}

/// The rules of one workspace. What is not there in a stored one has its first value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct WorkspacePolicy {
    /// What a known sender may do of whom nothing proves that he wrote the message.
    pub unverified: Unverified,
    /// What mail on a closed item does.
    pub closed: ClosedItems,
    /// How often mail may open one item again within a day; beyond it, it is a comment only.
    pub reopen_limit: u32,
    /// Whether the author of what an agent forwards is credited without being asked for.
    pub forward_credit: bool,
    /// Days after which held mail is deleted here, as far as a rule held it; `None` keeps it for ever.
    pub retain_held_days: Option<u32>,
}

impl Default for WorkspacePolicy {
    fn default() -> Self {
        Self {
            unverified: Unverified::default(),
            closed: ClosedItems::default(),
            reopen_limit: REOPENINGS_A_DAY,
            forward_credit: false,
            retain_held_days: None,
        }
    }
}

/// The short name of a workspace: 1 to 16 letters, digits or `-`, beginning with a letter, upper case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[A-Z][A-Z0-9-]{0,15}$")]
pub struct WorkspaceKey(String);

/// The text cannot be a workspace key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot be a workspace key: use 1 to 16 letters, digits or `-`, beginning with a letter")]
pub struct NotAKey(String);

impl FromStr for WorkspaceKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let starts_well = text.starts_with(|c: char| c.is_ascii_alphabetic());
        let valid = text.len() <= 16 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if starts_well && valid { Ok(Self(text.to_ascii_uppercase())) } else { Err(NotAKey(text.to_owned())) }
    }
}

impl TryFrom<String> for WorkspaceKey {
    type Error = NotAKey;

    fn try_from(text: String) -> Result<Self, NotAKey> {
        text.parse()
    }
}

impl From<WorkspaceKey> for String {
    fn from(key: WorkspaceKey) -> Self {
        key.0
    }
}

impl WorkspaceKey {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WorkspaceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
