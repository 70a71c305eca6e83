//! The command line as people type it. The texts here are the help pages.

mod audit;
mod item;
mod mailbox;
mod people;
mod rule;
mod setting;
mod token;
mod trust;

pub use audit::AuditCommand;
pub use item::{ItemArgs, ItemCommand, ParticipantCommand, ReceiptCommand, StateArg, StatusArg};
pub use mailbox::{
    AuthArg, AutomaticArg, MailboxAdd, MailboxCommand, MailboxOptions, MailboxSet, Protocol, SecurityArg, SwitchArg,
    YesNo,
};
pub use people::{
    ClosedArg, ContactCommand, Retention, UnverifiedArg, UserCommand, WorkspaceCommand, WorkspaceOptions,
};
pub use rule::{Clear, PlaceArgs, RuleCommand, RuleOptions};
pub use setting::{
    ChecksArg, MetricsArg, OnOff, PatternCommand, RegistrationArg, SettingCommand, SettingSet, SyntaxArg,
};
pub use token::{ScopeArg, TokenCommand};
pub use trust::{CertificateCommand, DiscoverArgs, PasswordArgs, StarttlsArg, TrustArgs};

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Turns incoming email into work items.
///
/// Postroom visits mailboxes and makes of every message exactly one of three things:
/// a new item, a comment on an existing one, or held mail with a reason that a person
/// can read. Nothing is lost, nothing is filed twice.
///
/// Try it: `postroom demo`. Then, for a real mailbox:
///
///   postroom workspace add SUP Support --default
///   postroom user add you@example.org --admin
///   postroom mailbox add desk --protocol imap --host imap.example.org \
///     --security ssl --user desk --password-file FILE
///   postroom mailbox test desk
///   postroom serve
#[derive(Debug, Parser)]
#[command(name = "postroom", version, verbatim_doc_comment, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Args, Clone)]
pub struct Global {
    /// Directory of the data: database, large messages, key
    #[arg(long, global = true, value_name = "DIR", env = "POSTROOM_DATA", default_value = "./postroom-data")]
    pub data: PathBuf,
    /// Database; SQLite in the data directory unless a `postgres://…` address is given
    ///
    /// A password belongs into POSTROOM_DATABASE_PASSWORD_FILE rather than into the address.
    #[arg(long, global = true, value_name = "URL", env = "POSTROOM_DATABASE", hide_env_values = true)]
    pub database: Option<String>,
    /// One JSON object per line instead of text for people
    #[arg(long, global = true)]
    pub json: bool,
    /// Show what the workers do, on stderr (also `POSTROOM_LOG=debug`)
    #[arg(long, short, global = true)]
    pub verbose: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show everything with sample mail in a throw-away directory (whatever --data says)
    Demo(Listen),
    /// Serve the web page and visit the mailboxes
    Serve(Listen),
    /// Workspaces: where items live
    #[command(subcommand)]
    Workspace(WorkspaceCommand),
    /// People who may write, read and run things
    #[command(subcommand)]
    User(UserCommand),
    /// People without an account who wrote
    #[command(subcommand)]
    Contact(ContactCommand),
    /// Tokens by which programs use the API
    #[command(subcommand)]
    Token(TokenCommand),
    /// Mailboxes: where mail comes from
    #[command(subcommand)]
    Mailbox(MailboxCommand),
    /// Visit the mailboxes once and file what they bring
    ///
    /// Waits for a visit that is under way, works off what was accepted earlier, then makes one visit to each enabled
    /// mailbox (or the named ones) whatever their interval says. Everything they bring is filed, and what is owed to
    /// the server is settled, before the command returns. Exit status 1 if a visit failed.
    Fetch {
        /// Names of mailboxes; all enabled ones if none is given
        names: Vec<String>,
    },
    /// Take one message from standard input, for a mail server's pipe
    ///
    /// Exit status 0 only when the message is durable here; 75 (EX_TEMPFAIL) when it is not, so that the mail server
    /// tries again.
    Deliver {
        /// The mailbox whose rules apply
        #[arg(long, value_name = "NAME")]
        mailbox: String,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// File messages from .eml files, an mbox or a Maildir, as if they had come in by mail
    Import {
        /// A file or directory
        path: PathBuf,
        /// The workspace of new items
        #[arg(long, value_name = "KEY")]
        workspace: String,
    },
    /// Show what is read out of messages; no data is touched
    Inspect {
        /// Message files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Show what would become of a message, and why; nothing is written
    ///
    /// With --receipt it tells what would become of a message that is here already, if it were decided now, and how that
    /// differs from what did.
    Explain(ExplainArgs),
    /// Items: what mail became
    Item(ItemArgs),
    /// The journal: what became of every message
    #[command(subcommand)]
    Receipt(ReceiptCommand),
    /// Certificates that single mailboxes trust
    #[command(subcommand)]
    Certificate(CertificateCommand),
    /// Routing rules: where new items go, who gets them, what is held
    #[command(subcommand)]
    Rule(RuleCommand),
    /// The global policy
    #[command(subcommand)]
    Setting(SettingCommand),
    /// Try allowed-domain patterns on addresses
    #[command(subcommand)]
    Pattern(PatternCommand),
    /// Who changed what: settings, rights, passwords, releases, sign-ins
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Copy all data, consistently, while everything goes on
    Backup {
        /// A new or empty directory
        dir: PathBuf,
    },
    /// Bring back a backup into an empty data directory; all mailboxes are paused afterwards
    Restore {
        /// The directory of the backup
        dir: PathBuf,
    },
    /// Delete held mail whose workspace's time for it is over, and what deletions left behind; `serve` does so every hour
    Tidy,
    /// Verify the data: every receipt's octets, every link, the ledger, the audit
    Check,
    /// Print the completion script of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the manual pages
    Manpages {
        /// A directory
        dir: PathBuf,
    },
}

/// What a mail server knows of who hands it a message, for SPF.
#[derive(Debug, Args)]
pub struct ClientArgs {
    /// Address of the client that handed the message to the mail server
    #[arg(long, value_name = "IP")]
    pub client_ip: Option<std::net::IpAddr>,
    /// Name by which the client introduced itself
    #[arg(long, value_name = "NAME", requires = "client_ip", default_value = "")]
    pub helo: String,
    /// The envelope's sender, empty for none; without it SPF cannot be checked
    #[arg(long, value_name = "ADDRESS", requires = "client_ip")]
    pub mail_from: Option<String>,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A message file
    #[arg(required_unless_present = "receipt", conflicts_with = "receipt")]
    pub file: Option<PathBuf>,
    /// The mailbox whose rules apply; without it the global ones
    #[arg(long, value_name = "NAME", conflicts_with = "receipt")]
    pub mailbox: Option<String>,
    /// A message that is here, by its receipt
    #[arg(long, value_name = "ID")]
    pub receipt: Option<i64>,
    /// Decide as if a setting were another: NAME=VALUE with a name that `setting show` has, mailbox.NAME=VALUE,
    /// workspace.KEY.NAME=VALUE, or rules=FILE with what `rule export` prints
    #[arg(long, value_name = "SETTING=VALUE")]
    pub as_if: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Listen {
    /// Address of the web page; only loopback addresses are accepted
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8025")]
    pub listen: std::net::SocketAddr,
}
