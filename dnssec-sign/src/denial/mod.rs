//! Denial of existence: type bitmaps, NSEC (RFC 4034 4, RFC 9077) and NSEC3 (RFC 5155). Each is a function of
//! one name and its neighbour; the order of names comes from the caller.

mod bitmap;
mod nsec3;

pub use bitmap::write_bitmap;
pub use nsec3::{ChainError, Nsec3Chain, Nsec3Hasher, Nsec3Link, Nsec3Names, Nsec3Params, Nsec3Part, write_hash_label};
