//! The states of a conversation, and what may happen in each.

use super::command::{self, Command};
use super::reader::{Piece, Reader};
use super::reply::{Capabilities, Reply, apop_timestamp};
use super::{MAX_CAPABILITIES, Pop3Error};
use crate::conversation::{self, Breach, Incoming, Protection};
use crate::sasl::{self, Octets};
use bytes::Bytes;
use std::collections::VecDeque;

/// How far the conversation is (RFC 1939 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The greeting is awaited.
    Greeting,
    /// Not logged in.
    Authorization,
    /// Logged in.
    Transaction,
    /// The server has said `+OK` to QUIT.
    Ended,
}

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// The server greets, or says that it has no time for us.
    Greeting(Reply),
    /// Octets that the server has asked for: send them.
    Transmit(Octets),
    /// A line of LIST or UIDL.
    Entry(Vec<u8>),
    /// The next octets of a message, as they were before dots were put in.
    MessageChunk(Bytes),
    /// The command sent first of those under way is done, all of its lines included.
    Done(Reply),
}

/// The machine. After an error it only repeats the error.
#[derive(Debug)]
pub struct Conversation {
    incoming: Incoming<Pop3Error>,
    state: State,
    reader: Reader,
    outstanding: VecDeque<Outstanding>,
    timestamp: Option<String>,
    capabilities: Option<Capabilities>,
}

/// A command whose reply is awaited.
#[derive(Debug)]
struct Outstanding {
    then: Then,
    /// The `+OK` of a command whose lines are being read.
    reply: Option<Reply>,
    /// How many octets had been fed when its last part was sent: its reply must end behind them.
    sent_at: u64,
}

/// What the reply to a command is followed by, and what its `+OK` changes.
#[derive(Debug)]
enum Then {
    Nothing,
    StartTls,
    /// Sends the password.
    Pass(crate::Secret),
    Authenticated,
    /// May ask for more.
    Auth(Box<sasl::Client>),
    Capabilities(Capabilities),
    Listing,
    Message,
    Ended,
}

