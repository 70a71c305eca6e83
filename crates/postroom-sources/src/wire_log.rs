//! A log of what is said over the wire, for mailboxes where that is switched on: what was asked and answered, without secrets
//! and without mail.
//!
//! Until the login is done, nothing of a command is kept but its name, and nothing of a challenge or of the answer to it; of a
//! literal that we send nothing is ever kept, nor of what stands behind it. What an IMAP server sends is divided by the very
//! reader that the conversation has, so that nothing it sends can be mail to one and words to the other; messages are counted
//! and left out, and of what belongs to one only numbers, dates and flags are kept. The messages over POP3 are counted and left
//! out. Of a long conversation the beginning and the latest are kept.

mod response;

use bytes::Bytes;
use jiff::Timestamp;
use postroom_mail::Access;
use postroom_mail::imap::{Piece, Reader};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Octets that are kept of the beginning of a conversation.
const BEGINNING: usize = 16 * 1024;
/// Octets that are kept of the latest, behind that.
const LATEST: usize = 48 * 1024;
/// Characters that are kept of a line.
const LINE: usize = 300;
/// Longest line that is understood, in octets; behind a longer one nothing can be told from mail any more.
const LONGEST: usize = 64 * 1024;

/// Why nothing is logged behind such a line.
const ENDLESS: &str = "a line without an end";

/// What ends a message over POP3, the end of the line before included.
// RFC 1939 §3
const END_OF_MAIL: &[u8] = b"\r\n.\r\n";

/// Names of commands that may stand in the log before the login, without their arguments.
const BEFORE_LOGIN: [&str; 14] = [
    "APOP",
    "AUTH",
    "AUTHENTICATE",
    "CAPA",
    "CAPABILITY",
    "ID",
    "LOGIN",
    "LOGOUT",
    "NOOP",
    "PASS",
    "QUIT",
    "STARTTLS",
    "STLS",
    "USER",
];

/// The log of one conversation. Cheap to clone: all clones are the same log.
#[derive(Debug, Clone)]
pub struct WireLog {
    begun_at: Timestamp,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    begun: Instant,
    beginning: String,
    latest: VecDeque<String>,
    latest_octets: usize,
    lines_left_out: u64,
    ours: Vec<u8>,
    /// The line of a POP3 server that is under way.
    theirs: Vec<u8>,
    /// What an IMAP server sends, divided as the conversation divides it.
    reader: Reader,
    is_greeted: bool,
    is_pop3: bool,
    /// Whether what we say next is the rest of a command: a literal, the answer to a challenge, PASS behind USER.
    is_rest: bool,
    login: Login,
    /// What the server's next replies are to, over POP3.
    expected: VecDeque<Reply>,
    /// The reply of many lines that is under way.
    within: Option<Within>,
    is_blind: bool,
}

/// How far the login has come.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Login {
    /// Not tried yet.
    None,
    /// A command is under way that logs us in if it succeeds; over IMAP with this tag.
    Asked(Vec<u8>),
    Done,
}

/// What a POP3 server answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reply {
    Line,
    Lines,
    /// A message.
    Mail,
}

/// What follows the first line of a reply over POP3.
#[derive(Debug)]
enum Within {
    Lines,
    Mail(Mail),
}

/// A message that is under way over POP3.
#[derive(Debug)]
struct Mail {
    /// Octets that have come.
    octets: u64,
    /// How many octets of [`END_OF_MAIL`] they end with.
    matched: usize,
}

impl WireLog {
    /// The log of a conversation over the protocol of `access` that begins now.
    pub fn begin(now: Timestamp, access: &Access) -> Self {
        let inner = Inner {
            begun: Instant::now(),
            beginning: String::new(),
            latest: VecDeque::new(),
            latest_octets: 0,
            lines_left_out: 0,
            ours: Vec::new(),
            theirs: Vec::new(),
            reader: Reader::default(),
            is_greeted: false,
            is_pop3: matches!(access, Access::Pop3(_)),
            is_rest: false,
            login: Login::None,
            expected: VecDeque::new(),
            within: None,
            is_blind: false,
        };
        Self { begun_at: now, inner: Arc::new(Mutex::new(inner)) }
    }

    /// When the conversation began.
    pub fn begun_at(&self) -> Timestamp {
        self.begun_at
    }

    /// Its lines so far: seconds since the beginning, who spoke (C: we, S: the server, --: a note), what was said.
    pub fn text(&self) -> String {
        let inner = self.lock();
        let mut text = inner.beginning.clone();
        if inner.lines_left_out > 0 {
            text.push_str(&format!("-- {} lines are left out here\n", inner.lines_left_out));
        }
        inner.latest.iter().for_each(|line| text.push_str(line));
        text
    }

