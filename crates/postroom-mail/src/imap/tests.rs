//! The machine alone: replies of real servers, dialogues in any slices, commands as octets, the rules of each state.
#![allow(clippy::unwrap_used)]

mod commands;
mod replies;
mod states;
