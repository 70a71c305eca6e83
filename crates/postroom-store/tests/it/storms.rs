//! Limits in the store: what is counted, what is held, and that it is filed by itself once the storm is over.

use crate::support::*;
use jiff::{SignedDuration, Timestamp};
use postroom_domain::{
    GlobalPolicy, Identity, Level, Limits, MailboxPolicy, Reason, ReceiptState, SettlementState, StartFrom,
};
use postroom_mail::{Listed, Message, Settlement};
use postroom_store::{ClaimLimit, Fetched, OutcomeKind, Question, Reading, ReceiptFilter};

const MANY: ClaimLimit = ClaimLimit { count: 1000, octets: u64::MAX };
const ANN: &str = "ann@example.org";

fn minutes(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

fn automatic(from: &str, subject: &str, text: &str) -> Message {
    Message { auto_submitted: true, ..message(from, subject, text) }
}

/// A house with narrow limits whose first visit was at noon, and everything filed at an instant of its own.
struct Stormy {
    house: House,
    next: u32,
    /// Who is proven to have written what is taken.
    identity: Identity,
}

impl Stormy {
    async fn new(place: &Place) -> Self {
        let policy = MailboxPolicy { held: Settlement::MoveTo("Held".into()), ..MailboxPolicy::default() };
        let house = House::new(place, policy, StartFrom::All).await;
        let limits =
            Limits { automatic_per_sender: 2, automatic_per_item: 3, automatic_per_mailbox: 5, storm_resume: 3 };
        let policy = GlobalPolicy { limits, unknown_senders: true, ..GlobalPolicy::default() };
        house.store.set_global_policy(&policy, noon()).await.unwrap();
        Self { house, next: 1, identity: Identity::default() }
    }

    /// Takes messages that arrived at these instants, at `now`, in one batch.
    async fn take_all(
        &mut self,
        message: &Message,
        arrivals: &[Timestamp],
        now: Timestamp,
    ) -> Vec<(OutcomeKind, Option<Reason>)> {
        let mut batch = Vec::new();
        for at in arrivals {
            let raw = raw(&format!("{} {}", message.text, self.next));
            let listed = Listed { id: uid(7, self.next), size: raw.size(), received_at: Some(*at) };
            self.next += 1;
            batch.push(Fetched { listed, raw });
        }
        let House { store, lease, me, .. } = &self.house;
        let batch = store.accept(lease, batch, me, now).await.unwrap();
        let claimed = batch.claimed.into_iter().map(|claimed| claimed.judged(self.identity.clone()));
        let batch = claimed.map(|claimed| (claimed, Reading::Message(Box::new(message.clone()))));
        let outcomes = store.file(batch.collect(), me, now).await.unwrap();
        outcomes.iter().map(|outcome| (outcome.kind, outcome.reason)).collect()
    }

    async fn take(&mut self, message: Message, at: Timestamp) -> (OutcomeKind, Option<Reason>) {
        self.take_all(&message, &[at], at).await.remove(0)
    }

    /// What intake does every few seconds: claims what is due and files it. Returns the receipts and their reasons.
    async fn work_off(&self, now: Timestamp) -> Vec<(i64, Option<Reason>)> {
        let House { store, me, .. } = &self.house;
        let claimed = store.claim(me, MANY, now).await.unwrap();
        let mut batch = Vec::new();
        for claimed in claimed {
            let receipt = store.receipt(claimed.receipt()).await.unwrap();
            let (from, subject) = (receipt.from.unwrap(), receipt.subject.unwrap());
            let claimed = claimed.judged(receipt.identity.unwrap_or_default());
            batch.push((claimed, Reading::Message(Box::new(automatic(&from, &subject, "again")))));
        }
        let outcomes = store.file(batch, me, now).await.unwrap();
        outcomes.iter().map(|outcome| (outcome.receipt.0, outcome.reason)).collect()
    }

    async fn held(&self) -> Vec<i64> {
        let filter = ReceiptFilter { state: Some(ReceiptState::Held), limit: 1000, ..ReceiptFilter::default() };
        let mut held: Vec<i64> = self.house.store.receipts(filter).await.unwrap().iter().map(|r| r.id.0).collect();
        held.reverse();
        held
    }
}

const STORM: Option<Reason> = Some(Reason::Storm);
const NEW: Option<Reason> = Some(Reason::NewItem);

#[tokio::test]
async fn automatic_mail_of_one_sender_is_held_and_filed_when_the_storm_is_over() {
    on_each_database(|place| async move {
        let mut stormy = Stormy::new(&place).await;
        let at = |n| noon() + minutes(n);
        for n in 0..2 {
            assert_eq!(stormy.take(automatic(ANN, "alert", "x"), at(n)).await.1, NEW);
        }
        for n in 2..4 {
            assert_eq!(stormy.take(automatic(ANN, "alert", "x"), at(n)).await, (OutcomeKind::Held, STORM));
        }
        // Others, and a person at the same address, are not held.
        assert_eq!(stormy.take(automatic("bob@example.org", "alert", "x"), at(4)).await.1, NEW);
        assert_eq!(stormy.take(message(ANN, "a person", "x"), at(4)).await.1, NEW);
        let store = &stormy.house.store;
        let receipt = store.receipt(postroom_domain::ReceiptId(3)).await.unwrap();
        assert_eq!((receipt.reason, receipt.resumes_at), (STORM, Some(at(2 + 60))));
        assert_eq!(receipt.settlement, Some(SettlementState::Kept), "nothing is moved on the server for a storm");
        let step = receipt.trace.last().unwrap();
        assert!(step.rule == "storm" && step.detail.contains("automatic-per-sender"), "{step:?}");

        assert!(stormy.work_off(at(30)).await.is_empty());
        // An hour after the first of the held it is looked: within the hour only the other held one arrived, so there is
        // room for one. It counts from now on, so the next has to wait until the other one's arrival is an hour ago.
        assert_eq!(stormy.work_off(at(62)).await, [(3, NEW)]);
        assert!(stormy.work_off(at(62)).await.is_empty());
        let receipt = stormy.house.store.receipt(postroom_domain::ReceiptId(4)).await.unwrap();
        assert_eq!(receipt.resumes_at, Some(at(63)), "it is looked again a minute later");
        assert_eq!(stormy.work_off(at(63)).await, [(4, NEW)]);
        // Both count now: whatever comes within the next hour waits.
        assert_eq!(stormy.take(automatic(ANN, "alert", "x"), at(64)).await.1, STORM);
        assert!(stormy.work_off(at(121)).await.is_empty());
        assert_eq!(stormy.work_off(at(124)).await, [(7, NEW)]);
        assert!(stormy.held().await.is_empty());
        let receipt = stormy.house.store.receipt(postroom_domain::ReceiptId(4)).await.unwrap();
        assert_eq!((receipt.state, receipt.resumes_at), (ReceiptState::Filed, None));
        assert!(receipt.trace.iter().any(|step| step.rule == "storm" && step.outcome == "waited"));
        assert!(stormy.house.store.check().await.unwrap().problems.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_storm_that_is_too_large_waits_for_a_person() {
    on_each_database(|place| async move {
        let mut stormy = Stormy::new(&place).await;
        let at = |n| noon() + minutes(n);
        for n in 0..6 {
            stormy.take(automatic(ANN, "alert", "x"), at(n)).await;
        }
        assert_eq!(stormy.held().await, [3, 4, 5, 6]);
        assert!(stormy.work_off(at(200)).await.is_empty());
        let store = &stormy.house.store;
        for id in [3, 4, 5, 6] {
            let receipt = store.receipt(postroom_domain::ReceiptId(id)).await.unwrap();
            assert_eq!((receipt.reason, receipt.resumes_at), (STORM, None));
        }
        // A person releases one, and has another decided again after the limit was raised.
        let three = postroom_domain::ReceiptId(3);
        store.release(three, None, false, noon()).await.unwrap();
        assert_eq!(stormy.work_off(at(201)).await, [(3, NEW)]);
        store.retry(postroom_domain::ReceiptId(4), noon()).await.unwrap();
        assert_eq!(stormy.work_off(at(202)).await, [(4, STORM)], "by its arrival it is part of the storm as before");
        assert_eq!(stormy.held().await, [4, 5, 6]);
        let limits = Limits { automatic_per_sender: 50, ..Limits::default() };
        let policy = GlobalPolicy { limits, unknown_senders: true, ..GlobalPolicy::default() };
        store.set_global_policy(&policy, noon()).await.unwrap();
        store.retry(postroom_domain::ReceiptId(5), noon()).await.unwrap();
        assert_eq!(stormy.work_off(at(203)).await, [(4, NEW), (5, NEW)], "there is room for what waited, too");
    })
    .await;
}

#[tokio::test]
async fn each_limit_counts_its_own() {
    on_each_database(|place| async move {
        let mut stormy = Stormy::new(&place).await;
        let at = |n| noon() + minutes(n);
        // However much a person writes, it is no storm.
        let taken = stormy.take_all(&message(ANN, "hello", "x"), &[at(0); 1_200], at(0)).await;
        assert!(taken.iter().all(|(_, reason)| *reason == NEW));
        // Comments on one item, from many senders: the item itself and two comments, then no more.
        assert_eq!(stormy.take(automatic("a@x.example", "one", "x"), at(120)).await.0, OutcomeKind::Item(1_201));
        let member = "ann@example.org";
        for n in 0..2 {
            let (kind, _) = stormy.take(automatic(member, "Re: [#1201]", "x"), at(121 + n)).await;
            assert!(matches!(kind, OutcomeKind::Comment { item: 1_201, .. }), "{kind:?}");
        }
        let (_, reason) = stormy.take(automatic("a@x.example", "Re: [#1201]", "x"), at(123)).await;
        assert_eq!(reason, STORM);
        let (_, reason) = stormy.take(automatic("a@x.example", "no number", "x"), at(124)).await;
        assert_eq!(reason, STORM, "what is held has arrived, too");
        // The whole mailbox: five automatic messages within the hour, whoever sent them.
        assert_eq!(stormy.take(automatic("z@x.example", "other", "x"), at(125)).await.1, STORM);
        assert_eq!(stormy.take(message("z@x.example", "a person", "x"), at(126)).await.1, NEW);
        let trace = |id| {
            let store = stormy.house.store.clone();
            async move { store.receipt(postroom_domain::ReceiptId(id)).await.unwrap().trace.pop().unwrap().detail }
        };
        for (id, limit) in
            [(1_204, "automatic-per-item"), (1_205, "automatic-per-sender"), (1_206, "automatic-per-mailbox")]
        {
            let detail = trace(id).await;
            assert!(detail.contains(limit), "{id}: {detail}");
        }
    })
    .await;
}

/// Mail does not come in the order in which it arrived: however it comes, nobody gets more within an hour than the limit.
#[tokio::test]
async fn a_storm_that_is_fetched_backwards_is_one() {
    on_each_database(|place| async move {
        let mut stormy = Stormy::new(&place).await;
        let at = |n| noon() + minutes(n);
        // Two an hour are let through, and the last of the message's own hour count as well as the first.
        for (minute, held) in
            [(100, false), (90, false), (80, true), (19, false), (18, false), (17, true), (149, true), (210, false)]
        {
            let (_, reason) = stormy.take(automatic(ANN, "alert", "x"), at(minute)).await;
            assert_eq!(reason == STORM, held, "{minute}");
        }
    })
    .await;
}

/// Whoever writes in the name of another does not use up what that one may write.
#[tokio::test]
async fn what_is_proven_is_counted_apart_from_what_is_not() {
    on_each_database(|place| async move {
        let mut stormy = Stormy::new(&place).await;
        let at = |n| noon() + minutes(n);
        let proven = Identity { level: Level::Verified, ..Identity::default() };
        // Comments, so that the limits of the address, of the item and of the mailbox are all asked.
        assert_eq!(stormy.take(message(ANN, "an item", "x"), at(0)).await.0, OutcomeKind::Item(1));
        for n in 0..10 {
            let (_, reason) = stormy.take(automatic(ANN, "Re: [#1]", "forged"), at(1)).await;
            assert_eq!(reason == STORM, n >= 2, "{n}");
        }
        stormy.identity = proven;
        for n in 0..3 {
            let (_, reason) = stormy.take(automatic(ANN, "Re: [#1]", "hers"), at(2)).await;
            assert_eq!(reason == STORM, n >= 2, "{n}");
        }
        let receipt = stormy.house.store.receipt(postroom_domain::ReceiptId(14)).await.unwrap();
        assert!(receipt.trace.last().unwrap().detail.contains("from ann@example.org (verified)"));
        // Each files itself when there is room for its own: there was too much of what was forged.
        assert_eq!(stormy.work_off(at(63)).await.len(), 1);
        assert_eq!(stormy.held().await, [4, 5, 6, 7, 8, 9, 10, 11]);
        assert_eq!(stormy.house.store.check().await.unwrap().problems, []);
    })
    .await;
}

#[tokio::test]
async fn what_is_held_for_another_reason_does_not_count() {
    on_each_database(|place| async move {
        let mut stormy = Stormy::new(&place).await;
        let store = stormy.house.store.clone();
        let open = store.global_policy().await.unwrap();
        let blocking = GlobalPolicy { blocked: vec!["eve@x.example".to_owned()], ..open.clone() };
        store.set_global_policy(&blocking, noon()).await.unwrap();
        for n in 0..10 {
            let (_, reason) = stormy.take(automatic("eve@x.example", "x", "x"), noon() + minutes(n)).await;
            assert_eq!(reason, Some(Reason::SenderBlocked));
        }
        store.set_global_policy(&open, noon()).await.unwrap();
        assert_eq!(stormy.take(automatic("eve@x.example", "x", "x"), noon() + minutes(10)).await.1, NEW);
    })
    .await;
}

#[tokio::test]
async fn b17_a_backlog_is_no_storm() {
    on_each_database(|place| async move {
        let mut stormy = Stormy::new(&place).await;
        // A thousand automatic messages that were there before the first visit, all of one second.
        let yesterday = |n| noon() - SignedDuration::from_hours(24) + SignedDuration::from_millis(n);
        let old: Vec<Timestamp> = (0..1_000).map(yesterday).collect();
        let taken = stormy.take_all(&automatic(ANN, "old", "x"), &old, noon() + minutes(1)).await;
        assert!(taken.len() == 1_000 && taken.iter().all(|(_, reason)| *reason == NEW));
        // What came in while we were away for two days, at the rate of a busy monitor: one every half an hour.
        let away: Vec<Timestamp> = (0..90).map(|n| noon() + minutes(30 * n)).collect();
        let now = noon() + SignedDuration::from_hours(48);
        let taken = stormy.take_all(&automatic("mon@x.example", "alert", "x"), &away, now).await;
        assert!(taken.len() == 90 && taken.iter().all(|(_, reason)| *reason == NEW));
        assert!(stormy.held().await.is_empty());
        assert_eq!(stormy.house.store.check().await.unwrap().problems, []);
    })
    .await;
}

#[tokio::test]
async fn b17_an_import_is_no_storm() {
    on_each_database(|place| async move {
        let stormy = Stormy::new(&place).await;
        let House { store, me, .. } = &stormy.house;
        let mailbox = store.push_mailbox(&key("SUP"), noon()).await.unwrap();
        assert!(mailbox.is_import);
        for n in 0..50 {
            let accepted = store.accept_pushed(mailbox.id, raw(&n.to_string()), me, noon()).await.unwrap();
            let postroom_store::Accepted::New(claimed) = accepted else { panic!("known") };
            let reading = Reading::Message(Box::new(automatic(ANN, "old", "x")));
            let outcome = store.file(vec![(claimed, reading)], me, noon()).await.unwrap().remove(0);
            assert_eq!(outcome.reason, NEW);
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_held_in_a_storm_is_explained_as_it_was_decided() {
    let place = Place::sqlite();
    let mut stormy = Stormy::new(&place).await;
    let at = |n| noon() + minutes(n);
    for n in 0..3 {
        stormy.take(automatic(ANN, "alert", "x"), at(n)).await;
    }
    let question = Question { receipt: Some(postroom_domain::ReceiptId(3)), ..Question::default() };
    let store = &stormy.house.store;
    let explained = store.explain(question.clone(), &automatic(ANN, "alert", "x"), noon()).await.unwrap();
    assert_eq!(explained.filing.reason, Reason::Storm);
    stormy.work_off(at(90)).await;
    let explained = store.explain(question, &automatic(ANN, "alert", "x"), noon()).await.unwrap();
    assert_eq!(explained.filing.reason, Reason::NewItem);
}
