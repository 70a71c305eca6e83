//! A real Cyrus for one test: its own root directory, free ports, its own certificate; stopped when dropped.

use crate::certificate::{Certificate, CertificateKind};
use crate::chroot::Chroot;
use crate::dovecot::PASSWORD;
use crate::ports::Ports;
use anyhow::Result;
use std::os::unix::fs::chown;

/// A running Cyrus. Every user name is a user with [`PASSWORD`], whose inbox is made at the first login.
#[derive(Debug)]
pub struct Cyrus {
    chroot: Chroot,
    /// Where it listens.
    pub ports: Ports,
    /// What the server shows.
    pub certificate: Certificate,
}

impl Cyrus {
    /// Starts one; `None` where [`Chroot::copy`] has none.
    ///
    /// # Errors
    /// When it does not start, also because another process took one of its ports.
    pub fn start() -> Result<Option<Self>> {
        let Some(mut chroot) = Chroot::copy("cyrus")? else { return Ok(None) };
        let (certificate, ports) = (Certificate::new(CertificateKind::SelfSigned)?, Ports::free()?);
        for directory in ["conf", "conf/db", "conf/socket", "conf/proc", "conf/lock", "conf/log", "spool", "run"] {
            chroot.make_directory(&format!("cyrus/{directory}"))?;
        }
        let private =
            [("cert.pem", &certificate.chain_pem), ("key.pem", &certificate.key_pem), ("users", &String::new())];
        for (name, contents) in private {
            let inside = format!("cyrus/{name}");
            chroot.write(&inside, contents)?;
            chown(chroot.path(&inside), Some(chroot.owner.uid), Some(chroot.owner.gid))?;
        }
        chroot.write("etc/imapd.conf", settings(&chroot.owner.name))?;
        chroot.write("etc/cyrus.conf", services(ports))?;
        let mut master = chroot.command("/usr/lib/cyrus/bin/master")?;
        master.args(["-D", "-C", "/etc/imapd.conf", "-M", "/etc/cyrus.conf", "-p", "/cyrus/run/master.pid"]);
        chroot.start(&mut master)?;
        chroot.await_ports(&ports.all())?;
        Ok(Some(Self { chroot, ports, certificate }))
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        self.chroot.log()
    }
}

/// imapd.conf(5). Passwords are asked for with an SQL statement that has the same answer for everybody.
fn settings(owner: &str) -> String {
    format!(
        "configdirectory: /cyrus/conf\npartition-default: /cyrus/spool\ndefaultpartition: default\n\
         cyrus_user: {owner}\ncyrus_group: {owner}\nadmins: admin\nallowplaintext: yes\nallowapop: yes\n\
         autocreate_quota: 0\nautocreate_post: yes\nduplicatesuppression: no\npopminpoll: 0\nfailedloginpause: 0\n\
         sasl_pwcheck_method: auxprop\nsasl_auxprop_plugin: sql\nsasl_sql_engine: sqlite3\n\
         sasl_sql_database: /cyrus/users\nsasl_sql_select: SELECT '{PASSWORD}'\n\
         sasl_mech_list: PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256\n\
         tls_server_cert: /cyrus/cert.pem\ntls_server_key: /cyrus/key.pem\ntls_session_timeout: 0\n"
    )
}

/// cyrus.conf(5).
fn services(ports: Ports) -> String {
    let Ports { imap, imaps, pop3, pop3s } = ports;
    let service = |name: &str, program: &str, port: u16| {
        format!("  {name} cmd=\"/usr/lib/cyrus/bin/{program}\" listen=\"127.0.0.1:{port}\" prefork=0 maxforkrate=0\n")
    };
    let services = [
        service("imap", "imapd", imap),
        service("imaps", "imapd -s", imaps),
        service("pop3", "pop3d", pop3),
        service("pop3s", "pop3d -s", pop3s),
    ];
    format!(
        "START {{\n  recover cmd=\"/usr/lib/cyrus/bin/ctl_cyrusdb -r\"\n}}\nSERVICES {{\n{}}}\nEVENTS {{\n}}\n\
         DAEMON {{\n  idled cmd=\"/usr/lib/cyrus/bin/idled\"\n}}\n",
        services.concat()
    )
}
