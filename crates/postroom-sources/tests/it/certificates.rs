//! Certificates that must not be accepted, each over both protocols and both ways into TLS, and what is said of them; pins
//! and authorities of single mailboxes; versions of TLS; connections that end without a word.

mod made;

use crate::client::{code, fetch, imap, limits, log_in_over, octets, server};
use expect_test::expect_file;
use made::{Kind, Made, TlsServer};
use postroom_mail::{Access, Security};
use postroom_sources::certificate::parse_der;
use postroom_sources::{Session, SourceError, Trust};
use postroom_testkit::certificate::{Certificate, CertificateKind};
use postroom_testkit::scripted::Dialogue;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// How a connection gets to TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Imap(Security),
    Pop3(Security),
}

const WAYS: [Way; 4] = [
    Way::Imap(Security::Ssl),
    Way::Imap(Security::Starttls),
    Way::Pop3(Security::Ssl),
    Way::Pop3(Security::StarttlsIfAvailable),
];

impl Way {
    fn access(self, host: &str) -> Access {
        match self {
            Self::Imap(security) => imap(server(host, 0, security, "ann")),
            Self::Pop3(security) => Access::Pop3(server(host, 0, security, "ann")),
        }
    }

    /// What the server says before TLS, and behind it as far as a greeting.
    fn script(self) -> (&'static [&'static str], &'static str) {
        match self {
            Self::Imap(Security::Ssl) => (&[], "* OK ready\r\n"),
            Self::Imap(_) => (&["* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n", "P1 OK begin\r\n"], ""),
            Self::Pop3(Security::Ssl) => (&[], "+OK ready\r\n"),
            Self::Pop3(_) => (&["+OK ready\r\n", "+OK\r\nSTLS\r\n.\r\n", "+OK begin\r\n"], ""),
        }
    }
}

/// Connects as far as before the login, to a server that shows this.
async fn greet(way: Way, host: &str, tls: &TlsServer, trust: &Trust) -> Result<Session, SourceError> {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let access = way.access(host);
    let limits = limits();
    let client = async { Session::greet(Box::new(ours), &access, trust, &limits).await };
    let (clear, protected) = way.script();
    let (client, _refused) = tokio::join!(client, tls.serve(theirs, clear, protected));
    client
}

/// The text of an error without what differs from run to run.
fn stable(error: &SourceError, made: &Made) -> String {
    let mut text = format!("{}: {error}\n    {}", error.code(), error.help());
    for der in made.chain.iter().chain(&made.trusted) {
        text = text.replace(&parse_der(der).unwrap().fingerprint.to_string(), "<sha256>");
    }
    text
}

/// C7, C10 and C14: none of them is accepted over any way, each is told apart, and each says host, reason, fingerprint and
/// what to do.
#[tokio::test]
async fn c7_c10_c14_bad_certificates_are_refused_and_told_apart() {
    let (mut golden, mut messages) = (String::new(), BTreeSet::new());
    for kind in Kind::ALL {
        let made = kind.make();
        let (tls, trust) = (TlsServer::new(&made), Trust::new(made.trusted.clone()));
        let mut texts = BTreeSet::new();
        for way in WAYS {
            let error = greet(way, made.host, &tls, &trust).await.err();
            let error = error.unwrap_or_else(|| panic!("{kind:?} is accepted over {way:?}"));
            assert!(matches!(error, SourceError::Certificate(_)), "{kind:?} over {way:?}: {error}");
            assert!(error.to_string().contains(made.host), "{kind:?}: {error}");
            texts.insert(stable(&error, &made));
        }
        assert_eq!(texts.len(), 1, "{kind:?}: {texts:?}");
        let text = texts.pop_first().unwrap();
        messages.insert(text.lines().next().unwrap().to_owned());
        writeln!(golden, "{kind:?}\n  {text}\n").unwrap();
    }
    assert_eq!(messages.len(), Kind::ALL.len(), "each has words of its own");
    expect_file!["../../../../testdata/certificates/refused.txt"].assert_eq(&golden);
}

