//! What a conversation leaves in its log, from the first octet to the last.

use crate::client::{fetch, imap, limits, server};
use jiff::Timestamp;
use postroom_mail::{Access, AuthMethod, Secret, Security, ServerAccess};
use postroom_sources::{Limits, Session, SourceError, Trust, WireLog};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

/// Its second word is the name of a command, and over IMAP it is a line of its own.
const PASSWORD: &str = "geheimes-Paßwort id";

/// The log, without its times, of a login and a visit to a server that says these, each but the first once a line has come.
async fn log(access: &Access, replies: &[&str]) -> String {
    let log = WireLog::begin(Timestamp::UNIX_EPOCH, access);
    let limits = Limits { log: Some(log.clone()), ..limits() };
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let server = async {
        let mut stream = BufReader::new(theirs);
        for (number, reply) in replies.iter().enumerate() {
            if number > 0 && stream.read_line(&mut String::new()).await.unwrap_or(0) == 0 {
                return;
            }
            if stream.write_all(reply.as_bytes()).await.is_err() {
                return;
            }
        }
    };
    let client = async {
        let mut session = Session::greet(Box::new(ours), access, &Trust::default(), &limits).await?;
        session.log_in(access.server().unwrap(), Some(&Secret::new(PASSWORD))).await?;
        let listed = session.list().await?;
        fetch(&mut session, &listed).await.1?;
        session.close().await
    };
    // How it ends is seen in the log.
    let _ended: (Result<(), SourceError>, ()) = tokio::join!(client, server);
    log.text().lines().map(|line| format!("{}\n", &line[10..])).collect()
}

#[tokio::test]
async fn k3_a_password_that_is_a_literal_is_in_no_log() {
    let access = imap(ServerAccess { auth: AuthMethod::Login, ..server("localhost", 143, Security::None, "ann") });
    let login = "S: * OK [CAPABILITY IMAP4rev1] hi\nC: P1 LOGIN …\nS: + …\n";
    let greeting = "* OK [CAPABILITY IMAP4rev1] hi\r\n";
    let honest = [greeting, "+ go on\r\n", "P1 OK [CAPABILITY IMAP4rev1] in\r\n", "P2 NO none\r\n"];
    let said = log(&access, &honest).await;
    let expected = "C: …\nS: P1 OK [CAPABILITY IMAP4rev1] in\nC: P2 EXAMINE \"INBOX\"\nS: P2 NO none\n";
    assert_eq!(said, format!("{login}{expected}"));
    // A server that says OK before it has the password gets it, the log does not.
    let said = log(&access, &[greeting, "+ go on\r\nP1 OK in\r\n"]).await;
    assert_eq!(said, format!("{login}S: P1 OK in\nC: …\n"));
}

#[tokio::test]
async fn k3_mail_from_a_server_that_says_ok_in_lower_case_is_in_no_log() {
    let access =
        Access::Pop3(ServerAccess { auth: AuthMethod::Login, ..server("localhost", 110, Security::None, "ann") });
    let mail = "Subject: one\r\n\r\none\n.\nATTACKER\n.\r\nATTACKER\r\n";
    let message = format!("+ok\r\n{mail}.\r\n");
    let replies = [
        "+ok hi\r\n",
        "-err what\r\n",
        "+ok\r\n",
        "+ok in\r\n",
        "-err what\r\n",
        "+ok 1 60\r\n",
        "+ok\r\n1 60\r\n.\r\n",
        "+ok\r\n1 a\r\n.\r\n",
        &message,
        "+ok bye\r\n",
    ];
    assert_eq!(
        log(&access, &replies).await,
        "S: +ok hi\nC: CAPA\nS: -err what\nC: USER …\nS: +ok\nC: PASS …\nS: +ok in\nC: CAPA\nS: -err what\n\
         C: STAT\nS: +ok 1 60\nC: LIST\nS: +ok\nS: 1 60\nS: .\nC: UIDL\nS: +ok\nS: 1 a\nS: .\n\
         C: RETR 1\nS: +ok\n-- 44 octets are left out\nS: .\nC: QUIT\nS: +ok bye\n"
    );
}
