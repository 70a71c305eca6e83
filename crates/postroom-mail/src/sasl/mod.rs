//! The client's side of SASL, as a machine without sockets: challenges in, responses out.
//!
//! [`choose`] picks one mechanism out of what a server offers, [`Client`] carries it through. A login is tried with that one
//! and with no other, so that nobody can talk us down to a weaker one by making a stronger one fail. Only its binding to the
//! TLS connection may be given up, where it never worked: there are servers that offer it and do not know the bindings of TLS 1.3. Nonces and
//! channel bindings are passed in.
//!
//! Standards: RFC 4422 (SASL), 4616 (PLAIN), draft-murchison-sasl-login (LOGIN), 2195 (CRAM-MD5), 5802 and 7677 (SCRAM), 5929 and
//! 9266 (channel bindings), 4013 (SASLprep).

mod scram;

use crate::{AuthMethod, Secret};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use scram::Scram;
use std::borrow::Cow;
use zeroize::Zeroizing;

/// Longest challenge that is read, in octets before base64. Those in use have a few hundred.
pub const MAX_CHALLENGE: usize = 4096;

/// Most rounds of password stretching that a server may ask for. More would let it keep our processor busy: this many take
/// about half a second. RFC 7677 asks for at least 4,096, and servers ask for 4,096 to 310,000.
pub const MAX_ITERATIONS: u32 = 600_000;

/// Fewest rounds: with fewer, somebody who listens finds the password too easily.
// RFC 7677 §4
pub const MIN_ITERATIONS: u32 = 4_096;

/// Octets that may hold a password and are overwritten when dropped.
pub type Octets = Zeroizing<Vec<u8>>;

/// A SASL mechanism, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mechanism {
    /// RFC 7677, bound to the TLS connection.
    ScramSha256Plus,
    /// RFC 7677.
    ScramSha256,
    /// RFC 5802, bound to the TLS connection.
    ScramSha1Plus,
    /// RFC 5802.
    ScramSha1,
    /// RFC 2195.
    CramMd5,
    /// RFC 4616: the password itself.
    Plain,
    /// draft-murchison-sasl-login: user, then the password itself.
    Login,
}

/// All of them, the strongest first. A bound SHA-1 is stronger against somebody between than an unbound SHA-256, but a
/// server that offers it offers a bound SHA-256 too.
const ALL: [Mechanism; 7] = [
    Mechanism::ScramSha256Plus,
    Mechanism::ScramSha256,
    Mechanism::ScramSha1Plus,
    Mechanism::ScramSha1,
    Mechanism::CramMd5,
    Mechanism::Plain,
    Mechanism::Login,
];

impl Mechanism {
    /// The name in the protocol.
    pub fn name(self) -> &'static str {
        match self {
            Self::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha1Plus => "SCRAM-SHA-1-PLUS",
            Self::ScramSha1 => "SCRAM-SHA-1",
            Self::CramMd5 => "CRAM-MD5",
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
        }
    }

    /// Whether the client speaks first, so that its first message may come with the command.
    pub fn is_client_first(self) -> bool {
        !matches!(self, Self::CramMd5 | Self::Login)
    }

    /// Whether the password itself goes over the wire.
    pub fn sends_password(self) -> bool {
        matches!(self, Self::Plain | Self::Login)
    }

    /// Whether it is bound to the TLS connection.
    pub fn is_bound(self) -> bool {
        matches!(self, Self::ScramSha256Plus | Self::ScramSha1Plus)
    }

    fn fits(self, wanted: AuthMethod) -> bool {
        match wanted {
            AuthMethod::Auto => true,
            AuthMethod::Plain => self == Self::Plain,
            AuthMethod::Login => self == Self::Login,
            AuthMethod::CramMd5 => self == Self::CramMd5,
            AuthMethod::ScramSha1 => matches!(self, Self::ScramSha1 | Self::ScramSha1Plus),
            AuthMethod::ScramSha256 => matches!(self, Self::ScramSha256 | Self::ScramSha256Plus),
            AuthMethod::Apop => false,
        }
    }
}

