//! What is decided for the whole zone before its first partition: the SOA and its serial, the DNSKEY set, who signs
//! what, the denial parameters. Reads the apex alone.

use dnssec_sign::{
    Class, Denial, Dnskey, KeyCandidate, KeySet, KeySetEntry, KeySetOptions, KeySetWarning, KeySource, KeyTimes, Node,
    NodeList, Nsec3Hasher, Nsec3Params, OwnedRecord, RecordRef, RecordStates, RecordType, SerialPolicy, Succession,
    ZoneContext, ZoneSigner, date_number, next_serial, serial_later, write_hash_label,
};
use zone_io::{Run, lookup};

use crate::config::{InputDnssec, SignConfig, SigningKeys};
use crate::error::Error;
use crate::known_keys;
use crate::offline::{DnskeySetFile, Signed};
use crate::previous::Previous;
use crate::sync;
use crate::tally::Tally;

/// The five numbers at the end of SOA RDATA take 20 bytes (RFC 1035 3.3.13).
const SOA_NUMBERS: usize = 20;

/// The zone as decided.
pub(crate) struct Decision {
    pub(crate) context: ZoneContext,
    pub(crate) keys: KeySet,
    pub(crate) serial: u32,
    /// The serial of the input.
    pub(crate) input_serial: u32,
    /// The SOA's expire field, in seconds.
    pub(crate) expire: u32,
    /// Whether the input has an NSEC3 chain.
    pub(crate) input_has_chain: bool,
    /// Whether signatures may stay: there are some.
    pub(crate) again: bool,
    pub(crate) warnings: Vec<String>,
}

impl Decision {
    /// A warning when a signature ends before a secondary that lost its primary would stop serving it.
    pub(crate) fn short_validity(&self, tally: &Tally, now: u32) -> Option<String> {
        let left = tally.earliest_expiry()?.wrapping_sub(now);
        let needed = self.expire.saturating_add(tally.max_ttl());
        (left < needed).then(|| {
            format!(
                "the first signature ends in {left} s, before {needed} s are over (SOA expire and the largest TTL): a \
                 secondary that loses its primary would serve expired signatures"
            )
        })
    }
}

/// What earlier runs left.
#[derive(Clone, Copy, Default)]
pub(crate) struct Earlier<'a> {
    /// The head of the file that the output takes the place of.
    pub(crate) output: Option<&'a Previous>,
    /// The runs of the previous output whose signatures are taken over.
    pub(crate) runs: Option<&'a [Run]>,
    /// The serial of the run that is taken up again.
    pub(crate) serial: Option<u32>,
}