/// C8: a pin is this very certificate, whatever its name or issuer; dates and strength still count. It is of one mailbox.
#[tokio::test]
async fn c8_a_pin_opens_what_it_names_and_nothing_else() {
    for kind in Kind::ALL {
        let made = kind.make();
        let tls = TlsServer::new(&made);
        let pinned = greet(WAYS[0], made.host, &tls, &Trust::new(vec![made.chain[0].clone()])).await;
        let expected = match kind {
            Kind::Expired => "CERT_EXPIRED",
            Kind::NotYetValid => "CERT_NOT_YET_VALID",
            Kind::WeakKey => "CERT_UNTRUSTED",
            _ => "ok",
        };
        assert_eq!(code(pinned), expected, "{kind:?}");
        let other = greet(WAYS[2], made.host, &tls, &Trust::default()).await;
        assert_ne!(code(other), "ok", "{kind:?} in another mailbox");
    }
}

/// An authority that is trusted no more, which is the only revocation there is here.
#[tokio::test]
async fn c7_an_authority_that_was_removed_vouches_for_nothing() {
    let made = Kind::UnknownAuthority.make();
    let (tls, authority) = (TlsServer::new(&made), made.chain[1].clone());
    assert_eq!(code(greet(WAYS[0], made.host, &tls, &Trust::new(vec![authority])).await), "ok");
    assert_eq!(code(greet(WAYS[0], made.host, &tls, &Trust::default()).await), "CERT_UNTRUSTED");
}

/// C9: two mailboxes with an authority each, side by side for a thousand rounds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c9_no_mailbox_borrows_the_authority_of_another() {
    let made = [Kind::UnknownAuthority.make(), Kind::UnknownAuthority.make()];
    let rounds = |own: usize, shown: usize, expected: &'static str| {
        let (trust, tls) = (Trust::new(vec![made[own].chain[1].clone()]), TlsServer::new(&made[shown]));
        async move {
            for round in 0..250 {
                let outcome = greet(WAYS[round % 4], "localhost", &tls, &trust).await;
                assert_eq!(code(outcome), expected, "round {round}");
            }
        }
    };
    let tasks = [(0, 0, "ok"), (0, 1, "CERT_UNTRUSTED"), (1, 1, "ok"), (1, 0, "CERT_UNTRUSTED")]
        .map(|(own, shown, expected)| tokio::spawn(rounds(own, shown, expected)));
    for task in tasks {
        task.await.unwrap();
    }
}

/// C11: the pinned certificate is replaced. The error has both, and trusting the new one in place of the old works.
#[tokio::test]
async fn c11_a_pinned_certificate_that_rotates() {
    let (old, new) = (Kind::SelfSigned.make(), Kind::SelfSigned.make());
    let trust = Trust::new(vec![old.chain[0].clone()]);
    assert_eq!(code(greet(WAYS[0], old.host, &TlsServer::new(&old), &trust).await), "ok");
    for way in WAYS {
        let error = greet(way, new.host, &TlsServer::new(&new), &trust).await.err().unwrap();
        assert_eq!(error.code(), "CERT_CHANGED");
        let (old, new) = (parse_der(&old.chain[0]).unwrap(), parse_der(&new.chain[0]).unwrap());
        let text = error.to_string();
        for part in [&old, &new].iter().flat_map(|c| [c.fingerprint.to_string(), c.not_after.to_string()]) {
            assert!(text.contains(&part), "{part}: {text}");
        }
        assert!(error.help().contains(&format!("mailbox trust NAME --fingerprint {}", new.fingerprint)));
        assert_eq!(trust.pins("localhost"), [old]);
    }
    let repinned = Trust::new(vec![new.chain[0].clone()]);
    assert_eq!(code(greet(WAYS[0], new.host, &TlsServer::new(&new), &repinned).await), "ok");
}

/// A server that answers our hello with these octets.
async fn hello_answered_with(octets: &[u8]) -> &'static str {
    let (ours, mut theirs) = tokio::io::duplex(1 << 16);
    let (access, trust, limits) = (WAYS[0].access("localhost"), Trust::default(), limits());
    let client = async { code(Session::greet(Box::new(ours), &access, &trust, &limits).await) };
    let server = async {
        let mut hello = [0; 5];
        theirs.read_exact(&mut hello).await.unwrap();
        theirs.write_all(octets).await.unwrap();
        drop(theirs);
    };
    tokio::join!(client, server).0
}

