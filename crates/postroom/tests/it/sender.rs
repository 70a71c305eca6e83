//! Who may write: lists, patterns, unknown senders, accounts out of use, and what the unverified may do.

use crate::desk::{Desk, lines, message};
use serde_json::{Value, json};

const ANN: &str = "Ann <ann@example.org>";

/// What would become of a message from this address.
fn reason(desk: &Desk, from: &str) -> Value {
    let file = desk.file("mail.eml", &message(from, "hello", "x"));
    desk.ok(&["explain", file.to_str().unwrap()])[0]["reason"].clone()
}

#[test]
fn d10_a_deactivated_user_is_a_stranger() {
    let desk = Desk::furnished();
    let eve = message("Ann <ann@example.org>", "Re: [#1] hello", "more");
    let file = desk.file("reply.eml", &eve);
    let reason = || desk.ok(&["explain", file.to_str().unwrap()])[0]["reason"].clone();
    assert_eq!(reason(), "NEW_ITEM");
    assert_eq!(desk.ok(&["user", "set", "ANN@example.org", "--active", "no"])[0]["active"], false);
    assert_eq!(reason(), "SENDER_UNKNOWN");
    assert_eq!(desk.ok(&["user", "set", "ann@example.org", "--active", "yes"])[0]["active"], true);
    assert_eq!(reason(), "NEW_ITEM");
    assert_eq!(desk.error(&["user", "set", "nobody@example.org", "--active", "no"]), ("USER_UNKNOWN".to_owned(), 1));
}

#[test]
fn d3_what_a_workspace_says_about_the_unverified_holds_for_spoofed_mail() {
    let desk = Desk::furnished();
    desk.ok(&["setting", "set", "authserv-ids", "mx.example.net"]);
    let file = |field: &str| {
        let octets = [field.as_bytes(), &message("Ann <ann@example.org>", "hello", "more")].concat();
        desk.file("mail.eml", &octets).to_str().unwrap().to_owned()
    };
    let field =
        |words: &str| format!("Authentication-Results: mx.example.net; dmarc={words} header.from=example.org\r\n");
    for (unverified, none, pass, fail) in [
        ("comment", "NEW_ITEM", "NEW_ITEM", "SENDER_DISOWNED"),
        ("hold", "SENDER_UNVERIFIED", "NEW_ITEM", "SENDER_DISOWNED"),
        ("open-only", "NEW_ITEM", "NEW_ITEM", "SENDER_DISOWNED"),
    ] {
        let workspace = &desk.ok(&["workspace", "set", "SUP", "--unverified", unverified])[0];
        assert_eq!(workspace["policy"]["unverified"], unverified);
        for (octets, expected) in [(String::new(), none), (field("pass"), pass), (field("fail (p=REJECT)"), fail)] {
            assert_eq!(desk.ok(&["explain", &file(&octets)])[0]["reason"], expected, "{unverified} {octets}");
        }
    }
    assert_eq!(desk.error(&["workspace", "set", "NOPE", "--unverified", "hold"]).0, "WORKSPACE_UNKNOWN");
}

#[test]
fn d18_what_is_refused_is_held_with_its_octets_and_stays_on_the_server() {
    let desk = Desk::furnished();
    desk.ok(&["user", "add", "bob@blocked.example"]);
    desk.ok(&["user", "add", "carl@outside.example"]);
    desk.ok(&["setting", "set", "blocked", "blocked.example"]);
    desk.ok(&["setting", "set", "domains", "example.org", "blocked.example"]);
    desk.ok(&["setting", "set", "authserv-ids", "mx.example.net"]);
    let path = desk.path().join("maildir");
    for sub in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(path.join(sub)).unwrap();
    }
    let maildir = path.to_str().unwrap();
    desk.ok(&["mailbox", "add", "desk", "--protocol", "maildir", "--path", maildir, "--start", "all", "--keep", "no"]);
    let disowned = "Authentication-Results: mx.example.net; dmarc=fail (p=reject) header.from=example.org\r\n";
    let cases = [
        ("SENDER_UNKNOWN", message("eve@example.org", "1", "")),
        ("SENDER_BLOCKED", message("bob@blocked.example", "2", "")),
        ("DOMAIN_NOT_ALLOWED", message("carl@outside.example", "3", "")),
        ("SENDER_UNCLEAR", message("ann@example.org, eve@example.org", "4", "")),
        ("SENDER_DISOWNED", [disowned.as_bytes(), &message(ANN, "5", "")].concat()),
    ];
    for (name, octets) in &cases {
        std::fs::write(path.join("new").join(name), octets).unwrap();
    }
    std::fs::write(path.join("new/good"), message(ANN, "6", "")).unwrap();
    let visit = &desk.ok(&["fetch"])[0];
    assert_eq!((&visit["items"], &visit["held"], &visit["settled"]), (&1.into(), &5.into(), &1.into()), "{visit}");
    let held = desk.ok(&["receipt", "list", "--state", "held"]);
    assert_eq!(held.len(), 5);
    for (name, octets) in &cases {
        let receipt = held.iter().find(|receipt| receipt["reason"] == *name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(receipt["settlement"], "kept", "{name}");
        let raw = desk.run(&["receipt", "raw", &receipt["id"].to_string()]);
        assert_eq!(raw.stdout, *octets, "{name}");
        assert!(path.join("new").join(name).exists() || path.join("cur").join(name).exists(), "{name} is gone");
    }
    assert!(!path.join("new/good").exists(), "what was filed is deleted, as the mailbox says");
}

