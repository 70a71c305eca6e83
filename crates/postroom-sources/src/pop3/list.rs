//! Listing: numbers become names that hold beyond this conversation, the server's own or, where it has none, the digest of
//! the octets.

use super::{Entry, Numbers, Pop3Session, is_transient, refused};
use crate::{SourceError, stream};
use postroom_mail::pop3::{self, Command, Event, Reply};
use postroom_mail::{Listed, RemoteId};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

/// How many messages more than announced a listing may have.
const MORE_LISTED: u32 = 1_000;
/// Most messages of one maildrop, whatever is announced: their list is in memory.
const MOST_LISTED: u32 = 1_000_000;
/// Commands under way at once where each answer is small or let go as it comes.
pub(super) const WINDOW: usize = 64;
/// Longest header that is kept to look for a date.
const MOST_HEADER: usize = 64 * 1024;

impl Pop3Session {
    /// All messages in the order of their numbers.
    ///
    /// # Errors
    /// `SERVER_REFUSED`, `PROTOCOL_ERROR`, `TIMEOUT` after [`crate::Limits::listing`] in all; `POP3_NO_UIDL_LEAVE` when too
    /// many messages have no name; those of the connection.
    pub async fn list(&mut self) -> Result<Vec<Listed>, SourceError> {
        if self.maildrop.is_none() {
            self.select().await?;
        }
        let (host, limit) = (self.wire.host.clone(), self.wire.limits.listing);
        let (sizes, names) = stream::deadline(&host, "listing the mailbox", limit, self.list_both()).await??;
        self.take_listing(sizes, names).await
    }

    /// Names all messages, with digests where the server has no usable names.
    pub(super) async fn take_listing(
        &mut self,
        sizes: BTreeMap<u32, u64>,
        names: Vec<(u32, Vec<u8>)>,
    ) -> Result<Vec<Listed>, SourceError> {
        let mut ids = name(&sizes, &names);
        self.names = names;
        let unnamed: Vec<Entry> = sizes
            .iter()
            .filter(|(number, _)| !ids.contains_key(number))
            .map(|(number, size)| Entry { number: *number, size: *size })
            .collect();
        self.name_by_digest(&unnamed, &mut ids).await?;
        let mut listed = Vec::with_capacity(sizes.len());
        let mut entries = HashMap::with_capacity(sizes.len());
        for (number, size) in sizes {
            let Some(id) = ids.remove(&number) else { continue };
            entries.insert(id.clone(), Entry { number, size });
            listed.push(Listed { id, size, received_at: None });
        }
        self.numbers = Some(Numbers { entries, are_all: true });
        Ok(listed)
    }

    /// Sizes and unique-ids by number.
    async fn list_both(&mut self) -> Result<(BTreeMap<u32, u64>, Vec<(u32, Vec<u8>)>), SourceError> {
        if self.maildrop.is_some_and(|(messages, _)| messages == 0) {
            return Ok((BTreeMap::new(), Vec::new()));
        }
        let pipelined = self.may_pipeline();
        match pipelined {
            true => self.send_all(&[Command::List, Command::Uidl]).await?,
            false => self.send(&Command::List).await?,
        }
        let sizes = self.read_sizes().await?;
        if !pipelined {
            self.send(&Command::Uidl).await?;
        }
        Ok((sizes, self.read_names().await?))
    }

    /// The answer to LIST.
    pub(super) async fn read_sizes(&mut self) -> Result<BTreeMap<u32, u64>, SourceError> {
        let (sizes, reply) = self.entries(size).await?;
        if !reply.ok {
            return Err(refused("list the mailbox", reply));
        }
        let number = sizes.len();
        let sizes: BTreeMap<u32, u64> = sizes.into_iter().collect();
        if sizes.len() < number { Err(self.listed_twice()) } else { Ok(sizes) }
    }

    /// The answer to UIDL; empty for a server that does not know it.
    pub(super) async fn read_names(&mut self) -> Result<Vec<(u32, Vec<u8>)>, SourceError> {
        let (names, reply) = self.entries(|rest| Some(rest.to_vec())).await?;
        if !reply.ok && is_transient(&reply) {
            return Err(refused("list the mailbox", reply));
        }
        // Nearly every server numbers from 1 on in order, and then there is nothing to look for.
        let in_order = names.is_sorted_by(|one, next| one.0 < next.0);
        let numbers = || names.iter().map(|(number, _)| *number).collect::<HashSet<u32>>();
        if in_order || numbers().len() == names.len() { Ok(names) } else { Err(self.listed_twice()) }
    }

