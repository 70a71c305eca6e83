//! The audit: one row for everything that a person changed, in the transaction of the change, each row's digest taken over the
//! row before it. Rows are only appended; [`crate::Store::check`] names the first one that does not hold.

use crate::check::{CheckReport, Problem};
use crate::tx::{Param, Row, params};
use crate::{Store, StoreError, Tx};
use jiff::Timestamp;
use postroom_mail::Sha256;
use serde::Serialize;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::fmt::Display;
use std::sync::Arc;

/// Whose name stands in the audit where nobody in particular acts.
pub const SYSTEM: &str = "system";

/// Declares what can be done, with the stable names that the audit has for it.
macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// What was done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum AuditAction {
            $($(#[$doc])* $name,)*
        }

        impl AuditAction {
            /// All actions.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The stable name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

actions! {
    /// A workspace was added.
    WorkspaceAdd = "workspace.add";
    /// Another workspace is the default now.
    WorkspaceDefault = "workspace.default";
    /// The rules of a workspace were changed.
    WorkspaceSet = "workspace.set";
    /// A user was registered.
    UserAdd = "user.add";
    /// A user was changed.
    UserSet = "user.set";
    /// A user has another password.
    UserPassword = "user.password";
    /// A user was signed out everywhere.
    UserSignOut = "user.sign-out";
    /// Somebody asked for an account.
    UserRegister = "user.register";
    /// Somebody was invited.
    UserInvite = "user.invite";
    /// A registration was approved.
    UserApprove = "user.approve";
    /// A registration was refused, or an invitation withdrawn.
    UserRefuse = "user.refuse";
    /// Somebody showed that an address is theirs.
    UserProve = "user.prove";
    /// A contact was admitted.
    ContactAdmit = "contact.admit";
    /// A contact was blocked.
    ContactBlock = "contact.block";
    /// A contact was forgotten.
    ContactForget = "contact.forget";
    /// A mailbox was added.
    MailboxAdd = "mailbox.add";
    /// A mailbox was changed.
    MailboxSet = "mailbox.set";
    /// A mailbox has another password.
    MailboxPassword = "mailbox.password";
    /// The visits of a mailbox were suspended.
    MailboxPause = "mailbox.pause";
    /// They go on.
    MailboxResume = "mailbox.resume";
    /// A visit was asked for.
    MailboxVisit = "mailbox.visit";
    /// A mailbox was removed.
    MailboxRemove = "mailbox.remove";
    /// A certificate is trusted for a mailbox.
    CertificateAdd = "certificate.add";
    /// It is no more.
    CertificateRemove = "certificate.remove";
    /// The global policy was changed.
    SettingSet = "setting.set";
    /// A routing rule was added.
    RuleAdd = "rule.add";
    /// A routing rule was changed.
    RuleSet = "rule.set";
    /// A routing rule was moved in the list.
    RuleMove = "rule.move";
    /// A routing rule was removed.
    RuleRemove = "rule.remove";
    /// All routing rules were replaced.
    RuleImport = "rule.import";
    /// A message is decided again.
    ReceiptRetry = "receipt.retry";
    /// A held message is filed whatever the rules say of its sender.
    ReceiptRelease = "receipt.release";
    /// The octets of a held message were removed.
    ReceiptDelete = "receipt.delete";
    /// The octets of a message were given out.
    ReceiptDownload = "receipt.download";
    /// An item was moved into another workspace.
    ItemMove = "item.move";
    /// An item was made of a comment.
    ItemSplit = "item.split";
    /// A comment was moved onto another item.
    ItemMoveComment = "item.move-comment";
    /// Somebody commented on an item, not by mail.
    ItemComment = "item.comment";
    /// An item was closed.
    ItemClose = "item.close";
    /// An item was opened again.
    ItemReopen = "item.reopen";
    /// An item was assigned to somebody, or to nobody.
    ItemAssign = "item.assign";
    /// The tags of an item were changed.
    ItemTag = "item.tag";
    /// Somebody was given part in an item.
    ParticipantAdd = "participant.add";
    /// Somebody was taken off an item, or is not proposed any more.
    ParticipantRemove = "participant.remove";
    /// A change of an item was taken back.
    ItemUndo = "item.undo";
    /// Reply keys of an item were given out.
    ReplyKeyGive = "reply-key.give";
    /// Another key signs reply keys.
    ReplyKeyRotate = "reply-key.rotate";
    /// An API token was made.
    TokenAdd = "token.add";
    /// An API token was removed.
    TokenRemove = "token.remove";
    /// An address was made that signs somebody in once.
    SigninLink = "signin.link";
    /// Somebody signed in.
    SigninUse = "signin.use";
    /// Somebody signed out.
    SigninOut = "signin.out";
    /// A backup was restored.
    DataRestore = "data.restore";
}

/// One row of the audit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditEntry {
    /// Its place in the chain, from 1 without gaps.
    pub id: i64,
    /// When it was done.
    pub at: Timestamp,
    /// Who did it: an address, `cli:USER`, `mailbox:ID`, `setup` or `system`.
    pub actor: String,
    /// What was done, the name of an [`AuditAction`].
    pub action: String,
    /// What it was done with: `kind:name`.
    pub object: String,
    /// More about it: old and new values, never a secret and nothing of the text of mail.
    pub detail: Value,
    /// SHA-256 of the row before it and of this one.
    pub hash: Sha256,
}

/// Which rows to list; newest first.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Only about this object, `kind:name`, or about all of one `kind`.
    pub object: Option<String>,
    /// Only what this one did.
    pub actor: Option<String>,
    /// Only older than this row.
    pub before: Option<i64>,
    /// At most so many; 0 means 100.
    pub limit: u32,
}

