//! A Maildir of this machine as a mailbox: `new` and `cur`, flags behind `:2,`, subfolders as Maildir++ names them.

use crate::SourceError;
use crate::limits::{Budget, Limits};
use crate::session::{Fetched, Folder, Outcome};
use jiff::Timestamp;
use postroom_mail::{Listed, RawMessage, RemoteId, Settlement};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

/// What divides the unique name of a file from its flags.
const FLAGS: &str = ":2,";

/// One visit to a Maildir. Each step runs on the blocking pool, since a disk may be slow or far away.
pub struct MaildirSession {
    path: PathBuf,
    max_message: u64,
}

impl MaildirSession {
    /// Looks whether there is a Maildir at `path`.
    ///
    /// # Errors
    /// `MAILDIR_MISSING` unless it has `new` and `cur` in it.
    pub async fn open(path: &Path, limits: &Limits) -> Result<Self, SourceError> {
        let session = Self { path: path.to_owned(), max_message: limits.max_message };
        blocking(&session.path, |path| {
            let is_maildir = ["new", "cur"].iter().all(|sub| path.join(sub).is_dir());
            if is_maildir { Ok(()) } else { Err(SourceError::MaildirMissing { path: path.display().to_string() }) }
        })
        .await?;
        Ok(session)
    }

    /// Counts the messages.
    ///
    /// # Errors
    /// `MAILDIR_UNREADABLE`.
    pub async fn select(&mut self) -> Result<Folder, SourceError> {
        let exists = blocking(&self.path, scan).await?.len();
        Ok(Folder { uid_validity: None, uid_next: None, exists: u32::try_from(exists).ok() })
    }

    /// All messages of `new` and `cur`, by name.
    ///
    /// # Errors
    /// `MAILDIR_UNREADABLE`.
    pub async fn list(&mut self) -> Result<Vec<Listed>, SourceError> {
        let files = blocking(&self.path, scan).await?;
        Ok(files
            .into_iter()
            .map(|(name, file)| Listed { id: RemoteId::Maildir { name }, size: file.size, received_at: file.modified })
            .collect())
    }

    /// Reads these messages from wherever they now are; another program may have moved one from `new` to `cur`.
    ///
    /// # Errors
    /// `MAILDIR_UNREADABLE`, `STOPPED`. A single file that cannot be read is its own outcome.
    pub async fn fetch(
        &mut self,
        wanted: &[Listed],
        budget: &Budget,
        deliver: &mpsc::Sender<Fetched>,
    ) -> Result<(), SourceError> {
        let mut files = blocking(&self.path, scan).await?;
        for listed in wanted {
            let permit = budget.take(listed.size.min(self.max_message)).await;
            let name = name_of(&listed.id);
            let mut outcome = self.read(files.get(name)).await;
            if outcome == Outcome::Vanished {
                files = blocking(&self.path, scan).await?;
                outcome = self.read(files.get(name)).await;
            }
            let fetched = Fetched { listed: listed.clone(), outcome, permit };
            deliver.send(fetched).await.map_err(|_| SourceError::Stopped)?;
        }
        Ok(())
    }

    async fn read(&self, file: Option<&File>) -> Outcome {
        let Some(file) = file else { return Outcome::Vanished };
        if file.size > self.max_message {
            return Outcome::TooLarge { announced: file.size };
        }
        let limit = self.max_message;
        let work = tokio::task::spawn_blocking({
            let path = file.path.clone();
            move || read_file(&path, limit)
        });
        work.await.unwrap_or_else(|_| Outcome::Unfetchable("reading the file failed".into()))
    }

    /// Marks, deletes or moves the files of these messages.
    ///
    /// # Errors
    /// `MAILDIR_UNREADABLE`.
    pub async fn settle(&mut self, ids: &[RemoteId], how: &Settlement) -> Result<Vec<RemoteId>, SourceError> {
        let ids: Vec<RemoteId> = ids.iter().filter(|id| matches!(id, RemoteId::Maildir { .. })).cloned().collect();
        if ids.is_empty() || *how == Settlement::Keep {
            return Ok(ids);
        }
        let how = how.clone();
        blocking(&self.path, move |path| {
            let target = match &how {
                Settlement::MoveTo(folder) => Some(subfolder(path, folder)?),
                _ => None,
            };
            let files = scan(path)?;
            for file in ids.iter().filter_map(|id| files.get(name_of(id))) {
                settle_file(path, file, &how, target.as_deref())?;
            }
            Ok(ids)
        })
        .await
    }
}

