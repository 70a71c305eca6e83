//! Whether an automatic answer may be sent to a message. Answering machines is how loops begin, so everything speaks
//! against it that can.
//!
//! Standard: RFC 3834 (automatic responses), §2 for when not to respond.

use jiff::{SignedDuration, Timestamp};
use postroom_mail::Message;
use postroom_mail::address::canonical;

/// Answers to one address within [`PER_SENDER`].
pub const PER_SENDER_MAX: u32 = 3;
/// The time in which they are counted.
pub const PER_SENDER: SignedDuration = SignedDuration::from_hours(24);
/// Answers of one mailbox within [`PER_MAILBOX`].
pub const PER_MAILBOX_MAX: u32 = 100;
/// The time in which they are counted.
pub const PER_MAILBOX: SignedDuration = SignedDuration::from_hours(1);
/// Mail that arrived longer ago is not answered any more.
pub const OLD: SignedDuration = SignedDuration::from_hours(24);

/// What has to be known besides the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerFacts {
    /// Canonical address of the one author.
    pub author: Option<String>,
    /// Whether it opened an item, rather than being a comment or held.
    pub opened_item: bool,
    /// Whether the author's address is one of ours.
    pub own_address: bool,
    /// Whether the author is registered.
    pub registered: bool,
    /// Whether it is proven that the author wrote it.
    pub verified: bool,
    /// Whether people who are not registered are answered at all.
    pub answers_unknown: bool,
    /// When it arrived.
    pub received_at: Timestamp,
    /// Whether it was in the mailbox before the first visit, or was imported.
    pub was_there_before: bool,
    /// Answers that this address got within [`PER_SENDER`].
    pub to_sender: u32,
    /// Answers that this mailbox gave within [`PER_MAILBOX`].
    pub of_mailbox: u32,
}

/// The decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Nothing is sent.
    No(NoAnswer),
    /// An answer may be sent.
    Yes(AnswerText),
}

/// What an answer may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerText {
    /// It may name the subject and quote the message.
    Full,
    /// The fixed text alone, with nothing of what came: who got it may never have written to us.
    Fixed,
}

/// Why nothing is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoAnswer {
    /// A machine wrote it, or asks not to be answered.
    Automatic,
    /// Its author is a mailing list, a mail system, or somebody who takes no mail.
    NotAPerson,
    /// It came from one of our own addresses.
    OwnAddress,
    /// There is nobody, or more than one, to answer.
    NoAuthor,
    /// It is not the first message of its thread.
    NotTheFirst,
    /// It arrived too long ago, or was there before the first visit.
    Old,
    /// People who are not registered are not answered.
    UnknownSender,
    /// This address got enough answers.
    SenderLimit,
    /// This mailbox gave enough answers.
    MailboxLimit,
}

/// Whether an automatic answer may be sent to a message. Pure.
pub fn may_answer(message: &Message, facts: &AnswerFacts, now: Timestamp) -> Answer {
    let Some(author) = &facts.author else { return Answer::No(NoAnswer::NoAuthor) };
    let is_old = facts.was_there_before || now.duration_since(facts.received_at) > OLD;
    let is_reply = !message.in_reply_to.is_empty() || !message.references.is_empty();
    let against = [
        (facts.own_address, NoAnswer::OwnAddress),
        (message.automatic.is_some() || message.auto_submitted || asks_for_silence(message), NoAnswer::Automatic),
        (!is_person(author), NoAnswer::NotAPerson),
        (!facts.opened_item || is_reply, NoAnswer::NotTheFirst),
        (is_old, NoAnswer::Old),
        (!facts.registered && !facts.answers_unknown, NoAnswer::UnknownSender),
        (facts.to_sender >= PER_SENDER_MAX, NoAnswer::SenderLimit),
        (facts.of_mailbox >= PER_MAILBOX_MAX, NoAnswer::MailboxLimit),
    ];
    match against.into_iter().find(|(holds, _)| *holds) {
        Some((_, why)) => Answer::No(why),
        None if facts.verified => Answer::Yes(AnswerText::Full),
        None => Answer::Yes(AnswerText::Fixed),
    }
}

/// Fields whose presence is a reason not to answer, whatever they say. For calling mail automatic some of them are too
/// weak, because people's mail has them too; for keeping silent one is enough.
const SILENCING: &[&str] = &[
    "List-Id",
    "List-Post",
    "List-Unsubscribe",
    "List-Help",
    "List-Owner",
    "Mailing-List",
    "X-Autoreply",
    "X-Autorespond",
    "X-Autoresponder",
    "X-Auto-Reply",
    "X-Loop",
    "X-Mailing-List",
    "X-Failed-Recipients",
    "Feedback-ID",
];

/// Whether the header asks not to be answered.
// RFC 3834 §2 and §5; MS-OXCMAIL §2.1.3.2.20 for X-Auto-Response-Suppress.
fn asks_for_silence(message: &Message) -> bool {
    let word = |name: &str| {
        let value = message.fields(name).next()?;
        Some(value.split([';', ' ', ',', '(']).next().unwrap_or_default().to_ascii_lowercase())
    };
    let is_precedence = |word: &str| matches!(word, "bulk" | "list" | "junk" | "auto_reply" | "auto-reply");
    word("Auto-Submitted").is_some_and(|word| word != "no")
        || word("Precedence").is_some_and(|word| is_precedence(&word))
        || word("X-Auto-Response-Suppress").is_some_and(|word| word != "none")
        || message.fields("Return-Path").any(|path| path == "<>")
        || SILENCING.iter().any(|name| message.fields(name).next().is_some_and(|value| !is_no(value)))
}

fn is_no(value: &str) -> bool {
    value.eq_ignore_ascii_case("no")
}

/// Whether an address can be that of somebody who reads an answer.
// RFC 3834 §2: "owner-", "-request" and MAILER-DAEMON; RFC 2142 for the names of roles.
fn is_person(address: &str) -> bool {
    let Some(address) = canonical(address) else { return false };
    let local = address.split(['@', '+']).next().unwrap_or_default();
    let plain = local.replace(['-', '_', '.'], "");
    let is_nobody =
        ["noreply", "donotreply", "noresponse", "mailerdaemon", "postmaster", "bounce", "bounces", "daemon"]
            .contains(&plain.as_str());
    let is_role = local.starts_with("owner-")
        || local.ends_with("-request")
        || local.ends_with("-owner")
        || local.ends_with("-bounces")
        || local.starts_with("bounce-");
    !is_nobody && !is_role
}

#[cfg(test)]
pub(crate) mod tests;
