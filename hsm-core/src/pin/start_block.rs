//! Wipes a PIN from the block of arguments and environment with which the process was started: what other processes
//! of the user read in `/proc/PID/cmdline` and `environ`, and what children inherit. No other memory is touched.

use std::fs::{File, OpenOptions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;

use rustix::process::{DumpableBehavior, dumpable_behavior, set_dumpable_behavior};
use zeroize::Zeroizing;

/// Overwrites the value of an environment variable with NULs, so that it is empty for children too. Failing is no
/// reason to stop: it is said.
pub(super) fn wipe_variable(name: &str, value: &[u8]) {
    let assignment = Zeroizing::new([name.as_bytes(), b"=", value].concat());
    wipe(Part::Environment, &assignment, name.len() + 1);
}

/// Overwrites every argument that is this text, or ends with it behind letters of options.
pub(super) fn wipe_argument(text: &[u8]) {
    wipe(Part::Arguments, text, 0);
    for argument in std::env::args_os() {
        let bytes = argument.as_bytes();
        if bytes.len() > text.len() && bytes.starts_with(b"-") && bytes.ends_with(text) {
            wipe(
                Part::Arguments,
                &Zeroizing::new(bytes.to_vec()),
                bytes.len() - text.len(),
            );
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Arguments,
    Environment,
}

fn wipe(part: Part, string: &[u8], keep: usize) {
    if let Err(error) = try_wipe(part, string, keep) {
        tracing::warn!(%error, "the PIN stays in the memory that this process was started with");
    }
}

/// Finds NUL-ended strings that equal `string`, and overwrites all but their first `keep` bytes.
fn try_wipe(part: Part, string: &[u8], keep: usize) -> std::io::Result<()> {
    let Some((start, end)) = bounds(part)? else {
        return Ok(());
    };
    let memory = own_memory()?;
    let mut block = Zeroizing::new(vec![0; usize::try_from(end.saturating_sub(start)).unwrap_or_default()]);
    memory.read_exact_at(&mut block, start)?;
    let mut at = 0_u64;
    for found in block.split(|byte| *byte == 0) {
        if found == string {
            let nothing = vec![0; found.len().saturating_sub(keep)];
            memory.write_all_at(&nothing, start + at + keep as u64)?;
        }
        at += found.len() as u64 + 1;
    }
    Ok(())
}

/// Where the part begins and ends: fields 48 to 51 of `/proc/self/stat`. `None` where the system does not tell.
fn bounds(part: Part) -> std::io::Result<Option<(u64, u64)>> {
    let stat = fs_err::read_to_string("/proc/self/stat")?;
    // The second field, the program's name, may hold blanks; it ends with the last parenthesis.
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let skip = match part {
        Part::Arguments => 45,
        Part::Environment => 47,
    };
    let mut numbers = fields.split_ascii_whitespace().skip(skip).map(str::parse);
    Ok(match (numbers.next(), numbers.next()) {
        (Some(Ok(start)), Some(Ok(end))) if start > 0 && end > start => Some((start, end)),
        _ => None,
    })
}

/// This process's memory as a file. A process that may not be dumped does not own it, so it may be for that moment.
fn own_memory() -> std::io::Result<File> {
    let open = || OpenOptions::new().read(true).write(true).open("/proc/self/mem");
    if let Ok(file) = open() {
        return Ok(file);
    }
    let before = dumpable_behavior()?;
    set_dumpable_behavior(DumpableBehavior::Dumpable)?;
    let file = open();
    set_dumpable_behavior(before)?;
    file
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn the_block_is_found() {
        let (start, end) = bounds(Part::Arguments).unwrap().unwrap();
        let mut block = vec![0; usize::try_from(end - start).unwrap()];
        own_memory().unwrap().read_exact_at(&mut block, start).unwrap();
        let first = std::env::args_os().next().unwrap();
        assert!(block.starts_with(first.as_bytes()), "{block:?}");
    }
}
