//! What was said to mail servers and by them, for mailboxes whose log is switched on. Secrets and mail were left out before
//! anything comes here.

use crate::mailboxes::mailbox_by_name;
use crate::tx::params;
use crate::{Store, StoreError};
use jiff::Timestamp;
use postroom_domain::MailboxId;

/// Conversations that are kept of a mailbox.
const CONVERSATIONS_MAX: i64 = 20;

/// One conversation with a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedConversation {
    /// When it began.
    pub begun_at: Timestamp,
    /// Its lines.
    pub log: String,
}

impl Store {
    /// Keeps what was said in a conversation so far, which is known by its beginning, and only the latest conversations of the
    /// mailbox. Nothing is kept of a mailbox whose log is switched off.
    pub async fn log_conversation(
        &self,
        mailbox: MailboxId,
        conversation: LoggedConversation,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let wanted = "SELECT 1 FROM mailbox WHERE id = ?1 AND wire_log AND removed_at IS NULL";
            if tx.query_opt(wanted, params![mailbox.0])?.is_none() {
                return Ok(());
            }
            let LoggedConversation { begun_at, log } = &conversation;
            let more = "UPDATE wire_log SET log = ?3 WHERE mailbox_id = ?1 AND begun_at = ?2";
            if tx.execute(more, params![mailbox.0, *begun_at, log])? > 0 {
                return Ok(());
            }
            let sql = "INSERT INTO wire_log (mailbox_id, begun_at, log) VALUES (?1, ?2, ?3)";
            tx.execute(sql, params![mailbox.0, *begun_at, log])?;
            tx.execute(
                "DELETE FROM wire_log WHERE mailbox_id = ?1 AND id NOT IN \
                 (SELECT id FROM wire_log WHERE mailbox_id = ?1 ORDER BY id DESC LIMIT ?2)",
                params![mailbox.0, CONVERSATIONS_MAX],
            )
            .map(drop)
        })
        .await
    }

    /// The latest conversations of a mailbox, oldest first.
    ///
    /// # Errors
    /// `MAILBOX_UNKNOWN`.
    pub async fn logged_conversations(&self, mailbox: &str) -> Result<Vec<LoggedConversation>, StoreError> {
        let mailbox = mailbox.to_owned();
        self.read(move |tx| {
            let id = mailbox_by_name(tx, &mailbox)?.id;
            let rows =
                tx.query("SELECT begun_at, log FROM wire_log WHERE mailbox_id = ?1 ORDER BY id", params![id.0])?;
            rows.into_iter()
                .map(|mut row| Ok(LoggedConversation { begun_at: row.time(0)?, log: row.text(1)? }))
                .collect()
        })
        .await
    }
}
