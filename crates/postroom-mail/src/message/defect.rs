//! What was wrong with a message.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// Something that was wrong with a message. `Display` is the sentence that is shown and printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
        limit: Cow<'static, str>,
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
    /// The text was made from HTML, and what a reader of that would not see is left out of it: hidden, without a size, or in
    /// the colour of its ground.
    HiddenText {
        /// How many pieces of text.
        count: u64,
    },
    /// The words are inside of what was signed as a whole (S/MIME), which is attached as it came.
    SignedAsAWhole,
    /// A multipart structure was damaged (no end boundary, no parts).
    Structure,
    /// The Date field is missing or names no real instant.
    Date,
    /// A winmail.dat was damaged; what could be unpacked of it was kept.
    Tnef,
    /// Words before the first part or behind the last one, which belong to no part.
    TextOutside,
}

impl Defect {
    /// That the limit named `limit` was reached.
    pub(crate) fn limit(limit: &'static str, allowed: usize) -> Self {
        Self::Limit { limit: Cow::Borrowed(limit), allowed: allowed as u64 }
    }
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
            Self::HtmlRemoved { count: 1 } => f.write_str("1 unsafe construct taken out of the HTML"),
            Self::HtmlRemoved { count } => write!(f, "{count} unsafe constructs taken out of the HTML"),
            Self::HtmlTooComplex => f.write_str("the HTML is too complex to be shown safely; its text is shown"),
            Self::HiddenText { count: 1 } => f.write_str("1 piece of invisible text left out of the text"),
            Self::HiddenText { count } => write!(f, "{count} pieces of invisible text left out of the text"),
            Self::SignedAsAWhole => f.write_str("the text is inside of what was signed as a whole; see the attachment"),
            Self::Structure => f.write_str("the MIME structure is damaged"),
            Self::Date => f.write_str("no usable date"),
            Self::TextOutside => f.write_str("text outside of the parts; it is in the original only"),
            Self::Tnef => f.write_str("the winmail.dat is damaged; what could be unpacked of it is attached"),
        }
    }
}
