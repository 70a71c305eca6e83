//! Marking, deleting and moving a message file, without ever writing over another one.

use super::file::{FLAGS, File, renamed};
use super::unreadable;
use crate::SourceError;
use postroom_mail::Settlement;
use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::io::{Error, ErrorKind, Result as IoResult};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// How many names are tried for one message.
const NAMES: u32 = 1_000;

/// Settles one file; `target` is the folder that [`Settlement::MoveTo`] names. A file that is gone is settled.
pub(super) fn settle(maildir: &Path, file: &File, how: &Settlement, target: Option<&Path>) -> Result<(), SourceError> {
    let done = match (how, target) {
        (Settlement::Delete, _) => std::fs::remove_file(&file.path),
        (Settlement::MarkSeen, _) => put(file, &maildir.join("cur"), &seen(file.flags())),
        (Settlement::MoveTo(_), Some(target)) => put(file, &target.join("cur"), file.flags()),
        (Settlement::Keep, _) | (Settlement::MoveTo(_), None) => Ok(()),
    };
    match done {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(unreadable(maildir, &error)),
        _ => Ok(()),
    }
}

/// The Maildir++ directory of a folder, made if it is missing. A name never leads out of the Maildir.
pub(super) fn subfolder(maildir: &Path, folder: &str) -> Result<PathBuf, SourceError> {
    let parts: Vec<&str> = folder.split(['/', '.']).collect();
    if parts.iter().any(|part| part.is_empty() || part.contains(char::is_control)) {
        return Err(SourceError::ArgumentInvalid { what: "folder" });
    }
    let path = maildir.join(format!(".{}", parts.join(".")));
    for sub in ["tmp", "new", "cur"] {
        std::fs::create_dir_all(path.join(sub)).map_err(|e| unreadable(maildir, &e))?;
    }
    Ok(path)
}

/// The flags with S (seen) among them; they stand in ASCII order.
fn seen(flags: &[u8]) -> Vec<u8> {
    let mut flags = [flags, b"S"].concat();
    flags.sort_unstable();
    flags.dedup();
    flags
}

/// Moves a file into `directory` with these flags, under its own name or, where that is taken, under a free one.
fn put(file: &File, directory: &Path, flags: &[u8]) -> IoResult<()> {
    if file.path.parent() == Some(directory) && file.file_name().ends_with(&[FLAGS, flags].concat()) {
        return Ok(());
    }
    for number in 0..NAMES {
        let unique = if number == 0 { file.unique().to_vec() } else { renamed(file.unique(), number) };
        let target = directory.join(OsStr::from_bytes(&[&unique, FLAGS, flags].concat()));
        match move_to_free(&file.path, &target) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            done => return done,
        }
    }
    Err(Error::new(ErrorKind::AlreadyExists, "too many files of one name"))
}

/// Moves a file to a name that is free.
fn move_to_free(from: &Path, to: &Path) -> IoResult<()> {
    // A link that counts from its own directory would lead elsewhere from another one.
    if from.parent() != to.parent() && std::fs::read_link(from).is_ok_and(|target| target.is_relative()) {
        std::os::unix::fs::symlink(std::fs::canonicalize(from)?, to)?;
        return std::fs::remove_file(from);
    }
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some file systems, those of a network above all, cannot rename so.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => link_and_remove(from, to),
        done => Ok(done?),
    }
}

/// The same in two steps. If it ends between them, the file has two names, and one inode by which it is known as one.
pub(super) fn link_and_remove(from: &Path, to: &Path) -> IoResult<()> {
    std::fs::hard_link(from, to)?;
    std::fs::remove_file(from)
}
