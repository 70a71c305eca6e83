//! One request over https, with rules on where it may go: which hosts, no private network, no port but 443, few redirects,
//! a deadline and a limit for the body. The address that was checked is the one that is connected to.

use crate::names::Names;
use crate::{Limits, SourceError, Trust, stream};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::header::{HOST, HeaderMap, HeaderValue, LOCATION, USER_AGENT};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Where a request may go, and how much may come back.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The only hosts that may be asked; `None` for any.
    pub hosts: Option<Vec<String>>,
    /// Whether a host may be on this machine or in a private network.
    pub allow_private: bool,
    /// The port of a URL that names none. Default 443.
    pub port: u16,
    /// Whether a URL may name another port.
    pub any_port: bool,
    /// Most redirects that are followed, and only by GET. Each has to keep to these rules. Default 0.
    pub redirects: u8,
    /// Most octets of a body. Default 1 MB (1,000,000).
    pub body: usize,
    /// For all of it, redirects included. Default 15 s.
    pub deadline: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        let deadline = Duration::from_secs(15);
        Self { hosts: None, allow_private: false, port: 443, any_port: false, redirects: 0, body: 1_000_000, deadline }
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The fields of its header.
    pub headers: HeaderMap,
    /// Its body, whole.
    pub body: Bytes,
}

/// Why there is no answer. None of them has anything of the answer in it but its status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpsError {
    /// The address is none.
    #[error("the address is no https URL")]
    NotHttps,
    /// The rules do not allow this host.
    #[error("the host {0} is not one that may be asked")]
    HostRefused(String),
    /// The rules do not allow this port.
    #[error("port {0} may not be asked")]
    PortRefused(u16),
    /// The host cannot be found or reached, or is in a private network, or its certificate is not trusted.
    #[error(transparent)]
    Connection(#[from] SourceError),
    /// The server wants us elsewhere more often than is allowed.
    #[error("the server redirects too often")]
    Redirected,
    /// The body is longer than is allowed.
    #[error("the answer is too long")]
    TooLarge,
    /// It took too long.
    #[error("no answer within {0} s")]
    Timeout(u64),
    /// The server does not keep to HTTP, or hung up.
    #[error("the answer is broken off or no HTTP")]
    Broken,
}

/// A client with its rules.
pub struct Https<N> {
    names: N,
    trust: Trust,
    rules: Rules,
}

impl<N: Names> Https<N> {
    /// A client that asks `names` for addresses and trusts whom `trust` trusts.
    pub fn new(names: N, trust: Trust, rules: Rules) -> Self {
        Self { names, trust, rules }
    }

    /// The name service that it asks.
    pub fn names(&self) -> &N {
        &self.names
    }

