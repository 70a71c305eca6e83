//! Values in the words that people read: ages, sizes, states, and the steps that led to a decision.

use jiff::Timestamp;
use postroom_domain::item::{Proposed, ProposedBecause};
use postroom_domain::{Identity, Level, Party, Reason, Receipt, ReceiptState, SettlementState, TraceStep};

/// How long ago, roughly; the exact instant stands beside it.
pub(crate) fn age(then: &Timestamp, now: &Timestamp) -> String {
    let seconds = now.as_second() - then.as_second();
    match seconds {
        ..60 => "just now".to_owned(),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        86_400..172_800 => "yesterday".to_owned(),
        172_800..1_209_600 => format!("{} days ago", seconds / 86_400),
        _ => then.strftime("%-d %b %Y").to_string(),
    }
}

/// The instant in full, in UTC.
pub(crate) fn when(at: &Timestamp) -> String {
    at.strftime("%-d %b %Y, %H:%M UTC").to_string()
}

/// A number of octets, in powers of 1000 as operating systems show them.
pub(crate) fn size(octets: &u64) -> String {
    match *octets {
        octets @ ..1000 => format!("{octets} B"),
        octets @ 1000..1_000_000 => format!("{} kB", octets.div_ceil(1000)),
        octets @ 1_000_000..1_000_000_000 => format!("{:.1} MB", octets as f64 / 1e6),
        octets => format!("{:.1} GB", octets as f64 / 1e9),
    }
}

/// The word for `count` of something.
pub(crate) fn plural(count: &u64, one: &'static str, many: &'static str) -> &'static str {
    if *count == 1 { one } else { many }
}

/// One or two letters for the round stamp beside a name.
pub(crate) fn initials(party: &Party) -> String {
    let label = party.label();
    let words: Vec<char> = label
        .split('@')
        .next()
        .unwrap_or_default()
        .split(|c: char| c.is_whitespace() || matches!(c, '.' | '-' | '_' | '+'))
        .filter_map(|word| word.chars().find(|c| c.is_alphanumeric()))
        .collect();
    let letters: String = match words.as_slice() {
        [] => "?".to_owned(),
        [one] => one.to_string(),
        [first, .., last] => [*first, *last].iter().collect(),
    };
    letters.to_uppercase()
}

/// Which of the five stamp colours a person has, always the same one.
pub(crate) fn tint(party: &Party) -> u32 {
    let key = if party.address.is_empty() { &party.name } else { &party.address };
    key.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % 5
}

/// One step of a trace, ready to be shown.
pub(crate) struct Step {
    /// `good`, `warn`, `bad` or empty: the colour of its dot.
    pub(crate) tone: &'static str,
    /// What happened.
    pub(crate) sentence: String,
    /// The code, for those who search for it; may be empty.
    pub(crate) code: &'static str,
}

/// The whole way of a message: how it came in, each rule that was asked, what became of it, and what its server is owed.
pub(crate) fn steps(receipt: &Receipt) -> Vec<Step> {
    let mut steps = vec![Step {
        tone: "",
        sentence: format!("It came in through the mailbox “{}” on {}.", receipt.mailbox, when(&receipt.received_at)),
        code: "",
    }];
    steps.extend(receipt.trace.iter().map(rule_step));
    steps.push(Step { tone: tone(receipt), sentence: end_sentence(receipt), code: code(receipt.reason) });
    if let Some(settlement) = receipt.settlement {
        steps.push(Step { tone: "", sentence: settlement_sentence(settlement).to_owned(), code: "" });
    }
    steps
}

fn code(reason: Option<Reason>) -> &'static str {
    reason.map_or("", Reason::code)
}

