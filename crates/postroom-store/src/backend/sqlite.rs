//! SQLite: one thread that writes, with group commit, and a few that read.

use super::{Job, Queue};
use crate::tx::{Param, Row, Value};
use crate::{StoreError, Tx};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// Jobs that share one commit, and so one fsync.
const GROUP_MAX: usize = 64;
/// Threads that read.
const READERS: usize = 3;
/// How long to wait for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
/// More distinct statements than the store has.
const STATEMENTS_MAX: usize = 256;

/// Opens a connection. `synchronous=FULL` together with WAL is what makes a commit survive a power cut.
pub(crate) fn open(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Pages of 8 KiB, 16 MiB of them cached, a checkpoint every 16 MiB of log: see docs/adr/0001-raw-octets.md for the figures.
    connection.execute_batch(
        "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -16384; \
         PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 2000; PRAGMA journal_size_limit = 67108864; \
         PRAGMA trusted_schema = OFF;",
    )?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    Ok(connection)
}

/// Starts the writer on `connection`, and the readers.
pub(crate) fn start(
    path: &Path,
    connection: Connection,
    writes: &Arc<Queue>,
    reads: &Arc<Queue>,
) -> Result<Vec<JoinHandle<()>>, StoreError> {
    let queue = Arc::clone(writes);
    let mut threads = vec![spawn("store-writer", move || write_loop(&connection, &queue))?];
    for _ in 0..READERS {
        let connection = open(path)?;
        connection.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -4096;")?;
        let queue = Arc::clone(reads);
        threads.push(spawn("store-reader", move || read_loop(&connection, &queue))?);
    }
    Ok(threads)
}

pub(super) fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    std::thread::Builder::new().name(name.into()).spawn(body).map_err(|error| StoreError::Database(error.into()))
}

fn write_loop(connection: &Connection, queue: &Queue) {
    while let Some(jobs) = queue.take(GROUP_MAX) {
        run_group(connection, jobs);
    }
}

/// Runs all jobs in one transaction. When that fails as a whole, each gets a transaction of its own, so that one bad
/// job harms no other.
fn run_group(connection: &Connection, mut jobs: Vec<Box<dyn Job>>) {
    if jobs.len() == 1 {
        jobs.into_iter().for_each(|job| run_alone(connection, job));
        return;
    }
    match try_group(connection, &mut jobs) {
        Ok(()) => jobs.into_iter().for_each(|job| job.finish(None)),
        Err(error) => {
            roll_back(connection);
            if matches!(error, StoreError::Locked(_)) {
                // Each of them would only wait as long again.
                jobs.into_iter().for_each(|job| job.finish(Some(error.repeat())));
            } else {
                jobs.into_iter().for_each(|job| run_alone(connection, job));
            }
        }
    }
}

fn try_group(connection: &Connection, jobs: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
    execute(connection, "BEGIN IMMEDIATE", &[])?;
    for job in jobs {
        execute(connection, "SAVEPOINT job", &[])?;
        job.run(&mut Tx::Sqlite(connection));
        if job.error().is_some() {
            // Fails when SQLite has rolled back everything by itself, as it does on a full disk.
            execute(connection, "ROLLBACK TO SAVEPOINT job", &[])?;
        }
        execute(connection, "RELEASE SAVEPOINT job", &[])?;
    }
    execute(connection, "COMMIT", &[]).map(drop)
}

fn run_alone(connection: &Connection, mut job: Box<dyn Job>) {
    let begun = execute(connection, "BEGIN IMMEDIATE", &[]);
    if let Err(error) = begun {
        return job.finish(Some(error));
    }
    job.run(&mut Tx::Sqlite(connection));
    if job.error().is_some() {
        roll_back(connection);
        return job.finish(None);
    }
    match execute(connection, "COMMIT", &[]) {
        Ok(_) => job.finish(None),
        Err(error) => {
            roll_back(connection);
            job.finish(Some(error));
        }
    }
}

fn roll_back(connection: &Connection) {
    if !connection.is_autocommit()
        && let Err(error) = connection.execute_batch("ROLLBACK")
    {
        tracing::error!(%error, "rolling back failed");
    }
}

fn read_loop(connection: &Connection, queue: &Queue) {
    while let Some(jobs) = queue.take(1) {
        for mut job in jobs {
            // One transaction, so that all statements of the verb see the same state.
            match connection.execute_batch("BEGIN") {
                Ok(()) => {
                    job.run(&mut Tx::Sqlite(connection));
                    roll_back(connection);
                    job.finish(None);
                }
                Err(error) => job.finish(Some(error.into())),
            }
        }
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match *self {
            Self::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Self::Int(value) => ToSqlOutput::Borrowed(ValueRef::Integer(value)),
            Self::Bool(value) => ToSqlOutput::Borrowed(ValueRef::Integer(i64::from(value))),
            Self::Blob(value) => ToSqlOutput::Borrowed(ValueRef::Blob(value)),
            Self::Text(value) => match Param::clean(value) {
                std::borrow::Cow::Borrowed(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
                std::borrow::Cow::Owned(text) => ToSqlOutput::Owned(text.into()),
            },
        })
    }
}

/// Runs a statement and returns how many rows it changed.
pub(crate) fn execute(connection: &Connection, sql: &str, params: &[Param<'_>]) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.execute(rusqlite::params_from_iter(params))? as u64)
}

/// Runs a statement and returns its rows.
pub(crate) fn query(connection: &Connection, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let columns = statement.column_count();
    let mut rows = statement.query(rusqlite::params_from_iter(params))?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let mut values = Vec::with_capacity(columns);
        for column in 0..columns {
            values.push(match row.get_ref(column)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(value) => Value::Int(value),
                ValueRef::Real(value) => Value::Text(value.to_string()),
                ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
                ValueRef::Blob(octets) => Value::Blob(octets.to_vec()),
            });
        }
        out.push(Row(values));
    }
    Ok(out)
}
