//! What every conversation with a server does with its stream: the protection it begins with, reading and writing with
//! deadlines. One way for all protocols, so that one of them cannot be weaker.

use crate::certificate::CertificateInfo;
use crate::login::Binding;
use crate::stream::{self, Protected, Stream};
use crate::{Limits, SourceError, Trust, login};
use bytes::{Bytes, BytesMut};
use postroom_mail::conversation::{Breach, Protection};
use postroom_mail::sasl::ChannelBinding;
use postroom_mail::{Security, ServerAccess};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// What is read at once. The buffer is used again and again: chunks of it are copied into their message and let go.
const READ_BUFFER: usize = 128 * 1024;

/// What is read at once while we wait for something to happen: a line or two.
const LITTLE: usize = 512;

/// A server that trickles: less than this many octets in [`TRICKLE_STALLS`] times [`Limits::stall`] of waiting is too little,
/// even if each wait by itself was short.
const TRICKLE: usize = 64 * 1024;
const TRICKLE_STALLS: u32 = 10;

/// How long a goodbye may take; nothing depends on it.
pub(crate) const GOODBYE: Duration = Duration::from_secs(3);

/// A stream to a server.
pub(crate) struct Wire {
    stream: Box<dyn Stream>,
    /// What a login can be bound to, under TLS.
    pub(crate) binding: Option<ChannelBinding>,
    /// What is known of bound logins on this server; once we are logged in, what the login has shown.
    pub(crate) bound_logins: Binding,
    /// The certificates that the server showed, its own first, until somebody takes them.
    pub(crate) chain: Vec<CertificateInfo>,
    pub(crate) limits: Limits,
    pub(crate) host: String,
    buffer: BytesMut,
    waited: Waited,
}

/// How long we have waited for octets since the last command, and how many came.
#[derive(Debug, Clone, Copy, Default)]
struct Waited {
    time: Duration,
    octets: usize,
}

impl Wire {
    /// Takes a stream that is connected, puts TLS over it where TLS comes first, and says what has to come before a login.
    ///
    /// # Errors
    /// `TLS_…`, `CERT_…`, `TIMEOUT`.
    pub(crate) async fn begin(
        stream: Box<dyn Stream>,
        server: &ServerAccess,
        trust: &Trust,
        limits: &Limits,
    ) -> Result<(Self, Protection), SourceError> {
        let wire = Self {
            stream,
            binding: None,
            bound_logins: trust.known_binding(),
            chain: Vec::new(),
            limits: limits.clone(),
            host: server.host.clone(),
            buffer: BytesMut::with_capacity(READ_BUFFER),
            waited: Waited::default(),
        };
        Ok(match server.security {
            Security::Ssl => (wire.start_tls(trust).await?, Protection::Tls),
            Security::Starttls => (wire, Protection::Starttls { required: true }),
            Security::StarttlsIfAvailable => (wire, Protection::Starttls { required: trust.is_tls_seen() }),
            Security::None => (wire, Protection::Clear),
        })
    }

    /// Puts TLS over the stream.
    ///
    /// # Errors
    /// `TLS_…`, `CERT_…`, `TIMEOUT`.
    pub(crate) async fn start_tls(self, trust: &Trust) -> Result<Self, SourceError> {
        let protected = stream::start_tls(self.stream, &self.host, trust, &self.limits).await?;
        let Protected { stream, binding, chain } = protected;
        if let Some(log) = &self.limits.log {
            log.note("TLS from here on");
        }
        Ok(Self { stream, binding, chain, ..self })
    }

    /// Whether to go on in clear with a server that does not offer TLS.
    ///
    /// # Errors
    /// `TLS_DOWNGRADE`, `STARTTLS_MISSING`.
    pub(crate) fn without_tls(&self, security: Security, trust: &Trust) -> Result<(), SourceError> {
        let host = self.host.clone();
        match security {
            Security::StarttlsIfAvailable if !trust.is_tls_seen() => Ok(()),
            Security::StarttlsIfAvailable => Err(SourceError::TlsDowngrade { host }),
            _ => Err(SourceError::StarttlsMissing { host }),
        }
    }

