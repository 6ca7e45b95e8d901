//! `signet sign`: the flags of a run, resolved to a `SignConfig` and proven `SigningKeys`, run, and reported.
//! What can fail cheaply fails first; the signing itself is the library's.

mod on_publish;
mod outputs;
mod per_zone;
mod resolve;
mod zones;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};
use dnssec_sign::{Denial, SerialPolicy, ZonemdHash, parse_interval};
use signet_pipeline::{AuditEvent, Error, PartitionSize, Report, TokenUse, VerifyLevel, audit};

use super::denial_flags::{DenialFlags, random_salt};
use super::input_flags::InputFlags;
use super::reuse_flags::ReuseFlags;
use super::role_flags::RoleFlags;
use super::time_flags::ValidityFlags;
use super::token_flags::TokenFlags;
use super::{Outcome, report_text, streams, time_flags};
pub(super) use resolve::threads;

use self::outputs::Outputs;
use crate::progress::{Loudness, Progress, Style};
use crate::watchdog;

/// Sign a zone file
#[derive(Args, Debug)]
#[command(
    long_about = "Signs a zone file and writes the signed zone, one record a line, in canonical order.\n\n\
                  KEY is the base name of a key's K* files; keys so named are put into the DNSKEY set. Without any, the key \
                  directory is scanned, and the dates of the keys decide which are published and which sign. \
                  Private keys may be on a token, on disk, or both. Every key is found and proven before the first \
                  record is read, and the result is verified before it takes the place of the old file."
)]
pub(super) struct SignFlags {
    /// The zone file; `-` is standard input, and gzip or zstd data is decompressed
    #[arg(value_name = "ZONEFILE", required_unless_present = "zones")]
    zone_file: Option<PathBuf>,

    /// Base names of key files, such as Kexample.com.+013+12345
    #[arg(value_name = "KEY")]
    keys: Vec<String>,

    /// Sign many zones: a file with `ORIGIN ZONEFILE OUT [KEYDIR]` a line. One login a token and its sessions serve them all,
    /// each zone ends well or not by itself, and the exit code is that of the worst. {zone} in --journal, --html, --reuse and
    /// --dnskey-set stands for each one's name
    #[arg(long, value_name = "FILE", conflicts_with_all = ["zone_file", "keys", "origin", "output"])]
    zones: Option<PathBuf>,

    /// The zone's origin; the file's name is the default
    #[arg(short, long, value_name = "ORIGIN", value_parser = NonEmptyStringValueParser::new())]
    origin: Option<String>,

    /// Where the signed zone goes; ZONEFILE.signed is the default, `-` is standard output
    #[arg(short = 'f', long, value_name = "OUT")]
    output: Option<PathBuf>,

    /// Where the key files are
    #[arg(short = 'K', long = "key-directory", value_name = "DIR", default_value = ".")]
    key_directory: PathBuf,

    /// How the serial of the SOA advances
    #[arg(short = 'N', long, value_name = "keep|increment|unixtime|date", default_value_t)]
    serial: SerialPolicy,

    /// The TTL of a new DNSKEY set, where neither the zone nor a key file says one; the SOA's by default
    #[arg(short = 'T', long, value_name = "TTL")]
    dnskey_ttl: Option<String>,

    /// Add a digest of the zone, ZONEMD (RFC 8976): sha384, sha512 or both with a comma
    #[arg(long, value_name = "HASH", value_delimiter = ',')]
    zonemd: Vec<ZonemdHash>,

    /// Write what signing adds and no more, to be included in the zone with $INCLUDE; it needs --serial keep
    #[arg(short = 'D', long)]
    dnssec_only: bool,

    /// Refuse a zone whose number of records differs by more than so many percent from that of the previous output
    #[arg(long, value_name = "PERCENT")]
    max_change: Option<u32>,

    #[command(flatten)]
    parent: ParentFlags,

    /// Lower TTLs above this to it
    #[arg(short = 'M', long, value_name = "TTL")]
    max_ttl: Option<String>,

    /// Go on with what is refused as unwise: forbidden algorithms, more than 50 NSEC3 iterations, signatures that are not
    /// valid yet, revocation of the only KSK
    #[arg(long)]
    insist: bool,

    #[command(flatten)]
    roles: RoleFlags,

    #[command(flatten)]
    validity: ValidityFlags,

    #[command(flatten)]
    input: InputFlags,

    #[command(flatten)]
    reuse: ReuseFlags,

    #[command(flatten)]
    denial: DenialFlags,

    #[command(flatten)]
    token: TokenFlags,

    #[command(flatten)]
    token_use: TokenUseFlags,

    #[command(flatten)]
    work: WorkFlags,

    #[command(flatten)]
    outputs: OutputFlags,
}

