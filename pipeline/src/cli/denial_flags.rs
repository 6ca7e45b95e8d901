//! The flags that say how absence is proven, NSEC or NSEC3, resolved to a [`Denial`]. Which parameters are wise is
//! the policy's to judge.

use std::io::Read;

use clap::Args;
use dnssec_sign::{Denial, Nsec3Params};
use signet_pipeline::Error;

/// NSEC or NSEC3.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Proof of absence")]
pub(super) struct DenialFlags {
    /// Prove absence with NSEC, the default
    #[arg(long, conflicts_with = "nsec3")]
    nsec: bool,

    /// Prove absence with NSEC3
    #[arg(short = '3', long)]
    nsec3: bool,

    #[command(flatten)]
    parameters: Nsec3Flags,
}

/// The word for a salt that nobody chose.
const RANDOM: &str = "random";

/// NSEC3's parameters.
#[derive(Args, Clone, Debug, Default)]
struct Nsec3Flags {
    /// The NSEC3 salt in hexadecimal; `-` is none, the default (RFC 9276 3.1); `random` is eight bytes, another eight in
    /// each run, from the token with `--offload all`
    #[arg(long, value_name = "HEX|-|random", requires = "nsec3")]
    salt: Option<String>,

    /// Extra NSEC3 iterations; 0 is the default, and resolvers treat more as insecure (RFC 9276 3.2)
    #[arg(
        long,
        value_name = "N",
        requires = "nsec3",
        default_value_t = 0,
        hide_default_value = true
    )]
    iterations: u16,

    /// Leave insecure delegations out of the NSEC3 chain
    #[arg(long, requires = "nsec3")]
    opt_out: bool,
}

impl DenialFlags {
    /// Whether the salt is to be random.
    pub(super) fn wants_random_salt(&self) -> bool {
        self.parameters.salt.as_deref() == Some(RANDOM)
    }

    /// Whether any flag says how absence is proven.
    pub(super) fn is_said(&self) -> bool {
        self.nsec || self.nsec3
    }

    /// The denial that the flags ask for.
    ///
    /// # Errors
    /// [`Error::Usage`] for a salt that is no salt, and for NSEC3's parameters without NSEC3.
    pub(super) fn resolve(&self) -> Result<Denial, Error> {
        let flags = &self.parameters;
        if !self.nsec3 {
            // clap lets `requires` go where another flag conflicts with what is required.
            let given = [
                (flags.salt.is_some(), "--salt"),
                (flags.iterations > 0, "--iterations"),
                (flags.opt_out, "--opt-out"),
            ];
            return match given.iter().find(|(given, _)| *given) {
                Some((_, flag)) => Err(Error::Usage(format!(
                    "{flag} is of NSEC3: add --nsec3, or leave it out"
                ))),
                None => Ok(Denial::Nsec),
            };
        }
        Ok(Denial::Nsec3(Nsec3Params {
            iterations: flags.iterations,
            salt: salt(flags.salt.as_deref().unwrap_or("-"))?,
            opt_out: flags.opt_out,
        }))
    }
}

/// Takes the place of `--salt random`.
///
/// # Errors
/// [`Error::Io`] when the system gives no random bytes.
pub(super) fn random_salt(token: Option<Vec<u8>>) -> Result<Vec<u8>, Error> {
    if let Some(salt) = token {
        return Ok(salt);
    }
    let (path, mut salt) = ("/dev/urandom", vec![0; 8]);
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut salt));
    read.map_err(|source| Error::Io {
        path: path.into(),
        source,
    })?;
    Ok(salt)
}

fn salt(text: &str) -> Result<Vec<u8>, Error> {
    // What is random is known when the token is.
    if text == "-" || text.is_empty() || text == RANDOM {
        return Ok(Vec::new());
    }
    data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| {
        Error::Usage(format!(
            "--salt {text}: write an even number of hexadecimal digits, or - for no salt"
        ))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        denial: DenialFlags,
    }

    fn denial(line: &[&str]) -> Result<Denial, i32> {
        let line = Line::try_parse_from([&["x"], line].concat()).map_err(|error| error.exit_code())?;
        line.denial.resolve().map_err(|error| i32::from(error.exit_code()))
    }

    #[test]
    fn nsec_is_the_default() {
        assert_eq!(denial(&[]), Ok(Denial::Nsec));
        assert_eq!(denial(&["--nsec"]), Ok(Denial::Nsec));
    }

    #[test]
    fn nsec3_takes_its_parameters() {
        let expected = Nsec3Params {
            iterations: 5,
            salt: vec![0xaa, 0xbc],
            opt_out: true,
        };
        let line = ["--nsec3", "--salt", "aaBC", "--iterations", "5", "--opt-out"];
        assert_eq!(denial(&line), Ok(Denial::Nsec3(expected)));
        assert_eq!(
            denial(&["-3", "--salt", "-"]),
            Ok(Denial::Nsec3(Nsec3Params {
                iterations: 0,
                salt: Vec::new(),
                opt_out: false
            }))
        );
    }

    #[test]
    fn contradictions_are_usage_errors() {
        for line in [
            &["--nsec", "--nsec3"][..],
            &["--opt-out"],
            &["--salt", "aa"],
            &["--nsec3", "--salt", "abc"],
        ] {
            assert_eq!(denial(line), Err(2), "{line:?}");
        }
    }
}
