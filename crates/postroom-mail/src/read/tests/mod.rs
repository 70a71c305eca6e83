//! Tests of reading as a whole; the parts have theirs beside them.
#![allow(clippy::unwrap_used)]

mod corpus;
mod limits;
mod messages;
mod properties;
