//! The inside of a process that reads mail: `postroom reader`, started by Postroom itself and not meant for people.
//! It takes messages from standard input until that ends, and answers each on standard output.

use super::frame::{Answer, Ask, Task};
use super::fuse::{self, Fuse};
use super::verify::Verifier;
use crate::cli::inspect;
use bytes::Bytes;
use postroom_mail::{Message, RawMessage};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

/// Octets of an answer's buffer that are kept for the next one.
const KEPT: usize = 1 << 20;
/// Characters of a panic's words that are passed on.
const WORDS_MAX: usize = 500;

/// Where in the code the latest panic was.
static PLACE: Mutex<String> = Mutex::new(String::new());

/// Reads until there is nothing more to read.
pub fn run() -> ExitCode {
    fuse::prepare();
    // Standard error is the parent's evidence of how this process died. A panic is answered instead, and its words can
    // have mail in them.
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        *PLACE.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }));
    match answer_all() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The other end is gone, or is no Postroom; nobody else needs to know.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn answer_all() -> io::Result<()> {
    let mut input = io::stdin().lock();
    // Standard output as it is: what `io::stdout` does for lines would cut an answer in two.
    let mut output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let (mut fuse, mut verifier, mut frame) = (Fuse::default(), Verifier::default(), Vec::new());
    // Where the message lies elsewhere, the fuse is laid when its size is known.
    while let Some(ask) = Ask::receive(&mut input, |task, size| {
        if !task.is_of_file() {
            fuse.arm(size)
        }
    })? {
        frame.clear();
        frame.shrink_to(KEPT);
        frame = answer(ask, &mut fuse, &mut verifier).append_to(frame)?;
        output.write_all(&frame)?;
    }
    Ok(())
}

fn answer(ask: Ask, fuse: &mut Fuse, verifier: &mut Verifier) -> Answer {
    match &ask.task {
        Task::Message => caught(|| Answer::Message(Box::new(read(ask.octets)))),
        Task::Verify(task) => caught(|| match verifier.verify(&ask.octets, task) {
            Ok(verified) => Answer::Verified(Box::new(verified)),
            Err(why) => Answer::Unreadable(why),
        }),
        Task::Print { name, path, json } => {
            match path.as_ref().map_or(Ok(ask.octets), |path| octets_of(path.as_ref(), fuse)) {
                Ok(octets) => caught(|| Answer::Printed(inspect::printed(name, &read(octets), *json))),
                Err(error) => Answer::Unreadable(error.to_string()),
            }
        }
    }
}

/// The octets of a file, once the fuse is laid for their number.
fn octets_of(path: &Path, fuse: &mut Fuse) -> io::Result<Bytes> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    fuse.arm(size);
    let size = usize::try_from(size).map_err(io::Error::other)?;
    let mut octets = Vec::new();
    // With room for one more than it has, a read that brings all of it has also seen its end.
    octets.try_reserve_exact(size.saturating_add(1)).map_err(io::Error::other)?;
    let read = rustix::io::read(&file, rustix::buffer::spare_capacity(&mut octets))?;
    if size == 0 || read != size {
        file.read_to_end(&mut octets)?;
    }
    Ok(octets.into())
}

fn read(octets: Bytes) -> Message {
    let raw = RawMessage::undigested(octets);
    #[cfg(feature = "crash-points")]
    crate::fault::while_reading(&raw);
    postroom_mail::read(&raw)
}

/// What `answer` gives, or how it panicked: in its words, and where.
fn caught(answer: impl FnOnce() -> Answer) -> Answer {
    catch_unwind(AssertUnwindSafe(answer)).unwrap_or_else(|panic| {
        let words: String = words_of(&*panic).chars().take(WORDS_MAX).collect();
        Answer::Panicked(format!("{words} ({})", PLACE.lock().unwrap_or_else(PoisonError::into_inner)))
    })
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let words =
        panic.downcast_ref::<&str>().map(|s| (*s).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
    words.unwrap_or_else(|| "no reason given".to_owned())
}
