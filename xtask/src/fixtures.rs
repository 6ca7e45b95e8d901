//! `cargo xtask fixtures tld|leaf N`: large zones that look like real ones, the same bytes for the same seed.
//!
//! Owners come in random order, each with its records together, names absolute. `tld` is a delegation zone: two NS per child, a tenth with
//! DS, a tenth with glue (two A and an AAAA). `leaf` holds hosts: A and AAAA each, a fifth with TXT, a tenth with MX. A few dozen records
//! stand at and below the apex. Nothing is kept in memory: a keyed permutation of the numbers below 2³⁰ yields names without repetition.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use fs_err as fs;

use crate::layout;

/// Changes with the shape of the zones, so that files of an older shape are made anew.
const SHAPE: u32 = 1;

/// Which zone to make.
#[derive(Args, Clone)]
pub(crate) struct Fixture {
    /// The kind of zone
    kind: Kind,
    /// Delegations or hosts
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1 << 30))]
    count: u32,
    /// Another seed makes another zone of the same shape
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// The shape of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Delegations, a tenth of them signed: origin `tld.`
    Tld,
    /// Hosts with addresses: origin `example.`
    Leaf,
}

impl Kind {
    /// The zone's name, absolute.
    pub(crate) fn origin(self) -> &'static str {
        match self {
            Self::Tld => "tld.",
            Self::Leaf => "example.",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Tld => "tld",
            Self::Leaf => "leaf",
        }
    }
}

impl Fixture {
    /// A zone of `count` delegations or hosts, with the default seed.
    pub(crate) fn new(kind: Kind, count: u32) -> Self {
        Self { kind, count, seed: 1 }
    }

    /// Where the zone lies once it is made.
    fn path(&self) -> PathBuf {
        let folder = layout::target().join("fixtures");
        folder.join(format!("{}-{}.zone", self.kind.name(), self.count))
    }

    /// The first line, by which a finished file is known again.
    fn heading(&self) -> String {
        format!(
            "; signet fixture {} {} seed {} shape {SHAPE}",
            self.kind.name(),
            self.count,
            self.seed
        )
    }
}

/// Makes the zone or takes the finished file; prints its path and origin.
pub(crate) fn run(fixture: &Fixture) -> Result<()> {
    let path = make(fixture)?;
    println!("{} {}", path.display(), fixture.kind.origin());
    Ok(())
}

/// The zone's file, made unless it is there.
pub(crate) fn make(fixture: &Fixture) -> Result<PathBuf> {
    let path = fixture.path();
    if first_line(&path).is_some_and(|line| line == fixture.heading()) {
        return Ok(path);
    }
    let folder = path.parent().context("a fixture lies in a folder")?;
    fs::create_dir_all(folder)?;
    let unfinished = path.with_extension("part");
    let mut out = BufWriter::with_capacity(1 << 16, fs::File::create(&unfinished)?);
    write_zone(fixture, &mut out)?;
    out.into_inner()?.sync_all()?;
    fs::rename(&unfinished, &path)?;
    Ok(path)
}

fn first_line(path: &Path) -> Option<String> {
    BufReader::new(std::fs::File::open(path).ok()?).lines().next()?.ok()
}

/// The zone's text.
fn write_zone(fixture: &Fixture, out: &mut impl Write) -> Result<()> {
    let origin = fixture.kind.origin();
    let mut random = SplitMix64(fixture.seed);
    let permutation = Permutation::new(&mut random);
    writeln!(out, "{}", fixture.heading())?;
    write_apex(origin, &mut random, out)?;
    let mut name = String::new();
    for index in 0..fixture.count {
        name.clear();
        push_name(permutation.image(index), &mut name);
        match fixture.kind {
            Kind::Tld => write_delegation(&name, origin, &mut random, out)?,
            Kind::Leaf => write_host(&name, origin, &mut random, out)?,
        }
    }
    Ok(())
}

