//! Fetching: where the server allows it, many commands are under way at once, in bounded memory.
//!
//! The budget is taken for each message before the server is asked for it, so that what it sends always has a place. A
//! message that turns out far larger than announced is let go and asked for again with room for it; one beyond the limit is
//! read to its end and reported as too large.

use super::list::WINDOW;
use super::{Pop3Session, is_transient, refused};
use crate::session::{Fetched, Outcome};
use crate::{Budget, SourceError};
use bytes::BytesMut;
use postroom_mail::pop3::{self, Command, Event, Reply};
use postroom_mail::{Listed, RawMessage};
use std::collections::VecDeque;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

/// Most octets, as announced, under way at once; a single larger message goes alone.
const IN_FLIGHT_OCTETS: u64 = 8 << 20;
/// What a message is taken to have when the server says 0.
const UNKNOWN_SIZE: u64 = 64 * 1024;
/// How many octets more than announced may be in memory, for servers whose sizes are a little wrong.
const SLACK: u64 = 4 << 20;
/// What is allocated at once for a message; beyond that its buffer grows with the octets that really come.
const FIRST_ALLOCATION: u64 = 1 << 20;

/// A message that is still to come.
struct Wanted {
    listed: Listed,
    number: u32,
    /// Octets that it will need, as far as is known.
    octets: u64,
    /// Whether it was put off once because it was larger than announced.
    put_off: bool,
}

/// A message that was asked for.
struct Coming {
    wanted: Wanted,
    permit: Option<OwnedSemaphorePermit>,
    /// What came of it, as long as there is room.
    octets: BytesMut,
    /// How many octets came, kept or not.
    count: u64,
    keeping: Keeping,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeping {
    All,
    /// Larger than we take.
    Nothing,
    /// Larger than announced and than there is room for now.
    PutOff,
}

/// One round of fetching.
struct Round<'a> {
    max_message: u64,
    budget: &'a Budget,
    deliver: &'a mpsc::Sender<Fetched>,
    queue: VecDeque<Wanted>,
    in_flight: VecDeque<Coming>,
    in_flight_octets: u64,
}

impl Pop3Session {
    /// Fetches these messages with RETR, which leaves the server unchanged.
    ///
    /// # Errors
    /// See [`crate::Session::fetch`].
    pub async fn fetch(
        &mut self,
        wanted: &[Listed],
        budget: &Budget,
        deliver: &mpsc::Sender<Fetched>,
    ) -> Result<(), SourceError> {
        if self.numbers.is_none() {
            self.list().await?;
        }
        let max_message = self.wire.limits.max_message;
        let (queue, in_flight) = (VecDeque::with_capacity(wanted.len()), VecDeque::new());
        let mut round = Round { max_message, budget, deliver, queue, in_flight, in_flight_octets: 0 };
        for listed in wanted {
            let entry = self.numbers.as_ref().and_then(|numbers| numbers.entries.get(&listed.id));
            match entry {
                None => round.hand_over(listed.clone(), Outcome::Vanished, None).await?,
                Some(entry) if entry.size > max_message => {
                    let outcome = Outcome::TooLarge { announced: entry.size };
                    round.hand_over(listed.clone(), outcome, None).await?;
                }
                Some(entry) => {
                    let octets = if entry.size == 0 { UNKNOWN_SIZE } else { entry.size };
                    let (listed, number) = (listed.clone(), entry.number);
                    round.queue.push_back(Wanted { listed, number, octets, put_off: false });
                }
            }
        }
        self.fetch_all(round).await
    }

    async fn fetch_all(&mut self, mut round: Round<'_>) -> Result<(), SourceError> {
        loop {
            self.ask_for_more(&mut round).await?;
            if round.in_flight.is_empty() {
                return Ok(());
            }
            match self.next("fetching messages").await? {
                Event::MessageChunk(chunk) => {
                    let count = round.take(&chunk);
                    if let Err(endless) = self.check_endless(count) {
                        // Held as too large, so that the next visit goes past it.
                        round.give_up().await?;
                        return Err(endless);
                    }
                }
                Event::Done(reply) => round.finish(reply).await?,
                _ => {}
            }
        }
    }

