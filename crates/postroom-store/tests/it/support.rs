//! What the tests share: both databases, small messages, and a settled instant.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use postroom_domain::{Mailbox, MailboxPolicy, Role, StartFrom, WorkspaceKey};
use postroom_mail::access::{AuthMethod, ImapAccess, Security, ServerAccess};
use postroom_mail::{
    Access, Address, Attachment, Content, Listed, Message, RawMessage, RemoteId, Sha256, TransferEncoding,
};
use postroom_store::{
    Claimed, Database, Epoch, Fetched, FolderSeen, Holder, Lease, LeaseTaken, NewMailbox, NewUser, Outcome, Question,
    Reading, Store, StoreConfig,
};
use postroom_testkit::postgres::Postgres;
use std::future::Future;

pub const TTL: SignedDuration = SignedDuration::from_mins(5);

/// Where a test has its data.
pub struct Place {
    pub config: StoreConfig,
    // Removed when the test ends.
    _dir: tempfile::TempDir,
}

impl Place {
    pub fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { config: StoreConfig::new(dir.path().join("data"), Database::Sqlite), _dir: dir }
    }

    pub fn postgres(server: &Postgres) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::Postgres(server.new_database().unwrap());
        Self { config: StoreConfig::new(dir.path().join("data"), database), _dir: dir }
    }

    /// Changes the database behind the store's back.
    pub fn sql(&self, sql: &str) {
        let (config, sql) = (self.config.clone(), sql.to_owned());
        // The PostgreSQL driver must not be called from inside a runtime.
        let thread = std::thread::spawn(move || match &config.database {
            Database::Sqlite => {
                let file = config.data_dir.join("postroom.sqlite3");
                rusqlite::Connection::open(file).unwrap().execute_batch(&sql).unwrap();
            }
            Database::Postgres(url) => {
                postgres::Client::connect(url, postgres::NoTls).unwrap().batch_execute(&sql).unwrap();
            }
        });
        thread.join().unwrap();
    }

    /// Changes the database as a tool that does not look at foreign keys.
    pub fn damage(&self, sql: &str) {
        let unchecked = match &self.config.database {
            Database::Sqlite => "PRAGMA foreign_keys = OFF",
            Database::Postgres(_) => "SET session_replication_role = replica",
        };
        self.sql(&format!("{unchecked}; {sql}"));
    }

    pub fn open(&self) -> Store {
        Store::open(&self.config).unwrap()
    }
}

