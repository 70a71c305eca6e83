//! Listing: all of a folder, what is new in it, or single messages; with as little as the question needs.

use super::{ImapSession, MAX_SET, refused};
use crate::session::Purpose;
use crate::{SourceError, stream};
use postroom_mail::imap::{Command, Event, Fetch, Found, Status, uid_sets};
use postroom_mail::{Listed, RemoteId};
use std::collections::{BTreeMap, HashMap};

/// How many messages more than announced a listing may have: some come while it is made.
const MORE_LISTED: u32 = 10_000;
/// Most messages of one folder, whatever is announced: their list is in memory.
const MOST_LISTED: u32 = 5_000_000;

/// Longest answer to a search for all UIDs, in octets, that stays well below the longest line that is read.
const MOST_FOUND: u64 = 48 * 1024;
/// What one range of UIDs has at most: `4294967295:4294967295,`.
const RANGE: u64 = 22;

impl ImapSession {
    /// All messages of the selected folder (of the first one, if none is) in ascending order of UID.
    ///
    /// # Errors
    /// `SERVER_REFUSED`, `TIMEOUT` after [`crate::Limits::listing`] in all, `PROTOCOL_ERROR` for a list far longer than the folder
    /// was said to be, and those of the connection.
    pub async fn list_all(&mut self) -> Result<Vec<Listed>, SourceError> {
        if self.selected.is_none() {
            self.select(&self.first_folder(), Purpose::Look).await?;
        }
        self.list_from(1).await
    }

    /// The messages from this UID on, in ascending order of UID. If there is none, it may be the last message of the
    /// folder in their place, whose UID is lower.
    // RFC 9051 §9, sequence-set: `*` is the highest UID in use, and `9:*` where that is 5 the same as `5:9`.
    ///
    /// # Errors
    /// As [`ImapSession::list_all`].
    pub async fn list_from(&mut self, uid: u32) -> Result<Vec<Listed>, SourceError> {
        // RFC 9051 §6.4.9 lets 1:* name no message, but there are servers that answer BAD in an empty folder.
        if self.exists() == Some(0) {
            return Ok(Vec::new());
        }
        self.summaries(&[format!("{uid}:*")]).await
    }

    /// These messages as they are now, in ascending order of UID. Those that are gone are left out.
    ///
    /// # Errors
    /// As [`ImapSession::list_all`].
    pub async fn look_at(&mut self, uids: impl IntoIterator<Item = u32>) -> Result<Vec<Listed>, SourceError> {
        let sets = uid_sets(uids, MAX_SET);
        self.summaries(&sets).await
    }

    async fn summaries(&mut self, sets: &[String]) -> Result<Vec<Listed>, SourceError> {
        let Some(selected) = self.selected.clone() else { return Ok(Vec::new()) };
        let mut found: BTreeMap<u32, Listed> = BTreeMap::new();
        for set in sets {
            self.each(&Command::UidFetchSummary { set }, |uid, fetch| {
                let size = fetch.size.unwrap_or(0);
                // A server may tell of a message twice, when its flags change meanwhile; the fuller line is the one to
                // believe.
                if found.get(&uid).is_none_or(|before| before.size < size) {
                    let (folder, uid_validity) = (selected.folder.clone(), selected.uid_validity);
                    let id = RemoteId::Imap { folder, uid_validity, uid };
                    found.insert(uid, Listed { id, size, received_at: fetch.internal_date });
                }
                found.len()
            })
            .await?;
        }
        Ok(found.into_values().collect())
    }

    /// The UIDs of all messages of the selected folder, as ranges from the first to the last UID in each, in ascending order.
    ///
    /// # Errors
    /// As [`ImapSession::list_all`].
    pub async fn uids(&mut self) -> Result<Vec<(u32, u32)>, SourceError> {
        if self.exists() == Some(0) {
            return Ok(Vec::new());
        }
        if self.has("ESEARCH").await?
            && let Some(found) = self.search_uids().await?
        {
            return Ok(found);
        }
        let mut uids = Vec::new();
        self.each(&Command::UidFetchUids { set: "1:*" }, |uid, _fetch| {
            uids.push((uid, uid));
            uids.len()
        })
        .await?;
        Ok(joined(uids))
    }