    /// Asks for as many messages as the server, the window and the budget have room for, in one go.
    async fn ask_for_more(&mut self, round: &mut Round<'_>) -> Result<(), SourceError> {
        let window = if self.may_pipeline() { WINDOW } else { 1 };
        if round.in_flight.len() > window / 2 {
            return Ok(());
        }
        let mut commands = Vec::new();
        while round.in_flight.len() < window
            && let Some(next) = round.queue.front()
        {
            let octets = next.octets;
            let is_alone = round.in_flight.is_empty();
            if !is_alone && round.in_flight_octets.saturating_add(octets) > IN_FLIGHT_OCTETS {
                break;
            }
            let permit = match round.budget.try_take(octets) {
                Some(permit) => Some(permit),
                // Whoever holds nothing may wait; whoever holds something must first give it away.
                None if is_alone => round.budget.take(octets).await,
                None => break,
            };
            let Some(wanted) = round.queue.pop_front() else { break };
            commands.push(Command::Retr(wanted.number));
            round.in_flight_octets = round.in_flight_octets.saturating_add(octets);
            let (octets, keeping) = (BytesMut::new(), Keeping::All);
            round.in_flight.push_back(Coming { wanted, permit, octets, count: 0, keeping });
        }
        if commands.is_empty() { Ok(()) } else { self.send_all(&commands).await }
    }
}

impl Round<'_> {
    /// Takes the next octets of the message that is coming; returns how many of it came.
    fn take(&mut self, chunk: &[u8]) -> u64 {
        let Some(coming) = self.in_flight.front_mut() else { return 0 };
        coming.count += chunk.len() as u64;
        if coming.count > self.max_message {
            coming.keeping = Keeping::Nothing;
        } else if coming.keeping == Keeping::All && coming.count > coming.wanted.octets.saturating_add(SLACK) {
            coming.keeping = Keeping::PutOff;
        }
        if coming.keeping == Keeping::All {
            if coming.octets.is_empty() {
                // Bounded by FIRST_ALLOCATION, so it fits a usize.
                coming.octets.reserve(coming.wanted.octets.min(FIRST_ALLOCATION) as usize);
            }
            coming.octets.extend_from_slice(chunk);
        } else {
            coming.octets = BytesMut::new();
        }
        coming.count
    }

    /// The message that was asked for first is complete, or refused.
    async fn finish(&mut self, reply: Reply) -> Result<(), SourceError> {
        let Some(coming) = self.in_flight.pop_front() else { return Ok(()) };
        self.in_flight_octets = self.in_flight_octets.saturating_sub(coming.wanted.octets);
        if !reply.ok && is_transient(&reply) {
            return Err(refused("give messages", reply));
        }
        let mut listed = coming.wanted.listed.clone();
        let outcome = if !reply.ok {
            Outcome::Unfetchable(if reply.text.is_empty() { "the server refuses it".into() } else { reply.text })
        } else {
            match coming.keeping {
                Keeping::Nothing => Outcome::TooLarge { announced: coming.count },
                Keeping::PutOff if !coming.wanted.put_off => {
                    let octets = coming.count.min(self.max_message);
                    self.queue.push_front(Wanted { octets, put_off: true, ..coming.wanted });
                    return Ok(());
                }
                Keeping::PutOff => Outcome::Unfetchable("the server gives it another size each time".into()),
                Keeping::All if coming.octets.is_empty() && listed.size > 0 => {
                    Outcome::Unfetchable("the server gave no octets".into())
                }
                Keeping::All => {
                    let octets = coming.octets.freeze();
                    listed.received_at = listed.received_at.or_else(|| pop3::arrival(&octets));
                    Outcome::Message(RawMessage::new(octets))
                }
            }
        };
        self.hand_over(listed, outcome, coming.permit).await
    }

    /// Reports the message that is coming as too large, whatever its end.
    async fn give_up(&mut self) -> Result<(), SourceError> {
        let Some(coming) = self.in_flight.pop_front() else { return Ok(()) };
        self.hand_over(coming.wanted.listed, Outcome::TooLarge { announced: coming.count }, None).await
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
