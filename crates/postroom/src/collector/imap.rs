//! A visit to the folders of an IMAP server. What is known already is not asked for again: as long as the numbers add up, only
//! what is new is listed; when they do not, the UIDs that are there; and everything once a day, or when the server takes
//! back what it had said.

use super::stages::fetch_and_file;
use super::{FolderShown, Visit, VisitError, WHOLE_EVERY, is_same_instant, settle, upheaval};
use jiff::Timestamp;
use postroom_mail::{ImapAccess, Listed, RemoteId};
use postroom_sources::{Folder, ImapSession, Session, SourceError};
use postroom_store::{Epoch, FolderSeen, Memory};
use std::collections::{HashMap, HashSet};

/// Visits all folders; one that cannot be read does not keep the others from it.
pub(super) async fn visit(visit: &mut Visit<'_>, session: &mut Session, access: &ImapAccess) -> Result<(), VisitError> {
    let mut read = 0;
    for folder in access.folders() {
        let error = match visit_folder(visit, session, folder).await {
            Err(VisitError::Source(error)) if is_of_the_folder(&error) => Some(error),
            other => other.map(|()| None)?,
        };
        read += u64::from(error.is_none());
        if !access.more_folders.is_empty() {
            let words = error.as_ref().map(|error| (error.code().to_owned(), error.to_string()));
            visit.floor.store.folder_failed(visit.lease, folder, words, Timestamp::now()).await?;
        }
        visit.report.failed_folders.extend(error.map(|error| (folder.to_owned(), error)));
    }
    // Where none can be read, the visit has failed, for the reason of the first.
    match visit.report.failed_folders.first() {
        Some((_, error)) if read == 0 => Err(error.clone().into()),
        _ => Ok(()),
    }
}

/// Whether an error is about one folder, so that others may be read.
fn is_of_the_folder(error: &SourceError) -> bool {
    matches!(
        error,
        SourceError::FolderMissing { .. }
            | SourceError::FolderLoops { .. }
            | SourceError::UidplusMissing
            | SourceError::ServerRefused { transient: false, .. }
    )
}

/// A folder as it was found.
struct Found {
    /// What was listed of it.
    listed: Vec<Listed>,
    /// What is to be fetched.
    wanted: Vec<Listed>,
    /// Messages on the server.
    messages: u64,
    /// Messages from before the first visit.
    before_start: u64,
    /// When the whole folder was listed last.
    whole_at: Timestamp,
}

async fn visit_folder(visit: &mut Visit<'_>, session: &mut Session, folder: &str) -> Result<(), VisitError> {
    let (store, now) = (&visit.floor.store, Timestamp::now());
    let seen = imap_of(session)?.open(folder).await?;
    let uid_validity = seen.uid_validity.unwrap_or(0);
    let memory = store.memory(visit.mailbox.id, folder, uid_validity).await?;
    let uid_next = match (seen.uid_next, &memory) {
        (Some(uid_next), _) => uid_next,
        (None, Some(memory)) => memory.listed_to.saturating_add(1),
        // A server that does not tell UIDNEXT can at least tell the highest UID in use.
        (None, None) => highest(&imap_of(session)?.list_all().await?).saturating_add(1),
    };
    let begun = FolderSeen { folder: folder.to_owned(), uid_validity, uid_next };
    let epoch = store.begin_folder(visit.lease, begun, now).await?;
    let found = find(visit, session, &epoch, &seen, memory.as_ref(), now).await?;
    let before = (visit.report.on_server, visit.report.before_start);
    visit.report.listed += found.messages;
    visit.report.on_server = before.0 + found.messages;
    visit.report.before_start = before.1 + found.before_start;
    fetch_and_file(visit, session, &found.wanted).await?;
    let removed = settle::settle(visit, session, Some(folder), &found.listed).await?.len() as u64;
    visit.report.on_server = visit.report.on_server.saturating_sub(removed).max(before.0);
    let messages = visit.report.on_server - before.0;
    let up_to = seen.uid_next.map_or(memory.as_ref().map_or(0, |memory| memory.listed_to), |uid_next| uid_next - 1);
    let listed_to = highest(&found.listed).max(up_to);
    let shows = Memory {
        listed_to,
        mod_seq: seen.highest_mod_seq,
        names: None,
        octets: None,
        present: messages,
        before_start: found.before_start,
        whole_at: found.whole_at,
    };
    visit.remember(folder, uid_validity, memory.as_ref(), shows).await?;
    visit.shown.push(FolderShown { folder: folder.to_owned(), uid_validity, listed_to, messages });
    Ok(())
}

