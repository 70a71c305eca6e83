//! Who takes part in an item, and who is only proposed.

use crate::Policy;
use crate::delivery::delivered_to;
use crate::matching::{Clues, is_no_reply};
use postroom_mail::{Address, Message};

/// People that one message proposes; whoever writes to more has no conversation in mind.
const PROPOSED_MAX: usize = 20;

/// The other recipients of a requester's mail, with canonical addr-specs: people who may want to take part. They get no
/// access by it. Programs that read no answers are left out, and so are our own addresses: those that are known, and the one to
/// which the receiving server says that it delivered the message.
pub(crate) fn proposed(message: &Message, clues: &Clues, policy: &Policy) -> Vec<Address> {
    let recipients = || message.to.iter().chain(&message.cc);
    // The only recipient is we, by whatever name.
    if clues.author.is_none() || message.auto_submitted || recipients().nth(1).is_none() {
        return Vec::new();
    }
    let mut proposed: Vec<Address> = Vec::new();
    for recipient in recipients() {
        let Some(canonical) = recipient.canonical() else { continue };
        let is_known = clues.author.as_deref() == Some(canonical.as_str())
            || policy.routing.own.has(&canonical)
            || delivered_to(message).any(|ours| ours.address == canonical)
            || is_no_reply(&canonical)
            || proposed.iter().any(|known| known.addr_spec == canonical);
        if !is_known && proposed.len() < PROPOSED_MAX {
            proposed.push(Address::new(recipient.name.as_str(), canonical));
        }
    }
    proposed
}
