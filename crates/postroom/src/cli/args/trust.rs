//! The part of the command line that is about whom mailboxes trust, and where their servers are.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum CertificateCommand {
    /// Show the certificates of a server, whether they are trusted, and why not; nobody logs in
    Fetch {
        /// Host and port, for example mail.example.org:993
        #[arg(value_name = "HOST:PORT")]
        server: String,
        /// The server begins in clear and goes over to TLS
        #[arg(long, value_name = "PROTOCOL")]
        starttls: Option<StarttlsArg>,
    },
    /// Trust the certificates of a file for one mailbox
    ///
    /// PEM (also bundles, with text around), DER, PKCS #12 and the keystores of Java (JKS, JCEKS) are read. A certificate
    /// equal to the server's own is a pin, also if it is self-signed; any other is a trusted authority.
    Add {
        /// The file
        file: PathBuf,
        /// The mailbox
        #[arg(long, value_name = "NAME")]
        mailbox: String,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// List trusted certificates
    List,
    /// Trust a certificate no more
    Remove {
        /// SHA-256 fingerprint, or at least its first 8 digits
        fingerprint: String,
    },
}

/// Where the password of a keystore comes from.
#[derive(Debug, Args)]
pub struct PasswordArgs {
    /// Read the password of a keystore from standard input; it may be empty
    #[arg(long, conflicts_with = "password_file")]
    pub password_stdin: bool,
    /// Read the password of a keystore from a file
    #[arg(long, value_name = "F")]
    pub password_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StarttlsArg {
    Imap,
    Pop3,
}

/// What `mailbox trust` is told.
#[derive(Debug, Args)]
pub struct TrustArgs {
    /// The mailbox
    pub name: String,
    /// SHA-256 of the certificate, as the operator of the server told you; without it you are asked
    #[arg(long, value_name = "SHA256")]
    pub fingerprint: Option<String>,
}

/// What `mailbox discover` is told.
#[derive(Debug, Args)]
pub struct DiscoverArgs {
    /// The mail address
    pub address: String,
    /// Tell the domain's own settings server the whole address, if it answers nothing else
    #[arg(long)]
    pub send_address: bool,
}
