//! What can go wrong between us and a mail server, and what a person can do about it.

mod certificate;

use crate::certificate::CertificateInfo;
pub use certificate::{Cause, CertificateRefused, Distrust};
use std::fmt;
use std::time::Duration;

/// What to do about an error, as the collector understands it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Remedy {
    /// It may pass by itself: visit again later, with back-off.
    RetryLater,
    /// A person has to change something first; trying again at once is useless or harmful.
    AskAdmin,
    /// One message is at fault: hold it, the visit can go on.
    HoldThis,
}

/// An operating error of a mail source. `Display` says what happened, [`SourceError::help`] what is safe and what to do,
/// [`SourceError::code`] is stable. None of them carries a password, an address or anything out of a message.
///
/// A `host` is as configured; `server` texts are the server's own words with control characters taken out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The name has no address.
    #[error("the host {host} is not known")]
    HostUnknown {
        /// The host.
        host: String,
    },
    /// The address is on this machine or in a private network, and that was not allowed for this mailbox.
    #[error("the host {host} is at {address}, on this machine or in a private network")]
    HostPrivate {
        /// The host.
        host: String,
        /// The first such address.
        address: std::net::IpAddr,
    },
    /// Nothing listens at that port.
    #[error("{host} port {port} refuses connections")]
    ConnectRefused {
        /// The host.
        host: String,
        /// The port.
        port: u16,
    },
    /// No answer to the attempt to connect.
    #[error("{host} port {port} did not answer within {seconds} s")]
    ConnectTimeout {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// The limit that was reached.
        seconds: u64,
    },
    /// No way to the host.
    #[error("{host} port {port} cannot be reached: {detail}")]
    Unreachable {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// The system's own words.
        detail: String,
    },
    /// The TLS handshake failed for another reason than the certificate.
    #[error("the TLS handshake with {host} failed: {detail}")]
    TlsFailed {
        /// The host.
        host: String,
        /// What the TLS library says.
        detail: String,
    },
    /// STARTTLS is required, and the server does not offer it or refuses it.
    #[error("{host} does not offer STARTTLS")]
    StarttlsMissing {
        /// The host.
        host: String,
    },
    /// The server greets as if we were logged in already, before TLS.
    #[error("{host} claims that we are logged in before the connection is protected (PREAUTH)")]
    TlsPreauthRefused {
        /// The host.
        host: String,
    },
    /// Octets arrived in clear behind the answer to STARTTLS.
    #[error("{host}, or somebody between, sent data in clear behind its answer to STARTTLS")]
    TlsInjection {
        /// The host.
        host: String,
    },
    /// TLS was seen on this mailbox before, and now it is not offered.
    #[error("{host} offered TLS before and does not offer it now")]
    TlsDowngrade {
        /// The host.
        host: String,
    },
    /// The server speaks no version of TLS that we may use.
    #[error("{host} speaks no TLS newer than 1.1")]
    TlsTooOld {
        /// The host.
        host: String,
    },
    /// The server's certificate was not accepted.
    #[error(transparent)]
    Certificate(Box<CertificateRefused>),
    /// A certificate file of the mailbox is none.
    #[error("that is not a certificate: {detail}")]
    CertInvalid {
        /// What is wrong with it.
        detail: String,
    },
    /// A keystore needs another password.
    #[error("the password {} this keystore", if *.given { "does not open" } else { "is missing for" })]
    CertPassword {
        /// Whether one was given.
        given: bool,
    },
    /// User or password is wrong.
    #[error("{host} rejects this user and password{}", said(.server))]
    AuthRejected {
        /// The host.
        host: String,
        /// The server's own words.
        server: String,
    },
    /// The server lets us in and does not prove that it knows the password too.
    #[error("{host} does not prove that it knows the password")]
    ServerNotProven {
        /// The host.
        host: String,
    },
    /// A login that is bound to the TLS connection worked on this server before, and is not offered now.
    #[error("{host} took logins that are bound to the TLS connection before, and does not offer them now")]
    LoginDowngrade {
        /// The host.
        host: String,
    },
    /// The server cannot check passwords now.
    #[error("{host} cannot check the password now{}", said(.server))]
    AuthUnavailable {
        /// The host.
        host: String,
        /// The server's own words.
        server: String,
    },
    /// The server offers no way to log in that we may use.
    #[error("{host} offers no usable way to log in")]
    LoginDisabled {
        /// The host.
        host: String,
    },
    /// The mailbox has no password.
    #[error("there is no password for this mailbox")]
    PasswordMissing,
    /// User, password or folder has a character that cannot be sent.
    #[error("the {what} has a character that the protocol cannot carry")]
    ArgumentInvalid {
        /// Which setting.
        what: &'static str,
    },
    /// The folder is not there.
    #[error("there is no folder {folder}{}", said(.server))]
    FolderMissing {
        /// The folder.
        folder: String,
        /// The server's own words.
        server: String,
    },
    /// Mail would come back into a folder that it is read from.
    #[error("mail is read from {folder} too, so it cannot be moved there")]
    FolderLoops {
        /// The folder as it was asked for.
        folder: String,
    },
    /// The connection ended.
    #[error("the connection to {host} was lost: {detail}")]
    ConnectionLost {
        /// The host.
        host: String,
        /// How it ended.
        detail: String,
    },
    /// The server said nothing, or nothing that came to an end, for too long.
    #[error("{host} did not get done with {stage} within {seconds} s")]
    Timeout {
        /// The host.
        host: String,
        /// What we were waiting for.
        stage: &'static str,
        /// The limit that was reached.
        seconds: u64,
    },
    /// The server said something that has no meaning in IMAP.
    #[error("{host} does not keep to the protocol: {detail}")]
    ProtocolError {
        /// The host.
        host: String,
        /// What it did.
        detail: String,
    },
    /// A POP3 server said something that nothing asked for, so that no reply can be told from another any more.
    #[error("{host} sends replies that nothing asked for")]
    Pop3Desync {
        /// The host.
        host: String,
    },
    /// A POP3 server gives no names to so many messages that looking at all of them in each visit is too dear.
    #[error("the server gives {messages} messages of {octets} octets no usable names (UIDL)")]
    Pop3NoUidlLeave {
        /// How many.
        messages: usize,
        /// Their octets, as announced.
        octets: u64,
    },
    /// Another client has the mailbox open.
    #[error("another client has the mailbox open{}", said(.server))]
    MailboxInUse {
        /// The server's own words.
        server: String,
    },
    /// POP3 has neither flags nor folders.
    #[error("POP3 can leave a message or delete it, but neither mark nor move it")]
    SettlementUnsupported,
    /// The server wants to be asked less.
    #[error("the server asks for a pause{}", said(.server))]
    Throttled {
        /// The server's own words.
        server: String,
        /// For how long, if it says so.
        wait: Option<Duration>,
    },
    /// The server answered NO, BAD or -ERR.
    #[error("the server refused to {what}{}", said(.server))]
    ServerRefused {
        /// What we had asked for.
        what: &'static str,
        /// The server's own words.
        server: String,
        /// Whether the server says that it will pass.
        transient: bool,
    },
    /// The server cannot remove single messages.
    #[error("the server cannot remove single messages (no UIDPLUS)")]
    UidplusMissing,
    /// There is no Maildir at that place.
    #[error("there is no Maildir at {path}")]
    MaildirMissing {
        /// The place.
        path: String,
    },
    /// The Maildir cannot be read or changed.
    #[error("the Maildir at {path} cannot be used: {detail}")]
    MaildirUnreadable {
        /// The place.
        path: String,
        /// The system's own words.
        detail: String,
    },
    /// A file to import cannot be read.
    #[error("{path} cannot be read: {detail}")]
    FileUnreadable {
        /// The file.
        path: String,
        /// The system's own words.
        detail: String,
    },
    /// This kind of mailbox has no server to visit.
    #[error("this mailbox has nothing to visit")]
    NothingToVisit,
    /// Whoever wanted the messages is gone.
    #[error("the visit was stopped")]
    Stopped,
}

