//! One message that cannot be read must hold itself, and nothing else; and a process that reads for us may die of
//! anything at any time.

use crate::world::{Database, Fate, World, databases};
use postroom_testkit::dovecot::Dovecot;
use postroom_testkit::postgres::Postgres;
use rustix::process::{Pid, Signal, kill_process};
use std::process::Child;
use std::time::{Duration, Instant};

const POISON: &[u8] = b"From: ann@example.org\r\nSubject: token-poison .\r\n\r\nthis-is-the-poison token-poison .\r\n";

/// The octets by which a fault finds the poison, and those by which it finds every message.
const NEEDLE: &str = "this-is-the-poison";
const EVERY: &str = "token-";

#[test]
fn poison_is_held_and_nothing_else() {
    let Some(dovecot) = Dovecot::start() else { return };
    let postgres = Postgres::start();
    for (fault, reason, slowest) in [
        ("POSTROOM_FAULT_PANIC", "READ_PANICKED", 10),
        ("POSTROOM_FAULT_ABORT", "READ_CRASHED", 10),
        ("POSTROOM_FAULT_OVERFLOW", "READ_CRASHED", 10),
        ("POSTROOM_FAULT_MEMORY", "READ_EXHAUSTED", 20),
        ("POSTROOM_FAULT_HANG", "READ_EXHAUSTED", 30),
        // Ten seconds of processor time, which take longer on a machine that has other work.
        ("POSTROOM_FAULT_LOOP", "READ_EXHAUSTED", 60),
    ] {
        // Reading knows nothing of the database, so the slow one is enough once.
        let places = if fault.ends_with("LOOP") { 1 } else { 2 };
        for (kind, database) in databases(postgres.as_ref()).into_iter().take(places) {
            let name = format!("poison-{kind}-{}", &fault["POSTROOM_FAULT_".len()..].to_lowercase());
            let mut world = World::new(&dovecot, &name, database);
            world.send(&dovecot, 10);
            dovecot.fill(&world.user, &[POISON]).unwrap();
            world.send(&dovecot, 10);
            let started = Instant::now();
            let mut fetch = world.command(&["fetch"]);
            if fault.ends_with("HANG") {
                fetch.env("POSTROOM_FAULT_PATIENCE_MS", "2000");
            }
            let fetched = fetch.env(fault, NEEDLE).output().unwrap();
            assert!(fetched.status.success(), "{name}: {fetched:?}");
            assert!(started.elapsed() < Duration::from_secs(slowest), "{name}: {:?}", started.elapsed());
            let receipts = world.receipts();
            let poison = &receipts["token-poison"][0];
            assert_eq!((&poison["state"], &poison["reason"]), (&"held".into(), &reason.into()), "{name}");
            assert!(poison["trace"][0]["detail"].as_str().is_some_and(|detail| detail.len() > 5), "{name}: {poison}");
            assert!(world.on_server(&dovecot).contains(&"token-poison".to_owned()), "held mail stays on the server");
            for sent in &world.sent {
                let receipt = &receipts[&sent.token][0];
                let expected = if sent.fate == Fate::Held { "held" } else { "filed" };
                assert_eq!(receipt["state"], expected, "{name}: {receipt}");
                assert_eq!(receipt["reason"] == "SENDER_UNKNOWN", sent.fate == Fate::Held, "{name}: {receipt}");
            }
            // A later version can read it: a person tries again.
            let again = world.ok(&["receipt", "retry", &poison["id"].to_string()]);
            assert_eq!(again[0]["state"], "filed", "{name}");
        }
    }
}

#[test]
fn serve_lives_on_and_files_the_next_mail_at_once() {
    let Some(dovecot) = Dovecot::start() else { return };
    let mut world = World::new(&dovecot, "poison-serve", Database::Sqlite);
    world.ok(&["mailbox", "set", "desk", "--every", "1s"]);
    let mut serve = world.command(&["serve", "--listen", "127.0.0.1:0"]);
    serve.env("POSTROOM_FAULT_ABORT", NEEDLE).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut serve = Ours(serve.spawn().unwrap());
    world.send(&dovecot, 5);
    dovecot.fill(&world.user, &[POISON]).unwrap();
    world.send(&dovecot, 5);
    let decided = |world: &World, number: usize| {
        let receipts = world.ok(&["receipt", "list"]);
        receipts.len() == number && receipts.iter().all(|receipt| receipt["state"] != "accepted")
    };
    wait_for("the poison and its neighbours", || decided(&world, 11));
    assert_eq!(world.ok(&["receipt", "list", "--state", "held"]).len(), 2, "the poison and a stranger's");
    world.send(&dovecot, 1);
    let sent = Instant::now();
    wait_for("the next mail", || decided(&world, 12));
    // A second until the mailbox is visited, one to file it, and the time in which we looked.
    assert!(sent.elapsed() < Duration::from_secs(4), "{:?}", sent.elapsed());
    assert!(serve.0.try_wait().unwrap().is_none(), "serve lives on");
}

#[test]
fn kills_of_reading_processes_hold_nobody() {
    let Some(dovecot) = Dovecot::start() else { return };
    let mut world = World::new(&dovecot, "kills-readers", Database::Sqlite);
    let mut kills = 0;
    for round in 0_u64..5 {
        world.send(&dovecot, 40);
        let mut fetch = world.command(&["fetch"]);
        let mut fetch = Ours(fetch.env("POSTROOM_FAULT_SLOW", EVERY).spawn().unwrap());
        let status = loop {
            if let Some(status) = fetch.0.try_wait().unwrap() {
                break status;
            }
            for reader in children_of(&fetch.0) {
                kills += usize::from(kill_process(reader, Signal::KILL).is_ok());
            }
            std::thread::sleep(Duration::from_millis(60 + 23 * round));
        };
        assert!(status.success(), "{status}");
    }
    assert!(kills >= 20, "{kills} kills are too few to show anything");
    world.everything_exactly_once(&dovecot);
    eprintln!("{kills} kills of reading processes, {} messages: 0 lost, 0 held", world.sent.len());
}

#[test]
fn a_kill_takes_the_reading_processes_along() {
    let Some(dovecot) = Dovecot::start() else { return };
    let mut world = World::new(&dovecot, "kill-parent", Database::Sqlite);
    world.send(&dovecot, 8);
    let mut fetch = world.command(&["fetch"]);
    let mut fetch = Ours(fetch.env("POSTROOM_FAULT_LOOP", EVERY).spawn().unwrap());
    let mut readers = Vec::new();
    wait_for("a reading process", || {
        readers = children_of(&fetch.0);
        !readers.is_empty()
    });
    fetch.0.kill().unwrap();
    fetch.0.wait().unwrap();
    wait_for("their end", || readers.iter().all(|reader| !is_running(*reader)));
    world.ok(&["fetch"]);
    world.everything_exactly_once(&dovecot);
}

/// A process that a test started; it ends with the test.
struct Ours(Child);

impl Drop for Ours {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait_for(what: &str, mut is_done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_done() {
        assert!(started.elapsed() < Duration::from_secs(60), "{what} did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The processes that `parent` started and that have not ended.
fn children_of(parent: &Child) -> Vec<Pid> {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let pids = processes.filter_map(|name| Pid::from_raw(name.parse().ok()?));
    pids.filter(|pid| stat(*pid).is_some_and(|(state, of)| state != "Z" && of == parent.id())).collect()
}

fn is_running(pid: Pid) -> bool {
    stat(pid).is_some_and(|(state, _)| state != "Z")
}

/// State and parent of a process (proc_pid_stat(5)); its name stands in parentheses before them.
fn stat(pid: Pid) -> Option<(String, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}