fn rule_step(step: &TraceStep) -> Step {
    let detail = &step.detail;
    let (tone, sentence) = match (step.rule.as_str(), step.outcome.as_str()) {
        ("registration", "proven") => {
            ("good", format!("It shows for a registration that {detail} is its sender's address."))
        }
        ("registration", _) => ("warn", format!("It proves no registration: {detail}.")),
        ("deletion", by) => ("", format!("Its octets were deleted {by}; {detail}.")),
        ("release", "admitted") => ("good", "A person released it, so its sender was not judged again.".to_owned()),
        ("submissions", "off") => ("bad", "Submissions by mail are switched off.".to_owned()),
        ("author", "unclear") => {
            ("warn", format!("Its From field does not name exactly one usable address: {detail}."))
        }
        ("sender", "registered") => ("good", format!("Its sender, {detail}, is registered here.")),
        ("sender", "unknown, allowed") => {
            ("good", format!("Its sender, {detail}, is not registered, and this mailbox takes mail from everybody."))
        }
        ("sender", "admitted contact") => ("good", format!("Its sender, {detail}, is a contact that was admitted.")),
        ("sender", "blocked contact") => ("bad", format!("Its sender, {detail}, is a contact that was blocked.")),
        ("sender", "unknown") => (
            "bad",
            format!("Its sender, {detail}, is not registered, and this mailbox takes mail only from people who are."),
        ),
        ("author", "mixed scripts") => ("warn", format!("Look closely at the letters: {detail}.")),
        ("blocked", _) => ("bad", format!("Its sender is on the block list: {detail}.")),
        ("identity", "verified") => ("good", format!("It is proven who wrote it: {detail}.")),
        ("identity", "failed") => ("bad", format!("It is not by whom it says: {detail}.")),
        ("identity", _) => ("warn", format!("Nothing proves that its sender wrote it: {detail}.")),
        ("allowed-domains", "admitted") => ("good", format!("It is from a domain that may write: {detail}.")),
        ("allowed-domains", "refused") => ("bad", format!("It is from a domain that may not write: {detail}.")),
        ("allowed-domains", "undecided") => {
            ("bad", format!("Whether its sender may write could not be decided: {detail}."))
        }
        ("copy", "duplicate") => ("bad", format!("It is a second copy: the {detail}.")),
        ("automatic", "filed") => ("", format!("It is automatic mail: {}. Nothing answers it.", automatic(detail))),
        ("automatic", "held") => {
            ("bad", format!("It is automatic mail: {}. This mailbox holds such mail.", automatic(detail)))
        }
        ("bounce", "original") => ("", format!("It is about the message {detail}.")),
        ("bounce" | "forwarded" | "invitation", "more") => ("", format!("There are {detail} of them.")),
        ("bounce", action) => ("", format!("A mail system reports mail as {action} for {detail}.")),
        ("forwarded", "attached") => ("", format!("A message {detail} is attached to it.")),
        ("forwarded", _) => ("", format!("It passes on a message {detail}.")),
        ("invitation", "request") => ("", format!("It invites to {detail}.")),
        ("invitation", "reply") => ("", format!("It answers an invitation: {detail}.")),
        ("invitation", "cancel") => ("", format!("It cancels {detail}.")),
        ("invitation", _) => ("", format!("It carries a calendar entry: {detail}.")),
        ("protection", outcome) => ("", format!("Its content is {outcome} with {detail}.")),
        ("reply-key" | "reference" | "number", "mention") => ("warn", format!("It only {detail}.")),
        ("reply-key", "comment") => {
            ("good", format!("It carries our reply key of {detail}, on which its sender may comment."))
        }
        ("reply-key", "not ours" | "not verified") => {
            ("warn", format!("It carries reply keys that count for nothing: {detail}."))
        }
        ("reference", "comment") => {
            ("good", format!("It answers a message of {detail}, on which its sender may comment."))
        }
        ("reply-key" | "reference", "conflict") => ("warn", format!("It names {detail}.")),
        ("participant", "proposed") => ("warn", format!("Its sender is proposed as a participant {detail}.")),
        ("closed", "reopened") => ("good", "That item was closed; it is open again.".to_owned()),
        ("closed", "comment") => ("warn", format!("That item stays closed: {detail}.")),
        ("closed", "continued") => ("", format!("That item is closed and goes on: {detail}.")),
        ("closed", "new item") => ("", format!("That item is closed; a new one {detail}.")),
        ("forward", "credited") => ("good", format!("It forwards mail of {detail}; the item is theirs.")),
        ("forward", "not credited") => ("warn", format!("Nobody else is credited with it: {detail}.")),
        ("forward", "note") => ("", format!("Above what was forwarded stands: {detail}")),
        ("reply-key" | "number", "no-reply") => {
            ("warn", format!("It names {detail}, but comes from a program, and outsiders see that item."))
        }
        ("number", "passed over") => ("", format!("A number in its subject was not looked up: {detail}.")),
        ("number", "comment") => ("good", format!("Its subject names {detail}, on which its sender may comment.")),
        ("number", "no such item") => ("", format!("Its subject names {detail}, but there is no such item.")),
        ("own-address" | "storm" | "rule" | "address", _) => return placing_step(step),
        ("workspace", "none") => {
            ("bad", "Its mailbox names no workspace, and there is no default workspace.".to_owned())
        }
        ("item", "opened") => ("", "No item claims it, so it opens a new one.".to_owned()),
        (rule, outcome) if detail.is_empty() => ("", format!("{rule}: {outcome}.")),
        (rule, outcome) => ("", format!("{rule}: {outcome} ({detail}).")),
    };
    Step { tone, sentence, code: "" }
}

