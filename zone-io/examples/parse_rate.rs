//! How fast the parser alone is: the records of a zone file are lent and not stored, on one thread and on two.
//!
//! `cargo run --release -p zone-io --example parse_rate -- FILE ORIGIN [THREADS…]`

#![allow(clippy::print_stdout, reason = "it prints what it measured")]

use std::error::Error;
use std::time::{Duration, Instant};

use zone_io::{ReadOptions, Reader};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(file), Some(origin)) = (arguments.next(), arguments.next()) else {
        return Err("usage: parse_rate FILE ORIGIN [THREADS…]".into());
    };
    let mut threads: Vec<usize> = arguments.map(|number| number.parse()).collect::<Result<_, _>>()?;
    if threads.is_empty() {
        threads = vec![1, 2];
    }
    let text = std::fs::read(file)?;
    let options = ReadOptions::new(origin.parse()?);
    for count in threads {
        let parts = cut(&text, count);
        let runs: Vec<Measured> = (0..7).map(|_| measure(&parts, &options)).collect();
        let rate = |time: fn(&Measured) -> Duration| {
            let best = runs.iter().map(time).min().unwrap_or_default();
            text.len() as f64 / best.as_secs_f64() / 1e6
        };
        println!(
            "{count} threads: {} records, {:.0} MB/s; {:.0} MB/s by the processor time of the slowest thread",
            runs[0].records,
            rate(|run| run.wall),
            rate(|run| run.busy)
        );
    }
    Ok(())
}

/// One reading of the whole text.
struct Measured {
    wall: Duration,
    /// The most processor time of a thread: what the wall time is on a machine with nothing else to do.
    busy: Duration,
    records: u64,
}

/// Parts of about the same length that start with an owner: good enough for zones of one line a record.
fn cut(text: &[u8], count: usize) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut start = 0;
    for number in 1..=count {
        let target = text.len() * number / count;
        let end = (target..text.len())
            .find(|&at| text[at - 1] == b'\n' && !text[at].is_ascii_whitespace())
            .unwrap_or(text.len());
        parts.push(&text[start..end]);
        start = end;
    }
    parts
}

fn measure(parts: &[&[u8]], options: &ReadOptions) -> Measured {
    let start = Instant::now();
    let counted: Vec<(u64, Duration)> = std::thread::scope(|scope| {
        let threads: Vec<_> = parts
            .iter()
            .map(|part| {
                scope.spawn(|| {
                    let before = processor_time();
                    let records = count(part, options);
                    (records, processor_time().saturating_sub(before))
                })
            })
            .collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    Measured {
        wall: start.elapsed(),
        busy: counted.iter().map(|(_, busy)| *busy).max().unwrap_or_default(),
        records: counted.iter().map(|(records, _)| records).sum(),
    }
}

/// The time that this thread has run.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|number| number.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}

fn count(text: &[u8], options: &ReadOptions) -> u64 {
    let mut reader = Reader::new(text, options);
    let mut records = 0;
    while let Some(record) = reader.next_record() {
        records += u64::from(record.is_ok_and(|record| !record.rdata.is_empty()));
    }
    records
}
