//! A real Dovecot for one test: its own directory, free ports, its own certificate; stopped when dropped.

use crate::certificate::{Certificate, CertificateKind};
use crate::owner::Owner;
use crate::ports::Ports;
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The password of every user.
pub const PASSWORD: &str = "correct-horse-1";

/// A running Dovecot. Every user name is a user with [`PASSWORD`] and an empty Maildir.
#[derive(Debug)]
pub struct Dovecot {
    directory: tempfile::TempDir,
    master: Child,
    owner: Owner,
    /// Port of IMAP in clear and with STARTTLS.
    pub imap_port: u16,
    /// Port of IMAP over TLS.
    pub imaps_port: u16,
    /// Port of POP3 in clear and with STLS.
    pub pop3_port: u16,
    /// Port of POP3 over TLS.
    pub pop3s_port: u16,
    /// What the server shows, and who signed it.
    pub certificate: Certificate,
    next_file: AtomicU32,
}

impl Dovecot {
    /// Starts one with a self-signed certificate for `localhost` and `127.0.0.1`.
    ///
    /// `None`, said aloud, where no Dovecot is installed, unless `POSTROOM_TEST_REQUIRE_SERVERS` is set.
    ///
    /// # Panics
    /// When it is installed (or required) and does not start.
    pub fn start() -> Option<Self> {
        Self::start_with(CertificateKind::SelfSigned)
    }

    /// Starts one with another kind of certificate.
    ///
    /// # Panics
    /// As [`Dovecot::start`].
    pub fn start_with(kind: CertificateKind) -> Option<Self> {
        let Some(binary) = find_binary() else {
            assert!(std::env::var_os("POSTROOM_TEST_REQUIRE_SERVERS").is_none(), "no dovecot on this machine");
            eprintln!("SKIPPED: no dovecot on this machine (apt-get install dovecot-imapd dovecot-pop3d)");
            return None;
        };
        // Another process may take a free port before Dovecot does; then it is tried again with others.
        let mut tries = 0;
        loop {
            match Self::try_start(&binary, kind) {
                Ok(dovecot) => return Some(dovecot),
                Err(error) if tries == 3 => panic!("dovecot does not start: {error:#}"),
                Err(_) => tries += 1,
            }
        }
    }

    fn try_start(binary: &Path, kind: CertificateKind) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("postroom-dovecot-").tempdir()?;
        let path = directory.path();
        // The unprivileged processes of Dovecot must be able to pass through.
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
        let owner = Owner::find_or_make()?;
        let certificate = Certificate::new(kind)?;
        fs::write(path.join("cert.pem"), &certificate.chain_pem)?;
        fs::write(path.join("key.pem"), &certificate.key_pem)?;
        for sub in ["run", "state", "mail"] {
            fs::create_dir(path.join(sub))?;
        }
        chown(path.join("mail"), Some(owner.uid), Some(owner.gid))?;
        let ports = Ports::free()?;
        let config = path.join("dovecot.conf");
        fs::write(&config, configuration(path, &owner, ports))?;
        let master = Command::new(binary)
            .arg("-F")
            .arg("-c")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("dovecot cannot be run")?;
        let next_file = AtomicU32::new(1);
        let Ports { imap: imap_port, imaps: imaps_port, pop3: pop3_port, pop3s: pop3s_port } = ports;
        let mut dovecot =
            Self { directory, master, owner, imap_port, imaps_port, pop3_port, pop3s_port, certificate, next_file };
        dovecot.await_ready()?;
        Ok(dovecot)
    }

    fn await_ready(&mut self) -> Result<()> {
        let give_up = Instant::now() + Duration::from_secs(20);
        for port in self.ports().all() {
            while TcpStream::connect(("127.0.0.1", port)).is_err() {
                if let Some(status) = self.master.try_wait()? {
                    bail!("dovecot ended with {status}: {}", self.log());
                }
                if Instant::now() > give_up {
                    bail!("dovecot is not ready after 20 s: {}", self.log());
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        Ok(())
    }

    /// Where it listens.
    pub fn ports(&self) -> Ports {
        Ports { imap: self.imap_port, imaps: self.imaps_port, pop3: self.pop3_port, pop3s: self.pop3s_port }
    }

    /// What Dovecot has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("dovecot.log")).unwrap_or_default()
    }

    /// The Maildir of a user, made if it is missing.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn maildir(&self, user: &str) -> Result<PathBuf> {
        let home = self.directory.path().join("mail").join(user);
        let maildir = home.join("Maildir");
        for path in [home, maildir.clone(), maildir.join("tmp"), maildir.join("new"), maildir.join("cur")] {
            fs::create_dir_all(&path)?;
            chown(&path, Some(self.owner.uid), Some(self.owner.gid))?;
        }
        Ok(maildir)
    }

    /// Places messages into a user's inbox as a delivery agent does, in this order.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn fill<M: AsRef<[u8]>>(&self, user: &str, messages: &[M]) -> Result<()> {
        let maildir = self.maildir(user)?;
        messages.iter().try_for_each(|message| self.place(&maildir, &maildir.join("new"), message.as_ref(), ""))
    }

    /// Places one message with Maildir flags, say `T` for \Deleted.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn fill_flagged(&self, user: &str, message: &[u8], flags: &str) -> Result<()> {
        let maildir = self.maildir(user)?;
        self.place(&maildir, &maildir.join("cur"), message, &format!(":2,{flags}"))
    }

    fn place(&self, maildir: &Path, target: &Path, message: &[u8], suffix: &str) -> Result<()> {
        let number = self.next_file.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}.M{number:06}P1.test", 1_700_000_000 + number);
        let temporary = maildir.join("tmp").join(&name);
        fs::write(&temporary, message)?;
        chown(&temporary, Some(self.owner.uid), Some(self.owner.gid))?;
        Ok(fs::rename(&temporary, target.join(format!("{name}{suffix}")))?)
    }

    /// The octets of all messages in a folder of a user (empty for the inbox, `.Done` for the folder Done), by file name.
    ///
    /// Dovecot may still be doing what a client that was killed had asked for, and renames or removes files meanwhile; then
    /// the folder is read again, at most 100 times.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn read_all(&self, user: &str, folder: &str) -> Result<Vec<(String, Vec<u8>)>> {
        let maildir = self.maildir(user)?.join(folder);
        for _ in 0..100 {
            match read_folder(&maildir) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                read => return Ok(read?),
            }
        }
        Ok(read_folder(&maildir)?)
    }
}