fn write_apex(origin: &str, random: &mut SplitMix64, out: &mut impl Write) -> Result<()> {
    writeln!(
        out,
        "{origin}\t86400\tIN\tSOA\ta.nic.{origin} hostmaster.nic.{origin} 2026010101 7200 3600 1209600 3600"
    )?;
    for server in 'a'..='h' {
        writeln!(out, "{origin}\t172800\tIN\tNS\t{server}.nic.{origin}")?;
    }
    writeln!(out, "{origin}\t3600\tIN\tA\t{}", random.ipv4())?;
    for server in 'a'..='h' {
        writeln!(out, "{server}.nic.{origin}\t172800\tIN\tA\t{}", random.ipv4())?;
        writeln!(out, "{server}.nic.{origin}\t172800\tIN\tAAAA\t{}", random.ipv6())?;
    }
    Ok(())
}

fn write_delegation(name: &str, origin: &str, random: &mut SplitMix64, out: &mut impl Write) -> Result<()> {
    let glue = random.one_in(10);
    if glue {
        for server in ["ns1", "ns2"] {
            writeln!(out, "{name}.{origin}\t86400\tIN\tNS\t{server}.{name}.{origin}")?;
        }
    } else {
        let hoster = random.below(2000);
        for server in ["ns1", "ns2"] {
            writeln!(out, "{name}.{origin}\t86400\tIN\tNS\t{server}.dns{hoster}.example.")?;
        }
    }
    if random.one_in(10) {
        let tag = random.below(1 << 16);
        let digest = [(); 4].map(|()| random.next());
        let [a, b, c, d] = digest;
        writeln!(
            out,
            "{name}.{origin}\t3600\tIN\tDS\t{tag} 13 2 {a:016X}{b:016X}{c:016X}{d:016X}"
        )?;
    }
    if glue {
        writeln!(out, "ns1.{name}.{origin}\t86400\tIN\tA\t{}", random.ipv4())?;
        writeln!(out, "ns1.{name}.{origin}\t86400\tIN\tAAAA\t{}", random.ipv6())?;
        writeln!(out, "ns2.{name}.{origin}\t86400\tIN\tA\t{}", random.ipv4())?;
    }
    Ok(())
}

fn write_host(name: &str, origin: &str, random: &mut SplitMix64, out: &mut impl Write) -> Result<()> {
    writeln!(out, "{name}.{origin}\t3600\tIN\tA\t{}", random.ipv4())?;
    writeln!(out, "{name}.{origin}\t3600\tIN\tAAAA\t{}", random.ipv6())?;
    if random.one_in(5) {
        let token = random.next();
        writeln!(
            out,
            "{name}.{origin}\t3600\tIN\tTXT\t\"v=spf1 include:_spf{token:08x}.example -all\""
        )?;
    }
    if random.one_in(10) {
        let exchange = random.below(500);
        writeln!(out, "{name}.{origin}\t3600\tIN\tMX\t10 mx{exchange}.mail.example.")?;
    }
    Ok(())
}

/// Four syllables of six bits each and one of 64 endings: a different label for each number below 2³⁰.
///
/// A syllable is consonants and one vowel, so the label can be taken apart again: none is made twice.
fn push_name(number: u32, name: &mut String) {
    const ONSETS: [&str; 16] = [
        "b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "st", "br", "ch",
    ];
    const NUCLEI: [&str; 4] = ["a", "e", "i", "o"];
    const ENDINGS: [&str; 32] = [
        "",
        "s",
        "net",
        "-net",
        "online",
        "shop",
        "-shop",
        "media",
        "tech",
        "-group",
        "web",
        "24",
        "-24",
        "info",
        "lab",
        "labs",
        "hub",
        "soft",
        "-it",
        "care",
        "tours",
        "foto",
        "art",
        "bau",
        "print",
        "design",
        "-design",
        "travel",
        "store",
        "club",
        "-club",
        "consulting",
    ];
    let bits = |shift: u32, mask: u32| usize::try_from((number >> shift) & mask).unwrap_or_default();
    for syllable in 0..4 {
        name.push_str(ONSETS[bits(syllable * 6, 15)]);
        name.push_str(NUCLEI[bits(syllable * 6 + 4, 3)]);
    }
    let ending = bits(24, 63);
    match ENDINGS.get(ending) {
        Some(word) => name.push_str(word),
        // The endings 24 and -24 are words already: numbers start above them.
        None => name.push_str(&(ending + 100).to_string()),
    }
}

