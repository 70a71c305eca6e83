//! TCP and TLS to a mail server, with deadlines.

use crate::certificate::{self, CertificateInfo};
use crate::limits::Limits;
use crate::{SourceError, Trust};
use postroom_mail::ServerAccess;
use postroom_mail::sasl::ChannelBinding;
use rustls::pki_types::ServerName;
use std::future::Future;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, BufReader};
use tokio::net::TcpStream;

/// A connection in both directions, protected or not.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync> Stream for T {}

/// What is read from the socket at once. Under TLS this saves most system calls: rustls by itself reads 4 KiB at a time.
const READ_AHEAD: usize = 128 * 1024;

/// All addresses of a host that this mailbox may connect to.
///
/// # Errors
/// `HOST_UNKNOWN`; `HOST_PRIVATE` when every address is private and that is not allowed.
pub(crate) async fn resolve(server: &ServerAccess, limits: &Limits) -> Result<Vec<SocketAddr>, SourceError> {
    let ServerAccess { host, port, allow_private_host, .. } = server;
    let unknown = || SourceError::HostUnknown { host: host.clone() };
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let found: Vec<SocketAddr> = match literal {
        Ok(address) => vec![SocketAddr::new(address, *port)],
        Err(_) => tokio::time::timeout(limits.connect, tokio::net::lookup_host((host.as_str(), *port)))
            .await
            .map_err(|_| unknown())?
            .map_err(|_| unknown())?
            .collect(),
    };
    permitted(host, found, *allow_private_host)
}

/// Those addresses of a host that may be connected to. They are checked here and connected to as they are: a name that
/// resolves otherwise a moment later gains nothing.
///
/// # Errors
/// `HOST_UNKNOWN` without any; `HOST_PRIVATE` when every address is private and that is not allowed.
pub(crate) fn permitted(
    host: &str,
    found: Vec<SocketAddr>,
    allow_private: bool,
) -> Result<Vec<SocketAddr>, SourceError> {
    let host = host.to_owned();
    let Some(first) = found.first().map(SocketAddr::ip) else { return Err(SourceError::HostUnknown { host }) };
    let allowed: Vec<SocketAddr> = found.into_iter().filter(|a| allow_private || !is_private(a.ip())).collect();
    if allowed.is_empty() { Err(SourceError::HostPrivate { host, address: first }) } else { Ok(allowed) }
}

/// Connects to the first address that answers.
///
/// # Errors
/// What the first address said, if none of them answers.
pub(crate) async fn connect(host: &str, addresses: &[SocketAddr], limits: &Limits) -> Result<TcpStream, SourceError> {
    let mut first_error = None;
    for address in addresses {
        let error = match tokio::time::timeout(limits.connect, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Commands are short and waited for; Nagle's algorithm would only delay them.
                let _unsupported = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => connect_error(host, address.port(), &error),
            Err(_) => SourceError::ConnectTimeout {
                host: host.to_owned(),
                port: address.port(),
                seconds: limits.connect.as_secs(),
            },
        };
        first_error.get_or_insert(error);
    }
    Err(first_error.unwrap_or_else(|| SourceError::HostUnknown { host: host.to_owned() }))
}

fn connect_error(host: &str, port: u16, error: &std::io::Error) -> SourceError {
    let host = host.to_owned();
    match error.kind() {
        ErrorKind::ConnectionRefused => SourceError::ConnectRefused { host, port },
        _ => SourceError::Unreachable { host, port, detail: error.to_string() },
    }
}

/// A stream under TLS, and what names this very connection on both of its ends.
pub(crate) struct Protected {
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) binding: Option<ChannelBinding>,
    /// The certificates that the server showed, its own first.
    pub(crate) chain: Vec<CertificateInfo>,
}