    /// Fetches what is at `url`.
    ///
    /// # Errors
    /// [`HttpsError`]; a status that is no success is none.
    pub async fn get(&self, url: &str) -> Result<Answer, HttpsError> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = url.parse().map_err(|_| HttpsError::NotHttps)?;
        self.send(request).await
    }

    /// Sends a request; its URI is absolute.
    ///
    /// # Errors
    /// [`HttpsError`]; a status that is no success is none.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Answer, HttpsError> {
        let patience = self.rules.deadline;
        let all = tokio::time::timeout(patience, self.follow(request));
        all.await.map_err(|_| HttpsError::Timeout(patience.as_secs()))?
    }

    async fn follow(&self, mut request: Request<Bytes>) -> Result<Answer, HttpsError> {
        let mut left = self.rules.redirects;
        loop {
            let is_get = request.method() == Method::GET;
            let from = request.uri().clone();
            let answer = self.exchange(request).await?;
            if !(is_get && answer.status.is_redirection()) {
                return Ok(answer);
            }
            let Some(to) = answer.headers.get(LOCATION) else { return Ok(answer) };
            left = left.checked_sub(1).ok_or(HttpsError::Redirected)?;
            // Nothing of the first request goes along: whoever redirects us gets no token of ours for another host.
            request = Request::new(Bytes::new());
            *request.uri_mut() = resolved(&from, to)?;
        }
    }

    async fn exchange(&self, mut request: Request<Bytes>) -> Result<Answer, HttpsError> {
        let (host, port) = self.permitted(request.uri())?;
        let limits = Limits { connect: self.rules.deadline, step: self.rules.deadline, ..Limits::default() };
        let addresses = self.addresses(&host, port).await?;
        let tcp = stream::connect(&host, &addresses, &limits).await?;
        let protected = stream::start_tls(Box::new(tcp), &host, &self.trust, &limits).await?;

        let authority = if port == 443 { host } else { format!("{host}:{port}") };
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        *request.uri_mut() = path.parse().map_err(|_| HttpsError::NotHttps)?;
        let headers = request.headers_mut();
        headers.insert(HOST, HeaderValue::from_str(&authority).map_err(|_| HttpsError::NotHttps)?);
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static("Postroom"));
        let handshake =
            hyper::client::conn::http1::Builder::new().max_headers(100).handshake(TokioIo::new(protected.stream));
        let (mut sender, connection) = handshake.await.map_err(|_| HttpsError::Broken)?;
        let exchange = async {
            let response = sender.send_request(request.map(Full::new)).await.map_err(|_| HttpsError::Broken)?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, self.rules.body).collect().await.map_err(|error| {
                if error.is::<LengthLimitError>() { HttpsError::TooLarge } else { HttpsError::Broken }
            })?;
            Ok(Answer { status: head.status, headers: head.headers, body: body.to_bytes() })
        };
        // The connection is driven for as long as the exchange takes; that it ends is told to the exchange.
        let driven = async {
            let _told_to_the_exchange = connection.await;
            std::future::pending().await
        };
        tokio::select! {
            answer = exchange => answer,
            never = driven => never,
        }
    }

    /// Host and port, if the rules allow them.
    fn permitted(&self, uri: &Uri) -> Result<(String, u16), HttpsError> {
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(HttpsError::NotHttps)?.to_ascii_lowercase();
        // RFC 3986 §3.2.1: what stands before an @ is no host, and we have no use for it.
        let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
        if uri.scheme_str() != Some("https") || has_user {
            return Err(HttpsError::NotHttps);
        }
        if self.rules.hosts.as_ref().is_some_and(|hosts| !hosts.iter().any(|one| one.eq_ignore_ascii_case(&host))) {
            return Err(HttpsError::HostRefused(host));
        }
        let port = uri.port_u16().unwrap_or(self.rules.port);
        if port != self.rules.port && !self.rules.any_port {
            Err(HttpsError::PortRefused(port))
        } else {
            Ok((host, port))
        }
    }

    /// The addresses of a host, looked up once; those that may not be connected to are left out.
    async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, HttpsError> {
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let found = match literal {
            Ok(address) => vec![address],
            Err(_) => {
                let unknown = |_| SourceError::HostUnknown { host: host.to_owned() };
                self.names.addresses(host).await.map_err(unknown)?
            }
        };
        let found = found.into_iter().map(|address| SocketAddr::new(address, port)).collect();
        Ok(stream::permitted(host, found, self.rules.allow_private)?)
    }
}

/// Where a redirect leads, seen from where it came from.
// RFC 9110 §10.2.2; a path that is relative to another one is nothing that a settings server needs.
fn resolved(from: &Uri, to: &HeaderValue) -> Result<Uri, HttpsError> {
    let to: Uri = to.to_str().ok().and_then(|text| text.parse().ok()).ok_or(HttpsError::NotHttps)?;
    if to.host().is_some() {
        return Ok(to);
    }
    let mut parts = from.clone().into_parts();
    parts.path_and_query = to.into_parts().path_and_query;
    Uri::from_parts(parts).map_err(|_| HttpsError::NotHttps)
}