/// The strongest mechanism that the mailbox wants, the server offers (`offers` is asked for names in upper case) and the
/// connection allows: a bound one needs a channel to bind to.
pub fn choose(wanted: AuthMethod, has_binding: bool, offers: impl Fn(&str) -> bool) -> Option<Mechanism> {
    ALL.into_iter().find(|m| m.fits(wanted) && (has_binding || !m.is_bound()) && offers(m.name()))
}

/// What names the TLS connection on both of its ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelBinding {
    /// `tls-exporter` (RFC 9266) or `tls-server-end-point` (RFC 5929).
    pub name: &'static str,
    /// Its octets.
    pub data: Vec<u8>,
}

/// What is known of the TLS connection when a SCRAM login begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel<'a> {
    /// There is nothing to bind to.
    None,
    /// This could be bound to, but the server does not offer it: it is told so, and refuses if it does offer it, because then
    /// somebody between has taken it out of the list.
    NotOffered,
    /// Bound to this.
    Bound(&'a ChannelBinding),
}

/// Why an exchange ends. No text here comes from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SaslError {
    /// User or password has a character that the mechanism cannot carry (NUL).
    #[error("a user or password with a character that cannot be sent")]
    Argument,
    /// A challenge that is none of this mechanism, or one more than it has.
    #[error("a challenge that makes no sense")]
    Challenge,
    /// The server wants more rounds of password stretching than [`MAX_ITERATIONS`], or fewer than [`MIN_ITERATIONS`].
    #[error("a number of iterations beyond 4,096 to 600,000")]
    Iterations,
    /// The server does not prove that it knows the password.
    #[error("the server does not prove that it knows the password")]
    ServerNotProven,
}

/// One exchange, from the first response to the server's proof where the mechanism has one.
#[derive(Clone)]
pub struct Client {
    mechanism: Mechanism,
    user: String,
    password: Secret,
    step: Step,
}

#[derive(Clone)]
enum Step {
    /// Nothing was said yet.
    Begin,
    /// LOGIN: the user was sent.
    UserSent,
    Scram(Box<Scram>),
    Done,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

impl Client {
    /// An exchange that has not begun. `nonce` is printable ASCII without a comma, at least 18 characters of it random;
    /// only SCRAM uses it.
    ///
    /// # Errors
    /// [`SaslError::Argument`].
    pub fn new(
        mechanism: Mechanism,
        user: &str,
        password: &Secret,
        nonce: &str,
        channel: Channel<'_>,
    ) -> Result<Self, SaslError> {
        // RFC 4616 §2: NUL separates the fields of PLAIN. No other mechanism can carry it to an account either.
        if user.contains('\0') || password.expose().contains('\0') {
            return Err(SaslError::Argument);
        }
        let step = match mechanism {
            Mechanism::ScramSha256Plus | Mechanism::ScramSha256 => {
                Step::Scram(Box::new(Scram::new(scram::Hash::Sha256, user, nonce, channel)?))
            }
            Mechanism::ScramSha1Plus | Mechanism::ScramSha1 => {
                Step::Scram(Box::new(Scram::new(scram::Hash::Sha1, user, nonce, channel)?))
            }
            _ => Step::Begin,
        };
        Ok(Self { mechanism, user: user.to_owned(), password: password.clone(), step })
    }

    /// Its mechanism.
    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// The first message of a mechanism in which the client speaks first; `None` where the server does. Where the protocol
    /// has no room for it in the command, it is the response to an empty challenge.
    pub fn initial(&mut self) -> Option<Octets> {
        match (&mut self.step, self.mechanism) {
            (Step::Begin, Mechanism::Plain) => {
                self.step = Step::Done;
                // RFC 4616 §2: authorization identity (none), NUL, user, NUL, password.
                Some(Octets::new(format!("\0{}\0{}", self.user, self.password.expose()).into_bytes()))
            }
            (Step::Scram(scram), _) => scram.first(),
            _ => None,
        }
    }

