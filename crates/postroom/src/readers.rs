//! The reading processes: messages are read on all cores, each core with a process of its own, so that a message that
//! cannot be read ends its process and nothing else. A process is started when there is something to read, and used again.
//!
//! A message whose process ended is read once more, with nothing else being read meanwhile, in a fresh process. If that
//! one ends too, it is the message.

pub mod child;
pub mod frame;
pub mod fuse;
pub mod process;
mod verify;

use frame::{Answer, Ask, Task, Verified, Verify};
use postroom_mail::{Message, RawMessage};
use process::{Cause, End, Process};
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use tokio::sync::{RwLock, oneshot};

/// Messages, and octets of them, that go to a process together.
pub const TOGETHER: (usize, u64) = (32, 512 << 10);
/// A process that had a message of more octets than this is not used again: its memory is given back with it.
const LARGE: u64 = 8 << 20;
/// How often a message is read anew whose process was killed from outside, before it is held nevertheless.
const KILLS_MAX: u32 = 8;

/// Why a message was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unread {
    /// Reading it panicked, in these words.
    Panicked(String),
    /// Reading it ended the process that read it, twice, the second time with nothing beside it.
    Crashed(String),
    /// Reading it took more processor time, memory or time than one message may.
    Exhausted(String),
    /// Its file cannot be read.
    Unreadable(String),
}

/// No process could be started to read mail. It is not the fault of any message.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the process that reads mail could not be started: {0}")]
pub struct Unavailable(String);

/// What a reading thread makes of a message.
type Outcome = Result<Answer, Failed>;

enum Failed {
    Ended(End),
    Unavailable(Unavailable),
}

struct Job {
    asks: Vec<Ask>,
    /// In a process that has read nothing yet.
    fresh: bool,
    reply: oneshot::Sender<Vec<Outcome>>,
}

/// The reading processes of this process.
#[derive(Clone)]
pub struct Readers {
    crew: Arc<Crew>,
    /// Held shared by ordinary reading and exclusively while a message is read anew, so that nothing else is being read
    /// then.
    gate: Arc<RwLock<()>>,
}

/// The threads that look after the processes, one each. The last owner ends them, and with them the processes.
struct Crew {
    jobs: Option<mpsc::Sender<Job>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // A thread that panicked has dropped its process, too.
            let _ = thread.join();
        }
    }
}

/// How many messages can be read at the same time.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

impl Readers {
    /// Starts a thread for each core; the processes come when there is something to read.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start() -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let queue = Arc::new(Mutex::new(queue));
        let stop = Arc::new(AtomicBool::new(false));
        let mut crew = Crew { jobs: Some(jobs), stop: stop.clone(), threads: Vec::new() };
        for number in 0..cores() {
            let (queue, stop) = (queue.clone(), stop.clone());
            let thread = std::thread::Builder::new().name(format!("reader-{number}"));
            crew.threads.push(thread.spawn(move || work(&queue, &stop))?);
        }
        Ok(Self { crew: Arc::new(crew), gate: Arc::new(RwLock::new(())) })
    }

    /// Reads messages, in parallel, and returns what was read in the same order.
    ///
    /// # Errors
    /// [`Unavailable`] when no process can be started; then nothing is known of any of them.
    pub async fn read(&self, batch: Vec<RawMessage>) -> Result<Vec<Result<Message, Unread>>, Unavailable> {
        let asks = batch.into_iter().map(|raw| Ask::of(Task::Message, raw.octets().clone())).collect();
        let answers = self.answers(asks).await?;
        let message = |answer| match answer {
            Answer::Message(message) => Ok(*message),
            _ => Err(Unread::Crashed("it answered something else".to_owned())),
        };
        Ok(answers.into_iter().map(|answer| answer.and_then(message)).collect())
    }

    /// Verifies messages, in parallel, with what the DNS was asked so far.
    ///
    /// # Errors
    /// [`Unavailable`] when no process can be started.
    pub async fn verify(&self, batch: Vec<(RawMessage, Verify)>) -> Result<Vec<Result<Verified, Unread>>, Unavailable> {
        let ask = |(raw, task): (RawMessage, Verify)| Ask::of(Task::Verify(Box::new(task)), raw.octets().clone());
        let answers = self.answers(batch.into_iter().map(ask).collect()).await?;
        let verified = |answer| match answer {
            Answer::Verified(verified) => Ok(*verified),
            _ => Err(Unread::Crashed("it answered something else".to_owned())),
        };
        Ok(answers.into_iter().map(|answer| answer.and_then(verified)).collect())
    }

    /// Reads files in the order given and returns what `inspect` prints of each, without the line ends.
    ///
    /// # Errors
    /// [`Unavailable`] when no process can be started.
    pub async fn print(&self, files: Vec<Ask>) -> Result<Vec<Result<Vec<u8>, Unread>>, Unavailable> {
        let answers = self.answers(files).await?;
        let printed = |answer| match answer {
            Answer::Printed(octets) => Ok(octets),
            _ => Err(Unread::Crashed("it answered something else".to_owned())),
        };
        Ok(answers.into_iter().map(|answer| answer.and_then(printed)).collect())
    }

    async fn answers(&self, asks: Vec<Ask>) -> Result<Vec<Result<Answer, Unread>>, Unavailable> {
        let outcomes = {
            let _shared = self.gate.read().await;
            self.dispatch(asks.clone(), false).await
        };
        let mut answers = Vec::with_capacity(outcomes.len());
        for (ask, outcome) in asks.into_iter().zip(outcomes) {
            answers.push(match outcome {
                Ok(answer) => judged(answer),
                Err(Failed::Unavailable(why)) => return Err(why),
                // What was used up is counted for each message alone, so nothing beside it can have used it.
                Err(Failed::Ended(end)) if end.cause == Cause::ProcessorTime => Err(blamed(&end)),
                Err(Failed::Ended(end)) => {
                    tracing::warn!(cause = ?end.cause, detail = %end.detail, "a reading process ended; its message is read anew");
                    self.alone(&ask).await?
                }
            });
        }
        Ok(answers)
    }

    /// Reads a message anew with nothing beside it. A process that is killed from outside says nothing about the message.
    async fn alone(&self, ask: &Ask) -> Result<Result<Answer, Unread>, Unavailable> {
        let _exclusive = self.gate.write().await;
        let mut kills = 0;
        loop {
            match self.dispatch(vec![ask.clone()], true).await.pop() {
                Some(Ok(answer)) => return Ok(judged(answer)),
                Some(Err(Failed::Ended(end))) if end.cause == Cause::Killed && kills < KILLS_MAX => kills += 1,
                Some(Err(Failed::Ended(end))) if end.cause == Cause::Stopped => return Err(Unavailable(end.detail)),
                Some(Err(Failed::Ended(end))) => return Ok(Err(blamed(&end))),
                Some(Err(Failed::Unavailable(why))) => return Err(why),
                None => return Err(Unavailable("no thread took it".to_owned())),
            }
        }
    }

    /// Gives messages to the threads and collects what comes of them, in order.
    async fn dispatch(&self, asks: Vec<Ask>, fresh: bool) -> Vec<Outcome> {
        let mut replies = Vec::new();
        let mut asks = VecDeque::from(asks);
        while !asks.is_empty() {
            let asks = together(&mut asks);
            let (reply, outcomes) = oneshot::channel();
            replies.push((asks.len(), outcomes));
            // The threads live as long as the sender does; a job that is lost shows as a lost reply.
            let _ = self.crew.jobs.as_ref().map(|jobs| jobs.send(Job { asks, fresh, reply }));
        }
        let mut outcomes = Vec::new();
        for (number, reply) in replies {
            let lost = || Err(Failed::Unavailable(Unavailable("the reading thread ended".to_owned())));
            outcomes.extend(reply.await.unwrap_or_else(|_| (0..number).map(|_| lost()).collect()));
        }
        outcomes
    }
}

