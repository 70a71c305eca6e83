//! Secrets go where they must and nowhere else: every command is run with marked ones and the most talkative log, and all that
//! it prints, keeps and backs up is searched for them, plain, in base64, in hexadecimal and percent-encoded.

use crate::desk::{Desk, lines, message};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use postroom_testkit::dovecot::{Dovecot, PASSWORD};
use postroom_testkit::postgres::Postgres;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

/// A secret, in every form in which it is looked for.
struct Canary {
    name: String,
    forms: Vec<Vec<u8>>,
}

impl Canary {
    fn new(name: &str, secret: &[u8]) -> Self {
        assert!(secret.len() >= 12, "{name} is too short to be told from chance");
        let hex: String = secret.iter().map(|octet| format!("{octet:02x}")).collect();
        let percent: String = secret.iter().map(|octet| format!("%{octet:02X}")).collect();
        let mut forms =
            vec![secret.to_vec(), hex.to_uppercase().into(), hex.into(), percent.to_lowercase().into(), percent.into()];
        // In base64 it looks different for each place that it can have among three octets; what its neighbours decide is left
        // out at both ends.
        for before in 0..3 {
            for engine in [STANDARD, URL_SAFE] {
                let text = engine.encode([vec![0; before], secret.to_vec()].concat());
                let whole = (before + secret.len()) / 3 * 4;
                forms.push(text.as_bytes()[if before == 0 { 0 } else { 4 }..whole].to_vec());
            }
        }
        Self { name: name.to_owned(), forms }
    }

    fn is_in(&self, octets: &[u8]) -> bool {
        self.forms.iter().any(|form| octets.windows(form.len()).any(|window| window == form))
    }
}

#[test]
fn the_search_finds_a_secret_in_every_form() {
    let canary = Canary::new("x", b"a secret of some length");
    for text in [
        b"it is a secret of some length, alas".to_vec(),
        STANDARD.encode(b"\0user\0a secret of some length").into_bytes(),
        STANDARD.encode(b"n,,n=u,p=a secret of some length!").into_bytes(),
        STANDARD.encode(b"a secret of some length").into_bytes(),
        b"61207365637265742066 6120736563726574206f6620736f6d65206c656e677468".to_vec(),
        b"6120736563726574206F6620736F6D65206C656E677468".to_vec(),
        b"password=%61%20%73%65%63%72%65%74%20%6F%66%20%73%6F%6D%65%20%6C%65%6E%67%74%68".to_vec(),
    ] {
        assert!(canary.is_in(&text), "{}", String::from_utf8_lossy(&text));
    }
    assert!(!canary.is_in(b"a secret of some other length"));
}

/// Everything that was printed so far, and the secrets that must not be in it.
struct Watch<'a> {
    desk: &'a Desk,
    database: Vec<(&'static str, String)>,
    canaries: Vec<Canary>,
    printed: Vec<(String, Vec<u8>)>,
}

impl Watch<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.desk.command(arguments);
        command.env("POSTROOM_LOG", "trace").envs(self.database.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command, whether it succeeds or not, and keeps what it prints.
    fn run(&mut self, arguments: &[&str]) -> Vec<u8> {
        self.run_with(arguments, b"")
    }

    fn run_with(&mut self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        self.printed.push((format!("stderr of {arguments:?}"), output.stderr));
        self.printed.push((format!("stdout of {arguments:?}"), output.stdout.clone()));
        output.stdout
    }

    /// Runs a command that shows a secret, once and on purpose; from then on it must not be seen anywhere.
    fn shows(&mut self, arguments: &[&str], secret_of: impl Fn(&serde_json::Value) -> Vec<String>) -> Vec<String> {
        let stdout = self.run(&[&["--json"], arguments].concat());
        // Shown here, so not searched.
        self.printed.pop();
        let secrets = secret_of(&lines(&stdout)[0]);
        for secret in &secrets {
            self.canaries.push(Canary::new(&format!("what {arguments:?} shows"), secret.as_bytes()));
        }
        secrets
    }

    /// Fails if a secret is in anything that was printed, or in a file below one of these directories.
    fn nothing_leaked(&self, directories: &[&Path]) {
        for canary in &self.canaries {
            for (what, octets) in &self.printed {
                assert!(
                    !canary.is_in(octets),
                    "{} is in the {what}:\n{}",
                    canary.name,
                    String::from_utf8_lossy(octets)
                );
            }
            for directory in directories {
                for file in files_below(directory) {
                    let octets = std::fs::read(&file).unwrap();
                    assert!(!canary.is_in(&octets), "{} is in {}", canary.name, file.display());
                }
            }
        }
    }
}

/// All files but the key itself.
fn files_below(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] });
    files.filter(|path| !path.ends_with("secret.key")).collect()
}

