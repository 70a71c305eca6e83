//! What the benches share: a store with a mailbox under visit, and messages of a usual mix of sizes.

use jiff::{SignedDuration, Timestamp};
use postroom_domain::{MailboxPolicy, Role, StartFrom};
use postroom_mail::{Access, Listed, RawMessage, RemoteId};
use postroom_store::{Database, Fetched, Holder, Lease, LeaseTaken, NewMailbox, NewUser, Store, StoreConfig};

/// Messages accepted or filed at once.
pub const BATCH: usize = 64;

pub struct Desk {
    pub store: Store,
    pub lease: Lease,
    pub me: Holder,
    // Removed when the bench ends.
    _dir: tempfile::TempDir,
    made: usize,
}

impl Desk {
    /// On the disk of the target directory: many a `/tmp` is in memory, where a sync costs nothing.
    pub async fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let store = Store::open(&StoreConfig::new(dir.path(), Database::Sqlite))?;
        let now = Timestamp::now();
        store.add_workspace(&"SUP".parse()?, "Support", true, Timestamp::now()).await?;
        let memberships = vec![("SUP".parse()?, Role::Reporter)];
        store.add_user(NewUser { address: "ann@example.org".into(), memberships, ..NewUser::default() }, now).await?;
        let new = NewMailbox {
            name: "desk".into(),
            access: Access::Push,
            workspace: None,
            policy: MailboxPolicy::default(),
            start: StartFrom::All,
            every_s: 60,
        };
        let mailbox = store.add_mailbox(new, None, now).await?;
        let me = Holder::current();
        let day = SignedDuration::from_hours(24);
        let LeaseTaken::Lease(lease) = store.take_lease(mailbox.id, &me, now, day).await? else {
            return Err("busy".into());
        };
        Ok(Self { store, lease, me, _dir: dir, made: 0 })
    }

    /// A batch of messages that were never seen, of 4 to 130 KB each, 42 KB on average.
    pub fn batch(&mut self) -> Vec<Fetched> {
        (0..BATCH)
            .map(|n| {
                self.made += 1;
                let size = [4, 8, 12, 20, 40, 50, 72, 130][n % 8] * 1024;
                let head = format!("From: ann@example.org\r\nSubject: bench {}\r\n\r\n", self.made);
                let mut octets = head.into_bytes();
                octets.resize(size, b'x');
                let raw = RawMessage::new(octets);
                let id = RemoteId::Maildir { name: format!("{}.bench", self.made) };
                Fetched { listed: Listed { id, size: raw.size(), received_at: None }, raw }
            })
            .collect()
    }
}
