//! From the first octet to the login: greeting, STARTTLS, the choice of a login that the connection allows.

use super::{ImapSession, is_transient, refused, throttled};
use crate::login::{self, Login};
use crate::stream::{self, Stream};
use crate::wire::Wire;
use crate::{Limits, SourceError, Trust};
use postroom_mail::conversation::Protection;
use postroom_mail::imap::{Capabilities, Command, Conversation, Event, State, Status, StatusLine};
use postroom_mail::{ImapAccess, Secret, ServerAccess};
use std::collections::HashMap;

impl ImapSession {
    /// Takes a stream that is connected, and goes as far as a protected connection (or one that is meant to be in clear).
    ///
    /// # Errors
    /// `TLS_…`, `CERT_…`, `STARTTLS_MISSING` and those of the connection. No password has been sent by then.
    pub async fn greet(
        stream: Box<dyn Stream>,
        access: &ImapAccess,
        trust: &Trust,
        limits: &Limits,
    ) -> Result<Self, SourceError> {
        let server = &access.server;
        let (wire, protection) = Wire::begin(stream, server, trust, limits).await?;
        let conversation = Conversation::new(protection);
        let mut session = Self {
            wire,
            conversation,
            folders: access.folders().map(ToOwned::to_owned).collect(),
            selected: None,
            namespace: None,
            names: HashMap::new(),
            idle: None,
        };
        // Each step has its deadline as a whole: a server that trickles must not hold us for ever.
        stream::deadline(&server.host, "the greeting", limits.step, session.await_greeting()).await??;
        match protection {
            Protection::Starttls { .. } => session.starttls(server, trust).await,
            Protection::Tls | Protection::Clear => Ok(session),
        }
    }

    async fn await_greeting(&mut self) -> Result<(), SourceError> {
        match self.event(self.wire.limits.step, "the greeting").await? {
            Event::Greeting(_) => Ok(()),
            // A server that greets with BYE is too busy, or does not want us now.
            Event::Bye(line) => Err(throttled(&line).unwrap_or(SourceError::ServerRefused {
                what: "greet",
                server: line.text,
                transient: true,
            })),
            _ => Err(self.protocol_error("no greeting")),
        }
    }

    // RFC 9051 §6.2.1, RFC 2595 §3
    async fn starttls(mut self, server: &ServerAccess, trust: &Trust) -> Result<Self, SourceError> {
        let limit = self.wire.limits.step;
        let offered = stream::deadline(&server.host, "CAPABILITY", limit, self.ask_capabilities()).await??;
        if !offered.has("STARTTLS") {
            self.wire.without_tls(server.security, trust)?;
            return match self.conversation.stay_in_clear() {
                Ok(()) => Ok(self),
                Err(error) => Err(self.machine_error(error)),
            };
        }
        // Offered and then refused is no server without TLS: that too ends here, whatever the setting.
        let reply =
            stream::deadline(&server.host, "STARTTLS", limit, self.run("STARTTLS", &Command::Starttls)).await??;
        if reply.status != Status::Ok {
            return Err(SourceError::StarttlsMissing { host: self.wire.host });
        }
        self.wire = self.wire.start_tls(trust).await?;
        match self.conversation.tls_started() {
            Ok(()) => Ok(self),
            Err(error) => Err(self.machine_error(error)),
        }
    }

    /// What the server can do, asked for unless it has said so since the last change of protection or login.
    pub(super) async fn ask_capabilities(&mut self) -> Result<Capabilities, SourceError> {
        if self.conversation.capabilities().is_none() {
            self.run("CAPABILITY", &Command::Capability).await?;
        }
        Ok(self.conversation.capabilities().cloned().unwrap_or_default())
    }

    /// Logs in, with the password in clear only where the connection is protected or clear text was chosen.
    ///
    /// # Errors
    /// `AUTH_REJECTED`, `AUTH_UNAVAILABLE`, `LOGIN_DISABLED`, `PASSWORD_MISSING` and those of the connection.
    pub async fn log_in(&mut self, server: &ServerAccess, password: Option<&Secret>) -> Result<(), SourceError> {
        let limit = self.wire.limits.step;
        // Where a server says nothing anew with the login, this one thing is believed to be as before.
        let offered_id = self.conversation.capabilities().is_some_and(|capabilities| capabilities.has("ID"));
        stream::deadline(&server.host, "the login", limit, self.try_log_in(server, password)).await??;
        if self.conversation.capabilities().map_or(offered_id, |capabilities| capabilities.has("ID")) {
            // RFC 2971: some servers open no folder to a client that does not say who it is. Nothing depends on the answer,
            // so nobody waits for it.
            self.send(&Command::Id { version: env!("CARGO_PKG_VERSION") }).await?;
        }
        Ok(())
    }

    async fn try_log_in(&mut self, server: &ServerAccess, password: Option<&Secret>) -> Result<(), SourceError> {
        if self.conversation.state() == State::Authenticated {
            // PREAUTH over TLS or a connection that is meant to be in clear: the server knows us already.
            return Ok(());
        }
        let password = password.ok_or(SourceError::PasswordMissing)?;
        let capabilities = self.ask_capabilities().await?;
        let user = server.user.as_str();
        let offers = |name: &str| capabilities.has(&format!("AUTH={name}"));
        let (host, channel) = (self.wire.host.clone(), self.wire.binding.clone());
        let known = self.wire.bound_logins;
        let login = Login { host: &host, wanted: server.auth, user, password, channel: channel.as_ref(), known };
        let client = login.choose(offers)?;
        let began_bound = client.as_ref().is_some_and(|client| client.mechanism().is_bound());
        let mut ends_bound = began_bound;
        let mut line = match client {
            Some(client) => self.run("the login", &Command::Authenticate { client: &client }).await?,
            // RFC 9051 §6.2.3: LOGINDISABLED forbids the LOGIN command, not SASL.
            None if login::may_be_command(server.auth) && !capabilities.has("LOGINDISABLED") => {
                self.run("the login", &Command::Login { user, password }).await?
            }
            None => return Err(SourceError::LoginDisabled { host: self.wire.host.clone() }),
        };
        if line.status != Status::Ok
            && began_bound
            && !is_transient(&line)
            && let Some(client) = login.unbound(offers)?
        {
            ends_bound = false;
            line = self.run("the login", &Command::Authenticate { client: &client }).await?;
        }
        if line.status != Status::Ok {
            return Err(self.login_refused(line));
        }
        self.wire.bound_logins = login::shown(began_bound, ends_bound);
        Ok(())
    }

    // RFC 5530 §3
    fn login_refused(&self, line: StatusLine) -> SourceError {
        let host = self.wire.host.clone();
        if line.code.as_ref().is_some_and(|code| code.is("PRIVACYREQUIRED")) {
            return SourceError::LoginDisabled { host };
        }
        if let Some(throttled) = throttled(&line) {
            return throttled;
        }
        if is_transient(&line) {
            return SourceError::AuthUnavailable { host, server: line.text };
        }
        match line.status {
            Status::No => SourceError::AuthRejected { host, server: line.text },
            _ => refused("log in", line),
        }
    }
}
