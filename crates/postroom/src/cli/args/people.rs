//! Workspaces and people: `postroom workspace`, `postroom user` and `postroom contact`.

use super::YesNo;
use clap::{Args, Subcommand, ValueEnum};

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
    /// Make a workspace the default: items of mailboxes that name no workspace go there
    Default {
        /// Its key
        #[arg(required_unless_present = "none", conflicts_with = "none")]
        key: Option<String>,
        /// Have no default; mail of mailboxes that name no workspace is held then
        #[arg(long)]
        none: bool,
    },
    /// Change the rules of a workspace; what is not named stays
    Set {
        /// The workspace
        key: String,
        #[command(flatten)]
        options: WorkspaceOptions,
    },
    /// List the workspaces
    List,
}

/// For how many days held mail is kept; `None` for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention(pub Option<u32>);

/// The longest retention in days that can be named: a hundred years.
const RETAIN_MAX: u32 = 36_500;

fn retention(text: &str) -> Result<Retention, String> {
    if text == "forever" {
        return Ok(Retention(None));
    }
    let days = text.strip_suffix('d').and_then(|days| days.parse().ok()).filter(|days| (1..=RETAIN_MAX).contains(days));
    days.map(|days| Retention(Some(days))).ok_or_else(|| "write for example 90d, or forever".to_owned())
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
    /// List people without an account whose mail became an item or a comment, or about whom something was decided
    List,
    /// Let this address write although unknown senders may not
    ///
    /// That overrules neither the block list nor the allowed domains.
    Admit {
        /// The address
        address: String,
    },
    /// Let this address not write although unknown senders may
    Block {
        /// The address
        address: String,
    },
    /// Forget an address, and whether it was admitted or blocked; its items and comments stay
    Forget {
        /// The address
        address: String,
    },
}

/// The rules of a workspace. What is not given stays as it is.
#[derive(Debug, Args)]
pub struct WorkspaceOptions {
    /// What a known sender may do of whom nothing proves that he wrote the message [at first: comment]
    #[arg(long, value_name = "WHAT")]
    pub unverified: Option<UnverifiedArg>,
    /// What mail on a closed item does: open it again, comment only, or open a new item that continues it [at first: reopen]
    ///
    /// Automatic mail, and mail of a sender whose identity is not proven, never opens an item again.
    #[arg(long, value_name = "WHAT")]
    pub closed: Option<ClosedArg>,
    /// How often mail opens one item again within a day; then it is a comment only [at first: 3]
    #[arg(long, value_name = "N")]
    pub reopen_limit: Option<u32>,
    /// Credit the author of what an agent forwards, without being asked for by `@fwd` or a `+fwd` address [at first: no]
    #[arg(long, value_name = "YES|NO")]
    pub forward_credit: Option<YesNo>,
    /// For how long mail is kept that a rule holds, for example 90d, or `forever` [at first: forever]
    ///
    /// Then its octets are deleted here; the receipt stays. What a failure holds is kept until it is mended.
    #[arg(long, value_name = "DAYS", value_parser = retention)]
    pub retain_held: Option<Retention>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ClosedArg {
    Reopen,
    Comment,
    NewItem,
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
        #[arg(long, value_name = "URL", default_value = BASE, value_parser = base_url)]
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
        #[arg(long, value_name = "URL", default_value = BASE, value_parser = base_url)]
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
        #[arg(long, value_name = "URL", default_value = BASE, value_parser = base_url)]
        base: String,
    },
}

/// The address of a web page, which links are put behind.
fn base_url(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    if host.is_empty() || host.starts_with('/') || text.contains(char::is_whitespace) {
        return Err("write it as https://desk.example.org".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}
