//! Trouble: databases from elsewhere, servers that lose data, full disks, several processes.

use crate::child::{command, prepared};
use crate::support::*;
use postroom_domain::ReceiptState;
use postroom_store::{Database, Holder, ItemFilter, OutcomeKind, ReceiptFilter, Store, StoreConfig};
use postroom_testkit::postgres::Postgres;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

#[tokio::test]
async fn a_server_that_would_lose_data_is_refused() {
    for setting in ["fsync=off", "synchronous_commit=off"] {
        let Some(server) = Postgres::start_with(&[setting]) else { return };
        let dir = tempfile::tempdir().unwrap();
        let config = StoreConfig::new(dir.path(), Database::Postgres(server.new_database().unwrap()));
        assert_eq!(Store::open(&config).err().unwrap().code(), "DATABASE_NOT_DURABLE", "{setting}");
    }
}

#[tokio::test]
async fn databases_that_are_not_ours_are_refused() {
    let place = Place::sqlite();
    drop(place.open());
    let path = place.config.data_dir.join("postroom.sqlite3");
    for (private, mode) in [(&place.config.data_dir, 0o700), (&path, 0o600)] {
        assert_eq!(std::fs::metadata(private).unwrap().permissions().mode() & 0o777, mode);
    }
    let sqlite = |sql: &str| rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    sqlite("INSERT INTO migration VALUES (999, 'x', 0)");
    assert_eq!(Store::open(&place.config).err().unwrap().code(), "DATABASE_NEWER");
    sqlite("DELETE FROM migration WHERE number = 999; UPDATE migration SET checksum = 'other'");
    assert_eq!(Store::open(&place.config).err().unwrap().code(), "DATABASE_SCHEMA_DIFFERS");
    std::fs::write(&path, b"this is no database, it only has the name of one, and is long enough to be looked at")
        .unwrap();
    assert_eq!(Store::open(&place.config).err().unwrap().code(), "DATABASE_DAMAGED");

    let nowhere = StoreConfig::new("/proc/nowhere", Database::Sqlite);
    assert_eq!(Store::open(&nowhere).err().unwrap().code(), "DATA_DIR_UNWRITABLE");
    let dir = tempfile::tempdir().unwrap();
    let refused = StoreConfig::new(dir.path(), Database::Postgres("postgres://nobody@127.0.0.1:1/x".into()));
    assert_eq!(Store::open(&refused).err().unwrap().code(), "DATABASE_UNREACHABLE");
}

#[tokio::test]
async fn what_others_could_read_is_closed_to_them() {
    let place = Place::sqlite();
    let dir = &place.config.data_dir;
    let set = |path: &Path, mode| std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    // Somebody made the directory, for everybody to read.
    std::fs::create_dir(dir).unwrap();
    set(dir, 0o755);
    let database = ["postroom.sqlite3", "postroom.sqlite3-wal", "postroom.sqlite3-shm"].map(|name| dir.join(name));
    let large = "l".repeat(postroom_store::BORDER + 1);
    let digest = raw(&large).sha256().to_string();
    let (raw_dir, shelf) = (dir.join("raw"), dir.join("raw").join(&digest[..2]));
    let file = shelf.join(&digest);
    let all_private = || {
        database.iter().chain([&file]).for_each(|path| assert_eq!(mode(path), 0o600, "{}", path.display()));
        [&raw_dir, &shelf].into_iter().for_each(|path| assert_eq!(mode(path), 0o700, "{}", path.display()));
    };
    let house = House::usual(&place).await;
    house.accept(&[(1, &large)]).await;
    all_private();
    assert_eq!(mode(dir), 0o755, "this is the business of whoever made it");

    // A copy, or an older version, left them readable.
    database.iter().chain([&file]).for_each(|path| set(path, 0o644));
    [&raw_dir, &shelf].into_iter().for_each(|path| set(path, 0o755));
    let second = place.open();
    all_private();
    assert_eq!(second.check().await.unwrap().problems, []);

    // Restoring does not bring back what the backup's files were.
    let backup = place.config.data_dir.parent().unwrap().join("backup");
    second.backup(&backup, noon()).await.unwrap();
    set(&backup.join("raw").join(&digest[..2]).join(&digest), 0o644);
    let restored = StoreConfig::new(backup.with_file_name("restored"), Database::Sqlite);
    Store::restore(&backup, &restored, "cli:test", noon()).await.unwrap();
    assert_eq!(mode(&restored.data_dir.join("raw").join(&digest[..2]).join(&digest)), 0o600);
}

