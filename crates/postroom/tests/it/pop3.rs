//! `postroom fetch` over POP3: against Dovecot, and against a server that does with its names what it likes.

use crate::desk::{Desk, message};
use postroom_testkit::dovecot::Dovecot;
use postroom_testkit::pop3::{FakePop3, Kept};
use serde_json::Value;

const ANN: &str = "Ann <ann@example.org>";

/// A mailbox on the server of our own.
pub fn add(desk: &Desk, server: &FakePop3, options: &[&str]) {
    let (port, password) = (server.port.to_string(), desk.file("password", b"x"));
    let fixed = ["mailbox", "add", "desk", "--protocol", "pop3", "--host", "localhost", "--allow-private-host"];
    let more = ["--security", "none", "--user", "ann", "--port", &port, "--password-file", password.to_str().unwrap()];
    desk.ok(&[&fixed[..], &more, options].concat());
}

fn kept(uidl: Option<&str>, number: usize) -> Kept {
    Kept { uidl: uidl.map(str::to_owned), octets: dated(number, "Sun, 22 Nov 2026 12:00:00 +0000") }
}

fn dated(number: usize, date: &str) -> Vec<u8> {
    // No digits in the subject: they could name an item.
    let name: String = number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
    let text = message(ANN, &format!("about {name}"), &format!("text {name}\r\n"));
    [format!("Received: from a by b; {date}\r\n").as_bytes(), text.as_ref()].concat()
}

fn counts(visit: &Value, expected: [(&str, u64); 4]) {
    assert!(visit["error"].is_null(), "{visit}");
    for (key, count) in expected {
        assert_eq!(visit[key], count, "{key} in {visit}");
    }
}

#[test]
fn mail_is_filed_and_left_or_deleted() {
    let Some(dovecot) = Dovecot::start() else { return };
    let desk = Desk::furnished();
    for (user, keep, settled, left) in [("keep", "yes", 0, 2), ("delete", "no", 1, 1)] {
        dovecot.fill(user, &[message(ANN, user, ""), message("eve@elsewhere.example", "two", "")]).unwrap();
        desk.add_mailbox_over("pop3", &dovecot, user, user, &["--start", "all", "--keep", keep]);
        counts(&desk.ok(&["fetch", user])[0], [("listed", 2), ("items", 1), ("held", 1), ("settled", settled)]);
        assert_eq!(dovecot.read_all(user, "").unwrap().len(), left, "{user}");
        counts(&desk.ok(&["fetch", user])[0], [("listed", left as u64), ("fetched", 0), ("items", 0), ("settled", 0)]);
        let steps = desk.ok(&["mailbox", "test", user]);
        assert_eq!(steps.len(), 5, "{steps:?}");
    }
    let listed = desk.ok(&["mailbox", "list"]);
    assert_eq!(listed[0]["access"]["protocol"], "pop3");
    let receipt = &desk.ok(&["receipt", "list", "--mailbox", "keep"])[0];
    assert!(receipt["remote_id"].as_str().unwrap().starts_with("pop3:"), "{receipt}");
}

