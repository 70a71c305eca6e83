//! The conversation with an IMAP server: drives the machine of `postroom_mail::imap` over a stream, with deadlines.

mod fetch;
mod folders;
mod idle;
mod list;
mod login;
mod settle;

pub use idle::Change;

use crate::certificate::CertificateInfo;
use crate::login::Binding;
use crate::session::{Folder, Purpose};
use crate::wire::{GOODBYE, Wire};
use crate::{SourceError, WireLog, pace};
use postroom_mail::RemoteId;
use postroom_mail::conversation::Breach;
use postroom_mail::imap::{
    Code, Command, Conversation, Event, ImapError, Namespace, State, Status, StatusLine, Tag, encode_folder,
};
use std::collections::HashMap;
use std::time::Duration;

/// Longest set of UIDs in one command, in octets, so that the line stays below the 8,192 that servers must take.
// RFC 7162 §4
const MAX_SET: usize = 7000;

/// One conversation with an IMAP server, logged in after [`ImapSession::log_in`].
pub struct ImapSession {
    wire: Wire,
    conversation: Conversation,
    /// All folders that mail is read from, the first one first.
    folders: Vec<String>,
    selected: Option<Selected>,
    /// Where the folders of this user stand, once that was needed.
    namespace: Option<Namespace>,
    /// What folders are called on the wire, by what people call them.
    names: HashMap<String, String>,
    /// The IDLE that is under way.
    idle: Option<Tag>,
}

/// The folder that is selected.
#[derive(Debug, Clone)]
struct Selected {
    /// As people call it.
    folder: String,
    purpose: Purpose,
    uid_validity: u32,
    /// How many messages it has, as the server said last.
    exists: Option<u32>,
}

impl ImapSession {
    /// Whether the conversation is protected by TLS.
    pub fn tls(&self) -> bool {
        self.conversation.is_protected()
    }

    /// Where what is said is logged, if anywhere.
    pub(crate) fn wire_log(&self) -> Option<&WireLog> {
        self.wire.limits.log.as_ref()
    }

    /// What the login has shown of bound ones.
    pub(crate) fn shown_binding(&self) -> Binding {
        self.wire.bound_logins
    }

    /// The certificates that the server showed, once.
    pub fn take_chain(&mut self) -> Vec<CertificateInfo> {
        std::mem::take(&mut self.wire.chain)
    }

    /// Selects a folder, with EXAMINE when it is only to look.
    ///
    /// # Errors
    /// `FOLDER_MISSING`, `SERVER_REFUSED`, `PROTOCOL_ERROR` when the server gives no UIDVALIDITY, those of the connection.
    pub async fn select(&mut self, name: &str, purpose: Purpose) -> Result<Folder, SourceError> {
        // Where it is not to be found, the server has the last word on it.
        let wire_name = self.find_folder(name).await?.unwrap_or_else(|| encode_folder(name));
        self.selected = None;
        let tag = self.send(&Command::Select { folder: &wire_name, read_only: purpose == Purpose::Look }).await?;
        let mut folder = Folder::default();
        let line = loop {
            match self.next("opening the folder").await? {
                Event::Exists(count) => folder.exists = Some(count),
                Event::Status(StatusLine { code: Some(Code::UidValidity(value)), .. }) => {
                    folder.uid_validity = Some(value)
                }
                Event::Status(StatusLine { code: Some(Code::UidNext(value)), .. }) => folder.uid_next = Some(value),
                Event::Status(StatusLine { code: Some(Code::HighestModSeq(value)), .. }) => {
                    folder.highest_mod_seq = Some(value)
                }
                Event::Done { tag: done, line } if done == tag => break line,
                _ => {}
            }
        };
        if line.status != Status::Ok {
            return Err(select_refused(name, line));
        }
        if purpose == Purpose::Settle && line.code.as_ref().is_some_and(|code| code.is("READ-ONLY")) {
            return Err(refused("open the folder for writing", line));
        }
        let uid_validity = folder.uid_validity.ok_or_else(|| {
            self.protocol_error("the folder has no UIDVALIDITY, so its messages have no lasting names")
        })?;
        let exists = folder.exists;
        self.selected = Some(Selected { folder: name.to_owned(), purpose, uid_validity, exists });
        Ok(folder)
    }

