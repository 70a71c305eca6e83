//! Server-sent events: an open page learns that something changed, and fetches itself again.
//!
//! One task for the process asks the store for the number of the latest change, and only while somebody listens.

use crate::App;
use crate::session::SessionToken;
use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{Stream, unfold};
use jiff::Timestamp;
use postroom_store::{ReceiptFilter, Store, StoreError};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// Between two looks at the store.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Between two signs of life on a quiet connection; proxies close those that are silent for a minute.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// Becomes true when the server is asked to stop, so that streams end and do not hold it up.
#[derive(Clone)]
pub(crate) struct Closing(pub(crate) watch::Receiver<bool>);

/// Starts the task that looks for changes. It ends when the last receiver is gone.
pub(crate) fn watch_changes(store: Store) -> watch::Receiver<i64> {
    let (sender, receiver) = watch::channel(0);
    tokio::spawn(async move {
        let mut tick = interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = sender.closed() => return,
            }
            // The router keeps one receiver for itself: with no other, nobody listens.
            if sender.receiver_count() < 2 {
                continue;
            }
            // A store that does not answer has said so elsewhere; the next look may find it well again.
            if let Ok(latest) = latest(&store).await {
                sender.send_if_modified(|known| std::mem::replace(known, latest) != latest);
            }
        }
    });
    receiver
}

/// A number that grows with every change of an item and with every message that is taken: held mail is no change of an
/// item, but the journal shows it.
async fn latest(store: &Store) -> Result<i64, StoreError> {
    let newest = store.receipts(ReceiptFilter { limit: 1, ..ReceiptFilter::default() }).await?;
    Ok(store.latest_change().await? + newest.first().map_or(0, |receipt| receipt.id.0))
}

struct Listener {
    app: App,
    changes: watch::Receiver<i64>,
    closing: Option<watch::Receiver<bool>>,
    token: SessionToken,
    check: Interval,
    told: i64,
    over: bool,
}

impl Listener {
    /// The next event; `None` when the stream is over.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            if self.over {
                return None;
            }
            let latest = *self.changes.borrow_and_update();
            if latest > self.told {
                self.told = latest;
                return Some((Ok(Event::default().event("change").data(latest.to_string())), self));
            }
            let gone_on = tokio::select! {
                changed = self.changes.changed() => changed.is_ok(),
                () = closed(self.closing.as_mut()) => false,
                _ = self.check.tick() => self.app.still_signed_in(&self.token).await,
            };
            if !gone_on {
                self.over = true;
                return Some((Ok(Event::default().event("end").data("")), self));
            }
        }
    }
}

/// Returns when the server is asked to stop; never, where nobody can ask.
async fn closed(closing: Option<&mut watch::Receiver<bool>>) {
    match closing {
        // An error means that the server itself is gone.
        Some(closing) => drop(closing.wait_for(|closing| *closing).await),
        None => std::future::pending().await,
    }
}

/// `GET /live`
pub(crate) async fn live(
    State(app): State<App>,
    Extension(token): Extension<SessionToken>,
    closing: Option<Extension<Closing>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut check = interval(HEARTBEAT);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    check.reset();
    let told = 0;
    let changes = app.changes();
    let closing = closing.map(|Extension(Closing(closing))| closing);
    let listener = Listener { app, changes, closing, token, check, told, over: false };
    Sse::new(unfold(listener, Listener::next)).keep_alive(KeepAlive::new().interval(HEARTBEAT))
}

impl App {
    /// The number of the latest change; asked for before a page is made, so that the page is at least that new.
    pub(crate) async fn latest(&self) -> Result<i64, StoreError> {
        latest(&self.store).await
    }

    /// Whether the session of an open stream still stands. When the store cannot say, the stream goes on: it carries
    /// nothing but a number.
    async fn still_signed_in(&self, token: &SessionToken) -> bool {
        self.session(token, Timestamp::now()).await.map_or(true, |user| user.is_some())
    }
}
