//! What folders are called on this server: people write `Done`, and it may be `INBOX.Done`.

use super::ImapSession;
use crate::SourceError;
use postroom_mail::imap::{Command, Event, FolderEntry, Namespace, Status, encode_folder};

impl ImapSession {
    /// The name on the wire of a folder that is there: as it is written, or where this server keeps the folders of a user.
    pub(super) async fn find_folder(&mut self, name: &str) -> Result<Option<String>, SourceError> {
        // RFC 9051 §5.1: INBOX is always there, and outside of all namespaces.
        if name.eq_ignore_ascii_case("INBOX") {
            return Ok(Some("INBOX".to_owned()));
        }
        if let Some(known) = self.names.get(name) {
            return Ok(Some(known.clone()));
        }
        let mut found = self.look_up(&encode_folder(name)).await?;
        if found.is_none() {
            for candidate in self.namespace().await?.candidates(name).into_iter().skip(1) {
                if found.is_none() {
                    found = self.look_up(&candidate).await?;
                }
            }
        }
        if let Some(found) = &found {
            self.names.insert(name.to_owned(), found.clone());
        }
        Ok(found)
    }

    /// What a folder that is not there would be called if it were made.
    pub(super) async fn name_of_new_folder(&mut self, name: &str) -> Result<String, SourceError> {
        let mut candidates = self.namespace().await?.candidates(name);
        Ok(candidates.pop().unwrap_or_else(|| encode_folder(name)))
    }

    /// Whether mail is read from the folder of this name on the wire.
    pub(super) async fn is_read(&mut self, wire_name: &str) -> Result<bool, SourceError> {
        for folder in self.folders.clone() {
            if self.find_folder(&folder).await?.is_some_and(|read| read == wire_name) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The folder of this name on the wire, if it can be selected; named as the server does.
    async fn look_up(&mut self, wire_name: &str) -> Result<Option<String>, SourceError> {
        // A name may have wildcards in it, so others may be listed as well.
        let entries = self.list_folders(wire_name).await?;
        let is_it = |entry: &FolderEntry| entry.selectable && is_same(&entry.name, wire_name);
        Ok(entries.into_iter().find(is_it).map(|entry| entry.name))
    }

    /// Where the folders of this user stand; asked for once.
    async fn namespace(&mut self) -> Result<Namespace, SourceError> {
        if let Some(namespace) = &self.namespace {
            return Ok(namespace.clone());
        }
        let mut found = None;
        if self.has("NAMESPACE").await? {
            let tag = self.send(&Command::Namespace).await?;
            loop {
                match self.next("looking for the folder").await? {
                    Event::Namespace(namespace) => found = namespace,
                    Event::Done { tag: done, .. } if done == tag => break,
                    _ => {}
                }
            }
        }
        let namespace = match found {
            Some(namespace) => namespace,
            None => {
                // RFC 9051 §6.3.9.4: an empty name asks for the separator alone.
                let root = self.list_folders("").await?.into_iter().next();
                Namespace { prefix: String::new(), separator: root.and_then(|root| root.separator) }
            }
        };
        Ok(self.namespace.insert(namespace).clone())
    }

    async fn list_folders(&mut self, pattern: &str) -> Result<Vec<FolderEntry>, SourceError> {
        let tag = self.send(&Command::List { pattern }).await?;
        let mut entries = Vec::new();
        loop {
            match self.next("looking for the folder").await? {
                Event::Folder(entry) => entries.push(entry),
                Event::Done { tag: done, line } if done == tag => {
                    // A server that refuses to say whether a folder is there may still have it.
                    return Ok(if line.status == Status::Ok { entries } else { Vec::new() });
                }
                _ => {}
            }
            if entries.len() > MOST_FOLDERS {
                return Err(self.protocol_error("it lists folders without end"));
            }
        }
    }
}

/// Most folders that a name with wildcards in it may stand for.
const MOST_FOLDERS: usize = 10_000;

/// Whether two names are the same folder: the part INBOX is the same whatever its case.
fn is_same(one: &str, other: &str) -> bool {
    let is_below_inbox = |name: &str| name.get(..5).is_some_and(|part| part.eq_ignore_ascii_case("INBOX"));
    one == other || (is_below_inbox(one) && is_below_inbox(other) && one[5..] == other[5..])
}