    /// Opens a folder to look, unless it is open already; then only what may have changed is told.
    ///
    /// # Errors
    /// As [`ImapSession::select`].
    pub async fn open(&mut self, name: &str) -> Result<Folder, SourceError> {
        match &self.selected {
            Some(selected) if selected.folder == name => {
                Ok(Folder { uid_validity: Some(selected.uid_validity), exists: selected.exists, ..Folder::default() })
            }
            _ => self.select(name, Purpose::Look).await,
        }
    }

    /// The folder that is waited in, and read first.
    pub fn first_folder(&self) -> String {
        self.folders.first().cloned().unwrap_or_else(|| "INBOX".to_owned())
    }

    /// How many messages the selected folder has, if the server says so, as it said last.
    pub fn exists(&self) -> Option<u32> {
        self.selected.as_ref()?.exists
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

    /// A folder that is selected for at least this purpose; it is selected if need be.
    async fn selected(&mut self, name: &str, purpose: Purpose) -> Result<(), SourceError> {
        match &self.selected {
            Some(selected) if selected.folder == name && (selected.purpose == purpose || purpose == Purpose::Look) => {
                Ok(())
            }
            _ => self.select(name, purpose).await.map(drop),
        }
    }

    /// Selects the folder of the first of these messages.
    async fn selected_for<'a>(
        &mut self,
        mut ids: impl Iterator<Item = &'a RemoteId>,
        purpose: Purpose,
    ) -> Result<(), SourceError> {
        let folder =
            ids.find_map(|id| if let RemoteId::Imap { folder, .. } = id { Some(folder.clone()) } else { None });
        match folder {
            Some(folder) => self.selected(&folder, purpose).await,
            None => Ok(()),
        }
    }

    /// The UID of a message of the selected folder; `None` for one of another folder or another time.
    fn uid_of(&self, id: &RemoteId) -> Option<u32> {
        match (id, &self.selected) {
            (RemoteId::Imap { folder, uid_validity, uid }, Some(selected))
                if *folder == selected.folder && *uid_validity == selected.uid_validity =>
            {
                Some(*uid)
            }
            _ => None,
        }
    }

    /// Whether the server can do this. IMAP4rev2 has most extensions in it.
    // RFC 9051 Appendix E
    async fn has(&mut self, extension: &str) -> Result<bool, SourceError> {
        let capabilities = self.ask_capabilities().await?;
        Ok(capabilities.has(extension) || (capabilities.has("IMAP4REV2") && !capabilities.has("IMAP4REV1")))
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
                Ok(Some(event)) => {
                    self.count(&event);
                    return Ok(event);
                }
                Ok(None) => {
                    let octets = self.wire.read(limit, stage).await?;
                    self.conversation.feed(octets);
                }
            }
        }
    }

    /// Keeps count of the messages of the selected folder.
    fn count(&mut self, event: &Event) {
        let Some(selected) = &mut self.selected else { return };
        match event {
            Event::Exists(count) => selected.exists = Some(*count),
            Event::Expunge(_) => selected.exists = selected.exists.map(|count| count.saturating_sub(1)),
            _ => {}
        }
    }

    fn said_bye(&self, line: StatusLine) -> SourceError {
        if let Some(throttled) = throttled(&line) {
            return throttled;
        }
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

fn select_refused(folder: &str, line: StatusLine) -> SourceError {
    let is_missing = match &line.code {
        None => line.status == Status::No,
        Some(code) => code.is("NONEXISTENT") || code.is("TRYCREATE"),
    };
    if is_missing {
        return SourceError::FolderMissing { folder: folder.to_owned(), server: line.text };
    }
    refused("open the folder", line)
}

/// A command that was answered with NO or BAD.
fn refused(what: &'static str, line: StatusLine) -> SourceError {
    if let Some(throttled) = throttled(&line) {
        return throttled;
    }
    let transient = is_transient(&line);
    SourceError::ServerRefused { what, server: line.text, transient }
}

/// The error of a line in which the server asks for a pause.
fn throttled(line: &StatusLine) -> Option<SourceError> {
    let code = if let Some(Code::Named(name)) = &line.code { Some(name.as_str()) } else { None };
    pace::throttled(code, &line.text, None)
}

/// Whether the server says that it will pass.
// RFC 5530 §3
fn is_transient(line: &StatusLine) -> bool {
    let is_one_of = |code: &Code| ["UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG"].iter().any(|name| code.is(name));
    line.code.as_ref().is_some_and(is_one_of) || throttled(line).is_some()
}
