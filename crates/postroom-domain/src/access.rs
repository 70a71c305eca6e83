//! Who may do what: one function, asked by the pages, by the command line where it acts for a person, and by mail. What it
//! does not allow is denied. The table that follows from it is in `docs/access.md`, and a test compares the two.

use crate::{Item, Membership, Party, Role, User, WorkspaceKey};

/// Somebody who wants something.
#[derive(Debug, Clone, Copy)]
pub enum Actor<'a> {
    /// A registered user, also one whose account is not in use any more: that one may nothing.
    User(&'a User),
    /// Somebody without an account, by canonical address.
    Contact(&'a str),
    /// Nobody in particular: mail that names no usable author, or several.
    Nobody,
}

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Look at it.
    See,
    /// Read the original messages behind an item, with their header fields, and why they ended there.
    ReadOriginal,
    /// Open an item in a workspace. Mail opens items by the rules of its mailbox instead.
    Create,
    /// Open an item by mail in the name of somebody whose mail one forwards.
    Credit,
    /// Comment on an item.
    Comment,
    /// Change an item: status, assignee, tags, participants.
    Edit,
    /// Move an item out of its workspace, or into a workspace: whoever moves needs both.
    Move,
    /// Make an item of a comment, or move a comment to another item.
    Split,
    /// Retry or release a receipt, or release into a workspace.
    Handle,
    /// Change the settings of a workspace, or those of the installation.
    Configure,
}

/// What somebody wants to do it with.
#[derive(Debug, Clone, Copy)]
pub enum Object<'a> {
    /// An item with its comments and attachments.
    Item {
        /// The workspace it is in.
        workspace: &'a WorkspaceKey,
        /// Whether the actor is one of its participants.
        takes_part: bool,
    },
    /// A receipt.
    Receipt {
        /// Whether the store found it when asked for those of the workspaces in [`managed`]: the workspace of its item,
        /// else the one that its mailbox feeds.
        of_own_workspace: bool,
    },
    /// Things of a workspace as a whole.
    Workspace(&'a WorkspaceKey),
    /// The page of receipts itself; what stands on it is asked for one by one.
    Journal,
    /// The mailboxes and how their visits go.
    Mailboxes,
    /// Users, mailboxes and the rules that hold everywhere.
    Installation,
}

/// Whether `actor` may do `action` with `object`.
///
/// An admin may everything. A member sees the items of the workspace and their originals, and from reporter on comments;
/// agents also work on them; managers also handle the receipts and change the settings. A participant sees the item and
/// comments on it, whether registered or not, but does not see the original messages of the others, whose header fields
/// say more than the item does. Whose account is not in use may nothing, not even as a participant. Nobody else may
/// anything.
pub fn authorize(actor: Actor<'_>, action: Action, object: Object<'_>) -> bool {
    if let Actor::User(user) = actor {
        if !user.active {
            return false;
        }
        if user.admin {
            return true;
        }
    }
    let role = |workspace: &WorkspaceKey| actor.role_in(workspace);
    // Nobody in particular takes part in nothing.
    let by_part = |takes_part: bool| takes_part && !matches!(actor, Actor::Nobody);
    match (action, object) {
        (Action::See, Object::Item { workspace, takes_part }) => by_part(takes_part) || role(workspace).is_some(),
        (Action::Comment, Object::Item { workspace, takes_part }) => {
            by_part(takes_part) || role(workspace) >= Some(Role::Reporter)
        }
        (Action::ReadOriginal, Object::Item { workspace, .. }) => role(workspace).is_some(),
        (Action::Edit | Action::Move | Action::Split, Object::Item { workspace, .. }) => {
            role(workspace) >= Some(Role::Agent)
        }
        (Action::See, Object::Workspace(key)) => role(key).is_some(),
        (Action::Create, Object::Workspace(key)) => role(key) >= Some(Role::Reporter),
        (Action::Credit | Action::Move, Object::Workspace(key)) => role(key) >= Some(Role::Agent),
        (Action::Handle | Action::Configure, Object::Workspace(key)) => role(key) >= Some(Role::Manager),
        (Action::See | Action::Handle, Object::Receipt { of_own_workspace }) => of_own_workspace && actor.manages_any(),
        (Action::See, Object::Journal) => actor.manages_any(),
        _ => false,
    }
}

impl<'a> Actor<'a> {
    /// Whoever writes from this canonical address, with the account that it belongs to, if there is one.
    pub fn of(account: Option<&'a User>, address: Option<&'a str>) -> Self {
        match (account, address) {
            (Some(user), _) => Self::User(user),
            (None, Some(address)) => Self::Contact(address),
            (None, None) => Self::Nobody,
        }
    }

    /// Every address that is known to be this actor's.
    pub fn addresses(self) -> impl Iterator<Item = &'a str> {
        let (main, aliases): (Option<&str>, &[String]) = match self {
            Self::User(user) => (Some(&user.address), &user.aliases),
            Self::Contact(address) => (Some(address), &[]),
            Self::Nobody => (None, &[]),
        };
        main.into_iter().chain(aliases.iter().map(String::as_str)).filter(|address| !address.is_empty())
    }

    /// Whether one of these people is this actor.
    pub fn is_among(self, people: &[Party]) -> bool {
        self.addresses().any(|address| people.iter().any(|party| party.address == address))
    }

    fn role_in(self, workspace: &WorkspaceKey) -> Option<Role> {
        match self {
            Self::User(user) => user.role_in(workspace),
            Self::Contact(_) | Self::Nobody => None,
        }
    }

    fn manages_any(self) -> bool {
        matches!(self, Self::User(user) if user.memberships.iter().any(manages))
    }
}

impl<'a> Object<'a> {
    /// An item, as this actor stands to it.
    pub fn item(item: &'a Item, actor: Actor<'_>) -> Self {
        Self::Item { workspace: &item.workspace, takes_part: actor.is_among(&item.participants) }
    }
}

fn manages(member: &Membership) -> bool {
    member.role >= Role::Manager
}

/// The workspaces whose receipts the user may see; `None` is all of them.
pub fn managed(user: &User) -> Option<Vec<WorkspaceKey>> {
    let keys = user.memberships.iter().filter(|member| manages(member)).map(|member| member.workspace.clone());
    (!user.admin).then(|| keys.collect())
}

/// The workspaces whose items the user sees as a member; `None` is all of them.
pub fn joined(user: &User) -> Option<Vec<WorkspaceKey>> {
    (!user.admin).then(|| user.memberships.iter().map(|member| member.workspace.clone()).collect())
}

#[cfg(test)]
mod tests;
