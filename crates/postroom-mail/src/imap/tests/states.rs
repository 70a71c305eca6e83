//! What may happen in each state of a conversation.

use super::super::{Command, Conversation, Event, ImapError, State};
use crate::Secret;
use crate::conversation::{Breach, Protection};
use bytes::Bytes;

const STARTTLS: Protection = Protection::Starttls { required: true };

/// A conversation that has been fed these octets at once and read to their end.
fn after(protection: Protection, octets: &'static str) -> Result<Conversation, ImapError> {
    let mut conversation = Conversation::new(protection);
    feed(&mut conversation, octets)?;
    Ok(conversation)
}

fn feed(conversation: &mut Conversation, octets: &'static str) -> Result<Vec<String>, ImapError> {
    conversation.feed(Bytes::from_static(octets.as_bytes()));
    let mut events = Vec::new();
    while let Some(event) = conversation.next_event()? {
        events.push(format!("{event:?}"));
    }
    Ok(events)
}

#[test]
fn a_password_never_goes_in_clear_by_accident() {
    let password = Secret::new("x");
    let login = Command::Login { user: "a", password: &password };
    let mut required = after(STARTTLS, "* OK hi\r\n").unwrap();
    assert_eq!(required.send(&login).err(), Some(Breach::LoginInClear.into()));
    for protection in [Protection::Tls, Protection::Clear, Protection::Starttls { required: false }] {
        assert!(after(protection, "* OK hi\r\n").unwrap().send(&login).is_ok());
    }
}

#[test]
fn preauth_before_tls_is_refused() {
    assert_eq!(after(STARTTLS, "* PREAUTH hi\r\n").err(), Some(ImapError::PreauthBeforeTls));
    let wished = Protection::Starttls { required: false };
    assert_eq!(after(wished, "* PREAUTH hi\r\n").err(), Some(ImapError::PreauthBeforeTls));
    assert_eq!(after(Protection::Tls, "* PREAUTH hi\r\n").unwrap().state(), State::Authenticated);
}

#[test]
fn the_greeting_must_be_one() {
    for octets in ["P1 OK hi\r\n", "+ hi\r\n", "220 hi\r\n", "* NO hi\r\n", "\r\n"] {
        assert_eq!(after(Protection::Clear, octets).err(), Some(ImapError::NoGreeting), "{octets:?}");
    }
}

/// A reply that was there before its command is none, however late it is looked at.
#[test]
fn an_early_reply_ends_the_conversation() {
    let mut conversation = Conversation::new(STARTTLS);
    conversation.feed(Bytes::from_static(b"* OK [CAPABILITY STARTTLS] hi\r\nP1 OK begin\r\n"));
    assert!(matches!(conversation.next_event(), Ok(Some(Event::Greeting(_)))));
    let _sent = conversation.send(&Command::Starttls).unwrap();
    assert_eq!(conversation.next_event().err(), Some(Breach::UnexpectedReply.into()));
    // And it stays ended.
    assert_eq!(conversation.next_event().err(), Some(Breach::UnexpectedReply.into()));
    assert_eq!(conversation.send(&Command::Logout).err(), Some(Breach::WrongState.into()));
}

#[test]
fn replies_and_continuations_without_a_command_end_the_conversation() {
    for (octets, expected) in [
        ("P1 OK\r\n", Breach::UnexpectedReply.into()),
        ("P9 NO\r\n", Breach::UnexpectedReply.into()),
        ("+ go\r\n", ImapError::UnexpectedContinuation),
    ] {
        let mut conversation = after(Protection::Clear, "* OK hi\r\n").unwrap();
        assert_eq!(feed(&mut conversation, octets).err(), Some(expected));
    }
}

#[test]
fn octets_behind_the_answer_to_starttls_end_the_conversation() {
    for (at_once, later) in [("P1 OK go\r\nx", ""), ("P1 OK go\r\n", "x"), ("P1 OK go\r\n* CAPABILITY X\r\n", "")] {
        let mut conversation = after(STARTTLS, "* OK hi\r\n").unwrap();
        let _sent = conversation.send(&Command::Starttls).unwrap();
        let first = feed(&mut conversation, at_once);
        let second = feed(&mut conversation, later);
        assert_eq!(first.and(second).err(), Some(Breach::TlsInjection.into()), "{at_once:?} {later:?}");
        assert!(conversation.tls_started().is_err());
    }
}

#[test]
fn what_was_said_before_tls_is_forgotten_and_its_words_are_never_shown() {
    let mut conversation = after(STARTTLS, "* OK [CAPABILITY STARTTLS AUTH=PLAIN] call 0900-123\r\n").unwrap();
    assert!(conversation.capabilities().is_some());
    let events =
        feed(&mut conversation, "* OK [ALERT] call 0900-123\r\n* 3 EXISTS\r\n* 1 FETCH (UID 1 BODY[] {1}\r\nx)\r\n");
    let events = events.unwrap().join("; ");
    assert!(!events.contains("0900") && !events.contains("Exists") && !events.contains("Fetch"), "{events}");
    let _sent = conversation.send(&Command::Starttls).unwrap();
    feed(&mut conversation, "P1 OK go\r\n").unwrap();
    conversation.tls_started().unwrap();
    assert!(conversation.is_protected() && conversation.capabilities().is_none());
}

