//! The reading marker: which receipts were being read when a process died.
//!
//! Before a message is read, the receipt's number is written into this process's marker file, one slot for each reading
//! thread, and wiped afterwards. The file is written without fsync: it has to outlive the process, which a message can
//! end, not the machine, which it cannot. The living process holds a lock on its file; a file whose lock is free
//! belonged to a dead one and names the suspects.

use postroom_domain::ReceiptId;
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Octets of a slot: receipt id, whether it was read alone, and a check over both, so that a torn write names nobody.
const SLOT: usize = 24;
const CHECK: u64 = 0x706f_7374_726f_6f6d;

/// The marker file of this process.
pub struct Marker {
    file: File,
    path: PathBuf,
}

/// What a dead process was reading.
#[derive(Debug, PartialEq, Eq)]
pub struct Suspects {
    /// Name of the run, the same however often its file is looked at.
    pub run: String,
    /// The receipts, and whether each was read alone.
    pub receipts: Vec<(ReceiptId, bool)>,
    path: PathBuf,
}

impl Suspects {
    /// Forgets the run, once its suspects are marked in the store.
    pub fn forget(&self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }
}

impl Marker {
    /// Makes the marker file of this process in `dir`.
    pub fn create(dir: &Path, run: &str) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        // The name only becomes a marker's once the lock is held: another process that starts now must not take the
        // new file for a dead one's.
        let hidden = dir.join(format!(".{run}"));
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&hidden)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        let path = dir.join(format!("{run}.reading"));
        fs::rename(&hidden, &path)?;
        Ok(Self { file, path })
    }

    /// Notes that thread `slot` begins to read `receipt`.
    pub fn begin(&self, slot: usize, receipt: ReceiptId, alone: bool) -> io::Result<()> {
        self.file.write_all_at(&encode(receipt, alone), (slot * SLOT) as u64)
    }

    /// Notes that thread `slot` is done.
    pub fn end(&self, slot: usize) -> io::Result<()> {
        self.file.write_all_at(&[0; SLOT], (slot * SLOT) as u64)
    }

    /// The marker files of processes that are no more, with what each was reading.
    pub fn of_the_dead(dir: &Path) -> io::Result<Vec<Suspects>> {
        let entries = match fs::read_dir(dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let mut dead = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "reading") {
                continue;
            }
            let Ok(file) = File::open(&path) else { continue };
            if flock(&file, FlockOperation::NonBlockingLockShared).is_err() {
                continue;
            }
            let octets = fs::read(&path)?;
            let receipts = octets.chunks_exact(SLOT).filter_map(decode).collect();
            let run = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            dead.push(Suspects { run, receipts, path });
        }
        Ok(dead)
    }

    /// Takes the file away, so that nothing is suspected of an orderly end, whatever is still being read.
    pub fn retire(&self) {
        // Should the removal fail, the slots of threads that are done name nobody either.
        let _ = fs::remove_file(&self.path);
    }
}

fn encode(receipt: ReceiptId, alone: bool) -> [u8; SLOT] {
    let (id, alone) = (receipt.0 as u64, u64::from(alone));
    let mut slot = [0; SLOT];
    slot[..8].copy_from_slice(&id.to_le_bytes());
    slot[8..16].copy_from_slice(&alone.to_le_bytes());
    slot[16..].copy_from_slice(&(id ^ alone ^ CHECK).to_le_bytes());
    slot
}

fn decode(slot: &[u8]) -> Option<(ReceiptId, bool)> {
    let word = |at: usize| slot.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes);
    let (id, alone, check) = (word(0)?, word(8)?, word(16)?);
    (id != 0 && check == id ^ alone ^ CHECK).then_some((ReceiptId(id as i64), alone == 1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_living_process_is_never_suspected_and_a_dead_one_names_what_it_read() {
        let dir = tempfile::tempdir().unwrap();
        let marker = Marker::create(dir.path(), "run-1").unwrap();
        marker.begin(0, ReceiptId(7), false).unwrap();
        marker.begin(2, ReceiptId(9), true).unwrap();
        marker.begin(1, ReceiptId(8), false).unwrap();
        marker.end(1).unwrap();
        assert_eq!(Marker::of_the_dead(dir.path()).unwrap(), Vec::new());

        // What a killed process leaves is the file without its lock.
        let left = fs::read(&marker.path).unwrap();
        marker.retire();
        drop(marker);
        fs::write(dir.path().join("run-1.reading"), left).unwrap();
        let dead = Marker::of_the_dead(dir.path()).unwrap();
        assert_eq!(dead.len(), 1);
        assert_eq!(dead[0].run, "run-1");
        assert_eq!(dead[0].receipts, vec![(ReceiptId(7), false), (ReceiptId(9), true)]);
        dead[0].forget().unwrap();
        assert_eq!(Marker::of_the_dead(dir.path()).unwrap(), Vec::new());
    }

    #[test]
    fn a_torn_slot_names_nobody() {
        let mut slot = encode(ReceiptId(7), true);
        slot[20] ^= 1;
        assert_eq!(decode(&slot), None);
        assert_eq!(decode(&[0; SLOT]), None);
    }
}
