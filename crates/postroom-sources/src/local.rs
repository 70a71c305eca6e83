//! Mail files of this machine for `import`: an .eml, an mbox, a Maildir, or a directory of such files.

use crate::maildir::read_file;
use crate::mbox::Mbox;
use crate::session::Outcome;
use crate::{Limits, SourceError};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

/// One message of a file.
#[derive(Debug)]
pub struct LocalMessage {
    /// The file, and for an mbox `#` and the number of the message in it, from 1.
    pub origin: String,
    /// What came; never [`Outcome::Vanished`] for an mbox.
    pub outcome: Outcome,
}

/// The messages below a path, in the order of their names. Memory holds one message at a time.
pub struct Messages {
    files: VecDeque<PathBuf>,
    open: Option<(PathBuf, u64, Mbox<BufReader<File>>)>,
    limit: u64,
}

/// Finds the mail files at `path`: a file is an mbox when it begins with `From ` and is not called .eml, else one message;
/// a Maildir gives what is in `new` and `cur`; any other directory its .eml and .mbox files.
///
/// # Errors
/// `FILE_UNREADABLE` when the path cannot be read or has no mail in it.
pub fn messages(path: &Path, limits: &Limits) -> Result<Messages, SourceError> {
    let files = files_at(path).map_err(|error| unreadable(path, &error.to_string()))?;
    if files.is_empty() {
        return Err(unreadable(path, "there is no mail in it"));
    }
    Ok(Messages { files, open: None, limit: limits.max_message })
}

impl Messages {
    /// Files that were not begun yet, for a progress display.
    pub fn files_left(&self) -> usize {
        self.files.len()
    }
}

fn files_at(path: &Path) -> std::io::Result<VecDeque<PathBuf>> {
    if !std::fs::metadata(path)?.is_dir() {
        return Ok(VecDeque::from([path.to_owned()]));
    }
    let is_maildir = path.join("new").is_dir() && path.join("cur").is_dir();
    let directories = if is_maildir { vec![path.join("new"), path.join("cur")] } else { vec![path.to_owned()] };
    let mut files = Vec::new();
    for directory in directories {
        for entry in std::fs::read_dir(directory)? {
            let entry = entry?;
            let file = entry.path();
            let is_mail = is_maildir || has_extension(&file, "eml") || has_extension(&file, "mbox");
            let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
            if is_mail && !is_hidden && entry.metadata()?.is_file() {
                files.push(file);
            }
        }
    }
    files.sort_unstable();
    Ok(files.into())
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

fn unreadable(path: &Path, detail: &str) -> SourceError {
    SourceError::FileUnreadable { path: path.display().to_string(), detail: detail.to_owned() }
}

fn is_mbox(path: &Path) -> std::io::Result<bool> {
    if has_extension(path, "eml") {
        return Ok(false);
    }
    let mut start = Vec::new();
    File::open(path)?.take(5).read_to_end(&mut start)?;
    Ok(start == b"From ")
}

impl Messages {
    /// The next message of the mbox that is open.
    fn next_of_mbox(&mut self) -> Option<Result<LocalMessage, SourceError>> {
        let (path, number, mbox) = self.open.as_mut()?;
        *number += 1;
        let origin = format!("{}#{number}", path.display());
        let next = mbox.next().map(|outcome| match outcome {
            Ok(outcome) => Ok(LocalMessage { origin, outcome }),
            Err(error) => Err(unreadable(path, &error.to_string())),
        });
        if next.is_none() {
            self.open = None;
        }
        next
    }
}

impl Iterator for Messages {
    type Item = Result<LocalMessage, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(next) = self.next_of_mbox() {
                return Some(next);
            }
            let path = self.files.pop_front()?;
            match is_mbox(&path).and_then(|mbox| Ok((mbox, File::open(&path)?))) {
                Err(error) => return Some(Err(unreadable(&path, &error.to_string()))),
                Ok((true, file)) => self.open = Some((path, 0, Mbox::new(BufReader::new(file), self.limit))),
                Ok((false, _)) => {
                    let outcome = read_file(&path, self.limit);
                    return Some(Ok(LocalMessage { origin: path.display().to_string(), outcome }));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
