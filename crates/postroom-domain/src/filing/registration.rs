//! Mail that shows for a registration that an address is its sender's.

use super::TraceStep;
use crate::{Admission, Clues, ContactStanding, Facts, Policy, RegistrationId};
use postroom_mail::Message;

/// The registration that a message proves: it is by that address, which the rules admit, it was written by a person for this
/// purpose, and its subject has the code that was shown to whoever asked.
pub(super) fn proven_by(
    message: &Message,
    clues: &Clues,
    facts: &Facts,
    policy: &Policy,
    trace: &mut Vec<TraceStep>,
) -> Option<RegistrationId> {
    let awaited = facts.registration.as_ref()?;
    let mut step = |outcome: &str, detail: &str| trace.push(TraceStep::new("registration", outcome, detail));
    let author = clues.author.as_deref().unwrap_or_default();
    if author != awaited.address {
        // Whose it is, is nobody's business here.
        step("not proven", "its subject has a code that was given out for another address");
        return None;
    }
    let admitted = matches!(policy.addresses.judge(author), Admission::Admitted(_));
    if !policy.submissions || !admitted || facts.contact == Some(ContactStanding::Blocked) {
        step("not proven", "the rules do not admit its sender");
        return None;
    }
    // Who asked himself was shown the code, and could write in anybody's name; an operator gives it to the person.
    let must_be_verified = awaited.by_stranger || facts.identity.is_checked();
    if must_be_verified && !facts.identity.is_verified() {
        step("not proven", "nothing proves that its sender wrote it; an admin can approve it");
        return None;
    }
    if policy.routing.own.has(author) {
        step("not proven", "it comes from one of our own addresses");
        return None;
    }
    // Somebody else may have had it written: an answer to a message that had the code in its subject proves nothing.
    if message.automatic.is_some() {
        step("not proven", "it is automatic mail");
        return None;
    }
    if !message.in_reply_to.is_empty() || !message.references.is_empty() {
        step("not proven", "it is an answer; the code counts in a new message only");
        return None;
    }
    step("proven", author);
    Some(awaited.id)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::{Effect, Reason, decide};
    use super::*;
    use crate::registration::Awaited;
    use crate::{
        AddressRules, AutomaticMail, DomainPolicy, Evidence, GivenTo, GlobalPolicy, Identity, Level, Limits, ProvenKey,
        Routing, User, UserId,
    };
    use postroom_mail::Address;
    use postroom_mail::message::{Automatic, AutomaticKind};
    use std::sync::Arc;

    fn policy(patterns: &[&str]) -> Policy {
        let allowed_domains = patterns.iter().map(|text| (*text).to_owned()).collect();
        let allowed = DomainPolicy { allowed_domains, ..DomainPolicy::default() };
        let global = GlobalPolicy { allowed, ..GlobalPolicy::default() };
        Policy {
            submissions: true,
            unknown_senders: false,
            addresses: Arc::new(AddressRules::global(&global).unwrap()),
            bare_numbers: true,
            automatic: AutomaticMail::File,
            workspace: None,
            released: false,
            routing: Routing::default(),
            limits: Limits::default(),
        }
    }

    fn message(from: &str) -> Message {
        let subject = "my code is PR-0123-4567-89AB".to_owned();
        Message { from: vec![Address::new("", from)], subject, ..Message::default() }
    }

    fn facts() -> Facts {
        let awaited = Awaited { id: RegistrationId(7), address: "new@example.org".to_owned(), by_stranger: false };
        Facts { registration: Some(awaited), ..Facts::default() }
    }

    #[test]
    fn only_a_persons_own_new_message_proves_an_address() {
        let open = policy(&[]);
        let mine = message("New@Example.org");
        let mut automatic = mine.clone();
        automatic.automatic = Some(Automatic { kind: AutomaticKind::AutoReply, evidence: "x".to_owned() });
        let answer = Message { in_reply_to: vec!["a@b".to_owned()], ..mine.clone() };
        let threaded = Message { references: vec!["a@b".to_owned()], ..mine.clone() };
        let mut two = mine.clone();
        two.from.push(Address::new("", "other@example.org"));
        let off = Policy { submissions: false, ..open.clone() };
        let released = Policy { released: true, ..open.clone() };
        for (message, policy, proves) in [
            (&mine, &open, true),
            (&mine, &policy(&[r"@example\.org"]), true),
            (&mine, &policy(&[r"@example\.com"]), false),
            (&mine, &off, false),
            (&mine, &released, false),
            (&message("eve@example.org"), &open, false),
            (&two, &open, false),
            (&automatic, &open, false),
            (&answer, &open, false),
            (&threaded, &open, false),
        ] {
            let clues = Clues::of(message, true);
            let filing = decide(message, &clues, &facts(), policy);
            let effect = Effect::Prove { registration: RegistrationId(7) };
            assert_eq!(filing.effect == effect, proves, "{message:?} {filing:?}");
            assert_eq!(filing.reason == Reason::RegistrationProven, proves, "{filing:?}");
            let told = format!("{:?}", filing.trace);
            let theirs = clues.author.as_deref() == Some("new@example.org");
            assert!(theirs || !told.contains("new@example.org"), "whose code it is, is not told: {told}");
        }
        // Where senders are checked, this one has to be proven, and so has whoever asked without an operator.
        for (level, evidence, by_stranger, proves) in [
            (Level::Verified, Evidence::Dkim, false, true),
            (Level::Unverified, Evidence::Dkim, false, false),
            (Level::Failed, Evidence::Dmarc, false, false),
            (Level::Unverified, Evidence::NotChecked, false, true),
            (Level::Verified, Evidence::Dkim, true, true),
            (Level::Unverified, Evidence::NotChecked, true, false),
        ] {
            let mut facts = Facts { identity: Identity { level, evidence, detail: String::new() }, ..facts() };
            facts.registration.as_mut().unwrap().by_stranger = by_stranger;
            let reason = decide(&mine, &Clues::of(&mine, true), &facts, &open).reason;
            assert_eq!(reason == Reason::RegistrationProven, proves, "{level:?} {evidence:?} {by_stranger}");
        }
        // Our own addresses are nobody's.
        let mut own = open.clone();
        own.routing.own = Arc::new(std::iter::once("new@example.org".to_owned()).collect());
        assert_ne!(decide(&mine, &Clues::of(&mine, true), &facts(), &own).reason, Reason::RegistrationProven);
        // A reply key speaks for an item, not for an account.
        let key = ProvenKey { item: 7, given_to: GivenTo::Sender };
        let identity = Identity { level: Level::Unverified, evidence: Evidence::Dkim, detail: String::new() };
        let by_key = Facts { keys: vec![key], identity, ..facts() };
        assert_ne!(decide(&mine, &Clues::of(&mine, true), &by_key, &open).reason, Reason::RegistrationProven);
        // Without a registration that waits for it, a code is a word like any other.
        let clues = Clues::of(&mine, true);
        assert_eq!(decide(&mine, &clues, &Facts::default(), &open).reason, Reason::SenderUnknown);
        let known = User {
            id: UserId(1),
            address: "new@example.org".to_owned(),
            name: String::new(),
            admin: false,
            active: true,
            aliases: Vec::new(),
            memberships: Vec::new(),
        };
        let facts = Facts { sender: Some(known), ..Facts::default() };
        assert_eq!(decide(&mine, &clues, &facts, &open).reason, Reason::NoDefaultWorkspace);
    }
}
