//! Moving: an item into another workspace, a comment onto another item, and a comment that becomes an item of its own.

use crate::audit::AuditAction;
use crate::changes::{Change, ChangeKind, record_change};
use crate::items::{next_item_number, workspace_of_item};
use crate::participants::{Proposal, Why, propose};
use crate::people::user_by_id;
use crate::search;
use crate::tx::params;
use crate::workspaces::workspace_id;
use crate::{Noun, Store, StoreError, Tx};
use jiff::Timestamp;
use postroom_domain::filing::title_of;
use postroom_domain::{Action, Actor, Object, UserId, WorkspaceKey, authorize};
use serde_json::json;
use std::sync::Arc;

impl Store {
    /// Moves an item into another workspace. Whom it is assigned to keeps it only who may work on it there.
    ///
    /// # Errors
    /// `ITEM_UNKNOWN`, `WORKSPACE_UNKNOWN`.
    pub async fn move_item(&self, number: i64, workspace: &WorkspaceKey, now: Timestamp) -> Result<(), StoreError> {
        let (workspace, actor) = (workspace.clone(), Arc::clone(&self.actor));
        self.change(now, move |tx, notes| {
            tx.take_turn()?;
            let from = workspace_of_item(tx, number)?;
            let to = workspace_id(tx, &workspace)?;
            if from == workspace {
                return Ok(());
            }
            let dropped = drop_unfit_assignee(tx, number, &workspace)?;
            let sql = "UPDATE item SET workspace_id = ?2, updated_at = ?3 WHERE number = ?1";
            tx.execute(sql, params![number, to.0, now])?;
            notes.add(AuditAction::ItemMove, "item", number, json!({ "from": from, "to": workspace }));
            let detail = json!({ "from": from, "to": workspace, "unassigned": dropped });
            record_change(tx, &Change { detail, ..Change::new(number, ChangeKind::Moved, &actor, now) })
        })
        .await
    }

    /// Makes an item of its own out of a comment, in the same workspace, with the comment's author as requester and its
    /// attachments; returns the number of the new item.
    ///
    /// # Errors
    /// `ITEM_UNKNOWN`, `COMMENT_UNKNOWN`.
    pub async fn split_comment(&self, number: i64, comment: i64, now: Timestamp) -> Result<i64, StoreError> {
        let actor = Arc::clone(&self.actor);
        self.change(now, move |tx, notes| {
            tx.take_turn()?;
            require_comment(tx, number, comment)?;
            let new = split_comment(tx, number, comment, &actor, now)?;
            notes.add(AuditAction::ItemSplit, "item", number, json!({ "comment": comment, "new": new }));
            Ok(new)
        })
        .await
    }

    /// Moves a comment with its attachments onto another item. Its author gets no part in that one by it, but is proposed.
    ///
    /// # Errors
    /// `ITEM_UNKNOWN`, `COMMENT_UNKNOWN`.
    pub async fn move_comment(&self, number: i64, comment: i64, target: i64, now: Timestamp) -> Result<(), StoreError> {
        let actor = Arc::clone(&self.actor);
        self.change(now, move |tx, notes| {
            tx.take_turn()?;
            require_comment(tx, number, comment)?;
            workspace_of_item(tx, target)?;
            if number == target {
                return Ok(());
            }
            place_comment(tx, comment, target)?;
            touch(tx, &[number, target], now)?;
            notes.add(AuditAction::ItemMoveComment, "item", number, json!({ "comment": comment, "to": target }));
            let sql = "SELECT author_address, author_name FROM comment WHERE id = ?1";
            let mut row = tx.query_one(sql, params![comment])?;
            let (address, name) = (row.text(0)?, row.text(1)?);
            let proposal = Proposal { address, name, why: Why::Moved, key_of: None, from_item: Some(number) };
            let proposed = propose(tx, target, &proposal, now)?;
            let detail = json!({ "proposed": proposed.then_some(proposal.address) });
            let change = Change::new(number, ChangeKind::CommentMoved, &actor, now);
            record_change(tx, &Change { other: Some(target), comment: Some(comment), detail, ..change })
        })
        .await
    }
}

/// That the comment is on this item.
fn require_comment(tx: &mut Tx<'_>, number: i64, comment: i64) -> Result<(), StoreError> {
    workspace_of_item(tx, number)?;
    let sql = "SELECT 1 FROM comment WHERE id = ?1 AND item_number = ?2";
    let found = tx.query_opt(sql, params![comment, number])?;
    found.map(drop).ok_or_else(|| StoreError::unknown(Noun::Comment, comment))
}

