//! The command line as people type it. The texts here are the help pages.

use clap::{Args, Parser, Subcommand, ValueEnum};
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
    Explain {
        /// A message file
        file: PathBuf,
        /// The mailbox whose rules apply; without it the global ones
        #[arg(long, value_name = "NAME")]
        mailbox: Option<String>,
    },
    /// Items: what mail became
    #[command(subcommand)]
    Item(ItemCommand),
    /// The journal: what became of every message
    #[command(subcommand)]
    Receipt(ReceiptCommand),
    /// Certificates that single mailboxes trust
    #[command(subcommand)]
    Certificate(CertificateCommand),
    /// The global policy
    #[command(subcommand)]
    Setting(SettingCommand),
    /// Try allowed-domain patterns on addresses
    #[command(subcommand)]
    Pattern(PatternCommand),
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
    /// Verify the data: every receipt's octets, every link, the ledger
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

#[derive(Debug, Args)]
pub struct Listen {
    /// Address of the web page; only loopback addresses are accepted
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8025")]
    pub listen: std::net::SocketAddr,
}

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

#[derive(Debug, Subcommand)]
pub enum MailboxCommand {
    /// Add a mailbox; nothing is fetched yet
    Add(Box<MailboxAdd>),
    /// Change a mailbox; what is not named stays
    Set(Box<MailboxSet>),
    /// Try the connection step by step; changes nothing on the server
    Test { name: String },
    /// List the mailboxes with their state
    List,
    /// Suspend visits
    Pause { name: String },
    /// Go on with visits
    Resume { name: String },
    /// Remove a mailbox; its items and receipts stay
    Remove { name: String },
}

#[derive(Debug, Args)]
pub struct MailboxAdd {
    /// A name for it
    pub name: String,
    /// How it is reached
    #[arg(long)]
    pub protocol: Protocol,
    /// Directory of a Maildir
    #[arg(long, value_name = "DIR")]
    pub path: Option<PathBuf>,
    #[command(flatten)]
    pub options: MailboxOptions,
}

#[derive(Debug, Args)]
pub struct MailboxSet {
    /// The mailbox
    pub name: String,
    /// Directory of a Maildir
    #[arg(long, value_name = "DIR")]
    pub path: Option<PathBuf>,
    #[command(flatten)]
    pub options: MailboxOptions,
}

#[derive(Debug, Args, Default)]
pub struct MailboxOptions {
    /// Host name of the mail server
    #[arg(long, value_name = "H")]
    pub host: Option<String>,
    /// Port; by default the one that protocol and security use
    #[arg(long, value_name = "P")]
    pub port: Option<u16>,
    /// Protection of the connection
    #[arg(long)]
    pub security: Option<SecurityArg>,
    /// Login name
    #[arg(long, value_name = "U")]
    pub user: Option<String>,
    /// Read the password from standard input
    #[arg(long, conflicts_with = "password_file")]
    pub password_stdin: bool,
    /// Read the password from a file; `add` also takes its name from POSTROOM_PASSWORD_FILE
    #[arg(long, value_name = "F")]
    pub password_file: Option<PathBuf>,
    /// How to log in
    #[arg(long)]
    pub auth: Option<AuthArg>,
    /// Folder to read [default: INBOX]
    #[arg(long, value_name = "F")]
    pub folder: Option<String>,
    /// Workspace of its items; without it the default workspace
    #[arg(long, value_name = "KEY")]
    pub workspace: Option<String>,
    /// Leave filed mail on the server (yes, the default) or delete it
    #[arg(long)]
    pub keep: Option<YesNo>,
    /// Move filed mail to this folder instead
    #[arg(long, value_name = "F")]
    pub done_folder: Option<String>,
    /// Move held mail to this folder
    #[arg(long, value_name = "F")]
    pub held_folder: Option<String>,
    /// Mail that is already there: `new` (leave it, the default), `all`, or `since:DATE`
    #[arg(long, value_name = "WHICH")]
    pub start: Option<String>,
    /// Time between visits, for example 60s, 5m [default: 60s]
    #[arg(long, value_name = "TIME")]
    pub every: Option<String>,
    /// Whether people without an account may write
    #[arg(long)]
    pub unknown_senders: Option<SwitchArg>,
    /// Whether mail is taken from it at all
    #[arg(long)]
    pub submissions: Option<SwitchArg>,
    /// Whether any number in a subject may name an item, not only `#123` [default: yes]
    #[arg(long)]
    pub bare_numbers: Option<YesNo>,
    /// What happens to automatic mail [default: file]
    #[arg(long)]
    pub automatic: Option<AutomaticArg>,
    /// The host may be on this machine or in a private network
    #[arg(long)]
    pub allow_private_host: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    Imap,
    Maildir,
    Pop3,
    Exchange,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SecurityArg {
    /// TLS from the first octet
    #[value(alias = "implicit-tls")]
    Ssl,
    /// STARTTLS, required
    #[value(alias = "tls")]
    Starttls,
    /// STARTTLS where offered; required once it was seen
    #[value(alias = "tls-if-available")]
    StarttlsIfAvailable,
    /// Everything in clear, the password too
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AuthArg {
    Auto,
    Plain,
    Login,
    CramMd5,
    #[value(name = "scram-sha-1")]
    ScramSha1,
    #[value(name = "scram-sha-256")]
    ScramSha256,
    Apop,
    Xoauth2,
    Oauthbearer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum YesNo {
    Yes,
    No,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SwitchArg {
    Yes,
    No,
    Inherit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AutomaticArg {
    File,
    Hold,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnOff {
    On,
    Off,
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

#[derive(Debug, Subcommand)]
pub enum CertificateCommand {
    /// Trust a certificate (PEM or DER) for one mailbox
    ///
    /// A certificate equal to the server's own is a pin, also if it is self-signed; any other is a trusted authority.
    Add {
        file: PathBuf,
        #[arg(long, value_name = "NAME")]
        mailbox: String,
    },
    /// List trusted certificates
    List,
    /// Trust a certificate no more
    Remove {
        /// SHA-256 fingerprint, or at least its first 8 digits
        fingerprint: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum SettingCommand {
    /// Change the global policy
    #[command(subcommand)]
    Set(SettingSet),
    /// Show the global policy
    Show,
}

#[derive(Debug, Subcommand)]
pub enum SettingSet {
    /// Take mail at all
    Submissions { value: OnOff },
    /// Let people without an account write
    UnknownSenders { value: OnOff },
    /// Domains that may write, as Perl 5 patterns; none clears the list
    AllowedDomains { patterns: Vec<String> },
}

#[derive(Debug, Subcommand)]
pub enum PatternCommand {
    /// Tell which of the addresses a pattern admits
    Test {
        pattern: String,
        #[arg(required = true)]
        addresses: Vec<String>,
    },
}
