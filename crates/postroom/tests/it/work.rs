//! What people do with items on the command line, and what mail does with reply keys.

use crate::desk::{Desk, lines, message};
use serde_json::Value;
use std::process::Output;

const ANN: &str = "Ann <ann@example.org>";

/// A desk with the agent gil, the reader rob, a second workspace, and a mailbox that takes mail from everybody.
fn desk() -> Desk {
    let desk = Desk::furnished();
    desk.ok(&["workspace", "add", "OPS", "Operations"]);
    desk.ok(&["user", "add", "gil@example.org", "--member", "SUP=agent"]);
    desk.ok(&["user", "add", "rob@example.org", "--member", "SUP=reader", "--member", "OPS=manager"]);
    let path = desk.path().join("maildir");
    for sub in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(path.join(sub)).unwrap();
    }
    let path = path.to_str().unwrap().to_owned();
    let name = "desk@example.net";
    desk.ok(&["mailbox", "add", name, "--protocol", "maildir", "--path", &path, "--unknown-senders", "yes"]);
    desk.ok(&["mailbox", "set", name, "--address", name]);
    desk
}

/// What became of a message: reason, item and comment.
fn bring(desk: &Desk, octets: &[u8]) -> Value {
    let output: Output = desk.run_with(&["--json", "deliver", "--mailbox", "desk@example.net"], octets);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let id = lines(&output.stdout)[0]["id"].to_string();
    desk.ok(&["receipt", "show", &id]).remove(0)
}

fn with_field(octets: &[u8], field: &str) -> Vec<u8> {
    [field.as_bytes(), b"\r\n", octets].concat()
}

#[test]
fn a_reply_key_finds_its_item_whatever_the_subject_says() {
    let desk = desk();
    bring(&desk, &message("Kim <kim@work.test>", "Printer", "It burns"));
    let keys = desk.ok(&["item", "reply-key", "1"]).remove(0);
    assert_eq!((&keys["item"], &keys["addressee"]), (&1.into(), &"kim@work.test".into()));
    let id = keys["message_id"].as_str().unwrap();
    let reply =
        with_field(&message("Kim <kim@work.test>", "Something else", "More"), &format!("References: <x@y> <{id}>"));
    let receipt = bring(&desk, &reply);
    assert_eq!((&receipt["reason"], &receipt["item"]), (&"REPLY_KEY".into(), &1.into()), "{receipt}");
    // The address, in capitals as a gateway may write it.
    let address = keys["address"].as_str().unwrap().to_uppercase();
    let reply = with_field(&message("Kim <kim@work.test>", "Third", "More yet"), &format!("Cc: {address}"));
    assert_eq!(bring(&desk, &reply)["reason"], "REPLY_KEY");
    // From another address it opens an item, and she is proposed; accepted, she may.
    let reply =
        |text: &str| with_field(&message("Kim <kim@home.test>", "Re: Printer", text), &format!("In-Reply-To: <{id}>"));
    assert_eq!(bring(&desk, &reply("from home"))["item"], 2);
    let people = desk.ok(&["item", "participant", "list", "1"]);
    assert_eq!((&people[1]["address"], &people[1]["proposed"]), (&"kim@home.test".into(), &true.into()), "{people:?}");
    assert_eq!((&people[1]["key_of"], &people[1]["item"]), (&"kim@work.test".into(), &2.into()));
    assert_eq!(desk.ok(&["item", "show", "2"])[0]["mentions"], serde_json::json!([1]));
    desk.ok(&["item", "participant", "add", "1", "kim@home.test"]);
    assert_eq!(bring(&desk, &reply("again"))["item"], 1);
    // A new key leaves the old ones good, unless they are revoked.
    desk.ok(&["setting", "rotate-reply-key"]);
    assert_eq!(bring(&desk, &reply("after rotation"))["reason"], "REPLY_KEY");
    assert_eq!(desk.ok(&["setting", "rotate-reply-key", "--revoke"])[0]["keys"], 1);
    assert_eq!(bring(&desk, &reply("after revocation"))["reason"], "NEW_ITEM");
    assert_eq!(desk.ok(&["check"])[0]["problems"], serde_json::json!([]));
}

