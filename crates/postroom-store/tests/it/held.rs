//! Held mail: deciding many again, and deleting.

use crate::support::*;
use jiff::SignedDuration;
use postroom_domain::{
    GlobalPolicy, MailboxPolicy, Reason, Receipt, ReceiptId, ReceiptState, SettlementState, StartFrom, WorkspacePolicy,
};
use postroom_mail::{Listed, RemoteId, Settlement};
use postroom_store::{AuditFilter, BORDER, ClaimLimit, OutcomeKind, Reading, ReceiptFilter, RetryFilter};

const EVE: &str = "eve@evil.test";

fn held_only(reason: Option<Reason>) -> ReceiptFilter {
    ReceiptFilter { state: Some(ReceiptState::Held), reason, ..ReceiptFilter::default() }
}

#[tokio::test]
async fn what_is_deleted_leaves_a_receipt_and_no_octets() {
    on_each_database(|place| async move {
        let policy = MailboxPolicy { held: Settlement::MoveTo("Held".into()), ..MailboxPolicy::default() };
        let house = House::new(&place, policy, StartFrom::All).await;
        let store = &house.store;
        let large = "l".repeat(BORDER + 1);
        let small = house.take(1, message(EVE, "small", "buy this")).await.receipt;
        let in_file = house.take(2, message(EVE, "large", &large)).await.receipt;
        let filed = house.take(3, message("ann@example.org", "mine", "mine")).await.receipt;
        let file = place.config.data_dir.join("raw").join(&raw(&large).sha256().to_string()[..2]);
        assert_eq!(std::fs::read_dir(&file).unwrap().count(), 1);
        assert_eq!(store.owed(house.mailbox.id, None, 9).await.unwrap().len(), 2);

        for id in [small, in_file] {
            store.delete_receipt(id, Some("it is spam"), noon()).await.unwrap();
            let receipt = store.receipt(id).await.unwrap();
            assert_eq!((receipt.state, receipt.reason), (ReceiptState::Held, Some(Reason::Deleted)));
            assert_eq!(receipt.settlement, Some(SettlementState::Kept), "its server is not told");
            assert!(receipt.sha256.is_some() && receipt.is_deleted());
            let last = receipt.trace.last().unwrap();
            assert_eq!(
                (last.outcome.as_str(), last.detail.as_str()),
                ("by a person", "it was held as SENDER_UNKNOWN: it is spam")
            );
            for code in [
                store.raw_of(id).await.unwrap_err().code(),
                store.download(id, noon()).await.unwrap_err().code(),
                store.retry(id, noon()).await.unwrap_err().code(),
                store.release(id, None, false, noon()).await.unwrap_err().code(),
                store.delete_receipt(id, None, noon()).await.unwrap_err().code(),
            ] {
                assert_eq!(code, "RECEIPT_DELETED");
            }
        }
        assert_eq!(std::fs::read_dir(&file).unwrap().count(), 0);
        assert_eq!(store.sweep_deleted().await.unwrap(), 0, "nothing is left to sweep");
        assert!(store.owed(house.mailbox.id, None, 9).await.unwrap().is_empty());
        assert_eq!(store.delete_receipt(filed, None, noon()).await.unwrap_err().code(), "RECEIPT_STATE");
        assert_eq!(store.delete_receipt(ReceiptId(99), None, noon()).await.unwrap_err().code(), "RECEIPT_UNKNOWN");

        assert!(store.receipts(held_only(None)).await.unwrap().is_empty());
        assert_eq!(store.receipts(held_only(Some(Reason::Deleted))).await.unwrap().len(), 2);
        assert_eq!(store.receipts(ReceiptFilter::default()).await.unwrap().len(), 3);
        let counts = store.mailbox_status().await.unwrap().remove(0).counts;
        assert_eq!((counts.filed, counts.held, counts.done), (1, 0, 2));
        assert_eq!(store.check().await.unwrap().problems, []);

        // It is never taken for a new one: neither under its name, nor under another UIDVALIDITY.
        assert!(house.accept(&[(1, "buy this"), (2, &large)]).await.is_empty());
        store.begin_folder(&house.lease, seen(8, 5), noon()).await.unwrap();
        let batch = vec![fetched(uid(8, 1), "buy this"), fetched(uid(8, 2), &large)];
        let accepted = store.accept(&house.lease, batch, &house.me, noon()).await.unwrap();
        assert_eq!((accepted.rebound, accepted.claimed.len()), (2, 0));
        assert!(store.receipt(small).await.unwrap().is_deleted());
        let backup = place.config.data_dir.with_file_name("backup");
        store.backup(&backup, noon()).await.unwrap();
        let restored =
            postroom_store::StoreConfig::new(backup.with_file_name("restored"), postroom_store::Database::Sqlite);
        let (restored, _) = postroom_store::Store::restore(&backup, &restored, "cli:test", noon()).await.unwrap();
        assert_eq!(restored.check().await.unwrap().problems, []);
        assert!(restored.receipt(in_file).await.unwrap().is_deleted());
    })
    .await;
}

