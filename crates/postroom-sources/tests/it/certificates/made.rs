//! Certificates with something wrong, and a server that shows them whatever a TLS library thinks of them.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair,
    NameConstraints, PublicKeyData, SanType, SignatureAlgorithm, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream};

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    SelfSigned,
    UnknownAuthority,
    OtherName,
    Expired,
    NotYetValid,
    ExpiredIssuer,
    WeakKey,
    WeakSignature,
    BadSignature,
    IssuerIsNoAuthority,
    AuthorityAsServer,
    NameBeyondConstraints,
    ClientOnly,
    NulInName,
    WildcardAlone,
    WildcardOfTopLevel,
    WildcardOverTwoLabels,
    AddressInCommonName,
    NameInCommonName,
}

/// A certificate with its chain, and what it needs to be met with.
pub struct Made {
    /// The server's own first.
    pub chain: Vec<Vec<u8>>,
    /// The key of the server's own, in PKCS #8.
    key: Vec<u8>,
    /// What the mailbox trusts, so that the reason is the one meant.
    pub trusted: Vec<Vec<u8>>,
    /// The host that is connected to.
    pub host: &'static str,
}

impl Kind {
    pub const ALL: [Self; 19] = [
        Self::SelfSigned,
        Self::UnknownAuthority,
        Self::OtherName,
        Self::Expired,
        Self::NotYetValid,
        Self::ExpiredIssuer,
        Self::WeakKey,
        Self::WeakSignature,
        Self::BadSignature,
        Self::IssuerIsNoAuthority,
        Self::AuthorityAsServer,
        Self::NameBeyondConstraints,
        Self::ClientOnly,
        Self::NulInName,
        Self::WildcardAlone,
        Self::WildcardOfTopLevel,
        Self::WildcardOverTwoLabels,
        Self::AddressInCommonName,
        Self::NameInCommonName,
    ];

    pub fn make(self) -> Made {
        let host = match self {
            Self::WildcardOfTopLevel => "example.com",
            Self::WildcardOverTwoLabels => "imap.mail.example.org",
            Self::AddressInCommonName => "127.0.0.1",
            _ => "localhost",
        };
        let (key, leaf) = (KeyPair::generate().unwrap(), self.params(host));
        if matches!(self, Self::SelfSigned | Self::AuthorityAsServer) {
            let der = leaf.self_signed(&key).unwrap().der().to_vec();
            return Made { chain: vec![der], key: key.serialize_der(), trusted: Vec::new(), host };
        }
        let (root, issuer) = authority("Test root");
        let mut chain = Vec::new();
        let mut between = None;
        if matches!(self, Self::IssuerIsNoAuthority | Self::ExpiredIssuer | Self::NameBeyondConstraints) {
            let between_key = KeyPair::generate().unwrap();
            let params = self.between();
            chain.push(params.signed_by(&between_key, &issuer).unwrap().der().to_vec());
            between = Some(Issuer::new(params, between_key));
        }
        let signer = between.as_ref().unwrap_or(&issuer);
        let mut der = match self {
            Self::WeakKey => leaf.signed_by(&WeakKey::new(), signer).unwrap().der().to_vec(),
            _ => leaf.signed_by(&key, signer).unwrap().der().to_vec(),
        };
        match self {
            Self::WeakSignature => der = with_sha224(&der),
            Self::BadSignature => *der.last_mut().unwrap() ^= 1,
            _ => {}
        }
        chain.insert(0, der);
        let mut trusted = vec![root.clone()];
        if self == Self::UnknownAuthority {
            chain.push(root);
            trusted.clear();
        }
        Made { chain, key: key.serialize_der(), trusted, host }
    }

    fn params(self, host: &str) -> CertificateParams {
        let dns = |name: &str| vec![SanType::DnsName(name.to_owned().try_into().unwrap())];
        let mut params = named("Test server");
        params.subject_alt_names = dns(host);
        match self {
            Self::OtherName => params.subject_alt_names = dns("mail.other.example"),
            Self::Expired => params.not_after = date_time_ymd(2001, 1, 1),
            Self::NotYetValid => {
                (params.not_before, params.not_after) = (date_time_ymd(2080, 1, 1), date_time_ymd(2081, 1, 1));
            }
            Self::AuthorityAsServer => params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
            Self::ClientOnly => params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
            Self::NulInName => params.subject_alt_names = dns("localhost\0.evil.example"),
            Self::WildcardAlone => params.subject_alt_names = dns("*"),
            Self::WildcardOfTopLevel => params.subject_alt_names = dns("*.com"),
            Self::WildcardOverTwoLabels => params.subject_alt_names = dns("*.example.org"),
            Self::AddressInCommonName | Self::NameInCommonName => {
                params.subject_alt_names.clear();
                params.distinguished_name.push(DnType::CommonName, host);
            }
            _ => {}
        }
        params
    }

    /// The certificate between root and server.
    fn between(self) -> CertificateParams {
        let mut params = named("Test issuer");
        if self != Self::IssuerIsNoAuthority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        match self {
            Self::ExpiredIssuer => params.not_after = date_time_ymd(2010, 1, 1),
            Self::NameBeyondConstraints => {
                let permitted_subtrees = vec![GeneralSubtree::DnsName("corp.example".into())];
                params.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
            }
            _ => {}
        }
        params
    }
}

/// Valid for a lifetime, the same in each run.
fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (date_time_ymd(2000, 1, 1), date_time_ymd(2090, 1, 1));
    params
}

fn authority(name: &str) -> (Vec<u8>, Issuer<'static, KeyPair>) {
    let (key, mut params) = (KeyPair::generate().unwrap(), named(name));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let der = params.self_signed(&key).unwrap().der().to_vec();
    (der, Issuer::new(params, key))
}

/// The same with ecdsa-with-SHA224 for its signature, which nobody should take any more.
// RFC 5758 §3.2: the object identifiers differ in their last octet.
fn with_sha224(der: &[u8]) -> Vec<u8> {
    const SHA256: [u8; 8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    let mut changed = der.to_vec();
    for at in 0..changed.len() - SHA256.len() {
        if changed[at..].starts_with(&SHA256) {
            changed[at + 7] = 1;
        }
    }
    assert_ne!(changed, der);
    changed
}

/// An RSA key of 1024 bits.
struct WeakKey(Vec<u8>);

impl WeakKey {
    fn new() -> Self {
        // RFC 8017 §A.1.1: SEQUENCE of modulus and exponent.
        let mut der = vec![0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0];
        der.extend([0xC5; 128]);
        der.extend([0x02, 0x03, 1, 0, 1]);
        Self(der)
    }
}

impl PublicKeyData for WeakKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}

/// A server that shows a chain, whether its key fits or not.
#[derive(Clone)]
pub struct TlsServer(tokio_rustls::TlsAcceptor);

#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

impl TlsServer {
    pub fn new(made: &Made) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.key.clone()));
        let key = provider.key_provider.load_private_key(key).unwrap();
        let chain = made.chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
        let always = Always(Arc::new(CertifiedKey::new(chain, key)));
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(always));
        Self(Arc::new(config).into())
    }

    /// Says the lines of `clear`, a command being awaited before each but the first, then TLS, then `protected`.
    pub async fn serve(&self, stream: DuplexStream, clear: &[&str], protected: &str) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        for (number, lines) in clear.iter().enumerate() {
            if number > 0 {
                stream.read_line(&mut String::new()).await?;
            }
            stream.write_all(lines.as_bytes()).await?;
        }
        let mut stream = self.0.accept(stream).await?;
        stream.write_all(protected.as_bytes()).await?;
        stream.flush().await
    }
}
