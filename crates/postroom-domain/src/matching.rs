//! Which item a message belongs to: what in it may name one, what the store knows about that, and the choice.

mod choose;
mod no_reply;
mod numbers;

use crate::access::{Action, Actor, Object, authorize};
use crate::closed::Closed;
use crate::registration::{Awaited, Code};
use crate::reply_key::{KeyClaim, ReplyKeys};
use crate::{Arrivals, ContactStanding, Identity, ReceiptId, User, WorkspaceId, WorkspaceKey, WorkspacePolicy};
use postroom_mail::Message;
use std::borrow::Cow;

pub use choose::Offer;
pub(crate) use choose::{Choice, choose};
pub(crate) use no_reply::is_no_reply;
pub use numbers::{LooksLike, NumberClue, PassedOver};

/// Reply keys of one message that are verified, and ids of other messages that are looked up.
const REFERENCES_MAX: usize = 20;

/// What in a message may name its sender or an item.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Clues {
    /// Canonical address of the one author.
    pub author: Option<String>,
    /// What claims to be one of our reply keys: in the recipients, then in the ids, the nearest first.
    pub keys: Vec<KeyClaim>,
    /// Ids of the messages that it answers, the nearest first, and the first of the conversation last.
    pub references: Vec<String>,
    /// How many more ids it has, which are not looked up.
    pub references_left_out: usize,
    /// Numbers in the subject that may be items, in the order in which they are tried.
    pub numbers: Vec<NumberClue>,
    /// Bare numbers that look like something else.
    pub passed_over: Vec<PassedOver>,
    /// Whether the author looks like a program that reads no answers.
    pub no_reply: bool,
    /// The code of a registration in the subject.
    pub registration: Option<Code>,
}

impl Clues {
    /// Takes the clues from a message. `bare_numbers` says whether unmarked numbers count.
    pub fn of(message: &Message, bare_numbers: bool) -> Self {
        let author = message.author().and_then(postroom_mail::Address::canonical);
        let year = message.date.map(|date| i64::from(date.to_zoned(jiff::tz::TimeZone::UTC).year()));
        let numbers = numbers::in_subject(&message.subject, bare_numbers, year);
        let (references, references_left_out) = references_of(message);
        Self {
            references_left_out,
            no_reply: author.as_deref().is_some_and(is_no_reply),
            author,
            keys: keys_of(message, &references),
            references,
            numbers: numbers.clues,
            passed_over: numbers.passed_over,
            registration: Code::in_subject(&message.subject),
        }
    }
}

// RFC 5322 §3.6.4: In-Reply-To names the message that is answered, References the conversation, oldest first.
fn references_of(message: &Message) -> (Vec<String>, usize) {
    let nearest = message.in_reply_to.iter().chain(message.references.iter().rev());
    let (mut references, mut left_out): (Vec<String>, usize) = (Vec::new(), 0);
    for id in nearest {
        if references.len() >= REFERENCES_MAX - 1 {
            left_out += 1;
        } else if !references.contains(id) {
            references.push(id.clone());
        }
    }
    // Long conversations pass by people whose mail never came here; their beginning did.
    if let Some(first) = message.references.first().filter(|first| !references.contains(first)) {
        references.push(first.clone());
        left_out = left_out.saturating_sub(1);
    }
    (references, left_out)
}

fn keys_of(message: &Message, references: &[String]) -> Vec<KeyClaim> {
    let recipients = message.to.iter().chain(&message.cc);
    let addressed = recipients.filter_map(|recipient| KeyClaim::of_address(&recipient.addr_spec));
    let mut keys: Vec<KeyClaim> = Vec::new();
    for claim in addressed.chain(references.iter().filter_map(|id| KeyClaim::of_message_id(id))) {
        if keys.len() < REFERENCES_MAX && !keys.contains(&claim) {
            keys.push(claim);
        }
    }
    keys
}

