//! Crashes at every named step (only with the feature `crash-points`).

use crate::child::{command, prepared};
use crate::support::*;
use postroom_domain::SettlementState;
use postroom_store::{ClaimLimit, Claimed, Fetched, Holder, LeaseTaken, Reading, Store, StoreConfig};
use std::os::unix::process::ExitStatusExt;

/// The whole way of three messages, one of them in a file, from wherever an earlier process left it.
pub async fn corridor(config: &StoreConfig) {
    let store = Store::open(config).unwrap();
    let mailbox = store.mailbox("desk").await.unwrap();
    let me = Holder::current();
    let LeaseTaken::Lease(lease) = store.take_lease(mailbox.id, &me, noon(), TTL).await.unwrap() else {
        panic!("the lease of a dead process is taken over")
    };
    let batch: Vec<Fetched> = corridor_texts().iter().zip(1..).map(|(text, n)| fetched(uid(7, n), text)).collect();
    let accepted = store.accept(&lease, batch, &me, noon()).await.unwrap().claimed;
    store.give_back(accepted.iter().map(Claimed::ticket).collect()).await.unwrap();
    let claimed = store.claim(&me, ClaimLimit { count: 9, octets: u64::MAX }, noon()).await.unwrap();
    let batch = claimed.into_iter().map(|claimed| {
        let text = String::from_utf8(claimed.raw().octets().to_vec()).unwrap();
        let mut message = message("ann@example.org", "subject", &text);
        message.attachments.push(slice(claimed.raw(), "part.txt", 0..3));
        (claimed, Reading::Message(Box::new(message)))
    });
    store.file(batch.collect(), &me, noon()).await.unwrap();
    let owed = store.owed(mailbox.id, None, 9).await.unwrap();
    store.mark_settled(&lease, owed, noon()).await.unwrap();
}

fn corridor_texts() -> [String; 3] {
    ["one ".to_owned(), "two ".repeat(200_000), "three".to_owned()]
}

/// After the corridor, however often it was interrupted: one effect for each message, and nothing owed.
async fn assert_corridor_is_done(config: &StoreConfig) {
    let store = Store::open(config).unwrap();
    let items = store.items(Default::default()).await.unwrap();
    assert_eq!(items.len(), 3);
    let receipts = store.receipts(Default::default()).await.unwrap();
    // Whoever comes after the last step finds messages that were to be gone, and leaves them alone from then on.
    let is_done = |settlement| matches!(settlement, SettlementState::Settled | SettlementState::Kept);
    assert!(receipts.iter().all(|receipt| receipt.settlement.is_some_and(is_done)));
    assert_eq!(receipts.len(), 3);
    for receipt in receipts {
        let raw = store.raw_of(receipt.id).await.unwrap();
        assert!(corridor_texts().iter().any(|text| text.as_bytes() == raw.octets().as_ref()));
    }
    assert_eq!(store.check().await.unwrap().problems, []);
}

/// Dies at every named step, starts again, and compares.
#[tokio::test]
async fn a_crash_at_any_step_loses_nothing_and_repeats_nothing() {
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
            assert!(command("corridor", data, "true").status().unwrap().success(), "{name}:{nth}");
            assert_corridor_is_done(&place.config).await;
        }
    }
}
