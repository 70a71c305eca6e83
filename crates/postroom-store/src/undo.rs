//! Taking back the last thing that a person did with an item, exactly: texts, files, receipts, search and people are as they
//! were. What has happened since stays; where it rests on the change, the change stays too.

use crate::audit::AuditAction;
use crate::changes::{Change, ChangeKind, HistoryEntry, change_by_id, last_undoable, later, record_change};
use crate::items::workspace_of_item;
use crate::moving::{drop_unfit_assignee, place_comment, touch};
use crate::participants::{Proposal, insert_proposal};
use crate::people::user_by_address;
use crate::tx::params;
use crate::work::{assignee_of, change_tags, tags_of};
use crate::workspaces::workspace_id;
use crate::{Noun, Store, StoreError, Tx, search};
use jiff::Timestamp;
use postroom_domain::WorkspaceKey;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::sync::Arc;

impl Store {
    /// The change of an item that [`Store::undo`] would take back: this one, or the last that can be and was not.
    ///
    /// # Errors
    /// `ITEM_UNKNOWN`, `CHANGE_UNKNOWN`, `NOTHING_TO_UNDO`, `UNDO_REFUSED`.
    pub async fn undoable(&self, number: i64, change: Option<i64>) -> Result<HistoryEntry, StoreError> {
        self.read(move |tx| undoable(tx, number, change)).await
    }

    /// Takes back a change of an item; returns it.
    ///
    /// # Errors
    /// Those of [`Store::undoable`]; `UNDO_REFUSED` when something later rests on it.
    pub async fn undo(&self, number: i64, change: Option<i64>, now: Timestamp) -> Result<HistoryEntry, StoreError> {
        let actor = Arc::clone(&self.actor);
        self.change(now, move |tx, notes| {
            tx.take_turn()?;
            let entry = undoable(tx, number, change)?;
            take_back(tx, &entry, now)?;
            touch(tx, &[entry.item], now)?;
            notes.add(AuditAction::ItemUndo, "item", entry.item, json!({ "kind": entry.kind, "change": entry.id }));
            let undone = Change::new(entry.item, ChangeKind::Undone, &actor, now);
            let (other, comment) = (entry.other_item, entry.comment);
            record_change(tx, &Change { other, comment, undoes: Some(entry.id), ..undone })?;
            Ok(entry)
        })
        .await
    }
}

fn undoable(tx: &mut Tx<'_>, number: i64, change: Option<i64>) -> Result<HistoryEntry, StoreError> {
    let Some(id) = change else {
        workspace_of_item(tx, number)?;
        return last_undoable(tx, number)?.ok_or(StoreError::NothingToUndo(number));
    };
    let entry = change_by_id(tx, id)?.filter(|entry| entry.item == number || entry.other_item == Some(number));
    let entry = entry.ok_or_else(|| StoreError::unknown(Noun::Change, id))?;
    if !entry.kind.is_undoable() {
        return refuse(&entry, format!("`{}` is nothing that a person did with the item", entry.kind.as_str()));
    }
    match entry.undone_by {
        Some(by) => refuse(&entry, format!("change {by} has taken it back already")),
        None => Ok(entry),
    }
}

fn refuse<T>(entry: &HistoryEntry, why: impl Into<String>) -> Result<T, StoreError> {
    Err(StoreError::UndoRefused { change: entry.id, why: why.into() })
}

/// A value in the detail of a change.
fn detail<T: DeserializeOwned>(entry: &HistoryEntry, name: &str) -> Result<T, StoreError> {
    let value = entry.detail.get(name).cloned().unwrap_or_default();
    serde_json::from_value(value).map_err(|error| StoreError::bad_value(format!("change {}: {error}", entry.id)))
}

/// That nothing of these kinds has happened to the item since.
fn require_last(tx: &mut Tx<'_>, entry: &HistoryEntry, kinds: &[ChangeKind]) -> Result<(), StoreError> {
    match later(tx, entry, kinds)? {
        Some(other) => refuse(entry, format!("change {other} came later")),
        None => Ok(()),
    }
}

fn take_back(tx: &mut Tx<'_>, entry: &HistoryEntry, now: Timestamp) -> Result<(), StoreError> {
    match entry.kind {
        ChangeKind::Moved => move_back(tx, entry),
        ChangeKind::Closed | ChangeKind::Reopened => set_back(tx, entry),
        ChangeKind::Assigned => assign_back(tx, entry),
        ChangeKind::Tagged => tag_back(tx, entry),
        ChangeKind::Split => join(tx, entry),
        ChangeKind::CommentMoved => return_comment(tx, entry, now),
        ChangeKind::ParticipantAdded => take_participant(tx, entry, now),
        ChangeKind::ParticipantRemoved => give_participant(tx, entry),
        ChangeKind::Opened | ChangeKind::Commented | ChangeKind::Proposed | ChangeKind::Undone => {
            refuse(entry, "it is nothing that a person did with the item")
        }
    }
}

