//! Who works: a process on a machine, named so that its death can be told.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A process that holds leases and claims. The same process id after a reboot, or given to another program, is another
/// holder: boot id and start time tell them apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Holder {
    /// Machine.
    pub host: String,
    /// The kernel's random id of the present boot (`/proc/sys/kernel/random/boot_id`).
    pub boot_id: String,
    /// Process id.
    pub pid: u32,
    /// When the process started, in clock ticks after boot (`/proc/PID/stat`, field 22).
    pub start_ticks: u64,
    /// Tells several stores of one process apart.
    pub nonce: u64,
}

/// Tells whether a holder lives: `Some(false)` is certain, `None` is not known, as for another machine.
pub type IsAlive = fn(&Holder) -> Option<bool>;

impl Holder {
    /// This process, under a new nonce.
    pub fn current() -> Self {
        let pid = std::process::id();
        let mut nonce = [0; 8];
        // Without randomness the process id and its start still tell processes apart.
        let _ = getrandom::fill(&mut nonce);
        Self {
            host: host(),
            boot_id: boot_id(),
            pid,
            start_ticks: start_ticks(pid).unwrap_or(0),
            nonce: u64::from_ne_bytes(nonce) >> 1,
        }
    }

    /// The stored form.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {}", self.pid, self.host)
    }
}

/// Whether `holder` lives, as far as this machine can tell from `/proc`.
pub fn is_alive(holder: &Holder) -> Option<bool> {
    if holder.host != host() {
        return None;
    }
    if holder.boot_id != boot_id() {
        return Some(false);
    }
    Some(start_ticks(holder.pid) == Some(holder.start_ticks))
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// Field 22 of `/proc/PID/stat`; the second field may have blanks and brackets in it, so counting starts after the last `)`.
/// A zombie has already ended, whatever it still shows.
fn start_ticks(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Holder, is_alive};

    #[test]
    fn a_holder_lives_only_as_the_same_process_of_the_same_boot() {
        let me = Holder::current();
        assert_eq!(is_alive(&me), Some(true));
        assert_eq!(is_alive(&Holder { start_ticks: me.start_ticks + 1, ..me.clone() }), Some(false));
        assert_eq!(is_alive(&Holder { boot_id: "another".into(), ..me.clone() }), Some(false));
        assert_eq!(is_alive(&Holder { host: "elsewhere".into(), ..me.clone() }), None);
        assert_eq!(is_alive(&Holder { pid: u32::MAX, ..me }), Some(false));
    }
}
