//! How long deciding and filing a batch of 64 messages takes on SQLite, fsync included; reading them is not in it.
#![allow(missing_docs)]

mod support;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use postroom_mail::{Attachment, Content, Message, Sha256, TransferEncoding};
use postroom_store::{Claimed, Reading};
use support::{BATCH, Desk};

fn file(c: &mut Criterion) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else { return };
    let mut desk = match runtime.block_on(Desk::new()) {
        Ok(desk) => desk,
        Err(error) => panic!("no store to measure: {error}"),
    };
    let (store, lease, me) = (desk.store.clone(), desk.lease.clone(), desk.me.clone());
    let mut group = c.benchmark_group("file");
    group.throughput(Throughput::Elements(BATCH as u64)).sample_size(30);
    group.bench_function("64 messages of 42 KB", |bencher| {
        let mut accepted = || {
            let accepted = runtime.block_on(store.accept(&lease, desk.batch(), &me, Timestamp::UNIX_EPOCH));
            accepted.map(|batch| batch.claimed.into_iter().map(read).collect::<Vec<_>>()).unwrap_or_default()
        };
        let file = |batch| runtime.block_on(store.file(batch, &me, Timestamp::UNIX_EPOCH));
        bencher.iter_batched(&mut accepted, file, BatchSize::PerIteration);
    });
    group.finish();
}

/// A message with 2 KB of text, its HTML form, and an attachment.
fn read(claimed: Claimed) -> (Claimed, Reading) {
    let message = postroom_mail::read(claimed.raw());
    let text = "Words of a message as people write them, about printers, invoices and so on. ".repeat(26);
    let slice = Content::Slice { offset: 100, length: 2000, encoding: TransferEncoding::Identity };
    let octets = slice.octets(claimed.raw());
    let attachment = Attachment {
        name: "scan.pdf".into(),
        content_type: "application/pdf".into(),
        detected_type: None,
        size: octets.len() as u64,
        sha256: Sha256::of(format!("{}", claimed.receipt()).as_bytes()),
        inline: false,
        content_id: None,
        content: slice,
    };
    let html = Some(format!("<p>{text}</p>"));
    let message = Message { html, reply_text: text.clone(), text, attachments: vec![attachment], ..message };
    (claimed, Reading::Message(Box::new(message)))
}

criterion_group!(benches, file);
criterion_main!(benches);
