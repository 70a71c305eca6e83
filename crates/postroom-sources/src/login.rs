//! The choice of a login, the same for every protocol: the strongest that is offered, and no other when that fails.

use crate::SourceError;
use postroom_mail::sasl::{Channel, ChannelBinding, Client, Mechanism, SaslError, choose as choose_mechanism};
use postroom_mail::{AuthMethod, Secret};

/// The exchange to log in with, if the server offers one that the mailbox wants.
///
/// # Errors
/// `ARGUMENT_INVALID`.
pub(crate) fn choose(
    wanted: AuthMethod,
    user: &str,
    password: &Secret,
    binding: Option<&ChannelBinding>,
    offers: impl Fn(&str) -> bool,
) -> Result<Option<Client>, SourceError> {
    let Some(mechanism) = choose_mechanism(wanted, binding.is_some(), &offers) else { return Ok(None) };
    let channel = match binding {
        None => Channel::None,
        Some(binding) if mechanism.name().ends_with("-PLUS") => Channel::Bound(binding),
        // RFC 5802 §6: to say that a server does not offer what it does offer would end the login.
        Some(_) if [Mechanism::ScramSha256Plus, Mechanism::ScramSha1Plus].iter().any(|m| offers(m.name())) => {
            Channel::None
        }
        Some(_) => Channel::NotOffered,
    };
    let client = Client::new(mechanism, user, password, &nonce()?, channel);
    client.map(Some).map_err(|_| SourceError::ArgumentInvalid { what: "user or password" })
}

/// The exchange to log in with after a server has refused a bound one: the same without the binding, if it is offered.
/// The server may not know our binding (Cyrus offers bound SCRAM over TLS 1.3 and knows only a binding that TLS 1.3 does not
/// have), and says so in words that only people can tell from those for a wrong password. The password is as safe as in the
/// bound one; what is given up is to notice a machine between that has a certificate which we trust.
// RFC 5802 §6, RFC 9266 §3
pub(crate) fn choose_unbound(
    wanted: AuthMethod,
    user: &str,
    password: &Secret,
    offers: impl Fn(&str) -> bool,
) -> Result<Option<Client>, SourceError> {
    let is_scram = |name: &str| name.starts_with("SCRAM-") && offers(name);
    let client = choose(wanted, user, password, None, is_scram)?;
    if client.is_some() {
        tracing::warn!(
            "the server refuses a login that is bound to the TLS connection: trying the same without the binding"
        );
    }
    Ok(client)
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
