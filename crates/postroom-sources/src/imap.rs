//! The conversation with an IMAP server: drives the machine of `postroom_mail::imap` over a stream, with deadlines.

mod fetch;
mod login;
mod settle;

use crate::SourceError;
use crate::certificate::CertificateInfo;
use crate::session::{Folder, Purpose};
use crate::stream;
use crate::wire::{GOODBYE, Wire};
use postroom_mail::conversation::Breach;
use postroom_mail::imap::{Code, Command, Conversation, Event, ImapError, State, Status, StatusLine, Tag};
use postroom_mail::{Listed, RemoteId};
use std::collections::BTreeMap;
use std::time::Duration;

/// How many messages more than announced a listing may have: some come while it is made.
const MORE_LISTED: u32 = 10_000;
/// Most messages of one folder, whatever is announced: their list is in memory.
const MOST_LISTED: u32 = 5_000_000;

/// Longest set of UIDs in one command, in octets, so that the line stays below the 8,192 that servers must take.
// RFC 7162 §4
const MAX_SET: usize = 7000;

/// One conversation with an IMAP server, logged in after [`ImapSession::log_in`].
pub struct ImapSession {
    wire: Wire,
    conversation: Conversation,
    folder: String,
    selected: Option<Selected>,
}

/// The folder that is selected.
#[derive(Debug, Clone, Copy)]
struct Selected {
    purpose: Purpose,
    uid_validity: u32,
    exists: Option<u32>,
}

impl ImapSession {
    /// Whether the conversation is protected by TLS.
    pub fn tls(&self) -> bool {
        self.conversation.is_protected()
    }

    /// The certificates that the server showed, once.
    pub fn take_chain(&mut self) -> Vec<CertificateInfo> {
        std::mem::take(&mut self.wire.chain)
    }

    /// Selects the configured folder, with EXAMINE when it is only to look.
    ///
    /// # Errors
    /// `FOLDER_MISSING`, `SERVER_REFUSED`, `PROTOCOL_ERROR` when the server gives no UIDVALIDITY, those of the connection.
    pub async fn select(&mut self, purpose: Purpose) -> Result<Folder, SourceError> {
        self.selected = None;
        let name = self.folder.clone();
        let tag = self.send(&Command::Select { folder: &name, read_only: purpose == Purpose::Look }).await?;
        let mut folder = Folder::default();
        let line = loop {
            match self.next("opening the folder").await? {
                Event::Exists(count) => folder.exists = Some(count),
                Event::Status(StatusLine { code: Some(Code::UidValidity(value)), .. }) => {
                    folder.uid_validity = Some(value)
                }
                Event::Status(StatusLine { code: Some(Code::UidNext(value)), .. }) => folder.uid_next = Some(value),
                Event::Done { tag: done, line } if done == tag => break line,
                _ => {}
            }
        };
        if line.status != Status::Ok {
            return Err(self.select_refused(line));
        }
        if purpose == Purpose::Settle && line.code.as_ref().is_some_and(|code| code.is("READ-ONLY")) {
            return Err(refused("open the folder for writing", line));
        }
        let uid_validity = folder.uid_validity.ok_or_else(|| {
            self.protocol_error("the folder has no UIDVALIDITY, so its messages have no lasting names")
        })?;
        self.selected = Some(Selected { purpose, uid_validity, exists: folder.exists });
        Ok(folder)
    }

    fn select_refused(&self, line: StatusLine) -> SourceError {
        let is_missing = match &line.code {
            None => line.status == Status::No,
            Some(code) => code.is("NONEXISTENT") || code.is("TRYCREATE"),
        };
        if is_missing {
            return SourceError::FolderMissing { folder: self.folder.clone(), server: line.text };
        }
        refused("open the folder", line)
    }

    /// All messages of the folder in ascending order of UID.
    ///
    /// # Errors
    /// `SERVER_REFUSED`, `TIMEOUT` after [`crate::Limits::listing`] in all, `PROTOCOL_ERROR` for a list far longer than the folder
    /// was said to be, and those of the connection.
    pub async fn list(&mut self) -> Result<Vec<Listed>, SourceError> {
        let selected = self.selected(Purpose::Look).await?;
        // RFC 9051 §6.4.9 lets 1:* name no message, but there are servers that answer BAD in an empty folder.
        if selected.exists == Some(0) {
            return Ok(Vec::new());
        }
        let host = self.wire.host.clone();
        let limit = self.wire.limits.listing;
        stream::deadline(&host, "listing the folder", limit, self.list_all(selected)).await?
    }

    async fn list_all(&mut self, selected: Selected) -> Result<Vec<Listed>, SourceError> {
        let tag = self.send(&Command::UidFetchSummary { set: "1:*" }).await?;
        let mut announced = selected.exists.unwrap_or(0);
        let mut found: BTreeMap<u32, Listed> = BTreeMap::new();
        loop {
            match self.next("listing the folder").await? {
                Event::Exists(count) => announced = announced.max(count),
                Event::Fetch(fetch) => {
                    let Some(uid) = fetch.uid else { continue };
                    let size = fetch.size.unwrap_or(0);
                    // A server may tell of a message twice, when its flags change meanwhile; the fuller line is the one
                    // to believe.
                    if found.get(&uid).is_none_or(|before| before.size < size) {
                        let id = self.remote_id(selected, uid);
                        found.insert(uid, Listed { id, size, received_at: fetch.internal_date });
                    }
                    if found.len() > announced.saturating_add(MORE_LISTED).min(MOST_LISTED) as usize {
                        return Err(self.protocol_error("it lists far more messages than it says the folder has"));
                    }
                }
                Event::Done { tag: done, line } if done == tag => {
                    if line.status != Status::Ok {
                        return Err(refused("list the folder", line));
                    }
                    return Ok(found.into_values().collect());
                }
                _ => {}
            }
        }
    }

