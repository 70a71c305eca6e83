//! How a mailbox is reached, out of the options of `mailbox add` and `mailbox set`.

use super::args::{AuthArg, MailboxAdd, MailboxOptions, MailboxSet, OnOff, Protocol, SecurityArg};
use crate::failure::Failure;
use postroom_mail::{Access, AuthMethod, ImapAccess, Security, ServerAccess};
use std::path::Path;

/// What differs between the servers of two protocols.
struct Kind {
    default_port: fn(Security) -> u16,
    auth: fn(AuthArg) -> Result<AuthMethod, Failure>,
}

const IMAP: Kind = Kind { default_port: Security::default_imap_port, auth: imap_auth };
const POP3: Kind = Kind { default_port: Security::default_pop3_port, auth };

impl Kind {
    fn new_server(&self, options: &MailboxOptions) -> Result<ServerAccess, Failure> {
        let host = required(options.host.clone(), "host")?;
        let security = security(options.security.ok_or_else(|| missing("security"))?);
        Ok(ServerAccess {
            host: checked_host(host, options.allow_private_host)?,
            port: options.port.unwrap_or_else(|| (self.default_port)(security)),
            security,
            user: required(options.user.clone(), "user")?,
            auth: (self.auth)(options.auth.unwrap_or(AuthArg::Auto))?,
            allow_private_host: options.allow_private_host,
        })
    }

    fn changed_server(&self, mut server: ServerAccess, options: &MailboxOptions) -> Result<ServerAccess, Failure> {
        server.allow_private_host |= options.allow_private_host;
        if let Some(host) = &options.host {
            server.host = checked_host(host.clone(), server.allow_private_host)?;
        }
        if let Some(chosen) = options.security {
            let was_default = server.port == (self.default_port)(server.security);
            server.security = security(chosen);
            if was_default {
                server.port = (self.default_port)(server.security);
            }
        }
        server.port = options.port.unwrap_or(server.port);
        server.user = options.user.clone().unwrap_or(server.user);
        server.auth = options.auth.map_or(Ok(server.auth), self.auth)?;
        Ok(server)
    }
}

pub(super) fn new_access(add: &MailboxAdd) -> Result<Access, Failure> {
    let options = &add.options;
    match add.protocol {
        Protocol::Maildir => maildir(add),
        Protocol::Pop3 if !options.folder.is_empty() => {
            Err(Failure::new("USAGE", "POP3 has no folders", "leave --folder away, or use --protocol imap"))
        }
        Protocol::Pop3 => POP3.new_server(options).map(Access::Pop3),
        Protocol::Imap => {
            let server = IMAP.new_server(options)?;
            let inbox = ImapAccess::new(server, "INBOX");
            Ok(Access::Imap(with_folders(inbox, &options.folder)?))
        }
        Protocol::Exchange => Err(Failure::new(
            "PROTOCOL_UNSUPPORTED",
            "this version visits IMAP and POP3 servers and Maildirs only; Exchange comes with a later one",
            "most Exchange servers can offer IMAP as well: try --protocol imap",
        )),
    }
}

fn maildir(add: &MailboxAdd) -> Result<Access, Failure> {
    not_of_servers(&add.options, None, "or use --protocol imap")?;
    let path = add.path.clone().ok_or_else(|| missing("path"))?;
    // Kept absolute, because `serve` may run in another directory.
    let path = std::path::absolute(&path).unwrap_or(path);
    Ok(Access::Maildir { path })
}

/// Refuses options that mean something only where there is a server.
fn not_of_servers(options: &MailboxOptions, wire_log: Option<OnOff>, or_else: &str) -> Result<(), Failure> {
    let given = [
        ("--host", options.host.is_some()),
        ("--port", options.port.is_some()),
        ("--security", options.security.is_some()),
        ("--user", options.user.is_some()),
        ("--password-stdin", options.password_stdin),
        ("--password-file", options.password_file.is_some()),
        ("--auth", options.auth.is_some()),
        ("--folder", !options.folder.is_empty()),
        ("--allow-private-host", options.allow_private_host),
        ("--wire-log on", wire_log == Some(OnOff::On)),
    ];
    let names: Vec<&str> = given.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| name).collect();
    if names.is_empty() {
        return Ok(());
    }
    let message = format!("this mailbox is not on a server, so these mean nothing to it: {}", names.join(", "));
    Err(Failure::new("USAGE", message, format!("nothing was saved; leave them away, {or_else}")))
}

pub(super) fn changed_access(access: Access, set: &MailboxSet) -> Result<Access, Failure> {
    let MailboxSet { path, options, .. } = set;
    match access {
        Access::Imap(_) if path.is_some() => {
            let help = "remove the mailbox and add it again with --protocol maildir";
            Err(Failure::new("USAGE", "this mailbox is on a server and has no --path", help))
        }
        Access::Imap(imap) => {
            let server = IMAP.changed_server(imap.server.clone(), options)?;
            Ok(Access::Imap(with_folders(ImapAccess { server, ..imap }, &options.folder)?))
        }
        Access::Pop3(_) if path.is_some() || !options.folder.is_empty() => {
            let help = "remove the mailbox and add it again with another --protocol";
            Err(Failure::new("USAGE", "a POP3 mailbox has neither --path nor --folder", help))
        }
        Access::Pop3(server) => POP3.changed_server(server, options).map(Access::Pop3),
        Access::Maildir { .. } | Access::Push => {
            not_of_servers(options, set.wire_log, "or remove the mailbox and add it again with --protocol imap")?;
            Ok(path.as_ref().map_or(access, |path| Access::Maildir {
                path: std::path::absolute(path).unwrap_or_else(|_| path.clone()),
            }))
        }
    }
}

