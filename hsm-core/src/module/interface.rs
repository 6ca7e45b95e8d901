//! A way around a C_GetInterface that answers an error, as older Luna libraries do: the bytes of a shared library whose
//! only symbol is C_GetFunctionList, at the address where the provider's own function lies already.
//!
//! cryptoki takes C_GetInterface wherever a library has it and gives up on its error. From this library it gets the
//! provider's function list instead; the provider's file is loaded as it is, beside it. Nothing is loaded here.

/// Sizes of the 64-bit form: header, program header, symbol, dynamic entry.
const HEADER: usize = 64;
const SEGMENT: usize = 56;
const SYMBOL: usize = 24;
const ENTRY: usize = 16;

/// The symbol's name between the zeros of a string table.
const NAMES: &[u8] = b"\0C_GetFunctionList\0\0\0\0\0\0";

const SYMBOLS_AT: usize = HEADER + 3 * SEGMENT;
const NAMES_AT: usize = SYMBOLS_AT + 2 * SYMBOL;
const HASH_AT: usize = NAMES_AT + NAMES.len();
/// Five words and one to fill up.
const DYNAMIC_AT: usize = HASH_AT + 24;
const ENTRIES: usize = 6;
const SIZE: usize = DYNAMIC_AT + ENTRIES * ENTRY;

/// Numbers in the byte order of this machine, one after the other.
struct Bytes(Vec<u8>);

impl Bytes {
    fn half(&mut self, values: &[u16]) -> &mut Self {
        values.iter().for_each(|value| self.0.extend(value.to_ne_bytes()));
        self
    }

    fn word(&mut self, values: &[u32]) -> &mut Self {
        values.iter().for_each(|value| self.0.extend(value.to_ne_bytes()));
        self
    }

    fn long(&mut self, values: &[usize]) -> &mut Self {
        values.iter().for_each(|value| self.0.extend(value.to_ne_bytes()));
        self
    }
}

/// The library for a function at this address. `machine` is e_machine of this program; `None` where addresses have not 64 bits.
///
/// The symbol is absolute (SHN_ABS): the loader hands out its value as it stands (glibc 2.28 and newer).
pub(super) fn library(address: usize, machine: u16) -> Option<Vec<u8>> {
    if usize::BITS != 64 {
        return None;
    }
    let order = if cfg!(target_endian = "big") { 2 } else { 1 };
    let mut out = Bytes(vec![0x7f, b'E', b'L', b'F', 2, order, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    // ET_DYN; three program headers after the header, no sections.
    out.half(&[3, machine]).word(&[1]).long(&[0, HEADER, 0]).word(&[0]);
    out.half(&[64, 56, 3, 64, 0, 0]);
    // PT_LOAD, readable and writable, all of the file; PT_DYNAMIC; PT_GNU_STACK, so that stacks stay without code.
    out.word(&[1, 6]).long(&[0, 0, 0, SIZE, SIZE, 0x1_0000]);
    let dynamic = ENTRIES * ENTRY;
    out.word(&[2, 6])
        .long(&[DYNAMIC_AT, DYNAMIC_AT, DYNAMIC_AT, dynamic, dynamic, 8]);
    out.word(&[0x6474_e551, 6]).long(&[0, 0, 0, 0, 0, 16]);
    // The empty symbol, then ours: its name, global function, absolute, its address.
    out.long(&[0, 0, 0]);
    out.word(&[1]).0.extend([0x12, 0]);
    out.half(&[0xfff1]).long(&[address, 0]);
    out.0.extend(NAMES);
    // A hash table of one bucket.
    out.word(&[1, 2, 1, 0, 0, 0]);
    // DT_HASH, DT_STRTAB, DT_SYMTAB, DT_STRSZ, DT_SYMENT, DT_NULL.
    out.long(&[4, HASH_AT, 5, NAMES_AT, 6, SYMBOLS_AT]);
    out.long(&[10, NAMES.len(), 11, SYMBOL, 0, 0]);
    Some(out.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may unwrap")]
mod tests {
    use super::*;

    #[test]
    fn everything_lies_where_the_headers_say() {
        let library = library(0x1234_5678, 0x3e).unwrap();
        assert_eq!(library.len(), SIZE);
        assert_eq!(&library[NAMES_AT + 1..NAMES_AT + 18], b"C_GetFunctionList");
        assert_eq!(DYNAMIC_AT % 8, 0);
        let value = SYMBOLS_AT + SYMBOL + 8;
        assert_eq!(library[value..value + 8], 0x1234_5678_usize.to_ne_bytes());
    }
}