#[test]
fn whoever_acts_for_somebody_has_their_rights() {
    let desk = desk();
    bring(&desk, &message(ANN, "First", "one"));
    bring(&desk, &message(ANN, "Re: #1", "two"));
    let comment = desk.ok(&["item", "show", "1"])[0]["comments"][0]["id"].to_string();
    let refused = |who: &str, arguments: &[&str]| desk.error(&[&["item", "--as", who], arguments].concat()).0;
    for arguments in [
        vec!["close", "1"],
        vec!["assign", "1", "gil@example.org"],
        vec!["tag", "1", "+x"],
        vec!["move", "1", "OPS"],
        vec!["split", "1", &comment],
        vec!["participant", "add", "1", "eve@evil.test"],
        vec!["reply-key", "1"],
        vec!["undo", "1"],
    ] {
        for who in ["ann@example.org", "rob@example.org"] {
            assert_eq!(refused(who, &arguments), "NOT_ALLOWED", "{who} {arguments:?}");
        }
    }
    // An agent may, but not into a workspace where he is none.
    desk.ok(&["item", "--as", "gil@example.org", "close", "1"]);
    assert_eq!(refused("gil@example.org", &["move", "1", "OPS"]), "NOT_ALLOWED");
    desk.ok(&["item", "move", "1", "OPS"]);
    // What one may not see is not there.
    assert_eq!(refused("gil@example.org", &["show", "1"]), "ITEM_UNKNOWN");
    assert_eq!(refused("nobody@example.org", &["show", "1"]), "USER_UNKNOWN");
    assert_eq!(desk.ok(&["item", "--as", "gil@example.org", "list"]).len(), 0);
    assert_eq!(desk.ok(&["item", "--as", "ann@example.org", "show", "1"])[0]["number"], 1, "she takes part in it");
    let history = desk.ok(&["item", "history", "1"]);
    assert_eq!(history[2]["kind"], "closed");
    let actor = history[2]["actor"].as_str().unwrap();
    assert!(actor.starts_with("cli:") && actor.ends_with(" as gil@example.org"), "{actor}");
    assert_eq!(refused("rob@example.org", &["undo", "1"]), "NOT_ALLOWED", "a manager there, and only a reader of SUP");
}

#[test]
fn items_are_worked_on_and_changes_taken_back() {
    let desk = desk();
    bring(&desk, &message(ANN, "First", "one"));
    bring(&desk, &message(ANN, "Second", "another"));
    bring(&desk, &message(ANN, "Re: #1", "about the other"));
    let comment = desk.ok(&["item", "show", "1"])[0]["comments"][0]["id"].to_string();
    assert_eq!(desk.ok(&["item", "move-comment", "1", &comment, "2"])[0]["comments"][0]["text"], "about the other\n");
    assert_eq!(desk.ok(&["item", "undo", "2"])[0]["item"]["number"], 1);
    assert_eq!(desk.ok(&["item", "assign", "1", "gil@example.org"])[0]["assignee"], "gil@example.org");
    assert_eq!(desk.ok(&["item", "assign", "1", "nobody"])[0]["assignee"], Value::Null);
    assert_eq!(desk.error(&["item", "assign", "1", "ann@example.org"]).0, "ASSIGNEE_UNFIT");
    let tagged = desk.ok(&["item", "tag", "1", "+urgent", "-later", "+net"]);
    assert_eq!(tagged[0]["tags"], serde_json::json!(["net", "urgent"]));
    assert_eq!(desk.ok(&["item", "list", "--tag", "urgent"]).len(), 1);
    assert_eq!(desk.error(&["item", "tag", "1", "urgent"]), ("USAGE".to_owned(), 2));
    assert_eq!(desk.error(&["item", "tag", "1", "+two words"]).0, "TAG_INVALID");
    assert_eq!(desk.ok(&["item", "close", "1"])[0]["status"], "closed");
    assert_eq!(desk.ok(&["item", "list", "--status", "closed"]).len(), 1);
    let change = desk.ok(&["item", "history", "1"]).last().unwrap()["id"].to_string();
    assert_eq!(desk.ok(&["item", "undo", "1", "--change", &change])[0]["item"]["status"], "open");
    assert_eq!(desk.error(&["item", "undo", "1", "--change", &change]).0, "UNDO_REFUSED");
    assert_eq!(desk.error(&["item", "undo", "1", "--change", "999"]).0, "CHANGE_UNKNOWN");
    assert_eq!(desk.error(&["item", "history", "99"]).0, "ITEM_UNKNOWN");
    bring(&desk, &message("Kim <kim@work.test>", "Third", "x"));
    assert_eq!(desk.error(&["item", "undo", "3"]).0, "NOTHING_TO_UNDO");
    assert_eq!(desk.error(&["item", "participant", "remove", "3", "kim@work.test"]).0, "PARTICIPANT_IS_REQUESTER");
    assert_eq!(desk.error(&["item", "participant", "remove", "3", "x@y.test"]).0, "PARTICIPANT_UNKNOWN");
    for arguments in [
        vec!["item", "show", "1"],
        vec!["item", "history", "1"],
        vec!["item", "participant", "list", "1"],
        vec!["item", "reply-key", "1"],
        vec!["workspace", "list"],
    ] {
        let output = desk.run(&arguments);
        assert!(output.status.success() && output.stdout.len() > 20, "{arguments:?}: {output:?}");
    }
}

