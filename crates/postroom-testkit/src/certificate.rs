//! Certificates for test servers, of every kind that a client must tell apart.

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

/// What is special about a certificate. All but [`CertificateKind::OtherName`] are for `localhost` and `127.0.0.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateKind {
    /// Signed by its own key, no authority.
    SelfSigned,
    /// Signed by its own key and marked as an authority.
    SelfSignedCa,
    /// Signed by an authority of its own.
    SignedByCa,
    /// Signed by an authority of its own, for another name.
    OtherName,
    /// Signed by its own key, valid until 2001.
    Expired,
    /// Signed by its own key, valid from 2100.
    NotYetValid,
}

/// A certificate with its key.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The server's certificate.
    pub der: Vec<u8>,
    /// The authority that signed it, for the kinds that have one.
    pub ca_der: Option<Vec<u8>>,
    /// The certificate in PEM form, as the server sends it.
    pub chain_pem: String,
    /// Its key in PEM form.
    pub key_pem: String,
    /// Its key in PKCS #8 form.
    pub key_der: Vec<u8>,
}

impl Certificate {
    /// Makes one.
    ///
    /// # Errors
    /// Those of the library.
    pub fn new(kind: CertificateKind) -> Result<Self> {
        let names = match kind {
            CertificateKind::OtherName => vec!["mail.other.example".to_owned()],
            _ => vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
        };
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, "Postroom test server");
        match kind {
            CertificateKind::SelfSignedCa => params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
            CertificateKind::Expired => {
                (params.not_before, params.not_after) = (date_time_ymd(2000, 1, 1), date_time_ymd(2001, 1, 1));
            }
            CertificateKind::NotYetValid => {
                (params.not_before, params.not_after) = (date_time_ymd(2100, 1, 1), date_time_ymd(2101, 1, 1));
            }
            _ => {}
        }
        let (certificate, ca_der) = match kind {
            CertificateKind::SignedByCa | CertificateKind::OtherName => {
                let ca_key = KeyPair::generate()?;
                let mut ca = CertificateParams::new(Vec::new())?;
                ca.distinguished_name.push(DnType::CommonName, "Postroom test authority");
                ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
                let ca_der = ca.self_signed(&ca_key)?.der().to_vec();
                let issuer = Issuer::from_params(&ca, &ca_key);
                (params.signed_by(&key, &issuer)?, Some(ca_der))
            }
            _ => (params.self_signed(&key)?, None),
        };
        Ok(Self {
            der: certificate.der().to_vec(),
            ca_der,
            chain_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            key_der: key.serialize_der(),
        })
    }
}
