//! How long it takes to find out what the store knows about a message and to decide it, with 1,000,000 items and 10,000 users
//! on SQLite, beside the same with 1,000 items and 10 users: every look-up goes by an index, so the two are nearly alike.
//!
//! Each measurement is one `explain`: the rules in force, the facts and the decision, read in a transaction on a thread of the
//! store. The big database takes about a minute to build, in the target directory, and is removed afterwards.
#![allow(missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use postroom_domain::{MailboxPolicy, StartFrom, Switch};
use postroom_mail::{Access, Address, Message};
use postroom_store::{Database, NewMailbox, Question, Store, StoreConfig};

const WORKSPACES: i64 = 20;

/// Fills the tables that the facts are read from, behind the store's back, since the store files a message at a time.
/// Item n is in workspace n % 20, opened by contact n, and user n % users takes part in it; its message has the id `n@bench`.
fn fill(database: &std::path::Path, items: i64, users: i64) -> rusqlite::Result<()> {
    let connection = rusqlite::Connection::open(database)?;
    let up_to = |last: i64| format!("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {last})");
    connection.execute_batch(&format!(
        "PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -262144; BEGIN;
         {users_n} INSERT INTO person (id, name, admin, active, created_at) SELECT x, 'User', FALSE, x % 50 <> 0, 0 FROM n;
         {users_n} INSERT INTO address (address, person_id, main) SELECT 'user' || x || '@example.org', x, TRUE FROM n;
         {users_n} INSERT INTO address (address, person_id, main) SELECT 'alias' || x || '@example.org', x, FALSE FROM n;
         {users_n} INSERT INTO member (person_id, workspace_id, role) SELECT x, x % {WORKSPACES} + 1, 'reporter' FROM n;
         {users_n} INSERT INTO member (person_id, workspace_id, role) SELECT x, (x + 7) % {WORKSPACES} + 1, 'agent' FROM n;
         {items_n} INSERT INTO item (number, receipt_id, workspace_id, title, status, requester_address, requester_name,
           created_at, updated_at, text, html) SELECT x, x, x % {WORKSPACES} + 1, 'Item ' || x,
           CASE WHEN x % 10 = 0 THEN 'closed' ELSE 'open' END, 'contact' || x || '@example.com', '', x, x,
           'Some words of a description, as people write them.', NULL FROM n;
         {items_n} INSERT INTO participant (item_number, address, name, role)
           SELECT x, 'contact' || x || '@example.com', '', 'requester' FROM n;
         {items_n} INSERT INTO participant (item_number, address, name, role)
           SELECT x, 'user' || (x % {users} + 1) || '@example.org', '', 'author' FROM n;
         {items_n} INSERT INTO change (item_number, kind, at) SELECT x, 'opened', x FROM n;
         {items_n} INSERT INTO receipt (id, mailbox_id, remote_id, state, settlement, item_number, size, sha256, message_id,
           from_address, subject, received_at, accepted_at, attempts, claim_token, released)
           SELECT x, 1, 'maildir:' || x || '.bench', 'filed', 'kept', x, 1000, randomblob(32), x || '@bench',
           'contact' || x || '@example.com', 'Item ' || x, x, x, 0, 0, FALSE FROM n;
         COMMIT; PRAGMA wal_checkpoint(TRUNCATE); ANALYZE;",
        users_n = up_to(users),
        items_n = up_to(items),
    ))
}

/// A store with so many items and users.
struct Desk {
    store: Store,
    // Removed when the bench ends.
    _dir: tempfile::TempDir,
    items: i64,
    users: i64,
}

impl Desk {
    async fn new(items: i64, users: i64) -> Result<Self, Box<dyn std::error::Error>> {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let store = Store::open(&StoreConfig::new(dir.path(), Database::Sqlite))?;
        let now = Timestamp::UNIX_EPOCH;
        for n in 0..WORKSPACES {
            store.add_workspace(&format!("W{n}").parse()?, "Workspace", n == 0, now).await?;
        }
        let new = NewMailbox {
            name: "desk@example.net".into(),
            access: Access::Push,
            workspace: None,
            policy: MailboxPolicy { unknown_senders: Switch::Yes, ..MailboxPolicy::default() },
            start: StartFrom::All,
            every_s: 60,
        };
        store.add_mailbox(new, None, now).await?;
        fill(&dir.path().join("postroom.sqlite3"), items, users)?;
        Ok(Self { store, _dir: dir, items, users })
    }

    /// A message of somebody else and about another item each time, so that no cache knows them.
    fn message(&self, n: i64, kind: &str, keys: &[String]) -> Message {
        // A prime that divides neither number, so that all are met in a scattered order.
        let item = (n * 7_919) % self.items + 1;
        let user = (n * 104_729) % self.users + 1;
        let from = |address: String| vec![Address::new("Ann", address)];
        let member = Message { from: from(format!("alias{user}@example.org")), ..Message::default() };
        match kind {
            "a stranger's new item" => Message {
                from: from(format!("eve{n}@example.com")),
                subject: "The printer burns".to_owned(),
                ..Message::default()
            },
            "a marked number" => Message { subject: format!("Re: [#{item}] printer"), ..member },
            "an answered message" => Message { in_reply_to: vec![format!("{item}@bench")], ..member },
            "a reply key" => Message { in_reply_to: vec![keys[n as usize % keys.len()].clone()], ..member },
            // Ten numbers, twenty ids and four keys that are none of ours: as much as is ever looked up.
            _ => Message {
                subject: (0..10).map(|m| format!("{} ", (item + m * 37) % self.items + 1)).collect(),
                references: (0..19).map(|m| format!("{}@bench", (item + m * 101) % self.items + 1)).collect(),
                in_reply_to: keys.iter().take(4).map(|key| key.replacen("i.", "i.1", 1)).collect(),
                ..member
            },
        }
    }
}

fn facts(c: &mut Criterion) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else { return };
    for (name, items, users) in
        [("1,000 items, 10 users", 1_000, 10), ("1,000,000 items, 10,000 users", 1_000_000, 10_000)]
    {
        let desk = match runtime.block_on(Desk::new(items, users)) {
            Ok(desk) => desk,
            Err(error) => panic!("no store to measure: {error}"),
        };
        let keys: Vec<String> = (1..=64)
            .filter_map(|n| {
                let key = desk.store.reply_key((n * 13) % items + 1, None, None, Timestamp::UNIX_EPOCH);
                runtime.block_on(key).ok().map(|forms| forms.message_id)
            })
            .collect();
        let mut group = c.benchmark_group(name);
        for kind in
            ["a stranger's new item", "a marked number", "an answered message", "a reply key", "all that is looked up"]
        {
            let mut n = 0;
            group.bench_function(kind, |bencher| {
                bencher.iter(|| {
                    n += 1;
                    let message = desk.message(n, kind, &keys);
                    let question = Question { mailbox: Some("desk@example.net".to_owned()), ..Question::default() };
                    let explained = desk.store.explain(question, &message, Timestamp::UNIX_EPOCH);
                    runtime.block_on(explained).map(|explanation| explanation.item)
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, facts);
criterion_main!(benches);
