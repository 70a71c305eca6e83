//! Fetching: several commands under way at once, each for a batch of messages, in bounded memory.
//!
//! A message is handed over once its literal is whole *and* the server has said OK to the command that asked for it. The
//! budget is taken for a whole batch before the server is asked for it, so that what the server sends always has a place.

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
/// What is allocated at once for a message; beyond that its buffer grows with the octets that really come.
const FIRST_ALLOCATION: u64 = 1 << 20;

/// A command under way and what came for it.
struct Batch {
    tag: Tag,
    messages: Vec<(u32, Listed)>,
    came: HashMap<u32, Outcome>,
    permit: Option<OwnedSemaphorePermit>,
}

/// The message literal that is being read.
enum Reading {
    Nothing,
    Collecting(BytesMut),
    /// Larger than we take: its octets are let go as they come.
    Skipping(u64),
}

/// One round of fetching.
struct Round<'a> {
    max_message: u64,
    budget: &'a Budget,
    deliver: &'a mpsc::Sender<Fetched>,
    queue: VecDeque<Vec<(u32, Listed)>>,
    in_flight: VecDeque<Batch>,
    reading: Reading,
    /// Bodies that came without a UID; whose they are nobody can say.
    unnamed: usize,
}

impl ImapSession {
    /// Fetches these messages with BODY.PEEK[], which leaves the server unchanged.
    ///
    /// # Errors
    /// See [`crate::Session::fetch`].
    pub async fn fetch(
        &mut self,
        wanted: &[Listed],
        budget: &Budget,
        deliver: &mpsc::Sender<Fetched>,
    ) -> Result<(), SourceError> {
        let selected = self.selected(Purpose::Look).await?;
        let mut round = Round {
            max_message: self.limits.max_message,
            budget,
            deliver,
            queue: VecDeque::new(),
            in_flight: VecDeque::new(),
            reading: Reading::Nothing,
            unnamed: 0,
        };
        let mut batch: Vec<(u32, Listed)> = Vec::new();
        let mut octets = 0;
        for listed in wanted {
            let Some(uid) = self.uid_of(selected, &listed.id) else {
                round.hand_over(listed.clone(), Outcome::Vanished, None).await?;
                continue;
            };
            if listed.size > round.max_message {
                let outcome = Outcome::TooLarge { announced: listed.size };
                round.hand_over(listed.clone(), outcome, None).await?;
                continue;
            }
            if batch.len() == BATCH_MESSAGES || (octets + listed.size > BATCH_OCTETS && !batch.is_empty()) {
                round.queue.push_back(std::mem::take(&mut batch));
                octets = 0;
            }
            octets += listed.size;
            batch.push((uid, listed.clone()));
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
        let octets = next.iter().map(|(_, listed)| listed.size.max(1)).sum();
        let permit = match round.budget.try_take(octets) {
            Some(permit) => Some(permit),
            // Whoever holds nothing may wait; whoever holds something must first give it away.
            None if round.in_flight.is_empty() => round.budget.take(octets).await,
            None => return Ok(false),
        };
        let Some(messages) = round.queue.pop_front() else { return Ok(false) };
        // A batch is at most 64 UIDs of 10 digits, so it is one set.
        let set = uid_sets(messages.iter().map(|(uid, _)| *uid), usize::MAX).concat();
        let tag = self.send(&Command::UidFetchMessage { set: &set }).await?;
        round.in_flight.push_back(Batch { tag, messages, came: HashMap::new(), permit });
        Ok(true)
    }
}

impl Round<'_> {
    fn begin(&mut self, length: u64) {
        self.reading = if length > self.max_message {
            Reading::Skipping(length)
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
        let asked = self.in_flight.iter_mut().find(|b| b.messages.iter().any(|(asked, _)| *asked == uid));
        // Mail that we did not ask for is not ours to take.
        let Some(batch) = asked else { return };
        let listed_size = batch.messages.iter().find(|(asked, _)| *asked == uid).map_or(0, |(_, listed)| listed.size);
        let outcome = match (fetch.body, read) {
            (Body::Streamed, Reading::Collecting(octets)) => whole(octets.freeze(), listed_size),
            (Body::Streamed, Reading::Skipping(announced)) => Outcome::TooLarge { announced },
            (Body::Inline(octets), _) => whole(octets, listed_size),
            _ => Outcome::Unfetchable("the server has no octets for this message (NIL)".into()),
        };
        batch.came.insert(uid, outcome);
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
                for (_, listed) in batch.messages {
                    self.hand_over(listed, Outcome::Unfetchable(reason.clone()), None).await?;
                }
                Ok(())
            }
        }
    }

    async fn hand_over_batch(&mut self, mut batch: Batch) -> Result<(), SourceError> {
        for (uid, listed) in batch.messages {
            let outcome = match batch.came.remove(&uid) {
                Some(outcome) => outcome,
                None if self.unnamed > 0 => {
                    Outcome::Unfetchable("the server does not say which message it sends".into())
                }
                None => Outcome::Vanished,
            };
            let share = batch.permit.as_mut().and_then(|permit| {
                let share = usize::try_from(listed.size.max(1)).unwrap_or(usize::MAX);
                permit.split(share.min(permit.num_permits()))
            });
            self.hand_over(listed, outcome, share).await?;
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

/// A whole message, unless the server gave nothing for one that it had listed with a size: some do that for a message that
/// is just being removed.
fn whole(octets: Bytes, listed_size: u64) -> Outcome {
    if octets.is_empty() && listed_size > 0 {
        return Outcome::Unfetchable("the server gave no octets".into());
    }
    Outcome::Message(RawMessage::new(octets))
}
