//! Items: lists, one whole item, attachments, and moving and splitting.

use crate::audit::AuditAction;
use crate::search;
use crate::tx::{Param, Row, params};
use crate::workspaces::{to_json, workspace_id};
use crate::{Noun, Store, StoreError, Tx};
use bytes::Bytes;
use jiff::Timestamp;
use postroom_domain::{Attachment, Comment, Item, ItemSummary, Party, ReceiptId, WorkspaceKey};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;

/// Which items to list; those that changed last come first.
#[derive(Debug, Clone, Default)]
pub struct ItemFilter {
    /// Only in workspaces that the reader may see; `None`: all.
    pub visible: Option<Vec<WorkspaceKey>>,
    /// Only in this workspace.
    pub workspace: Option<WorkspaceKey>,
    /// Only `open` or only `closed` ones.
    pub status: Option<String>,
    /// Only those in whose title, description or comments all words of this stand; a number also finds that item.
    pub query: Option<String>,
    /// Only those after this place of an earlier list.
    pub after: Option<ItemCursor>,
    /// At most so many; 0 means 50.
    pub limit: u32,
}

/// A place in a list of items: the last one of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemCursor {
    /// When that item last changed.
    pub updated_at: Timestamp,
    /// Its number.
    pub number: i64,
}

impl ItemCursor {
    /// The place right after `item`.
    pub fn after(item: &ItemSummary) -> Self {
        Self { updated_at: item.updated_at, number: item.number }
    }
}

/// An attachment with its content.
#[derive(Debug, Clone)]
pub struct StoredAttachment {
    /// What it is.
    pub attachment: Attachment,
    /// The item that it is on.
    pub item: i64,
    /// The workspace of that item.
    pub workspace: WorkspaceKey,
    /// Its decoded octets, verified.
    pub octets: Bytes,
}

/// Rows when a filter names no limit.
const LIMIT_DEFAULT: u32 = 50;
/// Characters of the preview of a description.
const PREVIEW_MAX: usize = 200;

impl Store {
    /// Items, those that changed last first.
    pub async fn items(&self, filter: ItemFilter) -> Result<Vec<ItemSummary>, StoreError> {
        self.read(move |tx| items(tx, &filter)).await
    }

    /// One item with its comments and attachments.
    ///
    /// # Errors
    /// `ITEM_UNKNOWN`.
    pub async fn item(&self, number: i64) -> Result<Item, StoreError> {
        self.read(move |tx| item(tx, number)).await
    }

    /// Moves an item into another workspace.
    ///
    /// # Errors
    /// `ITEM_UNKNOWN`, `WORKSPACE_UNKNOWN`.
    pub async fn move_item(&self, number: i64, workspace: &WorkspaceKey, now: Timestamp) -> Result<(), StoreError> {
        let (workspace, actor) = (workspace.clone(), Arc::clone(&self.actor));
        self.change(now, move |tx, notes| {
            tx.take_turn()?;
            let id = workspace_id(tx, &workspace)?;
            let from = "SELECT w.key FROM item i JOIN workspace w ON w.id = i.workspace_id WHERE i.number = ?1";
            let from = tx.query_opt(from, params![number])?.map_or(Ok(None), |mut row| row.opt_text(0))?;
            notes.add(AuditAction::ItemMove, "item", number, json!({ "from": from, "to": workspace }));
            let sql = "UPDATE item SET workspace_id = ?2, updated_at = ?3 WHERE number = ?1";
            if tx.execute(sql, params![number, id.0, now])? == 0 {
                return Err(StoreError::unknown(Noun::Item, number));
            }
            record_change(tx, &Change { item: number, kind: "moved", comment: None, receipt: None, actor: &actor, now })
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
            let new = split_comment(tx, number, comment, &actor, now)?;
            notes.add(AuditAction::ItemSplit, "item", number, json!({ "comment": comment, "new": new }));
            Ok(new)
        })
        .await
    }

