//! The outside of a process that reads mail: it is started, given messages, watched, and buried.

use super::frame::{Answer, Ask};
use bytes::{Buf as _, Bytes};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::process::Signal;
use std::collections::VecDeque;
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The one argument of such a process.
pub const ARGUMENT: &str = "reader";

/// How long one message may take by the clock. The fuse of processor time is shorter; this is for what stands still.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long answers are let come in together, as long as more than [`FEW`] of them are still to come.
const BREATH: Duration = Duration::from_micros(200);
const FEW: usize = 6;
/// How often a wait looks up.
const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 250_000_000 };
/// Octets that a pipe holds, so that a message of usual size passes at one go.
const PIPE: usize = 1 << 20;
/// Octets that are taken from a pipe at once.
const GULP: usize = 256 << 10;
/// Messages of up to this many octets are sent in one piece with what stands before and after them.
const SENT_TOGETHER: usize = 16 << 10;
/// Octets of standard error that are kept, the last ones.
const WORDS_MAX: usize = 4096;

/// A process that reads mail. It ends with this value.
pub struct Process {
    child: Child,
    asks: ChildStdin,
    answers: ChildStdout,
    last_words: ChildStderr,
    input: Vec<u8>,
    words: Vec<u8>,
}

/// Why a process ended while it was reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It used up its processor time.
    ProcessorTime,
    /// An allocation failed at its memory limit.
    Memory,
    /// It gave no answer for [`PATIENCE`].
    StoodStill,
    /// It crashed, by its own doing.
    Crashed,
    /// A signal ended it that comes from outside: an administrator, the system when memory is short, a shutdown.
    Killed,
    /// We are ending, and it with us.
    Stopped,
}

/// The end of a process, and how it came.
#[derive(Debug, Clone)]
pub struct End {
    /// Why.
    pub cause: Cause,
    /// The signal or status, and the last words of the run-time library. Nothing of the mail.
    pub detail: String,
}

