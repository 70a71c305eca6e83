//! What `serve` keeps going: a keeper for each mailbox, who visits it and waits for mail in between, and intake of what was
//! left over.

mod keeper;
mod lanes;
mod schedule;

use crate::floor::Floor;
use crate::intake;
use jiff::Timestamp;
use keeper::{Keeper, Order};
use lanes::Lanes;
use postroom_domain::{Mailbox, MailboxId};
use postroom_store::{Planned, StoreError};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How often it is looked for changes of settings: one number is read for that, whatever the number of mailboxes.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How often it is looked for mailboxes to whose servers something is owed, and for leftovers: mail of `deliver`, deferred
/// mail, mail of a process that died.
const LEFTOVERS: Duration = Duration::from_secs(2);

/// How often held mail is deleted whose time is over.
const TIDY: Duration = Duration::from_secs(60 * 60);

/// How many mailboxes are visited and waited for at once, and how.
#[derive(Debug, Clone)]
pub struct Pace {
    /// Visits that begin at once. Default 16 (`POSTROOM_VISITS`).
    pub visits: usize,
    /// Connections to one host, those included that wait for mail. Default 2,000 (`POSTROOM_HOST_CONNECTIONS`).
    pub host_connections: usize,
    /// Longest time for which a server is trusted to tell of new mail without being asked. Default 9 min (`POSTROOM_IDLE`,
    /// seconds): below the 29 that RFC 2177 allows, and what servers and routers are known to keep.
    pub idle: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { visits: 16, host_connections: 2_000, idle: Duration::from_secs(9 * 60) }
    }
}

/// The keepers at work, by mailbox.
type Keepers = HashMap<MailboxId, AtWork>;

/// One keeper at work.
struct AtWork {
    orders: watch::Sender<Order>,
    /// When it was reminded last.
    reminded: Instant,
    /// How many visits in a row have failed, as the keeper knows.
    failures: Arc<AtomicU32>,
}

/// Runs until `stop` becomes true; visits under way are then given up where they stand, which loses nothing.
pub async fn run(floor: Floor, mut stop: watch::Receiver<bool>) {
    let lanes = Lanes::new(&floor.pace);
    let (mut keepers, mut at_work) = (Keepers::new(), JoinSet::new());
    let (mut look, mut owed) = (tokio::time::interval(LOOK_EVERY), tokio::time::interval(LEFTOVERS));
    let leftovers = tokio::spawn(work_off_leftovers(floor.clone()));
    let tidying = tokio::spawn(tidy(floor.clone()));
    let mut version = None;
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            _ = look.tick() => {
                // Intake looks at the same database and says what is wrong with it.
                let now = floor.store.mailboxes_version().await.ok();
                if now.is_some() && now != version && assign(&floor, &lanes, &mut keepers, &mut at_work).await.is_ok() {
                    version = now;
                }
            }
            _ = owed.tick() => remind(&floor, &mut keepers).await,
            Some(ended) = at_work.join_next() => {
                // A keeper ends when its mailbox is no longer to be visited. A panic is a bug; it is logged by the
                // runtime, and as nobody knows whose it was, those without a keeper get a new one.
                if ended.is_err() {
                    keepers.retain(|_, one| !one.orders.is_closed());
                    version = None;
                }
            }
        }
    }
    leftovers.abort();
    tidying.abort();
    at_work.shutdown().await;
}

/// Gives every mailbox that is to be visited a keeper, tells those whose mailbox has changed, and dismisses the others.
async fn assign(
    floor: &Floor,
    lanes: &Lanes,
    keepers: &mut Keepers,
    at_work: &mut JoinSet<()>,
) -> Result<(), StoreError> {
    let global = floor.store.global_policy().await?;
    let mut planned = floor.store.planned().await?;
    planned.retain(|planned| planned.mailbox.is_enabled(&global));
    let ids: Vec<MailboxId> = planned.iter().map(|planned| planned.mailbox.id).collect();
    keepers.retain(|id, _| ids.contains(id));
    for planned in planned {
        match keepers.get(&planned.mailbox.id) {
            Some(keeper) => tell(keeper, &planned),
            None => {
                let (orders, failures) = (Order::first(planned.mailbox.clone()), AtomicU32::new(planned.failures));
                let (id, (orders, received)) = (planned.mailbox.id, watch::channel(orders));
                let failures = Arc::new(failures);
                let keeper = Keeper::new(floor.clone(), lanes.clone(), received, Arc::clone(&failures), &planned);
                at_work.spawn(keeper.run());
                keepers.insert(id, AtWork { orders, reminded: Instant::now(), failures });
            }
        }
    }
    Ok(())
}

/// Tells a keeper what has changed, if anything has.
fn tell(keeper: &AtWork, planned: &Planned) {
    let is_news = keeper.orders.borrow().mailbox.revision != planned.mailbox.revision;
    // Somebody else's visit went well, so there is no reason to wait any longer.
    let is_well_again = planned.failures == 0 && keeper.failures.load(SeqCst) > 0;
    if is_news || is_well_again {
        keeper.orders.send_modify(|order| {
            order.mailbox = Arc::new(planned.mailbox.clone());
            order.well_again += u64::from(is_well_again);
        });
    }
}

/// Reminds the keepers of mailboxes to whose servers something is owed: what a person released, or what was put off.
/// No mailbox is visited more often for that than it is visited anyway.
async fn remind(floor: &Floor, keepers: &mut Keepers) {
    let Ok(owed) = floor.store.mailboxes_owed().await else { return };
    for id in owed {
        let Some(keeper) = keepers.get_mut(&id) else { continue };
        let every = Duration::from_secs(u64::from(keeper.orders.borrow().mailbox.every_s));
        if keeper.reminded.elapsed() >= every {
            keeper.reminded = Instant::now();
            keeper.orders.send_modify(|order| order.reminders += 1);
        }
    }
}

/// The mailboxes that are to be visited: not paused, and with submissions on both globally and here.
pub async fn enabled(floor: &Floor) -> Result<Vec<Mailbox>, StoreError> {
    let global = floor.store.global_policy().await?;
    let mailboxes = floor.store.mailboxes().await?;
    Ok(mailboxes.into_iter().filter(|mailbox| mailbox.is_enabled(&global)).collect())
}

/// Deletes what is over: at the start, and then every hour.
async fn tidy(floor: Floor) {
    let mut tick = tokio::time::interval(TIDY);
    loop {
        tick.tick().await;
        match floor.store.expire_held(Timestamp::now()).await {
            Ok(0) => {}
            Ok(expired) => tracing::info!(expired, "held mail was deleted whose time is over"),
            Err(error) => tracing::error!(code = error.code(), "held mail whose time is over could not be deleted"),
        }
    }
}

async fn work_off_leftovers(floor: Floor) {
    let mut tick = tokio::time::interval(LEFTOVERS);
    let mut failing = None;
    loop {
        tick.tick().await;
        let failed = intake::work_off(&floor).await.err().map(|error| error.code());
        // Said once when it begins and once when it ends, not every two seconds.
        if failed != failing {
            match failed {
                Some(code) => tracing::error!(code, "intake fails and is tried again; mail waits on its servers"),
                None => tracing::warn!("intake goes on"),
            }
        }
        failing = failed;
    }
}
