//! Items, comments and attachments as the web page, the command line and the API show them.

use crate::{Identity, Level, ReceiptId, WorkspaceKey};
use jiff::Timestamp;
use postroom_mail::Sha256;
use serde::{Deserialize, Serialize};

/// Tags of one item.
pub const TAGS_MAX: usize = 50;
/// Characters of a tag.
pub const TAG_MAX: usize = 40;

/// Whether a text is a tag as items have them: one word without signs that commands and queries need.
pub fn is_tag(tag: &str) -> bool {
    let is_inner = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/');
    tag.starts_with(char::is_alphanumeric) && tag.chars().all(is_inner) && tag.chars().count() <= TAG_MAX
}

/// A work item with everything on it. The field names are those of the JSON that scripts rely on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
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
    /// The quotation in it.
    pub quoted_text: String,
    /// Files that came with the description.
    pub attachments: Vec<Attachment>,
    /// Comments, oldest first.
    pub comments: Vec<Comment>,
    /// Everyone who takes part; the requester first.
    pub participants: Vec<Party>,
    /// People who may want to take part, and who have no access before an agent adds them.
    pub proposed: Vec<Proposed>,
    /// Tags, by name.
    pub tags: Vec<String>,
    /// Items that the message it was made of names, and on which its sender may not comment.
    pub mentions: Vec<i64>,
    /// The closed item that it continues.
    pub continues: Option<i64>,
    /// The receipt of the message it was made of.
    pub receipt: Option<ReceiptId>,
    /// How sure it is that the requester wrote it; `None` for what did not come in by mail, or before this was kept.
    pub identity: Option<Identity>,
}

/// Somebody who is proposed as a participant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Proposed {
    /// Who.
    #[serde(flatten)]
    pub party: Party,
    /// Why.
    pub because: ProposedBecause,
    /// Canonical address of the participant whose reply key it was.
    pub key_of: Option<String>,
    /// The item that was opened with that key, or that the moved comment came from.
    pub item: Option<i64>,
}

/// Why somebody is proposed as a participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProposedBecause {
    /// Among the recipients of the requester's mail.
    Recipient,
    /// Wrote with a reply key of this item that was given to somebody else.
    ReplyKey,
    /// Wrote a comment that was moved here.
    Moved,
}

impl ProposedBecause {
    /// The name in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recipient => "recipient",
            Self::ReplyKey => "reply-key",
            Self::Moved => "moved",
        }
    }

    /// The one of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Recipient, Self::ReplyKey, Self::Moved].into_iter().find(|one| one.as_str() == name)
    }
}

/// One comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
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
    /// Whether it is a note that only members of the workspace see.
    pub internal: bool,
}

/// A person as seen on an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Party {
    /// Canonical address; empty where mail named no usable author.
    pub address: String,
    /// Display name; may be empty.
    pub name: String,
    /// Whether this is a registered user.
    pub user: bool,
}

impl Party {
    /// What to call the person: the name, else the address. A name that looks like an address is not shown in place of one:
    /// whoever writes it may want to be taken for somebody else.
    pub fn label(&self) -> &str {
        let is_name = !self.name.is_empty() && !self.name.contains(['@', '\u{ff20}', '\u{fe6b}']);
        match (is_name, self.address.is_empty()) {
            (true, _) => &self.name,
            (false, false) => &self.address,
            (false, true) => "(no sender)",
        }
    }
}

/// One file on an item or comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
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
    #[schema(value_type = String)]
    pub sha256: Sha256,
    /// Whether the HTML shows it.
    pub inline: bool,
    /// Content-ID, by which the HTML of the same message names it.
    #[serde(skip)]
    pub content_id: Option<String>,
}

/// One line of a list of items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
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
    /// How sure it is that the requester wrote it; `None` where it is not of a message.
    pub level: Option<Level>,
    /// Main address of whom it is assigned to.
    pub assignee: Option<String>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The beginning of the description, one line, at most 200 characters.
    pub preview: String,
    /// Number of comments.
    #[serde(rename = "comment_count")]
    pub comments: u64,
    /// Number of attachments of the item and its comments, inline images not counted.
    #[serde(rename = "attachment_count")]
    pub attachments: u64,
}
