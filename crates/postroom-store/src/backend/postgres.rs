//! PostgreSQL: a few threads, each with a connection of its own.

use super::sqlite::spawn;
use super::{Job, Queue};
use crate::tx::{Param, Row, Value};
use crate::{StoreError, Tx};
use postgres::config::SslMode;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Config, NoTls, Statement};
use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// Connections, and so transactions at the same time.
const CONNECTIONS: usize = 4;
/// Tries of a transaction that the server ended because of others (deadlock, serialisation) or whose link broke early.
const TRIES_MAX: u32 = 4;

/// A connection with its prepared statements.
pub struct Connection {
    client: Client,
    statements: HashMap<String, Statement>,
}

impl Connection {
    /// Connects, and refuses a server that would lose what it confirms.
    pub(crate) fn open(config: &Config) -> Result<Self, StoreError> {
        let mut config = config.clone();
        config.application_name("postroom");
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(10));
        }
        let client = if config.get_ssl_mode() == SslMode::Require {
            config.connect(tokio_postgres_rustls::MakeRustlsConnect::new(tls()?))
        } else {
            config.connect(NoTls)
        };
        let mut connection = Self { client: client?, statements: HashMap::new() };
        connection.batch(
            "SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = '60s'; SET TimeZone = 'UTC'; \
             SET client_min_messages = 'warning'",
        )?;
        for name in ["fsync", "synchronous_commit"] {
            let value = connection.query(&format!("SHOW {name}"), &[])?.remove(0).text(0)?;
            if value == "off" {
                return Err(StoreError::NotDurable { setting: format!("{name} = off") });
            }
        }
        Ok(connection)
    }

    fn prepare(&mut self, sql: &str) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(&with_dollars(sql))?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Runs a statement and returns how many rows it changed.
    pub(crate) fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        let statement = self.prepare(sql)?;
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|param| param as _).collect();
        Ok(self.client.execute(&statement, &params)?)
    }

    /// Runs a statement and returns its rows.
    pub(crate) fn query(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, StoreError> {
        let statement = self.prepare(sql)?;
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|param| param as _).collect();
        self.client.query(&statement, &params)?.iter().map(row_of).collect()
    }

    /// Runs statements without parameters or rows.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        Ok(self.client.batch_execute(sql)?)
    }
}

/// TLS as `sslmode=require` asks for it: the server's certificate is verified against the system's roots.
fn tls() -> Result<rustls::ClientConfig, StoreError> {
    let mut roots = rustls::RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Unreachable(error.into()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// `?1` as PostgreSQL writes it.
fn with_dollars(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut chars = sql.chars().peekable();
    while let Some(c) = chars.next() {
        let is_param = c == '?' && chars.peek().is_some_and(char::is_ascii_digit);
        out.push(if is_param { '$' } else { c });
    }
    out
}

fn row_of(row: &postgres::Row) -> Result<Row, StoreError> {
    let mut values = Vec::with_capacity(row.len());
    for (index, column) in row.columns().iter().enumerate() {
        let value = match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(index)?.map(Value::Int),
            Type::INT4 => row.try_get::<_, Option<i32>>(index)?.map(|value| Value::Int(value.into())),
            Type::BOOL => row.try_get::<_, Option<bool>>(index)?.map(Value::Bool),
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(index)?.map(Value::Blob),
            _ => row.try_get::<_, Option<String>>(index)?.map(Value::Text),
        };
        values.push(value.unwrap_or(Value::Null));
    }
    Ok(Row(values))
}

impl ToSql for Param<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut postgres::types::private::BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match *self {
            Param::Null => Ok(IsNull::Yes),
            Param::Int(value) if *ty == Type::INT4 => i32::try_from(value)?.to_sql(ty, out),
            // A backup made on SQLite has numbers for yes and no.
            Param::Int(value) if *ty == Type::BOOL => (value != 0).to_sql(ty, out),
            Param::Int(value) => value.to_sql(ty, out),
            Param::Text(value) => Param::clean(value).as_ref().to_sql(ty, out),
            Param::Blob(value) => value.to_sql(ty, out),
            Param::Bool(value) => value.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Starts the threads; `first` is the connection that ran the migrations.
pub(crate) fn start(config: &Config, first: Connection, queue: &Arc<Queue>) -> Result<Vec<JoinHandle<()>>, StoreError> {
    let mut first = Some(first);
    let mut threads = Vec::new();
    for _ in 0..CONNECTIONS {
        let (config, queue, connection) = (config.clone(), Arc::clone(queue), first.take());
        threads.push(spawn("store-postgres", move || Runner { config, connection }.run_all(&queue))?);
    }
    Ok(threads)
}

struct Runner {
    config: Config,
    connection: Option<Connection>,
}

impl Runner {
    fn run_all(&mut self, queue: &Queue) {
        while let Some(jobs) = queue.take(1) {
            for mut job in jobs {
                let failed = self.run(job.as_mut()).err();
                job.finish(failed);
            }
        }
    }

    /// Runs a job until it is committed, has failed by itself, or was tried often enough.
    ///
    /// A COMMIT whose answer is lost may or may not have happened. It is not tried again here: the caller gets
    /// `DATABASE_UNREACHABLE`, and every verb may be repeated.
    fn run(&mut self, job: &mut dyn Job) -> Result<(), StoreError> {
        for attempt in 1.. {
            let last = attempt == TRIES_MAX;
            let connection = self.connected()?;
            if let Err(error) = connection.batch("BEGIN") {
                self.connection = None;
                if last {
                    return Err(error);
                }
                continue;
            }
            job.run(&mut Tx::Postgres(connection));
            match job.error() {
                None => return self.commit(),
                Some(StoreError::Unreachable(_)) => self.connection = None,
                Some(StoreError::Locked(_)) => self.roll_back(),
                Some(_) => {
                    self.roll_back();
                    return Ok(());
                }
            }
            if last {
                return Ok(());
            }
        }
        Ok(())
    }

    fn connected(&mut self) -> Result<&mut Connection, StoreError> {
        let usable = self.connection.take().filter(|connection| !connection.client.is_closed());
        let connection = usable.map_or_else(|| Connection::open(&self.config), Ok)?;
        Ok(self.connection.insert(connection))
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        let Some(connection) = &mut self.connection else { return Err(StoreError::Closed) };
        let committed = connection.batch("COMMIT");
        if committed.is_err() {
            // Whatever happened to it, no later job may find itself inside this transaction.
            self.connection = None;
        }
        committed
    }

    fn roll_back(&mut self) {
        if let Some(connection) = &mut self.connection
            && connection.batch("ROLLBACK").is_err()
        {
            self.connection = None;
        }
    }
}
