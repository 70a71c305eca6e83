//! Threads that run transactions: the queue of jobs, and what a job is.
//!
//! A verb is a closure over a [`Tx`]. It is queued, run on a thread that owns a connection, and answered after its
//! commit. A closure may run more than once, because a transaction that fails is tried again.

pub(crate) mod postgres;
pub(crate) mod sqlite;

use crate::{StoreError, Tx};
use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// A queued transaction.
pub(crate) trait Job: Send {
    /// Runs the work; its result is kept until [`Job::finish`].
    fn run(&mut self, tx: &mut Tx<'_>);
    /// The error of the last run.
    fn error(&self) -> Option<&StoreError>;
    /// Answers: with `failed` when the commit failed, else with what the last run gave.
    fn finish(self: Box<Self>, failed: Option<StoreError>);
}

struct Typed<F, T> {
    work: F,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Job for Typed<F, T>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send,
    T: Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) {
        // A bug in one verb must not take the thread of all verbs with it; its transaction is rolled back.
        let result = catch_unwind(AssertUnwindSafe(|| (self.work)(tx)));
        self.result = Some(result.unwrap_or_else(|panic| Err(StoreError::Database(text_of(&*panic).into()))));
    }

    fn error(&self) -> Option<&StoreError> {
        self.result.as_ref().and_then(|result| result.as_ref().err())
    }

    fn finish(self: Box<Self>, failed: Option<StoreError>) {
        let answer = match (failed, self.result) {
            (Some(error), _) => Err(error),
            (None, Some(result)) => result,
            (None, None) => Err(StoreError::Closed),
        };
        // Whoever asked may have gone away; the work is done all the same.
        let _ = self.reply.send(answer);
    }
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("a verb of the store panicked: {}", text.unwrap_or("no message"))
}

/// Jobs that wait for a thread.
#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Box<dyn Job>>,
    closed: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The lock is only held for pushing and popping, which leave the queue whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues `work` and waits for its answer.
    pub(crate) async fn call<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.push(Box::new(Typed { work, result: None, reply }));
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    fn push(&self, job: Box<dyn Job>) {
        let mut state = self.lock();
        if !state.closed {
            state.jobs.push_back(job);
            drop(state);
            self.wake.notify_one();
        }
    }

    /// Waits for jobs and takes up to `limit` of them; `None` once the queue is closed and empty.
    pub(crate) fn take(&self, limit: usize) -> Option<Vec<Box<dyn Job>>> {
        let mut state = self.lock();
        loop {
            if !state.jobs.is_empty() {
                let count = limit.min(state.jobs.len());
                return Some(state.jobs.drain(..count).collect());
            }
            if state.closed {
                return None;
            }
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes no more jobs; those queued are still run.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_all();
    }
}
