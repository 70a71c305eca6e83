//! Two Postrooms wired together, and one wired to six kinds of responders, for 24 simulated hours: it stays quiet.

mod responders;

use crate::support::*;
use jiff::{SignedDuration, Timestamp};
use postroom_domain::answer::{Answer, AnswerFacts, PER_MAILBOX, PER_SENDER, may_answer};
use postroom_domain::delivery::OwnAddresses;
use postroom_domain::{GlobalPolicy, Limits, Mailbox, MailboxAddress, MailboxPolicy, Reason, ReceiptState};
use postroom_mail::{Address, RawMessage, Sha256};
use postroom_store::{Accepted, ClaimLimit, Holder, OutcomeKind, Reading, ReceiptFilter, Store};
use responders::{RESPONDERS, Responder};
use std::collections::{BTreeMap, BinaryHeap, HashMap};

/// How long a message is on its way.
const LATENCY: SignedDuration = SignedDuration::from_secs(30);
/// How long it goes on.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// More than ever happens in a day without a loop; reached, it is one.
const MAILS_MAX: usize = 20_000;

/// A message on its way.
#[derive(Clone)]
pub struct Mail {
    pub to: String,
    pub text: String,
}

/// Whoever has an address and does something when mail comes.
enum Party {
    Desk(Box<Desk>),
    Responder(Box<dyn Responder>),
}

/// A Postroom that answers whenever it may, with whatever helps a loop: unknown senders are taken and answered.
struct Desk {
    address: String,
    store: Store,
    mailbox: Mailbox,
    me: Holder,
    own: OwnAddresses,
    received: usize,
    /// When and to whom it answered.
    answers: Vec<(Timestamp, String)>,
    /// The answers themselves.
    sent: Vec<String>,
    _place: Place,
}

impl Desk {
    async fn new(address: &str) -> Self {
        let place = Place::sqlite();
        let store = place.open();
        store.add_workspace(&key("SUP"), "Support", true, noon()).await.unwrap();
        let policy = MailboxPolicy {
            addresses: vec![MailboxAddress { address: address.to_owned(), workspace: None }],
            ..MailboxPolicy::default()
        };
        let new = imap("desk", policy, postroom_domain::StartFrom::All);
        let mailbox = store.add_mailbox(new, None, noon()).await.unwrap();
        let global = GlobalPolicy { unknown_senders: true, ..GlobalPolicy::default() };
        store.set_global_policy(&global, noon()).await.unwrap();
        let own = std::iter::once(address.to_owned()).collect();
        let (answers, sent, me) = (Vec::new(), Vec::new(), Holder::current());
        Self { address: address.to_owned(), store, mailbox, me, own, received: 0, answers, sent, _place: place }
    }

    /// Takes a message from its server, files it, and answers if it may.
    async fn receive(&mut self, text: &str, now: Timestamp) -> Option<Mail> {
        self.received += 1;
        // What the server writes on top makes each message another one, as it does in life.
        let trace = format!("Delivered-To: {}\nReceived: by mx with id {}\n", self.address, self.received);
        let raw = RawMessage::new(format!("{trace}{text}").replace('\n', "\r\n"));
        let message = postroom_mail::read(&raw);
        let accepted = self.store.accept_pushed(self.mailbox.id, raw, &self.me, now).await.unwrap();
        let Accepted::New(claimed) = accepted else { panic!("known already") };
        let reading = Reading::Message(Box::new(message.clone()));
        let outcome = self.store.file(vec![(claimed, reading)], &self.me, now).await.unwrap().remove(0);
        let author = message.author().and_then(Address::canonical);
        let within = |span: SignedDuration, to: Option<&str>| {
            let counts =
                |(at, whom): &&(Timestamp, String)| now.duration_since(*at) < span && to.is_none_or(|to| to == whom);
            self.answers.iter().filter(counts).count() as u32
        };
        let facts = AnswerFacts {
            opened_item: matches!(outcome.kind, OutcomeKind::Item(_)),
            own_address: author.as_deref().is_some_and(|author| self.own.has(author)),
            registered: false,
            verified: false,
            answers_unknown: true,
            received_at: now,
            was_there_before: false,
            to_sender: within(PER_SENDER, author.as_deref()),
            of_mailbox: within(PER_MAILBOX, None),
            author: author.clone(),
        };
        let (Answer::Yes(_), Some(to), OutcomeKind::Item(item)) =
            (may_answer(&message, &facts, now), author, outcome.kind)
        else {
            return None;
        };
        self.answers.push((now, to.clone()));
        let id = message.message_id.unwrap_or_default();
        let text = format!(
            "Return-Path: <>\nFrom: Desk <{}>\nTo: {to}\nSubject: [#{item}] We have your message\nMessage-ID: <{}.{}>\n\
             In-Reply-To: <{id}>\nReferences: <{id}>\nAuto-Submitted: auto-replied\nX-Auto-Response-Suppress: All\n\n\
             Your message is item #{item}.",
            self.address,
            self.answers.len(),
            self.address,
        );
        self.sent.push(text.clone());
        Some(Mail { to, text })
    }