/// A word on who wrote a message, for beside the name.
pub(crate) struct Badge {
    /// The colour, as that of a step.
    pub(crate) tone: &'static str,
    pub(crate) word: &'static str,
    /// Why.
    pub(crate) title: String,
}

/// What is to be said about who wrote a message, if anything was checked.
pub(crate) fn badge(identity: Option<&Identity>) -> Option<Badge> {
    let identity = identity.filter(|identity| identity.is_checked())?;
    let (tone, word) = match identity.level {
        Level::Verified => ("good", "verified"),
        Level::Unverified => ("warn", "unverified"),
        Level::Failed => ("bad", "not by its sender"),
    };
    Some(Badge { tone, word, title: capital(&identity.detail) })
}

/// A step of what places new items, or keeps mail from being filed at once.
fn placing_step(step: &TraceStep) -> Step {
    let detail = &step.detail;
    let (tone, sentence) = match (step.rule.as_str(), step.outcome.as_str()) {
        ("own-address", "registered") => {
            ("", format!("It comes from {detail}, one of our own addresses; a registered person writes from it."))
        }
        ("own-address", _) => {
            ("bad", format!("It comes from {detail}, one of our own addresses, and no registered person wrote it."))
        }
        ("storm", "held") => ("bad", format!("Too much of its kind arrived at once: {detail}.")),
        ("storm", _) => ("", "It was held in a storm, and its turn has come.".to_owned()),
        ("rule", "held") => ("bad", format!("The rule “{detail}” holds it.")),
        ("rule", "released") => ("", format!("The rule “{detail}” would hold it, but a person released it.")),
        ("rule", "undecided") => ("warn", format!("One rule could not be decided and was passed over: {detail}.")),
        ("rule", "workspace") => ("good", format!("A rule says where it goes: {detail}.")),
        ("rule", "no such workspace") => ("warn", format!("A rule names a workspace that does not exist: {detail}.")),
        ("rule", "assignee") => ("good", format!("A rule says who gets it: {detail}.")),
        ("rule", "no such agent") => ("warn", format!("A rule gives it to somebody who cannot work there: {detail}.")),
        ("rule", "status") => ("", format!("A rule gives it the status {detail}.")),
        ("rule", "tags") => ("", format!("Rules tag it: {detail}.")),
        ("rule", _) => ("", format!("The rule “{detail}” applies, but rules change nothing on a comment.")),
        (_, "workspace") => ("good", format!("Its address says where it goes: {detail}.")),
        (_, _) => ("warn", format!("Its address names no workspace: {detail}.")),
    };
    Step { tone, sentence, code: "" }
}

/// The kind of automatic mail with its article, and what showed it, as the domain names them: `kind: evidence`.
fn automatic(detail: &str) -> String {
    let (kind, evidence) = detail.split_once(": ").unwrap_or((detail, ""));
    let kind = match kind {
        "auto-reply" => "an automatic reply",
        "bounce" => "a bounce",
        "list" => "list mail",
        "report" => "a report",
        other => other,
    };
    if evidence.is_empty() { kind.to_owned() } else { format!("{kind} ({evidence})") }
}

/// The colour that a receipt has in the journal.
pub(crate) fn tone(receipt: &Receipt) -> &'static str {
    match receipt.state {
        ReceiptState::Accepted => "info",
        ReceiptState::Deferred => "warn",
        ReceiptState::Filed => "good",
        ReceiptState::Held if !receipt.waits_for_a_person() => "",
        ReceiptState::Held => "bad",
    }
}

