//! The conversation with a POP3 server: drives the machine of `postroom_mail::pop3` over a stream, with deadlines.

mod fetch;
mod list;
mod login;
mod names;
mod settle;

pub use names::{Listing, MaildropShown};

use crate::certificate::CertificateInfo;
use crate::login::Binding;
use crate::session::Folder;
use crate::wire::{GOODBYE, Wire};
use crate::{SourceError, WireLog, pace};
use postroom_mail::RemoteId;
use postroom_mail::conversation::Breach;
use postroom_mail::pop3::{self, Command, Conversation, Event, Pop3Error, Reply, State};
use std::collections::HashMap;
use std::time::Duration;

/// One conversation with a POP3 server, logged in after [`Pop3Session::log_in`].
pub struct Pop3Session {
    wire: Wire,
    conversation: Conversation,
    /// What STAT said.
    maildrop: Option<(u32, u64)>,
    /// The messages of the listing of this very conversation, all or only new ones; numbers mean nothing in another one.
    numbers: Option<Numbers>,
    /// What the server calls its messages, by number and in its own order.
    names: Vec<(u32, Vec<u8>)>,
}

/// Messages by name.
#[derive(Default)]
struct Numbers {
    entries: HashMap<RemoteId, Entry>,
    /// Whether there are no others.
    are_all: bool,
}

/// A message in the listing.
#[derive(Debug, Clone, Copy)]
struct Entry {
    number: u32,
    size: u64,
}

impl Pop3Session {
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

    /// How long the server wants us to wait before the next login, if it says so.
    // RFC 2449 §6.5
    pub fn login_delay(&self) -> Option<Duration> {
        let seconds = self.conversation.capabilities()?.login_delay?;
        Some(Duration::from_secs(u64::from(seconds)))
    }

    /// Counts the messages. There are no folders, and nothing changes on the server.
    ///
    /// # Errors
    /// `SERVER_REFUSED`, `PROTOCOL_ERROR`, those of the connection.
    pub async fn select(&mut self) -> Result<Folder, SourceError> {
        let reply = self.run("counting the messages", &Command::Stat).await?;
        if !reply.ok {
            return Err(refused("count the messages", reply));
        }
        let maildrop = pop3::maildrop(&reply).map_err(|error| self.machine_error(error))?;
        self.maildrop = Some(maildrop);
        Ok(Folder { exists: Some(maildrop.0), ..Folder::default() })
    }

    /// Says QUIT and closes the connection. Nothing was marked for deletion unless [`Pop3Session::settle`] did so, which
    /// says QUIT itself.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn close(mut self) -> Result<(), SourceError> {
        if self.conversation.state() == State::Ended {
            return Ok(());
        }
        let goodbye = async {
            self.run("the goodbye", &Command::Quit).await?;
            // The server may have been faster.
            let _already_closed = self.wire.shutdown().await;
            Ok(())
        };
        tokio::time::timeout(GOODBYE, goodbye).await.unwrap_or(Ok(()))
    }

    /// Whether several commands may be under way at once.
    // RFC 2449 §6.6
    fn may_pipeline(&self) -> bool {
        self.conversation.capabilities().is_some_and(|capabilities| capabilities.has("PIPELINING"))
    }

    /// Sends a command and waits for its reply, whatever that is.
    async fn run(&mut self, stage: &'static str, command: &Command<'_>) -> Result<Reply, SourceError> {
        self.send(command).await?;
        loop {
            if let Event::Done(reply) = self.next(stage).await? {
                return Ok(reply);
            }
        }
    }

    async fn send(&mut self, command: &Command<'_>) -> Result<(), SourceError> {
        let octets = self.conversation.send(command).map_err(|error| self.machine_error(error))?;
        self.wire.command(&octets).await
    }

    /// Sends several commands in one go.
    async fn send_all(&mut self, commands: &[Command<'_>]) -> Result<(), SourceError> {
        let mut octets = Vec::new();
        for command in commands {
            let encoded = self.conversation.send(command).map_err(|error| self.machine_error(error))?;
            octets.extend_from_slice(&encoded);
        }
        self.wire.command(&octets).await
    }

    /// The next event.
    async fn next(&mut self, stage: &'static str) -> Result<Event, SourceError> {
        let limit = match self.conversation.state() {
            State::Transaction => self.wire.limits.stall,
            _ => self.wire.limits.step,
        };
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

    fn machine_error(&self, error: Pop3Error) -> SourceError {
        let host = self.wire.host.clone();
        match error {
            Pop3Error::Argument => SourceError::ArgumentInvalid { what: "user or password" },
            Pop3Error::Breach(Breach::UnexpectedReply) | Pop3Error::NoReply
                if self.conversation.state() == State::Transaction =>
            {
                SourceError::Pop3Desync { host }
            }
            Pop3Error::Breach(breach) => self.wire.breach(breach),
            other => SourceError::ProtocolError { host, detail: other.to_string() },
        }
    }
}

/// A command that was answered with -ERR.
fn refused(what: &'static str, reply: Reply) -> SourceError {
    if reply.is("IN-USE") {
        return SourceError::MailboxInUse { server: reply.text };
    }
    if let Some(throttled) = pace::throttled(reply.code.as_deref(), &reply.text, None) {
        return throttled;
    }
    let transient = is_transient(&reply);
    SourceError::ServerRefused { what, server: reply.text, transient }
}

/// Whether the server says that it will pass.
// RFC 2449 §8.1, RFC 3206 §4
fn is_transient(reply: &Reply) -> bool {
    ["SYS/TEMP", "IN-USE", "LOGIN-DELAY"].iter().any(|code| reply.is(code))
        || pace::throttled(reply.code.as_deref(), &reply.text, None).is_some()
}
