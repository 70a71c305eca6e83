//! The keeper of one mailbox: visits it when its time has come or mail arrives, and waits in between. A conversation that can
//! wait for mail is kept open for that, and the lease is given back meanwhile, so that others may visit.

use super::lanes::{Lanes, Waiter};
use super::schedule::{Ended, dice};
use crate::collector::{self, FolderShown, Unwatched, VisitError, Visited};
use crate::floor::Floor;
use jiff::Timestamp;
use postroom_domain::Mailbox;
use postroom_sources::{Change, ImapSession, Session, SourceError};
use postroom_store::{Plan, Planned};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep_until};

/// How often a mailbox that is waited at is visited all the same: for what is owed, for what a server could not give, and in
/// case that it forgets to tell.
const VISIT_ALL_THE_SAME: Duration = Duration::from_secs(30 * 60);
/// How soon a mailbox is tried again that somebody else is visiting.
const BUSY: Duration = Duration::from_secs(1);
/// Within how long a lost connection is made again; the time varies, since a server that restarts loses all at once.
const RECONNECT: Duration = Duration::from_secs(3);
/// A server that ends waiting sooner than this, so many times in a row, is not waited at for a while.
const SHORT_WAIT: Duration = Duration::from_secs(20);
const SHORT_WAITS: u32 = 3;
/// How long a while is.
const NO_WAITING: Duration = Duration::from_secs(60 * 60);
/// So many visits in a row that fetch nothing are made at once because the numbers do not add up; then only in time.
const FRUITLESS: u32 = 2;

/// What the supervisor wants of a keeper. When nobody wants anything any more, the keeper ends.
#[derive(Debug, Clone)]
pub struct Order {
    /// The mailbox as it is set up now.
    pub mailbox: Arc<Mailbox>,
    /// Grows when a visit of somebody else went well although ours had failed.
    pub well_again: u64,
    /// Grows when something is owed to the server.
    pub reminders: u64,
}

impl Order {
    /// The order to begin with.
    pub fn first(mailbox: Mailbox) -> Self {
        Self { mailbox: Arc::new(mailbox), well_again: 0, reminders: 0 }
    }
}

/// The keeper of one mailbox.
pub struct Keeper {
    floor: Floor,
    lanes: Lanes,
    orders: watch::Receiver<Order>,
    /// The order that is being carried out.
    order: Order,
    /// How many visits in a row have failed.
    failures: Arc<AtomicU32>,
    due: Instant,
    visited: Option<Instant>,
    waiting: Option<Waiting>,
    /// When waiting may be tried again, after it did not work.
    wait_again: Instant,
    short_waits: u32,
    fruitless: u32,
}

/// A conversation that is kept open.
struct Waiting {
    session: Box<ImapSession>,
    shown: Vec<FolderShown>,
    waiter: Waiter,
    connection: Option<OwnedSemaphorePermit>,
}

/// Why a keeper wakes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Woken {
    /// The time for a visit has come.
    Due,
    /// Something has changed in the mailbox.
    Mail,
    /// There is a new order.
    Ordered,
    /// The connection is gone, or the server waits with us no longer.
    Lost,
    /// Others need the connection more.
    Crowded,
}

impl Keeper {
    /// A keeper who begins where the last one ended.
    pub fn new(
        floor: Floor,
        lanes: Lanes,
        orders: watch::Receiver<Order>,
        failures: Arc<AtomicU32>,
        planned: &Planned,
    ) -> Self {
        // A restart is no reason to try a rejected password again, or to disregard what a server asked for.
        let keeps_waiting = planned.throttled || planned.error_code.as_deref() == Some("AUTH_REJECTED");
        let until = planned.next_visit_at.filter(|_| keeps_waiting).unwrap_or(Timestamp::UNIX_EPOCH);
        let pause = Duration::try_from(until.duration_since(Timestamp::now())).unwrap_or_default();
        let (now, order) = (Instant::now(), orders.borrow().clone());
        Self {
            floor,
            lanes,
            orders,
            order,
            failures,
            due: now + pause,
            visited: None,
            waiting: None,
            wait_again: now,
            short_waits: 0,
            fruitless: 0,
        }
    }

    /// Works until the mailbox is no longer to be visited.
    pub async fn run(mut self) {
        loop {
            let woken = match &mut self.waiting {
                Some(waiting) => {
                    let look_every = self.floor.pace.idle.min(every(&self.order.mailbox));
                    waiting.wait(self.due, look_every, &mut self.orders).await
                }
                None => until(self.due, &mut self.orders).await,
            };
            let is_time = match woken {
                Woken::Ordered => match self.take_order() {
                    Ok(is_time) => is_time,
                    Err(Dismissed) => return,
                },
                Woken::Mail if self.fruitless >= FRUITLESS => {
                    // It says so again and again, and there is nothing: the next visit comes in time.
                    self.give_up_waiting().await;
                    false
                }
                Woken::Mail | Woken::Due => true,
                Woken::Crowded => {
                    self.give_up_waiting().await;
                    false
                }
                Woken::Lost => {
                    self.lose().await;
                    false
                }
            };
            if is_time {
                // In a box, so that a keeper who waits has no room for a visit in his memory.
                Box::pin(self.visit(woken)).await;
            }
        }
    }

