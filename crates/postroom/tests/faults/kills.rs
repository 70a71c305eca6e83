//! `kill -9` at random instants.

use crate::world::{Database, World, databases};
use postroom_testkit::dovecot::Dovecot;
use postroom_testkit::postgres::Postgres;
use std::time::{Duration, Instant};

/// Kills for each database.
const KILLS: u32 = 300;

/// Messages that are under way at a time.
const BATCH: usize = 60;

#[test]
fn random_kills_on_sqlite() {
    let Some(dovecot) = Dovecot::start() else { return };
    kill_at_random(&dovecot, World::new(&dovecot, "kills-sqlite", Database::Sqlite), "kills-sqlite");
}

#[test]
fn random_kills_over_pop3() {
    let Some(dovecot) = Dovecot::start() else { return };
    let world = World::pop3(&dovecot, "kills-pop3", Database::Sqlite, dovecot.pop3s_port);
    kill_at_random(&dovecot, world, "kills-pop3");
}

#[test]
fn random_kills_on_postgresql() {
    let (Some(dovecot), Some(postgres)) = (Dovecot::start(), Postgres::start()) else { return };
    let database = databases(Some(&postgres)).pop().unwrap().1;
    kill_at_random(&dovecot, World::new(&dovecot, "kills-postgres", database), "kills-postgres");
}

fn kill_at_random(dovecot: &Dovecot, mut world: World, name: &str) {
    let seed = std::env::var("POSTROOM_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(|| {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64
    });
    eprintln!("{name}: POSTROOM_SEED={seed} repeats this run's instants");
    let mut random = Random(seed | 1);
    world.send(dovecot, BATCH);
    // How long an undisturbed run takes decides where the kills fall, so that slow and fast machines test the same.
    let started = Instant::now();
    world.ok(&["fetch"]);
    let whole = started.elapsed();
    let (mut kills, mut ended) = (0, 0);
    while kills < KILLS {
        if world.on_server(dovecot).len() < BATCH / 2 + world.sent.len() / 7 {
            world.send(dovecot, BATCH);
        }
        let mut fetch = world.start_fetch();
        std::thread::sleep(whole.mul_f64(random.fraction()).max(Duration::from_millis(1)));
        if fetch.try_wait().unwrap().is_some() {
            ended += 1;
            continue;
        }
        fetch.kill().unwrap();
        fetch.wait().unwrap();
        kills += 1;
        if kills % 20 == 0 {
            world.nothing_deleted_unfiled(dovecot);
        }
    }
    world.ok(&["fetch"]);
    world.ok(&["fetch"]);
    world.everything_exactly_once(dovecot);
    eprintln!(
        "{name}: {kills} kills, {ended} runs that ended before, {} messages: 0 lost, 0 twice, 0 deleted unfiled",
        world.sent.len()
    );
}

/// xorshift64: repeatable, and good enough to scatter instants.
struct Random(u64);

impl Random {
    fn fraction(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}
