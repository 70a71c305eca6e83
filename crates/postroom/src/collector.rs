//! One visit to one mailbox: connect, list what is new, fetch it, make it durable, have it filed, settle what is owed.

use crate::connection;
use crate::failure::Failure;
use crate::fault::crash_point;
use crate::floor::Floor;
use crate::intake::{self, Tally};
use crate::maildrop;
use crate::second_look::{is_same, is_same_instant, still_there};
use jiff::{SignedDuration, Timestamp};
use postroom_domain::{Mailbox, Reason, StartFrom};
use postroom_mail::{Access, Listed, RemoteId, Settlement};
use postroom_sources::{Fetched, Folder, Outcome, Purpose, Session, SourceError};
use postroom_store::{
    Fetched as Incoming, FolderSeen, KnownNames, KnownUid, Lease, LeaseTaken, Owed, StoreError, VisitEnd,
};
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::mpsc;

/// Messages and octets that share one commit.
pub const BATCH_MESSAGES: usize = 64;
const BATCH_OCTETS: u64 = 8 << 20;

/// How long the first message of a batch waits for company. It bounds what a slow server costs in latency, and keeps a
/// fast one from causing a commit for every message.
const LINGER: Duration = Duration::from_millis(20);

/// How long a lease holds unless it is renewed.
const LEASE_TTL: SignedDuration = SignedDuration::from_secs(60);

/// What stopped a visit.
#[derive(Debug, thiserror::Error)]
pub enum VisitError {
    /// The mail server or the way to it.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is nothing to read mail with.
    #[error(transparent)]
    Readers(#[from] crate::readers::Unavailable),
    /// The second look failed: another account, or a server that was restored from a backup.
    #[error("{strangers} UIDs that we know are other messages now, of other size and arrival")]
    Changed {
        /// How many.
        strangers: u64,
    },
}

impl VisitError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Source(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Readers(_) => "READER_UNAVAILABLE",
            Self::Changed { .. } => "MAILBOX_CHANGED",
        }
    }

    /// Whether only a person can mend it.
    pub fn needs_admin(&self) -> bool {
        match self {
            Self::Source(error) => error.remedy() == postroom_sources::Remedy::AskAdmin,
            Self::Store(_) | Self::Readers(_) => false,
            Self::Changed { .. } => true,
        }
    }
}

impl From<intake::IntakeError> for VisitError {
    fn from(error: intake::IntakeError) -> Self {
        match error {
            intake::IntakeError::Store(error) => Self::Store(error),
            intake::IntakeError::Readers(error) => Self::Readers(error),
        }
    }
}

/// What a visit did. Filled as it goes, so that a visit that fails still tells what it achieved.
#[derive(Debug, Default, Clone)]
pub struct Report {
    /// Messages on the server.
    pub listed: u64,
    /// Messages that were there before the first visit and are left alone.
    pub before_start: u64,
    /// Messages whose octets came.
    pub fetched: u64,
    /// Octets that came.
    pub bytes: u64,
    /// What became of them.
    pub tally: Tally,
    /// Changes that the server confirmed.
    pub settled: u64,
    /// Messages on the server that are in no state here although the visit came to its end. It is 0 unless something is
    /// wrong, and then the ledger says so.
    pub unaccounted: u64,
    /// How long the server wants us to wait before the next login, if it says so.
    pub login_delay: Option<Duration>,
}

impl Report {
    /// The object that scripts see, without its time and error.
    pub fn to_json(&self, mailbox: &Mailbox) -> serde_json::Value {
        let (tally, policy) = (&self.tally, &mailbox.policy);
        let filed = if policy.filed == Settlement::Keep { tally.items + tally.comments } else { 0 };
        let held = if policy.held == Settlement::Keep { tally.held } else { 0 };
        serde_json::json!({
            "mailbox": mailbox.name, "listed": self.listed, "before_start": self.before_start,
            "fetched": self.fetched, "items": tally.items, "comments": tally.comments, "held": tally.held,
            "deferred": tally.deferred, "settled": self.settled, "kept": filed + held, "bytes": self.bytes,
            "unaccounted": self.unaccounted,
        })
    }
}

/// Told of progress while a visit goes on.
pub trait Progress: Send + Sync {
    /// So many messages are to be fetched.
    fn expect(&self, messages: u64);
    /// So many more are filed.
    fn filed(&self, messages: u64);
}

