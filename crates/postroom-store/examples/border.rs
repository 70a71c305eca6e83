//! Measures where raw messages are best kept: for each size, how fast batches become durable in the database and in files.
//!
//! `cargo run --release -p postroom-store --example border [DIRECTORY [postgres://…]]`; the directory should be on the disk
//! in question. The figures stand in docs/adr/0001-raw-octets.md.

use jiff::{SignedDuration, Timestamp};
use postroom_domain::{MailboxPolicy, StartFrom};
use postroom_mail::{Access, Listed, RawMessage, RemoteId};
use postroom_store::{Database, Fetched, Holder, LeaseTaken, NewMailbox, Store, StoreConfig};
use std::path::Path;
use std::time::Instant;

const SIZES: [usize; 9] = [4, 16, 32, 64, 128, 256, 384, 512, 1024];
const BATCH: usize = 64;
/// Octets written for each figure.
const VOLUME: usize = 96 << 20;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let postgres = std::env::args().nth(2);
    println!("size KB   where     msg/s    MB/s   CPU ms/msg");
    for kilobytes in SIZES {
        for (place, border) in [("database", usize::MAX), ("file", 0)] {
            let dir = Path::new(&root).join(format!("border-{kilobytes}-{place}-{}", std::process::id()));
            let database = postgres.clone().map_or(Database::Sqlite, Database::Postgres);
            let config = StoreConfig { border, ..StoreConfig::new(&dir, database) };
            let (rate, cpu_ms) = measure(&config, kilobytes * 1024).await?;
            let megabytes = rate * kilobytes as f64 / 1024.0;
            println!("{kilobytes:7}   {place:8} {rate:7.0} {megabytes:7.1} {cpu_ms:12.3}");
            std::fs::remove_dir_all(&dir)?;
        }
    }
    Ok(())
}

/// Messages a second, and milliseconds of CPU for each.
async fn measure(config: &StoreConfig, size: usize) -> Result<(f64, f64), Box<dyn std::error::Error>> {
    let store = Store::open(config)?;
    let now = Timestamp::now();
    let _ = store.add_workspace(&"SUP".parse()?, "Support", true, Timestamp::now()).await;
    let name = format!("border {}", config.data_dir.display());
    let new = NewMailbox {
        name,
        access: Access::Push,
        workspace: None,
        policy: MailboxPolicy::default(),
        start: StartFrom::All,
        every_s: 60,
    };
    let mailbox = store.add_mailbox(new, None, now).await?;
    let me = Holder::current();
    let LeaseTaken::Lease(lease) = store.take_lease(mailbox.id, &me, now, SignedDuration::from_hours(1)).await? else {
        return Err("busy".into());
    };
    let count = (VOLUME / size).clamp(2 * BATCH, 40 * BATCH) / BATCH * BATCH;
    // Different in every octet from run to run, so that nothing is known already and nothing compresses.
    let mut state = u64::from(std::process::id()) ^ now.as_nanosecond() as u64 | 1;
    let messages: Vec<Fetched> = (0..count).map(|n| fetched(n, size, &mut state)).collect();
    let mut batches = messages.chunks(BATCH).map(<[Fetched]>::to_vec);
    let (start, cpu) = (Instant::now(), cpu_s());
    // Two batches under way, as in a visit that fetches one while it accepts the other.
    while let Some(first) = batches.next() {
        let (one, two) = tokio::join!(store.accept(&lease, first, &me, now), async {
            match batches.next() {
                Some(second) => store.accept(&lease, second, &me, now).await.map(drop),
                None => Ok(()),
            }
        });
        one?;
        two?;
    }
    let seconds = start.elapsed().as_secs_f64();
    Ok((count as f64 / seconds, (cpu_s() - cpu) * 1000.0 / count as f64))
}

fn fetched(n: usize, size: usize, state: &mut u64) -> Fetched {
    let mut octets = Vec::with_capacity(size + 8);
    while octets.len() < size {
        // xorshift64: no need for better randomness here.
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        octets.extend_from_slice(&state.to_le_bytes());
    }
    let raw = RawMessage::new(octets);
    let id = RemoteId::Maildir { name: format!("{n}.{}", raw.sha256()) };
    Fetched { listed: Listed { id, size: raw.size(), received_at: None }, raw }
}

/// CPU time of this process in seconds, from `/proc/self/stat`, fields 14 and 15 in ticks of 10 ms.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}
