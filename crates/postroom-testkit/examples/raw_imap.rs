//! The limit of the machine: reads a whole IMAP folder over TLS with one command and throws the octets away.
//!
//! `raw_imap HOST PORT USER PASSWORD CERTIFICATE.pem` prints one JSON object: messages, octets, seconds of the fetch alone.
//! `benches/lab` runs it beside `postroom fetch`. It trusts the one certificate that it is given.

use anyhow::{Context as _, Result, bail};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

/// Large enough that the number of reads does not matter.
const BUFFER: usize = 256 * 1024;

type Tls = BufReader<StreamOwned<ClientConnection, TcpStream>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [host, port, user, password, certificate] = arguments.as_slice() else {
        bail!("usage: raw_imap HOST PORT USER PASSWORD CERTIFICATE.pem");
    };
    let mut server = connect(host, port.parse()?, certificate)?;
    let mut line = Vec::new();
    server.read_until(b'\n', &mut line)?;
    command(&mut server, &format!("a LOGIN {user} {password}"))?;
    command(&mut server, "b SELECT INBOX")?;
    let start = Instant::now();
    let (messages, octets) = command(&mut server, "c UID FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])")?;
    println!(
        "{}",
        serde_json::json!({"messages": messages, "octets": octets, "seconds": start.elapsed().as_secs_f64()})
    );
    Ok(())
}

fn connect(host: &str, port: u16, certificate: &str) -> Result<Tls> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).context("the certificate cannot be read")?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), ServerName::try_from(host.to_owned())?)?;
    let socket = TcpStream::connect((host, port))?;
    socket.set_nodelay(true)?;
    Ok(BufReader::with_capacity(BUFFER, StreamOwned::new(connection, socket)))
}

/// Sends one command and reads to its tagged answer. Returns how many literals came, and their octets.
fn command(server: &mut Tls, text: &str) -> Result<(u64, u64)> {
    server.get_mut().write_all(format!("{text}\r\n").as_bytes())?;
    let tag = text.split(' ').next().unwrap_or_default();
    let (mut messages, mut octets) = (0, 0);
    let mut line = Vec::new();
    loop {
        line.clear();
        if server.read_until(b'\n', &mut line)? == 0 {
            bail!("the server closed the connection");
        }
        let words = String::from_utf8_lossy(&line);
        let words = words.trim_end();
        if let Some(answer) = words.strip_prefix(tag).and_then(|rest| rest.strip_prefix(' ')) {
            if answer.starts_with("OK") {
                return Ok((messages, octets));
            }
            bail!("the server says {answer}");
        }
        // RFC 9051 §4.3: a literal is announced at the end of a line.
        let length =
            words.strip_suffix('}').and_then(|rest| rest.rsplit('{').next()).and_then(|n| n.parse::<u64>().ok());
        if let Some(length) = length {
            if std::io::copy(&mut server.take(length), &mut std::io::sink())? < length {
                bail!("the connection ended inside a message");
            }
            messages += 1;
            octets += length;
        }
    }
}
