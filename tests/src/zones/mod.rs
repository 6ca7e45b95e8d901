//! Zones made in code, the same text for the same arguments: large plain ones, small nasty ones, and one shaped like the root.
//!
//! No zone here has DNSSEC records; keys are put in by [`Zone::write`].

mod bulk;
mod crowded;
mod handmade;
mod nasty;
mod spelled;

use std::path::PathBuf;

pub use bulk::{leaf, root_like, tld};
pub use crowded::crowded;
pub use handmade::handmade;
pub use nasty::{Spice, nasty};
pub use spelled::{TEMPLATES, spelled};

use crate::keys::Key;
use crate::scratch::Scratch;

/// An unsigned zone.
#[derive(Debug, Clone)]
pub struct Zone {
    /// What it is called in messages and entries of expected differences.
    pub name: String,
    /// Its origin, absolute.
    pub origin: String,
    /// Its master file.
    pub text: String,
}

impl Zone {
    /// Writes it as `NAME.zone`, with the DNSKEYs of these keys at its end: the form in which
    /// dnssec-signzone wants it without `-S`.
    #[must_use]
    pub fn write(&self, scratch: &Scratch, keys: &[&Key]) -> PathBuf {
        let mut text = self.text.clone();
        for key in keys {
            text.push_str(&key.record_with_ttl(3600));
        }
        scratch.write(&format!("{}.zone", self.name), text)
    }
}

/// SOA, NS and their addresses: `minimum` is the SOA's last field, its own TTL is 3600.
fn apex(origin: &str, minimum: u32) -> String {
    let dotted = if origin == "." { "" } else { origin };
    format!(
        "{origin} 3600 IN SOA ns1.{dotted} hostmaster.{dotted} 2026010101 7200 3600 1209600 {minimum}\n\
         {origin} 7200 IN NS ns1.{dotted}\n\
         {origin} 7200 IN NS ns2.{dotted}\n\
         ns1.{dotted} 7200 IN A 192.0.2.1\n\
         ns1.{dotted} 7200 IN AAAA 2001:db8::1\n\
         ns2.{dotted} 7200 IN A 192.0.2.2\n"
    )
}