    /// An attachment with its content.
    ///
    /// # Errors
    /// `ATTACHMENT_UNKNOWN`, `RAW_MISSING`, `RAW_DAMAGED`.
    pub async fn attachment(&self, id: i64) -> Result<StoredAttachment, StoreError> {
        let (attachment, item, workspace) = self
            .read(move |tx| {
                let sql = format!(
                    "{SELECT_ATTACHMENT}, a.item_number, w.key FROM attachment a \
                     JOIN item i ON i.number = a.item_number JOIN workspace w ON w.id = i.workspace_id WHERE a.id = ?1"
                );
                let row = tx.query_opt(&sql, params![id])?;
                let mut row = row.ok_or_else(|| StoreError::unknown(Noun::Attachment, id))?;
                Ok((attachment_of(&mut row)?.1, row.int(8)?, row.parse(9)?))
            })
            .await?;
        let octets = self.blob_octets(attachment.sha256).await?;
        Ok(StoredAttachment { attachment, item, workspace, octets })
    }

    /// A number that grows whenever something happens to an item. Cheap enough to be asked for every second.
    pub async fn latest_change(&self) -> Result<i64, StoreError> {
        self.read(|tx| Ok(tx.query_one("SELECT max(id) FROM change", &[])?.opt_int(0)?.unwrap_or(0))).await
    }
}

/// Something that happened to an item.
pub(crate) struct Change<'a> {
    pub(crate) item: i64,
    pub(crate) kind: &'a str,
    pub(crate) comment: Option<i64>,
    pub(crate) receipt: Option<ReceiptId>,
    pub(crate) actor: &'a str,
    pub(crate) now: Timestamp,
}

/// Records what happened. The transaction must have called [`Tx::take_turn`] before it locked anything.
pub(crate) fn record_change(tx: &mut Tx<'_>, change: &Change<'_>) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO change (item_number, kind, comment_id, receipt_id, actor, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![change.item, change.kind, change.comment, change.receipt.map(|id| id.0), change.actor, change.now],
    )
    .map(drop)
}

/// Whether an address is that of a registered user, as a column.
const IS_USER: &str = "EXISTS (SELECT 1 FROM address d WHERE d.address =";

fn items(tx: &mut Tx<'_>, filter: &ItemFilter) -> Result<Vec<ItemSummary>, StoreError> {
    let query = filter.query.as_deref().unwrap_or_default();
    let patterns: Vec<String> = search::words_of(query).iter().map(|word| search::pattern_of(tx, word)).collect();
    let mut params: Vec<Param<'_>> = Vec::new();
    let mut wheres = vec!["TRUE".to_owned()];
    if let Some(keys) = &filter.visible {
        let first = params.len() + 1;
        params.extend(keys.iter().map(|key| Param::from(key.as_str())));
        let places: Vec<String> = (first..=params.len()).map(|n| format!("?{n}")).collect();
        wheres.push(if places.is_empty() { "FALSE".to_owned() } else { format!("w.key IN ({})", places.join(", ")) });
    }
    if let Some(key) = &filter.workspace {
        params.push(key.as_str().into());
        wheres.push(format!("w.key = ?{}", params.len()));
    }
    if let Some(status) = &filter.status {
        params.push(status.into());
        wheres.push(format!("i.status = ?{}", params.len()));
    }
    if let Some(cursor) = filter.after {
        params.push(cursor.updated_at.into());
        params.push(cursor.number.into());
        wheres.push(format!("(i.updated_at, i.number) < (?{}, ?{})", params.len() - 1, params.len()));
    }
    wheres.extend(search::conditions(tx, query, &patterns, &mut params));
    let limit = if filter.limit == 0 { LIMIT_DEFAULT } else { filter.limit };
    let sql = format!(
        "SELECT i.number, w.key, i.title, i.status, i.requester_address, i.requester_name, \
         {IS_USER} i.requester_address), i.created_at, i.updated_at, substr(i.text, 1, 1000), \
         (SELECT count(*) FROM comment c WHERE c.item_number = i.number), \
         (SELECT count(*) FROM attachment a WHERE a.item_number = i.number AND NOT a.inline) \
         FROM item i JOIN workspace w ON w.id = i.workspace_id WHERE {} \
         ORDER BY i.updated_at DESC, i.number DESC LIMIT {limit}",
        wheres.join(" AND ")
    );
    tx.query(&sql, &params)?.into_iter().map(summary_of).collect()
}

