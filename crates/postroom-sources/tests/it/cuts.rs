//! Twelve recorded conversations of each protocol, cut after every octet, in both directions, in clear and under TLS.

use crate::dialogues::act;
use postroom_testkit::certificate::{Certificate, CertificateKind};
use postroom_testkit::scripted::Dialogue;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

/// Conversations in which much happens.
const RECORDED: [&str; 24] = [
    "imap/01-login-and-fetch",
    "imap/20-starttls",
    "imap/32-visit-under-tls",
    "imap/33-delete-behind-starttls",
    "imap/34-move-under-tls",
    "imap/40-uid-behind-the-body",
    "imap/41-expunge-between",
    "imap/43-unknown-lines",
    "imap/45-one-bad-message",
    "imap/60-delete",
    "imap/62-move",
    "imap/63-move-without-move",
    "pop3/01-login-and-fetch",
    "pop3/02-without-pipelining",
    "pop3/30-stls",
    "pop3/40-dots",
    "pop3/45-one-bad-message",
    "pop3/52-sizes-a-little-wrong",
    "pop3/60-delete",
    "pop3/70-without-uidl",
    "pop3/74-delete-without-uidl",
    "pop3/75-arrivals",
    "pop3/80-visit-under-tls",
    "pop3/81-delete-under-tls",
];

fn recorded() -> Vec<Dialogue> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/dialogues");
    RECORDED.map(|name| Dialogue::load(&directory.join(format!("{name}.dialogue"))).unwrap()).into()
}

/// A stream that ends in both directions once we have received, or sent, so many octets.
struct CutOff {
    stream: DuplexStream,
    to_read: usize,
    to_write: usize,
    is_cut: Arc<AtomicBool>,
}

impl AsyncRead for CutOff {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.to_read == 0 {
            self.is_cut.store(true, SeqCst);
        }
        // Nothing comes any more: that is the end of the stream.
        if self.is_cut.load(SeqCst) {
            return Poll::Ready(Ok(()));
        }
        let room = self.to_read.min(buffer.remaining());
        let mut part = buffer.take(room);
        let polled = Pin::new(&mut self.stream).poll_read(context, &mut part);
        let read = part.filled().len();
        // Safe code has no other way to say how much of the part was filled.
        let octets = part.filled().to_vec();
        buffer.put_slice(&octets);
        self.to_read -= read;
        polled
    }
}

impl AsyncWrite for CutOff {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let taken = octets.len().min(self.to_write);
        if taken == 0 || self.is_cut.load(SeqCst) {
            self.is_cut.store(true, SeqCst);
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let written = Pin::new(&mut self.stream).poll_write(context, &octets[..taken]);
        if let Poll::Ready(Ok(written)) = written {
            self.to_write -= written;
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// What becomes of a conversation whose stream ends there, and whether it did end there.
async fn cut(whole: &Dialogue, certificate: &Certificate, to_read: usize, to_write: usize) -> (String, bool) {
    let (stream, theirs) = tokio::io::duplex(1 << 20);
    let is_cut = Arc::new(AtomicBool::new(false));
    let ours = CutOff { stream, to_read, to_write, is_cut: is_cut.clone() };
    let client = act(whole, Box::new(ours), certificate);
    let (outcome, _server) = tokio::join!(client, whole.play(Box::new(theirs), certificate));
    (outcome, is_cut.load(SeqCst))
}

/// Whole, confirmed messages or none, and settled what the server has confirmed or nothing. A visit whose goodbye alone was
/// cut has done its work and says what came.
fn is_all_or_nothing(whole: &Dialogue, outcome: &str) -> bool {
    let expected = whole.setting("expect").unwrap();
    outcome == expected || outcome.starts_with(&format!("{expected}, ")) || outcome.starts_with("error ")
}

#[tokio::test]
async fn a1_a_cut_after_any_octet_shows_all_or_nothing() {
    let certificate = Certificate::new(CertificateKind::SelfSigned).unwrap();
    for whole in recorded() {
        let cuts = (0..).map_while(|octets| whole.cut_after(octets));
        let mut count = 0;
        for cut in cuts {
            let (ours, theirs) = tokio::io::duplex(1 << 20);
            let client = act(&cut, Box::new(ours), &certificate);
            let (outcome, _server) = tokio::join!(client, cut.play(Box::new(theirs), &certificate));
            assert!(is_all_or_nothing(&whole, &outcome), "{}: {outcome}", cut.name);
            count += 1;
        }
        assert!(count > 100, "{}: only {count} cuts", whole.name);
    }
}

/// The same for the other direction: the connection ends after any octet that we send.
#[tokio::test]
async fn a1_a_cut_after_any_octet_of_ours_shows_all_or_nothing() {
    let certificate = Certificate::new(CertificateKind::SelfSigned).unwrap();
    for whole in recorded().into_iter().filter(|whole| !is_under_tls(whole)) {
        let mut count = 0;
        while let (outcome, true) = cut(&whole, &certificate, usize::MAX, count).await {
            assert!(is_all_or_nothing(&whole, &outcome), "{} cut after {count} of ours: {outcome}", whole.name);
            count += 1;
        }
        assert!(count > 50, "{}: only {count} cuts", whole.name);
    }
}

/// Under TLS a cut is one of the octets on the wire, in both directions: an end without TLS's own goodbye is no end.
#[tokio::test]
async fn c13_a_cut_after_any_octet_of_tls_shows_all_or_nothing() {
    let certificate = Certificate::new(CertificateKind::SelfSigned).unwrap();
    for whole in recorded().into_iter().filter(is_under_tls) {
        for ours in [false, true] {
            let mut octets = 0;
            loop {
                let (to_read, to_write) = if ours { (usize::MAX, octets) } else { (octets, usize::MAX) };
                let (outcome, is_cut) = cut(&whole, &certificate, to_read, to_write).await;
                assert!(is_all_or_nothing(&whole, &outcome), "{} cut after {octets}: {outcome}", whole.name);
                if !is_cut {
                    break;
                }
                octets += 1;
            }
            assert!(octets > 400, "{}: only {octets} octets", whole.name);
        }
    }
}

fn is_under_tls(whole: &Dialogue) -> bool {
    whole.setting("security") != Some("none")
}