impl Process {
    /// Starts one. Nothing of our environment goes with it, above all no secrets.
    pub fn start() -> io::Result<Self> {
        let mut command = Command::new(program()?);
        // A process group of its own: Ctrl-C at the terminal is for us, and we end in order.
        command.arg0("postroom").arg(ARGUMENT).env_clear().process_group(0);
        // One heap that gives back what it does not need, so that a large message is not remembered for ever.
        command.envs([("MALLOC_ARENA_MAX", "1"), ("MALLOC_TRIM_THRESHOLD_", "8388608")]);
        command.env("MALLOC_MMAP_THRESHOLD_", "4194304");
        // Reading makes hundreds of small pieces and drops them all at once; the usual cache has room for seven of a size.
        command.env("GLIBC_TUNABLES", "glibc.malloc.tcache_count=200");
        #[cfg(feature = "crash-points")]
        command.envs(std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("POSTROOM_FAULT_")));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let (Some(asks), Some(answers), Some(last_words)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(io::Error::other("a pipe is missing"));
        };
        let process = Self { child, asks, answers, last_words, input: Vec::new(), words: Vec::new() };
        for pipe in [process.asks.as_fd(), process.answers.as_fd(), process.last_words.as_fd()] {
            rustix::fs::fcntl_setfl(pipe, OFlags::NONBLOCK)?;
        }
        for pipe in [process.asks.as_fd(), process.answers.as_fd()] {
            // A smaller pipe is slower, no more; the system may be short of them.
            let _ = rustix::pipe::fcntl_setpipe_size(pipe, PIPE);
        }
        Ok(process)
    }

    /// Has these messages read, in order, and appends an answer for each. When the process ends, the first one without
    /// an answer is the one that it was reading.
    pub fn answer(&mut self, asks: &[Ask], stop: &AtomicBool, answers: &mut Vec<Answer>) -> Result<(), End> {
        let mut outbox = outbox_of(asks).map_err(|error| End { cause: Cause::Crashed, detail: error.to_string() })?;
        let wanted = answers.len() + asks.len();
        let patience = patience();
        let mut deadline = Instant::now() + patience;
        while answers.len() < wanted {
            if stop.load(Ordering::Relaxed) {
                return Err(self.killed(Cause::Stopped, "we are ending"));
            }
            if Instant::now() > deadline {
                return Err(self.killed(Cause::StoodStill, &format!("no answer within {patience:?}")));
            }
            if !self.exchange(&mut outbox).map_err(|error| self.killed(Cause::Crashed, &error.to_string()))? {
                return Err(self.buried());
            }
            let before = answers.len();
            self.take_answers(answers).map_err(|error| self.killed(Cause::Crashed, &error.to_string()))?;
            if answers.len() > before {
                deadline = Instant::now() + patience;
                if wanted - answers.len() > FEW {
                    // Small messages are read faster than we can wake up for each; several of them come at once then.
                    std::thread::sleep(BREATH);
                }
            }
        }
        Ok(())
    }

    /// Waits until a pipe is ready and moves what it can; false when the process has closed its end.
    fn exchange(&mut self, outbox: &mut VecDeque<Bytes>) -> io::Result<bool> {
        let ready = {
            let mut pipes = [
                PollFd::new(&self.answers, PollFlags::IN),
                PollFd::new(&self.last_words, PollFlags::IN),
                PollFd::new(&self.asks, if outbox.is_empty() { PollFlags::empty() } else { PollFlags::OUT }),
            ];
            match poll(&mut pipes, Some(&TICK)) {
                Err(rustix::io::Errno::INTR) => return Ok(true),
                done => done?,
            };
            pipes.map(|pipe| !pipe.revents().is_empty())
        };
        if ready[1] {
            self.take_words();
        }
        if ready[2] && !send(&mut self.asks, outbox)? {
            // It does not listen any more. What it answered before it died is still in the other pipe.
            outbox.clear();
        }
        Ok(!ready[0] || receive(&self.answers, &mut self.input)?)
    }

    /// Moves whole answers out of the input.
    fn take_answers(&mut self, answers: &mut Vec<Answer>) -> io::Result<()> {
        let mut taken = 0;
        while let Some((answer, length)) = Answer::take_from(&self.input[taken..])? {
            answers.push(answer);
            taken += length;
        }
        self.input.drain(..taken);
        if self.input.is_empty() {
            self.input.shrink_to(PIPE);
        }
        Ok(())
    }

    fn take_words(&mut self) {
        let mut words = [0; WORDS_MAX];
        while let Ok(length @ 1..) = self.last_words.read(&mut words) {
            self.words.extend_from_slice(&words[..length]);
            self.words.drain(..self.words.len().saturating_sub(WORDS_MAX));
        }
    }

    fn killed(&mut self, cause: Cause, detail: &str) -> End {
        self.end();
        End { cause, detail: detail.to_owned() }
    }

    /// Why a process died that has closed its pipes.
    fn buried(&mut self) -> End {
        // It has its status already, which this does not change; it is there so that the wait has an end.
        let _ = self.child.kill();
        let status = self.child.wait();
        self.take_words();
        let words = String::from_utf8_lossy(&self.words);
        let Ok(status) = status else {
            return End { cause: Cause::Killed, detail: "its status is not known".to_owned() };
        };
        let says = |line: &&str| !line.trim().is_empty() && !line.starts_with("note:");
        let last = words.lines().rev().find(says).unwrap_or_default();
        let last: String = last.chars().filter(|c| !c.is_control()).take(200).collect();
        let detail = if last.is_empty() { status.to_string() } else { format!("{status}; {last}") };
        End { cause: cause_of(status, &words), detail }
    }

    fn end(&mut self) {
        // Should either fail, the process is dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

fn patience() -> Duration {
    #[cfg(feature = "crash-points")]
    if let Some(shorter) = crate::fault::patience() {
        return shorter;
    }
    PATIENCE
}

/// This very program, even if its file was replaced since we were started: what goes over the pipes has no version.
fn program() -> io::Result<PathBuf> {
    let ourselves = PathBuf::from("/proc/self/exe");
    if ourselves.exists() { Ok(ourselves) } else { std::env::current_exe() }
}

/// What is to be sent, in few pieces: each costs a call of the system, which takes as long as reading a very small message.
fn outbox_of(asks: &[Ask]) -> io::Result<VecDeque<Bytes>> {
    let (mut outbox, mut piece) = (VecDeque::new(), Vec::new());
    for ask in asks {
        piece = ask.append_head_to(piece)?;
        if ask.octets.len() <= SENT_TOGETHER {
            piece.extend_from_slice(&ask.octets);
        } else {
            outbox.extend([std::mem::take(&mut piece).into(), ask.octets.clone()]);
        }
    }
    outbox.extend(Some(piece.into()).filter(|last: &Bytes| !last.is_empty()));
    Ok(outbox)
}

/// Writes what the pipe takes; false when nobody reads it.
fn send(to: &mut ChildStdin, outbox: &mut VecDeque<Bytes>) -> io::Result<bool> {
    while let Some(first) = outbox.front_mut() {
        match to.write(first) {
            Ok(written) => first.advance(written),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(false),
            Err(error) => return Err(error),
        }
        if first.is_empty() {
            outbox.pop_front();
        }
    }
    Ok(true)
}

/// Takes what is in the pipe; false at its end.
fn receive(from: &ChildStdout, input: &mut Vec<u8>) -> io::Result<bool> {
    input.reserve(GULP);
    match rustix::io::read(from, rustix::buffer::spare_capacity(input)) {
        Ok(0) => Ok(false),
        Ok(_) | Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

fn cause_of(status: ExitStatus, words: &str) -> Cause {
    // Reading mail makes no system call that could send these; whoever sends them means the process.
    const OUTSIDE: [Signal; 6] = [Signal::KILL, Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT, Signal::PIPE];
    match status.signal() {
        Some(signal) if signal == Signal::XCPU.as_raw() => Cause::ProcessorTime,
        Some(signal) if OUTSIDE.iter().any(|outside| outside.as_raw() == signal) => Cause::Killed,
        // The words of the standard library when an allocation fails.
        Some(signal) if signal == Signal::ABORT.as_raw() && words.contains("memory allocation of") => Cause::Memory,
        _ => Cause::Crashed,
    }
}
