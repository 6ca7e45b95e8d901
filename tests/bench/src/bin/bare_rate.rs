//! The rate of a bare loop of P-256 signatures on both cores, without a zone: prints signatures a second. `cargo xtask bench`
//! holds the whole program against it.

use std::hint::black_box;
use std::time::{Duration, Instant};

use rayon::ThreadPoolBuilder;
use signet_bench::{signatures, signer_keys};

/// How long it signs.
const SPAN: Duration = Duration::from_secs(4);
const THREADS: usize = 2;
/// Signatures of a thread between two looks at the clock.
const EACH: u32 = 5_000;

fn main() {
    let keys = signer_keys();
    let pool = ThreadPoolBuilder::new().num_threads(THREADS).build();
    let pool = pool.expect("two threads can be had");
    // What is made at the first signature is not measured.
    black_box(signatures(&keys, EACH, &pool));
    let started = Instant::now();
    let mut made = 0.0;
    while started.elapsed() < SPAN {
        black_box(signatures(&keys, EACH, &pool));
        made += f64::from(EACH) * 2.0;
    }
    println!("{:.0}", made / started.elapsed().as_secs_f64());
}
