//! What every server has to pass, over both protocols and every protection: login, listing, octets, settling.

use crate::client::{code, fetch, limits, octets, password, try_log_in};
use postroom_mail::{Access, AuthMethod, ImapAccess, Listed, RemoteId, Secret, Security, ServerAccess, Settlement};
use postroom_sources::{Limits, Purpose, Session, Trust, open};
use postroom_testkit::client::ImapClient;
use postroom_testkit::messages::odd;
use postroom_testkit::server::{MailServer, Make, Protocol};
use std::time::Duration;

const SECURITIES: [Security; 4] = [Security::Ssl, Security::Starttls, Security::StarttlsIfAvailable, Security::None];

/// One of the ways to a server.
struct Way<'a> {
    server: &'a MailServer,
    protocol: Protocol,
    security: Security,
}

impl Way<'_> {
    fn name(&self) -> String {
        format!("{:?} {:?} {:?}", self.server.make(), self.protocol, self.security)
    }

    /// A user of its own for each way, so that one is not disturbed by another.
    fn user(&self, what: &str) -> String {
        format!("{what}{:?}{:?}", self.protocol, self.security).to_lowercase()
    }

    fn access(&self, user: &str, folder: &str, auth: AuthMethod) -> Access {
        let port = self.server.port(self.protocol, self.security == Security::Ssl);
        let server = ServerAccess { auth, ..crate::client::server("localhost", port, self.security, user) };
        match self.protocol {
            Protocol::Imap => Access::Imap(ImapAccess::new(server, folder)),
            Protocol::Pop3 => Access::Pop3(server),
        }
    }

    fn trust(&self) -> Trust {
        Trust::new(vec![self.server.certificate().der.clone()])
    }

    async fn log_in_to(&self, user: &str, folder: &str) -> Session {
        let session = try_log_in(&self.access(user, folder, AuthMethod::Auto), &self.trust()).await;
        session.unwrap_or_else(|error| panic!("{}: {error}\n{}", self.name(), self.server.log()))
    }

    async fn log_in(&self, user: &str) -> Session {
        self.log_in_to(user, "INBOX").await
    }

    async fn list(&self, user: &str) -> Vec<Listed> {
        let mut session = self.log_in(user).await;
        let listed = session.list().await.unwrap();
        session.close().await.unwrap();
        listed
    }
}

fn ways(server: &MailServer) -> Vec<Way<'_>> {
    let of = |protocol| SECURITIES.map(|security| Way { server, protocol, security });
    [of(Protocol::Imap), of(Protocol::Pop3)].into_iter().flatten().collect()
}

fn ids(listed: &[Listed]) -> Vec<RemoteId> {
    listed.iter().map(|listed| listed.id.clone()).collect()
}

/// Puts these into a folder and opens it.
fn fill(client: &mut ImapClient, folder: &str, messages: &[Vec<u8>]) {
    messages.iter().for_each(|message| client.append(folder, message, "").unwrap());
    client.select(folder).unwrap();
}

fn message(number: usize) -> Vec<u8> {
    odd(number * 20).octets
}