/// What the parent is told, and what children say.
#[derive(Args, Debug)]
#[command(next_help_heading = "Parent and children")]
struct ParentFlags {
    /// The records that announce keys whose SyncPublish date has passed: cdnskey, cds:sha-256, cds:sha-384, '' for none
    #[arg(long, value_name = "LIST", default_value = "cdnskey,cds:sha-256")]
    sync: String,

    /// Ask the parent to remove all DS records, by the delete forms of CDS and CDNSKEY alone (RFC 8078)
    #[arg(long)]
    sync_delete: bool,

    /// Where dsset- files are: the zone's own DS records are written to dsset-ORIGIN, and --children reads there
    #[arg(short = 'd', long, value_name = "DIR")]
    dsset_directory: Option<PathBuf>,

    /// Take the DS records of delegations from dsset-NAME files; without a file the zone's own stay
    #[arg(short = 'g', long)]
    children: bool,

    /// With --children, drop the DS records of delegations without a file
    #[arg(long, requires = "children")]
    drop_ds: bool,
}

/// How a token is used.
#[derive(Args, Debug)]
#[command(next_help_heading = "Token")]
struct TokenUseFlags {
    /// Leave tokens alone: keys that need one count as offline
    #[arg(long)]
    no_token: bool,

    /// BIND's engine: '' leaves tokens alone, a path is the PKCS#11 library, pkcs11 changes nothing
    #[arg(short = 'E', long = "engine", value_name = "ENGINE")]
    engine: Option<String>,

    /// A further token with the same keys: its label or pkcs11: URI, which may say module-path and pin-source; can be
    /// given several times
    ///
    /// All tokens share the work, the faster ones get more of it, and one that is lost is done without as long as another
    /// is there. What the URI does not say of library and PIN is as for the first token.
    #[arg(long, value_name = "LABEL|URI")]
    also_on: Vec<String>,

    /// PKCS#11 sessions that sign, a token; auto: more and more in the first seconds, as long as that is faster
    #[arg(
        long,
        value_name = "N|auto",
        default_value = "auto",
        env = "SIGNET_SESSIONS",
        hide_env_values = true
    )]
    sessions: SessionCount,

    /// What tokens do: sign alone, or all they can: hash, sign, verify proofs, give random numbers
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Offload::Sign, env = "SIGNET_OFFLOAD", hide_env_values = true)]
    offload: Offload,

    /// Stop, with nothing published, before a key makes more signatures than this; KEY is the base name of its files, or
    /// its tag. What the audit log has on record of earlier runs counts
    #[arg(long, value_name = "KEY=N", value_parser = signature_limit)]
    max_signatures: Vec<(String, u64)>,

    /// Sign no faster than this many signatures a second, on all tokens together: for an HSM that others use
    #[arg(long, value_name = "N", value_parser = rate, env = "SIGNET_MAX_RATE", hide_env_values = true)]
    max_rate: Option<f64>,

    /// How long a token that goes away, or a call to it that does not return, is waited for
    #[arg(
        long,
        value_name = "TIME",
        default_value = "60s",
        value_parser = patience,
        env = "SIGNET_PATIENCE",
        hide_env_values = true
    )]
    patience: Duration,

    /// Load the tokens' libraries in worker processes only, one a session: a crash or hang in a library then costs a process,
    /// which is replaced, and not the run
    #[arg(long)]
    isolate: bool,

    /// Sign with a copy of the key in the session's memory: faster on software tokens
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = SessionCopy::Auto, env = "SIGNET_SESSION_COPY", hide_env_values = true)]
    session_copy: SessionCopy,
}

/// How the run goes about it.
#[derive(Args, Debug)]
#[command(next_help_heading = "Run")]
struct WorkFlags {
    /// Threads that parse, plan, write and verify; the number of processors is the default
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,

    /// How the result is checked before it is published
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = Verify::Full)]
    verify: Verify,

    /// How many faults of the zone file are shown; 0: all
    #[arg(long, value_name = "N", default_value = "20", value_parser = crate::cli::error_limit::error_limit)]
    max_errors: usize,

    /// Write every signature to this file as it is made, until the zone is published: after a crash or an interrupt the run
    /// goes on from there with --resume
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,

    /// Go on with the journal that is there, with the times and serial that it was begun with
    #[arg(long, requires = "journal")]
    resume: bool,

    /// Run this command with the shell when the zone is published; it finds zone, serial and file in SIGNET_ZONE,
    /// SIGNET_SERIAL and SIGNET_FILE. Not when the old file stays because nothing was to be done
    #[arg(long, value_name = "COMMAND", value_parser = NonEmptyStringValueParser::new())]
    on_publish: Option<String>,

    /// Count what would be signed by which key, and measure each token for two seconds; write no zone
    #[arg(long)]
    dry_run: bool,

    /// Show warnings and errors only
    #[arg(short, long)]
    quiet: bool,

    /// Records a partition, or every-owner
    #[arg(long, value_name = "N", hide = true)]
    partition_records: Option<Partition>,
}

