//! Key files turned into the keys of a run: each is found on its token or read from disk, its public half compared
//! with the K*.key file, and proven by one verified signature, before anything is signed. What a key signs is
//! decided by its times and flags in `dnssec-sign`.

mod access;
mod disk;
mod open;
mod token_keys;
mod token_store;
mod tokens;

pub use access::TokenAccess;
pub use disk::prove_software_key;
pub use open::{KeyRequest, Sessions, TokenUse, open_keys};
pub use token_keys::{algorithm_of, dnskey_of, kind_of};
pub use token_store::TokenStore;
