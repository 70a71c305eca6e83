//! Trouble: databases from elsewhere, servers that lose data, full disks, several processes.

use crate::support::*;
use postroom_store::{Database, Store, StoreConfig};
use postroom_testkit::postgres::Postgres;

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
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&place.config.data_dir).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o700);
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
