//! The states of a conversation, and what may happen in each.

use super::ImapError;
use super::command::{self, Command};
use super::folder_name::Namespace;
use super::listing::{Counts, FolderEntry, Found};
use super::reader::{Piece, Reader};
use super::response::{Body, Capabilities, Code, Fetch, Response, Status, StatusLine};
use crate::conversation::{self, Breach, Incoming, Protection};
use crate::sasl::{self, Octets};
use bytes::Bytes;
use std::collections::VecDeque;
use std::fmt;

/// How far the conversation is (RFC 9051 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The greeting is awaited.
    Greeting,
    /// Not logged in.
    NotAuthenticated,
    /// Logged in.
    Authenticated,
    /// A folder is selected.
    Selected,
    /// The server has said BYE.
    Ended,
}

/// The name of one command in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tag(u32);

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P{}", self.0)
    }
}

/// A command that is to be sent.
#[derive(Debug)]
#[must_use = "the octets have to be sent"]
pub struct Sent {
    /// The tag of its reply.
    pub tag: Tag,
    /// The octets to send now. More may follow as [`Event::Transmit`].
    pub octets: Octets,
}

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// The server greets: OK or PREAUTH.
    Greeting(StatusLine),
    /// Octets that the server has asked for: send them.
    Transmit(Octets),
    /// The reply to a command.
    Done {
        /// Which command.
        tag: Tag,
        /// OK, NO or BAD.
        line: StatusLine,
    },
    /// An untagged OK, NO or BAD.
    Status(StatusLine),
    /// The server ends the conversation.
    Bye(StatusLine),
    /// The folder has so many messages.
    Exists(u32),
    /// The message of this number is gone from the folder.
    Expunge(u32),
    /// The server waits with us: from now on it says by itself what happens in the folder.
    Idling,
    /// A folder that exists.
    Folder(FolderEntry),
    /// Where the folders of this user stand, if there are any.
    Namespace(Option<Namespace>),
    /// How a folder is doing that is not selected.
    Counts(Counts),
    /// What a search found.
    Found(Found),
    /// A message literal of so many octets begins; whose it is, the next [`Event::Fetch`] says.
    BodyStart(u64),
    /// The next octets of the message literal.
    BodyChunk(Bytes),
    /// A FETCH response is complete.
    Fetch(Fetch),
}

/// The machine. After an error it only repeats the error.
#[derive(Debug)]
pub struct Conversation {
    incoming: Incoming<ImapError>,
    state: State,
    reader: Reader,
    outstanding: VecDeque<Outstanding>,
    last_tag: u32,
    capabilities: Option<Capabilities>,
}

/// A command whose reply is awaited.
#[derive(Debug)]
struct Outstanding {
    tag: Tag,
    /// Its name on the wire, to compare replies with.
    text: String,
    then: Then,
    /// Parts that wait for a continuation request.
    parts: VecDeque<Octets>,
    /// Whether it is IDLE, and whether the server has agreed to it.
    idle: Option<Idle>,
    /// The login that goes on with continuation requests.
    client: Option<sasl::Client>,
    /// How many octets had been fed when its last part was sent: its reply must end behind them.
    sent_at: u64,
}

impl Outstanding {
    /// Whether a continuation request may come for it.
    fn waits(&self) -> bool {
        self.client.is_some() || !self.parts.is_empty() || self.idle.is_some()
    }
}

/// How far an IDLE is that has not been ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Idle {
    Asked,
    Agreed,
}

/// What an OK changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Nothing,
    StartTls,
    Authenticated,
    Selected,
}

impl Conversation {
    /// A conversation that waits for the greeting.
    pub fn new(protection: Protection) -> Self {
        Self {
            incoming: Incoming::new(protection),
            state: State::Greeting,
            reader: Reader::default(),
            outstanding: VecDeque::new(),
            last_tag: 0,
            capabilities: None,
        }
    }