    /// The response to a challenge.
    ///
    /// # Errors
    /// [`SaslError`]; the exchange must then be given up.
    pub fn respond(&mut self, challenge: &[u8]) -> Result<Octets, SaslError> {
        if challenge.len() > MAX_CHALLENGE {
            return Err(SaslError::Challenge);
        }
        // The server asks for the first message, which did not come with the command.
        if let Some(first) = self.initial() {
            // Where nothing depends on it, words in place of an empty challenge are let pass: there are such servers.
            let may_answer = challenge.is_empty() || self.mechanism == Mechanism::Plain;
            return if may_answer { Ok(first) } else { Err(SaslError::Challenge) };
        }
        match (&mut self.step, self.mechanism) {
            (Step::Begin, Mechanism::Login) => {
                self.step = Step::UserSent;
                Ok(Octets::new(self.user.clone().into_bytes()))
            }
            (Step::UserSent, _) => {
                self.step = Step::Done;
                Ok(Octets::new(self.password.expose().as_bytes().to_vec()))
            }
            (Step::Begin, Mechanism::CramMd5) => {
                self.step = Step::Done;
                Ok(self.cram_md5(challenge))
            }
            (Step::Scram(scram), _) => scram.respond(challenge, prepared(self.password.expose()).as_bytes()),
            _ => Err(SaslError::Challenge),
        }
    }

    /// The response to a challenge in base64, in base64.
    ///
    /// # Errors
    /// As [`Client::respond`].
    pub fn respond_base64(&mut self, challenge: &[u8]) -> Result<Octets, SaslError> {
        let challenge = match STANDARD.decode(challenge.trim_ascii()) {
            Ok(challenge) => challenge,
            // Servers that ask for a password in plain words ask for it all the same.
            Err(_) if self.mechanism.sends_password() => Vec::new(),
            Err(_) => return Err(SaslError::Challenge),
        };
        Ok(base64(&self.respond(&challenge)?))
    }

    /// To be asked when the server says that we are logged in: whether the exchange is complete and, where the mechanism has
    /// it, the server has proven that it knows the password too. `last` is what came along with that, if anything did.
    ///
    /// # Errors
    /// [`SaslError::ServerNotProven`]; [`SaslError::Challenge`] for a success before all was said.
    pub fn succeed(&mut self, last: Option<&[u8]>) -> Result<(), SaslError> {
        match &mut self.step {
            Step::Done => Ok(()),
            Step::Scram(scram) => {
                if let Some(last) = last {
                    scram.respond(last, b"")?;
                }
                if scram.is_proven() { Ok(()) } else { Err(SaslError::ServerNotProven) }
            }
            Step::Begin | Step::UserSent => Err(SaslError::Challenge),
        }
    }

    // RFC 2195 §2: user, blank, HMAC-MD5 of the challenge under the password, in hexadecimal.
    fn cram_md5(&self, challenge: &[u8]) -> Octets {
        let mut response = Octets::new(format!("{} ", self.user).into_bytes());
        // HMAC takes a key of any length.
        if let Ok(mut mac) = Hmac::<md5::Md5>::new_from_slice(self.password.expose().as_bytes()) {
            mac.update(challenge);
            response.extend_from_slice(hex(&mac.finalize().into_bytes()).as_bytes());
        }
        response
    }
}

/// A password in the form that SCRAM stretches. One that SASLprep forbids is used as it is: servers whose users have such
/// passwords do the same.
// RFC 5802 §2.2, RFC 4013
fn prepared(text: &str) -> Cow<'_, str> {
    match stringprep::saslprep(text) {
        Ok(prepared) if !prepared.is_empty() => prepared,
        _ => Cow::Borrowed(text),
    }
}

/// In base64, wiped as what it stands for.
pub(crate) fn base64(octets: &[u8]) -> Octets {
    Octets::new(STANDARD.encode(octets).into_bytes())
}

pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests;
