//! Whom one mailbox trusts to be its server. There is no trust for the whole process: each mailbox has its own verifier.

use crate::SourceError;
use crate::certificate::{self, CertificateInfo};
use crate::error::{Cause, CertificateRefused, Distrust};
use crate::login::Binding;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What this mailbox trusts besides the system's certificate authorities, and what is known of its server: whether it has TLS, and
/// takes logins that are bound to it.
///
/// A certificate equal to the server's own is a pin: then name and issuer do not matter, while its dates and the proof
/// that the server has its key still do. Any other certificate that is marked as an authority may sign the server's.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    certificates: Vec<Vec<u8>>,
    tls_seen: bool,
    binding: Binding,
}

impl Trust {
    /// Trusts these certificates, each in DER form, for this mailbox alone.
    pub fn new(certificates: Vec<Vec<u8>>) -> Self {
        Self { certificates, tls_seen: false, binding: Binding::Unknown }
    }

    /// Says that TLS was seen on this host before, so that `starttls-if-available` must not fall back to clear text.
    #[must_use]
    pub fn tls_seen(mut self, seen: bool) -> Self {
        self.tls_seen = seen;
        self
    }

    /// Whether TLS was seen on this host before.
    pub fn is_tls_seen(&self) -> bool {
        self.tls_seen
    }

    /// Says what is known of bound logins on this server.
    #[must_use]
    pub fn binding(mut self, known: Binding) -> Self {
        self.binding = known;
        self
    }

    /// What is known of bound logins on this server.
    pub(crate) fn known_binding(&self) -> Binding {
        self.binding
    }

    /// The rustls configuration for one connection, and where the server's certificate will be found afterwards.
    pub(crate) fn client_config(&self) -> Result<(Arc<ClientConfig>, Arc<Verifier>), SourceError> {
        let verifier = Arc::new(Verifier::new(&self.certificates));
        let mut config = ClientConfig::builder_with_provider(provider())
            // RFC 8996: nothing older than TLS 1.2.
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|error| SourceError::TlsFailed { host: String::new(), detail: error.to_string() })?
            .dangerous()
            .with_custom_certificate_verifier(verifier.clone())
            .with_no_client_auth();
        // Each connection has a configuration of its own, so there is nobody to resume anything.
        config.resumption = Resumption::disabled();
        Ok((Arc::new(config), verifier))
    }

    /// Turns a failed handshake into an error that names the cause, given the certificates that were shown.
    pub(crate) fn explain(&self, host: &str, error: &std::io::Error, shown: &[Vec<u8>]) -> SourceError {
        let host = host.to_owned();
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let Some(rustls::Error::InvalidCertificate(wrong)) = tls else {
            if tls.is_some_and(is_too_old) {
                return SourceError::TlsTooOld { host };
            }
            return SourceError::TlsFailed { host, detail: tls.map_or_else(|| error.to_string(), ToString::to_string) };
        };
        let chain = certificate::parse_chain(shown);
        let pinned = self.pins(&host);
        let cause = match cause(wrong, chain.first()) {
            // Pinning it again would help against neither a weak key nor a wrong date.
            cause @ (Cause::Expired | Cause::NotYetValid | Cause::Untrusted(Distrust::WeakKey(_))) => cause,
            _ if !pinned.is_empty() && !chain.is_empty() => Cause::Changed,
            cause => cause,
        };
        SourceError::Certificate(Box::new(CertificateRefused { host, cause, chain, pinned }))
    }

    /// The certificates that are pins of this host: they are no authorities, or bear its name.
    pub fn pins(&self, host: &str) -> Vec<CertificateInfo> {
        let is_pin = |c: &CertificateInfo| !c.ca || c.names.iter().any(|name| name.eq_ignore_ascii_case(host));
        self.certificates.iter().filter_map(|der| certificate::parse_der(der).ok()).filter(is_pin).collect()
    }
}

/// Why the library refuses a certificate.
fn cause(wrong: &CertificateError, own: Option<&CertificateInfo>) -> Cause {
    Cause::Untrusted(match wrong {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => return Cause::OtherName,
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => return Cause::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => return Cause::NotYetValid,
        CertificateError::UnknownIssuer if own.is_some_and(CertificateInfo::is_self_signed) => Distrust::SelfSigned,
        CertificateError::UnknownIssuer => Distrust::UnknownIssuer,
        CertificateError::BadSignature => Distrust::BadSignature,
        CertificateError::Revoked => Distrust::Revoked,
        CertificateError::BadEncoding => Distrust::Unreadable,
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => Distrust::OtherPurpose,
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => Distrust::WeakSignature,
        CertificateError::Other(other) => by_webpki(other.0.as_ref()),
        other => Distrust::Other(other.to_string()),
    })
}

