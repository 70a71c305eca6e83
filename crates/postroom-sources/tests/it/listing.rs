//! Listings that a server makes long, on purpose or not: time and memory stay within bounds.

use crate::client::{imap, limits, log_in_over, server};
use postroom_mail::{Listed, Security};
use postroom_sources::{Limits, SourceError, Trust};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

/// What comes of a folder whose server announces two messages and then sends these lines, and OK when they end.
async fn list(lines: impl Iterator<Item = String>, limits: Limits) -> Result<Vec<Listed>, SourceError> {
    let access = imap(server("localhost", 143, Security::None, "ann"));
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let server = async move {
        let mut stream = BufReader::new(theirs);
        for reply in [
            "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] ready\r\n",
            "P1 OK [CAPABILITY IMAP4rev1] in\r\n",
            "* 2 EXISTS\r\n* OK [UIDVALIDITY 9] valid\r\nP2 OK done\r\n",
        ] {
            stream.write_all(reply.as_bytes()).await?;
            stream.read_line(&mut String::new()).await?;
        }
        for line in lines {
            stream.write_all(line.as_bytes()).await?;
        }
        stream.write_all(b"P3 OK done\r\n").await
    };
    let client = async { log_in_over(ours, &access, &Trust::default(), &limits).await?.list().await };
    // A server that is told goodbye in the middle of its lines fails to send the rest, as it should.
    let both = async { tokio::join!(client, server).0 };
    tokio::time::timeout(Duration::from_secs(30), both).await.expect("it ends")
}

fn line(uid: u32, size: u32) -> String {
    format!("* 1 FETCH (UID {uid} RFC822.SIZE {size})\r\n")
}

#[tokio::test]
async fn a_message_named_again_and_again_is_one() {
    let lines = (0..30_000).map(|n| line(7, if n == 9 { 500 } else { 0 }));
    let listed = list(lines, limits()).await.unwrap();
    assert_eq!(listed.iter().map(|l| l.size).collect::<Vec<_>>(), [500], "the fuller line is the one to believe");
}

#[tokio::test]
async fn a_listing_is_not_much_longer_than_announced() {
    // Mail that comes meanwhile is welcome, a hundred times more than was announced is not.
    assert_eq!(list((1..=10_002).map(|uid| line(uid, 1)), limits()).await.unwrap().len(), 10_002);
    let too_many = list((1..=10_003).map(|uid| line(uid, 1)), limits()).await;
    assert_eq!(too_many.unwrap_err().code(), "PROTOCOL_ERROR");
    let announced = std::iter::once("* 30000 EXISTS\r\n".to_owned()).chain((1..=30_000).map(|uid| line(uid, 1)));
    assert_eq!(list(announced, limits()).await.unwrap().len(), 30_000);
}

#[tokio::test]
async fn a_listing_that_never_ends_is_ended() {
    let limits = Limits { listing: Duration::from_millis(300), ..limits() };
    let endless = list(std::iter::repeat_with(|| line(7, 1)), limits).await;
    assert_eq!(endless.unwrap_err().code(), "TIMEOUT");
}
