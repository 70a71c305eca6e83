//! The client's side of a POP3 conversation as a machine without sockets.
//!
//! [`Conversation`] takes octets in slices of any length and gives [`Event`]s; [`Command`]s become octets. Replies have no
//! names in POP3: the first belongs to the first command, so one octet too many or too few would give somebody the mail of
//! another message. Hence nothing is forgiven here: a line that is no reply, a reply that nothing asked for, a line that ends
//! in LF alone, a number that is none end the conversation.
//!
//! A message is handed on in chunks as it comes, its dots taken off exactly. It ends at CRLF, dot, CRLF and nowhere else: to
//! end it earlier, say at a dot between bare LFs, would let its author write the next replies.
//!
//! Standards: RFC 1939 (POP3), 2449 (CAPA, response codes), 3206 (SYS/… and AUTH), 2595 (STLS), 5034 (AUTH), 8314. UTF8 of
//! RFC 6856 is never switched on. Read in this order: `reader`, `reply`, `command`, `conversation`.

mod command;
mod conversation;
mod reader;
mod reply;

pub use command::Command;
pub use conversation::{Conversation, Event, State};
pub use reader::{MAX_LINE, Piece, Reader};
pub use reply::{Capabilities, Reply, arrival, is_unique_id, listing_entry, maildrop};

use crate::conversation::Breach;

/// Most lines of the answer to CAPA.
pub const MAX_CAPABILITIES: usize = 256;

/// The conversation cannot go on; the connection must be closed. No text here comes from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Pop3Error {
    /// A line outside of a message is longer than [`MAX_LINE`].
    #[error("a line of more than {MAX_LINE} octets")]
    LineTooLong,
    /// A line outside of a message ends in LF alone, as would those of messages: nobody could say where they end.
    #[error("a line that ends without CR")]
    BareLineFeed,
    /// A line that is neither `+OK` nor `-ERR` where a reply is awaited.
    #[error("a line that is no reply")]
    NoReply,
    /// What ends any conversation.
    #[error(transparent)]
    Breach(#[from] Breach),
    /// The server does not greet as a POP3 server does.
    #[error("no POP3 greeting")]
    NoGreeting,
    /// A line of a listing that has no number, or an impossible one.
    #[error("a listing with an impossible number")]
    Number,
    /// The answer to CAPA does not end.
    #[error("more than {MAX_CAPABILITIES} capabilities")]
    TooManyCapabilities,
    /// An argument has a character that POP3 cannot carry in it (NUL or a line end).
    #[error("an argument with a character that POP3 cannot carry")]
    Argument,
}

#[cfg(test)]
mod tests;