    fn listed_twice(&self) -> SourceError {
        self.wire.protocol_error("it lists a message twice")
    }

    /// The lines of one listing, in the server's order.
    async fn entries<T>(&mut self, read: impl Fn(&[u8]) -> Option<T>) -> Result<(Vec<(u32, T)>, Reply), SourceError> {
        let announced = self.maildrop.map_or(0, |(messages, _)| messages);
        let most = announced.saturating_add(MORE_LISTED).min(MOST_LISTED) as usize;
        let mut found: Vec<(u32, T)> = Vec::new();
        loop {
            match self.next("listing the mailbox").await? {
                Event::Entry(line) => {
                    let (number, rest) = pop3::listing_entry(&line).map_err(|error| self.machine_error(error))?;
                    let value = read(rest).ok_or_else(|| self.wire.protocol_error("a size that is no number"))?;
                    found.push((number, value));
                    if found.len() > most {
                        return Err(self.wire.protocol_error("it lists far more messages than it says there are"));
                    }
                }
                Event::Done(reply) => return Ok((found, reply)),
                _ => {}
            }
        }
    }

    /// Names messages by their octets: each is fetched for that, and nothing of it is kept.
    async fn name_by_digest(&mut self, unnamed: &[Entry], ids: &mut HashMap<u32, RemoteId>) -> Result<(), SourceError> {
        if unnamed.is_empty() {
            return Ok(());
        }
        let octets: u64 = unnamed.iter().map(|entry| entry.size).fold(0, u64::saturating_add);
        let limits = &self.wire.limits;
        if unnamed.len() > limits.max_unnamed_messages || octets > limits.max_unnamed_octets {
            return Err(SourceError::Pop3NoUidlLeave { messages: unnamed.len(), octets });
        }
        tracing::warn!(
            messages = unnamed.len(),
            octets,
            "the server gives no usable unique-ids: messages are fetched to be recognised"
        );
        let max_message = limits.max_message;
        // What cannot or need not be fetched whole is named by its size and header.
        let (small, large): (Vec<Entry>, Vec<Entry>) = unnamed.iter().partition(|entry| entry.size <= max_message);
        let mut by_header = large;
        let mut digests: Vec<(u32, String)> = Vec::with_capacity(unnamed.len());
        let mut in_flight = VecDeque::new();
        let mut hash = (Sha256::new(), 0_u64);
        let mut queue = small.into_iter();
        loop {
            self.refill(&mut queue, &mut in_flight, |entry| Command::Retr(entry.number)).await?;
            let Some(entry) = in_flight.front().copied() else { break };
            match self.next("recognising messages").await? {
                Event::MessageChunk(chunk) => {
                    hash.0.update(&chunk);
                    hash.1 += chunk.len() as u64;
                    self.check_endless(hash.1)?;
                }
                Event::Done(reply) => {
                    in_flight.pop_front();
                    let digest = std::mem::replace(&mut hash, (Sha256::new(), 0)).0.finalize();
                    match reply.ok {
                        true => digests.push((entry.number, hex(&digest))),
                        false if is_transient(&reply) => return Err(refused("give messages", reply)),
                        false => by_header.push(entry),
                    }
                }
                _ => {}
            }
        }
        for (entry, header) in self.headers(by_header).await? {
            let mut digest = Sha256::new();
            digest.update(format!("{}\r\n", entry.size));
            digest.update(&header);
            digests.push((entry.number, hex(&digest.finalize())));
        }
        // Copies are alike, so which of them is the first makes no difference.
        digests.sort_unstable();
        let mut copies: HashMap<String, u32> = HashMap::new();
        for (number, digest) in digests {
            let copy = copies.entry(digest.clone()).or_insert(0);
            *copy += 1;
            ids.insert(number, RemoteId::Pop3Digest { digest, copy: *copy });
        }
        Ok(())
    }

    /// Finds out when these messages arrived, which POP3 says only in their headers.
    ///
    /// # Errors
    /// Those of the connection. A message whose header cannot be had or names no date keeps `None`.
    pub async fn find_arrivals(&mut self, listed: &mut [Listed]) -> Result<(), SourceError> {
        self.find_clues(listed).await.map(drop)
    }

