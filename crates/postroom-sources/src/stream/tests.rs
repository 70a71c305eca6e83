#![allow(clippy::unwrap_used)]

use super::{connect, is_private, resolve};
use crate::Limits;
use postroom_mail::{AuthMethod, Security, ServerAccess};
use std::net::SocketAddr;

#[test]
fn private_addresses_are_known_in_every_disguise() {
    let private = [
        "127.0.0.1",
        "127.9.9.9",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "0.1.2.3",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "fd12::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::192.168.0.1",
        "64:ff9b:1::8.8.8.8",
        "2002:7f00:1::1",
        "2002:a00:1::",
        "2001::1",
        "::8.8.8.8",
        "fec0::1",
        "100::1",
        "2001:db8::1",
        "192.0.0.8",
        "192.0.2.1",
        "198.51.100.7",
        "203.0.113.9",
    ];
    for address in private {
        assert!(is_private(address.parse().unwrap()), "{address}");
    }
    let public = [
        "8.8.8.8",
        "172.32.0.1",
        "100.128.0.1",
        "192.169.0.1",
        "2001:4860::1",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
        "192.0.1.1",
    ];
    for address in public {
        assert!(!is_private(address.parse().unwrap()), "{address}");
    }
}

#[tokio::test]
async fn literals_are_resolved_and_checked() {
    let limits = Limits::default();
    let code = |host: &str, allow_private_host| {
        let (host, security, user, auth) = (host.into(), Security::Ssl, "ann".into(), AuthMethod::Auto);
        let server = ServerAccess { host, port: 143, security, user, auth, allow_private_host };
        let limits = limits.clone();
        async move { resolve(&server, &limits).await.map_err(|e| e.code()).map(|a| a.len()) }
    };
    assert_eq!(code("127.0.0.1", false).await, Err("HOST_PRIVATE"));
    assert_eq!(code("[::1]", false).await, Err("HOST_PRIVATE"));
    assert_eq!(code("localhost", false).await, Err("HOST_PRIVATE"));
    assert_eq!(code("127.0.0.1", true).await, Ok(1));
    assert_eq!(code("8.8.8.8", false).await, Ok(1));
    assert_eq!(code("nonexistent.invalid", true).await, Err("HOST_UNKNOWN"));
    assert_eq!(code("", true).await, Err("HOST_UNKNOWN"));
}

/// J1: whatever is written for this machine or a private network is refused by its address, before anything is connected to,
/// so that nobody learns which ports are open there.
#[tokio::test]
async fn j1_a_private_host_is_refused_in_every_form_and_for_every_port() {
    let open = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hosts = [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "localhost",
        "[::1]",
        "::1",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "0",
        "10.0.0.1",
        "10.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "2852039166",
        "100.64.0.1",
        "198.18.0.1",
        "[fe80::1]",
        "[fc00::1]",
        "[64:ff9b::10.0.0.1]",
        "[2002:a00:1::]",
    ];
    for host in hosts {
        let mut texts = std::collections::BTreeSet::new();
        for port in [open.local_addr().unwrap().port(), 1, 25, 6379] {
            let (security, auth) = (Security::Ssl, AuthMethod::Auto);
            let server =
                ServerAccess { host: host.into(), port, security, user: "u".into(), auth, allow_private_host: false };
            let error = resolve(&server, &Limits::default()).await.unwrap_err();
            assert_eq!(error.code(), "HOST_PRIVATE", "{host}");
            texts.insert(error.to_string());
        }
        assert_eq!(texts.len(), 1, "{texts:?}");
    }
    let waiting = tokio::time::timeout(std::time::Duration::from_millis(50), open.accept()).await;
    assert!(waiting.is_err(), "somebody connected");
}

/// A host with several addresses is reached if any of them answers, whatever the first ones say.
#[tokio::test]
async fn all_addresses_are_tried() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let open = listener.local_addr().unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let closed = SocketAddr::new(free.ip(), free.port());
    let stream = connect("h", &[closed, open], &Limits::default()).await.unwrap();
    assert_eq!(stream.peer_addr().unwrap(), open);
    let refused = connect("h", &[closed, closed], &Limits::default()).await.unwrap_err();
    assert_eq!(refused.code(), "CONNECT_REFUSED");
}
