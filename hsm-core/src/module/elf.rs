//! Says in plain words why the dynamic loader refuses a file: what the file is, by its first bytes, or what it lacks,
//! by the loader's own message. Loads nothing.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::ModuleFault;

/// e_machine of ELF headers, by the names that people know.
const MACHINES: &[(u16, &str)] = &[
    (0x03, "x86 (32 bit)"),
    (0x08, "MIPS"),
    (0x14, "PowerPC"),
    (0x15, "PowerPC 64"),
    (0x16, "s390x"),
    (0x28, "ARM (32 bit)"),
    (0x3e, "x86-64"),
    (0xb7, "ARM64"),
    (0xf3, "RISC-V"),
];

/// What is wrong with a library that the loader refused with `message`.
pub(super) fn diagnose(path: &Path, message: &str) -> ModuleFault {
    let header = header(path).unwrap_or_default();
    if path.is_dir() {
        return ModuleFault::NotPkcs11("it is a directory; name the library in it".to_owned());
    }
    let Some((class, machine, kind)) = elf(&header) else {
        return ModuleFault::NotPkcs11("it is no shared library for this system (no ELF file)".to_owned());
    };
    if kind != DYNAMIC {
        return ModuleFault::NotPkcs11("it is an ELF file, but no shared library".to_owned());
    }
    let ours = own_header().and_then(|header| elf(&header));
    if let Some((our_class, our_machine, _)) = ours
        && (our_class, our_machine) != (class, machine)
    {
        return ModuleFault::Architecture {
            library: name(machine),
            program: name(our_machine),
        };
    }
    match missing(message) {
        Some(library) => ModuleFault::Dependency {
            library: library.to_owned(),
        },
        None => ModuleFault::NotLoadable(message.to_owned()),
    }
}

/// ET_DYN.
const DYNAMIC: u16 = 3;

fn header(path: &Path) -> Option<[u8; 20]> {
    let mut header = [0; 20];
    File::open(path).ok()?.read_exact(&mut header).ok()?;
    Some(header)
}

/// The machine that this program is for, by its number.
pub(super) fn own_machine() -> Option<u16> {
    own_header()
        .and_then(|header| elf(&header))
        .map(|(_, machine, _)| machine)
}

fn own_header() -> Option<[u8; 20]> {
    header(Path::new("/proc/self/exe"))
}

/// Class (32 or 64 bit), machine and kind of file, each by its number.
fn elf(header: &[u8; 20]) -> Option<(u8, u16, u16)> {
    let [0x7f, b'E', b'L', b'F', class, order, ..] = *header else {
        return None;
    };
    let number = |at: usize| {
        let bytes = [header[at], header[at + 1]];
        if order == 2 {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        }
    };
    Some((class, number(18), number(16)))
}

fn name(machine: u16) -> String {
    let known = MACHINES.iter().find(|(number, _)| *number == machine);
    known.map_or_else(|| format!("machine type {machine}"), |(_, name)| (*name).to_owned())
}

/// The library that the loader of glibc or musl did not find.
fn missing(message: &str) -> Option<&str> {
    let glibc = message
        .split(": cannot open shared object file")
        .next()
        .filter(|before| before.len() < message.len());
    if let Some(before) = glibc {
        return before.rsplit(": ").next().map(str::trim);
    }
    let rest = message.split("Error loading shared library ").nth(1)?;
    rest.split(':').next()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> String {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("p.so");
        std::fs::write(&path, bytes).unwrap();
        diagnose(&path, "invalid ELF header").to_string()
    }

    #[test]
    fn what_a_file_is() {
        assert!(of(b"/* GNU ld script */ GROUP ( )").contains("no shared library"));
        assert!(of(b"").contains("no shared library"));
        let mut header = own_header().unwrap();
        header[16..18].copy_from_slice(&DYNAMIC.to_ne_bytes());
        header[18..20].copy_from_slice(&0x16_u16.to_ne_bytes());
        let text = of(&header);
        assert!(text.contains("s390x") && text.contains("this program"), "{text}");
    }

    #[test]
    fn what_a_library_lacks() {
        let glibc = "libvendor.so.3: cannot open shared object file: No such file or directory";
        assert_eq!(missing(glibc), Some("libvendor.so.3"));
        assert_eq!(missing(&format!("dlopen: {glibc}")), Some("libvendor.so.3"));
        let musl = "Error loading shared library libvendor.so.3: No such file or directory (needed by /p.so)";
        assert_eq!(missing(musl), Some("libvendor.so.3"));
        assert_eq!(missing("undefined symbol: EVP_foo"), None);
    }
}
