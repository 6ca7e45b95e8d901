//! Numbers of bytes as people type them, and the machine's memory as its default: half of the RAM, or of what the
//! control group of the process may use.

use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A number of bytes: `64M`, `1G`, `1500000`. The letters stand for powers of 1024.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ByteSize(pub(super) u64);

impl FromStr for ByteSize {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "write a number of bytes, such as 500000000, 64M or 2G";
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let power = match unit.to_ascii_uppercase().trim_end_matches('B').trim_end_matches('I') {
            "" => 0,
            "K" => 1,
            "M" => 2,
            "G" => 3,
            "T" => 4,
            _ => return Err(EXPECTED),
        };
        number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(1024_u64.pow(power)))
            .map(Self)
            .ok_or(EXPECTED)
    }
}

/// Half of the memory that the process may use; no limit where the system does not say how much that is.
pub(super) fn half_of_memory() -> u64 {
    half_of_what(|path| std::fs::read_to_string(path).ok())
}

/// Half of the least that these files say: the machine's RAM, and the limits of the process's control groups.
fn half_of_what(read: impl Fn(&Path) -> Option<String>) -> u64 {
    let ram = read(Path::new("/proc/meminfo")).and_then(|text| ram(&text));
    let groups = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    let limits = limit_files(&groups)
        .into_iter()
        .filter_map(|path| read(&path))
        .filter_map(|text| text.trim().parse().ok());
    ram.into_iter()
        .chain(limits)
        .min()
        .map_or(u64::MAX, |bytes: u64| bytes / 2)
}

/// The whole RAM in `/proc/meminfo`.
fn ram(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// The files with the limits of the control groups in `/proc/self/cgroup`, those above them too: a group's limit holds
/// for all below it. One that says `max` has none, and in a container some are not there.
fn limit_files(groups: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(number), Some(controllers), Some(group)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let (root, name) = if number == "0" && controllers.is_empty() {
            ("/sys/fs/cgroup", "memory.max")
        } else if controllers.split(',').any(|controller| controller == "memory") {
            ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
        } else {
            continue;
        };
        let group = group.trim_start_matches('/');
        files.extend(
            Path::new(group)
                .ancestors()
                .map(|above| Path::new(root).join(above).join(name)),
        );
    }
    files
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn letters_stand_for_powers_of_1024() {
        let size = |text: &str| text.parse::<ByteSize>().ok().map(|size| size.0);
        assert_eq!(size("0"), Some(0));
        assert_eq!(size("1500"), Some(1500));
        assert_eq!(size("64M"), Some(64 << 20));
        assert_eq!(size("2GiB"), Some(2 << 30));
        assert_eq!(size("1kb"), Some(1024));
        for text in ["", "M", "64X", "-1", "1.5G", "99999999999T", "1 G"] {
            assert_eq!(size(text), None, "{text}");
        }
    }

    #[test]
    fn the_ram_is_the_total() {
        assert_eq!(
            ram("MemTotal:       24672532 kB\nMemFree: 1 kB\n"),
            Some(24_672_532 * 1024)
        );
        assert_eq!(ram("nothing"), None);
        assert!(half_of_memory() > 0);
    }

    #[test]
    fn the_smallest_limit_counts() {
        let half = |files: &[(&str, &str)]| {
            half_of_what(|path| {
                let found = files.iter().find(|(name, _)| Path::new(name) == path);
                found.map(|(_, text)| (*text).to_owned())
            })
        };
        let ram = ("/proc/meminfo", "MemTotal:  8388608 kB\n");
        assert_eq!(half(&[]), u64::MAX);
        assert_eq!(half(&[ram]), 4 << 30);
        // Version 2: a group without a limit below one that has it.
        let two = ("/proc/self/cgroup", "0::/a.slice/run.scope\n");
        let none = ("/sys/fs/cgroup/a.slice/run.scope/memory.max", "max\n");
        let above = ("/sys/fs/cgroup/a.slice/memory.max", "1073741824\n");
        assert_eq!(half(&[ram, two, none]), 4 << 30);
        assert_eq!(half(&[ram, two, none, above]), 512 << 20);
        // Version 1, which writes no limit as a number near 2^63; a limit above the RAM is none.
        let one = ("/proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/box\n");
        let file = "/sys/fs/cgroup/memory/box/memory.limit_in_bytes";
        assert_eq!(half(&[ram, one, (file, "9223372036854771712\n")]), 4 << 30);
        assert_eq!(half(&[ram, one, (file, "268435456\n")]), 128 << 20);
        // In a container the group's own root may be all that is shown.
        let root = ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "134217728\n");
        assert_eq!(half(&[ram, one, root]), 64 << 20);
        assert_eq!(half(&[ram, ("/proc/self/cgroup", "nonsense\n0::\n")]), 4 << 30);
    }

    #[test]
    fn limits_of_both_kinds_of_control_group_are_looked_for() {
        let list = |text: &str| {
            let paths = limit_files(text);
            paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(
            list("0::/user.slice/run\n"),
            [
                "/sys/fs/cgroup/user.slice/run/memory.max",
                "/sys/fs/cgroup/user.slice/memory.max",
                "/sys/fs/cgroup/memory.max"
            ]
        );
        assert_eq!(
            list("7:blkio:/\n4:memory:/a\n0::/\n"),
            [
                "/sys/fs/cgroup/memory/a/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory.max"
            ]
        );
    }
}