/// Progress that nobody watches.
pub struct Unwatched;

impl Progress for Unwatched {
    fn expect(&self, _messages: u64) {}
    fn filed(&self, _messages: u64) {}
}

/// Visits a mailbox under a lease that the caller took, and gives it back.
pub async fn visit(
    floor: &Floor,
    mailbox: &Mailbox,
    lease: Lease,
    progress: &dyn Progress,
) -> (Report, Result<(), VisitError>) {
    let mut report = Report::default();
    let keep_lease = async {
        loop {
            tokio::time::sleep(Duration::from_secs(LEASE_TTL.as_secs() as u64 / 3)).await;
            if let Err(error) = floor.store.renew_lease(&lease, Timestamp::now(), LEASE_TTL).await {
                return error;
            }
        }
    };
    let result = tokio::select! {
        done = visit_under(&lease, floor, &mut report, progress) => done,
        lost = keep_lease => Err(VisitError::Store(lost)),
    };
    crash_point!("visit.end");
    let ended = floor.store.end_visit(&lease, visit_end(mailbox, &report, &result), Timestamp::now()).await;
    let released = floor.store.release_lease(&lease).await;
    (report, result.and(ended.and(released).map_err(VisitError::from)))
}

/// What is recorded of a visit: what it did, the ledger, and what stopped it.
fn visit_end(mailbox: &Mailbox, report: &Report, result: &Result<(), VisitError>) -> VisitEnd {
    let failure = result.as_ref().err().map(|error| Failure::from_visit(error).for_mailbox(&mailbox.name));
    let mut report = report.to_json(mailbox);
    report["error"] = serde_json::json!(failure);
    VisitEnd { report, error: failure.map(|failure| (failure.code.to_owned(), failure.message)) }
}

/// Takes the lease of a mailbox, waiting for a visit that is under way. With `wait` false a busy mailbox is `None`.
pub async fn lease(floor: &Floor, mailbox: &Mailbox, wait: bool) -> Result<Option<Lease>, StoreError> {
    loop {
        match floor.store.take_lease(mailbox.id, &floor.worker, Timestamp::now(), LEASE_TTL).await? {
            LeaseTaken::Lease(lease) => return Ok(Some(lease)),
            LeaseTaken::Busy(_) if wait => tokio::time::sleep(Duration::from_millis(100)).await,
            LeaseTaken::Busy(_) => return Ok(None),
        }
    }
}

async fn visit_under(
    lease: &Lease,
    floor: &Floor,
    report: &mut Report,
    progress: &dyn Progress,
) -> Result<(), VisitError> {
    // Read again under the lease: while we waited for it, another visit or a person may have changed the mailbox.
    let mailbox = &floor.store.mailbox_by_id(lease.mailbox()).await?;
    let password = floor.store.password(mailbox.id).await?;
    let trust = connection::trust(&floor.store, mailbox).await?;
    let mut limits = floor.limits.clone();
    if mailbox.policy.filed == Settlement::Delete {
        // Messages without names are few where each is deleted once it is filed.
        (limits.max_unnamed_messages, limits.max_unnamed_octets) = (usize::MAX, u64::MAX);
    }
    let mut session = postroom_sources::open(&mailbox.access, password.as_ref(), &trust, &limits).await?;
    drop(password);
    connection::note(&floor.store, mailbox, &mut session).await?;
    report.login_delay = session.login_delay();
    crash_point!("visit.after_login");
    let folder = session.select(Purpose::Look).await?;
    let listed = session.list().await?;
    report.listed = listed.len() as u64;
    let wanted = match &mailbox.access {
        Access::Pop3(_) => maildrop::wanted(floor, mailbox, lease, &mut session, &listed, report).await?,
        _ => wanted(floor, mailbox, lease, &mut session, folder, &listed, report).await?,
    };
    progress.expect(wanted.len() as u64);
    fetch_and_file(floor, lease, &mut session, &wanted, report, progress).await?;
    settle(floor, mailbox, lease, &mut session, &listed, report).await?;
    // Everything is confirmed by now; a server that hangs up instead of saying goodbye has not failed us.
    let _ = session.close().await;
    Ok(())
}

