//! From the first octet to the login: greeting, STLS, the choice of a login that the connection allows.

use super::{Pop3Session, is_transient, refused};
use crate::login::{self, Login};
use crate::stream::{self, Stream};
use crate::wire::Wire;
use crate::{Limits, SourceError, Trust, pace};
use postroom_mail::conversation::Protection;
use postroom_mail::pop3::{Capabilities, Command, Conversation, Event, Reply};
use postroom_mail::{AuthMethod, Secret, ServerAccess};

impl Pop3Session {
    /// Takes a stream that is connected, and goes as far as a protected connection (or one that is meant to be in clear).
    ///
    /// # Errors
    /// `TLS_…`, `CERT_…`, `STARTTLS_MISSING` and those of the connection. No password has been sent by then.
    pub async fn greet(
        stream: Box<dyn Stream>,
        server: &ServerAccess,
        trust: &Trust,
        limits: &Limits,
    ) -> Result<Self, SourceError> {
        let (wire, protection) = Wire::begin(stream, server, trust, limits).await?;
        let conversation = Conversation::new(protection);
        let mut session = Self { wire, conversation, maildrop: None, numbers: None, names: Vec::new() };
        // Each step has its deadline as a whole: a server that trickles must not hold us for ever.
        stream::deadline(&server.host, "the greeting", limits.step, session.await_greeting()).await??;
        match protection {
            Protection::Starttls { .. } => session.starttls(server, trust).await,
            Protection::Tls | Protection::Clear => Ok(session),
        }
    }

    async fn await_greeting(&mut self) -> Result<(), SourceError> {
        match self.next("the greeting").await? {
            Event::Greeting(reply) if reply.ok => Ok(()),
            // A server that greets with -ERR is too busy, or does not want us now.
            Event::Greeting(reply) => {
                let refused = SourceError::ServerRefused { what: "greet", server: reply.text.clone(), transient: true };
                Err(pace::throttled(reply.code.as_deref(), &reply.text, None).unwrap_or(refused))
            }
            _ => Err(self.wire.protocol_error("no greeting")),
        }
    }

    // RFC 2595 §4
    async fn starttls(mut self, server: &ServerAccess, trust: &Trust) -> Result<Self, SourceError> {
        let limit = self.wire.limits.step;
        let offered = stream::deadline(&server.host, "CAPA", limit, self.ask_capabilities()).await??;
        if !offered.has("STLS") {
            self.wire.without_tls(server.security, trust)?;
            return match self.conversation.stay_in_clear() {
                Ok(()) => Ok(self),
                Err(error) => Err(self.machine_error(error)),
            };
        }
        // Offered and then refused is no server without TLS: that too ends here, whatever the setting.
        let reply = stream::deadline(&server.host, "STLS", limit, self.run("STLS", &Command::Stls)).await??;
        if !reply.ok {
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
            self.run("CAPA", &Command::Capa).await?;
        }
        Ok(self.conversation.capabilities().cloned().unwrap_or_default())
    }

    /// Logs in, with the password in clear only where the connection is protected or clear text was chosen.
    ///
    /// # Errors
    /// `AUTH_REJECTED`, `AUTH_UNAVAILABLE`, `MAILBOX_IN_USE`, `LOGIN_DISABLED`, `PASSWORD_MISSING` and those of the
    /// connection.
    pub async fn log_in(&mut self, server: &ServerAccess, password: Option<&Secret>) -> Result<(), SourceError> {
        let limit = self.wire.limits.step;
        stream::deadline(&server.host, "the login", limit, self.try_log_in(server, password)).await?
    }

    async fn try_log_in(&mut self, server: &ServerAccess, password: Option<&Secret>) -> Result<(), SourceError> {
        let password = password.ok_or(SourceError::PasswordMissing)?;
        let capabilities = self.ask_capabilities().await?;
        let user = server.user.as_str();
        let (host, channel) = (self.wire.host.clone(), self.wire.binding.clone());
        let known = self.wire.bound_logins;
        let login = Login { host: &host, wanted: server.auth, user, password, channel: channel.as_ref(), known };
        let client = login.choose(|name| capabilities.offers(name))?;
        // APOP sends no password, so it goes before those mechanisms that do.
        let wants_apop = matches!(server.auth, AuthMethod::Auto | AuthMethod::Apop) && self.conversation.offers_apop();
        let began_bound = client.as_ref().is_some_and(|client| client.mechanism().is_bound());
        let mut ends_bound = began_bound;
        let mut reply = match client {
            Some(client) if !(wants_apop && client.mechanism().sends_password()) => {
                self.run("the login", &Command::Auth { client: &client }).await?
            }
            _ if wants_apop => self.run("the login", &Command::Apop { user, password }).await?,
            // RFC 2449 §6.3: a server with CAPA says whether it takes USER; one without it has nothing else.
            _ if login::may_be_command(server.auth) && may_be_user(&capabilities) => {
                self.run("the login", &Command::User { user, password }).await?
            }
            _ => return Err(SourceError::LoginDisabled { host: self.wire.host.clone() }),
        };
        if !reply.ok
            && began_bound
            && !is_transient(&reply)
            && let Some(client) = login.unbound(|name| capabilities.offers(name))?
        {
            ends_bound = false;
            reply = self.run("the login", &Command::Auth { client: &client }).await?;
        }
        if !reply.ok {
            return Err(self.login_refused(reply));
        }
        self.wire.bound_logins = login::shown(began_bound, ends_bound);
        self.ask_capabilities().await?;
        Ok(())
    }

    // RFC 2449 §8.1, RFC 3206 §4
    fn login_refused(&self, reply: Reply) -> SourceError {
        let host = self.wire.host.clone();
        // RFC 1939 §4 has “maildrop already locked” for an example; servers older than the response codes say it so.
        let is_locked = reply.code.is_none() && reply.text.to_ascii_lowercase().contains("already locked");
        if reply.is("IN-USE") || is_locked {
            return SourceError::MailboxInUse { server: reply.text };
        }
        if let Some(throttled) = pace::throttled(reply.code.as_deref(), &reply.text, self.login_delay()) {
            return throttled;
        }
        if is_transient(&reply) {
            return SourceError::AuthUnavailable { host, server: reply.text };
        }
        if reply.is("SYS") {
            return refused("log in", reply);
        }
        SourceError::AuthRejected { host, server: reply.text }
    }
}

/// Whether the server takes USER and PASS.
fn may_be_user(capabilities: &Capabilities) -> bool {
    capabilities.has("USER") || capabilities.is_empty()
}
