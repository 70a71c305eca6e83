//! Whether a message is by whom it says: the program, asking a name server that answers from a file.

use crate::desk::{Desk, lines, message};
use postroom_testkit::dns::NameServer;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

fn testdata(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/authentication").join(name)
}

fn zone() -> NameServer {
    NameServer::start(&std::fs::read_to_string(testdata("zone.txt")).unwrap()).unwrap()
}

/// Unknown senders may write, everything is checked, and the relay's seals are trusted.
fn desk() -> Desk {
    let desk = Desk::furnished();
    desk.ok(&["setting", "set", "unknown-senders", "on"]);
    desk.ok(&["setting", "set", "authentication", "full"]);
    desk.ok(&["setting", "set", "arc-sealers", "relay.example"]);
    let path = desk.path().join("maildir");
    for sub in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(path.join(sub)).unwrap();
    }
    desk.ok(&["mailbox", "add", "desk", "--protocol", "maildir", "--path", path.to_str().unwrap(), "--start", "all"]);
    desk
}

/// Runs a command with this name server and something on standard input; the first line that it prints.
fn with_dns(desk: &Desk, dns: SocketAddr, arguments: &[&str], input: &[u8]) -> Value {
    let input = desk.file("input", input);
    let mut command = desk.command(&[&["--json"], arguments].concat());
    command.env("POSTROOM_DNS", dns.to_string()).stdin(std::fs::File::open(input).unwrap());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    lines(&output.stdout).remove(0)
}

#[test]
fn signatures_spf_dmarc_and_seals_are_verified() {
    let dns = zone();
    let table = std::fs::read_to_string(testdata("cases.txt")).unwrap();
    let desk = desk();
    for (number, case) in table.lines().filter(|line| !line.starts_with('#')).enumerate() {
        let [file, client, mail_from, level, words, reason] = case.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{case}");
        };
        // The same octets again would be a copy; a field on top changes no signature.
        let octets =
            [format!("X-Case: {number}\r\n").as_bytes(), &std::fs::read(testdata(&format!("{file}.eml"))).unwrap()]
                .concat();
        let mut arguments = vec!["deliver", "--mailbox", "desk"];
        if client != "–" {
            arguments.extend(["--client-ip", client, "--helo", "client.example"]);
        }
        if mail_from != "–" {
            arguments.extend(["--mail-from", mail_from]);
        }
        let receipt = with_dns(&desk, dns.address, &arguments, &octets);
        let identity = &receipt["identity"];
        assert_eq!(identity["level"], level, "{case}: {identity}");
        assert!(identity["detail"].as_str().unwrap().contains(words), "{case}: {identity}");
        assert_eq!(receipt["reason"], reason, "{case}");
        if let Some(item) = receipt["item"].as_i64() {
            assert_eq!(&desk.ok(&["item", "show", &item.to_string()])[0]["identity"], identity, "{case}");
        }
    }
    assert!(dns.asked() > 50, "the name server was asked {} times", dns.asked());
}

#[test]
fn explain_checks_as_filing_does_and_writes_nothing() {
    let (dns, desk) = (zone(), desk());
    let file = testdata("signed.eml");
    let explained = with_dns(&desk, dns.address, &["explain", file.to_str().unwrap()], b"");
    assert_eq!((&explained["filing"], &explained["identity"]["level"]), (&"item".into(), &"verified".into()));
    let step = explained["trace"].as_array().unwrap().iter().find(|step| step["rule"] == "identity").unwrap();
    assert_eq!(step["outcome"], "verified");
    assert!(desk.ok(&["receipt", "list"]).is_empty());
}

#[test]
fn nobody_is_asked_unless_everything_is_to_be_checked() {
    let (dns, desk) = (zone(), desk());
    let signed = std::fs::read(testdata("signed.eml")).unwrap();
    for (checks, detail) in [("off", "switched off"), ("headers", "no host is trusted")] {
        desk.ok(&["setting", "set", "authentication", checks]);
        let file = desk.file("signed.eml", &signed);
        let explained = with_dns(&desk, dns.address, &["explain", file.to_str().unwrap()], b"");
        assert_eq!(
            (&explained["identity"]["level"], &explained["identity"]["evidence"]),
            (&"unverified".into(), &"not-checked".into())
        );
        assert!(explained["identity"]["detail"].as_str().unwrap().contains(detail), "{explained}");
    }
    assert_eq!(dns.asked(), 0);
}

/// Mail waits in a Maildir; every message is signed, so that each has something to be asked for.
fn fill(desk: &Desk, number: usize) {
    let signed = std::fs::read(testdata("signed.eml")).unwrap();
    for n in 0..number {
        let octets = [format!("X-Number: {n}\r\n").as_bytes(), &signed].concat();
        std::fs::write(desk.path().join(format!("maildir/new/{n}")), octets).unwrap();
    }
}

#[test]
fn mail_is_filed_at_full_speed_where_no_name_server_answers() {
    let (dns, desk) = (NameServer::silent().unwrap(), desk());
    fill(&desk, 200);
    let visit = with_dns(&desk, dns.address, &["fetch"], b"");
    assert_eq!((&visit["items"], &visit["held"]), (&200.into(), &0.into()), "{visit}");
    let waited = Duration::from_millis(visit["ms"].as_u64().unwrap());
    // 200 messages that each waited for their own answer would take far more than this bound on a slow machine.
    assert!(waited < Duration::from_secs(60), "{waited:?}");
    let receipt = &desk.ok(&["receipt", "list"])[0];
    assert_eq!(receipt["identity"]["level"], "unverified");
    assert!(receipt["identity"]["detail"].as_str().unwrap().contains("could not be found out"), "{receipt}");
    assert!(dns.asked() < 400, "asked {} times", dns.asked());
}

#[test]
fn answers_are_kept_as_long_as_they_hold() {
    let (dns, desk) = (zone(), desk());
    fill(&desk, 50);
    let visit = with_dns(&desk, dns.address, &["fetch"], b"");
    assert_eq!(visit["items"], 50, "{visit}");
    assert_eq!(desk.ok(&["receipt", "list"])[0]["identity"]["level"], "verified");
    assert!(dns.asked() < 10, "asked {} times for the same names", dns.asked());
}

#[test]
fn a_name_server_that_is_none_is_an_error() {
    let desk = desk();
    let mut command = desk.command(&["--json", "fetch"]);
    let output = command.env("POSTROOM_DNS", "everybody").output().unwrap();
    assert_eq!(lines(&output.stderr)[0]["error"]["code"], "USAGE");
}

#[test]
fn a_message_that_is_signed_a_thousand_times_is_filed_soon() {
    let (dns, desk) = (zone(), desk());
    let signature = "DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=s1; h=from; bh=AAAA; b=AAAA\r\n";
    let many = [signature.repeat(1000).as_bytes(), &message("Ann <ann@example.org>", "hello", "x")].concat();
    let begun = Instant::now();
    let receipt = with_dns(&desk, dns.address, &["deliver", "--mailbox", "desk"], &many);
    assert_eq!((&receipt["state"], &receipt["identity"]["level"]), (&"filed".into(), &"unverified".into()));
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    assert!(dns.asked() < 30, "asked {} times", dns.asked());
}
