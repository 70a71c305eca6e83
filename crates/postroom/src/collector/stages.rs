//! Fetching, accepting and intake: three stages with bounded queues between them.

use super::{Visit, VisitError};
use crate::fault::crash_point;
use crate::floor::Floor;
use crate::intake;
use jiff::Timestamp;
use postroom_domain::Reason;
use postroom_mail::Listed;
use postroom_sources::{Fetched, Outcome, Session};
use postroom_store::{Fetched as Incoming, Lease, StoreError};
use std::time::Duration;
use tokio::sync::mpsc;

/// Messages and octets that share one commit.
pub(super) const BATCH_MESSAGES: usize = 64;
const BATCH_OCTETS: u64 = 8 << 20;

/// How long the first message of a batch waits for company. It bounds what a slow server costs in latency, and keeps a
/// fast one from causing a commit for every message.
const LINGER: Duration = Duration::from_millis(20);

/// Fetching, accepting and intake as three stages with bounded queues between them.
pub(super) async fn fetch_and_file(
    visit: &mut Visit<'_>,
    session: &mut Session,
    wanted: &[Listed],
) -> Result<(), VisitError> {
    if wanted.is_empty() {
        return Ok(());
    }
    let (floor, lease) = (visit.floor, visit.lease);
    visit.expected += wanted.len() as u64;
    visit.progress.expect(visit.expected);
    let mut came = Came::default();
    let (fetched, from_server) = mpsc::channel(BATCH_MESSAGES);
    let (accepted, to_read) = mpsc::channel(1);
    let fetching = async {
        let result = session.fetch(wanted, &floor.budget, &fetched).await;
        drop(fetched);
        result.map_err(VisitError::from)
    };
    // An error of the server ends the fetching, not the filing of what came before; one of the store ends all.
    let (fetching, accepting, filing) = tokio::join!(
        fetching,
        accept_stage(floor, lease, from_server, accepted, &mut came),
        intake::stage(floor, to_read, visit.progress),
    );
    let report = &mut *visit.report;
    report.fetched += came.messages;
    report.bytes += came.octets;
    report.tally.held += came.held;
    report.on_server = report.on_server.saturating_sub(came.vanished);
    let tally = filing?;
    report.tally.add(&tally);
    accepting?;
    fetching
}

/// What came of the messages that were asked for.
#[derive(Default)]
struct Came {
    messages: u64,
    octets: u64,
    /// Messages that are held without their octets, by this visit for the first time.
    held: u64,
    /// Messages that were gone when they were asked for.
    vanished: u64,
}

/// Makes batches durable: ★ durable 1.
async fn accept_stage(
    floor: &Floor,
    lease: &Lease,
    mut from_server: mpsc::Receiver<Fetched>,
    accepted: mpsc::Sender<intake::Batch>,
    came: &mut Came,
) -> Result<(), StoreError> {
    while let Some(first) = from_server.recv().await {
        let batch = collect(first, &mut from_server).await;
        let (mut incoming, mut unfetched, mut budget) = (Vec::new(), Vec::new(), Vec::new());
        for mut message in batch {
            match std::mem::replace(&mut message.outcome, Outcome::Vanished) {
                Outcome::Message(raw) => {
                    came.messages += 1;
                    came.octets += raw.size();
                    incoming.push(Incoming { listed: message.listed.clone(), raw });
                    budget.push(message);
                }
                Outcome::TooLarge { announced } => {
                    let listed = Listed { size: announced, ..message.listed };
                    unfetched.push((listed, Reason::TooLarge));
                }
                Outcome::Unfetchable(why) => {
                    tracing::warn!(mailbox = lease.mailbox().0, %why, "a listed message was not handed over");
                    unfetched.push((message.listed, Reason::Unfetchable));
                }
                // Someone else deleted or moved it between our listing and our fetching.
                Outcome::Vanished => came.vanished += 1,
            }
        }
        if !unfetched.is_empty() {
            came.held += floor.store.accept_unfetched(lease, unfetched, Timestamp::now()).await?;
        }
        if incoming.is_empty() {
            continue;
        }
        crash_point!("visit.before_accept");
        let claimed = floor.store.accept(lease, incoming, &floor.worker, Timestamp::now()).await?.claimed;
        crash_point!("visit.after_accept");
        // The budget travels with the batch and is free again when the batch is filed.
        if accepted.send(intake::Batch::new(floor, claimed, budget)).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// A batch: what is there already, and what comes within [`LINGER`].
pub(super) async fn collect(first: Fetched, from_server: &mut mpsc::Receiver<Fetched>) -> Vec<Fetched> {
    let until = tokio::time::Instant::now() + LINGER;
    let mut octets = octets_of(&first);
    let mut batch = vec![first];
    while batch.len() < BATCH_MESSAGES && octets < BATCH_OCTETS {
        match tokio::time::timeout_at(until, from_server.recv()).await {
            Ok(Some(message)) => {
                octets += octets_of(&message);
                batch.push(message);
            }
            Ok(None) | Err(_) => break,
        }
    }
    batch
}

fn octets_of(fetched: &Fetched) -> u64 {
    if let Outcome::Message(raw) = &fetched.outcome { raw.size() } else { 0 }
}
