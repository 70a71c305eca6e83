//! Telling the server what we owe it, once it is certain that the messages are still those that were filed.

use super::{Visit, VisitError};
use crate::fault::crash_point;
use jiff::Timestamp;
use postroom_mail::{Listed, RemoteId, Settlement};
use postroom_sources::Session;
use postroom_store::Owed;
use std::collections::{HashMap, HashSet};

/// Settlements that are read at once where the server does them one by one.
const AT_ONCE: u32 = 1000;

/// Tells the server what we owe it in one folder (`None`: in a mailbox without folders) and records what it confirmed: ★
/// durable 3. `listed` are the messages as this very visit has seen them. Returns what is gone from the server by that.
pub(super) async fn settle(
    visit: &mut Visit<'_>,
    session: &mut Session,
    folder: Option<&str>,
    listed: &[Listed],
) -> Result<HashSet<RemoteId>, VisitError> {
    let (store, lease) = (&visit.floor.store, visit.lease);
    let mut on_server: HashMap<RemoteId, Option<Listed>> = HashMap::new();
    let mut removed = HashSet::new();
    // POP3 deletes at the end of the conversation, so everything has to be said in one go.
    let at_once = if matches!(session, Session::Pop3(_)) { u32::MAX } else { AT_ONCE };
    loop {
        let owed = store.owed(visit.mailbox.id, folder, at_once).await?;
        if owed.is_empty() {
            return Ok(removed);
        }
        look(session, &owed, listed, &mut on_server).await?;
        // A message that is not the one we filed, whatever its name says, is not ours to touch.
        let same =
            |owed: &Owed| on_server.get(owed.remote_id()).and_then(Option::as_ref).is_none_or(|now| is_same(owed, now));
        let (ours, strangers): (Vec<Owed>, Vec<Owed>) = owed.into_iter().partition(same);
        if !strangers.is_empty() {
            store.cancel_settlement(lease, strangers).await?;
        }
        let Some(how) = ours.first().map(|first| first.how().clone()) else { continue };
        let group: Vec<Owed> = ours.into_iter().filter(|owed| *owed.how() == how).collect();
        let ids: Vec<RemoteId> = group.iter().map(|owed| owed.remote_id().clone()).collect();
        crash_point!("visit.before_settle");
        let confirmed = session.settle(&ids, &how).await?;
        crash_point!("visit.after_settle");
        let confirmed: HashSet<RemoteId> = confirmed.into_iter().collect();
        let group: Vec<Owed> = group.into_iter().filter(|owed| confirmed.contains(owed.remote_id())).collect();
        if group.is_empty() {
            // The server refused all of them; they stay owed, and the next visit tries again.
            return Ok(removed);
        }
        visit.report.settled += group.len() as u64;
        if !matches!(how, Settlement::Keep | Settlement::MarkSeen) {
            let gone = group.iter().map(|owed| owed.remote_id().clone());
            // What was gone before is not gone by this.
            removed.extend(gone.filter(|id| on_server.get(id).is_some_and(Option::is_some)));
        }
        store.mark_settled(lease, group, Timestamp::now()).await?;
        crash_point!("visit.after_mark_settled");
    }
}

/// The second look before anything is changed on the server: how each of these messages is now, `None` where it is gone.
async fn look(
    session: &mut Session,
    owed: &[Owed],
    listed: &[Listed],
    on_server: &mut HashMap<RemoteId, Option<Listed>>,
) -> Result<(), VisitError> {
    let folder = owed.iter().find_map(|owed| match owed.remote_id() {
        RemoteId::Imap { folder, .. } => Some(folder),
        _ => None,
    });
    let asked: HashSet<&RemoteId> = owed.iter().map(Owed::remote_id).filter(|id| !on_server.contains_key(id)).collect();
    if asked.is_empty() {
        return Ok(());
    }
    let seen = listed.iter().filter(|listed| asked.contains(&listed.id));
    let mut found: HashMap<RemoteId, Listed> = seen.map(|listed| (listed.id.clone(), listed.clone())).collect();
    if let (Session::Imap(session), Some(folder)) = (session, folder) {
        let uid = |id: &RemoteId| if let RemoteId::Imap { uid, .. } = id { Some(*uid) } else { None };
        let unseen: Vec<&RemoteId> = asked.iter().filter(|id| !found.contains_key(**id)).copied().collect();
        session.open(folder).await?;
        let looked = session.look_at(unseen.into_iter().filter_map(uid)).await?;
        found.extend(looked.into_iter().map(|listed| (listed.id.clone(), listed)));
    }
    on_server.extend(asked.into_iter().map(|id| (id.clone(), found.remove(id))));
    Ok(())
}

/// Size and arrival must be what they were, the latter to the microsecond, which is as finely as it is stored.
fn is_same(owed: &Owed, now: &Listed) -> bool {
    owed.size() == now.size && now.received_at.is_none_or(|at| super::is_same_instant(at, owed.received_at()))
}
