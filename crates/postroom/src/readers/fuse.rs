//! What a process that reads mail may use: processor time and memory for each message, and nothing when it is alone.

use rustix::process::{DumpableBehavior, Resource, Rlimit, Signal};
use rustix::time::{ClockId, clock_gettime};

/// Seconds of processor time for one message. Ordinary ones take milliseconds, the largest about a second.
const CPU_S: u64 = 10;
/// Octets of memory beside the message itself.
const MEMORY: u64 = 256 << 20;
/// How often the message itself may be in memory: as it came, decoded, as an attachment, in the answer.
const COPIES: u64 = 4;
/// Sizes are rounded up to this.
const STEP: u64 = 1 << 20;
/// Messages beyond this size get no more memory for it, so that they cannot be read.
pub const SIZE_MAX: u64 = 1 << 30;

/// Ties this process to its parent and keeps mail out of core files. To be called once, at the start.
///
/// Each of these narrows what this process can do; where the system has not got one, the others still hold.
pub fn prepare() {
    // When the parent dies its end of our standard input closes too, but we may be busy and not look there.
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    let _ = rustix::thread::set_no_new_privs(true);
    limit(Resource::Core, 0);
    // It answers through a pipe, and writes no file. What is beyond the limit ends it by SIGXFSZ.
    limit(Resource::Fsize, 0);
    // It was started from a link, whose name says nothing in a list of processes.
    let _ = rustix::thread::set_name(c"postroom-reader");
    let _ = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    // Where the machine runs out of memory, this process is to go before the one that has the database open.
    let _ = std::fs::write("/proc/self/oom_score_adj", "500");
}

/// The limits as they are set. They change seldom from one small message to the next, and setting them costs as much as
/// reading a very small one.
#[derive(Debug, Default)]
pub struct Fuse {
    cpu_s: u64,
    memory: u64,
}

impl Fuse {
    /// Lays the fuse for one message of `size` octets: what is used from here on beyond the limits ends this process, by
    /// SIGXCPU or by an allocation that fails.
    pub fn arm(&mut self, size: u64) {
        let used_s = u64::try_from(clock_gettime(ClockId::ProcessCPUTime).tv_sec).unwrap_or(0);
        // The system counts whole seconds, so one is added for the one that has begun.
        change(Resource::Cpu, &mut self.cpu_s, used_s + 1 + CPU_S);
        change(Resource::Data, &mut self.memory, MEMORY + COPIES * size.clamp(1, SIZE_MAX).next_multiple_of(STEP));
    }
}

fn change(resource: Resource, now: &mut u64, most: u64) {
    if *now != most {
        limit(resource, most);
        *now = most;
    }
}

/// Sets a soft limit, as far as the hard one allows.
fn limit(resource: Resource, most: u64) {
    let maximum = rustix::process::getrlimit(resource).maximum;
    let current = Some(maximum.map_or(most, |maximum| most.min(maximum)));
    // A soft limit below the hard one is always granted.
    let _ = rustix::process::setrlimit(resource, Rlimit { current, maximum });
}
