//! The only SQL: what Postroom knows, on SQLite or PostgreSQL, and large contents in files beside it.
//!
//! Purpose: every verb of [`Store`] is one transaction, and is durable when it returns. May touch: the database, the data
//! directory. Must not: mail servers, HTTP, rules (it asks `postroom_domain::decide`), the clock (`now` is passed in).
//! Standards: RFC 9051 §2.3.1.1 (UIDVALIDITY), FIPS 180-4 (SHA-256), XChaCha20-Poly1305 for passwords at rest.
//! Read in this order: `error`, `tx`, `backend`, `migrate`, `audit`; then the verbs in the order in which a message meets them:
//! `mailboxes`, `connections`, `visits`, `folders`, `names`, `accept`, `intake`, `storms`, `rules`, `facts`, `matching`, `filing`,
//! `explain`, `settling`, `journal`, `deletion`, `items`, `changes`, `work`, `moving`, `undo`, `participants`; then `dump`,
//! `backup`, `restore` and `check`.

pub mod error;
pub mod tx;

mod accept;
mod audit;
mod backend;
mod backup;
mod blobs;
mod changes;
mod check;
mod config;
mod connections;
mod contacts;
#[doc(hidden)]
pub mod crash;
mod deletion;
mod dump;
mod explain;
mod facts;
mod files;
mod filing;
mod folders;
mod holder;
mod intake;
mod items;
mod journal;
mod mailboxes;
mod maildrop;
mod matching;
mod metrics;
mod migrate;
mod moving;
mod names;
mod opening;
mod participants;
mod passwords;
mod people;
mod registration;
mod reply_keys;
mod restore;
mod rules;
mod seal;
mod search;
mod settling;
mod signin;
mod status;
mod storms;
mod tokens;
mod trust;
mod undo;
mod visits;
mod wire_log;
mod work;
mod workspaces;

pub use accept::{Accepted, AcceptedBatch, Fetched, Pushed};
pub use audit::{AuditAction, AuditEntry, AuditFilter, SYSTEM};
pub use backup::BackupReport;
pub use changes::{ChangeKind, HistoryEntry};
pub use check::{CheckReport, Problem};
pub use config::{Database, StoreConfig};
pub use contacts::Contact;
pub use crash::CRASH_POINTS;
pub use error::{Noun, Remedy, StoreError};
pub use explain::{Explanation, Instead, Question};
pub use files::BORDER;
pub use filing::{Outcome, OutcomeKind, Reading};
pub use folders::{Epoch, FolderSeen, KnownNames, Memory};
pub use holder::{Holder, IsAlive, is_alive};
pub use intake::{ClaimLimit, Claimed, Ticket};
pub use items::{Assigned, ItemCursor, ItemFilter, StoredAttachment};
pub use journal::{ReceiptFilter, RetryFilter};
pub use mailboxes::{MailboxChange, NewMailbox};
pub use maildrop::{KnownDrop, KnownMessage};
pub use metrics::{MailboxMetrics, Metrics};
pub use names::Bound;
pub use passwords::{FAILURES_FOR_ALL, FAILURES_PER_ADDRESS, StoredPassword};
pub use people::{NewUser, UserChange};
pub use registration::{Ask, Asked, AskedBy, Invitation, Letter, Pending, Proven};
pub use reply_keys::ReplyKeyForms;
pub use settling::Owed;
pub use signin::Session;
pub use status::{FolderStatus, Lately, Ledger, MailboxState, MailboxStatus, Planned, ReceiptCounts};
pub use tokens::{ApiToken, NewToken, Scope, TOKEN_NAME_MAX, TOKEN_PREFIX};
pub use trust::{NewCertificate, TrustedCertificate};
pub use tx::Tx;
pub use visits::{Lease, LeaseTaken, Plan, VisitEnd};
pub use wire_log::LoggedConversation;

use backend::Queue;
use files::Files;
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

/// The store. Clones share the same threads; when the last clone is dropped, what is queued is still done. Each acts in
/// somebody's name: [`Store::by`].
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
    actor: Arc<str>,
}

