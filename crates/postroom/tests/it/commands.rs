//! The rest of the command line: what it prints, what it refuses, and that it gives no secret away.

use crate::desk::{Desk, lines, message};

const ANN: &str = "Ann <ann@example.org>";

#[test]
fn bad_input_gets_a_code_and_a_way_out() {
    let desk = Desk::furnished();
    let imap = ["mailbox", "add", "x", "--protocol", "imap", "--security", "ssl", "--user", "u"];
    let password = desk.file("p", b"secret");
    let password = ["--password-file", password.to_str().unwrap()];
    let with = |host: &'static str| [&imap[..], &["--host", host], &password].concat();
    for (arguments, code, status) in [
        (vec!["workspace", "add", "SUP", "again"], "WORKSPACE_EXISTS", 1),
        (vec!["workspace", "add", "no blanks", "x"], "USAGE", 2),
        (vec!["user", "add", "not an address"], "ADDRESS_INVALID", 1),
        (vec!["user", "add", "Ann@Example.ORG"], "USER_EXISTS", 1),
        (vec!["user", "add", "b@example.org", "--member", "SUP=king"], "USAGE", 2),
        (vec!["user", "add", "b@example.org", "--member", "NOPE=agent"], "WORKSPACE_UNKNOWN", 1),
        (vec!["user", "signin-link", "nobody@example.org"], "USER_UNKNOWN", 1),
        (with("127.0.0.1"), "HOST_PRIVATE", 1),
        (with("localhost"), "HOST_PRIVATE", 1),
        (vec!["mailbox", "add", "x", "--protocol", "exchange", "--host", "h.example"], "PROTOCOL_UNSUPPORTED", 1),
        (vec!["mailbox", "test", "nobody"], "MAILBOX_UNKNOWN", 1),
        (vec!["fetch", "nobody"], "MAILBOX_UNKNOWN", 1),
        (vec!["item", "show", "77"], "ITEM_UNKNOWN", 1),
        (vec!["receipt", "show", "77"], "RECEIPT_UNKNOWN", 1),
        (vec!["setting", "set", "allowed-domains", "("], "PATTERN_INVALID", 1),
        (vec!["pattern", "test", "(", "a@b.example"], "PATTERN_INVALID", 1),
        (vec!["pattern", "test", "^$", "a@b.example"], "PATTERN_INVALID", 1),
        (vec!["setting", "set", "allowed-domains", ""], "PATTERN_INVALID", 1),
        (vec!["inspect", "/nonexistent"], "FILE_UNREADABLE", 1),
        (vec!["serve", "--listen", "0.0.0.0:0"], "LISTEN_NOT_LOOPBACK", 1),
    ] {
        assert_eq!(desk.error(&arguments), (code.to_owned(), status), "{arguments:?}");
    }
    assert_eq!(desk.error(&["restore", "/nonexistent"]).0, "NOT_EMPTY");
    assert_eq!(Desk::new().error(&["restore", "/nonexistent"]).0, "BACKUP_DAMAGED");
    assert_eq!(desk.error(&["fetsch"]), ("USAGE".to_owned(), 2));
    assert_eq!(desk.error(&["receipt", "list", "--state", "bogus"]), ("USAGE".to_owned(), 2));
    assert_eq!(desk.error(&["item", "list", "--workspace", "NOPE"]).0, "WORKSPACE_UNKNOWN");
    for options in [
        ["--done-folder", "INBOX"],
        ["--held-folder", "inbox"],
        ["--done-folder", ""],
        ["--folder", ""],
        ["--folder", "a\u{7}b"],
        ["--port", "0"],
        ["--port", "65536"],
        ["--host", "a b"],
        ["--every", "2d"],
        ["--start", "soon"],
    ] {
        assert_eq!(
            desk.error(&[&with("imap.example.org")[..], &options].concat()),
            ("USAGE".to_owned(), 2),
            "{options:?}"
        );
    }
    assert_eq!(desk.run(&["deliver", "--bogus"]).status.code(), Some(75), "a mail server must keep the message");
}