/// The first ones, as many as are worth a way to a process and back, and at least one.
fn together(asks: &mut VecDeque<Ask>) -> Vec<Ask> {
    let (most, octets_max) = TOGETHER;
    let mut octets = 0;
    let fit = asks.iter().take(most).take_while(|ask| {
        octets += ask.size;
        octets <= octets_max
    });
    let number = fit.count().max(1).min(asks.len());
    asks.drain(..number).collect()
}

fn judged(answer: Answer) -> Result<Answer, Unread> {
    match answer {
        Answer::Panicked(words) => Err(Unread::Panicked(words)),
        Answer::Unreadable(words) => Err(Unread::Unreadable(words)),
        answer => Ok(answer),
    }
}

fn blamed(end: &End) -> Unread {
    let detail = |what: &str| format!("{what} ({})", end.detail);
    match end.cause {
        Cause::ProcessorTime => Unread::Exhausted(detail("no processor time was left")),
        Cause::Memory => Unread::Exhausted(detail("no memory was left")),
        Cause::StoodStill => Unread::Exhausted(detail("it stood still")),
        Cause::Crashed | Cause::Killed | Cause::Stopped => Unread::Crashed(end.detail.clone()),
    }
}

/// Looks after one process until there are no more jobs.
fn work(queue: &Mutex<mpsc::Receiver<Job>>, stop: &AtomicBool) {
    let mut process = None;
    while !stop.load(Ordering::Relaxed) {
        // The lock is released before the job is done; a panic while it is held is not possible, but harmless.
        let Ok(job) = queue.lock().unwrap_or_else(PoisonError::into_inner).recv() else { return };
        if job.fresh {
            process = None;
        }
        let outcomes = outcomes(&mut process, &job.asks, stop);
        if job.asks.iter().any(|ask| ask.size > LARGE) {
            process = None;
        }
        // Who asked may have given up.
        let _ = job.reply.send(outcomes);
    }
}

fn outcomes(process: &mut Option<Process>, asks: &[Ask], stop: &AtomicBool) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(asks.len());
    while let Some(rest) = asks.get(outcomes.len()..).filter(|rest| !rest.is_empty()) {
        let mut reader = match process.take().map_or_else(Process::start, Ok) {
            Ok(reader) => reader,
            Err(error) => {
                let unavailable = Unavailable(error.to_string());
                outcomes.extend(rest.iter().map(|_| Err(Failed::Unavailable(unavailable.clone()))));
                return outcomes;
            }
        };
        let mut answers = Vec::with_capacity(rest.len());
        let done = reader.answer(rest, stop, &mut answers);
        outcomes.extend(answers.into_iter().map(Ok));
        match done {
            Ok(()) => *process = Some(reader),
            Err(end) if end.cause == Cause::Stopped => return outcomes,
            Err(end) => outcomes.push(Err(Failed::Ended(end))),
        }
    }
    outcomes
}
