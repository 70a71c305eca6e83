//! SCRAM: both sides prove that they know the password, and neither sends it.

use super::{Channel, MAX_ITERATIONS, MIN_ITERATIONS, Octets, SaslError, prepared};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Digest as _;
use zeroize::Zeroizing;

/// The hash function of a SCRAM mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
}

/// One exchange.
#[derive(Clone)]
pub(super) struct Scram {
    hash: Hash,
    nonce: String,
    /// The header that says what the exchange is bound to, and what it is bound to.
    gs2: String,
    binding: Vec<u8>,
    first_bare: String,
    state: State,
}

#[derive(Clone)]
enum State {
    Begin,
    FirstSent,
    /// This is what the server has to prove with.
    FinalSent(Vec<u8>),
    Proven,
    Failed,
}

impl Scram {
    // RFC 5802 §5 and §7
    pub(super) fn new(hash: Hash, user: &str, nonce: &str, channel: Channel<'_>) -> Result<Self, SaslError> {
        let is_printable = |b: u8| (b'!'..=b'~').contains(&b) && b != b',';
        if nonce.is_empty() || !nonce.bytes().all(is_printable) {
            return Err(SaslError::Argument);
        }
        let (gs2, binding) = match channel {
            Channel::None => ("n,,".to_owned(), Vec::new()),
            Channel::NotOffered => ("y,,".to_owned(), Vec::new()),
            Channel::Bound(binding) => (format!("p={},,", binding.name), binding.data.clone()),
        };
        let user = prepared(user).replace('=', "=3D").replace(',', "=2C");
        let first_bare = format!("n={user},r={nonce}");
        Ok(Self { hash, nonce: nonce.to_owned(), gs2, binding, first_bare, state: State::Begin })
    }

    /// The client's first message, once.
    pub(super) fn first(&mut self) -> Option<Octets> {
        if !matches!(self.state, State::Begin) {
            return None;
        }
        self.state = State::FirstSent;
        Some(Octets::new(format!("{}{}", self.gs2, self.first_bare).into_bytes()))
    }

    /// The answer to the server's first or final message.
    pub(super) fn respond(&mut self, message: &[u8], password: &[u8]) -> Result<Octets, SaslError> {
        match std::mem::replace(&mut self.state, State::Failed) {
            State::FirstSent => {
                let (answer, proof) = self.last(message, password)?;
                self.state = State::FinalSent(proof);
                Ok(answer)
            }
            State::FinalSent(expected) => {
                let text = std::str::from_utf8(message).map_err(|_| SaslError::Challenge)?;
                let shown = text.split(',').next().and_then(|first| first.strip_prefix("v="));
                let shown = shown.and_then(|text| STANDARD.decode(text).ok()).ok_or(SaslError::ServerNotProven)?;
                if !equal(&shown, &expected) {
                    return Err(SaslError::ServerNotProven);
                }
                self.state = State::Proven;
                Ok(Octets::default())
            }
            _ => Err(SaslError::Challenge),
        }
    }

    pub(super) fn is_proven(&self) -> bool {
        matches!(self.state, State::Proven)
    }

    /// The client's final message, and what the server must prove with.
    // RFC 5802 §3
    fn last(&self, server_first: &[u8], password: &[u8]) -> Result<(Octets, Vec<u8>), SaslError> {
        let server_first = std::str::from_utf8(server_first).map_err(|_| SaslError::Challenge)?;
        let ServerFirst { nonce, salt, iterations } = ServerFirst::read(server_first, &self.nonce)?;
        let bound = STANDARD.encode([self.gs2.as_bytes(), &self.binding].concat());
        let without_proof = format!("c={bound},r={nonce}");
        let auth_message = format!("{},{server_first},{without_proof}", self.first_bare);

        let salted = Zeroizing::new(self.hash.stretch(password, &salt, iterations));
        let client_key = Zeroizing::new(self.hash.mac(&salted, b"Client Key"));
        let stored_key = self.hash.digest(&client_key);
        let signature = self.hash.mac(&stored_key, auth_message.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(&signature).map(|(key, signature)| key ^ signature).collect();
        let server_key = self.hash.mac(&salted, b"Server Key");
        let expected = self.hash.mac(&server_key, auth_message.as_bytes());
        Ok((Octets::new(format!("{without_proof},p={}", STANDARD.encode(proof)).into_bytes()), expected))
    }
}

/// The server's first message.
struct ServerFirst<'a> {
    nonce: &'a str,
    salt: Vec<u8>,
    iterations: u32,
}

impl<'a> ServerFirst<'a> {
    // RFC 5802 §5.1: an `m=` in front is an extension that must be understood, and there is none.
    fn read(text: &'a str, ours: &str) -> Result<Self, SaslError> {
        let mut fields = text.split(',');
        let mut field = |name| fields.next().and_then(|field| field.strip_prefix(name)).ok_or(SaslError::Challenge);
        let (nonce, salt, iterations) = (field("r=")?, field("s=")?, field("i=")?);
        // The server adds to our nonce; the same one back proves nothing.
        if !nonce.starts_with(ours) || nonce.len() == ours.len() {
            return Err(SaslError::Challenge);
        }
        let salt = STANDARD.decode(salt).map_err(|_| SaslError::Challenge)?;
        if salt.is_empty() || iterations.is_empty() || !iterations.bytes().all(|b| b.is_ascii_digit()) {
            return Err(SaslError::Challenge);
        }
        let iterations = iterations.parse().ok().filter(|count| (MIN_ITERATIONS..=MAX_ITERATIONS).contains(count));
        Ok(Self { nonce, salt, iterations: iterations.ok_or(SaslError::Iterations)? })
    }
}

impl Hash {
    fn digest(self, octets: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => sha1::Sha1::digest(octets).to_vec(),
            Self::Sha256 => sha2::Sha256::digest(octets).to_vec(),
        }
    }

    fn mac(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        macro_rules! mac {
            ($hash:ty) => {
                // HMAC takes a key of any length.
                Hmac::<$hash>::new_from_slice(key).map_or_else(
                    |_| Vec::new(),
                    |mut mac| {
                        mac.update(message);
                        mac.finalize().into_bytes().to_vec()
                    },
                )
            };
        }
        match self {
            Self::Sha1 => mac!(sha1::Sha1),
            Self::Sha256 => mac!(sha2::Sha256),
        }
    }

    /// `Hi` of the RFC: PBKDF2 with a result of one block.
    // RFC 5802 §2.2
    fn stretch(self, password: &[u8], salt: &[u8], iterations: u32) -> Vec<u8> {
        macro_rules! stretch {
            ($hash:ty) => {{
                let Ok(keyed) = Hmac::<$hash>::new_from_slice(password) else { return Vec::new() };
                let mut mac = keyed.clone();
                mac.update(salt);
                mac.update(&1_u32.to_be_bytes());
                let mut round = mac.finalize().into_bytes();
                let mut result = round;
                for _ in 1..iterations {
                    let mut mac = keyed.clone();
                    mac.update(&round);
                    round = mac.finalize().into_bytes();
                    result.iter_mut().zip(&round).for_each(|(sum, octet)| *sum ^= octet);
                }
                result.to_vec()
            }};
        }
        match self {
            Self::Sha1 => stretch!(sha1::Sha1),
            Self::Sha256 => stretch!(sha2::Sha256),
        }
    }
}

/// Compares in a time that does not depend on where two proofs differ.
fn equal(one: &[u8], two: &[u8]) -> bool {
    one.len() == two.len() && one.iter().zip(two).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}