#[test]
fn what_is_for_servers_is_refused_of_a_maildir() {
    let desk = Desk::furnished();
    let (path, file) = (desk.path().to_str().unwrap().to_owned(), desk.file("p", b"secret"));
    let add = |name| ["mailbox", "add", name, "--protocol", "maildir", "--path", &path];
    desk.ok(&add("local"));
    for options in [
        &["--host", "imap.example.org"][..],
        &["--port", "993"],
        &["--security", "ssl"],
        &["--user", "u"],
        &["--password-stdin"],
        &["--password-file", file.to_str().unwrap()],
        &["--auth", "plain"],
        &["--folder", "F"],
        &["--allow-private-host"],
        &["--wire-log", "on"],
    ] {
        let set = [&["--json", "mailbox", "set", "local"], options].concat();
        let error = lines(&desk.run(&set).stderr).remove(0)["error"].take();
        assert!(error["message"].as_str().unwrap().contains(options[0]), "{error}");
        assert_eq!(desk.error(&set[1..]), ("USAGE".to_owned(), 2), "{options:?}");
        // Only `set` knows the last one at all.
        assert_eq!(desk.error(&[&add("other"), options].concat()), ("USAGE".to_owned(), 2), "{options:?}");
    }
    desk.ok(&["mailbox", "set", "local", "--wire-log", "off", "--every", "5m"]);
    assert_eq!(desk.ok(&["mailbox", "list"]).len(), 1);
}

#[test]
fn a_misspelt_directory_is_an_error_and_is_not_made() {
    let desk = Desk::new();
    let file = desk.file("m.eml", &message(ANN, "Hello", ""));
    let file = file.to_str().unwrap();
    for arguments in [
        vec!["item", "list"],
        vec!["check"],
        vec!["fetch"],
        vec!["backup", "b"],
        vec!["explain", file],
        vec!["import", file, "--workspace", "SUP"],
    ] {
        assert_eq!(desk.error(&arguments).0, "DATA_DIR_MISSING", "{arguments:?}");
    }
    assert!(!desk.path().join("data").exists());
}

#[test]
fn a_password_changes_only_when_one_is_given() {
    let desk = Desk::furnished();
    let right = desk.file("right", b"right\n");
    let add =
        ["--json", "mailbox", "add", "desk", "--protocol", "imap", "--host", "imap.example.org", "--security", "ssl"];
    let add = [&add[..], &["--user", "u"]].concat();
    assert_eq!(desk.error(&add[1..]).0, "USAGE", "no password at all");
    assert_eq!(desk.run_with(&[&add[..], &["--password-stdin"]].concat(), b"").status.code(), Some(2), "an empty one");
    let added = desk.command(&add).env("POSTROOM_PASSWORD_FILE", &right).output().unwrap();
    assert!(added.status.success(), "{added:?}");
    let set = ["mailbox", "set", "desk", "--every", "5m"];
    let set = desk.command(&set).env("POSTROOM_PASSWORD_FILE", "/nonexistent").output().unwrap();
    assert!(set.status.success(), "{set:?}");
}

#[test]
fn a_mailbox_without_any_workspace_is_refused() {
    let desk = Desk::new();
    let path = desk.path().to_str().unwrap().to_owned();
    let add = ["mailbox", "add", "local", "--protocol", "maildir", "--path", &path];
    assert_eq!(desk.error(&add).0, "NO_DEFAULT_WORKSPACE");
}

#[test]
fn inspect_and_explain_tell_what_a_message_is_and_would_become() {
    let desk = Desk::furnished();
    let file = desk.file("m.eml", &message(ANN, "Hello", "Hi there"));
    let file = file.to_str().unwrap();
    let read = &desk.ok(&["inspect", file])[0];
    assert_eq!(
        (&read["file"], &read["from"], &read["subject"]),
        (&file.into(), &"ann@example.org".into(), &"Hello".into())
    );
    let explained = &desk.ok(&["explain", file])[0];
    assert_eq!((&explained["filing"], &explained["workspace"]), (&"item".into(), &"SUP".into()));
    assert!(explained["trace"].as_array().unwrap().iter().any(|step| step["rule"] == "sender"));
    assert!(desk.ok(&["item", "list"]).is_empty());
    let eve = desk.file("e.eml", &message("eve@elsewhere.example", "Hello", ""));
    let held = &desk.ok(&["explain", eve.to_str().unwrap()])[0];
    assert_eq!((&held["filing"], &held["reason"]), (&"held".into(), &"SENDER_UNKNOWN".into()));
    desk.ok(&["setting", "set", "unknown-senders", "on"]);
    assert_eq!(desk.ok(&["explain", eve.to_str().unwrap()])[0]["filing"], "item");
    desk.ok(&["setting", "set", "allowed-domains", r"@example\.org"]);
    assert_eq!(desk.ok(&["explain", eve.to_str().unwrap()])[0]["reason"], "DOMAIN_NOT_ALLOWED");
}

