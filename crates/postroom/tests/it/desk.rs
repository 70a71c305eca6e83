//! A data directory and the program, ready to be called.

use postroom_testkit::dovecot::{Dovecot, PASSWORD};
use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A fresh data directory.
pub struct Desk {
    pub directory: TempDir,
}

impl Desk {
    /// Empty.
    pub fn new() -> Self {
        Self { directory: TempDir::new().unwrap() }
    }

    /// With the default workspace SUP and the reporter ann@example.org.
    pub fn furnished() -> Self {
        let desk = Self::new();
        desk.ok(&["workspace", "add", "SUP", "Support", "--default"]);
        desk.ok(&["user", "add", "ann@example.org", "--name", "Ann", "--member", "SUP=reporter"]);
        desk
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A file beside the data.
    pub fn file(&self, name: &str, octets: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, octets).unwrap();
        path
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postroom"));
        command.arg("--data").arg(self.path().join("data")).args(arguments).env_remove("POSTROOM_DATABASE");
        command
    }

    /// Runs it with something on standard input.
    pub fn run_with(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A program that ends without reading its input closes the pipe; that is its right.
        let _ = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap()
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, b"")
    }

    /// Its JSON lines; it must succeed.
    pub fn ok(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.run(&[&["--json"], arguments].concat());
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        lines(&output.stdout)
    }

    /// The code of its error and its exit status; it must fail. The error's help must say something.
    pub fn error(&self, arguments: &[&str]) -> (String, i32) {
        let output = self.run(&[&["--json"], arguments].concat());
        assert!(!output.status.success(), "{arguments:?} should fail");
        let error = lines(&output.stderr).into_iter().find(|line| line["error"].is_object());
        let error = error.unwrap_or_else(|| panic!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr)));
        assert!(error["error"]["help"].as_str().unwrap().len() > 10, "{error}");
        (error["error"]["code"].as_str().unwrap().to_owned(), output.status.code().unwrap())
    }

    /// Adds an IMAP mailbox on a Dovecot, trusting its certificate.
    pub fn add_mailbox(&self, dovecot: &Dovecot, name: &str, user: &str, options: &[&str]) {
        self.add_mailbox_over("imap", dovecot, name, user, options);
    }

    /// The same over `imap` or `pop3`.
    pub fn add_mailbox_over(&self, protocol: &str, dovecot: &Dovecot, name: &str, user: &str, options: &[&str]) {
        let password = self.file("password", format!("{PASSWORD}\n").as_bytes());
        let port = if protocol == "pop3" { dovecot.pop3s_port } else { dovecot.imaps_port }.to_string();
        let fixed = [
            "mailbox",
            "add",
            name,
            "--protocol",
            protocol,
            "--host",
            "localhost",
            "--allow-private-host",
            "--port",
            &port,
            "--security",
            "ssl",
            "--user",
            user,
            "--password-file",
            password.to_str().unwrap(),
        ];
        dovecot.maildir(user).unwrap();
        self.ok(&[&fixed[..], options].concat());
        let pem = self.file("server.pem", dovecot.certificate.chain_pem.as_bytes());
        self.ok(&["certificate", "add", pem.to_str().unwrap(), "--mailbox", name]);
    }
}

/// JSON lines.
pub fn lines(octets: &[u8]) -> Vec<Value> {
    let text = String::from_utf8_lossy(octets);
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// A message.
pub fn message(from: &str, subject: &str, body: &str) -> Vec<u8> {
    format!(
        "From: {from}\r\nTo: desk@example.net\r\nSubject: {subject}\r\nMessage-ID: <{}@example.org>\r\n\
         Date: Sun, 22 Nov 2026 12:00:00 +0000\r\n\r\n{body}\r\n",
        postroom_mail::Sha256::of(format!("{from}{subject}{body}").as_bytes())
    )
    .into_bytes()
}
