//! Items, comments and attachments as the web page, the command line and the API show them.

use crate::{Identity, ReceiptId, WorkspaceKey};
use jiff::Timestamp;
use postroom_mail::Sha256;
use serde::Serialize;

/// A work item with everything on it. The field names are those of the JSON that scripts rely on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Its number, unique in the installation.
    pub number: i64,
    /// The workspace it is in.
    pub workspace: WorkspaceKey,
    /// One line, never empty.
    pub title: String,
    /// `open` or `closed`.
    pub status: String,
    /// Who asked.
    pub requester: Party,
    /// Canonical address of the user it is assigned to.
    pub assignee: Option<String>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Description as plain text.
    pub text: String,
    /// Description as sanitised HTML.
    pub html: Option<String>,
    /// Files that came with the description.
    pub attachments: Vec<Attachment>,
    /// Comments, oldest first.
    pub comments: Vec<Comment>,
    /// Everyone who takes part; the requester first.
    pub participants: Vec<Party>,
    /// The receipt of the message it was made of.
    pub receipt: Option<ReceiptId>,
    /// How sure it is that the requester wrote it; `None` for what did not come in by mail, or before this was kept.
    pub identity: Option<Identity>,
}

/// One comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comment {
    /// Its number in the store.
    pub id: i64,
    /// Who wrote it.
    pub author: Party,
    /// When it was filed.
    pub created_at: Timestamp,
    /// The whole text, quotation included.
    pub text: String,
    /// The whole text as sanitised HTML.
    pub html: Option<String>,
    /// The quotation in it, so that a page can fold it away.
    pub quoted_text: String,
    /// Files that came with it.
    pub attachments: Vec<Attachment>,
    /// The receipt of the message it was made of.
    pub receipt: Option<ReceiptId>,
    /// How sure it is that the author wrote it, as on [`Item`].
    pub identity: Option<Identity>,
}

/// A person as seen on an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Party {
    /// Canonical address; empty where mail named no usable author.
    pub address: String,
    /// Display name; may be empty.
    pub name: String,
    /// Whether this is a registered user.
    pub user: bool,
}

impl Party {
    /// What to call the person: the name, else the address.
    pub fn label(&self) -> &str {
        match (self.name.is_empty(), self.address.is_empty()) {
            (false, _) => &self.name,
            (true, false) => &self.address,
            (true, true) => "(no sender)",
        }
    }
}

/// One file on an item or comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attachment {
    /// Its number in the store.
    pub id: i64,
    /// File name, cleaned.
    pub name: String,
    /// Media type.
    pub content_type: String,
    /// Octets.
    pub size: u64,
    /// Digest of the content.
    pub sha256: Sha256,
    /// Whether the HTML shows it.
    pub inline: bool,
    /// Content-ID, by which the HTML of the same message names it.
    #[serde(skip)]
    pub content_id: Option<String>,
}

/// One line of a list of items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemSummary {
    /// Number.
    pub number: i64,
    /// Workspace.
    pub workspace: WorkspaceKey,
    /// Title.
    pub title: String,
    /// `open` or `closed`.
    pub status: String,
    /// Who asked.
    pub requester: Party,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The beginning of the description, one line, at most 200 characters.
    pub preview: String,
    /// Number of comments.
    pub comments: u64,
    /// Number of attachments of the item and its comments, inline images not counted.
    pub attachments: u64,
}
