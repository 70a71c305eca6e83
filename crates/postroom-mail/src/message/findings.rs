//! What is recognised in a message besides its text: kinds of automatic mail, bounces, forwards, invitations, protection.

use crate::Address;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Mail that no person wrote to us, and what shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Automatic {
    /// What kind it is.
    pub kind: AutomaticKind,
    /// The field or the part that decided it, on one line of at most 200 characters, for example
    /// `Auto-Submitted: auto-replied`.
    pub evidence: String,
}

/// Kinds of mail that no person wrote to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

impl AutomaticKind {
    /// The name that scripts see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AutoReply => "auto-reply",
            Self::Bounce => "bounce",
            Self::List => "list",
            Self::Report => "report",
        }
    }
}

/// What a bounce says, from its delivery status (RFC 3464) or, where there is none, from its text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bounce {
    /// Message-ID of the message that came back, without angle brackets.
    pub original_message_id: Option<String>,
    /// Recipients it could not be delivered to, at most 100.
    pub recipients: Vec<FailedRecipient>,
}

/// One recipient of a bounce.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FailedRecipient {
    /// addr-spec of the recipient.
    pub address: String,
    /// What the mail system did: `failed`, `delayed`, `delivered`, `relayed`, `expanded` (RFC 3464 §2.3.3).
    pub action: String,
    /// Enhanced status code, for example `5.1.1` (RFC 3463), if one is named.
    pub status: Option<String>,
    /// What the mail system said, on one line of at most 500 characters; may be empty.
    pub diagnostic: String,
}

/// A message that the author passed on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Forwarded {
    /// Its author, if it names one.
    pub from: Option<Address>,
    /// Its date, if it names a real instant (an inline header without a zone does not).
    pub date: Option<Timestamp>,
    /// Its date as written there; may be empty.
    pub date_as_written: String,
    /// Its subject; may be empty.
    pub subject: String,
    /// Its Message-ID without angle brackets, which only an attached message has.
    pub message_id: Option<String>,
    /// Whether it is an attachment (message/rfc822) rather than text.
    pub attached: bool,
    /// What the author of the outer message wrote above it, at most 2,000 characters; only of the first one.
    pub note: String,
    /// What it says, as plain text; only of the first one.
    pub text: String,
}

/// A calendar object (RFC 5545, 6047): an invitation, an answer to one, a cancellation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Invitation {
    /// iTIP method in upper case (RFC 5546 §1.4): `REQUEST`, `REPLY`, `CANCEL`, …; empty if none is named.
    pub method: String,
    /// Title of the first event; may be empty.
    pub summary: String,
    /// Beginning as an instant, if its time zone is known.
    pub start: Option<Timestamp>,
    /// End as an instant, if it is named or follows from a duration, and its time zone is known.
    pub end: Option<Timestamp>,
    /// Beginning as written (RFC 5545 §3.3.4, 3.3.5), with its zone; may be empty.
    pub start_as_written: String,
    /// Where; may be empty.
    pub location: String,
    /// addr-spec of the organizer; may be empty.
    pub organizer: String,
    /// In a `REPLY` who answers and what (RFC 5545 §3.2.12), for example `ann@example.org` and `ACCEPTED`.
    pub answer: Option<(String, String)>,
    /// UID of the event; may be empty.
    pub uid: String,
}

/// How the author protected the content. What is encrypted is kept whole, as attachments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// S/MIME, signed (RFC 8551 §3.5); the signature is not verified.
    SmimeSigned,
    /// S/MIME, encrypted (RFC 8551 §3.3).
    SmimeEncrypted,
    /// OpenPGP, signed (RFC 3156 §5, or in the text, RFC 9580 §7); the signature is not verified.
    PgpSigned,
    /// OpenPGP, encrypted (RFC 3156 §4, or in the text).
    PgpEncrypted,
}
