//! What is decided for the whole zone before its first partition: the SOA and its serial, the DNSKEY set, who signs
//! what, the denial parameters. Reads the apex alone.

use dnssec_sign::{
    Class, Denial, Dnskey, KeyCandidate, KeySet, KeySetEntry, KeySource, KeyTimes, Node, NodeList, OwnedRecord,
    RecordType, ZoneContext, ZoneSigner, date_number, next_serial,
};
use zone_io::{Run, lookup};

use crate::config::{SignConfig, SigningKeys};
use crate::error::Error;

/// The five numbers at the end of SOA RDATA take 20 bytes (RFC 1035 3.3.13).
const SOA_NUMBERS: usize = 20;

/// The zone as decided.
pub(crate) struct Decision {
    pub(crate) context: ZoneContext,
    pub(crate) keys: KeySet,
    pub(crate) serial: u32,
    pub(crate) warnings: Vec<String>,
}

/// Decides from the apex's records, the keys and the policy.
///
/// # Errors
/// [`Error::Input`] when the apex is not that of a zone or the keys cannot sign it.
pub(crate) fn decide(runs: &[Run], config: &SignConfig, keys: &SigningKeys) -> Result<Decision, Error> {
    let origin = config.origin.borrow();
    let mut found = NodeList::new();
    if !lookup(runs, origin, &[], &mut found) {
        return Err(no_soa(config));
    }
    let apex = found.node(0);
    let soa = match apex.set(RecordType::SOA) {
        [] => return Err(no_soa(config)),
        [soa] => soa,
        [first, rest @ ..] => {
            if rest.iter().any(|other| other.rdata != first.rdata) {
                return Err(Error::Input(format!(
                    "{}: {} SOA records at {origin}: a zone has one",
                    config.zone_file.display(),
                    rest.len() + 1
                )));
            }
            first
        }
    };
    let mut warnings = Vec::new();
    let now = moment(config.now);
    let (serial, minimum) = serial_and_minimum(soa.rdata);
    let (new_serial, serial_warning) = next_serial(serial, config.policy.serial, now, date_number(now));
    warnings.extend(serial_warning.map(|warning| warning.to_string()));

    let mut candidates = keys.candidates.clone();
    candidates.extend(keys_of_zone(&apex)?);
    let key_set = KeySet::new(&candidates, now, soa.ttl, &config.policy.denial, &config.key_options)
        .map_err(|error| Error::Input(error.to_string()))?;
    warnings.extend(key_set.warnings().iter().map(ToString::to_string));

    let mut records = vec![OwnedRecord {
        rtype: RecordType::SOA,
        ttl: soa.ttl,
        rdata: with_serial(soa.rdata, new_serial),
    }];
    records.extend(key_set.published().map(|dnskey| OwnedRecord {
        rtype: RecordType::DNSKEY,
        ttl: key_set.ttl(),
        rdata: dnskey.rdata().to_vec(),
    }));
    let nsec3 = match &config.policy.denial {
        Denial::Nsec => None,
        Denial::Nsec3(params) => {
            let mut rdata = Vec::new();
            params.write_nsec3param(&mut rdata);
            records.push(OwnedRecord {
                rtype: RecordType::NSEC3PARAM,
                ttl: 0,
                rdata,
            });
            Some(params.clone())
        }
    };
    let context = ZoneContext {
        origin: config.origin.clone(),
        class: Class::IN,
        negative_ttl: soa.ttl.min(minimum),
        nsec3,
        apex: records,
        key_signers: signers(key_set.signers_of_apex_keys()),
        sync_signers: signers(key_set.signers_of_sync()),
        zone_signers: signers(key_set.signers_of_rest()),
        inception: config.policy.inception,
        expiration: config.policy.expiration,
        dnskey_expiration: config.policy.dnskey_expiration,
    };
    Ok(Decision {
        context,
        keys: key_set,
        serial: new_serial,
        warnings,
    })
}

fn no_soa(config: &SignConfig) -> Error {
    Error::Input(format!(
        "{}: no SOA record at {}: is this the zone's origin? -o names it",
        config.zone_file.display(),
        config.origin
    ))
}

/// The zone's own DNSKEYs as candidates without a private half.
fn keys_of_zone(apex: &Node<'_>) -> Result<Vec<KeyCandidate>, Error> {
    apex.set(RecordType::DNSKEY)
        .iter()
        .map(|record| {
            let dnskey = Dnskey::from_rdata(record.rdata)
                .map_err(|error| Error::Input(format!("a DNSKEY of the zone (line {}): {error}", record.locus.line)))?;
            Ok(KeyCandidate {
                dnskey,
                source: KeySource::PublicOnly,
                times: KeyTimes::default(),
                explicit: false,
                ttl: Some(record.ttl),
                in_zone: true,
            })
        })
        .collect()
}

fn signers<'k>(entries: impl Iterator<Item = &'k KeySetEntry>) -> Vec<ZoneSigner> {
    entries.filter_map(KeySetEntry::zone_signer).collect()
}

/// Seconds since 1970 as RRSIGs have them, modulo 2^32 (RFC 4034 3.1.5).
pub(crate) fn moment(seconds: u64) -> u32 {
    let [_, _, _, _, a, b, c, d] = seconds.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

fn serial_and_minimum(soa: &[u8]) -> (u32, u32) {
    let number = |from_end: usize| {
        soa.len()
            .checked_sub(from_end)
            .and_then(|at| soa.get(at..at + 4))
            .and_then(|bytes| bytes.try_into().ok())
            .map_or(0, u32::from_be_bytes)
    };
    (number(SOA_NUMBERS), number(4))
}

fn with_serial(soa: &[u8], serial: u32) -> Vec<u8> {
    let mut rdata = soa.to_vec();
    if let Some(at) = soa.len().checked_sub(SOA_NUMBERS) {
        rdata[at..at + 4].copy_from_slice(&serial.to_be_bytes());
    }
    rdata
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_serial_is_the_first_of_five_numbers() {
        let mut soa = vec![0, 0];
        soa.extend([7u32, 1, 2, 3, 300].iter().flat_map(|number| number.to_be_bytes()));
        assert_eq!(serial_and_minimum(&soa), (7, 300));
        assert_eq!(serial_and_minimum(&with_serial(&soa, 9)), (9, 300));
    }
}