/// A message file as found.
struct File {
    path: PathBuf,
    size: u64,
    modified: Option<Timestamp>,
}

/// The unique part of the name; empty for an id that is none of a Maildir, which matches no file.
fn name_of(id: &RemoteId) -> &str {
    match id {
        RemoteId::Maildir { name } => name,
        _ => "",
    }
}

/// The message files of `new` and `cur` by their unique names. Files that begin with a dot are no messages.
fn scan(path: &Path) -> Result<BTreeMap<String, File>, SourceError> {
    let mut files = BTreeMap::new();
    for sub in ["new", "cur"] {
        let entries = std::fs::read_dir(path.join(sub)).map_err(|e| unreadable(path, &e))?;
        for entry in entries {
            let entry = entry.map_err(|e| unreadable(path, &e))?;
            let file_name = entry.file_name().to_string_lossy().into_owned();
            // A file that vanishes here was moved or removed by another program: the next visit sees where it went.
            let Ok(metadata) = entry.metadata() else { continue };
            if file_name.starts_with('.') || !metadata.is_file() {
                continue;
            }
            let name = file_name.split(FLAGS).next().unwrap_or_default().to_owned();
            let modified = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
            files.insert(name, File { path: entry.path(), size: metadata.len(), modified });
        }
    }
    Ok(files)
}

/// Reads a whole file, but never more than `limit` octets of it.
pub(crate) fn read_file(path: &Path, limit: u64) -> Outcome {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Outcome::Vanished,
        Err(error) => return Outcome::Unfetchable(error.to_string()),
    };
    let mut octets = Vec::new();
    match file.take(limit.saturating_add(1)).read_to_end(&mut octets) {
        Ok(size) if size as u64 > limit => Outcome::TooLarge { announced: size as u64 },
        Ok(_) => Outcome::Message(RawMessage::new(octets)),
        Err(error) => Outcome::Unfetchable(error.to_string()),
    }
}

fn settle_file(maildir: &Path, file: &File, how: &Settlement, target: Option<&Path>) -> Result<(), SourceError> {
    let done = match (how, target) {
        (Settlement::Keep, _) => Ok(()),
        (Settlement::Delete, _) => std::fs::remove_file(&file.path),
        (Settlement::MarkSeen, _) => std::fs::rename(&file.path, maildir.join("cur").join(seen_name(&file.path))),
        (Settlement::MoveTo(_), Some(target)) => {
            std::fs::rename(&file.path, target.join("cur").join(flagged_name(&file.path)))
        }
        (Settlement::MoveTo(_), None) => Ok(()),
    };
    match done {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(unreadable(maildir, &error)),
        // Gone is as good as settled.
        _ => Ok(()),
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The name with a flags part, which every file in `cur` has.
fn flagged_name(path: &Path) -> String {
    let name = file_name(path);
    if name.contains(FLAGS) { name } else { format!("{name}{FLAGS}") }
}

/// The name with the flag S (seen) among its flags, which stand in ASCII order.
fn seen_name(path: &Path) -> String {
    let name = flagged_name(path);
    let (unique, flags) = name.split_once(FLAGS).unwrap_or((&name, ""));
    let mut flags: Vec<char> = flags.chars().chain(['S']).collect();
    flags.sort_unstable();
    flags.dedup();
    format!("{unique}{FLAGS}{}", flags.into_iter().collect::<String>())
}

/// The Maildir++ directory of a folder, made if it is missing. A name never leads out of the Maildir.
fn subfolder(maildir: &Path, folder: &str) -> Result<PathBuf, SourceError> {
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

fn unreadable(path: &Path, error: &std::io::Error) -> SourceError {
    SourceError::MaildirUnreadable { path: path.display().to_string(), detail: error.to_string() }
}

/// Runs `work` where it may block.
async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce(&Path) -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || work(&path)).await.unwrap_or(Err(SourceError::Stopped))
}

#[cfg(test)]
mod tests;
