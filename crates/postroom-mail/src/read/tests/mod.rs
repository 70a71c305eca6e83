//! Tests of reading as a whole; the parts have theirs beside them.
#![allow(clippy::unwrap_used)]
// The crate itself has neither files nor a clock; its tests read their cases and watch how long a case takes.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

mod accounting;
mod authors;
mod automatic;
mod corpus;
mod limits;
mod messages;
mod properties;
mod structures;
mod tables;
