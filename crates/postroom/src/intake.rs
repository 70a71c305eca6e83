//! Intake: read what was accepted, on all cores, find out whether it is by whom it says, and have it decided and filed, in
//! order: ★ durable 2.

use crate::authentication;
use crate::collector::Progress;
use crate::fault::crash_point;
use crate::floor::Floor;
use crate::readers::{Unavailable, Unread};
use jiff::Timestamp;
use postroom_domain::Reason;
use postroom_mail::RawMessage;
use postroom_sources::Fetched;
use postroom_store::{ClaimLimit, Claimed, Outcome, OutcomeKind, Reading, Store, StoreError, Ticket};
use tokio::sync::mpsc;

/// Messages and octets that are claimed, read and filed together.
const CLAIM: ClaimLimit = ClaimLimit { count: 64, octets: 8 << 20 };

/// Why messages could not be read or filed. They are as they were, and it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is nothing to read them with.
    #[error(transparent)]
    Readers(#[from] Unavailable),
}

impl From<authentication::Trouble> for IntakeError {
    fn from(trouble: authentication::Trouble) -> Self {
        match trouble {
            authentication::Trouble::Store(error) => Self::Store(error),
            authentication::Trouble::Readers(error) => Self::Readers(error),
        }
    }
}

impl IntakeError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Readers(_) => "READER_UNAVAILABLE",
        }
    }
}

/// Accepted messages on their way to filing, with the memory they may use until then.
pub struct Batch {
    claimed: Vec<Claimed>,
    unfiled: Unfiled,
    budget: Vec<Fetched>,
}

impl Batch {
    /// A batch that keeps its part of the budget until it is filed.
    pub fn new(floor: &Floor, claimed: Vec<Claimed>, budget: Vec<Fetched>) -> Self {
        let tickets = claimed.iter().map(Claimed::ticket).collect();
        Self { claimed, unfiled: Unfiled { store: floor.store.clone(), tickets }, budget }
    }
}

/// The claims of a batch that is not filed yet. Whatever ends the batch before, an error or a visit that is given up,
/// they are given back, so that another worker need not wait until they expire.
struct Unfiled {
    store: Store,
    tickets: Vec<Ticket>,
}

impl Drop for Unfiled {
    fn drop(&mut self) {
        let (store, tickets) = (self.store.clone(), std::mem::take(&mut self.tickets));
        if tickets.is_empty() {
            return;
        }
        // Without a runtime the process is ending, and the claims of a dead process are free.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = store.give_back(tickets).await {
                    tracing::warn!(code = error.code(), "claims could not be given back; they expire by themselves");
                }
            });
        }
    }
}

/// How many messages became what.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    /// New items.
    pub items: u64,
    /// Comments.
    pub comments: u64,
    /// Held messages.
    pub held: u64,
    /// Messages to be tried again later.
    pub deferred: u64,
}

impl Tally {
    /// Counts outcomes.
    pub fn count(&mut self, outcomes: &[Outcome]) {
        for outcome in outcomes {
            match outcome.kind {
                OutcomeKind::Item(_) => self.items += 1,
                OutcomeKind::Comment { .. } => self.comments += 1,
                OutcomeKind::Held => self.held += 1,
                OutcomeKind::Deferred => self.deferred += 1,
                // Another worker has it; it is counted there.
                OutcomeKind::Lost => {}
            }
        }
    }

    /// Adds another tally.
    pub fn add(&mut self, other: &Self) {
        self.items += other.items;
        self.comments += other.comments;
        self.held += other.held;
        self.deferred += other.deferred;
    }
}

/// Reads, judges and files batches as they come: while one is being filed, the next one's senders are being judged and the
/// one after it is being read.
pub async fn stage(
    floor: &Floor,
    mut accepted: mpsc::Receiver<Batch>,
    progress: &dyn Progress,
) -> Result<Tally, IntakeError> {
    let (read, mut to_judge) = mpsc::channel(1);
    let (judged, mut to_file) = mpsc::channel(1);
    // Each stage owns its ends of the queues, so that a stage that fails closes them and stops its neighbours.
    let reading = async move {
        while let Some(batch) = accepted.recv().await {
            let readings = read_all(floor, &batch.claimed).await;
            if read.send((batch, readings)).await.is_err() {
                break;
            }
        }
    };
    let judging = async move {
        while let Some((batch, readings)) = to_judge.recv().await {
            let ready = match readings {
                Ok(readings) => judge(floor, batch, &readings).await.map(|batch| (batch, readings)),
                Err(error) => Err(error),
            };
            if judged.send(ready).await.is_err() {
                break;
            }
        }
    };
    let filing = async move {
        let mut tally = Tally::default();
        while let Some(ready) = to_file.recv().await {
            let (batch, readings): (Batch, Vec<Reading>) = ready?;
            let messages = batch.claimed.len() as u64;
            tally.count(&file(floor, batch, readings).await?);
            progress.filed(messages);
        }
        Ok(tally)
    };
    let ((), (), tally) = tokio::join!(reading, judging, filing);
    tally
}

/// Works off what was accepted earlier and is due, until nothing is left.
pub async fn work_off(floor: &Floor) -> Result<Tally, IntakeError> {
    let mut tally = Tally::default();
    loop {
        let claimed = floor.store.claim(&floor.worker, CLAIM, Timestamp::now()).await?;
        if claimed.is_empty() {
            return Ok(tally);
        }
        tally.count(&work(floor, claimed).await?);
    }
}

/// Reads and files messages that were just claimed, say by `deliver`.
pub async fn work(floor: &Floor, claimed: Vec<Claimed>) -> Result<Vec<Outcome>, IntakeError> {
    let batch = Batch::new(floor, claimed, Vec::new());
    let readings = read_all(floor, &batch.claimed).await?;
    let batch = judge(floor, batch, &readings).await?;
    file(floor, batch, readings).await
}

async fn judge(floor: &Floor, mut batch: Batch, readings: &[Reading]) -> Result<Batch, IntakeError> {
    let claimed = std::mem::take(&mut batch.claimed);
    batch.claimed = authentication::judge(floor, claimed, readings).await?;
    Ok(batch)
}

async fn read_all(floor: &Floor, claimed: &[Claimed]) -> Result<Vec<Reading>, IntakeError> {
    crash_point!("intake.before_read");
    let raw: Vec<RawMessage> = claimed.iter().map(|c| c.raw().clone()).collect();
    let readings = floor.readers.read(raw).await?;
    crash_point!("intake.after_read");
    Ok(readings
        .into_iter()
        .map(|read| read.map_or_else(failed, |message| Reading::Message(Box::new(message))))
        .collect())
}

/// A message that could not be read is held, with what is known of why.
fn failed(unread: Unread) -> Reading {
    let (reason, detail) = match unread {
        Unread::Panicked(detail) => (Reason::ReadPanicked, detail),
        Unread::Crashed(detail) | Unread::Unreadable(detail) => (Reason::ReadCrashed, detail),
        Unread::Exhausted(detail) => (Reason::ReadExhausted, detail),
    };
    Reading::Failed { reason, detail }
}

async fn file(floor: &Floor, batch: Batch, readings: Vec<Reading>) -> Result<Vec<Outcome>, IntakeError> {
    let Batch { claimed, mut unfiled, budget } = batch;
    let read = claimed.into_iter().zip(readings).collect();
    let outcomes = floor.store.file(read, &floor.worker, Timestamp::now()).await?;
    unfiled.tickets.clear();
    drop(budget);
    crash_point!("intake.after_file");
    Ok(outcomes)
}
