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
        #[arg(long, value_name = "S")]
        state: Option<StateArg>,
    },
    /// Show a receipt with the steps that led to it
    Show { id: i64 },
    /// Write the octets as fetched to standard output
    Raw { id: i64 },
    /// Decide a held or deferred message again, under today's rules
    Retry { id: i64 },
    /// File a held message although its sender was not admitted
    Release {
        id: i64,
        /// The workspace of the new item; by default the mailbox's
        #[arg(long, value_name = "KEY")]
        workspace: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StateArg {
    Accepted,
    Deferred,
    Filed,
    Held,
}
