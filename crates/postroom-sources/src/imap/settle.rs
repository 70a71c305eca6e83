//! Settling: by UID only, and never a plain EXPUNGE, which would take other people's \Deleted mail with it.

use super::{ImapSession, MAX_SET, refused};
use crate::{Purpose, SourceError};
use postroom_mail::imap::{Command, Flag, Status, uid_sets};
use postroom_mail::{RemoteId, Settlement};

impl ImapSession {
    /// Does `how` to these messages and returns those that are confirmed. UIDs that are not there any more count as
    /// confirmed (RFC 9051 §6.4.9: they are ignored without an error).
    ///
    /// # Errors
    /// `UIDPLUS_MISSING` after marking them \Deleted, `SERVER_REFUSED`, those of the connection.
    pub async fn settle(&mut self, ids: &[RemoteId], how: &Settlement) -> Result<Vec<RemoteId>, SourceError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        // UIDVALIDITY is looked at in this very session: an id of another epoch names somebody else's message by now.
        let selected = self.selected(if *how == Settlement::Keep { Purpose::Look } else { Purpose::Settle }).await?;
        let ours: Vec<(u32, RemoteId)> =
            ids.iter().filter_map(|id| Some((self.uid_of(selected, id)?, id.clone()))).collect();
        for set in uid_sets(ours.iter().map(|(uid, _)| *uid), MAX_SET) {
            match how {
                Settlement::Keep => {}
                Settlement::MarkSeen => self.flag(&set, Flag::Seen).await?,
                Settlement::Delete => self.delete(&set).await?,
                Settlement::MoveTo(folder) => self.relocate(&set, folder).await?,
            }
        }
        Ok(ours.into_iter().map(|(_, id)| id).collect())
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

    /// Moves messages, making the folder on the first try if the server asks for that.
    async fn relocate(&mut self, set: &str, folder: &str) -> Result<(), SourceError> {
        // RFC 6851; without it COPY and delete, which needs UIDPLUS: a copy that could not be deleted would be made again
        // by every visit.
        let can_move = self.has("MOVE").await?;
        if !can_move && !self.has("UIDPLUS").await? {
            return Err(SourceError::UidplusMissing);
        }
        let command = match can_move {
            true => Command::UidMove { set, folder },
            false => Command::UidCopy { set, folder },
        };
        let mut line = self.run("settling", &command).await?;
        let try_create = |code: &postroom_mail::imap::Code| code.is("TRYCREATE") || code.is("NONEXISTENT");
        if line.status == Status::No && line.code.as_ref().is_some_and(try_create) {
            let created = self.run("settling", &Command::Create { folder }).await?;
            if created.status != Status::Ok {
                return Err(refused("create the folder", created));
            }
            line = self.run("settling", &command).await?;
        }
        if line.status != Status::Ok {
            return Err(refused("move messages", line));
        }
        if can_move { Ok(()) } else { self.delete(set).await }
    }

    /// Whether the server can do this. IMAP4rev2 has both extensions in it.
    // RFC 9051 Appendix E
    async fn has(&mut self, extension: &str) -> Result<bool, SourceError> {
        let capabilities = self.ask_capabilities().await?;
        Ok(capabilities.has(extension) || (capabilities.has("IMAP4REV2") && !capabilities.has("IMAP4REV1")))
    }
}
