//! What people do with an item: close it and open it again, assign it, tag it.

use crate::audit::AuditAction;
use crate::changes::{Change, ChangeKind, record_change};
use crate::items::workspace_of_item;
use crate::moving::touch;
use crate::opening::add_participant;
use crate::people::user_by_address;
use crate::search;
use crate::tx::params;
use crate::{Noun, Store, StoreError, Tx};
use jiff::Timestamp;
use postroom_domain::item::{TAG_MAX, TAGS_MAX, is_tag};
use postroom_domain::{Action, Actor, Object, ReceiptId, User, authorize};
use postroom_mail::address::canonical;
use serde_json::{Value, json};
use std::sync::Arc;

/// Octets of a comment that is not written by mail.
pub const COMMENT_MAX: usize = 1 << 20;

impl Store {
    /// Closes an item. One that is closed stays so.
    ///
    /// # Errors
    /// `ITEM_UNKNOWN`.
    pub async fn close_item(&self, number: i64, now: Timestamp) -> Result<(), StoreError> {
        let actor = Arc::clone(&self.actor);
        self.change(now, move |tx, notes| {
            tx.take_turn()?;
            if set_status(tx, number, ChangeKind::Closed, None, &actor, now)? {
                notes.add(AuditAction::ItemClose, "item", number, json!({}));
            }
            Ok(())
        })
        .await
    }

    /// Opens a closed item again. One that is open stays so.
    ///
    /// # Errors
    /// `ITEM_UNKNOWN`.
    pub async fn reopen_item(&self, number: i64, now: Timestamp) -> Result<(), StoreError> {
        let actor = Arc::clone(&self.actor);
        self.change(now, move |tx, notes| {
            tx.take_turn()?;
            if set_status(tx, number, ChangeKind::Reopened, None, &actor, now)? {
                notes.add(AuditAction::ItemReopen, "item", number, json!({}));
            }
            Ok(())
        })
        .await
    }

    /// Adds what a user writes on the page or through the API to an item; its author takes part from then on, unless it is
    /// `internal`, a note that only members of the workspace see. Returns the number of the comment.
    ///
    /// # Errors
    /// `ITEM_UNKNOWN`; `TEXT_INVALID` for a text that is empty or longer than [`COMMENT_MAX`].
    pub async fn comment_item(
        &self,
        number: i64,
        author: &User,
        text: &str,
        internal: bool,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        let text = text.trim_end().to_owned();
        if text.trim().is_empty() || text.len() > COMMENT_MAX {
            return Err(StoreError::TextInvalid);
        }
        let author = author.clone();
        self.change(now, move |tx, notes| {
            tx.take_turn()?;
            workspace_of_item(tx, number)?;
            let mut row = tx.query_one(
                "INSERT INTO comment (item_number, author_address, author_name, created_at, text, quoted_text, \
                 internal) VALUES (?1, ?2, ?3, ?4, ?5, '', ?6) RETURNING id",
                params![number, &author.address, &author.name, now, &text, internal],
            )?;
            let comment = row.int(0)?;
            if !internal {
                add_participant(tx, number, &author.address, &author.name, "author")?;
            }
            search::add_comment(tx, comment, &text)?;
            touch(tx, &[number], now)?;
            notes.add(AuditAction::ItemComment, "item", number, json!({ "comment": comment, "internal": internal }));
            let commented = Change::new(number, ChangeKind::Commented, &author.address, now);
            record_change(tx, &Change { comment: Some(comment), ..commented })?;
            Ok(comment)
        })
        .await
    }

    /// Assigns an item to somebody who may work on it, or to nobody.
    ///
    /// # Errors
    /// `ITEM_UNKNOWN`, `USER_UNKNOWN`, `ASSIGNEE_UNFIT`.
    pub async fn assign_item(&self, number: i64, to: Option<&str>, now: Timestamp) -> Result<(), StoreError> {
        let (to, actor) = (to.map(str::to_owned), Arc::clone(&self.actor));
        self.change(now, move |tx, notes| {
            tx.take_turn()?;
            if let Some(detail) = assign(tx, number, to.as_deref())? {
                notes.add(AuditAction::ItemAssign, "item", number, detail.clone());
                touch(tx, &[number], now)?;
                record_change(tx, &Change { detail, ..Change::new(number, ChangeKind::Assigned, &actor, now) })?;
            }
            Ok(())
        })
        .await
    }

