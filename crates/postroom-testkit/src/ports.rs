//! Where a mail server listens.

use std::io::Result;
use std::net::TcpListener;

/// The ports of a mail server on 127.0.0.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// IMAP in clear and with STARTTLS.
    pub imap: u16,
    /// IMAP over TLS.
    pub imaps: u16,
    /// POP3 in clear and with STLS.
    pub pop3: u16,
    /// POP3 over TLS.
    pub pop3s: u16,
}

impl Ports {
    /// Ports that were free a moment ago. Another process may be faster in taking one of them.
    ///
    /// # Errors
    /// When no port is free.
    pub fn free() -> Result<Self> {
        let mut listeners = Vec::new();
        let mut ports = [0; 4];
        for port in &mut ports {
            let listener = TcpListener::bind("127.0.0.1:0")?;
            *port = listener.local_addr()?.port();
            listeners.push(listener);
        }
        let [imap, imaps, pop3, pop3s] = ports;
        Ok(Self { imap, imaps, pop3, pop3s })
    }

    /// All of them.
    pub fn all(self) -> [u16; 4] {
        [self.imap, self.imaps, self.pop3, self.pop3s]
    }
}
