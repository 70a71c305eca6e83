//! A visit to a Maildir: what is there is told by names, all of them, since a look at them costs little.

use super::stages::fetch_and_file;
use super::{Visit, VisitError, settle};
use jiff::Timestamp;
use postroom_domain::StartFrom;
use postroom_mail::{Listed, RemoteId};
use postroom_sources::Session;
use postroom_store::KnownNames;
use std::collections::HashSet;

pub(super) async fn visit(visit: &mut Visit<'_>, session: &mut Session) -> Result<(), VisitError> {
    let (store, mailbox, now) = (&visit.floor.store, visit.mailbox, Timestamp::now());
    let listed = session.list().await?;
    visit.report.listed = listed.len() as u64;
    visit.report.on_server = listed.len() as u64;
    if mailbox.first_visit_at.is_none() {
        let left = if mailbox.start == StartFrom::New { listed.as_slice() } else { &[] };
        store.leave(visit.lease, left.iter().map(|message| message.id.clone()).collect(), now).await?;
    }
    let known = store.known_names(mailbox.id, visit.floor.limits.max_message).await?;
    gone(visit, &known, &listed, now).await?;
    let mut wanted = Vec::new();
    for message in &listed {
        let RemoteId::Maildir { name } = &message.id else { continue };
        let is_before_start = match mailbox.start {
            StartFrom::New => known.before_start.contains(name),
            _ => mailbox.start.leaves(message, 0, None),
        };
        if known.receipted.contains(name) {
            continue;
        }
        if is_before_start {
            visit.report.before_start += 1;
        } else {
            wanted.push(message.clone());
        }
    }
    fetch_and_file(visit, session, &wanted).await?;
    let removed = settle::settle(visit, session, None, &listed).await?.len() as u64;
    visit.report.on_server = visit.report.on_server.saturating_sub(removed);
    Ok(())
}

/// Records what is not there any more.
async fn gone(visit: &Visit<'_>, known: &KnownNames, listed: &[Listed], now: Timestamp) -> Result<(), VisitError> {
    let there: HashSet<&RemoteId> = listed.iter().map(|message| &message.id).collect();
    let ids = known.receipted.iter().map(|name| RemoteId::Maildir { name: name.clone() });
    let gone: Vec<RemoteId> = ids.filter(|id| !there.contains(id)).collect();
    if gone.is_empty() { Ok(()) } else { Ok(visit.floor.store.vanished(visit.lease, gone, false, now).await?) }
}
