//! What keeps many mailboxes from getting into each other's way: how many visits begin at once, how many connections a host
//! sees, and how many of those may be kept open to wait for mail.

use super::Pace;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a visit counts as one of those under way. One that takes longer, for a slow server or much mail, goes on and makes
/// room for another: what it may use of memory is bounded elsewhere.
const PATIENCE: Duration = Duration::from_secs(5);

/// Cheap to clone.
#[derive(Clone)]
pub struct Lanes {
    visits: Arc<Semaphore>,
    hosts: Arc<Mutex<HashMap<String, Arc<Host>>>>,
    host_connections: usize,
    patience: Duration,
}

/// The connections to one host.
pub struct Host {
    connections: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// How many may wait. Some connections are always left for mailboxes that are visited and closed again; and a host that
    /// has complained of too many has fewer from then on.
    most_waiting: AtomicUsize,
}

/// A connection that is kept open to wait for mail; counted until it is dropped.
pub struct Waiter {
    host: Arc<Host>,
}

impl Lanes {
    /// Lanes of this width.
    pub fn new(pace: &Pace) -> Self {
        let (visits, host_connections) = (pace.visits.max(1), pace.host_connections.max(1));
        let visits = Arc::new(Semaphore::new(visits));
        Self { visits, hosts: Arc::default(), host_connections, patience: PATIENCE }
    }

    /// The host of this name; mailboxes without one share nothing.
    pub fn host(&self, name: &str) -> Arc<Host> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let host = hosts.entry(name.to_ascii_lowercase()).or_insert_with(|| Arc::new(Host::new(self.host_connections)));
        Arc::clone(host)
    }

    /// Makes a visit once its turn has come; turns are taken in order.
    pub async fn pass<T>(&self, visit: impl Future<Output = T>) -> T {
        // Nobody closes the semaphore.
        let turn = Arc::clone(&self.visits).acquire_owned().await.ok();
        let mut visit = std::pin::pin!(visit);
        if let Ok(done) = tokio::time::timeout(self.patience, &mut visit).await {
            return done;
        }
        drop(turn);
        visit.await
    }
}

impl Host {
    fn new(connections: usize) -> Self {
        // A quarter of a few, a handful of many.
        let spare = connections.div_ceil(4).min(8);
        Self {
            connections: Arc::new(Semaphore::new(connections)),
            waiting: AtomicUsize::new(0),
            most_waiting: AtomicUsize::new(connections - spare),
        }
    }

    /// Waits until another connection may be made. It counts as one until it is dropped.
    pub async fn connect(self: &Arc<Self>) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.connections).acquire_owned().await.ok()
    }

    /// Whether one more connection may be kept open to wait.
    pub fn wait(self: &Arc<Self>) -> Option<Waiter> {
        let most = self.most_waiting.load(SeqCst);
        let taken = self.waiting.fetch_update(SeqCst, SeqCst, |waiting| (waiting < most).then_some(waiting + 1));
        taken.ok().map(|_| Waiter { host: Arc::clone(self) })
    }

    /// The host has complained of too many connections: a quarter of those that wait, and one more, give up waiting.
    pub fn complains(&self) {
        let waiting = self.waiting.load(SeqCst);
        self.most_waiting.fetch_min(waiting.saturating_sub(waiting / 4 + 1), SeqCst);
    }
}

impl Waiter {
    /// Whether more wait than may.
    pub fn is_crowded(&self) -> bool {
        self.host.waiting.load(SeqCst) > self.host.most_waiting.load(SeqCst)
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.host.waiting.fetch_sub(1, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn lanes(visits: usize, host_connections: usize) -> Lanes {
        Lanes::new(&Pace { visits, host_connections, ..Pace::default() })
    }

    #[tokio::test]
    async fn slow_visits_make_room_for_others() {
        let lanes = Lanes { patience: Duration::from_millis(5), ..lanes(2, 10) };
        let stalled: Vec<_> = (0..5)
            .map(|_| {
                let lanes = lanes.clone();
                tokio::spawn(async move { lanes.pass(std::future::pending::<()>()).await })
            })
            .collect();
        // Those before it never end.
        tokio::time::timeout(Duration::from_secs(60), lanes.pass(async {})).await.unwrap();
        stalled.iter().for_each(tokio::task::JoinHandle::abort);
    }

    #[tokio::test]
    async fn some_connections_are_left_for_those_that_do_not_wait() {
        for (connections, waiting) in [(1, 0), (2, 1), (4, 3), (20, 15), (1000, 992)] {
            let host = lanes(1, connections).host("mail.test");
            let waiters: Vec<Waiter> = std::iter::from_fn(|| host.wait()).collect();
            assert_eq!(waiters.len(), waiting, "{connections}");
        }
        let lanes = lanes(1, 2);
        let host = lanes.host("Mail.Test");
        let first = (host.connect().await.unwrap(), lanes.host("mail.test").connect().await.unwrap());
        assert!(tokio::time::timeout(Duration::from_millis(10), host.connect()).await.is_err(), "two and no more");
        assert!(lanes.host("other.test").connect().await.is_some());
        drop(first);
        assert!(host.connect().await.is_some());
    }

    #[test]
    fn a_host_that_complains_is_waited_at_by_fewer() {
        let host = lanes(1, 100).host("mail.test");
        let mut waiters: Vec<Waiter> = (0..8).map(|_| host.wait().unwrap()).collect();
        assert!(!waiters[0].is_crowded());
        host.complains();
        assert!(waiters[0].is_crowded() && host.wait().is_none());
        waiters.truncate(5);
        assert!(!waiters[0].is_crowded() && host.wait().is_none());
        waiters.truncate(4);
        assert!(host.wait().is_some());
    }
}
