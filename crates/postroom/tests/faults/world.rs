//! A mailbox on a real Dovecot, the program beside it, and the oracle: whatever happened, every message has exactly one
//! effect, its octets are equal, and nothing left the server that was not filed.

use postroom_testkit::dovecot::{Dovecot, PASSWORD};
use postroom_testkit::postgres::Postgres;
use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// What a message is to become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Item,
    Comment,
    Held,
}

/// One message on its way.
#[derive(Debug, Clone)]
pub struct Sent {
    pub token: String,
    pub octets: Vec<u8>,
    pub fate: Fate,
}

/// Which database the data is in.
pub enum Database {
    Sqlite,
    Postgres(String),
}

/// A data directory, a mailbox, and all that was ever sent to it.
pub struct World {
    pub data: PathBuf,
    database: Option<String>,
    directory: TempDir,
    pub user: String,
    pub sent: Vec<Sent>,
    name: String,
}

impl World {
    /// Sets up a workspace, a registered sender and a mailbox whose filed mail is deleted on the server.
    pub fn new(dovecot: &Dovecot, name: &str, database: Database) -> Self {
        Self::in_directory(dovecot, name, database, None, dovecot.imaps_port)
    }

    /// The same with the data in a given directory, or through a given port.
    pub fn in_directory(dovecot: &Dovecot, name: &str, database: Database, data: Option<PathBuf>, port: u16) -> Self {
        Self::over(dovecot, name, database, data, "imap", port)
    }

    /// The same over POP3.
    pub fn pop3(dovecot: &Dovecot, name: &str, database: Database, port: u16) -> Self {
        Self::over(dovecot, name, database, None, "pop3", port)
    }

    fn over(
        dovecot: &Dovecot,
        name: &str,
        database: Database,
        data: Option<PathBuf>,
        protocol: &str,
        port: u16,
    ) -> Self {
        let directory = TempDir::new().unwrap();
        let data = data.unwrap_or_else(|| directory.path().join("data"));
        let database = match database {
            Database::Sqlite => None,
            Database::Postgres(url) => Some(url),
        };
        let user = name.replace(['.', ':'], "-");
        let world = Self { data, database, directory, user, sent: Vec::new(), name: name.to_owned() };
        dovecot.maildir(&world.user).unwrap();
        let password = world.directory.path().join("password");
        fs::write(&password, PASSWORD).unwrap();
        let pem = world.directory.path().join("server.pem");
        fs::write(&pem, &dovecot.certificate.chain_pem).unwrap();
        world.ok(&["workspace", "add", "SUP", "Support", "--default"]);
        world.ok(&["user", "add", "ann@example.org", "--member", "SUP=reporter"]);
        world.ok(&[
            "mailbox",
            "add",
            "desk",
            "--protocol",
            protocol,
            "--host",
            "localhost",
            "--allow-private-host",
            "--port",
            &port.to_string(),
            "--security",
            "ssl",
            "--user",
            &world.user,
            "--password-file",
            password.to_str().unwrap(),
            "--start",
            "all",
            "--keep",
            "no",
            "--bare-numbers",
            "no",
        ]);
        world.ok(&["certificate", "add", pem.to_str().unwrap(), "--mailbox", "desk"]);
        world
    }

    /// Sends a batch: small and large items, a comment, a stranger's message. Both sides of the border between
    /// database and files are among them.
    pub fn send(&mut self, dovecot: &Dovecot, number: usize) {
        let first = self.sent.len();
        let batch: Vec<Sent> = (first..first + number).map(|n| message(&self.name, n)).collect();
        let octets: Vec<&[u8]> = batch.iter().map(|sent| sent.octets.as_slice()).collect();
        dovecot.fill(&self.user, &octets).unwrap();
        self.sent.extend(batch);
    }

