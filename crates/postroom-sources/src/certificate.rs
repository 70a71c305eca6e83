//! Certificates as people see them, and the files that they come in.

mod file;
mod jks;
mod key;
mod pkcs12;

use crate::SourceError;
use postroom_mail::Sha256;
use serde::{Serialize, Serializer};
use sha2::Digest as _;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

pub use file::parse_file;
pub(crate) use key::weakness;

/// An X.509 certificate and what it says of itself (RFC 5280 §4.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CertificateInfo {
    /// The certificate itself.
    #[serde(skip)]
    pub der: Vec<u8>,
    /// SHA-256 of the DER form; in JSON 64 hexadecimal digits.
    #[serde(rename = "sha256", serialize_with = "as_text")]
    pub fingerprint: Sha256,
    /// Whose it is.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// Host names and addresses of the subjectAltName extension.
    pub names: Vec<String>,
    /// First instant at which it is valid.
    pub not_before: jiff::Timestamp,
    /// Last instant at which it is valid.
    pub not_after: jiff::Timestamp,
    /// Whether it may sign other certificates.
    pub ca: bool,
    /// Its public key: algorithm and length in bits, such as `RSA 2048` or `EC 256`.
    pub key: String,
}

fn as_text<S: Serializer>(digest: &Sha256, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(digest)
}

/// Reads one certificate in DER form.
///
/// # Errors
/// `CERT_INVALID`.
pub fn parse_der(der: &[u8]) -> Result<CertificateInfo, SourceError> {
    let invalid = |detail: &str| SourceError::CertInvalid { detail: detail.into() };
    let (rest, parsed) =
        X509Certificate::from_der(der).map_err(|_| invalid("neither an X.509 certificate nor a keystore"))?;
    if !rest.is_empty() {
        return Err(invalid("there are octets behind the certificate"));
    }
    let instant = |seconds| jiff::Timestamp::from_second(seconds).map_err(|_| invalid("its dates are out of range"));
    let names = match parsed.subject_alternative_name() {
        Ok(Some(extension)) => extension.value.general_names.iter().filter_map(name).collect(),
        _ => Vec::new(),
    };
    Ok(CertificateInfo {
        der: der.to_vec(),
        fingerprint: Sha256::of(der),
        subject: clean(&parsed.subject().to_string()),
        issuer: clean(&parsed.issuer().to_string()),
        names,
        not_before: instant(parsed.validity().not_before.timestamp())?,
        not_after: instant(parsed.validity().not_after.timestamp())?,
        ca: parsed.is_ca(),
        key: key::words(parsed.public_key()),
    })
}

/// Those of a chain that can be read, in its order.
pub(crate) fn parse_chain(ders: &[Vec<u8>]) -> Vec<CertificateInfo> {
    ders.iter().filter_map(|der| parse_der(der).ok()).collect()
}

/// The `tls-server-end-point` of a connection whose server shows this certificate: its digest under the hash function of
/// its own signature, SHA-256 in place of those that are too weak. `None` where the signature names none.
// RFC 5929 §4.1; the object identifiers of RFC 8017 and RFC 5758
pub(crate) fn end_point(der: &[u8]) -> Option<Vec<u8>> {
    let (_, parsed) = X509Certificate::from_der(der).ok()?;
    Some(match parsed.signature_algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.4" | "1.2.840.113549.1.1.5" | "1.2.840.113549.1.1.11" => sha2::Sha256::digest(der).to_vec(),
        "1.2.840.10045.4.1" | "1.2.840.10045.4.3.2" => sha2::Sha256::digest(der).to_vec(),
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => sha2::Sha384::digest(der).to_vec(),
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => sha2::Sha512::digest(der).to_vec(),
        _ => return None,
    })
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(dns) => Some(clean(dns)),
        GeneralName::IPAddress(octets) => {
            let v4 = <[u8; 4]>::try_from(*octets).map(std::net::IpAddr::from);
            let v6 = <[u8; 16]>::try_from(*octets).map(std::net::IpAddr::from);
            v4.or(v6).ok().map(|address| address.to_string())
        }
        _ => None,
    }
}

/// A certificate is somebody else's text: no control characters, and not longer than a line.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).take(300).collect()
}

impl CertificateInfo {
    /// One line for people: subject, issuer, dates and SHA-256.
    pub fn describe(&self) -> String {
        format!(
            "subject {}, issuer {}, valid {} to {}, SHA-256 {}",
            self.subject, self.issuer, self.not_before, self.not_after, self.fingerprint
        )
    }

    /// Whether it names itself as the one who signed it.
    pub fn is_self_signed(&self) -> bool {
        self.subject == self.issuer
    }

    /// It in PEM form (RFC 7468), with a line end behind.
    pub fn pem(&self) -> String {
        file::pem(&self.der)
    }
}

#[cfg(test)]
mod tests;
