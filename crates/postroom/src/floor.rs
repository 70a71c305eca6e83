//! The working floor: what collector, intake and the command line share.

use crate::failure::Failure;
use crate::marker::Marker;
use crate::readers::Readers;
use jiff::Timestamp;
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
    /// The reading threads.
    pub readers: Readers,
    /// The memory for messages.
    pub budget: Budget,
    /// Deadlines and sizes.
    pub limits: Limits,
}

impl Floor {
    /// Opens the floor on a store: first tells the store what dead processes of this machine were reading, then starts
    /// the reading threads.
    ///
    /// # Errors
    /// When the store does not answer or the data directory cannot be written.
    pub async fn open(store: Store) -> Result<Self, Failure> {
        let dir = store.data_dir().join("reading");
        let unwritable = |error: std::io::Error| {
            let message = format!("{}: {error}", dir.display());
            Failure::new(
                "DATA_DIR_UNWRITABLE",
                message,
                "nothing was fetched; check the permissions of the data directory and its space",
            )
        };
        for dead in Marker::of_the_dead(&dir).map_err(unwritable)? {
            let held = store.mark_suspects(&dead.run, dead.receipts.clone(), Timestamp::now()).await?;
            for receipt in held {
                tracing::error!(receipt = receipt.0, "held: reading it stopped Postroom three times");
            }
            // Marked durably, so the file may go; if it stays, marking it again changes nothing.
            let _ = dead.forget();
        }
        let me = Holder::current();
        let run = format!("{}-{}-{:016x}", me.pid, me.start_ticks, me.nonce);
        let readers = Readers::start(&dir, &run).map_err(unwritable)?;
        Ok(Self { store, worker: me, readers, budget: Budget::new(BUDGET), limits: limits() })
    }
}

/// The limits, with the largest message as POSTROOM_MAX_MESSAGE says (octets).
fn limits() -> Limits {
    let mut limits = Limits::default();
    if let Some(octets) = std::env::var("POSTROOM_MAX_MESSAGE").ok().and_then(|text| text.parse().ok()) {
        limits.max_message = octets;
    }
    limits
}
