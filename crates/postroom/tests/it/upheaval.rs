//! Change under our feet, against servers that do with their names what they like. The letter and number of a test is its
//! row in the register of threats: B, identity and exactly-once.

use crate::desk::{Desk, message};
use postroom_testkit::imap::{FakeImap, Folder, Mail};
use postroom_testkit::pop3::{FakePop3, Kept};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const ANN: &str = "Ann <ann@example.org>";
/// An hour of 2026, in seconds since 1970.
const NOON: i64 = 1_795_262_400;

fn add(desk: &Desk, protocol: &str, port: u16, options: &[&str]) {
    let (port, password) = (port.to_string(), desk.file("password", b"x"));
    let fixed = ["mailbox", "add", "desk", "--protocol", protocol, "--host", "localhost", "--allow-private-host"];
    let more = ["--security", "none", "--user", "ann", "--port", &port, "--password-file", password.to_str().unwrap()];
    desk.ok(&[&fixed[..], &more, options].concat());
}

/// A desk with an IMAP mailbox, and its server.
fn imap(options: &[&str]) -> (FakeImap, Desk) {
    let (server, desk) = (FakeImap::start().unwrap(), Desk::furnished());
    add(&desk, "imap", server.port, options);
    (server, desk)
}

/// A message that differs from any other of another number.
fn numbered(number: usize) -> Vec<u8> {
    // No digits in the subject: they could name an item.
    let name: String = number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
    message(ANN, &format!("about {name}"), &format!("text {name}"))
}

/// Delivers messages of these numbers, a minute apart.
fn deliver(folder: &mut Folder, numbers: std::ops::Range<usize>) {
    numbers.for_each(|number| folder.deliver(numbered(number), NOON + 60 * number as i64));
}

fn counts(visit: &Value, expected: &[(&str, u64)]) {
    assert!(visit["error"].is_null(), "{visit}");
    assert_eq!(visit["unaccounted"], 0, "{visit}");
    for (key, count) in expected {
        assert_eq!(visit[key], *count, "{key} in {visit}");
    }
}

fn fetch(desk: &Desk) -> Value {
    desk.ok(&["fetch"]).remove(0)
}

/// The visit that fails, and its code.
fn failed_fetch(desk: &Desk) -> (Value, String) {
    let output = desk.run(&["--json", "fetch"]);
    assert_eq!(output.status.code(), Some(1));
    let visit: Value = serde_json::from_slice(&output.stdout).unwrap();
    let code = visit["error"]["code"].as_str().unwrap().to_owned();
    (visit, code)
}

fn items(desk: &Desk) -> usize {
    desk.ok(&["item", "list"]).len()
}

/// The ledger of the mailbox, which must add up.
fn ledger(desk: &Desk) -> Value {
    let ledger = desk.ok(&["mailbox", "list"])[0]["ledger"].clone();
    let number = |key: &str| ledger[key].as_u64().unwrap();
    let sum: u64 = ["filed", "held", "pending", "before_start"].iter().map(|key| number(key)).sum();
    assert_eq!((number("on_server"), number("unaccounted"), number("missing")), (sum, 0, 0), "{ledger}");
    ledger
}

#[test]
fn b1_a_new_uidvalidity_is_no_new_mail() {
    const MANY: usize = 1_000;
    let (server, desk) = imap(&["--start", "all"]);
    server.change(|world| deliver(world.inbox(), 0..MANY));
    counts(&fetch(&desk), &[("listed", MANY as u64), ("items", MANY as u64)]);
    server.change(|world| {
        world.inbox().renumber(2, 5_001);
        deliver(world.inbox(), MANY..MANY + 1);
        (world.bodies, world.commands) = (0, Vec::new());
    });
    counts(&fetch(&desk), &[("listed", MANY as u64 + 1), ("items", 1), ("held", 0), ("fetched", 1)]);
    server.change(|world| {
        assert!(world.bodies <= MANY / 20, "{} bodies were fetched again", world.bodies);
        assert!(!world.commands.iter().any(|command| command.contains("STORE")), "a UID was used for more than a look");
    });
    counts(&fetch(&desk), &[("items", 0), ("fetched", 0)]);
    assert_eq!(ledger(&desk)["filed"], MANY as u64 + 1);
}

