//! `deliver`, `import`, and Maildirs.

use crate::desk::{Desk, lines, message};

const ANN: &str = "Ann <ann@example.org>";

fn maildir(desk: &Desk, options: &[&str]) -> std::path::PathBuf {
    let path = desk.path().join("maildir");
    for sub in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(path.join(sub)).unwrap();
    }
    let fixed = ["mailbox", "add", "local", "--protocol", "maildir", "--path", path.to_str().unwrap()];
    desk.ok(&[&fixed[..], options].concat());
    path
}

#[test]
fn a_delivered_message_is_durable_and_filed_once() {
    let desk = Desk::furnished();
    maildir(&desk, &[]);
    let deliver = |octets: &[u8]| desk.run_with(&["--json", "deliver", "--mailbox", "local"], octets);
    let first = deliver(&message(ANN, "hello", ""));
    assert_eq!(first.status.code(), Some(0), "{first:?}");
    assert_eq!(lines(&first.stdout)[0]["state"], "filed");
    // The mail server was not told of our success and tries again.
    assert_eq!(deliver(&message(ANN, "hello", "")).status.code(), Some(0));
    assert_eq!(desk.ok(&["item", "list"]).len(), 1);
    for (arguments, input) in
        [(["deliver", "--mailbox", "nobody"], b"x".as_slice()), (["deliver", "--mailbox", "local"], b"")]
    {
        assert_eq!(desk.run_with(&arguments, input).status.code(), Some(75), "{arguments:?}");
    }
}

#[test]
fn an_import_can_be_repeated() {
    let desk = Desk::furnished();
    let mbox = [
        &b"From ann@example.org Sun Nov 22 12:00:00 2026\n"[..],
        &message(ANN, "first", "a"),
        b"\nFrom ann@example.org Sun Nov 22 12:00:01 2026\n",
        &message(ANN, "second", ">From here on"),
    ]
    .concat();
    let path = desk.file("mail.mbox", &mbox);
    let import = || desk.ok(&["import", path.to_str().unwrap(), "--workspace", "SUP"]).pop().unwrap();
    assert_eq!((&import()["items"], &import()["known"]), (&2.into(), &2.into()));
    assert_eq!(desk.ok(&["item", "list"]).len(), 2);
    // One file among many that cannot be taken is told, and does not stop the others.
    let dir = desk.path().join("many");
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("1.eml"), message(ANN, "small", "")).unwrap();
    std::fs::write(dir.join("2.eml"), message(ANN, "large", &"x".repeat(9000))).unwrap();
    std::fs::write(dir.join("3.eml"), message(ANN, "small too", "")).unwrap();
    let mut many = desk.command(&["--json", "import", dir.to_str().unwrap(), "--workspace", "SUP"]);
    let output = many.env("POSTROOM_MAX_MESSAGE", "5000").output().unwrap();
    let printed = lines(&output.stdout);
    assert_eq!((output.status.code(), &printed[0]["code"]), (Some(1), &"TOO_LARGE".into()));
    assert_eq!((&printed[1]["items"], &printed[1]["skipped"]), (&2.into(), &1.into()));
    assert_eq!(desk.error(&["import", "/nonexistent/x.eml", "--workspace", "SUP"]).0, "FILE_UNREADABLE");
    assert_eq!(desk.error(&["import", path.to_str().unwrap(), "--workspace", "NOPE"]).0, "WORKSPACE_UNKNOWN");
}

#[test]
fn a_maildir_is_a_mailbox() {
    let desk = Desk::furnished();
    let path = maildir(&desk, &["--start", "new", "--keep", "no"]);
    std::fs::write(path.join("new/1"), message(ANN, "old", "")).unwrap();
    assert_eq!(desk.ok(&["fetch"])[0]["before_start"], 1);
    std::fs::write(path.join("new/2"), message(ANN, "new", "")).unwrap();
    std::fs::write(path.join("cur/3:2,S"), message(ANN, "read by somebody", "")).unwrap();
    let visit = &desk.ok(&["fetch"])[0];
    assert_eq!((&visit["items"], &visit["settled"]), (&2.into(), &2.into()), "{visit}");
    assert!(path.join("new/1").exists() && !path.join("new/2").exists() && !path.join("cur/3:2,S").exists());
}

#[test]
fn byte_identical_copies_are_one_item_and_one_held_copy() {
    let desk = Desk::furnished();
    let path = maildir(&desk, &["--start", "all"]);
    for name in ["a", "b"] {
        std::fs::write(path.join("new").join(name), message(ANN, "twice", "")).unwrap();
    }
    let visit = &desk.ok(&["fetch"])[0];
    assert_eq!((&visit["items"], &visit["held"]), (&1.into(), &1.into()));
    assert_eq!(desk.ok(&["receipt", "list", "--state", "held"])[0]["reason"], "DUPLICATE_COPY");
}
