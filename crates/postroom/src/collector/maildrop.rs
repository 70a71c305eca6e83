//! A visit to a POP3 mailbox: names there hold only as long as their message is there.

use super::stages::fetch_and_file;
use super::{Visit, VisitError, WHOLE_EVERY, settle, upheaval};
use jiff::{SignedDuration, Timestamp};
use postroom_domain::{Mailbox, StartFrom};
use postroom_mail::{Listed, RemoteId};
use postroom_sources::{Listing, MaildropShown, Pop3Session, Session, SourceError};
use postroom_store::Memory;
use std::collections::HashSet;

/// By how much the clocks of a server and of ours may differ when old mail is told by its date. Too little would leave new
/// mail behind; too much only takes some that is old.
const CLOCKS: SignedDuration = SignedDuration::from_hours(24);

/// What a maildrop is called among the folders that are remembered.
const NO_FOLDER: &str = "";

/// A maildrop as it was found.
struct Found {
    /// What was listed of it.
    listed: Vec<Listed>,
    /// What is to be fetched.
    wanted: Vec<Listed>,
    /// Messages on the server.
    messages: u64,
    /// Messages from before the first visit.
    before_start: u64,
    /// When all of it was looked at last.
    whole_at: Timestamp,
}

pub(super) async fn visit(visit: &mut Visit<'_>, session: &mut Session) -> Result<(), VisitError> {
    let (store, id, now) = (&visit.floor.store, visit.mailbox.id, Timestamp::now());
    let memory = store.memory(id, NO_FOLDER, 0).await?;
    // What is owed, or asked for again, is found in a whole listing alone.
    let is_due = visit.mailbox.asks
        || memory.as_ref().is_none_or(|memory| is_due(memory, now))
        || !store.owed(id, None, 1).await?.is_empty()
        || store.asks_again(id, visit.floor.limits.max_message).await?;
    let before = memory.as_ref().filter(|_| !is_due).and_then(shown);
    let found = match (pop3_of(session)?.look(before.as_ref()).await?, &memory) {
        (Listing::AsBefore, Some(memory)) => Found { listed: Vec::new(), wanted: Vec::new(), ..as_remembered(memory) },
        (Listing::Grown(listed), Some(memory)) => {
            let (mut wanted, messages) = (listed.clone(), memory.present + listed.len() as u64);
            let before_start = memory.before_start + leave_old(visit, session, false, &mut wanted, now).await?;
            Found { messages, listed, wanted, before_start, ..as_remembered(memory) }
        }
        (Listing::Whole(listed), _) => find_all(visit, session, listed, now).await?,
        // Nothing is as before or has grown that nobody remembers.
        _ => return Err(SourceError::Stopped.into()),
    };
    visit.report.listed = found.messages;
    visit.report.on_server = found.messages;
    visit.report.before_start = found.before_start;
    fetch_and_file(visit, session, &found.wanted).await?;
    let removed = settle::settle(visit, session, None, &found.listed).await?;
    visit.report.on_server = visit.report.on_server.saturating_sub(removed.len() as u64);
    let shown = pop3_of(session)?.shown(&removed);
    let shows = Memory {
        listed_to: 0,
        mod_seq: None,
        names: shown.map(|shown| shown.names),
        octets: shown.and_then(|shown| shown.octets),
        present: visit.report.on_server,
        before_start: found.before_start,
        whole_at: found.whole_at,
    };
    visit.remember(NO_FOLDER, 0, memory.as_ref(), shows).await?;
    Ok(())
}

fn is_due(memory: &Memory, now: Timestamp) -> bool {
    let age = now.duration_since(memory.whole_at);
    age > WHOLE_EVERY || age.is_negative()
}

fn shown(memory: &Memory) -> Option<MaildropShown> {
    Some(MaildropShown { messages: memory.present, octets: memory.octets, names: memory.names? })
}

fn as_remembered(memory: &Memory) -> Found {
    let Memory { present, before_start, whole_at, .. } = *memory;
    Found { listed: Vec::new(), wanted: Vec::new(), messages: present, before_start, whole_at }
}

