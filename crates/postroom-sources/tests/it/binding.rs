//! A login that is bound to the TLS connection, against a server that looks at what it is bound to.

use crate::client::{limits, log_in_over, server};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use postroom_mail::{Access, Security};
use postroom_sources::{Binding, Trust};
use postroom_testkit::certificate::{Certificate, CertificateKind};
use postroom_testkit::dovecot::PASSWORD;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use sha2::Digest as _;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream};

async fn accept(
    stream: DuplexStream,
    certificate: &Certificate,
    version: &'static rustls::SupportedProtocolVersion,
) -> tokio_rustls::server::TlsStream<DuplexStream> {
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(certificate.der.clone())],
            PrivatePkcs8KeyDer::from(certificate.key_der.clone()).into(),
        )
        .unwrap();
    tokio_rustls::TlsAcceptor::from(Arc::new(config)).accept(stream).await.unwrap()
}

/// Offers `offered` over this version of TLS, begins SCRAM and refuses it in the end, twice if it was bound. Returns the
/// command of the client and what its last message says that it is bound to, and what the connection is called on this side.
async fn serve(
    stream: DuplexStream,
    certificate: Certificate,
    version: &'static rustls::SupportedProtocolVersion,
    offered: &str,
) -> (String, Vec<u8>, Vec<u8>) {
    let stream = accept(stream, &certificate, version).await;
    let exported = stream.get_ref().1.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b"")).unwrap();
    // The test certificates are signed with SHA-256.
    let end_point = sha2::Sha256::digest(&certificate.der).to_vec();
    let name = if *version == rustls::version::TLS13 { exported.to_vec() } else { end_point };

    let mut stream = BufReader::new(stream);
    let mut lines = Vec::new();
    stream.write_all(b"+OK ready\r\n").await.unwrap();
    for reply in [format!("+OK\r\nSASL {offered}\r\n.\r\n"), String::new(), "-ERR [AUTH] no\r\n".to_owned()] {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        let reply = if reply.is_empty() {
            let first = STANDARD.decode(line.trim_end().rsplit(' ').next().unwrap()).unwrap();
            let nonce = String::from_utf8(first).unwrap().rsplit("r=").next().unwrap().to_owned();
            format!("+ {}\r\n", STANDARD.encode(format!("r={nonce}more,s=QSXCR+Q6sek8bf92,i=4096")))
        } else {
            reply
        };
        lines.push(line.trim_end().to_owned());
        stream.write_all(reply.as_bytes()).await.unwrap();
    }
    if lines[1].contains("-PLUS") {
        // RFC 5802 §6: a client that could be bound and does not want to be says `n`.
        let mut unbound = String::new();
        // A client that has nothing more to say may hang up in any way.
        let _ended = stream.read_line(&mut unbound).await;
        let (command, first) = unbound.trim_end().rsplit_once(' ').unwrap_or_default();
        if offered.split(' ').any(|name| command == format!("AUTH {name}")) {
            let first = String::from_utf8(STANDARD.decode(first).unwrap()).unwrap();
            assert!(!command.ends_with("-PLUS") && first.starts_with("n,,"), "{command} {first}");
            stream.write_all(b"-ERR [AUTH] no\r\n").await.unwrap();
        } else {
            assert_eq!(unbound, "", "nothing else is tried");
        }
    }
    let last = String::from_utf8(STANDARD.decode(&lines[2]).unwrap()).unwrap();
    let bound = last.strip_prefix("c=").unwrap().split(',').next().unwrap();
    (lines[1].split(' ').nth(1).unwrap().to_owned(), STANDARD.decode(bound).unwrap(), name)
}

