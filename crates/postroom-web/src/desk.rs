//! What people do with items, for the pages and the API alike: each asks first whether the person may, and acts in their name.

use crate::App;
use crate::failure::Failure;
use crate::item::item_for;
use jiff::Timestamp;
use postroom_domain::{Action, Actor, Object, User, WorkspaceKey, authorize};
use postroom_store::{ChangeKind, HistoryEntry, StoreError};

/// A change of an item that can be taken back alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is done.
    Close,
    /// It is not done after all.
    Reopen,
    /// Somebody gets it, by address, or nobody.
    Assign(Option<String>),
    /// A tag more.
    Tag(String),
    /// A tag less.
    Untag(String),
    /// It goes to another workspace.
    Move(WorkspaceKey),
    /// Somebody takes part from now on, by address and name.
    Admit(String, Option<String>),
    /// Somebody takes no part any more, or is not proposed any more.
    Drop(String),
}

/// Changes an item.
pub(crate) async fn change(app: &App, user: &User, number: i64, change: Change) -> Result<(), Failure> {
    let action = if matches!(change, Change::Move(_)) { Action::Move } else { Action::Edit };
    item_for(app, user, action, number).await?;
    let (store, now) = (app.by(user), Timestamp::now());
    match change {
        Change::Close => store.close_item(number, now).await?,
        Change::Reopen => store.reopen_item(number, now).await?,
        // The item was found: who is unknown now is whom the change names.
        Change::Assign(to) => store.assign_item(number, to.as_deref(), now).await.map_err(Failure::Store)?,
        Change::Tag(tag) => store.tag_item(number, &[tag], &[], now).await?,
        Change::Untag(tag) => store.tag_item(number, &[], &[tag], now).await?,
        Change::Move(workspace) => {
            may_move_into(user, &workspace)?;
            store.move_item(number, &workspace, now).await?;
        }
        Change::Admit(address, name) => store.add_participant(number, &address, name.as_deref(), now).await?,
        Change::Drop(address) => store.remove_participant(number, &address, now).await?,
    }
    Ok(())
}

/// Whether items may be moved into this workspace by this person; what is not theirs does not exist.
fn may_move_into(user: &User, workspace: &WorkspaceKey) -> Result<(), Failure> {
    match authorize(Actor::User(user), Action::Move, Object::Workspace(workspace)) {
        true => Ok(()),
        false => Err(Failure::NotFound),
    }
}

/// Comments on an item, as one may by mail, or leaves an internal note among the members. Returns the comment's number.
pub(crate) async fn comment(app: &App, user: &User, number: i64, text: &str, internal: bool) -> Result<i64, Failure> {
    item_for(app, user, Action::Comment, number).await?;
    if internal {
        // Who may not see notes writes none.
        item_for(app, user, Action::ReadOriginal, number).await?;
    }
    Ok(app.by(user).comment_item(number, user, text, internal, Timestamp::now()).await?)
}

/// Takes back a change of an item, the last that can be if none is named. That needs what doing it needs, on everything that it
/// touches.
pub(crate) async fn undo(app: &App, user: &User, number: i64, change: Option<i64>) -> Result<HistoryEntry, Failure> {
    item_for(app, user, Action::Edit, number).await?;
    let entry = app.store.undoable(number, change).await?;
    for item in [Some(entry.item), entry.other_item].into_iter().flatten() {
        item_for(app, user, Action::Edit, item).await?;
    }
    if entry.kind == ChangeKind::Moved {
        let back = entry.detail["from"].as_str().and_then(|key| key.parse().ok()).ok_or(Failure::NotFound)?;
        may_move_into(user, &back)?;
    }
    Ok(app.by(user).undo(number, Some(entry.id), Timestamp::now()).await?)
}

/// The number of the change that this person has just made to an item, so that it can be taken back; `None` where there was
/// nothing to change.
pub(crate) async fn last_change(app: &App, number: i64) -> Result<Option<i64>, Failure> {
    match app.store.undoable(number, None).await {
        Ok(entry) => Ok(Some(entry.id)),
        Err(StoreError::NothingToUndo(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
