//! A Maildir of this machine as a mailbox: `new` and `cur`, flags behind `:2,`, subfolders as Maildir++ names them.

mod file;
mod settle;

use crate::SourceError;
use crate::limits::{Budget, Limits};
use crate::session::{Fetched, Folder, Outcome};
use file::{File, Files};
pub(crate) use file::{open_regular, read_file};
use postroom_mail::{Listed, RemoteId, Settlement};
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

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
        let exists = blocking(&self.path, Files::scan).await?.count();
        Ok(Folder { exists: u32::try_from(exists).ok(), ..Folder::default() })
    }

    /// All messages of `new` and `cur`, by name.
    ///
    /// # Errors
    /// `MAILDIR_UNREADABLE`.
    pub async fn list(&mut self) -> Result<Vec<Listed>, SourceError> {
        let files = blocking(&self.path, Files::scan).await?;
        Ok(files
            .all()
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
        let mut files = blocking(&self.path, Files::scan).await?;
        for listed in wanted {
            let permit = budget.take(listed.size.min(self.max_message)).await;
            let name = name_of(&listed.id);
            let mut outcome = self.read(files.find(name)).await;
            if outcome == Outcome::Vanished {
                files = blocking(&self.path, Files::scan).await?;
                outcome = self.read(files.find(name)).await;
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
                Settlement::MoveTo(folder) => Some(settle::subfolder(path, folder)?),
                _ => None,
            };
            let files = Files::scan(path)?;
            for file in ids.iter().filter_map(|id| files.find(name_of(id))) {
                settle::settle(path, file, &how, target.as_deref())?;
            }
            Ok(ids)
        })
        .await
    }
}

/// The name of the message; empty for an id that is none of a Maildir, which matches no file.
fn name_of(id: &RemoteId) -> &str {
    match id {
        RemoteId::Maildir { name } => name,
        _ => "",
    }
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