#[tokio::test]
async fn octets_that_somebody_still_wants_stay() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        let large = "l".repeat(BORDER + 1);
        let (one, two) =
            (house.take(1, message(EVE, "one", &large)).await, house.take(2, message(EVE, "two", &large)).await);
        assert_eq!(two.reason, Some(Reason::SenderUnknown));
        store.delete_receipt(one.receipt, None, noon()).await.unwrap();
        assert_eq!(store.raw_of(one.receipt).await.unwrap_err().code(), "RECEIPT_DELETED");
        assert_eq!(store.raw_of(two.receipt).await.unwrap().size(), large.len() as u64);
        store.delete_receipt(two.receipt, None, noon()).await.unwrap();
        assert_eq!(store.raw_of(two.receipt).await.unwrap_err().code(), "RECEIPT_DELETED");

        // The same octets come once more, as another message, and are decided like any other.
        let again = house.take(3, message("ann@example.org", "again", &large)).await;
        assert_eq!(again.kind, OutcomeKind::Item(1), "a deleted message is no first copy");
        assert_eq!(store.raw_of(again.receipt).await.unwrap().size(), large.len() as u64);
        assert_eq!(store.raw_of(one.receipt).await.unwrap_err().code(), "RECEIPT_DELETED");
        assert_eq!(store.sweep_deleted().await.unwrap(), 0);
        assert_eq!(store.check().await.unwrap().problems, []);
    })
    .await;
}

#[tokio::test]
async fn a_sweep_that_was_cut_off_is_made_up_for_and_takes_nothing_back() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        let large = "l".repeat(BORDER + 1);
        let gone = house.take(1, message(EVE, "gone", &large)).await.receipt;
        // As a crash between the two transactions leaves it: marked, the file still there.
        place.sql("UPDATE receipt SET reason = 'DELETED' WHERE id = 1; UPDATE raw SET deleted = TRUE");
        assert_eq!(store.check().await.unwrap().problems, []);
        let path = place
            .config
            .data_dir
            .join("raw")
            .join(&raw(&large).sha256().to_string()[..2])
            .join(raw(&large).sha256().to_string());
        assert!(path.exists());
        assert_eq!(store.sweep_deleted().await.unwrap(), 1);
        assert!(!path.exists() && store.receipt(gone).await.unwrap().is_deleted());

        // Marked again, and brought again before the sweep: it is wanted.
        place.sql("UPDATE raw SET in_file = TRUE");
        let wanted = house.take(2, message("ann@example.org", "wanted", &large)).await;
        assert_eq!(store.sweep_deleted().await.unwrap(), 0);
        assert_eq!(store.raw_of(wanted.receipt).await.unwrap().size(), large.len() as u64);
        // A row that says deleted where it must not is found.
        place.sql("UPDATE raw SET deleted = TRUE");
        let problems = store.check().await.unwrap().problems;
        assert_eq!(problems.iter().map(|one| one.code).collect::<Vec<_>>(), ["WANTED_BUT_DELETED"]);
    })
    .await;
}

#[tokio::test]
async fn what_was_never_fetched_can_be_deleted_and_stays_so() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        let listed = |id: RemoteId| Listed { id, size: 99_000_000, received_at: None };
        let batch = vec![(listed(uid(7, 1)), Reason::Unfetchable), (listed(uid(7, 2)), Reason::TooLarge)];
        store.accept_unfetched(&house.lease, batch.clone(), noon()).await.unwrap();
        for receipt in store.receipts(held_only(None)).await.unwrap() {
            store.delete_receipt(receipt.id, None, noon()).await.unwrap();
        }
        let known = store.known_uids(house.mailbox.id, &house.epoch, 1, u64::MAX >> 1).await.unwrap();
        assert_eq!(known.len(), 2, "neither is asked for again, whatever the limit");
        assert_eq!(store.accept_unfetched(&house.lease, batch, noon()).await.unwrap(), 0);
        assert!(house.accept(&[(1, "one")]).await.is_empty());
        assert_eq!(store.receipts(held_only(Some(Reason::Deleted))).await.unwrap().len(), 2);
        assert_eq!(store.check().await.unwrap().problems, []);
    })
    .await;
}

/// Claims what is due and files it, as the worker does; every text is its message's author and subject too.
async fn work_off(house: &House) {
    let claimed = house.store.claim(&house.me, ClaimLimit { count: 100, octets: u64::MAX }, noon()).await.unwrap();
    let read = claimed.into_iter().map(|one| {
        let text = String::from_utf8(one.raw().octets().to_vec()).unwrap();
        (one, message(text.split(' ').next().unwrap(), &text, &text))
    });
    house.file(read.collect()).await;
}