/// Reads these folders, if any are named, in place of those that were read.
fn with_folders(mut imap: ImapAccess, folders: &[String]) -> Result<ImapAccess, Failure> {
    let Some((first, more)) = folders.split_first() else { return Ok(imap) };
    (imap.folder, imap.more_folders) = (first.clone(), Vec::new());
    for folder in more {
        if imap.reads(folder) {
            let message = format!("the folder `{folder}` is named twice");
            return Err(Failure::new("USAGE", message, "nothing was saved; name each folder once"));
        }
        imap.more_folders.push(folder.clone());
    }
    Ok(imap)
}

fn required(value: Option<String>, option: &str) -> Result<String, Failure> {
    value.filter(|value| !value.is_empty()).ok_or_else(|| missing(option))
}

fn missing(option: &str) -> Failure {
    let help = "`postroom mailbox add --help` shows what each kind of mailbox needs";
    Failure::new("USAGE", format!("this kind of mailbox needs --{option}"), help)
}

/// Refuses what is plainly on this machine or in a private network; names are checked again when they are resolved.
fn checked_host(host: String, allow_private: bool) -> Result<String, Failure> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let private = bare.eq_ignore_ascii_case("localhost")
        || bare.parse().is_ok_and(|address: std::net::IpAddr| postroom_sources::stream::is_private(address));
    if private && !allow_private {
        return Err(Failure::new(
            "HOST_PRIVATE",
            format!("{host} is on this machine or in a private network"),
            "nothing was saved; if that is meant, add --allow-private-host",
        ));
    }
    let valid =
        !bare.is_empty() && bare.len() <= 253 && !bare.chars().any(|c| c.is_whitespace() || c.is_control() || c == '/');
    if valid {
        Ok(bare.to_owned())
    } else {
        Err(Failure::new("USAGE", format!("`{host}` is no host name"), "give the name alone, without a protocol"))
    }
}

fn security(chosen: SecurityArg) -> Security {
    match chosen {
        SecurityArg::Ssl => Security::Ssl,
        SecurityArg::Starttls => Security::Starttls,
        SecurityArg::StarttlsIfAvailable => Security::StarttlsIfAvailable,
        SecurityArg::None => Security::None,
    }
}

fn auth(chosen: AuthArg) -> Result<AuthMethod, Failure> {
    match chosen {
        AuthArg::Auto => Ok(AuthMethod::Auto),
        AuthArg::Plain => Ok(AuthMethod::Plain),
        AuthArg::Login => Ok(AuthMethod::Login),
        AuthArg::CramMd5 => Ok(AuthMethod::CramMd5),
        AuthArg::ScramSha1 => Ok(AuthMethod::ScramSha1),
        AuthArg::ScramSha256 => Ok(AuthMethod::ScramSha256),
        AuthArg::Apop => Ok(AuthMethod::Apop),
        AuthArg::Xoauth2 | AuthArg::Oauthbearer => Err(Failure::new(
            "AUTH_UNSUPPORTED",
            "this version logs in with a password; OAuth comes with a later one",
            "use --auth auto, which takes the strongest that the server offers",
        )),
    }
}

fn imap_auth(chosen: AuthArg) -> Result<AuthMethod, Failure> {
    match auth(chosen)? {
        AuthMethod::Apop => {
            Err(Failure::new("AUTH_UNSUPPORTED", "APOP is a login of POP3", "use --auth auto, or --protocol pop3"))
        }
        method => Ok(method),
    }
}

/// Whether two mailboxes get the same messages, as far as their settings tell.
pub fn same_place(one: &Access, other: &Access) -> bool {
    let shared =
        |one: &ServerAccess, other: &ServerAccess| one.host.eq_ignore_ascii_case(&other.host) && one.user == other.user;
    match (one, other) {
        (Access::Maildir { path }, Access::Maildir { path: other }) => {
            let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
            real(path) == real(other)
        }
        (Access::Imap(one), Access::Imap(other)) => {
            shared(&one.server, &other.server)
                && one.folders().any(|folder| other.folders().any(|other| folder == other))
        }
        (Access::Imap(imap), Access::Pop3(pop3)) | (Access::Pop3(pop3), Access::Imap(imap)) => {
            // POP3 has the inbox and nothing else.
            shared(&imap.server, pop3) && imap.folders().any(|folder| folder.eq_ignore_ascii_case("INBOX"))
        }
        (Access::Pop3(one), Access::Pop3(other)) => shared(one, other),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn private_hosts_need_a_word() {
        for host in ["localhost", "127.0.0.1", "10.1.2.3", "[::1]", "192.168.1.1", "169.254.169.254"] {
            assert_eq!(checked_host(host.to_owned(), false).unwrap_err().code, "HOST_PRIVATE", "{host}");
            assert!(checked_host(host.to_owned(), true).is_ok(), "{host}");
        }
        assert_eq!(checked_host("imap.example.org".to_owned(), false).unwrap(), "imap.example.org");
        assert!(checked_host("imap://example.org".to_owned(), false).is_err());
    }
}