/// What is told of the run.
#[derive(Args, Debug)]
#[command(next_help_heading = "Report")]
struct OutputFlags {
    /// Write a report as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// Write the run's figures for Prometheus, in the form of node_exporter's textfile collector
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,

    /// Write the report as a page with pictures, which a browser shows without network
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// How progress is shown on standard error: bars on a terminal and lines elsewhere, or one JSON object a line
    #[arg(long, value_enum, value_name = "HOW", default_value_t = ProgressStyle::Auto, conflicts_with = "quiet")]
    progress: ProgressStyle,
}

/// `--progress`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ProgressStyle {
    /// Bars on a terminal, lines elsewhere
    Auto,
    /// One JSON object a line
    Json,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SessionCopy {
    /// On software tokens
    Auto,
    /// Never
    Never,
    /// Always, or fail
    Always,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Offload {
    /// Sign
    Sign,
    /// Hash, sign, verify, give random numbers
    All,
}

/// `--max-signatures`.
fn signature_limit(text: &str) -> Result<(String, u64), &'static str> {
    let parts = text.rsplit_once('=').filter(|(key, _)| !key.is_empty());
    parts
        .and_then(|(key, most)| Some((key.to_owned(), most.parse().ok()?)))
        .ok_or("write KEY=N, such as Kexample.com.+013+12345=1000000 or 12345=1000000")
}

/// `--patience`.
fn patience(text: &str) -> Result<Duration, String> {
    let seconds = parse_interval(text).map_err(|error| error.to_string())?;
    Ok(Duration::from_secs(seconds.into()))
}

/// `--max-rate`.
fn rate(text: &str) -> Result<f64, &'static str> {
    let rate = text.parse().ok();
    rate.filter(|rate| (0.01..1e9).contains(rate))
        .ok_or("write signatures a second, as a number of at least 0.01")
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Verify {
    /// Structure, and every signature
    Full,
    /// Chains, bitmaps, completeness and times; every 64th signature as it comes from its key
    Structure,
    /// Every 64th signature as it comes from its key; what is written is not read again
    None,
}

impl From<Verify> for VerifyLevel {
    fn from(verify: Verify) -> Self {
        match verify {
            Verify::Full => Self::Full,
            Verify::Structure => Self::Structure,
            Verify::None => Self::None,
        }
    }
}

/// `--sessions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SessionCount {
    Auto,
    Exactly(NonZeroUsize),
}

impl std::str::FromStr for SessionCount {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        text.parse()
            .map(Self::Exactly)
            .map_err(|_| "write auto, or a number of at least 1")
    }
}

/// `--partition-records`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Partition(PartitionSize);

impl std::str::FromStr for Partition {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            _ if text == "every-owner" => Ok(Self(PartitionSize::EveryOwner)),
            Ok(0) | Err(_) => Err("write every-owner, or a number of at least 1"),
            Ok(records) => Ok(Self(PartitionSize::Records(records))),
        }
    }
}

/// Signs.
///
/// # Errors
/// Every [`Error`]: what stopped the run.
pub(super) fn run(flags: &SignFlags) -> Result<Outcome, Error> {
    let loudness = if flags.work.quiet {
        Loudness::Quiet
    } else {
        Loudness::Normal
    };
    let json = flags.outputs.progress == ProgressStyle::Json;
    let progress = Arc::new(Progress::new(loudness, if json { Style::Json } else { Style::Human }));
    let told = Arc::clone(&progress);
    watchdog::tell_of(move || told.state());
    watchdog::see_to_interrupts();
    if let Some(list) = &flags.zones {
        return zones::run(flags, list, &progress);
    }
    let result = sign(flags, &progress);
    progress.finish();
    progress.end(result.as_ref());
    watchdog::run_is_over();
    if let Err(Error::Interrupted) = &result {
        streams::say(&watchdog::interrupted_line());
        return Ok(Outcome::Failed(130));
    }
    let report = result?;
    if loudness == Loudness::Normal && !json {
        streams::tell(&report_text::sign_report(&report));
    }
    if let (Some(command), None) = (&flags.work.on_publish, &report.dry_run) {
        on_publish::run(command, &report, &resolve::output(flags)?, flags.token.pin_source())?;
    }
    if report.unrenewed() > 0 {
        streams::say(&format!(
            "{} signatures are due for renewal and were kept, since their keys are not at hand: sign again with them",
            report.unrenewed()
        ));
        return Ok(Outcome::Failed(6));
    }
    Ok(Outcome::Done)
}

