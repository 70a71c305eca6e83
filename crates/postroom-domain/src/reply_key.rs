//! Signed reply keys: what shows, in a Message-ID or a recipient's address, that a message answers one of our items.
//!
//! A key names an item and cannot be made by others. It says nothing about rights: who may comment is asked as for any
//! other message. A key is also bound to the address that it was given to, so that it proves who is writing only when
//! that one uses it; in anybody else's hands it just names the item.
//!
//! ```text
//! i.ITEM.SALT.MAC@HOST          as a Message-ID; SALT is 10 random octets and the mark of the addressee
//! LOCAL+r.ITEM.MARKMAC@DOMAIN   as an address
//! ```
//!
//! MAC is HMAC-SHA-256 (RFC 2104) over the installation, the purpose, the item and the salt, cut to 128 bits (RFC 2104
//! §5); the mark is one of 40 bits over the same and the addressee. Octets are written in the letters and figures of
//! base32 (RFC 4648 §6), which survive systems that do not keep the case of a local part.

use hmac::{Hmac, KeyInit as _, Mac as _};
use std::fmt;

type Keyed = Hmac<sha2::Sha256>;

/// Octets of a signing key.
pub const KEY_LEN: usize = 32;
/// Octets of a MAC.
const MAC_LEN: usize = 16;
/// Octets of the mark of an addressee.
const MARK_LEN: usize = 5;
/// Random octets of a Message-ID.
pub const NONCE_LEN: usize = 10;
/// Longest local part of an address (RFC 5321 §4.5.3.1.1).
const LOCAL_MAX: usize = 64;

/// The signing keys of an installation.
pub struct ReplyKeys {
    installation: Vec<u8>,
    /// The newest first: that one signs, all of them are recognised.
    keys: Vec<Keyed>,
}

impl fmt::Debug for ReplyKeys {
    // Keys do not print.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReplyKeys({})", self.keys.len())
    }
}

/// Where a key stands; one does not pass for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    MessageId,
    Address,
}

/// What claims to be one of our keys; nothing was verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyClaim {
    /// The item that it names.
    pub item: i64,
    purpose: Purpose,
    nonce: Vec<u8>,
    mark: [u8; MARK_LEN],
    mac: [u8; MAC_LEN],
}

impl KeyClaim {
    /// The claim in a Message-ID without angle brackets, if it has the form of ours. Its host says nothing.
    pub fn of_message_id(id: &str) -> Option<Self> {
        let (left, _) = id.split_once('@')?;
        let rest = left.strip_prefix("i.").or_else(|| left.strip_prefix("I."))?;
        let mut pieces = rest.split('.');
        let (item, salt, mac) = (pieces.next()?, pieces.next()?, pieces.next()?);
        if pieces.next().is_some() {
            return None;
        }
        let salt: [u8; NONCE_LEN + MARK_LEN] = decoded(salt)?;
        let (nonce, mark) = salt.split_at(NONCE_LEN);
        Some(Self {
            item: item_number(item)?,
            purpose: Purpose::MessageId,
            nonce: nonce.to_vec(),
            mark: mark.try_into().ok()?,
            mac: decoded(mac)?,
        })
    }

    /// The claim in an addr-spec, if it has the form of ours. Whose domain it is at says nothing.
    pub fn of_address(addr_spec: &str) -> Option<Self> {
        let (local, _) = addr_spec.rsplit_once('@')?;
        let (_, tag) = local.rsplit_once('+')?;
        let rest = tag.strip_prefix("r.").or_else(|| tag.strip_prefix("R."))?;
        let (item, sealed) = rest.split_once('.')?;
        let sealed: [u8; MARK_LEN + MAC_LEN] = decoded(sealed)?;
        let (mark, mac) = sealed.split_at(MARK_LEN);
        Some(Self {
            item: item_number(item)?,
            purpose: Purpose::Address,
            nonce: Vec::new(),
            mark: mark.try_into().ok()?,
            mac: mac.try_into().ok()?,
        })
    }
}

