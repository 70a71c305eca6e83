//! A real Courier for one test: its own root directory, free ports, its own certificate; stopped when dropped.

use crate::certificate::{Certificate, CertificateKind};
use crate::chroot::Chroot;
use crate::dovecot::PASSWORD;
use crate::ports::Ports;
use anyhow::{Result, ensure};
use std::collections::BTreeSet;
use std::fs;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Where Courier's programs expect what they share.
const AUTHENTICATION: &str = "run/courier/authdaemon";
const TABLES: &str = "etc/courier";

/// A running Courier. Its users are those added with [`Courier::add_user`].
#[derive(Debug)]
pub struct Courier {
    chroot: Chroot,
    users: Mutex<BTreeSet<String>>,
    /// The password as its tables have it: for the passwords sent to it, and for CRAM-MD5.
    password: [String; 2],
    /// Where it listens.
    pub ports: Ports,
    /// What the server shows.
    pub certificate: Certificate,
}

impl Courier {
    /// Starts one; `None` where [`Chroot::copy`] has none.
    ///
    /// # Errors
    /// When it does not start, also because another process took one of its ports.
    pub fn start() -> Result<Option<Self>> {
        let Some(mut chroot) = Chroot::copy("courier")? else { return Ok(None) };
        let (certificate, ports) = (Certificate::new(CertificateKind::SelfSigned)?, Ports::free()?);
        for directory in ["run/courier", AUTHENTICATION, "mail"] {
            chroot.make_directory(directory)?;
        }
        let pem = format!("{TABLES}/server.pem");
        chroot.write(&pem, [certificate.key_pem.as_str(), &certificate.chain_pem].concat())?;
        let daemon = "authmodulelist=\"authuserdb\"\nauthmodulelistorig=\"authuserdb\"\ndaemons=2\n\
                      authdaemonvar=/run/courier/authdaemon\nDEBUG_LOGIN=0\nDEFAULTOPTIONS=\"\"\n";
        chroot.write(&format!("{TABLES}/authdaemonrc"), daemon)?;
        let hashed = |how| chroot.run("/usr/sbin/userdbpw", &[how], &format!("{PASSWORD}\n"));
        let password = [hashed("-md5")?, hashed("-hmac-md5")?];
        let mut authentication = chroot.command("/usr/lib/courier/courier-authlib/authdaemond")?;
        chroot.start(&mut authentication)?;
        for (port, is_tls) in [(ports.imap, false), (ports.imaps, true), (ports.pop3, false), (ports.pop3s, true)] {
            let is_imap = port == ports.imap || port == ports.imaps;
            serve(&mut chroot, port, is_imap, is_tls)?;
        }
        chroot.await_ports(&ports.all())?;
        let give_up = Instant::now() + Duration::from_secs(20);
        while !chroot.path(AUTHENTICATION).join("socket").exists() {
            ensure!(Instant::now() < give_up, "its authentication is not ready after 20 s: {}", chroot.log());
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(Some(Self { chroot, users: Mutex::default(), password, ports, certificate }))
    }

    /// Adds a user with [`PASSWORD`] and an empty Maildir.
    ///
    /// # Errors
    /// Those of the file system and of Courier's tools.
    pub fn add_user(&self, user: &str) -> Result<()> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if !users.insert(user.to_owned()) {
            return Ok(());
        }
        let home = format!("mail/{user}");
        for sub in ["", "/Maildir", "/Maildir/tmp", "/Maildir/new", "/Maildir/cur"] {
            self.chroot.make_directory(&format!("{home}{sub}"))?;
        }
        let (uid, gid) = (self.chroot.owner.uid, self.chroot.owner.gid);
        let [plain, cram] = &self.password;
        // userdb(8): each user on a line, the passwords in a table of their own.
        let line =
            |user: &String| format!("{user}\tuid={uid}|gid={gid}|home=/mail/{user}|mail=/mail/{user}/Maildir|_=\n");
        let shadow = |user: &String| format!("{user}\tsystempw={plain}|hmac-md5pw={cram}\n");
        self.make_table("userdb", users.iter().map(line).collect())?;
        self.make_table("userdbshadow", users.iter().map(shadow).collect())
    }

    fn make_table(&self, name: &str, lines: String) -> Result<()> {
        let (temporary, table) = (format!("/{TABLES}/{name}.tmp"), format!("/{TABLES}/{name}.dat"));
        let make = "/usr/lib/courier/courier-authlib/makedatprog";
        self.chroot.run(make, &["-", &temporary, &table], &format!("{lines}.\n"))?;
        let _removed_by_the_tool = fs::remove_file(self.chroot.path(&temporary[1..]));
        Ok(())
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        self.chroot.log()
    }
}

/// Starts one service of couriertcpd(1), as Courier's own scripts do.
fn serve(chroot: &mut Chroot, port: u16, is_imap: bool, is_tls: bool) -> Result<()> {
    let mut command = chroot.command("/usr/sbin/couriertcpd")?;
    command.args(["-address=127.0.0.1", "-maxprocs=100", "-maxperip=100", "-nodnslookup", "-noidentlookup"]);
    command.arg(port.to_string());
    if is_tls {
        command.args(["/usr/bin/couriertls", "-server", "-tcpd"]);
    }
    if is_imap {
        command.args(["/usr/lib/courier/courier/imaplogin", "/usr/bin/imapd", "Maildir"]);
    } else {
        let programs = ["courierpop3login", "courierpop3d"].map(|name| format!("/usr/lib/courier/courier/{name}"));
        command.args(programs).arg("Maildir");
    }
    let capabilities = "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE QUOTA AUTH=CRAM-MD5 AUTH=PLAIN AUTH=LOGIN IDLE";
    let settings = [
        ("IMAP_CAPABILITY", capabilities),
        ("IMAP_CAPABILITY_TLS", capabilities),
        ("IMAP_STARTTLS", "YES"),
        ("IMAP_TLS_REQUIRED", "0"),
        ("IMAP_KEYWORDS", "1"),
        ("IMAP_USELOCKS", "1"),
        ("IMAP_ENHANCEDIDLE", "1"),
        ("IMAP_MAILBOX_SANITY_CHECK", "1"),
        ("POP3AUTH", "PLAIN LOGIN CRAM-MD5"),
        ("POP3AUTH_TLS", "PLAIN LOGIN CRAM-MD5"),
        ("POP3_STARTTLS", "YES"),
        ("POP3_TLS_REQUIRED", "0"),
        ("COURIERTLS", "/usr/bin/couriertls"),
        ("TLS_CERTFILE", "/etc/courier/server.pem"),
        ("TLS_VERIFYPEER", "NONE"),
        ("MAILDIRPATH", "Maildir"),
        (if is_imap { "IMAP_TLS" } else { "POP3_TLS" }, if is_tls { "1" } else { "0" }),
        // Its servers watch Maildirs through one helper, which they would share with those of other root directories.
        ("GAM_CLIENT_ID", &chroot.name()),
    ];
    command.env_clear().env("PATH", "/usr/bin:/usr/sbin").envs(settings);
    chroot.start(&mut command)
}
