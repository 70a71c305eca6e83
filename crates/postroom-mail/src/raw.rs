//! Octets exactly as fetched, and their digest.

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Digest as _;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

#[cfg(test)]
mod tests;

/// A message as its server gave it: octets, never changed, with their SHA-256.
#[derive(Clone)]
pub struct RawMessage {
    octets: Bytes,
    sha256: OnceLock<Sha256>,
}

impl RawMessage {
    /// Takes the octets of one whole message and computes their digest (about 1 ms for each MB).
    pub fn new(octets: impl Into<Bytes>) -> Self {
        let octets = octets.into();
        let sha256 = OnceLock::from(Sha256::of(&octets));
        Self { octets, sha256 }
    }

    /// The same for a message that is only read: its digest is computed when it is first asked for.
    pub fn undigested(octets: impl Into<Bytes>) -> Self {
        Self { octets: octets.into(), sha256: OnceLock::new() }
    }

    /// The octets as fetched, with the line ends they came with.
    pub fn octets(&self) -> &Bytes {
        &self.octets
    }

    /// Length in octets.
    pub fn size(&self) -> u64 {
        self.octets.len() as u64
    }

    /// SHA-256 of all octets (FIPS 180-4).
    pub fn sha256(&self) -> Sha256 {
        *self.sha256.get_or_init(|| Sha256::of(&self.octets))
    }
}

impl PartialEq for RawMessage {
    // The digest follows from the octets, whether or not it was asked for yet.
    fn eq(&self, other: &Self) -> bool {
        self.octets == other.octets
    }
}

impl Eq for RawMessage {}

impl fmt::Debug for RawMessage {
    // Mail content never reaches a log by accident: size and digest say which message it was.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawMessage({} octets, {})", self.size(), self.sha256())
    }
}

/// A SHA-256 digest (FIPS 180-4); `Display` and JSON are 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// The digest of `octets`.
    pub fn of(octets: &[u8]) -> Self {
        Self(sha2::Sha256::digest(octets).into())
    }

    /// A digest that was computed elsewhere, say while a file was streamed.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digits of all octets, two each.
    fn digits(&self) -> [u8; 64] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut digits = [0; 64];
        for (pair, octet) in digits.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&[DIGITS[usize::from(octet >> 4)], DIGITS[usize::from(octet & 15)]]);
        }
        digits
    }

    /// The 32 octets.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Digits are ASCII.
        f.write_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text was not 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 digest is 64 hexadecimal digits")]
pub struct NotADigest;

impl FromStr for Sha256 {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(NotADigest);
        }
        let mut out = [0u8; 32];
        for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
            let high = (pair[0] as char).to_digit(16).ok_or(NotADigest)?;
            let low = (pair[1] as char).to_digit(16).ok_or(NotADigest)?;
            *byte = (high * 16 + low) as u8;
        }
        Ok(Self(out))
    }
}

impl TryFrom<&[u8]> for Sha256 {
    type Error = NotADigest;

    fn try_from(bytes: &[u8]) -> Result<Self, NotADigest> {
        bytes.try_into().map(Self).map_err(|_| NotADigest)
    }
}

impl Serialize for Sha256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Digits are ASCII.
        serializer.serialize_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
