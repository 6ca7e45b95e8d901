//! The stages between sorted runs and signed, verified text, over one file, and the bare signing loop on both cores. `SIGNET_BENCH_ZONE`
//! and `SIGNET_BENCH_ORIGIN` name the file and its origin; throughput is in input records, or in signatures.

use std::hint::black_box;
use std::path::PathBuf;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use dnssec_sign::Name;
use dnssec_sign::verify::Level;
use signet_bench::{
    chain, context, linked, merged, planned, pool, printed, runs, signatures, signed, signer_keys, verified,
};

fn stages(criterion: &mut Criterion) {
    let variable =
        |name| std::env::var(name).unwrap_or_else(|_| panic!("set {name}: `cargo xtask bench --stages` does"));
    let path = PathBuf::from(variable("SIGNET_BENCH_ZONE"));
    let origin: Name = variable("SIGNET_BENCH_ORIGIN").parse().expect("an origin");
    let (one, two) = (pool(1), pool(2));
    let loaded = runs(&path, &origin, &two);
    let keys = signer_keys();
    let (nsec, opt_out) = (context(&loaded, &keys, false), context(&loaded, &keys, true));

    let mut group = criterion.benchmark_group("stages");
    group.sample_size(10);
    group.throughput(Throughput::Elements(loaded.records));
    group.bench_function("merge", |bench| bench.iter(|| black_box(merged(&loaded))));
    group.bench_function("merge and print", |bench| bench.iter(|| black_box(printed(&loaded))));
    group.bench_function("merge and plan, NSEC", |bench| {
        bench.iter(|| black_box(planned(&loaded, &nsec).to_sign));
    });
    group.bench_function("merge and plan, NSEC3 with opt-out", |bench| {
        bench.iter(|| black_box(planned(&loaded, &opt_out).to_sign));
    });
    let names = || planned(&loaded, &opt_out).names;
    group.bench_function("denial: NSEC3 chain sorted and linked", |bench| {
        bench.iter_batched(names, |names| black_box(chain(names).len()), BatchSize::PerIteration);
    });
    let linked_chain = chain(names());
    group.bench_function("denial: NSEC3 records planned", |bench| {
        bench.iter(|| black_box(linked(&linked_chain, &opt_out).to_sign));
    });
    let zone = signed(&loaded, &keys);
    group.throughput(Throughput::Elements(zone.records));
    group.bench_function("verify: structure", |bench| {
        bench.iter(|| black_box(verified(&zone, Level::Structure, usize::MAX)));
    });
    // One partition tells what a signature costs.
    let (_, signatures_of_one) = verified(&zone, Level::Full, 1);
    group.throughput(Throughput::Elements(signatures_of_one));
    group.bench_function("verify: structure and signatures, P-256", |bench| {
        bench.iter(|| black_box(verified(&zone, Level::Full, 1)));
    });
    for (name, pool, threads) in [("1 thread", &one, 1u32), ("2 threads", &two, 2)] {
        const EACH: u32 = 5000;
        group.throughput(Throughput::Elements(u64::from(EACH * threads)));
        group.bench_function(format!("bare signatures, P-256, {name}"), |bench| {
            bench.iter(|| black_box(signatures(&keys, EACH, pool)));
        });
    }
    group.finish();
}

criterion_group!(benches, stages);
criterion_main!(benches);
