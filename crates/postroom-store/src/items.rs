//! Items: lists, one whole item, attachments.

use crate::opening::linked;
use crate::participants::proposed_of;
use crate::search;
use crate::tx::{Param, Row, params};
use crate::work::{tag_of, tags_of};
use crate::{Noun, Store, StoreError, Tx};
use bytes::Bytes;
use jiff::Timestamp;
use postroom_domain::{
    Action, Actor, Attachment, Comment, Identity, Item, ItemSummary, Object, Party, ReceiptId, User, UserId,
    WorkspaceKey, authorize,
};
use std::collections::HashMap;

/// Which items to list; those that changed last come first.
#[derive(Debug, Clone, Default)]
pub struct ItemFilter {
    /// Only in workspaces that the reader may see; `None`: all.
    pub visible: Option<Vec<WorkspaceKey>>,
    /// Only in this workspace.
    pub workspace: Option<WorkspaceKey>,
    /// Only `open` or only `closed` ones.
    pub status: Option<String>,
    /// Only those with this tag.
    pub tag: Option<String>,
    /// Only those that are assigned like this.
    pub assigned: Option<Assigned>,
    /// Only those in whose title, description or comments all words of this stand; a number also finds that item.
    pub query: Option<String>,
    /// Only those after this place of an earlier list.
    pub after: Option<ItemCursor>,
    /// At most so many; 0 means 50.
    pub limit: u32,
}

/// To whom items are assigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assigned {
    /// To this user.
    To(UserId),
    /// To nobody.
    Nobody,
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

    /// One item as this user sees it: links lead only to items that they may see, and who is proposed is for those who
    /// decide about it.
    ///
    /// # Errors
    /// `ITEM_UNKNOWN`, also where the user may not see it.
    pub async fn item_for(&self, number: i64, viewer: &User) -> Result<Item, StoreError> {
        let viewer = viewer.clone();
        self.read(move |tx| item_for(tx, number, Actor::User(&viewer))).await
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
}

/// Whether the address in `column` is that of a registered user, as a column.
pub(crate) fn is_user(column: &str) -> String {
    format!("EXISTS (SELECT 1 FROM address d WHERE d.address = {column})")
}

/// The workspace of an item.
///
/// # Errors
/// `ITEM_UNKNOWN`.
pub(crate) fn workspace_of_item(tx: &mut Tx<'_>, number: i64) -> Result<WorkspaceKey, StoreError> {
    let sql = "SELECT w.key FROM item i JOIN workspace w ON w.id = i.workspace_id WHERE i.number = ?1";
    tx.query_opt(sql, params![number])?.ok_or_else(|| StoreError::unknown(Noun::Item, number))?.parse(0)
}

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
    let tag = filter.tag.as_deref().map(tag_of).transpose()?;
    if let Some(tag) = &tag {
        params.push(tag.into());
        let tagged = "SELECT 1 FROM tag t WHERE t.item_number = i.number AND t.name";
        wheres.push(format!("EXISTS ({tagged} = ?{})", params.len()));
    }
    match filter.assigned {
        None => {}
        Some(Assigned::Nobody) => wheres.push("i.assignee_id IS NULL".to_owned()),
        Some(Assigned::To(user)) => {
            params.push(user.0.into());
            wheres.push(format!("i.assignee_id = ?{}", params.len()));
        }
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
         {}, i.created_at, i.updated_at, substr(i.text, 1, 1000), \
         (SELECT count(*) FROM comment c WHERE c.item_number = i.number), \
         (SELECT count(*) FROM attachment a WHERE a.item_number = i.number AND NOT a.inline), i.identity, \
         (SELECT d.address FROM address d WHERE d.person_id = i.assignee_id AND d.main) \
         FROM item i JOIN workspace w ON w.id = i.workspace_id WHERE {} \
         ORDER BY i.updated_at DESC, i.number DESC LIMIT {limit}",
        is_user("i.requester_address"),
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
        level: row.opt_json::<Identity>(12)?.map(|identity| identity.level),
        created_at: row.time(7)?,
        updated_at: row.time(8)?,
        preview: preview_of(&row.text(9)?),
        comments: row.unsigned(10)?,
        attachments: row.unsigned(11)?,
        assignee: row.opt_text(13)?,
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
        "SELECT w.key, i.title, i.status, i.requester_address, i.requester_name, {}, \
         (SELECT d.address FROM address d WHERE d.person_id = i.assignee_id AND d.main), i.created_at, i.updated_at, \
         i.text, i.html, i.quoted_text, i.receipt_id, i.identity FROM item i JOIN workspace w ON w.id = i.workspace_id \
         WHERE i.number = ?1",
        is_user("i.requester_address")
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
        quoted_text: row.text(11)?,
        attachments: attachments.remove(&None).unwrap_or_default(),
        comments: comments_of(tx, number, &mut attachments)?,
        participants: participants_of(tx, number)?,
        proposed: proposed_of(tx, number)?,
        tags: tags_of(tx, number)?,
        mentions: linked(tx, number, "mentions")?,
        continues: linked(tx, number, "continues")?.pop(),
        receipt: row.opt_int(12)?.map(ReceiptId),
        identity: row.opt_json(13)?,
    })
}

fn item_for(tx: &mut Tx<'_>, number: i64, viewer: Actor<'_>) -> Result<Item, StoreError> {
    let mut item = item(tx, number)?;
    if !authorize(viewer, Action::See, Object::item(&item, viewer)) {
        return Err(StoreError::unknown(Noun::Item, number));
    }
    if !authorize(viewer, Action::Edit, Object::item(&item, viewer)) {
        item.proposed.clear();
    }
    if !authorize(viewer, Action::ReadOriginal, Object::item(&item, viewer)) {
        item.comments.retain(|comment| !comment.internal);
    }
    let mut visible = Vec::new();
    for &linked in item.mentions.iter().chain(&item.continues) {
        if sees(tx, viewer, linked)? {
            visible.push(linked);
        }
    }
    item.mentions.retain(|linked| visible.contains(linked));
    item.continues = item.continues.filter(|linked| visible.contains(linked));
    Ok(item)
}

/// Whether somebody may see an item. One that is gone is seen by nobody.
pub(crate) fn sees(tx: &mut Tx<'_>, viewer: Actor<'_>, number: i64) -> Result<bool, StoreError> {
    let workspace = match workspace_of_item(tx, number) {
        Ok(workspace) => workspace,
        Err(StoreError::Unknown { .. }) => return Ok(false),
        Err(error) => return Err(error),
    };
    let takes_part = viewer.is_among(&participants_of(tx, number)?);
    Ok(authorize(viewer, Action::See, Object::Item { workspace: &workspace, takes_part }))
}

fn comments_of(
    tx: &mut Tx<'_>,
    item: i64,
    attachments: &mut HashMap<Option<i64>, Vec<Attachment>>,
) -> Result<Vec<Comment>, StoreError> {
    let sql = format!(
        "SELECT c.id, c.author_address, c.author_name, {}, c.created_at, c.text, c.html, \
         c.quoted_text, c.receipt_id, c.identity, c.internal FROM comment c WHERE c.item_number = ?1 ORDER BY c.id",
        is_user("c.author_address")
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
                internal: row.bool(10)?,
            })
        })
        .collect()
}

fn participants_of(tx: &mut Tx<'_>, item: i64) -> Result<Vec<Party>, StoreError> {
    let sql = format!(
        "SELECT p.address, p.name, {} FROM participant p WHERE p.item_number = ?1 \
         ORDER BY CASE p.role WHEN 'requester' THEN 0 ELSE 1 END, p.address",
        is_user("p.address")
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
