//! The working floor: what collector, intake and the command line share.

use crate::failure::Failure;
use crate::marker::Marker;
use crate::readers::Readers;
use jiff::Timestamp;
use postroom_sources::{Budget, Limits};
use postroom_store::{Holder, Store};
use std::path::{Path, PathBuf};

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
        let limits = limits()?;
        suspect_what_the_dead_read(&store).await?;
        let me = Holder::current();
        let run = format!("{}-{}-{:016x}", me.pid, me.start_ticks, me.nonce);
        let dir = marker_dir(&store);
        let readers = Readers::start(&dir, &run).map_err(|error| unwritable(&dir, &error))?;
        Ok(Self { store, worker: me, readers, budget: Budget::new(BUDGET), limits })
    }
}

/// Tells the store what processes of this machine were reading when they died. To be done before anything is claimed,
/// so that a message which ended one process is not read beside others by the next.
pub async fn suspect_what_the_dead_read(store: &Store) -> Result<(), Failure> {
    let dir = marker_dir(store);
    for dead in Marker::of_the_dead(&dir).map_err(|error| unwritable(&dir, &error))? {
        let held = store.mark_suspects(&dead.run, dead.receipts.clone(), Timestamp::now()).await?;
        for receipt in held {
            tracing::error!(receipt = receipt.0, "held: reading it stopped Postroom three times");
        }
        // Marked durably, so the file may go; if it stays, marking it again changes nothing.
        let _ = dead.forget();
    }
    Ok(())
}

fn marker_dir(store: &Store) -> PathBuf {
    store.data_dir().join("reading")
}

fn unwritable(dir: &Path, error: &std::io::Error) -> Failure {
    let help = "nothing was fetched; check the permissions of the data directory and its space";
    Failure::new("DATA_DIR_UNWRITABLE", format!("{}: {error}", dir.display()), help)
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
