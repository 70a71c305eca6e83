//! What the program has to pass with every server, over both protocols and every protection, while somebody else has the
//! mailbox open: which mail a first visit takes, that a second one takes nothing, and what happens on the server with mail
//! that was filed and with mail that was held.

use crate::desk::{Desk, message};
use postroom_testkit::client::ImapClient;
use postroom_testkit::dovecot::PASSWORD;
use postroom_testkit::messages::odd;
use postroom_testkit::server::{MailServer, Make, Protocol};
use serde_json::Value;
use std::collections::BTreeSet;

const ANN: &str = "Ann <ann@example.org>";
const EVE: &str = "eve@elsewhere.example";
const SECURITIES: [&str; 4] = ["ssl", "starttls", "starttls-if-available", "none"];

/// Adds a mailbox on a server of any make and lets it trust the server's certificate.
pub fn add(
    desk: &Desk,
    server: &MailServer,
    protocol: Protocol,
    security: &str,
    name: &str,
    user: &str,
    options: &[&str],
) {
    let password = desk.file("password", format!("{PASSWORD}\n").as_bytes());
    let port = server.port(protocol, security == "ssl").to_string();
    let named = if protocol == Protocol::Imap { "imap" } else { "pop3" };
    let fixed = ["mailbox", "add", name, "--protocol", named, "--host", "localhost", "--allow-private-host"];
    let more = ["--port", &port, "--security", security, "--user", user, "--password-file", password.to_str().unwrap()];
    desk.ok(&[&fixed[..], &more, options].concat());
    let pem = desk.file("server.pem", server.certificate().chain_pem.as_bytes());
    desk.ok(&["certificate", "add", pem.to_str().unwrap(), "--mailbox", name]);
}

/// A server, a way to it, and a desk that is to visit it.
struct Case<'a> {
    server: &'a MailServer,
    protocol: Protocol,
    security: &'static str,
    desk: Desk,
}

