//! A store with people, workspaces and mail in it, made by the store's own verbs. Also used by the example `preview`.

use jiff::{SignedDuration, Timestamp};
use postroom_domain::{AutomaticMail, Mailbox, MailboxPolicy, Role, StartFrom, Switch, User, WorkspaceKey};
use postroom_mail::{Access, Listed, RawMessage, RemoteId};
use postroom_store::{
    ClaimLimit, Claimed, Database, Fetched, Holder, LeaseTaken, NewMailbox, NewUser, Outcome, Reading, Store,
    StoreConfig, VisitEnd,
};
use std::path::Path;

/// A store and the one worker that fills it.
#[derive(Clone)]
pub struct House {
    pub store: Store,
    worker: Holder,
}

impl House {
    /// An empty store in this directory.
    pub fn new(dir: &Path) -> Self {
        let store = Store::open(&StoreConfig::new(dir, Database::Sqlite)).expect("a new store opens");
        Self { store, worker: Holder::current() }
    }

    pub async fn workspace(&self, key: &str, name: &str, default: bool) -> WorkspaceKey {
        let key: WorkspaceKey = key.parse().expect("a valid key");
        self.store.add_workspace(&key, name, default, Timestamp::now()).await.expect("a new workspace");
        key
    }

    pub async fn user(&self, address: &str, name: &str, admin: bool, memberships: &[(&str, Role)]) -> User {
        let memberships = memberships.iter().map(|(key, role)| (key.parse().expect("a valid key"), *role)).collect();
        let (address, name) = (address.to_owned(), name.to_owned());
        let new = NewUser { address, name, admin, memberships, aliases: Vec::new() };
        self.store.add_user(new, Timestamp::now()).await.expect("a new user")
    }

    /// A mailbox that takes mail from everybody and holds automatic mail.
    pub async fn mailbox(&self, name: &str, workspace: Option<&WorkspaceKey>) -> Mailbox {
        let policy =
            MailboxPolicy { unknown_senders: Switch::Yes, automatic: AutomaticMail::Hold, ..MailboxPolicy::default() };
        let new = NewMailbox {
            name: name.to_owned(),
            access: Access::Maildir { path: "/var/mail/desk".into() },
            workspace: workspace.cloned(),
            policy,
            start: StartFrom::All,
            every_s: 60,
        };
        self.store.add_mailbox(new, None, Timestamp::now()).await.expect("a new mailbox")
    }

    /// Makes messages durable, as a visit would; they are not filed yet.
    pub async fn accept(&self, mailbox: &Mailbox, mails: Vec<(String, Vec<u8>)>, at: Timestamp) -> Vec<Claimed> {
        let ttl = SignedDuration::from_mins(1);
        let taken = self.store.take_lease(mailbox.id, &self.worker, Timestamp::now(), ttl).await.expect("a lease");
        let LeaseTaken::Lease(lease) = taken else { panic!("somebody else visits this mailbox") };
        let listed = mails.len();
        let batch = mails
            .into_iter()
            .map(|(name, octets)| {
                let raw = RawMessage::new(octets);
                let id = RemoteId::Maildir { name };
                Fetched { listed: Listed { id, size: raw.size(), received_at: Some(at) }, raw }
            })
            .collect();
        let batch = self.store.accept(&lease, batch, &self.worker, at).await.expect("accepted");
        let report = serde_json::json!({ "listed": listed, "before_start": 0, "fetched": listed });
        let end = VisitEnd { report, ..VisitEnd::default() };
        self.store.end_visit(&lease, end, Timestamp::now()).await.expect("the visit ends");
        self.store.release_lease(&lease).await.expect("the lease is given back");
        batch.claimed
    }

    /// Reads and files what was accepted.
    pub async fn file(&self, claimed: Vec<Claimed>, at: Timestamp) -> Vec<Outcome> {
        let read = |claimed: Claimed| {
            let message = postroom_mail::read(claimed.raw());
            (claimed, Reading::Message(Box::new(message)))
        };
        let batch = claimed.into_iter().map(read).collect();
        self.store.file(batch, &self.worker, at).await.expect("filed")
    }

    /// One message, from its octets to what became of it.
    pub async fn bring(&self, mailbox: &Mailbox, name: &str, mail: impl Into<Vec<u8>>) -> Outcome {
        let now = Timestamp::now();
        let claimed = self.accept(mailbox, vec![(name.to_owned(), mail.into())], now).await;
        self.file(claimed, now).await.pop().expect("one outcome")
    }

    /// Files everything that is due, as the worker of `serve` would.
    pub async fn work_off(&self) -> Vec<Outcome> {
        let limit = ClaimLimit { count: 64, octets: 1 << 20 };
        let claimed = self.store.claim(&self.worker, limit, Timestamp::now()).await.expect("claimed");
        self.file(claimed, Timestamp::now()).await
    }

    /// A visit that fails.
    pub async fn fail_visit(&self, mailbox: &Mailbox, code: &str, text: &str, help: &str) {
        let ttl = SignedDuration::from_mins(1);
        let taken = self.store.take_lease(mailbox.id, &self.worker, Timestamp::now(), ttl).await.expect("a lease");
        let LeaseTaken::Lease(lease) = taken else { panic!("somebody else visits this mailbox") };
        let report = serde_json::json!({ "listed": null, "error": { "code": code, "message": text, "help": help } });
        let error = Some((code.to_owned(), text.to_owned()));
        let end = VisitEnd { report, error, ..VisitEnd::default() };
        self.store.end_visit(&lease, end, Timestamp::now()).await.expect("the visit ends");
        self.store.release_lease(&lease).await.expect("the lease is given back");
    }

    /// A token that signs this person in once.
    pub async fn token(&self, user: &User) -> String {
        let link = self.store.make_signin_link(user.id, SignedDuration::from_mins(15), Timestamp::now()).await;
        link.expect("a link").expose().to_owned()
    }
}
