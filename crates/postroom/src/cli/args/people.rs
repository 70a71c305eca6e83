//! Workspaces and people: `postroom workspace` and `postroom user`.

use clap::Subcommand;

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
    /// Print an address that signs this person in once, within 15 minutes
    SigninLink {
        /// The user's address
        address: String,
        /// Where `serve` listens
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8025")]
        base: String,
    },
}
