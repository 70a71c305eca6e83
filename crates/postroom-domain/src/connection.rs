//! What the connections of a mailbox showed of their protection, and what a person should be told of it.

use jiff::{SignedDuration, Timestamp};
use postroom_mail::{Access, Security};
use serde::{Serialize, Serializer, ser::SerializeStruct};
use std::fmt;

/// How long before a certificate runs out people are told. 30 days: the renewal of a certificate takes a few.
pub const EXPIRY_NOTICE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A certificate, as far as it matters when it runs out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateDates {
    /// SHA-256 of its DER form, 64 lower-case hexadecimal digits.
    pub fingerprint: String,
    /// Last instant at which it is valid.
    pub not_after: Timestamp,
}

/// What the last connection to the server of a mailbox showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionSeen {
    /// Whether it was protected by TLS.
    pub protected: bool,
    /// The server's certificate.
    pub certificate: Option<CertificateDates>,
}

/// Something that a person should be told of a mailbox that works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// Password and mail go over the network in clear: by choice, or because the server offers nothing better.
    InClear {
        /// Whether that was chosen.
        chosen: bool,
    },
    /// A certificate runs out soon, or has run out.
    CertificateExpires {
        /// Whether it is the one that the server showed last; else it is one that is trusted for this mailbox.
        own: bool,
        /// The certificate.
        certificate: CertificateDates,
        /// Whether it is past.
        past: bool,
    },
}

impl Warning {
    /// The stable code, for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InClear { .. } => "IN_CLEAR",
            Self::CertificateExpires { .. } => "CERT_EXPIRES",
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InClear { chosen: true } => f.write_str(
                "the password and all mail go over the network IN CLEAR, as configured: anybody on the way can read and change them",
            ),
            Self::InClear { chosen: false } => f.write_str(
                "the password and all mail go over the network IN CLEAR, since the server offers no TLS: anybody on the way can read and change them",
            ),
            Self::CertificateExpires { own, certificate, past } => {
                let whose = if *own { "the server's certificate" } else { "a certificate trusted for this mailbox" };
                let when = if *past { "expired on" } else { "expires on" };
                let day = certificate.not_after.strftime("%Y-%m-%d");
                let short = certificate.fingerprint.get(..16).unwrap_or(&certificate.fingerprint);
                write!(f, "{whose} (SHA-256 {short}…) {when} {day}")
            }
        }
    }
}

impl Serialize for Warning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Warning", 2)?;
        object.serialize_field("code", self.code())?;
        object.serialize_field("message", &self.to_string())?;
        object.end()
    }
}

/// What to tell of a mailbox that is reached like this, given its last connection and what is trusted for it.
pub fn warnings(
    access: &Access,
    seen: Option<&ConnectionSeen>,
    trusted: &[CertificateDates],
    now: Timestamp,
) -> Vec<Warning> {
    let Some(server) = access.server() else { return Vec::new() };
    let mut warnings = Vec::new();
    if server.security == Security::None {
        warnings.push(Warning::InClear { chosen: true });
    } else if server.security == Security::StarttlsIfAvailable && seen.is_some_and(|seen| !seen.protected) {
        warnings.push(Warning::InClear { chosen: false });
    }
    let own = seen.and_then(|seen| seen.certificate.as_ref());
    warnings.extend(own.and_then(|certificate| expires(true, certificate, now)));
    let others = trusted.iter().filter(|other| own.is_none_or(|own| own.fingerprint != other.fingerprint));
    warnings.extend(others.filter_map(|certificate| expires(false, certificate, now)));
    warnings
}

fn expires(own: bool, certificate: &CertificateDates, now: Timestamp) -> Option<Warning> {
    let soon = now.checked_add(EXPIRY_NOTICE).unwrap_or(Timestamp::MAX);
    let past = certificate.not_after < now;
    (certificate.not_after <= soon).then(|| Warning::CertificateExpires { own, certificate: certificate.clone(), past })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use expect_test::{Expect, expect};
    use postroom_mail::{AuthMethod, ServerAccess};

    fn check(security: Security, seen: Option<(bool, Option<&str>)>, trusted: &[(&str, &str)], expected: Expect) {
        let (host, user) = ("mail.example.org".to_owned(), "desk".to_owned());
        let server = ServerAccess { host, port: 1, security, user, auth: AuthMethod::Auto, allow_private_host: false };
        let dates = |fingerprint: &str, not_after: &str| CertificateDates {
            fingerprint: fingerprint.repeat(64),
            not_after: not_after.parse().unwrap(),
        };
        let seen = seen.map(|(protected, not_after)| ConnectionSeen {
            protected,
            certificate: not_after.map(|not_after| dates("a", not_after)),
        });
        let trusted: Vec<_> = trusted.iter().map(|(fingerprint, not_after)| dates(fingerprint, not_after)).collect();
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let found = warnings(&Access::Pop3(server), seen.as_ref(), &trusted, now);
        let lines: Vec<String> = found.iter().map(|w| format!("{}: {w}", w.code())).collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn what_is_said_of_a_mailbox() {
        let (soon, later) = ("2026-12-22T12:00:00Z", "2026-12-22T12:00:01Z");
        check(Security::Ssl, None, &[], expect![""]);
        check(Security::Ssl, Some((true, Some(later))), &[("b", later)], expect![""]);
        check(
            Security::Starttls,
            Some((true, Some(soon))),
            &[],
            expect!["CERT_EXPIRES: the server's certificate (SHA-256 aaaaaaaaaaaaaaaa…) expires on 2026-12-22"],
        );
        // A pin is the server's own: it is named once.
        check(
            Security::Ssl,
            Some((true, Some(soon))),
            &[("a", soon), ("b", "2026-11-22T11:59:59Z")],
            expect![[r#"
            CERT_EXPIRES: the server's certificate (SHA-256 aaaaaaaaaaaaaaaa…) expires on 2026-12-22
            CERT_EXPIRES: a certificate trusted for this mailbox (SHA-256 bbbbbbbbbbbbbbbb…) expired on 2026-11-22"#]],
        );
        check(
            Security::None,
            None,
            &[],
            expect![
                "IN_CLEAR: the password and all mail go over the network IN CLEAR, as configured: anybody on the way can read and change them"
            ],
        );
        check(Security::StarttlsIfAvailable, None, &[], expect![""]);
        check(Security::StarttlsIfAvailable, Some((true, None)), &[], expect![""]);
        check(
            Security::StarttlsIfAvailable,
            Some((false, None)),
            &[],
            expect![
                "IN_CLEAR: the password and all mail go over the network IN CLEAR, since the server offers no TLS: anybody on the way can read and change them"
            ],
        );
    }
}
