//! Servers that mean harm, or are broken in ways that look like it: numbers without sense, messages and lines without end,
//! silence at any step. Whatever they say ends with an error that has a code, in bounded time and memory.

use crate::client::{fetch, imap, limits, log_in_over, server};
use crate::dialogues::act;
use postroom_mail::{Access, AuthMethod, Listed, RemoteId, Security, ServerAccess};
use postroom_sources::{Fetched, Limits, Outcome, SourceError, Trust};
use postroom_testkit::certificate::{Certificate, CertificateKind};
use postroom_testkit::scripted::Dialogue;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream};

const IMAP_LOGIN: [&str; 2] =
    ["* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] ready\r\n", "P1 OK [CAPABILITY IMAP4rev1 UIDPLUS] in\r\n"];
const POP3_LOGIN: [&str; 5] = [
    "+OK ready\r\n",
    "+OK\r\nUSER\r\nUIDL\r\nPIPELINING\r\n.\r\n",
    "+OK\r\n",
    "+OK in\r\n",
    "+OK\r\nUIDL\r\nPIPELINING\r\n.\r\n",
];

fn pop3() -> Access {
    Access::Pop3(ServerAccess { auth: AuthMethod::Login, ..server("localhost", 110, Security::None, "ann") })
}

/// Sends the first of these, and each other one when a line has come from the client.
async fn reply(stream: &mut BufReader<DuplexStream>, replies: &[&str]) {
    for (number, reply) in replies.iter().enumerate() {
        if number > 0 {
            stream.read_line(&mut String::new()).await.unwrap();
        }
        stream.write_all(reply.as_bytes()).await.unwrap();
    }
}

/// What comes of listing and fetching all with a server that answers so; it stays silent afterwards.
async fn visit(access: &Access, replies: &[&str]) -> Result<(Vec<Listed>, Vec<Fetched>), SourceError> {
    let limits = Limits { step: Duration::from_millis(300), stall: Duration::from_millis(300), ..limits() };
    let (ours, theirs) = tokio::io::duplex(1 << 20);
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
        // Whatever else the client says has no answer.
        while stream.read_line(&mut String::new()).await.unwrap_or(0) > 0 {}
    };
    let client = async {
        let mut session = log_in_over(ours, access, &Trust::default(), &limits).await?;
        let listed = session.list().await?;
        let (fetched, result) = fetch(&mut session, &listed).await;
        result.map(|()| (listed, fetched))
    };
    let both = async { tokio::join!(client, server).0 };
    tokio::time::timeout(Duration::from_secs(20), both).await.expect("it ends")
}

