//! Fetching: several commands under way at once, each for a batch of messages, in bounded memory.
//!
//! A message is handed over once its literal is whole *and* the server has said OK to the command that asked for it. The
//! budget is taken for a whole batch before the server is asked for it, so that what the server sends always has a place.
//! A message that turns out far larger than announced is let go and asked for again with room for it.

use super::{ImapSession, is_transient, refused};
use crate::session::{Fetched, Outcome, Purpose};
use crate::{Budget, SourceError};
use bytes::{Bytes, BytesMut};
use postroom_mail::imap::{Body, Command, Event, Fetch, Status, StatusLine, Tag, uid_sets};
use postroom_mail::{Listed, RawMessage};
use std::collections::{HashMap, VecDeque};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

/// Most messages in one command.
const BATCH_MESSAGES: usize = 64;
/// Most octets, as announced, in one command; a single larger message goes alone.
const BATCH_OCTETS: u64 = 4 << 20;
/// Commands under way at once: while one is read, the server works on the next.
const IN_FLIGHT: usize = 3;
/// What a message is taken to have when the server does not say.
const UNKNOWN_SIZE: u64 = 64 * 1024;
/// How many octets more than announced may be in memory, for servers whose sizes are a little wrong.
const SLACK: u64 = 4 << 20;
/// What is allocated at once for a message; beyond that its buffer grows with the octets that really come.
const FIRST_ALLOCATION: u64 = 1 << 20;

/// What Courier gives in place of a message that somebody else has just removed. Nobody has written it: a real message has
/// at least passed a server that put a Received field before it.
const SUBSTITUTE: &[u8] = b"From: System Administrator <root@localhost>\r\nSubject: message unavailable\r\n\r\n\
    This message is no longer available on the server.\r\n";

/// A message that is still to come.
struct Wanted {
    uid: u32,
    listed: Listed,
    /// Octets that it will need, as far as is known.
    octets: u64,
    /// Whether it was put off once because it was larger than announced.
    put_off: bool,
}

/// A command under way and what came for it.
struct Batch {
    tag: Tag,
    messages: Vec<Wanted>,
    came: HashMap<u32, Came>,
    permit: Option<OwnedSemaphorePermit>,
    /// Octets announced for all of it, and octets held for it.
    announced: u64,
    held: u64,
}

/// What came for one message of a batch.
enum Came {
    Outcome(Outcome),
    /// It is so much larger than announced that it has to be asked for again, with room for it.
    PutOff(u64),
}

/// The message literal that is being read.
enum Reading {
    Nothing,
    Collecting(BytesMut),
    /// Larger than we take: its octets are let go as they come.
    Skipping(u64),
    /// Larger than announced and than there is room for now: let go too, and asked for again.
    PuttingOff(u64),
}

/// One round of fetching.
struct Round<'a> {
    max_message: u64,
    budget: &'a Budget,
    deliver: &'a mpsc::Sender<Fetched>,
    queue: VecDeque<Vec<Wanted>>,
    in_flight: VecDeque<Batch>,
    reading: Reading,
    /// Bodies that came without a UID; whose they are nobody can say.
    unnamed: usize,
}

impl ImapSession {
    /// Fetches these messages of one folder with BODY.PEEK[], which leaves the server unchanged.
    ///
    /// # Errors
    /// See [`crate::Session::fetch`].
    pub async fn fetch(
        &mut self,
        wanted: &[Listed],
        budget: &Budget,
        deliver: &mpsc::Sender<Fetched>,
    ) -> Result<(), SourceError> {
        self.selected_for(wanted.iter().map(|listed| &listed.id), Purpose::Look).await?;
        let mut round = Round {
            max_message: self.wire.limits.max_message,
            budget,
            deliver,
            queue: VecDeque::new(),
            in_flight: VecDeque::new(),
            reading: Reading::Nothing,
            unnamed: 0,
        };
        let mut batch: Vec<Wanted> = Vec::new();
        let mut octets = 0;
        for listed in wanted {
            let Some(uid) = self.uid_of(&listed.id) else {
                round.hand_over(listed.clone(), Outcome::Vanished, None).await?;
                continue;
            };
            if listed.size > round.max_message {
                let outcome = Outcome::TooLarge { announced: listed.size };
                round.hand_over(listed.clone(), outcome, None).await?;
                continue;
            }
            let size = if listed.size == 0 { UNKNOWN_SIZE } else { listed.size };
            if batch.len() == BATCH_MESSAGES || (octets + size > BATCH_OCTETS && !batch.is_empty()) {
                round.queue.push_back(std::mem::take(&mut batch));
                octets = 0;
            }
            octets += size;
            batch.push(Wanted { uid, listed: listed.clone(), octets: size, put_off: false });
        }
        if !batch.is_empty() {
            round.queue.push_back(batch);
        }
        self.fetch_all(round).await
    }

    async fn fetch_all(&mut self, mut round: Round<'_>) -> Result<(), SourceError> {
        loop {
            while round.in_flight.len() < IN_FLIGHT && self.ask_for_next(&mut round).await? {}
            if round.in_flight.is_empty() {
                return Ok(());
            }
            match self.next("fetching messages").await? {
                Event::BodyStart(length) => round.begin(length),
                Event::BodyChunk(chunk) => round.take(&chunk),
                Event::Fetch(fetch) => round.bind(fetch),
                Event::Done { tag, line } => round.finish(tag, line).await?,
                _ => {}
            }
        }
    }

