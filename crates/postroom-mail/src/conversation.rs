//! What is the same in every conversation with a mail server, and what its security rests on: which octets came when, how
//! the connection is protected, and what ends a conversation whatever its protocol.

use crate::sasl::{self, Octets, SaslError};
use bytes::Bytes;

/// How the connection is, or will be, protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// TLS from the first octet.
    Tls,
    /// STARTTLS (in POP3: STLS) comes first. Without `required`, a server that does not offer it is used in clear.
    Starttls {
        /// Whether a login in clear is refused.
        required: bool,
    },
    /// Everything in clear, by explicit choice.
    Clear,
}

/// What ends a conversation in every protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// A reply that no command waits for, or one that was on its way before its command.
    #[error("a reply to a command that was not sent")]
    UnexpectedReply,
    /// Octets in clear behind the answer to STARTTLS or STLS.
    #[error("octets in clear behind the answer to STARTTLS")]
    TlsInjection,
    /// A password was about to be sent without the protection that was asked for.
    #[error("the login would be in clear")]
    LoginInClear,
    /// A command that this state does not allow, or an earlier error.
    #[error("a command at the wrong time")]
    WrongState,
    /// The login cannot go on.
    #[error("the login failed: {0}")]
    Sasl(SaslError),
}

/// The octets from a server, and how the connection that they come over is protected. `E` is the error of the protocol.
#[derive(Debug)]
pub(crate) struct Incoming<E> {
    protection: Protection,
    /// Whether TLS is up.
    protected: bool,
    /// Whether the server has agreed to TLS, and TLS is not up yet: the next octet belongs to TLS.
    starting_tls: bool,
    /// What is still to be read.
    pub(crate) pending: Bytes,
    /// Octets fed since the conversation began.
    fed: u64,
    failed: Option<E>,
}

impl<E: Copy + From<Breach>> Incoming<E> {
    pub(crate) fn new(protection: Protection) -> Self {
        let protected = protection == Protection::Tls;
        Self { protection, protected, starting_tls: false, pending: Bytes::new(), fed: 0, failed: None }
    }

    /// Takes octets in slices of any length.
    pub(crate) fn feed(&mut self, octets: Bytes) {
        self.fed += octets.len() as u64;
        if self.starting_tls && !octets.is_empty() {
            self.failed = Some(Breach::TlsInjection.into());
        }
        self.pending =
            if self.pending.is_empty() { octets } else { [std::mem::take(&mut self.pending), octets].concat().into() };
    }

    /// Octets fed up to now: what a command that is sent now must be answered behind.
    pub(crate) fn fed(&self) -> u64 {
        self.fed
    }

    /// Whether what was read last can answer what was sent when `sent_at` octets had been fed. A reply that was on its way
    /// before its command is none: somebody guessed what we would ask, as in CVE-2026-42246.
    pub(crate) fn check_answers(&self, sent_at: u64) -> Result<(), Breach> {
        let read = self.fed - self.pending.len() as u64;
        if read <= sent_at { Err(Breach::UnexpectedReply) } else { Ok(()) }
    }

    /// The error that has ended the conversation, if one has.
    pub(crate) fn check(&self) -> Result<(), E> {
        self.failed.map_or(Ok(()), Err)
    }

    /// Keeps the error in mind, if it is one: the conversation is over.
    pub(crate) fn remember<T>(&mut self, result: Result<T, E>) -> Result<T, E> {
        if let Err(error) = &result {
            self.failed = Some(*error);
        }
        result
    }

    /// Whether a command may be sent at all: not after an error, and not where the next octet belongs to TLS.
    pub(crate) fn check_may_send(&self) -> Result<(), E> {
        self.check()?;
        if self.starting_tls { Err(Breach::WrongState.into()) } else { Ok(()) }
    }

    /// Whether a password may be sent over this connection.
    pub(crate) fn check_may_log_in(&self) -> Result<(), Breach> {
        let may_be_clear = matches!(self.protection, Protection::Clear | Protection::Starttls { required: false });
        if self.protected || may_be_clear { Ok(()) } else { Err(Breach::LoginInClear) }
    }

    /// The server has agreed to TLS.
    pub(crate) fn agree_to_tls(&mut self) -> Result<(), Breach> {
        self.starting_tls = true;
        if self.pending.is_empty() { Ok(()) } else { Err(Breach::TlsInjection) }
    }

    /// TLS is not offered and was only wished for: from now on the conversation is in clear, by choice, and its words count.
    pub(crate) fn stay_in_clear(&mut self) -> Result<(), E> {
        self.check()?;
        if self.protected || self.starting_tls || self.check_may_log_in().is_err() {
            return Err(Breach::WrongState.into());
        }
        self.protection = Protection::Clear;
        Ok(())
    }

    /// TLS is up.
    pub(crate) fn tls_started(&mut self) -> Result<(), E> {
        self.check()?;
        if !self.starting_tls {
            return Err(Breach::WrongState.into());
        }
        (self.protected, self.starting_tls) = (true, false);
        Ok(())
    }

    /// Whether TLS is up.
    pub(crate) fn is_protected(&self) -> bool {
        self.protected
    }

    /// Whether TLS has to come, or is to come, before a login.
    pub(crate) fn wants_starttls(&self) -> bool {
        matches!(self.protection, Protection::Starttls { .. })
    }

    /// Whether anybody could have put in what is heard now, so that its words are not to be shown.
    pub(crate) fn is_hearsay(&self) -> bool {
        self.wants_starttls() && !self.protected
    }
}

/// The line that answers a challenge of a login.
pub(crate) fn respond(client: &mut sasl::Client, challenge: &[u8]) -> Result<Octets, Breach> {
    let mut response = client.respond_base64(challenge).map_err(Breach::Sasl)?;
    response.extend_from_slice(b"\r\n");
    Ok(response)
}

/// The server says that the login has succeeded, which it can only do at the end of the exchange.
pub(crate) fn succeed(client: &mut sasl::Client) -> Result<(), Breach> {
    client.succeed(None).map_err(|error| match error {
        SaslError::Challenge => Breach::UnexpectedReply,
        other => Breach::Sasl(other),
    })
}