    /// Adds and removes tags. What is there already, or is not there, stays as it is.
    ///
    /// # Errors
    /// `ITEM_UNKNOWN`, `TAG_INVALID`.
    pub async fn tag_item(
        &self,
        number: i64,
        add: &[String],
        remove: &[String],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let add = add.iter().map(|tag| tag_of(tag)).collect::<Result<Vec<_>, _>>()?;
        let remove = remove.iter().map(|tag| tag_of(tag)).collect::<Result<Vec<_>, _>>()?;
        let actor = Arc::clone(&self.actor);
        self.change(now, move |tx, notes| {
            tx.take_turn()?;
            workspace_of_item(tx, number)?;
            let removed = change_tags(tx, number, &remove, "DELETE FROM tag WHERE item_number = ?1 AND name = ?2")?;
            let insert =
                "INSERT INTO tag (item_number, name) VALUES (?1, ?2) ON CONFLICT (item_number, name) DO NOTHING";
            let added = change_tags(tx, number, &add, insert)?;
            if tags_of(tx, number)?.len() > TAGS_MAX {
                return Err(StoreError::TagInvalid(format!("an item has at most {TAGS_MAX} tags")));
            }
            if added.is_empty() && removed.is_empty() {
                return Ok(());
            }
            touch(tx, &[number], now)?;
            let detail = json!({ "added": added, "removed": removed });
            notes.add(AuditAction::ItemTag, "item", number, detail.clone());
            record_change(tx, &Change { detail, ..Change::new(number, ChangeKind::Tagged, &actor, now) })
        })
        .await
    }
}

/// Closes or opens an item, for mail if a receipt is named. Where it has that status already, nothing happens; whether it
/// had not.
pub(crate) fn set_status(
    tx: &mut Tx<'_>,
    number: i64,
    kind: ChangeKind,
    receipt: Option<ReceiptId>,
    actor: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let status = if kind == ChangeKind::Closed { "closed" } else { "open" };
    let sql = "UPDATE item SET status = ?2, updated_at = ?3 WHERE number = ?1 AND status <> ?2";
    if tx.execute(sql, params![number, status, now])? == 0 {
        return workspace_of_item(tx, number).map(|_| false);
    }
    record_change(tx, &Change { receipt, ..Change::new(number, kind, actor, now) })?;
    Ok(true)
}

/// Assigns the item; returns from whom to whom, if that is a change.
fn assign(tx: &mut Tx<'_>, number: i64, to: Option<&str>) -> Result<Option<Value>, StoreError> {
    let workspace = workspace_of_item(tx, number)?;
    let user = match to {
        None => None,
        Some(address) => {
            let canonical = canonical(address).ok_or_else(|| StoreError::AddressInvalid(address.to_owned()))?;
            let user = user_by_address(tx, &canonical)?.ok_or_else(|| StoreError::unknown(Noun::User, address))?;
            let object = Object::Item { workspace: &workspace, takes_part: false };
            if !authorize(Actor::User(&user), Action::Edit, object) {
                return Err(StoreError::AssigneeUnfit {
                    address: address.to_owned(),
                    workspace: workspace.to_string(),
                });
            }
            Some(user)
        }
    };
    let from = assignee_of(tx, number)?;
    let to = user.as_ref().map(|user| user.address.clone());
    if from == to {
        return Ok(None);
    }
    let sql = "UPDATE item SET assignee_id = ?2 WHERE number = ?1";
    tx.execute(sql, params![number, user.map(|user| user.id.0)])?;
    Ok(Some(json!({ "from": from, "to": to })))
}

/// Main address of whom an item is assigned to.
pub(crate) fn assignee_of(tx: &mut Tx<'_>, number: i64) -> Result<Option<String>, StoreError> {
    let sql =
        "SELECT d.address FROM item i JOIN address d ON d.person_id = i.assignee_id AND d.main WHERE i.number = ?1";
    tx.query_opt(sql, params![number])?.map(|mut row| row.text(0)).transpose()
}

/// The tags of an item, by name.
pub(crate) fn tags_of(tx: &mut Tx<'_>, number: i64) -> Result<Vec<String>, StoreError> {
    let rows = tx.query("SELECT name FROM tag WHERE item_number = ?1 ORDER BY name", params![number])?;
    rows.into_iter().map(|mut row| row.text(0)).collect()
}

/// Runs the statement for each tag; returns those for which it changed something.
pub(crate) fn change_tags(tx: &mut Tx<'_>, number: i64, tags: &[String], sql: &str) -> Result<Vec<String>, StoreError> {
    let mut changed = Vec::new();
    for tag in tags {
        if tx.execute(sql, params![number, tag])? > 0 {
            changed.push(tag.clone());
        }
    }
    Ok(changed)
}

/// A tag as it is stored: in lower case, without blanks around it.
pub(crate) fn tag_of(text: &str) -> Result<String, StoreError> {
    let tag = text.trim().to_lowercase();
    if is_tag(&tag) {
        return Ok(tag);
    }
    let rule = "a tag is one word that begins with a letter or a digit";
    Err(StoreError::TagInvalid(format!("{rule}, of at most {TAG_MAX} characters")))
}
