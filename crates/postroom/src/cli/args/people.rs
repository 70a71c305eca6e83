//! Workspaces and people: `postroom workspace`, `postroom user` and `postroom contact`.

use super::YesNo;
use clap::{Subcommand, ValueEnum};

/// Where `serve` listens if nothing else is said.
const BASE: &str = "http://127.0.0.1:8025";

#[derive(Debug, Subcommand)]
pub enum WorkspaceCommand {
    /// Add a workspace
    Add {
        /// Short name: 1 to 16 letters, digits or `-`
        key: String,
        /// Name for people
        name: String,
        /// Items of mailboxes that name no workspace go here
        #[arg(long)]
        default: bool,
    },
    /// List the workspaces
    List,
    /// Change the rules of a workspace; what is not named stays
    Set {
        /// The workspace
        key: String,
        /// What a known sender may do of whom nothing proves that he wrote the message [at first: comment]
        #[arg(long)]
        unverified: Option<UnverifiedArg>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum UnverifiedArg {
    /// Comment, marked as unverified; nothing that changes the state of an item
    Comment,
    /// Nothing: the message is held
    Hold,
    /// Open items, but not comment
    OpenOnly,
}

#[derive(Debug, Subcommand)]
pub enum ContactCommand {
    /// List people without an account whose mail became an item or a comment
    List,
}

#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add a user
    Add {
        /// Main email address
        address: String,
        /// Name for people
        #[arg(long, value_name = "N")]
        name: Option<String>,
        /// May do everything everywhere
        #[arg(long)]
        admin: bool,
        /// Membership: reader sees, reporter also creates and comments, agent also edits, manager also sets up
        #[arg(long, value_name = "KEY=ROLE")]
        member: Vec<String>,
        /// A further address of the same person
        #[arg(long, value_name = "ADDRESS")]
        alias: Vec<String>,
    },
    /// Change a user; what is not named stays
    ///
    /// Whoever is deactivated is signed out everywhere, and mail from them is mail of an unknown sender.
    Set {
        /// One of the user's addresses
        address: String,
        /// Name for people
        #[arg(long, value_name = "N")]
        name: Option<String>,
        /// Whether the account is in use
        #[arg(long)]
        active: Option<YesNo>,
        /// Whether they may do everything everywhere
        #[arg(long)]
        admin: Option<YesNo>,
        /// A role in a workspace; `KEY=none` ends the membership
        #[arg(long, value_name = "KEY=ROLE")]
        member: Vec<String>,
        /// A further address to add
        #[arg(long, value_name = "ADDRESS")]
        alias: Vec<String>,
        /// A further address to take away
        #[arg(long, value_name = "ADDRESS")]
        no_alias: Vec<String>,
    },
    /// List the users
    List,
    /// Sign a user out everywhere
    SignOut {
        /// One of the user's addresses
        address: String,
    },
    /// Print an address by which this person gets an account, once, within 72 hours
    Invite {
        /// Whom to invite
        address: String,
        /// Name for people
        #[arg(long, value_name = "N")]
        name: Option<String>,
        /// Membership, as with `user add`
        #[arg(long, value_name = "KEY=ROLE")]
        member: Vec<String>,
        /// Where `serve` listens
        #[arg(long, value_name = "URL", default_value = BASE)]
        base: String,
    },
    /// Ask for an account, as people do who register; `setting set registration` says whether they may
    ///
    /// Prints an address and a code, each of which shows within 24 hours that the mail address is theirs: the first is
    /// to be sent to them and opened, the second is written into the subject of a message from that address to an inbox.
    Register {
        /// Who registers
        address: String,
        /// Name for people
        #[arg(long, value_name = "N")]
        name: Option<String>,
        /// Where `serve` listens
        #[arg(long, value_name = "URL", default_value = BASE)]
        base: String,
    },
    /// List who registered or was invited and has no account yet
    Pending,
    /// Give an account to somebody who registered
    Approve {
        /// Whose registration
        address: String,
    },
    /// Refuse a registration, or withdraw an invitation
    Refuse {
        /// Whose registration or invitation
        address: String,
    },
    /// Print an address that signs this person in once, within 15 minutes
    SigninLink {
        /// The user's address
        address: String,
        /// Where `serve` listens
        #[arg(long, value_name = "URL", default_value = BASE)]
        base: String,
    },
}
