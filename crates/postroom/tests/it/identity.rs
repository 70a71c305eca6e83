//! What a message is known by, and what is not asked: other people's flags, Message-IDs, neighbours that cannot be had.

use crate::desk::{Desk, message};
use crate::pop3::add;
use postroom_testkit::dovecot::Dovecot;
use postroom_testkit::messages::letters;
use postroom_testkit::pop3::{FakePop3, Kept};
use serde_json::Value;

const ANN: &str = "Ann <ann@example.org>";

fn counts(visit: &Value, expected: &[(&str, u64)]) {
    assert!(visit["error"].is_null(), "{visit}");
    for (key, count) in expected {
        assert_eq!(visit[key], *count, "{key} in {visit}");
    }
}

/// What comes of these messages in an inbox, whatever flags they have there.
fn fetched(user: &str, messages: &[(Vec<u8>, &str)]) -> Option<(Value, Desk)> {
    let dovecot = Dovecot::start()?;
    let desk = Desk::furnished();
    for (octets, flags) in messages {
        dovecot.fill_flagged(user, octets, flags).unwrap();
    }
    desk.add_mailbox(&dovecot, "desk", user, &["--start", "all", "--keep", "no"]);
    let visit = desk.ok(&["fetch"]).remove(0);
    counts(&desk.ok(&["fetch"])[0], &[("fetched", 0), ("items", 0), ("held", 0)]);
    Some((visit, desk))
}

/// Whoever guesses the Message-ID of a mail and uses it first does not keep the mail from being filed.
#[test]
fn b9_a_message_id_that_was_used_before_discards_nothing() {
    let with_id = |subject: &str| {
        format!("From: {ANN}\r\nSubject: {subject}\r\nMessage-ID: <same@example.org>\r\n\r\n{subject}\r\n").into_bytes()
    };
    let Some((visit, desk)) = fetched("b9", &[(with_id("the first"), ""), (with_id("the real one"), "")]) else {
        return;
    };
    counts(&visit, &[("items", 2), ("held", 0), ("settled", 2)]);
    let mut titles: Vec<String> =
        desk.ok(&["item", "list"]).iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect();
    titles.sort();
    assert_eq!(titles, ["the first", "the real one"]);
}

/// Mail without a Message-ID, of one sender, about one thing, in one second.
#[test]
fn b10_mail_that_only_its_text_tells_apart_is_all_filed() {
    let without_id = |number: usize| {
        let text = format!(
            "Date: Sun, 22 Nov 2026 12:00:00 +0000\r\nFrom: {ANN}\r\nSubject: alarm\r\n\r\n{}\r\n",
            letters(number)
        );
        (text.into_bytes(), "")
    };
    let messages: Vec<_> = (0..10).map(without_id).collect();
    let Some((visit, _)) = fetched("b10", &messages) else { return };
    counts(&visit, &[("items", 10), ("held", 0)]);
}

/// The very same octets twice in one inbox: one item, and a copy that a person gets to see and that stays on the server.
#[test]
fn b11_a_second_copy_is_held_where_people_see_it() {
    let same = (message(ANN, "twice", ""), "");
    let Some((visit, desk)) = fetched("b11", &[same.clone(), same]) else { return };
    counts(&visit, &[("items", 1), ("held", 1), ("settled", 1)]);
    let held = &desk.ok(&["receipt", "list", "--state", "held"])[0];
    let released = &desk.ok(&["receipt", "release", &held["id"].to_string()])[0];
    assert_eq!((&held["reason"], &released["state"]), (&"DUPLICATE_COPY".into(), &"filed".into()));
}

/// Somebody has read, answered and flagged all of it before we come.
#[test]
fn b12_mail_that_others_have_read_is_filed_all_the_same() {
    let flags = ["S", "RS", "FS", "FRS", ""];
    let messages: Vec<_> = (0..20).map(|n| (message(ANN, &letters(n), ""), flags[n % flags.len()])).collect();
    let Some((visit, _)) = fetched("b12", &messages) else { return };
    counts(&visit, &[("items", 20), ("settled", 20)]);
}

/// A message that the server will not give holds itself, not the 79 others.
#[test]
fn b14_one_message_that_cannot_be_had_stops_nothing() {
    let (server, desk) = (FakePop3::start().unwrap(), Desk::furnished());
    add(&desk, &server, &["--start", "all", "--keep", "no"]);
    let kept = |n: usize| Kept { uidl: Some(format!("u{n}")), octets: message(ANN, &letters(n), "") };
    server.maildrop().messages = (1..=80).map(kept).collect();
    server.maildrop().refuses = Some("u3".into());
    counts(&desk.ok(&["fetch"])[0], &[("listed", 80), ("fetched", 79), ("items", 79), ("held", 1), ("settled", 79)]);
    assert_eq!(server.maildrop().messages.len(), 1, "it is not deleted");
    counts(&desk.ok(&["fetch"])[0], &[("listed", 1), ("items", 0), ("settled", 0)]);
}

