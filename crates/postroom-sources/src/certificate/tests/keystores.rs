//! Keystores, as the tests write them octet by octet, as the library writes them, and as the tools of OpenSSL and Java do
//! where they are installed.

use super::super::parse_file;
use p12_keystore::{Certificate as P12Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry};
use postroom_mail::Secret;
use postroom_testkit::certificate::{Certificate, CertificateKind};
use sha1::Digest as _;
use std::path::Path;
use std::process::Command;

fn made() -> Certificate {
    Certificate::new(CertificateKind::SelfSigned).unwrap()
}

/// The certificates in DER form, or the code of the error.
fn read(octets: &[u8], password: Option<&str>) -> Result<Vec<Vec<u8>>, &'static str> {
    let password = password.map(Secret::new);
    let found = parse_file(octets, password.as_ref()).map_err(|error| error.code())?;
    Ok(found.into_iter().map(|certificate| certificate.der).collect())
}

fn block(octets: &[u8]) -> Vec<u8> {
    [&u32::try_from(octets.len()).unwrap().to_be_bytes(), octets].concat()
}

fn text(text: &str) -> Vec<u8> {
    [&u16::try_from(text.len()).unwrap().to_be_bytes(), text.as_bytes()].concat()
}

fn entry(tag: u32, alias: &str) -> Vec<u8> {
    [tag.to_be_bytes().to_vec(), text(alias), 1_700_000_000_000_u64.to_be_bytes().to_vec()].concat()
}

/// A keystore of Java with these entries.
fn keystore(magic: u32, version: u32, entries: &[Vec<u8>], password: &str) -> Vec<u8> {
    let count = u32::try_from(entries.len()).unwrap();
    let numbers = [magic, version, count].map(u32::to_be_bytes).concat();
    let content = [numbers, entries.concat()].concat();
    let password: Vec<u8> = password.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let digest = sha1::Sha1::digest([password.as_slice(), b"Mighty Aphrodite", &content].concat());
    [content, digest.to_vec()].concat()
}

#[test]
fn keystores_of_java() {
    let (one, two, three) = (made().der, made().der, made().der);
    let trusted = |der: &[u8]| [entry(2, "größe"), text("X.509"), block(der)].concat();
    let key = [entry(1, "key"), block(b"sealed"), 2_u32.to_be_bytes().to_vec()];
    let key = [key.concat(), text("X.509"), block(&two), text("X.509"), block(&three)].concat();
    for magic in [0xFEED_FEED, 0xCECE_CECE] {
        let octets = keystore(magic, 2, &[trusted(&one), key.clone()], "changeit ü");
        let all = [one.clone(), two.clone(), three.clone()];
        assert_eq!(read(&octets, None).unwrap(), all, "without a password nothing is checked");
        assert_eq!(read(&octets, Some("changeit ü")).unwrap(), all);
        assert_eq!(read(&octets, Some("")), Err("CERT_PASSWORD"));
        // Every shorter one is refused, and so is every one with an octet changed where its integrity is checked.
        for length in 4..octets.len() {
            assert_eq!(read(&octets[..length], None), Err("CERT_INVALID"), "{length} octets");
        }
        for at in (4..octets.len()).step_by(7) {
            let mut changed = octets.clone();
            changed[at] ^= 1;
            assert_eq!(read(&changed, Some("changeit ü")), Err("CERT_PASSWORD"), "octet {at}");
        }
    }
    // The oldest version does not say what kind a certificate is of.
    let old = [entry(2, "a"), block(&one)].concat();
    assert_eq!(read(&keystore(0xFEED_FEED, 1, &[old], ""), Some("")).unwrap(), std::slice::from_ref(&one));
}

#[test]
fn keystores_that_lie_are_refused() {
    let der = made().der;
    let trusted = [entry(2, "a"), text("X.509"), block(&der)].concat();
    let secret = [entry(3, "secret"), block(b"a Java object")].concat();
    let endless = [entry(1, "k"), block(b"k"), u32::MAX.to_be_bytes().to_vec()].concat();
    let long = [entry(2, "a"), text("X.509"), u32::MAX.to_be_bytes().to_vec()].concat();
    let other = [entry(2, "a"), text("PGP"), block(&der)].concat();
    let no_certificate = [entry(2, "a"), text("X.509"), block(b"x")].concat();
    for (version, entries) in [
        (3, vec![trusted.clone()]),
        (2, vec![]),
        (2, vec![trusted.clone(), secret]),
        (2, vec![endless]),
        (2, vec![long]),
        (2, vec![other]),
        (2, vec![no_certificate]),
        (2, vec![entry(9, "unknown")]),
        (2, vec![trusted.clone(); 501]),
    ] {
        let octets = keystore(0xFEED_FEED, version, &entries, "x");
        assert_eq!(read(&octets, None), Err("CERT_INVALID"), "{} entries of version {version}", entries.len());
    }
    // Octets behind the last entry.
    let octets = keystore(0xFEED_FEED, 2, &[trusted, b"more".to_vec()], "x");
    let mut fewer = octets;
    fewer[11] = 1;
    assert_eq!(read(&fewer, None), Err("CERT_INVALID"));
}

