//! Rules, addresses, limits and `explain --receipt` as people type them.

use crate::desk::{Desk, message};
use serde_json::{Value, json};

const ANN: &str = "Ann <ann@example.org>";

/// A desk with SUP (default), FIN where bob is agent, and a mailbox `local` with two addresses.
fn furnished() -> Desk {
    let desk = Desk::furnished();
    desk.ok(&["workspace", "add", "FIN", "Finance"]);
    desk.ok(&["user", "add", "bob@example.org", "--member", "FIN=agent"]);
    let path = desk.path().to_str().unwrap().to_owned();
    let add = ["mailbox", "add", "local", "--protocol", "maildir", "--path", &path];
    let addresses = ["--address", "desk@example.net", "--address", "Billing@Example.net=fin"];
    desk.ok(&[&add[..], &addresses].concat());
    desk
}

/// Delivers a message with this in its header, and returns its receipt.
fn deliver(desk: &Desk, from: &str, to: &str, subject: &str) -> Value {
    let octets = format!("From: {from}\r\nTo: {to}\r\nSubject: {subject}\r\n\r\n{subject} {to}\r\n");
    let output = desk.run_with(&["--json", "deliver", "--mailbox", "local"], octets.as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    crate::desk::lines(&output.stdout).remove(0)
}

fn item_of(desk: &Desk, receipt: &Value, key: &str) -> Value {
    desk.ok(&["item", "show", &receipt["item"].to_string()])[0][key].clone()
}

fn names(rules: &[Value]) -> Vec<&str> {
    rules.iter().map(|rule| rule["name"].as_str().unwrap()).collect()
}

#[test]
fn rules_are_added_moved_changed_and_removed() {
    let desk = furnished();
    assert!(desk.ok(&["rule", "list"]).is_empty());
    let added = &desk.ok(&[
        "rule",
        "add",
        "invoices",
        "--if",
        r"subject~\binvoice\b",
        "--workspace",
        "fin",
        "--tag",
        "Money",
        "--stop",
    ])[0];
    assert_eq!(added["if"], json!({"all": [{"field": "subject", "matches": r"\binvoice\b"}]}));
    assert_eq!(
        (&added["then"]["workspace"], &added["then"]["tags"], &added["then"]["stop"]),
        (&json!("FIN"), &json!(["money"]), &json!(true))
    );
    desk.ok(&["rule", "add", "spam", "--if", "subject=*casino*", "--if", "!registered=yes", "--hold", "--first"]);
    desk.ok(&["rule", "add", "last", "--mailbox", "local", "--assign", "Bob@Example.org", "--after", "invoices"]);
    assert_eq!(names(&desk.ok(&["rule", "list"])), ["spam", "invoices", "last"]);
    desk.ok(&["rule", "move", "last", "--before", "SPAM"]);
    assert_eq!(names(&desk.ok(&["rule", "list"])), ["last", "spam", "invoices"]);
    desk.ok(&["rule", "move", "last", "--last"]);
    let changed = &desk.ok(&[
        "rule",
        "set",
        "last",
        "--clear",
        "mailbox",
        "--status",
        "closed",
        "--stop=yes",
        "--rename",
        "rest",
    ])[0];
    assert_eq!((&changed["name"], &changed["mailbox"]), (&json!("rest"), &Value::Null));
    assert_eq!(changed["then"]["assignee"], "bob@example.org", "what is not named stays");
    assert_eq!(desk.ok(&["rule", "pause", "rest"])[0]["paused"], true);
    assert_eq!(desk.ok(&["rule", "resume", "rest"])[0]["paused"], false);
    let late = &desk.ok(&["rule", "add", "late", "--if", "subject=x", "--tag", "t"])[0];
    assert!(late["lint"][0].as_str().unwrap().contains("never reached"), "{late}");
    let text = String::from_utf8(desk.run(&["rule", "list"]).stdout).unwrap();
    assert!(text.contains("warning: rule `late`") && text.contains("subject=*casino* and !registered=yes"), "{text}");
    desk.ok(&["rule", "remove", "late"]);
    assert_eq!(names(&desk.ok(&["rule", "list"])), ["spam", "invoices", "rest"]);
    let audit = desk.ok(&["audit", "list", "--object", "rule"]);
    let actions: Vec<&str> = audit.iter().rev().map(|row| row["action"].as_str().unwrap()).collect();
    let expected = ["add", "add", "add", "move", "move", "set", "set", "set", "add", "remove"];
    assert_eq!(actions, expected.map(|action| format!("rule.{action}")));
}

#[test]
fn what_cannot_be_a_rule_is_refused_with_a_reason() {
    let desk = furnished();
    desk.ok(&["rule", "add", "one", "--tag", "t"]);
    let file = desk.file("rules.json", br#"{"rules":[{"name":"a","then":{"worspace":"FIN"}}]}"#);
    for (arguments, code, status) in [
        (vec!["rule", "add", "ONE", "--tag", "t"], "RULE_EXISTS", 1),
        (vec!["rule", "add", "two", "--if", "subject"], "USAGE", 2),
        (vec!["rule", "add", "two", "--if", "colour=red"], "USAGE", 2),
        (vec!["rule", "add", "two", "--if", "subject~("], "RULE_INVALID", 1),
        (vec!["rule", "add", "two", "--if", "registered=perhaps"], "RULE_INVALID", 1),
        (vec!["rule", "add", "two", "--tag", "two words"], "RULE_INVALID", 1),
        (vec!["rule", "add", "two", "--workspace", "NIX"], "WORKSPACE_UNKNOWN", 1),
        (vec!["rule", "add", "two", "--assign", "nobody@example.org"], "USER_UNKNOWN", 1),
        (vec!["rule", "add", "two", "--mailbox", "nix"], "MAILBOX_UNKNOWN", 1),
        (vec!["rule", "add", "two", "--before", "nix"], "RULE_UNKNOWN", 1),
        (vec!["rule", "add", "two", "--first", "--last"], "USAGE", 2),
        (vec!["rule", "move", "one"], "USAGE", 2),
        (vec!["rule", "move", "one", "--before", "One"], "RULE_INVALID", 1),
        (vec!["rule", "move", "one", "--after", "nix"], "RULE_UNKNOWN", 1),
        (vec!["rule", "set", "nix", "--tag", "t"], "RULE_UNKNOWN", 1),
        (vec!["rule", "remove", "nix"], "RULE_UNKNOWN", 1),
        (vec!["rule", "import", "/nonexistent"], "FILE_UNREADABLE", 1),
        (vec!["rule", "import", file.to_str().unwrap()], "RULE_INVALID", 1),
        (vec!["rule", "test", "--mailbox", "nix"], "MAILBOX_UNKNOWN", 1),
        (vec!["rule", "test", "--last", "0"], "USAGE", 2),
        (vec!["mailbox", "set", "local", "--address", "nonsense"], "ADDRESS_INVALID", 1),
        (vec!["mailbox", "set", "local", "--address", "a@b.example=NIX"], "WORKSPACE_UNKNOWN", 1),
        (vec!["setting", "set", "own-addresses", "nonsense"], "ADDRESS_INVALID", 1),
        (vec!["setting", "set", "automatic-per-item", "0"], "USAGE", 2),
        (vec!["explain", "--receipt", "77"], "RECEIPT_UNKNOWN", 1),
        (vec!["explain"], "USAGE", 2),
    ] {
        assert_eq!(desk.error(&arguments), (code.to_owned(), status), "{arguments:?}");
    }
    assert_eq!(names(&desk.ok(&["rule", "list"])), ["one"]);
}

#[test]
fn rules_and_addresses_place_what_is_delivered() {
    let desk = furnished();
    desk.ok(&[
        "rule",
        "add",
        "invoices",
        "--if",
        "subject=*invoice*",
        "--workspace",
        "FIN",
        "--assign",
        "bob@example.org",
    ]);
    let first = deliver(&desk, ANN, "desk@example.net", "hello");
    assert_eq!(item_of(&desk, &first, "workspace"), "SUP");
    assert_eq!(item_of(&desk, &deliver(&desk, ANN, "desk+fin@example.net", "plus"), "workspace"), "FIN");
    assert_eq!(item_of(&desk, &deliver(&desk, ANN, "billing@example.net", "alias"), "workspace"), "FIN");
    let invoice = deliver(&desk, ANN, "desk@example.net", "an invoice");
    assert_eq!(item_of(&desk, &invoice, "workspace"), "FIN");
    assert_eq!(item_of(&desk, &invoice, "assignee"), "bob@example.org");
    let own = deliver(&desk, "desk@example.net", "desk@example.net", "ourselves");
    assert_eq!(own["reason"], "OWN_ADDRESS");
    desk.ok(&["mailbox", "set", "local", "--plus-addresses", "no"]);
    assert_eq!(item_of(&desk, &deliver(&desk, ANN, "desk+fin@example.net", "off"), "workspace"), "SUP");
    let shown = &desk.ok(&["mailbox", "set", "local", "--no-address"])[0];
    assert_eq!((&shown["addresses"], &shown["plus_addresses"]), (&json!([]), &json!(false)));
    // An import goes where it is told to, and gets what rules give otherwise.
    let file = desk.file("m.eml", &message(ANN, "old invoice", ""));
    desk.ok(&["import", file.to_str().unwrap(), "--workspace", "SUP"]);
    assert_eq!(desk.ok(&["item", "list"])[0]["workspace"], "SUP");
}

#[test]
fn an_edited_list_is_tried_on_the_last_messages_before_it_is_imported() {
    let desk = furnished();
    for subject in ["invoice one", "hello", "invoice two"] {
        deliver(&desk, ANN, "desk@example.net", subject);
    }
    assert!(desk.ok(&["rule", "test"]).iter().all(|line| line["changed"] == false), "there are no rules");
    desk.ok(&["rule", "add", "invoices", "--if", "subject=invoice*", "--workspace", "FIN"]);
    let tried = desk.ok(&["rule", "test", "--last", "2"]);
    assert_eq!(tried.iter().map(|line| &line["changed"]).collect::<Vec<_>>(), [true, false]);
    assert_eq!((&tried[0]["before"]["workspace"], &tried[0]["after"]["workspace"]), (&json!("SUP"), &json!("FIN")));
    let exported = desk.run(&["rule", "export"]).stdout;
    let text = String::from_utf8(exported).unwrap();
    let edited = desk
        .file("edited.json", text.replace("invoice*", "*").replace("\"tags\": []", "\"tags\": [\"seen\"]").as_bytes());
    let edited = edited.to_str().unwrap();
    let tried = desk.ok(&["rule", "test", "--mailbox", "local", "--rules", edited]);
    assert_eq!(tried.len(), 3);
    assert!(tried.iter().all(|line| line["changed"] == true && line["after"]["tags"] == json!(["seen"])));
    let text = String::from_utf8(desk.run(&["rule", "test", "--rules", edited]).stdout).unwrap();
    assert!(text.contains("3 messages tried; it makes a difference for 3 of them; nothing was written"), "{text}");
    assert!(text.contains("a new item in SUP → a new item in FIN, tagged seen"), "{text}");
    assert_eq!(desk.ok(&["rule", "list"])[0]["then"]["tags"], json!([]), "nothing was written");
    assert_eq!(desk.ok(&["item", "list"]).len(), 3);
    assert_eq!(desk.ok(&["rule", "import", edited])[0]["then"]["tags"], json!(["seen"]));
}

#[test]
fn rules_are_tried_although_some_of_the_last_messages_are_gone() {
    let desk = furnished();
    deliver(&desk, ANN, "desk@example.net", "invoice one");
    deliver(&desk, "eve@elsewhere.example", "desk@example.net", "invoice two");
    // So long that it is kept in a file of its own.
    let long = message(ANN, "invoice three", &"more\r\n".repeat(1 << 18));
    assert!(desk.run_with(&["deliver", "--mailbox", "local"], &long).status.success());
    deliver(&desk, ANN, "desk@example.net", "invoice four");
    desk.ok(&["receipt", "delete", "2"]);
    std::fs::remove_dir_all(desk.path().join("data/raw")).unwrap();
    desk.ok(&["rule", "add", "invoices", "--if", "subject=invoice*", "--workspace", "FIN"]);
    let tried = desk.ok(&["rule", "test"]);
    let mut told: Vec<_> = tried.iter().map(|line| (&line["receipt"], &line["changed"], &line["untried"])).collect();
    told.sort_by_key(|(receipt, ..)| receipt.as_i64());
    let (yes, none) = (json!(true), Value::Null);
    let (deleted, missing) = (json!("RECEIPT_DELETED"), json!("RAW_MISSING"));
    assert_eq!(
        told,
        [
            (&json!(1), &yes, &none),
            (&json!(2), &none, &deleted),
            (&json!(3), &none, &missing),
            (&json!(4), &yes, &none)
        ]
    );
    let text = String::from_utf8(desk.run(&["rule", "test"]).stdout).unwrap();
    assert!(text.contains("2 messages tried; it makes a difference for 2 of them"), "{text}");
    assert!(text.contains("; 2 could not be tried, since deleted, not here or damaged"), "{text}");
}

#[test]
fn an_assignee_who_cannot_get_the_items_is_told_and_rules_that_are_tried_name_what_there_is() {
    let desk = furnished();
    desk.ok(&["rule", "add", "fin", "--if", "subject=invoice*", "--workspace", "FIN", "--assign", "bob@example.org"]);
    assert_eq!(desk.ok(&["rule", "list"])[0]["lint"], json!([]));
    desk.ok(&["rule", "set", "fin", "--workspace", "SUP"]);
    let lint = "its items stay unassigned: bob@example.org is no agent in SUP";
    assert_eq!(desk.ok(&["rule", "list"])[0]["lint"], json!([lint]));
    let text = String::from_utf8(desk.run(&["rule", "list"]).stdout).unwrap();
    assert!(text.contains(&format!("warning: rule `fin`: {lint}")), "{text}");
    desk.ok(&["user", "set", "bob@example.org", "--active", "no"]);
    let gone = "its items stay unassigned: bob@example.org has no account that is in use";
    assert_eq!(desk.ok(&["rule", "list"])[0]["lint"], json!([gone]));
    // What stands in the list may be tried although it names somebody who is gone, but nothing new may.
    let stored = desk.run(&["rule", "export"]).stdout;
    let stored = desk.file("stored.json", &stored);
    desk.ok(&["rule", "test", "--rules", stored.to_str().unwrap()]);
    let filed = deliver(&desk, ANN, "desk@example.net", "invoice")["id"].to_string();
    for (then, code) in [
        (r#"{"workspace":"NIX"}"#, "WORKSPACE_UNKNOWN"),
        (r#"{"assignee":"nobody@example.org"}"#, "USER_UNKNOWN"),
        (r#"{"assignee":"bob@example.org"}"#, "USER_UNKNOWN"),
    ] {
        let rules = desk.file("rules.json", format!(r#"{{"rules":[{{"name":"all","then":{then}}}]}}"#).as_bytes());
        assert_eq!(desk.error(&["rule", "test", "--rules", rules.to_str().unwrap()]).0, code, "{then}");
        let as_if = format!("rules={}", rules.display());
        assert_eq!(desk.error(&["explain", "--receipt", &filed, "--as-if", &as_if]).0, code, "{then}");
    }
}

#[test]
fn a_mailbox_that_reads_what_another_reads_is_told() {
    let desk = furnished();
    let add = |name: &str, options: &[&str]| {
        let output = desk.run(&[&["mailbox", "add", name], options].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let place = desk.path().join("Maildir");
    std::fs::create_dir_all(place.join("cur")).unwrap();
    let place = place.to_str().unwrap();
    let maildir = |name: &str, path: &str| add(name, &["--protocol", "maildir", "--path", path]);
    let none = maildir("none", &format!("{place}/not-there"));
    assert!(none.contains("there is no Maildir at") && !none.contains("same place"), "{none}");
    let one = maildir("one", place);
    assert!(!one.contains("WARNING"), "{one}");
    let two = maildir("two", &format!("{place}/../Maildir"));
    assert!(two.contains("WARNING: one reads the same place"), "{two}");
    let password = desk.file("password", b"secret");
    let server = ["--host", "mail.example.org", "--security", "ssl", "--user", "desk", "--password-file"];
    let server = [&server[..], &[password.to_str().unwrap(), "--protocol"]].concat();
    let imap = add("imap", &[&server[..], &["imap"]].concat());
    assert!(!imap.contains("WARNING"), "{imap}");
    let other = add("other", &[&server[..], &["imap", "--folder", "Billing"]].concat());
    assert!(!other.contains("WARNING"), "{other}");
    let pop3 = add("pop3", &[&server[..], &["pop3"]].concat());
    assert!(pop3.contains("WARNING: imap reads the same place"), "{pop3}");
}

#[test]
fn a_receipt_is_explained_as_it_is_and_as_it_might_be() {
    let desk = furnished();
    let held = deliver(&desk, "eve@elsewhere.example", "desk@example.net", "hello")["id"].to_string();
    let filed = deliver(&desk, ANN, "desk@example.net", "invoice")["id"].to_string();
    let explain = |arguments: &[&str]| desk.ok(&[&["explain"], arguments].concat()).remove(0);
    let as_is = explain(&["--receipt", &held]);
    assert_eq!(
        (&as_is["filing"], &as_is["reason"], &as_is["differs"]),
        (&json!("held"), &json!("SENDER_UNKNOWN"), &json!(false))
    );
    assert_eq!(as_is["was"]["reason"], "SENDER_UNKNOWN");
    for (as_if, filing, reason) in [
        ("unknown-senders=on", "item", "NEW_ITEM"),
        ("unknown_senders=on", "item", "NEW_ITEM"),
        ("mailbox.unknown-senders=yes", "item", "NEW_ITEM"),
        ("mailbox.submissions=no", "held", "SUBMISSIONS_OFF"),
        (r"allowed-domains=@example\.org", "held", "DOMAIN_NOT_ALLOWED"),
        (r#"own-addresses=["eve@elsewhere.example"]"#, "held", "OWN_ADDRESS"),
    ] {
        let explained = explain(&["--receipt", &held, "--as-if", as_if]);
        assert_eq!((&explained["filing"], &explained["reason"]), (&json!(filing), &json!(reason)), "{as_if}");
        assert_eq!((&explained["differs"], &explained["was"]["filing"]), (&json!(true), &json!("held")), "{as_if}");
    }
    let strict = explain(&["--receipt", &filed, "--as-if", "workspace.SUP.unverified=hold"]);
    assert_eq!((&strict["reason"], &strict["differs"]), (&json!("SENDER_UNVERIFIED"), &json!(true)));
    assert_eq!(explain(&["--receipt", &filed, "--as-if", "workspace.fin.unverified=hold"])["differs"], false);
    for setting in ["authentication=off", "authserv-ids=mx.example.org"] {
        assert_eq!(explain(&["--receipt", &filed, "--as-if", setting])["differs"], false, "{setting}");
    }
    let rules = desk.file("rules.json", br#"{"rules":[{"name":"all","then":{"workspace":"FIN","tags":["t"]}}]}"#);
    let as_if = format!("rules={}", rules.display());
    let explained = explain(&["--receipt", &filed, "--as-if", &as_if]);
    assert_eq!(
        (&explained["workspace"], &explained["tags"], &explained["differs"]),
        (&json!("FIN"), &json!(["t"]), &json!(true))
    );
    assert_eq!(explained["was"]["status"], "open");
    for receipt in [&held, &filed] {
        let identity = &desk.ok(&["receipt", "show", receipt])[0]["identity"];
        assert!(identity["level"].is_string(), "{identity}");
        assert_eq!(explain(&["--receipt", receipt])["identity"], *identity);
    }
    let text = desk.run(&["explain", "--receipt", &held, "--as-if", "unknown-senders=on"]).stdout;
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("It became held mail") && text.contains("It would become a new item in SUP"), "{text}");
    // The same for a file, and several at once.
    let file = desk.file("m.eml", &message("eve@elsewhere.example", "casino", ""));
    let rules = desk.file(
        "hold.json",
        br#"{"rules":[{"name":"spam","if":{"all":[{"field":"subject","like":"*casino*"}]},"then":{"hold":true}}]}"#,
    );
    let as_if = format!("rules={}", rules.display());
    let explained = explain(&[
        file.to_str().unwrap(),
        "--mailbox",
        "local",
        "--as-if",
        &as_if,
        "--as-if",
        "mailbox.unknown-senders=yes",
    ]);
    assert_eq!(explained["reason"], "HELD_BY_RULE");
    for keys in ["filing", "reason", "item", "workspace", "trace"] {
        assert!(explained.get(keys).is_some(), "{keys}");
    }
    for (as_if, status) in [
        ("unknown-senders", 2),
        ("nothing=1", 2),
        ("submissions=perhaps", 2),
        ("mailbox.x=1", 2),
        ("workspace.SUP=1", 2),
        ("workspace.NIX.unverified=hold", 1),
        ("rules=/nonexistent", 1),
    ] {
        assert_eq!(desk.error(&["explain", "--receipt", &held, "--as-if", as_if]).1, status, "{as_if}");
    }
    assert_eq!(desk.ok(&["setting", "show"])[0]["unknown_senders"], "off", "nothing was written");
    assert!(desk.ok(&["rule", "list"]).is_empty());
}

#[test]
fn what_rules_gave_an_item_then_is_compared_with_what_they_give_now() {
    let desk = furnished();
    let rule = ["rule", "add", "all: of it", "--workspace", "FIN", "--tag", "one", "--tag", "two"];
    desk.ok(&[&rule[..], &["--assign", "bob@example.org", "--status", "closed"]].concat());
    let id = deliver(&desk, ANN, "desk@example.net", "hello")["id"].to_string();
    let explain = || desk.ok(&["explain", "--receipt", &id]).remove(0);
    for change in [vec!["tag", "1", "+three"], vec!["assign", "1", "nobody"], vec!["reopen", "1"]] {
        desk.ok(&[vec!["item"], change].concat());
    }
    let same = explain();
    assert_eq!(same["differs"], false, "what a person changed on the item does not count: {same}");
    for key in ["assignee", "status", "tags"] {
        assert_eq!(same["was"][key], same[key], "{key}");
    }
    assert_eq!((&same["assignee"], &same["tags"]), (&json!("bob@example.org"), &json!(["one", "two"])));
    for changed in ["assign", "status", "tag"] {
        desk.ok(&["rule", "set", "all: of it", "--clear", changed]);
        assert_eq!(explain()["differs"], true, "{changed}");
        let text = String::from_utf8(desk.run(&["explain", "--receipt", &id]).stdout).unwrap();
        let then = "It became a new item in FIN, assigned to bob@example.org, closed, tagged one, two";
        assert!(text.starts_with(then) && !text.contains("again"), "{text}");
        let back = ["rule", "set", "all: of it", "--assign", "bob@example.org", "--status", "closed"];
        desk.ok(&[&back[..], &["--tag", "one", "--tag", "two"]].concat());
        assert_eq!(explain()["differs"], false, "{changed}");
    }
}

#[test]
fn limits_are_set_and_a_storm_is_held_visibly() {
    let desk = furnished();
    desk.ok(&["setting", "set", "automatic-per-sender", "2"]);
    desk.ok(&["setting", "set", "own-addresses", "NOC@example.net"]);
    let shown = &desk.ok(&["setting", "show"])[0];
    assert_eq!(
        (&shown["limits"]["automatic_per_sender"], &shown["own_addresses"]),
        (&json!(2), &json!(["noc@example.net"]))
    );
    let automatic = |n: u32| deliver(&desk, ANN, "desk@example.net", &format!("{n}\r\nAuto-Submitted: auto-generated"));
    for n in 0..2 {
        assert_eq!(automatic(n)["state"], "filed");
    }
    let held = automatic(2);
    assert_eq!((&held["state"], &held["reason"]), (&json!("held"), &json!("STORM")));
    assert!(held["resumes_at"].is_string());
    let text = String::from_utf8(desk.run(&["receipt", "show", &held["id"].to_string()]).stdout).unwrap();
    assert!(text.contains("files itself when its turn comes") && text.contains("automatic-per-sender"), "{text}");
    let as_if = ["explain", "--receipt", &held["id"].to_string(), "--as-if", "automatic-per-sender=3"];
    assert_eq!(desk.ok(&as_if)[0]["filing"], "item");
    desk.ok(&["receipt", "release", &held["id"].to_string()]);
    assert_eq!(deliver(&desk, ANN, "desk@example.net", "by herself")["state"], "filed", "a person is not limited");
    assert_eq!(deliver(&desk, "noc@example.net", "desk@example.net", "d")["reason"], "OWN_ADDRESS");
}

#[test]
fn s20_a_mailbox_that_leads_nowhere_is_told_in_the_list() {
    let desk = furnished();
    let path = desk.path().to_str().unwrap().to_owned();
    desk.ok(&["mailbox", "add", "fin", "--protocol", "maildir", "--path", &path, "--workspace", "FIN"]);
    let problems = |desk: &Desk| -> Vec<Value> {
        desk.ok(&["mailbox", "list"]).iter().map(|one| one["problem"].clone()).collect()
    };
    assert_eq!(problems(&desk), [Value::Null, Value::Null]);
    desk.ok(&["workspace", "default", "--none"]);
    assert_eq!(problems(&desk), [Value::Null, json!("NO_DEFAULT_WORKSPACE")]);
    let text = String::from_utf8(desk.run(&["mailbox", "list"]).stdout).unwrap();
    assert!(text.contains("none [NO_DEFAULT_WORKSPACE]"), "{text}");
    assert_eq!(deliver(&desk, ANN, "desk@example.net", "x")["reason"], "NO_DEFAULT_WORKSPACE");
    desk.ok(&["workspace", "default", "FIN"]);
    assert_eq!(problems(&desk), [Value::Null, Value::Null]);
    assert_eq!(desk.ok(&["receipt", "retry", "1"])[0]["state"], "filed");
    assert_eq!(desk.error(&["workspace", "default", "NIX"]).0, "WORKSPACE_UNKNOWN");
}
