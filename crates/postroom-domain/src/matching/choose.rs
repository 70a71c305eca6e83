//! The choice: the first item that the message names and on which its sender may comment.

use super::{Clues, Facts, GivenTo, ItemFacts, ProvenKey};
use crate::access::Actor;
use crate::filing::{Standing, hold_unverified, step};
use crate::{Evidence, Policy, Reason, TraceStep};

/// Items that a new one is said to mention.
const MENTIONS_MAX: usize = 10;
/// Items on which one message proposes its sender.
const OFFERS_MAX: usize = 5;

/// What the clues of a message come to.
#[derive(Debug, Default)]
pub(crate) struct Choice<'a> {
    /// The item that it is a comment on, and what showed it.
    pub(crate) item: Option<(&'a ItemFacts, Reason)>,
    /// Items that it names without a right to comment on them.
    pub(crate) mentions: Vec<i64>,
    /// Items of which its sender holds a reply key that was given to somebody else.
    pub(crate) offers: Vec<Offer>,
}

/// Somebody who holds a reply key of an item on which he may not comment, mostly a participant at a second address. He is
/// proposed as a participant; only a person can make him one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The item.
    pub item: i64,
    /// The participant to whom the key was given, if it was one.
    pub given_to: Option<String>,
}

/// Chooses: reply key, then answered message, then marked number, then bare number, each group in the order of the clues.
///
/// Whatever names an item is a hint, not a right: an item on which the sender may not comment is only mentioned.
///
/// # Errors
/// The reason to hold the message, where it would be a comment on an item whose workspace holds mail without proof of who
/// wrote it.
pub(crate) fn choose<'a>(
    clues: &'a Clues,
    facts: &'a Facts,
    policy: &'a Policy,
    trace: &mut Vec<TraceStep>,
) -> Result<Choice<'a>, Reason> {
    let mut chooser = Chooser { facts, policy, actor: facts.actor(clues), trace, choice: Choice::default() };
    chooser.by_keys(clues)?;
    chooser.by_answered(clues)?;
    chooser.by_numbers(clues)?;
    Ok(chooser.choice)
}

struct Chooser<'a, 't> {
    facts: &'a Facts,
    policy: &'a Policy,
    actor: Actor<'a>,
    trace: &'t mut Vec<TraceStep>,
    choice: Choice<'a>,
}

