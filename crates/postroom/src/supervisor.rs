//! What `serve` keeps going: a visit to each mailbox when its time has come, and intake of what was left over.

use crate::collector::{self, Unwatched, VisitError};
use crate::floor::Floor;
use crate::intake;
use jiff::Timestamp;
use postroom_domain::{Mailbox, MailboxId};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How often the list of mailboxes and the clock are looked at.
const TICK: Duration = Duration::from_millis(500);

/// How often leftovers are looked for: mail of `deliver`, deferred mail, mail of a process that died.
const LEFTOVERS: Duration = Duration::from_secs(2);

/// How often held mail is deleted whose time is over.
const TIDY: Duration = Duration::from_secs(60 * 60);

/// Visits under way at once.
const VISITS: usize = 16;

/// Longest pause after failures in a row.
const BACK_OFF_MAX: Duration = Duration::from_secs(15 * 60);

/// Longest wait that a server can ask for between two logins.
const LOGIN_DELAY_MAX: Duration = Duration::from_secs(60 * 60);

/// When a mailbox is visited next, and how often in a row it failed.
#[derive(Debug, Clone, Copy)]
struct Schedule {
    next: Instant,
    failures: u32,
}

/// Runs until `stop` becomes true; visits under way are then given up where they stand, which loses nothing.
pub async fn run(floor: Floor, mut stop: watch::Receiver<bool>) {
    let mut schedules: HashMap<MailboxId, Schedule> = HashMap::new();
    let mut under_way: HashSet<MailboxId> = HashSet::new();
    let mut visits: JoinSet<(MailboxId, Duration, Result<(), VisitError>)> = JoinSet::new();
    let mut tick = tokio::time::interval(TICK);
    let leftovers = tokio::spawn(work_off_leftovers(floor.clone()));
    let tidying = tokio::spawn(tidy(floor.clone()));
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            _ = tick.tick() => start_due(&floor, &mut schedules, &mut under_way, &mut visits).await,
            Some(ended) = visits.join_next() => {
                // A panic in a visit is a bug; it is logged by the runtime and the mailbox is visited again next time.
                let Ok((id, every, result)) = ended else { under_way.clear(); continue };
                under_way.remove(&id);
                let schedule = schedules.entry(id).or_insert(Schedule { next: Instant::now(), failures: 0 });
                *schedule = next_visit(id, every, schedule.failures, &result);
            }
        }
    }
    leftovers.abort();
    tidying.abort();
    visits.shutdown().await;
}

async fn start_due(
    floor: &Floor,
    schedules: &mut HashMap<MailboxId, Schedule>,
    under_way: &mut HashSet<MailboxId>,
    visits: &mut JoinSet<(MailboxId, Duration, Result<(), VisitError>)>,
) {
    // Intake looks at the same database and says what is wrong with it.
    let Ok(due) = enabled(floor).await else { return };
    for mailbox in due {
        let waits = schedules.get(&mailbox.id).is_some_and(|schedule| schedule.next > Instant::now());
        if waits || under_way.len() >= VISITS || !under_way.insert(mailbox.id) {
            continue;
        }
        let floor = floor.clone();
        visits.spawn(async move {
            let (login_delay, result) = visit(&floor, &mailbox).await;
            // RFC 2449 §6.5: a server may refuse a login that comes sooner.
            let every = Duration::from_secs(u64::from(mailbox.every_s)).max(login_delay.min(LOGIN_DELAY_MAX));
            (mailbox.id, every, result)
        });
    }
}

/// The mailboxes that are to be visited: not paused, and with submissions on both globally and here.
pub async fn enabled(floor: &Floor) -> Result<Vec<Mailbox>, postroom_store::StoreError> {
    let global = floor.store.global_policy().await?;
    let mailboxes = floor.store.mailboxes().await?;
    Ok(mailboxes.into_iter().filter(|mailbox| mailbox.is_enabled(&global)).collect())
}

/// One visit; returns how long the server wants us to wait before the next login.
async fn visit(floor: &Floor, mailbox: &Mailbox) -> (Duration, Result<(), VisitError>) {
    let lease = match collector::lease(floor, mailbox, false).await {
        Ok(Some(lease)) => lease,
        // Busy means that another process, say `postroom fetch`, is doing this very work.
        Ok(None) => return (Duration::ZERO, Ok(())),
        Err(error) => return (Duration::ZERO, Err(error.into())),
    };
    let started = Instant::now();
    let (report, result) = collector::visit(floor, mailbox, lease, &Unwatched).await;
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
    (report.login_delay.unwrap_or_default(), result)
}

fn next_visit(id: MailboxId, every: Duration, failures: u32, result: &Result<(), VisitError>) -> Schedule {
    let Err(error) = result else { return Schedule { next: Instant::now() + every, failures: 0 } };
    tracing::warn!(mailbox = id.0, code = error.code(), failures = failures + 1, "visit failed");
    // Each failure in a row doubles the pause. What only a person can mend is not tried more than every few minutes, so
    // that a wrong password does not lock the account.
    let least = if error.needs_admin() { Duration::from_secs(120) } else { Duration::from_secs(5) };
    let pause = every.max(least).saturating_mul(1 << failures.min(8)).min(BACK_OFF_MAX.max(every));
    Schedule { next: Instant::now() + pause, failures: failures + 1 }
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
