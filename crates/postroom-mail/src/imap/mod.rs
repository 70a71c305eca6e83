//! The client's side of an IMAP conversation as a machine without sockets.
//!
//! [`Conversation`] takes octets in slices of any length and gives [`Event`]s; [`Command`]s become octets. It is lenient
//! in what it reads: a token reader, not a grammar, so that an unknown or odd line is skipped and never ends a visit.
//! It is strict where leniency would cost mail or a password: framing, tags, the switch to TLS, numbers, limits.
//!
//! Message literals are handed on in chunks as they come; nothing is allocated because of an announced size. Everything
//! else is bounded by [`MAX_LINE`] and [`MAX_NESTING`], and reading is linear in the octets.
//!
//! Standards: RFC 9051 and 3501 (IMAP4), 4315 (UIDPLUS), 6851 (MOVE), 2177 (IDLE), 2342 (NAMESPACE), 4731 (ESEARCH), 7162
//! (CONDSTORE), 2971 (ID), 7888 (LITERAL+), 4959 (SASL-IR), 5530 (response codes), 3516 (literal8). IMAP4rev2 is never
//! switched on. Read in this order: `reader`, `cursor`, `response`, `listing`, `command`, `conversation`.

mod command;
mod conversation;
mod cursor;
mod date;
mod folder_name;
mod listing;
mod reader;
mod response;
mod uid_set;

pub use command::{Command, Flag};
pub use conversation::{Conversation, Event, Sent, State, Tag};
pub use folder_name::{Namespace, encode_folder};
pub use listing::{Counts, FolderEntry, Found};
pub use reader::{MAX_LINE, Piece, Reader};
pub use response::{Body, Capabilities, Code, Fetch, Response, Status, StatusLine};
pub use uid_set::uid_sets;

use crate::conversation::Breach;

/// Deepest nesting of parentheses that is followed; a response that nests deeper is skipped.
pub const MAX_NESTING: usize = 64;

/// The conversation cannot go on; the connection must be closed. No text here comes from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImapError {
    /// A line, its literals that are no message included, is longer than [`MAX_LINE`].
    #[error("a line of more than {MAX_LINE} octets")]
    LineTooLong,
    /// A literal with a length that is no number, say `{-1}`.
    #[error("a literal with an impossible length")]
    LiteralMalformed,
    /// Two message literals in one response: nobody can say which of them the UID names.
    #[error("two message bodies in one response")]
    TwoBodies,
    /// What ends any conversation.
    #[error(transparent)]
    Breach(#[from] Breach),
    /// A continuation request that no command waits for.
    #[error("a continuation request without a command")]
    UnexpectedContinuation,
    /// The server does not greet as an IMAP server does.
    #[error("no IMAP greeting")]
    NoGreeting,
    /// The server greets with PREAUTH although TLS has to come first.
    #[error("PREAUTH before TLS")]
    PreauthBeforeTls,
    /// An argument has a character that IMAP cannot carry in it (NUL).
    #[error("an argument with a character that IMAP cannot carry")]
    Argument,
}

#[cfg(test)]
mod tests;
