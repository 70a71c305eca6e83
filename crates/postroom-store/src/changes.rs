//! The history of items: one row for everything that happened to one, in the order in which it became visible.

use crate::items::sees;
use crate::tx::{Row, params};
use crate::workspaces::to_json;
use crate::{Noun, Store, StoreError, Tx};
use jiff::Timestamp;
use postroom_domain::{Action, Actor, Object, ReceiptId, User, authorize};
use serde::Serialize;
use serde_json::Value;

/// Declares the kinds of changes with their stable names.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// What happened to an item.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ChangeKind {
            $($(#[$doc])* $name,)*
        }

        impl ChangeKind {
            const ALL: &[Self] = &[$(Self::$name),*];

            /// The stable name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

kinds! {
    /// It was opened.
    Opened = "opened";
    /// A comment came.
    Commented = "commented";
    /// It was moved into another workspace.
    Moved = "moved";
    /// One of its comments became an item.
    Split = "split";
    /// One of its comments was moved to another item.
    CommentMoved = "comment-moved";
    /// It was closed.
    Closed = "closed";
    /// It was opened again.
    Reopened = "reopened";
    /// It was assigned to somebody, or to nobody.
    Assigned = "assigned";
    /// Its tags were changed.
    Tagged = "tagged";
    /// Somebody takes part now.
    ParticipantAdded = "participant-added";
    /// Somebody takes no part any more, or is not proposed any more.
    ParticipantRemoved = "participant-removed";
    /// People were proposed as participants.
    Proposed = "proposed";
    /// An earlier change was taken back.
    Undone = "undone";
}

impl ChangeKind {
    /// Whether it can be taken back.
    pub fn is_undoable(self) -> bool {
        !matches!(self, Self::Opened | Self::Commented | Self::Proposed | Self::Undone)
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }
}

impl Serialize for ChangeKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One row of the history of an item.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct HistoryEntry {
    /// Its number.
    pub id: i64,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it: an address, `cli:USER`, `system`.
    pub actor: String,
    /// What happened.
    #[schema(value_type = String)]
    pub kind: ChangeKind,
    /// The item.
    pub item: i64,
    /// The other item that it involves: made of a comment, or where a comment went.
    pub other_item: Option<i64>,
    /// The comment that it is about.
    pub comment: Option<i64>,
    /// The message that caused it.
    pub receipt: Option<ReceiptId>,
    /// Old and new values.
    #[schema(value_type = Object)]
    pub detail: Value,
    /// The change that it takes back.
    pub undoes: Option<i64>,
    /// The change that took it back.
    pub undone_by: Option<i64>,
}

/// Something that happened to an item, to be recorded.
pub(crate) struct Change<'a> {
    pub(crate) item: i64,
    pub(crate) kind: ChangeKind,
    pub(crate) other: Option<i64>,
    pub(crate) comment: Option<i64>,
    pub(crate) receipt: Option<ReceiptId>,
    pub(crate) actor: &'a str,
    pub(crate) detail: Value,
    pub(crate) undoes: Option<i64>,
    pub(crate) now: Timestamp,
}

impl<'a> Change<'a> {
    /// Something that involves nothing else.
    pub(crate) fn new(item: i64, kind: ChangeKind, actor: &'a str, now: Timestamp) -> Self {
        let (other, comment, receipt, undoes) = (None, None, None, None);
        Self { item, kind, other, comment, receipt, actor, detail: Value::Null, undoes, now }
    }
}

/// Records what happened. The transaction must have called [`Tx::take_turn`] before it locked anything.
pub(crate) fn record_change(tx: &mut Tx<'_>, change: &Change<'_>) -> Result<(), StoreError> {
    let detail = if change.detail.is_null() { None } else { Some(to_json(&change.detail)?) };
    tx.execute(
        "INSERT INTO change (item_number, kind, other_item, comment_id, receipt_id, actor, at, detail, undoes) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            change.item,
            change.kind.as_str(),
            change.other,
            change.comment,
            change.receipt.map(|id| id.0),
            change.actor,
            change.now,
            detail.as_ref(),
            change.undoes
        ],
    )
    .map(drop)
}

impl Store {
    /// What happened to an item, the oldest first. A number whose item is gone, as after a split that was taken back, still
    /// has its history.
    ///
    /// # Errors
    /// `ITEM_UNKNOWN` for a number that never was one.
    pub async fn history(&self, number: i64) -> Result<Vec<HistoryEntry>, StoreError> {
        let entries = self.read(move |tx| history(tx, number)).await?;
        if entries.is_empty() { Err(StoreError::unknown(Noun::Item, number)) } else { Ok(entries) }
    }