/// What has a name in webpki and none in rustls.
fn by_webpki(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Distrust {
    if let Some(WeakKey(key)) = error.downcast_ref() {
        return Distrust::WeakKey(key.clone());
    }
    match error.downcast_ref::<webpki::Error>() {
        Some(webpki::Error::CaUsedAsEndEntity) => Distrust::AuthorityAsServer,
        Some(webpki::Error::EndEntityUsedAsCa) => Distrust::IssuerIsNoAuthority,
        Some(webpki::Error::NameConstraintViolation | webpki::Error::PathLenConstraintViolated) => {
            Distrust::BeyondAuthority
        }
        Some(webpki::Error::MalformedDnsIdentifier) => Distrust::BadName,
        _ => Distrust::Other(error.to_string()),
    }
}

/// The server's key can be broken.
#[derive(Debug, thiserror::Error)]
#[error("the key ({0}) is too weak")]
struct WeakKey(String);

/// Whether a handshake failed because the server speaks older versions only.
fn is_too_old(error: &rustls::Error) -> bool {
    use rustls::{AlertDescription, InvalidMessage, PeerIncompatible};
    matches!(
        error,
        rustls::Error::AlertReceived(AlertDescription::ProtocolVersion)
            | rustls::Error::PeerIncompatible(
                PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
                    | PeerIncompatible::ServerDoesNotSupportTls12Or13
            )
            | rustls::Error::InvalidMessage(InvalidMessage::UnknownProtocolVersion)
    )
}

/// Most certificates of a server that are kept to be shown.
const MOST_SHOWN: usize = 10;

/// The verifier of one connection. It lives as long as the connection does, so what is the same for all is shared.
#[derive(Debug)]
pub(crate) struct Verifier {
    pins: Vec<Vec<u8>>,
    /// The system's, and those of this mailbox where it has some.
    authorities: Vec<Arc<WebPkiServerVerifier>>,
    shown: Mutex<Vec<Vec<u8>>>,
}

/// The cryptography, the same for every connection.
fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER.get_or_init(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider())).clone()
}

/// The system's authorities, read once: they are the same for every mailbox. `None` where there are none.
fn system_authorities() -> Option<Arc<WebPkiServerVerifier>> {
    static SYSTEM: OnceLock<Option<Arc<WebPkiServerVerifier>>> = OnceLock::new();
    let read = || {
        let found = rustls_native_certs::load_native_certs();
        if found.certs.is_empty() {
            tracing::warn!(errors = found.errors.len(), "no system certificate authorities were found");
        }
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(found.certs);
        verifier_of(store)
    };
    SYSTEM.get_or_init(read).clone()
}

/// `None` without any authority.
fn verifier_of(store: RootCertStore) -> Option<Arc<WebPkiServerVerifier>> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider()).build().ok()
}

impl Verifier {
    fn new(certificates: &[Vec<u8>]) -> Self {
        let mut own = RootCertStore::empty();
        for der in certificates {
            // webpki takes any anchor for an authority, so only what is marked as one becomes an anchor. One that
            // webpki cannot read is still good as a pin.
            if certificate::parse_der(der).is_ok_and(|c| c.ca) {
                let _unreadable = own.add(CertificateDer::from(der.clone()));
            }
        }
        let authorities = system_authorities().into_iter().chain(verifier_of(own)).collect();
        Self { pins: certificates.to_vec(), authorities, shown: Mutex::default() }
    }

    /// The certificates that the server showed, its own first, in DER form.
    pub(crate) fn shown(&self) -> Vec<Vec<u8>> {
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
        let shown = std::iter::once(leaf).chain(intermediates).take(MOST_SHOWN).map(|der| der.to_vec()).collect();
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = shown;
        // The handshake would fail without a word on the reason.
        if let Some(key) = certificate::weakness(leaf) {
            let weak = OtherError(Arc::new(WeakKey(key)));
            return Err(rustls::Error::InvalidCertificate(CertificateError::Other(weak)));
        }
        if self.pins.iter().any(|pin| pin.as_slice() == leaf.as_ref()) {
            return check_dates(leaf, now).map(|()| ServerCertVerified::assertion());
        }
        let mut refused = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        for authorities in &self.authorities {
            match authorities.verify_server_cert(leaf, intermediates, name, ocsp, now) {
                Ok(verified) => return Ok(verified),
                // Who knows the issuer knows best what else is wrong.
                Err(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {}
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    // That the server has the key of its certificate is proven by these two, for pins as for all others.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, leaf, signature, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, leaf, signature, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}