    /// Sends the command for the next batch, if there is one and the budget has room for it.
    async fn ask_for_next(&mut self, round: &mut Round<'_>) -> Result<bool, SourceError> {
        let Some(next) = round.queue.front() else { return Ok(false) };
        let octets = next.iter().map(|wanted| wanted.octets).sum();
        let permit = match round.budget.try_take(octets) {
            Some(permit) => Some(permit),
            // Whoever holds nothing may wait; whoever holds something must first give it away.
            None if round.in_flight.is_empty() => round.budget.take(octets).await,
            None => return Ok(false),
        };
        let Some(messages) = round.queue.pop_front() else { return Ok(false) };
        // A batch is at most 64 UIDs of 10 digits, so it is one set.
        let set = uid_sets(messages.iter().map(|wanted| wanted.uid), usize::MAX).concat();
        let tag = self.send(&Command::UidFetchMessage { set: &set }).await?;
        round.in_flight.push_back(Batch { tag, messages, came: HashMap::new(), permit, announced: octets, held: 0 });
        Ok(true)
    }
}

impl Round<'_> {
    fn begin(&mut self, length: u64) {
        let announced: u64 = self.in_flight.iter().map(|batch| batch.announced).sum();
        let held: u64 = self.in_flight.iter().map(|batch| batch.held).sum();
        self.reading = if length > self.max_message {
            Reading::Skipping(length)
        } else if held.saturating_add(length) > announced.saturating_add(SLACK) {
            Reading::PuttingOff(length)
        } else {
            // Bounded by FIRST_ALLOCATION, so it fits a usize.
            Reading::Collecting(BytesMut::with_capacity(length.min(FIRST_ALLOCATION) as usize))
        };
    }

    fn take(&mut self, chunk: &[u8]) {
        if let Reading::Collecting(octets) = &mut self.reading {
            octets.extend_from_slice(chunk);
        }
    }

    /// A FETCH response is whole: the UID in this very response says whose octets they were.
    fn bind(&mut self, fetch: Fetch) {
        let read = std::mem::replace(&mut self.reading, Reading::Nothing);
        if !fetch.has_body() {
            return;
        }
        let Some(uid) = fetch.uid else {
            self.unnamed += 1;
            return;
        };
        // Mail that we did not ask for is not ours to take.
        let asked = |batch: &&mut Batch| batch.messages.iter().any(|wanted| wanted.uid == uid);
        let Some(batch) = self.in_flight.iter_mut().find(asked) else { return };
        let listed_size = batch.messages.iter().find(|wanted| wanted.uid == uid).map_or(0, |wanted| wanted.listed.size);
        let came = match (fetch.body, read) {
            (Body::Streamed, Reading::Collecting(octets)) => Came::Outcome(whole(octets.freeze(), listed_size)),
            (Body::Streamed, Reading::Skipping(announced)) => Came::Outcome(Outcome::TooLarge { announced }),
            (Body::Streamed, Reading::PuttingOff(octets)) => Came::PutOff(octets),
            (Body::Inline(octets), _) => Came::Outcome(whole(octets, listed_size)),
            _ => Came::Outcome(Outcome::Unfetchable("the server has no octets for this message (NIL)".into())),
        };
        if let Came::Outcome(Outcome::Message(raw)) = &came {
            batch.held += raw.size();
        }
        batch.came.insert(uid, came);
    }

    /// The reply to one command. OK is the proof that what came for it is complete.
    async fn finish(&mut self, tag: Tag, line: StatusLine) -> Result<(), SourceError> {
        let Some(at) = self.in_flight.iter().position(|batch| batch.tag == tag) else { return Ok(()) };
        let Some(batch) = self.in_flight.remove(at) else { return Ok(()) };
        if line.status == Status::Ok {
            return self.hand_over_batch(batch).await;
        }
        if is_transient(&line) {
            return Err(refused("give messages", line));
        }
        match batch.messages.len() {
            // One bad message must not keep the others from coming: each is asked for alone.
            2.. => {
                for message in batch.messages.into_iter().rev() {
                    self.queue.push_front(vec![message]);
                }
                Ok(())
            }
            _ => {
                let reason = if line.text.is_empty() { "the server refuses it".into() } else { line.text };
                for wanted in batch.messages {
                    self.hand_over(wanted.listed, Outcome::Unfetchable(reason.clone()), None).await?;
                }
                Ok(())
            }
        }
    }

    async fn hand_over_batch(&mut self, mut batch: Batch) -> Result<(), SourceError> {
        for wanted in batch.messages {
            let outcome = match batch.came.remove(&wanted.uid) {
                Some(Came::Outcome(outcome)) => outcome,
                Some(Came::PutOff(octets)) if !wanted.put_off => {
                    self.queue.push_front(vec![Wanted { octets, put_off: true, ..wanted }]);
                    continue;
                }
                Some(Came::PutOff(_)) => Outcome::Unfetchable("the server gives it another size each time".into()),
                None if self.unnamed > 0 => {
                    Outcome::Unfetchable("the server does not say which message it sends".into())
                }
                None => Outcome::Vanished,
            };
            let share = batch.permit.as_mut().and_then(|permit| {
                let share = usize::try_from(wanted.octets).unwrap_or(usize::MAX);
                permit.split(share.min(permit.num_permits()))
            });
            self.hand_over(wanted.listed, outcome, share).await?;
        }
        Ok(())
    }

    async fn hand_over(
        &self,
        listed: Listed,
        outcome: Outcome,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Result<(), SourceError> {
        self.deliver.send(Fetched { listed, outcome, permit }).await.map_err(|_| SourceError::Stopped)
    }
}

/// A whole message, unless the server gave nothing for one that it had listed with a size, or a text of its own: some do
/// that for a message that is just being removed.
fn whole(octets: Bytes, listed_size: u64) -> Outcome {
    if octets == SUBSTITUTE {
        return Outcome::Vanished;
    }
    if octets.is_empty() && listed_size > 0 {
        return Outcome::Unfetchable("the server gave no octets".into());
    }
    Outcome::Message(RawMessage::new(octets))
}
