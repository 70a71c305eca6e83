//! A restore: a whole backup into an empty place, with all visits suspended.

use crate::audit::AuditAction;
use crate::backup::{BackupReport, require_empty};
use crate::dump::{FORMAT, MANIFEST, Manifest, RETIRED, TABLES, Table, columns, from_json, param_of};
use crate::error::Cause;
use crate::files::{Files, sync_dir};
use crate::migrate::NEWEST;
use crate::tx::{Param, Value};
use crate::{Database, Store, StoreConfig, StoreError, Tx, config, search};
use jiff::Timestamp;
use postroom_mail::Sha256;
use serde_json::json;
use sha2::Digest as _;
use std::collections::BTreeSet;
use std::fs::{DirBuilder, File, Permissions};
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

impl Store {
    /// Restores the backup in `dir` into an empty data directory and an empty database, of either kind. Every file is
    /// verified before anything is written. All mailboxes are paused afterwards, so that two copies never visit the same
    /// mailbox; `postroom mailbox resume` takes up the visits. The data directory may have the key file in it already. `actor`:
    /// in whose name, as with [`Store::by`]; the store that is returned acts in it too.
    ///
    /// After an error the data directory is as it was.
    ///
    /// # Errors
    /// `BACKUP_DAMAGED`, `NOT_EMPTY`, and those of [`Store::open`].
    pub async fn restore(
        dir: &Path,
        config: &StoreConfig,
        actor: &str,
        now: Timestamp,
    ) -> Result<(Self, BackupReport), StoreError> {
        require_empty(&config.data_dir, &["secret.key"])?;
        let from = dir.to_owned();
        let manifest = on_blocking_thread(move || verified_manifest(&from)).await?;
        // Dropped after the store, which by then has let go of its files.
        let target = Target::claim(&config.data_dir)?;
        let (from, to) = (dir.to_owned(), config.clone());
        let (store, manifest) = on_blocking_thread(move || {
            copy_large(&from, &to.data_dir, &manifest)?;
            Ok((Self::open(&to)?, manifest))
        })
        .await?;
        let (store, report) = (store.by(actor), BackupReport::of(&manifest, 0));
        let dir = dir.to_owned();
        let data_dir = config.data_dir.clone();
        let loaded = store
            .change(now, move |tx, notes| {
                load(tx, &dir, &data_dir, &manifest)?;
                notes.add(AuditAction::DataRestore, "backup", manifest.made_at, json!({ "rows": manifest.rows }));
                Ok(())
            })
            .await;
        // A file of a database in which somebody else has begun to work meanwhile is theirs.
        let is_theirs = matches!(loaded, Err(StoreError::NotEmpty { .. })) && config.database == Database::Sqlite;
        if loaded.is_ok() || is_theirs {
            target.keep();
        }
        loaded.map(|()| (store, report))
    }
}

async fn on_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(StoreError::Database(error.into())))
}

/// The data directory of a restore. Until it is kept, dropping it takes away all that the restore made there.
struct Target {
    dir: PathBuf,
    /// Directories that were not there before, the innermost first.
    made: Vec<PathBuf>,
    is_ours: bool,
}

