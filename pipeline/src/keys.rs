//! Key files turned into the keys of a run: each is found on its token or read from disk, its public half compared
//! with the K*.key file, and proven by one verified signature, before anything is signed. What a key signs is
//! decided by its times and flags in `dnssec-sign`.

mod access;
mod backup;
mod capability;
mod disk;
mod isolated;
mod offload;
mod open;
mod overseen;
mod regain;
mod token_keys;
mod token_store;
mod token_tally;
mod tokens;

pub use access::TokenAccess;
pub use backup::KeyBackup;
pub use capability::{Ability, Capability, capabilities};
pub use disk::prove_software_key;
pub use isolated::{Isolation, isolated_worker};
pub use offload::{Offload, Recipe, mechanisms_of, recipe};
pub(crate) use open::open_keys_of_zones;
pub use open::{KeyRequest, Sessions, TokenUse, open_keys};
pub use token_keys::{algorithm_of, dnskey_of, kind_of, private_of, public_of};
pub use token_store::{StoreOptions, TokenStore};
pub use token_tally::TokenTally;
