//! The verifier: rules that judge a signed zone, sharing none of the code that signs it.
//!
//! ```text
//! apex node + Expectations ─survey_apex─▶ ApexFacts ─┬─verify_partition(nodes, cut)─▶ PartitionVerdict ─┬─join─▶ Report
//!                                                    └─verify_partition(nodes, cut)─▶ PartitionVerdict ─┘
//! ```
//!
//! Every step is a pure function: the caller reads the zone, cuts it into partitions of names in canonical order,
//! judges them on as many threads as it likes, and hands the verdicts to the join in the order of their names. The
//! NSEC3 records may stand among the names, where canonical order puts them, or in partitions of their own.
//!
//! What is judged: each RRset that RFC 4035 2.2 wants signed has a good signature of each algorithm in the DNSKEY
//! set, and every further signature is good as well; nothing else is signed; NSEC or NSEC3 tell the truth about
//! every name, its types and the names between; the DNSKEY set and SOA hold the zone together; the contents obey
//! the rules that resolvers rely on. [`Rule`] lists it all, with the RFC behind each.
//!
//! Independence: names fold and compare in `folded`, RDATA becomes canonical in `canonical` and is read a second
//! time by hickory-proto in `decode`, bitmaps, key tags, NSEC3 hashes, zone cuts and empty non-terminals are worked out anew.
//! Shared are the wire form of names, the types of a node, and the means to verify one signature.
//!
//! Beside the partitions, [`ZoneDigest`] takes all nodes in order for the zone's ZONEMD, and the parent's DS set and the
//! days that signatures must last are among the [`Expectations`].
//!
//! Not here: files, clocks, threads.

mod apex;
mod bitmap;
mod canonical;
mod content;
mod decode;
mod ds;
mod expectations;
mod finding;
mod folded;
mod join;
mod keys;
mod nsec3;
mod nsec3_chain;
mod nsec3_join;
mod nsec3_list;
mod nsec_chain;
mod partition;
mod report;
mod rrsig;
mod rule;
mod signature;
mod site;
#[cfg(test)]
mod tests;
mod zonemd;

pub use apex::{ApexFacts, survey_apex};
pub use expectations::{Expectations, Level, SepFlag};
pub use finding::Finding;
pub use join::{Joiner, join};
pub use keys::{KeyUse, ZoneKey};
pub use nsec3::Nsec3Parameters;
pub use partition::{PartitionVerdict, verify_partition};
pub use report::{AlgorithmSummary, Counts, Expiry, Report};
pub use rule::{Rule, Severity};
pub use zonemd::ZoneDigest;
