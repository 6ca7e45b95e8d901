//! The harness of the suites: it runs the program, tokens and other people's tools, and makes zones.
//!
//! ```text
//! zones ──▶ Scratch (a folder of its own) ──▶ Signet, in a Token ──▶ judges
//!                                        └──▶ bind::sign_zone ──▶ judges::normalise ──▶ ZoneText
//! ```
//! Nothing here skips: what a test needs and does not find makes it fail with the command that installs it.
//! What counts as right is said in the suites (`suites/`), not here.

mod browser;
mod environment;
mod faulty;
pub mod judges;
mod keys;
mod process;
mod random;
mod schema;
mod scratch;
mod signet;
mod token;
mod zone_text;
pub mod zones;

pub use browser::Browser;
pub use environment::{
    faulty_module, full, kryoptic_module, library, module, program, project, shared_data, signet_binary, spy_module,
    with_openssl,
};
pub use faulty::Faulty;
pub use keys::{Key, Role};
pub use process::{Program, Run, children, runs};
pub use random::Random;
pub use schema::misfits;
pub use scratch::Scratch;
pub use signet::Signet;
pub use token::Token;
pub use zone_text::{Difference, RrSet, ZoneText};

/// An inception long past: signatures made with it are valid whenever the suites run.
pub const START: &str = "20200101000000";
/// An expiry far ahead, and less than 2^31 seconds after [`START`].
pub const END: &str = "20370101000000";
