//! How a mailbox is reached, how its server names a message, and what we owe the server afterwards.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

#[cfg(test)]
mod tests;

/// How to reach one mailbox, without its password. Stored as JSON beside the sealed password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "protocol", rename_all = "kebab-case")]
pub enum Access {
    /// A folder on an IMAP server.
    Imap(ImapAccess),
    /// A Maildir on this machine.
    Maildir {
        /// The directory that has `new`, `cur` and `tmp` in it.
        path: PathBuf,
    },
    /// Nothing to visit: what `deliver` and `import` bring.
    Push,
}

/// Host, port, protection, login name and folder of an IMAP mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImapAccess {
    /// Host name or address literal; also the name that the server's certificate must bear.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Protection of the connection.
    pub security: Security,
    /// Login name.
    pub user: String,
    /// How to log in.
    pub auth: AuthMethod,
    /// The folder to read, in IMAP terms a mailbox name, as UTF-8.
    pub folder: String,
    /// Whether the host may be on this machine or in a private network.
    pub allow_private_host: bool,
}

/// Protection of the connection to a mail server. RFC 8314 calls `Ssl` implicit TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Security {
    /// TLS from the first octet.
    Ssl,
    /// STARTTLS before anything else; without it no login.
    Starttls,
    /// STARTTLS where the server offers it; once TLS was seen on this mailbox it is required.
    StarttlsIfAvailable,
    /// Everything in clear, the password too. Only by explicit choice.
    None,
}

impl Security {
    /// The port that IMAP uses with this protection.
    // RFC 8314 §3.2
    pub fn default_imap_port(self) -> u16 {
        if self == Self::Ssl { 993 } else { 143 }
    }
}

/// How to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuthMethod {
    /// The strongest that the server offers of those below; a weaker one is not tried when it fails.
    Auto,
    /// SASL PLAIN (RFC 4616).
    Plain,
    /// SASL LOGIN where offered, else the protocol's own command: IMAP LOGIN, POP3 USER and PASS.
    Login,
    /// SASL CRAM-MD5 (RFC 2195).
    CramMd5,
    /// SASL SCRAM-SHA-1 (RFC 5802), bound to the TLS connection where offered.
    #[serde(rename = "scram-sha-1")]
    ScramSha1,
    /// SASL SCRAM-SHA-256 (RFC 7677), bound to the TLS connection where offered.
    #[serde(rename = "scram-sha-256")]
    ScramSha256,
    /// APOP (RFC 1939 §7), POP3 only.
    Apop,
}

/// How a server names a message, for as long as the message is there. Never a sequence number, never a Message-ID.
///
/// `Display` and `FromStr` are the stored form: `imap:UIDVALIDITY:UID:FOLDER`, `maildir:NAME`, `push:SHA256`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RemoteId {
    /// RFC 9051 §2.3.1.1: folder, UIDVALIDITY and UID together are never given to another message.
    Imap {
        /// Folder as configured.
        folder: String,
        /// UIDVALIDITY of the folder, 1 to 2^32 - 1.
        uid_validity: u32,
        /// UID, 1 to 2^32 - 1.
        uid: u32,
    },
    /// A Maildir file: programs use file names again, so the name alone is not enough.
    Maildir {
        /// The unique part of the file name (what stands before `:2,`) with octets outside printable ASCII as `%XX`,
        /// `@`, and the modification time in microseconds.
        name: String,
    },
    /// A message that was brought to us. Its digest names it, so that a repeated delivery is the same message.
    Push {
        /// SHA-256 of the octets, in hexadecimal.
        digest: String,
    },
}

impl fmt::Display for RemoteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Imap { folder, uid_validity, uid } => write!(f, "imap:{uid_validity}:{uid}:{folder}"),
            Self::Maildir { name } => write!(f, "maildir:{name}"),
            Self::Push { digest } => write!(f, "push:{digest}"),
        }
    }
}

/// The text is not the stored form of a [`RemoteId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a remote id")]
pub struct NotARemoteId;

impl FromStr for RemoteId {
    type Err = NotARemoteId;

    fn from_str(text: &str) -> Result<Self, NotARemoteId> {
        let (kind, rest) = text.split_once(':').ok_or(NotARemoteId)?;
        match kind {
            "imap" => {
                let mut fields = rest.splitn(3, ':');
                let mut number = || fields.next().and_then(|n| n.parse::<u32>().ok()).ok_or(NotARemoteId);
                let (uid_validity, uid) = (number()?, number()?);
                let folder = fields.next().ok_or(NotARemoteId)?.to_owned();
                Ok(Self::Imap { folder, uid_validity, uid })
            }
            "maildir" => Ok(Self::Maildir { name: rest.to_owned() }),
            "push" => Ok(Self::Push { digest: rest.to_owned() }),
            _ => Err(NotARemoteId),
        }
    }
}

/// One message as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// How the server names it.
    pub id: RemoteId,
    /// Size in octets as the server says; advisory, servers are known to be wrong.
    pub size: u64,
    /// When the server received it: INTERNALDATE, or the modification time of a Maildir file.
    pub received_at: Option<Timestamp>,
}

/// What we do on the server with a message once it is durably filed (or held).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do", content = "folder")]
pub enum Settlement {
    /// Leave it as it is.
    Keep,
    /// Set \Seen and leave it.
    MarkSeen,
    /// Delete it, this one alone.
    Delete,
    /// Move it to this folder.
    MoveTo(String),
}
