//! Work on zone files without keys: checked, compared, printed, counted. What a zone has to be is `dnssec-sign`'s, and how
//! it is read and written `zone-io`'s; here the two go over a whole file, partition by partition.

mod check;
mod diff;
mod format;
mod stats;
mod view;

use rayon::ThreadPool;
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use crate::error::Error;

pub use check::{CheckConfig, CheckFinding, CheckReport, Severity, check_rules, check_zone};
pub use diff::{DiffConfig, DiffReport, Ignored, SetChange, diff_zones};
pub use format::{Form, FormatConfig, FormatReport, Rules, format_zone};
pub use stats::{Delegations, Depth, Signed, StatsConfig, TtlRange, TypeStats, ZoneStats, zone_stats};

/// Makes `count` things side by side and takes them in order; only a few more than there are threads exist at a time.
///
/// # Errors
/// The first error of `take`.
fn in_order<T: Send>(
    pool: &ThreadPool,
    count: usize,
    make: impl Fn(usize) -> T + Sync,
    mut take: impl FnMut(T) -> Result<(), Error>,
) -> Result<(), Error> {
    let together = 4 * pool.current_num_threads().max(1);
    for first in (0..count).step_by(together) {
        let made: Vec<T> = pool.install(|| {
            (first..count.min(first + together))
                .into_par_iter()
                .map(&make)
                .collect()
        });
        made.into_iter().try_for_each(&mut take)?;
    }
    Ok(())
}
