//! Backup, restore and check.

use crate::support::*;
use postroom_domain::{MailboxPolicy, StartFrom};
use postroom_mail::{Secret, Settlement};
use postroom_store::{Database, ItemFilter, OutcomeKind, Store, StoreConfig};
use postroom_testkit::postgres::Postgres;
use std::collections::BTreeSet;

/// A house with an item, a comment, an attachment, a large message, held mail, something owed and a password.
async fn furnished(place: &Place) -> House {
    let policy = MailboxPolicy { filed: Settlement::Delete, ..MailboxPolicy::default() };
    let house = House::new(place, policy, StartFrom::All).await;
    let password = Some(Secret::new("pass"));
    house.store.add_mailbox(imap("other", MailboxPolicy::default(), StartFrom::New), password, noon()).await.unwrap();
    let claimed = house.accept(&[(1, "one two three")]).await.remove(0);
    let mut first = message("ann@example.org", "Naïve\u{0}title", "one two three");
    first.attachments.push(slice(claimed.raw(), "two.txt", 4..7));
    house.file(vec![(claimed, first)]).await;
    house.take(2, message("ann@example.org", "Re: #1", "a comment")).await;
    house.take(3, message("eve@evil.test", "held", "held")).await;
    house.take(4, message("ann@example.org", "large", &"large ".repeat(60_000))).await;
    house.accept(&[(5, "waits")]).await;
    house
}

/// A place for each database that is here.
fn places(server: Option<&Postgres>) -> impl Iterator<Item = Place> {
    std::iter::once(Place::sqlite()).chain(server.map(Place::postgres))
}

#[tokio::test]
async fn a_backup_is_restored_into_either_database() {
    let server = Postgres::start();
    let places = || places(server.as_ref());
    for source in places() {
        let house = furnished(&source).await;
        let dir = tempfile::tempdir().unwrap();
        let made = house.store.backup(&dir.path().join("b"), noon()).await.unwrap();
        assert_eq!(house.store.backup(&dir.path().join("b"), noon()).await.unwrap_err().code(), "NOT_EMPTY");
        assert!(!dir.path().join("b/secret.key").exists());
        for target in places() {
            let (store, restored) =
                Store::restore(&dir.path().join("b"), &target.config, "cli:test", noon()).await.unwrap();
            assert_eq!(restored, made);
            let report = store.check().await.unwrap();
            assert_eq!(report.problems, []);
            assert_eq!((report.receipts, report.raw, report.blobs, report.items, report.comments), (5, 5, 1, 2, 1));
            assert!(store.mailboxes().await.unwrap().iter().all(|mailbox| mailbox.paused));
            assert_eq!(
                store.owed(house.mailbox.id, None, 9).await.unwrap(),
                house.store.owed(house.mailbox.id, None, 9).await.unwrap()
            );
            for number in [1, 2] {
                assert_eq!(store.item(number).await.unwrap(), house.store.item(number).await.unwrap());
            }
            let all = || postroom_store::ReceiptFilter::default();
            assert_eq!(store.receipts(all()).await.unwrap(), house.store.receipts(all()).await.unwrap());
            assert_eq!(store.users().await.unwrap(), house.store.users().await.unwrap());
            let query = ItemFilter { query: Some("comment three".into()), ..ItemFilter::default() };
            assert_eq!(store.items(query).await.unwrap().len(), 1);
            let other = store.mailbox("other").await.unwrap();
            assert_eq!(store.password(other.id).await.unwrap_err().code(), "SECRET_KEY_MISSING");

            // Work goes on with new numbers.
            let lease = lease(&store, &store.mailbox("desk").await.unwrap(), &house.me).await;
            let batch = vec![fetched(uid(7, 6), "new")];
            let claimed = store.accept(&lease, batch, &house.me, noon()).await.unwrap().claimed.remove(0);
            let moved = House {
                store,
                lease,
                mailbox: house.mailbox.clone(),
                epoch: house.epoch.clone(),
                me: house.me.clone(),
            };
            let outcome = moved.file(vec![(claimed, message("ann@example.org", "new", "new"))]).await.remove(0);
            assert_eq!(outcome.kind, OutcomeKind::Item(3));
            let again = Store::restore(&dir.path().join("b"), &target.config, "cli:test", noon()).await.err().unwrap();
            assert_eq!(again.code(), "NOT_EMPTY");
        }
    }
}

#[tokio::test]
async fn a_damaged_backup_is_not_restored() {
    let source = Place::sqlite();
    let house = furnished(&source).await;
    let dir = tempfile::tempdir().unwrap();
    let backup = dir.path().join("b");
    house.store.backup(&backup, noon()).await.unwrap();
    let code = |name: &str| {
        let config = StoreConfig::new(dir.path().join(name), Database::Sqlite);
        let backup = backup.clone();
        async move { Store::restore(&backup, &config, "cli:test", noon()).await.err().map(|error| error.code()) }
    };
    let items = backup.join("tables/item.jsonl");
    let kept = std::fs::read_to_string(&items).unwrap();
    std::fs::write(&items, kept.replace("one", "two")).unwrap();
    assert_eq!(code("changed").await, Some("BACKUP_DAMAGED"));
    std::fs::write(&items, kept).unwrap();
    let manifest = std::fs::read_to_string(backup.join("manifest.json")).unwrap();
    std::fs::write(backup.join("manifest.json"), manifest.replace("tables/item", "tables/../tables/item")).unwrap();
    assert_eq!(code("outside").await, Some("BACKUP_DAMAGED"));
    std::fs::remove_file(backup.join("manifest.json")).unwrap();
    assert_eq!(code("unfinished").await, Some("BACKUP_DAMAGED"));
    std::fs::write(backup.join("manifest.json"), manifest).unwrap();
    assert_eq!(code("whole").await, None);
}