/// Every server offers these by itself or is told to; what it does not offer is refused before the password is sent.
async fn logins(server: &MailServer) {
    let is_scram = |auth| matches!(auth, AuthMethod::ScramSha1 | AuthMethod::ScramSha256);
    let has = |auth| auth != AuthMethod::Apop && !(server.make() == Make::Courier && is_scram(auth));
    // RFC 2595 §4: the timestamp of the greeting is forgotten when TLS comes after it.
    let has_apop =
        |way: &Way<'_>| server.make() != Make::Courier && matches!(way.security, Security::Ssl | Security::None);
    let methods = [
        AuthMethod::Auto,
        AuthMethod::Plain,
        AuthMethod::Login,
        AuthMethod::CramMd5,
        AuthMethod::ScramSha1,
        AuthMethod::ScramSha256,
        AuthMethod::Apop,
    ];
    for way in ways(server) {
        let user = way.user("login");
        server.client(&user).unwrap().close().unwrap();
        for auth in methods.into_iter().filter(|auth| way.protocol == Protocol::Pop3 || *auth != AuthMethod::Apop) {
            let access = way.access(&user, "INBOX", auth);
            let session = open(&access, Some(&password()), &way.trust(), &limits()).await;
            let is_tls = session.as_ref().is_ok_and(Session::tls);
            let offered = if auth == AuthMethod::Apop { has_apop(&way) } else { has(auth) };
            let expected = if offered { "ok" } else { "LOGIN_DISABLED" };
            assert_eq!(code(session), expected, "{} {auth:?}", way.name());
            assert_eq!(is_tls, expected == "ok" && way.security != Security::None, "{} {auth:?}", way.name());
        }
        let access = way.access(&user, "INBOX", AuthMethod::Auto);
        if way.security == Security::Ssl {
            // Courier thinks about it for five seconds.
            let patient = Limits { step: Duration::from_secs(20), ..limits() };
            let refused = open(&access, Some(&Secret::new("wrong")), &way.trust(), &patient).await;
            assert_eq!(code(refused), "AUTH_REJECTED", "{}", way.name());
        }
        if way.security != Security::None {
            assert_eq!(code(try_log_in(&access, &Trust::default()).await), "CERT_UNTRUSTED", "{}", way.name());
        }
    }
}

/// 200 messages of odd kinds come as another client sees them, and as they were sent wherever the standards let them be.
async fn octets_of_odd_messages(server: &MailServer) {
    const MESSAGES: usize = 200;
    let mut other = server.client("odd").unwrap();
    let mut sent = Vec::new();
    for message in (0..MESSAGES).map(odd) {
        let taken = other.append("INBOX", &message.octets, "");
        assert!(taken.is_ok() || !message.lasts, "{:?} refuses {}: {taken:?}", server.make(), message.kind);
        sent.extend(taken.is_ok().then_some(message));
    }
    assert!(sent.len() >= MESSAGES * 16 / 20, "{:?} took only {}", server.make(), sent.len());
    other.select("INBOX").unwrap();
    let there = other.messages(true).unwrap();
    assert_eq!(there.len(), sent.len(), "{:?}", server.make());
    for way in ways(server) {
        let mut session = way.log_in("odd").await;
        let listed = session.list().await.unwrap();
        let (fetched, result) = fetch(&mut session, &listed).await;
        result.unwrap();
        session.close().await.unwrap();
        let came = octets(&fetched);
        assert_eq!(came.len(), sent.len(), "{}", way.name());
        for (message, seen) in sent.iter().zip(&there) {
            // Not every server numbers messages over POP3 as it does over IMAP.
            let subject = message.octets.split(|octet| *octet == b'\n').nth(2).unwrap();
            let is_same = |came: &&Vec<u8>| came.split(|octet| *octet == b'\n').nth(2) == Some(subject);
            // What one protocol does to messages that no standard allows, the other need not do.
            if way.protocol == Protocol::Pop3 && !message.lasts {
                continue;
            }
            let came =
                came.iter().find(is_same).unwrap_or_else(|| panic!("{}: {} did not come", way.name(), message.kind));
            // POP3 cannot say that a message has no line end at its end.
            let whole = |octets: &[u8]| match way.protocol {
                Protocol::Pop3 if !octets.ends_with(b"\r\n") => [octets, b"\r\n"].concat(),
                _ => octets.to_vec(),
            };
            assert!(*came == whole(&seen.octets), "{}: {} is not what another client sees", way.name(), message.kind);
            assert!(!message.lasts || *came == message.octets, "{}: {} has changed", way.name(), message.kind);
        }
        // Nothing is changed by having been read; over POP3 a server may mark it as seen by itself.
        let may_be = |flag: &String| way.protocol == Protocol::Pop3 && flag == "\\Seen";
        assert!(other.messages(false).unwrap().iter().all(|seen| seen.flags.iter().all(may_be)), "{}", way.name());
    }
    other.close().unwrap();
}

