//! `pkcs11-tokens`: the tokens of a library and what they could serve, in BIND's form. Nobody logs in.

use hsm_core::Token;

use super::options::{Options, Taken};
use super::provider::{Place, failure};
use super::{Failure, Tool};
use crate::cli::streams;

const TOOL: Tool = Tool::Tokens;

const USAGE: &str = "Usage:\n\tpkcs11-tokens [-v] [-m module]";

/// A family of keys, by the mechanism that makes pairs and the plain one that signs.
struct Family {
    name: &'static str,
    best: &'static str,
    bit: u32,
    generate: u64,
    sign: u64,
}

/// CKM_RSA_PKCS_KEY_PAIR_GEN and CKM_RSA_PKCS, and so on. Only what a zone's key needs is asked for.
const FAMILIES: [Family; 3] = [
    Family {
        name: "RSA",
        best: "best_rsa_token",
        bit: 1,
        generate: 0x0000,
        sign: 0x0001,
    },
    Family {
        name: "EC",
        best: "best_ecdsa_token",
        bit: 4,
        generate: 0x1040,
        sign: 0x1041,
    },
    Family {
        name: "EDDSA",
        best: "best_eddsa_token",
        bit: 5,
        generate: 0x1055,
        sign: 0x1057,
    },
];

impl Family {
    fn served(&self, token: &Token, verbose: bool) -> bool {
        let uses = |mechanism| token.mechanism_uses(mechanism).ok().flatten();
        let makes = uses(self.generate).is_some_and(|uses| uses.generate_key_pair);
        let signs = uses(self.sign).is_some_and(|uses| uses.sign && uses.verify);
        for (mechanism, there) in [(self.generate, makes), (self.sign, signs)] {
            if verbose && !there {
                streams::tell(&format!(
                    "{}: slot {}: mechanism 0x{mechanism:04X} missing for {}\n",
                    TOOL.name(),
                    token.info().slot_id,
                    self.name
                ));
            }
        }
        makes && signs
    }
}

/// Where BIND's tool shows an address: a number that is the token's alone.
fn address(place: usize) -> String {
    format!("0x{:x}", (place + 1) * 16)
}

/// Lists.
///
/// # Errors
/// [`Failure`], exit code 1.
pub(super) fn run(words: Vec<String>) -> Result<(), Failure> {
    let mut place = Place::default();
    let mut verbose = false;
    let mut options = Options::new(words, "m:v");
    while let Some(taken) = options.next() {
        match taken {
            Taken::Option('m', value) => place.module = Some(value.into()),
            Taken::Option('v', _) => verbose = true,
            Taken::NoValue(letter) => {
                return Err(Failure::general(format!("Missing operand for -{letter}\n{USAGE}")));
            }
            Taken::Option(letter, _) | Taken::Unknown(letter) => {
                return Err(Failure::general(format!("Unrecognised option: -{letter}\n{USAGE}")));
            }
        }
    }
    let tokens = place.load(TOOL)?.tokens().map_err(|error| failure(&error))?;
    let mut best = [const { None }; FAMILIES.len()];
    let mut blocks = String::new();
    let known = tokens.iter().filter(|token| token.info().fault.is_none());
    for (at, token) in known.enumerate() {
        let info = token.info();
        if verbose {
            streams::tell(&format!("{}: {info}\n", TOOL.name()));
        }
        let served = FAMILIES.each_ref().map(|family| family.served(token, verbose));
        let mut bits = 0_u32;
        let mut names = Vec::new();
        for ((family, served), best) in FAMILIES.iter().zip(served).zip(&mut best) {
            if !served {
                continue;
            }
            bits |= 1 << family.bit;
            // Edwards curves are in the number only.
            if family.name != "EDDSA" {
                names.push(family.name);
            }
            if info.flags.initialised() {
                best.get_or_insert_with(|| address(at));
            }
        }
        blocks.push_str(&format!(
            "\nTOKEN\n\taddress={}\n\tslotID={}\n\tlabel={:<32}\n\tmanufacturerID={:<32}\n\tmodel={:<16}\n\tserialNumber={:<16}\n\tsupported operations=0x{bits:x} ({})\n",
            address(at),
            info.slot_id,
            info.label,
            info.manufacturer,
            info.model,
            info.serial,
            names.join(","),
        ));
    }
    let mut text = "DEFAULTS\n".to_owned();
    for (family, best) in FAMILIES.iter().zip(&best) {
        text.push_str(&format!("\t{}={}\n", family.best, best.as_deref().unwrap_or("(nil)")));
    }
    streams::print(&format!("{text}{blocks}")).map_err(|error| Failure::general(error.to_string()))
}
