//! One visit to one mailbox: connect, list what is new, fetch it, make it durable, have it filed, settle what is owed.

mod imap;
mod maildir;
mod maildrop;
mod settle;
mod stages;
mod upheaval;

use crate::connection;
use crate::failure::Failure;
use crate::fault::crash_point;
use crate::floor::Floor;
use crate::intake::{self, Tally};
use jiff::{SignedDuration, Timestamp};
use postroom_domain::Mailbox;
use postroom_mail::{Access, Settlement};
use postroom_sources::{Limits, Session, SourceError, WireLog};
use postroom_store::{Lease, LeaseTaken, LoggedConversation, Memory, Plan, StoreError, VisitEnd};
use std::time::Duration;

/// How long a lease holds unless it is renewed.
const LEASE_TTL: SignedDuration = SignedDuration::from_secs(60);

/// How long it may be until a whole folder is listed again, although nothing seems to have changed in it.
const WHOLE_EVERY: SignedDuration = SignedDuration::from_hours(24);

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
    /// Names have changed, and so many messages cannot be recognised that this may be another mailbox.
    #[error("this looks like a different mailbox: {unknown} of {messages} messages are not known here")]
    Changed {
        /// How many messages are not known, at least.
        unknown: u64,
        /// How many there are, those from before the first visit left out.
        messages: u64,
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
    /// Messages on the server once this visit had settled what was owed.
    pub on_server: u64,
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
    /// Folders that could not be read although others could.
    pub failed_folders: Vec<(String, SourceError)>,
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
            "on_server": self.on_server, "unaccounted": self.unaccounted,
        })
    }
}

/// Told of progress while a visit goes on.
pub trait Progress: Send + Sync {
    /// So many messages in all are to be fetched, as far as is known.
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

/// What is known of the folders at the end of a visit, for whoever waits for something to change in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderShown {
    /// The folder.
    pub folder: String,
    /// Its UIDVALIDITY.
    pub uid_validity: u32,
    /// Every message with this UID or a lower one has its account.
    pub listed_to: u32,
    /// How many messages it has.
    pub messages: u64,
}

/// A visit that has ended.
pub struct Visited {
    /// What it did.
    pub report: Report,
    /// How it ended.
    pub result: Result<(), VisitError>,
    /// The conversation, where it can go on.
    pub session: Option<Session>,
    /// What was seen of each folder.
    pub shown: Vec<FolderShown>,
    /// What was said, where that is logged.
    log: Option<WireLog>,
}

/// A visit while it goes on: what every step of it needs.
struct Visit<'a> {
    floor: &'a Floor,
    mailbox: &'a Mailbox,
    lease: &'a Lease,
    progress: &'a dyn Progress,
    report: &'a mut Report,
    shown: &'a mut Vec<FolderShown>,
    /// Messages that were to be fetched so far.
    expected: u64,
}

impl Visit<'_> {
    /// Records what a folder shows at the end of its visit, unless that is what is known of it anyway. Where something there
    /// has no account, all of it is looked at again at the next visit.
    async fn remember(
        &mut self,
        folder: &str,
        uid_validity: u32,
        before: Option<&Memory>,
        shows: Memory,
    ) -> Result<(), StoreError> {
        if before == Some(&shows) {
            return Ok(());
        }
        let (store, messages) = (&self.floor.store, shows.present);
        let present = store.remember(self.lease, folder, uid_validity, shows.clone()).await?;
        if present < messages {
            self.report.unaccounted += messages - present;
            let again = Memory { whole_at: Timestamp::UNIX_EPOCH, ..shows };
            store.remember(self.lease, folder, uid_validity, again).await?;
        }
        Ok(())
    }
}

/// Visits a mailbox under a lease that the caller took. `kept` is the conversation of an earlier visit. Then [`end`] is due.
pub async fn visit(floor: &Floor, lease: &Lease, progress: &dyn Progress, kept: Option<Session>) -> Visited {
    let mut visited =
        Visited { report: Report::default(), result: Ok(()), session: kept, shown: Vec::new(), log: None };
    let keep_lease = async {
        loop {
            tokio::time::sleep(Duration::from_secs(LEASE_TTL.as_secs() as u64 / 3)).await;
            if let Err(error) = floor.store.renew_lease(lease, Timestamp::now(), LEASE_TTL).await {
                return error;
            }
        }
    };
    visited.result = tokio::select! {
        done = visit_under(lease, floor, &mut visited, progress) => done,
        lost = keep_lease => Err(VisitError::Store(lost)),
    };
    if visited.result.is_err() {
        // In the midst of what failed, nobody knows what the server would say next.
        visited.session = None;
    }
    crash_point!("visit.end");
    visited
}

