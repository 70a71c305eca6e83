//! What `postroom inspect` prints of a message.

use crate::{Attachment, AutomaticKind, Bounce, Forwarded, Invitation, Message, Protection, Sha256};
use jiff::Timestamp;
use serde::Serialize;

/// A message as scripts see it. The field names and their meaning are a promise; more may be added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// The file, as it was named.
    pub file: String,
    /// addr-spec of the author as written; empty when the From field names none, the first one when it names several.
    pub from: String,
    /// Display name of that author; may be empty.
    pub from_name: String,
    /// Subject; may be empty.
    pub subject: String,
    /// The Date field as an instant (RFC 3339), if it names one.
    pub date: Option<Timestamp>,
    /// Message-ID without angle brackets.
    pub message_id: Option<String>,
    /// Ids of In-Reply-To.
    pub in_reply_to: Vec<String>,
    /// Ids of References, oldest first.
    pub references: Vec<String>,
    /// addr-specs of the To field.
    pub to: Vec<String>,
    /// addr-specs of the Cc field.
    pub cc: Vec<String>,
    /// The plain body.
    pub text: String,
    /// The sanitised HTML body.
    pub html: Option<String>,
    /// What the author wrote now.
    pub reply_text: String,
    /// The quotation that `reply_text` leaves out.
    pub quoted_text: String,
    /// The signature that `reply_text` leaves out.
    pub signature: String,
    /// Whether a machine wrote it and must not be answered.
    pub auto_submitted: bool,
    /// What kind of automatic mail it is.
    pub automatic_kind: Option<AutomaticKind>,
    /// What showed that it is.
    pub automatic_evidence: Option<String>,
    /// What a bounce says.
    pub bounce: Option<Bounce>,
    /// Messages passed on within it.
    pub forwarded: Vec<Forwarded>,
    /// Calendar invitations and answers.
    pub invitations: Vec<Invitation>,
    /// Whether its author signed or encrypted it.
    pub protection: Option<Protection>,
    /// Every leaf part that is not shown as the text or its HTML form.
    pub attachments: Vec<InspectedAttachment>,
    /// What was wrong, as sentences.
    pub defects: Vec<String>,
}

/// One attachment as scripts see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InspectedAttachment {
    /// File name, cleaned.
    pub name: String,
    /// Media type as declared, in lower case.
    pub content_type: String,
    /// What the content is, where the label says nothing or names a picture that it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detected_type: Option<String>,
    /// Octets of the decoded content.
    pub size: u64,
    /// Digest of the decoded content.
    pub sha256: Sha256,
    /// Whether the HTML shows it.
    pub inline: bool,
    /// Content-ID without angle brackets.
    pub content_id: Option<String>,
}

impl Inspection {
    /// What scripts see of `message`; `file` is the name under which it was given.
    pub fn of(file: &str, message: &Message) -> Self {
        let author = message.from.first();
        let addr_specs = |list: &[crate::Address]| list.iter().map(|address| address.addr_spec.clone()).collect();
        Self {
            file: file.to_owned(),
            from: author.map_or_else(String::new, |address| address.addr_spec.clone()),
            from_name: author.map_or_else(String::new, |address| address.name.clone()),
            subject: message.subject.clone(),
            date: message.date,
            message_id: message.message_id.clone(),
            in_reply_to: message.in_reply_to.clone(),
            references: message.references.clone(),
            to: addr_specs(&message.to),
            cc: addr_specs(&message.cc),
            text: message.text.clone(),
            html: message.html.clone(),
            reply_text: message.reply_text.clone(),
            quoted_text: message.quoted_text.clone(),
            signature: message.signature.clone(),
            auto_submitted: message.auto_submitted,
            automatic_kind: message.automatic.as_ref().map(|automatic| automatic.kind),
            automatic_evidence: message.automatic.as_ref().map(|automatic| automatic.evidence.clone()),
            bounce: message.bounce.clone(),
            forwarded: message.forwarded.clone(),
            invitations: message.invitations.clone(),
            protection: message.protection,
            attachments: message.attachments.iter().map(InspectedAttachment::of).collect(),
            defects: message.defects.iter().map(ToString::to_string).collect(),
        }
    }
}

impl InspectedAttachment {
    fn of(attachment: &Attachment) -> Self {
        Self {
            name: attachment.name.clone(),
            content_type: attachment.content_type.clone(),
            detected_type: attachment.detected_type.clone(),
            size: attachment.size,
            sha256: attachment.sha256,
            inline: attachment.inline,
            content_id: attachment.content_id.clone(),
        }
    }
}
