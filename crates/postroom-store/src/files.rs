//! Large contents as files: `raw/ab/abcdef…`, named by digest, durable before anything refers to them.

use crate::StoreError;
use crate::config::close_to_others;
use crate::crash::crash_point;
use bytes::Bytes;
use postroom_mail::Sha256;
use std::collections::{BTreeSet, HashSet};
use std::fs::{DirBuilder, DirEntry, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Contents of at most this many octets stand in the database, larger ones in files. See docs/adr/0001-raw-octets.md.
pub const BORDER: usize = 256 * 1024;

/// Files that are written and synced at the same time; more only make the disk seek.
const SYNC_THREADS: usize = 4;

/// The directory of the files.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    root: PathBuf,
    border: usize,
}

impl Files {
    /// Files under `data_dir/raw`, for contents of more than `border` octets.
    pub(crate) fn new(data_dir: &Path, border: usize) -> Self {
        Self { root: data_dir.join("raw"), border }
    }

    /// Whether this content belongs into a file.
    pub(crate) fn takes(&self, octets: &[u8]) -> bool {
        octets.len() > self.border
    }

    /// Where the content with this digest is, or would be.
    pub(crate) fn path(&self, sha256: Sha256) -> PathBuf {
        let digits = sha256.to_string();
        self.root.join(&digits[..2]).join(&digits)
    }

    /// Writes those of `contents` that are large, and returns once they will survive a power cut.
    ///
    /// # Errors
    /// `DATABASE_FULL`, `DATA_DIR_UNWRITABLE`. A file whose sync or close failed is abandoned: its name was never given.
    pub(crate) fn write_large(&self, contents: &[(Sha256, Bytes)]) -> Result<(), StoreError> {
        let mut seen = BTreeSet::new();
        let large: Vec<_> =
            contents.iter().filter(|(sha256, octets)| self.takes(octets) && seen.insert(*sha256)).collect();
        if large.is_empty() {
            return Ok(());
        }
        let dirs = self.make_dirs(large.iter().map(|(sha256, _)| *sha256))?;
        let share = large.len().div_ceil(SYNC_THREADS);
        std::thread::scope(|scope| {
            let threads: Vec<_> = large
                .chunks(share)
                .map(|chunk| {
                    scope.spawn(move || chunk.iter().try_for_each(|(sha256, octets)| self.write(*sha256, octets)))
                })
                .collect();
            threads.into_iter().try_for_each(|thread| {
                thread.join().unwrap_or_else(|_| Err(StoreError::Database("writing a file panicked".into())))
            })
        })?;
        dirs.iter().try_for_each(|dir| sync_dir(dir))?;
        crash_point!("store.raw.dir_synced");
        Ok(())
    }

    fn make_dirs(&self, digests: impl Iterator<Item = Sha256>) -> Result<BTreeSet<PathBuf>, StoreError> {
        let mut dirs = BTreeSet::new();
        let mut is_new = false;
        for sha256 in digests {
            let path = self.path(sha256);
            // The path was made by joining two names to the root, so it has a parent.
            let dir = path.parent().unwrap_or(&self.root);
            if dirs.insert(dir.to_owned()) && !dir.exists() {
                DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(dir)
                    .map_err(|error| StoreError::file(dir, error))?;
                is_new = true;
            }
        }
        if is_new {
            sync_dir(&self.root)?;
            self.root.parent().map_or(Ok(()), sync_dir)?;
        }
        Ok(dirs)
    }