#[test]
fn items_move_and_split() {
    let desk = Desk::furnished();
    desk.ok(&["workspace", "add", "OPS", "Operations"]);
    for (name, octets) in [("1.eml", message(ANN, "one", "a")), ("2.eml", message(ANN, "[#1] two", "unmistakable"))] {
        let file = desk.file(name, &octets);
        desk.ok(&["import", file.to_str().unwrap(), "--workspace", "SUP"]);
    }
    let item = &desk.ok(&["item", "show", "1"])[0];
    let comment = item["comments"][0]["id"].to_string();
    assert_eq!(desk.ok(&["item", "list", "--query", "unmistakable"]).len(), 1);
    assert!(desk.ok(&["item", "list", "--query", "absent \"quote AND ("]).is_empty());
    assert_eq!(desk.ok(&["item", "split", "1", &comment])[0]["number"], 2);
    assert_eq!(desk.ok(&["item", "move", "2", "OPS"])[0]["workspace"], "OPS");
    assert_eq!(desk.ok(&["item", "list", "--workspace", "OPS"]).len(), 1);
    assert_eq!(desk.ok(&["check"])[0]["problems"], serde_json::json!([]));
}

#[test]
fn a_backup_can_be_restored_and_gives_no_secret_away() {
    let desk = Desk::furnished();
    let password = desk.file("p", b"canary-7f3a");
    desk.ok(&[
        "mailbox",
        "add",
        "desk",
        "--protocol",
        "imap",
        "--host",
        "imap.example.org",
        "--security",
        "ssl",
        "--user",
        "u",
        "--password-file",
        password.to_str().unwrap(),
    ]);
    let large = desk.file("large.eml", &message(ANN, "large", &"many words\r\n".repeat(60_000)));
    desk.ok(&["import", large.to_str().unwrap(), "--workspace", "SUP"]);
    let backup = desk.path().join("backup");
    desk.ok(&["backup", backup.to_str().unwrap()]);
    assert_eq!(desk.error(&["backup", backup.to_str().unwrap()]).1, 1);
    for root in [desk.path().join("data"), backup.clone()] {
        assert!(!contains(&root, b"canary-7f3a"), "the password stands in clear below {}", root.display());
    }
    assert!(!backup.join("secret.key").exists());
    let elsewhere = Desk::new();
    elsewhere.ok(&["restore", backup.to_str().unwrap()]);
    assert_eq!(elsewhere.ok(&["item", "list"]).len(), 1);
    assert_eq!(elsewhere.ok(&["mailbox", "list"])[0]["paused"], true);
    assert_eq!(elsewhere.ok(&["check"])[0]["problems"], serde_json::json!([]));
    let shown = String::from_utf8(desk.run(&["--json", "mailbox", "list"]).stdout).unwrap();
    assert!(!shown.contains("canary"));
}

#[test]
fn what_is_changed_stands_in_the_audit() {
    let desk = Desk::furnished();
    let file = desk.file("m.eml", &message("eve@elsewhere.example", "Hello", "text of the mail"));
    desk.ok(&["import", file.to_str().unwrap(), "--workspace", "SUP"]);
    desk.ok(&["receipt", "release", "1"]);
    assert!(desk.run(&["receipt", "raw", "1"]).status.success());
    desk.ok(&["user", "signin-link", "ann@example.org"]);
    let rows = desk.ok(&["audit", "list"]);
    let actions: Vec<&str> = rows.iter().rev().map(|row| row["action"].as_str().unwrap()).collect();
    let expected = ["workspace.add", "user.add", "mailbox.add", "receipt.release", "receipt.download", "signin.link"];
    assert_eq!(actions, expected);
    let me = rows[0]["actor"].as_str().unwrap();
    assert!(me.starts_with("cli:") && rows.iter().all(|row| row["actor"] == me), "{rows:?}");
    assert_eq!(desk.ok(&["audit", "list", "--object", "receipt:1", "--actor", me]).len(), 2);
    assert!(desk.ok(&["audit", "list", "--actor", "nobody"]).is_empty());
    let report = &desk.ok(&["check"])[0];
    assert_eq!((&report["audit"], &report["audit_head"]), (&6.into(), &rows[0]["hash"]));
}

