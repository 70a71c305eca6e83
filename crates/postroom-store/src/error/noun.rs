//! What can be missing or be there already, and the codes that say so.

/// The kinds of things that can be missing or be there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noun {
    /// A workspace, named by its key.
    Workspace,
    /// A user, named by address.
    User,
    /// A mailbox, named by name.
    Mailbox,
    /// An item, named by number.
    Item,
    /// A comment, named by id.
    Comment,
    /// A receipt, named by id.
    Receipt,
    /// An attachment, named by id.
    Attachment,
    /// A contact, named by address.
    Contact,
    /// A trusted certificate, named by fingerprint.
    Certificate,
    /// A registration or invitation, named by address.
    Registration,
    /// A routing rule, named by name.
    Rule,
    /// A participant of an item, or somebody proposed, named by address.
    Participant,
    /// A change of an item, named by its number.
    Change,
    /// An API token, named by number.
    Token,
}

impl Noun {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::User => "user",
            Self::Mailbox => "mailbox",
            Self::Item => "item",
            Self::Comment => "comment",
            Self::Receipt => "receipt",
            Self::Attachment => "attachment",
            Self::Certificate => "certificate",
            Self::Contact => "contact",
            Self::Registration => "registration",
            Self::Rule => "rule",
            Self::Participant => "participant",
            Self::Change => "change",
            Self::Token => "token",
        }
    }

    pub(super) fn unknown_code(self) -> &'static str {
        match self {
            Self::Workspace => "WORKSPACE_UNKNOWN",
            Self::User => "USER_UNKNOWN",
            Self::Mailbox => "MAILBOX_UNKNOWN",
            Self::Item => "ITEM_UNKNOWN",
            Self::Comment => "COMMENT_UNKNOWN",
            Self::Receipt => "RECEIPT_UNKNOWN",
            Self::Attachment => "ATTACHMENT_UNKNOWN",
            Self::Certificate => "CERTIFICATE_UNKNOWN",
            Self::Contact => "CONTACT_UNKNOWN",
            Self::Registration => "REGISTRATION_UNKNOWN",
            Self::Rule => "RULE_UNKNOWN",
            Self::Participant => "PARTICIPANT_UNKNOWN",
            Self::Change => "CHANGE_UNKNOWN",
            Self::Token => "TOKEN_UNKNOWN",
        }
    }

    pub(super) fn exists_code(self) -> &'static str {
        match self {
            Self::Workspace => "WORKSPACE_EXISTS",
            Self::User => "USER_EXISTS",
            Self::Mailbox => "MAILBOX_EXISTS",
            Self::Certificate => "CERTIFICATE_EXISTS",
            Self::Rule => "RULE_EXISTS",
            _ => "EXISTS",
        }
    }
}