#[tokio::test]
async fn check_finds_what_is_missing_or_damaged() {
    let place = Place::sqlite();
    let house = furnished(&place).await;
    let large = std::fs::read_dir(place.config.data_dir.join("raw")).unwrap().next().unwrap().unwrap().path();
    let large = std::fs::read_dir(large).unwrap().next().unwrap().unwrap().path();
    std::fs::remove_file(large).unwrap();
    let path = place.config.data_dir.join("postroom.sqlite3");
    let sqlite = rusqlite::Connection::open(path).unwrap();
    sqlite.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    sqlite
        .execute(
            "UPDATE raw SET octets = CAST('one two fhree' AS BLOB) WHERE octets = CAST('one two three' AS BLOB)",
            [],
        )
        .unwrap();
    sqlite.execute("DELETE FROM comment", []).unwrap();
    sqlite
        .execute("UPDATE receipt SET settlement = 'owed', how = '{\"do\":\"delete\"}' WHERE state = 'held'", [])
        .unwrap();
    let left = place.config.data_dir.join("raw/00");
    std::fs::create_dir_all(&left).unwrap();
    std::fs::write(left.join("leftover.1-2.tmp"), b"x").unwrap();
    let report = house.store.check().await.unwrap();
    assert_eq!(report.unreferenced, 1);
    let mut codes: Vec<_> = report.problems.iter().map(|problem| problem.code).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["FILED_WITHOUT_EFFECT", "HELD_TO_BE_DELETED", "RAW_DAMAGED", "RAW_DAMAGED", "RAW_MISSING"]);
}

/// What somebody does to the database, and what `check` says of it.
const DAMAGE: &[(&str, &[&str])] = &[
    (
        "DELETE FROM raw WHERE sha256 = (SELECT sha256 FROM receipt WHERE id = 2); DELETE FROM blob; \
         DELETE FROM mailbox WHERE name = 'desk'; DELETE FROM workspace WHERE key = 'SUP'",
        &[
            "RAW_MISSING attachment 1",
            "RAW_MISSING receipt 2",
            "REFERENCE_BROKEN blob BLOB is not there, named by attachment.blob_sha256 in rows: 1",
            "REFERENCE_BROKEN mailbox 1 is not there, named by epoch.mailbox_id in rows: 1",
            "REFERENCE_BROKEN mailbox 1 is not there, named by lease.mailbox_id in rows: 1",
            "REFERENCE_BROKEN mailbox 1 is not there, named by receipt.mailbox_id in rows: 5",
            "REFERENCE_BROKEN raw RAW2 is not there, named by receipt.sha256 in rows: 1",
            "REFERENCE_BROKEN workspace 1 is not there, named by item.workspace_id in rows: 2",
            "REFERENCE_BROKEN workspace 1 is not there, named by mailbox.workspace_id in rows: 1",
            "REFERENCE_BROKEN workspace 1 is not there, named by member.workspace_id in rows: 1",
        ],
    ),
    (
        "UPDATE receipt SET size = 5 WHERE id = 2; UPDATE blob SET size = 5; \
         UPDATE raw SET size = 5 WHERE sha256 = (SELECT sha256 FROM receipt WHERE id = 3)",
        &[
            "SIZE_DIFFERS attachment 1",
            "SIZE_DIFFERS octets RAW3",
            "SIZE_DIFFERS octets BLOB",
            "SIZE_DIFFERS receipt 2",
            "SIZE_DIFFERS receipt 3",
        ],
    ),
];

#[tokio::test]
async fn check_finds_what_names_something_that_is_not_there() {
    let server = Postgres::start();
    let digests = [("RAW2", "a comment"), ("RAW3", "held"), ("BLOB", "two")]
        .map(|(name, text)| (name, raw(text).sha256().to_string()));
    for (sql, expected) in DAMAGE {
        for place in places(server.as_ref()) {
            let house = furnished(&place).await;
            place.damage(sql);
            let problems = house.store.check().await.unwrap().problems;
            let found: BTreeSet<_> =
                problems.iter().map(|problem| format!("{} {}", problem.code, problem.what)).collect();
            let filled =
                |text: &&str| digests.iter().fold((*text).to_owned(), |text, (name, of)| text.replace(name, of));
            assert_eq!(found, expected.iter().map(filled).collect(), "{sql}");
        }
    }
}

