//! Numbers that are the same for the same seed on every machine and with every version of every library.

/// SplitMix64 (public domain, Sebastiano Vigna).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Starts a sequence.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next_u64() % bound as u64).expect("below a usize")
    }

    /// True once in `bound` times.
    pub fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    /// One of these.
    pub fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len())]
    }

    /// An address set aside for benchmarks (RFC 2544).
    pub fn ipv4(&mut self) -> String {
        let [a, b, c, ..] = self.next_u64().to_le_bytes();
        format!("198.{}.{b}.{c}", 18 + a % 2)
    }

    /// An address set aside for documentation (RFC 3849).
    pub fn ipv6(&mut self) -> String {
        let [a, b, c, d, e, f, ..] = self.next_u64().to_le_bytes();
        let word = |high, low| u16::from_be_bytes([high, low]);
        format!("2001:db8:{:x}:{:x}::{:x}", word(a, b), word(c, d), word(e, f))
    }

    /// `count` bytes as hexadecimal digits.
    pub fn hex(&mut self, count: usize) -> String {
        (0..count).map(|_| format!("{:02X}", self.below(256))).collect()
    }
}