    fn write(&self, sha256: Sha256, octets: &[u8]) -> Result<(), StoreError> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let path = self.path(sha256);
        if std::fs::metadata(&path).is_ok_and(|there| there.len() == octets.len() as u64) {
            // Named files are whole. Its directory is synced with those of this batch, in case its writer has not yet.
            return Ok(());
        }
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let temporary = path.with_extension(format!("{}-{number}.tmp", std::process::id()));
        let written = write_synced(&temporary, octets).and_then(|()| {
            std::fs::rename(&temporary, &path)?;
            crash_point!("store.raw.file_renamed");
            Ok(())
        });
        if let Err(error) = written {
            // Never synced again on the same descriptor: after a failed fsync the kernel may call lost pages clean.
            let _ = std::fs::remove_file(&temporary);
            return Err(StoreError::file(&path, error));
        }
        Ok(())
    }

    /// Takes the permissions on all files from all but their owner. Others who cannot enter the directory cannot read what
    /// is in it, so only where they could is every file looked at.
    pub(crate) fn close_to_others(&self) -> Result<(), StoreError> {
        if !close_to_others(&self.root)? {
            return Ok(());
        }
        for dir in entries(&self.root)? {
            close_to_others(&dir.path())?;
            if !dir.path().is_dir() {
                continue;
            }
            for file in entries(&dir.path())? {
                close_to_others(&file.path())?;
            }
        }
        Ok(())
    }

    /// How many files there are whose digest is not in `named`, unfinished ones included.
    pub(crate) fn count_others(&self, named: &HashSet<Sha256>) -> Result<u64, StoreError> {
        let mut count = 0;
        for dir in entries(&self.root)? {
            for file in entries(&dir.path())? {
                let digest = file.file_name().to_str().and_then(|name| name.parse::<Sha256>().ok());
                count += u64::from(digest.is_none_or(|digest| !named.contains(&digest)));
            }
        }
        Ok(count)
    }

    /// Writes a large content again that was found in its file before, should it be gone by now: a sweep of deleted octets
    /// may have taken it. To be asked inside the transaction that names it, which no sweep can interrupt.
    pub(crate) fn ensure(&self, sha256: Sha256, octets: &Bytes) -> Result<(), StoreError> {
        if self.takes(octets) && std::fs::metadata(self.path(sha256)).is_err() {
            return self.write_large(&[(sha256, octets.clone())]);
        }
        Ok(())
    }

    /// Removes the content with this digest. One that is not there is no error.
    pub(crate) fn remove(&self, sha256: Sha256) -> Result<(), StoreError> {
        let path = self.path(sha256);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(StoreError::file(&path, error)),
            _ => Ok(()),
        }
    }

    /// The content with this digest, verified.
    ///
    /// # Errors
    /// `RAW_MISSING`, `RAW_DAMAGED`, `DATA_DIR_UNWRITABLE`.
    pub(crate) fn read(&self, sha256: Sha256) -> Result<Bytes, StoreError> {
        let path = self.path(sha256);
        match std::fs::read(&path) {
            Ok(octets) if Sha256::of(&octets) == sha256 => Ok(octets.into()),
            Ok(_) => Err(StoreError::RawDamaged { sha256 }),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(StoreError::RawMissing { sha256 }),
            Err(error) => Err(StoreError::file(&path, error)),
        }
    }
}

/// What is in a directory; nothing if it is not there.
fn entries(dir: &Path) -> Result<Vec<DirEntry>, StoreError> {
    match std::fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        listed => listed.map(|entries| entries.flatten().collect()).map_err(|error| StoreError::file(dir, error)),
    }
}

fn write_synced(path: &Path, octets: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(octets)?;
    crash_point!("store.raw.file_written");
    file.sync_data()?;
    crash_point!("store.raw.file_synced");
    Ok(())
}

/// Makes the names in a directory durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| StoreError::file(dir, error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{BORDER, Files};
    use bytes::Bytes;
    use postroom_mail::Sha256;

    #[test]
    fn large_contents_become_files_once_and_are_verified() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::new(dir.path(), BORDER);
        let large = Bytes::from(vec![7; BORDER + 1]);
        let small = Bytes::from(vec![8; BORDER]);
        let (large_sha, small_sha) = (Sha256::of(&large), Sha256::of(&small));
        let contents = [(large_sha, large.clone()), (small_sha, small), (large_sha, large.clone())];
        files.write_large(&contents).unwrap();
        files.write_large(&contents).unwrap();
        assert_eq!(files.read(large_sha).unwrap(), large);
        assert_eq!(files.read(small_sha).unwrap_err().code(), "RAW_MISSING");
        let names: Vec<_> = std::fs::read_dir(files.path(large_sha).parent().unwrap()).unwrap().collect();
        assert_eq!(names.len(), 1, "no temporary file is left");

        std::fs::write(files.path(large_sha), b"other").unwrap();
        assert_eq!(files.read(large_sha).unwrap_err().code(), "RAW_DAMAGED");
    }
}