#[test]
fn what_pop3_cannot_do_is_refused_when_it_is_asked_for() {
    let desk = Desk::furnished();
    let password = desk.file("password", b"x");
    let base = ["mailbox", "add", "desk", "--protocol", "pop3", "--host", "pop.example.org", "--security", "ssl"];
    let base = [&base[..], &["--user", "u", "--password-file", password.to_str().unwrap()]].concat();
    for (options, code) in [
        (["--done-folder", "Done"], "SETTLEMENT_UNSUPPORTED"),
        (["--held-folder", "Held"], "SETTLEMENT_UNSUPPORTED"),
        (["--folder", "INBOX"], "USAGE"),
        (["--auth", "xoauth2"], "AUTH_UNSUPPORTED"),
    ] {
        let output = desk.run(&[&["--json"], &base[..], &options].concat());
        let error: Value = serde_json::from_slice(&output.stderr).unwrap();
        assert_eq!(error["error"]["code"], code, "{options:?}: {error}");
    }
    let added = &desk.ok(&base)[0];
    assert_eq!(added["access"]["port"], 995);
    let changed = &desk.ok(&["mailbox", "set", "desk", "--security", "starttls", "--auth", "apop"])[0];
    assert_eq!((&changed["access"]["port"], &changed["access"]["auth"]), (&110.into(), &"apop".into()));
    let output = desk.run(&["--json", "mailbox", "set", "desk", "--done-folder", "Done"]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_lost_goodbye_repeats_the_deletion_and_nothing_else() {
    let (server, desk) = (FakePop3::start().unwrap(), Desk::furnished());
    add(&desk, &server, &["--start", "all", "--keep", "no"]);
    server.maildrop().messages = (1..=3).map(|n| kept(Some(&format!("u{n}")), n)).collect();
    server.maildrop().ignores_deletions = true;
    server.maildrop().hangs_up_at_quit = true;
    let output = desk.run(&["--json", "fetch"]);
    assert_eq!(output.status.code(), Some(1), "the visit failed");
    assert_eq!(server.maildrop().take_count("RETR"), 3);
    server.maildrop().ignores_deletions = false;
    server.maildrop().hangs_up_at_quit = false;
    counts(&desk.ok(&["fetch"])[0], [("listed", 3), ("fetched", 0), ("items", 0), ("settled", 3)]);
    assert_eq!(server.maildrop().take_count("RETR"), 0);
    assert_eq!(server.maildrop().messages.len(), 0);
    assert_eq!(desk.ok(&["item", "list"]).len(), 3);
    // Deleted, and the goodbye lost: gone counts as settled.
    server.maildrop().messages = vec![kept(Some("u4"), 4)];
    server.maildrop().hangs_up_at_quit = true;
    desk.run(&["fetch"]);
    server.maildrop().hangs_up_at_quit = false;
    counts(&desk.ok(&["fetch"])[0], [("listed", 0), ("fetched", 0), ("items", 0), ("settled", 1)]);
    assert_eq!(desk.ok(&["item", "list"]).len(), 4);
}

#[test]
fn a_server_that_keeps_what_it_said_to_have_deleted_is_not_asked_for_ever() {
    let (server, desk) = (FakePop3::start().unwrap(), Desk::furnished());
    add(&desk, &server, &["--start", "all", "--keep", "no"]);
    server.maildrop().messages = vec![kept(Some("u1"), 1)];
    server.maildrop().ignores_deletions = true;
    counts(&desk.ok(&["fetch"])[0], [("listed", 1), ("fetched", 1), ("items", 1), ("settled", 1)]);
    // It is looked at once more, and it is the same: left alone from now on.
    counts(&desk.ok(&["fetch"])[0], [("listed", 1), ("fetched", 1), ("items", 0), ("settled", 0)]);
    counts(&desk.ok(&["fetch"])[0], [("listed", 1), ("fetched", 0), ("items", 0), ("settled", 0)]);
    assert_eq!(desk.ok(&["receipt", "list"])[0]["settlement"], "kept");
}

#[test]
fn names_that_are_used_again_are_other_messages() {
    let (server, desk) = (FakePop3::start().unwrap(), Desk::furnished());
    add(&desk, &server, &["--start", "all", "--keep", "no"]);
    // Each visit brings new mail under the same names, sometimes of the same size.
    for round in 0..20 {
        server.maildrop().messages = (1..=2).map(|n| kept(Some(&n.to_string()), 100 + round * 2 + n)).collect();
        counts(&desk.ok(&["fetch"])[0], [("listed", 2), ("fetched", 2), ("items", 2), ("settled", 2)]);
        assert!(server.maildrop().messages.is_empty());
    }
    assert_eq!(desk.ok(&["item", "list"]).len(), 40);
    // Left on the server, then gone, then its name comes back with other mail, and with itself.
    desk.ok(&["mailbox", "set", "desk", "--keep", "yes"]);
    let visit = |messages: Vec<Kept>| {
        server.maildrop().messages = messages;
        desk.ok(&["fetch"]).remove(0)
    };
    counts(&visit(vec![kept(Some("a"), 1)]), [("listed", 1), ("fetched", 1), ("items", 1), ("held", 0)]);
    counts(&visit(vec![]), [("listed", 0), ("fetched", 0), ("items", 0), ("held", 0)]);
    counts(&visit(vec![kept(Some("a"), 2)]), [("listed", 1), ("fetched", 1), ("items", 1), ("held", 0)]);
    counts(&visit(vec![]), [("listed", 0), ("fetched", 0), ("items", 0), ("held", 0)]);
    counts(&visit(vec![kept(Some("a"), 1)]), [("listed", 1), ("fetched", 1), ("items", 0), ("held", 0)]);
    // Another size under a name that was there all the time: its octets tell.
    counts(&visit(vec![kept(Some("a"), 12345)]), [("listed", 1), ("fetched", 1), ("items", 1), ("held", 0)]);
    counts(&visit(vec![kept(Some("a"), 12345)]), [("listed", 1), ("fetched", 0), ("items", 0), ("held", 0)]);
}

#[test]
fn new_names_for_everything_are_no_new_mail() {
    let (server, desk) = (FakePop3::start().unwrap(), Desk::furnished());
    add(&desk, &server, &["--start", "all", "--keep", "yes"]);
    server.maildrop().messages = (0..30).map(|n| kept(Some(&format!("old{n}")), n)).collect();
    counts(&desk.ok(&["fetch"])[0], [("listed", 30), ("fetched", 30), ("items", 30), ("held", 0)]);
    server.maildrop().messages = (0..31).map(|n| kept(Some(&format!("new{n}")), n)).collect();
    // Size, arrival and Message-ID tell which is which, so that only what is new has to come.
    counts(&desk.ok(&["fetch"])[0], [("listed", 31), ("fetched", 1), ("items", 1), ("held", 0)]);
    counts(&desk.ok(&["fetch"])[0], [("listed", 31), ("fetched", 0), ("items", 0), ("held", 0)]);
    // From now on filed mail is deleted: what was filed before stays, as it was decided then.
    desk.ok(&["mailbox", "set", "desk", "--keep", "no"]);
    server.maildrop().messages.push(kept(Some("last"), 99));
    counts(&desk.ok(&["fetch"])[0], [("listed", 32), ("fetched", 1), ("items", 1), ("settled", 1)]);
}

/// Old mail that was left alone is still old mail when the server gives it new names: its dates tell.
#[test]
fn old_mail_stays_old_under_new_names() {
    let (server, desk) = (FakePop3::start().unwrap(), Desk::furnished());
    add(&desk, &server, &["--keep", "yes"]);
    let old = |name: &str| -> Vec<Kept> {
        let name = |n| Some(format!("{name}{n}"));
        (0..5).map(|n| Kept { uidl: name(n), octets: dated(n, "Thu, 1 Jan 2015 12:00:00 +0000") }).collect()
    };
    server.maildrop().messages = old("a");
    counts(&desk.ok(&["fetch"])[0], [("listed", 5), ("before_start", 5), ("fetched", 0), ("items", 0)]);
    // As long as names stay, a new one is new mail, whatever its date says.
    server
        .maildrop()
        .messages
        .push(Kept { uidl: Some("b".into()), octets: dated(9, "Thu, 1 Jan 2015 12:00:00 +0000") });
    counts(&desk.ok(&["fetch"])[0], [("listed", 6), ("before_start", 5), ("fetched", 1), ("items", 1)]);
    let new = Kept { uidl: Some("c9".into()), octets: dated(10, "Sat, 1 Jan 2101 12:00:00 +0000") };
    server.maildrop().messages = [old("c"), vec![new]].concat();
    counts(&desk.ok(&["fetch"])[0], [("listed", 6), ("before_start", 5), ("fetched", 1), ("items", 1)]);
    desk.ok(&["mailbox", "set", "desk", "--start", "since:2100-01-01"]);
    counts(&desk.ok(&["fetch"])[0], [("listed", 6), ("before_start", 5), ("fetched", 0), ("items", 0)]);
    desk.ok(&["mailbox", "set", "desk", "--start", "since:2014-01-01"]);
    counts(&desk.ok(&["fetch"])[0], [("listed", 6), ("before_start", 0), ("fetched", 5), ("items", 5)]);
}

#[test]
fn start_all_takes_what_was_left_alone() {
    let (server, desk) = (FakePop3::start().unwrap(), Desk::furnished());
    add(&desk, &server, &[]);
    server.maildrop().messages = (0..3).map(|n| kept(Some(&format!("u{n}")), n)).collect();
    counts(&desk.ok(&["fetch"])[0], [("listed", 3), ("before_start", 3), ("fetched", 0), ("items", 0)]);
    desk.ok(&["mailbox", "set", "desk", "--start", "all"]);
    counts(&desk.ok(&["fetch"])[0], [("listed", 3), ("before_start", 0), ("fetched", 3), ("items", 3)]);
}

/// Names that are blank, repeated, too long or not there at all: the octets are the name.
#[test]
fn messages_without_usable_names_are_known_by_their_octets() {
    let long = "x".repeat(300);
    for (case, names) in [
        ("blank", Some("")),
        ("same", Some("same")),
        ("blanks", Some("a b")),
        ("long", Some(long.as_str())),
        ("none", None),
    ] {
        for keep in ["yes", "no"] {
            let (server, desk) = (FakePop3::start().unwrap(), Desk::furnished());
            add(&desk, &server, &["--start", "all", "--keep", keep]);
            server.maildrop().messages = (0..5).map(|n| kept(names, n)).collect();
            let settled = if keep == "no" { 5 } else { 0 };
            counts(&desk.ok(&["fetch"])[0], [("listed", 5), ("items", 5), ("held", 0), ("settled", settled)]);
            counts(&desk.ok(&["fetch"])[0], [("listed", 5 - settled), ("items", 0), ("held", 0), ("settled", 0)]);
            assert_eq!(server.maildrop().messages.len() as u64, 5 - settled, "{case} {keep}");
            // In another order, with one more, and with a copy of an old one, which a person gets to see.
            let mut messages = server.maildrop().messages.clone();
            messages.insert(0, kept(names, 7));
            messages.extend([kept(names, 8), kept(names, 8)]);
            server.maildrop().messages = messages;
            counts(&desk.ok(&["fetch"])[0], [("listed", 8 - settled), ("items", 2), ("held", 1), ("deferred", 0)]);
            let receipts = desk.ok(&["receipt", "list"]);
            assert!(
                receipts.iter().any(|r| r["remote_id"].as_str().unwrap().contains("pop3-digest:")),
                "{case} {keep}"
            );
        }
    }
}