    /// The same, and the Message-IDs of those that have a plain one.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn find_clues(&mut self, listed: &mut [Listed]) -> Result<HashMap<RemoteId, String>, SourceError> {
        let numbers = self.numbers.as_ref().map(|numbers| &numbers.entries);
        let entries: Vec<(usize, Entry)> =
            listed.iter().enumerate().filter_map(|(at, listed)| Some((at, *numbers?.get(&listed.id)?))).collect();
        let mut message_ids = HashMap::new();
        let by_number: HashMap<u32, usize> = entries.iter().map(|(at, entry)| (entry.number, *at)).collect();
        for (entry, header) in self.headers(entries.into_iter().map(|(_, entry)| entry).collect()).await? {
            if let Some(listed) = by_number.get(&entry.number).and_then(|at| listed.get_mut(*at)) {
                listed.received_at = pop3::arrival(&header);
                message_ids.extend(postroom_mail::peek::message_id(&header).map(|id| (listed.id.clone(), id)));
            }
        }
        Ok(message_ids)
    }

    /// The beginnings of the headers of these messages; empty for those that the server does not give.
    // RFC 1939 §7: TOP is optional, and there are servers that cut it short; it is good for a look, never for content.
    async fn headers(&mut self, entries: Vec<Entry>) -> Result<Vec<(Entry, Vec<u8>)>, SourceError> {
        let mut found = Vec::with_capacity(entries.len());
        let mut in_flight = VecDeque::new();
        let (mut header, mut octets) = (Vec::new(), 0_u64);
        let mut queue = entries.into_iter();
        loop {
            self.refill(&mut queue, &mut in_flight, |entry| Command::Top(entry.number, 0)).await?;
            if in_flight.is_empty() {
                return Ok(found);
            }
            match self.next("looking at headers").await? {
                Event::MessageChunk(chunk) => {
                    let room = MOST_HEADER - header.len();
                    header.extend_from_slice(&chunk[..chunk.len().min(room)]);
                    octets += chunk.len() as u64;
                    self.check_endless(octets)?;
                }
                Event::Done(_) => {
                    let header = std::mem::take(&mut header);
                    octets = 0;
                    found.extend(in_flight.pop_front().map(|entry| (entry, header)));
                }
                _ => {}
            }
        }
    }

    /// Asks for more where few are under way.
    async fn refill(
        &mut self,
        queue: &mut impl Iterator<Item = Entry>,
        in_flight: &mut VecDeque<Entry>,
        command: impl Fn(&Entry) -> Command<'static>,
    ) -> Result<(), SourceError> {
        let window = if self.may_pipeline() { WINDOW } else { 1 };
        if in_flight.len() > window / 2 {
            return Ok(());
        }
        let next: Vec<Entry> = queue.take(window - in_flight.len()).collect();
        if next.is_empty() {
            return Ok(());
        }
        let commands: Vec<Command<'_>> = next.iter().map(command).collect();
        self.send_all(&commands).await?;
        in_flight.extend(next);
        Ok(())
    }

    /// A message that is far larger than any we take will not end while somebody waits for it.
    pub(super) fn check_endless(&self, octets: u64) -> Result<(), SourceError> {
        let most = self.wire.limits.max_message.saturating_mul(2).saturating_add(1 << 20);
        if octets > most { Err(self.wire.protocol_error("it sends a message without end")) } else { Ok(()) }
    }
}

/// The size in a line of LIST.
pub(super) fn size(rest: &[u8]) -> Option<u64> {
    let digits = rest.split(|b| *b == b' ').next().unwrap_or_default();
    std::str::from_utf8(digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()
}

/// The messages that the server names usably: each by an id of its own, in the form of the standard.
fn name(sizes: &BTreeMap<u32, u64>, names: &[(u32, Vec<u8>)]) -> HashMap<u32, RemoteId> {
    let mut uses: HashMap<&[u8], u32> = HashMap::new();
    for (_, uidl) in names {
        *uses.entry(uidl).or_insert(0) += 1;
    }
    names
        .iter()
        .filter(|(number, uidl)| {
            sizes.contains_key(number) && pop3::is_unique_id(uidl) && uses.get(uidl.as_slice()) == Some(&1)
        })
        .map(|(number, uidl)| (*number, RemoteId::Pop3 { uidl: String::from_utf8_lossy(uidl).into_owned() }))
        .collect()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