fn read_folder(maildir: &Path) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut messages = Vec::new();
    for sub in ["new", "cur"] {
        let directory = maildir.join(sub);
        if !directory.exists() {
            continue;
        }
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            messages.push((entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path())?));
        }
    }
    messages.sort();
    Ok(messages)
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        // A polite end takes Dovecot up to six seconds, and nothing in its directory outlives it. The children are looked
        // up while their parent still lives: afterwards their pids could be anybody's.
        let master = self.master.id();
        let children = fs::read_to_string(format!("/proc/{master}/task/{master}/children")).unwrap_or_default();
        let _already_gone = self.master.kill();
        for child in children.split_whitespace().filter_map(|pid| pid.parse().ok()) {
            if let Some(pid) = rustix::process::Pid::from_raw(child) {
                let _already_gone = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
        let _status = self.master.wait();
    }
}

fn find_binary() -> Option<PathBuf> {
    ["/usr/sbin/dovecot", "/usr/local/sbin/dovecot", "/sbin/dovecot"]
        .map(PathBuf::from)
        .into_iter()
        .find(|p| p.exists())
}

fn configuration(path: &Path, owner: &Owner, ports: Ports) -> String {
    let path = path.display();
    let Ports { imap, imaps, pop3, pop3s } = ports;
    let Owner { name, uid, gid } = owner;
    let unprivileged = if rustix::process::getuid().is_root() {
        String::new()
    } else {
        format!(
            "default_internal_user = {name}\ndefault_login_user = {name}\ndefault_internal_group = {gid}\n\
             service anvil {{\n  chroot =\n}}\nservice imap-login {{\n  chroot =\n}}\n\
             service pop3-login {{\n  chroot =\n}}\n"
        )
    };
    format!(
        "base_dir = {path}/run\nstate_dir = {path}/state\nprotocols = imap pop3\nlisten = 127.0.0.1\n\
         log_path = {path}/dovecot.log\nssl = yes\nssl_cert = <{path}/cert.pem\nssl_key = <{path}/key.pem\n\
         disable_plaintext_auth = no\nauth_mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256 apop\nauth_failure_delay = 0\nfirst_valid_uid = 1\n\
         mail_location = maildir:~/Maildir\nmail_fsync = never\nmail_max_userip_connections = 500\n\
         passdb {{\n  driver = static\n  args = password={PASSWORD}\n}}\n\
         userdb {{\n  driver = static\n  args = uid={uid} gid={gid} home={path}/mail/%u\n}}\n\
         namespace inbox {{\n  inbox = yes\n}}\n\
         service anvil {{\n  unix_listener anvil-auth-penalty {{\n    mode = 0\n  }}\n}}\n\
         service imap-login {{\n  inet_listener imap {{\n    port = {imap}\n  }}\n  \
         inet_listener imaps {{\n    port = {imaps}\n    ssl = yes\n  }}\n}}\n\
         service pop3-login {{\n  inet_listener pop3 {{\n    port = {pop3}\n  }}\n  \
         inet_listener pop3s {{\n    port = {pop3s}\n    ssl = yes\n  }}\n}}\n{unprivileged}"
    )
}