#[test]
fn capabilities_change_with_the_login() {
    let password = Secret::new("x");
    let mut conversation = after(Protection::Tls, "* OK [CAPABILITY IMAP4rev1 SASL-IR] hi\r\n").unwrap();
    let _sent = conversation.send(&Command::Login { user: "a", password: &password }).unwrap();
    feed(&mut conversation, "P1 OK in\r\n").unwrap();
    assert_eq!((conversation.state(), conversation.capabilities()), (State::Authenticated, None));
}

#[test]
fn commands_have_their_time() {
    let select = Command::Select { folder: "INBOX", read_only: true };
    let fetch = Command::UidFetchSummary { set: "1:*" };
    let mut fresh = Conversation::new(Protection::Clear);
    assert_eq!(fresh.send(&Command::Capability).err(), Some(Breach::WrongState.into()));
    let mut greeted = after(Protection::Clear, "* OK hi\r\n").unwrap();
    assert_eq!(greeted.send(&select).err(), Some(Breach::WrongState.into()));
    let mut known = after(Protection::Clear, "* PREAUTH hi\r\n").unwrap();
    assert_eq!(known.send(&fetch).err(), Some(Breach::WrongState.into()));
    let _sent = known.send(&select).unwrap();
    feed(&mut known, "P1 NO nothing there\r\n").unwrap();
    assert_eq!(known.state(), State::Authenticated);
    let _sent = known.send(&select).unwrap();
    feed(&mut known, "* 3 EXISTS\r\nP2 OK done\r\n").unwrap();
    assert_eq!(known.state(), State::Selected);
    // Pipelined commands may be answered in any order.
    let (first, second) = (known.send(&fetch).unwrap().tag, known.send(&fetch).unwrap().tag);
    let events = feed(&mut known, "P4 OK done\r\nP3 OK done\r\n").unwrap();
    assert!(events[0].contains(&format!("{second:?}")) && events[1].contains(&format!("{first:?}")), "{events:?}");
    feed(&mut known, "* BYE gone\r\n").unwrap();
    assert_eq!(known.send(&fetch).err(), Some(Breach::WrongState.into()));
}

/// A conversation with a folder selected, which has sent IDLE.
fn idling() -> Conversation {
    let mut conversation = after(Protection::Clear, "* PREAUTH hi\r\n").unwrap();
    let _sent = conversation.send(&Command::Select { folder: "INBOX", read_only: true }).unwrap();
    feed(&mut conversation, "* 3 EXISTS\r\nP1 OK done\r\n").unwrap();
    let _sent = conversation.send(&Command::Idle).unwrap();
    conversation
}

#[test]
fn while_it_waits_a_conversation_says_nothing_but_that_it_waits_no_more() {
    let mut conversation = idling();
    assert_eq!(conversation.done().err(), Some(Breach::WrongState.into()), "the server has not agreed yet");
    // There are servers that tell of new mail before they agree.
    let events = feed(&mut conversation, "* 4 EXISTS\r\n+ idling\r\n* 5 EXISTS\r\n* 1 EXPUNGE\r\n").unwrap();
    assert_eq!(events, ["Exists(4)", "Idling", "Exists(5)", "Expunge(1)"]);
    assert_eq!(conversation.send(&Command::Noop).err(), Some(Breach::WrongState.into()));
    assert_eq!(&conversation.done().unwrap()[..], b"DONE\r\n");
    assert_eq!(conversation.done().err(), Some(Breach::WrongState.into()));
    assert!(feed(&mut conversation, "P2 OK done\r\n").unwrap()[0].starts_with("Done"));
    assert!(conversation.send(&Command::Noop).is_ok());
}

#[test]
fn a_server_may_refuse_to_wait_or_end_it_by_itself() {
    let mut refused = idling();
    feed(&mut refused, "P2 NO not now\r\n").unwrap();
    assert_eq!(refused.done().err(), Some(Breach::WrongState.into()));
    let mut ended = idling();
    feed(&mut ended, "+ idling\r\nP2 OK that was long\r\n").unwrap();
    assert_eq!(ended.done().err(), Some(Breach::WrongState.into()));
    assert!(ended.send(&Command::Idle).is_ok());
    // The reply to DONE comes behind it.
    let mut early = idling();
    early.feed(Bytes::from_static(b"+ idling\r\nP2 OK early\r\n"));
    assert!(matches!(early.next_event(), Ok(Some(Event::Idling))));
    let _done = early.done().unwrap();
    assert_eq!(early.next_event().err(), Some(Breach::UnexpectedReply.into()));
    // A second invitation is none.
    assert_eq!(feed(&mut idling(), "+ idling\r\n+ idling\r\n").err(), Some(ImapError::UnexpectedContinuation));
}

#[test]
fn waiting_begins_when_nothing_else_is_under_way() {
    let mut conversation = after(Protection::Clear, "* PREAUTH hi\r\n").unwrap();
    assert_eq!(conversation.send(&Command::Idle).err(), Some(Breach::WrongState.into()), "no folder is selected");
    let _sent = conversation.send(&Command::Select { folder: "INBOX", read_only: true }).unwrap();
    feed(&mut conversation, "P1 OK done\r\n").unwrap();
    let _sent = conversation.send(&Command::Noop).unwrap();
    assert_eq!(conversation.send(&Command::Idle).err(), Some(Breach::WrongState.into()));
}
