//! Workspaces and people: `postroom workspace`, `postroom user` and `postroom contact`.

use super::YesNo;
use clap::{Subcommand, ValueEnum};

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
    /// List the users
    List,
    /// Change a user
    Set {
        /// Any address of the user
        address: String,
        /// Whether the account is in use; mail of somebody whose account is not is mail of a stranger
        #[arg(long)]
        active: YesNo,
    },
    /// Print an address that signs this person in once, within 15 minutes
    SigninLink {
        /// The user's address
        address: String,
        /// Where `serve` listens
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8025")]
        base: String,
    },
}
