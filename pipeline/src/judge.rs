//! `verify`: a signed zone file judged. The same rules as the check before publishing, over a file that anyone may
//! have written, in any order.

use dnssec_sign::NodeList;
use dnssec_sign::verify::{Expectations, Joiner, SepFlag, verify_partition};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use crate::config::{PartitionSize, VerifyConfig};
use crate::context::moment;
use crate::error::Error;
use crate::load::load;
use crate::observer::{Observer, Phase};
use crate::partition::Partitions;
use crate::report::VerifyReport;
use crate::thread_pool;
use crate::verify::survey;

/// Judges a signed zone. The report has what was found; a zone that cannot be judged at all is reported with the
/// findings that say why.
///
/// # Errors
/// [`Error::Zone`] when the file cannot be read, [`Error::Usage`] when threads cannot be had.
pub fn verify(config: &VerifyConfig, observer: &dyn Observer) -> Result<VerifyReport, Error> {
    let mut expectations = Expectations::new(config.origin.clone(), moment(config.now));
    expectations.findings_per_rule = u32::try_from(config.max_errors).unwrap_or(u32::MAX);
    if config.ignore_ksk {
        expectations.sep_flag = SepFlag::Ignored;
    }
    let pool = thread_pool(config.threads)?;
    let zone = pool.install(|| load(config, observer))?;
    let facts = match survey(zone.runs(), &expectations) {
        Ok(facts) => facts,
        Err(findings) => return Ok(VerifyReport::unjudged(&zone, config, &findings)),
    };
    observer.phase(Phase::Verify, Some(zone.records()));
    let partitions = Partitions::new(zone.runs(), config.origin.borrow(), PartitionSize::default());
    let verdicts: Vec<_> = pool.install(|| {
        (0..partitions.len())
            .into_par_iter()
            .map_init(NodeList::new, |nodes, index| {
                partitions.load(index, nodes);
                let verdict = verify_partition(nodes, partitions.neighbours(index).cut(), &facts);
                observer.advance(Phase::Verify, nodes.record_count() as u64);
                verdict
            })
            .collect()
    });
    zone.check_unchanged()?;
    let mut joiner = Joiner::new(&facts);
    for verdict in verdicts {
        joiner.add(verdict);
    }
    Ok(VerifyReport::new(&zone, config, &joiner.finish()))
}
