//! `postroom fetch` against a real Dovecot.

use crate::desk::{Desk, lines, message};
use postroom_testkit::dovecot::Dovecot;

const ANN: &str = "Ann <ann@example.org>";

#[test]
fn mail_becomes_items_comments_and_held_mail() {
    let Some(dovecot) = Dovecot::start() else { return };
    let desk = Desk::furnished();
    desk.add_mailbox(&dovecot, "desk", "u1", &["--start", "all"]);
    dovecot
        .fill(
            "u1",
            &[
                message(ANN, "Printer", "It is on fire."),
                message(ANN, "Re: [#1] Printer", "Still."),
                message("Eve <eve@elsewhere.example>", "Re: [#1] Printer", "Buy my fire."),
                message(ANN, "Re: Printer 1", "A bare number counts too."),
            ],
        )
        .unwrap();
    let visit = &desk.ok(&["fetch"])[0];
    for (key, expected) in [("listed", 4), ("fetched", 4), ("items", 1), ("comments", 2), ("held", 1), ("kept", 4)] {
        assert_eq!(visit[key], expected, "{key} in {visit}");
    }
    assert!(visit["error"].is_null());
    let item = &desk.ok(&["item", "show", "1"])[0];
    assert_eq!((&item["title"], &item["workspace"]), (&"Printer".into(), &"SUP".into()));
    assert_eq!(item["requester"]["user"], true);
    assert_eq!(item["comments"].as_array().unwrap().len(), 2);
    let held = &desk.ok(&["receipt", "list", "--state", "held"])[0];
    assert_eq!(held["reason"], "SENDER_UNKNOWN");
    let again = &desk.ok(&["fetch"])[0];
    assert_eq!((&again["listed"], &again["fetched"]), (&4.into(), &0.into()));
    // A person lets the held message in: it names item 1, where its sender still may not write, and so opens a new one.
    let released = &desk.ok(&["receipt", "release", &held["id"].to_string()])[0];
    assert_eq!((&released["state"], &released["item"]), (&"filed".into(), &2.into()));
}

#[test]
fn old_mail_is_left_alone_unless_it_is_asked_for() {
    let Some(dovecot) = Dovecot::start() else { return };
    let desk = Desk::furnished();
    dovecot.fill("u2", &[message(ANN, "old", ""), message(ANN, "older", "")]).unwrap();
    desk.add_mailbox(&dovecot, "desk", "u2", &[]);
    let visit = &desk.ok(&["fetch"])[0];
    assert_eq!((&visit["before_start"], &visit["fetched"]), (&2.into(), &0.into()));
    let text = String::from_utf8(desk.run(&["fetch"]).stdout).unwrap();
    assert!(text.contains("mailbox set desk --start all"), "{text}");
    dovecot.fill("u2", &[message(ANN, "new", "")]).unwrap();
    let visit = &desk.ok(&["fetch"])[0];
    assert_eq!((&visit["before_start"], &visit["items"]), (&2.into(), &1.into()));
    desk.ok(&["mailbox", "set", "desk", "--start", "all"]);
    let visit = &desk.ok(&["fetch"])[0];
    assert_eq!((&visit["before_start"], &visit["items"]), (&0.into(), &2.into()));
}

#[test]
fn filed_mail_is_settled_as_the_mailbox_says() {
    let Some(dovecot) = Dovecot::start() else { return };
    let desk = Desk::furnished();
    let batch = [message(ANN, "one", ""), message("eve@elsewhere.example", "two", "")];
    for (user, options, inbox, done) in [
        ("keep", vec!["--keep", "yes"], 2, 0),
        ("delete", vec!["--keep", "no"], 1, 0),
        ("move", vec!["--done-folder", "Done"], 1, 1),
        ("both", vec!["--done-folder", "Done", "--held-folder", "Done"], 0, 2),
    ] {
        dovecot.fill(user, &batch).unwrap();
        desk.add_mailbox(&dovecot, user, user, &[&["--start", "all"][..], &options].concat());
        let visit = &desk.ok(&["fetch", user])[0];
        assert!(visit["error"].is_null(), "{visit}");
        assert_eq!(visit["settled"], 2 - inbox, "{user}: {visit}");
        assert_eq!(dovecot.read_all(user, "").unwrap().len(), inbox as usize, "{user}");
        assert_eq!(dovecot.read_all(user, ".Done").unwrap().len(), done, "{user}");
    }
}