/// What the store knows about the clues of one message.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The active registered user with the author's address.
    pub sender: Option<User>,
    /// What was decided about the author where that is nobody with an account. Where it is not clear who of several authors
    /// wrote it, whether one of them is blocked.
    pub contact: Option<ContactStanding>,
    /// Whether the author's address belongs to an account that is not in use any more.
    pub deactivated: bool,
    /// The reply keys that are ours, in the order of the clues.
    pub keys: Vec<ProvenKey>,
    /// Whether we have signing keys that cannot be opened, so that nobody can say of the others whether they are ours.
    pub keys_locked: bool,
    /// Items with a message that this one answers, the nearest first, without repetition.
    pub answered: Vec<i64>,
    /// The items among the numbers, keys and answered messages, in any order, and those that continue a closed one.
    pub items: Vec<ItemFacts>,
    /// How sure it is that the author wrote the message.
    pub identity: Identity,
    /// An earlier receipt of the same octets in the same mailbox.
    pub twin: Option<ReceiptId>,
    /// The registration that waits for the code in the subject.
    pub registration: Option<Awaited>,
    /// What arrived shortly before it.
    pub arrivals: Arrivals,
}

impl Facts {
    /// Whoever the message comes from, as rights are concerned. Who had an account that is not in use is nobody: not even
    /// a participant.
    pub fn actor<'a>(&'a self, clues: &'a Clues) -> Actor<'a> {
        if self.deactivated {
            return Actor::Nobody;
        }
        Actor::of(self.sender.as_ref(), clues.author.as_deref())
    }

    /// How sure it is that the author wrote what becomes of this item. A reply key that was given to the author counts as well,
    /// but on the item that it names and on no other: whoever has read an answer to us may hold its key.
    pub fn identity_on(&self, item: Option<i64>) -> Cow<'_, Identity> {
        let is_proof = |key: &ProvenKey| key.given_to == GivenTo::Sender && Some(key.item) == item;
        if self.keys.iter().any(is_proof) {
            Cow::Owned(self.identity.clone().with_reply_key())
        } else {
            Cow::Borrowed(&self.identity)
        }
    }

    pub(crate) fn item(&self, number: i64) -> Option<&ItemFacts> {
        self.items.iter().find(|item| item.number == number)
    }
}

/// A reply key that we signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenKey {
    /// The item that it names.
    pub item: i64,
    /// Whose it is.
    pub given_to: GivenTo,
}

/// To whom a reply key was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GivenTo {
    /// To the author of the message, at one of the addresses of the same account.
    Sender,
    /// To this participant of the item.
    Participant(String),
    /// To somebody else.
    Other,
}

impl ProvenKey {
    /// The claim as a proof, if it is ours. `participants` are those of the item that it names.
    pub fn of(claim: &KeyClaim, keys: &ReplyKeys, sender: Actor<'_>, participants: &[String]) -> Option<Self> {
        let verified = keys.verify(claim)?;
        let given_to = if sender.addresses().any(|address| verified.was_given_to(address)) {
            GivenTo::Sender
        } else {
            let participant = participants.iter().find(|address| verified.was_given_to(address));
            participant.map_or(GivenTo::Other, |address| GivenTo::Participant(address.clone()))
        };
        Some(Self { item: claim.item, given_to })
    }
}

/// What matters of an item for the question who may comment on it, and what becomes of such a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemFacts {
    /// Its number.
    pub number: i64,
    /// Its workspace.
    pub workspace: WorkspaceKey,
    /// The number of that workspace in the store.
    pub workspace_id: WorkspaceId,
    /// The rules of that workspace.
    pub policy: WorkspacePolicy,
    /// Whether one of the author's addresses is a participant of it.
    pub participant: bool,
    /// Whether one of them is its requester's.
    pub requester: bool,
    /// Whether somebody other than the author takes part who is no member of its workspace. Only read where it matters:
    /// for mail of programs that read no answers.
    pub outsiders: bool,
    /// What holds where it is closed.
    pub closed: Option<Closed>,
}

impl ItemFacts {
    /// An open item in which the author has no part.
    pub fn open(number: i64, workspace_id: WorkspaceId, workspace: WorkspaceKey) -> Self {
        let policy = WorkspacePolicy::default();
        let (participant, requester, outsiders) = (false, false, false);
        Self { number, workspace, workspace_id, policy, participant, requester, outsiders, closed: None }
    }

    /// Whether `actor` may comment on it: the same question, to the same function, as on the page.
    pub fn takes_comment_of(&self, actor: Actor<'_>) -> bool {
        let object = Object::Item { workspace: &self.workspace, takes_part: self.participant };
        authorize(actor, Action::Comment, object)
    }
}
