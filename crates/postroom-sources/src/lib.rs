//! The only sockets to mail servers, and the only eyes on mail files of this machine.
//!
//! Purpose: [`open`] a [`Session`] with a mailbox, list it, fetch its messages within a [`Budget`] of memory, settle what
//! is owed; [`probe()`] it step by step; find the server of an address ([`discover`]); split files for `import`; ask the DNS
//! what senders publish.
//! May touch: sockets, TLS, the DNS, Maildirs and mail files. Must not: the database, items, policy; it decides nothing.
//! Standards: RFC 9051, 3501 (IMAP), 4315 (UIDPLUS), 6851 (MOVE), 2595, 8314 (TLS), 4959 (SASL-IR),
//! 1939, 2449, 5034 (POP3), 4155 (mbox), 5280 (certificates), 7292 (PKCS #12), 2782, 6186 (SRV records), 9110 (HTTP).
//! Read in this order: `session`, `error`, `limits`, `trust`, `stream`, `wire`, `wire_log`, `login`, `pace`, `imap`, `pop3`, `maildir`, `probe`,
//! `local`, `mbox`; then `dns`, `names`, `https`, `discover`.

pub mod certificate;
pub mod discover;
pub mod dns;
pub mod error;
pub mod https;
mod imap;
pub mod limits;
pub mod local;
mod login;
mod maildir;
pub mod mbox;
pub mod names;
mod pace;
mod pop3;
pub mod probe;
pub mod session;
pub mod stream;
pub mod trust;
mod wire;
mod wire_log;

pub use dns::Dns;
pub use error::{Remedy, SourceError};
pub use imap::{Change, ImapSession};
pub use limits::{Budget, Limits};
pub use login::Binding;
pub use pop3::{Listing, MaildropShown, Pop3Session};
pub use probe::{Shown, Step, probe, shown};
pub use session::{Fetched, Folder, Outcome, Purpose, Session, open};
pub use trust::Trust;
pub use wire_log::WireLog;