fn summary_of(mut row: Row) -> Result<ItemSummary, StoreError> {
    Ok(ItemSummary {
        number: row.int(0)?,
        workspace: row.parse(1)?,
        title: row.text(2)?,
        status: row.text(3)?,
        requester: Party { address: row.text(4)?, name: row.text(5)?, user: row.bool(6)? },
        created_at: row.time(7)?,
        updated_at: row.time(8)?,
        preview: preview_of(&row.text(9)?),
        comments: row.unsigned(10)?,
        attachments: row.unsigned(11)?,
    })
}

/// The beginning of a text on one line.
fn preview_of(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(PREVIEW_MAX - 1) {
        Some((cut, _)) if line.chars().count() > PREVIEW_MAX => format!("{}…", &line[..cut]),
        _ => line,
    }
}

fn item(tx: &mut Tx<'_>, number: i64) -> Result<Item, StoreError> {
    let sql = format!(
        "SELECT w.key, i.title, i.status, i.requester_address, i.requester_name, {IS_USER} i.requester_address), \
         (SELECT d.address FROM address d WHERE d.person_id = i.assignee_id AND d.main), i.created_at, i.updated_at, \
         i.text, i.html, i.receipt_id, i.identity FROM item i JOIN workspace w ON w.id = i.workspace_id WHERE i.number = ?1"
    );
    let row = tx.query_opt(&sql, params![number])?;
    let mut row = row.ok_or_else(|| StoreError::unknown(Noun::Item, number))?;
    let mut attachments = attachments_of(tx, number)?;
    Ok(Item {
        number,
        workspace: row.parse(0)?,
        title: row.text(1)?,
        status: row.text(2)?,
        requester: Party { address: row.text(3)?, name: row.text(4)?, user: row.bool(5)? },
        assignee: row.opt_text(6)?,
        created_at: row.time(7)?,
        updated_at: row.time(8)?,
        text: row.text(9)?,
        html: row.opt_text(10)?,
        attachments: attachments.remove(&None).unwrap_or_default(),
        comments: comments_of(tx, number, &mut attachments)?,
        participants: participants_of(tx, number)?,
        receipt: row.opt_int(11)?.map(ReceiptId),
        identity: row.opt_json(12)?,
    })
}

fn comments_of(
    tx: &mut Tx<'_>,
    item: i64,
    attachments: &mut HashMap<Option<i64>, Vec<Attachment>>,
) -> Result<Vec<Comment>, StoreError> {
    let sql = format!(
        "SELECT c.id, c.author_address, c.author_name, {IS_USER} c.author_address), c.created_at, c.text, c.html, \
         c.quoted_text, c.receipt_id, c.identity FROM comment c WHERE c.item_number = ?1 ORDER BY c.id"
    );
    let rows = tx.query(&sql, params![item])?;
    rows.into_iter()
        .map(|mut row| {
            let id = row.int(0)?;
            Ok(Comment {
                id,
                author: Party { address: row.text(1)?, name: row.text(2)?, user: row.bool(3)? },
                created_at: row.time(4)?,
                text: row.text(5)?,
                html: row.opt_text(6)?,
                quoted_text: row.text(7)?,
                attachments: attachments.remove(&Some(id)).unwrap_or_default(),
                receipt: row.opt_int(8)?.map(ReceiptId),
                identity: row.opt_json(9)?,
            })
        })
        .collect()
}

fn participants_of(tx: &mut Tx<'_>, item: i64) -> Result<Vec<Party>, StoreError> {
    let sql = format!(
        "SELECT p.address, p.name, {IS_USER} p.address) FROM participant p WHERE p.item_number = ?1 \
         ORDER BY CASE p.role WHEN 'requester' THEN 0 ELSE 1 END, p.address"
    );
    let rows = tx.query(&sql, params![item])?;
    rows.into_iter()
        .map(|mut row| Ok(Party { address: row.text(0)?, name: row.text(1)?, user: row.bool(2)? }))
        .collect()
}

const SELECT_ATTACHMENT: &str =
    "SELECT a.comment_id, a.id, a.name, a.content_type, a.size, a.blob_sha256, a.inline, a.content_id";

