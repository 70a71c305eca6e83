//! A small root directory with a mail server in it, for servers whose packages cannot be installed beside each other.
//!
//! `get-servers` prepares one for each server under `target/test-servers`; a test links a copy of it, so that several tests
//! may run the same server at once, and runs the server in it with chroot(1). What was started in it ends with it.

use crate::owner::Owner;
use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Where the prepared root directories are, if not under `target`.
const DIRECTORY: &str = "POSTROOM_TEST_SERVERS";

/// A root directory of its own. All processes in it are killed, and all of it is removed, when it is dropped.
#[derive(Debug)]
pub struct Chroot {
    directory: tempfile::TempDir,
    children: Vec<Child>,
    syslog: Option<Syslog>,
    /// Who owns the mail in it.
    pub owner: Owner,
}

impl Chroot {
    /// A copy of the prepared root directory `name`.
    ///
    /// `None`, said aloud, where it is not prepared or we are not root, unless `POSTROOM_TEST_REQUIRE_SERVERS` is set.
    ///
    /// # Errors
    /// Those of the file system.
    ///
    /// # Panics
    /// When it is required and not there.
    pub fn copy(name: &str) -> Result<Option<Self>> {
        let prepared = std::env::var_os(DIRECTORY).map_or_else(default_directory, PathBuf::from);
        let source = prepared.join(name);
        if !source.exists() || !rustix::process::getuid().is_root() {
            let missing = format!("no {name} in {}, or not root", prepared.display());
            assert!(std::env::var_os("POSTROOM_TEST_REQUIRE_SERVERS").is_none(), "{missing}");
            eprintln!("SKIPPED: {missing} (crates/postroom-testkit/get-servers {})", prepared.display());
            return Ok(None);
        }
        // On the same file system, so that a link is enough.
        // The name is the one that /proc has for it, without links.
        let directory =
            tempfile::Builder::new().prefix(&format!("run-{name}-")).tempdir_in(prepared.canonicalize()?)?;
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755))?;
        link_all(&source, directory.path()).context("the root directory cannot be copied")?;
        let owner = Owner::find_or_make()?;
        let chroot = Self { syslog: Syslog::start(directory.path()), directory, children: Vec::new(), owner };
        let Owner { name, uid, gid } = &chroot.owner;
        // The servers' own names for themselves mean the same user.
        let users = [name, "courier", "cyrus"].map(|name| format!("{name}:x:{uid}:{gid}::/:/bin/false\n"));
        chroot.write("etc/passwd", ["root:x:0:0::/:/bin/false\n", &users.concat()].concat())?;
        let groups = [name, "courier", "cyrus"].map(|name| format!("{name}:x:{gid}:\n"));
        chroot.write("etc/group", ["root:x:0:\n", &groups.concat()].concat())?;
        Ok(Some(chroot))
    }

    /// A path in it, as seen from outside.
    pub fn path(&self, inside: &str) -> PathBuf {
        self.directory.path().join(inside)
    }

    /// What tells this copy from all others.
    pub fn name(&self) -> String {
        self.directory.path().file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Writes a file; the prepared root directory, which may have a file of that name too, stays as it is.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, inside: &str, contents: impl AsRef<[u8]>) -> Result<()> {
        let path = self.path(inside);
        if path.exists() {
            fs::remove_file(&path)?;
        }
        Ok(fs::write(path, contents)?)
    }

    /// Makes a directory that belongs to the owner of the mail.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn make_directory(&self, inside: &str) -> Result<()> {
        fs::create_dir_all(self.path(inside))?;
        Ok(chown(self.path(inside), Some(self.owner.uid), Some(self.owner.gid))?)
    }

    /// A command in it. What it prints goes into the log.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn command(&self, program: &str) -> Result<Command> {
        let log = fs::File::options().create(true).append(true).open(self.path("log"))?;
        let mut command = Command::new("chroot");
        command.arg(self.directory.path()).arg(program).current_dir("/");
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(command)
    }

    /// Starts a command that goes on until this is dropped.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&mut self, command: &mut Command) -> Result<()> {
        self.children.push(command.spawn()?);
        Ok(())
    }

    /// Runs a command of this root directory with this on its standard input and returns what it prints.
    ///
    /// # Errors
    /// When it fails.
    pub fn run(&self, program: &str, arguments: &[&str], input: &str) -> Result<String> {
        let mut command = self.command(program)?;
        let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes())?;
        }
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "{program}: {}: {}", output.status, self.log());
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Waits until something listens on all these ports of 127.0.0.1.
    ///
    /// # Errors
    /// When a process that was started has ended, and after 20 s.
    pub fn await_ports(&mut self, ports: &[u16]) -> Result<()> {
        let give_up = Instant::now() + Duration::from_secs(20);
        for port in ports {
            while !is_listening(*port)? {
                for child in &mut self.children {
                    if let Some(status) = child.try_wait()? {
                        bail!("it ended with {status}: {}", log_of(self.directory.path()));
                    }
                }
                ensure!(Instant::now() < give_up, "it is not ready after 20 s: {}", self.log());
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        Ok(())
    }

    /// What was printed and logged in it.
    pub fn log(&self) -> String {
        log_of(self.directory.path())
    }

    /// The processes that have this as their root directory.
    fn processes(&self) -> Vec<Pid> {
        let ours = |pid: &Pid| {
            fs::read_link(format!("/proc/{}/root", pid.as_raw_nonzero()))
                .is_ok_and(|root| root == self.directory.path())
        };
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
        pids.filter(ours).collect()
    }
}

impl Drop for Chroot {
    fn drop(&mut self) {
        drop(self.syslog.take());
        // A process may have started another one while we looked.
        for _ in 0..100 {
            let processes = self.processes();
            if processes.is_empty() {
                break;
            }
            for process in processes {
                let _already_gone = kill_process(process, Signal::KILL);
            }
            for child in &mut self.children {
                let _ended = child.try_wait();
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        for child in &mut self.children {
            let _status = child.wait();
        }
    }
}

fn default_directory() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target")).join("test-servers")
}

fn log_of(root: &Path) -> String {
    let read = |name| fs::read(root.join(name)).map(|octets| String::from_utf8_lossy(&octets).into_owned());
    ["log", "syslog"].map(|name| read(name).unwrap_or_default()).concat()
}

/// Makes `to` like `from`: directories anew, everything else as links.
fn link_all(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            fs::create_dir(&target)?;
            fs::set_permissions(&target, entry.metadata()?.permissions())?;
            link_all(&entry.path(), &target)?;
        } else if kind.is_symlink() {
            symlink(fs::read_link(entry.path())?, target)?;
        } else {
            fs::hard_link(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Whether a socket on 127.0.0.1 listens at `port`. Connecting to see would start a process of the server each time.
// proc(5), /proc/net/tcp: 0A is LISTEN.
fn is_listening(port: u16) -> Result<bool> {
    let wanted = format!("0100007F:{port:04X}");
    let table = fs::read_to_string("/proc/net/tcp")?;
    Ok(table.lines().any(|line| {
        let mut fields = line.split_whitespace().skip(1);
        fields.next() == Some(&wanted) && fields.nth(1) == Some("0A")
    }))
}

/// Writes down what is logged with syslog(3) in a root directory.
#[derive(Debug)]
struct Syslog {
    socket: UnixDatagram,
    stop: Arc<AtomicBool>,
    writing: Option<JoinHandle<()>>,
}

impl Syslog {
    /// `None` where the path is too long for a socket: then nothing is logged, which only matters to people.
    fn start(root: &Path) -> Option<Self> {
        let path = root.join("dev/log");
        let socket = UnixDatagram::bind(&path).ok()?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).ok()?;
        let mut file = fs::File::create(root.join("syslog")).ok()?;
        let (reading, stop) = (socket.try_clone().ok()?, Arc::new(AtomicBool::new(false)));
        let writing = std::thread::spawn({
            let stop = stop.clone();
            move || {
                let mut buffer = [0; 8192];
                while let Ok(octets) = reading.recv(&mut buffer) {
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                    let _no_space = file.write_all(&[&buffer[..octets], b"\n"].concat());
                }
            }
        });
        Some(Self { socket, stop, writing: Some(writing) })
    }
}

impl Drop for Syslog {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Ends the waiting of the thread that reads.
        let _already_closed = self.socket.shutdown(std::net::Shutdown::Both);
        if let Some(writing) = self.writing.take() {
            let _ended = writing.join();
        }
    }
}