#[test]
fn what_stops_a_visit_has_a_code_and_harms_nothing() {
    let Some(dovecot) = Dovecot::start() else { return };
    let desk = Desk::furnished();
    desk.add_mailbox(&dovecot, "desk", "u3", &["--start", "all", "--keep", "no"]);
    dovecot.fill("u3", &[message(ANN, "one", "")]).unwrap();
    let wrong = desk.file("wrong", b"wrong");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let port = dovecot.imaps_port.to_string();
    let right = desk.path().join("password");
    for (options, code) in [
        (["--password-file", wrong.to_str().unwrap()], "AUTH_REJECTED"),
        (["--password-file", right.to_str().unwrap()], ""),
        (["--port", &closed], "CONNECT_REFUSED"),
        (["--port", &port], ""),
        (["--host", "nonexistent.invalid"], "HOST_UNKNOWN"),
        (["--host", "localhost"], ""),
        (["--folder", "Nowhere"], "FOLDER_MISSING"),
        (["--folder", "INBOX"], ""),
    ] {
        desk.ok(&[&["mailbox", "set", "desk"][..], &options].concat());
        if code.is_empty() {
            continue;
        }
        let output = desk.run(&["--json", "fetch", "desk"]);
        let visit = &lines(&output.stdout)[0];
        assert_eq!(visit["error"]["code"], code, "{visit}");
        assert_eq!(output.status.code(), Some(1));
        let listed = &desk.ok(&["mailbox", "list"])[0];
        assert_eq!(listed["error"]["code"], code);
        let tested = desk.run(&["--json", "mailbox", "test", "desk"]);
        assert_eq!(tested.status.code(), Some(1));
        assert_eq!(lines(&tested.stdout).last().unwrap()["code"], code);
    }
    assert_eq!(dovecot.read_all("u3", "").unwrap().len(), 1);
    assert_eq!(desk.ok(&["fetch"])[0]["items"], 1);
    assert_eq!(desk.ok(&["mailbox", "list"])[0]["state"], "ok");
}

#[test]
fn certificates_are_trusted_for_one_mailbox_alone() {
    let Some(dovecot) = Dovecot::start() else { return };
    let desk = Desk::furnished();
    desk.add_mailbox(&dovecot, "trusting", "u4", &[]);
    desk.add_mailbox(&dovecot, "other", "u4", &[]);
    let listed = desk.ok(&["certificate", "list"]);
    assert_eq!(listed.len(), 2);
    let fingerprint = listed[0]["sha256"].as_str().unwrap();
    desk.ok(&["certificate", "remove", fingerprint]);
    assert!(desk.ok(&["certificate", "list"]).is_empty());
    let pem = desk.path().join("server.pem");
    desk.ok(&["certificate", "add", pem.to_str().unwrap(), "--mailbox", "trusting"]);
    let output = desk.run(&["--json", "fetch"]);
    let visits = lines(&output.stdout);
    let error_of = |name: &str| visits.iter().find(|v| v["mailbox"] == name).unwrap()["error"]["code"].clone();
    assert!(error_of("trusting").is_null());
    assert_eq!(error_of("other"), "CERT_UNTRUSTED");
}

#[test]
fn a_message_over_the_limit_is_held_and_stays_on_the_server() {
    let Some(dovecot) = Dovecot::start() else { return };
    let desk = Desk::furnished();
    desk.add_mailbox(&dovecot, "desk", "u5", &["--start", "all", "--keep", "no"]);
    dovecot.fill("u5", &[message(ANN, "large", &"x".repeat(20_000)), message(ANN, "small", "")]).unwrap();
    let output = desk.command(&["--json", "fetch"]).env("POSTROOM_MAX_MESSAGE", "10000").output().unwrap();
    let visit = &lines(&output.stdout)[0];
    assert_eq!((&visit["items"], &visit["held"]), (&1.into(), &1.into()), "{visit}");
    let held = &desk.ok(&["receipt", "list", "--state", "held"])[0];
    assert_eq!((&held["reason"], &held["sha256"]), (&"TOO_LARGE".into(), &serde_json::Value::Null));
    assert!(held["size"].as_u64().unwrap() > 20_000);
    assert_eq!(dovecot.read_all("u5", "").unwrap().len(), 1);
    let again = desk.command(&["--json", "fetch"]).env("POSTROOM_MAX_MESSAGE", "10000").output().unwrap();
    assert_eq!((&lines(&again.stdout)[0]["fetched"], &lines(&again.stdout)[0]["held"]), (&0.into(), &0.into()));
    // The limit is raised, and what was left on the server comes.
    assert_eq!(desk.ok(&["fetch"])[0]["items"], 1);
    assert!(desk.ok(&["receipt", "list", "--state", "held"]).is_empty());
    assert_eq!(dovecot.read_all("u5", "").unwrap().len(), 0);
}

