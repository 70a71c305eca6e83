//! The front door: commands, what they print, and their exit status.

mod access;
mod actor;
mod args;
mod audit;
mod certificate;
mod contact;
mod data;
mod demo;
mod discover;
mod docs;
mod explain;
mod fetch;
pub mod inspect;
mod item;
mod mailbox;
mod output;
mod people;
mod probe;
mod push;
mod receipt;
mod registration;
mod rule;
mod serve;
mod setting;
mod terminal;
mod token;
mod trust;
mod usage;

use crate::failure::Failure;
use crate::floor::Floor;
use crate::readers;
use args::{Cli, Command, Global};
use clap::Parser;
use output::Output;
use postroom_store::{Database, Store, StoreConfig};
use std::process::ExitCode;

/// Something failed.
const FAILED: u8 = 1;
/// Wrong usage.
const USAGE: u8 = 2;
/// The database in a data directory.
const SQLITE_FILE: &str = "postroom.sqlite3";

/// Runs the command that was asked for.
pub fn run() -> ExitCode {
    // Not for people, so the parser of what people type does not know it; and a reading process starts nothing else.
    if std::env::args_os().skip(1).eq([readers::process::ARGUMENT]) {
        return readers::child::run();
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage::refuse(&error),
    };
    start_logging(cli.global.verbose, matches!(cli.command, Command::Serve(_)));
    let json = cli.global.json;
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let help = "check the limits on threads and open files of this user";
            output::report(&Failure::new("RUNTIME_FAILED", format!("the runtime did not start: {error}"), help), json);
            return ExitCode::from(FAILED);
        }
    };
    // On a thread of the runtime, which waits for sockets itself; this one would have to be woken by it each time.
    let done = runtime.block_on(runtime.spawn(dispatch(cli)));
    match done.unwrap_or_else(|ended| std::panic::resume_unwind(ended.into_panic())) {
        Ok(code) => code,
        Err(failure) => {
            output::report(&failure, json);
            ExitCode::from(if failure.code == "USAGE" { USAGE } else { FAILED })
        }
    }
}

