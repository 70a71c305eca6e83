//! Whether a maildrop shows what it showed before: its names are read once, and nothing is asked for that is known.

use super::list::size;
use super::{Entry, Numbers, Pop3Session};
use crate::{SourceError, stream};
use postroom_mail::pop3::{self, Command};
use postroom_mail::{Listed, RemoteId, Sha256};
use sha2::Digest as _;
use std::collections::{HashMap, HashSet};

/// More new messages than these are not asked for one by one.
const MOST_SINGLE: usize = 1_000;

/// What a maildrop showed at the end of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaildropShown {
    /// How many messages.
    pub messages: u64,
    /// Their octets, if that is known.
    pub octets: Option<u64>,
    /// What their names come to, in the server's order.
    pub names: Sha256,
}

/// What a maildrop shows now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// The very messages that it showed before.
    AsBefore,
    /// The messages that it showed before, and behind them these.
    Grown(Vec<Listed>),
    /// All of its messages; more is not known of what it showed before.
    Whole(Vec<Listed>),
}

impl Pop3Session {
    /// Lists the messages, as far as they are not those that were shown before.
    ///
    /// # Errors
    /// As [`Pop3Session::list`].
    pub async fn look(&mut self, before: Option<&MaildropShown>) -> Result<Listing, SourceError> {
        if self.maildrop.is_none() {
            self.select().await?;
        }
        let (messages, octets) = self.maildrop.unwrap_or_default();
        let Some(before) = before.filter(|before| before.messages > 0 && before.messages <= u64::from(messages)) else {
            return self.list().await.map(Listing::Whole);
        };
        let (host, limit) = (self.wire.host.clone(), self.wire.limits.listing);
        let work = async {
            self.send(&Command::Uidl).await?;
            self.read_names().await
        };
        let names = stream::deadline(&host, "listing the mailbox", limit, work).await??;
        // No more than the number of messages, which fits.
        let known = before.messages as usize;
        let is_same = names.len() >= known && digest(names[..known].iter()) == before.names;
        let is_grown = names.len() > known && names.len() - known <= MOST_SINGLE && are_names(&names, known);
        if is_same && names.len() == known && before.octets.is_none_or(|before| before == octets) {
            self.names = names;
            return Ok(Listing::AsBefore);
        }
        if is_same
            && is_grown
            && let Some(grown) = self.size_up(&names[known..]).await?
        {
            self.names = names;
            return Ok(Listing::Grown(grown));
        }
        let work = async {
            self.send(&Command::List).await?;
            self.read_sizes().await
        };
        let sizes = stream::deadline(&host, "listing the mailbox", limit, work).await??;
        self.take_listing(sizes, names).await.map(Listing::Whole)
    }

    /// Asks for the sizes of these messages one by one; `None` if not all of them can be had so.
    async fn size_up(&mut self, new: &[(u32, Vec<u8>)]) -> Result<Option<Vec<Listed>>, SourceError> {
        let named = |(number, uidl): &(u32, Vec<u8>)| (*number, id_of(uidl));
        let replies = self.each(new.iter().map(named).collect(), |(number, _)| Command::ListOne(*number)).await?;
        let (mut listed, mut entries) = (Vec::new(), HashMap::new());
        for ((number, id), reply) in replies {
            if !reply.ok {
                return Ok(None);
            }
            let entry = pop3::listing_entry(reply.text.as_bytes()).ok().filter(|(said, _)| *said == number);
            let size = entry.and_then(|(_, rest)| size(rest));
            let size = size.ok_or_else(|| SourceError::Pop3Desync { host: self.wire.host.clone() })?;
            entries.insert(id.clone(), Entry { number, size });
            listed.push(Listed { id, size, received_at: None });
        }
        self.numbers = Some(Numbers { entries, are_all: false });
        Ok(Some(listed))
    }

    /// What the maildrop shows once these messages are gone; `None` where its names are of no use.
    pub fn shown(&self, without: &HashSet<RemoteId>) -> Option<MaildropShown> {
        if !are_names(&self.names, 0) {
            return None;
        }
        let is_left = |(_, uidl): &&(u32, Vec<u8>)| without.is_empty() || !without.contains(&id_of(uidl));
        let messages = self.names.iter().filter(is_left).count() as u64;
        let octets = self.maildrop.map(|(_, octets)| octets).filter(|_| without.is_empty());
        Some(MaildropShown { messages, octets, names: digest(self.names.iter().filter(is_left)) })
    }
}

fn id_of(uidl: &[u8]) -> RemoteId {
    RemoteId::Pop3 { uidl: String::from_utf8_lossy(uidl).into_owned() }
}

/// Names in their order; none can have a line feed in it.
fn digest<'a>(names: impl Iterator<Item = &'a (u32, Vec<u8>)>) -> Sha256 {
    let mut digest = sha2::Sha256::new();
    for (_, name) in names {
        digest.update(name);
        digest.update(b"\n");
    }
    Sha256::from_bytes(digest.finalize().into())
}

/// Whether all names from this place on can be used, and none of them stands anywhere twice.
fn are_names(names: &[(u32, Vec<u8>)], from: usize) -> bool {
    let mut seen: HashSet<&[u8]> = HashSet::with_capacity(names.len());
    names.iter().enumerate().all(|(at, (_, name))| seen.insert(name) && (at < from || pop3::is_unique_id(name)))
}
