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
    /// Folders on an IMAP server.
    Imap(ImapAccess),
    /// The maildrop of a POP3 server.
    Pop3(ServerAccess),
    /// A Maildir on this machine.
    Maildir {
        /// The directory that has `new`, `cur` and `tmp` in it.
        path: PathBuf,
    },
    /// Nothing to visit: what `deliver` and `import` bring.
    Push,
}

impl Access {
    /// The server, where there is one.
    pub fn server(&self) -> Option<&ServerAccess> {
        match self {
            Self::Imap(imap) => Some(&imap.server),
            Self::Pop3(server) => Some(server),
            Self::Maildir { .. } | Self::Push => None,
        }
    }
}

/// Folders on an IMAP server, in IMAP terms mailbox names, as UTF-8. There is at least one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImapAccess {
    /// The server.
    #[serde(flatten)]
    pub server: ServerAccess,
    /// The folder to read, and to wait for new mail in.
    pub folder: String,
    /// Other folders to read. What was stored when there could be only one has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_folders: Vec<String>,
}

impl ImapAccess {
    /// Access to one folder.
    pub fn new(server: ServerAccess, folder: impl Into<String>) -> Self {
        Self { server, folder: folder.into(), more_folders: Vec::new() }
    }

    /// All folders to read, the first one first.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.folder.as_str()).chain(self.more_folders.iter().map(String::as_str))
    }

    /// Whether mail is read from this folder.
    // RFC 9051 §5.1: only INBOX is the same whatever its case.
    pub fn reads(&self, folder: &str) -> bool {
        let is_inbox = |folder: &str| folder.eq_ignore_ascii_case("INBOX");
        self.folders().any(|read| read == folder || (is_inbox(read) && is_inbox(folder)))
    }
}

/// Host, port, protection and login of a mailbox on a mail server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerAccess {
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

    /// The port that POP3 uses with this protection.
    // RFC 8314 §3.3
    pub fn default_pop3_port(self) -> u16 {
        if self == Self::Ssl { 995 } else { 110 }
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
/// `Display` and `FromStr` are the stored form: `imap:UIDVALIDITY:UID:FOLDER`, `pop3:UIDL`, `pop3-digest:SHA256`,
/// `maildir:NAME`, `push:SHA256`, `gone:RECEIPT:…`.
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
    /// RFC 1939 §7: the unique-id. A server may give it to another message once this one is gone.
    Pop3 {
        /// 1 to 70 octets from 0x21 to 0x7E.
        uidl: String,
    },
    /// A message of a POP3 server that has no usable unique-id for it: its octets name it.
    Pop3Digest {
        /// SHA-256 of the octets, in hexadecimal.
        digest: String,
        /// 1 for the first of several messages with these very octets, 2 for the next (stored as `SHA256+2`).
        copy: u32,
    },
    /// A message that a POP3 server had under this name and has no more: the name is free for another one.
    Gone {
        /// The number of its receipt.
        receipt: i64,
        /// The stored form of the name that it had.
        was: String,
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
            Self::Pop3 { uidl } => write!(f, "pop3:{uidl}"),
            Self::Pop3Digest { digest, copy: 0..=1 } => write!(f, "pop3-digest:{digest}"),
            Self::Pop3Digest { digest, copy } => write!(f, "pop3-digest:{digest}+{copy}"),
            Self::Gone { receipt, was } => write!(f, "gone:{receipt}:{was}"),
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
            "pop3" => Ok(Self::Pop3 { uidl: rest.to_owned() }),
            "pop3-digest" => {
                let (digest, copy) =
                    rest.split_once('+').map_or((rest, Ok(1)), |(digest, copy)| (digest, copy.parse()));
                Ok(Self::Pop3Digest { digest: digest.to_owned(), copy: copy.map_err(|_| NotARemoteId)? })
            }
            "gone" => {
                let (receipt, was) = rest.split_once(':').ok_or(NotARemoteId)?;
                Ok(Self::Gone { receipt: receipt.parse().map_err(|_| NotARemoteId)?, was: was.to_owned() })
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
    /// When the server received it: INTERNALDATE, for POP3 the date of its first Received field once that is known, or the modification time of a Maildir file.
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
