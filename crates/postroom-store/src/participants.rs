//! Who takes part in an item, and who is only proposed. A proposal gives no access: it stands in a table of its own, which no
//! question about rights ever asks.

use crate::audit::AuditAction;
use crate::changes::{Change, ChangeKind, record_change};
use crate::items::{is_user, workspace_of_item};
use crate::moving::touch;
use crate::people::user_by_address;
use crate::tx::params;
use crate::{Noun, Store, StoreError, Tx};
use jiff::Timestamp;
use postroom_domain::item::{Proposed, ProposedBecause};
use postroom_domain::{Action, Actor, Object, Party, authorize};
use postroom_mail::address::canonical;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// Proposals of one item. Whoever has a reply key has it for any number of addresses.
const PROPOSALS_MAX: i64 = 50;

/// Somebody who is to be proposed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Proposal {
    /// Canonical address; nobody is proposed without one.
    pub(crate) address: String,
    pub(crate) name: String,
    pub(crate) why: Why,
    /// Whose reply key it was.
    pub(crate) key_of: Option<String>,
    /// The item that was opened with it, or that a comment came from.
    pub(crate) from_item: Option<i64>,
}

/// Characters of a participant's name.
const NAME_MAX: usize = 200;

/// A name as it is kept: one line, of bounded length.
fn name_of(text: &str) -> String {
    text.split(|c: char| c.is_control() || c == ' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(NAME_MAX)
        .collect()
}

/// Why somebody is proposed.
pub(crate) type Why = ProposedBecause;

impl Store {
    /// Makes somebody a participant of an item, whether proposed or not. Who is one already stays one.
    ///
    /// # Errors
    /// `ITEM_UNKNOWN`, `ADDRESS_INVALID`.
    pub async fn add_participant(
        &self,
        number: i64,
        address: &str,
        name: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let address = canonical(address).ok_or_else(|| StoreError::AddressInvalid(address.to_owned()))?;
        let (name, actor) = (name.map(name_of), Arc::clone(&self.actor));
        self.change(now, move |tx, notes| {
            tx.take_turn()?;
            workspace_of_item(tx, number)?;
            let proposal = take_proposal(tx, number, &address)?;
            let proposed = proposal.as_ref().map(|proposal| proposal.name.clone());
            let name = name.clone().or(proposed).unwrap_or_default();
            let sql = "INSERT INTO participant (item_number, address, name, role) VALUES (?1, ?2, ?3, 'added') \
                       ON CONFLICT (item_number, address) DO NOTHING";
            if tx.execute(sql, params![number, &address, &name])? == 0 {
                return Ok(());
            }
            touch(tx, &[number], now)?;
            notes.add(AuditAction::ParticipantAdd, "item", number, json!({ "address": address }));
            let detail = json!({ "address": address, "name": name, "proposal": proposal });
            record_change(tx, &Change { detail, ..Change::new(number, ChangeKind::ParticipantAdded, &actor, now) })
        })
        .await
    }

    /// Takes somebody off an item, or drops a proposal for good. The requester stays.
    ///
    /// # Errors
    /// `ITEM_UNKNOWN`, `ADDRESS_INVALID`, `PARTICIPANT_UNKNOWN`, `PARTICIPANT_IS_REQUESTER`.
    pub async fn remove_participant(&self, number: i64, address: &str, now: Timestamp) -> Result<(), StoreError> {
        let address = canonical(address).ok_or_else(|| StoreError::AddressInvalid(address.to_owned()))?;
        let actor = Arc::clone(&self.actor);
        self.change(now, move |tx, notes| {
            tx.take_turn()?;
            workspace_of_item(tx, number)?;
            let sql = "SELECT name, role FROM participant WHERE item_number = ?1 AND address = ?2";
            let detail = match tx.query_opt(sql, params![number, &address])? {
                Some(mut row) => {
                    let (name, role) = (row.text(0)?, row.text(1)?);
                    if role == "requester" {
                        return Err(StoreError::ParticipantIsRequester(address.clone()));
                    }
                    let sql = "DELETE FROM participant WHERE item_number = ?1 AND address = ?2";
                    tx.execute(sql, params![number, &address])?;
                    json!({ "address": address, "name": name, "role": role })
                }
                None => {
                    let sql =
                        "UPDATE proposal SET declined = TRUE WHERE item_number = ?1 AND address = ?2 AND NOT declined";
                    if tx.execute(sql, params![number, &address])? == 0 {
                        return Err(StoreError::unknown(Noun::Participant, &address));
                    }
                    json!({ "address": address, "role": "proposed" })
                }
            };
            touch(tx, &[number], now)?;
            notes.add(AuditAction::ParticipantRemove, "item", number, json!({ "address": address }));
            record_change(tx, &Change { detail, ..Change::new(number, ChangeKind::ParticipantRemoved, &actor, now) })
        })
        .await
    }
}

/// Proposes somebody, unless that one takes part already, may comment anyway, was proposed before, or too many are. Whether
/// the proposal is new.
pub(crate) fn propose(tx: &mut Tx<'_>, item: i64, proposal: &Proposal, now: Timestamp) -> Result<bool, StoreError> {
    if proposal.address.is_empty() {
        return Ok(false);
    }
    let takes_part = "SELECT 1 FROM participant WHERE item_number = ?1 AND address = ?2";
    if tx.query_opt(takes_part, params![item, &proposal.address])?.is_some() {
        return Ok(false);
    }
    if let Some(user) = user_by_address(tx, &proposal.address)? {
        let workspace = workspace_of_item(tx, item)?;
        let object = Object::Item { workspace: &workspace, takes_part: false };
        if !user.active || authorize(Actor::User(&user), Action::Comment, object) {
            return Ok(false);
        }
    }
    let count = "SELECT count(*) FROM proposal WHERE item_number = ?1";
    if tx.query_one(count, params![item])?.int(0)? >= PROPOSALS_MAX {
        return Ok(false);
    }
    insert_proposal(tx, item, proposal, now)
}

pub(crate) fn insert_proposal(
    tx: &mut Tx<'_>,
    item: i64,
    proposal: &Proposal,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let added = tx.execute(
        "INSERT INTO proposal (item_number, address, name, why, key_of, from_item, declined, proposed_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, FALSE, ?7) ON CONFLICT (item_number, address) DO NOTHING",
        params![
            item,
            &proposal.address,
            &proposal.name,
            proposal.why.as_str(),
            proposal.key_of.as_ref(),
            proposal.from_item,
            now
        ],
    )?;
    Ok(added > 0)
}

/// Takes a proposal out of the table, also one that was declined.
fn take_proposal(tx: &mut Tx<'_>, item: i64, address: &str) -> Result<Option<Proposal>, StoreError> {
    let sql = "DELETE FROM proposal WHERE item_number = ?1 AND address = ?2 RETURNING name, why, key_of, from_item";
    let Some(mut row) = tx.query_opt(sql, params![item, address])? else { return Ok(None) };
    Ok(Some(Proposal {
        address: address.to_owned(),
        name: row.text(0)?,
        why: why_of(&row.text(1)?)?,
        key_of: row.opt_text(2)?,
        from_item: row.opt_int(3)?,
    }))
}

fn why_of(name: &str) -> Result<Why, StoreError> {
    Why::from_name(name).ok_or_else(|| StoreError::bad_value(format!("proposal {name}")))
}

/// The proposals of an item that wait for a person, the oldest first.
pub(crate) fn proposed_of(tx: &mut Tx<'_>, item: i64) -> Result<Vec<Proposed>, StoreError> {
    let sql = format!(
        "SELECT p.address, p.name, {}, p.why, p.key_of, p.from_item FROM proposal p \
         WHERE p.item_number = ?1 AND NOT p.declined ORDER BY p.proposed_at, p.address",
        is_user("p.address")
    );
    let rows = tx.query(&sql, params![item])?;
    rows.into_iter()
        .map(|mut row| {
            Ok(Proposed {
                party: Party { address: row.text(0)?, name: row.text(1)?, user: row.bool(2)? },
                because: why_of(&row.text(3)?)?,
                key_of: row.opt_text(4)?,
                item: row.opt_int(5)?,
            })
        })
        .collect()
}
