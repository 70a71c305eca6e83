//! The language of mail: octets in, values out.
//!
//! Purpose: what a message is ([`RawMessage`], [`Message`]), how a mailbox is reached ([`Access`]), how a server names a
//! message ([`RemoteId`]), and the conversations with mail servers as state machines without sockets ([`imap`], [`pop3`], [`sasl`]).
//! May touch: the values passed in, the time included. Must not: sockets, files, the clock, async, SQL.
//! Standards: RFC 5322, 2045–2049, 2047, 2231, 3834, 8098 (messages); RFC 9051, 3501, 4315, 6851 (IMAP); 1939, 2449,
//! 2595, 5034 (POP3); 4422, 4616, 2195, 5802, 7677 (SASL); 8601 (Authentication-Results).
//! Read in this order: `raw`, `address`, `authentication_results`, `message`, `read`, `access`, `sasl`, `conversation`, `imap`, `pop3`,
//! `peek`.

pub mod access;
pub mod address;
pub mod authentication_results;
pub mod conversation;
pub mod imap;
pub mod message;
pub mod peek;
pub mod pop3;
pub mod raw;
pub mod read;
pub mod sasl;
pub mod secret;

pub use access::{Access, AuthMethod, ImapAccess, Listed, RemoteId, Security, ServerAccess, Settlement};
pub use address::Address;
pub use authentication_results::AuthenticationResults;
pub use message::{
    Attachment, Automatic, AutomaticKind, Bounce, Content, Defect, FailedRecipient, Forwarded, HeaderField, Invitation,
    Message, Protection, TransferEncoding,
};
pub use raw::{RawMessage, Sha256};
pub use read::read;
pub use secret::Secret;