/// The attachments of an item, by the comment that they are on.
fn attachments_of(tx: &mut Tx<'_>, item: i64) -> Result<HashMap<Option<i64>, Vec<Attachment>>, StoreError> {
    let sql =
        format!("{SELECT_ATTACHMENT} FROM attachment a WHERE a.item_number = ?1 ORDER BY a.comment_id, a.position");
    let mut by_comment: HashMap<Option<i64>, Vec<Attachment>> = HashMap::new();
    for mut row in tx.query(&sql, params![item])? {
        let (comment, attachment) = attachment_of(&mut row)?;
        by_comment.entry(comment).or_default().push(attachment);
    }
    Ok(by_comment)
}

fn attachment_of(row: &mut Row) -> Result<(Option<i64>, Attachment), StoreError> {
    let attachment = Attachment {
        id: row.int(1)?,
        name: row.text(2)?,
        content_type: row.text(3)?,
        size: row.unsigned(4)?,
        sha256: row.sha256(5)?,
        inline: row.bool(6)?,
        content_id: row.opt_text(7)?,
    };
    Ok((row.opt_int(0)?, attachment))
}

/// The number of the next item. It is counted in the transaction that makes the item, so that one that fails or is cut off
/// leaves no gap, which a sequence of PostgreSQL would, and a number is never given twice.
pub(crate) fn next_item_number(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    let mut row = tx.query_one(
        "INSERT INTO meta (key, value) VALUES ('item_number', '1') ON CONFLICT (key) DO UPDATE \
         SET value = CAST(CAST(meta.value AS BIGINT) + 1 AS TEXT) RETURNING value",
        &[],
    )?;
    row.text(0)?.parse().map_err(|_| StoreError::bad_value("an item number"))
}

fn split_comment(tx: &mut Tx<'_>, number: i64, comment: i64, actor: &str, now: Timestamp) -> Result<i64, StoreError> {
    let old = item(tx, number)?;
    let split = old.comments.iter().find(|one| one.id == comment);
    let split = split.ok_or_else(|| StoreError::unknown(Noun::Comment, comment))?;
    let title = match split.receipt {
        Some(receipt) => {
            let row = tx.query_opt("SELECT subject FROM receipt WHERE id = ?1", params![receipt.0])?;
            row.map_or(Ok(None), |mut row| row.opt_text(0))?
        }
        None => None,
    };
    let title = postroom_domain::filing::title_of(&title.unwrap_or_else(|| old.title.clone()));
    // The comment gives up its receipt first: a receipt belongs to one item or one comment.
    tx.execute("UPDATE comment SET receipt_id = NULL WHERE id = ?1", params![comment])?;
    let new = next_item_number(tx)?;
    tx.execute(
        "INSERT INTO item (number, receipt_id, workspace_id, title, status, requester_address, requester_name, created_at, \
         updated_at, text, html, identity) SELECT ?10, ?2, workspace_id, ?3, 'open', ?4, ?5, ?6, ?7, ?8, ?9, ?11 \
         FROM item WHERE number = ?1",
        params![
            number,
            split.receipt.map(|id| id.0),
            &title,
            &split.author.address,
            &split.author.name,
            split.created_at,
            now,
            &split.text,
            split.html.as_ref(),
            new,
            split.identity.as_ref().map(to_json).transpose()?.as_ref()
        ],
    )?;
    tx.execute(
        "UPDATE attachment SET item_number = ?2, comment_id = NULL WHERE comment_id = ?1",
        params![comment, new],
    )?;
    tx.execute("DELETE FROM comment WHERE id = ?1", params![comment])?;
    if let Some(receipt) = split.receipt {
        let sql = "UPDATE receipt SET item_number = ?2, comment_id = NULL WHERE id = ?1";
        tx.execute(sql, params![receipt.0, new])?;
    }
    if !split.author.address.is_empty() {
        tx.execute(
            "INSERT INTO participant (item_number, address, name, role) VALUES (?1, ?2, ?3, 'requester')",
            params![new, &split.author.address, &split.author.name],
        )?;
    }
    tx.execute("UPDATE item SET updated_at = ?2 WHERE number = ?1", params![number, now])?;
    search::remove_comment(tx, comment)?;
    search::add_item(tx, new, &title, &split.text)?;
    record_change(tx, &Change { item: number, kind: "split", comment: Some(comment), receipt: None, actor, now })?;
    record_change(tx, &Change { item: new, kind: "opened", comment: None, receipt: split.receipt, actor, now })?;
    Ok(new)
}
