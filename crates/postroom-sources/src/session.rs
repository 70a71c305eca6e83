//! One authenticated conversation with a mailbox, whatever its protocol.

use crate::certificate::CertificateInfo;
use crate::imap::ImapSession;
use crate::limits::{Budget, Limits};
use crate::login::Binding;
use crate::maildir::MaildirSession;
use crate::pop3::Pop3Session;
use crate::stream::{self, Stream};
use crate::{SourceError, Trust, WireLog};
use postroom_mail::{Access, Listed, RawMessage, RemoteId, Secret, ServerAccess, Settlement};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

/// Connects to the first address of the host that answers and logs in; the folder is not selected yet and nothing on the
/// server changes.
///
/// # Errors
/// Everything from the name of the host to the login; see [`SourceError::code`].
pub async fn open(
    access: &Access,
    password: Option<&Secret>,
    trust: &Trust,
    limits: &Limits,
) -> Result<Session, SourceError> {
    if let Access::Maildir { path } = access {
        return Ok(Session::Maildir(MaildirSession::open(path, limits).await?));
    }
    let server = access.server().ok_or(SourceError::NothingToVisit)?;
    let addresses = stream::resolve(server, limits).await?;
    let tcp = stream::connect(&server.host, &addresses, limits).await?;
    let mut session = Session::greet(Box::new(tcp), access, trust, limits).await?;
    session.log_in(server, password).await?;
    Ok(session)
}

/// One authenticated conversation.
pub enum Session {
    /// With an IMAP server.
    Imap(Box<ImapSession>),
    /// With a POP3 server.
    Pop3(Box<Pop3Session>),
    /// With a directory of this machine.
    Maildir(MaildirSession),
}

/// What a folder is selected for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Only to look and fetch; the server must not change anything.
    // RFC 9051 §6.3.3, EXAMINE
    Look,
    /// Also to settle.
    // RFC 9051 §6.3.2, SELECT
    Settle,
}

/// A selected folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Folder {
    /// UIDVALIDITY; `None` where the protocol has none.
    pub uid_validity: Option<u32>,
    /// UIDNEXT, if the server says so.
    pub uid_next: Option<u32>,
    /// Number of messages, if the server says so.
    pub exists: Option<u32>,
    /// HIGHESTMODSEQ (RFC 7162), if the server keeps one: as long as it is the same, nothing has changed in the folder.
    pub highest_mod_seq: Option<u64>,
}

/// What became of one message that was asked for. Holds its part of the [`Budget`] until it is dropped.
#[derive(Debug)]
pub struct Fetched {
    /// The message as it was listed.
    pub listed: Listed,
    /// What came.
    pub outcome: Outcome,
    /// Its part of the budget.
    pub(crate) permit: Option<OwnedSemaphorePermit>,
}

impl Fetched {
    /// Gives back its part of the budget, once its octets are somewhere else than in memory.
    pub fn release(&mut self) {
        self.permit = None;
    }
}

/// What came for one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All its octets: the announced length was met and the server confirmed the command.
    Message(RawMessage),
    /// It is larger than [`Limits::max_message`] and stays on the server.
    TooLarge {
        /// Octets that the server announced.
        announced: u64,
    },
    /// It was listed and is not there any more.
    Vanished,
    /// The server cannot or will not give this message; the others are not affected.
    Unfetchable(String),
}

impl Session {
    /// Takes a stream that is connected, and goes as far as a protected connection (or one that is meant to be in clear).
    ///
    /// # Errors
    /// `TLS_…`, `CERT_…`, `STARTTLS_MISSING` and those of the connection. No password has been sent by then.
    pub async fn greet(
        stream: Box<dyn Stream>,
        access: &Access,
        trust: &Trust,
        limits: &Limits,
    ) -> Result<Self, SourceError> {
        match access {
            Access::Imap(imap) => Ok(Self::Imap(Box::new(ImapSession::greet(stream, imap, trust, limits).await?))),
            Access::Pop3(server) => Ok(Self::Pop3(Box::new(Pop3Session::greet(stream, server, trust, limits).await?))),
            Access::Maildir { .. } | Access::Push => Err(SourceError::NothingToVisit),
        }
    }

    /// Logs in, with the password in clear only where the connection is protected or clear text was chosen. A Maildir asks
    /// nobody who he is.
    ///
    /// # Errors
    /// `AUTH_REJECTED`, `AUTH_UNAVAILABLE`, `MAILBOX_IN_USE`, `LOGIN_DISABLED`, `PASSWORD_MISSING` and those of the
    /// connection.
    pub async fn log_in(&mut self, server: &ServerAccess, password: Option<&Secret>) -> Result<(), SourceError> {
        match self {
            Self::Imap(session) => session.log_in(server, password).await,
            Self::Pop3(session) => session.log_in(server, password).await,
            Self::Maildir(_) => Ok(()),
        }
    }