/// Resident memory of this process, in octets.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// Numbers that are none, or too large, wherever a server says one. None of them becomes another number.
#[tokio::test]
async fn a8_malformed_numbers_end_the_conversation_or_name_nothing() {
    let numbers = [
        "-1",
        "",
        "--1",
        "+7",
        "07x",
        "0x7",
        "7.0",
        "1e3",
        "99999999999999999999",
        "18446744073709551616",
        "4294967296",
        "NaN",
    ];
    let mut tried = 0;
    for number in numbers {
        let listing = [
            format!("* {number} EXISTS\r\n* OK [UIDVALIDITY 9] valid\r\nP2 OK done\r\n"),
            format!("* 1 EXISTS\r\n* OK [UIDVALIDITY {number}] valid\r\nP2 OK done\r\n"),
        ];
        for selected in listing {
            let replies = [&IMAP_LOGIN[..], &[&selected, "P3 OK done\r\n"]].concat();
            let outcome = visit(&imap(server("localhost", 143, Security::None, "ann")), &replies).await;
            assert!(outcome.is_err() || outcome.unwrap().0.is_empty(), "{selected}");
            tried += 1;
        }
        let selected = "* 1 EXISTS\r\n* OK [UIDVALIDITY 9] valid\r\nP2 OK done\r\n";
        for fetched in [
            format!("* {number} FETCH (UID {number} RFC822.SIZE 5)\r\nP3 OK done\r\n"),
            format!("* 1 FETCH (UID {number} RFC822.SIZE {number})\r\nP3 OK done\r\n"),
        ] {
            let replies = [&IMAP_LOGIN[..], &[selected, &fetched]].concat();
            let outcome = visit(&imap(server("localhost", 143, Security::None, "ann")), &replies).await;
            assert!(outcome.is_err() || outcome.unwrap().0.is_empty(), "{fetched}");
            tried += 1;
        }
        let body = format!("* 1 FETCH (UID 7 BODY[] {{{number}}}\r\nSubject: x\r\n\r\n)\r\nP4 OK done\r\n");
        let listed = "* 1 FETCH (UID 7 RFC822.SIZE 14)\r\nP3 OK done\r\n";
        let replies = [&IMAP_LOGIN[..], &[selected, listed, &body]].concat();
        let outcome = visit(&imap(server("localhost", 143, Security::None, "ann")), &replies).await;
        let is_message = |fetched: &Fetched| matches!(fetched.outcome, Outcome::Message(_));
        assert!(outcome.is_err() || !outcome.unwrap().1.iter().any(is_message), "{body}");
        for listing in [
            format!("+OK {number} 14\r\n"),
            format!("+OK 1 14\r\n+OK\r\n{number} 14\r\n.\r\n+OK\r\n{number} a\r\n.\r\n"),
            format!("+OK 1 14\r\n+OK\r\n1 {number}\r\n.\r\n+OK\r\n1 a\r\n.\r\n"),
        ] {
            let (stat, rest) = listing.split_once("\r\n").unwrap();
            let stat = format!("{stat}\r\n");
            let replies = [&POP3_LOGIN[..], &[&stat, rest]].concat();
            // Nothing is named, or it is too large to be asked for: a size may have 64 bits.
            let outcome = visit(&pop3(), &replies).await;
            let is_too_large = |fetched: &Fetched| matches!(fetched.outcome, Outcome::TooLarge { .. });
            assert!(outcome.is_err() || outcome.unwrap().1.iter().all(is_too_large), "{listing}");
            tried += 1;
        }
    }
    assert!(tried >= 60, "only {tried}");
}

/// A line without an end, at any place, is ended by us.
#[tokio::test]
async fn a16_a_line_without_an_end_is_not_read_for_ever() {
    let endless = "x".repeat(300_000);
    for sent in 0..IMAP_LOGIN.len() + 1 {
        let line = format!("* {endless}");
        let replies = [&IMAP_LOGIN[..sent], &[&line]].concat();
        let outcome = visit(&imap(server("localhost", 143, Security::None, "ann")), &replies).await;
        assert_eq!(outcome.map(|_| ()).map_err(|error| error.code()), Err("PROTOCOL_ERROR"), "IMAP, after {sent}");
    }
    for sent in 0..POP3_LOGIN.len() + 1 {
        let line = format!("+OK {endless}");
        let replies = [&POP3_LOGIN[..sent], &[&line]].concat();
        let outcome = visit(&pop3(), &replies).await;
        assert_eq!(outcome.map(|_| ()).map_err(|error| error.code()), Err("PROTOCOL_ERROR"), "POP3, after {sent}");
    }
}

/// A server that falls silent at any step of any kind of conversation, also within TLS, is given up within its deadline.
#[tokio::test]
async fn a16_silence_at_any_step_ends_within_its_deadline() {
    let certificate = Certificate::new(CertificateKind::SelfSigned).unwrap();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/dialogues");
    let names =
        ["imap/32-visit-under-tls", "imap/33-delete-behind-starttls", "imap/62-move", "imap/40-uid-behind-the-body"];
    let names = names.into_iter().chain([
        "pop3/01-login-and-fetch",
        "pop3/30-stls",
        "pop3/60-delete",
        "pop3/80-visit-under-tls",
    ]);
    for name in names {
        let mut whole = Dialogue::load(&directory.join(format!("{name}.dialogue"))).unwrap();
        whole.set("stall-ms", "60");
        whole.set("step-ms", "60");
        let silences: Vec<Dialogue> = (0..).map_while(|step| whole.silent_after(step)).collect();
        assert!(silences.len() > 4, "{name}");
        for silent in silences {
            let started = Instant::now();
            let (ours, theirs) = tokio::io::duplex(1 << 20);
            let client = act(&silent, Box::new(ours), &certificate);
            let both = async { tokio::join!(client, silent.play(Box::new(theirs), &certificate)).0 };
            let outcome = tokio::time::timeout(Duration::from_secs(10), both).await;
            let outcome = outcome.unwrap_or_else(|_| panic!("{}: it holds us", silent.name));
            // A goodbye that has no answer is one all the same.
            let is_done = outcome == whole.setting("expect").unwrap();
            assert!(is_done || outcome.contains("error TIMEOUT"), "{}: {outcome}", silent.name);
            assert!(started.elapsed() < Duration::from_secs(5), "{}: {:?}", silent.name, started.elapsed());
        }
    }
}

