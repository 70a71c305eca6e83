//! The reading threads: messages are read on all cores, each on a thread with a stack of its own, behind a marker that
//! tells after a crash what was being read.

use crate::marker::Marker;
use postroom_domain::ReceiptId;
use postroom_mail::{Message, RawMessage};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use tokio::sync::{RwLock, oneshot};

/// Stack of a reading thread. Nested structures are read recursively by the MIME library; its nesting is limited before,
/// and this leaves a wide margin above that limit. Only what is touched costs memory.
const STACK: usize = 32 << 20;

/// A panic while a message was read, in its own words.
#[derive(Debug)]
pub struct Panicked(pub String);

struct Job {
    receipt: ReceiptId,
    raw: RawMessage,
    alone: bool,
    reply: oneshot::Sender<Result<Message, Panicked>>,
}

/// The reading threads of this process.
#[derive(Clone)]
pub struct Readers {
    jobs: mpsc::Sender<Job>,
    /// Held shared by ordinary reading and exclusively while a suspect is read, so that nothing else is being read then.
    gate: Arc<RwLock<()>>,
    _end: Arc<End>,
}

/// Takes the marker file away with the last owner of the threads, which may themselves still be reading.
struct End(Arc<Marker>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.retire();
    }
}

impl Readers {
    /// Starts one thread for each core, with a marker file in `dir`.
    ///
    /// # Errors
    /// When the marker file or a thread cannot be made.
    pub fn start(dir: &Path, run: &str) -> io::Result<Self> {
        let marker = Arc::new(Marker::create(dir, run)?);
        let (jobs, queue) = mpsc::channel::<Job>();
        let queue = Arc::new(Mutex::new(queue));
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        for slot in 0..threads {
            let (queue, marker) = (queue.clone(), marker.clone());
            std::thread::Builder::new()
                .name(format!("reader-{slot}"))
                .stack_size(STACK)
                .spawn(move || work(slot, &queue, &marker))?;
        }
        Ok(Self { jobs, gate: Arc::new(RwLock::new(())), _end: Arc::new(End(marker)) })
    }

    /// Reads messages, in parallel, and returns what was read in the same order. With `alone` nothing else is read in
    /// this process meanwhile.
    pub async fn read(&self, batch: &[(ReceiptId, RawMessage)], alone: bool) -> Vec<Result<Message, Panicked>> {
        let _exclusive = if alone { Some(self.gate.write().await) } else { None };
        let _shared = if alone { None } else { Some(self.gate.read().await) };
        let waiting: Vec<_> = batch
            .iter()
            .map(|(receipt, raw)| {
                let (reply, result) = oneshot::channel();
                let job = Job { receipt: *receipt, raw: raw.clone(), alone, reply };
                // The threads live as long as a sender does, and `self` is one; a refused job shows as a lost reply.
                let _ = self.jobs.send(job);
                result
            })
            .collect();
        let mut read = Vec::with_capacity(waiting.len());
        for result in waiting {
            read.push(result.await.unwrap_or_else(|_| Err(Panicked("the reading thread ended".to_owned()))));
        }
        read
    }
}

fn work(slot: usize, queue: &Mutex<mpsc::Receiver<Job>>, marker: &Marker) {
    loop {
        // The lock is released before the job is done; a panic while it is held is not possible, but harmless.
        let Ok(job) = queue.lock().unwrap_or_else(PoisonError::into_inner).recv() else { return };
        if let Err(error) = marker.begin(slot, job.receipt, job.alone) {
            // Reading goes on: without the mark a crash would be put down to nobody, which loses nothing.
            tracing::warn!(%error, receipt = job.receipt.0, "the reading marker could not be written");
        }
        let result = catch_unwind(AssertUnwindSafe(|| read(&job.raw))).map_err(|panic| Panicked(words_of(&*panic)));
        let _ = marker.end(slot);
        let _ = job.reply.send(result);
    }
}

fn read(raw: &RawMessage) -> Message {
    #[cfg(feature = "crash-points")]
    crate::fault::while_reading(raw);
    postroom_mail::read(raw)
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let words =
        panic.downcast_ref::<&str>().map(|s| (*s).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
    words.unwrap_or_else(|| "no reason given".to_owned())
}