/// The messages to fetch: those listed that have no receipt and did not arrive before the first visit.
async fn wanted(
    floor: &Floor,
    mailbox: &Mailbox,
    lease: &Lease,
    session: &mut Session,
    folder: Folder,
    listed: &[Listed],
    report: &mut Report,
) -> Result<Vec<Listed>, VisitError> {
    let memory = Memory::recall(floor, mailbox, lease, folder, listed).await?;
    let mut wanted = Vec::new();
    let mut strangers = Vec::new();
    for message in listed {
        match memory.recognise(message) {
            Recognised::Known => continue,
            Recognised::Stranger => {
                strangers.push(message.clone());
                continue;
            }
            Recognised::New => {}
        }
        if memory.is_before_start(mailbox.start, message) {
            report.before_start += 1;
        } else {
            wanted.push(message.clone());
        }
    }
    let strangers = still_there(floor, session, &strangers).await?;
    if strangers > 0 {
        report.unaccounted = strangers;
        return Err(VisitError::Changed { strangers });
    }
    Ok(wanted)
}

/// What the second look says of a listed message.
enum Recognised {
    /// There is no receipt of it.
    New,
    /// It has its receipt.
    Known,
    /// Its UID has a receipt, of another message: neither size nor arrival agree. Size alone says nothing, since servers
    /// are known to be wrong about it.
    Stranger,
}

/// What we know of a folder before we fetch from it.
enum Memory {
    /// By UID, in the epoch of one UIDVALIDITY.
    Uids { first_uid: u32, floor: Option<Timestamp>, receipted: HashMap<u32, KnownUid> },
    /// By name, in a Maildir.
    Names(KnownNames),
}

impl Memory {
    async fn recall(
        floor: &Floor,
        mailbox: &Mailbox,
        lease: &Lease,
        folder: Folder,
        listed: &[Listed],
    ) -> Result<Self, StoreError> {
        let (store, now, max_message) = (&floor.store, Timestamp::now(), floor.limits.max_message);
        if let Access::Imap(imap) = &mailbox.access {
            let highest = listed.iter().filter_map(|message| uid_of(&message.id)).max().unwrap_or(0);
            // A server that does not tell UIDNEXT has at least told the highest UID in use.
            let uid_next = folder.uid_next.unwrap_or_else(|| highest.saturating_add(1));
            let uid_validity = folder.uid_validity.unwrap_or(0);
            let seen = FolderSeen { folder: imap.folder.clone(), uid_validity, uid_next };
            let epoch = store.begin_visit(lease, seen, now).await?;
            let receipted = store.known_uids(mailbox.id, &epoch, max_message).await?;
            return Ok(Self::Uids { first_uid: epoch.first_uid, floor: epoch.floor, receipted });
        }
        if mailbox.first_visit_at.is_none() {
            let left = if mailbox.start == StartFrom::New { listed } else { &[] };
            store.leave(lease, left.iter().map(|message| message.id.clone()).collect(), now).await?;
        }
        Ok(Self::Names(store.known_names(mailbox.id, max_message).await?))
    }

    fn recognise(&self, message: &Listed) -> Recognised {
        match (self, &message.id) {
            (Self::Uids { receipted, .. }, RemoteId::Imap { uid, .. }) => match receipted.get(uid) {
                None => Recognised::New,
                Some(known) => {
                    let other_arrival = message.received_at.is_some_and(|at| !is_same_instant(at, known.received_at));
                    let stranger = known.size != message.size && other_arrival;
                    if stranger { Recognised::Stranger } else { Recognised::Known }
                }
            },
            (Self::Names(known), RemoteId::Maildir { name }) if known.receipted.contains(name) => Recognised::Known,
            _ => Recognised::New,
        }
    }

    fn is_before_start(&self, start: StartFrom, message: &Listed) -> bool {
        match (self, &message.id) {
            (Self::Uids { first_uid, floor, .. }, _) => start.leaves(message, *first_uid, *floor),
            (Self::Names(known), RemoteId::Maildir { name }) if start == StartFrom::New => {
                known.before_start.contains(name)
            }
            (Self::Names(_), _) => start.leaves(message, 0, None),
        }
    }
}

fn uid_of(id: &RemoteId) -> Option<u32> {
    if let RemoteId::Imap { uid, .. } = id { Some(*uid) } else { None }
}