    /// All UIDs by ESEARCH, where the answer is short and agrees with the number of messages: there are servers that find
    /// nothing in a full folder.
    // RFC 4731
    async fn search_uids(&mut self) -> Result<Option<Vec<(u32, u32)>>, SourceError> {
        let bounds = self.search(&Command::UidSearchBounds).await?;
        let (Some(min), Some(max), Some(count)) = (bounds.min, bounds.max, bounds.count) else { return Ok(None) };
        // Each range but the first follows a gap.
        let gaps =
            u64::from(max.saturating_sub(min)) + 1 - u64::from(count).min(u64::from(max.saturating_sub(min)) + 1);
        let ranges = (gaps + 1).min(u64::from(count));
        if count == 0 || count > MOST_LISTED || ranges * RANGE > MOST_FOUND {
            return Ok(None);
        }
        let found = joined(self.search(&Command::UidSearchAll).await?.all);
        let number: u64 = found.iter().map(|(first, last)| u64::from(last - first) + 1).sum();
        Ok((self.exists().map(u64::from) == Some(number)).then_some(found))
    }

    async fn search(&mut self, command: &Command<'_>) -> Result<Found, SourceError> {
        let tag = self.send(command).await?;
        let mut found = Found::default();
        loop {
            match self.next("listing the folder").await? {
                Event::Found(answer) => found = answer,
                Event::Done { tag: done, .. } if done == tag => return Ok(found),
                _ => {}
            }
        }
    }

    /// The Message-ID of each of these messages that has a plain one.
    ///
    /// # Errors
    /// As [`ImapSession::list_all`].
    pub async fn message_ids(
        &mut self,
        uids: impl IntoIterator<Item = u32>,
    ) -> Result<HashMap<u32, String>, SourceError> {
        let mut found = HashMap::new();
        for set in uid_sets(uids, MAX_SET) {
            self.each(&Command::UidFetchMessageIds { set: &set }, |uid, fetch| {
                if let Some(id) = fetch.fields.as_deref().and_then(postroom_mail::peek::message_id) {
                    found.insert(uid, id);
                }
                found.len()
            })
            .await?;
        }
        Ok(found)
    }

    /// Sends a command of FETCH and hands on what comes for each UID; `take` says how many messages there are by now.
    async fn each(
        &mut self,
        command: &Command<'_>,
        mut take: impl FnMut(u32, Fetch) -> usize,
    ) -> Result<(), SourceError> {
        let (host, limit) = (self.wire.host.clone(), self.wire.limits.listing);
        let work = async {
            let tag = self.send(command).await?;
            loop {
                match self.next("listing the folder").await? {
                    Event::Fetch(fetch) => {
                        let Some(uid) = fetch.uid else { continue };
                        let most = self.exists().unwrap_or(0).saturating_add(MORE_LISTED).min(MOST_LISTED);
                        if take(uid, fetch) > most as usize {
                            return Err(self.protocol_error("it lists far more messages than it says the folder has"));
                        }
                    }
                    Event::Done { tag: done, line } if done == tag => {
                        return if line.status == Status::Ok { Ok(()) } else { Err(refused("list the folder", line)) };
                    }
                    _ => {}
                }
            }
        };
        stream::deadline(&host, "listing the folder", limit, work).await?
    }
}

/// Ranges in ascending order, those that touch joined.
fn joined(mut ranges: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    ranges.sort_unstable();
    let mut joined: Vec<(u32, u32)> = Vec::new();
    for (first, last) in ranges {
        match joined.last_mut() {
            Some(before) if u64::from(first) <= u64::from(before.1) + 1 => before.1 = before.1.max(last),
            _ => joined.push((first, last)),
        }
    }
    joined
}
