//! The second look: whether what the server has under a name is the message that we know by it.

use crate::floor::Floor;
use jiff::Timestamp;
use postroom_mail::Listed;
use postroom_sources::{Outcome, Session, SourceError};
use postroom_store::Owed;
use tokio::sync::mpsc;

/// Most messages that somebody can have removed in the moment between our opening the folder and our listing it.
const MOST_REMOVED: usize = 64;

/// How many of these messages are there when they are asked for. A server may show something else in place of a message that
/// somebody has just removed, as Courier does; that makes no other mailbox of it.
pub async fn still_there(floor: &Floor, session: &mut Session, messages: &[Listed]) -> Result<u64, SourceError> {
    if messages.is_empty() || messages.len() > MOST_REMOVED {
        return Ok(messages.len() as u64);
    }
    let (fetched, mut from_server) = mpsc::channel(1);
    let fetching = async {
        let result = session.fetch(messages, &floor.budget, &fetched).await;
        drop(fetched);
        result
    };
    let counting = async {
        let mut there = 0;
        while let Some(message) = from_server.recv().await {
            there += u64::from(message.outcome != Outcome::Vanished);
        }
        there
    };
    let (fetched, there) = tokio::join!(fetching, counting);
    fetched.map(|()| there)
}

/// The second look before anything is changed on the server: size and arrival must be what they were, the latter to the
/// microsecond, which is as finely as it is stored.
pub fn is_same(owed: &Owed, now: &Listed) -> bool {
    owed.size() == now.size && now.received_at.is_none_or(|at| is_same_instant(at, owed.received_at()))
}

pub fn is_same_instant(listed: Timestamp, stored: Timestamp) -> bool {
    listed.as_microsecond() == stored.as_microsecond()
}