#[test]
fn domains_by_name_by_pattern_and_for_one_mailbox() {
    let desk = Desk::furnished();
    desk.ok(&["setting", "set", "unknown-senders", "on"]);
    let set = |words: &[&str]| desk.ok(&[&["setting", "set"], words].concat()).remove(0);
    assert_eq!(set(&["domains", "bosch.com", "*.bosch.com"])["domains"], json!(["bosch.com", "*.bosch.com"]));
    for (from, expected) in [
        ("a@bosch.com", "NEW_ITEM"),
        ("a@de.bosch.com", "NEW_ITEM"),
        ("a@bosch.com.evil.example", "DOMAIN_NOT_ALLOWED"),
        (ANN, "DOMAIN_NOT_ALLOWED"),
    ] {
        assert_eq!(reason(&desk, from), expected, "{from}");
    }
    let policy = set(&["allowed-domains", r"[^@\T]@example\.org"]);
    assert_eq!(policy["allowed_domains_syntax"], "documented");
    assert_eq!(
        set(&["allowed-domains", "--syntax", "perl5", r"[^@\W]@example\.org"])["allowed_domains_syntax"],
        "perl5"
    );
    assert_eq!(reason(&desk, ANN), "NEW_ITEM");
    assert_eq!(set(&["blocked", "ann@example.org"])["blocked"], json!(["ann@example.org"]));
    assert_eq!(reason(&desk, ANN), "SENDER_BLOCKED");
    set(&["blocked"]);
    for wrong in
        [["domains", "@bosch.com"], ["domains", "bosch"], ["blocked", "eve@"], ["allowed-domains", "(*ACCEPT)"]]
    {
        assert_eq!(desk.error(&[&["setting", "set"], &wrong[..]].concat()).0, "PATTERN_INVALID", "{wrong:?}");
    }
    assert_eq!(desk.error(&["setting", "set", "authserv-ids", "not a host"]).0, "USAGE");

    let path = desk.path().to_str().unwrap();
    let mailbox = &desk.ok(&[
        "mailbox",
        "add",
        "narrow",
        "--protocol",
        "maildir",
        "--path",
        path,
        "--domains",
        "de.bosch.com",
        "--authserv-ids",
        "mx.example.net",
    ])[0];
    assert_eq!((&mailbox["domains"], &mailbox["authserv_ids"]), (&json!(["de.bosch.com"]), &json!(["mx.example.net"])));
    let file = |from: &str| desk.file("mail.eml", &message(from, "hello", "x")).to_str().unwrap().to_owned();
    for (from, expected) in [("a@de.bosch.com", "NEW_ITEM"), ("a@bosch.com", "DOMAIN_NOT_ALLOWED")] {
        assert_eq!(desk.ok(&["explain", &file(from), "--mailbox", "narrow"])[0]["reason"], expected, "{from}");
    }
    let mailbox = &desk.ok(&["mailbox", "set", "narrow", "--domains", "--authserv-ids"])[0];
    assert_eq!((&mailbox["domains"], &mailbox["authserv_ids"]), (&json!([]), &json!([])));
    assert_eq!(desk.error(&["mailbox", "set", "narrow", "--allowed-domains", "("]).0, "PATTERN_INVALID");
}

#[test]
fn who_writes_without_an_account_is_a_contact() {
    let desk = Desk::furnished();
    desk.ok(&["setting", "set", "unknown-senders", "on"]);
    let path = desk.path().join("maildir");
    for sub in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(path.join(sub)).unwrap();
    }
    desk.ok(&["mailbox", "add", "desk", "--protocol", "maildir", "--path", path.to_str().unwrap()]);
    assert!(desk.ok(&["contact", "list"]).is_empty());
    let deliver = |from: &str, subject: &str| {
        let output = desk.run_with(&["--json", "deliver", "--mailbox", "desk"], &message(from, subject, ""));
        lines(&output.stdout).remove(0)
    };
    let first = deliver("Eve Other <Eve@Outside.example>", "hello");
    deliver("eve@outside.example", &format!("Re: [#{}] hello", first["item"]));
    deliver(ANN, "I have an account");
    deliver("a@x.example, b@x.example", "several authors are nobody");
    let contacts = desk.ok(&["contact", "list"]);
    assert_eq!(contacts.len(), 1, "{contacts:?}");
    assert_eq!((&contacts[0]["address"], &contacts[0]["name"]), (&"eve@outside.example".into(), &"Eve Other".into()));
    assert!(contacts[0]["first_seen_at"].as_str() <= contacts[0]["last_seen_at"].as_str());
    // With an account she is a user, and no contact any more.
    desk.ok(&["user", "add", "eve@outside.example"]);
    assert!(desk.ok(&["contact", "list"]).is_empty());
}

#[test]
fn patterns_are_looked_at_before_they_are_saved() {
    let desk = Desk::new();
    let lint = &desk.ok(&["pattern", "lint", r"bosch\.com"])[0];
    assert_eq!(lint["syntax"], "perl5");
    assert!(lint["warnings"][0].as_str().unwrap().contains("ann@notbosch.com"), "{lint}");
    let sample = |address: &str| {
        let samples = lint["samples"].as_array().unwrap();
        samples.iter().find(|sample| sample["address"] == address).unwrap()["admitted"].clone()
    };
    assert_eq!((sample("ann@bosch.com"), sample("ann@bosch.com.evil.org")), (true.into(), false.into()));
    let test = |syntax: &str| {
        let third = r"\W[-.\W]+\@[-.\W]+\.\W{2,3}";
        desk.ok(&["pattern", "test", third, "ann@example.org", "--syntax", syntax])[0]["admitted"].clone()
    };
    assert_eq!((test("documented"), test("perl5")), (true.into(), false.into()));
    assert_eq!(desk.error(&["pattern", "lint", "("]).0, "PATTERN_INVALID");
}
