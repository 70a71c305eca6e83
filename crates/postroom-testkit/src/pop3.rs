//! A POP3 server of our own whose maildrop a test changes between visits: for what no real server does on demand. It names
//! messages as told, forgets or repeats names, gives them new ones, and hangs up before it has said goodbye.

use std::io::{BufRead as _, BufReader, Result, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// A message in the maildrop.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Its unique-id as the server says it, whatever that is; without any, UIDL is refused.
    pub uidl: Option<String>,
    /// Its octets, with CRLF at the end.
    pub octets: Vec<u8>,
}

/// What the server has and what it was asked for.
#[derive(Debug, Default)]
pub struct Maildrop {
    /// The messages.
    pub messages: Vec<Kept>,
    /// Commands of all conversations so far, in order.
    pub commands: Vec<String>,
    /// Whether it deletes and hangs up in place of the reply to QUIT.
    pub hangs_up_at_quit: bool,
    /// Whether it says that it has deleted and does not.
    pub ignores_deletions: bool,
    /// The unique-id of a message that it lists and does not give.
    pub refuses: Option<String>,
}

impl Maildrop {
    /// How often a command was given since the last time it was asked.
    pub fn take_count(&mut self, command: &str) -> usize {
        let before = self.commands.len();
        self.commands.retain(|one| one != command);
        before - self.commands.len()
    }
}

/// A server on a free port of 127.0.0.1, in clear; every user and password is right. Ends when dropped.
#[derive(Debug)]
pub struct FakePop3 {
    /// The port to connect to.
    pub port: u16,
    maildrop: Arc<Mutex<Maildrop>>,
    stop: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl FakePop3 {
    /// Starts one with an empty maildrop.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let (maildrop, stop) = (Arc::new(Mutex::new(Maildrop::default())), Arc::new(AtomicBool::new(false)));
        let accepting = std::thread::spawn({
            let (maildrop, stop) = (maildrop.clone(), stop.clone());
            move || {
                for client in listener.incoming().flatten() {
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                    // One conversation at a time, as a maildrop is locked. A client that hangs up ends its own alone.
                    let _ended = serve(client, &maildrop);
                }
            }
        });
        Ok(Self { port, maildrop, stop, accepting: Some(accepting) })
    }

    /// The maildrop, to be looked at and changed between conversations.
    pub fn maildrop(&self) -> MutexGuard<'_, Maildrop> {
        lock(&self.maildrop)
    }
}

impl Drop for FakePop3 {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for connections.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        if let Some(accepting) = self.accepting.take() {
            let _ended = accepting.join();
        }
    }
}

fn lock(maildrop: &Mutex<Maildrop>) -> MutexGuard<'_, Maildrop> {
    maildrop.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(client: TcpStream, maildrop: &Mutex<Maildrop>) -> Result<()> {
    let mut out = client.try_clone()?;
    let messages = lock(maildrop).messages.clone();
    let mut deleted = vec![false; messages.len()];
    out.write_all(b"+OK ready\r\n")?;
    for line in BufReader::new(client).lines() {
        let line = line?;
        let mut words = line.split_whitespace();
        let command = words.next().unwrap_or_default().to_ascii_uppercase();
        let number = words.next().and_then(|word| word.parse::<usize>().ok());
        let at = number.and_then(|n| n.checked_sub(1)).filter(|at| *at < messages.len());
        lock(maildrop).commands.push(command.clone());
        let reply = match (command.as_str(), at) {
            ("CAPA", _) => b"+OK\r\nUSER\r\nUIDL\r\nTOP\r\nPIPELINING\r\n.\r\n".to_vec(),
            ("USER" | "PASS" | "NOOP", _) => b"+OK\r\n".to_vec(),
            ("STAT", _) => {
                format!("+OK {} {}\r\n", messages.len(), messages.iter().map(|m| m.octets.len()).sum::<usize>()).into()
            }
            ("LIST", Some(at)) => format!("+OK {} {}\r\n", at + 1, messages[at].octets.len()).into(),
            ("LIST", None) => listing(&messages, |message| Some(message.octets.len().to_string())),
            ("UIDL", Some(at)) => match &messages[at].uidl {
                Some(uidl) => format!("+OK {} {uidl}\r\n", at + 1).into(),
                None => b"-ERR\r\n".to_vec(),
            },
            ("UIDL", None) if messages.iter().all(|message| message.uidl.is_none()) => b"-ERR unknown\r\n".to_vec(),
            ("UIDL", None) => listing(&messages, |message| message.uidl.clone()),
            ("RETR", Some(at)) if messages[at].uidl.is_some() && lock(maildrop).refuses == messages[at].uidl => {
                b"-ERR cannot read it\r\n".to_vec()
            }
            ("RETR", Some(at)) => stuffed(&messages[at].octets),
            ("TOP", Some(at)) => {
                let octets = &messages[at].octets;
                let header = octets.windows(4).position(|w| w == b"\r\n\r\n").map_or(octets.len(), |end| end + 4);
                stuffed(&octets[..header])
            }
            ("DELE", Some(at)) => {
                deleted[at] = true;
                b"+OK\r\n".to_vec()
            }
            ("QUIT", _) => {
                let mut maildrop = lock(maildrop);
                if !maildrop.ignores_deletions {
                    let mut kept = deleted.iter();
                    maildrop.messages.retain(|_| !kept.next().copied().unwrap_or(false));
                }
                if !maildrop.hangs_up_at_quit {
                    out.write_all(b"+OK bye\r\n")?;
                }
                return Ok(());
            }
            _ => b"-ERR what\r\n".to_vec(),
        };
        out.write_all(&reply)?;
    }
    Ok(())
}

fn listing(messages: &[Kept], what: impl Fn(&Kept) -> Option<String>) -> Vec<u8> {
    let lines =
        messages.iter().enumerate().filter_map(|(at, message)| Some(format!("{} {}\r\n", at + 1, what(message)?)));
    format!("+OK\r\n{}.\r\n", lines.collect::<String>()).into()
}

// RFC 1939 §3
fn stuffed(octets: &[u8]) -> Vec<u8> {
    let mut reply = b"+OK\r\n".to_vec();
    for line in octets.split_inclusive(|b| *b == b'\n') {
        if line.starts_with(b".") {
            reply.push(b'.');
        }
        reply.extend_from_slice(line);
    }
    reply.extend_from_slice(b".\r\n");
    reply
}
