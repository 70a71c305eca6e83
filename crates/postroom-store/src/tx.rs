//! One transaction, on whichever database: parameters, rows, statements.
//!
//! Statements are written once, with `?1`-style parameters, which SQLite takes as they are; for PostgreSQL they are
//! rewritten to `$1` when they are first prepared.

use crate::StoreError;
use crate::backend::postgres::Connection as Postgres;
use jiff::Timestamp;
use postroom_mail::Sha256;
use std::borrow::Cow;

/// A transaction that is open on one of the databases.
pub enum Tx<'a> {
    /// On SQLite.
    Sqlite(&'a rusqlite::Connection),
    /// On PostgreSQL.
    Postgres(&'a mut Postgres),
}

/// A parameter of a statement.
#[derive(Debug, Clone, Copy)]
pub enum Param<'a> {
    /// NULL of any type.
    Null,
    /// BIGINT.
    Int(i64),
    /// TEXT. A NUL becomes U+FFFD, because PostgreSQL cannot store it.
    Text(&'a str),
    /// BLOB, BYTEA.
    Blob(&'a [u8]),
    /// BOOLEAN.
    Bool(bool),
}

impl<'a> Param<'a> {
    /// The text with NUL replaced.
    pub(crate) fn clean(text: &'a str) -> Cow<'a, str> {
        if memchr::memchr(0, text.as_bytes()).is_some() {
            Cow::Owned(text.replace('\0', "\u{fffd}"))
        } else {
            Cow::Borrowed(text)
        }
    }
}

impl From<i64> for Param<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Param<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<Timestamp> for Param<'_> {
    fn from(value: Timestamp) -> Self {
        Self::Int(value.as_microsecond())
    }
}

impl<'a> From<&'a str> for Param<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for Param<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a [u8]> for Param<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Blob(value)
    }
}

impl<'a> From<&'a Sha256> for Param<'a> {
    fn from(value: &'a Sha256) -> Self {
        Self::Blob(value.as_bytes())
    }
}

impl<'a, T: Into<Param<'a>>> From<Option<T>> for Param<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Makes `[Param]` of values: `params![id, "text", None::<i64>]`.
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::tx::Param::from($value)),*] };
}
pub(crate) use params;

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// A number; on SQLite also a BOOLEAN.
    Int(i64),
    /// TEXT.
    Text(String),
    /// BLOB, BYTEA.
    Blob(Vec<u8>),
    /// BOOLEAN of PostgreSQL.
    Bool(bool),
}

/// One row of a result. The getters take the column's place, and fail when its type is another.
#[derive(Debug, Clone)]
pub struct Row(pub(crate) Vec<Value>);

impl Row {
    fn at(&mut self, column: usize) -> Value {
        self.0.get_mut(column).map_or(Value::Null, |value| std::mem::replace(value, Value::Null))
    }

    fn wrong<T>(column: usize) -> Result<T, StoreError> {
        Err(StoreError::bad_value(format!("column {column} has another type")))
    }

    /// A number, or `None` for NULL.
    pub fn opt_int(&mut self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.at(column) {
            Value::Null => Ok(None),
            Value::Int(value) => Ok(Some(value)),
            Value::Bool(value) => Ok(Some(i64::from(value))),
            _ => Self::wrong(column),
        }
    }

    /// A number.
    pub fn int(&mut self, column: usize) -> Result<i64, StoreError> {
        self.opt_int(column)?.map_or_else(|| Self::wrong(column), Ok)
    }

    /// A number that cannot be negative.
    pub fn unsigned(&mut self, column: usize) -> Result<u64, StoreError> {
        u64::try_from(self.int(column)?).or_else(|_| Self::wrong(column))
    }

    /// Yes or no.
    pub fn bool(&mut self, column: usize) -> Result<bool, StoreError> {
        Ok(self.int(column)? != 0)
    }

    /// An instant, or `None` for NULL.
    pub fn opt_time(&mut self, column: usize) -> Result<Option<Timestamp>, StoreError> {
        let Some(micros) = self.opt_int(column)? else { return Ok(None) };
        Timestamp::from_microsecond(micros).map(Some).or_else(|_| Self::wrong(column))
    }

    /// An instant.
    pub fn time(&mut self, column: usize) -> Result<Timestamp, StoreError> {
        self.opt_time(column)?.map_or_else(|| Self::wrong(column), Ok)
    }

    /// A text, or `None` for NULL.
    pub fn opt_text(&mut self, column: usize) -> Result<Option<String>, StoreError> {
        match self.at(column) {
            Value::Null => Ok(None),
            Value::Text(value) => Ok(Some(value)),
            _ => Self::wrong(column),
        }
    }

