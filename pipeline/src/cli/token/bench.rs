//! `signet token bench`: how fast a token signs, by key, object, mechanism and number of sessions, and which number is
//! best. Keys that are made for it are destroyed again. It takes the token's full attention for as long as it lasts.

use std::time::Duration;

use clap::Args;
use dnssec_sign::{Algorithm, Insist};
use hsm_core::{GenerateSpec, LoggedIn, Pool, Rate, SessionCopy, TokenKey, Uri};
use serde::Serialize;
use signet_pipeline::{AuditEvent, AuditKey, Error, Offload, algorithm_of, audit, kind_of, recipe};

use crate::cli::table::table;
use crate::cli::token_flags::TokenFlags;
use crate::cli::{Outcome, streams};
use crate::sigbus;

/// Measure how fast a token signs
///
/// Signatures a second and latencies, for 1, 2, 4 … sessions until more bring nothing. Keys that are there are named
/// by --key; --algorithm makes one, and destroys it afterwards. What is signed is no DNS data.
#[derive(Args, Debug)]
pub(in crate::cli) struct BenchFlags {
    /// A key on the token, by label or URI; can be given several times
    #[arg(long, value_name = "LABEL|URI", required_unless_present = "algorithm")]
    key: Vec<Uri>,

    /// Make a key of this algorithm for the measurement, and destroy it afterwards
    #[arg(short, long, value_name = "ALG", value_delimiter = ',')]
    algorithm: Vec<Algorithm>,

    /// Numbers of sessions; 1, 2, 4 and so on by default, until more bring nothing
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    sessions: Vec<std::num::NonZeroUsize>,

    /// How long each is measured, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = seconds)]
    seconds: f64,

    /// What the token does: sign alone, or hash as well where it can
    #[arg(long, value_enum, default_value_t = What::Sign)]
    offload: What,

    /// Print JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    token: TokenFlags,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum What {
    /// Sign
    Sign,
    /// Hash and sign
    All,
}

fn seconds(text: &str) -> Result<f64, &'static str> {
    let seconds = text.parse().ok();
    seconds
        .filter(|seconds| (0.01..=3600.0).contains(seconds))
        .ok_or("write seconds, 0.01 to 3600")
}

/// More sessions are worth it if they bring this much more.
const GAIN: f64 = 1.05;
/// So many are tried at most unless they are named.
const MOST: usize = 64;

/// One measurement.
#[derive(Debug, Clone, Serialize)]
struct Row {
    key: String,
    kind: String,
    mechanism: String,
    /// `token object` or `session copy`.
    object: &'static str,
    sessions: usize,
    signatures: u64,
    signatures_per_second: f64,
    p50_us: u64,
    p90_us: u64,
    p99_us: u64,
    max_us: u64,
}

/// The best number of sessions for one key and object.
#[derive(Debug, Clone, Serialize)]
struct Best {
    key: String,
    mechanism: String,
    object: &'static str,
    sessions: usize,
    signatures_per_second: f64,
}

#[derive(Debug, Serialize)]
struct Listing {
    token: String,
    rows: Vec<Row>,
    best: Vec<Best>,
}

/// Measures.
///
/// # Errors
/// [`Error::Hsm`], [`Error::Interrupted`]; keys that were made are destroyed then, too.
pub(super) fn run(flags: &BenchFlags) -> Result<Outcome, Error> {
    let access = flags.token.access();
    let token = access.module()?.token(&access.token)?;
    let login = access.log_in(&token, None)?;
    // From here on keys may have to be destroyed.
    sigbus::install_interrupts();
    let mut rows = Vec::new();
    for uri in &flags.key {
        let key = login.find(&uri.key)?;
        measure(flags, &login, &key, &mut rows)?;
    }
    for algorithm in &flags.algorithm {
        with_new_key(&login, *algorithm, |key| measure(flags, &login, key, &mut rows))?;
    }
    let listing = Listing {
        token: token.info().to_string(),
        best: best(&rows),
        rows,
    };
    if flags.json {
        streams::print_json(&listing)?;
    } else {
        streams::print(&text(&listing))?;
    }
    Ok(Outcome::Done)
}

/// A key made for the while, and destroyed whatever happens.
///
/// # Errors
/// Those of making, destroying, and of `body`.
pub(super) fn with_new_key<T>(
    login: &LoggedIn,
    algorithm: Algorithm,
    body: impl FnOnce(&TokenKey) -> Result<T, Error>,
) -> Result<T, Error> {
    let label = format!("signet-measure-{algorithm}-{}", std::process::id());
    let key = login.generate(&GenerateSpec::new(label, kind_of(algorithm, None, Insist::No)?))?;
    audit(&AuditEvent::Generated(AuditKey::on_token(&key, login.token())))?;
    let result = body(&key);
    login.destroy(&key)?;
    audit(&AuditEvent::Destroyed(AuditKey::on_token(&key, login.token())))?;
    result
}

