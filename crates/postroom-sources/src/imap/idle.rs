//! Waiting for mail: IDLE in the first folder, and a look at the others.

use super::ImapSession;
use crate::session::Purpose;
use crate::{SourceError, stream};
use postroom_mail::imap::{Command, Counts, Event, Tag};
use std::collections::HashMap;

/// What happened while we waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// There are more messages than there were.
    Arrived,
    /// The server waits with us no longer.
    Ended,
}

impl ImapSession {
    /// Whether the server says that it can tell by itself what happens.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn offers_waiting(&mut self) -> Result<bool, SourceError> {
        self.has("IDLE").await
    }

    /// Asks the server to tell by itself what happens in the first folder. `false` where it cannot or will not. The folder is
    /// open to look only, so that waiting changes nothing for other people.
    ///
    /// # Errors
    /// As [`ImapSession::select`].
    // RFC 2177
    pub async fn begin_waiting(&mut self) -> Result<bool, SourceError> {
        if !self.offers_waiting().await? {
            return Ok(false);
        }
        let first = self.first_folder();
        let is_open_to_look = self.selected.as_ref().is_some_and(|s| s.folder == first && s.purpose == Purpose::Look);
        if !is_open_to_look {
            self.select(&first, Purpose::Look).await?;
        }
        let (host, limit) = (self.wire.host.clone(), self.wire.limits.step);
        stream::deadline(&host, "beginning to wait", limit, self.ask_to_idle()).await?
    }

    async fn ask_to_idle(&mut self) -> Result<bool, SourceError> {
        let tag = self.send(&Command::Idle).await?;
        loop {
            match self.next("beginning to wait").await? {
                Event::Idling => {
                    self.idle = Some(tag);
                    return Ok(true);
                }
                Event::Done { tag: done, .. } if done == tag => return Ok(false),
                _ => {}
            }
        }
    }

    /// Waits for the next thing that matters, for as long as it takes. Whoever gives up waiting loses nothing: the next
    /// call goes on where this one was.
    ///
    /// # Errors
    /// `CONNECTION_LOST`, `PROTOCOL_ERROR`.
    pub async fn next_change(&mut self) -> Result<Change, SourceError> {
        loop {
            let before = self.exists();
            match self.conversation.next_event() {
                Err(error) => return Err(self.machine_error(error)),
                Ok(None) => {
                    let octets = self.wire.wait().await?;
                    self.conversation.feed(octets);
                }
                Ok(Some(event)) => {
                    self.count(&event);
                    match event {
                        Event::Exists(_) if self.exists() > before => return Ok(Change::Arrived),
                        Event::Done { tag, .. } if Some(tag) == self.idle => {
                            self.idle = None;
                            return Ok(Change::Ended);
                        }
                        Event::Bye(line) => return Err(self.said_bye(line)),
                        _ => {}
                    }
                }
            }
        }
    }

    /// Ends the waiting. What happened meanwhile is counted by [`ImapSession::exists`]. That the server answers also shows
    /// that the connection still stands.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn end_waiting(&mut self) -> Result<(), SourceError> {
        let Some(tag) = self.idle.take() else { return Ok(()) };
        let (host, limit) = (self.wire.host.clone(), self.wire.limits.step);
        stream::deadline(&host, "the end of waiting", limit, self.finish_idle(tag)).await?
    }

    async fn finish_idle(&mut self, tag: Tag) -> Result<(), SourceError> {
        // What has come already may be the server's own end of it.
        loop {
            match self.conversation.next_event().map_err(|error| self.machine_error(error))? {
                None => break,
                Some(Event::Done { tag: done, .. }) if done == tag => return Ok(()),
                Some(event) => self.count(&event),
            }
        }
        let octets = self.conversation.done().map_err(|error| self.machine_error(error))?;
        self.wire.command(&octets).await?;
        loop {
            if let Event::Done { tag: done, .. } = self.next("the end of waiting").await?
                && done == tag
            {
                return Ok(());
            }
        }
    }

    /// How the other folders are doing, by name. One that the server says nothing about is left out.
    ///
    /// # Errors
    /// Those of the connection.
    // RFC 9051 §6.3.11: not for the folder that is selected.
    pub async fn look_at_others(&mut self) -> Result<HashMap<String, Counts>, SourceError> {
        let mut there: Vec<(String, String)> = Vec::new();
        for folder in self.folders.clone().into_iter().skip(1) {
            there.extend(self.find_folder(&folder).await?.map(|wire_name| (folder, wire_name)));
        }
        let mut asked: Vec<(Tag, String)> = Vec::new();
        for (folder, wire_name) in there {
            asked.push((self.send(&Command::Status { folder: &wire_name }).await?, folder));
        }
        let (mut found, mut last) = (HashMap::new(), None);
        while !asked.is_empty() {
            match self.next("looking at the other folders").await? {
                Event::Counts(counts) => last = Some(counts),
                Event::Done { tag, .. } => {
                    if let Some(at) = asked.iter().position(|(asked, _)| *asked == tag) {
                        let (_, folder) = asked.remove(at);
                        found.extend(last.take().map(|counts| (folder, counts)));
                    }
                }
                _ => {}
            }
        }
        Ok(found)
    }
}
