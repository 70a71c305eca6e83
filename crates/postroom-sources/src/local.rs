//! Mail files of this machine for `import`: an .eml, an mbox, a Maildir, or a directory of such files.

use crate::maildir::{open_regular, read_file};
use crate::mbox::{self, Mbox};
use crate::session::Outcome;
use crate::{Limits, SourceError};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, Seek as _};
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
    /// Whether one file was named, which then must be readable; one of many that is not is only an outcome.
    alone: bool,
    open: Option<(PathBuf, u64, Mbox<BufReader<File>>)>,
    limit: u64,
}

/// Finds the mail files at `path`: a file is an mbox when it begins with a `From …` line and is not called .eml, else one
/// message;
/// a Maildir gives what is in `new` and `cur`; any other directory its .eml and .mbox files.
///
/// # Errors
/// `FILE_UNREADABLE` when the path cannot be read, is neither a file nor a directory, or has no mail in it.
pub fn messages(path: &Path, limits: &Limits) -> Result<Messages, SourceError> {
    let failed = |error: std::io::Error| unreadable(path, &error.to_string());
    let kind = std::fs::metadata(path).map_err(failed)?;
    let files = if kind.is_dir() { files_in(path).map_err(failed)? } else { VecDeque::from([path.to_owned()]) };
    if !kind.is_dir() && !kind.is_file() {
        // What a pipe gives can be read only once, and whether it is an mbox shows only when it is read.
        return Err(unreadable(path, "it is no regular file; store what it gives in a file first"));
    }
    if files.is_empty() {
        return Err(unreadable(path, "there is no mail in it"));
    }
    Ok(Messages { files, alone: !kind.is_dir(), open: None, limit: limits.max_message })
}

impl Messages {
    /// Files that were not begun yet, for a progress display.
    pub fn files_left(&self) -> usize {
        self.files.len()
    }
}

fn files_in(path: &Path) -> std::io::Result<VecDeque<PathBuf>> {
    let is_maildir = path.join("new").is_dir() && path.join("cur").is_dir();
    let directories = if is_maildir { vec![path.join("new"), path.join("cur")] } else { vec![path.to_owned()] };
    let mut files = Vec::new();
    for directory in directories {
        for entry in std::fs::read_dir(directory)? {
            let entry = entry?;
            let file = entry.path();
            let is_mail = is_maildir || has_extension(&file, "eml") || has_extension(&file, "mbox");
            let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
            // What cannot even be looked at is kept, so that it is named as skipped.
            let is_other = std::fs::metadata(&file).is_ok_and(|metadata| !metadata.is_file());
            if is_mail && !is_hidden && !is_other {
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

impl Messages {
    /// The next message of the mbox that is open. After an error there is no further one in it.
    fn next_of_mbox(&mut self) -> Option<Result<LocalMessage, SourceError>> {
        let (path, number, mbox) = self.open.as_mut()?;
        *number += 1;
        let origin = format!("{}#{number}", path.display());
        let Some(next) = mbox.next() else {
            self.open = None;
            return None;
        };
        let path = path.clone();
        Some(
            next.map(|outcome| LocalMessage { origin: origin.clone(), outcome })
                .or_else(|error| self.failed(&path, origin, &error)),
        )
    }

    /// What a file that cannot be read means: an error if it was the one that was named, else one message less.
    fn failed(&self, path: &Path, origin: String, error: &std::io::Error) -> Result<LocalMessage, SourceError> {
        if self.alone {
            return Err(unreadable(path, &error.to_string()));
        }
        Ok(LocalMessage { origin, outcome: Outcome::Unfetchable(error.to_string()) })
    }

    /// Begins a file: `None` if it is an mbox, which is open then, else the one message that it is.
    fn begin(&mut self, path: &Path) -> std::io::Result<Option<Outcome>> {
        let mut file = BufReader::new(open_regular(path)?);
        if has_extension(path, "eml") || !mbox::is_mbox(&mut file)? {
            return Ok(Some(read_file(path, self.limit)));
        }
        file.rewind()?;
        self.open = Some((path.to_owned(), 0, Mbox::new(file, self.limit)));
        Ok(None)
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
            let origin = path.display().to_string();
            match self.begin(&path) {
                Err(error) => return Some(self.failed(&path, origin, &error)),
                Ok(None) => {}
                Ok(Some(outcome)) => return Some(Ok(LocalMessage { origin, outcome })),
            }
        }
    }
}

#[cfg(test)]
mod tests;