    /// Whether the conversation is protected by TLS. A Maildir is not on a network, so `false`.
    pub fn tls(&self) -> bool {
        match self {
            Self::Imap(session) => session.tls(),
            Self::Pop3(session) => session.tls(),
            Self::Maildir(_) => false,
        }
    }

    /// The certificates that the server showed, its own first; they are given once, so that no conversation keeps them.
    pub fn take_chain(&mut self) -> Vec<CertificateInfo> {
        match self {
            Self::Imap(session) => session.take_chain(),
            Self::Pop3(session) => session.take_chain(),
            Self::Maildir(_) => Vec::new(),
        }
    }

    /// Where what is said is logged, if anywhere.
    pub fn wire_log(&self) -> Option<&WireLog> {
        match self {
            Self::Imap(session) => session.wire_log(),
            Self::Pop3(session) => session.wire_log(),
            Self::Maildir(_) => None,
        }
    }

    /// What the login has shown of logins that are bound to the TLS connection; [`Binding::Unknown`] where it was no such one.
    pub fn binding(&self) -> Binding {
        match self {
            Self::Imap(session) => session.shown_binding(),
            Self::Pop3(session) => session.shown_binding(),
            Self::Maildir(_) => Binding::Unknown,
        }
    }

    /// Selects the folder; the first one, where there are several.
    ///
    /// # Errors
    /// `FOLDER_MISSING`, `MAILDIR_MISSING` and those of the connection.
    pub async fn select(&mut self, purpose: Purpose) -> Result<Folder, SourceError> {
        match self {
            Self::Imap(session) => session.select(&session.first_folder(), purpose).await,
            Self::Pop3(session) => session.select().await,
            Self::Maildir(session) => session.select().await,
        }
    }

    /// How long the server wants us to wait before the next login, if it says so.
    pub fn login_delay(&self) -> Option<Duration> {
        if let Self::Pop3(session) = self { session.login_delay() } else { None }
    }

    /// Finds out when these messages arrived, where the listing does not say it.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn find_arrivals(&mut self, listed: &mut [Listed]) -> Result<(), SourceError> {
        if let Self::Pop3(session) = self { session.find_arrivals(listed).await } else { Ok(()) }
    }

    /// All messages of the selected folder, in ascending order of UID or name. \Seen plays no part.
    ///
    /// # Errors
    /// Those of the connection. Without [`Session::select`] before, it selects the first folder to look.
    pub async fn list(&mut self) -> Result<Vec<Listed>, SourceError> {
        match self {
            Self::Imap(session) => session.list_all().await,
            Self::Pop3(session) => session.list().await,
            Self::Maildir(session) => session.list().await,
        }
    }

    /// Fetches these messages of one folder, leaving the server unchanged, and sends each to `deliver` once it is complete, in order as
    /// far as the server keeps it. Exactly one [`Fetched`] is sent for each, unless an error ends the visit.
    ///
    /// Several commands are under way at once, so that the server is never idle; while `deliver` or `budget` is full,
    /// nothing more is read or asked for.
    ///
    /// # Errors
    /// Those of the connection, and `STOPPED` when the receiver is gone. What was sent before is complete.
    pub async fn fetch(
        &mut self,
        wanted: &[Listed],
        budget: &Budget,
        deliver: &mpsc::Sender<Fetched>,
    ) -> Result<(), SourceError> {
        match self {
            Self::Imap(session) => session.fetch(wanted, budget, deliver).await,
            Self::Pop3(session) => session.fetch(wanted, budget, deliver).await,
            Self::Maildir(session) => session.fetch(wanted, budget, deliver).await,
        }
    }

    /// Does `how` to these messages of one folder and returns those that are confirmed; one that is gone counts as confirmed.
    /// Ids of another folder or UIDVALIDITY are left out: their time is over. Selects the folder for writing if need be.
    ///
    /// # Errors
    /// `UIDPLUS_MISSING`, `SERVER_REFUSED` and those of the connection. After an error nothing is known to be settled;
    /// doing it again is harmless.
    pub async fn settle(&mut self, ids: &[RemoteId], how: &Settlement) -> Result<Vec<RemoteId>, SourceError> {
        match self {
            Self::Imap(session) => session.settle(ids, how).await,
            Self::Pop3(session) => session.settle(ids, how).await,
            Self::Maildir(session) => session.settle(ids, how).await,
        }
    }

    /// Says goodbye.
    ///
    /// # Errors
    /// Those of the connection; nothing depends on it, since every change was confirmed before.
    pub async fn close(self) -> Result<(), SourceError> {
        match self {
            Self::Imap(session) => session.close().await,
            Self::Pop3(session) => session.close().await,
            Self::Maildir(_) => Ok(()),
        }
    }
}
