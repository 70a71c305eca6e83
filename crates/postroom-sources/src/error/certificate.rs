//! Why a server's certificate was not accepted, and what it showed.

use crate::certificate::CertificateInfo;
use std::fmt;

/// A certificate that was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateRefused {
    /// The host, as configured.
    pub host: String,
    /// Why.
    pub cause: Cause,
    /// What the server showed, its own first; empty where that could not be read.
    pub chain: Vec<CertificateInfo>,
    /// What is pinned for this host, where something is.
    pub pinned: Vec<CertificateInfo>,
}

/// Why a certificate was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// Nobody we trust vouches for it.
    Untrusted(Distrust),
    /// It is for other names.
    OtherName,
    /// It is no longer valid.
    Expired,
    /// It is not valid yet, or the clock of this machine is slow.
    NotYetValid,
    /// A certificate is pinned for this host, and the server shows another one.
    Changed,
}

/// Why nobody we trust vouches for a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Distrust {
    /// It is signed by itself.
    SelfSigned,
    /// Nobody known signed it.
    UnknownIssuer,
    /// It is an authority's own, shown as a server's: what `openssl req -x509` makes and many servers in-house have.
    AuthorityAsServer,
    /// Somebody signed it whose own certificate does not allow that.
    IssuerIsNoAuthority,
    /// An authority signed it that may not vouch for this name, or not over so many steps.
    BeyondAuthority,
    /// Its key can be broken.
    WeakKey(String),
    /// Its signature, or one above it, is of a kind that can be forged or that nobody knows.
    WeakSignature,
    /// Its signature is wrong.
    BadSignature,
    /// It is not meant for servers.
    OtherPurpose,
    /// It was revoked.
    Revoked,
    /// A name in it is no name.
    BadName,
    /// It cannot be read.
    Unreadable,
    /// Another reason, in the words of the TLS library.
    Other(String),
}

impl CertificateRefused {
    /// The stable code, for scripts.
    pub fn code(&self) -> &'static str {
        match self.cause {
            Cause::Untrusted(_) => "CERT_UNTRUSTED",
            Cause::OtherName => "CERT_NAME_MISMATCH",
            Cause::Expired => "CERT_EXPIRED",
            Cause::NotYetValid => "CERT_NOT_YET_VALID",
            Cause::Changed => "CERT_CHANGED",
        }
    }

    /// What to do; NAME stands for the mailbox.
    pub(super) fn advice(&self) -> String {
        let own = self.chain.first();
        let trust = own.map_or_else(String::new, |own| {
            format!("Compare the fingerprint with the operator of the server; if it is right: `postroom mailbox trust NAME --fingerprint {}`.", own.fingerprint)
        });
        match &self.cause {
            Cause::Untrusted(Distrust::UnknownIssuer) => {
                format!(
                    "{trust} A certificate of the authority that signed it, if you have one: `postroom certificate add FILE --mailbox NAME`."
                )
            }
            Cause::Untrusted(Distrust::WeakKey(_)) => {
                "The operator of the server has to replace it; it cannot be trusted for a mailbox either.".into()
            }
            Cause::Untrusted(_) => trust,
            Cause::OtherName if own.is_some_and(|own| own.names.is_empty()) => trust,
            Cause::OtherName => {
                format!("Use a host name that stands in it: `postroom mailbox set NAME --host HOST`. {trust}")
            }
            Cause::Expired => "The operator of the server has to renew it.".into(),
            Cause::NotYetValid => "Check the clock of this machine, then ask the operator of the server.".into(),
            Cause::Changed => format!("The mail waits on the server. {trust} It takes the place of the old one."),
        }
    }
}

impl std::error::Error for CertificateRefused {}

impl fmt::Display for CertificateRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, cause, chain, pinned } = self;
        let Some(own) = chain.first() else { return write!(f, "the certificate of {host} cannot be read") };
        let (sha256, not_before, not_after) = (own.fingerprint, own.not_before, own.not_after);
        match cause {
            Cause::Changed => {
                write!(
                    f,
                    "{host} shows another certificate than the one trusted for this mailbox: SHA-256 {sha256}, valid {not_before} to {not_after}, in place of "
                )?;
                let old =
                    pinned.iter().map(|c| format!("{}, valid {} to {}", c.fingerprint, c.not_before, c.not_after));
                return f.write_str(&old.collect::<Vec<_>>().join("; "));
            }
            Cause::Untrusted(why) => write!(f, "the certificate of {host} is not trusted: {}", why.words(own))?,
            Cause::OtherName if own.names.is_empty() => {
                write!(
                    f,
                    "the certificate of {host} has no host names in it (what stands in its subject does not count)"
                )?;
            }
            Cause::OtherName => write!(f, "the certificate of {host} is for other names: {}", own.names.join(", "))?,
            Cause::Expired => self.outdated(f, "expired", |c| c.not_after)?,
            Cause::NotYetValid => self.outdated(f, "is not valid before", |c| c.not_before)?,
        }
        write!(f, " (subject {}, SHA-256 {sha256})", own.subject)
    }
}

impl CertificateRefused {
    /// Whose dates are wrong: the server's, or those of somebody who vouches for it.
    fn outdated(
        &self,
        f: &mut fmt::Formatter<'_>,
        what: &str,
        when: impl Fn(&CertificateInfo) -> jiff::Timestamp,
    ) -> fmt::Result {
        let at_fault = match self.cause {
            Cause::Expired => self.chain.iter().min_by_key(|c| c.not_after),
            _ => self.chain.iter().max_by_key(|c| c.not_before),
        };
        let on = if what == "expired" { " on" } else { "" };
        match at_fault {
            Some(other) if Some(other) != self.chain.first() => {
                write!(f, "the certificate {} that vouches for {} {what}{on} {}", other.subject, self.host, when(other))
            }
            Some(own) => write!(f, "the certificate of {} {what}{on} {}", self.host, when(own)),
            None => Ok(()),
        }
    }
}

impl Distrust {
    fn words(&self, own: &CertificateInfo) -> String {
        match self {
            Self::SelfSigned => "it is signed by itself, so nobody vouches for it".into(),
            Self::UnknownIssuer => format!("nobody who is trusted signed it; it names {} as its issuer", own.issuer),
            Self::AuthorityAsServer => "it is an authority's own, shown as a server's".into(),
            Self::IssuerIsNoAuthority => format!("its issuer {} is no authority", own.issuer),
            Self::BeyondAuthority => format!("its issuer {} may not vouch for it", own.issuer),
            Self::WeakKey(key) => format!("its key ({key}) is too weak"),
            Self::WeakSignature => "it is signed in a way that can be forged or that is not known".into(),
            Self::BadSignature => "its signature is wrong".into(),
            Self::OtherPurpose => "it is not meant for a server".into(),
            Self::Revoked => "it was revoked".into(),
            Self::BadName => "a name in it is no host name".into(),
            Self::Unreadable => "it cannot be read".into(),
            Self::Other(words) => words.clone(),
        }
    }
}