    /// The program with arguments, ready to run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postroom"));
        command.arg("--data").arg(&self.data).args(arguments).stdin(Stdio::null());
        for variable in ["POSTROOM_CRASH_POINT", "POSTROOM_FAULT_ABORT", "POSTROOM_FAULT_PANIC", "POSTROOM_DATABASE"] {
            command.env_remove(variable);
        }
        if let Some(url) = &self.database {
            command.env("POSTROOM_DATABASE", url);
        }
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs it and returns its JSON lines; it must succeed.
    pub fn ok(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.run(&[&["--json"], arguments].concat());
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{}: {arguments:?}: {}\n{stdout}\n{stderr}", self.name, output.status);
        stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Starts a fetch that a test is going to kill.
    pub fn start_fetch(&self) -> Child {
        self.command(&["--json", "fetch"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Tokens of the messages that are still on the server.
    pub fn on_server(&self, dovecot: &Dovecot) -> Vec<String> {
        let left = dovecot.read_all(&self.user, "").unwrap();
        left.iter().map(|(_, octets)| token_of(&String::from_utf8_lossy(octets)).unwrap()).collect()
    }

    /// The receipts, by token.
    pub fn receipts(&self) -> HashMap<String, Vec<Value>> {
        let mut receipts: HashMap<String, Vec<Value>> = HashMap::new();
        for receipt in self.ok(&["receipt", "list"]) {
            // Before it is read, a receipt has no subject; its octets tell.
            let token = receipt["subject"].as_str().and_then(token_of).unwrap_or_else(|| {
                let raw = self.run(&["receipt", "raw", &receipt["id"].to_string()]);
                token_of(&String::from_utf8_lossy(&raw.stdout)).unwrap()
            });
            receipts.entry(token).or_default().push(receipt);
        }
        receipts
    }

    /// At any moment: what is gone from the server was filed.
    pub fn nothing_deleted_unfiled(&self, dovecot: &Dovecot) {
        let (left, receipts) = (self.on_server(dovecot), self.receipts());
        for sent in self.sent.iter().filter(|sent| !left.contains(&sent.token)) {
            let filed = receipts.get(&sent.token).is_some_and(|all| all.iter().any(|r| r["state"] == "filed"));
            assert!(filed, "{}: {} was deleted on the server and not filed", self.name, sent.token);
        }
    }

    /// In the end: every message exactly once, as what it was to become, with equal octets; the server has only the held.
    pub fn everything_exactly_once(&self, dovecot: &Dovecot) {
        let receipts = self.receipts();
        assert_eq!(receipts.len(), self.sent.len(), "{}: receipts", self.name);
        for sent in &self.sent {
            let receipt = match receipts.get(&sent.token).map(Vec::as_slice) {
                Some([one]) => one,
                other => panic!("{}: {} has {} receipts", self.name, sent.token, other.map_or(0, <[_]>::len)),
            };
            let fate = match (receipt["state"].as_str(), receipt["comment"].is_null()) {
                (Some("filed"), true) => Fate::Item,
                (Some("filed"), false) => Fate::Comment,
                (Some("held"), _) => Fate::Held,
                (state, _) => panic!("{}: {} is {state:?}", self.name, sent.token),
            };
            assert_eq!(fate, sent.fate, "{}: {} became {receipt}", self.name, sent.token);
            if fate == Fate::Held {
                assert_eq!(receipt["reason"], "SENDER_UNKNOWN", "{}: an innocent message is held", self.name);
            }
            let digest = postroom_mail::Sha256::of(&sent.octets).to_string();
            assert_eq!(receipt["sha256"], digest.as_str(), "{}: {} octets", self.name, sent.token);
        }
        self.effects_exactly_once();
        let mut left = self.on_server(dovecot);
        left.sort();
        let mut held: Vec<String> = self.tokens(Fate::Held);
        held.sort();
        assert_eq!(left, held, "{}: what is left on the server", self.name);
        let checked = self.ok(&["check"]);
        assert_eq!(checked[0]["problems"], serde_json::json!([]), "{}", self.name);
    }

    fn tokens(&self, fate: Fate) -> Vec<String> {
        self.sent.iter().filter(|sent| sent.fate == fate).map(|sent| sent.token.clone()).collect()
    }

    /// Items and comments as people see them, not as the journal says.
    fn effects_exactly_once(&self) {
        let (mut items, mut comments) = (Vec::new(), Vec::new());
        for item in self.ok(&["item", "list"]) {
            items.extend(item["title"].as_str().and_then(token_of));
            for comment in item["comments"].as_array().unwrap() {
                comments.extend(comment["text"].as_str().and_then(token_of));
            }
        }
        for (mut found, fate) in [(items, Fate::Item), (comments, Fate::Comment)] {
            found.sort();
            let mut expected = self.tokens(fate);
            expected.sort();
            assert_eq!(found, expected, "{}: {fate:?}s", self.name);
        }
    }
}

/// `token-…-` out of a text.
fn token_of(text: &str) -> Option<String> {
    let start = text.find("token-")?;
    let length = text[start..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))?;
    Some(text[start..start + length].to_owned())
}

fn message(name: &str, number: usize) -> Sent {
    let token = format!("token-{}-n{number}x", name.replace(['.', ':'], "-"));
    let fate = match number % 7 {
        3 => Fate::Comment,
        5 => Fate::Held,
        _ => Fate::Item,
    };
    let from = if fate == Fate::Held { "eve@elsewhere.example" } else { "ann@example.org" };
    let subject = if fate == Fate::Comment { format!("Re: [#1] {token} ") } else { format!("{token} ") };
    let head = format!(
        "From: {from}\r\nTo: desk@example.net\r\nSubject: {subject}.\r\nMessage-ID: <{token}@example.org>\r\n\
         Date: Sun, 22 Nov 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\n"
    );
    let octets = if number % 7 == 1 {
        // Larger than whatever goes into the database.
        let file = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3\r\n".repeat(4000);
        format!(
            "{head}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nbody of {token} .\r\n--b\r\n\
             Content-Type: application/octet-stream; name=large.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n{file}--b--\r\n"
        )
    } else {
        format!("{head}\r\nbody of {token} .\r\n")
    };
    Sent { token, octets: octets.into_bytes(), fate }
}

/// Both databases; PostgreSQL where it is installed.
pub fn databases(postgres: Option<&Postgres>) -> Vec<(&'static str, Database)> {
    let mut databases = vec![("sqlite", Database::Sqlite)];
    databases.extend(postgres.map(|server| ("postgres", Database::Postgres(server.new_database().unwrap()))));
    databases
}