impl Conversation {
    /// A conversation that waits for the greeting.
    pub fn new(protection: Protection) -> Self {
        Self {
            incoming: Incoming::new(protection),
            state: State::Greeting,
            reader: Reader::default(),
            outstanding: VecDeque::new(),
            timestamp: None,
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

    /// What the server can do, as it said since the last change of protection or login; else ask with CAPA. A server that
    /// does not know CAPA has none.
    pub fn capabilities(&self) -> Option<&Capabilities> {
        self.capabilities.as_ref()
    }

    /// Whether the server greeted with a timestamp for APOP. One from before TLS could be anybody's and is forgotten.
    pub fn offers_apop(&self) -> bool {
        self.timestamp.is_some()
    }

    /// Whether there are no octets that nothing has asked for.
    pub fn is_quiet(&self) -> bool {
        !self.outstanding.is_empty() || (self.incoming.pending.is_empty() && self.reader.is_between_lines())
    }

    /// Takes octets from the server, in slices of any length. Then call [`Conversation::next_event`] until it gives `None`.
    pub fn feed(&mut self, octets: Bytes) {
        self.incoming.feed(octets);
    }

    /// The next thing that happened, or `None` when more octets are needed.
    ///
    /// # Errors
    /// See [`Pop3Error`]; the connection must be closed, nothing that follows has a meaning.
    pub fn next_event(&mut self) -> Result<Option<Event>, Pop3Error> {
        self.incoming.check()?;
        let next = self.advance();
        self.incoming.remember(next)
    }

    /// The octets of a command, to be sent now; more may follow as [`Event::Transmit`]. Once logged in, commands may be sent
    /// before earlier ones are replied to, where the server allows it.
    ///
    /// # Errors
    /// [`Breach::LoginInClear`] before anything is sent, [`Pop3Error::Argument`], [`Breach::WrongState`];
    /// [`Breach::UnexpectedReply`] when there are octets that nothing asked for.
    pub fn send(&mut self, command: &Command<'_>) -> Result<Octets, Pop3Error> {
        self.permit(command)?;
        if !self.is_quiet() {
            return self.incoming.remember(Err(Breach::UnexpectedReply.into()));
        }
        let mut client = if let Command::Auth { client } = command { Some((*client).clone()) } else { None };
        let octets = command::encode(command, self.timestamp.as_deref(), client.as_mut())?;
        let then = match (command, client) {
            (Command::Auth { .. }, Some(client)) => Then::Auth(Box::new(client)),
            (Command::Stls, _) => Then::StartTls,
            (Command::User { password, .. }, _) => Then::Pass((*password).clone()),
            (Command::Apop { .. }, _) => Then::Authenticated,
            (Command::Capa, _) => Then::Capabilities(Capabilities::default()),
            (Command::List | Command::Uidl, _) => Then::Listing,
            (Command::Retr(_) | Command::Top(..), _) => Then::Message,
            (Command::Quit, _) => Then::Ended,
            _ => Then::Nothing,
        };
        self.outstanding.push_back(Outstanding { then, reply: None, sent_at: self.incoming.fed() });
        Ok(octets)
    }

    /// Says that the server offers no TLS and that it was only wished for, so that the conversation goes on in clear.
    ///
    /// # Errors
    /// [`Breach::WrongState`] where TLS is required, or under way, or up.
    pub fn stay_in_clear(&mut self) -> Result<(), Pop3Error> {
        self.incoming.stay_in_clear()
    }

    /// Says that TLS is up. Everything said before is forgotten, the timestamp of the greeting included (RFC 2595 §4).
    ///
    /// # Errors
    /// [`Breach::WrongState`] unless the server has agreed to STLS, [`Breach::TlsInjection`].
    pub fn tls_started(&mut self) -> Result<(), Pop3Error> {
        self.incoming.tls_started()?;
        (self.capabilities, self.timestamp) = (None, None);
        Ok(())
    }

    fn permit(&self, command: &Command<'_>) -> Result<(), Pop3Error> {
        self.incoming.check_may_send()?;
        let is_idle = self.outstanding.is_empty();
        let allowed = match command {
            Command::Capa | Command::Quit => match self.state {
                // What may change the state or ask for more has to be waited for.
                State::Authorization => is_idle,
                State::Transaction => true,
                _ => false,
            },
            // Pipelining across the switch to TLS is what the injection attacks live on.
            Command::Stls => self.state == State::Authorization && is_idle && !self.is_protected(),
            Command::User { .. } | Command::Apop { .. } | Command::Auth { .. } => {
                self.incoming.check_may_log_in()?;
                self.state == State::Authorization && is_idle
            }
            _ => self.state == State::Transaction,
        };
        let is_ending = self.outstanding.back().is_some_and(|last| matches!(last.then, Then::Ended));
        if allowed && !is_ending { Ok(()) } else { Err(Breach::WrongState.into()) }
    }

    fn advance(&mut self) -> Result<Option<Event>, Pop3Error> {
        while let Some(piece) = self.reader.next(&mut self.incoming.pending)? {
            let event = match piece {
                Piece::Chunk(chunk) => Some(Event::MessageChunk(chunk)),
                Piece::End => Some(self.end_of_lines()?),
                Piece::Line(line) => self.line(line)?,
            };
            if event.is_some() {
                return Ok(event);
            }
        }
        Ok(None)
    }

    fn line(&mut self, line: Vec<u8>) -> Result<Option<Event>, Pop3Error> {
        if self.state == State::Greeting {
            return self.greeting(&line).map(Some);
        }
        let current = self.outstanding.front_mut().ok_or(Breach::UnexpectedReply)?;
        if current.reply.is_some() {
            // RFC 1939 §3: the lines of a listing have dots put in too.
            return match (line.strip_prefix(b"."), &mut current.then) {
                (Some(b""), _) => self.end_of_lines().map(Some),
                (rest, Then::Capabilities(capabilities)) => {
                    capabilities.add(rest.unwrap_or(&line));
                    if capabilities.count() > MAX_CAPABILITIES {
                        return Err(Pop3Error::TooManyCapabilities);
                    }
                    Ok(None)
                }
                (rest, _) => Ok(Some(Event::Entry(rest.map_or_else(|| line.clone(), <[u8]>::to_vec)))),
            };
        }
        self.incoming.check_answers(current.sent_at)?;
        if let (Then::Auth(client), Some(challenge)) = (&mut current.then, challenge(&line)) {
            let response = conversation::respond(client, challenge)?;
            current.sent_at = self.incoming.fed();
            return Ok(Some(Event::Transmit(response)));
        }
        let reply = Reply::read(&line).ok_or(Pop3Error::NoReply)?;
        self.reply(reply)
    }

    // RFC 1939 §4
    fn greeting(&mut self, line: &[u8]) -> Result<Event, Pop3Error> {
        let reply = Reply::read(line).ok_or(Pop3Error::NoGreeting)?;
        self.state = if reply.ok { State::Authorization } else { State::Ended };
        self.timestamp = apop_timestamp(line).filter(|_| reply.ok);
        Ok(Event::Greeting(self.hear(reply)))
    }

    /// The first line of the answer to the command sent first.
    fn reply(&mut self, reply: Reply) -> Result<Option<Event>, Pop3Error> {
        let mut current = self.outstanding.pop_front().ok_or(Breach::UnexpectedReply)?;
        let reply = self.hear(reply);
        if !reply.ok {
            if let Then::Capabilities(none) = current.then {
                // RFC 2449 §3: a server that does not know CAPA.
                self.capabilities = Some(none);
            }
            return Ok(Some(Event::Done(reply)));
        }
        match &mut current.then {
            Then::Capabilities(_) | Then::Listing | Then::Message => {
                if matches!(current.then, Then::Message) {
                    self.reader.begin_message();
                }
                current.reply = Some(reply);
                self.outstanding.push_front(current);
                return Ok(None);
            }
            Then::Pass(password) => {
                let octets = command::pass(password);
                let sent_at = self.incoming.fed();
                self.outstanding.push_front(Outstanding { then: Then::Authenticated, reply: None, sent_at });
                return Ok(Some(Event::Transmit(octets)));
            }
            Then::StartTls => self.incoming.agree_to_tls()?,
            Then::Auth(client) => {
                conversation::succeed(client)?;
                self.authenticated();
            }
            Then::Authenticated => self.authenticated(),
            Then::Ended => self.state = State::Ended,
            Then::Nothing => {}
        }
        Ok(Some(Event::Done(reply)))
    }

    // RFC 2449 §5: what the server can do may change with the login.
    fn authenticated(&mut self) {
        (self.state, self.capabilities) = (State::Transaction, None);
    }

    /// The lines of the command sent first are complete.
    fn end_of_lines(&mut self) -> Result<Event, Pop3Error> {
        let current = self.outstanding.pop_front().ok_or(Breach::UnexpectedReply)?;
        if let Then::Capabilities(capabilities) = current.then {
            self.capabilities = Some(capabilities);
        }
        Ok(Event::Done(current.reply.ok_or(Breach::UnexpectedReply)?))
    }

    /// Takes the words out of a reply as long as anybody could have put them in.
    fn hear(&self, mut reply: Reply) -> Reply {
        if self.incoming.is_hearsay() {
            reply.text.clear();
        }
        reply
    }
}

/// What follows the `+` of a challenge, in base64.
// RFC 5034 §4
fn challenge(line: &[u8]) -> Option<&[u8]> {
    match line.strip_prefix(b"+")? {
        b"" => Some(b""),
        rest => rest.strip_prefix(b" "),
    }
}