    /// Takes the new order; whether it calls for a visit now.
    fn take_order(&mut self) -> Result<bool, Dismissed> {
        if self.orders.has_changed().is_err() {
            return Err(Dismissed);
        }
        let order = self.orders.borrow_and_update().clone();
        let is_new_mailbox = order.mailbox.revision != self.order.mailbox.revision;
        let is_well_again = order.well_again != self.order.well_again;
        self.order = order;
        if is_new_mailbox {
            // Host, password or certificates may be others now.
            self.waiting = None;
            self.wait_again = Instant::now();
        }
        if is_new_mailbox || is_well_again {
            self.failures.store(0, SeqCst);
            return Ok(true);
        }
        // Something is owed: after a failure it is done when the back-off is over.
        Ok(self.failures.load(SeqCst) == 0)
    }

    /// The connection is gone. It is made again soon, unless that happens again and again.
    async fn lose(&mut self) {
        let was_short = self.visited.is_some_and(|visited| visited.elapsed() < SHORT_WAIT);
        self.short_waits = if was_short { self.short_waits + 1 } else { 0 };
        if self.short_waits >= SHORT_WAITS {
            return self.give_up_waiting().await;
        }
        self.waiting = None;
        self.due = self.due.min(Instant::now() + RECONNECT.mul_f64(dice()));
    }

    /// Visits in time alone for a while.
    async fn give_up_waiting(&mut self) {
        (self.short_waits, self.fruitless) = (0, 0);
        let (now, pause) = (Instant::now(), every(&self.order.mailbox));
        (self.due, self.wait_again) = (self.due.min(now + pause), now + NO_WAITING);
        let next_visit_at = later(self.due.saturating_duration_since(now));
        let plan = Plan { next_visit_at, throttled: false, waited_by: None };
        // Only for people who look; who has no answer from the database gets none about this either.
        let _ = self.floor.store.plan_visit(self.order.mailbox.id, plan).await;
        if let Some(waiting) = self.waiting.take() {
            let _goodbye = waiting.session.close().await;
        }
    }

    async fn visit(&mut self, woken: Woken) {
        let (mailbox, floor) = (Arc::clone(&self.order.mailbox), self.floor.clone());
        let host = mailbox.access.server().map(|server| self.lanes.host(&server.host));
        let (mut session, mut waiter, mut connection) = (None, None, None);
        if let Some(waiting) = self.waiting.take() {
            session = Some(Session::Imap(waiting.session));
            (waiter, connection) = (Some(waiting.waiter), waiting.connection);
        } else if let Some(host) = &host {
            connection = host.connect().await;
        }
        let started = Instant::now();
        let visit = async {
            // Busy means that another process, say `postroom fetch`, is doing this very work.
            let Some(lease) = collector::lease(&floor, &mailbox, false).await? else { return Ok(None) };
            let visited = collector::visit(&floor, &lease, &Unwatched, session).await;
            Ok(Some((lease, visited)))
        };
        let (lease, mut visited) = match self.lanes.pass(visit).await {
            Ok(Some(done)) => done,
            Ok(None) => {
                self.due = Instant::now() + BUSY;
                return;
            }
            Err(error) => {
                self.failed_without_a_visit(&mailbox, &VisitError::Store(error));
                return;
            }
        };
        tell(&mailbox, &visited, started);
        let ended = Ended::of(&visited.report, &visited.result);
        let failures = if matches!(ended, Ended::Well(_)) { 0 } else { self.failures.load(SeqCst) + 1 };
        self.failures.store(failures, SeqCst);
        let is_throttled = matches!(ended, Ended::Throttled(_));
        if let (true, Some(host)) = (is_throttled, &host) {
            host.complains();
        }
        let was_fruitless = woken == Woken::Mail && visited.report.fetched + visited.report.settled == 0;
        self.fruitless = if was_fruitless { self.fruitless + 1 } else { 0 };

        let session = self.can_wait(&mut visited).await;
        let free = |waiter: &Waiter| !waiter.is_crowded();
        let waiter = session.as_ref().and_then(|_| waiter.filter(free).or_else(|| host.as_ref()?.wait()));
        let pause = match &waiter {
            Some(_) => Ended::Well(Duration::ZERO).pause(VISIT_ALL_THE_SAME.max(every(&mailbox)), 0, dice()),
            None => ended.pause(every(&mailbox), failures, dice()),
        };
        self.visited = Some(Instant::now());
        self.due = Instant::now() + pause;
        let waited_by = waiter.as_ref().map(|_| floor.worker.clone());
        let plan = Plan { next_visit_at: later(pause), throttled: is_throttled, waited_by };
        if let Err(error) = collector::end(&floor, lease, &visited, Some(plan)).await {
            tracing::warn!(mailbox = mailbox.id.0, code = error.code(), "the end of a visit could not be recorded");
        }
        match (session, waiter) {
            (Some(session), Some(waiter)) => {
                self.waiting = Some(Waiting { session, shown: visited.shown, waiter, connection });
            }
            (Some(session), None) => drop(session.close().await),
            _ => {}
        }
    }

