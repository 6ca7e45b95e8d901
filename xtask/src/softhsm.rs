//! `cargo xtask softhsm build|init|env|clean`: SoftHSMv2 from source and a throwaway token in it, all below `target/softhsm`.
//!
//! The build ([`build()`]) leaves a [`Provider`], the token ([`token`]) is initialised in it once. Neither the system's library nor its
//! configuration is touched, and the token holds nothing of worth.

mod build;
mod keys;
mod source;
mod token;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use fs_err as fs;

use crate::{layout, process};

pub(crate) use build::build;
pub(crate) use keys::{Pair, pair};
pub(crate) use token::{Token, init};

/// What to do with SoftHSM.
#[derive(Subcommand)]
pub(crate) enum Action {
    /// Build SoftHSMv2 into target/softhsm, or take the finished build
    Build(Origin),
    /// Initialise the throwaway token `signet-dev`, or keep the one that is there
    Init,
    /// Print what a shell needs to use the token: eval "$(cargo xtask softhsm env)"
    Env,
    /// Remove the build, the token and its keys; the downloaded source stays
    Clean,
}

/// Where the library comes from.
#[derive(Args, Clone, Default)]
pub(crate) struct Origin {
    /// Build this source: an unpacked folder or a tarball
    #[arg(long, value_name = "DIR|TARBALL", conflicts_with = "system")]
    pub(crate) source: Option<PathBuf>,
    /// Use the installed library instead of building one
    #[arg(long)]
    pub(crate) system: bool,
}

/// A usable SoftHSMv2: the module and its administrator's program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Provider {
    /// The PKCS#11 module.
    pub(crate) library: PathBuf,
    /// `softhsm2-util` of the same version.
    pub(crate) util: PathBuf,
}

/// Everything of ours lies here.
pub(crate) fn folder() -> PathBuf {
    layout::target().join("softhsm")
}

/// Where [`build()`] notes which provider is in use.
fn provider_note() -> PathBuf {
    folder().join("provider")
}

impl Provider {
    /// The provider that the last build left.
    fn load() -> Result<Self> {
        let note = fs::read_to_string(provider_note()).context("no SoftHSM yet: run `cargo xtask softhsm build`")?;
        let mut lines = note.lines().map(PathBuf::from);
        let provider = lines.next().zip(lines.next());
        let (library, util) = provider.context("run `cargo xtask softhsm build` again")?;
        Ok(Self { library, util })
    }

    fn store(&self) -> Result<()> {
        let note = format!("{}\n{}\n", self.library.display(), self.util.display());
        fs::write(provider_note(), note)?;
        Ok(())
    }

    /// The distribution's library and program.
    fn installed() -> Result<Self> {
        let multiarch = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
        let folders = [multiarch.as_str(), "/usr/lib", "/usr/lib64", "/usr/local/lib"];
        let library = folders
            .iter()
            .flat_map(|f| [format!("{f}/softhsm/libsofthsm2.so"), format!("{f}/libsofthsm2.so")])
            .map(PathBuf::from)
            .find(|candidate| candidate.is_file())
            .context("no SoftHSMv2 is installed: run `cargo xtask setup`")?;
        Ok(Self {
            library,
            util: process::need("softhsm2-util")?,
        })
    }
}

/// A built SoftHSM with an initialised token: what every command that signs needs.
pub(crate) fn ready(origin: &Origin) -> Result<Token> {
    init(&build(origin)?)
}

/// Carries out one action.
pub(crate) fn run(action: &Action) -> Result<()> {
    match action {
        Action::Build(origin) => {
            let provider = build(origin)?;
            println!("{}", provider.library.display());
        }
        Action::Init => {
            let token = init(&Provider::load()?)?;
            eprintln!(
                "softhsm: token {} is ready; `cargo xtask softhsm env` prints how to use it",
                Token::LABEL
            );
            println!("{}", token.pin_file.display());
        }
        Action::Env => {
            let token = Token::load(&Provider::load()?)?;
            for (name, value) in token.environment() {
                println!("export {name}='{}'", value.replace('\'', r"'\''"));
            }
        }
        Action::Clean => clean()?,
    }
    Ok(())
}

fn clean() -> Result<()> {
    let Ok(entries) = fs::read_dir(folder()) else {
        return Ok(());
    };
    for entry in entries {
        let path = entry?.path();
        if path == source::cache() {
            continue;
        }
        if path.is_dir() {
            fs::remove_dir_all(path)?;
        } else {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
