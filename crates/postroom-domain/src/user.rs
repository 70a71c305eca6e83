//! Registered people and what they may do where.

use crate::WorkspaceKey;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

crate::id!(
    /// A registered user in the store.
    UserId
);

/// A registered user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct User {
    /// Number in the store.
    #[serde(skip)]
    pub id: UserId,
    /// Canonical main address.
    pub address: String,
    /// Name for people; may be empty.
    pub name: String,
    /// Whether the user may do everything everywhere.
    pub admin: bool,
    /// Whether the account is in use. Mail of a deactivated user is mail of an unknown sender.
    pub active: bool,
    /// Further addresses, canonical.
    pub aliases: Vec<String>,
    /// Workspaces the user belongs to.
    pub memberships: Vec<Membership>,
}

impl User {
    /// The user's role in a workspace; an admin is a manager everywhere.
    pub fn role_in(&self, workspace: &WorkspaceKey) -> Option<Role> {
        if self.admin {
            return Some(Role::Manager);
        }
        self.memberships.iter().find(|m| m.workspace == *workspace).map(|m| m.role)
    }
}

/// A user's place in one workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Membership {
    /// The workspace.
    pub workspace: WorkspaceKey,
    /// What the user may do there.
    pub role: Role,
}

/// What a member may do in a workspace; each role may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees.
    Reader,
    /// Also creates and comments.
    Reporter,
    /// Also edits, moves, closes.
    Agent,
    /// Also changes the workspace's settings.
    Manager,
}

impl Role {
    /// All roles, weakest first.
    pub const ALL: [Self; 4] = [Self::Reader, Self::Reporter, Self::Agent, Self::Manager];

    /// The name used on the command line, in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Reporter => "reporter",
            Self::Agent => "agent",
            Self::Manager => "manager",
        }
    }
}

/// The text is no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no role: use reader, reporter, agent or manager")]
pub struct NotARole(String);

impl FromStr for Role {
    type Err = NotARole;

    fn from_str(text: &str) -> Result<Self, NotARole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| NotARole(text.to_owned()))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
