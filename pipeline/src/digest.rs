//! SHA-256 of what a run read, wrote and loaded, for its report: each file is read once more, front to back.

use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use crate::config::SignConfig;
use crate::error::Error;
use crate::meter::thread_cpu;
use crate::output::ZoneOutput;
use crate::report::{Digests, Report};

/// So much is read at a time.
const BLOCK: u64 = 256 << 10;

/// The digests of the input and of what was written, both at once where the current pool has threads for it; and the CPU time
/// of the longer one, which a single thread makes.
///
/// # Errors
/// [`Error::Io`] when one cannot be read.
pub(crate) fn of_run(config: &SignConfig, output: &ZoneOutput) -> Result<(Digests, Duration), Error> {
    let ((input, one), (output, other)) =
        rayon::join(|| timed(|| of_input(&config.zone_file)), || timed(|| of_output(output)));
    let digests = Digests {
        input: input?,
        output: Some(output?),
    };
    Ok((digests, one.max(other)))
}

/// What a closure returns, and its CPU time.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = thread_cpu();
    let result = work();
    (result, thread_cpu().saturating_sub(began))
}

/// The digests of the libraries that the keys' tokens are reached by. One that cannot be read any more has none.
pub(crate) fn of_libraries(report: &mut Report) {
    for token in &mut report.tokens {
        token.module_sha256 = of_input(&token.module).ok().flatten();
    }
}

fn of_input(path: &Path) -> Result<Option<String>, Error> {
    if path == Path::new("-") {
        return Ok(None);
    }
    let mut file = std::fs::File::open(path).map_err(Error::io(path))?;
    let mut hash = Sha256::new();
    let mut block = vec![0; usize::try_from(BLOCK).unwrap_or(1 << 16)];
    loop {
        match file.read(&mut block).map_err(Error::io(path))? {
            0 => return Ok(Some(HEXLOWER.encode(&hash.finalize()))),
            length => hash.update(&block[..length]),
        }
    }
}

fn of_output(output: &ZoneOutput) -> Result<String, Error> {
    let (mut hash, mut block, mut at) = (Sha256::new(), Vec::new(), 0);
    while at < output.length() {
        let end = output.length().min(at + BLOCK);
        output.read(at..end, &mut block)?;
        hash.update(&block);
        at = end;
    }
    Ok(HEXLOWER.encode(&hash.finalize()))
}