    /// What intake does all the time: files what storms have held, once they are over.
    async fn work_off(&self, now: Timestamp) {
        let limit = ClaimLimit { count: 1000, octets: u64::MAX };
        let claimed = self.store.claim(&self.me, limit, now).await.unwrap();
        let read = |claimed: postroom_store::Claimed| {
            let message = postroom_mail::read(claimed.raw());
            (claimed, Reading::Message(Box::new(message)))
        };
        let batch: Vec<_> = claimed.into_iter().map(read).collect();
        if !batch.is_empty() {
            self.store.file(batch, &self.me, now).await.unwrap();
        }
    }

    /// Everything that came is filed or visibly held, no item got more automatic comments within an hour than its limit,
    /// and there were at most three answers to one address.
    async fn judge(&self, with: &str) {
        let filter = ReceiptFilter { limit: u32::MAX >> 1, ..ReceiptFilter::default() };
        let receipts = self.store.receipts(filter).await.unwrap();
        assert_eq!(receipts.len(), self.received, "{with}: everything that came has a receipt");
        let mut comments: BTreeMap<i64, Vec<Timestamp>> = BTreeMap::new();
        for receipt in &receipts {
            assert!(
                matches!(receipt.state, ReceiptState::Filed | ReceiptState::Held) && receipt.reason.is_some(),
                "{with}: {receipt:?}"
            );
            let is_automatic = receipt.trace.iter().any(|step| step.rule == "automatic");
            if let (Some(item), Some(_), true) = (receipt.item, receipt.comment, is_automatic) {
                let comment = receipt.comment;
                let filed =
                    self.store.item(item).await.unwrap().comments.into_iter().find(|one| Some(one.id) == comment);
                comments.entry(item).or_default().push(filed.unwrap().created_at);
            }
        }
        let most = Limits::default().automatic_per_item as usize;
        for (item, mut at) in comments {
            at.sort();
            let too_many =
                at.windows(most + 1).any(|run| run[most].duration_since(run[0]) < SignedDuration::from_hours(1));
            assert!(!too_many, "{with}: item {item} got more than {most} automatic comments within an hour");
        }
        let mut to: HashMap<&str, usize> = HashMap::new();
        self.answers.iter().for_each(|(_, whom)| *to.entry(whom).or_default() += 1);
        assert!(to.values().all(|answers| *answers <= 3), "{with}: {to:?}");
        assert_eq!(self.store.check().await.unwrap().problems, [], "{with}");
    }
}

/// What happens when.
struct World {
    parties: HashMap<String, Party>,
    /// The earliest first; those of one instant in the order in which they were sent.
    queue: BinaryHeap<std::cmp::Reverse<(Timestamp, usize)>>,
    mails: Vec<Mail>,
    /// Whether a gateway between the parties takes away every field by which automatic mail is told.
    strips: bool,
}

impl World {
    fn new(parties: Vec<(&str, Party)>, strips: bool) -> Self {
        let parties = parties.into_iter().map(|(address, party)| (address.to_owned(), party)).collect();
        Self { parties, queue: BinaryHeap::new(), mails: Vec::new(), strips }
    }

    fn send(&mut self, mut mail: Mail, at: Timestamp) {
        if self.strips {
            mail.text = stripped(&mail.text);
        }
        self.queue.push(std::cmp::Reverse((at, self.mails.len())));
        self.mails.push(mail);
        assert!(self.mails.len() < MAILS_MAX, "a loop");
    }

    /// Lets a day go by, and a bit more, so that what was sent last arrives.
    async fn run(&mut self) {
        let end = noon() + DAY;
        let mut tick = noon();
        while let Some(std::cmp::Reverse((now, index))) = self.queue.pop() {
            while tick <= now {
                self.work_off(tick).await;
                tick += SignedDuration::from_mins(10);
            }
            let mail = self.mails[index].clone();
            let Some(party) = self.parties.get_mut(&mail.to) else { continue };
            let sent = match party {
                Party::Desk(desk) => desk.receive(&mail.text, now).await.into_iter().collect(),
                Party::Responder(responder) => responder.receive(&mail.text, now),
            };
            for next in sent.into_iter().filter(|_| now < end) {
                self.send(next, now + LATENCY);
            }
        }
        for hours in 24..30 {
            self.work_off(noon() + SignedDuration::from_hours(hours)).await;
        }
    }