/// How much of a folder has to be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// Nothing: the server says that nothing has changed.
    Nothing,
    /// From the last known message on, which shows whether it is still the same.
    FromLast,
    /// All, because it is time, or because there is nothing to compare with.
    Whole,
    /// All, and names may mean other messages than they did: the server has taken back what it had said.
    Upheaval,
}

/// `in_doubt`: whether names are known not to mean what they did, or a person has been asked and not answered.
fn extent(seen: &Folder, memory: Option<&Memory>, in_doubt: bool, now: Timestamp) -> Extent {
    let Some(memory) = memory else { return if in_doubt { Extent::Upheaval } else { Extent::Whole } };
    let uid_next_fell = seen.uid_next.is_some_and(|uid_next| uid_next <= memory.listed_to);
    let mod_seq_fell = seen.highest_mod_seq.zip(memory.mod_seq).is_some_and(|(now, before)| now < before);
    if uid_next_fell || mod_seq_fell || in_doubt {
        return Extent::Upheaval;
    }
    // A clock that was set back makes it time as well.
    let age = now.duration_since(memory.whole_at);
    if age > WHOLE_EVERY || age.is_negative() {
        return Extent::Whole;
    }
    let is_as_it_was = seen.highest_mod_seq.is_some()
        && seen.highest_mod_seq == memory.mod_seq
        && seen.uid_next == memory.listed_to.checked_add(1)
        && seen.exists.map(u64::from) == Some(memory.present);
    if is_as_it_was { Extent::Nothing } else { Extent::FromLast }
}

async fn find(
    visit: &mut Visit<'_>,
    session: &mut Session,
    epoch: &Epoch,
    seen: &Folder,
    memory: Option<&Memory>,
    now: Timestamp,
) -> Result<Found, VisitError> {
    let in_doubt = visit.mailbox.asks || (epoch.successor && memory.is_none());
    let mut extent = extent(seen, memory, in_doubt, now);
    if let (Extent::Nothing | Extent::FromLast, Some(memory)) = (extent, memory) {
        match find_new(visit, imap_of(session)?, epoch, memory, extent).await? {
            Ok(found) => return Ok(found),
            Err(more) => extent = more,
        }
    }
    find_all(visit, session, epoch, extent == Extent::Upheaval, now).await
}

/// What has come since, as far as the numbers add up; else how much more has to be listed.
async fn find_new(
    visit: &Visit<'_>,
    imap: &mut ImapSession,
    epoch: &Epoch,
    memory: &Memory,
    extent: Extent,
) -> Result<Result<Found, Extent>, VisitError> {
    let (store, id, max) = (&visit.floor.store, visit.mailbox.id, visit.floor.limits.max_message);
    let (mut listed, mut known) = (Vec::new(), HashMap::new());
    if extent == Extent::FromLast {
        listed = imap.list_from(memory.listed_to.max(1)).await?;
        known = store.known_uids(id, epoch, memory.listed_to, max).await?;
        if listed.iter().any(|message| recognise(message, &known) == Recognised::Stranger) {
            return Ok(Err(Extent::Upheaval));
        }
    }
    let is_new = |message: &Listed| uid_of(&message.id).is_some_and(|uid| uid > memory.listed_to);
    listed.retain(is_new);
    let (mut messages, mut before_start) = (memory.present + listed.len() as u64, memory.before_start);
    if imap.exists().map(u64::from) != Some(messages) {
        let there = imap.uids().await?;
        let compared = compare(&store.present_uids(id, epoch).await?, &there, memory.listed_to);
        if compared.unknown > memory.before_start {
            return Ok(Err(Extent::Whole));
        }
        gone(visit, epoch, compared.vanished, false).await?;
        let seen: HashSet<u32> = listed.iter().filter_map(|message| uid_of(&message.id)).collect();
        let late = all(&there).filter(|uid| *uid > memory.listed_to && !seen.contains(uid));
        listed.extend(imap.look_at(late.collect::<Vec<_>>()).await?);
        (messages, before_start) = (all(&there).count() as u64, compared.unknown);
    }
    let again = store.asked_again(id, epoch, max).await?;
    let mut wanted = if again.is_empty() { Vec::new() } else { imap.look_at(again).await? };
    for message in &listed {
        if recognise(message, &known) == Recognised::Known {
            continue;
        }
        if visit.mailbox.start.leaves(message, epoch.first_uid, epoch.floor) {
            before_start += 1;
        } else if !wanted.contains(message) {
            wanted.push(message.clone());
        }
    }
    Ok(Ok(Found { listed, wanted, messages, before_start, whole_at: memory.whole_at }))
}