/// Flags, outputs, keys, zone: what fails cheaply fails first.
fn sign(flags: &SignFlags, progress: &Progress) -> Result<Report, Error> {
    let now = time_flags::now()?;
    let mut config = resolve::config(flags, now, progress)?;
    let request = resolve::key_request(flags, &config, now)?;
    let outputs = Outputs::create(&flags.outputs)?;
    resolve::prove_files(&config, progress)?;
    if let TokenUse::Online { patience, .. } = &request.token {
        watchdog::limit_calls(*patience);
    }
    let keys = signet_pipeline::open_keys(&request, progress)?;
    if let Denial::Nsec3(parameters) = &mut config.policy.denial
        && flags.denial.wants_random_salt()
    {
        parameters.salt = random_salt(keys.random.clone())?;
    }
    // Until here nothing has to be undone, and a prompt must end at once.
    watchdog::run_begins(flags.work.journal.clone());
    let mut report = signet_pipeline::sign(&config, &keys, progress)?;
    // Those about flags and key files came before the run.
    report.warnings = progress.warnings();
    if report.dry_run.is_none() {
        audit(&AuditEvent::signed(&report))?;
    }
    outputs.write(&report)?;
    Ok(report)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use clap::Parser;
    use signet_pipeline::{Output, Sessions, SignConfig, Silent};

    use super::*;

    const NOW: u32 = 1_795_417_217;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        sign: SignFlags,
    }

    fn flags(line: &str) -> SignFlags {
        Line::try_parse_from(std::iter::once("x").chain(line.split_whitespace()))
            .unwrap()
            .sign
    }

    fn config(line: &str) -> SignConfig {
        resolve::config(&flags(line), NOW, &Silent).unwrap()
    }

    fn token_use(line: &str) -> Result<TokenUse, Error> {
        resolve::key_request(&flags(line), &config(line), NOW).map(|request| request.token)
    }

    #[test]
    fn the_defaults_are_the_safe_ones() {
        let config = config("zones/example.com");
        assert_eq!(config.origin.to_string(), "example.com.");
        assert_eq!(config.output, Output::File("zones/example.com.signed".into()));
        assert_eq!(config.policy.denial, Denial::Nsec);
        assert_eq!(config.policy.serial, SerialPolicy::Increment);
        assert_eq!(
            (config.policy.inception, config.policy.validity()),
            (NOW - 3600, 30 * 86400)
        );
        assert_eq!(config.verify, VerifyLevel::Full);
    }

    #[test]
    fn flags_reach_their_places() {
        let line = "z -o example. -f - -s 20261101000000 -e +14d -X +60d -N unixtime -x -3 --opt-out --threads 3 \
                    --verify structure --partition-records every-owner -T 1h";
        let config = config(line);
        assert_eq!(config.output, Output::Stdout);
        assert_eq!(config.policy.validity(), 14 * 86400);
        assert_eq!(config.policy.dnskey_expiration - config.policy.inception, 60 * 86400);
        assert_eq!(config.policy.serial, SerialPolicy::UnixTime);
        assert!(config.key_options.ksk_only && !config.key_options.ignore_ksk);
        assert_eq!(config.key_options.ttl, Some(3600));
        assert_eq!((config.threads, config.verify), (3, VerifyLevel::Structure));
        assert_eq!(config.partition, PartitionSize::EveryOwner);
    }

    #[test]
    fn binds_engine_has_three_meanings() {
        assert!(matches!(token_use("z --no-token").unwrap(), TokenUse::Offline));
        let empty = Line::try_parse_from(["x", "z", "-E", ""]).unwrap().sign;
        let request = resolve::key_request(&empty, &config("z"), NOW).unwrap();
        assert!(matches!(request.token, TokenUse::Offline));
        let Ok(TokenUse::Online { access, sessions, .. }) = token_use("z -E /usr/lib/p.so --sessions 4") else {
            unreachable!()
        };
        assert_eq!(access.module, Some("/usr/lib/p.so".into()));
        assert_eq!(sessions, Sessions::Exactly(NonZeroUsize::new(4).unwrap()));
        assert!(matches!(token_use("z -E pkcs11").unwrap(), TokenUse::Online { .. }));
        assert_eq!(token_use("z -E chil").unwrap_err().exit_code(), 2);
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_2() {
        let refused = |line: &str| resolve::config(&flags(line), NOW, &Silent).unwrap_err().exit_code();
        for line in [
            "-",
            "- -o a.",
            "z -e now-2d",
            "z -3 --iterations 51",
            "z -s +2d",
            "z -o a..b",
            "z -T m",
        ] {
            assert_eq!(refused(line), 2, "{line}");
        }
        config("z -3 --iterations 51 --insist");
        for line in ["z --sessions 0", "z --threads 0", "z --verify some", "z --serial never"] {
            let words = std::iter::once("x").chain(line.split_whitespace());
            assert_eq!(Line::try_parse_from(words).err().unwrap().exit_code(), 2, "{line}");
        }
    }
}
