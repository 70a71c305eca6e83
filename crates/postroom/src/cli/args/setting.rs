//! The global policy: `postroom setting` and `postroom pattern`.

use clap::{Subcommand, ValueEnum};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnOff {
    On,
    Off,
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