    /// How far the conversation is.
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether TLS is up.
    pub fn is_protected(&self) -> bool {
        self.incoming.is_protected()
    }

    /// What the server can do, as it said since the last change of protection or login; else ask with CAPABILITY.
    pub fn capabilities(&self) -> Option<&Capabilities> {
        self.capabilities.as_ref()
    }

    /// Takes octets from the server, in slices of any length. Then call [`Conversation::next_event`] until it gives `None`.
    pub fn feed(&mut self, octets: Bytes) {
        self.incoming.feed(octets);
    }

    /// The next thing that happened, or `None` when more octets are needed.
    ///
    /// # Errors
    /// See [`ImapError`]; the connection must be closed, nothing that follows has a meaning.
    pub fn next_event(&mut self) -> Result<Option<Event>, ImapError> {
        self.incoming.check()?;
        let next = self.advance();
        self.incoming.remember(next)
    }

    /// Sends a command. Commands may be sent before earlier ones are replied to, unless those still have parts to send.
    ///
    /// # Errors
    /// [`Breach::LoginInClear`] before anything is sent, [`ImapError::Argument`], [`Breach::WrongState`].
    pub fn send(&mut self, command: &Command<'_>) -> Result<Sent, ImapError> {
        let then = self.permit(command)?;
        let tag = Tag(self.last_tag + 1);
        let none = Capabilities::default();
        let capabilities = self.capabilities.as_ref().unwrap_or(&none);
        let (octets, parts, client) = match command {
            Command::Authenticate { client } => {
                let mut client = (*client).clone();
                (command::begin_sasl(tag, &mut client, capabilities), VecDeque::new(), Some(client))
            }
            _ => {
                let mut parts = command::encode(tag, command, capabilities)?;
                (parts.pop_front().unwrap_or_default(), parts, None)
            }
        };
        self.last_tag += 1;
        if then == Then::Authenticated {
            // RFC 9051 §6.2: what the server can do may change with the login.
            self.capabilities = None;
        }
        self.outstanding.push_back(Outstanding {
            tag,
            text: tag.to_string(),
            then,
            parts,
            idle: matches!(command, Command::Idle).then_some(Idle::Asked),
            client,
            sent_at: self.incoming.fed(),
        });
        Ok(Sent { tag, octets })
    }

    /// Says that the server offers no TLS and that it was only wished for, so that the conversation goes on in clear.
    ///
    /// # Errors
    /// [`Breach::WrongState`] where TLS is required, or under way, or up.
    pub fn stay_in_clear(&mut self) -> Result<(), ImapError> {
        self.incoming.stay_in_clear()
    }

    /// The octets that end an IDLE; its reply comes as [`Event::Done`].
    ///
    /// # Errors
    /// [`Breach::WrongState`] unless the server has said [`Event::Idling`] and has not ended it itself.
    // RFC 2177 §3
    pub fn done(&mut self) -> Result<Octets, ImapError> {
        self.incoming.check_may_send()?;
        let fed = self.incoming.fed();
        let idle = self.outstanding.iter_mut().find(|o| o.idle == Some(Idle::Agreed)).ok_or(Breach::WrongState)?;
        (idle.idle, idle.sent_at) = (None, fed);
        Ok(Octets::new(b"DONE\r\n".to_vec()))
    }

    /// Says that TLS is up. Everything said before is forgotten (RFC 9051 §6.2.1).
    ///
    /// # Errors
    /// [`Breach::WrongState`] unless the server has agreed to STARTTLS, [`Breach::TlsInjection`].
    pub fn tls_started(&mut self) -> Result<(), ImapError> {
        self.incoming.tls_started()?;
        self.capabilities = None;
        Ok(())
    }