#[test]
fn pkcs12() {
    let (one, two) = (made().der, made().der);
    let mut store = KeyStore::new();
    for (alias, der) in [("one", &one), ("two", &two)] {
        store.add_entry(alias, KeyStoreEntry::Certificate(P12Certificate::from_der(der).unwrap()));
    }
    for password in ["changeit", "", "pässwörd"] {
        for algorithm in [
            EncryptionAlgorithm::PbeWithHmacSha256AndAes256,
            EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc,
            EncryptionAlgorithm::PbeWithShaAnd40BitRc4Cbc,
        ] {
            let written = store.writer(password).encryption_algorithm(algorithm).encryption_iterations(10);
            let octets = written.mac_iterations(10).write().unwrap();
            assert_eq!(read(&octets, Some(password)).unwrap(), [one.clone(), two.clone()], "{password} {algorithm:?}");
            assert_eq!(read(&octets, Some("wrong")), Err("CERT_PASSWORD"));
            // Without one it is opened as with an empty one.
            let without = read(&octets, None);
            assert_eq!(without.is_ok(), password.is_empty(), "{password} {algorithm:?}: {without:?}");
            for length in (0..octets.len()).step_by(11) {
                assert!(read(&octets[..length], Some(password)).is_err(), "{length} octets");
            }
        }
    }
}

/// Runs a program of the system; `false`, with a note, where it is not installed.
fn run(program: &str, arguments: &[&str], directory: &Path) -> bool {
    let output = match Command::new(program).args(arguments).current_dir(directory).output() {
        Ok(output) => output,
        Err(error) => {
            eprintln!("skipped: {program} cannot be run ({error})");
            return false;
        }
    };
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    true
}

#[test]
fn what_openssl_writes() {
    let directory = tempfile::tempdir().unwrap();
    let certificate = made();
    std::fs::write(directory.path().join("c.pem"), &certificate.chain_pem).unwrap();
    std::fs::write(directory.path().join("k.pem"), &certificate.key_pem).unwrap();
    for (options, password) in [("", "secret"), ("", ""), ("-legacy", "secret"), ("-nokeys -nomac", "secret")] {
        let pass = format!("pass:{password}");
        let fixed = ["pkcs12", "-export", "-in", "c.pem", "-inkey", "k.pem", "-out", "s.p12", "-passout", &pass];
        let arguments: Vec<&str> = fixed.into_iter().chain(options.split_whitespace()).collect();
        if !run("openssl", &arguments, directory.path()) {
            return;
        }
        let octets = std::fs::read(directory.path().join("s.p12")).unwrap();
        assert_eq!(
            read(&octets, Some(password)).unwrap(),
            std::slice::from_ref(&certificate.der),
            "{options} “{password}”"
        );
    }
}

/// What users of the original product have: a keystore named after the host, with the server's certificate in it.
#[test]
fn what_keytool_writes() {
    for kind in ["JKS", "JCEKS", "PKCS12"] {
        let directory = tempfile::tempdir().unwrap();
        let certificates = [made(), made()];
        for (number, certificate) in certificates.iter().enumerate() {
            std::fs::write(directory.path().join("c.pem"), &certificate.chain_pem).unwrap();
            let alias = format!("mail{number}");
            let fixed = ["-importcert", "-noprompt", "-keystore", "imap.example.org.ks", "-storepass", "changeit"];
            let more = ["-storetype", kind, "-alias", &alias, "-file", "c.pem"];
            if !run("keytool", &[&fixed[..], &more].concat(), directory.path()) {
                return;
            }
        }
        let octets = std::fs::read(directory.path().join("imap.example.org.ks")).unwrap();
        // Java keeps its entries in no order.
        let sorted = |mut ders: Vec<Vec<u8>>| {
            ders.sort();
            ders
        };
        let expected = sorted(certificates.iter().map(|c| c.der.clone()).collect());
        assert_eq!(sorted(read(&octets, Some("changeit")).unwrap()), expected, "{kind}");
        assert_eq!(read(&octets, Some("wrong")), Err("CERT_PASSWORD"), "{kind}");
        if kind != "PKCS12" {
            assert_eq!(sorted(read(&octets, None).unwrap()), expected, "{kind}");
        }
    }
}
