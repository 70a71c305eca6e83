//! The working floor: what collector, intake and the command line share.

use crate::authentication::Authenticator;
use crate::failure::Failure;
use crate::readers::Readers;
use postroom_sources::{Budget, Limits};
use postroom_store::{Holder, Store};

/// Octets of messages that may be in memory at once in this process, whatever the mailboxes hold.
const BUDGET: u32 = 24 << 20;

/// Everything a worker needs. Cheap to clone.
#[derive(Clone)]
pub struct Floor {
    /// The store.
    pub store: Store,
    /// Who we are, for leases and claims.
    pub worker: Holder,
    /// The reading processes.
    pub readers: Readers,
    /// Who asks the DNS about senders.
    pub authenticator: Authenticator,
    /// The memory for messages.
    pub budget: Budget,
    /// Deadlines and sizes.
    pub limits: Limits,
}

impl Floor {
    /// Opens the floor on a store.
    ///
    /// # Errors
    /// When a setting is wrong or no thread can be started.
    pub fn open(store: Store) -> Result<Self, Failure> {
        let limits = limits()?;
        let (readers, authenticator) = (readers()?, Authenticator::from_environment()?);
        Ok(Self { store, worker: Holder::current(), readers, authenticator, budget: Budget::new(BUDGET), limits })
    }
}

/// Threads for the reading processes.
pub fn readers() -> Result<Readers, Failure> {
    Readers::start().map_err(|error| {
        let help = "check the limits on threads and open files of this user";
        Failure::new("RUNTIME_FAILED", format!("the reading threads did not start: {error}"), help)
    })
}

/// The limits, with the largest message as POSTROOM_MAX_MESSAGE says (octets).
pub fn limits() -> Result<Limits, Failure> {
    let mut limits = Limits::default();
    if let Ok(text) = std::env::var("POSTROOM_MAX_MESSAGE") {
        limits.max_message = text.parse().map_err(|_| {
            let message = format!("POSTROOM_MAX_MESSAGE is `{text}`, which is no number of octets");
            Failure::new("USAGE", message, "write for example POSTROOM_MAX_MESSAGE=100000000 for 100 MB")
        })?;
    }
    Ok(limits)
}
