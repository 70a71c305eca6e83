//! Stops asking where nobody answers, so that a machine without a DNS loses a moment and not a moment for every message.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// After this time without an answer to anything a question is overdue.
const OVERDUE: Duration = Duration::from_millis(750);
/// So many overdue questions, with no answer to anything meanwhile, blow the fuse.
const OVERDUE_MAX: u32 = 3;
/// How long nobody is asked then.
const REST: Duration = Duration::from_secs(60);

/// Why there is no answer.
const SILENT: &str = "no name server answers; it is asked again in a minute";
const LATE: &str = "the name servers did not answer in time";

pub(super) struct Fuse {
    state: Mutex<State>,
    /// Grows when the fuse blows, which wakes those who still wait.
    blown: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    /// When there was an answer last.
    answered_at: Option<Instant>,
    overdue: u32,
    rests_until: Option<Instant>,
}

impl Default for Fuse {
    fn default() -> Self {
        Self { state: Mutex::default(), blown: watch::Sender::new(0) }
    }
}

impl Fuse {
    /// Waits for an answer until the deadline, unless nobody answers anything.
    pub(super) async fn guard<T>(&self, asking: impl Future<Output = T>, deadline: Instant) -> Result<T, &'static str> {
        let started = Instant::now();
        // Taken before the state is looked at, so that what happens in between is not missed.
        let mut blown = self.blown.subscribe();
        if self.rests(started) {
            return Err(SILENT);
        }
        tokio::pin!(asking);
        let overdue_at = started + OVERDUE;
        if overdue_at < deadline {
            tokio::select! {
                answer = &mut asking => return Ok(self.answered(answer)),
                _ = blown.changed() => return Err(SILENT),
                () = tokio::time::sleep_until(overdue_at) => self.note_overdue(started),
            }
        }
        tokio::select! {
            answer = timeout_at(deadline, asking) => answer.map(|answer| self.answered(answer)).map_err(|_| LATE),
            _ = blown.changed() => Err(SILENT),
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn rests(&self, now: Instant) -> bool {
        self.with(|state| {
            let rests = state.rests_until.is_some_and(|until| now < until);
            if !rests && state.rests_until.take().is_some() {
                state.overdue = 0;
            }
            rests
        })
    }

    fn answered<T>(&self, answer: T) -> T {
        self.with(|state| {
            state.answered_at = Some(Instant::now());
            state.overdue = 0;
        });
        answer
    }

    fn note_overdue(&self, started: Instant) {
        let blows = self.with(|state| {
            if state.answered_at.is_some_and(|at| at >= started) {
                return false;
            }
            state.overdue += 1;
            let blows = state.overdue >= OVERDUE_MAX;
            if blows {
                state.rests_until = Some(Instant::now() + REST);
            }
            blows
        });
        if blows {
            tracing::warn!("no name server answers; nobody is asked for a minute");
            self.blown.send_modify(|times| *times += 1);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::future::pending;
    use std::sync::Arc;

    fn soon(seconds: u64) -> Instant {
        Instant::now() + Duration::from_secs(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_questions_to_nobody_take_less_than_a_second() {
        let fuse = Arc::new(Fuse::default());
        let begun = Instant::now();
        let together: Vec<_> = (0..64)
            .map(|_| {
                let fuse = fuse.clone();
                tokio::spawn(async move { fuse.guard(pending::<()>(), soon(5)).await })
            })
            .collect();
        for asked in together {
            assert_eq!(asked.await.unwrap(), Err(SILENT));
        }
        for _ in 0..936 {
            assert_eq!(fuse.guard(pending::<()>(), soon(5)).await, Err(SILENT));
        }
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        tokio::time::advance(REST).await;
        assert_eq!(fuse.guard(async { 7 }, soon(5)).await, Ok(7), "after a minute somebody is asked again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_server_among_others_is_waited_for() {
        let fuse = Arc::new(Fuse::default());
        let slow: Vec<_> = (0..10)
            .map(|_| {
                let fuse = fuse.clone();
                let answer = async { tokio::time::sleep(Duration::from_secs(3)).await };
                tokio::spawn(async move { fuse.guard(answer, soon(5)).await })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(fuse.guard(async { 1 }, soon(5)).await, Ok(1), "this one is answered at once");
        for asked in slow {
            assert_eq!(asked.await.unwrap(), Ok(()), "so the others are not given up");
        }
        assert_eq!(fuse.guard(pending::<()>(), soon(2)).await, Err(LATE));
    }
}