fn contains(root: &std::path::Path, needle: &[u8]) -> bool {
    std::fs::read_dir(root).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return contains(&path, needle);
        }
        std::fs::read(&path).unwrap().windows(needle.len()).any(|window| window == needle)
    })
}

#[test]
fn a_missing_command_is_answered_with_those_there_are() {
    let desk = Desk::new();
    for (arguments, names) in [
        (&[][..], "one of demo, serve, "),
        (&["mailbox"], "one of add, set, discover, test, "),
        (&["mailbox", "--verbose"], "one of add, set, discover, test, "),
        (&["item"], "one of list, show, "),
        (&["setting", "set"], "one of submissions, unknown-senders, "),
    ] {
        let output = desk.run(arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        let usage = format!("Usage: {} [OPTIONS] <COMMAND>", [&["postroom"], arguments].concat().join(" "));
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}");
        assert!(text.contains(&usage.replace(" --verbose", "")) && text.lines().count() > 10, "{text}");
        let output = desk.run(&[&["--json"], arguments].concat());
        let error = &lines(&output.stderr)[0]["error"];
        assert_eq!((output.status.code(), &error["code"]), (Some(2), &"USAGE".into()), "{arguments:?}");
        assert!(error["message"].as_str().unwrap().contains(&format!("a command is missing: {names}")), "{error}");
        assert!(error["help"].as_str().unwrap().ends_with(" --help`"), "{error}");
    }
}

#[test]
fn wrong_arguments_are_named_with_where_to_look_them_up() {
    let desk = Desk::new();
    for (arguments, message, help) in [
        (
            &["mailbox", "add"][..],
            "the following required arguments were not provided: --protocol <PROTOCOL>, <NAME>",
            "Usage: postroom mailbox add --protocol <PROTOCOL> <NAME>",
        ),
        (
            &["item", "show"],
            "the following required arguments were not provided: <NUMBER>",
            "Usage: postroom item show",
        ),
        (&["item", "show", "x"], "invalid value 'x' for '<NUMBER>': ", "see `postroom item show --help`"),
        (&["rule", "test", "--last", "0"], "invalid value '0' for '--last <N>': ", "see `postroom rule test --help`"),
        (
            &["item", "list", "--status", "x"],
            "invalid value 'x' for '--status <STATUS>'",
            "[possible values: open, closed]",
        ),
    ] {
        let output = desk.run(&[&["--json"], arguments].concat());
        let error = &lines(&output.stderr)[0]["error"];
        assert!(error["message"].as_str().unwrap().starts_with(message), "{error}");
        assert!(error["help"].as_str().unwrap().starts_with(help), "{error}");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn help_completions_and_manual_pages_are_there() {
    let desk = Desk::new();
    let help = String::from_utf8(desk.run(&["--help"]).stdout).unwrap();
    assert!(help.contains("postroom demo") && help.contains("mailbox"));
    for shell in ["bash", "zsh", "fish"] {
        let script = desk.run(&["completions", shell]);
        assert!(script.status.success() && script.stdout.len() > 1000);
    }
    let dir = desk.path().join("man");
    assert!(desk.run(&["manpages", dir.to_str().unwrap()]).status.success());
    assert!(dir.join("postroom-mailbox-add.1").exists());
}

#[test]
fn patterns_can_be_tried() {
    let desk = Desk::new();
    let output =
        desk.run(&["--json", "pattern", "test", r"[^@\T]@bosch\.com", "pat@BOSCH.com", "eve@bosch.com.evil.org"]);
    let admitted: Vec<bool> = lines(&output.stdout).iter().map(|line| line["admitted"].as_bool().unwrap()).collect();
    assert_eq!((output.status.code(), admitted), (Some(0), vec![true, false]));
    assert_eq!(lines(&output.stdout)[0]["syntax"], "documented");
    assert!(!desk.path().join("data").exists());
}
