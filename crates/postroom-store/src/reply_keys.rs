//! The keys that sign reply keys: in the database, sealed like passwords, so that a backup has them and cannot use them.

use crate::audit::AuditAction;
use crate::items::workspace_of_item;
use crate::mailboxes::mailbox_by_name;
use crate::seal::Sealer;
use crate::tx::params;
use crate::{Store, StoreError, Tx};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use postroom_domain::delivery::addresses_of;
use postroom_domain::reply_key::{KEY_LEN, NONCE_LEN};
use postroom_domain::{Mailbox, ReplyKeys};
use postroom_mail::Secret;
use postroom_mail::address::domain_of;
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The reply keys of one item for one addressee. Whoever holds one names the item by it; the addressee also proves by it
/// who is writing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplyKeyForms {
    /// The item.
    pub item: i64,
    /// Canonical address of the one it is given to.
    pub addressee: String,
    /// As the Message-ID of a message to the addressee, without angle brackets; another one each time.
    pub message_id: String,
    /// As an address to reply to; `None` where the mailbox has no address of its own, or one too long to be extended.
    pub address: Option<String>,
}

impl Store {
    /// Signs reply keys for an item. `mailbox` is the one that replies will come to, else the one that the item came
    /// through; `addressee` is whom they are given to, else the requester.
    ///
    /// # Errors
    /// `ITEM_UNKNOWN`, `MAILBOX_UNKNOWN`, `ADDRESS_INVALID`.
    pub async fn reply_key(
        &self,
        item: i64,
        mailbox: Option<&str>,
        addressee: Option<&str>,
        now: Timestamp,
    ) -> Result<ReplyKeyForms, StoreError> {
        let canonical = |text: &str| {
            postroom_mail::address::canonical(text).ok_or_else(|| StoreError::AddressInvalid(text.to_owned()))
        };
        let addressee = addressee.map(canonical).transpose()?;
        let sealer = self.sealer(true)?;
        let (nonce, fresh): ([u8; NONCE_LEN], [u8; KEY_LEN]) = (random()?, random()?);
        let (mailbox, fresh) = (mailbox.map(str::to_owned), Zeroizing::new(fresh));
        self.change(now, move |tx, notes| {
            workspace_of_item(tx, item)?;
            let mailbox = replies_to(tx, item, mailbox.as_deref())?;
            let sql = "SELECT requester_address FROM item WHERE number = ?1";
            let requester = tx.query_one(sql, params![item])?.text(0)?;
            let addressee = addressee.clone().unwrap_or(requester);
            let (mut keys, _) = load(tx, Some(&sealer))?;
            if keys.is_empty() {
                insert(tx, &sealer, &fresh, now)?;
                keys.push(fresh.clone());
            }
            let keys = ReplyKeys::new(&installation(tx)?, keys.iter().map(|key| &**key));
            let own = mailbox.as_ref().and_then(|mailbox| addresses_of(mailbox).into_iter().next());
            let own = own.map(|own| own.address);
            let message_id = keys.message_id(item, &addressee, nonce, host(mailbox.as_ref(), own.as_deref()));
            let address = own.and_then(|own| keys.address(item, &addressee, &own));
            notes.add(AuditAction::ReplyKeyGive, "item", item, json!({ "for": addressee }));
            let message_id = message_id.ok_or_else(|| StoreError::bad_value("a key that was just made"))?;
            Ok(ReplyKeyForms { item, addressee, message_id, address })
        })
        .await
    }

    /// Makes a new key that signs from now on. The older ones stay good for reading, unless they are `revoked`: then no
    /// reply key that was given out before is recognised any more. Returns how many are.
    pub async fn rotate_reply_key(&self, revoked: bool, now: Timestamp) -> Result<u64, StoreError> {
        let sealer = self.sealer(true)?;
        let fresh = Zeroizing::new(random::<KEY_LEN>()?);
        self.change(now, move |tx, notes| {
            notes.add(AuditAction::ReplyKeyRotate, "setting", "reply-key", json!({ "revoked": revoked }));
            if revoked {
                tx.execute("DELETE FROM reply_key", &[])?;
            }
            insert(tx, &sealer, &fresh, now)?;
            tx.query_one("SELECT count(*) FROM reply_key", &[])?.unsigned(0)
        })
        .await
    }