    /// Whether `command` may be sent now, and what its OK will mean.
    fn permit(&self, command: &Command<'_>) -> Result<Then, ImapError> {
        if self.incoming.check_may_send().is_err() || self.outstanding.iter().any(Outstanding::waits) {
            return Err(Breach::WrongState.into());
        }
        let in_state = |allowed: &[State], then| {
            if allowed.contains(&self.state) { Ok(then) } else { Err(Breach::WrongState.into()) }
        };
        match command {
            Command::Capability | Command::Logout | Command::Noop => {
                in_state(&[State::NotAuthenticated, State::Authenticated, State::Selected], Then::Nothing)
            }
            // Pipelining across the switch to TLS is what the injection attacks live on: nothing else may be under way.
            Command::Starttls if !self.outstanding.is_empty() || self.is_protected() => Err(Breach::WrongState.into()),
            Command::Starttls => in_state(&[State::NotAuthenticated], Then::StartTls),
            Command::Login { .. } | Command::Authenticate { .. } => {
                self.incoming.check_may_log_in()?;
                in_state(&[State::NotAuthenticated], Then::Authenticated)
            }
            Command::Select { .. } => in_state(&[State::Authenticated, State::Selected], Then::Selected),
            Command::Id { .. }
            | Command::Namespace
            | Command::List { .. }
            | Command::Status { .. }
            | Command::Create { .. } => in_state(&[State::Authenticated, State::Selected], Then::Nothing),
            // Whatever is still under way would be answered in the midst of waiting.
            Command::Idle if !self.outstanding.is_empty() => Err(Breach::WrongState.into()),
            Command::Idle
            | Command::UidSearchBounds
            | Command::UidSearchAll
            | Command::UidFetchUids { .. }
            | Command::UidFetchMessageIds { .. }
            | Command::UidFetchSummary { .. }
            | Command::UidFetchMessage { .. }
            | Command::UidStore { .. }
            | Command::UidExpunge { .. }
            | Command::UidMove { .. }
            | Command::UidCopy { .. } => in_state(&[State::Selected], Then::Nothing),
        }
    }

    fn advance(&mut self) -> Result<Option<Event>, ImapError> {
        while let Some(piece) = self.reader.next(&mut self.incoming.pending)? {
            let event = match piece {
                // Mail that comes before a folder is selected is nobody's.
                Piece::BodyStart(_) | Piece::BodyChunk(_) if self.state != State::Selected => None,
                Piece::BodyStart(length) => Some(Event::BodyStart(length)),
                Piece::BodyChunk(chunk) => Some(Event::BodyChunk(chunk)),
                Piece::Line(line) => self.response(Response::read(&line))?,
            };
            if event.is_some() {
                return Ok(event);
            }
        }
        Ok(None)
    }

    fn response(&mut self, response: Response) -> Result<Option<Event>, ImapError> {
        if self.state == State::Greeting {
            return match response {
                Response::Untagged(line) => self.greeting(line).map(Some),
                _ => Err(ImapError::NoGreeting),
            };
        }
        match response {
            Response::Tagged { tag, line } => self.reply(&tag, line).map(Some),
            Response::Continuation(challenge) => self.continuation(&challenge).map(Some),
            Response::Capability(capabilities) => {
                self.capabilities = Some(capabilities);
                Ok(None)
            }
            Response::Untagged(line) => Ok(Some(self.untagged(line))),
            Response::Exists(count) => Ok(self.is_selecting().then_some(Event::Exists(count))),
            Response::Other(_) => Ok(None),
            data => Ok(self.data(data)),
        }
    }

    /// What has a meaning only once we are logged in, or once a folder is selected.
    fn data(&self, data: Response) -> Option<Event> {
        let (is_in, is_selected) =
            (matches!(self.state, State::Authenticated | State::Selected), self.state == State::Selected);
        match data {
            Response::Folder(entry) if is_in => Some(Event::Folder(entry)),
            Response::Namespace(namespace) if is_in => Some(Event::Namespace(namespace)),
            Response::Counts(counts) if is_in => Some(Event::Counts(counts)),
            Response::Found(found) if is_selected => Some(Event::Found(found)),
            Response::Expunge(number) if is_selected => Some(Event::Expunge(number)),
            Response::Fetch(fetch) if is_selected => Some(Event::Fetch(fetch)),
            _ => None,
        }
    }

