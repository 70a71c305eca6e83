//! What kind of key a certificate has, and whether anybody could break it.

use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// Shortest RSA key that is accepted, in bits.
// NIST SP 800-131A rev. 2, table 2
const RSA_MIN: usize = 2048;
/// Shortest elliptic curve key that is accepted, in bits.
const EC_MIN: usize = 256;

/// The object identifier of Ed25519 keys.
// RFC 8410 §3
const ED25519: &str = "1.3.101.112";

/// Algorithm and length.
pub(super) fn words(key: &SubjectPublicKeyInfo<'_>) -> String {
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => format!("RSA {}", rsa.key_size()),
        // The coordinates of P-521 take 66 octets.
        Ok(PublicKey::EC(point)) => format!("EC {}", if point.key_size() == 528 { 521 } else { point.key_size() }),
        Ok(PublicKey::DSA(_)) => "DSA".to_owned(),
        _ if key.algorithm.algorithm.to_id_string() == ED25519 => "Ed25519".to_owned(),
        _ => format!("of algorithm {}", key.algorithm.algorithm.to_id_string()),
    }
}

/// The key of this certificate in words, if it is too weak to prove anything.
pub(crate) fn weakness(der: &[u8]) -> Option<String> {
    let (_, parsed) = X509Certificate::from_der(der).ok()?;
    let key = parsed.public_key();
    let is_weak = match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => rsa.key_size() < RSA_MIN,
        Ok(PublicKey::EC(point)) => point.key_size() < EC_MIN,
        Ok(PublicKey::DSA(_)) => true,
        _ => false,
    };
    is_weak.then(|| words(key))
}
