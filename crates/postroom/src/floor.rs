//! The working floor: what collector, intake and the command line share.

use crate::authentication::Authenticator;
use crate::failure::Failure;
use crate::readers::Readers;
use crate::supervisor::Pace;
use postroom_sources::{Budget, Limits};
use postroom_store::{Holder, Store};
use std::time::Duration;

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
    /// How many mailboxes are visited and waited for at once, and how.
    pub pace: Pace,
}

impl Floor {
    /// Opens the floor on a store.
    ///
    /// # Errors
    /// When a setting is wrong or no thread can be started.
    pub fn open(store: Store) -> Result<Self, Failure> {
        let (limits, pace) = (limits()?, pace()?);
        let (readers, authenticator) = (readers()?, Authenticator::from_environment()?);
        let (worker, budget) = (Holder::current(), Budget::new(BUDGET));
        Ok(Self { store, worker, readers, authenticator, budget, limits, pace })
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
    if let Some(octets) = setting("POSTROOM_MAX_MESSAGE", "octets", "100000000 for 100 MB")? {
        limits.max_message = octets;
    }
    Ok(limits)
}

/// How many mailboxes are visited and waited for at once, as POSTROOM_VISITS, POSTROOM_HOST_CONNECTIONS and POSTROOM_IDLE
/// (seconds) say.
fn pace() -> Result<Pace, Failure> {
    let mut pace = Pace::default();
    let number =
        |value: u64| usize::try_from(value).unwrap_or(usize::MAX).clamp(1, tokio::sync::Semaphore::MAX_PERMITS);
    if let Some(visits) = setting("POSTROOM_VISITS", "visits", "32")? {
        pace.visits = number(visits);
    }
    if let Some(connections) = setting("POSTROOM_HOST_CONNECTIONS", "connections", "4")? {
        pace.host_connections = number(connections);
    }
    if let Some(seconds) = setting("POSTROOM_IDLE", "seconds", "300 for 5 minutes")? {
        // RFC 2177 §3: at least every 29 minutes.
        pace.idle = Duration::from_secs(seconds.clamp(1, 29 * 60));
    }
    Ok(pace)
}

/// A number from the environment, if it is there.
fn setting(name: &'static str, unit: &str, example: &str) -> Result<Option<u64>, Failure> {
    let Ok(text) = std::env::var(name) else { return Ok(None) };
    let wrong = |_| {
        let message = format!("{name} is `{text}`, which is no number of {unit}");
        Failure::new("USAGE", message, format!("write for example {name}={example}"))
    };
    text.parse().map(Some).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_is_no_number_is_refused() {
        // Not set in the tests, so the defaults hold.
        assert!(pace().is_ok_and(|pace| pace.visits == 16 && pace.host_connections == 2_000));
        assert!(setting("POSTROOM_NEVER_SET", "octets", "1").is_ok_and(|value| value.is_none()));
        // A variable that is always there and no number.
        assert!(setting("PATH", "octets", "1").is_err_and(|failure| failure.code == "USAGE"));
    }
}