    /// What opens the keys, if there is anything to open them with.
    pub(crate) fn opener(&self) -> Option<Arc<Sealer>> {
        self.sealer(false).ok()
    }
}

/// The keys by which reply keys are verified, and whether there are some that cannot be opened.
pub(crate) fn verifying_keys(tx: &mut Tx<'_>, opener: Option<&Sealer>) -> Result<(ReplyKeys, bool), StoreError> {
    let (keys, locked) = load(tx, opener)?;
    let installation = if keys.is_empty() { Vec::new() } else { installation(tx)? };
    Ok((ReplyKeys::new(&installation, keys.iter().map(|key| &**key)), locked))
}

type SigningKey = Zeroizing<[u8; KEY_LEN]>;

/// The keys that can be opened, the newest first, and whether there are others.
fn load(tx: &mut Tx<'_>, opener: Option<&Sealer>) -> Result<(Vec<SigningKey>, bool), StoreError> {
    let mut keys = Vec::new();
    let mut locked = false;
    for mut row in tx.query("SELECT sealed FROM reply_key ORDER BY id DESC", &[])? {
        let sealed = row.blob(0)?;
        let opened = opener.and_then(|opener| opener.open_sealed(&sealed, ROW).ok());
        match opened.and_then(|secret| key_of(&secret)) {
            Some(key) => keys.push(key),
            None => locked = true,
        }
    }
    Ok((keys, locked))
}

/// What a sealed key is bound to.
const ROW: &str = "reply_key";

fn insert(tx: &mut Tx<'_>, sealer: &Sealer, key: &[u8; KEY_LEN], now: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT INTO meta (key, value) VALUES ('installation', ?1) ON CONFLICT (key) DO NOTHING";
    tx.execute(sql, params![&STANDARD.encode(random::<16>()?)])?;
    let sealed = sealer.seal(&Secret::new(STANDARD.encode(key)), ROW)?;
    let sql = "INSERT INTO reply_key (sealed, created_at) VALUES (?1, ?2)";
    tx.execute(sql, params![sealed.as_slice(), now]).map(drop)
}

fn key_of(secret: &Secret) -> Option<SigningKey> {
    let octets = Zeroizing::new(STANDARD.decode(secret.expose()).ok()?);
    octets.as_slice().try_into().ok().map(Zeroizing::new)
}

/// What tells this installation from others. It is made with the first key.
fn installation(tx: &mut Tx<'_>) -> Result<Vec<u8>, StoreError> {
    let mut row = tx.query_one("SELECT value FROM meta WHERE key = 'installation'", &[])?;
    Ok(row.text(0)?.into_bytes())
}

fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut octets = [0; N];
    getrandom::fill(&mut octets).map_err(|error| StoreError::Database(error.to_string().into()))?;
    Ok(octets)
}

/// The domain for Message-IDs of mail that goes out for this mailbox. A name that cannot exist (RFC 2606 §2) stands in where
/// there is none.
fn host<'a>(mailbox: Option<&'a Mailbox>, own: Option<&'a str>) -> &'a str {
    let server = mailbox.and_then(|mailbox| mailbox.access.server()).map(|server| server.host.as_str());
    own.map(domain_of).or(server).unwrap_or("postroom.invalid")
}

/// The mailbox that replies go to: the named one, else the one that the item came through, else one that feeds its workspace.
fn replies_to(tx: &mut Tx<'_>, item: i64, mailbox: Option<&str>) -> Result<Option<Mailbox>, StoreError> {
    if let Some(name) = mailbox {
        return mailbox_by_name(tx, name).map(Some);
    }
    let sql = "SELECT m.name FROM mailbox m JOIN item i ON i.number = ?1 LEFT JOIN receipt r ON r.id = i.receipt_id \
               WHERE m.removed_at IS NULL AND NOT m.internal ORDER BY CASE WHEN m.id = r.mailbox_id THEN 0 \
               WHEN m.workspace_id = i.workspace_id THEN 1 ELSE 2 END, m.id LIMIT 1";
    let found = tx.query_opt(sql, params![item])?.map(|mut row| row.text(0)).transpose()?;
    found.map(|name| mailbox_by_name(tx, &name)).transpose()
}