/// Runs a test on SQLite, and on PostgreSQL where there is one.
pub async fn on_each_database<F: Future<Output = ()>>(test: impl Fn(Place) -> F) {
    eprintln!("on SQLite");
    test(Place::sqlite()).await;
    // A server for each test, so that it ends with the test however that ends.
    if let Some(server) = Postgres::start() {
        eprintln!("on PostgreSQL");
        test(Place::postgres(&server)).await;
    }
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The instant at which the tests play, in microseconds that both databases keep.
pub fn noon() -> Timestamp {
    at("2026-03-01T12:00:00.000001Z")
}

pub fn key(text: &str) -> WorkspaceKey {
    text.parse().unwrap()
}

/// A message whose octets are its text; what rules look at can be changed afterwards.
pub fn message(from: &str, subject: &str, text: &str) -> Message {
    Message {
        from: vec![Address::new("Ann Other", from)],
        subject: subject.to_owned(),
        text: text.to_owned(),
        reply_text: text.to_owned(),
        message_id: Some(format!("{}@test", Sha256::of(text.as_bytes()))),
        ..Message::default()
    }
}

pub fn raw(text: &str) -> RawMessage {
    RawMessage::new(Bytes::from(text.as_bytes().to_vec()))
}

/// An attachment that is a slice of `raw`.
pub fn slice(raw: &RawMessage, name: &str, range: std::ops::Range<usize>) -> Attachment {
    let octets = raw.octets().slice(range.clone());
    Attachment {
        name: name.to_owned(),
        content_type: "text/plain".to_owned(),
        detected_type: None,
        size: octets.len() as u64,
        sha256: Sha256::of(&octets),
        inline: false,
        content_id: None,
        content: Content::Slice {
            offset: range.start as u64,
            length: range.len() as u64,
            encoding: TransferEncoding::Identity,
        },
    }
}

pub fn imap(name: &str, policy: MailboxPolicy, start: StartFrom) -> NewMailbox {
    let server = ServerAccess {
        host: "mail.test".to_owned(),
        port: 993,
        security: Security::Ssl,
        user: if name.contains('@') { name.to_owned() } else { format!("{name}@example.net") },
        auth: AuthMethod::Auto,
        allow_private_host: false,
    };
    let access = Access::Imap(ImapAccess::new(server, "INBOX"));
    NewMailbox { name: name.to_owned(), access, workspace: Some(key("SUP")), policy, start, every_s: 60 }
}

pub fn seen(uid_validity: u32, uid_next: u32) -> FolderSeen {
    FolderSeen { folder: "INBOX".to_owned(), uid_validity, uid_next }
}

pub fn uid(uid_validity: u32, uid: u32) -> RemoteId {
    RemoteId::Imap { folder: "INBOX".to_owned(), uid_validity, uid }
}

pub fn fetched(id: RemoteId, text: &str) -> Fetched {
    let raw = raw(text);
    Fetched { listed: Listed { id, size: raw.size(), received_at: Some(noon()) }, raw }
}

/// A house with workspaces SUP (default) and OPS, ann (reporter in SUP), bob (no member), and a mailbox that is being
/// visited under UIDVALIDITY 7.
pub struct House {
    pub store: Store,
    pub mailbox: Mailbox,
    pub lease: Lease,
    pub epoch: Epoch,
    pub me: Holder,
}

impl House {
    pub async fn new(place: &Place, policy: MailboxPolicy, start: StartFrom) -> Self {
        let store = place.open();
        store.add_workspace(&key("SUP"), "Support", true, noon()).await.unwrap();
        store.add_workspace(&key("OPS"), "Operations", false, noon()).await.unwrap();
        for (address, memberships) in
            [("ann@example.org", vec![(key("SUP"), Role::Reporter)]), ("bob@example.org", vec![])]
        {
            let new = NewUser { address: address.to_owned(), memberships, ..NewUser::default() };
            store.add_user(new, noon()).await.unwrap();
        }
        let mailbox = store.add_mailbox(imap("desk", policy, start), None, noon()).await.unwrap();
        let me = Holder::current();
        let lease = lease(&store, &mailbox, &me).await;
        let epoch = store.begin_folder(&lease, seen(7, 1), noon()).await.unwrap();
        Self { store, mailbox, lease, epoch, me }
    }

    pub async fn usual(place: &Place) -> Self {
        Self::new(place, MailboxPolicy::default(), StartFrom::All).await
    }

    /// Accepts these texts under the given UIDs of UIDVALIDITY 7.
    pub async fn accept(&self, messages: &[(u32, &str)]) -> Vec<Claimed> {
        let batch = messages.iter().map(|(n, text)| fetched(uid(7, *n), text)).collect();
        self.store.accept(&self.lease, batch, &self.me, noon()).await.unwrap().claimed
    }

    pub async fn file(&self, batch: Vec<(Claimed, Message)>) -> Vec<Outcome> {
        let batch =
            batch.into_iter().map(|(claimed, message)| (claimed, Reading::Message(Box::new(message)))).collect();
        self.store.file(batch, &self.me, noon()).await.unwrap()
    }

    /// Accepts one message whose octets are `text`, and files it.
    pub async fn take(&self, n: u32, message: Message) -> Outcome {
        let claimed = self.accept(&[(n, &message.text)]).await.remove(0);
        self.file(vec![(claimed, message)]).await.remove(0)
    }
}

/// A question about a message that comes in this mailbox.
pub fn in_mailbox(name: &str) -> Question {
    Question { mailbox: Some(name.to_owned()), ..Question::default() }
}

pub async fn lease(store: &Store, mailbox: &Mailbox, holder: &Holder) -> Lease {
    match store.take_lease(mailbox.id, holder, noon(), TTL).await.unwrap() {
        LeaseTaken::Lease(lease) => lease,
        LeaseTaken::Busy(holder) => panic!("busy: {holder}"),
    }
}