/// Fetching, accepting and intake as three stages with bounded queues between them.
async fn fetch_and_file(
    floor: &Floor,
    lease: &Lease,
    session: &mut Session,
    wanted: &[Listed],
    report: &mut Report,
    progress: &dyn Progress,
) -> Result<(), VisitError> {
    if wanted.is_empty() {
        return Ok(());
    }
    let mut came = Came::default();
    let (fetched, from_server) = mpsc::channel(BATCH_MESSAGES);
    let (accepted, to_read) = mpsc::channel(1);
    let fetching = async {
        let result = session.fetch(wanted, &floor.budget, &fetched).await;
        drop(fetched);
        result
    };
    // An error of the server ends the fetching, not the filing of what came before; one of the store ends all.
    let (fetching, accepting, filing) = tokio::join!(
        fetching,
        accept_stage(floor, lease, from_server, accepted, &mut came),
        intake::stage(floor, to_read, progress),
    );
    (report.fetched, report.bytes) = (came.messages, came.octets);
    report.tally.held += came.held;
    let tally = filing?;
    report.tally.add(&tally);
    accepting?;
    fetching?;
    report.unaccounted = (wanted.len() as u64).saturating_sub(came.accounted);
    Ok(())
}

/// What came of the messages that were asked for.
#[derive(Default)]
struct Came {
    messages: u64,
    octets: u64,
    /// Messages that are held without their octets, by this visit for the first time.
    held: u64,
    /// Messages of which it is known what became of them: accepted, held, or gone from the server.
    accounted: u64,
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
        let asked = batch.len() as u64;
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
                Outcome::Vanished => {}
            }
        }
        if !unfetched.is_empty() {
            came.held += floor.store.accept_unfetched(lease, unfetched, Timestamp::now()).await?;
        }
        if incoming.is_empty() {
            came.accounted += asked;
            continue;
        }
        crash_point!("visit.before_accept");
        let claimed = floor.store.accept(lease, incoming, &floor.worker, Timestamp::now()).await?.claimed;
        came.accounted += asked;
        crash_point!("visit.after_accept");
        // The budget travels with the batch and is free again when the batch is filed.
        if accepted.send(intake::Batch::new(floor, claimed, budget)).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// A batch: what is there already, and what comes within [`LINGER`].
async fn collect(first: Fetched, from_server: &mut mpsc::Receiver<Fetched>) -> Vec<Fetched> {
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

/// Tells the server what we owe it, and records what it confirmed: ★ durable 3.
async fn settle(
    floor: &Floor,
    mailbox: &Mailbox,
    lease: &Lease,
    session: &mut Session,
    listed: &[Listed],
    report: &mut Report,
) -> Result<(), VisitError> {
    let on_server: HashMap<&RemoteId, &Listed> = listed.iter().map(|l| (&l.id, l)).collect();
    // POP3 deletes at the end of the conversation, so everything has to be said in one go.
    let at_once = if matches!(mailbox.access, Access::Pop3(_)) { u32::MAX } else { 1000 };
    loop {
        let owed = floor.store.owed(mailbox.id, at_once).await?;
        // A message that is not the one we filed, whatever its UID says, is not ours to touch.
        let same = |owed: &Owed| on_server.get(owed.remote_id()).is_none_or(|now| is_same(owed, now));
        let (ours, strangers): (Vec<Owed>, Vec<Owed>) = owed.into_iter().partition(same);
        if !strangers.is_empty() {
            floor.store.cancel_settlement(lease, strangers).await?;
        }
        let Some(how) = ours.first().map(|first| first.how().clone()) else { return Ok(()) };
        let group: Vec<Owed> = ours.into_iter().filter(|owed| *owed.how() == how).collect();
        let ids: Vec<RemoteId> = group.iter().map(|owed| owed.remote_id().clone()).collect();
        crash_point!("visit.before_settle");
        let confirmed = session.settle(&ids, &how).await?;
        crash_point!("visit.after_settle");
        let confirmed: std::collections::HashSet<RemoteId> = confirmed.into_iter().collect();
        let group: Vec<Owed> = group.into_iter().filter(|owed| confirmed.contains(owed.remote_id())).collect();
        if group.is_empty() {
            // The server refused all of them; they stay owed, and the next visit tries again.
            return Ok(());
        }
        report.settled += group.len() as u64;
        floor.store.mark_settled(lease, group, Timestamp::now()).await?;
        crash_point!("visit.after_mark_settled");
    }
}
