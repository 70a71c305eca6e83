//! The choice of a login, the same for every protocol: the strongest that is offered, and no other when that fails.

use crate::SourceError;
use postroom_mail::sasl::{Channel, ChannelBinding, Client, Mechanism, SaslError, choose as choose_mechanism};
use postroom_mail::{AuthMethod, Secret};

/// What is known of logins that are bound to the TLS connection, on one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Binding {
    /// None was ever tried.
    #[default]
    Unknown,
    /// One worked, so that no other login is taken for as good.
    Works,
    /// One was refused, and the same without the binding worked.
    Refused,
}

/// A login that is to be made.
pub(crate) struct Login<'a> {
    pub(crate) host: &'a str,
    pub(crate) wanted: AuthMethod,
    pub(crate) user: &'a str,
    pub(crate) password: &'a Secret,
    /// What it can be bound to, under TLS.
    pub(crate) channel: Option<&'a ChannelBinding>,
    /// What is known of the server.
    pub(crate) known: Binding,
}

impl Login<'_> {
    /// The exchange to log in with, if the server offers one that the mailbox wants.
    ///
    /// # Errors
    /// `LOGIN_DOWNGRADE`, `ARGUMENT_INVALID`.
    pub(crate) fn choose(&self, offers: impl Fn(&str) -> bool) -> Result<Option<Client>, SourceError> {
        match (self.known, self.channel) {
            (Binding::Works, Some(channel)) if may_be_bound(self.wanted) => {
                let client = self.choose_over(Some(channel), |name| name.ends_with("-PLUS") && offers(name))?;
                client.map(Some).ok_or_else(|| SourceError::LoginDowngrade { host: self.host.to_owned() })
            }
            (Binding::Refused, _) => self.choose_over(None, offers),
            (Binding::Works | Binding::Unknown, channel) => self.choose_over(channel, offers),
        }
    }

    fn choose_over(
        &self,
        channel: Option<&ChannelBinding>,
        offers: impl Fn(&str) -> bool,
    ) -> Result<Option<Client>, SourceError> {
        let Some(mechanism) = choose_mechanism(self.wanted, channel.is_some(), &offers) else { return Ok(None) };
        let channel = match channel {
            None => Channel::None,
            Some(channel) if mechanism.is_bound() => Channel::Bound(channel),
            // RFC 5802 §6: to say that a server does not offer what it does offer would end the login.
            Some(_) if [Mechanism::ScramSha256Plus, Mechanism::ScramSha1Plus].iter().any(|m| offers(m.name())) => {
                Channel::None
            }
            Some(_) => Channel::NotOffered,
        };
        let client = Client::new(mechanism, self.user, self.password, &nonce()?, channel);
        client.map(Some).map_err(|_| SourceError::ArgumentInvalid { what: "user or password" })
    }

    /// The exchange to log in with after a server has refused a bound one: the same without the binding, if it is offered and
    /// no bound login ever worked there. The server may not know our binding (Cyrus offers bound SCRAM over TLS 1.3 and knows
    /// only a binding that TLS 1.3 does not have), and says so in words that only people can tell from those for a wrong
    /// password. The password is as safe as in the bound one; what is given up is to notice a machine between that has a
    /// certificate which we trust.
    // RFC 5802 §6, RFC 9266 §3
    pub(crate) fn unbound(&self, offers: impl Fn(&str) -> bool) -> Result<Option<Client>, SourceError> {
        if self.known == Binding::Works {
            return Ok(None);
        }
        let client = self.choose_over(None, |name| name.starts_with("SCRAM-") && offers(name))?;
        if client.is_some() {
            tracing::warn!(
                "the server refuses a login that is bound to the TLS connection: trying the same without the binding"
            );
        }
        Ok(client)
    }
}

/// What a login that was accepted shows of bound ones.
pub(crate) fn shown(began_bound: bool, ended_bound: bool) -> Binding {
    match (began_bound, ended_bound) {
        (_, true) => Binding::Works,
        (true, false) => Binding::Refused,
        (false, false) => Binding::Unknown,
    }
}

fn may_be_bound(wanted: AuthMethod) -> bool {
    matches!(wanted, AuthMethod::Auto | AuthMethod::ScramSha1 | AuthMethod::ScramSha256)
}

/// Whether the protocol's own login, which sends the password, is what the mailbox wants where SASL is not offered.
pub(crate) fn may_be_command(wanted: AuthMethod) -> bool {
    matches!(wanted, AuthMethod::Auto | AuthMethod::Login)
}

/// A login that could not be carried through.
pub(crate) fn failed(host: &str, error: SaslError) -> SourceError {
    let host = host.to_owned();
    match error {
        SaslError::Argument => SourceError::ArgumentInvalid { what: "user or password" },
        SaslError::ServerNotProven => SourceError::ServerNotProven { host },
        other => SourceError::ProtocolError { host, detail: other.to_string() },
    }
}

/// 144 random bits, printable.
fn nonce() -> Result<String, SourceError> {
    let mut octets = [0_u8; 18];
    getrandom::fill(&mut octets).map_err(|_| SourceError::Stopped)?;
    Ok(octets.iter().map(|octet| format!("{octet:02x}")).collect())
}