#[tokio::test]
async fn a_login_is_bound_to_its_connection_where_the_server_can_do_that() {
    let certificate = Certificate::new(CertificateKind::SelfSigned).unwrap();
    for (version, offered, mechanism, header) in [
        (&rustls::version::TLS13, "SCRAM-SHA-256 SCRAM-SHA-256-PLUS", "SCRAM-SHA-256-PLUS", "p=tls-exporter,,"),
        (&rustls::version::TLS12, "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,"),
        (&rustls::version::TLS13, "SCRAM-SHA-1-PLUS SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "p=tls-exporter,,"),
        // Not offered: the server is told that it could have been.
        (&rustls::version::TLS13, "SCRAM-SHA-256 PLAIN", "SCRAM-SHA-256", "y,,"),
        // Offered for a weaker one only: nothing is said of it.
        (&rustls::version::TLS13, "SCRAM-SHA-256 SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "n,,"),
    ] {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let client = async {
            let access = Access::Pop3(server("localhost", 995, Security::Ssl, "ann"));
            let trust = Trust::new(vec![certificate.der.clone()]);
            log_in_over(ours, &access, &trust, &limits()).await
        };
        let (client, server) = tokio::join!(client, serve(theirs, certificate.clone(), version, offered));
        assert_eq!(client.map(|_| ()).map_err(|error| error.code()), Err("AUTH_REJECTED"), "{offered}");
        let (used, bound, name) = server;
        let name = if header.starts_with('p') { name } else { Vec::new() };
        assert_eq!((used.as_str(), bound), (mechanism, [header.as_bytes(), &name].concat()), "{offered}");
    }
}

/// HMAC-SHA-256.
fn mac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

/// A server that can do SCRAM-SHA-256 with the password of all tests, over TLS 1.3, and knows the binding or not. Returns what
/// was asked of it.
async fn serve_scram(
    stream: DuplexStream,
    certificate: Certificate,
    offered: &str,
    knows_bindings: bool,
) -> Vec<String> {
    const SALT: &[u8] = b"salt of a test";
    let stream = accept(stream, &certificate, &rustls::version::TLS13).await;
    let exported = stream.get_ref().1.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b"")).unwrap();
    let mut salted = mac(PASSWORD.as_bytes(), &[SALT, &1_u32.to_be_bytes()]);
    let mut last = salted.clone();
    for _ in 1..4096 {
        last = mac(PASSWORD.as_bytes(), &[&last]);
        salted.iter_mut().zip(&last).for_each(|(octet, more)| *octet ^= more);
    }
    let mut stream = BufReader::new(stream);
    stream.write_all(b"+OK ready\r\n").await.unwrap();
    let (mut asked, mut firsts) = (Vec::new(), None);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return asked;
        }
        let line = line.trim_end();
        let reply = if line == "CAPA" {
            format!("+OK\r\nSASL {offered}\r\n.\r\n")
        } else if let Some((command, first)) = line.strip_prefix("AUTH ").and_then(|rest| rest.split_once(' ')) {
            asked.push(command.to_owned());
            let first = String::from_utf8(STANDARD.decode(first).unwrap()).unwrap();
            let (header, bare) = first.split_at(first.find(",,").unwrap() + 2);
            let nonce = bare.rsplit("r=").next().unwrap();
            let challenge = format!("r={nonce}more,s={},i=4096", STANDARD.encode(SALT));
            firsts = Some((header.to_owned(), bare.to_owned(), challenge.clone()));
            format!("+ {}\r\n", STANDARD.encode(challenge))
        } else if let Some((header, bare, challenge)) = firsts.take() {
            let last = String::from_utf8(STANDARD.decode(line).unwrap()).unwrap();
            let without_proof = last.rsplit_once(",p=").unwrap().0;
            let is_bound = header.starts_with("p=");
            let binding = if is_bound { [header.as_bytes(), &exported].concat() } else { header.into_bytes() };
            let is_right = without_proof.starts_with(&format!("c={},", STANDARD.encode(binding)));
            let message = format!("{bare},{challenge},{without_proof}");
            let signature = mac(&mac(&salted, &[b"Server Key"]), &[message.as_bytes()]);
            match is_right && (knows_bindings || !is_bound) {
                true => format!("+ {}\r\n", STANDARD.encode(format!("v={}", STANDARD.encode(signature)))),
                false => "-ERR [AUTH] no\r\n".to_owned(),
            }
        } else {
            "+OK\r\n".to_owned()
        };
        stream.write_all(reply.as_bytes()).await.unwrap();
    }
}

/// A bound login that worked is never done without again; one that is refused is done without, and then never tried again.
#[tokio::test]
async fn what_is_known_of_bound_logins_is_kept_to() {
    const BOTH: &str = "SCRAM-SHA-256 SCRAM-SHA-256-PLUS PLAIN";
    let certificate = Certificate::new(CertificateKind::SelfSigned).unwrap();
    let (bound, plain) = ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256");
    for (known, offered, knows_bindings, asked, expected) in [
        (Binding::Unknown, BOTH, true, &[bound][..], Ok(Binding::Works)),
        (Binding::Unknown, BOTH, false, &[bound, plain], Ok(Binding::Refused)),
        (Binding::Unknown, "SCRAM-SHA-256 PLAIN", true, &[plain], Ok(Binding::Unknown)),
        (Binding::Works, BOTH, true, &[bound], Ok(Binding::Works)),
        (Binding::Works, BOTH, false, &[bound], Err("AUTH_REJECTED")),
        (Binding::Works, "SCRAM-SHA-256 PLAIN", true, &[], Err("LOGIN_DOWNGRADE")),
        (Binding::Works, "", true, &[], Err("LOGIN_DOWNGRADE")),
        (Binding::Refused, BOTH, true, &[plain], Ok(Binding::Unknown)),
    ] {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let client = async {
            let access = Access::Pop3(server("localhost", 995, Security::Ssl, "ann"));
            let trust = Trust::new(vec![certificate.der.clone()]).binding(known);
            log_in_over(ours, &access, &trust, &limits()).await.map(|session| session.binding())
        };
        let (client, was_asked) =
            tokio::join!(client, serve_scram(theirs, certificate.clone(), offered, knows_bindings));
        assert_eq!(client.map_err(|error| error.code()), expected, "{known:?} {offered}");
        assert_eq!(was_asked, asked, "{known:?} {offered}");
    }
}
