//! Each worker has its scratch: on the way from a zone file to the signed zone next to nothing is allocated for a record or a
//! signature, counted by an allocator of this test's own. What the crate that signs allocates by itself is taken off; what is
//! verified is decoded by another crate, which allocates: one signature in 64 is looked at here, as a sample.

#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dnssec_sign::{
    Algorithm, Denial, KeyIndex, KeyStore as _, KeyTimes, Nsec3Params, SignatureBuf, SoftwareKey, SoftwareKeys,
    ToBeSigned, generate_key,
};
use signet_pipeline::{KeyRequest, Output, RunConfig, SignConfig, Silent, TokenUse, VerifyLevel, run};
use zone_io::{KeyFiles, PrivateHalf};

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is handed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's obligations are those of the system's allocator.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's obligations are those of the system's allocator, which made the pointer.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's obligations are those of the system's allocator, which made the pointer.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const NOW: u32 = 1_795_417_217;

/// What a run over so many names allocates, and how many signatures it made.
fn signed(names: usize, nsec3: bool) -> (u64, u64) {
    let folder = tempfile::tempdir().unwrap();
    for flags in [256, 257] {
        let (dnskey, fields) = generate_key(flags, Algorithm::ECDSAP256SHA256, None).unwrap();
        let half = PrivateHalf::Fields(fields);
        let files = KeyFiles::new("example.".parse().unwrap(), None, dnskey, KeyTimes::ALWAYS, half);
        files.write(folder.path()).unwrap();
    }
    let mut zone = "$TTL 1h\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n".to_owned();
    for number in 0..names {
        writeln!(zone, "name-{number:07} A 192.0.2.7\n TXT \"{number:060}\"").unwrap();
    }
    std::fs::write(folder.path().join("zone"), zone).unwrap();
    let output = Output::File(folder.path().join("signed"));
    let mut sign = SignConfig::new(folder.path().join("zone"), "example.".parse().unwrap(), output, NOW);
    sign.pool = Some(Arc::new(
        rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap(),
    ));
    sign.verify = VerifyLevel::None;
    if nsec3 {
        sign.policy.denial = Denial::Nsec3(Nsec3Params {
            iterations: 0,
            salt: Vec::new(),
            opt_out: false,
        });
    }
    let keys = KeyRequest {
        origin: sign.origin.clone(),
        directory: folder.path().into(),
        named: Vec::new(),
        token: TokenUse::Offline,
        now: NOW,
        max_signatures: Vec::new(),
    };
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    let report = run(&RunConfig { sign, keys }, &Silent).unwrap();
    (ALLOCATIONS.load(Ordering::Relaxed) - before, report.signatures())
}

/// What the crate that signs allocates for ten thousand signatures.
fn of_the_bare_key() -> u64 {
    let (dnskey, fields) = generate_key(256, Algorithm::ECDSAP256SHA256, None).unwrap();
    let keys = SoftwareKeys::new(vec![SoftwareKey::new(dnskey, &fields).unwrap()]);
    let (mut signer, mut signature) = (keys.signer().unwrap(), SignatureBuf::default());
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for number in 0..10_000u32 {
        let message = number.to_be_bytes();
        let data = ToBeSigned::digested(&message, Algorithm::ECDSAP256SHA256);
        signer.sign(KeyIndex(0), &data, &mut signature).unwrap();
    }
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

// One test, so that nothing else allocates meanwhile.
#[test]
fn at_most_one_allocation_in_ten_signatures() {
    let of_key = of_the_bare_key();
    for nsec3 in [false, true] {
        // What every run allocates is left out.
        let (of_few, few) = signed(2000, nsec3);
        let (of_many, many) = signed(12_000, nsec3);
        let (more, signatures) = (of_many.saturating_sub(of_few), many - few);
        println!(
            "{more} allocations more for {signatures} signatures more, NSEC3: {nsec3}; the key's own {of_key} in 10,000"
        );
        assert_eq!(signatures, 30_000);
        let ours = more.saturating_sub(of_key * signatures / 10_000);
        assert!(ours * 10 <= signatures, "{ours} for {signatures}, NSEC3: {nsec3}");
    }
}
