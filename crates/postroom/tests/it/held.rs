//! The desk of held mail, as people and scripts work at it.

use crate::desk::{Desk, message};
use postroom_testkit::dovecot::Dovecot;
use serde_json::{Value, json};

const ANN: &str = "Ann <ann@example.org>";

/// Five messages that the rules refuse, each for a reason of its own, and the reasons.
fn refused() -> ([Vec<u8>; 5], [&'static str; 5]) {
    let automatic = [b"Auto-Submitted: auto-replied\r\n".as_slice(), &message(ANN, "I am away", "Away.")].concat();
    let mails = [
        message("eve@example.org", "Not registered", "Hello"),
        message("eve@elsewhere.example", "From elsewhere", "Hello"),
        automatic,
        message("ann@example.org, eve@example.org", "Two authors", "Hello"),
        message(ANN, "Twice", "The first copy is in another mailbox."),
    ];
    let reasons = ["AUTOMATIC_MAIL", "DOMAIN_NOT_ALLOWED", "DUPLICATE_COPY", "SENDER_UNCLEAR", "SENDER_UNKNOWN"];
    (mails, reasons)
}

fn reasons(receipts: &[Value]) -> Vec<&str> {
    let mut reasons: Vec<&str> = receipts.iter().map(|receipt| receipt["reason"].as_str().unwrap()).collect();
    reasons.sort_unstable();
    reasons
}

#[test]
fn d18_what_the_rules_refuse_is_kept_here_and_on_its_server() {
    let Some(dovecot) = Dovecot::start() else { return };
    let (mails, expected) = refused();
    for protocol in ["imap", "pop3"] {
        let desk = Desk::furnished();
        desk.ok(&["setting", "set", "allowed-domains", r"@example\.org"]);
        let user = format!("d18-{protocol}");
        // Filed mail is deleted there, so that a mistake would show.
        let options = ["--start", "all", "--keep", "no", "--automatic", "hold"];
        desk.add_mailbox_over(protocol, &dovecot, "desk", &user, &options);
        dovecot.fill(&user, &mails[4..]).unwrap();
        assert_eq!(desk.ok(&["fetch"])[0]["items"], 1, "{protocol}");
        dovecot.fill(&user, &mails).unwrap();
        let visit = &desk.ok(&["fetch"])[0];
        assert_eq!((&visit["held"], &visit["settled"], &visit["kept"]), (&5.into(), &0.into(), &5.into()), "{visit}");
        let held = desk.ok(&["receipt", "list", "--state", "held"]);
        assert_eq!(reasons(&held), expected, "{protocol}");
        for receipt in &held {
            let raw = desk.run(&["receipt", "raw", &receipt["id"].to_string()]).stdout;
            assert!(mails.contains(&raw), "{protocol}: {receipt}");
        }
        assert_eq!(dovecot.read_all(&user, "").unwrap().len(), 5, "{protocol}: nothing was deleted");
        assert_eq!(desk.ok(&["check"])[0]["problems"], json!([]), "{protocol}");
    }
}

#[test]
fn the_list_of_held_mail_says_why_for_how_long_and_what_to_do() {
    let desk = Desk::furnished();
    let file = desk.file("m.eml", &message("eve@elsewhere.example", "Buy\u{1b}[2J", "Hello"));
    desk.ok(&["import", file.to_str().unwrap(), "--workspace", "SUP"]);
    let held = &desk.ok(&["receipt", "list", "--state", "held"])[0];
    assert_eq!((&held["reason"], &held["from"]), (&"SENDER_UNKNOWN".into(), &"eve@elsewhere.example".into()));
    assert!(held["held_for_s"].as_i64().unwrap() < 60 && held["decided_at"].is_string());
    assert!(held["help"].as_str().unwrap().contains("`receipt release 1`"), "{held}");
    let text = String::from_utf8(desk.run(&["receipt", "list", "--state", "held"]).stdout).unwrap();
    for part in ["HELD FOR", "SENDER_UNKNOWN", "eve@elsewhere.example", "What to do", "receipt release ID"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains('\u{1b}'), "mail does not command the terminal");
    let shown = String::from_utf8(desk.run(&["receipt", "show", "1"]).stdout).unwrap();
    assert!(shown.contains("what to do  `receipt release 1`"), "{shown}");
    desk.ok(&["receipt", "release", "1"]);
    assert!(desk.ok(&["receipt", "list", "--state", "held"]).is_empty());
    let text = String::from_utf8(desk.run(&["receipt", "list", "--state", "held"]).stdout).unwrap();
    assert_eq!(text, "nothing is held\n");
}

#[test]
fn all_that_match_are_decided_again_after_a_change_of_the_rules() {
    let desk = Desk::furnished();
    // More than are taken together.
    std::fs::create_dir(desk.path().join("mails")).unwrap();
    for n in 0..70 {
        // A number that stands alone would name an item.
        desk.file(&format!("mails/m{n:02}.eml"), &message("eve@elsewhere.example", &format!("Message m{n}"), "Hello"));
    }
    desk.ok(&["import", desk.path().join("mails").to_str().unwrap(), "--workspace", "SUP"]);
    let retry = |arguments: &[&str]| desk.ok(&[&["receipt", "retry"][..], arguments].concat()).remove(0);
    let sum =
        |retried, items, held| json!({"retried": retried, "items": items, "comments": 0, "held": held, "waiting": 0});
    assert_eq!(retry(&["--all"]), sum(70, 0, 70), "under the same rules it is held again");
    assert_eq!(retry(&["--reason", "DUPLICATE_COPY"]), sum(0, 0, 0));
    desk.ok(&["receipt", "delete", "1", "--why", "spam"]);
    desk.ok(&["setting", "set", "unknown-senders", "on"]);
    assert_eq!(retry(&["--reason", "sender_unknown", "--mailbox", "import:SUP"]), sum(69, 69, 0));
    let receipts = desk.ok(&["receipt", "list"]);
    let mut numbers: Vec<i64> = receipts.iter().filter_map(|receipt| receipt["item"].as_i64()).collect();
    numbers.reverse();
    assert_eq!(numbers, (1..=69).collect::<Vec<i64>>(), "in the order in which they came");
    for (arguments, code) in [
        (vec!["receipt", "retry"], "USAGE"),
        (vec!["receipt", "retry", "1", "--all"], "USAGE"),
        (vec!["receipt", "retry", "--reason", "NONE"], "USAGE"),
        (vec!["receipt", "retry", "--all", "--mailbox", "nobody"], "MAILBOX_UNKNOWN"),
        (vec!["receipt", "retry", "1"], "RECEIPT_DELETED"),
        (vec!["receipt", "release", "1"], "RECEIPT_DELETED"),
        (vec!["receipt", "raw", "1"], "RECEIPT_DELETED"),
        (vec!["receipt", "delete", "1"], "RECEIPT_DELETED"),
        (vec!["receipt", "delete", "2"], "RECEIPT_STATE"),
        (vec!["receipt", "delete", "2", "--why", "two\nlines"], "USAGE"),
        (vec!["receipt", "delete", "99"], "RECEIPT_UNKNOWN"),
    ] {
        assert_eq!(desk.error(&arguments).0, code, "{arguments:?}");
    }
    let deleted = &desk.ok(&["receipt", "list", "--state", "held", "--reason", "DELETED"])[0];
    assert_eq!(
        (&deleted["id"], &deleted["help"]),
        (&1.into(), &"nothing: its octets are gone here; what its server has is as it was".into())
    );
    let audited = &desk.ok(&["audit", "list", "--object", "receipt:1"])[0];
    assert_eq!((&audited["action"], &audited["detail"]["why"]), (&"receipt.delete".into(), &"spam".into()));
    assert_eq!(desk.ok(&["check"])[0]["problems"], json!([]));
}

#[test]
fn what_is_deleted_here_stays_on_its_server_and_is_never_fetched_again() {
    let Some(dovecot) = Dovecot::start() else { return };
    for protocol in ["imap", "pop3"] {
        let desk = Desk::furnished();
        let user = format!("deleted-{protocol}");
        desk.add_mailbox_over(protocol, &dovecot, "desk", &user, &["--start", "all", "--keep", "no"]);
        dovecot.fill(&user, &[message("eve@elsewhere.example", "Buy", "Hello")]).unwrap();
        desk.ok(&["fetch"]);
        desk.ok(&["receipt", "delete", "1"]);
        // Not even when the rules would admit it now.
        desk.ok(&["setting", "set", "unknown-senders", "on"]);
        let visit = &desk.ok(&["fetch"])[0];
        assert_eq!((&visit["listed"], &visit["fetched"]), (&1.into(), &0.into()), "{protocol}: {visit}");
        assert_eq!(dovecot.read_all(&user, "").unwrap().len(), 1, "{protocol}");
        assert!(desk.ok(&["item", "list"]).is_empty(), "{protocol}");
        let mailbox = &desk.ok(&["mailbox", "list"])[0]["receipts"];
        assert_eq!((&mailbox["held"], &mailbox["done"]), (&0.into(), &1.into()));
        assert_eq!(desk.ok(&["check"])[0]["problems"], json!([]), "{protocol}");
    }
}

#[test]
fn a_sender_is_admitted_once_for_all_and_forgotten_again() {
    let desk = Desk::furnished();
    let import = |name: &str| {
        let file = desk.file(name, &message("Eve <eve@elsewhere.example>", &format!("message {name}"), name));
        desk.ok(&["import", file.to_str().unwrap(), "--workspace", "SUP"]).remove(0)
    };
    import("a.eml");
    let released = &desk.ok(&["receipt", "release", "1", "--always"])[0];
    assert_eq!((&released["item"], &released["admitted"]), (&1.into(), &"eve@elsewhere.example".into()));
    assert_eq!(import("b.eml")["items"], 1);
    let contact = &desk.ok(&["contact", "list"])[0];
    assert_eq!(
        (&contact["address"], &contact["name"], &contact["standing"]),
        (&"eve@elsewhere.example".into(), &"Eve".into(), &"admitted".into())
    );
    assert_eq!(desk.ok(&["contact", "block", "eve@elsewhere.example"])[0]["standing"], "blocked");
    import("c.eml");
    let held = desk.ok(&["receipt", "list", "--state", "held"]);
    assert_eq!(reasons(&held), ["SENDER_BLOCKED"]);
    let again = String::from_utf8(desk.run(&["receipt", "release", "3", "--always"]).stdout).unwrap();
    assert!(again.contains("  admitted    eve@elsewhere.example is admitted now;"), "{again}");
    import("d.eml");
    desk.ok(&["contact", "block", "eve@elsewhere.example"]);
    import("e.eml");
    assert_eq!(desk.ok(&["receipt", "release", "5"])[0]["admitted"], Value::Null);
    import("f.eml");
    assert_eq!(desk.ok(&["contact", "forget", "eve@elsewhere.example"])[0]["forgotten"], true);
    assert!(desk.ok(&["contact", "list"]).is_empty());
    desk.ok(&["setting", "set", "blocked", "elsewhere.example"]);
    for (arguments, code) in [
        (vec!["contact", "admit", "eve@elsewhere.example"], "CANNOT_ADMIT"),
        (vec!["contact", "admit", "ann@example.org"], "CANNOT_ADMIT"),
        (vec!["contact", "forget", "nobody@example.org"], "CONTACT_UNKNOWN"),
        (vec!["receipt", "release", "6", "--always"], "CANNOT_ADMIT"),
        (vec!["workspace", "set", "SUP", "--retain-held", "soon"], "USAGE"),
        (vec!["workspace", "set", "SUP", "--retain-held", "0d"], "USAGE"),
    ] {
        assert_eq!(desk.error(&arguments).0, code, "{arguments:?}");
    }
    let policy = |value: &str| {
        desk.ok(&["workspace", "set", "SUP", "--retain-held", value])[0]["policy"]["retain_held_days"].clone()
    };
    assert_eq!((policy("90d"), policy("forever"), policy("1d")), (90.into(), Value::Null, 1.into()));
    assert_eq!(desk.ok(&["tidy"])[0], json!({"expired": 0}), "it is not held for a day yet");
}
