//! Which judge is wrong about which zone, and about nothing else: a committed table. An entry that does not occur fails, so the
//! table cannot outlive a judge's fault. Written with dnssec-verify 9.18.49, ldns-verify-zone 1.8.3, kzonecheck 3.2.6, validns 0.8.

use std::path::Path;

use signet_tests::judges::Judge;

use crate::signing::Denial;

/// A valid zone that a judge rejects.
struct Misjudgement {
    judge: Judge,
    /// The zone's name.
    zone: &'static str,
    denials: &'static [Denial],
    /// Why the judge is wrong.
    reason: &'static str,
}

const EVERY: &[Denial] = &Denial::ALL;

const TABLE: &[Misjudgement] = &[
    Misjudgement {
        judge: Judge::Knot,
        zone: "dnames",
        denials: EVERY,
        reason: "data below a DNAME is occluded, not an error (RFC 6672 2.4)",
    },
    Misjudgement {
        judge: Judge::Knot,
        zone: "crowded",
        denials: EVERY,
        reason: "data below a DNAME is occluded, not an error (RFC 6672 2.4)",
    },
    Misjudgement {
        judge: Judge::Knot,
        zone: "hot-1",
        denials: EVERY,
        reason: "data below a DNAME is occluded, not an error (RFC 6672 2.4)",
    },
    Misjudgement {
        judge: Judge::Knot,
        zone: "hot-2",
        denials: EVERY,
        reason: "data below a DNAME is occluded, not an error (RFC 6672 2.4)",
    },
    Misjudgement {
        judge: Judge::Knot,
        zone: "hot-3",
        denials: EVERY,
        reason: "data below a DNAME is occluded, not an error (RFC 6672 2.4)",
    },
    Misjudgement {
        judge: Judge::Ldns,
        zone: "odd-labels",
        denials: &[Denial::Nsec],
        reason: "an NSEC whose next name begins with a NUL byte is read wrongly",
    },
    Misjudgement {
        judge: Judge::Validns,
        zone: "every-type",
        denials: EVERY,
        reason: "SVCB, HTTPS, CAA and unknown types are not read",
    },
    Misjudgement {
        judge: Judge::Validns,
        zone: "odd-labels",
        denials: EVERY,
        reason: "escapes in names are not read",
    },
    Misjudgement {
        judge: Judge::Validns,
        zone: "wildcards",
        denials: EVERY,
        reason: "an escaped asterisk is not read",
    },
    Misjudgement {
        judge: Judge::Validns,
        zone: "cuts",
        denials: &[Denial::Nsec, Denial::Nsec3, Denial::Salted],
        reason: "other data at a cut is not in the bitmap (RFC 4035 2.3)",
    },
    Misjudgement {
        judge: Judge::Validns,
        zone: "root-like-20",
        denials: EVERY,
        reason: "no name is taken to be below the root",
    },
];

/// The verdicts of these judges on a signed zone are those of the table.
///
/// # Panics
/// When a judge rejects without an entry, or an entry does not occur.
#[track_caller]
pub fn check(judges: &[Judge], file: &Path, zone: &str, origin: &str, denial: Denial) {
    for judge in judges {
        let entry = TABLE
            .iter()
            .find(|entry| entry.judge == *judge && entry.zone == zone && entry.denials.contains(&denial));
        match (judge.complaint(file, origin), entry) {
            (None, None) | (Some(_), Some(_)) => {}
            (Some(complaint), None) => panic!("{} rejects {zone} ({denial:?}): {complaint}", judge.name()),
            (None, Some(entry)) => {
                panic!(
                    "{} accepts {zone} ({denial:?}), but the table says: {}",
                    judge.name(),
                    entry.reason
                )
            }
        }
    }
}

/// The judges that know an algorithm.
pub fn judges(algorithm: &str) -> &'static [Judge] {
    match algorithm {
        "RSASHA256" | "RSASHA512" => &[Judge::Bind, Judge::Ldns, Judge::Knot, Judge::Validns],
        _ => &[Judge::Bind, Judge::Ldns, Judge::Knot],
    }
}