/// Decides from the apex's records, the keys and the policy.
///
/// # Errors
/// [`Error::Input`] when the apex is not that of a zone or the keys cannot sign it.
pub(crate) fn decide(
    runs: &[Run],
    config: &SignConfig,
    keys: &SigningKeys,
    earlier: Earlier<'_>,
) -> Result<Decision, Error> {
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
    let mut old_nodes = NodeList::new();
    let old_apex = match earlier.runs {
        Some(runs) if lookup(runs, origin, &[], &mut old_nodes) => Some(old_nodes.node(0)),
        _ => None,
    };
    let mut warnings = Vec::new();
    let now = moment(config.now);
    let max_ttl = config.max_ttl.unwrap_or(u32::MAX);
    let input_serial = serial_of(soa.rdata);
    let [minimum, expire] = [4, 8].map(|from_end| soa_number(soa.rdata, from_end));
    let old_serial = old_apex.and_then(|apex| apex.set(RecordType::SOA).first().map(|soa| serial_of(soa.rdata)));
    let serial = [old_serial, earlier.output.map(|output| output.serial)]
        .into_iter()
        .flatten()
        .fold(input_serial, serial_later);
    let base = match config.policy.serial {
        SerialPolicy::Keep => input_serial,
        _ => serial,
    };
    let (new_serial, serial_warning) = match earlier.serial {
        Some(serial) => (serial, None),
        None => next_serial(base, config.policy.serial, now, date_number(now)),
    };
    warnings.extend(serial_warning.map(|warning| warning.to_string()));

    let denial = denial(runs, &apex, config)?;
    let ceremony = config
        .reuse
        .dnskey_set
        .as_deref()
        .map(|path| DnskeySetFile::read(path, &config.origin))
        .transpose()?;
    let mut candidates = keys.candidates.clone();
    candidates.extend(match &ceremony {
        Some(file) => file.candidates()?,
        None => keys_of_zone(&apex)?,
    });
    let options = KeySetOptions {
        offline_ksk: true,
        ..config.key_options
    };
    let key_set =
        KeySet::new(&candidates, now, soa.ttl, &denial, &options).map_err(|error| Error::Input(error.to_string()))?;
    if let Some(file) = &ceremony {
        file.check_published(&key_set)?;
    }

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
    let nsec3 = match &denial {
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
    records.extend(config.zonemd.iter().map(|hash| OwnedRecord {
        rtype: RecordType::ZONEMD,
        ttl: soa.ttl,
        rdata: hash.rdata(new_serial, &vec![0; hash.digest_length()]),
    }));
    let retention = known_keys::retention(
        &key_set,
        &candidates,
        &config.policy,
        &config.reuse,
        now,
        old_apex.as_ref(),
    );
    let (announced, supplied) = ceremony.map_or_else(Default::default, |file| (file.sync, file.signatures));
    let announced = if announced.is_empty() {
        sync::records(&apex, &key_set, &candidates, config, now)?
    } else {
        announced
    };
    let mut rrsigs: Vec<RecordRef<'_>> = Vec::new();
    if retention.use_input {
        rrsigs.extend(apex.set(RecordType::RRSIG));
    }
    rrsigs.extend(old_apex.iter().flat_map(|apex| apex.set(RecordType::RRSIG)));
    let signed = Signed {
        set: &key_set,
        retention: &retention,
        rrsigs: &rrsigs,
        supplied: &supplied,
        config,
    };
    let vouched = signed.vouched(&records)?;
    signed.check_sync(&announced)?;
    let of_ksk = |warning: &&KeySetWarning| !vouched || !matches!(warning, KeySetWarning::NoKskSigns { .. });
    warnings.extend(key_set.warnings().iter().filter(of_ksk).map(ToString::to_string));
    if let Some(output) = earlier.output {
        output.check(new_serial, &key_set, now, config.key_options.insist)?;
    }
    let context = ZoneContext {
        origin: config.origin.clone(),
        class: Class::IN,
        negative_ttl: soa.ttl.min(minimum).min(max_ttl),
        nsec3,
        apex: records,
        key_signers: signers(key_set.signers_of_apex_keys()),
        sync_signers: signers(key_set.signers_of_sync()),
        zone_signers: signers(key_set.signers_of_rest()),
        inception: config.policy.inception,
        expiration: config.policy.expiration,
        dnskey_expiration: config.policy.dnskey_expiration,
        jitter: config.policy.jitter,
        max_ttl,
        retention: Some(retention),
        supplied,
        sync: Some(announced),
    };
    Ok(Decision {
        context,
        keys: key_set,
        serial: new_serial,
        input_serial,
        expire,
        again: !config.reuse.force
            && (earlier.runs.is_some() || config.reuse.input == InputDnssec::Reuse && apex.has(RecordType::RRSIG)),
        input_has_chain: config.reuse.input == InputDnssec::Reuse && apex.has(RecordType::NSEC3PARAM),
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

/// How absence is proven: as the policy says, or by the chain that the input has.
fn denial(runs: &[Run], apex: &Node<'_>, config: &SignConfig) -> Result<Denial, Error> {
    let reuse = &config.reuse;
    if !reuse.keep_chain || reuse.input != InputDnssec::Reuse {
        return Ok(config.policy.denial.clone());
    }
    let chain = apex.set(RecordType::NSEC3PARAM).iter().find_map(|record| {
        let ([hash, flags, i0, i1, length], salt) = record.rdata.split_first_chunk::<5>()?;
        (*hash == 1 && *flags == 0 && usize::from(*length) == salt.len()).then(|| Nsec3Params {
            iterations: u16::from_be_bytes([*i0, *i1]),
            salt: salt.to_vec(),
            opt_out: false,
        })
    });
    let Some(mut params) = chain else {
        return Ok(config.policy.denial.clone());
    };
    // Whether the chain leaves delegations out is a flag of its records (RFC 5155 3.1.2.1): that of the apex tells.
    let (hash, _) = Nsec3Hasher::new(&params).hash(config.origin.borrow());
    let mut label = Vec::with_capacity(33);
    write_hash_label(&hash, &mut label);
    label.remove(0);
    label.make_ascii_lowercase();
    label.push(0);
    let mut found = NodeList::new();
    if lookup(runs, config.origin.borrow(), &label, &mut found) {
        let mut records = found.node(0).set(RecordType::NSEC3).iter();
        params.opt_out = records.any(|record| record.rdata.get(1).is_some_and(|flags| flags & 1 == 1));
    }
    let mut policy = config.policy.clone();
    policy.denial = Denial::Nsec3(params);
    policy
        .validate(moment(config.now), config.key_options.insist)
        .map_err(|error| Error::Input(format!("the NSEC3 chain of the input: {error}; --nsec changes to NSEC")))?;
    Ok(policy.denial)
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
                states: RecordStates::default(),
                explicit: false,
                ttl: Some(record.ttl),
                in_zone: true,
                succession: Succession::default(),
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

/// The serial in SOA RDATA.
pub(crate) fn serial_of(soa: &[u8]) -> u32 {
    soa_number(soa, SOA_NUMBERS)
}

/// The number that begins so many bytes before the end of SOA RDATA.
fn soa_number(soa: &[u8], from_end: usize) -> u32 {
    soa.len()
        .checked_sub(from_end)
        .and_then(|at| soa.get(at..at + 4))
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u32::from_be_bytes)
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
        assert_eq!((serial_of(&soa), soa_number(&soa, 4)), (7, 300));
        assert_eq!(serial_of(&with_serial(&soa, 9)), 9);
    }
}
