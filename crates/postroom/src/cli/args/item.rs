//! What mail became: `postroom item` and `postroom receipt`.

use clap::{Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub enum ItemCommand {
    /// List items, the latest first
    List {
        #[arg(long, value_name = "KEY")]
        workspace: Option<String>,
        /// Words that must all occur in title, description or comments
        #[arg(long, value_name = "Q")]
        query: Option<String>,
    },
    /// Show an item with everything on it
    Show { number: i64 },
    /// Move an item to another workspace
    Move { number: i64, key: String },
    /// Make an item of its own of a comment that landed wrongly
    Split {
        number: i64,
        /// Number of the comment, as `item show` prints it
        comment: i64,
    },
}

#[derive(Debug, Subcommand)]
pub enum ReceiptCommand {
    /// List receipts, the latest first
    List {
        #[arg(long, value_name = "NAME")]
        mailbox: Option<String>,
        /// `held` leaves out what was deleted, unless --reason asks for it
        #[arg(long, value_name = "S")]
        state: Option<StateArg>,
        /// Only for this reason, by its code
        #[arg(long, value_name = "CODE")]
        reason: Option<String>,
    },
    /// Show a receipt with the steps that led to it
    Show { id: i64 },
    /// Write the octets as fetched to standard output
    Raw { id: i64 },
    /// Decide held mail again, under today's rules: one message (also a deferred one), or all that match
    #[command(group(clap::ArgGroup::new("which").args(["id", "reason", "all"]).required(true)))]
    Retry {
        id: Option<i64>,
        /// All that is held for this reason, by its code, the oldest first
        #[arg(long, value_name = "CODE")]
        reason: Option<String>,
        /// All that is held, the oldest first
        #[arg(long)]
        all: bool,
        /// Only of this mailbox
        #[arg(long, value_name = "NAME", conflicts_with = "id")]
        mailbox: Option<String>,
    },
    /// Delete a held message here; its receipt stays, and its server is not told
    ///
    /// Its octets are removed for good, here; a backup from before still has them. The receipt keeps its digest, so that the
    /// message is never fetched again.
    Delete {
        id: i64,
        /// Why, for whoever looks into the receipt or the audit
        #[arg(long, value_name = "TEXT")]
        why: Option<String>,
    },
    /// File a held message although its sender was not admitted
    Release {
        id: i64,
        /// The workspace of the new item; by default the mailbox's
        #[arg(long, value_name = "KEY")]
        workspace: Option<String>,
        /// Also admit its sender as a contact, for all that they write from now on
        ///
        /// That overrules neither the block list nor the allowed domains; `contact forget ADDRESS` takes it back.
        #[arg(long)]
        always: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StateArg {
    Accepted,
    Deferred,
    Filed,
    Held,
}