fn move_back(tx: &mut Tx<'_>, entry: &HistoryEntry) -> Result<(), StoreError> {
    require_last(tx, entry, &[ChangeKind::Moved])?;
    let from: WorkspaceKey = detail(entry, "from")?;
    let id = workspace_id(tx, &from)?;
    tx.execute("UPDATE item SET workspace_id = ?2 WHERE number = ?1", params![entry.item, id.0])?;
    let unassigned: Option<String> = detail(entry, "unassigned")?;
    match unassigned {
        // Who was given it meanwhile keeps it, if he may work on it there.
        Some(address) if assignee_of(tx, entry.item)?.is_none() => set_assignee(tx, entry.item, Some(&address)),
        _ => drop_unfit_assignee(tx, entry.item, &from).map(drop),
    }
}

fn set_back(tx: &mut Tx<'_>, entry: &HistoryEntry) -> Result<(), StoreError> {
    require_last(tx, entry, &[ChangeKind::Closed, ChangeKind::Reopened])?;
    let status = if entry.kind == ChangeKind::Closed { "open" } else { "closed" };
    tx.execute("UPDATE item SET status = ?2 WHERE number = ?1", params![entry.item, status]).map(drop)
}

fn assign_back(tx: &mut Tx<'_>, entry: &HistoryEntry) -> Result<(), StoreError> {
    require_last(tx, entry, &[ChangeKind::Assigned, ChangeKind::Moved])?;
    let from: Option<String> = detail(entry, "from")?;
    set_assignee(tx, entry.item, from.as_deref())
}

/// Gives the item back to whom it was assigned to, unless that one may not work on it any more.
fn set_assignee(tx: &mut Tx<'_>, item: i64, address: Option<&str>) -> Result<(), StoreError> {
    let user = address.map_or(Ok(None), |address| user_by_address(tx, address))?;
    let sql = "UPDATE item SET assignee_id = ?2 WHERE number = ?1";
    tx.execute(sql, params![item, user.map(|user| user.id.0)])?;
    let workspace = workspace_of_item(tx, item)?;
    drop_unfit_assignee(tx, item, &workspace).map(drop)
}

fn tag_back(tx: &mut Tx<'_>, entry: &HistoryEntry) -> Result<(), StoreError> {
    let (added, removed): (Vec<String>, Vec<String>) = (detail(entry, "added")?, detail(entry, "removed")?);
    let tags = tags_of(tx, entry.item)?;
    if added.iter().any(|tag| !tags.contains(tag)) || removed.iter().any(|tag| tags.contains(tag)) {
        return refuse(entry, "its tags were changed again");
    }
    change_tags(tx, entry.item, &added, "DELETE FROM tag WHERE item_number = ?1 AND name = ?2")?;
    change_tags(tx, entry.item, &removed, "INSERT INTO tag (item_number, name) VALUES (?1, ?2)").map(drop)
}

/// The item that was made of a comment becomes that comment again. Its number is not given to another.
fn join(tx: &mut Tx<'_>, entry: &HistoryEntry) -> Result<(), StoreError> {
    let (Some(item), Some(comment)) = (entry.other_item, entry.comment) else {
        return Err(StoreError::bad_value(format!("change {}", entry.id)));
    };
    require_untouched(tx, entry, item)?;
    let receipt = tx.query_one("SELECT receipt_id FROM item WHERE number = ?1", params![item])?.opt_int(0)?;
    tx.execute("UPDATE item SET receipt_id = NULL WHERE number = ?1", params![item])?;
    tx.execute(
        "INSERT INTO comment (id, receipt_id, item_number, author_address, author_name, created_at, text, html, quoted_text, \
         identity) SELECT ?2, ?3, ?4, requester_address, requester_name, created_at, text, html, quoted_text, identity \
         FROM item WHERE number = ?1",
        params![item, comment, receipt, entry.item],
    )?;
    let sql = "UPDATE attachment SET item_number = ?2, comment_id = ?3 WHERE item_number = ?1";
    tx.execute(sql, params![item, entry.item, comment])?;
    let sql = "UPDATE receipt SET item_number = ?2, comment_id = ?3 WHERE id = ?1";
    tx.execute(sql, params![receipt, entry.item, comment])?;
    let text = tx.query_one("SELECT text FROM item WHERE number = ?1", params![item])?.text(0)?;
    for table in ["participant", "proposal"] {
        tx.execute(&format!("DELETE FROM {table} WHERE item_number = ?1"), params![item])?;
    }
    tx.execute("DELETE FROM item WHERE number = ?1", params![item])?;
    search::remove_item(tx, item)?;
    search::add_comment(tx, comment, &text)
}