/// One key: its token object, and its session copy where the token would be used by one.
fn measure(flags: &BenchFlags, login: &LoggedIn, key: &TokenKey, rows: &mut Vec<Row>) -> Result<(), Error> {
    let Some(algorithm) = algorithm_of(key.kind()) else {
        return Err(Error::Input(format!("key '{}' is of type {}", key.label(), key.kind())));
    };
    let offload = match flags.offload {
        What::Sign => Offload::Sign,
        What::All => Offload::All,
    };
    let mechanism = recipe(login.token(), Some(key), algorithm, offload)
        .map_err(|missing| Error::Token(format!("{} has {missing}", login.token().info())))?
        .mechanism();
    for copy in [SessionCopy::Never, SessionCopy::Auto] {
        let mut before = 0.0;
        let numbers: Vec<usize> = match flags.sessions.as_slice() {
            [] => (0..)
                .map(|power| 1 << power)
                .take_while(|number| *number <= MOST)
                .collect(),
            named => named.iter().map(|number| number.get()).collect(),
        };
        for number in numbers {
            if sigbus::asked_to_stop() {
                return Err(Error::Interrupted);
            }
            let keys = vec![(key.clone(), mechanism)];
            let mut pool = Pool::open_by(login, number, keys, copy)?;
            let Some(slot) = pool.slot(0) else { continue };
            let copied = match pool.take() {
                Some(session) => {
                    let copied = session.is_copy(slot);
                    pool.put(session)?;
                    copied
                }
                None => false,
            };
            if copy == SessionCopy::Auto && !copied {
                return Ok(());
            }
            let opened = pool.opened();
            let time = Duration::from_secs_f64(flags.seconds);
            let rate = Rate::measure(pool.into_sessions(), slot, mechanism, time)?;
            rows.push(Row::new(key, mechanism.to_string(), copied, &rate));
            let stale = flags.sessions.is_empty() && rate.per_second() < before * GAIN;
            if stale || opened < number {
                break;
            }
            before = rate.per_second();
        }
    }
    Ok(())
}

impl Row {
    fn new(key: &TokenKey, mechanism: String, copied: bool, rate: &Rate) -> Self {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        Self {
            key: key.label(),
            kind: key.kind().to_string(),
            mechanism,
            object: if copied { "session copy" } else { "token object" },
            sessions: rate.sessions,
            signatures: rate.signatures,
            signatures_per_second: rate.per_second(),
            p50_us: micros(rate.p50),
            p90_us: micros(rate.p90),
            p99_us: micros(rate.p99),
            max_us: micros(rate.max),
        }
    }
}

/// For each key and object the fewest sessions that are within a twentieth of the fastest.
fn best(rows: &[Row]) -> Vec<Best> {
    rows.chunk_by(|one, other| one.key == other.key && one.object == other.object)
        .filter_map(|rows| {
            let fastest = rows.iter().map(|row| row.signatures_per_second).fold(0.0, f64::max);
            let enough = rows.iter().filter(|row| row.signatures_per_second * GAIN >= fastest);
            let row = enough.min_by_key(|row| row.sessions)?;
            Some(Best {
                key: row.key.clone(),
                mechanism: row.mechanism.clone(),
                object: row.object,
                sessions: row.sessions,
                signatures_per_second: row.signatures_per_second,
            })
        })
        .collect()
}

fn text(listing: &Listing) -> String {
    let rows: Vec<_> = listing
        .rows
        .iter()
        .map(|row| {
            [
                row.key.clone(),
                row.kind.clone(),
                row.mechanism.clone(),
                row.object.to_owned(),
                row.sessions.to_string(),
                format!("{:.0}", row.signatures_per_second),
                row.p50_us.to_string(),
                row.p90_us.to_string(),
                row.p99_us.to_string(),
                row.max_us.to_string(),
            ]
        })
        .collect();
    let headings = [
        "KEY",
        "TYPE",
        "MECHANISM",
        "OBJECT",
        "SESSIONS",
        "PER SECOND",
        "P50 US",
        "P90 US",
        "P99 US",
        "MAX US",
    ];
    let mut text = format!("{}\n", listing.token);
    text.push_str(&table(headings, &rows));
    for best in &listing.best {
        text.push_str(&format!(
            "best for {} as {}: {} sessions, {:.0} signatures a second by {}\n",
            best.key, best.object, best.sessions, best.signatures_per_second, best.mechanism
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_sessions_that_are_nearly_the_fastest_are_the_best() {
        let row = |object, sessions, signatures_per_second| Row {
            key: "k".to_owned(),
            kind: String::new(),
            mechanism: String::new(),
            object,
            sessions,
            signatures: 0,
            signatures_per_second,
            p50_us: 0,
            p90_us: 0,
            p99_us: 0,
            max_us: 0,
        };
        let rows = [
            row("token object", 1, 10.0),
            row("token object", 2, 19.9),
            row("token object", 4, 20.0),
            row("session copy", 1, 30.0),
            row("session copy", 2, 10.0),
        ];
        let found: Vec<_> = best(&rows).iter().map(|best| (best.object, best.sessions)).collect();
        assert_eq!(found, [("token object", 2), ("session copy", 1)]);
    }
}
