//! The working floor and the front door of Postroom.
//!
//! Purpose: the command line ([`cli`]), the loops that visit mailboxes ([`supervisor`], [`collector`]) and the intake that
//! has every message read, judged, decided and filed ([`intake`]).
//! May touch: everything the other crates offer. Must not: product rules (it asks `postroom-domain`), SQL, sockets to
//! mail servers.
//! Standards: sysexits (`EX_TEMPFAIL`), those of the crates it binds together.
//! Read in this order: `cli`, `floor`, `supervisor`, `collector`, `intake`, `readers`,
//! `authentication`, `failure`.

mod authentication;
mod cli;
mod collector;
mod connection;
mod failure;
mod fault;
mod floor;
mod intake;
mod readers;
mod supervisor;

fn main() -> std::process::ExitCode {
    cli::run()
}
