//! The rules a signed zone is held to: one name, one severity and one reference each. The names are stable: they
//! appear in reports and scripts may match on them. The rules' logic is in the files that add findings.

use std::fmt;

/// What a finding means for the zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; the zone validates all the same, or nothing can be said with this build.
    Warning,
    /// The zone must not be published so.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

macro_rules! rules {
    ($($variant:ident $severity:ident $name:literal $reference:literal $doc:literal)*) => {
        /// A rule of the verifier.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $(#[doc = $doc] $variant,)*
        }

        impl Rule {
            /// All rules, in the order of the report.
            pub const ALL: &'static [Rule] = &[$(Rule::$variant),*];

            /// The stable name, in kebab case.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Where the rule comes from.
            #[must_use]
            pub fn reference(self) -> &'static str {
                match self {
                    $(Self::$variant => $reference,)*
                }
            }

            /// What a breach means.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self {
                    $(Self::$variant => Severity::$severity,)*
                }
            }
        }
    };
}

rules! {
    // The partition itself.
    CanonicalOrder Error "canonical-order" "RFC 4034 6.1" "Names do not come in canonical order."
    OutOfZone Error "out-of-zone" "RFC 1034 4.2" "A name that is not at or below the origin."
    Border Error "partition-border" "RFC 4035 2.2" "A partition was judged under another zone cut than the one in force at its start, or the apex was not among the nodes."

    // Zone contents.
    SoaNotSingle Error "soa-not-single" "RFC 1035 5.2" "The apex has no SOA record or several."
    SoaOffApex Error "soa-off-apex" "RFC 1035 5.2" "An SOA record below the apex."
    NotSingle Error "not-single" "RFC 2181 10.1" "Several CNAME or DNAME records at one name."
    CnameAndOtherData Error "cname-and-other-data" "RFC 4035 2.5" "A CNAME beside records other than RRSIG, NSEC and KEY."
    DnameBesideNs Warning "dname-beside-ns" "RFC 6672 2.3" "A DNAME at a delegation."
    DsWithoutNs Error "ds-without-ns" "RFC 4035 2.4" "A DS set where there is no delegation."
    DsAtApex Error "ds-at-apex" "RFC 4035 2.4" "A DS set at the apex."
    DnskeyOffApex Error "dnskey-off-apex" "RFC 4035 2.1" "A DNSKEY set below the apex."
    TtlDiffers Error "ttl-differs" "RFC 2181 5.2" "Records of one set with different TTLs."
    RdataMalformed Error "rdata-malformed" "RFC 3597 2" "RDATA that does not have the shape of its type."
    RdataDoubtful Warning "rdata-doubtful" "RFC 3597 2" "RDATA of the right shape with contents that the second decoder does not take."

    // Keys.
    NotSigned Error "not-signed" "RFC 4035 2.2" "The apex has no signatures: the zone is not signed."
    DnskeyMissing Error "dnskey-missing" "RFC 4035 2.1" "The apex has no usable DNSKEY."
    DnskeyMalformed Error "dnskey-malformed" "RFC 4034 2.1" "A DNSKEY that is no key of its algorithm."
    AlgorithmUnverifiable Warning "algorithm-unverifiable" "RFC 4035 5.2" "A key whose algorithm or size this build cannot verify: its signatures are checked in everything but the cryptography."
    AlgorithmSignsNothing Error "algorithm-signs-nothing" "RFC 4035 2.2" "An algorithm of the DNSKEY set that signs nothing at the apex."
    KskNotSelfSigned Error "ksk-not-self-signed" "RFC 4035 2.2" "No key with the SEP flag signs the DNSKEY set."
    NoSepKey Warning "no-sep-key" "RFC 4034 2.1.1" "No key has the SEP flag."
    RevokedNotSelfSigned Error "revoked-not-self-signed" "RFC 5011 2.1" "A revoked key that does not sign the DNSKEY set."
    EqualTags Error "equal-key-tags" "RFC 4034 8" "More keys with one algorithm and key tag than a validator tries."

    DsNoEntry Error "ds-no-entry-point" "RFC 4035 5.2" "No DS of the parent leads to a key that signs the DNSKEY set."
    DsAlgorithm Error "ds-algorithm" "RFC 6840 5.11" "An algorithm of the parent's DS set by which no key named there signs the DNSKEY set."
    DsDigest Error "ds-digest" "RFC 4034 5.1.4" "A DS of the parent with a key's tag and algorithm and another digest."
    DsWithoutKey Warning "ds-without-key" "RFC 4035 2.4" "A DS of the parent that names no key of the DNSKEY set."
    DsUnknown Warning "ds-unknown" "RFC 4035 5.2" "A DS of the parent whose digest type this build cannot compute."

    // Signatures.
    RrsigMalformed Error "rrsig-malformed" "RFC 4034 3.1" "An RRSIG that cannot be read."
    SignatureMissing Error "signature-missing" "RFC 4035 2.2" "A set without any signature by a key of the zone."
    AlgorithmMissing Error "algorithm-missing" "RFC 4035 2.2" "A set that lacks a signature of one of the zone's algorithms."
    SignatureInvalid Error "signature-invalid" "RFC 4035 5.3.3" "A signature that does not verify."
    SignatureTries Error "too-many-failures" "RFC 4035 5.3.3" "More signatures of a set fail than a validator tries; the rest was not tried."
    SignatureExpired Error "signature-expired" "RFC 4035 5.3.1" "A signature whose expiration is past."
    SignatureNotYetValid Error "signature-not-yet-valid" "RFC 4035 5.3.1" "A signature whose inception is still to come."
    SignatureWindow Error "signature-window" "RFC 4034 3.1.5" "A signature that expires before its inception."
    SignatureTtl Error "signature-ttl" "RFC 4035 2.2" "An RRSIG whose TTL is not that of the set."
    OriginalTtl Error "original-ttl" "RFC 4035 2.2" "An RRSIG whose original TTL is not the TTL of the set."
    Labels Error "labels" "RFC 4034 3.1.3" "An RRSIG whose label count is not that of the owner."
    SignerName Error "signer-name" "RFC 4035 2.2" "An RRSIG whose signer is not the zone."
    StrayRrsig Error "stray-rrsig" "RFC 4035 2.2" "An RRSIG over a type that is not at the name, or over RRSIGs."
    SignatureNotAuthoritative Error "signature-not-authoritative" "RFC 4035 2.2" "A signature over data that is not authoritative: a delegation's NS, glue, what lies below a cut or a DNAME."
    SignerUnknown Warning "signer-unknown" "RFC 4035 2.2" "A signature by a key that is not in the DNSKEY set, beside a good one."
    SignerRevoked Warning "signer-revoked" "RFC 5011 2.1" "A signature by a revoked key over another set than DNSKEY: it counts for nothing."

    ExpiresCritically Error "expires-critically" "RFC 6781 4.4.2" "A signature expires within the days that count as critical."
    ExpiresSoon Warning "expires-soon" "RFC 6781 4.4.2" "A signature expires within the days that are warned of."

    // Denial of existence.
    DenialMissing Error "denial-missing" "RFC 4035 2.3" "The apex has neither NSEC nor a usable NSEC3PARAM."
    DenialTtl Error "denial-ttl" "RFC 9077 3" "An NSEC or NSEC3 whose TTL is not the lesser of the SOA's TTL and its MINIMUM field."
    NsecMissing Error "nsec-missing" "RFC 4035 2.3" "An authoritative name without NSEC."
    NsecNotSingle Error "nsec-not-single" "RFC 4035 2.3" "Several NSEC records at one name."
    NsecNext Error "nsec-next" "RFC 4034 4.1.1" "An NSEC whose next name is not the next name of the zone."
    NsecBitmap Error "nsec-bitmap" "RFC 4034 4.1.2" "An NSEC whose types are not those at the name."
    NsecExtra Error "nsec-extra" "RFC 4035 2.3" "An NSEC where none belongs: at a name without other data, or one that is not authoritative."
    NsecUnexpected Error "nsec-unexpected" "RFC 5155 7.1" "An NSEC in a zone whose apex has none."
    Nsec3Param Error "nsec3param" "RFC 5155 4.1" "An NSEC3PARAM record that no NSEC3 chain can follow."
    Nsec3Algorithm Error "nsec3-algorithm" "RFC 5155 2" "NSEC3 beside a key of an algorithm that knows only NSEC."
    Nsec3Iterations Error "nsec3-iterations" "RFC 9276 3.2" "More NSEC3 iterations than validators compute; the chain was not checked."
    Nsec3SomeIterations Warning "nsec3-some-iterations" "RFC 9276 3.1" "NSEC3 with extra iterations."
    Nsec3Owner Error "nsec3-owner" "RFC 5155 3" "An NSEC3 at an owner that is no hashed name."
    Nsec3Malformed Error "nsec3-malformed" "RFC 5155 3.2" "An NSEC3 that cannot be read, or has unknown flags."
    Nsec3Parameters Error "nsec3-parameters" "RFC 5155 7.1" "An NSEC3 whose parameters are those of no NSEC3PARAM."
    Nsec3Duplicate Error "nsec3-duplicate" "RFC 5155 7.1" "Several NSEC3 records for one hash and set of parameters."
    Nsec3Missing Error "nsec3-missing" "RFC 5155 7.1" "A name or empty non-terminal without NSEC3, and not in an opt-out span that may leave it out."
    Nsec3Extra Error "nsec3-extra" "RFC 5155 7.1" "An NSEC3 for no name of the zone."
    Nsec3Bitmap Error "nsec3-bitmap" "RFC 5155 3.2.1" "An NSEC3 whose types are not those at its name."
    Nsec3Next Error "nsec3-next" "RFC 5155 7.1" "An NSEC3 whose next hash is not the next in the chain."
    Nsec3Collision Error "nsec3-collision" "RFC 5155 7.1" "Two names with one hash: another salt is needed."

    // The digest of the zone.
    ZonemdDigest Error "zonemd-digest" "RFC 8976 4" "A ZONEMD whose digest is not that of the zone."
    ZonemdSerial Error "zonemd-serial" "RFC 8976 2.2.1" "A ZONEMD for another serial than the SOA's."
    ZonemdNotSingle Error "zonemd-not-single" "RFC 8976 2.2.2" "Several ZONEMD records of one scheme and hash algorithm."
    ZonemdMalformed Error "zonemd-malformed" "RFC 8976 2.2" "A ZONEMD that is cut off, or whose digest has the wrong length."
    ZonemdUnknown Warning "zonemd-unknown" "RFC 8976 5.3" "A ZONEMD whose scheme or hash algorithm is not known: it was not checked."
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_in_kebab_case() {
        let mut names: Vec<_> = Rule::ALL.iter().map(|rule| rule.name()).collect();
        assert!(names.iter().all(|name| {
            name.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        }));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Rule::ALL.len());
    }

    #[test]
    fn the_table_is_in_the_order_of_the_variants() {
        assert!(Rule::ALL.iter().enumerate().all(|(at, &rule)| rule as usize == at));
    }
}