/// Records a visit and what comes next, and gives the lease back.
///
/// # Errors
/// Those of the store; the lease is given back all the same, or runs out.
pub async fn end(floor: &Floor, lease: Lease, visited: &Visited, plan: Option<Plan>) -> Result<(), StoreError> {
    let ended = async {
        if let Some(log) = &visited.log {
            let said = LoggedConversation { begun_at: log.begun_at(), log: log.text() };
            floor.store.log_conversation(lease.mailbox(), said).await?;
        }
        let end = visit_end(floor, &lease, visited, plan).await?;
        floor.store.end_visit(&lease, end, Timestamp::now()).await
    };
    let ended = ended.await;
    ended.and(floor.store.release_lease(&lease).await)
}

/// A visit from its beginning to its end, after which no conversation is left.
pub async fn visit_once(floor: &Floor, lease: Lease, progress: &dyn Progress) -> (Report, Result<(), VisitError>) {
    let mut visited = visit(floor, &lease, progress, None).await;
    let ended = end(floor, lease, &visited, None).await;
    if let Some(session) = visited.session.take() {
        // Everything is confirmed by now; a server that hangs up instead of saying goodbye has not failed us.
        let _ = session.close().await;
    }
    let result = visited.result.and(ended.map_err(VisitError::from));
    (visited.report, result)
}

/// What is recorded of a visit: what it did, the ledger, what stopped it, and what comes next.
async fn visit_end(
    floor: &Floor,
    lease: &Lease,
    visited: &Visited,
    plan: Option<Plan>,
) -> Result<VisitEnd, StoreError> {
    let mailbox = floor.store.mailbox_by_id(lease.mailbox()).await?;
    let mut report = visited.report.to_json(&mailbox);
    let mut error = None;
    if let Err(stopped) = &visited.result {
        let failure = Failure::from_visit(stopped).for_mailbox(&mailbox.name);
        report["error"] = serde_json::json!(failure);
        error = Some((failure.code.to_owned(), failure.message));
    }
    let asks = matches!(visited.result, Err(VisitError::Changed { .. }));
    Ok(VisitEnd { report, error, asks, plan })
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

/// Goes on with a conversation that was kept, or begins one. A kept one may have ended meanwhile without a word; that is no
/// failure, as long as nothing came of it yet.
async fn visit_under(
    lease: &Lease,
    floor: &Floor,
    visited: &mut Visited,
    progress: &dyn Progress,
) -> Result<(), VisitError> {
    // Read again under the lease: while we waited for it, another visit or a person may have changed the mailbox.
    let mailbox = floor.store.mailbox_by_id(lease.mailbox()).await?;
    if let Some(session) = visited.session.take() {
        visited.log = session.wire_log().cloned();
        let result = visit_in(&mailbox, lease, floor, visited, progress, session).await;
        let is_stale = |error: &VisitError| matches!(error, VisitError::Source(error) if error.is_of_the_connection());
        match result {
            Err(error) if is_stale(&error) && visited.report.fetched + visited.report.settled == 0 => {
                (visited.report, visited.shown) = (Report::default(), Vec::new());
            }
            other => return other,
        }
    }
    visited.log = mailbox.wire_log.then(|| WireLog::begin(Timestamp::now(), &mailbox.access));
    let session = connect(&mailbox, floor, visited.log.clone()).await?;
    crash_point!("visit.after_login");
    visit_in(&mailbox, lease, floor, visited, progress, session).await
}

async fn connect(mailbox: &Mailbox, floor: &Floor, log: Option<WireLog>) -> Result<Session, VisitError> {
    let password = floor.store.password(mailbox.id).await?;
    let trust = connection::trust(&floor.store, mailbox).await?;
    let mut limits = Limits { log, ..floor.limits.clone() };
    if mailbox.policy.filed == Settlement::Delete {
        // Messages without names are few where each is deleted once it is filed.
        (limits.max_unnamed_messages, limits.max_unnamed_octets) = (usize::MAX, u64::MAX);
    }
    let mut session = postroom_sources::open(&mailbox.access, password.as_ref(), &trust, &limits).await?;
    connection::note(&floor.store, mailbox, &mut session).await?;
    Ok(session)
}

async fn visit_in(
    mailbox: &Mailbox,
    lease: &Lease,
    floor: &Floor,
    visited: &mut Visited,
    progress: &dyn Progress,
    mut session: Session,
) -> Result<(), VisitError> {
    let Visited { report, shown, .. } = visited;
    report.login_delay = session.login_delay();
    let mut visit = Visit { floor, mailbox, lease, progress, report, shown, expected: 0 };
    match &mailbox.access {
        Access::Imap(access) => imap::visit(&mut visit, &mut session, access).await?,
        Access::Pop3(_) => maildrop::visit(&mut visit, &mut session).await?,
        Access::Maildir { .. } | Access::Push => maildir::visit(&mut visit, &mut session).await?,
    }
    if let Session::Imap(_) = session {
        visited.session = Some(session);
    } else {
        // Everything is confirmed by now; a server that hangs up instead of saying goodbye has not failed us.
        let _ = session.close().await;
    }
    Ok(())
}

fn is_same_instant(listed: Timestamp, stored: Timestamp) -> bool {
    listed.as_microsecond() == stored.as_microsecond()
}