impl Case<'_> {
    fn name(&self) -> String {
        format!("{:?} {:?} {}", self.server.make(), self.protocol, self.security)
    }

    /// A user of its own for each way to the server.
    fn user(&self, what: &str) -> String {
        format!("{what}{:?}{}", self.protocol, self.security.replace('-', "")).to_lowercase()
    }

    /// A client of another person, with these messages in the inbox.
    fn fill(&self, what: &str, messages: &[Vec<u8>]) -> ImapClient {
        let mut other = self.server.client(&self.user(what)).unwrap();
        messages.iter().for_each(|message| other.append("INBOX", message, "").unwrap());
        other.select("INBOX").unwrap();
        other
    }

    fn add(&self, what: &str, options: &[&str]) {
        add(&self.desk, self.server, self.protocol, self.security, what, &self.user(what), options);
    }

    /// Visits a mailbox; these counts are right and there was no error.
    fn visit(&self, what: &str, expected: &[(&str, u64)]) -> Value {
        let visit = self.desk.ok(&["fetch", what]).remove(0);
        assert!(visit["error"].is_null(), "{}: {visit}", self.name());
        for (key, count) in expected {
            assert_eq!(visit[key], *count, "{}, {what}, {key}: {visit}", self.name());
        }
        visit
    }

    fn first_visits(&self) {
        let old = [dated("old"), dated("older")];
        for (what, start, before, old_items) in [
            ("new", "new", 2, 0),
            ("since", "since:2100-01-01", 2, 0),
            ("past", "since:2000-01-01", 0, 2),
            ("all", "all", 0, 2),
        ] {
            let mut other = self.fill(what, &old);
            self.add(what, &["--start", start]);
            self.visit(what, &[("listed", 2), ("before_start", before), ("fetched", old_items), ("items", old_items)]);
            other.append("INBOX", &dated(&format!("{what} now")), "\\Seen").unwrap();
            let new = if what == "since" { 0 } else { 1 };
            self.visit(what, &[("listed", 3), ("before_start", before + 1 - new), ("fetched", new), ("items", new)]);
            other.close().unwrap();
        }
        let steps = self.desk.ok(&["mailbox", "test", "new"]);
        assert!(steps.iter().all(|step| step["ok"] == true), "{}: {steps:?}", self.name());
        let is_clear = steps.iter().any(|step| step["detail"].as_str().unwrap().contains("NOT protected"));
        assert_eq!(is_clear, self.security == "none", "{}: {steps:?}", self.name());
    }

    /// Every message once, octet for octet, and nothing the second time.
    fn everything_once(&self) {
        let sent: Vec<Vec<u8>> = (0..60).map(odd).filter(|odd| odd.lasts).map(|odd| odd.octets).collect();
        let mut other = self.fill("once", &sent);
        self.add("once", &["--start", "all"]);
        self.visit("once", &[("listed", 48), ("fetched", 48), ("items", 48), ("kept", 48), ("settled", 0)]);
        self.visit("once", &[("listed", 48), ("fetched", 0), ("items", 0), ("held", 0)]);
        let digests = |octets: &Vec<u8>| {
            let whole = if octets.ends_with(b"\n") { octets.clone() } else { [octets, b"\r\n".as_slice()].concat() };
            postroom_mail::Sha256::of(&whole).to_string()
        };
        let expected: BTreeSet<String> = sent.iter().map(digests).collect();
        let receipts = self.desk.ok(&["receipt", "list", "--mailbox", "once"]);
        let came: BTreeSet<String> = receipts.iter().map(|r| r["sha256"].as_str().unwrap().to_owned()).collect();
        assert!(came == expected, "{}: octets differ", self.name());
        assert_eq!(other.messages(false).unwrap().len(), sent.len(), "{}", self.name());
        other.close().unwrap();
    }

    /// A test of the connection goes as a visit does: it is in the log where there is one, and what it finds out about the
    /// login is known to the next: a login that the server is known to refuse is not tried again.
    fn testing(&self) {
        let other = self.fill("test", &[]);
        other.close().unwrap();
        self.add("test", &["--start", "all"]);
        self.desk.ok(&["mailbox", "test", "test"]);
        assert!(self.desk.ok(&["mailbox", "log", "test"]).is_empty(), "{}: it was not switched on", self.name());
        self.desk.ok(&["mailbox", "set", "test", "--wire-log", "on"]);
        self.desk.ok(&["mailbox", "test", "test"]);
        self.visit("test", &[("listed", 0)]);
        for said in self.desk.ok(&["mailbox", "log", "test"]) {
            let lines: Vec<&str> =
                said["lines"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
            let is_login = |line: &&&str| {
                let words: Vec<&str> = line.split_whitespace().skip(1).collect();
                words.starts_with(&["C:"]) && ["AUTH", "LOGIN", "APOP", "PASS"].iter().any(|name| line.contains(name))
            };
            assert_eq!(lines.iter().filter(is_login).count(), 1, "{}: {lines:#?}", self.name());
            let is_open = |line: &str| line.contains("EXAMINE") || line.contains("STAT");
            assert!(lines.iter().any(|line| is_open(line)), "{}: {lines:#?}", self.name());
        }
        assert_eq!(self.desk.ok(&["mailbox", "log", "test"]).len(), 2, "{}", self.name());
    }

    /// Filed and held mail, apart, in folders that are named as people write them and made where the server keeps folders;
    /// somebody else's message that is marked as deleted stays in any case.
    fn settling(&self) {
        let cases: [(&str, &[&str], &[&str]); 4] = [
            ("keep", &["--keep", "yes"], &["", "", "\\Deleted"]),
            ("delete", &["--keep", "no"], &["", "\\Deleted"]),
            ("move", &["--done-folder", "Done"], &["", "\\Deleted"]),
            ("both", &["--keep", "no", "--held-folder", "Held"], &["\\Deleted"]),
        ];
        let possible = if self.protocol == Protocol::Imap { 4 } else { 2 };
        for (what, options, left) in cases.into_iter().take(possible) {
            let mut other = self.fill(what, &[message(ANN, &format!("one {what}"), ""), message(EVE, what, "")]);
            // Filed before we were there, and then marked by a person.
            other.append("INBOX", &message(EVE, &format!("three {what}"), ""), "").unwrap();
            self.add(what, &[&["--start", "all"], options].concat());
            other.command("NOOP").unwrap();
            other.command("UID STORE 3 +FLAGS (\\Deleted)").unwrap();
            let gone = 3 - left.len() as u64;
            // The marked one is held too; where held mail is moved, it is moved with its mark and without being expunged.
            let (settled, left) = if what == "both" { (3, &left[1..]) } else { (gone, left) };
            self.visit(what, &[("listed", 3), ("items", 1), ("held", 2), ("settled", settled)]);
            let flags: Vec<String> = other.messages(false).unwrap().into_iter().map(|seen| ours(seen.flags)).collect();
            assert_eq!(flags, left, "{} {what}", self.name());
            for (folder, expected) in
                [("Done", usize::from(what == "move")), ("Held", if what == "both" { 2 } else { 0 })]
            {
                if expected > 0 {
                    other.select(&self.server.folder(folder)).unwrap();
                    assert_eq!(other.messages(false).unwrap().len(), expected, "{} {what}", self.name());
                }
            }
            other.close().unwrap();
        }
    }
}

/// A message that says when it arrived: over POP3 there is nothing else to tell its age by.
fn dated(subject: &str) -> Vec<u8> {
    let received = b"Received: from a by b; Sun, 22 Nov 2026 12:00:00 +0000\r\n";
    [received.as_slice(), &message(ANN, subject, "")].concat()
}

/// Flags but for \Seen, which a server may set itself on what it gives over POP3.
fn ours(flags: Vec<String>) -> String {
    flags.into_iter().filter(|flag| flag != "\\Seen").collect::<Vec<_>>().join(" ")
}

fn run(make: Make, protocol: Protocol) {
    let Some(server) = MailServer::start(make) else { return };
    for security in SECURITIES {
        let case = Case { server: &server, protocol, security, desk: Desk::furnished() };
        case.testing();
        case.first_visits();
        case.everything_once();
        case.settling();
    }
}

#[test]
fn dovecot_over_imap() {
    run(Make::Dovecot, Protocol::Imap);
}

#[test]
fn dovecot_over_pop3() {
    run(Make::Dovecot, Protocol::Pop3);
}

#[test]
fn cyrus_over_imap() {
    run(Make::Cyrus, Protocol::Imap);
}

#[test]
fn cyrus_over_pop3() {
    run(Make::Cyrus, Protocol::Pop3);
}

#[test]
fn courier_over_imap() {
    run(Make::Courier, Protocol::Imap);
}

#[test]
fn courier_over_pop3() {
    run(Make::Courier, Protocol::Pop3);
}
