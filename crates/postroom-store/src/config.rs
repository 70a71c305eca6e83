//! Where the data is.

use crate::files::BORDER;
use crate::holder::{self, IsAlive};
use crate::{StoreError, seal};
use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Where the data is, and how to tell whether another worker lives.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// Directory of the database, the large contents and the key.
    pub data_dir: PathBuf,
    /// Which database.
    pub database: Database,
    /// Tells whether the holder of a lease or claim lives.
    pub is_alive: IsAlive,
    /// Contents of at most so many octets stand in the database, larger ones in files; [`BORDER`] was measured.
    pub border: usize,
}

impl StoreConfig {
    /// The usual configuration, which looks into `/proc` to see whether a holder lives.
    pub fn new(data_dir: impl Into<PathBuf>, database: Database) -> Self {
        Self { data_dir: data_dir.into(), database, is_alive: holder::is_alive, border: BORDER }
    }

    /// Where the key of the sealed passwords is, or will be.
    pub fn key_path(&self) -> PathBuf {
        seal::key_path(&self.data_dir)
    }
}

/// Which database.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// `postroom.sqlite3` in the data directory.
    Sqlite,
    /// A PostgreSQL server: `postgres://user:password@host:port/name?sslmode=require`.
    Postgres(String),
}

impl std::fmt::Debug for Database {
    // The address may have a password in it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "Sqlite",
            Self::Postgres(_) => "Postgres(…)",
        })
    }
}

/// Makes `dir` for this user alone; one that is there already is left as it is.
pub(crate) fn make_private_dir(dir: &Path) -> Result<(), StoreError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|error| StoreError::file(dir, error))
}

/// Makes an empty file for this user alone, or closes one that is there to all others. The directory may have been made by
/// somebody else, for everybody to read.
pub(crate) fn make_private_file(path: &Path) -> Result<(), StoreError> {
    let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    opened.map_err(|error| StoreError::file(path, error))?;
    close_to_others(path).map(drop)
}

/// Takes the permissions on a file or directory from all but its owner; one that is not there is as private as can be.
/// Returns whether others had any.
pub(crate) fn close_to_others(path: &Path) -> Result<bool, StoreError> {
    let mode = match std::fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        read => read.map_err(|error| StoreError::file(path, error))?.permissions().mode(),
    };
    if mode & 0o077 == 0 {
        return Ok(false);
    }
    match std::fs::set_permissions(path, Permissions::from_mode(mode & 0o700)) {
        // Another user owns it and lets us write: then this is that user's business.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            tracing::warn!(path = %path.display(), "others may read this, and only its owner can change that");
        }
        done => done.map_err(|error| StoreError::file(path, error))?,
    }
    Ok(true)
}

/// Runs `work` on a thread of its own: the PostgreSQL driver blocks inside a runtime of its own, and must not be called
/// from inside another.
pub(crate) fn on_own_thread<T: Send>(work: impl FnOnce() -> Result<T, StoreError> + Send) -> Result<T, StoreError> {
    std::thread::scope(|scope| {
        scope.spawn(work).join().unwrap_or_else(|_| Err(StoreError::Database("opening the database panicked".into())))
    })
}
