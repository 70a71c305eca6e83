//! The one decision: what becomes of a message, and why.

mod findings;
mod registration;
mod sender;

use crate::closed::{Answer, answer};
use crate::matching::{Clues, Facts, choose};
use crate::participant::proposed;
use crate::place::{self, Beginning, Opening};
use crate::{AutomaticMail, ContactStanding, Policy, RegistrationId, Storm, StormOf, WorkspaceId};
use postroom_mail::{Address, Message};
use sender::{judge_addresses, judge_identity};
use serde::{Deserialize, Serialize};
use std::fmt;

pub use findings::findings;
pub(crate) use sender::{Standing, hold_unverified, step};

/// Longest title in characters; the rest of a longer subject is in the original message.
const TITLE_MAX: usize = 255;

/// The decision as a value, with the steps that led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filing {
    /// What is to be done.
    pub effect: Effect,
    /// Why, as a stable code.
    pub reason: Reason,
    /// The rules that were asked, in order, and what each said.
    pub trace: Vec<TraceStep>,
    /// The storm that holds it, if one does.
    pub storm: Option<Storm>,
}

/// What a message becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A new item.
    OpenItem {
        /// Where.
        workspace: WorkspaceId,
        /// Its title, never empty.
        title: String,
        /// What else it begins with.
        opening: Box<Opening>,
    },
    /// A comment on this item.
    AddComment {
        /// Its number.
        item: i64,
        /// Whether it opens the item again.
        reopen: bool,
        /// People who are proposed as participants.
        proposed: Vec<Address>,
    },
    /// Neither: it shows for a registration that its author's address is theirs. It is held for that.
    Prove {
        /// Which registration.
        registration: RegistrationId,
    },
    /// Neither; a person can read, retry or release it.
    Hold,
}

impl Effect {
    /// The item that it is about: commented on, or continued.
    pub fn item(&self) -> Option<i64> {
        match self {
            Self::AddComment { item, .. } => Some(*item),
            Self::OpenItem { opening, .. } => opening.continues,
            Self::Prove { .. } | Self::Hold => None,
        }
    }
}

/// Declares the reasons with their codes and the sentence that a person reads.
macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $sentence:literal;)*) => {
        /// Why a message ended where it did.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Reason {
            $($(#[$doc])* #[serde(rename = $code)] $name,)*
        }

        impl Reason {
            /// All reasons.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The stable code.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The sentence for people.
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }
        }
    };
}

reasons! {
    /// It opened a new item.
    NewItem = "NEW_ITEM", "it opened a new item";
    /// It has our reply key of an item on which the sender may comment.
    ReplyKey = "REPLY_KEY", "it carries our reply key of an item on which its sender may comment";
    /// It answers a message of an item on which the sender may comment.
    AnswersMessage = "ANSWERS_MESSAGE", "it answers a message of an item on which its sender may comment";
    /// It opened a new item that continues a closed one.
    ContinuesClosed = "CONTINUES_CLOSED", "it opened a new item that continues a closed one";
    /// Its subject names an item on which the sender may comment.
    NumberInSubject = "NUMBER_IN_SUBJECT", "its subject names an item on which its sender may comment";
    /// Mail is not taken now.
    SubmissionsOff = "SUBMISSIONS_OFF", "submissions by mail are switched off";
    /// From names no usable author, or several.
    SenderUnclear = "SENDER_UNCLEAR", "its From field does not name exactly one usable address";
    /// The sender is on the block list.
    SenderBlocked = "SENDER_BLOCKED", "its sender is blocked";
    /// The domain of the sender disowns the message.
    SenderDisowned = "SENDER_DISOWNED", "the domain of its sender asks that such messages be refused: it did not send this one";
    /// Nothing proves who sent it, and the workspace holds such mail.
    SenderUnverified = "SENDER_UNVERIFIED", "nothing proves that its sender wrote it, and the workspace holds such mail";
    /// No rule admits the sender's domain.
    DomainNotAllowed = "DOMAIN_NOT_ALLOWED", "its sender's domain is not among the allowed ones";
    /// A pattern took too long on this address.
    PatternLimit = "PATTERN_LIMIT", "an allowed-domain pattern could not be decided within its limit";
    /// The sender has no account, and only people with one may write.
    SenderUnknown = "SENDER_UNKNOWN", "its sender is not registered and this mailbox admits only registered senders";
    /// The same octets are already here.
    DuplicateCopy = "DUPLICATE_COPY", "it is a byte-identical second copy of a message of this mailbox";
    /// Automatic mail, which this mailbox holds.
    AutomaticMail = "AUTOMATIC_MAIL", "it is automatic mail, which this mailbox holds";
    /// We wrote it ourselves, or somebody in our name.
    OwnAddress = "OWN_ADDRESS", "it comes from one of our own addresses, and no registered person wrote it";
    /// Too much of its kind arrived within an hour.
    Storm = "STORM", "more mail of its kind arrived within an hour than is filed at once";
    /// A routing rule holds it.
    HeldByRule = "HELD_BY_RULE", "a routing rule holds it";
    /// There is nowhere to put a new item.
    NoDefaultWorkspace = "NO_DEFAULT_WORKSPACE", "its mailbox names no workspace and no default workspace is set";
    /// Larger than the limit; its octets are still on the server.
    TooLarge = "TOO_LARGE", "it is larger than the size limit; it was left on the server";
    /// The server lists it but would not give it.
    Unfetchable = "UNFETCHABLE", "the server lists it but does not hand it over; it was left there";
    /// Reading it panicked.
    ReadPanicked = "READ_PANICKED", "reading it failed inside Postroom; the original is kept";
    /// Reading it ended the process that read it, the second time with nothing beside it.
    ReadCrashed = "READ_CRASHED", "reading it ended the process that read it, twice; the original is kept";
    /// Reading it used up what one message may use.
    ReadExhausted = "READ_EXHAUSTED", "reading it took more processor time or memory than one message may; the original is kept";
    /// The database refused the filing ten times.
    FilingFailed = "FILING_FAILED", "the database refused what it would become, again and again; the original is kept";
    /// Its octets are damaged in the store.
    OctetsDamaged = "OCTETS_DAMAGED", "its stored octets are missing or damaged";
    /// It showed for a registration that an address is its sender's.
    RegistrationProven = "REGISTRATION_PROVEN", "it showed for a registration that its sender's address is theirs";
    /// Its octets were removed; the receipt stays.
    Deleted = "DELETED", "it was deleted here after it had been held; its server was not told";
}