/// Names hold from one conversation to the next, and a visit that deletes takes what it named and nothing else: not what
/// other people have marked as deleted, not what came meanwhile. Somebody reads the same mailbox all the time.
async fn deleting(server: &MailServer) {
    for way in ways(server) {
        let user = way.user("delete");
        let mut other = server.client(&user).unwrap();
        fill(&mut other, "INBOX", &[message(1), message(2), message(3)]);
        other.append("INBOX", &message(4), "\\Deleted").unwrap();
        other.append("INBOX", &message(5), "\\Seen \\Flagged").unwrap();
        let listed = way.list(&user).await;
        assert_eq!((listed.len(), ids(&way.list(&user).await)), (5, ids(&listed)), "{}", way.name());
        let mut session = way.log_in(&user).await;
        // Cyrus lets one client into a mailbox over POP3, but others over IMAP at the same time.
        other.append("INBOX", &message(6), "").unwrap();
        let owed = ids(&listed[..2]);
        // Courier lists by file name over POP3, and its names hold microseconds without leading zeros: any two may be first.
        let (fetched, result) = fetch(&mut session, &listed[..2]).await;
        result.unwrap();
        let owed_octets = octets(&fetched);
        assert_eq!(session.settle(&owed, &Settlement::Delete).await.unwrap(), owed, "{}", way.name());
        session.close().await.unwrap();
        // Once more: gone counts as settled.
        let mut session = way.log_in(&user).await;
        assert_eq!(session.settle(&owed, &Settlement::Delete).await.unwrap(), owed, "{}", way.name());
        session.close().await.unwrap();
        let left: Vec<_> =
            other.messages(true).unwrap().into_iter().map(|seen| (seen.octets, seen.flags.join(" "))).collect();
        let put = [(1, ""), (2, ""), (3, ""), (4, "\\Deleted"), (5, "\\Flagged \\Seen"), (6, "")];
        let stays = put.map(|(number, flags)| (message(number), flags.to_owned()));
        let stays: Vec<_> = stays.into_iter().filter(|(octets, _)| !owed_octets.contains(octets)).collect();
        assert_eq!((left, owed_octets.len()), (stays, 2), "{}", way.name());
        other.close().unwrap();
    }
}

/// Marking as seen and moving, which only IMAP can do, into a folder whose name is not ASCII; one message each, so that one
/// way is seen not to do what another one does. Where the folder is missing it is made.
async fn marking_and_moving(server: &MailServer) {
    for way in ways(server) {
        let user = way.user("move");
        let mut other = server.client(&user).unwrap();
        fill(&mut other, "INBOX", &[message(1), message(2), message(3)]);
        other.append("INBOX", &message(4), "\\Deleted").unwrap();
        let listed = ids(&way.list(&user).await);
        // As people write it, wherever the server keeps the folders of a user.
        let done = Settlement::MoveTo("Erledigt & schön".to_owned());
        let mut session = way.log_in(&user).await;
        if way.protocol == Protocol::Pop3 {
            for how in [Settlement::MarkSeen, done] {
                assert_eq!(code(session.settle(&listed, &how).await), "SETTLEMENT_UNSUPPORTED", "{}", way.name());
            }
            continue;
        }
        assert_eq!(session.settle(&listed[..1], &Settlement::Keep).await.unwrap(), listed[..1], "{}", way.name());
        assert_eq!(session.settle(&listed[1..2], &Settlement::MarkSeen).await.unwrap(), listed[1..2], "{}", way.name());
        let moved = session.settle(&listed[2..3], &done).await;
        assert_eq!(moved.unwrap_or_else(|error| panic!("{}: {error}", way.name())), listed[2..3], "{}", way.name());
        session.close().await.unwrap();
        let left: Vec<_> =
            other.messages(true).unwrap().into_iter().map(|seen| (seen.octets, seen.flags.join(" "))).collect();
        let expected = [(1, ""), (2, "\\Seen"), (4, "\\Deleted")];
        assert_eq!(left, expected.map(|(number, flags)| (message(number), flags.to_owned())), "{}", way.name());
        other.select(&server.folder("Erledigt &- sch&APY-n")).unwrap();
        let moved: Vec<_> = other.messages(true).unwrap().into_iter().map(|seen| seen.octets).collect();
        assert_eq!(moved, [message(3)], "{}", way.name());
        other.close().unwrap();
    }
}

