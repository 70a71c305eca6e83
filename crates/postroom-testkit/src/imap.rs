//! An IMAP server of our own whose mailbox a test changes at any time: for what no real server does on demand. It gives UIDs as
//! told, forgets that it had given them, gives all of them a new meaning, tells of new mail to those who wait, and holds
//! a thousand connections.

mod session;

use crate::certificate::Certificate;
use crate::scripted::{Stream, acceptor};
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// A message in a folder.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Its UID; nothing keeps a test from giving one twice, one after the other.
    pub uid: u32,
    /// Its octets, with CRLF at the end.
    pub octets: Vec<u8>,
    /// INTERNALDATE, in seconds since 1970.
    pub arrived: i64,
    /// Its flags.
    pub flags: BTreeSet<String>,
}

/// A folder.
#[derive(Debug, Clone)]
pub struct Folder {
    /// UIDVALIDITY.
    pub uid_validity: u32,
    /// UIDNEXT.
    pub uid_next: u32,
    /// Its messages in the order of their UIDs.
    pub mails: Vec<Mail>,
    /// HIGHESTMODSEQ, told where the server has CONDSTORE; it grows with every change that is made by command or delivery.
    pub mod_seq: u64,
}

impl Default for Folder {
    fn default() -> Self {
        Self { uid_validity: 1, uid_next: 1, mails: Vec::new(), mod_seq: 1 }
    }
}

impl Folder {
    /// Delivers a message that arrives at this second, under the next UID.
    pub fn deliver(&mut self, octets: impl Into<Vec<u8>>, arrived: i64) {
        let uid = self.uid_next;
        self.uid_next += 1;
        self.mod_seq += 1;
        self.mails.push(Mail { uid, octets: octets.into(), arrived, flags: BTreeSet::new() });
    }

    /// Gives all messages other UIDs under another UIDVALIDITY, from `first` on and in the same order.
    pub fn renumber(&mut self, uid_validity: u32, first: u32) {
        self.uid_validity = uid_validity;
        for (uid, mail) in (first..).zip(&mut self.mails) {
            mail.uid = uid;
        }
        self.uid_next = self.mails.last().map_or(first, |mail| mail.uid + 1);
        self.mod_seq += 1;
    }
}

/// What the server has and how it behaves.
#[derive(Debug, Clone)]
pub struct World {
    /// The folders by name.
    pub folders: BTreeMap<String, Folder>,
    /// What it says it can do once somebody is logged in, besides IMAP4rev1.
    pub capabilities: String,
    /// What NAMESPACE answers.
    pub namespace: String,
    /// Commands of all conversations so far, without their tags, in order.
    pub commands: Vec<String>,
    /// How many whole messages it has given.
    pub bodies: usize,
    /// How often somebody has tried to log in.
    pub logins: usize,
    /// What it answers to every login in place of OK.
    pub refuses_logins: Option<String>,
    /// The beginning of a command from which on it says nothing more.
    pub stalls_at: Option<String>,
    /// Whether a message is gone as soon as it is marked `\Deleted`.
    pub expunges_at_once: bool,
    /// UIDs that it lists and does not give.
    pub keeps_back: BTreeSet<u32>,
    /// Whether it tells UIDNEXT.
    pub tells_uid_next: bool,
}

/// What most servers can do.
pub const CAPABILITIES: &str = "SASL-IR LITERAL+ ID NAMESPACE UIDPLUS MOVE IDLE ESEARCH CONDSTORE";

impl Default for World {
    fn default() -> Self {
        Self {
            folders: BTreeMap::from([("INBOX".to_owned(), Folder::default())]),
            capabilities: CAPABILITIES.to_owned(),
            namespace: "((\"\" \"/\")) NIL NIL".to_owned(),
            commands: Vec::new(),
            bodies: 0,
            logins: 0,
            refuses_logins: None,
            stalls_at: None,
            expunges_at_once: false,
            keeps_back: BTreeSet::new(),
            tells_uid_next: true,
        }
    }
}

impl World {
    /// A folder, made if it is missing.
    pub fn folder(&mut self, name: &str) -> &mut Folder {
        self.folders.entry(name.to_owned()).or_default()
    }

    /// INBOX.
    pub fn inbox(&mut self) -> &mut Folder {
        self.folder("INBOX")
    }

    /// How many commands began so since the last time it was asked for any.
    pub fn take_count(&mut self, start: &str) -> usize {
        let count = self.commands.iter().filter(|command| command.starts_with(start)).count();
        self.commands.clear();
        count
    }
}

/// What the conversations share.
#[derive(Debug)]
struct Shared {
    world: Mutex<World>,
    /// Grows with every change, for those who wait.
    changes: watch::Sender<u64>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }
}

/// A server on a free port of 127.0.0.1; every user and password is right unless told otherwise, and all users have the same
/// folders. Ends when dropped.
#[derive(Debug)]
pub struct FakeImap {
    /// The port to connect to.
    pub port: u16,
    shared: Arc<Shared>,
    // Ends the conversations when dropped.
    _runtime: tokio::runtime::Runtime,
}

impl FakeImap {
    /// Starts one with an empty INBOX, in clear.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start() -> Result<Self> {
        Self::start_with(None)
    }

    /// Starts one that speaks TLS from the first octet, under this certificate.
    ///
    /// # Errors
    /// When no port is free, or the certificate is of no use.
    pub fn start_with(certificate: Option<&Certificate>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared { world: Mutex::default(), changes: watch::channel(0).0 });
        let acceptor = certificate.map(acceptor).transpose()?;
        let accepted = Arc::clone(&shared);
        runtime.spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (shared, acceptor) = (Arc::clone(&accepted), acceptor.clone());
                tokio::spawn(async move {
                    let _unsupported = tcp.set_nodelay(true);
                    let stream: Box<dyn Stream> = match acceptor {
                        None => Box::new(tcp),
                        Some(acceptor) => match acceptor.accept(tcp).await {
                            Ok(stream) => Box::new(stream),
                            Err(_) => return,
                        },
                    };
                    // A client that hangs up ends its own conversation alone.
                    let _ended = session::serve(stream, &shared).await;
                });
            }
        });
        Ok(Self { port, shared, _runtime: runtime })
    }

    /// Looks at the world and changes it; those who wait are told afterwards.
    pub fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let result = change(&mut self.shared.lock());
        self.shared.changed();
        result
    }
}