/// Puts TLS over a stream; the server must prove to be `host` in the way that `trust` says.
///
/// # Errors
/// `CERT_…`, `TLS_FAILED`, `TIMEOUT`.
pub(crate) async fn start_tls(
    stream: Box<dyn Stream>,
    host: &str,
    trust: &Trust,
    limits: &Limits,
) -> Result<Protected, SourceError> {
    let failed = |detail: String| SourceError::TlsFailed { host: host.to_owned(), detail };
    let name = ServerName::try_from(host.trim_start_matches('[').trim_end_matches(']').to_owned())
        .map_err(|_| failed("the host is neither a DNS name nor an address".into()))?;
    let (config, verifier) = trust.client_config()?;
    let handshake =
        tokio_rustls::TlsConnector::from(config).connect(name, BufReader::with_capacity(READ_AHEAD, stream));
    match deadline(host, "the TLS handshake", limits.step, handshake).await? {
        Ok(stream) => {
            let binding = channel_binding(stream.get_ref().1);
            let chain = certificate::parse_chain(&verifier.shown());
            Ok(Protected { stream: Box::new(stream), binding, chain })
        }
        Err(error) => Err(trust.explain(host, &error, &verifier.shown())),
    }
}

/// What SCRAM may be bound to: `tls-exporter` on TLS 1.3, the server's certificate below.
// RFC 9266 §4, RFC 5929 §4
fn channel_binding(connection: &rustls::ClientConnection) -> Option<ChannelBinding> {
    if connection.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_3) {
        let exported = connection.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b""));
        return exported.ok().map(|data| ChannelBinding { name: "tls-exporter", data: data.to_vec() });
    }
    let data = certificate::end_point(connection.peer_certificates()?.first()?)?;
    Some(ChannelBinding { name: "tls-server-end-point", data })
}

/// Waits for `work`, but not longer than `limit`.
pub(crate) async fn deadline<T>(
    host: &str,
    stage: &'static str,
    limit: Duration,
    work: impl Future<Output = T>,
) -> Result<T, SourceError> {
    tokio::time::timeout(limit, work).await.map_err(|_| SourceError::Timeout {
        host: host.to_owned(),
        stage,
        seconds: limit.as_secs(),
    })
}

/// Whether an address is on this machine, in a private network, or in no network at all.
// RFC 6890 (special-purpose addresses), RFC 6598 (shared address space), RFC 6052 (IPv4 inside IPv6)
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_private_v4(v4),
        IpAddr::V6(v6) => {
            let segments = v6.segments();
            let v4_at = |at: usize| Ipv4Addr::from((u32::from(segments[at]) << 16) | u32::from(segments[at + 1]));
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_multicast()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
                || v6.to_ipv4_mapped().is_some_and(is_private_v4)
                || (segments[..6] == [0x64, 0xff9b, 0, 0, 0, 0] && is_private_v4(v4_at(6)))
                // The same prefix for use within one network (RFC 8215), and what was meant to carry IPv4 (RFC 3056, 4380).
                || segments[..3] == [0x64, 0xff9b, 1]
                || (segments[0] == 0x2002 && is_private_v4(v4_at(1)))
                || segments[..2] == [0x2001, 0]
                // IPv4-compatible (RFC 4291 §2.5.5.1), site-local (RFC 3879), discard-only (RFC 6666), documentation.
                || segments[..6] == [0; 6]
                || segments[0] & 0xffc0 == 0xfec0
                || segments[..4] == [0x100, 0, 0, 0]
                || segments[..2] == [0x2001, 0xdb8]
        }
    }
}

fn is_private_v4(v4: Ipv4Addr) -> bool {
    let [a, b, ..] = v4.octets();
    v4.is_loopback()
        || v4.is_private()
        || v4.is_link_local()
        || v4.is_multicast()
        || v4.is_broadcast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && (b == 18 || b == 19))
        // Protocol assignments and the networks of examples (RFC 6890, RFC 5737).
        || matches!(v4.octets(), [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _])
}

#[cfg(test)]
mod tests;