impl<'a> Chooser<'a, '_> {
    fn by_keys(&mut self, clues: &Clues) -> Result<(), Reason> {
        let forged = clues.keys.len() - self.facts.keys.len().min(clues.keys.len());
        if forged > 0 {
            let (outcome, why) = match self.facts.keys_locked {
                true => ("not verified", "whose signing keys cannot be opened with the present key file"),
                false => ("not ours", "that Postroom did not sign"),
            };
            self.trace.push(TraceStep::new("reply-key", outcome, format!("{forged} {why}")));
        }
        for key in &self.facts.keys {
            // One can give one's reply address to a web site as one's own; what that sends is not for one's eyes.
            let is_lent = clues.no_reply && key.given_to != GivenTo::Sender;
            if is_lent && let Some(item) = self.facts.item(key.item).filter(|item| item.outsiders) {
                self.no_reply("reply-key", item.number, format!("#{}", item.number));
                continue;
            }
            let may = self.consider("reply-key", key.item, Reason::ReplyKey)?;
            if may == Some(false) && !clues.no_reply {
                self.offer(key);
            }
        }
        Ok(())
    }

    /// The sender holds a key of an item that he may not comment on.
    fn offer(&mut self, key: &ProvenKey) {
        let known = self.choice.offers.iter().any(|offer| offer.item == key.item);
        if known || self.choice.offers.len() >= OFFERS_MAX || self.actor.addresses().next().is_none() {
            return;
        }
        let given_to = match &key.given_to {
            GivenTo::Participant(address) => Some(address.clone()),
            GivenTo::Sender | GivenTo::Other => None,
        };
        let whose = given_to.as_ref().map_or(String::new(), |address| format!(", with the reply key of {address}"));
        self.trace.push(TraceStep::new("participant", "proposed", format!("on #{}{whose}", key.item)));
        self.choice.offers.push(Offer { item: key.item, given_to });
    }

    fn by_answered(&mut self, clues: &Clues) -> Result<(), Reason> {
        for number in &self.facts.answered {
            self.consider("reference", *number, Reason::AnswersMessage)?;
        }
        if clues.references_left_out > 0 && self.choice.item.is_none() {
            let detail = format!("{} ids in the middle of a long conversation", clues.references_left_out);
            self.trace.push(TraceStep::new("reference", "left out", detail));
        }
        Ok(())
    }

    /// Takes the item if there is none yet and the sender may comment on it; whether he may, `None` if it is not there.
    fn consider(&mut self, rule: &str, number: i64, reason: Reason) -> Result<Option<bool>, Reason> {
        let Some(item) = self.facts.item(number) else { return Ok(None) };
        let may = item.takes_comment_of(self.actor);
        match self.choice.item {
            Some((chosen, _)) if chosen.number == number => {}
            Some((chosen, _)) => {
                let detail = format!("#{number} as well; #{} counts", chosen.number);
                self.trace.push(TraceStep::new(rule, "conflict", detail));
            }
            None if may => self.take(rule, item, format!("#{number}"), reason)?,
            None => self.mention(rule, number, "on which the sender may not comment"),
        }
        Ok(Some(may))
    }

    /// Takes an item on which the sender may comment, if that is enough in its workspace.
    fn take(&mut self, rule: &str, item: &'a ItemFacts, named: String, reason: Reason) -> Result<(), Reason> {
        if !self.policy.reaches(item.workspace_id) {
            self.mention(rule, item.number, "which is not where it was released into");
            return Ok(());
        }
        match Standing::of(self.facts, self.policy, item.policy, Some(item.number)) {
            Standing::Comments => {
                self.trace.push(TraceStep::new(rule, "comment", named));
                let identity = self.facts.identity_on(Some(item.number));
                if identity.evidence == Evidence::ReplyKey {
                    self.trace.push(step(&identity));
                }
                self.choice.item = Some((item, reason));
            }
            Standing::OpensOnly => {
                self.mention(rule, item.number, "on which its workspace takes no comments of the unverified");
            }
            Standing::Held => return Err(hold_unverified(&self.facts.identity, self.trace)),
        }
        Ok(())
    }

    /// What a program was made to send here must not be read by whoever made it do so.
    fn no_reply(&mut self, rule: &str, number: i64, named: String) {
        self.trace.push(TraceStep::new(rule, "no-reply", named));
        if !self.choice.mentions.contains(&number) {
            self.choice.mentions.push(number);
        }
    }

    fn mention(&mut self, rule: &str, number: i64, why: &str) {
        if self.choice.mentions.contains(&number) || self.choice.mentions.len() >= MENTIONS_MAX {
            return;
        }
        let detail = format!("mentions #{number}, {why}");
        self.trace.push(TraceStep::new(rule, "mention", detail));
        self.choice.mentions.push(number);
    }

    fn by_numbers(&mut self, clues: &Clues) -> Result<(), Reason> {
        if self.choice.item.is_some() {
            return Ok(());
        }
        for clue in &clues.numbers {
            let named = format!("{}{}", if clue.marked { "#" } else { "" }, clue.number);
            let Some(item) = self.facts.item(clue.number) else {
                if clue.marked {
                    self.trace.push(TraceStep::new("number", "no such item", named));
                }
                continue;
            };
            if !item.takes_comment_of(self.actor) {
                self.mention("number", clue.number, "on which the sender may not comment");
            } else if clues.no_reply && item.outsiders {
                self.no_reply("number", clue.number, named);
            } else {
                self.take("number", item, named, Reason::NumberInSubject)?;
                if self.choice.item.is_some() {
                    return Ok(());
                }
            }
        }
        let passed_over = clues.passed_over.iter().map(|one| format!("{}, {}", one.text, one.looks_like));
        self.trace.extend(passed_over.map(|detail| TraceStep::new("number", "passed over", detail)));
        Ok(())
    }
}
