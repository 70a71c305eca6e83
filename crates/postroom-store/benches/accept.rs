//! How long a batch of 64 messages takes to become durable on SQLite, fsync included.
#![allow(missing_docs)]

mod support;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use support::{BATCH, Desk};

fn accept(c: &mut Criterion) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else { return };
    let mut desk = match runtime.block_on(Desk::new()) {
        Ok(desk) => desk,
        Err(error) => panic!("no store to measure: {error}"),
    };
    let (store, lease, me) = (desk.store.clone(), desk.lease.clone(), desk.me.clone());
    let mut group = c.benchmark_group("accept");
    group.throughput(Throughput::Elements(BATCH as u64)).sample_size(30);
    group.bench_function("64 messages of 42 KB", |bencher| {
        let accept = |batch| runtime.block_on(store.accept(&lease, batch, &me, Timestamp::UNIX_EPOCH));
        bencher.iter_batched(|| desk.batch(), accept, BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(benches, accept);
criterion_main!(benches);