/// What the journal calls what became of a message.
pub(crate) fn state(receipt: &Receipt) -> &'static str {
    match (receipt.state, receipt.comment) {
        (ReceiptState::Accepted, _) => "accepted",
        (ReceiptState::Deferred, _) => "deferred",
        (ReceiptState::Filed, None) => "item",
        (ReceiptState::Filed, Some(_)) => "comment",
        (ReceiptState::Held, _) if receipt.is_deleted() => "deleted",
        (ReceiptState::Held, _) if !receipt.waits_for_a_person() => "done",
        (ReceiptState::Held, _) => "held",
    }
}

/// What became of it, as the last step of the trace.
fn end_sentence(receipt: &Receipt) -> String {
    // Where the last rule has just said why, the reason would say it again.
    let says_why = ["number", "reference", "reply-key", "closed"];
    let said = receipt.trace.last();
    let said = said.is_some_and(|last| rule_step(last).tone == "bad" || says_why.contains(&last.rule.as_str()));
    let reason = receipt.reason.filter(|_| !said);
    let because = reason.map_or(String::new(), |reason| format!(": {}", reason.sentence()));
    match (receipt.state, receipt.item) {
        (ReceiptState::Accepted, _) => "It is safely stored and waits to be read.".to_owned(),
        (ReceiptState::Deferred, _) => {
            "It is safely stored; something stood in the way of filing it, and it is tried again by itself.".to_owned()
        }
        (ReceiptState::Filed, Some(number)) if receipt.comment.is_some() => {
            format!("It became a comment on item #{number}{because}.")
        }
        (ReceiptState::Filed, Some(number)) => format!("It became item #{number}."),
        (ReceiptState::Filed, None) => "It was filed; its item is gone.".to_owned(),
        (ReceiptState::Held, _) if receipt.is_deleted() => "So nothing is left of it but this page.".to_owned(),
        (ReceiptState::Held, _) if !receipt.waits_for_a_person() => {
            "With that it has done what it was written for.".to_owned()
        }
        (ReceiptState::Held, _) if receipt.resumes_at.is_some() => {
            "It is held, and is filed by itself when its turn comes.".to_owned()
        }
        (ReceiptState::Held, _) if said => "So it is held.".to_owned(),
        (ReceiptState::Held, _) => format!("It is held{because}."),
    }
}

/// One line for the journal.
pub(crate) fn outcome(receipt: &Receipt) -> String {
    match (receipt.state, receipt.reason) {
        (ReceiptState::Accepted, _) => "Safely stored; waits to be read".to_owned(),
        (ReceiptState::Deferred, _) => "Safely stored; is tried again by itself".to_owned(),
        (ReceiptState::Filed, Some(Reason::NewItem | Reason::ContinuesClosed)) => "Became item".to_owned(),
        (ReceiptState::Filed, _) => "Became a comment on".to_owned(),
        (ReceiptState::Held, Some(Reason::Deleted)) => "Was held, and deleted here".to_owned(),
        (ReceiptState::Held, Some(reason)) => capital(reason.sentence()),
        (ReceiptState::Held, None) => "Held".to_owned(),
    }
}

/// Why somebody is proposed as a participant.
pub(crate) fn proposed(proposed: &Proposed) -> String {
    let from = proposed.item.map_or(String::new(), |item| format!(", see #{item}"));
    match (proposed.because, &proposed.key_of) {
        (ProposedBecause::Recipient, _) => "a recipient of the requester's mail".to_owned(),
        (ProposedBecause::ReplyKey, Some(whose)) => format!("wrote with the reply key of {whose}{from}"),
        (ProposedBecause::ReplyKey, None) => format!("wrote with a reply key of this item{from}"),
        (ProposedBecause::Moved, _) => format!("wrote a comment that was moved here{from}"),
    }
}

/// What the server is owed.
pub(crate) fn settlement_sentence(settlement: SettlementState) -> &'static str {
    match settlement {
        SettlementState::Owed => "On its server it is dealt with on the next visit.",
        SettlementState::Settled => "On its server it was dealt with, and the server confirmed it.",
        SettlementState::Kept => "On its server it stays as it is.",
    }
}

/// The same, in a word or two.
pub(crate) fn settlement(settlement: Option<SettlementState>) -> &'static str {
    match settlement {
        None => "",
        Some(SettlementState::Owed) => "to be settled",
        Some(SettlementState::Settled) => "settled",
        Some(SettlementState::Kept) => "kept on server",
    }
}

/// The text with its first letter in upper case.
pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests;
