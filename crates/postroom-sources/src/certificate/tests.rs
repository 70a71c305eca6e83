#![allow(clippy::unwrap_used)]

use super::parse;
use postroom_testkit::certificate::{Certificate, CertificateKind};

#[test]
fn pem_and_der_give_the_same() {
    let made = Certificate::new(CertificateKind::SelfSignedCa).unwrap();
    let der = parse(&made.der).unwrap();
    // A key before it, blank lines and words around it, other line ends: PEM files of real life.
    let pem = format!("{}\nBag Attributes\n{}", made.key_pem, made.chain_pem.replace('\n', "\r\n"));
    assert_eq!(parse(pem.as_bytes()).unwrap(), der);
    assert_eq!(parse(made.chain_pem.repeat(2).as_bytes()).unwrap().len(), 2);
    let info = &der[0];
    assert_eq!(info.names, ["localhost", "127.0.0.1"]);
    assert!(info.ca && info.subject == info.issuer && info.subject.contains("Postroom test server"));
    assert!(info.describe().contains(&info.fingerprint.to_string()));
}

#[test]
fn what_is_no_certificate_is_refused_with_a_reason() {
    let made = Certificate::new(CertificateKind::SelfSigned).unwrap();
    let mut longer = made.der.clone();
    longer.push(0);
    let cases: [&[u8]; 8] = [
        b"",
        b"hello",
        &made.der[..made.der.len() - 1],
        &longer,
        made.key_pem.as_bytes(),
        b"-----BEGIN CERTIFICATE-----\nAAAA",
        b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----",
        &vec![b'x'; (1 << 20) + 1],
    ];
    for octets in cases {
        assert_eq!(parse(octets).unwrap_err().code(), "CERT_INVALID");
    }
}
