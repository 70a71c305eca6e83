//! Who may do what: one function, asked by every handler. What it does not allow is denied.

use postroom_domain::{Item, Role, User, WorkspaceKey};

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Look at it.
    See,
    /// Read the original message behind an item, with its header fields.
    ReadOriginal,
    /// Retry or release.
    Handle,
}

/// What somebody wants to do it with.
#[derive(Debug, Clone, Copy)]
pub enum Object<'a> {
    /// An item with its comments and attachments.
    Item(&'a Item),
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
}

/// Whether `user` may do `action` with `object`.
///
/// An admin may everything. A member sees the items of the workspace and their originals; a participant sees the item,
/// but not the original messages of the others, whose header fields say more than the item does. Managers see and
/// handle the receipts of their workspaces. Nobody else may anything.
pub fn authorize(user: &User, action: Action, object: Object<'_>) -> bool {
    if !user.active {
        return false;
    }
    if user.admin {
        return true;
    }
    let role = |workspace: &WorkspaceKey| user.role_in(workspace);
    match (action, object) {
        (Action::See, Object::Item(item)) => role(&item.workspace).is_some() || takes_part(user, item),
        (Action::ReadOriginal, Object::Item(item)) => role(&item.workspace).is_some(),
        (Action::See, Object::Workspace(key)) => role(key).is_some(),
        (Action::Handle, Object::Workspace(key)) => role(key) >= Some(Role::Manager),
        (Action::See | Action::Handle, Object::Receipt { of_own_workspace }) => of_own_workspace && manages_any(user),
        (Action::See, Object::Journal) => manages_any(user),
        _ => false,
    }
}

fn manages_any(user: &User) -> bool {
    user.memberships.iter().any(|member| member.role >= Role::Manager)
}

/// The workspaces whose receipts the user may see; `None` is all of them.
pub(crate) fn managed(user: &User) -> Option<Vec<WorkspaceKey>> {
    let manages = |member: &&postroom_domain::Membership| member.role >= Role::Manager;
    (!user.admin).then(|| user.memberships.iter().filter(manages).map(|member| member.workspace.clone()).collect())
}

/// The workspaces whose items the user sees as a member; `None` is all of them.
pub(crate) fn joined(user: &User) -> Option<Vec<WorkspaceKey>> {
    (!user.admin).then(|| user.memberships.iter().map(|member| member.workspace.clone()).collect())
}

fn takes_part(user: &User, item: &Item) -> bool {
    let is_theirs = |address: &str| {
        !address.is_empty() && (user.address == address || user.aliases.iter().any(|alias| alias == address))
    };
    item.participants.iter().any(|party| is_theirs(&party.address)) || is_theirs(&item.requester.address)
}
