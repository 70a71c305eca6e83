//! Mailboxes: `postroom mailbox`.

use super::trust::{DiscoverArgs, TrustArgs};
use super::{OnOff, SyntaxArg};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum MailboxCommand {
    /// Add a mailbox; nothing is fetched yet
    Add(Box<MailboxAdd>),
    /// Change a mailbox; what is not named stays
    Set(Box<MailboxSet>),
    /// Find the server of a mail address; nothing is saved, and no password is asked for
    ///
    /// Big providers are known. For others the name service and the domain's own settings server are asked, over https, and
    /// told the domain alone. Each proposal comes with where it is from and the command that adds the mailbox.
    Discover(DiscoverArgs),
    /// Try the connection step by step; changes nothing on the server
    Test { name: String },
    /// Trust the certificate that the server shows now, once its fingerprint is confirmed
    Trust(TrustArgs),
    /// List the mailboxes with their state
    List,
    /// Show what was said to its server, where `mailbox set NAME --wire-log on` has switched that on
    ///
    /// Passwords and mail are left out. Of each mailbox the latest 20 conversations are kept, and of a long one its beginning
    /// and its end.
    Log { name: String },
    /// Suspend visits
    Pause { name: String },
    /// Go on with visits
    Resume {
        name: String,
        /// Take messages that are not known here for new mail, where visits were paused to ask
        #[arg(long)]
        accept_new: bool,
    },
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
    /// Whether what is said to its server is logged, without passwords and mail; `off` also removes what was logged
    #[arg(long, value_name = "SWITCH")]
    pub wire_log: Option<OnOff>,
    #[command(flatten)]
    pub options: MailboxOptions,
}

#[derive(Debug, Args, Default)]
pub struct MailboxOptions {
    /// Host name of the mail server
    #[arg(long, value_name = "H")]
    pub host: Option<String>,
    /// Port; by default the one that protocol and security use
    #[arg(long, value_name = "P", value_parser = clap::value_parser!(u16).range(1..))]
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
    /// Folder to read; may be given several times, and the first one is waited in [default: INBOX]
    #[arg(long, value_name = "F")]
    pub folder: Vec<String>,
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
    /// Domains that may write to it, as Perl 5 patterns; the global ones must admit them too. None clears the list
    #[arg(long, value_name = "PATTERN", num_args = 0..)]
    pub allowed_domains: Option<Vec<String>>,
    /// How these patterns are read; without it that is found out
    #[arg(long, value_name = "SYNTAX", requires = "allowed_domains")]
    pub allowed_domains_syntax: Option<SyntaxArg>,
    /// Domains that may write to it, by name; none clears the list
    #[arg(long, value_name = "DOMAIN", num_args = 0..)]
    pub domains: Option<Vec<String>>,
    /// Hosts whose Authentication-Results are believed here instead of the global ones; none clears the list
    #[arg(long, value_name = "ID", num_args = 0..)]
    pub authserv_ids: Option<Vec<String>>,
    /// Whether any number in a subject may name an item, not only `#123` [default: yes]
    #[arg(long)]
    pub bare_numbers: Option<YesNo>,
    /// What happens to automatic mail [default: file]
    #[arg(long)]
    pub automatic: Option<AutomaticArg>,
    /// An address at which it gets mail; with =KEY its mail goes to that workspace [default: the login name]
    #[arg(long, value_name = "ADDRESS[=KEY]", conflicts_with = "no_address")]
    pub address: Vec<String>,
    /// Forget the addresses that were set
    #[arg(long)]
    pub no_address: bool,
    /// Whether what stands behind a plus sign names a workspace: mail to desk+sup@… goes to SUP [default: yes]
    #[arg(long)]
    pub plus_addresses: Option<YesNo>,
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