#[tokio::test]
async fn a_full_disk_loses_nothing() {
    let place = prepared().await;
    // Files of at most 4 MB; a write beyond that fails instead of killing the process.
    let child = command("fill", &place.config.data_dir, "trap '' XFSZ; ulimit -f 8000").output().unwrap();
    let out = String::from_utf8_lossy(&child.stdout).into_owned();
    assert!(child.status.success(), "{out}{}", String::from_utf8_lossy(&child.stderr));
    let accepted = out.lines().find_map(|line| line.split("accepted ").nth(1)?.trim().parse::<usize>().ok()).unwrap();

    // With room again everything is as it was, and the rest follows.
    let store = place.open();
    assert_eq!(store.receipts(Default::default()).await.unwrap().len(), accepted);
    let report = store.check().await.unwrap();
    assert_eq!((report.problems, report.raw), (vec![], accepted as u64));
    let mailbox = store.mailbox("desk").await.unwrap();
    let me = Holder::current();
    let lease = lease(&store, &mailbox, &me).await;
    let large = fetched(uid(7, 1000), &"y".repeat(9_000_000));
    let done = store.accept(&lease, vec![large], &me, noon()).await.unwrap();
    assert_eq!(done.claimed.len(), 1);
    assert!(no_temporary_files(&place.config.data_dir));
}

fn no_temporary_files(dir: &std::path::Path) -> bool {
    std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).all(|path| {
        if path.is_dir() {
            no_temporary_files(&path)
        } else {
            path.extension().is_none_or(|extension| extension != "tmp")
        }
    })
}

#[tokio::test]
async fn several_processes_work_on_one_database() {
    let place = prepared().await;
    let start = |name: &str| command(&format!("push {name}"), &place.config.data_dir, "true").spawn().unwrap();
    let children = [start("a"), start("b"), start("c")];
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let store = place.open();
    let receipts = store.receipts(ReceiptFilter { limit: 1000, ..ReceiptFilter::default() }).await.unwrap();
    assert_eq!(receipts.len(), 20 + 3 * 20);
    assert!(receipts.iter().all(|receipt| receipt.state == ReceiptState::Filed));
    let items = store.items(ItemFilter { limit: 1000, ..ItemFilter::default() }).await.unwrap();
    assert_eq!(items.len(), receipts.len());
    assert_eq!(store.check().await.unwrap().problems, []);
}

#[tokio::test]
async fn verbs_that_share_a_commit_do_not_harm_each_other() {
    on_each_database(|place| async move {
        let store = place.open();
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..120 {
            let store = store.clone();
            // Every third fails, because its workspace exists already.
            let name = if n % 3 == 0 { key("SAME") } else { key(&format!("W{n}")) };
            tasks.spawn(async move {
                store.add_workspace(&name, "name", false, noon()).await.map_err(|error| error.code())
            });
        }
        let results = tasks.join_all().await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 81);
        assert!(results.iter().all(|result| matches!(result, Ok(_) | Err("WORKSPACE_EXISTS"))));
        assert_eq!(store.workspaces().await.unwrap().len(), 81);
    })
    .await;
}

#[tokio::test]
async fn a_lost_connection_is_made_again() {
    let Some(server) = Postgres::start() else { return };
    let place = Place::postgres(&server);
    let house = House::usual(&place).await;
    let Database::Postgres(url) = &place.config.database else { panic!("not PostgreSQL") };
    for n in 1..4 {
        let all = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'postroom'";
        server.sql(url, all).unwrap();
        let text = format!("text {n}");
        assert_eq!(house.take(n, message("ann@example.org", "s", &text)).await.kind, OutcomeKind::Item(n.into()));
    }
    drop(server);
    let error = house.store.items(ItemFilter::default()).await.unwrap_err();
    assert_eq!((error.code(), error.remedy()), ("DATABASE_UNREACHABLE", postroom_store::Remedy::RetryLater));
}
