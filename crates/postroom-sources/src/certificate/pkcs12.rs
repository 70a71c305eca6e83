//! PKCS #12, which is also what newer Java makes of a keystore whatever its name ends in.
// RFC 7292

use super::file::{MAX_CERTIFICATES, invalid};
use crate::SourceError;
use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error;
use postroom_mail::Secret;

/// The certificates of a PKCS #12 file, trusted ones and those of keys alike; `None` where it is none.
///
/// # Errors
/// `CERT_PASSWORD`, `CERT_INVALID`.
pub(super) fn certificates(octets: &[u8], password: Option<&Secret>) -> Result<Option<Vec<Vec<u8>>>, SourceError> {
    if !is_pkcs12(octets) {
        return Ok(None);
    }
    let given = password.is_some();
    let password = password.map_or("", Secret::expose);
    // The library limits the rounds of key derivation. It is not ours, so a panic in it ends the reading of this file alone.
    let read = std::panic::catch_unwind(|| Pkcs12Archive::from_pkcs12(octets, password));
    let archive = match read.map_err(|_| invalid("its PKCS #12 structure is broken".into()))? {
        Ok(archive) => archive,
        // A wrong password shows itself in the check sum, or in padding where there is none.
        Err(Error::MacError(_) | Error::UnpadError | Error::Pkcs5Error(_)) => {
            return Err(SourceError::CertPassword { given });
        }
        Err(error) => return Err(invalid(format!("PKCS #12: {error}"))),
    };
    Ok(Some(archive.certs.iter().take(MAX_CERTIFICATES + 1).map(|bag| bag.cert.as_der().to_vec()).collect()))
}

/// A SEQUENCE that begins with the INTEGER 3, its version.
// RFC 7292 §4
fn is_pkcs12(octets: &[u8]) -> bool {
    let content = match octets {
        [0x30, length, rest @ ..] if *length < 0x80 => rest,
        [0x30, length, rest @ ..] => rest.get(usize::from(length & 0x7f)..).unwrap_or_default(),
        _ => return false,
    };
    content.starts_with(&[0x02, 0x01, 0x03])
}
