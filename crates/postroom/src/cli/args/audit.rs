//! `postroom audit`.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// List what was done, the latest first
    List {
        /// Only with this: `mailbox:desk`, `user:ann@example.org`, `receipt:7`, …, or all of a kind: `mailbox`
        #[arg(long, value_name = "OBJECT")]
        object: Option<String>,
        /// Only by this one: an address, `cli:USER`, `mailbox:ID`, `setup`, `system`
        #[arg(long, value_name = "ACTOR")]
        actor: Option<String>,
    },
}