#[tokio::test]
async fn a_backup_of_a_damaged_house_says_so_and_a_failed_restore_leaves_nothing_behind() {
    let server = Postgres::start();
    let source = Place::sqlite();
    let house = furnished(&source).await;
    let dir = source.config.data_dir.with_file_name("backups");
    let (whole, broken) = (dir.join("whole"), dir.join("broken"));
    // What is not in a backup cannot spoil it.
    source.damage("UPDATE lease SET mailbox_id = 99");
    assert_eq!(house.store.backup(&whole, noon()).await.unwrap().broken, 0);
    // One names octets that are gone, the other has been overwritten.
    source.damage("DELETE FROM raw WHERE sha256 = (SELECT sha256 FROM receipt WHERE id = 2)");
    source.damage("UPDATE receipt SET sha256 = X'01' WHERE id = 3");
    assert_eq!(house.store.backup(&broken, noon()).await.unwrap().broken, 2);
    for target in places(server.as_ref()) {
        let to = &target.config.data_dir;
        for has_key in [false, true] {
            if has_key {
                std::fs::create_dir(to).unwrap();
                std::fs::write(to.join("secret.key"), "a key").unwrap();
            }
            let error = Store::restore(&broken, &target.config, "cli:test", noon()).await.err().unwrap();
            assert_eq!(error.code(), "BACKUP_DAMAGED");
            assert!(error.to_string().contains("tables/receipt.jsonl: line 3"), "{error}");
            assert!(!error.to_string().contains("ann@"), "{error}");
            assert_eq!(to.exists(), has_key);
        }
        let left: Vec<_> = std::fs::read_dir(to).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["secret.key"]);
        let (store, _) = Store::restore(&whole, &target.config, "cli:test", noon()).await.unwrap();
        assert_eq!(store.check().await.unwrap().problems, []);
        if target.config.database != Database::Sqlite {
            // The directory is empty, the database is not.
            let data_dir = to.with_file_name("else").join("where");
            let elsewhere = StoreConfig { data_dir, ..target.config.clone() };
            let error = Store::restore(&whole, &elsewhere, "cli:test", noon()).await.err().unwrap();
            assert_eq!(error.code(), "NOT_EMPTY");
            assert!(!to.with_file_name("else").exists());
        }
    }
}

#[tokio::test]
async fn a_backup_of_the_first_schema_is_restored_without_what_is_no_longer_needed() {
    let source = Place::sqlite();
    let house = furnished(&source).await;
    let dir = tempfile::tempdir().unwrap();
    let backup = dir.path().join("b");
    house.store.backup(&backup, noon()).await.unwrap();
    let path = backup.join("tables/receipt.jsonl");
    let now = std::fs::read_to_string(&path).unwrap();
    let (names, rows) = now.split_once('\n').unwrap();
    let with = |line: &str, more: &str| format!("{}{more}]\n", line.strip_suffix(']').unwrap());
    let mut old = with(names, r#","crashes","suspect","crash_run""#);
    old.extend(rows.lines().map(|row| with(row, r#",2,true,"run 1""#)));
    std::fs::write(&path, &old).unwrap();
    let digest = |text: &str| postroom_mail::Sha256::of(text.as_bytes()).to_string();
    let manifest = std::fs::read_to_string(backup.join("manifest.json")).unwrap();
    std::fs::write(backup.join("manifest.json"), manifest.replace(&digest(&now), &digest(&old))).unwrap();
    let config = StoreConfig::new(dir.path().join("restored"), Database::Sqlite);
    let (store, _) = Store::restore(&backup, &config, "cli:test", noon()).await.unwrap();
    let all = postroom_store::ReceiptFilter::default;
    assert_eq!(store.receipts(all()).await.unwrap(), house.store.receipts(all()).await.unwrap());
    assert_eq!(store.check().await.unwrap().problems, []);
}

#[tokio::test]
async fn a_database_of_the_first_schema_is_brought_to_this_one() {
    on_each_database(|place| async move {
        let house = furnished(&place).await;
        let before = house.store.receipts(postroom_store::ReceiptFilter::default()).await.unwrap();
        drop(house);
        place.sql("ALTER TABLE receipt ADD COLUMN crashes BIGINT NOT NULL DEFAULT 0");
        place.sql("ALTER TABLE receipt ADD COLUMN suspect BOOLEAN NOT NULL DEFAULT TRUE");
        place.sql("ALTER TABLE receipt ADD COLUMN crash_run TEXT");
        place.sql("ALTER TABLE mailbox ADD COLUMN tls_seen BOOLEAN NOT NULL DEFAULT TRUE");
        place.sql("ALTER TABLE trusted_certificate DROP COLUMN not_after");
        place.sql("DROP TABLE tls_host");
        place.sql("DROP TABLE connection");
        place.sql("DELETE FROM migration WHERE number IN (2, 45)");
        let store = Store::open(&place.config).unwrap();
        assert!(store.is_tls_seen("mail.test").await.unwrap(), "what a mailbox saw is known of its host");
        assert!(!store.is_tls_seen("other.test").await.unwrap());
        assert_eq!(store.receipts(postroom_store::ReceiptFilter::default()).await.unwrap(), before);
        assert_eq!(store.check().await.unwrap().problems, []);
    })
    .await;
}