    async fn work_off(&self, now: Timestamp) {
        for party in self.parties.values() {
            if let Party::Desk(desk) = party {
                desk.work_off(now).await;
            }
        }
    }

    fn desk(&self, address: &str) -> &Desk {
        match &self.parties[address] {
            Party::Desk(desk) => desk,
            Party::Responder(_) => panic!("{address} is no desk"),
        }
    }
}

/// The message without what shows that a machine wrote it, or which message it answers.
fn stripped(text: &str) -> String {
    let (header, body) = text.split_once("\n\n").unwrap();
    let marks =
        ["auto-submitted", "x-auto", "precedence", "return-path", "in-reply-to", "references", "list-", "x-loop"];
    let is_kept = |line: &&str| !marks.iter().any(|mark| line.to_lowercase().starts_with(mark));
    format!("{}\n\n{body}", header.lines().filter(is_kept).collect::<Vec<_>>().join("\n"))
}

const A: &str = "desk@a.example";
const B: &str = "desk@b.example";

/// A message an hour, written by a person at `from`.
fn seeds(from: &str) -> impl Iterator<Item = (Mail, Timestamp)> {
    let from = from.to_owned();
    (0..24).map(move |hour| {
        let id = Sha256::of(format!("{from}{hour}").as_bytes());
        let text =
            format!("From: Somebody <{from}>\nTo: {A}\nSubject: Help {hour}h\nMessage-ID: <{id}@x>\n\nPlease help.");
        (Mail { to: A.to_owned(), text }, noon() + SignedDuration::from_hours(hour))
    })
}

#[tokio::test]
async fn e1_two_postrooms_wired_together_stay_quiet() {
    for strips in [false, true] {
        let (a, b) = (Desk::new(A).await, Desk::new(B).await);
        let parties = vec![(A, Party::Desk(Box::new(a))), (B, Party::Desk(Box::new(b)))];
        let mut world = World::new(parties, strips);
        // People of b write from the address of their own desk, so that every answer goes to the other machine.
        for (mail, at) in seeds(B) {
            world.send(mail, at);
        }
        world.run().await;
        let with = if strips { "two desks without a mark" } else { "two desks" };
        for address in [A, B] {
            let desk = world.desk(address);
            assert!(desk.answers.len() <= 3, "{with}: {address} gave {} answers", desk.answers.len());
            desk.judge(with).await;
        }
        assert_eq!(world.desk(A).answers.len(), 3, "{with}: people are answered, three times a day");
        assert_eq!(world.desk(B).answers.len(), if strips { 3 } else { 0 }, "{with}");
    }
}

#[tokio::test]
async fn e1_six_kinds_of_responders_are_not_kept_going() {
    for (name, make) in RESPONDERS {
        for strips in [false, true] {
            let address = "robot@r.example";
            let desk = Party::Desk(Box::new(Desk::new(A).await));
            let mut world = World::new(vec![(A, desk), (address, Party::Responder(make(address, A)))], strips);
            for (mail, at) in seeds(address) {
                world.send(mail, at);
            }
            for (mail, at) in responders::unasked(name, address, A) {
                world.send(mail, at);
            }
            world.run().await;
            let desk = world.desk(A);
            let with = format!("{name}, strips {strips}");
            assert!(desk.answers.len() <= 3, "{with}: {} answers", desk.answers.len());
            assert!(desk.received >= 24 + desk.answers.len().min(1), "{with}: the robot answers");
            desk.judge(&with).await;
        }
    }
}

#[tokio::test]
async fn e8_an_answer_carries_every_mark_that_keeps_responders_quiet() {
    let mut desk = Desk::new(A).await;
    let mail = desk.receive("From: ann@example.org\nSubject: Help\nMessage-ID: <1@x>\n\nx", noon()).await.unwrap();
    let answer = postroom_mail::read(&RawMessage::new(mail.text.replace('\n', "\r\n")));
    assert!(answer.auto_submitted && answer.in_reply_to == ["1@x"]);
    // Our own kind takes it for what it is.
    let facts = AnswerFacts {
        author: Some(A.to_owned()),
        opened_item: true,
        own_address: false,
        registered: true,
        verified: true,
        answers_unknown: true,
        received_at: noon(),
        was_there_before: false,
        to_sender: 0,
        of_mailbox: 0,
    };
    assert!(matches!(may_answer(&answer, &facts, noon()), Answer::No(_)));
    let decided = desk.receive(&mail.text, noon()).await;
    assert!(decided.is_none());
    let held = desk.store.receipts(ReceiptFilter::default()).await.unwrap().remove(0);
    assert_eq!(held.reason, Some(Reason::OwnAddress), "and if it comes back it is held");
}
