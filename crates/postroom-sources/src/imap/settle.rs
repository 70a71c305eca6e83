//! Settling: by UID only, and never a plain EXPUNGE, which would take other people's \Deleted mail with it.

use super::{ImapSession, MAX_SET, refused};
use crate::{Purpose, SourceError};
use postroom_mail::imap::{Command, Flag, Status, uid_sets};
use postroom_mail::{RemoteId, Settlement};

impl ImapSession {
    /// Does `how` to these messages of one folder and returns those that are confirmed. UIDs that are not there any more count
    /// as confirmed (RFC 9051 §6.4.9: they are ignored without an error), and so do names that are given up.
    ///
    /// # Errors
    /// `UIDPLUS_MISSING` after marking them \Deleted, `FOLDER_LOOPS`, `SERVER_REFUSED`, those of the connection.
    pub async fn settle(&mut self, ids: &[RemoteId], how: &Settlement) -> Result<Vec<RemoteId>, SourceError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        // UIDVALIDITY is looked at in this very session: an id of another epoch names somebody else's message by now.
        let purpose = if *how == Settlement::Keep { Purpose::Look } else { Purpose::Settle };
        self.selected_for(ids.iter(), purpose).await?;
        let ours: Vec<(u32, RemoteId)> = ids.iter().filter_map(|id| Some((self.uid_of(id)?, id.clone()))).collect();
        for set in uid_sets(ours.iter().map(|(uid, _)| *uid), MAX_SET) {
            match how {
                Settlement::Keep => {}
                Settlement::MarkSeen => self.flag(&set, Flag::Seen).await?,
                Settlement::Delete => self.delete(&set).await?,
                Settlement::MoveTo(folder) => self.relocate(&set, folder).await?,
            }
        }
        let gone = ids.iter().filter(|id| matches!(id, RemoteId::Gone { .. })).cloned();
        Ok(ours.into_iter().map(|(_, id)| id).chain(gone).collect())
    }

    async fn flag(&mut self, set: &str, flag: Flag) -> Result<(), SourceError> {
        let line = self.run("settling", &Command::UidStore { set, flag }).await?;
        if line.status == Status::Ok { Ok(()) } else { Err(refused("mark messages", line)) }
    }

    // RFC 4315 §2.1
    async fn delete(&mut self, set: &str) -> Result<(), SourceError> {
        self.flag(set, Flag::Deleted).await?;
        if !self.has("UIDPLUS").await? {
            return Err(SourceError::UidplusMissing);
        }
        let line = self.run("settling", &Command::UidExpunge { set }).await?;
        if line.status == Status::Ok { Ok(()) } else { Err(refused("delete messages", line)) }
    }

    /// Moves messages; the folder is made if it is not there.
    async fn relocate(&mut self, set: &str, folder: &str) -> Result<(), SourceError> {
        // RFC 6851; without it COPY and delete, which needs UIDPLUS: a copy that could not be deleted would be made again
        // by every visit.
        let can_move = self.has("MOVE").await?;
        if !can_move && !self.has("UIDPLUS").await? {
            return Err(SourceError::UidplusMissing);
        }
        let found = self.find_folder(folder).await?;
        let folder = match &found {
            // On the server it may be a folder that is read, although the two were not written alike.
            Some(wire_name) if self.is_read(wire_name).await? => {
                return Err(SourceError::FolderLoops { folder: folder.to_owned() });
            }
            Some(wire_name) => wire_name.clone(),
            None => self.make_folder(folder).await?,
        };
        let command = match can_move {
            true => Command::UidMove { set, folder: &folder },
            false => Command::UidCopy { set, folder: &folder },
        };
        let line = self.run("settling", &command).await?;
        if line.status != Status::Ok {
            return Err(refused("move messages", line));
        }
        if can_move { Ok(()) } else { self.delete(set).await }
    }

    /// Makes a folder where this server keeps folders.
    async fn make_folder(&mut self, name: &str) -> Result<String, SourceError> {
        let wire_name = self.name_of_new_folder(name).await?;
        let created = self.run("settling", &Command::Create { folder: &wire_name }).await?;
        let is_there = created.code.as_ref().is_some_and(|code| code.is("ALREADYEXISTS"));
        if created.status != Status::Ok && !is_there {
            return Err(refused("create the folder", created));
        }
        self.names.insert(name.to_owned(), wire_name.clone());
        Ok(wire_name)
    }
}
