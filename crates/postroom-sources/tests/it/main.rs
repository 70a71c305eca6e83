//! Mail sources against real and scripted servers.
#![allow(clippy::unwrap_used, missing_docs)]

mod binding;
mod certificates;
mod client;
mod cuts;
mod dialogues;
mod dovecot;
mod dovecot_pop3;
mod hostile;
mod listing;
mod logins;
mod servers;
mod starttls;
mod sweep;
mod wire_log;