impl Target {
    /// Makes the directory, and in it that of the large contents: only one restore can, so no other works there.
    fn claim(dir: &Path) -> Result<Self, StoreError> {
        let missing = dir.ancestors().take_while(|dir| !dir.as_os_str().is_empty() && !dir.exists());
        let mut target = Self { dir: dir.to_owned(), made: missing.map(Path::to_owned).collect(), is_ours: false };
        config::make_private_dir(dir)?;
        let large = dir.join("raw");
        match DirBuilder::new().mode(0o700).create(&large) {
            Ok(()) => target.is_ours = true,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(StoreError::NotEmpty { path: dir.to_owned() });
            }
            Err(error) => return Err(StoreError::file(&large, error)),
        }
        Ok(target)
    }

    fn keep(mut self) {
        self.is_ours = false;
        self.made.clear();
    }

    fn clear(&self) -> std::io::Result<()> {
        if self.is_ours {
            std::fs::remove_dir_all(self.dir.join("raw"))?;
            for name in ["postroom.sqlite3", "postroom.sqlite3-wal", "postroom.sqlite3-shm"] {
                match std::fs::remove_file(self.dir.join(name)) {
                    Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
        }
        self.made.iter().try_for_each(std::fs::remove_dir)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Err(error) = self.clear() {
            tracing::error!(path = %self.dir.display(), %error, "what a failed restore left here could not be removed");
        }
    }
}

fn damaged(dir: &Path, what: impl Into<String>) -> StoreError {
    StoreError::BackupDamaged { path: dir.to_owned(), what: what.into() }
}

/// The manifest, once every file it names is there and has its digest.
fn verified_manifest(dir: &Path) -> Result<Manifest, StoreError> {
    let json = std::fs::read(dir.join(MANIFEST)).map_err(|error| damaged(dir, format!("{MANIFEST}: {error}")))?;
    let manifest: Manifest =
        serde_json::from_slice(&json).map_err(|error| damaged(dir, format!("{MANIFEST}: {error}")))?;
    if manifest.format != FORMAT || manifest.schema > NEWEST {
        return Err(StoreError::Newer { found: manifest.schema, known: NEWEST });
    }
    for file in &manifest.files {
        // A manifest names only what lies below it.
        if file.path.split('/').any(|part| part == "..") || file.path.starts_with('/') {
            return Err(damaged(dir, format!("{} is no path of a backup", file.path)));
        }
        let digest =
            digest_of(&dir.join(&file.path)).map_err(|error| damaged(dir, format!("{}: {error}", file.path)))?;
        if digest != file.sha256 {
            return Err(damaged(dir, format!("{} was changed", file.path)));
        }
    }
    Ok(manifest)
}

fn digest_of(path: &Path) -> std::io::Result<Sha256> {
    let mut file = File::open(path)?;
    let mut digest = sha2::Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Sha256::from_bytes(digest.finalize().into())),
            read => digest.update(&buffer[..read]),
        }
    }
}

/// Copies the large contents, durable before the database names them.
fn copy_large(from: &Path, data_dir: &Path, manifest: &Manifest) -> Result<(), StoreError> {
    let files = Files::new(data_dir, 0);
    let mut dirs: BTreeSet<PathBuf> = BTreeSet::new();
    for file in manifest.files.iter().filter(|file| file.path.starts_with("raw/")) {
        let path = files.path(file.sha256);
        let parent = path.parent().unwrap_or(data_dir);
        if dirs.insert(parent.to_owned()) {
            config::make_private_dir(parent)?;
        }
        let copied = std::fs::copy(from.join(&file.path), &path).and_then(|_| {
            // The copy has the permissions of the backup's file, which others may read, or nobody may write.
            std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
            File::open(&path)?.sync_all()
        });
        copied.map_err(|error| StoreError::file(&path, error))?;
    }
    if !dirs.is_empty() {
        dirs.insert(data_dir.join("raw"));
        dirs.insert(data_dir.to_owned());
    }
    dirs.iter().try_for_each(|dir| sync_dir(dir))
}

fn load(tx: &mut Tx<'_>, dir: &Path, target: &Path, manifest: &Manifest) -> Result<(), StoreError> {
    for table in TABLES {
        let mut row = tx.query_one(&format!("SELECT EXISTS (SELECT 1 FROM {})", table.name), &[])?;
        if row.bool(0)? {
            return Err(StoreError::NotEmpty { path: target.to_owned() });
        }
    }
    for table in TABLES {
        let path = format!("tables/{}.jsonl", table.name);
        // A backup of an older schema has not all of them.
        if manifest.schema == NEWEST || manifest.files.iter().any(|file| file.path == path) {
            load_table(tx, table, dir)?;
        }
    }
    if manifest.schema < 46 {
        tx.execute(NEVER_ON_SERVER, &[])?;
    }
    search::rebuild(tx)?;
    tx.execute("UPDATE mailbox SET paused = TRUE", &[])?;
    tx.execute("UPDATE receipt SET claimed_by = NULL, claimed_until = NULL WHERE claimed_by IS NOT NULL", &[]).map(drop)
}

