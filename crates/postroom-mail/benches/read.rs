//! How fast messages are read: `cargo bench -p postroom-mail --bench read`.

// The crate itself has no files; its benchmark reads the cases.
#![allow(clippy::disallowed_methods)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use postroom_mail::{RawMessage, read};
use std::fs;
use std::hint::black_box;
use std::path::Path;

/// Every message of `testdata/messages`.
fn cases() -> Vec<RawMessage> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/messages");
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| fs::read(entry.path().join("message.eml")).ok()).map(RawMessage::new).collect()
}

/// A message with a text and an attachment of about `octets` encoded octets, the mail of every day.
fn with_attachment(octets: usize) -> RawMessage {
    let mut message = b"From: Ann Baker <ann@example.org>\r\nTo: Desk <desk@example.com>\r\nSubject: The report\r\n\
        Date: Tue, 03 Mar 2026 09:15:00 +0100\r\nMessage-ID: <report@example.org>\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=\"frontier\"\r\n\r\n--frontier\r\n\
        Content-Type: text/plain; charset=utf-8\r\n\r\nHere is the report.\r\n\r\n--frontier\r\n\
        Content-Type: application/pdf; name=report.pdf\r\nContent-Disposition: attachment; filename=report.pdf\r\n\
        Content-Transfer-Encoding: base64\r\n\r\n"
        .to_vec();
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for line in 0..octets / 78 {
        message.extend((0..76).map(|column| alphabet[(line * 31 + column * 7) % 64]));
        message.extend_from_slice(b"\r\n");
    }
    message.extend_from_slice(b"--frontier--\r\n");
    RawMessage::new(message)
}

/// A plain message of about `octets` octets, half of it quotation.
fn plain(octets: usize) -> RawMessage {
    let mut message =
        b"From: ann@example.org\r\nSubject: Long\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n".to_vec();
    while message.len() < octets / 2 {
        message.extend_from_slice("What the author wrote, with an accent: caf\u{e9}.\r\n".as_bytes());
    }
    message.extend_from_slice(b"\r\nOn Tue, 3 Mar 2026, Ann wrote:\r\n");
    while message.len() < octets {
        message.extend_from_slice(b"> What somebody else had written before, at some length.\r\n");
    }
    RawMessage::new(message)
}

fn bench(criterion: &mut Criterion) {
    let inputs = [
        ("testdata", cases()),
        ("attachment of 150 kB", vec![with_attachment(150_000)]),
        ("attachment of 20 MB", vec![with_attachment(20_000_000)]),
        ("plain text of 20 kB", vec![plain(20_000)]),
        ("plain text of 2 kB", vec![plain(2_000)]),
    ];
    let mut group = criterion.benchmark_group("read");
    for (name, messages) in inputs {
        group.throughput(Throughput::Bytes(messages.iter().map(RawMessage::size).sum()));
        group.sample_size(20);
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || (),
                |()| messages.iter().for_each(|raw| drop(black_box(read(black_box(raw))))),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
