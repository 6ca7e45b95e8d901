//! Builds a reverse zone from a program's own data and writes it in one step: `cargo run --example build FILE`.

use std::error::Error;
use std::path::Path;

use dnssec_sign::{Name, RecordType};
use zone_io::{ZoneBuilder, ZoneFile};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: build FILE")?;
    let origin: Name = "2.0.192.in-addr.arpa.".parse()?;
    let mut builder = ZoneBuilder::new(origin.clone());
    builder.push_text(
        "@ 3600 SOA ns.example. hostmaster.example. 1 7200 3600 1209600 300\n\
         @ 3600 NS ns.example.",
    )?;
    // In any order: they are sorted when the zone is finished.
    for host in (1..=254u8).rev() {
        let owner = Name::parse(&host.to_string(), Some(origin.borrow()))?;
        let target: Name = format!("host-{host}.example.").parse()?;
        builder.push(owner.borrow(), 3600, RecordType::PTR, target.borrow().wire())?;
    }
    let zone = builder.finish();
    let mut file = ZoneFile::create(Path::new(&path))?;
    let mut nodes = zone.nodes();
    while let Some(node) = nodes.next_node() {
        file.write_node(&node)?;
    }
    file.publish()?;
    Ok(())
}