async fn dispatch(cli: Cli) -> Result<ExitCode, Failure> {
    let global = cli.global;
    let out = Output::new(global.json);
    let done = match cli.command {
        Command::Demo(listen) => demo::run(listen, out).await,
        Command::Serve(listen) => serve::run(&global, listen, out).await,
        Command::Workspace(command) => people::workspace(&global, command, out).await,
        Command::User(command) => people::user(&global, command, out).await,
        Command::Contact(command) => contact::run(&global, command, out).await,
        Command::Token(command) => token::run(&global, command, out).await,
        Command::Mailbox(command) => return mailbox::run(&global, command, out).await,
        Command::Fetch { names } => return fetch::run(&global, names, out).await,
        Command::Deliver { mailbox, client } => return Ok(push::deliver(&global, &mailbox, client, out).await),
        Command::Import { path, workspace } => return push::import(&global, &path, &workspace, out).await,
        Command::Inspect { files } => return inspect::inspect(files, out).await,
        Command::Explain(question) => explain::run(&global, question, out).await,
        Command::Item(command) => item::run(&global, command, out).await,
        Command::Receipt(command) => receipt::run(&global, command, out).await,
        Command::Certificate(command) => certificate::run(&global, command, out).await,
        Command::Rule(command) => rule::run(&global, command, out).await,
        Command::Setting(command) => setting::setting(&global, command, out).await,
        Command::Pattern(command) => setting::pattern(command, out),
        Command::Audit(command) => audit::run(&global, command, out).await,
        Command::Backup { dir } => data::backup(&global, &dir, out).await,
        Command::Restore { dir } => data::restore(&global, &dir, out).await,
        Command::Tidy => data::tidy(&global, out).await,
        Command::Check => return data::check(&global, out).await,
        Command::Completions { shell } => docs::completions(shell),
        Command::Manpages { dir } => docs::manpages(&dir, out),
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// Logs go to stderr: errors and, of a service, warnings; or what POSTROOM_LOG asks for, or with `--verbose` everything of our
/// own.
fn start_logging(verbose: bool, serves: bool) {
    use tracing_subscriber::EnvFilter;
    let default = match (verbose, serves) {
        (true, _) => "postroom=debug,postroom_store=debug,postroom_sources=debug,info",
        (false, true) => "warn",
        (false, false) => "error",
    };
    let filter = EnvFilter::try_from_env("POSTROOM_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    // Whatever was asked for: below that it logs the addresses of requests, in which sign-in tokens and search words stand.
    let filter = match "tower_http=info".parse() {
        Ok(directive) => filter.add_directive(directive),
        Err(_) => filter,
    };
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::env::var("POSTROOM_LOG_FORMAT").is_ok_and(|format| format == "json") {
        subscriber.json().init();
    } else {
        subscriber.init();
    }
}

/// Where the data is, from arguments and environment.
fn store_config(global: &Global) -> Result<StoreConfig, Failure> {
    let database = match &global.database {
        None => Database::Sqlite,
        Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
            Database::Postgres(postgres_url(url)?)
        }
        Some(_) => {
            return Err(Failure::new(
                "USAGE",
                "the database is neither SQLite nor a `postgres://…` address",
                "leave --database away for SQLite in the data directory",
            ));
        }
    };
    Ok(StoreConfig::new(global.data.clone(), database))
}

/// The address with the password from POSTROOM_DATABASE_PASSWORD_FILE, which keeps it out of arguments.
fn postgres_url(url: &str) -> Result<String, Failure> {
    let Some(file) = std::env::var_os("POSTROOM_DATABASE_PASSWORD_FILE") else {
        return Ok(url.to_owned());
    };
    let password = read_secret_file(std::path::Path::new(&file))?;
    let glue = if url.contains('?') { '&' } else { '?' };
    let encoded: String = password.expose().bytes().map(|b| format!("%{b:02X}")).collect();
    Ok(format!("{url}{glue}password={encoded}"))
}

/// A secret from a file, without its one trailing newline.
fn read_secret_file(file: &std::path::Path) -> Result<postroom_mail::Secret, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failure::new(
            "SECRET_FILE_UNREADABLE",
            format!("the secret in {} cannot be read: {error}", file.display()),
            "check the path and its permissions; nothing was changed",
        )
    })?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(postroom_mail::Secret::new(text.strip_suffix('\r').unwrap_or(text)))
}

/// Opens the store, which must be there: a misspelt directory is an error, not an empty installation.
async fn open_store(global: &Global) -> Result<Store, Failure> {
    if global.database.is_none() && !global.data.join(SQLITE_FILE).exists() {
        return Err(Failure::new(
            "DATA_DIR_MISSING",
            format!("there is no Postroom data in {}", global.data.display()),
            "name the directory with --data or POSTROOM_DATA; to begin a new one: postroom workspace add SUP Support --default",
        ));
    }
    open_or_create(global).await
}

/// Opens the store, or makes a new one; in the name of whoever runs the command.
async fn open_or_create(global: &Global) -> Result<Store, Failure> {
    let config = store_config(global)?;
    let opened = tokio::task::spawn_blocking(move || Store::open(&config)).await;
    let opened = opened.map_err(|error| Failure::new("INTERNAL", error.to_string(), "please report this"))?;
    Ok(opened?.by(&actor::actor()))
}

/// Opens the store and the working floor.
async fn open_floor(global: &Global) -> Result<Floor, Failure> {
    let store = open_store(global).await?;
    Floor::open(store)
}

/// A workspace key from an argument.
fn workspace_key(text: &str) -> Result<postroom_domain::WorkspaceKey, Failure> {
    text.parse().map_err(|error: postroom_domain::workspace::NotAKey| {
        Failure::new("USAGE", error.to_string(), "`postroom workspace list` shows the workspaces")
    })
}
