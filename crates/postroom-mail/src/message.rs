//! What we read out of a raw message.

use crate::{Address, RawMessage, Sha256};
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

mod defect;
mod findings;
mod passage;

pub use defect::Defect;
pub use findings::{Automatic, AutomaticKind, Bounce, FailedRecipient, Forwarded, Invitation, Protection};
pub use passage::{Client, Hop, Passage, Step as PassageStep};

/// A message as it was understood. Made by [`crate::read`], which never fails: what was wrong stands in `defects`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Message {
    /// All authors of the From field, in order (RFC 5322 §3.6.2). Rules take an author only when there is exactly one.
    pub from: Vec<Address>,
    /// Recipients of the To field.
    pub to: Vec<Address>,
    /// Recipients of the Cc field.
    pub cc: Vec<Address>,
    /// Subject, decoded, white space folded to single blanks, no control characters; may be empty.
    pub subject: String,
    /// The Date field, if it names a real instant.
    pub date: Option<Timestamp>,
    /// Message-ID without angle brackets. As everywhere here, one of more than 998 octets is none.
    pub message_id: Option<String>,
    /// Ids of In-Reply-To, without angle brackets.
    pub in_reply_to: Vec<String>,
    /// Ids of References, oldest first, without angle brackets.
    pub references: Vec<String>,
    /// The header fields as they stand there, in order, for rules that ask for one by name. What claims to be Postroom's
    /// own (`X-Postroom-…`) is not among them: nobody outside can say anything in our name.
    pub fields: Vec<HeaderField>,
    /// The plain body; made from the HTML where there is no plain part. Never has a NUL in it; line ends are LF.
    pub text: String,
    /// The HTML body, sanitised, or `None`. Images of the message itself keep their `cid:` address.
    pub html: Option<String>,
    /// What the author wrote now: `text` without quotation and signature.
    pub reply_text: String,
    /// The quotation that `reply_text` leaves out; empty when there is none.
    pub quoted_text: String,
    /// The signature that `reply_text` leaves out, without its separator; empty when there is none.
    pub signature: String,
    /// What kind of automatic mail this is and what shows it, if it is.
    pub automatic: Option<Automatic>,
    /// Whether a machine wrote it and must not be answered: auto-replies, bounces, reports and receipts, not lists.
    pub auto_submitted: bool,
    /// What a bounce says: which recipients failed and why, and which message it was about.
    pub bounce: Option<Bounce>,
    /// Messages that the author forwarded within the text or as attachments, outermost first.
    pub forwarded: Vec<Forwarded>,
    /// Calendar invitations and answers to them, in the order of their parts.
    pub invitations: Vec<Invitation>,
    /// Whether the content was signed or encrypted by its author.
    pub protection: Option<Protection>,
    /// Every leaf part that is not shown as the text or its HTML form.
    pub attachments: Vec<Attachment>,
    /// What hosts on the way wrote, as far as it tells who sent it.
    pub passage: Passage,
    /// What was wrong, in the order found.
    pub defects: Vec<Defect>,
}

impl Message {
    /// The values of the header fields of this name, in order. Names have no case.
    pub fn fields<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value.as_str())
    }

    /// The one author, if the From field names exactly one usable address.
    // RFC 5322 §3.6.2 allows several authors; whom of them we should believe nobody can say.
    pub fn author(&self) -> Option<&Address> {
        match self.from.as_slice() {
            [one] if one.canonical().is_some() => Some(one),
            _ => None,
        }
    }
}

/// One header field: its name as written, and its value decoded (RFC 2047) and on one line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HeaderField {
    /// Name, as written.
    pub name: String,
    /// Value, without the blanks around it.
    pub value: String,
}

/// One part that is offered for download or shown inside the HTML.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// File name, decoded and cleaned, unique in its message, at most 200 octets.
    pub name: String,
    /// Media type as declared, in lower case without parameters, for example `image/png`, at most 998 octets.
    pub content_type: String,
    /// What the content is by its first octets, where `content_type` says nothing (`application/octet-stream`) or names a
    /// picture that it is not.
    pub detected_type: Option<String>,
    /// Length of the decoded content in octets.
    pub size: u64,
    /// Digest of the decoded content.
    pub sha256: Sha256,
    /// Whether the HTML shows it (a `cid:` image) rather than offering it.
    pub inline: bool,
    /// Content-ID without angle brackets; one of more than 998 octets is none.
    pub content_id: Option<String>,
    /// Where the decoded content comes from.
    pub content: Content,
}

/// Where the content of an attachment is.
///
/// Most attachments are a range of the raw message and a transfer encoding, so they need not be stored a second time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// `offset` and `length` octets of the raw message, still encoded.
    Slice {
        /// First octet, counted from the start of the raw message.
        offset: u64,
        /// Number of encoded octets.
        length: u64,
        /// How they are encoded.
        encoding: TransferEncoding,
    },
    /// The decoded octets themselves, where they are not one range of the raw message.
    Octets(Bytes),
}

/// Content-Transfer-Encoding as far as it changes octets (RFC 2045 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TransferEncoding {
    /// 7bit, 8bit, binary: the octets as they are.
    Identity,
    /// Base64 (RFC 2045 §6.8).
    Base64,
    /// Quoted-printable (RFC 2045 §6.7).
    QuotedPrintable,
}

impl TransferEncoding {
    /// The name under which it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Base64 => "base64",
            Self::QuotedPrintable => "quoted-printable",
        }
    }

    /// The encoding stored under `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Identity, Self::Base64, Self::QuotedPrintable].into_iter().find(|e| e.as_str() == name)
    }
}

impl Content {
    /// The decoded octets. Deterministic: the same slice of the same message always gives the same octets.
    /// A slice beyond the end of `raw` is cut to what is there.
    pub fn octets(&self, raw: &RawMessage) -> Bytes {
        match self {
            Self::Octets(octets) => octets.clone(),
            Self::Slice { offset, length, encoding } => {
                let end = raw.octets().len();
                let from = usize::try_from(*offset).unwrap_or(end).min(end);
                let to = from.saturating_add(usize::try_from(*length).unwrap_or(end)).min(end);
                let slice = raw.octets().slice(from..to);
                crate::read::decode_transfer(&slice, *encoding)
            }
        }
    }
}
