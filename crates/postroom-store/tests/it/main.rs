//! The contract of the store: one suite, run on SQLite and on PostgreSQL.
#![allow(clippy::unwrap_used, missing_docs)]

mod audit;
mod audit_chain;
mod backup;
mod child;
mod closed;
mod contacts;
mod corridor;
#[cfg(feature = "crash-points")]
mod crashes;
mod folders;
mod held;
mod items;
mod loops;
mod maildrop;
mod passwords;
mod registration;
mod rights;
mod routing;
mod sender;
mod settings;
mod storms;
mod support;
mod tokens;
mod trouble;
mod undo;
mod visits;