    pub(crate) fn note(&self, text: &str) {
        self.lock().keep("--", text);
    }

    /// Says that what is sent next is a command, or over POP3 several, from its first octet on. What is sent behind that is
    /// its rest: only we can tell, since a secret may look like a command, and a server may say that the login is done
    /// while we still send it.
    pub(crate) fn begin_command(&self) {
        self.lock().is_rest = false;
    }

    pub(crate) fn sent(&self, octets: &[u8]) {
        let mut inner = self.lock();
        let mut ours = std::mem::take(&mut inner.ours);
        ours.extend_from_slice(octets);
        while let Some(end) = line_end(&ours) {
            inner.we_said(trimmed(&ours[..end]));
            ours.drain(..=end);
        }
        if ours.len() > LONGEST {
            inner.go_blind(ENDLESS);
            ours.clear();
        }
        inner.ours = ours;
        inner.is_rest = true;
    }

    pub(crate) fn received(&self, octets: &Bytes) {
        let mut inner = self.lock();
        if inner.is_pop3 { inner.pop3_received(octets) } else { inner.imap_received(octets.clone()) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn we_said(&mut self, line: &[u8]) {
        let is_rest = self.is_rest;
        // RFC 9051 §4.3: a command of IMAP has a second line only where a literal begins.
        self.is_rest |= !self.is_pop3;
        if is_rest && !(self.is_pop3 && line.starts_with(b"PASS ")) {
            return self.keep("C:", "…");
        }
        let words: Vec<&[u8]> = line.split(|octet| *octet == b' ').collect();
        let verb_at = usize::from(!self.is_pop3);
        let verb = words.get(verb_at).map(|verb| verb.to_ascii_uppercase()).unwrap_or_default();
        if self.is_pop3 {
            self.expect(&verb, words.len() > 1);
        }
        if self.login == Login::Done && !is_rest {
            return self.keep("C:", &String::from_utf8_lossy(line));
        }
        let Some(name) = BEFORE_LOGIN.into_iter().find(|name| name.as_bytes() == verb) else {
            return self.keep("C:", "…");
        };
        if ["AUTHENTICATE", "LOGIN", "AUTH", "PASS", "APOP"].contains(&name) {
            self.login = Login::Asked(words[0].to_vec());
        }
        // The name of a mechanism is no secret.
        let shown = if name.starts_with("AUTH") { verb_at + 2 } else { verb_at + 1 };
        let mut text = String::from_utf8_lossy(&words[..shown.min(words.len())].join(&b' ')).into_owned();
        if words.len() > shown {
            text.push_str(" …");
        }
        self.keep("C:", &text);
    }

    /// What the reply to a command of POP3 looks like.
    fn expect(&mut self, verb: &[u8], has_argument: bool) {
        let reply = match verb {
            b"RETR" | b"TOP" => Reply::Mail,
            b"CAPA" => Reply::Lines,
            b"LIST" | b"UIDL" if !has_argument => Reply::Lines,
            _ => Reply::Line,
        };
        self.expected.push_back(reply);
    }

    fn imap_received(&mut self, mut octets: Bytes) {
        while !self.is_blind {
            match self.reader.next(&mut octets) {
                Ok(Some(Piece::Line(line))) => self.imap_said(&line),
                Ok(Some(Piece::BodyStart(octets))) => self.keep("--", &format!("{octets} octets are left out")),
                Ok(Some(Piece::BodyChunk(_))) => {}
                Ok(None) => return,
                Err(error) => self.go_blind(&error.to_string()),
            }
        }
    }

    fn imap_said(&mut self, line: &[u8]) {
        if !std::mem::replace(&mut self.is_greeted, true) {
            if response::is_preauth(line) {
                self.login = Login::Done;
            }
            return self.keep("S:", &String::from_utf8_lossy(line));
        }
        if matches!(&self.login, Login::Asked(tag) if response::is_ok_to(tag, line)) {
            self.login = Login::Done;
        }
        self.keep("S:", &response::shown(line));
    }

    fn pop3_received(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() && !self.is_blind {
            if let Some(Within::Mail(mail)) = &mut self.within {
                octets = mail.take(octets);
                self.end_mail();
                continue;
            }
            let end = line_end(octets).map_or(octets.len(), |end| end + 1);
            self.theirs.extend_from_slice(&octets[..end]);
            octets = &octets[end..];
            if self.theirs.last() == Some(&b'\n') {
                let line = std::mem::take(&mut self.theirs);
                self.pop3_said(&line);
            } else if self.theirs.len() > LONGEST {
                self.go_blind(ENDLESS);
            }
        }
    }

    /// Takes a line with its end, since only a dot between two CRLFs ends the lines of a reply.
    fn pop3_said(&mut self, line: &[u8]) {
        let text = trimmed(line);
        if !std::mem::replace(&mut self.is_greeted, true) {
            return self.keep("S:", &String::from_utf8_lossy(text));
        }
        if self.within.is_some() {
            if line == b".\r\n" {
                self.within = None;
            }
            return self.keep("S:", &String::from_utf8_lossy(text));
        }
        if text.starts_with(b"+ ") || text == b"+" {
            return self.keep("S:", "+ …");
        }
        // Where nothing was asked, or this answers nothing, nobody can say what it is.
        let Some(is_ok) = is_ok(text) else { return self.keep("S:", "…") };
        let Some(reply) = self.expected.pop_front() else { return self.keep("S:", "…") };
        self.within = match reply {
            Reply::Lines if is_ok => Some(Within::Lines),
            Reply::Mail if is_ok => Some(Within::Mail(Mail::begin())),
            _ => None,
        };
        if let Login::Asked(_) = self.login {
            self.login = if is_ok && self.expected.is_empty() { Login::Done } else { Login::None };
        }
        self.keep("S:", &String::from_utf8_lossy(text));
    }

    /// Goes back to lines if the message is complete.
    fn end_mail(&mut self) {
        let Some(Within::Mail(mail)) = &self.within else { return };
        if let Some(octets) = mail.complete() {
            self.within = None;
            self.keep("--", &format!("{octets} octets are left out"));
            self.keep("S:", ".");
        }
    }

    fn go_blind(&mut self, why: &str) {
        self.is_blind = true;
        self.keep("--", &format!("{why}: nothing behind it is logged"));
    }

    fn keep(&mut self, who: &str, text: &str) {
        let printable = text.chars().take(LINE).map(|c| if c.is_control() { '\u{fffd}' } else { c });
        let mut line = format!("{:9.3} {who} ", self.begun.elapsed().as_secs_f64());
        line.extend(printable);
        line.push_str(if text.chars().nth(LINE).is_some() { "…\n" } else { "\n" });
        if self.latest.is_empty() && self.beginning.len() + line.len() <= BEGINNING {
            return self.beginning.push_str(&line);
        }
        self.latest_octets += line.len();
        self.latest.push_back(line);
        while self.latest_octets > LATEST {
            let Some(first) = self.latest.pop_front() else { break };
            self.latest_octets -= first.len();
            self.lines_left_out += 1;
        }
    }
}

impl Mail {
    fn begin() -> Self {
        // The first line begins behind the CRLF of the reply.
        Self { octets: 0, matched: 2 }
    }

    /// Takes octets up to the end of the message, however they are divided, and gives those behind it.
    fn take<'a>(&mut self, octets: &'a [u8]) -> &'a [u8] {
        for (at, octet) in octets.iter().enumerate() {
            let is_next = END_OF_MAIL.get(self.matched) == Some(octet);
            // Where the end breaks off, only a CR can begin another one.
            self.matched = if is_next { self.matched + 1 } else { usize::from(*octet == b'\r') };
            if self.matched == END_OF_MAIL.len() {
                self.octets += at as u64 + 1;
                return &octets[at + 1..];
            }
        }
        self.octets += octets.len() as u64;
        &[]
    }

    /// How many octets the message has, dots that were put in included, once all of it has come.
    fn complete(&self) -> Option<u64> {
        (self.matched == END_OF_MAIL.len()).then(|| self.octets - b".\r\n".len() as u64)
    }
}

/// Whether a reply over POP3 is `+OK` or, if not, `-ERR`; `None` for a line that is no reply.
// RFC 1939 §3: in upper case. There are servers that do not keep to it.
fn is_ok(line: &[u8]) -> Option<bool> {
    let word = line.split(|octet| *octet == b' ').next()?;
    match word {
        _ if word.eq_ignore_ascii_case(b"+OK") => Some(true),
        _ if word.eq_ignore_ascii_case(b"-ERR") => Some(false),
        _ => None,
    }
}

fn line_end(octets: &[u8]) -> Option<usize> {
    octets.iter().position(|octet| *octet == b'\n')
}

fn trimmed(line: &[u8]) -> &[u8] {
    line.trim_ascii_end()
}

#[cfg(test)]
mod tests;