#[test]
fn another_account_under_the_same_uids_is_not_taken_for_the_old_one() {
    let Some(dovecot) = Dovecot::start() else { return };
    let desk = Desk::furnished();
    for (user, subject) in [("twin-a", "first account"), ("twin-b", "quite another account")] {
        let maildir = dovecot.maildir(user).unwrap();
        // Both folders get the same UIDVALIDITY and count their UIDs from 1.
        std::fs::write(maildir.join("dovecot-uidlist"), format!("3 V777 N1 G{}\n", "a".repeat(32))).unwrap();
        dovecot.fill(user, &[message(ANN, subject, "")]).unwrap();
    }
    // Told apart by size and arrival; the second one arrived a day later.
    for (name, _) in dovecot.read_all("twin-b", "").unwrap() {
        let path = dovecot.maildir("twin-b").unwrap().join("new").join(name);
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(86_400);
        std::fs::File::options().write(true).open(path).unwrap().set_modified(later).unwrap();
    }
    desk.add_mailbox(&dovecot, "desk", "twin-a", &["--start", "all"]);
    assert_eq!(desk.ok(&["fetch"])[0]["items"], 1);
    desk.ok(&["mailbox", "set", "desk", "--user", "twin-b"]);
    let visit = &desk.ok(&["fetch"])[0];
    assert_eq!((&visit["items"], &visit["unaccounted"]), (&1.into(), &0.into()), "{visit}");
    let receipts = desk.ok(&["receipt", "list"]);
    let names: Vec<&str> = receipts.iter().map(|receipt| receipt["remote_id"].as_str().unwrap()).collect();
    assert_eq!(names, ["imap:777:1:INBOX", "gone:1:imap:777:1:INBOX"]);
    assert_eq!(desk.ok(&["check"])[0]["problems"], serde_json::json!([]));
}

#[test]
fn two_fetches_at_once_file_each_message_once() {
    let Some(dovecot) = Dovecot::start() else { return };
    let desk = Desk::furnished();
    desk.add_mailbox(&dovecot, "desk", "u6", &["--start", "all", "--keep", "no"]);
    let batch: Vec<_> = (0..200).map(|n| message(ANN, &format!("message {n:03}x"), "")).collect();
    dovecot.fill("u6", &batch).unwrap();
    let mut children: Vec<_> = (0..4).map(|_| desk.command(&["--json", "fetch"]).spawn().unwrap()).collect();
    assert!(children.iter_mut().all(|child| child.wait().unwrap().success()));
    assert_eq!(desk.ok(&["item", "list"]).len(), 200);
    assert_eq!(dovecot.read_all("u6", "").unwrap().len(), 0);
}

#[test]
fn a_paused_mailbox_is_not_visited() {
    let Some(dovecot) = Dovecot::start() else { return };
    let desk = Desk::furnished();
    desk.add_mailbox(&dovecot, "desk", "u7", &[]);
    desk.ok(&["mailbox", "pause", "desk"]);
    assert!(desk.ok(&["fetch"]).is_empty());
    assert_eq!(desk.error(&["fetch", "desk"]).0, "MAILBOX_NOT_ENABLED");
    desk.ok(&["mailbox", "resume", "desk"]);
    assert_eq!(desk.ok(&["fetch"]).len(), 1);
    desk.ok(&["setting", "set", "submissions", "off"]);
    assert!(desk.ok(&["fetch"]).is_empty());
}