/// A thousand messages, of which every visit takes as many as it can: none is passed over because others were removed
/// meanwhile.
#[test]
fn b15_a_thousand_messages_are_a_thousand_items() {
    let Some(dovecot) = Dovecot::start() else { return };
    let desk = Desk::furnished();
    let messages: Vec<_> = (0..1000).map(|n| message(ANN, &letters(n), "")).collect();
    dovecot.fill("b15", &messages).unwrap();
    desk.add_mailbox(&dovecot, "desk", "b15", &["--start", "all", "--keep", "no"]);
    counts(&desk.ok(&["fetch"])[0], &[("listed", 1000), ("items", 1000), ("settled", 1000)]);
    assert_eq!(dovecot.read_all("b15", "").unwrap().len(), 0);
}

/// The connection ends where the goodbye should come, again and again: nothing is filed or fetched a second time.
#[test]
fn b16_a_goodbye_that_is_lost_again_and_again_repeats_nothing() {
    let (server, desk) = (FakePop3::start().unwrap(), Desk::furnished());
    add(&desk, &server, &["--start", "all", "--keep", "no"]);
    server.maildrop().hangs_up_at_quit = true;
    for round in 0..10 {
        // Every other time the server has deleted all the same.
        server.maildrop().ignores_deletions = round % 2 == 0;
        let number = round + 100;
        server
            .maildrop()
            .messages
            .push(Kept { uidl: Some(format!("u{number}")), octets: message(ANN, &letters(number), "") });
        assert_eq!(desk.run(&["fetch"]).status.code(), Some(1), "round {round}");
        assert_eq!(server.maildrop().take_count("RETR"), 1, "round {round}");
    }
    server.maildrop().hangs_up_at_quit = false;
    server.maildrop().ignores_deletions = false;
    counts(&desk.ok(&["fetch"])[0], &[("fetched", 0), ("items", 0)]);
    assert_eq!(server.maildrop().take_count("RETR"), 0);
    assert_eq!(server.maildrop().messages.len(), 0);
    assert_eq!(desk.ok(&["item", "list"]).len(), 10);
}

/// Nothing to go by: no header, nothing at all, one line that is longer than any buffer.
#[test]
fn a15_messages_without_a_shape_are_filed() {
    let (server, desk) = (FakePop3::start().unwrap(), Desk::furnished());
    add(&desk, &server, &["--start", "all", "--unknown-senders", "yes"]);
    let octets =
        [b"\r\nonly a body\r\n".to_vec(), b"\r\n".to_vec(), [vec![b'x'; 8_000_000], b"\r\n".to_vec()].concat()];
    let kept = |(n, octets): (usize, Vec<u8>)| Kept { uidl: Some(format!("u{n}")), octets };
    server.maildrop().messages = octets.into_iter().enumerate().map(kept).collect();
    counts(&desk.ok(&["fetch"])[0], &[("listed", 3), ("fetched", 3), ("items", 3), ("held", 0)]);
    let titles: Vec<_> = desk.ok(&["item", "list"]).iter().map(|item| item["title"].clone()).collect();
    assert!(titles.iter().all(|title| title.as_str().is_some_and(|title| !title.is_empty())), "{titles:?}");
}

/// Folder names are names on the server, never paths on this machine.
#[test]
fn a18_a_folder_name_is_no_path() {
    let Some(dovecot) = Dovecot::start() else { return };
    let desk = Desk::furnished();
    dovecot.fill("a18", &[message(ANN, "here", "")]).unwrap();
    let names = |path: &std::path::Path| -> std::collections::BTreeSet<std::ffi::OsString> {
        std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    };
    desk.add_mailbox(&dovecot, "desk", "a18", &["--start", "all", "--done-folder", "../../outside/x"]);
    let (beside, above) = (names(desk.path()), desk.path().parent().unwrap().join("outside"));
    // Whether the server takes the name or not, the item is there.
    desk.run(&["fetch"]);
    desk.ok(&["mailbox", "set", "desk", "--folder", "../../outside"]);
    desk.run(&["fetch"]);
    assert_eq!(desk.ok(&["item", "list"]).len(), 1);
    assert_eq!(names(desk.path()), beside);
    assert!(!above.exists() && !desk.path().join("outside").exists());
}
