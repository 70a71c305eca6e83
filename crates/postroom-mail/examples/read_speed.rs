//! One side of `benches/reading`: reads every file of a list, on some threads, and says how long it took.
//!
//! `read_speed bare|read THREADS LIST [ROUNDS]`: LIST names one file a line. `bare` is the MIME library alone, which parses
//! and decodes; `read` is [`postroom_mail::read`]. The last line is one JSON object. Files are read from disk (that is,
//! from the cache of the machine) within the time measured, because `postroom inspect` does so too.

#![allow(clippy::unwrap_used)]
// The crate itself has neither files nor a clock; this measures with both.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

use mail_parser::{MessageParser, PartType};
use postroom_mail::RawMessage;
use std::hint::black_box;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Stack of a thread that reads, as in the program.
const STACK: usize = 32 << 20;

/// What one thread found.
#[derive(Default)]
struct Share {
    octets: u64,
    unread: u64,
    slowest: (Duration, String),
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let (what, threads, list) = (&arguments[1], &arguments[2], &arguments[3]);
    let rounds: usize = arguments.get(4).map_or(1, |rounds| rounds.parse().unwrap());
    let read: fn(Vec<u8>) -> bool = match what.as_str() {
        "bare" => bare,
        "read" => whole,
        other => panic!("no side named {other}"),
    };
    let list = std::fs::read_to_string(list).unwrap();
    let files: Vec<&str> = list.lines().collect();
    let next = AtomicUsize::new(0);
    let start = Instant::now();
    let shares: Vec<Share> = std::thread::scope(|scope| {
        let worker = || share(&files, rounds, &next, read);
        let spawn = |_| std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, worker).unwrap();
        let workers: Vec<_> = (0..threads.parse().unwrap()).map(spawn).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    let seconds = start.elapsed().as_secs_f64();
    let slowest = shares.iter().map(|share| &share.slowest).max().unwrap();
    let line = serde_json::json!({
        "files": files.len() * rounds,
        "octets": shares.iter().map(|share| share.octets).sum::<u64>(),
        "unread": shares.iter().map(|share| share.unread).sum::<u64>(),
        "seconds": seconds,
        "slowest_ms": slowest.0.as_secs_f64() * 1_000.0,
        "slowest": slowest.1,
    });
    println!("{line}");
}

/// Takes files until none is left.
fn share(files: &[&str], rounds: usize, next: &AtomicUsize, read: fn(Vec<u8>) -> bool) -> Share {
    let mut share = Share::default();
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        if at >= files.len() * rounds {
            return share;
        }
        let file = files[at % files.len()];
        let octets = std::fs::read(file).unwrap();
        share.octets += octets.len() as u64;
        let start = Instant::now();
        share.unread += u64::from(!catch_unwind(|| read(octets)).unwrap_or(false));
        let elapsed = start.elapsed();
        if elapsed > share.slowest.0 {
            share.slowest = (elapsed, file.to_owned());
        }
    }
}

/// The MIME library alone; whether it gave a message. Parsing decodes; what it decoded is looked at.
fn bare(octets: Vec<u8>) -> bool {
    let Some(message) = MessageParser::default().parse(&octets) else { return false };
    let mut decoded = 0;
    let mut messages = vec![&message];
    while let Some(message) = messages.pop() {
        for part in &message.parts {
            decoded += part.contents().len();
            if let PartType::Message(inner) = &part.body {
                messages.push(inner);
            }
        }
    }
    black_box(decoded);
    true
}

fn whole(octets: Vec<u8>) -> bool {
    let raw = RawMessage::new(octets);
    drop(black_box(postroom_mail::read(black_box(&raw))));
    true
}