/// Sebastiano Vigna's SplitMix64 (public domain): fast, seeded by any number, and ours, so the bytes never change under us.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    /// From 198.18.0.0/15, which is set aside for benchmarks (RFC 2544).
    fn ipv4(&mut self) -> String {
        let [a, b, c, ..] = self.next().to_le_bytes();
        format!("198.{}.{b}.{c}", 18 + a % 2)
    }

    /// From 2001:db8::/32, which is set aside for documentation (RFC 3849).
    fn ipv6(&mut self) -> String {
        let [a, b, c, d, e, f, ..] = self.next().to_le_bytes();
        let word = |high, low| u16::from_be_bytes([high, low]);
        format!("2001:db8:{:x}:{:x}::{:x}", word(a, b), word(c, d), word(e, f))
    }
}

/// A permutation of the numbers below 2³⁰: four rounds of a Feistel network on halves of 15 bits.
struct Permutation([u64; 4]);

impl Permutation {
    fn new(random: &mut SplitMix64) -> Self {
        Self([(); 4].map(|()| random.next()))
    }

    fn image(&self, number: u32) -> u32 {
        const HALF: u32 = (1 << 15) - 1;
        let (mut left, mut right) = ((number >> 15) & HALF, number & HALF);
        for key in self.0 {
            let [a, b, ..] = SplitMix64(key ^ u64::from(right)).next().to_le_bytes();
            let mixed = u32::from(u16::from_le_bytes([a, b])) & HALF;
            (left, right) = (right, left ^ mixed);
        }
        (left << 15) | right
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn zone(kind: Kind, count: u32, seed: u64) -> Result<String> {
        let mut text = Vec::new();
        write_zone(&Fixture { kind, count, seed }, &mut text)?;
        Ok(String::from_utf8(text)?)
    }

    #[test]
    fn the_same_seed_makes_the_same_bytes_and_another_seed_others() -> Result<()> {
        assert_eq!(zone(Kind::Tld, 500, 7)?, zone(Kind::Tld, 500, 7)?);
        assert_ne!(zone(Kind::Tld, 500, 7)?, zone(Kind::Tld, 500, 8)?);
        Ok(())
    }

    #[test]
    fn no_name_comes_twice() {
        let permutation = Permutation::new(&mut SplitMix64(1));
        let names: HashSet<String> = (0..200_000)
            .map(|index| {
                let mut name = String::new();
                push_name(permutation.image(index), &mut name);
                name
            })
            .collect();
        assert_eq!(names.len(), 200_000);
    }

    #[test]
    fn the_shares_of_types_are_those_of_the_measured_zones() -> Result<()> {
        let count = |text: &str, rtype: &str| text.matches(&format!("\tIN\t{rtype}\t")).count();
        let tld = zone(Kind::Tld, 10_000, 1)?;
        assert_eq!(count(&tld, "NS"), 20_008);
        assert!((900..1100).contains(&count(&tld, "DS")));
        assert!((1800..2250).contains(&count(&tld, "A")));
        let leaf = zone(Kind::Leaf, 10_000, 1)?;
        assert_eq!(count(&leaf, "AAAA"), 10_008);
        assert!((1900..2100).contains(&count(&leaf, "TXT")));
        assert!((900..1100).contains(&count(&leaf, "MX")));
        Ok(())
    }

    #[test]
    fn owners_are_not_in_order() -> Result<()> {
        let leaf = zone(Kind::Leaf, 1000, 1)?;
        let owners: Vec<&str> = leaf
            .lines()
            .skip(1)
            .filter_map(|line| line.split('\t').next())
            .collect();
        assert!(!owners.is_sorted());
        Ok(())
    }
}