/// Puts a comment with its attachments and its receipt onto an item.
pub(crate) fn place_comment(tx: &mut Tx<'_>, comment: i64, item: i64) -> Result<(), StoreError> {
    tx.execute("UPDATE comment SET item_number = ?2 WHERE id = ?1", params![comment, item])?;
    tx.execute("UPDATE attachment SET item_number = ?2 WHERE comment_id = ?1", params![comment, item])?;
    tx.execute("UPDATE receipt SET item_number = ?2 WHERE comment_id = ?1", params![comment, item]).map(drop)
}

/// Notes on items that they changed.
pub(crate) fn touch(tx: &mut Tx<'_>, items: &[i64], now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE item SET updated_at = ?2 WHERE number = ?1";
    items.iter().try_for_each(|item| tx.execute(sql, params![*item, now]).map(drop))
}

/// Takes the item from whom it is assigned to, if that one may not work on items of this workspace; returns the address.
pub(crate) fn drop_unfit_assignee(
    tx: &mut Tx<'_>,
    item: i64,
    workspace: &WorkspaceKey,
) -> Result<Option<String>, StoreError> {
    let mut row = tx.query_one("SELECT assignee_id FROM item WHERE number = ?1", params![item])?;
    let Some(id) = row.opt_int(0)? else { return Ok(None) };
    let Some(user) = user_by_id(tx, UserId(id))? else { return Ok(None) };
    if authorize(Actor::User(&user), Action::Edit, Object::Item { workspace, takes_part: false }) {
        return Ok(None);
    }
    tx.execute("UPDATE item SET assignee_id = NULL WHERE number = ?1", params![item])?;
    Ok(Some(user.address))
}

fn split_comment(tx: &mut Tx<'_>, number: i64, comment: i64, actor: &str, now: Timestamp) -> Result<i64, StoreError> {
    let sql = "SELECT c.receipt_id, r.subject, i.title, c.author_address, c.author_name, c.text FROM comment c \
               JOIN item i ON i.number = c.item_number LEFT JOIN receipt r ON r.id = c.receipt_id WHERE c.id = ?1";
    let mut row = tx.query_one(sql, params![comment])?;
    let (receipt, subject, old_title) = (row.opt_int(0)?, row.opt_text(1)?, row.text(2)?);
    let (address, name, text) = (row.text(3)?, row.text(4)?, row.text(5)?);
    let title = title_of(&subject.unwrap_or(old_title));
    // The comment gives up its receipt first: a receipt belongs to one item or one comment.
    tx.execute("UPDATE comment SET receipt_id = NULL WHERE id = ?1", params![comment])?;
    let new = next_item_number(tx)?;
    tx.execute(
        "INSERT INTO item (number, receipt_id, workspace_id, title, status, requester_address, requester_name, created_at, \
         updated_at, text, html, quoted_text, identity) SELECT ?2, ?3, i.workspace_id, ?4, 'open', c.author_address, c.author_name, \
         c.created_at, ?5, c.text, c.html, c.quoted_text, c.identity FROM comment c JOIN item i ON i.number = c.item_number WHERE c.id = ?1",
        params![comment, new, receipt, &title, now],
    )?;
    tx.execute(
        "UPDATE attachment SET item_number = ?2, comment_id = NULL WHERE comment_id = ?1",
        params![comment, new],
    )?;
    tx.execute("UPDATE receipt SET item_number = ?2, comment_id = NULL WHERE comment_id = ?1", params![comment, new])?;
    tx.execute("DELETE FROM comment WHERE id = ?1", params![comment])?;
    if !address.is_empty() {
        tx.execute(
            "INSERT INTO participant (item_number, address, name, role) VALUES (?1, ?2, ?3, 'requester')",
            params![new, &address, &name],
        )?;
    }
    touch(tx, &[number], now)?;
    search::remove_comment(tx, comment)?;
    search::add_item(tx, new, &title, &text)?;
    let split = Change::new(number, ChangeKind::Split, actor, now);
    record_change(tx, &Change { other: Some(new), comment: Some(comment), ..split })?;
    let opened = Change::new(new, ChangeKind::Opened, actor, now);
    record_change(tx, &Change { receipt: receipt.map(postroom_domain::ReceiptId), ..opened })?;
    Ok(new)
}