impl ReplyKeys {
    /// The keys of this installation, the newest first.
    pub fn new<'a>(installation: &[u8], keys: impl IntoIterator<Item = &'a [u8; KEY_LEN]>) -> Self {
        // HMAC takes keys of every length, so none is left out.
        let keys = keys.into_iter().filter_map(|key| Keyed::new_from_slice(key).ok());
        Self { installation: installation.to_vec(), keys: keys.collect() }
    }

    /// A Message-ID, without angle brackets, that names `item` and is given to `addressee` (a canonical address). `None`
    /// if there is no key to sign with.
    pub fn message_id(&self, item: i64, addressee: &str, nonce: [u8; NONCE_LEN], host: &str) -> Option<String> {
        let claim = self.signed(item, Purpose::MessageId, nonce.to_vec(), addressee)?;
        let salt = encoded(&[claim.nonce.as_slice(), &claim.mark].concat());
        Some(format!("i.{item}.{salt}.{}@{host}", encoded(&claim.mac)))
    }

    /// The plus-address of `mailbox` (a canonical address) that names `item` and is given to `addressee`. `None` if there
    /// is no key to sign with, or if its local part would be longer than 64 octets.
    pub fn address(&self, item: i64, addressee: &str, mailbox: &str) -> Option<String> {
        let claim = self.signed(item, Purpose::Address, Vec::new(), addressee)?;
        let (local, domain) = mailbox.rsplit_once('@')?;
        let sealed = encoded(&[claim.mark.as_slice(), &claim.mac].concat());
        let local = format!("{local}+r.{item}.{sealed}");
        (local.len() <= LOCAL_MAX).then(|| format!("{local}@{domain}"))
    }

    fn signed(&self, item: i64, purpose: Purpose, nonce: Vec<u8>, addressee: &str) -> Option<KeyClaim> {
        let key = self.keys.first()?;
        let mut claim = KeyClaim { item, purpose, nonce, mark: [0; MARK_LEN], mac: [0; MAC_LEN] };
        claim.mark = cut(&self.marking(key, &claim, addressee).finalize().into_bytes());
        claim.mac = cut(&self.signing(key, &claim).finalize().into_bytes());
        Some(claim)
    }

    /// The claim as a proof, if one of our keys signed it. Takes the same time however much of it is right.
    pub fn verify<'k>(&'k self, claim: &'k KeyClaim) -> Option<Verified<'k>> {
        let key = self.keys.iter().find(|key| self.signing(key, claim).verify_truncated_left(&claim.mac).is_ok())?;
        Some(Verified { keys: self, key, claim })
    }

    fn signing(&self, key: &Keyed, claim: &KeyClaim) -> Keyed {
        let mut mac = self.begun(key, b"postroom reply key", claim);
        mac.update(&claim.mark);
        mac
    }

    fn marking(&self, key: &Keyed, claim: &KeyClaim, addressee: &str) -> Keyed {
        let mut mac = self.begun(key, b"postroom addressee", claim);
        mac.update(addressee.as_bytes());
        mac
    }

    /// What both have in common. Every piece has a length of its own or is preceded by it, so that no two inputs are alike.
    fn begun(&self, key: &Keyed, what: &[u8], claim: &KeyClaim) -> Keyed {
        let mut mac = key.clone();
        for piece in [what, self.installation.as_slice(), claim.nonce.as_slice()] {
            mac.update(&(piece.len() as u64).to_be_bytes());
            mac.update(piece);
        }
        mac.update(&[claim.purpose as u8]);
        mac.update(&claim.item.to_be_bytes());
        mac
    }
}

/// A claim that one of our keys signed.
#[derive(Debug, Clone, Copy)]
pub struct Verified<'k> {
    keys: &'k ReplyKeys,
    key: &'k Keyed,
    claim: &'k KeyClaim,
}

impl Verified<'_> {
    /// Whether it was given to this canonical address.
    pub fn was_given_to(&self, address: &str) -> bool {
        self.keys.marking(self.key, self.claim, address).verify_truncated_left(&self.claim.mark).is_ok()
    }
}

fn cut<const N: usize>(mac: &[u8]) -> [u8; N] {
    std::array::from_fn(|at| mac.get(at).copied().unwrap_or_default())
}

/// An item's number as we write it: digits without a sign or a leading zero.
fn item_number(text: &str) -> Option<i64> {
    let digits = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| digits)
}

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Base32 in lower case without padding (RFC 4648 §6).
fn encoded(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len().div_ceil(5) * 8);
    let (mut bits, mut held) = (0u32, 0u32);
    for octet in octets {
        bits = (bits << 8) | u32::from(*octet);
        held += 8;
        while held >= 5 {
            held -= 5;
            text.push(char::from(ALPHABET[(bits >> held) as usize & 31]));
        }
        bits &= (1 << held) - 1;
    }
    if held > 0 {
        text.push(char::from(ALPHABET[(bits << (5 - held)) as usize & 31]));
    }
    text
}

/// The octets of a text in base32 of either case, if it has exactly these, in the one form that they have.
fn decoded<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != (N * 8).div_ceil(5) {
        return None;
    }
    let mut octets = [0; N];
    let (mut bits, mut held, mut at) = (0u32, 0u32, 0);
    for letter in text.bytes() {
        let value = ALPHABET.iter().position(|known| *known == letter.to_ascii_lowercase())?;
        bits = (bits << 5) | value as u32;
        held += 5;
        if held >= 8 {
            held -= 8;
            *octets.get_mut(at)? = (bits >> held) as u8;
            at += 1;
        }
        bits &= (1 << held) - 1;
    }
    (bits == 0 && at == N).then_some(octets)
}

#[cfg(test)]
mod tests;
