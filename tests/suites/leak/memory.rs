//! The memory of a running process, as root reads it and as a core dump would hold it: mappings that are left out of
//! dumps (`VmFlags: dd`) are left out.

use std::os::unix::fs::FileExt;

use rustix::process::{Pid, Signal, kill_process};

/// What was read: each mapping by its name.
pub(super) struct Dump {
    mappings: Vec<(String, Vec<u8>)>,
    /// The memory that is never swapped, in kibibytes.
    pub(super) locked: u64,
}

impl Dump {
    /// Whether the bytes are anywhere.
    pub(super) fn holds(&self, wanted: &[u8]) -> bool {
        !self.places(wanted).is_empty()
    }

    /// The mappings that hold the bytes.
    pub(super) fn places(&self, wanted: &[u8]) -> Vec<String> {
        let holding = self
            .mappings
            .iter()
            .filter(|(_, bytes)| memchr::memmem::find(bytes, wanted).is_some());
        holding.map(|(name, _)| name.clone()).collect()
    }
}

/// Reads every writable mapping that a dump would hold. The process stands still meanwhile.
///
/// # Panics
/// When it is not allowed to: that takes root, since the program forbids it to its own user. When the process is over.
pub(super) fn dump(process: u32) -> Dump {
    let tell = |signal| kill_process(Pid::from_raw(process.try_into().unwrap()).unwrap(), signal).unwrap();
    tell(Signal::STOP);
    let dump = read(process);
    tell(Signal::CONT);
    dump
}

fn read(process: u32) -> Dump {
    let memory = std::fs::File::open(format!("/proc/{process}/mem"))
        .expect("reading the memory of a process that may not be dumped takes root");
    let smaps = std::fs::read_to_string(format!("/proc/{process}/smaps")).unwrap_or_default();
    let mut mappings = Vec::new();
    let mut current: Option<(u64, u64, String)> = None;
    for line in smaps.lines() {
        if let Some(flags) = line.strip_prefix("VmFlags:") {
            if let Some((start, end, name)) = current.take()
                && !flags.split_whitespace().any(|flag| flag == "dd")
            {
                let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
                // A mapping may be gone by now.
                if memory.read_exact_at(&mut bytes, start).is_ok() {
                    mappings.push((name, bytes));
                }
            }
        } else if let Some((range, rest)) = line.split_once(' ')
            && let Some((start, end)) = range.split_once('-')
            && let (Ok(start), Ok(end)) = (u64::from_str_radix(start, 16), u64::from_str_radix(end, 16))
        {
            let small = end - start < 256 << 20;
            current = (rest.starts_with("rw") && small).then(|| (start, end, line.to_owned()));
        }
    }
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let locked = status.lines().find_map(|line| line.strip_prefix("VmLck:"));
    let locked = locked.and_then(|locked| locked.trim().strip_suffix(" kB")?.parse().ok());
    Dump {
        mappings,
        locked: locked.expect("a line of /proc/PID/status"),
    }
}
