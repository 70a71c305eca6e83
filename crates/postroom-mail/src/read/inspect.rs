//! What `postroom inspect` prints of a message.

use crate::{Attachment, AutomaticKind, Bounce, Forwarded, Invitation, Message, Protection, Sha256};
use jiff::Timestamp;
use serde::Serialize;

/// A message as scripts see it. The field names and their meaning are a promise; more may be added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspection<'m> {
    /// The file, as it was named.
    pub file: &'m str,
    /// addr-spec of the author as written; empty when the From field names none, the first one when it names several.
    pub from: &'m str,
    /// Display name of that author; may be empty.
    pub from_name: &'m str,
    /// Subject; may be empty.
    pub subject: &'m str,
    /// The Date field as an instant (RFC 3339), if it names one.
    pub date: Option<Timestamp>,
    /// Message-ID without angle brackets.
    pub message_id: Option<&'m str>,
    /// Ids of In-Reply-To.
    pub in_reply_to: &'m [String],
    /// Ids of References, oldest first.
    pub references: &'m [String],
    /// addr-specs of the To field.
    pub to: Vec<&'m str>,
    /// addr-specs of the Cc field.
    pub cc: Vec<&'m str>,
    /// The plain body.
    pub text: &'m str,
    /// The sanitised HTML body.
    pub html: Option<&'m str>,
    /// What the author wrote now.
    pub reply_text: &'m str,
    /// The quotation that `reply_text` leaves out.
    pub quoted_text: &'m str,
    /// The signature that `reply_text` leaves out.
    pub signature: &'m str,
    /// Whether a machine wrote it and must not be answered.
    pub auto_submitted: bool,
    /// What kind of automatic mail it is.
    pub automatic_kind: Option<AutomaticKind>,
    /// What showed that it is.
    pub automatic_evidence: Option<&'m str>,
    /// What a bounce says.
    pub bounce: Option<&'m Bounce>,
    /// Messages passed on within it.
    pub forwarded: &'m [Forwarded],
    /// Calendar invitations and answers.
    pub invitations: &'m [Invitation],
    /// Whether its author signed or encrypted it.
    pub protection: Option<Protection>,
    /// Every leaf part that is not shown as the text or its HTML form.
    pub attachments: Vec<InspectedAttachment<'m>>,
    /// What was wrong, as sentences.
    pub defects: Vec<String>,
}

/// One attachment as scripts see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InspectedAttachment<'m> {
    /// File name, cleaned.
    pub name: &'m str,
    /// Media type as declared, in lower case.
    pub content_type: &'m str,
    /// What the content is, where the label says nothing or names a picture that it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detected_type: Option<&'m str>,
    /// Octets of the decoded content.
    pub size: u64,
    /// Digest of the decoded content.
    pub sha256: Sha256,
    /// Whether the HTML shows it.
    pub inline: bool,
    /// Content-ID without angle brackets.
    pub content_id: Option<&'m str>,
}

impl<'m> Inspection<'m> {
    /// What scripts see of `message`; `file` is the name under which it was given.
    pub fn of(file: &'m str, message: &'m Message) -> Self {
        let author = message.from.first();
        let automatic = message.automatic.as_ref();
        Self {
            file,
            from: author.map_or("", |address| &address.addr_spec),
            from_name: author.map_or("", |address| &address.name),
            subject: &message.subject,
            date: message.date,
            message_id: message.message_id.as_deref(),
            in_reply_to: &message.in_reply_to,
            references: &message.references,
            to: message.to.iter().map(|address| address.addr_spec.as_str()).collect(),
            cc: message.cc.iter().map(|address| address.addr_spec.as_str()).collect(),
            text: &message.text,
            html: message.html.as_deref(),
            reply_text: &message.reply_text,
            quoted_text: &message.quoted_text,
            signature: &message.signature,
            auto_submitted: message.auto_submitted,
            automatic_kind: automatic.map(|automatic| automatic.kind),
            automatic_evidence: automatic.map(|automatic| automatic.evidence.as_str()),
            bounce: message.bounce.as_ref(),
            forwarded: &message.forwarded,
            invitations: &message.invitations,
            protection: message.protection,
            attachments: message.attachments.iter().map(InspectedAttachment::of).collect(),
            defects: message.defects.iter().map(ToString::to_string).collect(),
        }
    }
}

impl<'m> InspectedAttachment<'m> {
    fn of(attachment: &'m Attachment) -> Self {
        Self {
            name: &attachment.name,
            content_type: &attachment.content_type,
            detected_type: attachment.detected_type.as_deref(),
            size: attachment.size,
            sha256: attachment.sha256,
            inline: attachment.inline,
            content_id: attachment.content_id.as_deref(),
        }
    }
}