/// What stands behind the last `/` of an address.
fn token_of(object: &serde_json::Value) -> String {
    object["url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

/// One request to a server on this machine.
fn request(address: &str, method: &str, path: &str, fields: &[(&str, &str)]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    // The form that makes an account; nothing else reads it.
    let form = if method == "POST" { format!("password={PERSONS_PASSWORD}") } else { String::new() };
    let about = format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n", form.len());
    let about = if form.is_empty() { "" } else { &about };
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{about}{fields}\r\n{form}")
        .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Runs `serve`, signs in, looks around, and signs out.
fn serve(watch: &mut Watch<'_>, signin: &str, join: &str, metrics: &str) {
    let mut command = watch.command(&["--json", "serve", "--listen", "127.0.0.1:0"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut errors = child.stderr.take().unwrap();
    let reading = std::thread::spawn(move || {
        let mut text = Vec::new();
        errors.read_to_end(&mut text).unwrap();
        text
    });
    let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<serde_json::Value>(&stdout.next().unwrap().unwrap()).unwrap();
    let address = next()["listening"].as_str().unwrap().trim_start_matches("http://").to_owned();
    // The first start prints an address for the admin.
    watch.canaries.push(Canary::new("what the first start shows", token_of(&next()).as_bytes()));
    for (method, path) in [("GET", format!("/signin/{signin}")), ("POST", format!("/join/{join}"))] {
        let answer = request(&address, method, &path, &[("Sec-Fetch-Site", "same-origin")]);
        let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        watch.canaries.push(Canary::new("the session", cookie.split('=').nth(1).unwrap().as_bytes()));
        for path in ["/", "/receipts", "/mailboxes", "/receipts/1", "/nowhere"] {
            request(&address, "GET", path, &[("Cookie", &cookie)]);
        }
        request(&address, "POST", "/signout", &[("Cookie", &cookie), ("Sec-Fetch-Site", "same-origin")]);
        // A second time it is spent, and the page that says so does not repeat it.
        let spent = request(&address, method, &path, &[("Sec-Fetch-Site", "same-origin")]);
        watch.printed.push((format!("answer to {method} of a spent link"), spent.into_bytes()));
    }
    let bearer = format!("Bearer {metrics}");
    let numbers = request(&address, "GET", "/metrics", &[("Authorization", &bearer)]);
    assert!(numbers.contains("postroom_build_info"), "{numbers}");
    watch.printed.push(("metrics".to_owned(), numbers.into_bytes()));
    kill_process(Pid::from_raw(child.id() as i32).unwrap(), Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success());
    watch.printed.push(("log of serve".to_owned(), reading.join().unwrap()));
}

/// Uses everything there is, with secrets that can be told from anything else.
fn use_everything(dovecot: &Dovecot, desk: &Desk, user: &str, database: Vec<(&'static str, String)>) {
    let other = "canary-other-Pa55word-7f3a";
    let mut watch = Watch { desk, database, canaries: Vec::new(), printed: Vec::new() };
    watch.canaries.push(Canary::new("the password of a mailbox", PASSWORD.as_bytes()));
    watch.canaries.push(Canary::new("the other password of a mailbox", other.as_bytes()));
    watch.canaries.push(Canary::new("the password of the database", DATABASE_PASSWORD.as_bytes()));
    watch.canaries.push(Canary::new("the password of a person", PERSONS_PASSWORD.as_bytes()));
    watch.run(&["workspace", "add", "SUP", "Support", "--default"]);
    watch.run(&["user", "add", "ann@example.org", "--member", "SUP=reporter"]);
    watch.run(&["user", "add", "admin@example.org", "--admin"]);
    let password = desk.file("password", format!("{PASSWORD}\n").as_bytes());
    let (password, port, pop3) =
        (password.to_str().unwrap(), dovecot.imaps_port.to_string(), dovecot.pop3s_port.to_string());
    let server = ["--host", "localhost", "--allow-private-host", "--security", "ssl", "--user", user, "--start", "all"];
    for (name, protocol, port) in [("desk", "imap", &port), ("drop", "pop3", &pop3)] {
        let add = ["mailbox", "add", name, "--protocol", protocol, "--port", port, "--password-file", password];
        watch.run(&[&add[..], &server].concat());
        let pem = desk.file("server.pem", dovecot.certificate.chain_pem.as_bytes());
        watch.run(&["certificate", "add", pem.to_str().unwrap(), "--mailbox", name]);
        watch.run(&["mailbox", "set", name, "--wire-log", "on"]);
    }
    let mails = [message("ann@example.org", "Hello", "one"), message("eve@elsewhere.example", "Buy", "two")];
    dovecot.fill(user, &mails).unwrap();
    for auth in ["auto", "plain", "login", "cram-md5", "scram-sha-1", "scram-sha-256"] {
        watch.run(&["mailbox", "set", "desk", "--auth", auth]);
        watch.run(&["mailbox", "test", "desk"]);
        watch.run(&["fetch", "desk"]);
    }
    for arguments in [vec!["mailbox", "test", "drop"], vec!["fetch"], vec!["--json", "--verbose", "fetch"]] {
        watch.run(&arguments);
    }
    // A wrong password, and then one that is no password.
    watch.run_with(&["mailbox", "set", "drop", "--password-stdin"], other.as_bytes());
    for arguments in [vec!["mailbox", "test", "drop"], vec!["--json", "fetch", "drop"], vec!["mailbox", "list"]] {
        watch.run(&arguments);
    }
    watch.run_with(&["mailbox", "set", "drop", "--password-stdin"], format!("{other}\nline").as_bytes());
    for name in ["desk", "drop"] {
        let said = String::from_utf8(watch.run(&["mailbox", "log", name])).unwrap();
        let [login, answer, end] =
            if name == "desk" { ["AUTHENTICATE PLAIN …", " OK ", "UID FETCH"] } else { ["AUTH ", "-ERR", "RETR 1"] };
        assert!([login, answer, end].iter().all(|words| said.contains(words)), "{said}");
        assert!(!said.contains("Subject:"), "{said}");
    }
    let signin = watch.shows(&["user", "signin-link", "ann@example.org"], |object| vec![token_of(object)]).remove(0);
    let join = watch.shows(&["user", "invite", "kim@example.org"], |object| vec![token_of(object)]).remove(0);
    watch.run(&["setting", "set", "registration", "open"]);
    watch.shows(&["user", "register", "new@example.org"], |object| {
        vec![token_of(object), object["code"].as_str().unwrap().to_owned()]
    });
    let token = |object: &serde_json::Value| vec![object["token"].as_str().unwrap().to_owned()];
    let metrics = watch.shows(&["setting", "set", "metrics", "token"], token).remove(0);
    serve(&mut watch, &signin, &join, &metrics);
    let eml = desk.file("m.eml", &mails[0]);
    let (eml, backup) = (eml.to_str().unwrap(), desk.path().join("backup"));
    for arguments in [
        vec!["--json", "mailbox", "list"],
        vec!["--json", "user", "list"],
        vec!["--json", "user", "pending"],
        vec!["setting", "show"],
        vec!["certificate", "list"],
        vec!["inspect", eml],
        vec!["explain", eml, "--mailbox", "desk"],
        vec!["import", eml, "--workspace", "SUP"],
        vec!["item", "list"],
        vec!["--json", "item", "show", "1"],
        vec!["receipt", "list", "--state", "held"],
        vec!["--json", "receipt", "show", "1"],
        vec!["receipt", "retry", "--all"],
        vec!["user", "sign-out", "ann@example.org"],
        vec!["--json", "audit", "list"],
        vec!["backup", backup.to_str().unwrap()],
        vec!["check"],
        vec!["mailbox", "remove", "drop"],
    ] {
        watch.run(&arguments);
    }
    watch.run_with(&["deliver", "--mailbox", "desk"], &mails[1]);
    let key = std::fs::read(desk.path().join("data/secret.key")).unwrap();
    watch.canaries.push(Canary::new("the key of the sealed passwords", &key));
    assert!(backup.join("manifest.json").exists(), "there is no backup to search");
    // The commands did what they were to do, and the log was on.
    let printed: Vec<String> =
        watch.printed.iter().map(|(_, octets)| String::from_utf8_lossy(octets).into_owned()).collect();
    for sign in
        ["The mailbox can be visited", "AUTH_REJECTED", "SENDER_UNKNOWN", "INFO", "signed in", "everything is as"]
    {
        assert!(printed.iter().any(|text| text.contains(sign)), "`{sign}` was printed nowhere");
    }
    watch.nothing_leaked(&[&desk.path().join("data"), &backup]);
}

const DATABASE_PASSWORD: &str = "canary-database-5e1f-Pa55word";
const PERSONS_PASSWORD: &str = "canary-person-8c2d-Pa55word";

#[test]
fn k1_k2_secrets_are_nowhere_but_where_they_are_used() {
    let Some(dovecot) = Dovecot::start() else { return };
    use_everything(&dovecot, &Desk::new(), "canary", Vec::new());
    let Some(postgres) = Postgres::start() else { return };
    let desk = Desk::new();
    let file = desk.file("database-password", DATABASE_PASSWORD.as_bytes()).to_str().unwrap().to_owned();
    let url = postgres.new_database().unwrap();
    let database = |url: String| vec![("POSTROOM_DATABASE", url), ("POSTROOM_DATABASE_PASSWORD_FILE", file.clone())];
    use_everything(&dovecot, &desk, "canary-postgres", database(url));

    // A database that cannot be reached, or does not exist, is told without the password.
    let desk = Desk::new();
    let canaries = vec![Canary::new("the password of the database", DATABASE_PASSWORD.as_bytes())];
    let mut watch = Watch { desk: &desk, database: Vec::new(), canaries, printed: Vec::new() };
    for url in ["postgres://postroom@127.0.0.1:1/x", "postgres://postroom@127.0.0.1:1/x?nonsense=1", "postgres://a b"] {
        watch.database = database(url.to_owned());
        for arguments in [["check"].as_slice(), &["--json", "item", "list"], &["--help"]] {
            watch.run(arguments);
        }
    }
    watch.nothing_leaked(&[]);
}
