//! The machine alone: replies of real servers, dialogues in any slices, commands as octets, the rules of each state.
#![allow(clippy::unwrap_used)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    reason = "the tests, unlike the machine, read files and look at the clock"
)]

mod commands;
mod replies;
mod states;
