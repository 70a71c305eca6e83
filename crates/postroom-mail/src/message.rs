//! What we read out of a raw message.

use crate::{Address, RawMessage, Sha256};
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use std::fmt;

/// A message as it was understood. Made by [`crate::read`], which never fails: what was wrong stands in `defects`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
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
    /// The plain body; made from the HTML where there is no plain part. Never has a NUL in it; line ends are LF.
    pub text: String,
    /// The HTML body, sanitised, or `None`. Images of the message itself keep their `cid:` address.
    pub html: Option<String>,
    /// What the author wrote now: `text` without quotation and signature.
    pub reply_text: String,
    /// The quotation that `reply_text` leaves out; empty when there is none.
    pub quoted_text: String,
    /// What kind of automatic mail this is, if it is.
    pub automatic: Option<AutomaticKind>,
    /// Whether a machine wrote it and must not be answered: auto-replies, bounces, reports and receipts, not lists.
    pub auto_submitted: bool,
    /// Every leaf part that is not shown as the text or its HTML form.
    pub attachments: Vec<Attachment>,
    /// What was wrong, in the order found.
    pub defects: Vec<Defect>,
}

impl Message {
    /// The one author, if the From field names exactly one usable address.
    // RFC 5322 §3.6.2 allows several authors; whom of them we should believe nobody can say.
    pub fn author(&self) -> Option<&Address> {
        match self.from.as_slice() {
            [one] if one.canonical().is_some() => Some(one),
            _ => None,
        }
    }
}

/// Kinds of mail that no person wrote to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AutomaticKind {
    /// Auto-Submitted and its older relatives (RFC 3834).
    AutoReply,
    /// A delivery status notification (RFC 3464) or an older bounce.
    Bounce,
    /// Mail of a mailing list (RFC 2919, 2369).
    List,
    /// Other reports: feedback, disposition notifications (RFC 5965, 8098).
    Report,
}

/// One part that is offered for download or shown inside the HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// File name, decoded and cleaned, unique in its message, at most 200 octets.
    pub name: String,
    /// Media type in lower case without parameters, for example `image/png`, at most 998 octets.
    pub content_type: String,
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
#[derive(Debug, Clone, PartialEq, Eq)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

/// Something that was wrong with a message. `Display` is the sentence that is shown and printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Defect {
    /// No From field, or none that names an address.
    NoAuthor,
    /// A header or body was not in the character set it declared.
    Charset {
        /// Which part of the message.
        part: String,
    },
    /// A transfer encoding was damaged; what could be decoded was kept.
    TransferEncoding {
        /// Which part of the message.
        part: String,
    },
    /// A limit was reached; what lies beyond it is only in the original message.
    Limit {
        /// Which limit.
        limit: &'static str,
        /// Its value.
        allowed: u64,
    },
    /// Something was taken out of the HTML because it could run, load or overlay.
    HtmlRemoved {
        /// How many elements and attributes.
        count: u64,
    },
    /// The HTML was too complex to be cleaned safely; the text form is shown instead.
    HtmlTooComplex,
    /// A multipart structure was damaged (no end boundary, no parts).
    Structure,
    /// The Date field is missing or names no real instant.
    Date,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAuthor => f.write_str("no usable author address"),
            Self::Charset { part } => write!(f, "the {part} is not in the character set it declares"),
            Self::TransferEncoding { part } => write!(f, "the transfer encoding of the {part} is damaged"),
            Self::Limit { limit, allowed } => {
                write!(f, "more than {allowed} {limit}; the rest is in the original only")
            }
            Self::HtmlRemoved { count } => write!(f, "{count} unsafe constructs taken out of the HTML"),
            Self::HtmlTooComplex => f.write_str("the HTML is too complex to be shown safely; its text is shown"),
            Self::Structure => f.write_str("the MIME structure is damaged"),
            Self::Date => f.write_str("no usable date"),
        }
    }
}

impl Serialize for Defect {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
