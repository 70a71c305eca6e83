//! A backup: the tables as of one instant, and the large contents, in a directory of its own.

use crate::check::{IN_FILES, broken_references};
use crate::config::make_private_dir;
use crate::dump::{DigestedFile, FORMAT, MANIFEST, Manifest, ManifestFile, TABLES, Table, columns, to_json};
use crate::files::{Files, sync_dir};
use crate::migrate::NEWEST;
use crate::tx::Param;
use crate::{Store, StoreError, Tx};
use jiff::Timestamp;
use postroom_mail::Sha256;
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What a backup or a restore has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BackupReport {
    /// Rows of all tables.
    pub rows: u64,
    /// Files, the tables included.
    pub files: u64,
    /// Octets of these.
    pub octets: u64,
    /// Rows that are not there although others in the backup name them. Such a backup has all that is left, but it cannot be restored as it is.
    pub broken: u64,
}

impl BackupReport {
    pub(crate) fn of(manifest: &Manifest, broken: u64) -> Self {
        Self {
            broken,
            rows: manifest.rows,
            files: manifest.files.len() as u64,
            octets: manifest.files.iter().map(|file| file.size).sum(),
        }
    }
}

/// Rows read at once. Raw messages in the database are at most [`crate::BORDER`] octets, so a page stays below 16 MiB.
const PAGE: usize = 64;

impl Store {
    /// Writes everything into `dir`, as of one instant, while work goes on. The key of the sealed passwords is not in it;
    /// passwords are, sealed. The backup is whole once this returns, but for what is broken in the data already.
    ///
    /// # Errors
    /// `NOT_EMPTY` when there is something in `dir`; `DATABASE_FULL`, `DATA_DIR_UNWRITABLE`, `RAW_MISSING`, `RAW_DAMAGED`.
    pub async fn backup(&self, dir: &Path, now: Timestamp) -> Result<BackupReport, StoreError> {
        let (dir, files) = (dir.to_owned(), self.files().clone());
        require_empty(&dir, &[])?;
        self.read(move |tx| {
            // Should the transaction be tried again, the first try's files are in the way.
            remove_tables(&dir)?;
            write_backup(tx, &dir, &files, now)
        })
        .await
    }
}

/// Fails unless `dir` is empty or not there; names in `allowed` do not count.
pub(crate) fn require_empty(dir: &Path, allowed: &[&str]) -> Result<(), StoreError> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(StoreError::file(dir, error)),
    };
    let counts = |name: &std::ffi::OsStr| !allowed.iter().any(|allowed| name == *allowed);
    if entries.flatten().any(|entry| counts(&entry.file_name())) {
        return Err(StoreError::NotEmpty { path: dir.to_owned() });
    }
    Ok(())
}

fn remove_tables(dir: &Path) -> Result<(), StoreError> {
    for name in ["tables", "raw"] {
        let path = dir.join(name);
        match std::fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(StoreError::file(&path, error)),
            _ => {}
        }
    }
    Ok(())
}

fn write_backup(tx: &mut Tx<'_>, dir: &Path, files: &Files, now: Timestamp) -> Result<BackupReport, StoreError> {
    if let Tx::Postgres(connection) = tx {
        // SQLite's readers see one instant anyway.
        connection.batch("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")?;
    }
    let tables = dir.join("tables");
    make_private_dir(&tables)?;
    let mut manifest = Manifest { format: FORMAT, schema: NEWEST, made_at: now, rows: 0, files: Vec::new() };
    for table in TABLES {
        let (rows, file) = write_table(tx, table, &tables)?;
        manifest.rows += rows;
        manifest.files.push(file);
    }
    sync_dir(&tables)?;
    copy_large(tx, dir, files, &mut manifest)?;
    sync_dir(dir)?;
    let path = dir.join(MANIFEST);
    let json = serde_json::to_vec_pretty(&manifest).map_err(|error| StoreError::bad_value(error.to_string()))?;
    let written = DigestedFile::create(&path).and_then(|mut file| file.write(&json).map(|()| file));
    written.and_then(|file| file.finish(MANIFEST.to_owned())).map_err(|error| StoreError::file(&path, error))?;
    sync_dir(dir)?;
    dir.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(Ok(()), sync_dir)?;
    let is_kept = |name: &str| TABLES.iter().any(|table| table.name == name);
    let broken = broken_references(tx, is_kept)?.len() as u64;
    if broken > 0 {
        tracing::error!(
            broken,
            "the data names what is not there, so this backup cannot be restored as it is; run `postroom check`"
        );
    }
    Ok(BackupReport::of(&manifest, broken))
}

fn write_table(tx: &mut Tx<'_>, table: &Table, dir: &Path) -> Result<(u64, ManifestFile), StoreError> {
    let name = format!("{}.jsonl", table.name);
    let path = dir.join(&name);
    let failed = |error| StoreError::file(&path, error);
    let mut file = DigestedFile::create(&path).map_err(failed)?;
    let columns = columns(tx, table.name)?;
    let mut line = serde_json::json!(columns).to_string();
    line.push('\n');
    file.write(line.as_bytes()).map_err(failed)?;
    // Where the key stands among the columns: the next page begins after the last one's.
    let places: Vec<usize> =
        table.key.iter().filter_map(|key| columns.iter().position(|column| column == key)).collect();
    let (list, key) = (columns.join(", "), table.key.join(", "));
    let params: Vec<String> = (1..=places.len()).map(|n| format!("?{n}")).collect();
    let first = format!("SELECT {list} FROM {} ORDER BY {key} LIMIT {PAGE}", table.name);
    let next = format!(
        "SELECT {list} FROM {} WHERE ({key}) > ({}) ORDER BY {key} LIMIT {PAGE}",
        table.name,
        params.join(", ")
    );
    let mut count = 0;
    let mut page = tx.query(&first, &[])?;
    while let Some(last) = page.last().cloned() {
        for row in &page {
            let values: Vec<_> = row.0.iter().map(to_json).collect();
            let mut line = serde_json::Value::Array(values).to_string();
            line.push('\n');
            file.write(line.as_bytes()).map_err(failed)?;
            count += 1;
        }
        let after: Vec<Param<'_>> = places.iter().map(|&place| crate::dump::param_of(&last.0[place])).collect();
        page = tx.query(&next, &after)?;
    }
    let file = file.finish(format!("tables/{name}")).map_err(failed)?;
    Ok((count, file))
}

/// Copies the contents that are in files, each verified on its way.
fn copy_large(tx: &mut Tx<'_>, dir: &Path, from: &Files, manifest: &mut Manifest) -> Result<(), StoreError> {
    let to = Files::new(dir, 0);
    let mut dirs: BTreeSet<PathBuf> = BTreeSet::new();
    for mut row in tx.query(IN_FILES, &[])? {
        let sha256: Sha256 = row.sha256(0)?;
        let octets = from.read(sha256)?;
        let path = to.path(sha256);
        let parent = path.parent().unwrap_or(dir);
        if dirs.insert(parent.to_owned()) {
            make_private_dir(parent)?;
        }
        let failed = |error| StoreError::file(&path, error);
        let mut file = DigestedFile::create(&path).map_err(failed)?;
        file.write(&octets).map_err(failed)?;
        let inside = path.strip_prefix(dir).unwrap_or(&path).to_string_lossy().into_owned();
        manifest.files.push(file.finish(inside).map_err(failed)?);
    }
    dirs.iter().try_for_each(|dir| sync_dir(dir))?;
    if dirs.is_empty() { Ok(()) } else { sync_dir(&dir.join("raw")) }
}