/// Where neither arrival nor Message-ID is of any use, the octets tell; they are looked at before anything is taken.
#[test]
fn b1_octets_tell_where_dates_do_not() {
    let (server, desk) = imap(&["--start", "all"]);
    server.change(|world| deliver(world.inbox(), 0..60));
    counts(&fetch(&desk), &[("items", 60)]);
    server.change(|world| {
        world.inbox().renumber(2, 101);
        world.inbox().mails.iter_mut().for_each(|mail| mail.arrived += 86_400);
        deliver(world.inbox(), 60..62);
    });
    counts(&fetch(&desk), &[("listed", 62), ("items", 2), ("held", 0)]);
    assert_eq!(ledger(&desk)["filed"], 62);
}

/// An owed deletion of the old time is never carried out by an old UID, and nothing is deleted for it later.
#[test]
fn b1_what_was_owed_under_old_uids_is_never_carried_out() {
    let (server, desk) = imap(&["--start", "all", "--keep", "no"]);
    server.change(|world| {
        deliver(world.inbox(), 0..3);
        world.stalls_at = Some("UID STORE".to_owned());
    });
    let mut child = desk.command(&["fetch"]).spawn().unwrap();
    let filed = || desk.ok(&["receipt", "list", "--state", "filed"]).len() == 3;
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !filed() {
        assert!(std::time::Instant::now() < until, "nothing was filed");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    server.change(|world| {
        world.stalls_at = None;
        world.inbox().renumber(2, 3);
        world.commands.clear();
    });
    counts(&fetch(&desk), &[("listed", 3), ("items", 0), ("settled", 0)]);
    server.change(|world| {
        assert_eq!(world.inbox().mails.len(), 3);
        assert!(!world.commands.iter().any(|command| command.contains("STORE")));
    });
}

#[test]
fn b1_another_mailbox_under_the_same_name_is_asked_about() {
    let (server, desk) = imap(&["--start", "all"]);
    server.change(|world| deliver(world.inbox(), 0..60));
    counts(&fetch(&desk), &[("items", 60)]);
    // 45 are still the same and 15 are not: a quarter.
    server.change(|world| {
        world.inbox().mails.truncate(45);
        world.inbox().renumber(2, 1);
        deliver(world.inbox(), 100..115);
        world.commands.clear();
    });
    let (_, code) = failed_fetch(&desk);
    assert_eq!(code, "MAILBOX_CHANGED");
    let listed = &desk.ok(&["mailbox", "list"])[0];
    assert_eq!((&listed["paused"], &listed["error"]["code"]), (&json!(true), &json!("MAILBOX_CHANGED")));
    assert!(listed["state"].as_str().unwrap().starts_with("asks"), "{listed}");
    assert!(desk.ok(&["fetch"]).is_empty(), "nobody visits it meanwhile");
    // Resumed without an answer it asks again, and takes nothing.
    desk.ok(&["mailbox", "resume", "desk"]);
    let (_, code) = failed_fetch(&desk);
    assert_eq!((code.as_str(), items(&desk)), ("MAILBOX_CHANGED", 60));
    server.change(|world| {
        assert_eq!(world.inbox().mails.len(), 60);
        let changes = ["STORE", "EXPUNGE", "MOVE", "SELECT"];
        assert!(!world.commands.iter().any(|command| changes.iter().any(|word| command.contains(word))));
    });
    desk.ok(&["mailbox", "resume", "desk", "--accept-new"]);
    counts(&fetch(&desk), &[("listed", 60), ("items", 15)]);
    assert_eq!(ledger(&desk)["filed"], 60);
    // The permission was for this once.
    server.change(|world| {
        world.inbox().mails.clear();
        world.inbox().renumber(3, 1);
        deliver(world.inbox(), 200..260);
    });
    assert_eq!(failed_fetch(&desk).1, "MAILBOX_CHANGED");
}

#[test]
fn b2_a_uid_that_is_used_again_is_another_message() {
    for keep in ["yes", "no"] {
        let (server, desk) = imap(&["--start", "all", "--keep", keep]);
        for number in 0..50 {
            server.change(|world| {
                world.capabilities = "UIDPLUS".to_owned();
                let folder = world.inbox();
                let (octets, flags) = (numbered(number), BTreeSet::new());
                // Whatever was there is gone, and the new one has its UID.
                folder.mails = vec![Mail { uid: 1, octets, arrived: NOON + number as i64, flags }];
                folder.uid_next = 2;
            });
            counts(&fetch(&desk), &[("listed", 1), ("items", 1)]);
        }
        assert_eq!(items(&desk), 50, "--keep {keep}");
        server.change(|world| assert_eq!(world.inbox().mails.len(), usize::from(keep == "yes")));
    }
}

/// The server was restored from a backup: what came after it is gone, its UIDs are given again, and what was lost is brought
/// back later.
#[test]
fn b3_a_uidnext_that_falls_is_looked_into() {
    let (server, desk) = imap(&["--start", "all"]);
    server.change(|world| deliver(world.inbox(), 0..10));
    let backup = server.change(|world| world.inbox().clone());
    counts(&fetch(&desk), &[("items", 10)]);
    server.change(|world| {
        world.inbox().mails.remove(3);
        deliver(world.inbox(), 10..20);
    });
    counts(&fetch(&desk), &[("listed", 19), ("items", 10)]);
    server.change(|world| {
        *world.inbox() = backup;
        // Two of the lost ones come back, in another order, and one that is new.
        for number in [15, 12, 20] {
            deliver(world.inbox(), number..number + 1);
        }
    });
    counts(&fetch(&desk), &[("listed", 13), ("items", 1), ("held", 0)]);
    assert_eq!((items(&desk), ledger(&desk)["filed"].as_u64()), (21, Some(13)));
    counts(&fetch(&desk), &[("listed", 13), ("items", 0), ("fetched", 0)]);
}

/// The same where the numbers look well again by the time of the visit: HIGHESTMODSEQ gives it away, or the last message.
#[test]
fn b3_a_restored_backup_is_noticed_although_the_numbers_look_well() {
    for capabilities in ["UIDPLUS CONDSTORE", "UIDPLUS"] {
        let (server, desk) = imap(&["--start", "all"]);
        server.change(|world| {
            world.capabilities = capabilities.to_owned();
            deliver(world.inbox(), 0..10);
        });
        let backup = server.change(|world| world.inbox().clone());
        server.change(|world| deliver(world.inbox(), 10..12));
        counts(&fetch(&desk), &[("items", 12)]);
        server.change(|world| {
            world.inbox().mod_seq += 40;
        });
        fetch(&desk);
        server.change(|world| {
            *world.inbox() = backup;
            deliver(world.inbox(), 20..22);
        });
        counts(&fetch(&desk), &[("listed", 12), ("items", 2), ("held", 0)]);
        assert_eq!((items(&desk), ledger(&desk)["filed"].as_u64()), (14, Some(12)), "{capabilities}");
    }
}

#[test]
fn b4_a_server_that_deletes_at_once_loses_nothing() {
    for many in [2, 3, 4, 6, 100] {
        let (server, desk) = imap(&["--start", "all", "--keep", "no"]);
        server.change(|world| {
            world.expunges_at_once = true;
            deliver(world.inbox(), 0..many);
        });
        counts(&fetch(&desk), &[("items", many as u64), ("settled", many as u64)]);
        server.change(|world| assert!(world.inbox().mails.is_empty()));
        assert_eq!(ledger(&desk)["on_server"], 0);
    }
}

#[test]
fn b7_all_unique_ids_are_replaced() {
    let (server, desk) = (FakePop3::start().unwrap(), Desk::furnished());
    add(&desk, "pop3", server.port, &["--start", "all"]);
    let kept = |name: &str, numbers: std::ops::Range<usize>| -> Vec<Kept> {
        numbers
            .map(|number| {
                let received = format!("Received: from a by b; Sun, 22 Nov 2026 12:00:{:02} +0000\r\n", number % 60);
                let octets = [received.into_bytes(), numbered(number)].concat();
                Kept { uidl: Some(format!("{name}{number}")), octets }
            })
            .collect()
    };
    server.maildrop().messages = kept("old", 0..300);
    counts(&fetch(&desk), &[("items", 300)]);
    server.maildrop().commands.clear();
    server.maildrop().messages = kept("new", 0..305);
    counts(&fetch(&desk), &[("listed", 305), ("items", 5), ("fetched", 5), ("held", 0)]);
    assert!(server.maildrop().take_count("RETR") <= 300 / 20, "bodies were fetched again");
    assert_eq!(ledger(&desk)["filed"], 305);
    // And one day it is another mailbox altogether.
    server.maildrop().messages = kept("other", 1_000..1_060);
    assert_eq!(failed_fetch(&desk).1, "MAILBOX_CHANGED");
    assert_eq!(items(&desk), 305);
    desk.ok(&["mailbox", "resume", "desk"]);
    assert_eq!(failed_fetch(&desk).1, "MAILBOX_CHANGED");
    desk.ok(&["mailbox", "resume", "desk", "--accept-new"]);
    counts(&fetch(&desk), &[("listed", 60), ("items", 60)]);
    assert_eq!(ledger(&desk)["filed"], 60);
}

#[test]
fn b12_what_others_have_read_is_taken_all_the_same() {
    let (server, desk) = imap(&["--start", "all"]);
    server.change(|world| {
        deliver(world.inbox(), 0..5);
        for mail in &mut world.inbox().mails {
            mail.flags.insert("\\Seen".to_owned());
        }
    });
    counts(&fetch(&desk), &[("items", 5)]);
}

#[test]
fn b13_what_others_have_marked_as_deleted_stays() {
    let (server, desk) = imap(&["--start", "all", "--keep", "no"]);
    server.change(|world| {
        deliver(world.inbox(), 0..3);
        // A stranger, whose mail is held and so never deleted by us.
        world.inbox().deliver(message("eve@elsewhere.example", "hello", ""), NOON);
        world.inbox().mails[3].flags.insert("\\Deleted".to_owned());
    });
    counts(&fetch(&desk), &[("items", 3), ("held", 1), ("settled", 3)]);
    server.change(|world| assert_eq!(world.inbox().mails.len(), 1));
}

#[test]
fn b14_one_message_that_cannot_be_had_does_not_keep_the_others() {
    let (server, desk) = imap(&["--start", "all"]);
    server.change(|world| {
        deliver(world.inbox(), 0..80);
        world.keeps_back.insert(3);
    });
    counts(&fetch(&desk), &[("listed", 80), ("items", 79), ("held", 1)]);
    assert_eq!(desk.ok(&["receipt", "list", "--state", "held"])[0]["reason"], "UNFETCHABLE");
    // It is asked for again at every visit, although nothing else is.
    server.change(|world| world.keeps_back.clear());
    counts(&fetch(&desk), &[("listed", 80), ("items", 1), ("fetched", 1)]);
    assert_eq!(ledger(&desk)["filed"], 80);
}

/// Nobody waits for a message that others have removed before it could be had, and no visit looks for it.
#[test]
fn b14_what_others_remove_before_it_could_be_had_is_over() {
    let over = |desk: &Desk| {
        assert_eq!(desk.ok(&["receipt", "list", "--state", "held"])[0]["reason"], "UNFETCHABLE");
        move |desk: &Desk| {
            counts(&fetch(desk), &[("listed", 4), ("items", 0), ("held", 0)]);
            assert!(desk.ok(&["receipt", "list", "--state", "held"]).is_empty());
            let closed = desk.ok(&["receipt", "list", "--state", "held", "--reason", "DELETED"]).remove(0);
            assert!(closed["remote_id"].as_str().unwrap().starts_with("gone:"), "{closed}");
            assert_eq!(ledger(desk)["filed"], 4);
        }
    };
    let (server, desk) = imap(&["--start", "all"]);
    server.change(|world| {
        deliver(world.inbox(), 0..5);
        world.keeps_back.insert(3);
    });
    counts(&fetch(&desk), &[("items", 4), ("held", 1)]);
    let is_over = over(&desk);
    server.change(|world| world.inbox().mails.retain(|mail| mail.uid != 3));
    is_over(&desk);

    let (server, desk) = (FakePop3::start().unwrap(), Desk::furnished());
    add(&desk, "pop3", server.port, &["--start", "all"]);
    server.maildrop().messages =
        (0..5).map(|number| Kept { uidl: Some(format!("u{number}")), octets: numbered(number) }).collect();
    server.maildrop().refuses = Some("u3".to_owned());
    counts(&fetch(&desk), &[("items", 4), ("held", 1)]);
    let is_over = over(&desk);
    server.maildrop().messages.remove(3);
    is_over(&desk);
    server.maildrop().commands.clear();
    counts(&fetch(&desk), &[("listed", 4), ("fetched", 0)]);
    assert_eq!(server.maildrop().take_count("LIST"), 0, "a whole listing for nothing");
}

#[test]
fn b15_a_thousand_messages_come_however_they_are_divided() {
    let (server, desk) = imap(&["--start", "all"]);
    for start in (0..1_000).step_by(50) {
        server.change(|world| deliver(world.inbox(), start..start + 50));
        counts(&fetch(&desk), &[("items", 50), ("fetched", 50)]);
    }
    assert_eq!((items(&desk), ledger(&desk)["filed"].as_u64()), (1_000, Some(1_000)));
}

/// C14, the ledger, while others read, move and delete in the same mailbox.
#[test]
fn the_ledger_stays_right_while_others_delete() {
    let (server, desk) = imap(&[]);
    server.change(|world| deliver(world.inbox(), 0..100));
    counts(&fetch(&desk), &[("listed", 100), ("before_start", 100), ("fetched", 0)]);
    for round in 0..20 {
        server.change(|world| {
            let folder = world.inbox();
            deliver(folder, 100 + round * 3..103 + round * 3);
            // Some that were there before, some of ours, some that nobody has seen yet.
            for at in [folder.mails.len() - 1, folder.mails.len() / 2, 1] {
                folder.mails.remove(at);
            }
            folder.mod_seq += 1;
        });
        let visit = fetch(&desk);
        counts(&visit, &[("items", 2)]);
        let there = server.change(|world| world.inbox().mails.len() as u64);
        assert_eq!((&visit["listed"], &ledger(&desk)["on_server"]), (&json!(there), &json!(there)), "round {round}");
    }
    assert_eq!(desk.ok(&["check"])[0]["problems"], json!([]));
}

/// A steady visit: nothing is fetched and nothing is listed that is known.
#[test]
fn a_visit_with_nothing_new_asks_for_nothing() {
    let (server, desk) = imap(&["--start", "all"]);
    server.change(|world| deliver(world.inbox(), 0..200));
    fetch(&desk);
    server.change(|world| (world.bodies, world.commands) = (0, Vec::new()));
    counts(&fetch(&desk), &[("listed", 200), ("fetched", 0)]);
    let asked = server.change(|world| std::mem::take(&mut world.commands));
    assert!(!asked.iter().any(|command| command.contains("UID")), "{asked:?}");
    server.change(|world| deliver(world.inbox(), 200..203));
    counts(&fetch(&desk), &[("listed", 203), ("fetched", 3)]);
    let asked = server.change(|world| std::mem::take(&mut world.commands));
    let listings: Vec<&String> = asked.iter().filter(|command| command.contains("RFC822.SIZE")).collect();
    assert_eq!(listings, ["UID FETCH 200:* (UID RFC822.SIZE INTERNALDATE)"]);
    server.change(|world| assert_eq!(world.bodies, 3));
    // The same over POP3: names alone, and of new messages their sizes.
    let (server, desk) = (FakePop3::start().unwrap(), Desk::furnished());
    add(&desk, "pop3", server.port, &["--start", "all"]);
    let kept = |number: usize| Kept { uidl: Some(format!("u{number}")), octets: numbered(number) };
    server.maildrop().messages = (0..50).map(kept).collect();
    fetch(&desk);
    server.maildrop().commands.clear();
    counts(&fetch(&desk), &[("listed", 50), ("fetched", 0)]);
    let asked = |command: &str| server.maildrop().take_count(command);
    assert_eq!(["UIDL", "LIST", "RETR"].map(asked), [1, 0, 0]);
    server.maildrop().messages.push(kept(50));
    server.maildrop().commands.clear();
    counts(&fetch(&desk), &[("listed", 51), ("fetched", 1), ("items", 1)]);
    assert_eq!(["UIDL", "LIST", "RETR"].map(asked), [1, 1, 1]);
}

/// Several folders of one mailbox: each has its own memory, and one that is missing fails alone.
#[test]
fn several_folders_are_read_in_one_conversation() {
    let (server, desk) = imap(&["--start", "all", "--folder", "INBOX", "--folder", "Support", "--folder", "Gone"]);
    server.change(|world| {
        world.namespace = "((\"INBOX.\" \".\")) NIL NIL".to_owned();
        deliver(world.inbox(), 0..3);
        deliver(world.folder("INBOX.Support"), 10..12);
    });
    let (visit, code) = failed_fetch(&desk);
    assert_eq!((&visit["items"], code.as_str()), (&json!(5), "FOLDER_MISSING"), "{visit}");
    server.change(|world| assert_eq!(world.logins, 1));
    let listed = &desk.ok(&["mailbox", "list"])[0];
    assert_eq!((&listed["state"], &listed["failing_since"]), (&json!("ok"), &json!(null)), "{listed}");
    assert_eq!(listed["failed_folders"][0]["folder"], "Gone");
    assert_eq!(listed["access"]["folder"], "INBOX");
    server.change(|world| {
        deliver(world.folder("INBOX.Gone"), 20..21);
        deliver(world.folder("INBOX.Support"), 12..13);
    });
    counts(&fetch(&desk), &[("listed", 7), ("items", 2), ("fetched", 2)]);
    assert_eq!(desk.ok(&["mailbox", "list"])[0]["failed_folders"], json!([]));
    let names: Vec<String> =
        desk.ok(&["receipt", "list"]).iter().map(|one| one["remote_id"].as_str().unwrap().to_owned()).collect();
    assert!(names.contains(&"imap:1:3:Support".to_owned()), "{names:?}");
    assert_eq!(ledger(&desk)["filed"], 7);
    // Mail is never moved into a folder that it is read from, however that is written.
    let output = desk.run(&["--json", "mailbox", "set", "desk", "--done-folder", "Support"]);
    assert_eq!(output.status.code(), Some(2));
    desk.ok(&["mailbox", "set", "desk", "--done-folder", "INBOX.Support"]);
    server.change(|world| deliver(world.inbox(), 30..31));
    assert_eq!(failed_fetch(&desk).1, "FOLDER_LOOPS");
    server.change(|world| assert_eq!(world.folder("INBOX.Support").mails.len(), 3));
    assert_eq!(desk.error(&["mailbox", "set", "desk", "--folder", "A", "--folder", "A"]).0, "USAGE");
}
