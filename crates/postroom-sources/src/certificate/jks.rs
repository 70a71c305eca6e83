//! The keystores of Java, JKS and JCEKS: what `keytool -importcert -keystore imap.example.org.ks` made before Java 9.
//!
//! Numbers are big-endian; text is a length of two octets and modified UTF-8; octets are a length of four and themselves.
//! `magic, version, count`, then for each entry `tag, alias, date` and by its tag a private key with the chain of its
//! certificates (1), a certificate (2) or a secret key (3, JCEKS only); last the SHA-1 of the password, a phrase and all
//! that stands before.

use super::file::{MAX_CERTIFICATES, invalid};
use crate::SourceError;
use postroom_mail::Secret;
use sha1::{Digest as _, Sha1};

const JKS: u32 = 0xFEED_FEED;
const JCEKS: u32 = 0xCECE_CECE;
const PRIVATE_KEY: u32 = 1;
const CERTIFICATE: u32 = 2;
/// What is hashed between password and content.
const PHRASE: &[u8] = b"Mighty Aphrodite";
/// Length of the digest at the end.
const DIGEST: usize = 20;

/// Whether these octets begin as a keystore does.
pub(super) fn is_keystore(octets: &[u8]) -> bool {
    octets.first_chunk().is_some_and(|magic| [JKS, JCEKS].contains(&u32::from_be_bytes(*magic)))
}

/// The certificates of a keystore. Without a password its integrity is not checked, as in Java.
///
/// # Errors
/// `CERT_PASSWORD`, `CERT_INVALID`.
pub(super) fn certificates(octets: &[u8], password: Option<&Secret>) -> Result<Vec<Vec<u8>>, SourceError> {
    let broken = || invalid("a Java keystore that is cut off or damaged".into());
    let (content, digest) = octets.split_last_chunk::<DIGEST>().ok_or_else(broken)?;
    if let Some(password) = password
        && digest_of(password, content) != *digest
    {
        return Err(SourceError::CertPassword { given: true });
    }
    let mut reader = Reader(content);
    let found = reader.keystore().ok_or_else(broken)??;
    // Too many of them were not read to the end; the caller says so.
    if reader.0.is_empty() || found.len() > MAX_CERTIFICATES { Ok(found) } else { Err(broken()) }
}

fn digest_of(password: &Secret, content: &[u8]) -> [u8; DIGEST] {
    let mut hash = Sha1::new();
    for unit in password.expose().encode_utf16() {
        hash.update(unit.to_be_bytes());
    }
    hash.update(PHRASE);
    hash.update(content);
    hash.finalize().into()
}

/// What is still to be read. Nothing is taken that is not there.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn octets(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*taken))
    }

    /// Octets behind their length.
    fn block(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.octets(length)
    }

    /// Text behind its length.
    fn text(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        self.octets(u16::from_be_bytes(*length).into())
    }

    /// All certificates; `None` where the octets end too early.
    fn keystore(&mut self) -> Option<Result<Vec<Vec<u8>>, SourceError>> {
        let (_magic, version, entries) = (self.number()?, self.number()?, self.number()?);
        if !(1..=2).contains(&version) {
            return Some(Err(invalid(format!("a Java keystore of version {version}"))));
        }
        let mut found = Vec::new();
        for _ in 0..entries {
            let tag = self.number()?;
            let (_alias, _date) = (self.text()?, self.octets(8)?);
            let count = match tag {
                PRIVATE_KEY => {
                    self.block()?;
                    self.number()?
                }
                CERTIFICATE => 1,
                // A sealed Java object, whose length only Java knows.
                _ => {
                    return Some(Err(invalid(
                        "a Java keystore with secret keys in it; export its certificates".into(),
                    )));
                }
            };
            for _ in 0..count {
                let kind = if version == 2 { self.text()? } else { b"X.509" };
                let octets = self.block()?;
                if !matches!(kind, b"X.509" | b"X509") {
                    return Some(Err(invalid("a Java keystore with certificates of another kind than X.509".into())));
                }
                found.push(octets.to_vec());
                if found.len() > MAX_CERTIFICATES {
                    return Some(Ok(found));
                }
            }
        }
        Some(Ok(found))
    }
}
