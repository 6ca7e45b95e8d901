//! Nothing is allocated for each record on the way from text to sorted runs, nodes and text again: counted by an allocator
//! of this test's own.

#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use dnssec_sign::Class;
use zone_io::{LoadOptions, OwnerLines, ReadOptions, load, nodes_from, parse_records, write_record};

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

/// What `work` allocates, in calls.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    work();
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

/// Records of the types that zones are made of, and of some that take the general way.
fn zone(owners: u32) -> String {
    let mut text = String::from("$TTL 3600\n@ SOA ns.example. host.example. 1 2 3 4 5\n");
    for number in 0..owners {
        let owner = number.wrapping_mul(2_654_435_761);
        text.push_str(&format!(
            "n{owner:x} 300 IN NS Ns1.dns{}.test.\n\tNS ns2\n\tDS {} 13 2 {}\n\
             h{owner:x} A 192.0.2.{}\n AAAA 2001:db8::{:x}\n MX 10 mail\n TXT \"a text\" second\n \
             CAA 0 issue \"ca.test\"\n SRV 1 2 443 target\n SSHFP 1 1 {}\n LOC 52 N 4 E 0m\n HTTPS 1 . alpn=h2 port=443\n \
             TYPE65280 \\# 2 abcd\n",
            number % 50,
            number % 65536,
            "5a".repeat(32),
            number % 256,
            number % 65536,
            "a5".repeat(20),
        ));
    }
    text
}

// One test, so that nothing else allocates meanwhile.
#[test]
fn at_most_one_allocation_in_a_hundred_records() {
    let text = zone(20_000);
    let records = 20_000 * 13 + 1;
    let options = ReadOptions::new("example.".parse().unwrap());

    let mut count = 0;
    let lent = allocations(|| parse_records(text.as_bytes(), &options, |_| count += 1).unwrap());
    assert_eq!(count, records);
    assert!(lent <= 100, "{lent} allocations to lend {records} records");

    let mut out = Vec::with_capacity(text.len() * 3);
    let printed = allocations(|| {
        parse_records(text.as_bytes(), &options, |record| {
            out.clear();
            write_record(
                record.owner,
                record.ttl,
                Class::IN,
                record.rtype,
                record.rdata,
                &mut out,
            );
        })
        .unwrap();
    });
    assert!(
        printed <= 100,
        "{printed} allocations to print {records} records one by one"
    );

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("zone");
    fs::write(&path, &text).unwrap();
    for memory in [u64::MAX, 0] {
        let mut options = LoadOptions::new("example.".parse().unwrap());
        options.memory = memory;
        options.chunk_size = Some(1 << 20);
        let whole = allocations(|| {
            let loaded = load(&path, &options).unwrap();
            let mut lines = OwnerLines::new(Class::IN);
            let mut nodes = nodes_from(&loaded.runs, loaded.origin.borrow(), b"");
            out.clear();
            while let Some(node) = nodes.next_node() {
                lines.set_owner(node.owner);
                for record in node.records {
                    lines.write_record(record.ttl, record.rtype, record.rdata, &mut out);
                }
            }
        });
        assert!(
            whole <= records / 100,
            "{whole} allocations from text to text of {records} records"
        );
    }
}
