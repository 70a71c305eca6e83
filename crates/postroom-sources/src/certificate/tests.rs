#![allow(clippy::unwrap_used)]

mod keystores;

use super::{CertificateInfo, parse_file};
use postroom_testkit::certificate::{Certificate, CertificateKind};

fn parse(octets: &[u8]) -> Vec<CertificateInfo> {
    parse_file(octets, None).unwrap()
}

#[test]
fn pem_and_der_give_the_same() {
    let made = Certificate::new(CertificateKind::SelfSignedCa).unwrap();
    let der = parse(&made.der);
    // A key before it, blank lines and words around it, other line ends: PEM files of real life.
    let pem = format!("{}\nBag Attributes\n{}", made.key_pem, made.chain_pem.replace('\n', "\r\n"));
    assert_eq!(parse(pem.as_bytes()), der);
    for label in ["X509 CERTIFICATE", "TRUSTED CERTIFICATE"] {
        assert_eq!(parse(made.chain_pem.replace("CERTIFICATE", label).as_bytes()), der, "{label}");
    }
    let info = &der[0];
    assert_eq!(info.pem().replace('\n', ""), made.chain_pem.replace(['\r', '\n'], ""));
    assert_eq!(info.names, ["localhost", "127.0.0.1"]);
    assert!(info.ca && info.subject == info.issuer && info.subject.contains("Postroom test server"));
    assert!(info.describe().contains(&info.fingerprint.to_string()));
    assert_eq!(info.key, "EC 256");
}

#[test]
fn a_bundle_has_all_of_its_certificates_once() {
    let made: Vec<_> = (0..3).map(|_| Certificate::new(CertificateKind::SelfSigned).unwrap()).collect();
    let text: String = made.iter().chain(&made[..1]).map(|c| format!("some words\n{}", c.chain_pem)).collect();
    let found: Vec<_> = parse(text.as_bytes()).into_iter().map(|c| c.der).collect();
    assert_eq!(found, made.iter().map(|c| c.der.clone()).collect::<Vec<_>>());
    // OpenSSL writes its own notes behind a trusted certificate, in the same block.
    let with_notes = [made[0].der.as_slice(), &[0x30, 0x03, 0x0c, 0x01, b'x']].concat();
    let trusted = super::file::pem(&with_notes).replace("CERTIFICATE", "TRUSTED CERTIFICATE");
    assert_eq!(parse(trusted.as_bytes())[0].der, made[0].der);
}

#[test]
fn what_is_no_certificate_is_refused_with_a_reason() {
    let made = Certificate::new(CertificateKind::SelfSigned).unwrap();
    let mut longer = made.der.clone();
    longer.push(0);
    let many = made.chain_pem.repeat(501);
    let cases: [&[u8]; 9] = [
        b"",
        b"hello",
        &made.der[..made.der.len() - 1],
        &longer,
        made.key_pem.as_bytes(),
        b"-----BEGIN CERTIFICATE-----\nAAAA",
        b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----",
        &vec![b'x'; (1 << 20) + 1],
        many.as_bytes(),
    ];
    for octets in cases {
        assert_eq!(parse_file(octets, None).unwrap_err().code(), "CERT_INVALID");
    }
}
