//! A real PostgreSQL on a free port of 127.0.0.1, in a temporary directory, durable as in production.

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long the server may take to answer after its start.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// A running PostgreSQL server. Its databases are gone with it.
pub struct Postgres {
    directory: tempfile::TempDir,
    binaries: PathBuf,
    user: Option<(u32, u32)>,
    port: u16,
    child: Child,
    databases: AtomicU32,
}

impl Postgres {
    /// Makes a cluster and starts it. `None`, said aloud, where no PostgreSQL is installed, unless
    /// `POSTROOM_TEST_REQUIRE_SERVERS` is set.
    ///
    /// # Panics
    /// When it is installed (or required) and does not start.
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Like [`Postgres::start`], with settings such as `fsync=off`.
    ///
    /// # Panics
    /// When it is installed (or required) and does not start.
    pub fn start_with(settings: &[&str]) -> Option<Self> {
        let Some(binaries) = find_binaries() else {
            assert!(std::env::var_os("POSTROOM_TEST_REQUIRE_SERVERS").is_none(), "no PostgreSQL on this machine");
            eprintln!("SKIPPED: no PostgreSQL on this machine (apt-get install postgresql)");
            return None;
        };
        match Self::try_start(binaries, settings) {
            Ok(server) => Some(server),
            Err(error) => panic!("PostgreSQL does not start: {error:#}"),
        }
    }

    fn try_start(binaries: PathBuf, settings: &[&str]) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("postroom-pg").tempdir()?;
        // The server refuses to run as root, so its files belong to the user that the package made.
        let user = if rustix::process::getuid().is_root() { Some(user_named("postgres")?) } else { None };
        if let Some((uid, gid)) = user {
            chown(directory.path(), Some(uid), Some(gid))?;
        }
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700))?;
        let data = directory.path().join("data");
        make_cluster(&binaries, &data, user)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = fs::File::create(directory.path().join("log"))?;
        let mut server = command(&binaries.join("postgres"), user);
        server.arg("-D").arg(&data).arg("-k").arg(directory.path());
        server.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-c", "fsync=on", "-c", "max_connections=60"]);
        for setting in settings {
            server.args(["-c", setting]);
        }
        let child = server.stdout(Stdio::null()).stderr(log).spawn()?;
        let mut started = Self { directory, binaries, user, port, child, databases: AtomicU32::new(0) };
        started.wait_until_it_answers()?;
        Ok(started)
    }

    fn wait_until_it_answers(&mut self) -> Result<()> {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            let ready = command(&self.binaries.join("pg_isready"), self.user)
                .args(["-q", "-h"])
                .arg(self.directory.path())
                .args(["-p", &self.port.to_string()])
                .status()?;
            if ready.success() {
                return Ok(());
            }
            if self.child.try_wait()?.is_some() || Instant::now() > deadline {
                bail!("{}", self.log());
            }
            // Asking again is the only way to learn that a server is up.
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Makes an empty database and returns its address.
    ///
    /// # Errors
    /// When `createdb` fails.
    pub fn new_database(&self) -> Result<String> {
        let name = format!("t{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let made = command(&self.binaries.join("createdb"), self.user)
            .arg("-h")
            .arg(self.directory.path())
            .args(["-p", &self.port.to_string(), "-U", "postgres", &name])
            .output()?;
        if !made.status.success() {
            bail!("createdb: {}", String::from_utf8_lossy(&made.stderr));
        }
        Ok(format!("postgres://postgres@127.0.0.1:{}/{name}", self.port))
    }

    /// Runs SQL in the database with this address, as returned by [`Postgres::new_database`]; rows come as text.
    ///
    /// # Errors
    /// When a statement fails.
    pub fn sql(&self, url: &str, sql: &str) -> Result<String> {
        let out = command(&self.binaries.join("psql"), self.user)
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql])
            .output()?;
        if !out.status.success() {
            bail!("psql: {}", String::from_utf8_lossy(&out.stderr));
        }
        Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned())
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What the server has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGQUIT is PostgreSQL's immediate shutdown; nothing of this cluster is needed any more.
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::QUIT);
        }
        let _ = self.child.wait();
    }
}

/// Makes an empty cluster. The first one is kept in the target directory and copied for all others: `initdb` takes longer
/// than most tests.
fn make_cluster(binaries: &Path, data: &Path, user: Option<(u32, u32)>) -> Result<()> {
    let version: String = binaries.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    let kept = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/tmp"));
    let template = kept.join(format!("postgres-{version}-{}", rustix::process::getuid().as_raw()));
    if template.exists() {
        return copy(&template, data);
    }
    let made = command(&binaries.join("initdb"), user)
        .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"])
        .arg("-D")
        .arg(data)
        .output()?;
    if !made.status.success() {
        bail!("initdb: {}", String::from_utf8_lossy(&made.stderr));
    }
    fs::create_dir_all(kept)?;
    let unfinished = kept.join(format!("postgres-{version}-{}.tmp", std::process::id()));
    copy(data, &unfinished)?;
    if fs::rename(&unfinished, &template).is_err() {
        // Another test was faster.
        fs::remove_dir_all(&unfinished)?;
    }
    Ok(())
}

/// Copies a directory with its owners and permissions.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let done = Command::new("cp").args(["-a", "--reflink=auto"]).arg(from).arg(to).output()?;
    if !done.status.success() {
        bail!("cp: {}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(())
}

fn command(binary: &Path, user: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(binary);
    // A directory that the other user may not enter would be an error message of every one of these programs.
    command.current_dir("/").env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command
}

/// The newest PostgreSQL of Debian's packages.
fn find_binaries() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, path)| path.join("postgres").exists() && path.join("initdb").exists())
        .collect();
    found.sort();
    found.pop().map(|(_, path)| path)
}

fn user_named(name: &str) -> Result<(u32, u32)> {
    let passwd = fs::read_to_string("/etc/passwd")?;
    let line = passwd.lines().find(|line| line.split(':').next() == Some(name));
    let fields: Vec<&str> = line.with_context(|| format!("no user {name}"))?.split(':').collect();
    match fields.as_slice() {
        [_, _, uid, gid, ..] => Ok((uid.parse()?, gid.parse()?)),
        _ => bail!("/etc/passwd has an odd line for {name}"),
    }
}