/// All that there is.
async fn find_all(
    visit: &mut Visit<'_>,
    session: &mut Session,
    epoch: &Epoch,
    is_upheaval: bool,
    now: Timestamp,
) -> Result<Found, VisitError> {
    let (store, id, max) = (&visit.floor.store, visit.mailbox.id, visit.floor.limits.max_message);
    let listed = imap_of(session)?.list_all().await?;
    let known = store.known_uids(id, epoch, 1, max).await?;
    let again: HashSet<u32> = store.asked_again(id, epoch, max).await?.into_iter().collect();
    let there: HashSet<u32> = listed.iter().filter_map(|message| uid_of(&message.id)).collect();
    let mut lost: Vec<u32> = known.keys().chain(&again).filter(|uid| !there.contains(uid)).copied().collect();
    let (mut wanted, mut unknown, mut strangers, mut before_start) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for message in &listed {
        let uid = uid_of(&message.id).unwrap_or(0);
        match recognise(message, &known) {
            Recognised::Known => {}
            Recognised::Stranger => {
                strangers.push(uid);
                unknown.push(message.clone());
            }
            Recognised::New if again.contains(&uid) => wanted.push(message.clone()),
            Recognised::New if visit.mailbox.start.leaves(message, epoch.first_uid, epoch.floor) => before_start += 1,
            Recognised::New => unknown.push(message.clone()),
        }
    }
    let is_upheaval = is_upheaval || !strangers.is_empty();
    lost.extend(strangers);
    gone(visit, epoch, lost, is_upheaval).await?;
    let messages = listed.len() as u64;
    if is_upheaval {
        unknown = upheaval::recognise(visit, session, unknown, messages - before_start).await?;
    }
    wanted.extend(unknown);
    Ok(Found { listed, wanted, messages, before_start, whole_at: now })
}

/// Records what is not there any more.
async fn gone(visit: &Visit<'_>, epoch: &Epoch, uids: Vec<u32>, give_up_names: bool) -> Result<(), VisitError> {
    const AT_ONCE: usize = 1000;
    for uids in uids.chunks(AT_ONCE) {
        let ids = uids.iter().map(|uid| RemoteId::Imap {
            folder: epoch.folder.clone(),
            uid_validity: epoch.uid_validity,
            uid: *uid,
        });
        visit.floor.store.vanished(visit.lease, ids.collect(), give_up_names, Timestamp::now()).await?;
    }
    Ok(())
}

/// What the second look says of a listed message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Recognised {
    /// There is no receipt of it.
    New,
    /// It has its receipt.
    Known,
    /// Its UID has a receipt, of a message that arrived at another time. The size says nothing, since servers are known to be
    /// wrong about it. Its octets decide in the end.
    Stranger,
}

fn recognise(message: &Listed, known: &HashMap<u32, Timestamp>) -> Recognised {
    let Some(known) = uid_of(&message.id).and_then(|uid| known.get(&uid)) else { return Recognised::New };
    let other_arrival = message.received_at.is_some_and(|at| !is_same_instant(at, *known));
    if other_arrival { Recognised::Stranger } else { Recognised::Known }
}

/// The UIDs that are there beside those that have a receipt.
#[derive(Debug, PartialEq, Eq)]
struct Compared {
    /// UIDs with a receipt that are not there.
    vanished: Vec<u32>,
    /// How many are there without a receipt, up to the last known one.
    unknown: u64,
}

/// Both in ascending order.
fn compare(receipted: &[u32], there: &[(u32, u32)], listed_to: u32) -> Compared {
    let up_to_last = there.iter().filter(|(first, _)| *first <= listed_to);
    let mut unknown: u64 = up_to_last.map(|(first, last)| u64::from((*last).min(listed_to) - first) + 1).sum();
    let (mut ranges, mut vanished) = (there.iter().peekable(), Vec::new());
    for uid in receipted {
        while ranges.next_if(|(_, last)| last < uid).is_some() {}
        match ranges.peek() {
            Some((first, _)) if first <= uid => unknown -= u64::from(*uid <= listed_to),
            _ => vanished.push(*uid),
        }
    }
    Compared { vanished, unknown }
}

fn all(ranges: &[(u32, u32)]) -> impl Iterator<Item = u32> {
    ranges.iter().flat_map(|(first, last)| *first..=*last)
}

fn uid_of(id: &RemoteId) -> Option<u32> {
    if let RemoteId::Imap { uid, .. } = id { Some(*uid) } else { None }
}

fn highest(listed: &[Listed]) -> u32 {
    listed.iter().filter_map(|message| uid_of(&message.id)).max().unwrap_or(0)
}

/// The conversation, which is one with an IMAP server.
fn imap_of(session: &mut Session) -> Result<&mut ImapSession, SourceError> {
    if let Session::Imap(session) = session { Ok(session) } else { Err(SourceError::NothingToVisit) }
}

#[cfg(test)]
mod tests;