    /// Sends a command; waiting for its answer begins.
    ///
    /// # Errors
    /// `TIMEOUT`, `CONNECTION_LOST`.
    pub(crate) async fn command(&mut self, octets: &[u8]) -> Result<(), SourceError> {
        self.waited = Waited::default();
        if let Some(log) = &self.limits.log {
            log.begin_command();
        }
        self.write(octets).await
    }

    /// Sends the rest of a command.
    ///
    /// # Errors
    /// `TIMEOUT`, `CONNECTION_LOST`.
    pub(crate) async fn write(&mut self, octets: &[u8]) -> Result<(), SourceError> {
        if let Some(log) = &self.limits.log {
            log.sent(octets);
        }
        let stream = &mut self.stream;
        let work = async {
            stream.write_all(octets).await?;
            stream.flush().await
        };
        let written = stream::deadline(&self.host, "sending", self.limits.stall, work).await?;
        written.map_err(|error| self.lost(&error))
    }

    /// Waits for octets, at most `limit`.
    ///
    /// # Errors
    /// `TIMEOUT`, also for a server that trickles; `CONNECTION_LOST`, also when the server has closed the connection.
    pub(crate) async fn read(&mut self, limit: Duration, stage: &'static str) -> Result<Bytes, SourceError> {
        self.buffer.reserve(READ_BUFFER);
        let begun = tokio::time::Instant::now();
        let read = stream::deadline(&self.host, stage, limit, self.stream.read_buf(&mut self.buffer)).await?;
        match read {
            Ok(0) => Err(self.closed()),
            Ok(octets) => {
                self.check_trickle(begun.elapsed(), octets, stage)?;
                Ok(self.take_read())
            }
            Err(error) => Err(self.lost(&error)),
        }
    }

    fn take_read(&mut self) -> Bytes {
        let octets = self.buffer.split().freeze();
        if let Some(log) = &self.limits.log {
            log.received(&octets);
        }
        octets
    }

    /// Waits for octets for as long as it takes, with little memory; giving up loses none of them.
    ///
    /// # Errors
    /// `CONNECTION_LOST`, also when the server has closed the connection.
    pub(crate) async fn wait(&mut self) -> Result<Bytes, SourceError> {
        if self.buffer.is_empty() && self.buffer.capacity() != LITTLE {
            self.buffer = BytesMut::with_capacity(LITTLE);
        }
        match self.stream.read_buf(&mut self.buffer).await {
            Ok(0) => Err(self.closed()),
            Ok(_) => Ok(self.take_read()),
            Err(error) => Err(self.lost(&error)),
        }
    }

    /// Closes our side.
    ///
    /// # Errors
    /// `CONNECTION_LOST`.
    pub(crate) async fn shutdown(&mut self) -> Result<(), SourceError> {
        self.stream.shutdown().await.map_err(|error| self.lost(&error))
    }

    /// Ends a visit to a server that sends an octet now and then, which no deadline for a single wait would ever do.
    fn check_trickle(&mut self, time: Duration, octets: usize, stage: &'static str) -> Result<(), SourceError> {
        self.waited.time += time;
        self.waited.octets += octets;
        let limit = self.limits.stall * TRICKLE_STALLS;
        if self.waited.time < limit {
            return Ok(());
        }
        let waited = std::mem::take(&mut self.waited);
        if waited.octets >= TRICKLE {
            return Ok(());
        }
        Err(SourceError::Timeout { host: self.host.clone(), stage, seconds: limit.as_secs() })
    }

    fn closed(&self) -> SourceError {
        SourceError::ConnectionLost { host: self.host.clone(), detail: "the server closed it".to_owned() }
    }

    fn lost(&self, error: &std::io::Error) -> SourceError {
        SourceError::ConnectionLost { host: self.host.clone(), detail: error.to_string() }
    }

    /// A conversation that the machine of its protocol has ended.
    pub(crate) fn breach(&self, breach: Breach) -> SourceError {
        let host = self.host.clone();
        match breach {
            Breach::TlsInjection => SourceError::TlsInjection { host },
            Breach::LoginInClear => SourceError::StarttlsMissing { host },
            Breach::Sasl(error) => login::failed(&host, error),
            Breach::UnexpectedReply | Breach::WrongState => self.protocol_error(&breach.to_string()),
        }
    }

    pub(crate) fn protocol_error(&self, detail: &str) -> SourceError {
        SourceError::ProtocolError { host: self.host.clone(), detail: detail.to_owned() }
    }
}