/// `: "text"` if the server said anything.
fn said(server: &str) -> String {
    if server.is_empty() { String::new() } else { format!(": “{server}”") }
}

impl SourceError {
    /// The stable code, for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::HostUnknown { .. } => "HOST_UNKNOWN",
            Self::HostPrivate { .. } => "HOST_PRIVATE",
            Self::ConnectRefused { .. } => "CONNECT_REFUSED",
            Self::ConnectTimeout { .. } => "CONNECT_TIMEOUT",
            Self::Unreachable { .. } => "UNREACHABLE",
            Self::TlsFailed { .. } => "TLS_FAILED",
            Self::StarttlsMissing { .. } => "STARTTLS_MISSING",
            Self::TlsPreauthRefused { .. } => "TLS_PREAUTH_REFUSED",
            Self::TlsInjection { .. } => "TLS_INJECTION",
            Self::TlsDowngrade { .. } => "TLS_DOWNGRADE",
            Self::TlsTooOld { .. } => "TLS_TOO_OLD",
            Self::Certificate(refused) => refused.code(),
            Self::CertInvalid { .. } => "CERT_INVALID",
            Self::CertPassword { .. } => "CERT_PASSWORD",
            Self::AuthRejected { .. } => "AUTH_REJECTED",
            Self::AuthUnavailable { .. } => "AUTH_UNAVAILABLE",
            Self::ServerNotProven { .. } => "SERVER_NOT_PROVEN",
            Self::LoginDowngrade { .. } => "LOGIN_DOWNGRADE",
            Self::LoginDisabled { .. } => "LOGIN_DISABLED",
            Self::PasswordMissing => "PASSWORD_MISSING",
            Self::ArgumentInvalid { .. } => "ARGUMENT_INVALID",
            Self::FolderMissing { .. } => "FOLDER_MISSING",
            Self::FolderLoops { .. } => "FOLDER_LOOPS",
            Self::ConnectionLost { .. } => "CONNECTION_LOST",
            Self::Timeout { .. } => "TIMEOUT",
            Self::ProtocolError { .. } => "PROTOCOL_ERROR",
            Self::Pop3Desync { .. } => "POP3_DESYNC",
            Self::Pop3NoUidlLeave { .. } => "POP3_NO_UIDL_LEAVE",
            Self::MailboxInUse { .. } => "MAILBOX_IN_USE",
            Self::SettlementUnsupported => "SETTLEMENT_UNSUPPORTED",
            Self::Throttled { .. } => "THROTTLED",
            Self::ServerRefused { .. } => "SERVER_REFUSED",
            Self::UidplusMissing => "UIDPLUS_MISSING",
            Self::MaildirMissing { .. } => "MAILDIR_MISSING",
            Self::MaildirUnreadable { .. } => "MAILDIR_UNREADABLE",
            Self::FileUnreadable { .. } => "FILE_UNREADABLE",
            Self::NothingToVisit => "NOTHING_TO_VISIT",
            Self::Stopped => "STOPPED",
        }
    }

    /// What the collector should do.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::ConnectRefused { .. }
            | Self::ConnectTimeout { .. }
            | Self::Unreachable { .. }
            | Self::AuthUnavailable { .. }
            | Self::ConnectionLost { .. }
            | Self::Timeout { .. }
            | Self::Stopped
            | Self::Pop3Desync { .. }
            | Self::MailboxInUse { .. }
            | Self::Throttled { .. }
            | Self::ServerRefused { transient: true, .. } => Remedy::RetryLater,
            // A resolver that is down for a minute and a misspelt name look alike, so it is tried again.
            Self::HostUnknown { .. } | Self::TlsFailed { .. } | Self::ProtocolError { .. } => Remedy::RetryLater,
            Self::FileUnreadable { .. } => Remedy::HoldThis,
            _ => Remedy::AskAdmin,
        }
    }

    /// The certificates that the server showed, its own first, where they are the cause.
    pub fn chain(&self) -> &[CertificateInfo] {
        if let Self::Certificate(refused) = self { &refused.chain } else { &[] }
    }

    /// Whether it was the connection that failed, and not what was asked over it.
    pub fn is_of_the_connection(&self) -> bool {
        matches!(self, Self::ConnectionLost { .. } | Self::Timeout { .. })
    }

    /// What is safe and what to do, in sentences; NAME stands for the mailbox.
    pub fn help(&self) -> String {
        match self {
            Self::Certificate(refused) => format!("{UNTOUCHED} The password was not sent. {}", refused.advice()),
            _ => Help(self).to_string(),
        }
    }
}