/// A connection that is reset at any step, with what we said last unread.
#[tokio::test]
async fn a1_a_reset_at_any_step_is_a_lost_connection() {
    let selected = "* 1 EXISTS\r\n* OK [UIDVALIDITY 9] valid\r\nP2 OK done\r\n";
    let listed = "* 1 FETCH (UID 7 RFC822.SIZE 14)\r\nP3 OK done\r\n";
    let imap_replies = [&IMAP_LOGIN[..], &[selected, listed]].concat();
    let pop3_replies = [&POP3_LOGIN[..], &["+OK 1 14\r\n", "+OK\r\n1 14\r\n.\r\n+OK\r\n1 a\r\n.\r\n"]].concat();
    let to_imap = imap(server("localhost", 143, Security::None, "ann"));
    for (access, replies) in [(to_imap, imap_replies), (pop3(), pop3_replies)] {
        for sent in 1..=replies.len() {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let ours = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (theirs, _) = listener.accept().await.unwrap();
            let resetting = async {
                let mut stream = BufReader::new(theirs);
                for (number, reply) in replies[..sent].iter().enumerate() {
                    if number > 0 {
                        stream.read_line(&mut String::new()).await.unwrap();
                    }
                    stream.write_all(reply.as_bytes()).await.unwrap();
                }
                // A socket that is closed with something unread in it resets its connection.
                stream.get_ref().readable().await.unwrap();
            };
            let client = async {
                let mut session = log_in_over(ours, &access, &Trust::default(), &limits()).await?;
                let listed = session.list().await?;
                let (fetched, result) = fetch(&mut session, &listed).await;
                assert!(fetched.is_empty(), "{fetched:?}");
                result
            };
            let (outcome, ()) = tokio::join!(client, resetting);
            assert_eq!(outcome.map_err(|error| error.code()), Err("CONNECTION_LOST"), "{access:?} after {sent}");
        }
    }
}

/// A message of 5 GiB, announced with one octet and then really sent: it is let go as it comes.
#[tokio::test]
async fn a9_a_message_of_five_gibibytes_does_not_fill_the_memory() {
    const SIZE: u64 = 5 << 30;
    let access = imap(server("localhost", 143, Security::None, "ann"));
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let sending = async {
        let mut stream = BufReader::new(theirs);
        let selected = "* 2 EXISTS\r\n* OK [UIDVALIDITY 9] valid\r\nP2 OK done\r\n";
        let listed = "* 1 FETCH (UID 7 RFC822.SIZE 1)\r\n* 2 FETCH (UID 8 RFC822.SIZE 5)\r\nP3 OK done\r\n";
        let begin = format!("* 1 FETCH (UID 7 BODY[] {{{SIZE}}}\r\n");
        reply(&mut stream, &[&IMAP_LOGIN[..], &[selected, listed, &begin]].concat()).await;
        let chunk = vec![b'x'; 1 << 20];
        for _ in 0..SIZE >> 20 {
            stream.write_all(&chunk).await.unwrap();
        }
        stream.write_all(b")\r\n* 2 FETCH (UID 8 BODY[] {5}\r\nhello)\r\nP4 OK done\r\n").await.unwrap();
    };
    let (came, grown) = fetch_beside(ours, &access, sending).await;
    assert_eq!(came[0].outcome, Outcome::TooLarge { announced: SIZE });
    assert!(matches!(&came[1].outcome, Outcome::Message(raw) if raw.octets().as_ref() == b"hello"));
    assert!(grown < 64 << 20, "{} MiB more", grown >> 20);
}

