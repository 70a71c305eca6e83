//! Every dialogue of `testdata/dialogues`, over TCP, in memory, and in memory one octet at a time.

use crate::client::{fetch, imap, limits, log_in_over, server};
use postroom_mail::{Access, AuthMethod, ImapAccess, Listed, RemoteId, Security, ServerAccess, Settlement};
use postroom_sources::stream::Stream;
use postroom_sources::{Change, Fetched, Limits, Outcome, Purpose, Session, SourceError, Trust};
use postroom_testkit::certificate::{Certificate, CertificateKind};
use postroom_testkit::scripted::{Dialogue, ScriptedServer};
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf};

/// How the octets travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transport {
    Tcp,
    Whole,
    OctetByOctet,
}

/// A stream that gives one octet at a time.
struct OctetByOctet(DuplexStream);

impl AsyncRead for OctetByOctet {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut one = [0];
        let mut small = ReadBuf::new(&mut one);
        let polled = Pin::new(&mut self.0).poll_read(context, &mut small);
        buffer.put_slice(small.filled());
        polled
    }
}

impl AsyncWrite for OctetByOctet {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[tokio::test]
async fn all_dialogues_end_as_they_say() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/dialogues");
    let mut dialogues = Vec::new();
    for (protocol, at_least) in [("imap", 40), ("pop3", 60)] {
        let of_protocol = Dialogue::load_all(&directory.join(protocol)).unwrap();
        assert!(of_protocol.len() >= at_least, "only {} dialogues of {protocol}", of_protocol.len());
        dialogues.extend(of_protocol);
    }
    let certificate = Certificate::new(CertificateKind::SelfSigned).unwrap();
    let mut failures = Vec::new();
    for dialogue in &dialogues {
        for transport in [Transport::Tcp, Transport::Whole, Transport::OctetByOctet] {
            failures.extend(check(dialogue, transport, &certificate).await.err());
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Messages announced with one octet each and sent with three million: memory holds what was announced and a little more;
/// the others are let go and asked for again one by one. One that grows again is given up.
#[tokio::test]
async fn sizes_that_lie_do_not_fill_the_memory() {
    let body = |uid: u32, octets: usize| {
        format!("S: * 1 FETCH (UID {uid} BODY[] {{{octets}}}\nS- {}\nS: )\n", "x".repeat(octets))
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/dialogues/imap/01-login-and-fetch.dialogue");
    let login = std::fs::read_to_string(path).unwrap();
    let login = &login[login.find("S: * OK ready").unwrap()..login.find("S: * 1 FETCH (UID 7 RFC822.SIZE").unwrap()];
    let listing: String = (7..10).map(|uid| format!("S: * 1 FETCH (UID {uid} RFC822.SIZE 1)\n")).collect();
    let text = [
        "# sizes that lie\n> do fetch\n> max-message 9000000\n",
        "> expect 7 3000000 “x”, 9 3000000 “x”, 8 unfetchable “the server gives it another size each time”\n",
        login,
        &listing,
        "S: P4 OK done\nC: P5 UID FETCH 7:9 (UID BODY.PEEK[])\n",
        &body(7, 3_000_000),
        &body(8, 3_000_000),
        &body(9, 3_000_000),
        "S: P5 OK done\nC: P6 UID FETCH 9 (UID BODY.PEEK[])\nC: P7 UID FETCH 8 (UID BODY.PEEK[])\n",
        &body(9, 3_000_000),
        "S: P6 OK done\n",
        &body(8, 8_000_000),
        "S: P7 OK done\nC: P8 LOGOUT\nS: * BYE so long\nS: P8 OK done\n",
    ];
    let dialogue = Dialogue::parse("sizes that lie".into(), &text.concat()).unwrap();
    let certificate = Certificate::new(CertificateKind::SelfSigned).unwrap();
    check(&dialogue, Transport::Whole, &certificate).await.unwrap();
}

/// A server that sends an octet now and then keeps every single wait short, and still does not hold us.
#[tokio::test]
async fn a_trickling_server_does_not_hold_us() {
    let replies: &[&str] = &[
        "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] ready\r\n",
        "P1 OK in\r\n",
        "* 1 EXISTS\r\n* OK [UIDVALIDITY 9] valid\r\nP2 OK done\r\n",
    ];
    let limits = Limits { step: Duration::from_millis(200), stall: Duration::from_millis(40), ..limits() };
    let access = imap(server("localhost", 143, Security::None, "ann"));
    // The trickle begins in place of the greeting, of the reply to the login, of the listing.
    for sent_at_once in 0..=replies.len() {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let server = async {
            let mut stream = tokio::io::BufReader::new(theirs);
            for (number, reply) in replies[..sent_at_once].iter().enumerate() {
                let mut command = String::new();
                if number > 0 {
                    stream.read_line(&mut command).await.unwrap();
                }
                stream.write_all(reply.as_bytes()).await.unwrap();
            }
            let mut ticks = tokio::time::interval(Duration::from_millis(20));
            while stream.write_all(b"*").await.is_ok() {
                ticks.tick().await;
            }
        };
        let client = async { log_in_over(ours, &access, &Trust::default(), &limits).await?.list().await };
        let both = async { tokio::join!(client, server).0 };
        let outcome = tokio::time::timeout(Duration::from_secs(10), both).await.expect("it holds us");
        assert_eq!(outcome.map_err(|e| e.code()), Err("TIMEOUT"), "after {sent_at_once} replies");
    }
}

/// Plays one dialogue and compares what the client made of it with `> expect`; both sides must be content.
async fn check(dialogue: &Dialogue, transport: Transport, certificate: &Certificate) -> Result<(), String> {
    let name = format!("{} ({transport:?})", dialogue.name);
    let work = async {
        match transport {
            Transport::Tcp => {
                let server = ScriptedServer::start(dialogue.clone(), certificate.clone()).await.unwrap();
                let stream = tokio::net::TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
                let outcome = act(dialogue, Box::new(stream), certificate).await;
                (outcome, server.finish().await)
            }
            Transport::Whole | Transport::OctetByOctet => {
                let (ours, theirs) = tokio::io::duplex(1 << 20);
                let ours: Box<dyn Stream> =
                    if transport == Transport::Whole { Box::new(ours) } else { Box::new(OctetByOctet(ours)) };
                let client = act(dialogue, ours, certificate);
                tokio::join!(client, dialogue.play(Box::new(theirs), certificate))
            }
        }
    };
    let Ok((outcome, server)) = tokio::time::timeout(Duration::from_secs(20), work).await else {
        return Err(format!("{name}: hangs"));
    };
    let expected = dialogue.setting("expect").unwrap_or_default();
    // Where one octet comes later than another, the same attack may be noticed by another rule.
    if !expected.split(" | ").any(|one| one == outcome.trim()) {
        return Err(format!("{name}: expected {expected}, got {outcome}"));
    }
    server.map_err(|error| format!("{name}: {error:#}"))
}

fn security(dialogue: &Dialogue) -> Security {
    match dialogue.setting("security") {
        Some("ssl") => Security::Ssl,
        Some("starttls") => Security::Starttls,
        Some("starttls-if-available") => Security::StarttlsIfAvailable,
        _ => Security::None,
    }
}

fn auth(dialogue: &Dialogue) -> AuthMethod {
    match dialogue.setting("auth") {
        Some("plain") => AuthMethod::Plain,
        Some("login") => AuthMethod::Login,
        Some("apop") => AuthMethod::Apop,
        _ => AuthMethod::Auto,
    }
}

fn access(dialogue: &Dialogue) -> Access {
    let user = dialogue.setting("user").unwrap_or("ann");
    // Nobody looks at the port: the streams are there already.
    let server = ServerAccess { auth: auth(dialogue), ..server("localhost", 0, security(dialogue), user) };
    match dialogue.setting("protocol") {
        Some("pop3") => Access::Pop3(server),
        _ => {
            let more_folders = dialogue.setting("more-folders").map(|all| all.split(", ").map(str::to_owned).collect());
            let more_folders = more_folders.unwrap_or_default();
            let imap = ImapAccess::new(server, dialogue.setting("folder").unwrap_or("INBOX"));
            Access::Imap(ImapAccess { more_folders, ..imap })
        }
    }
}

/// Does what `> do` says and puts what came of it into one line.
pub async fn act(dialogue: &Dialogue, stream: Box<dyn Stream>, certificate: &Certificate) -> String {
    try_act(dialogue, stream, certificate).await.unwrap_or_else(|error| format!("error {}", error.code()))
}

async fn try_act(
    dialogue: &Dialogue,
    stream: Box<dyn Stream>,
    certificate: &Certificate,
) -> Result<String, SourceError> {
    let trust = Trust::new(vec![certificate.der.clone()]).tls_seen(dialogue.setting("tls-seen").is_some());
    let stall = dialogue.setting("stall-ms").map_or(5000, |ms| ms.parse().unwrap());
    let max_message = dialogue.setting("max-message").map_or(100_000, |octets| octets.parse().unwrap());
    let max_unnamed_messages = dialogue.setting("max-unnamed").map_or(100, |messages| messages.parse().unwrap());
    let step = dialogue.setting("step-ms").map_or(limits().step, |ms| Duration::from_millis(ms.parse().unwrap()));
    let limits = Limits { step, stall: Duration::from_millis(stall), max_message, max_unnamed_messages, ..limits() };
    let mut session = log_in_over(stream, &access(dialogue), &trust, &limits).await?;
    let (what, rest) = dialogue
        .setting("do")
        .unwrap_or("login")
        .split_once(' ')
        .unwrap_or((dialogue.setting("do").unwrap_or("login"), ""));
    let done = match what {
        "login" => format!("ok tls={}", session.tls()),
        "list" => session.list().await?.iter().map(list_words).collect::<Vec<_>>().join(" "),
        "arrivals" => {
            let mut listed = session.list().await?;
            session.find_arrivals(&mut listed).await?;
            listed.iter().map(list_words).collect::<Vec<_>>().join(" ")
        }
        "wait" | "others" | "uids" | "message-ids" => imap_words(what, &mut session).await?,
        "delete-listed" => {
            let ids: Vec<RemoteId> = session.list().await?.into_iter().map(|listed| listed.id).collect();
            settled_words(&session.settle(&ids, &Settlement::Delete).await?)
        }
        "fetch" => {
            let listed = session.list().await?;
            let (fetched, result) = fetch(&mut session, &listed).await;
            let mut words: Vec<String> = fetched.iter().map(fetched_words).collect();
            words.extend(result.err().map(|error| format!("error {}", error.code())));
            words.join(", ")
        }
        _ => {
            let how = match what {
                "seen" => Settlement::MarkSeen,
                "delete" => Settlement::Delete,
                "move" => Settlement::MoveTo("Done".into()),
                _ => Settlement::Keep,
            };
            let ids: Vec<RemoteId> = rest
                .split(' ')
                .map(|name| match name.parse() {
                    Ok(uid) => RemoteId::Imap { folder: "INBOX".into(), uid_validity: 9, uid },
                    Err(_) => RemoteId::Pop3 { uidl: name.to_owned() },
                })
                .collect();
            settled_words(&session.settle(&ids, &how).await?)
        }
    };
    session.close().await?;
    Ok(done)
}

/// What only IMAP can do.
async fn imap_words(what: &str, session: &mut Session) -> Result<String, SourceError> {
    let Session::Imap(session) = session else { panic!("{what} is for IMAP") };
    match what {
        "wait" => {
            if !session.begin_waiting().await? {
                return Ok("no waiting".into());
            }
            let change = session.next_change().await?;
            session.end_waiting().await?;
            let listed = session.list_from(9).await?;
            let words = if change == Change::Arrived { "arrived" } else { "ended" };
            let listed: Vec<String> = listed.iter().map(list_words).collect();
            Ok(format!("{words}, {} messages; {}", session.exists().unwrap(), listed.join(" ")).trim_end().to_owned())
        }
        "others" => {
            let others = session.look_at_others().await?;
            let words = others.into_iter().map(|(folder, counts)| {
                let [messages, next, of] =
                    [counts.messages, counts.uid_next, counts.uid_validity].map(|number| number.unwrap());
                format!("{folder} {messages} messages, next {next}, of {of}")
            });
            Ok(words.collect::<Vec<_>>().join("; "))
        }
        _ => {
            session.select("INBOX", Purpose::Look).await?;
            if what == "uids" {
                let ranges = session.uids().await?;
                return Ok(ranges.iter().map(|(first, last)| format!("{first}-{last}")).collect::<Vec<_>>().join(" "));
            }
            let found = session.message_ids([7, 8]).await?;
            Ok(found.iter().map(|(uid, id)| format!("{uid} {id}")).collect::<Vec<_>>().join("; "))
        }
    }
}

fn settled_words(settled: &[RemoteId]) -> String {
    format!("settled {}", settled.iter().map(short).collect::<Vec<_>>().join(" "))
}

/// What tells the messages of a dialogue from each other.
fn short(id: &RemoteId) -> String {
    match id {
        RemoteId::Imap { uid, .. } => uid.to_string(),
        RemoteId::Pop3 { uidl } => uidl.clone(),
        RemoteId::Pop3Digest { digest, copy: 1 } => format!("digest-{}", &digest[..8]),
        RemoteId::Pop3Digest { digest, copy } => format!("digest-{}+{copy}", &digest[..8]),
        other => other.to_string(),
    }
}

fn list_words(listed: &Listed) -> String {
    let date = listed.received_at.map_or("-".to_owned(), |t| t.to_string());
    format!("{}:{}:{date}", short(&listed.id), listed.size)
}

/// The UID and what came: the first line of a message and its length, or why there is none.
fn fetched_words(fetched: &Fetched) -> String {
    let what = match &fetched.outcome {
        Outcome::Message(raw) => {
            let text = String::from_utf8_lossy(raw.octets()).into_owned();
            let mut first: String = text.lines().next().unwrap_or_default().into();
            first.truncate(if raw.size() > 1_000_000 { 1 } else { first.len() });
            format!("{} “{first}”", raw.size())
        }
        Outcome::TooLarge { announced } => format!("too large {announced}"),
        Outcome::Vanished => "vanished".into(),
        Outcome::Unfetchable(why) => format!("unfetchable “{why}”"),
    };
    format!("{} {what}", short(&fetched.listed.id))
}