/// Writes the advice of an error.
struct Help<'a>(&'a SourceError);

/// Said wherever an error comes before the first command that could change anything.
const UNTOUCHED: &str = "Nothing was fetched or changed on the server.";

impl fmt::Display for Help<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use SourceError as E;
        let advice = match self.0 {
            E::HostUnknown { .. } => "Check the spelling of the host and the name service of this machine; then `postroom mailbox set NAME --host HOST`.",
            E::HostPrivate { .. } => "If that is meant, say so: `postroom mailbox set NAME --allow-private-host`.",
            E::ConnectRefused { .. } => "Check host and port (IMAP: 993 with ssl, 143 otherwise; POP3: 995 and 110) and that the server runs; then `postroom mailbox test NAME`.",
            E::ConnectTimeout { .. } | E::Unreachable { .. } => "Check the network and any firewall between; the next visit tries again by itself.",
            E::TlsFailed { .. } => "Check that --security fits the port: ssl for 993 and 995, starttls for 143 and 110. TLS 1.2 is the oldest version accepted.",
            E::TlsTooOld { .. } => "The password was not sent. TLS 1.2 is the oldest version accepted, since older ones can be broken: the operator of the server has to update it.",
            E::Certificate(_) => "",
            E::StarttlsMissing { .. } => "The password was not sent. Use `--security ssl` if the server offers port 993 (POP3: 995); a server that used to offer STARTTLS may be under attack.",
            E::TlsPreauthRefused { .. } | E::TlsInjection { .. } => "The password was not sent. This is what an attack on the connection looks like: use `--security ssl` with port 993 (POP3: 995), and ask the operator of the server.",
            E::TlsDowngrade { .. } => "The password was not sent. Somebody may be reading this connection. If the server really gave up TLS, set `--security none` yourself.",
            E::CertInvalid { .. } => return f.write_str("Nothing was changed. Give certificates in PEM, DER or PKCS #12 form, or a Java keystore."),
            E::CertPassword { .. } => return f.write_str("Nothing was changed. Give the keystore's own password with --password-stdin or --password-file; it may be empty."),
            E::AuthRejected { .. } => "Check user and password: `postroom mailbox set NAME --user U --password-stdin`. `serve` tries again at growing intervals, so that the account is not locked; `fetch` tries whenever it is called.",
            E::ServerNotProven { .. } => "The password was not sent. Whoever answers there may not be your server: check host and certificate, and ask its operator.",
            E::LoginDowngrade { .. } => "The password was not sent. Somebody between may have taken it out of the list: ask the operator of the server. If it really gave that up, choose a login yourself: `postroom mailbox set NAME --auth METHOD`; that also forgets what was seen before.",
            E::AuthUnavailable { .. } => "The password may well be right; the next visit tries again by itself.",
            E::LoginDisabled { .. } => "The password was not sent. Use `--security ssl` or `starttls`, or another `--auth`.",
            E::PasswordMissing => "Give it with `postroom mailbox set NAME --password-stdin`.",
            E::ArgumentInvalid { .. } => "Set it again without NUL and line ends.",
            E::FolderMissing { .. } => "Check the name with the server, then `postroom mailbox set NAME --folder FOLDER`.",
            E::FolderLoops { .. } => return f.write_str("Nothing was moved, and nothing is filed twice. Name another folder: `postroom mailbox set NAME --done-folder F` or `--held-folder F`."),
            E::ConnectionLost { .. } | E::Timeout { .. } => return f.write_str("What was accepted before is safe, an unfinished message was dropped and nothing was deleted that was not filed; the next visit goes on from there."),
            E::ProtocolError { .. } => "The connection was closed. Check that host and port belong to a mail server of this protocol.",
            E::Pop3Desync { .. } => return f.write_str("The connection was closed and nothing was deleted in this visit. If it happens again, the server is broken or somebody speaks in its place."),
            E::Pop3NoUidlLeave { .. } => return f.write_str("Nothing was changed on the server. Use `--keep no`, so that filed mail is deleted there, or reach the mailbox over IMAP; up to 2,000 messages and 200 MB are recognised by their contents."),
            E::MailboxInUse { .. } => return f.write_str("Nothing was fetched or changed. The next visit tries again by itself; if it lasts, close the other mail program or give it another mailbox."),
            E::SettlementUnsupported => "Use `--keep yes` or `--keep no` without folders, or reach the mailbox over IMAP.",
            E::Throttled { .. } => return f.write_str("Nothing was deleted that was not filed. The next visit comes by itself once the pause is over; fewer mailboxes on this server, or a longer --every, spare it."),
            E::ServerRefused { .. } => return f.write_str("Nothing was deleted that was not filed; what was owed to the server is still owed. The server's own words say more."),
            E::UidplusMissing => return f.write_str("The messages were at most marked \\Deleted, and mail of others was left alone. Use `--keep yes` or `--done-folder` on this server, or empty the folder by hand."),
            E::MaildirMissing { .. } => return f.write_str("Nothing was read. Give a directory that has `new`, `cur` and `tmp` in it: `postroom mailbox set NAME --path DIR`."),
            E::MaildirUnreadable { .. } => return f.write_str("Nothing was deleted that was not filed. Check owner and permissions of the directory."),
            E::FileUnreadable { .. } => return f.write_str("The other files are not affected. Check that the file is there and readable."),
            E::NothingToVisit => return f.write_str("It takes mail from `postroom deliver` and `postroom import`."),
            E::Stopped => return f.write_str("What was accepted is safe; the next visit fetches the rest."),
        };
        write!(f, "{UNTOUCHED} {advice}")
    }
}

#[cfg(test)]
mod tests;
