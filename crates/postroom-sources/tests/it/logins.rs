//! Logins that a server answers with something else than yes or no.

use crate::client::{code, imap, limits, log_in_over, server};
use postroom_mail::{Access, Security};
use postroom_sources::{Remedy, Trust};
use postroom_testkit::certificate::{Certificate, CertificateKind};
use postroom_testkit::scripted::Dialogue;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn over_tls() -> Access {
    imap(server("localhost", 0, Security::Ssl, "ann"))
}

/// A20: what passes by itself is told from what a person has to see to, and the password is tried once either way.
#[tokio::test]
async fn a20_what_passes_is_told_from_what_does_not() {
    let imap_login = "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\nC: P1 AUTHENTICATE PLAIN …\n";
    let pop3_login = "S: +OK hi\nC: CAPA\nS: +OK\nS: USER\nS: .\nC: USER ann\nS: +OK\nC: PASS correct-horse-1\n";
    let pop3 = || Access::Pop3(server("localhost", 0, Security::None, "ann"));
    let clear = || imap(server("localhost", 0, Security::None, "ann"));
    for (access, login, reply, expected, remedy) in [
        (pop3(), pop3_login, "-ERR [IN-USE] busy", "MAILBOX_IN_USE", Remedy::RetryLater),
        (pop3(), pop3_login, "-ERR [SYS/TEMP] later", "AUTH_UNAVAILABLE", Remedy::RetryLater),
        (pop3(), pop3_login, "-ERR [LOGIN-DELAY] too soon", "THROTTLED", Remedy::RetryLater),
        (pop3(), pop3_login, "-ERR [SYS/PERM] never", "SERVER_REFUSED", Remedy::AskAdmin),
        (pop3(), pop3_login, "-ERR [AUTH] wrong", "AUTH_REJECTED", Remedy::AskAdmin),
        (pop3(), pop3_login, "-ERR wrong", "AUTH_REJECTED", Remedy::AskAdmin),
        (clear(), imap_login, "P1 NO [UNAVAILABLE] later", "AUTH_UNAVAILABLE", Remedy::RetryLater),
        (clear(), imap_login, "P1 NO [INUSE] busy", "AUTH_UNAVAILABLE", Remedy::RetryLater),
        (clear(), imap_login, "* BYE closing", "CONNECTION_LOST", Remedy::RetryLater),
        (clear(), imap_login, "P1 NO [AUTHENTICATIONFAILED] wrong", "AUTH_REJECTED", Remedy::AskAdmin),
        (clear(), imap_login, "P1 NO [PRIVACYREQUIRED] no", "LOGIN_DISABLED", Remedy::AskAdmin),
    ] {
        let dialogue = Dialogue::parse(reply.into(), &format!("# {reply}\n{login}S: {reply}\n!drop\n")).unwrap();
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let certificate = Certificate::new(CertificateKind::SelfSigned).unwrap();
        let client = async { log_in_over(ours, &access, &Trust::default(), &limits()).await };
        let (outcome, served) = tokio::join!(client, dialogue.play(Box::new(theirs), &certificate));
        let error = outcome.err().unwrap();
        assert_eq!((error.code(), error.remedy()), (expected, remedy), "{reply}");
        served.unwrap();
    }
}

/// A21: a server that sends us to another one is heard, and that is all.
#[tokio::test]
async fn a21_no_referral_is_followed() {
    let elsewhere = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = elsewhere.local_addr().unwrap().port();
    let to = format!("[REFERRAL imap://ann;AUTH=*@127.0.0.1:{port}/INBOX] go there");
    let login = "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR LOGIN-REFERRALS MAILBOX-REFERRALS] hi\nC: P1 AUTHENTICATE PLAIN …\n";
    let scripts = [
        (format!("{login}S: P1 NO {to}\n"), "AUTH_REJECTED"),
        (format!("{login}S: P1 OK {to}\nC: P2 EXAMINE \"INBOX\"\nS: P2 NO {to}\n"), "SERVER_REFUSED"),
        (format!("{login}S: P1 OK in\nC: P2 EXAMINE \"INBOX\"\nS: * BYE {to}\n!drop\n"), "CONNECTION_LOST"),
        (format!("S: * BYE {to}\n!drop\n"), "SERVER_REFUSED"),
    ];
    let certificate = Certificate::new(CertificateKind::SelfSigned).unwrap();
    let trust = Trust::new(vec![certificate.der.clone()]);
    for (script, expected) in scripts {
        let dialogue = Dialogue::parse("referral".into(), &format!("# a referral\n!tls\n{script}")).unwrap();
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let client = async {
            let mut session = log_in_over(ours, &over_tls(), &trust, &limits()).await?;
            session.list().await
        };
        let (outcome, served) = tokio::join!(client, dialogue.play(Box::new(theirs), &certificate));
        assert_eq!(code(outcome), expected, "{script}");
        served.unwrap();
    }
    let waiting = tokio::time::timeout(std::time::Duration::from_millis(50), elsewhere.accept()).await;
    assert!(waiting.is_err(), "somebody went there");
}

/// A19: a server that wants the password stretched two billion times gets an error at once instead.
#[tokio::test]
async fn a19_endless_stretching_is_refused_at_once() {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD;
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let stretching = async {
        let mut stream = tokio::io::BufReader::new(theirs);
        stream.write_all(b"* OK [CAPABILITY IMAP4rev1 AUTH=SCRAM-SHA-256 SASL-IR] hi\r\n").await.unwrap();
        let mut line = String::new();
        tokio::io::AsyncBufReadExt::read_line(&mut stream, &mut line).await.unwrap();
        let first = base64.decode(line.trim_end().rsplit(' ').next().unwrap()).unwrap();
        let nonce = String::from_utf8(first).unwrap().split("r=").nth(1).unwrap().to_owned();
        let challenge = base64.encode(format!("r={nonce}more,s=c2FsdHNhbHQ=,i=2147483648"));
        stream.write_all(format!("+ {challenge}\r\n").as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        let _closed = stream.read_to_end(&mut rest).await;
    };
    let access = imap(server("localhost", 0, Security::None, "ann"));
    let begun = std::time::Instant::now();
    let client = async { log_in_over(ours, &access, &Trust::default(), &limits()).await };
    let (outcome, ()) = tokio::join!(client, stretching);
    assert_eq!(code(outcome), "PROTOCOL_ERROR");
    // Two thousand million rounds take minutes at least.
    assert!(begun.elapsed() < std::time::Duration::from_secs(30));
}
