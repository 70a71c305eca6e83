//! `postroom serve`: the page, the workers, the first sign-in, and an orderly end.

use crate::desk::{Desk, message};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// A running `serve`; killed should a test end before it did.
struct Serving {
    child: Child,
    address: String,
    signin: Option<String>,
}

impl Serving {
    fn start(desk: &Desk) -> Self {
        let mut command = desk.command(&["--json", "serve", "--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut next = || serde_json::from_str::<serde_json::Value>(&lines.next().unwrap().unwrap()).unwrap();
        let address = next()["listening"].as_str().unwrap().trim_start_matches("http://").to_owned();
        let first = !desk.path().join("started").exists();
        std::fs::write(desk.path().join("started"), "").unwrap();
        let signin = first.then(|| next()["url"].as_str().unwrap().to_owned());
        Self { child, address, signin }
    }

    /// Status line and headers of a GET, and its body.
    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn stop(mut self) -> Duration {
        let started = Instant::now();
        let pid = rustix::process::Pid::from_raw(self.child.id() as i32).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
        started.elapsed()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn serve_signs_in_once_and_files_what_comes_in() {
    let desk = Desk::furnished();
    let maildir = desk.path().join("maildir");
    for sub in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(maildir.join(sub)).unwrap();
    }
    let path = maildir.to_str().unwrap();
    desk.ok(&["mailbox", "add", "local", "--protocol", "maildir", "--path", path, "--start", "all", "--every", "1s"]);
    let serving = Serving::start(&desk);
    assert!(serving.get("/healthz").starts_with("HTTP/1.1 200"));
    assert!(serving.get("/").starts_with("HTTP/1.1 303"), "nothing is shown without a session");
    let path = serving.signin.as_deref().unwrap().split_once(&serving.address).unwrap().1.to_owned();
    assert!(serving.get(&path).to_lowercase().contains("set-cookie:"));
    assert!(serving.get(&path).starts_with("HTTP/1.1 410"), "a sign-in address works once");
    std::fs::write(maildir.join("new/1"), message("ann@example.org", "hello", "")).unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while desk.ok(&["item", "list"]).is_empty() {
        assert!(Instant::now() < until, "the message was not filed");
    }
    // The command line works beside it.
    assert_eq!(desk.ok(&["fetch"])[0]["listed"], 1);
    assert!(serving.stop() < Duration::from_secs(10));
    let again = Serving::start(&desk);
    assert!(again.signin.is_none(), "only the first start prints a sign-in address");
    assert!(again.stop() < Duration::from_secs(10));
}
