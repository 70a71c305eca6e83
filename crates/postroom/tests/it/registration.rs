//! Accounts that people ask for, are invited to, and lose.

use crate::desk::{Desk, message};
use serde_json::json;

const NEW: &str = "New <new@example.org>";

fn code_of(desk: &Desk) -> String {
    desk.ok(&["user", "register", "new@example.org", "--name", "New"])[0]["code"].as_str().unwrap().to_owned()
}

fn import(desk: &Desk, name: &str, from: &str, subject: &str) -> serde_json::Value {
    let file = desk.file(name, &message(from, subject, name));
    desk.ok(&["import", file.to_str().unwrap(), "--workspace", "SUP"]).remove(0)
}

#[test]
fn a_message_with_the_code_makes_an_account() {
    let desk = Desk::furnished();
    assert_eq!(desk.error(&["user", "register", "new@example.org"]).0, "REGISTRATION_CLOSED");
    desk.ok(&["setting", "set", "registration", "open"]);
    desk.ok(&["setting", "set", "allowed-domains", r"@example\.org"]);
    assert_eq!(desk.error(&["user", "register", "new@elsewhere.example"]).0, "ADDRESS_NOT_ALLOWED");
    assert_eq!(desk.error(&["user", "register", "ann@example.org"]).0, "USER_EXISTS");
    let code = code_of(&desk);
    assert_eq!(desk.ok(&["user", "pending"])[0]["proven"], false);
    let file = desk.file("explained.eml", &message(NEW, &code, ""));
    let explained = &desk.ok(&["explain", file.to_str().unwrap()])[0];
    assert_eq!((&explained["filing"], &explained["reason"]), (&"held".into(), &"REGISTRATION_PROVEN".into()));
    import(&desk, "other.eml", "eve@example.org", &code);
    import(&desk, "proof.eml", NEW, &format!("here it is: {code}"));
    let receipts = desk.ok(&["receipt", "list"]);
    let reasons: Vec<&str> = receipts.iter().map(|receipt| receipt["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["REGISTRATION_PROVEN", "SENDER_UNKNOWN"]);
    assert_eq!(desk.ok(&["receipt", "list", "--state", "held"]).len(), 1, "only what waits for a person");
    let users = desk.ok(&["user", "list"]);
    assert_eq!(users.len(), 2);
    assert_eq!(
        (&users[1]["address"], &users[1]["name"], &users[1]["memberships"]),
        (&"new@example.org".into(), &"New".into(), &json!([]))
    );
    import(&desk, "first.eml", NEW, "my first message");
    assert_eq!(desk.ok(&["item", "list"])[0]["requester"]["user"], true);
    assert!(desk.ok(&["user", "pending"]).is_empty());
    assert_eq!(desk.ok(&["check"])[0]["problems"], json!([]));
}

#[test]
fn accounts_are_approved_invited_changed_and_signed_out() {
    let desk = Desk::furnished();
    desk.ok(&["setting", "set", "registration", "approval"]);
    let code = code_of(&desk);
    import(&desk, "proof.eml", NEW, &code);
    assert_eq!(desk.ok(&["user", "pending"])[0]["proven"], true);
    assert_eq!(desk.ok(&["user", "list"]).len(), 1, "an admin has to approve it");
    assert_eq!(desk.ok(&["user", "approve", "new@example.org"])[0]["address"], "new@example.org");
    assert_eq!(desk.error(&["user", "approve", "new@example.org"]).0, "REGISTRATION_UNKNOWN");
    let invited =
        &desk.ok(&["user", "invite", "kim@example.org", "--member", "SUP=agent", "--base", "https://post.example/"])[0];
    assert!(invited["url"].as_str().unwrap().starts_with("https://post.example/join/"), "{invited}");
    assert_eq!(desk.ok(&["user", "refuse", "kim@example.org"])[0]["ended"], 1);
    let set = |options: &[&str]| desk.ok(&[&["user", "set", "new@example.org"][..], options].concat()).remove(0);
    let changed = set(&["--member", "SUP=agent", "--alias", "n@example.org", "--admin", "yes", "--name", "Newt"]);
    assert_eq!(
        (&changed["admin"], &changed["aliases"], &changed["name"]),
        (&true.into(), &json!(["n@example.org"]), &"Newt".into())
    );
    let changed = set(&["--member", "SUP=none", "--no-alias", "n@example.org", "--admin", "no", "--active", "no"]);
    assert_eq!(
        (&changed["admin"], &changed["aliases"], &changed["active"]),
        (&false.into(), &json!([]), &false.into())
    );
    assert_eq!(changed["memberships"], json!([]));
    assert_eq!(desk.ok(&["user", "sign-out", "ann@example.org"])[0]["sessions"], 0);
    for (arguments, code) in [
        (vec!["user", "set", "nobody@example.org", "--admin", "yes"], "USER_UNKNOWN"),
        (vec!["user", "set", "new@example.org", "--member", "SUP"], "USAGE"),
        (vec!["user", "set", "new@example.org", "--member", "NIX=none"], "WORKSPACE_UNKNOWN"),
        (vec!["user", "set", "new@example.org", "--alias", "ann@example.org"], "USER_EXISTS"),
        (vec!["user", "invite", "ann@example.org"], "USER_EXISTS"),
        (vec!["user", "invite", "x@example.org", "--member", "NIX=agent"], "WORKSPACE_UNKNOWN"),
        (vec!["user", "invite", "x@example.org", "--base", "nonsense"], "USAGE"),
        (vec!["contact", "block", "ann@example.org"], "USER_EXISTS"),
        (vec!["user", "sign-out", "nobody@example.org"], "USER_UNKNOWN"),
    ] {
        assert_eq!(desk.error(&arguments).0, code, "{arguments:?}");
    }
}
