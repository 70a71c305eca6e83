//! Every beginning of a message is a message: a server or a line may end anywhere.

use crate::{InFile, files};
use postroom_mail::{RawMessage, read};
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Set to anything, every file is cut, at every octet, which is work for a release build:
/// `POSTROOM_EVERY_PREFIX=1 cargo test --release -p postroom-mail --test it prefix`.
const ALL: &str = "POSTROOM_EVERY_PREFIX";
/// Files cut otherwise.
const FILES: usize = 200;
/// Octets read in all beginnings of one file; the cuts of a file that has more are spread evenly over it and stand at its
/// line ends.
const OCTETS_MAX: usize = 800_000;
/// Longest file that is cut at every octet.
const EVERY_OCTET_MAX: usize = 64 * 1024;

#[test]
fn every_prefix_is_read() {
    let all = std::env::var_os(ALL).is_some();
    let files = files();
    let step = if all { 1 } else { (files.len() / FILES).max(1) };
    let chosen: Vec<&Path> = files.iter().step_by(step).map(|path| path.as_path()).collect();
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let cuts: usize = std::thread::scope(|scope| {
        let worker = || {
            let mut cuts = 0;
            while let Some(path) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                cuts += read_prefixes(path, all);
            }
            cuts
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    eprintln!("{cuts} beginnings of {} files", chosen.len());
}

/// Reads the beginnings of one file; how many there were.
fn read_prefixes(path: &Path, all: bool) -> usize {
    let octets = bytes::Bytes::from(fs::read(path).unwrap());
    let cuts = cuts(&octets, all);
    for &length in &cuts {
        let _in_file = InFile(path, length);
        black_box(read(&RawMessage::new(octets.slice(..length))));
    }
    cuts.len()
}

/// Where to cut: at every octet, or in a long file at every line end and in between where that is not too many.
fn cuts(octets: &[u8], all: bool) -> Vec<usize> {
    if octets.len() <= EVERY_OCTET_MAX && (all || octets.len() * octets.len() / 2 <= OCTETS_MAX) {
        return (0..=octets.len()).collect();
    }
    let most = if all { EVERY_OCTET_MAX } else { (OCTETS_MAX * 2 / octets.len()).max(8) };
    let stride = octets.len() / most + 1;
    let lines = memchr::memchr_iter(b'\n', octets).map(|at| at + 1);
    let mut cuts: Vec<usize> = lines.chain((0..octets.len()).step_by(7)).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let thinned = cuts.len() / most + 1;
    cuts.into_iter().step_by(thinned.min(stride.max(1))).collect()
}