struct Inner {
    writes: Arc<Queue>,
    reads: Arc<Queue>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    files: Files,
    data_dir: PathBuf,
    sealer: OnceLock<Arc<seal::Sealer>>,
    is_alive: IsAlive,
    rules: rules::RuleCache,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.writes.close();
        self.reads.close();
        let threads = std::mem::take(self.threads.get_mut().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // A thread that panicked has said so; there is nothing left to do for it.
            let _ = thread.join();
        }
    }
}

impl Store {
    /// Opens the store: creates the data directory (mode 0700) and the database if need be, brings the schema up, and closes
    /// files that others could read.
    ///
    /// Blocks while it does so, for up to 30 s where another process holds the database.
    ///
    /// # Errors
    /// `DATA_DIR_UNWRITABLE`, `DATABASE_LOCKED`, `DATABASE_UNREACHABLE`, `DATABASE_REFUSED`, `DATABASE_NEWER`,
    /// `DATABASE_SCHEMA_DIFFERS`, `DATABASE_NOT_DURABLE`, `DATABASE_DAMAGED`, `DATABASE_FULL`.
    pub fn open(config: &StoreConfig) -> Result<Self, StoreError> {
        config::make_private_dir(&config.data_dir)?;
        let files = Files::new(&config.data_dir, config.border);
        files.close_to_others()?;
        let writes = Arc::new(Queue::default());
        let (reads, threads) = match &config.database {
            Database::Sqlite => {
                let path = config.data_dir.join("postroom.sqlite3");
                config::make_private_file(&path)?;
                // New ones get the permissions of the database.
                for log in ["postroom.sqlite3-wal", "postroom.sqlite3-shm"] {
                    config::close_to_others(&config.data_dir.join(log))?;
                }
                let connection = backend::sqlite::open(&path)?;
                connection.execute_batch("BEGIN IMMEDIATE")?;
                // Dropping the connection on an error rolls back.
                migrate::migrate(&mut Tx::Sqlite(&connection), Timestamp::now())?;
                connection.execute_batch("COMMIT")?;
                let reads = Arc::new(Queue::default());
                let threads = backend::sqlite::start(&path, connection, &writes, &reads)?;
                (reads, threads)
            }
            Database::Postgres(url) => {
                let postgres: postgres::Config =
                    url.parse().map_err(|error: postgres::Error| StoreError::Refused(error.into()))?;
                let (postgres, connection) = config::on_own_thread(move || {
                    let mut connection = backend::postgres::Connection::open(&postgres)?;
                    connection.batch("BEGIN")?;
                    migrate::migrate(&mut Tx::Postgres(&mut connection), Timestamp::now())?;
                    connection.batch("COMMIT")?;
                    Ok((postgres, connection))
                })?;
                let threads = backend::postgres::start(&postgres, connection, &writes)?;
                (Arc::clone(&writes), threads)
            }
        };
        let inner = Inner {
            writes,
            reads,
            threads: Mutex::new(threads),
            files,
            data_dir: config.data_dir.clone(),
            sealer: OnceLock::new(),
            is_alive: config.is_alive,
            rules: rules::RuleCache::default(),
        };
        Ok(Self { inner: Arc::new(inner), actor: Arc::from(audit::SYSTEM) })
    }

    /// Runs `work` in a transaction that writes, and returns after its commit. It may run more than once. For what mail
    /// causes; what a person does goes through [`Store::change`].
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        self.inner.writes.call(work).await
    }

    /// Runs `work` in a transaction that only reads. It may run more than once.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        self.inner.reads.call(work).await
    }

    /// The directory of the data.
    pub fn data_dir(&self) -> &Path {
        &self.inner.data_dir
    }

    fn files(&self) -> &Files {
        &self.inner.files
    }

    /// The key for passwords; it is made when the first password is sealed.
    fn sealer(&self, may_create: bool) -> Result<Arc<seal::Sealer>, StoreError> {
        if let Some(sealer) = self.inner.sealer.get() {
            return Ok(Arc::clone(sealer));
        }
        let sealer = Arc::new(seal::Sealer::open(&self.inner.data_dir, may_create)?);
        Ok(Arc::clone(self.inner.sealer.get_or_init(|| sealer)))
    }
}
