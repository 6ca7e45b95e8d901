//! Each stage over the same file, and crate `domain`'s parser over the same text in the same run; throughput is that of the
//! input's bytes. `SIGNET_BENCH_ZONE` and `SIGNET_BENCH_ORIGIN` name the file and its origin.

use std::hint::black_box;
use std::path::PathBuf;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use dnssec_sign::Name;
use domain::zonefile::inplace::Zonefile;
use signet_bench::{lent, merged, pool, printed, runs, tokens, visited};

fn stages(criterion: &mut Criterion) {
    let variable =
        |name| std::env::var(name).unwrap_or_else(|_| panic!("set {name}: `cargo xtask bench --parser` does"));
    let path = PathBuf::from(variable("SIGNET_BENCH_ZONE"));
    let origin_text = variable("SIGNET_BENCH_ORIGIN");
    let origin: Name = origin_text.parse().expect("an origin");
    let text = std::fs::read(&path).expect("the zone can be read");
    let (one, two) = (pool(1), pool(2));

    let mut group = criterion.benchmark_group("zone text");
    group.sample_size(10);
    group.throughput(Throughput::BytesDecimal(text.len() as u64));
    group.bench_function("scan", |bench| bench.iter(|| black_box(tokens(&text))));
    group.bench_function("parse, lent, text in memory", |bench| {
        bench.iter(|| black_box(lent(&text, &origin)))
    });
    for (name, pool) in [("1 thread", &one), ("2 threads", &two)] {
        group.bench_function(format!("parse, lent, file, {name}"), |bench| {
            bench.iter(|| black_box(visited(&path, &origin, pool)));
        });
    }
    for (name, pool) in [("1 thread", &one), ("2 threads", &two)] {
        group.bench_function(format!("parse to sorted runs, {name}"), |bench| {
            bench.iter_with_large_drop(|| black_box(runs(&path, &origin, pool)));
        });
    }
    let loaded = runs(&path, &origin, &two);
    group.bench_function("merge", |bench| bench.iter(|| black_box(merged(&loaded))));
    group.bench_function("merge and print", |bench| bench.iter(|| black_box(printed(&loaded))));
    drop(loaded);
    group.bench_function("crate domain, records one by one", |bench| {
        bench.iter_batched(
            || zonefile(&text, &origin_text),
            |zonefile| black_box(peer(zonefile)),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// The text as the peer wants it: a copy that it takes apart. Making it is not measured.
fn zonefile(text: &[u8], origin: &str) -> Zonefile {
    let mut zonefile = Zonefile::from(text);
    zonefile.set_origin(origin.parse::<domain::base::Name<Bytes>>().expect("an origin"));
    zonefile
}

fn peer(mut zonefile: Zonefile) -> usize {
    let mut count = 0;
    while zonefile.next_entry().expect("the peer reads the fixture").is_some() {
        count += 1;
    }
    count
}

criterion_group!(benches, stages);
criterion_main!(benches);
