//! Deadlines and sizes of a visit, each with its default, and whether it is logged.

use crate::WireLog;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Deadlines and sizes of one visit, and its log.
#[derive(Debug, Clone)]
pub struct Limits {
    /// For one attempt to connect to one address. Default 20 s.
    pub connect: Duration,
    /// For the greeting, for the TLS handshake and for the login, each. Default 30 s.
    pub step: Duration,
    /// For the server to send or take anything at all once we are logged in. Default 60 s.
    pub stall: Duration,
    /// For the whole listing of a folder or maildrop, however busily the server sends. Default 10 min.
    pub listing: Duration,
    /// Largest message that is taken, in octets. Default 50 MB (50,000,000).
    pub max_message: u64,
    /// Most messages of a POP3 server without usable unique-ids that are fetched in each visit only to recognise them.
    /// Default 2,000.
    pub max_unnamed_messages: usize,
    /// Most octets of them, as announced. Default 200 MB (200,000,000).
    pub max_unnamed_octets: u64,
    /// Where what is said is logged, if anywhere. Default: nowhere.
    pub log: Option<WireLog>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            step: Duration::from_secs(30),
            stall: Duration::from_secs(60),
            listing: Duration::from_secs(600),
            max_message: 50_000_000,
            max_unnamed_messages: 2_000,
            max_unnamed_octets: 200_000_000,
            log: None,
        }
    }
}

/// How many octets of messages may be in memory at once, shared by all visits of a process.
///
/// A visit takes its share before it asks for messages, and each message carries its part until it is dropped. A visit
/// that holds nothing waits; one that holds something goes on with what it has, so visits never wait for one another in
/// a circle. Whoever receives messages must not hold them while waiting for more, or it waits for itself.
#[derive(Debug, Clone)]
pub struct Budget {
    permits: Arc<Semaphore>,
    capacity: u32,
}

impl Budget {
    /// A budget of `octets`, at least 1 MiB and at most 1 GiB.
    pub fn new(octets: u32) -> Self {
        let capacity = octets.clamp(1 << 20, 1 << 30);
        Self { permits: Arc::new(Semaphore::new(capacity as usize)), capacity }
    }

    /// Octets that nobody holds.
    pub fn free(&self) -> usize {
        self.permits.available_permits()
    }

    /// Waits for `octets`, or for the whole budget where they are more.
    pub(crate) async fn take(&self, octets: u64) -> Option<OwnedSemaphorePermit> {
        self.permits.clone().acquire_many_owned(self.clamp(octets)).await.ok()
    }

    /// Takes `octets` if they are free now.
    pub(crate) fn try_take(&self, octets: u64) -> Option<OwnedSemaphorePermit> {
        self.permits.clone().try_acquire_many_owned(self.clamp(octets)).ok()
    }

    fn clamp(&self, octets: u64) -> u32 {
        u32::try_from(octets).unwrap_or(u32::MAX).min(self.capacity)
    }
}