/// That nothing has happened to the new item that would be lost with it.
fn require_untouched(tx: &mut Tx<'_>, entry: &HistoryEntry, item: i64) -> Result<(), StoreError> {
    if tx.query_opt("SELECT 1 FROM comment WHERE item_number = ?1", params![item])?.is_some() {
        return refuse(entry, format!("item {item} has comments"));
    }
    let sql = "SELECT 1 FROM item_link WHERE item_number = ?1 OR target = ?1";
    if tx.query_opt(sql, params![item])?.is_some() {
        return refuse(entry, format!("another item has a link with item {item}"));
    }
    let sql = "SELECT c.id FROM change c WHERE (c.item_number = ?1 OR c.other_item = ?1) AND c.id > ?2 \
               AND c.kind NOT IN ('opened', 'undone') AND NOT EXISTS (SELECT 1 FROM change u WHERE u.undoes = c.id) LIMIT 1";
    match tx.query_opt(sql, params![item, entry.id])? {
        Some(mut row) => refuse(entry, format!("something was done with item {item}: change {}", row.int(0)?)),
        None => Ok(()),
    }
}

fn return_comment(tx: &mut Tx<'_>, entry: &HistoryEntry, now: Timestamp) -> Result<(), StoreError> {
    let (Some(target), Some(comment)) = (entry.other_item, entry.comment) else {
        return Err(StoreError::bad_value(format!("change {}", entry.id)));
    };
    let sql = "SELECT item_number FROM comment WHERE id = ?1";
    let at = tx.query_opt(sql, params![comment])?.map(|mut row| row.int(0)).transpose()?;
    if at != Some(target) {
        return refuse(entry, format!("comment {comment} is not on item {target} any more"));
    }
    // It may have come back by the same way.
    let sql = "SELECT c.id FROM change c WHERE c.comment_id = ?1 AND c.id > ?2 AND c.kind IN ('comment-moved', 'split') \
               AND NOT EXISTS (SELECT 1 FROM change u WHERE u.undoes = c.id) LIMIT 1";
    if let Some(mut row) = tx.query_opt(sql, params![comment, entry.id])? {
        return refuse(entry, format!("change {} came later", row.int(0)?));
    }
    place_comment(tx, comment, entry.item)?;
    let proposed: Option<String> = detail(entry, "proposed")?;
    if let Some(address) = proposed {
        let sql = "DELETE FROM proposal WHERE item_number = ?1 AND address = ?2 AND why = 'moved'";
        tx.execute(sql, params![target, &address])?;
    }
    touch(tx, &[target], now)
}

fn take_participant(tx: &mut Tx<'_>, entry: &HistoryEntry, now: Timestamp) -> Result<(), StoreError> {
    let address: String = detail(entry, "address")?;
    let sql = "DELETE FROM participant WHERE item_number = ?1 AND address = ?2 AND role = 'added'";
    if tx.execute(sql, params![entry.item, &address])? == 0 {
        return refuse(entry, "that one takes no part any more");
    }
    let proposal: Option<Proposal> = detail(entry, "proposal")?;
    proposal.map_or(Ok(()), |proposal| insert_proposal(tx, entry.item, &proposal, now).map(drop))
}

fn give_participant(tx: &mut Tx<'_>, entry: &HistoryEntry) -> Result<(), StoreError> {
    let (address, role): (String, String) = (detail(entry, "address")?, detail(entry, "role")?);
    if role == "proposed" {
        let sql = "UPDATE proposal SET declined = FALSE WHERE item_number = ?1 AND address = ?2";
        return tx.execute(sql, params![entry.item, &address]).map(drop);
    }
    let name: String = detail(entry, "name")?;
    let sql = "INSERT INTO participant (item_number, address, name, role) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT (item_number, address) DO NOTHING";
    if tx.execute(sql, params![entry.item, &address, &name, &role])? == 0 {
        return refuse(entry, "that one takes part again");
    }
    Ok(())
}
