//! Lists the records of a zone file, and everything that is wrong with it: `cargo run --example records FILE ORIGIN`.
//! $INCLUDE is not followed; `zone_io::load` does that.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example talks to its terminal"
)]

use std::error::Error;

use dnssec_sign::Class;
use zone_io::{ReadOptions, Reader, write_record};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(file), Some(origin)) = (arguments.next(), arguments.next()) else {
        return Err("usage: records FILE ORIGIN".into());
    };
    let text = std::fs::read(&file)?;
    let mut options = ReadOptions::new(origin.parse()?);
    options.name = file.as_str().into();
    let mut reader = Reader::new(&text, &options);
    let mut line = Vec::new();
    while let Some(result) = reader.next_record() {
        match result {
            // The record is lent until the next one is read: nothing is allocated for it.
            Ok(record) => {
                line.clear();
                write_record(
                    record.owner,
                    record.ttl,
                    Class::IN,
                    record.rtype,
                    record.rdata,
                    &mut line,
                );
                print!("{}", String::from_utf8_lossy(&line));
            }
            Err(fault) => eprintln!("{fault}"),
        }
    }
    for warning in reader.warnings().kept() {
        eprintln!("{warning}");
    }
    Ok(())
}