/// The messages to fetch of a whole listing: those without a receipt that did not arrive before the first visit, and those of
/// a known name that may be another message by now.
async fn find_all(
    visit: &mut Visit<'_>,
    session: &mut Session,
    listed: Vec<Listed>,
    now: Timestamp,
) -> Result<Found, VisitError> {
    let (store, mailbox) = (&visit.floor.store, visit.mailbox);
    let known = store.known_drop(mailbox.id, visit.floor.limits.max_message).await?;
    // The listing came to its end, so what it does not have is gone, and the name is free for another message.
    let there: HashSet<&RemoteId> = listed.iter().map(|message| &message.id).collect();
    let names = known.receipted.keys().chain(&known.before_start).chain(&known.asked_again);
    let gone: Vec<RemoteId> = names.filter(|id| !there.contains(id)).cloned().collect();
    if !gone.is_empty() {
        store.names_gone(visit.lease, gone, now).await?;
    }
    let (mut wanted, mut unknown, mut before_start) = (Vec::new(), Vec::new(), 0);
    for message in &listed {
        match known.receipted.get(&message.id) {
            Some(receipted) if receipted.is(message) => {}
            // Its octets will tell.
            Some(_) => wanted.push(message.clone()),
            None if mailbox.start != StartFrom::All && known.before_start.contains(&message.id) => before_start += 1,
            None => unknown.push(message.clone()),
        }
    }
    // As long as the server keeps to its names, an unknown one is new. Where not one of them is known, it may have given
    // every message a new name, as after a move to another machine; surely where some should be known.
    let is_known = |m: &Listed| known.receipted.contains_key(&m.id) || known.before_start.contains(&m.id);
    let is_unfamiliar = !listed.iter().any(is_known);
    let some_should_be = !known.before_start.is_empty() || known.receipted.values().any(|one| !one.settled);
    before_start += leave_old(visit, session, is_unfamiliar, &mut unknown, now).await?;
    let messages = listed.len() as u64;
    if mailbox.asks || (is_unfamiliar && some_should_be) {
        unknown = upheaval::recognise(visit, session, unknown, messages - before_start).await?;
    }
    wanted.extend(unknown);
    Ok(Found { listed, wanted, messages, before_start, whole_at: now })
}

/// Takes those out of the unknown messages that were there before the first visit, and records them; returns how many.
async fn leave_old(
    visit: &Visit<'_>,
    session: &mut Session,
    is_unfamiliar: bool,
    unknown: &mut Vec<Listed>,
    now: Timestamp,
) -> Result<u64, VisitError> {
    let left = left(visit.mailbox, pop3_of(session)?, is_unfamiliar, unknown).await?;
    let left: HashSet<RemoteId> = left.into_iter().collect();
    let count = left.len() as u64;
    if count > 0 || visit.mailbox.first_visit_at.is_none() {
        unknown.retain(|message| !left.contains(&message.id));
        visit.floor.store.leave(visit.lease, left.into_iter().collect(), now).await?;
    }
    Ok(count)
}

/// Those of the unknown messages that were there before the first visit.
async fn left(
    mailbox: &Mailbox,
    session: &mut Pop3Session,
    is_unfamiliar: bool,
    unknown: &mut [Listed],
) -> Result<Vec<RemoteId>, SourceError> {
    let floor = match (mailbox.start, mailbox.first_visit_at) {
        (StartFrom::All, _) => return Ok(Vec::new()),
        (StartFrom::New, None) => return Ok(unknown.iter().map(|message| message.id.clone()).collect()),
        (StartFrom::New, Some(_)) if !is_unfamiliar => return Ok(Vec::new()),
        // Then only dates tell old from new.
        (StartFrom::New, Some(first)) => first.checked_sub(CLOCKS).ok(),
        (StartFrom::Since(_), _) => None,
    };
    session.find_arrivals(unknown).await?;
    let is_left = |message: &&Listed| mailbox.start.leaves(message, 0, floor);
    Ok(unknown.iter().filter(is_left).map(|message| message.id.clone()).collect())
}

/// The conversation, which is one with a POP3 server.
fn pop3_of(session: &mut Session) -> Result<&mut Pop3Session, SourceError> {
    if let Session::Pop3(session) = session { Ok(session) } else { Err(SourceError::NothingToVisit) }
}