impl Reason {
    /// The reason with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.code() == code)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// One rule that was asked and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TraceStep {
    /// The rule, for example `sender`.
    pub rule: String,
    /// What it said, for example `known`.
    pub outcome: String,
    /// The evidence, for people.
    pub detail: String,
}

impl TraceStep {
    /// A step.
    pub fn new(rule: &str, outcome: &str, detail: impl Into<String>) -> Self {
        Self { rule: rule.to_owned(), outcome: outcome.to_owned(), detail: detail.into() }
    }
}

/// Decides what becomes of a message: judge the sender, look for the item it names, else open a new one. Pure.
pub fn decide(message: &Message, clues: &Clues, facts: &Facts, policy: &Policy) -> Filing {
    let mut trace = findings(message);
    if !policy.released
        && let Some(registration) = registration::proven_by(message, clues, facts, policy, &mut trace)
    {
        let effect = Effect::Prove { registration };
        return Filing { effect, reason: Reason::RegistrationProven, trace, storm: None };
    }
    let judged = if policy.released {
        trace.push(TraceStep::new("release", "admitted", "a person released it"));
        Ok(())
    } else {
        judge(message, clues, facts, policy, &mut trace)
    };
    let admitted = judged.map_err(Held::from).and_then(|()| admit(message, clues, facts, policy, &mut trace));
    let (effect, reason, storm) = match admitted {
        Ok((effect, reason)) => (effect, reason, None),
        Err(Held { reason, storm }) => (Effect::Hold, reason, storm),
    };
    Filing { effect, reason, trace, storm }
}

/// That a message is held, and by which storm if by one.
struct Held {
    reason: Reason,
    storm: Option<Storm>,
}

impl From<Reason> for Held {
    fn from(reason: Reason) -> Self {
        Self { reason, storm: None }
    }
}

/// What becomes of a message whose sender may write: part of a storm, held by a rule, a comment, or a new item.
fn admit(
    message: &Message,
    clues: &Clues,
    facts: &Facts,
    policy: &Policy,
    trace: &mut Vec<TraceStep>,
) -> Result<(Effect, Reason), Held> {
    if facts.arrivals.waited {
        trace.push(TraceStep::new("storm", "waited", "it was held in a storm, and its turn has come"));
    }
    in_storm(facts, policy, trace, |of| !matches!(of, StormOf::Item(_)))?;
    let routed = place::ask_rules(message, clues, facts, policy, trace)?;
    let choice = choose(clues, facts, policy, trace)?;
    let answer = choice.item.map(|(item, reason)| (answer(item, message, clues, facts, policy, trace), reason));
    let continues = match answer {
        Some((Answer::Comment { item, reopen }, reason)) => {
            in_storm(facts, policy, trace, |of| *of == StormOf::Item(item.number))?;
            place::note_comment(&routed, trace);
            // Who asked decides whom to involve; whom others write to is theirs.
            let proposed = if item.requester { proposed(message, clues, policy) } else { Vec::new() };
            return Ok((Effect::AddComment { item: item.number, reopen, proposed }, reason));
        }
        Some((Answer::Continue { item }, _)) => Some(item),
        None => None,
    };
    Ok(place::open(message, clues, facts, policy, Beginning { routed, continues, choice }, trace)?)
}

