//! Routing rules: `postroom rule`.

use super::YesNo;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum RuleCommand {
    /// Add a rule, after all others unless a place is named
    ///
    /// The first rule that says something about workspace, assignee or status decides it; tags
    /// add up; --hold and --stop end the list for a message. Rules place new items; a message
    /// that becomes a comment they can only hold.
    ///
    /// A TEST is FIELD=TEXT, where `*` stands for anything, FIELD==TEXT for the text as it
    /// stands, or FIELD~PATTERN for a Perl 5 pattern; `!` before it means the opposite. Case
    /// never counts. FIELD is one of:
    ///
    ///   recipient  sender  sender-domain  subject  header:NAME  list-id  forwarded-from
    ///   registered, attachment: yes or no
    ///   automatic: yes, no, auto-reply, bounce, list or report
    ///
    /// For example:
    ///
    ///   postroom rule add invoices --if 'subject~\binvoice\b' --workspace FIN --tag money
    #[command(verbatim_doc_comment)]
    Add(Box<RuleAdd>),
    /// List the rules in the order in which they are asked
    List,
    /// Change a rule; what is not named stays
    Set(Box<RuleSet>),
    /// Move a rule to another place in the list
    Move {
        name: String,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Remove a rule
    Remove { name: String },
    /// Pass a rule over until it is resumed
    Pause { name: String },
    /// Ask a paused rule again
    Resume { name: String },
    /// Try the rules on the last messages and tell what they change; nothing is written
    ///
    /// Without --rules it tells for which messages the rules in force make a difference; with --rules for which of them
    /// an edited list would make one to the list in force.
    Test {
        /// How many messages, the latest first
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        last: u32,
        /// Only messages of this mailbox
        #[arg(long, value_name = "NAME")]
        mailbox: Option<String>,
        /// An edited list, as `rule export` prints it
        #[arg(long, value_name = "FILE")]
        rules: Option<PathBuf>,
    },
    /// Print all rules as JSON, to be edited, kept or imported elsewhere
    Export,
    /// Put the rules of a file in the place of all rules
    Import {
        /// What `rule export` prints; `-` for standard input
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub struct RuleAdd {
    /// A name for it
    pub name: String,
    #[command(flatten)]
    pub place: PlaceArgs,
    #[command(flatten)]
    pub options: RuleOptions,
}

#[derive(Debug, Args)]
pub struct RuleSet {
    /// The rule
    pub name: String,
    /// Another name for it
    #[arg(long, value_name = "NAME")]
    pub rename: Option<String>,
    /// What it is to say no more
    #[arg(long, value_name = "WHAT")]
    pub clear: Vec<Clear>,
    #[command(flatten)]
    pub options: RuleOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Clear {
    If,
    Mailbox,
    Workspace,
    Assign,
    Status,
    Tag,
}

#[derive(Debug, Args, Default)]
pub struct RuleOptions {
    /// When it applies; several must all hold [default: always]
    #[arg(long = "if", value_name = "TEST")]
    pub tests: Vec<String>,
    /// It is enough if one of the tests holds
    #[arg(long, value_name = "yes|no", num_args = 0..=1, require_equals = true, default_missing_value = "yes")]
    pub any: Option<YesNo>,
    /// Ask it for mail of this mailbox only
    #[arg(long, value_name = "NAME")]
    pub mailbox: Option<String>,
    /// Where new items go
    #[arg(long, value_name = "KEY")]
    pub workspace: Option<String>,
    /// Who gets them: a user who is agent there
    #[arg(long, value_name = "ADDRESS")]
    pub assign: Option<String>,
    /// Their status
    #[arg(long, value_name = "open|closed")]
    pub status: Option<String>,
    /// A tag for them
    #[arg(long, value_name = "T")]
    pub tag: Vec<String>,
    /// Hold the message
    #[arg(long, value_name = "yes|no", num_args = 0..=1, require_equals = true, default_missing_value = "yes")]
    pub hold: Option<YesNo>,
    /// Ask no further rule
    #[arg(long, value_name = "yes|no", num_args = 0..=1, require_equals = true, default_missing_value = "yes")]
    pub stop: Option<YesNo>,
}

#[derive(Debug, Args, Default)]
#[group(multiple = false)]
pub struct PlaceArgs {
    /// Right before this rule
    #[arg(long, value_name = "OTHER")]
    pub before: Option<String>,
    /// Right after this rule
    #[arg(long, value_name = "OTHER")]
    pub after: Option<String>,
    /// Before all others
    #[arg(long)]
    pub first: bool,
    /// After all others
    #[arg(long)]
    pub last: bool,
}
