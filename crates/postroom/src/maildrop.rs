//! Which messages of a POP3 mailbox to fetch: names there hold only as long as their message is there.

use crate::collector::{Report, VisitError};
use crate::floor::Floor;
use jiff::{SignedDuration, Timestamp};
use postroom_domain::{Mailbox, StartFrom};
use postroom_mail::{Listed, RemoteId};
use postroom_sources::Session;
use postroom_store::{KnownDrop, Lease};
use std::collections::HashSet;

/// By how much the clocks of a server and of ours may differ when old mail is told by its date. Too little would leave new
/// mail behind; too much only takes some that is old.
const CLOCKS: SignedDuration = SignedDuration::from_hours(24);

/// The messages to fetch: those without a receipt that did not arrive before the first visit, and those of a known name that
/// may be another message by now.
pub async fn wanted(
    floor: &Floor,
    mailbox: &Mailbox,
    lease: &Lease,
    session: &mut Session,
    listed: &[Listed],
    report: &mut Report,
) -> Result<Vec<Listed>, VisitError> {
    let now = Timestamp::now();
    let known = floor.store.known_drop(mailbox.id, floor.limits.max_message).await?;
    // The listing came to its end, so what it does not have is gone, and the name is free for another message.
    let there: HashSet<&RemoteId> = listed.iter().map(|message| &message.id).collect();
    let gone: Vec<RemoteId> =
        known.receipted.keys().chain(&known.before_start).filter(|id| !there.contains(id)).cloned().collect();
    if !gone.is_empty() {
        floor.store.names_gone(lease, gone).await?;
    }
    let mut wanted = Vec::new();
    let mut unknown = Vec::new();
    for message in listed {
        match known.receipted.get(&message.id) {
            Some(receipted) if receipted.is(message) => {}
            // Its octets will tell.
            Some(_) => wanted.push(message.clone()),
            None if mailbox.start != StartFrom::All && known.before_start.contains(&message.id) => {
                report.before_start += 1
            }
            None => unknown.push(message.clone()),
        }
    }
    let left = left(mailbox, &known, session, listed, &mut unknown).await?;
    report.before_start += left.len() as u64;
    if !left.is_empty() || mailbox.first_visit_at.is_none() {
        let left: HashSet<RemoteId> = left.into_iter().collect();
        unknown.retain(|message| !left.contains(&message.id));
        floor.store.leave(lease, left.into_iter().collect(), now).await?;
    }
    wanted.extend(unknown);
    Ok(wanted)
}

/// Those of the unknown messages that were there before the first visit.
async fn left(
    mailbox: &Mailbox,
    known: &KnownDrop,
    session: &mut Session,
    listed: &[Listed],
    unknown: &mut [Listed],
) -> Result<Vec<RemoteId>, VisitError> {
    let floor = match (mailbox.start, mailbox.first_visit_at) {
        (StartFrom::All, _) => return Ok(Vec::new()),
        (StartFrom::New, None) => return Ok(unknown.iter().map(|message| message.id.clone()).collect()),
        (StartFrom::New, Some(first)) => {
            // As long as the server keeps to its names, an unknown one is new. Where not one of them is known, it may have
            // given every message a new name, as after a move to another machine; then only dates tell old from new.
            let is_known = |m: &Listed| known.receipted.contains_key(&m.id) || known.before_start.contains(&m.id);
            if listed.iter().any(is_known) {
                return Ok(Vec::new());
            }
            first.checked_sub(CLOCKS).ok()
        }
        (StartFrom::Since(_), _) => None,
    };
    session.find_arrivals(unknown).await?;
    let is_left = |message: &&Listed| mailbox.start.leaves(message, 0, floor);
    Ok(unknown.iter().filter(is_left).map(|message| message.id.clone()).collect())
}