    /// What happened to an item, as this user may know it: other items and workspaces are named only to those who see them.
    ///
    /// # Errors
    /// `ITEM_UNKNOWN` for a number that never was one.
    pub async fn history_for(&self, number: i64, viewer: &User) -> Result<Vec<HistoryEntry>, StoreError> {
        let mut entries = self.history(number).await?;
        let viewer = viewer.clone();
        self.read(move |tx| {
            for entry in &mut entries {
                conceal(tx, entry, Actor::User(&viewer))?;
            }
            Ok(entries.clone())
        })
        .await
    }

    /// A number that grows whenever something happens to an item. Cheap enough to be asked for every second.
    pub async fn latest_change(&self) -> Result<i64, StoreError> {
        self.read(|tx| Ok(tx.query_one("SELECT max(id) FROM change", &[])?.opt_int(0)?.unwrap_or(0))).await
    }
}

const SELECT: &str = "SELECT c.id, c.at, c.actor, c.kind, c.item_number, c.other_item, c.comment_id, c.receipt_id, c.detail, \
     c.undoes, (SELECT u.id FROM change u WHERE u.undoes = c.id) FROM change c";

fn history(tx: &mut Tx<'_>, number: i64) -> Result<Vec<HistoryEntry>, StoreError> {
    let sql = format!("{SELECT} WHERE c.item_number = ?1 OR c.other_item = ?1 ORDER BY c.id");
    tx.query(&sql, params![number])?.into_iter().map(entry_of).collect()
}

/// Leaves out of an entry what the viewer may not see.
fn conceal(tx: &mut Tx<'_>, entry: &mut HistoryEntry, viewer: Actor<'_>) -> Result<(), StoreError> {
    if let Some(other) = entry.other_item
        && !sees(tx, viewer, other)?
    {
        entry.other_item = None;
    }
    if entry.kind == ChangeKind::Moved {
        for end in ["from", "to"] {
            let key = entry.detail[end].as_str().and_then(|key| key.parse().ok());
            if key.is_none_or(|key| !authorize(viewer, Action::See, Object::Workspace(&key))) {
                entry.detail[end] = Value::Null;
            }
        }
    }
    Ok(())
}

/// The change of this number.
pub(crate) fn change_by_id(tx: &mut Tx<'_>, id: i64) -> Result<Option<HistoryEntry>, StoreError> {
    tx.query_opt(&format!("{SELECT} WHERE c.id = ?1"), params![id])?.map(entry_of).transpose()
}

/// The last change of an item that can be taken back and was not.
pub(crate) fn last_undoable(tx: &mut Tx<'_>, number: i64) -> Result<Option<HistoryEntry>, StoreError> {
    let entries = history(tx, number)?;
    Ok(entries.into_iter().rev().find(|entry| entry.kind.is_undoable() && entry.undone_by.is_none()))
}

/// Changes after `entry`, not taken back, of these kinds and of the same item.
pub(crate) fn later(tx: &mut Tx<'_>, entry: &HistoryEntry, kinds: &[ChangeKind]) -> Result<Option<i64>, StoreError> {
    let entries = history(tx, entry.item)?;
    let is_later = |other: &&HistoryEntry| {
        other.id > entry.id && other.item == entry.item && kinds.contains(&other.kind) && other.undone_by.is_none()
    };
    Ok(entries.iter().find(is_later).map(|other| other.id))
}

fn entry_of(mut row: Row) -> Result<HistoryEntry, StoreError> {
    let kind = row.text(3)?;
    let detail = row.opt_text(8)?.map(|json| serde_json::from_str(&json)).transpose();
    Ok(HistoryEntry {
        id: row.int(0)?,
        at: row.time(1)?,
        actor: row.opt_text(2)?.unwrap_or_default(),
        kind: ChangeKind::from_name(&kind).ok_or_else(|| StoreError::bad_value(format!("change {kind}")))?,
        item: row.int(4)?,
        other_item: row.opt_int(5)?,
        comment: row.opt_int(6)?,
        receipt: row.opt_int(7)?.map(ReceiptId),
        detail: detail.map_err(|error| StoreError::bad_value(error.to_string()))?.unwrap_or(Value::Null),
        undoes: row.opt_int(9)?,
        undone_by: row.opt_int(10)?,
    })
}