    /// The conversation, if it can wait for mail and that is wanted; any other is ended.
    async fn can_wait(&self, visited: &mut Visited) -> Option<Box<ImapSession>> {
        let session = visited.session.take()?;
        let Session::Imap(mut imap) = session else {
            let _goodbye = session.close().await;
            return None;
        };
        let first = imap.first_folder();
        let is_wanted = self.wait_again <= Instant::now() && visited.shown.iter().any(|shown| shown.folder == first);
        if is_wanted && imap.offers_waiting().await.unwrap_or(false) {
            return Some(imap);
        }
        let _goodbye = imap.close().await;
        None
    }

    /// Not even the lease could be asked for.
    fn failed_without_a_visit(&mut self, mailbox: &Mailbox, error: &VisitError) {
        let failures = self.failures.fetch_add(1, SeqCst) + 1;
        tracing::warn!(mailbox = mailbox.id.0, code = error.code(), failures, "visit failed");
        self.due = Instant::now() + Ended::Passing.pause(every(mailbox), failures, dice());
    }
}

impl Waiting {
    /// Waits until a visit is due or called for. From time to time the server is asked, whatever it tells by itself: that
    /// shows whether the connection still stands, and what has come into the other folders.
    async fn wait(&mut self, due: Instant, look_every: Duration, orders: &mut watch::Receiver<Order>) -> Woken {
        loop {
            match self.session.begin_waiting().await {
                Ok(true) => {}
                Ok(false) | Err(_) => return Woken::Lost,
            }
            let look = Instant::now() + Ended::Well(Duration::ZERO).pause(look_every, 0, dice());
            let mut woken = None;
            if self.messages() > self.shown_messages() {
                woken = Some(Woken::Mail);
            } else {
                tokio::select! {
                    _ = orders.changed() => woken = Some(Woken::Ordered),
                    change = self.session.next_change() => match change {
                        Ok(Change::Arrived) => woken = Some(Woken::Mail),
                        Ok(Change::Ended) | Err(_) => return Woken::Lost,
                    },
                    () = sleep_until(look.min(due)) => {}
                }
            }
            if self.session.end_waiting().await.is_err() {
                return Woken::Lost;
            }
            if let Some(woken) = woken {
                return woken;
            }
            if self.waiter.is_crowded() {
                return Woken::Crowded;
            }
            if Instant::now() >= due {
                return Woken::Due;
            }
            match self.others_have_changed().await {
                Ok(others) if others || self.messages() != self.shown_messages() => return Woken::Mail,
                Ok(_) => {}
                Err(_) => return Woken::Lost,
            }
        }
    }

    fn messages(&self) -> Option<u64> {
        self.session.exists().map(u64::from)
    }

    /// How many messages the first folder had at the end of the visit.
    fn shown_messages(&self) -> Option<u64> {
        let first = self.session.first_folder();
        self.shown.iter().find(|shown| shown.folder == first).map(|shown| shown.messages)
    }

    async fn others_have_changed(&mut self) -> Result<bool, SourceError> {
        let counts = self.session.look_at_others().await?;
        Ok(self.shown.iter().any(|shown| {
            counts.get(&shown.folder).is_some_and(|now| {
                now.uid_validity != Some(shown.uid_validity)
                    || now.messages.map(u64::from) != Some(shown.messages)
                    || now.uid_next != shown.listed_to.checked_add(1)
            })
        }))
    }
}

/// Nobody wants this mailbox to be visited any more.
struct Dismissed;

async fn until(due: Instant, orders: &mut watch::Receiver<Order>) -> Woken {
    tokio::select! {
        () = sleep_until(due) => Woken::Due,
        _ = orders.changed() => Woken::Ordered,
    }
}

fn every(mailbox: &Mailbox) -> Duration {
    Duration::from_secs(u64::from(mailbox.every_s))
}

fn later(pause: Duration) -> Timestamp {
    Timestamp::now().checked_add(pause).unwrap_or(Timestamp::MAX)
}

fn tell(mailbox: &Mailbox, visited: &Visited, started: Instant) {
    let Visited { report, result, .. } = visited;
    if report.fetched > 0 || result.is_err() {
        tracing::info!(
            mailbox = mailbox.id.0,
            listed = report.listed,
            fetched = report.fetched,
            items = report.tally.items,
            comments = report.tally.comments,
            held = report.tally.held,
            settled = report.settled,
            ms = started.elapsed().as_millis() as u64,
            "visited"
        );
    }
    if let Err(error) = result {
        tracing::warn!(mailbox = mailbox.id.0, code = error.code(), "visit failed");
    }
}