#[test]
fn who_loses_an_item_that_is_moved_is_told() {
    let desk = desk();
    desk.ok(&["workspace", "add", "NET", "Networks"]);
    desk.ok(&["user", "add", "sam@example.org", "--member", "SUP=agent"]);
    for subject in ["Printer", "Cable", "Screen"] {
        bring(&desk, &message("Kim <kim@work.test>", subject, "It burns"));
    }
    for number in ["1", "2"] {
        desk.ok(&["item", "assign", number, "sam@example.org"]);
    }
    let moved = &desk.ok(&["item", "move", "1", "NET"])[0];
    assert_eq!((&moved["number"], &moved["workspace"]), (&1.into(), &"NET".into()));
    assert_eq!((&moved["assignee"], &moved["unassigned"]), (&Value::Null, &"sam@example.org".into()));
    let text = String::from_utf8(desk.run(&["item", "move", "2", "NET"]).stdout).unwrap();
    assert_eq!(text, "item 2 is in NET now; it is assigned to nobody, since sam@example.org does not work there\n");
    let text = String::from_utf8(desk.run(&["item", "move", "3", "NET"]).stdout).unwrap();
    assert_eq!(text, "item 3 is in NET now\n");
    assert_eq!(desk.ok(&["item", "move", "3", "SUP"])[0]["unassigned"], Value::Null);
}

#[test]
fn a_workspace_says_what_becomes_of_closed_items_and_forwards() {
    let desk = desk();
    let set =
        desk.ok(&["workspace", "set", "SUP", "--closed", "new-item", "--reopen-limit", "0", "--forward-credit", "yes"]);
    let policy = &set[0]["policy"];
    assert_eq!((&policy["closed"], &policy["reopen_limit"]), (&"new-item".into(), &0.into()));
    assert_eq!(desk.ok(&["workspace", "list"])[1]["policy"], *policy);
    assert_eq!(desk.error(&["workspace", "set", "NIX", "--closed", "comment"]).0, "WORKSPACE_UNKNOWN");
    bring(&desk, &message(ANN, "First", "one"));
    desk.ok(&["item", "close", "1"]);
    assert_eq!(bring(&desk, &message(ANN, "Re: #1", "again"))["reason"], "CONTINUES_CLOSED");
    assert_eq!(desk.ok(&["item", "show", "2"])[0]["continues"], 1);
    let forward = "Please look.\r\n\r\n---------- Forwarded message ---------\r\nFrom: Cora <cora@customer.test>\r\n\
                   Date: Tue, Mar 3, 2026 at 9:15 AM\r\nSubject: Printer\r\nTo: <gil@example.org>\r\n\r\nIt is broken.\r\n";
    let receipt = bring(&desk, &message("Gil <gil@example.org>", "Fwd: Printer", forward));
    let item = desk.ok(&["item", "show", "3"]).remove(0);
    assert_eq!((&item["requester"]["address"], &item["title"]), (&"cora@customer.test".into(), &"Printer".into()));
    assert_eq!((&item["text"], &item["html"]), (&"It is broken.".into(), &Value::Null), "{item}");
    let note = receipt["trace"].as_array().unwrap().iter().find(|step| step["outcome"] == "note");
    assert_eq!(note.unwrap()["detail"], "Please look.");
}