    /// Says LOGOUT and closes the connection.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn close(mut self) -> Result<(), SourceError> {
        let tag = self.send(&Command::Logout).await?;
        let goodbye = async {
            loop {
                match self.event(self.wire.limits.stall, "the goodbye").await? {
                    Event::Done { tag: done, .. } if done == tag => {
                        return self.wire.shutdown().await;
                    }
                    _ => {}
                }
            }
        };
        tokio::time::timeout(GOODBYE, goodbye).await.unwrap_or(Ok(()))
    }

    /// The folder, selected for at least this purpose.
    async fn selected(&mut self, purpose: Purpose) -> Result<Selected, SourceError> {
        match self.selected {
            Some(selected) if selected.purpose == purpose || purpose == Purpose::Look => Ok(selected),
            _ => {
                self.select(purpose).await?;
                self.selected.ok_or_else(|| self.protocol_error("no folder is selected"))
            }
        }
    }

    fn remote_id(&self, selected: Selected, uid: u32) -> RemoteId {
        RemoteId::Imap { folder: self.folder.clone(), uid_validity: selected.uid_validity, uid }
    }

    /// The UID of a message of the selected folder; `None` for one of another folder or another time.
    fn uid_of(&self, selected: Selected, id: &RemoteId) -> Option<u32> {
        match id {
            RemoteId::Imap { folder, uid_validity, uid }
                if *folder == self.folder && *uid_validity == selected.uid_validity =>
            {
                Some(*uid)
            }
            _ => None,
        }
    }

    /// Sends a command and waits for its reply, whatever that is.
    async fn run(&mut self, stage: &'static str, command: &Command<'_>) -> Result<StatusLine, SourceError> {
        let tag = self.send(command).await?;
        loop {
            if let Event::Done { tag: done, line } = self.next(stage).await?
                && done == tag
            {
                return Ok(line);
            }
        }
    }

    async fn send(&mut self, command: &Command<'_>) -> Result<Tag, SourceError> {
        let sent = self.conversation.send(command).map_err(|error| self.machine_error(error))?;
        self.wire.command(&sent.octets).await?;
        Ok(sent.tag)
    }

    /// The next event; a BYE ends the visit.
    async fn next(&mut self, stage: &'static str) -> Result<Event, SourceError> {
        let limit = match self.conversation.state() {
            State::Authenticated | State::Selected => self.wire.limits.stall,
            _ => self.wire.limits.step,
        };
        match self.event(limit, stage).await? {
            Event::Bye(line) => Err(self.said_bye(line)),
            event => Ok(event),
        }
    }

    /// The next event, BYE included; `limit` is for each wait for octets.
    async fn event(&mut self, limit: Duration, stage: &'static str) -> Result<Event, SourceError> {
        loop {
            match self.conversation.next_event() {
                Err(error) => return Err(self.machine_error(error)),
                Ok(Some(Event::Transmit(octets))) => self.wire.write(&octets).await?,
                Ok(Some(event)) => return Ok(event),
                Ok(None) => {
                    let octets = self.wire.read(limit, stage).await?;
                    self.conversation.feed(octets);
                }
            }
        }
    }

    fn said_bye(&self, line: StatusLine) -> SourceError {
        let detail = if line.text.is_empty() {
            "the server said BYE".into()
        } else {
            format!("the server said “{}”", line.text)
        };
        SourceError::ConnectionLost { host: self.wire.host.clone(), detail }
    }

    fn protocol_error(&self, detail: &str) -> SourceError {
        self.wire.protocol_error(detail)
    }

    fn machine_error(&self, error: ImapError) -> SourceError {
        let host = self.wire.host.clone();
        match error {
            ImapError::PreauthBeforeTls => SourceError::TlsPreauthRefused { host },
            ImapError::Argument => SourceError::ArgumentInvalid { what: "user, password or folder" },
            ImapError::Breach(Breach::WrongState) if self.conversation.state() == State::Ended => {
                SourceError::ConnectionLost { host, detail: "the server said BYE".into() }
            }
            ImapError::Breach(breach) => self.wire.breach(breach),
            other => SourceError::ProtocolError { host, detail: other.to_string() },
        }
    }
}

/// A command that was answered with NO or BAD.
fn refused(what: &'static str, line: StatusLine) -> SourceError {
    let transient = is_transient(&line);
    SourceError::ServerRefused { what, server: line.text, transient }
}

/// Whether the server says that it will pass.
// RFC 5530 §3
fn is_transient(line: &StatusLine) -> bool {
    let is_one_of = |code: &Code| ["UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG"].iter().any(|name| code.is(name));
    line.code.as_ref().is_some_and(is_one_of)
}