/// Rows when a filter names no limit.
const LIMIT_DEFAULT: u32 = 100;
/// Rows verified at once.
const PAGE: i64 = 500;

/// What a transaction will have in the audit once its work is done.
#[derive(Default)]
pub(crate) struct Notes(Vec<Note>);

struct Note {
    /// `None` for the one in whose name the store acts.
    actor: Option<String>,
    action: AuditAction,
    object: String,
    detail: Value,
}

impl Notes {
    /// Notes what was done with the object `kind:name`.
    pub(crate) fn add(&mut self, action: AuditAction, kind: &str, name: impl Display, detail: Value) {
        self.0.push(Note { actor: None, action, object: format!("{kind}:{name}"), detail });
    }

    /// The same for somebody who is only known once the work is done.
    pub(crate) fn add_by(&mut self, actor: &str, action: AuditAction, kind: &str, name: impl Display, detail: Value) {
        self.0.push(Note { actor: Some(actor.to_owned()), action, object: format!("{kind}:{name}"), detail });
    }

    /// How many notes there are, for [`Notes::forget`].
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets all but the first `kept`: what they say was undone.
    pub(crate) fn forget(&mut self, kept: usize) {
        self.0.truncate(kept);
    }

    /// Appends what was noted to the chain. The head of the chain stays locked until the end of the transaction, so nothing
    /// else may be locked after this.
    pub(crate) fn append(&self, tx: &mut Tx<'_>, actor: &str, now: Timestamp) -> Result<(), StoreError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut head = lock_head(tx)?;
        for note in &self.0 {
            let actor = Param::clean(note.actor.as_deref().unwrap_or(actor));
            let (object, detail) = (Param::clean(&note.object), note.detail.to_string());
            let row = Link { at: now.as_microsecond(), actor, action: note.action.as_str(), object, detail: &detail };
            head = head.next(&row)?;
            tx.execute(
                "INSERT INTO audit (id, at, actor, action, object, detail, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![head.id, row.at, row.actor.as_ref(), row.action, row.object.as_ref(), row.detail, &head.hash],
            )?;
        }
        tx.execute("UPDATE meta SET value = ?1 WHERE key = 'audit_head'", params![&head.to_text()]).map(drop)
    }
}

/// The end of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Head {
    id: i64,
    hash: Sha256,
}

/// What of a row its digest covers.
struct Link<'a> {
    at: i64,
    actor: Cow<'a, str>,
    action: &'a str,
    object: Cow<'a, str>,
    detail: &'a str,
}

impl Head {
    /// Before the first row.
    const START: Self = Self { id: 0, hash: Sha256::from_bytes([0; 32]) };

