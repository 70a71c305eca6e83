//! Which item a message belongs to: what in it may name one, what the store knows, and who may write there.

use crate::registration::{Awaited, Code};
use crate::{Arrivals, ContactStanding, Identity, ReceiptId, User, WorkspaceKey, WorkspacePolicy};
use postroom_mail::Message;

/// Subjects are short; more numbers than this in one are no help in finding an item.
const NUMBERS_MAX: usize = 20;

/// What in a message may name a sender or an item. The store looks up exactly these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clues {
    /// Canonical address of the one author.
    pub author: Option<String>,
    /// Numbers in the subject that may be items, in the order in which they are tried.
    pub numbers: Vec<NumberClue>,
    /// The code of a registration in the subject.
    pub registration: Option<Code>,
}

/// A number in the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberClue {
    /// The number, at least 1.
    pub number: i64,
    /// Whether it was written `#123` rather than `123`.
    pub marked: bool,
}

impl Clues {
    /// Takes the clues from a message. `bare_numbers` says whether unmarked numbers count.
    pub fn of(message: &Message, bare_numbers: bool) -> Self {
        Self {
            author: message.author().and_then(postroom_mail::Address::canonical),
            numbers: numbers_in(&message.subject, bare_numbers),
            registration: Code::in_subject(&message.subject),
        }
    }
}

/// The numbers of a subject, marked ones before bare ones, each group left to right, without repetition.
///
/// A number stands apart from letters and other digits: `SUP-123` and `#123` name 123, `A4` and `1.5k` name nothing.
fn numbers_in(subject: &str, bare_numbers: bool) -> Vec<NumberClue> {
    let bytes = subject.as_bytes();
    let mut found: Vec<NumberClue> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let end = at + bytes[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        let marked = at > 0 && bytes[at - 1] == b'#';
        if stands_apart(subject, at, end)
            && (marked || bare_numbers)
            && let Ok(number) = subject[at..end].parse::<i64>()
            && number > 0
        {
            found.push(NumberClue { number, marked });
        }
        at = end;
    }
    found.sort_by_key(|clue| !clue.marked);
    let mut distinct: Vec<NumberClue> = Vec::new();
    for clue in found {
        if distinct.len() < NUMBERS_MAX && distinct.iter().all(|seen| seen.number != clue.number) {
            distinct.push(clue);
        }
    }
    distinct
}

/// Whether the digits `at..end` are not part of a word or of a decimal number.
fn stands_apart(subject: &str, at: usize, end: usize) -> bool {
    let before = subject[..at].chars().next_back();
    let mut after = subject[end..].chars();
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let next = after.next();
    let decimal = matches!(next, Some('.' | ',')) && after.next().is_some_and(|c| c.is_ascii_digit());
    let of_decimal =
        matches!(before, Some('.' | ',')) && subject[..at].chars().rev().nth(1).is_some_and(|c| c.is_ascii_digit());
    !joins(before) && !joins(next) && !decimal && !of_decimal
}

/// What the store knows about the clues of one message.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The active registered user with the author's address.
    pub sender: Option<User>,
    /// What was decided about the author where that is nobody with an account.
    pub contact: Option<ContactStanding>,
    /// The items among the numbers, in any order.
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

/// What matters of an item for the question who may comment on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemFacts {
    /// Its number.
    pub number: i64,
    /// Its workspace.
    pub workspace: WorkspaceKey,
    /// The policy of that workspace.
    pub policy: WorkspacePolicy,
    /// Whether the author's address is a participant of it.
    pub participant: bool,
}

/// Whether a sender may comment on an item: a member with that right in its workspace, or a participant of it. The same
/// answer holds for mail and for the web page.
pub fn may_comment(user: Option<&User>, item: &ItemFacts) -> bool {
    let by_role = user.and_then(|user| user.role_in(&item.workspace)).is_some_and(crate::Role::may_comment);
    by_role || item.participant
}

#[cfg(test)]
mod tests;
