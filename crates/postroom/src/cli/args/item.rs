//! What mail became: `postroom item` and `postroom receipt`.

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
pub struct ItemArgs {
    /// Act for this user: with their rights, and under their name in the history
    #[arg(long = "as", value_name = "ADDRESS", global = true)]
    pub user: Option<String>,
    #[command(subcommand)]
    pub command: ItemCommand,
}

#[derive(Debug, Subcommand)]
pub enum ItemCommand {
    /// List items, the latest first
    List {
        #[arg(long, value_name = "KEY")]
        workspace: Option<String>,
        /// Words that must all occur in title, description or comments
        #[arg(long, value_name = "Q")]
        query: Option<String>,
        #[arg(long, value_name = "STATUS")]
        status: Option<StatusArg>,
        #[arg(long, value_name = "TAG")]
        tag: Option<String>,
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
    /// Move a comment that landed wrongly onto another item
    MoveComment {
        number: i64,
        /// Number of the comment, as `item show` prints it
        comment: i64,
        /// Number of the other item
        target: i64,
    },
    /// Close an item
    Close { number: i64 },
    /// Open a closed item again
    Reopen { number: i64 },
    /// Assign an item to a user, or to nobody
    Assign {
        number: i64,
        /// Address of a user who may work on it, or `nobody`
        to: String,
    },
    /// Add tags (+urgent) and remove them (-later)
    Tag {
        number: i64,
        /// Tags, each with its sign; other options stand before them
        #[arg(required = true, allow_hyphen_values = true, value_name = "+TAG|-TAG")]
        tags: Vec<String>,
    },
    /// Who takes part in an item
    #[command(subcommand)]
    Participant(ParticipantCommand),
    /// Show what happened to an item
    History { number: i64 },
    /// Take back the last thing that was done with an item
    ///
    /// Moves, splits, moved comments, closing and opening, assignments, tags and participants can be taken back, exactly.
    /// It is refused where something later rests on it. Mail that came in is not taken back: a comment that landed wrongly is
    /// moved or split off.
    Undo {
        number: i64,
        /// Another change than the last one, by its number in `item history`
        #[arg(long, value_name = "ID")]
        change: Option<i64>,
    },
    /// Print signed reply keys of an item, as a Message-ID and as an address
    ///
    /// Mail that answers to either belongs to the item, whatever its subject says, if its sender may comment there. In the
    /// hands of the addressee a key also proves who is writing.
    ReplyKey {
        number: i64,
        /// The mailbox that replies come to; by default the one that the item came through
        #[arg(long, value_name = "NAME")]
        mailbox: Option<String>,
        /// Whom they are given to; by default the requester
        #[arg(long = "for", value_name = "ADDRESS")]
        addressee: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum ParticipantCommand {
    /// Give somebody part in an item: to see it and to comment on it; also accepts who is proposed
    Add {
        number: i64,
        address: String,
        #[arg(long, value_name = "N")]
        name: Option<String>,
    },
    /// Take somebody off an item, or drop a proposal for good
    Remove { number: i64, address: String },
    /// List who takes part and who is proposed
    List { number: i64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StatusArg {
    Open,
    Closed,
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
