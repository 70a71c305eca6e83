//! When a server has given its messages other names: each is recognised again, by what a listing and a header show, else by
//! its octets; and where too many are not recognised, a person is asked before anything is done.

use super::stages::{BATCH_MESSAGES, collect};
use super::{Visit, VisitError};
use postroom_mail::{Listed, RemoteId};
use postroom_sources::{Fetched, Outcome, Session, SourceError};
use std::collections::HashMap;
use tokio::sync::mpsc;

/// A box of at most so many messages is never asked about.
const SMALL_BOX: u64 = 50;
/// So many of a hundred messages may be unknown before somebody is asked.
const UNKNOWN_PERCENT: u64 = 20;

/// Whether so many unknown messages look like another mailbox.
fn asks(unknown: u64, messages: u64) -> bool {
    messages > SMALL_BOX && unknown * 100 > messages * UNKNOWN_PERCENT
}

/// Binds those messages to their receipts that have one under a name that is given up, and returns the others. `messages`:
/// how many there are in all, those from before the first visit left out.
///
/// # Errors
/// `MAILBOX_CHANGED` when more than a fifth of more than 50 messages are not recognised, unless a person has said that they
/// are to be taken; nothing was taken then, and nothing was changed on the server. Those of server and store.
pub(super) async fn recognise(
    visit: &mut Visit<'_>,
    session: &mut Session,
    mut unknown: Vec<Listed>,
    messages: u64,
) -> Result<Vec<Listed>, VisitError> {
    if unknown.is_empty() {
        return Ok(unknown);
    }
    let message_ids = clues(session, &mut unknown).await?;
    let with_clues = unknown.iter().map(|message| (message.clone(), message_ids.get(&message.id).cloned())).collect();
    let bound = visit.floor.store.bind_by_clues(visit.lease, with_clues).await?;
    let mut is_bound = bound.messages.into_iter();
    unknown.retain(|_| !is_bound.next().unwrap_or(false));
    // Few enough are fetched like new mail, and bound by their octets when they are accepted.
    if visit.mailbox.accepts_new || !bound.had_receipts || !asks(unknown.len() as u64, messages) {
        return Ok(unknown);
    }
    if bound.receipts_left > 0 {
        unknown = bind_by_octets(visit, session, &unknown, messages).await?;
    }
    let unknown_now = unknown.len() as u64;
    if asks(unknown_now, messages) { Err(VisitError::Changed { unknown: unknown_now, messages }) } else { Ok(unknown) }
}

/// The Message-ID of each message, and over POP3 when it arrived, which is found out in the same way.
async fn clues(session: &mut Session, unknown: &mut [Listed]) -> Result<HashMap<RemoteId, String>, SourceError> {
    match session {
        Session::Imap(imap) => {
            let uid = |id: &RemoteId| if let RemoteId::Imap { uid, .. } = id { Some(*uid) } else { None };
            let mut found = imap.message_ids(unknown.iter().filter_map(|message| uid(&message.id))).await?;
            let ids = unknown.iter().filter_map(|message| {
                let message_id = found.remove(&uid(&message.id)?)?;
                Some((message.id.clone(), message_id))
            });
            Ok(ids.collect())
        }
        Session::Pop3(pop3) => pop3.find_clues(unknown).await,
        Session::Maildir(_) => Ok(HashMap::new()),
    }
}

/// Fetches messages only to recognise them; ends as soon as it is clear that too many are unknown. Returns those that are.
async fn bind_by_octets(
    visit: &mut Visit<'_>,
    session: &mut Session,
    messages: &[Listed],
    all: u64,
) -> Result<Vec<Listed>, VisitError> {
    let (fetched, mut from_server) = mpsc::channel::<Fetched>(BATCH_MESSAGES);
    let fetching = async {
        let result = session.fetch(messages, &visit.floor.budget, &fetched).await;
        drop(fetched);
        result
    };
    let binding = async {
        let mut unknown = Vec::new();
        while let Some(first) = from_server.recv().await {
            let (mut candidates, batch) = (Vec::new(), collect(first, &mut from_server).await);
            for message in batch {
                match &message.outcome {
                    Outcome::Message(raw) => candidates.push((message.listed.clone(), raw.sha256())),
                    Outcome::TooLarge { .. } | Outcome::Unfetchable(_) => unknown.push(message.listed.clone()),
                    Outcome::Vanished => {}
                }
            }
            let listed: Vec<Listed> = candidates.iter().map(|(listed, _)| listed.clone()).collect();
            let bound = visit.floor.store.bind_by_digest(visit.lease, candidates).await?;
            unknown.extend(listed.into_iter().zip(bound).filter(|(_, bound)| !bound).map(|(listed, _)| listed));
            if asks(unknown.len() as u64, all) {
                break;
            }
        }
        // Dropping the receiver ends the fetching.
        drop(from_server);
        Ok::<_, VisitError>(unknown)
    };
    let (fetching, unknown) = tokio::join!(fetching, binding);
    let unknown = unknown?;
    match fetching {
        Err(SourceError::Stopped) if asks(unknown.len() as u64, all) => Ok(unknown),
        other => other.map(|()| unknown).map_err(VisitError::from),
    }
}

#[cfg(test)]
mod tests {
    use super::asks;

    #[test]
    fn more_than_a_fifth_of_more_than_fifty() {
        for (unknown, messages, expected) in
            [(50, 50, false), (10, 51, false), (11, 51, true), (20, 100, false), (21, 100, true), (0, 1000, false)]
        {
            assert_eq!(asks(unknown, messages), expected, "{unknown} of {messages}");
        }
    }
}