#[tokio::test]
async fn after_a_change_of_the_rules_all_that_match_are_decided_again_in_order() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        for n in 1..=7 {
            house.take(n, message("amy@customer.example", &format!("{n}"), &format!("amy@customer.example {n}"))).await;
        }
        let mut unclear = message(EVE, "two authors", "eve@evil.test two");
        unclear.from.push(postroom_mail::Address::new("", "bob@example.org"));
        house.take(8, unclear).await;
        store.delete_receipt(ReceiptId(4), None, noon()).await.unwrap();
        let which = |reason, after, up_to, limit| RetryFilter {
            mailbox: None,
            reason,
            after: ReceiptId(after),
            up_to: ReceiptId(up_to),
            limit,
        };
        assert!(store.retry_held(which(Some(Reason::DuplicateCopy), 0, 99, 9), noon()).await.unwrap().is_empty());
        let other = RetryFilter { mailbox: Some("other".into()), ..which(None, 0, 99, 9) };
        assert!(store.retry_held(other, noon()).await.unwrap().is_empty());

        let open = GlobalPolicy { unknown_senders: true, ..GlobalPolicy::default() };
        store.set_global_policy(&open, noon()).await.unwrap();
        let unknown = Some(Reason::SenderUnknown);
        let mut seen: Vec<i64> = Vec::new();
        loop {
            let ids = store.retry_held(which(unknown, seen.last().copied().unwrap_or(0), 6, 2), noon()).await.unwrap();
            if ids.is_empty() {
                break;
            }
            work_off(&house).await;
            seen.extend(ids.iter().map(|id| id.0));
        }
        assert_eq!(seen, [1, 2, 3, 5, 6], "neither the deleted one nor those beyond");
        let receipts = store.receipts(ReceiptFilter::default()).await.unwrap();
        let items: Vec<_> = receipts.iter().rev().map(|receipt: &Receipt| receipt.item).collect();
        assert_eq!(items, [Some(1), Some(2), Some(3), None, Some(4), Some(5), None, None]);
        assert_eq!(store.check().await.unwrap().problems, []);
    })
    .await;
}

#[tokio::test]
async fn what_a_rule_holds_is_deleted_when_its_workspaces_time_is_over_and_what_fails_never() {
    on_each_database(|place| async move {
        let house = House::usual(&place).await;
        let store = &house.store;
        let mut global = imap("global", MailboxPolicy::default(), StartFrom::All);
        global.workspace = None;
        store.add_mailbox(global, None, noon()).await.unwrap();
        for n in 1..=3 {
            house.take(n, message(EVE, "by a rule", &format!("text {n}"))).await;
        }
        let claimed = house.accept(&[(4, "poison")]).await.remove(0);
        let failed = Reading::Failed { reason: Reason::ReadPanicked, detail: String::new() };
        store.file(vec![(claimed, failed)], &house.me, noon()).await.unwrap();
        house.take(5, message("ann@example.org", "filed", "filed")).await;
        // One in the global inbox, which feeds the default workspace; one is younger than the others.
        place.sql("UPDATE receipt SET mailbox_id = 2 WHERE id = 2");
        let later = noon() + SignedDuration::from_hours(1);
        place.sql(&format!("UPDATE receipt SET decided_at = {} WHERE id = 3", later.as_microsecond()));

        let days = noon() + SignedDuration::from_hours(90 * 24);
        assert_eq!(store.expire_held(days + SignedDuration::from_hours(9999)).await.unwrap(), 0, "at first for ever");
        let keep = |days| WorkspacePolicy { retain_held_days: days, ..WorkspacePolicy::default() };
        store.set_workspace_policy(&key("OPS"), keep(Some(1)), noon()).await.unwrap();
        assert_eq!(store.expire_held(days).await.unwrap(), 0, "the rule of another workspace");
        store.set_workspace_policy(&key("SUP"), keep(Some(90)), noon()).await.unwrap();
        assert_eq!(store.expire_held(days).await.unwrap(), 0, "not a moment before");
        let just_over = days + SignedDuration::from_secs(1);
        assert_eq!(store.expire_held(just_over).await.unwrap(), 2);
        assert_eq!(store.expire_held(just_over).await.unwrap(), 0);
        let states: Vec<bool> =
            store.receipts(ReceiptFilter::default()).await.unwrap().iter().map(Receipt::is_deleted).collect();
        assert_eq!(states, [false, false, false, true, true]);
        let receipt = store.receipt(ReceiptId(1)).await.unwrap();
        let last = receipt.trace.last().unwrap();
        assert_eq!(last.outcome, "by retention");
        assert_eq!(last.detail, "it was held as SENDER_UNKNOWN: SUP keeps held mail for 90 days");
        let row = store
            .audit(AuditFilter { object: Some("receipt:1".into()), ..AuditFilter::default() })
            .await
            .unwrap()
            .remove(0);
        assert_eq!(
            (row.actor.as_str(), row.action.as_str(), &row.detail["days"]),
            ("system", "receipt.delete", &90.into())
        );
        assert_eq!(store.metrics(noon()).await.unwrap().expired, 2);
        assert_eq!(
            store.expire_held(days + SignedDuration::from_hours(9999)).await.unwrap(),
            1,
            "the younger one in its time"
        );
        assert!(!store.receipt(ReceiptId(4)).await.unwrap().is_deleted(), "what a failure holds waits");
        store.set_workspace_policy(&key("SUP"), keep(None), noon()).await.unwrap();
        assert_eq!(store.check().await.unwrap().problems, []);
    })
    .await;
}