    /// A text.
    pub fn text(&mut self, column: usize) -> Result<String, StoreError> {
        self.opt_text(column)?.map_or_else(|| Self::wrong(column), Ok)
    }

    /// Octets, or `None` for NULL.
    pub fn opt_blob(&mut self, column: usize) -> Result<Option<Vec<u8>>, StoreError> {
        match self.at(column) {
            Value::Null => Ok(None),
            Value::Blob(value) => Ok(Some(value)),
            _ => Self::wrong(column),
        }
    }

    /// Octets.
    pub fn blob(&mut self, column: usize) -> Result<Vec<u8>, StoreError> {
        self.opt_blob(column)?.map_or_else(|| Self::wrong(column), Ok)
    }

    /// A digest, or `None` for NULL.
    pub fn opt_sha256(&mut self, column: usize) -> Result<Option<Sha256>, StoreError> {
        let Some(blob) = self.opt_blob(column)? else { return Ok(None) };
        Sha256::try_from(blob.as_slice()).map(Some).or_else(|_| Self::wrong(column))
    }

    /// A digest.
    pub fn sha256(&mut self, column: usize) -> Result<Sha256, StoreError> {
        self.opt_sha256(column)?.map_or_else(|| Self::wrong(column), Ok)
    }

    /// A text that parses.
    pub fn parse<T: std::str::FromStr>(&mut self, column: usize) -> Result<T, StoreError> {
        self.text(column)?.parse().or_else(|_| Self::wrong(column))
    }

    /// JSON in a text, or `None` for NULL.
    pub fn opt_json<T: serde::de::DeserializeOwned>(&mut self, column: usize) -> Result<Option<T>, StoreError> {
        let Some(text) = self.opt_text(column)? else { return Ok(None) };
        let parsed = serde_json::from_str(&text);
        parsed.map(Some).map_err(|error| StoreError::bad_value(format!("column {column}: {error}")))
    }

    /// JSON in a text.
    pub fn json<T: serde::de::DeserializeOwned>(&mut self, column: usize) -> Result<T, StoreError> {
        let text = self.text(column)?;
        serde_json::from_str(&text).map_err(|error| StoreError::bad_value(format!("column {column}: {error}")))
    }
}

impl Tx<'_> {
    /// Runs a statement and returns how many rows it changed.
    pub fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(connection) => crate::backend::sqlite::execute(connection, sql, params),
            Self::Postgres(connection) => connection.execute(sql, params),
        }
    }

    /// Runs a statement and returns its rows.
    pub fn query(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Sqlite(connection) => crate::backend::sqlite::query(connection, sql, params),
            Self::Postgres(connection) => connection.query(sql, params),
        }
    }

    /// The first row, if there is one.
    pub fn query_opt(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Option<Row>, StoreError> {
        Ok(self.query(sql, params)?.into_iter().next())
    }

    /// The first row, which must be there.
    pub fn query_one(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Row, StoreError> {
        self.query_opt(sql, params)?.ok_or_else(|| StoreError::bad_value("a row is missing"))
    }

    /// Runs several statements without parameters or rows.
    pub fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
            Self::Postgres(connection) => connection.batch(sql),
        }
    }

    /// Runs `work` so that an error in it undoes what it did and nothing else.
    pub fn savepoint<T>(&mut self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.control("SAVEPOINT step")?;
        match work(self) {
            Ok(value) => {
                self.control("RELEASE SAVEPOINT step")?;
                Ok(value)
            }
            Err(error) => {
                // Where the whole transaction is gone, there is nothing to go back to; the first error is the true one.
                if self.control("ROLLBACK TO SAVEPOINT step").is_ok() {
                    self.control("RELEASE SAVEPOINT step")?;
                }
                Err(error)
            }
        }
    }

    fn control(&mut self, sql: &str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => self.execute(sql, &[]).map(drop),
            Self::Postgres(connection) => connection.batch(sql),
        }
    }

    /// Locks the selected rows where several writers may be at work; SQLite has one writer.
    pub(crate) fn for_update(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "",
            Self::Postgres(_) => " FOR UPDATE",
        }
    }

    /// Like [`Tx::for_update`], but passes over rows that somebody else has locked.
    pub(crate) fn for_update_skip_locked(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "",
            Self::Postgres(_) => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// Makes the writers of `change` rows take turns, so that their numbers become visible in order: whoever has seen
    /// number n will never meet a smaller one later.
    pub(crate) fn take_turn(&mut self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(connection) => connection.batch("SELECT pg_advisory_xact_lock(7096110)"),
        }
    }
}