    /// The head once `row` has followed.
    fn next(&self, row: &Link<'_>) -> Result<Self, StoreError> {
        let id = self.id + 1;
        // A list in JSON: unambiguous whatever stands in the texts.
        let list = (id, row.at, &row.actor, row.action, &row.object, row.detail);
        let list = serde_json::to_vec(&list).map_err(|error| StoreError::bad_value(error.to_string()))?;
        Ok(Self { id, hash: Sha256::of(&[self.hash.as_bytes().as_slice(), &list].concat()) })
    }

    fn to_text(&self) -> String {
        format!("{}:{}", self.id, self.hash)
    }

    fn from_text(text: &str) -> Option<Self> {
        let (id, hash) = text.split_once(':')?;
        Some(Self { id: id.parse().ok()?, hash: hash.parse().ok()? })
    }
}

/// The head of the chain, locked: on PostgreSQL the row in `meta` makes the writers take turns.
fn lock_head(tx: &mut Tx<'_>) -> Result<Head, StoreError> {
    let mut row = tx.query_one(
        "INSERT INTO meta (key, value) VALUES ('audit_head', ?1) ON CONFLICT (key) DO UPDATE SET value = meta.value \
         RETURNING value",
        params![&Head::START.to_text()],
    )?;
    Head::from_text(&row.text(0)?).ok_or_else(|| StoreError::bad_value("the head of the audit"))
}

/// How many rows the audit has, as its head says.
pub(crate) fn audit_rows(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    let row = tx.query_opt("SELECT value FROM meta WHERE key = 'audit_head'", &[])?;
    let Some(mut row) = row else { return Ok(0) };
    let head = Head::from_text(&row.text(0)?).ok_or_else(|| StoreError::bad_value("the head of the audit"))?;
    Ok(head.id.unsigned_abs())
}

/// What changed between two values, as the audit shows it: each field that differs with its old and new value.
pub(crate) fn difference(old: &impl Serialize, new: &impl Serialize) -> Result<Value, StoreError> {
    let fields = |value: Result<Value, serde_json::Error>| match value {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(StoreError::bad_value("the audit compares fields")),
        Err(error) => Err(StoreError::bad_value(error.to_string())),
    };
    let (old, new) = (fields(serde_json::to_value(old))?, fields(serde_json::to_value(new))?);
    let mut differing = serde_json::Map::new();
    for (name, value) in new {
        let before = old.get(&name).cloned().unwrap_or(Value::Null);
        if before != value {
            differing.insert(name, json!({ "old": before, "new": value }));
        }
    }
    Ok(Value::Object(differing))
}

impl Store {
    /// The same store, in somebody's name: an address, `cli:USER`, `mailbox:ID` or `setup`. Whoever acts through it stands in
    /// the audit and in the history of items; without a name it is `system`.
    pub fn by(&self, actor: &str) -> Self {
        Self { inner: Arc::clone(&self.inner), actor: Arc::from(actor) }
    }

    /// Runs `work` like [`Store::write`], and appends what it noted to the audit in the same transaction.
    pub(crate) async fn change<T, F>(&self, now: Timestamp, mut work: F) -> Result<T, StoreError>
    where
        F: FnMut(&mut Tx<'_>, &mut Notes) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let actor = Arc::clone(&self.actor);
        self.write(move |tx| {
            let mut notes = Notes::default();
            let done = work(tx, &mut notes)?;
            notes.append(tx, &actor, now)?;
            Ok(done)
        })
        .await
    }

    /// Rows of the audit, newest first.
    pub async fn audit(&self, filter: AuditFilter) -> Result<Vec<AuditEntry>, StoreError> {
        self.read(move |tx| audit(tx, &filter)).await
    }
}

fn audit(tx: &mut Tx<'_>, filter: &AuditFilter) -> Result<Vec<AuditEntry>, StoreError> {
    let mut params: Vec<Param<'_>> = Vec::new();
    let mut wheres = vec!["TRUE".to_owned()];
    let kind = filter.object.as_ref().filter(|object| !object.contains(':')).map(|kind| format!("{kind}:"));
    if let Some(beginning) = &kind {
        params.push(beginning.into());
        wheres.push("substr(object, 1, length(?1)) = ?1".to_owned());
    } else if let Some(object) = &filter.object {
        params.push(object.into());
        wheres.push("object = ?1".to_owned());
    }
    if let Some(actor) = &filter.actor {
        params.push(actor.into());
        wheres.push(format!("actor = ?{}", params.len()));
    }
    if let Some(before) = filter.before {
        params.push(before.into());
        wheres.push(format!("id < ?{}", params.len()));
    }
    let limit = if filter.limit == 0 { LIMIT_DEFAULT } else { filter.limit };
    let sql = format!("{SELECT} WHERE {} ORDER BY id DESC LIMIT {limit}", wheres.join(" AND "));
    tx.query(&sql, &params)?.into_iter().map(entry_of).collect()
}

