//! Tests that need a process of their own: this test binary runs itself, with the part to play in its environment.

use crate::support::*;
use postroom_domain::{MailboxPolicy, StartFrom};
use postroom_mail::Settlement;
use postroom_store::{Accepted, Database, Holder, Reading, Store, StoreConfig};
use std::path::Path;
use std::process::Command;

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

/// Nothing at all unless it was started by [`command`].
#[tokio::test]
async fn plays_its_part() {
    let Ok(part) = std::env::var(PART) else { return };
    let config = StoreConfig::new(std::env::var(DATA).unwrap(), Database::Sqlite);
    match part.split_once(' ').unwrap_or((&part, "")) {
        ("fill", _) => fill_the_disk(&config).await,
        ("push", name) => push_and_file(&config, name).await,
        #[cfg(feature = "crash-points")]
        ("corridor", _) => crate::crashes::corridor(&config).await,
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

/// A place with everything in it that the parts expect.
pub async fn prepared() -> Place {
    let place = Place::sqlite();
    let policy = MailboxPolicy { filed: Settlement::Delete, ..MailboxPolicy::default() };
    let house = House::new(&place, policy, StartFrom::All).await;
    house.store.release_lease(&house.lease).await.unwrap();
    place
}
