//! Real mail servers of several makes behind one face, for tests that every server has to pass.

use crate::certificate::Certificate;
use crate::client::ImapClient;
use crate::courier::Courier;
use crate::cyrus::Cyrus;
use crate::dovecot::Dovecot;
use crate::ports::Ports;
use anyhow::Result;

/// Who made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of the servers")]
pub enum Make {
    Dovecot,
    Cyrus,
    Courier,
}

/// How mail is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of the protocols")]
pub enum Protocol {
    Imap,
    Pop3,
}

/// A running mail server for IMAP and POP3, in clear and over TLS; stopped when dropped.
#[derive(Debug)]
#[allow(missing_docs, reason = "the names of the servers")]
pub enum MailServer {
    Dovecot(Box<Dovecot>),
    Cyrus(Box<Cyrus>),
    Courier(Box<Courier>),
}

impl MailServer {
    /// Starts one of this make.
    ///
    /// `None`, said aloud, where it is not there, unless `POSTROOM_TEST_REQUIRE_SERVERS` is set.
    ///
    /// # Panics
    /// When it is there (or required) and does not start.
    pub fn start(make: Make) -> Option<Self> {
        // Another process may take a free port before the server does; then it is tried again with others.
        let mut tries = 0;
        loop {
            let started = match make {
                Make::Dovecot => return Dovecot::start().map(|dovecot| Self::Dovecot(Box::new(dovecot))),
                Make::Cyrus => Cyrus::start().map(|cyrus| Some(Self::Cyrus(Box::new(cyrus?)))),
                Make::Courier => Courier::start().map(|courier| Some(Self::Courier(Box::new(courier?)))),
            };
            match started {
                Ok(server) => return server,
                Err(error) if tries == 3 => panic!("{make:?} does not start: {error:#}"),
                Err(_) => tries += 1,
            }
        }
    }

    /// Who made it.
    pub fn make(&self) -> Make {
        match self {
            Self::Dovecot(_) => Make::Dovecot,
            Self::Cyrus(_) => Make::Cyrus,
            Self::Courier(_) => Make::Courier,
        }
    }

    /// Where it listens.
    pub fn ports(&self) -> Ports {
        match self {
            Self::Dovecot(dovecot) => dovecot.ports(),
            Self::Cyrus(cyrus) => cyrus.ports,
            Self::Courier(courier) => courier.ports,
        }
    }

    /// The port of a protocol, over TLS from the first octet or not.
    pub fn port(&self, protocol: Protocol, is_tls: bool) -> u16 {
        let ports = self.ports();
        match (protocol, is_tls) {
            (Protocol::Imap, true) => ports.imaps,
            (Protocol::Imap, false) => ports.imap,
            (Protocol::Pop3, true) => ports.pop3s,
            (Protocol::Pop3, false) => ports.pop3,
        }
    }

    /// What it shows.
    pub fn certificate(&self) -> &Certificate {
        match self {
            Self::Dovecot(dovecot) => &dovecot.certificate,
            Self::Cyrus(cyrus) => &cyrus.certificate,
            Self::Courier(courier) => &courier.certificate,
        }
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        match self {
            Self::Dovecot(dovecot) => dovecot.log(),
            Self::Cyrus(cyrus) => cyrus.log(),
            Self::Courier(courier) => courier.log(),
        }
    }

    /// How a folder beside the inbox is called there: some servers have all folders below the inbox.
    pub fn folder(&self, name: &str) -> String {
        if self.make() == Make::Courier { format!("INBOX.{name}") } else { name.to_owned() }
    }

    /// Makes a user with [`crate::dovecot::PASSWORD`] and an inbox, and logs another client in for him.
    ///
    /// # Errors
    /// When the server cannot do that.
    pub fn client(&self, user: &str) -> Result<ImapClient> {
        match self {
            Self::Dovecot(dovecot) => drop(dovecot.maildir(user)?),
            Self::Cyrus(_) => {}
            Self::Courier(courier) => courier.add_user(user)?,
        }
        ImapClient::connect(self.ports().imap, user)
    }
}