/// Whether one of these storms holds the message. One that a person released is held by none.
fn in_storm(
    facts: &Facts,
    policy: &Policy,
    trace: &mut Vec<TraceStep>,
    of: impl Fn(&StormOf) -> bool,
) -> Result<(), Held> {
    let Some((storm, detail)) = facts.arrivals.storm(&policy.limits, of).filter(|_| !policy.released) else {
        return Ok(());
    };
    trace.push(TraceStep::new("storm", "held", detail));
    Err(Held { reason: Reason::Storm, storm: Some(storm.clone()) })
}

/// Whether the sender may write at all, as `Err(reason)` if not.
fn judge(
    message: &Message,
    clues: &Clues,
    facts: &Facts,
    policy: &Policy,
    trace: &mut Vec<TraceStep>,
) -> Result<(), Reason> {
    if !policy.submissions {
        trace.push(TraceStep::new("submissions", "off", ""));
        return Err(Reason::SubmissionsOff);
    }
    if place::is_own_mail(message, facts, policy, trace) {
        return Err(Reason::OwnAddress);
    }
    judge_addresses(message, clues.author.as_deref(), policy, trace)?;
    let Some(author) = &clues.author else {
        trace.push(TraceStep::new("author", "unclear", "From does not name exactly one author"));
        if facts.contact == Some(ContactStanding::Blocked) {
            trace.push(TraceStep::new("sender", "blocked contact", "one of those that From names"));
            return Err(Reason::SenderBlocked);
        }
        if !policy.unknown_senders {
            return Err(Reason::SenderUnclear);
        }
        judge_identity(&facts.identity, trace)?;
        return judge_content(message, facts, policy, trace);
    };
    match &facts.sender {
        Some(user) => trace.push(TraceStep::new("sender", "registered", user.address.as_str())),
        None if facts.contact == Some(ContactStanding::Blocked) => {
            trace.push(TraceStep::new("sender", "blocked contact", author.as_str()));
            return Err(Reason::SenderBlocked);
        }
        None if facts.contact == Some(ContactStanding::Admitted) => {
            trace.push(TraceStep::new("sender", "admitted contact", author.as_str()));
        }
        None if policy.unknown_senders => trace.push(TraceStep::new("sender", "unknown, allowed", author.as_str())),
        None => {
            trace.push(TraceStep::new("sender", "unknown", author.as_str()));
            return Err(Reason::SenderUnknown);
        }
    }
    judge_identity(&facts.identity, trace)?;
    judge_content(message, facts, policy, trace)
}

/// The rules that look at the message rather than at its sender.
fn judge_content(message: &Message, facts: &Facts, policy: &Policy, trace: &mut Vec<TraceStep>) -> Result<(), Reason> {
    if let Some(twin) = facts.twin {
        trace.push(TraceStep::new("copy", "duplicate", format!("same octets as receipt {twin}")));
        return Err(Reason::DuplicateCopy);
    }
    if let Some(automatic) = &message.automatic {
        let hold = policy.automatic == AutomaticMail::Hold;
        let outcome = if hold { "held" } else { "filed" };
        trace.push(TraceStep::new(
            "automatic",
            outcome,
            format!("{}: {}", automatic.kind.as_str(), automatic.evidence),
        ));
        if hold {
            return Err(Reason::AutomaticMail);
        }
    }
    Ok(())
}

/// A title from a subject: never empty, at most [`TITLE_MAX`] characters.
pub fn title_of(subject: &str) -> String {
    let subject = subject.trim();
    if subject.is_empty() {
        return "(no subject)".to_owned();
    }
    match subject.char_indices().nth(TITLE_MAX - 1) {
        Some((cut, _)) if subject.chars().count() > TITLE_MAX => format!("{}…", &subject[..cut]),
        _ => subject.to_owned(),
    }
}

#[cfg(test)]
mod tests;
