//! Tests that need a process of their own: this test binary runs itself, with the part to play in its environment.

use crate::support::*;
use postroom_domain::{MailboxPolicy, StartFrom};
use postroom_mail::Settlement;
use postroom_store::{Accepted, ClaimLimit, Database, Fetched, Holder, LeaseTaken, Reading, Store, StoreConfig};
use std::path::Path;
use std::process::{Command, ExitStatus};

const PART: &str = "POSTROOM_TEST_PART";
const DATA: &str = "POSTROOM_TEST_DATA";

/// Starts this binary in a part, with `prelude` run by the shell first.
pub fn command(part: &str, data: &Path, prelude: &str) -> Command {
    let exe = std::env::current_exe().unwrap();
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{prelude}; exec \"$0\" --exact child::plays_its_part --nocapture")).arg(exe);
    command.env(PART, part).env(DATA, data);
    command
}

pub fn play(part: &str, data: &Path, prelude: &str) -> ExitStatus {
    command(part, data, prelude).status().unwrap()
}

/// Nothing at all unless it was started by [`command`].
#[tokio::test]
async fn plays_its_part() {
    let Ok(part) = std::env::var(PART) else { return };
    let config = StoreConfig::new(std::env::var(DATA).unwrap(), Database::Sqlite);
    match part.split_once(' ').unwrap_or((&part, "")) {
        ("fill", _) => fill_the_disk(&config).await,
        ("push", name) => push_and_file(&config, name).await,
        ("corridor", _) => corridor(&config).await,
        _ => panic!("no such part: {part}"),
    }
}

/// Accepts until there is no room, in the database and in a file.
async fn fill_the_disk(config: &StoreConfig) {
    let store = Store::open(config).unwrap();
    let mailbox = store.mailbox("desk").await.unwrap();
    let me = Holder::current();
    let lease = lease(&store, &mailbox, &me).await;
    let mut accepted = 0;
    let error = loop {
        let text = format!("{accepted} {}", "x".repeat(100_000));
        match store.accept(&lease, vec![fetched(uid(7, accepted + 1), &text)], &me, noon()).await {
            Ok(_) => accepted += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), "DATABASE_FULL", "{error:?}");
    assert!(accepted > 3, "{accepted}");
    let large = fetched(uid(7, 1000), &"y".repeat(9_000_000));
    let error = store.accept(&lease, vec![large], &me, noon()).await.unwrap_err();
    assert_eq!(error.code(), "DATABASE_FULL", "{error:?}");
    // What was accepted is still there, and reading goes on.
    assert_eq!(store.receipts(Default::default()).await.unwrap().len(), accepted as usize);
    println!("accepted {accepted}");
}

/// Brings messages and files them, as `deliver` does beside a running server.
async fn push_and_file(config: &StoreConfig, name: &str) {
    let store = Store::open(config).unwrap();
    let mailbox = store.mailbox("desk").await.unwrap();
    let me = Holder::current();
    for n in 0..40 {
        // Every second message is brought by all processes.
        let text = if n % 2 == 0 { format!("common {n}") } else { format!("{name} {n}") };
        let accepted = store.accept_pushed(mailbox.id, raw(&text), &me, noon()).await.unwrap();
        let Accepted::New(claimed) = accepted else { continue };
        let reading = Reading::Message(Box::new(message("ann@example.org", "subject", &text)));
        store.file(vec![(claimed, reading)], &me, noon()).await.unwrap();
    }
}

/// The whole way of three messages, one of them in a file, from wherever an earlier process left it.
pub async fn corridor(config: &StoreConfig) {
    let store = Store::open(config).unwrap();
    let mailbox = store.mailbox("desk").await.unwrap();
    let me = Holder::current();
    let LeaseTaken::Lease(lease) = store.take_lease(mailbox.id, &me, noon(), TTL).await.unwrap() else {
        panic!("the lease of a dead process is taken over")
    };
    let batch: Vec<Fetched> = corridor_texts().iter().zip(1..).map(|(text, n)| fetched(uid(7, n), text)).collect();
    store.accept(&lease, batch, &me, noon()).await.unwrap();
    store.release_claims(&me).await.unwrap();
    let claimed = store.claim(&me, ClaimLimit { count: 9, octets: u64::MAX }, noon()).await.unwrap();
    let batch = claimed.into_iter().map(|claimed| {
        let text = String::from_utf8(claimed.raw().octets().to_vec()).unwrap();
        let mut message = message("ann@example.org", "subject", &text);
        message.attachments.push(slice(claimed.raw(), "part.txt", 0..3));
        (claimed, Reading::Message(Box::new(message)))
    });
    store.file(batch.collect(), &me, noon()).await.unwrap();
    let owed = store.owed(mailbox.id, 9).await.unwrap();
    store.mark_settled(&lease, owed, noon()).await.unwrap();
}

fn corridor_texts() -> [String; 3] {
    ["one ".to_owned(), "two ".repeat(200_000), "three".to_owned()]
}

/// A place with everything in it that the parts expect.
pub async fn prepared() -> Place {
    let place = Place::sqlite();
    let policy = MailboxPolicy { filed: Settlement::Delete, ..MailboxPolicy::default() };
    let house = House::new(&place, policy, StartFrom::All).await;
    house.store.release_lease(&house.lease).await.unwrap();
    place
}

/// After the corridor, however often it was interrupted: one effect for each message, and nothing owed.
#[cfg(feature = "crash-points")]
pub async fn assert_corridor_is_done(config: &StoreConfig) {
    let store = Store::open(config).unwrap();
    let items = store.items(Default::default()).await.unwrap();
    assert_eq!(items.len(), 3);
    let receipts = store.receipts(Default::default()).await.unwrap();
    assert!(receipts.iter().all(|receipt| receipt.settlement == Some(postroom_domain::SettlementState::Settled)));
    assert_eq!(receipts.len(), 3);
    for receipt in receipts {
        let raw = store.raw_of(receipt.id).await.unwrap();
        assert!(corridor_texts().iter().any(|text| text.as_bytes() == raw.octets().as_ref()));
    }
    assert_eq!(store.check().await.unwrap().problems, []);
}

/// Dies at every named step, starts again, and compares.
#[cfg(feature = "crash-points")]
#[tokio::test]
async fn a_crash_at_any_step_loses_nothing_and_repeats_nothing() {
    use std::os::unix::process::ExitStatusExt;
    for name in postroom_store::CRASH_POINTS {
        for nth in 1..=3 {
            let place = prepared().await;
            let data = &place.config.data_dir;
            let died =
                command("corridor", data, "ulimit -c 0").env("POSTROOM_CRASH_POINT", format!("{name}:{nth}")).status();
            let died = died.unwrap();
            if died.success() {
                assert!(nth > 1, "{name} was never reached");
                break;
            }
            assert_eq!(died.signal(), Some(6), "{name}:{nth}");
            assert!(play("corridor", data, "true").success(), "{name}:{nth}");
            assert_corridor_is_done(&place.config).await;
        }
    }
}