/// C12: what is older than TLS 1.2 is refused by a code of its own.
#[tokio::test]
async fn c12_older_versions_are_refused() {
    for minor in 0..3_u8 {
        // A handshake record with a ServerHello: version, random, no session, TLS_RSA_WITH_AES_128_CBC_SHA, no compression.
        let mut hello = vec![22, 3, minor, 0, 42, 2, 0, 0, 38, 3, minor];
        hello.extend([7; 32]);
        hello.extend([0, 0, 0x2f, 0]);
        assert_eq!(hello_answered_with(&hello).await, "TLS_TOO_OLD", "version 3.{minor}");
        // Or the server says that our version is none of its own.
        assert_eq!(hello_answered_with(&[21, 3, minor, 0, 2, 2, 70]).await, "TLS_TOO_OLD", "alert in 3.{minor}");
    }
    // What is no TLS at all is another matter: another port, most of the time.
    assert_eq!(hello_answered_with(b"* OK ready\r\n").await, "TLS_FAILED");
    assert_eq!(hello_answered_with(b"").await, "TLS_FAILED");
}

/// The same with the versions that OpenSSL still speaks, where it is installed.
#[tokio::test]
async fn c12_older_versions_of_openssl_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let certificate = Certificate::new(CertificateKind::SelfSigned).unwrap();
    let file = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    file("c.pem", &certificate.chain_pem);
    file("k.pem", &certificate.key_pem);
    let fixed = ["s_server", "-accept", "127.0.0.1:0", "-cert", "c.pem", "-key", "k.pem", "-naccept", "1"];
    for (version, expected) in [("-tls1", "TLS_TOO_OLD"), ("-tls1_1", "TLS_TOO_OLD"), ("-tls1_2", "TIMEOUT")] {
        let mut command = Command::new("openssl");
        command.args(fixed).args(["-cipher", "ALL:@SECLEVEL=0", version]).current_dir(directory.path());
        let Ok(mut child) = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn() else {
            eprintln!("skipped: openssl cannot be run");
            return;
        };
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port =
            lines.map_while(Result::ok).find_map(|line| line.strip_prefix("ACCEPT ")?.rsplit_once(':')?.1.parse().ok());
        let tcp = tokio::net::TcpStream::connect(("127.0.0.1", port.unwrap())).await.unwrap();
        let limits = postroom_sources::Limits { step: std::time::Duration::from_secs(2), ..limits() };
        let trust = Trust::new(vec![certificate.der.clone()]);
        // OpenSSL has no greeting for us: with the last version the handshake succeeds, and that is all.
        let outcome = Session::greet(Box::new(tcp), &WAYS[0].access("localhost"), &trust, &limits).await;
        assert_eq!(code(outcome), expected, "{version}");
        let _it_may_be_gone = child.kill();
        child.wait().unwrap();
    }
}

/// C13: a connection that breaks off under TLS, without its goodbye, is never the end of a message.
#[tokio::test]
async fn c13_tls_that_is_cut_off_ends_no_message() {
    let certificate = Certificate::new(CertificateKind::SelfSigned).unwrap();
    for (protocol, access) in [("imap", WAYS[0].access("localhost")), ("pop3", WAYS[2].access("localhost"))] {
        let path = format!("../../testdata/dialogues/{protocol}/01-login-and-fetch.dialogue");
        let text = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        let text = text.replacen("\nS: ", "\n!tls\nS: ", 1);
        let whole = Dialogue::parse(protocol.into(), &text).unwrap();
        let mut seen = BTreeSet::new();
        for cut in (0..).step_by(3).map_while(|octets| whole.cut_after(octets)) {
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            let trust = Trust::new(vec![certificate.der.clone()]);
            let client = async {
                let Ok(mut session) = log_in_over(ours, &access, &trust, &limits()).await else { return Vec::new() };
                let Ok(listed) = session.list().await else { return Vec::new() };
                octets(&fetch(&mut session, &listed).await.0)
            };
            let (came, _served) = tokio::join!(client, cut.play(Box::new(theirs), &certificate));
            let all: [&[u8]; 3] = [b"Subject: one\r\n", b"Subject: two\r\n", b""];
            assert!(came.iter().zip(all).all(|(came, sent)| came == sent), "{}: {came:?}", cut.name);
            seen.insert(came.len());
        }
        assert!(seen.contains(&0) && seen.contains(&3), "{protocol}: {seen:?} whole messages in a run");
    }
}
