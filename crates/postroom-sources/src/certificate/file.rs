//! The files that certificates come in: PEM, DER, PKCS #12 and the keystores of Java.

use super::{CertificateInfo, jks, parse_der, pkcs12};
use crate::SourceError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postroom_mail::Secret;

/// Largest certificate file that is read, in octets.
const MAX_FILE: usize = 1 << 20;
/// Most certificates of one file.
pub(super) const MAX_CERTIFICATES: usize = 500;

/// All certificates of a file, each once, in its order: PEM with whatever stands around its blocks, DER, PKCS #12, or a
/// Java keystore (JKS, JCEKS). What it is, its first octets tell. Keys in it are passed over.
///
/// `password` opens a PKCS #12 file and checks the integrity of a Java keystore, whose certificates are not encrypted.
///
/// # Errors
/// `CERT_INVALID` when there is none in it or one of them cannot be read; `CERT_PASSWORD`.
pub fn parse_file(octets: &[u8], password: Option<&Secret>) -> Result<Vec<CertificateInfo>, SourceError> {
    if octets.len() > MAX_FILE {
        return Err(invalid(format!("more than {MAX_FILE} octets")));
    }
    let ders = if jks::is_keystore(octets) {
        jks::certificates(octets, password)?
    } else if contains(octets, BEGIN.as_bytes()) {
        pem_blocks(&String::from_utf8_lossy(octets))?
    } else {
        // Both are a SEQUENCE; what comes first in it differs.
        match parse_der(octets) {
            Ok(certificate) => return Ok(vec![certificate]),
            Err(error) => pkcs12::certificates(octets, password)?.ok_or(error)?,
        }
    };
    if ders.is_empty() {
        return Err(invalid("no certificate in it".into()));
    }
    if ders.len() > MAX_CERTIFICATES {
        return Err(invalid(format!("more than {MAX_CERTIFICATES} certificates")));
    }
    let mut found: Vec<CertificateInfo> = Vec::with_capacity(ders.len());
    for der in ders {
        let certificate = parse_der(&der)?;
        if !found.iter().any(|known| known.fingerprint == certificate.fingerprint) {
            found.push(certificate);
        }
    }
    Ok(found)
}

pub(super) fn invalid(detail: String) -> SourceError {
    SourceError::CertInvalid { detail }
}

fn contains(octets: &[u8], wanted: &[u8]) -> bool {
    octets.windows(wanted.len()).any(|window| window == wanted)
}

const BEGIN: &str = "-----BEGIN ";
/// Labels of a certificate; the others are what older programs write.
// RFC 7468 §5.1
const LABELS: [&str; 3] = ["CERTIFICATE-----", "X509 CERTIFICATE-----", "TRUSTED CERTIFICATE-----"];

/// The decoded CERTIFICATE blocks; other blocks, keys say, are passed over.
// RFC 7468 §2, §5.1
fn pem_blocks(text: &str) -> Result<Vec<Vec<u8>>, SourceError> {
    text.split(BEGIN)
        .skip(1)
        .filter_map(|block| LABELS.iter().find_map(|label| Some((*label, block.strip_prefix(label)?))))
        .map(|(label, block)| {
            let (body, _) = block
                .split_once(&format!("-----END {label}"))
                .ok_or_else(|| invalid("a CERTIFICATE block without end".into()))?;
            let packed: String = body.split_whitespace().collect();
            let der = STANDARD.decode(packed).map_err(|_| invalid("a CERTIFICATE block is not base64".into()))?;
            Ok(if label == LABELS[2] { without_trust(der) } else { der })
        })
        .collect()
}

/// A TRUSTED CERTIFICATE of OpenSSL has its own notes behind the certificate.
fn without_trust(mut der: Vec<u8>) -> Vec<u8> {
    // X.690 §8.1.3: the length of the outermost SEQUENCE, in its long form with two octets.
    if let [0x30, 0x82, high, low, ..] = der[..] {
        der.truncate(4 + usize::from(u16::from_be_bytes([high, low])));
    }
    der
}

/// A certificate in PEM form.
// RFC 7468 §2
pub(super) fn pem(der: &[u8]) -> String {
    let packed = STANDARD.encode(der);
    let lines: Vec<&str> = (0..packed.len()).step_by(64).map(|at| &packed[at..packed.len().min(at + 64)]).collect();
    format!("{BEGIN}CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}