/// Older backups do not say which messages are on their servers. The next visit finds out, but for those that no visit
/// will ever look for.
const NEVER_ON_SERVER: &str = "UPDATE receipt SET on_server = FALSE WHERE remote_id LIKE 'push:%' OR remote_id LIKE 'gone:%' \
     OR (uid IS NOT NULL AND NOT EXISTS (SELECT 1 FROM epoch e WHERE e.mailbox_id = receipt.mailbox_id \
     AND e.folder = receipt.folder AND e.uid_validity = receipt.uid_validity AND e.is_current))";

fn load_table(tx: &mut Tx<'_>, table: &Table, dir: &Path) -> Result<(), StoreError> {
    let name = format!("tables/{}.jsonl", table.name);
    let broken = |what: String| damaged(dir, format!("{name}: {what}"));
    let file = File::open(dir.join(&name)).map_err(|error| broken(error.to_string()))?;
    let mut lines = BufReader::with_capacity(1 << 16, file).lines();
    let header = lines.next().and_then(Result::ok).unwrap_or_default();
    let names: Vec<String> = serde_json::from_str(&header).map_err(|error| broken(error.to_string()))?;
    let known = columns(tx, table.name)?;
    let is_kept = |name: &String| !RETIRED.contains(&(table.name, name.as_str()));
    let kept: Vec<&str> = names.iter().filter(|name| is_kept(name)).map(String::as_str).collect();
    if let Some(stranger) = kept.iter().find(|name| !known.iter().any(|known| known == *name)) {
        return Err(broken(format!("unknown column {stranger}")));
    }
    let params: Vec<String> = (1..=kept.len()).map(|n| format!("?{n}")).collect();
    let sql = format!("INSERT INTO {} ({}) VALUES ({})", table.name, kept.join(", "), params.join(", "));
    // The first line has the names of the columns.
    for (number, line) in (2..).zip(lines) {
        let line = line.map_err(|error| broken(error.to_string()))?;
        let row: Vec<serde_json::Value> = serde_json::from_str(&line).map_err(|error| broken(error.to_string()))?;
        let values: Option<Vec<Value>> = row.iter().map(from_json).collect();
        let values = values.filter(|values| values.len() == names.len());
        let values = values.ok_or_else(|| broken("a row that cannot be read".to_owned()))?;
        let params: Vec<Param<'_>> =
            names.iter().zip(&values).filter(|(name, _)| is_kept(name)).map(|(_, value)| param_of(value)).collect();
        tx.execute(&sql, &params).map_err(|error| match error {
            StoreError::Database(cause) => {
                broken(format!("line {number} does not fit the rest of the backup: {}", reason_of(&cause)))
            }
            other => other,
        })?;
    }
    advance_counter(tx, table)
}

/// Why a database refuses a row, without what is in the row, which PostgreSQL adds as details.
fn reason_of(cause: &Cause) -> String {
    let postgres = cause.downcast_ref::<postgres::Error>().and_then(postgres::Error::as_db_error);
    postgres.map_or_else(|| cause.to_string(), |error| error.message().to_owned())
}

/// Makes new numbers follow the restored ones; SQLite does so by itself.
fn advance_counter(tx: &mut Tx<'_>, table: &Table) -> Result<(), StoreError> {
    let [key @ ("id" | "number")] = table.key else { return Ok(()) };
    if !matches!(tx, Tx::Postgres(_)) {
        return Ok(());
    }
    let sql = format!(
        "SELECT setval(pg_get_serial_sequence('{0}', '{key}'), (SELECT max({key}) FROM {0})) WHERE EXISTS (SELECT 1 FROM {0})",
        table.name
    );
    tx.query(&sql, &[]).map(drop)
}
