//! Whom one mailbox trusts to be its server. There is no trust for the whole process: each mailbox has its own verifier.

use crate::SourceError;
use crate::certificate::{self, CertificateInfo};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What this mailbox trusts besides the system's certificate authorities, and whether its server is known to have TLS.
///
/// A certificate equal to the server's own is a pin: then name and issuer do not matter, while its dates and the proof
/// that the server has its key still do. Any other certificate that is marked as an authority may sign the server's.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    certificates: Vec<Vec<u8>>,
    tls_seen: bool,
}

impl Trust {
    /// Trusts these certificates, each in DER form, for this mailbox alone.
    pub fn new(certificates: Vec<Vec<u8>>) -> Self {
        Self { certificates, tls_seen: false }
    }

    /// Says that TLS was seen on this mailbox before, so that `starttls-if-available` must not fall back to clear text.
    #[must_use]
    pub fn tls_seen(mut self, seen: bool) -> Self {
        self.tls_seen = seen;
        self
    }

    /// Whether TLS was seen on this mailbox before.
    pub fn is_tls_seen(&self) -> bool {
        self.tls_seen
    }

    /// The rustls configuration for one connection, and where the server's certificate will be found afterwards.
    pub(crate) fn client_config(&self) -> Result<(Arc<ClientConfig>, Arc<Verifier>), SourceError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = Arc::new(Verifier::new(&self.certificates, provider.clone()));
        let config = ClientConfig::builder_with_provider(provider)
            // RFC 8996: nothing older than TLS 1.2.
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|error| SourceError::TlsFailed { host: String::new(), detail: error.to_string() })?
            .dangerous()
            .with_custom_certificate_verifier(verifier.clone())
            .with_no_client_auth();
        Ok((Arc::new(config), verifier))
    }

    /// Turns a failed handshake into an error that names the cause, given the certificate that was shown.
    pub(crate) fn explain(&self, host: &str, error: &std::io::Error, shown: Option<Vec<u8>>) -> SourceError {
        let host = host.to_owned();
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let Some(rustls::Error::InvalidCertificate(cause)) = tls else {
            return SourceError::TlsFailed { host, detail: tls.map_or_else(|| error.to_string(), ToString::to_string) };
        };
        let certificate = shown.and_then(|der| certificate::parse_der(&der).ok()).map(Box::new);
        match cause {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                SourceError::CertNameMismatch { host, certificate }
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                SourceError::CertExpired { host, certificate }
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                SourceError::CertNotYetValid { host, certificate }
            }
            other => match (self.pins(&host), certificate) {
                (Some(expected), Some(certificate)) => {
                    let found = certificate.fingerprint.to_string();
                    SourceError::CertChanged { host, expected, found, certificate: Some(certificate) }
                }
                (_, certificate) => SourceError::CertUntrusted { host, reason: reason(other), certificate },
            },
        }
    }

    /// Fingerprints of the certificates that look like pins of this host: they bear its name, or are no authorities.
    fn pins(&self, host: &str) -> Option<String> {
        let looks_like_pin = |c: &CertificateInfo| !c.ca || c.names.iter().any(|name| name.eq_ignore_ascii_case(host));
        let pins: Vec<String> = self
            .certificates
            .iter()
            .filter_map(|der| certificate::parse_der(der).ok())
            .filter(looks_like_pin)
            .map(|c| c.fingerprint.to_string())
            .collect();
        (!pins.is_empty()).then(|| pins.join(", "))
    }
}

fn reason(cause: &CertificateError) -> String {
    match cause {
        CertificateError::UnknownIssuer => "no trusted authority signed it".into(),
        CertificateError::BadSignature => "its signature is wrong".into(),
        CertificateError::Revoked => "it was revoked".into(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it is not meant for a server".into()
        }
        // webpki has no name of its own in rustls for an authority's certificate that a server shows as its own, which is
        // what `openssl req -x509` makes and many servers in-house have.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "it is an authority's own, shown as a server's; trust this very certificate for this mailbox".into()
        }
        other => other.to_string(),
    }
}

/// The verifier of one connection.
#[derive(Debug)]
pub(crate) struct Verifier {
    pins: Vec<Vec<u8>>,
    /// `None` where there is no authority at all, neither the system's nor the mailbox's.
    authorities: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
    shown: Mutex<Option<Vec<u8>>>,
}

/// The system's authorities, read once: they are the same for every mailbox.
fn system_authorities() -> &'static RootCertStore {
    static STORE: OnceLock<RootCertStore> = OnceLock::new();
    STORE.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        if found.certs.is_empty() {
            tracing::warn!(errors = found.errors.len(), "no system certificate authorities were found");
        }
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(found.certs);
        store
    })
}

impl Verifier {
    fn new(certificates: &[Vec<u8>], provider: Arc<CryptoProvider>) -> Self {
        let mut store = system_authorities().clone();
        for der in certificates {
            // webpki takes any anchor for an authority, so only what is marked as one becomes an anchor. One that
            // webpki cannot read is still good as a pin.
            if certificate::parse_der(der).is_ok_and(|c| c.ca) {
                let _unreadable = store.add(CertificateDer::from(der.clone()));
            }
        }
        let authorities = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider.clone()).build().ok();
        Self { pins: certificates.to_vec(), authorities, provider, shown: Mutex::new(None) }
    }

    /// The certificate that the server showed, in DER form.
    pub(crate) fn shown(&self) -> Option<Vec<u8>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A pin is trusted by itself, so nothing but its dates is left to check here.
fn check_dates(leaf: &CertificateDer<'_>, now: UnixTime) -> Result<(), rustls::Error> {
    let info =
        certificate::parse_der(leaf).map_err(|_| rustls::Error::InvalidCertificate(CertificateError::BadEncoding))?;
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if now < info.not_before.as_second() {
        return Err(rustls::Error::InvalidCertificate(CertificateError::NotValidYet));
    }
    if now > info.not_after.as_second() {
        return Err(rustls::Error::InvalidCertificate(CertificateError::Expired));
    }
    Ok(())
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(leaf.to_vec());
        if self.pins.iter().any(|pin| pin.as_slice() == leaf.as_ref()) {
            return check_dates(leaf, now).map(|()| ServerCertVerified::assertion());
        }
        match &self.authorities {
            Some(authorities) => authorities.verify_server_cert(leaf, intermediates, name, ocsp, now),
            None => Err(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)),
        }
    }

    // That the server has the key of its certificate is proven by these two, for pins as for all others.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, leaf, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, leaf, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
