//! The global policy: `postroom setting` and `postroom pattern`.

use clap::{Subcommand, ValueEnum};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnOff {
    On,
    Off,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SyntaxArg {
    /// As Perl reads it
    Perl5,
    /// As the printed examples mean it: \T and \W read as \t and \w
    Documented,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ChecksArg {
    /// Nobody is verified
    Off,
    /// By what trusted hosts wrote into the header; asks nobody
    Headers,
    /// Also by signatures (DKIM, ARC), SPF and DMARC, for which the DNS is asked
    Full,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RegistrationArg {
    Closed,
    Approval,
    Open,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MetricsArg {
    Off,
    Loopback,
    Token,
}

#[derive(Debug, Subcommand)]
pub enum SettingCommand {
    /// Change the global policy
    #[command(subcommand)]
    Set(SettingSet),
    /// Show the global policy
    Show,
    /// Make a new key that signs reply keys; those given out before stay good
    RotateReplyKey {
        /// No reply key that was given out before is recognised any more
        #[arg(long)]
        revoke: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum SettingSet {
    /// Take mail at all
    Submissions { value: OnOff },
    /// Let people without an account write
    UnknownSenders { value: OnOff },
    /// Domains that may write and register, as Perl 5 patterns; none clears the list
    AllowedDomains {
        patterns: Vec<String>,
        /// How they are read; without it that is found out
        #[arg(long)]
        syntax: Option<SyntaxArg>,
    },
    /// Domains that may write and register, by name: bosch.com, *.bosch.com (what is below it); none clears the list
    Domains { domains: Vec<String> },
    /// Addresses and domains that may not write or register, whoever they are; none clears the list
    Blocked { entries: Vec<String> },
    /// How it is found out whether a sender is who he says he is
    Authentication { checks: ChecksArg },
    /// Hosts whose Authentication-Results are believed, by the names they go by there; none clears the list
    AuthservIds { ids: Vec<String> },
    /// Hosts whose Received fields are believed about the address that mail came from; none clears the list
    TrustedHosts { hosts: Vec<String> },
    /// Domains whose ARC seals are believed; none clears the list
    ArcSealers { domains: Vec<String> },
    /// Let programs read numbers at /metrics: none, those of this machine, or those that have a token
    ///
    /// `token` prints a new token, once; one from before does not count any more.
    Metrics { value: MetricsArg },
    /// Let people register: nobody, whom an admin approves, or whoever shows that the address is theirs
    Registration { value: RegistrationArg },
    /// Addresses from which you write yourselves, besides those of the mailboxes; none clears the list
    OwnAddresses { addresses: Vec<String> },
    /// Automatic messages from one address within an hour
    AutomaticPerSender {
        #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        number: u32,
    },
    /// Automatic comments on one item within an hour
    AutomaticPerItem {
        #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        number: u32,
    },
    /// Automatic messages in one mailbox within an hour
    AutomaticPerMailbox {
        #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        number: u32,
    },
    /// Messages of one storm that are filed by themselves when their turn comes; if more are held, a person decides
    StormResume {
        #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        number: u32,
    },
}

#[derive(Debug, Subcommand)]
pub enum PatternCommand {
    /// Tell which of the addresses a pattern admits
    Test {
        pattern: String,
        #[arg(required = true)]
        addresses: Vec<String>,
        /// How it is read; without it that is found out
        #[arg(long)]
        syntax: Option<SyntaxArg>,
    },
    /// Tell what patterns do to sample addresses, and what was probably not meant
    Lint {
        #[arg(required = true)]
        patterns: Vec<String>,
        /// How they are read; without it that is found out
        #[arg(long)]
        syntax: Option<SyntaxArg>,
    },
}