    fn greeting(&mut self, line: StatusLine) -> Result<Event, ImapError> {
        let line = self.hear(line);
        match line.status {
            Status::Ok => self.state = State::NotAuthenticated,
            Status::Preauth if self.incoming.wants_starttls() => {
                // STARTTLS is not possible any more in this state, and everything that follows could be anybody's.
                return Err(ImapError::PreauthBeforeTls);
            }
            Status::Preauth => self.state = State::Authenticated,
            Status::Bye => {
                self.state = State::Ended;
                return Ok(Event::Bye(line));
            }
            Status::No | Status::Bad => return Err(ImapError::NoGreeting),
        }
        Ok(Event::Greeting(line))
    }

    fn untagged(&mut self, line: StatusLine) -> Event {
        let line = self.hear(line);
        if line.status == Status::Bye {
            self.state = State::Ended;
            return Event::Bye(line);
        }
        Event::Status(line)
    }

    fn reply(&mut self, tag: &str, line: StatusLine) -> Result<Event, ImapError> {
        let at = self.outstanding.iter().position(|o| o.text == tag).ok_or(Breach::UnexpectedReply)?;
        let mut outstanding = self.outstanding.remove(at).ok_or(Breach::UnexpectedReply)?;
        self.incoming.check_answers(outstanding.sent_at)?;
        let ok = line.status == Status::Ok;
        // An OK before the last part of the command was sent was on its way too early as well.
        if ok && !outstanding.parts.is_empty() {
            return Err(Breach::UnexpectedReply.into());
        }
        if ok && let Some(client) = &mut outstanding.client {
            conversation::succeed(client)?;
        }
        let line = self.hear(line);
        match outstanding.then {
            Then::StartTls if ok => self.incoming.agree_to_tls()?,
            Then::Authenticated if ok => self.state = State::Authenticated,
            Then::Selected if self.state != State::Ended => {
                // RFC 9051 §6.3.2: a SELECT that fails leaves no folder selected.
                self.state = if ok { State::Selected } else { State::Authenticated };
            }
            _ => {}
        }
        Ok(Event::Done { tag: outstanding.tag, line })
    }

    fn continuation(&mut self, challenge: &[u8]) -> Result<Event, ImapError> {
        let fed = self.incoming.fed();
        let waiting = self.outstanding.iter_mut().find(|o| o.waits()).ok_or(ImapError::UnexpectedContinuation)?;
        let octets = match &mut waiting.client {
            Some(client) => conversation::respond(client, challenge)?,
            None if waiting.idle == Some(Idle::Asked) => {
                waiting.idle = Some(Idle::Agreed);
                return Ok(Event::Idling);
            }
            None => waiting.parts.pop_front().ok_or(ImapError::UnexpectedContinuation)?,
        };
        waiting.sent_at = fed;
        Ok(Event::Transmit(octets))
    }

    /// Takes the capabilities out of a status line, and its words too as long as anybody could have put them in.
    fn hear(&mut self, mut line: StatusLine) -> StatusLine {
        if let Some(Code::Capability(capabilities)) = &line.code {
            self.capabilities = Some(capabilities.clone());
        }
        if self.incoming.is_hearsay() {
            line.text.clear();
        }
        line
    }

    /// Whether a folder is selected or about to be.
    fn is_selecting(&self) -> bool {
        self.state == State::Selected || self.outstanding.iter().any(|o| o.then == Then::Selected)
    }
}

impl Fetch {
    /// Whether this response was about a message's octets.
    pub fn has_body(&self) -> bool {
        self.body != Body::Absent
    }
}