const SELECT: &str = "SELECT id, at, actor, action, object, detail, hash FROM audit";

fn entry_of(mut row: Row) -> Result<AuditEntry, StoreError> {
    Ok(AuditEntry {
        id: row.int(0)?,
        at: row.time(1)?,
        actor: row.text(2)?,
        action: row.text(3)?,
        object: row.text(4)?,
        detail: row.json(5)?,
        hash: row.sha256(6)?,
    })
}

/// Verifies the chain from its first row to its head. What comes after the first row that does not hold proves nothing, so
/// it ends there.
pub(crate) fn check(tx: &mut Tx<'_>, report: &mut CheckReport) -> Result<(), StoreError> {
    let mut broken = |what: String| report.problems.push(Problem { code: "AUDIT_BROKEN", what });
    let mut head = Head::START;
    loop {
        let rows = tx.query(&format!("{SELECT} WHERE id > ?1 ORDER BY id LIMIT {PAGE}"), params![head.id])?;
        if rows.is_empty() {
            break;
        }
        for mut row in rows {
            let id = row.int(0)?;
            let (actor, action, object, detail) = (row.text(2)?, row.text(3)?, row.text(4)?, row.text(5)?);
            let link =
                Link { at: row.int(1)?, actor: actor.into(), action: &action, object: object.into(), detail: &detail };
            let next = head.next(&link)?;
            if id != next.id {
                broken(format!("row {} of the audit is missing", next.id));
                return Ok(());
            }
            if row.sha256(6)? != next.hash {
                broken(format!("row {id} of the audit was changed, or a row before it"));
                return Ok(());
            }
            head = next;
        }
    }
    let noted = tx.query_opt("SELECT value FROM meta WHERE key = 'audit_head'", &[])?;
    let noted = noted.map_or_else(|| Ok(Head::START.to_text()), |mut row| row.text(0))?;
    if noted != head.to_text() {
        broken(format!("the audit ends with row {}, which is not its last one", head.id));
    }
    (report.audit, report.audit_head) = (head.id.unsigned_abs(), head.hash.to_string());
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Head, Link, difference};
    use serde_json::json;

    #[test]
    fn every_part_of_a_row_and_the_row_before_it_count() {
        let row = |at, actor: &'static str, action, object: &'static str, detail| Link {
            at,
            actor: actor.into(),
            action,
            object: object.into(),
            detail,
        };
        let first = Head::START.next(&row(1, "a", "b", "c", "d")).unwrap();
        assert_eq!(first, Head::START.next(&row(1, "a", "b", "c", "d")).unwrap());
        let others = [
            row(2, "a", "b", "c", "d"),
            row(1, "x", "b", "c", "d"),
            row(1, "a", "x", "c", "d"),
            row(1, "a", "b", "x", "d"),
            row(1, "a", "b", "c", "x"),
            // What moves from one column to the next is not the same row.
            row(1, "ab", "", "c", "d"),
            row(1, "a\",\"b", "c", "d", ""),
        ];
        for (n, other) in others.iter().enumerate() {
            assert_ne!(first, Head::START.next(other).unwrap(), "{n}");
        }
        let second = first.next(&row(1, "a", "b", "c", "d")).unwrap();
        assert_ne!(second.hash, first.hash);
        assert_eq!(Head::from_text(&second.to_text()), Some(second));
        for text in ["", "1", "x:y", "1:zz", ":"] {
            assert_eq!(Head::from_text(text), None, "{text}");
        }
    }

    #[test]
    fn a_difference_names_old_and_new_values_only() {
        let (old, new) = (json!({"a": 1, "b": [1], "gone": 1}), json!({"a": 1, "b": [2], "c": true}));
        let expected = json!({"b": {"old": [1], "new": [2]}, "c": {"old": null, "new": true}});
        assert_eq!(difference(&old, &new).unwrap(), expected);
        assert!(difference(&json!(1), &json!({})).is_err());
    }
}
