#![allow(clippy::unwrap_used)]

use super::{Cause, CertificateRefused, Distrust, Remedy, SourceError};
use postroom_testkit::certificate::{Certificate, CertificateKind};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

/// One of each.
fn all() -> Vec<SourceError> {
    use SourceError as E;
    let (host, port, server, detail) =
        (|| "h.example".to_owned(), 993, || "Ungültig".to_owned(), || "broken".to_owned());
    vec![
        E::HostUnknown { host: host() },
        E::HostPrivate { host: host(), address: IpAddr::V4(Ipv4Addr::LOCALHOST) },
        E::ConnectRefused { host: host(), port },
        E::ConnectTimeout { host: host(), port, seconds: 20 },
        E::Unreachable { host: host(), port, detail: detail() },
        E::TlsFailed { host: host(), detail: detail() },
        E::StarttlsMissing { host: host() },
        E::TlsPreauthRefused { host: host() },
        E::TlsInjection { host: host() },
        E::TlsDowngrade { host: host() },
        E::TlsTooOld { host: host() },
        E::CertInvalid { detail: detail() },
        E::CertPassword { given: false },
        E::AuthRejected { host: host(), server: server() },
        E::AuthUnavailable { host: host(), server: String::new() },
        E::ServerNotProven { host: host() },
        E::LoginDowngrade { host: host() },
        E::LoginDisabled { host: host() },
        E::PasswordMissing,
        E::ArgumentInvalid { what: "folder" },
        E::FolderMissing { folder: "F".into(), server: server() },
        E::ConnectionLost { host: host(), detail: detail() },
        E::Timeout { host: host(), stage: "the greeting", seconds: 30 },
        E::ProtocolError { host: host(), detail: detail() },
        E::Pop3Desync { host: host() },
        E::Pop3NoUidlLeave { messages: 2001, octets: 5 },
        E::MailboxInUse { server: server() },
        E::SettlementUnsupported,
        E::FolderLoops { folder: "F".into() },
        E::Throttled { server: server(), wait: None },
        E::ServerRefused { what: "delete messages", server: server(), transient: false },
        E::UidplusMissing,
        E::MaildirMissing { path: "/m".into() },
        E::MaildirUnreadable { path: "/m".into(), detail: detail() },
        E::FileUnreadable { path: "/m".into(), detail: detail() },
        E::NothingToVisit,
        E::Stopped,
    ]
    .into_iter()
    .chain(refused())
    .collect()
}

/// One of each cause, with a certificate.
fn refused() -> Vec<SourceError> {
    let made = Certificate::new(CertificateKind::SelfSigned).unwrap();
    let chain = vec![crate::certificate::parse_der(&made.der).unwrap()];
    let refused = |cause| {
        let host = "h.example".to_owned();
        let refused = CertificateRefused { host, cause, chain: chain.clone(), pinned: chain.clone() };
        SourceError::Certificate(Box::new(refused))
    };
    let untrusted = Cause::Untrusted(Distrust::UnknownIssuer);
    [untrusted, Cause::OtherName, Cause::Expired, Cause::NotYetValid, Cause::Changed].map(refused).into()
}

#[test]
fn each_error_has_its_own_code_says_what_is_safe_and_what_to_do() {
    let errors = all();
    let codes: BTreeSet<_> = errors.iter().map(SourceError::code).collect();
    assert_eq!(codes.len(), errors.len(), "codes are unique");
    for error in errors {
        let (text, help) = (error.to_string(), error.help());
        assert!(!text.ends_with('.') && !text.is_empty(), "{text}");
        assert!(help.ends_with('.') && help.len() > 40, "{help}");
        let code = error.code();
        assert!(code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'), "{code}");
    }
}

/// An error that a person must see to is not tried again and again; one that passes is not put before a person.
#[test]
fn remedies() {
    let remedy = |code: &str| all().into_iter().find(|e| e.code() == code).unwrap().remedy();
    for code in ["AUTH_REJECTED", "CERT_CHANGED", "TLS_DOWNGRADE", "FOLDER_MISSING", "UIDPLUS_MISSING", "HOST_PRIVATE"]
    {
        assert_eq!(remedy(code), Remedy::AskAdmin, "{code}");
    }
    for code in ["AUTH_UNAVAILABLE", "CONNECTION_LOST", "TIMEOUT", "CONNECT_REFUSED", "UNREACHABLE"] {
        assert_eq!(remedy(code), Remedy::RetryLater, "{code}");
    }
    let refused = |transient| SourceError::ServerRefused { what: "x", server: String::new(), transient }.remedy();
    assert_eq!((refused(true), refused(false)), (Remedy::RetryLater, Remedy::AskAdmin));
}