/// The same over POP3, which cannot say how long a message is: it is given up, and the next visit goes past it.
#[tokio::test]
async fn a9_a_message_without_an_end_over_pop3_is_given_up() {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let sending = async {
        let mut stream = BufReader::new(theirs);
        let listing = "+OK\r\n1 1\r\n.\r\n+OK\r\n1 a\r\n.\r\n";
        reply(&mut stream, &[&POP3_LOGIN[..], &["+OK 1 1\r\n", listing, "", "+OK\r\n"]].concat()).await;
        let chunk = "a line of a message without an end\r\n".repeat(10_000);
        // Until the client hangs up.
        while stream.write_all(chunk.as_bytes()).await.is_ok() {}
    };
    let (came, grown) = fetch_beside(ours, &pop3(), sending).await;
    assert!(matches!(came[0].outcome, Outcome::TooLarge { announced } if announced > 50_000_000), "{came:?}");
    assert!(grown < 64 << 20, "{} MiB more", grown >> 20);
}

/// `{4294967295}` and silence: nothing is allocated for it.
#[tokio::test]
async fn a7_a_huge_literal_that_does_not_come_takes_no_memory() {
    let before = resident();
    for length in ["4294967295", "49999999", "18446744073709551615"] {
        let selected = "* 1 EXISTS\r\n* OK [UIDVALIDITY 9] valid\r\nP2 OK done\r\n";
        let listed = "* 1 FETCH (UID 7 RFC822.SIZE 14)\r\nP3 OK done\r\n";
        let begin = format!("* 1 FETCH (UID 7 BODY[] {{{length}}}\r\n");
        let replies = [&IMAP_LOGIN[..], &[selected, listed, &begin]].concat();
        let outcome = visit(&imap(server("localhost", 143, Security::None, "ann")), &replies).await;
        assert_eq!(outcome.map(|_| ()).map_err(|error| error.code()), Err("TIMEOUT"), "{length}");
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 8 << 20, "{} KiB more", grown >> 10);
}

/// Fetches all over this stream while the server sends; returns what came and by how much memory had grown at most.
async fn fetch_beside(ours: DuplexStream, access: &Access, sending: impl Future<Output = ()>) -> (Vec<Fetched>, u64) {
    let before = resident();
    let limits = Limits { stall: Duration::from_secs(60), ..limits() };
    let client = async {
        let mut session = log_in_over(ours, access, &Trust::default(), &limits).await.unwrap();
        let listed = session.list().await.unwrap();
        // Closes the connection, so that a server that would send for ever stops.
        let (came, _result) = fetch(&mut session, &listed).await;
        drop(session);
        came
    };
    let (mut most, mut tick) = (before, tokio::time::interval(Duration::from_millis(20)));
    let both = async { tokio::join!(client, sending).0 };
    tokio::pin!(both);
    loop {
        tokio::select! {
            came = &mut both => return (came, most.saturating_sub(before)),
            _ = tick.tick() => most = most.max(resident()),
        }
    }
}

/// What a server calls a message is compared as it stands: a name of another form is another message.
#[tokio::test]
async fn a12_bodies_belong_to_the_uid_beside_them() {
    let selected = "* 2 EXISTS\r\n* OK [UIDVALIDITY 9] valid\r\nP2 OK done\r\n";
    let listed = "* 1 FETCH (UID 7 RFC822.SIZE 5)\r\n* 2 FETCH (UID 8 RFC822.SIZE 5)\r\nP3 OK done\r\n";
    // In the other order, with an expunge, somebody else's message and flags between.
    let bodies = "* 2 FETCH (UID 8 BODY[] {5}\r\neight)\r\n* 1 EXPUNGE\r\n* 1 FETCH (FLAGS (\\Seen) UID 8)\r\n\
                  * 9 FETCH (UID 99 BODY[] {5}\r\nother)\r\n* 1 FETCH (BODY[] {5}\r\nseven UID 7)\r\nP4 OK done\r\n";
    let replies = [&IMAP_LOGIN[..], &[selected, listed, bodies]].concat();
    let (_, fetched) = visit(&imap(server("localhost", 143, Security::None, "ann")), &replies).await.unwrap();
    let text = |uid: u32| {
        let is_it = |f: &&Fetched| matches!(f.listed.id, RemoteId::Imap { uid: found, .. } if found == uid);
        match &fetched.iter().find(is_it).unwrap().outcome {
            Outcome::Message(raw) => String::from_utf8(raw.octets().to_vec()).unwrap(),
            other => format!("{other:?}"),
        }
    };
    assert_eq!((text(7).as_str(), text(8).as_str(), fetched.len()), ("seven", "eight", 2));
}