/// Folders whose names no line of ASCII can hold are read like the inbox; one that is removed and made again has another
/// UIDVALIDITY, and what was owed to the old one is not done to the new one.
async fn folders(server: &MailServer) {
    for way in ways(server).into_iter().filter(|way| way.protocol == Protocol::Imap) {
        let user = way.user("folder");
        let mut other = server.client(&user).unwrap();
        for (name, encoded) in [("Ärger & Co", "&AMQ-rger &- Co"), ("日本語", "&ZeVnLIqe-"), ("Anfragen", "Anfragen")]
        {
            let encoded = server.folder(encoded);
            other.command(&format!("CREATE \"{encoded}\"")).unwrap();
            fill(&mut other, &encoded, &[message(1), message(2)]);
            let mut session = way.log_in_to(&user, name).await;
            let listed = session.list().await.unwrap_or_else(|error| panic!("{} {name}: {error}", way.name()));
            let (fetched, result) = fetch(&mut session, &listed).await;
            result.unwrap();
            assert_eq!(octets(&fetched), [message(1), message(2)], "{} {name}", way.name());
            session.close().await.unwrap();
        }
        let (name, encoded) = ("Anfragen", server.folder("Anfragen"));
        let before = way.log_in_to(&user, name).await.list().await.unwrap();
        let epoch = other.select(&encoded).unwrap();
        remake(&mut other, &encoded, epoch);
        fill(&mut other, &encoded, &[message(3), message(4)]);
        let mut session = way.log_in_to(&user, name).await;
        assert_ne!(session.select(Purpose::Look).await.unwrap().uid_validity, Some(epoch), "{}", way.name());
        let after = session.list().await.unwrap();
        assert!(after.iter().all(|listed| !ids(&before).contains(&listed.id)), "{}", way.name());
        assert_eq!(session.settle(&ids(&before), &Settlement::Delete).await.unwrap(), [], "{}", way.name());
        session.close().await.unwrap();
        assert_eq!(other.messages(false).unwrap().len(), 2, "{}", way.name());
        other.close().unwrap();
    }
}

/// Removes a folder and makes it again until it has another UIDVALIDITY: some servers take it from a clock of seconds.
fn remake(other: &mut ImapClient, folder: &str, epoch: u32) {
    for _ in 0..300 {
        // The open folder cannot be removed everywhere.
        other.select("INBOX").unwrap();
        other.command(&format!("DELETE \"{folder}\"")).unwrap();
        other.command(&format!("CREATE \"{folder}\"")).unwrap();
        if other.select(folder).unwrap() != epoch {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the folder keeps its UIDVALIDITY {epoch}");
}

/// Starts a server of this make, if there is one, and lets it pass.
macro_rules! server_tests {
    ($($name:ident: $make:ident $check:ident;)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let Some(server) = MailServer::start(Make::$make) else { return };
                $check(&server).await;
            }
        )*
    };
}

server_tests! {
    dovecot_logins: Dovecot logins;
    dovecot_octets: Dovecot octets_of_odd_messages;
    dovecot_deleting: Dovecot deleting;
    dovecot_marking_and_moving: Dovecot marking_and_moving;
    dovecot_folders: Dovecot folders;
    cyrus_logins: Cyrus logins;
    cyrus_octets: Cyrus octets_of_odd_messages;
    cyrus_deleting: Cyrus deleting;
    cyrus_marking_and_moving: Cyrus marking_and_moving;
    cyrus_folders: Cyrus folders;
    courier_logins: Courier logins;
    courier_octets: Courier octets_of_odd_messages;
    courier_deleting: Courier deleting;
    courier_marking_and_moving: Courier marking_and_moving;
    courier_folders: Courier folders;
}
