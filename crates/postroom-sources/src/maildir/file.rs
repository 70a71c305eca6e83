//! The message files of a Maildir, and the names under which they are known for ever.
//!
//! A file name alone does not name a message: programs do use one again. So a name is the unique part of the file name,
//! `@`, and the file's modification time in microseconds, which moving it from `new` to `cur` and setting flags leave
//! alone. Where two files have even that in common, `~` and the inode tell them apart.

use super::unreadable;
use crate::SourceError;
use crate::session::Outcome;
use jiff::Timestamp;
use postroom_mail::RawMessage;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// What divides the unique part of a file name from its flags.
pub(super) const FLAGS: &[u8] = b":2,";

/// Stands, with a number, at the end of a unique part that had to be changed because the name was taken in `cur`. It is
/// no part of the message's name, so that the message is not taken for a new one.
const RENAMED: &str = ",postroom=";

/// A message file as found.
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) size: u64,
    pub(super) modified: Option<Timestamp>,
    /// Device and inode of the directory entry.
    inode: (u64, u64),
}

impl File {
    /// What stands before the flags, without what we have added to it.
    pub(super) fn unique(&self) -> &[u8] {
        without_renamed(split_flags(self.file_name()).0)
    }

    /// The flags, in the order in which they stand.
    pub(super) fn flags(&self) -> &[u8] {
        split_flags(self.file_name()).1
    }

    pub(super) fn file_name(&self) -> &[u8] {
        self.path.file_name().unwrap_or_default().as_bytes()
    }
}

/// Unique part and flags of a file name; no flags where there is no flags part.
fn split_flags(file_name: &[u8]) -> (&[u8], &[u8]) {
    match file_name.windows(FLAGS.len()).position(|window| window == FLAGS) {
        Some(at) => (&file_name[..at], &file_name[at + FLAGS.len()..]),
        None => (file_name, &[]),
    }
}

/// The unique part with a number of ours, for when it is taken.
pub(super) fn renamed(unique: &[u8], number: u32) -> Vec<u8> {
    [unique, RENAMED.as_bytes(), number.to_string().as_bytes()].concat()
}

fn without_renamed(unique: &[u8]) -> &[u8] {
    let digits = unique.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    match unique[..unique.len() - digits].strip_suffix(RENAMED.as_bytes()) {
        Some(before) if digits > 0 => before,
        _ => unique,
    }
}

/// The message files of `new` and `cur` as one look found them.
#[derive(Default)]
pub(super) struct Files {
    /// By unique part and modification time; hardly ever more than one.
    found: BTreeMap<String, Vec<File>>,
}

impl Files {
    /// Looks into `new` and `cur`. Files that begin with a dot are no messages, nor is anything but a regular file or a
    /// symbolic link to one.
    pub(super) fn scan(maildir: &Path) -> Result<Self, SourceError> {
        let mut files = Self::default();
        for sub in ["new", "cur"] {
            for entry in std::fs::read_dir(maildir.join(sub)).map_err(|e| unreadable(maildir, &e))? {
                files.add(&entry.map_err(|e| unreadable(maildir, &e))?);
            }
        }
        // Which of two comes first must not depend on the order of a directory.
        files.found.values_mut().for_each(|same| same.sort_by_key(|file| file.inode));
        Ok(files)
    }

    fn add(&mut self, entry: &std::fs::DirEntry) {
        // A file that vanishes here was moved or removed by another program: the next visit sees where it went.
        let (Ok(link), Ok(target)) = (entry.metadata(), std::fs::metadata(entry.path())) else { return };
        if entry.file_name().as_bytes().starts_with(b".") || !target.is_file() {
            return;
        }
        let modified = target.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
        let inode = (link.dev(), link.ino());
        let file = File { path: entry.path(), size: target.len(), modified, inode };
        let microseconds = target.mtime().saturating_mul(1_000_000).saturating_add(target.mtime_nsec() / 1_000);
        let same = self.found.entry(format!("{}@{microseconds}", escaped(file.unique()))).or_default();
        // Seen in `new`, and once more in `cur`, where it was moved meanwhile: one message.
        same.retain(|other| other.inode != inode);
        same.push(file);
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.found.values().map(Vec::len).sum()
    }

    /// All files with their names, in the order of the names.
    pub(super) fn all(&self) -> impl Iterator<Item = (String, &File)> {
        self.found.iter().flat_map(|(name, same)| {
            same.iter().map(move |file| {
                let name = if same.len() == 1 { name.clone() } else { format!("{name}~{}", file.inode.1) };
                (name, file)
            })
        })
    }

    /// The file of this name. A name that fits two files fits none, so that the wrong one is never touched.
    pub(super) fn find(&self, name: &str) -> Option<&File> {
        let (unique, rest) = name.rsplit_once('@')?;
        let Some((microseconds, inode)) = rest.split_once('~') else {
            return match self.found.get(name)?.as_slice() {
                [file] => Some(file),
                _ => None,
            };
        };
        let inode: u64 = inode.parse().ok()?;
        self.found.get(&format!("{unique}@{microseconds}"))?.iter().find(|file| file.inode.1 == inode)
    }
}

/// Printable ASCII as it is, every other octet and `%` itself as `%XX`, so that two names never become one.
fn escaped(name: &[u8]) -> String {
    name.iter().fold(String::with_capacity(name.len()), |mut text, &b| {
        match b {
            b'%' | ..=32 | 127.. => text.push_str(&format!("%{b:02X}")),
            _ => text.push(char::from(b)),
        }
        text
    })
}

/// Reads a whole regular file, but never more than `limit` octets of it.
pub(crate) fn read_file(path: &Path, limit: u64) -> Outcome {
    let file = match open_regular(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Outcome::Vanished,
        Err(error) => return Outcome::Unfetchable(error.to_string()),
    };
    let mut octets = Vec::new();
    match file.take(limit.saturating_add(1)).read_to_end(&mut octets) {
        Ok(size) if size as u64 > limit => Outcome::TooLarge { announced: size as u64 },
        Ok(_) => Outcome::Message(RawMessage::new(octets)),
        Err(error) => Outcome::Unfetchable(error.to_string()),
    }
}

/// Opens a file for reading, and nothing that would make us wait, whatever has come to stand at its name meanwhile.
///
/// # Errors
/// Those of the system, and `InvalidInput` for what is no regular file.
pub(crate) fn open_regular(path: &Path) -> std::io::Result<std::fs::File> {
    let opened = rustix::fs::open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty());
    let file = std::fs::File::from(opened.map_err(|error: Errno| std::io::Error::from(error))?);
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    Ok(file)
}
