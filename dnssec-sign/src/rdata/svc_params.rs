//! The wire form of SvcParams (RFC 9460 2.2): keys in ascending order, and for each key that IANA lists ("Service
//! Parameter Keys") a value in its form. What is outside the record, such as whether a port answers, is not here.

use super::RdataError;

const MANDATORY: u16 = 0;
const ALPN: u16 = 1;
const NO_DEFAULT_ALPN: u16 = 2;

/// Checks SvcParams: their frames, their order, the values of the listed keys, and what keys demand of one another.
///
/// # Errors
/// [`RdataError::SvcParams`] for frames and order, [`RdataError::SvcParamValue`] and [`RdataError::SvcParamMissing`]
/// with the key.
pub fn check_svc_params(params: &[u8]) -> Result<(), RdataError> {
    let mut rest = params;
    let mut last = None;
    while !rest.is_empty() {
        let (key, value, behind) = split(rest).ok_or(RdataError::SvcParams)?;
        if last.is_some_and(|last| key <= last) {
            return Err(RdataError::SvcParams);
        }
        last = Some(key);
        value_has_form(key, value).ok_or(RdataError::SvcParamValue(key))?;
        rest = behind;
    }
    check_demands(params)
}

/// What stands in `mandatory` must be there (RFC 9460 8), and `alpn` beside `no-default-alpn` (RFC 9460 7.1.1).
fn check_demands(params: &[u8]) -> Result<(), RdataError> {
    let Some((first, value, mut rest)) = split(params) else {
        return Ok(());
    };
    if first == MANDATORY {
        // Both ascend.
        for listed in value.chunks_exact(2) {
            let listed = u16::from_be_bytes([listed[0], listed[1]]);
            loop {
                match split(rest) {
                    Some((key, _, behind)) if key <= listed => {
                        rest = behind;
                        if key == listed {
                            break;
                        }
                    }
                    _ => {
                        return Err(RdataError::SvcParamMissing {
                            by: MANDATORY,
                            missing: listed,
                        });
                    }
                }
            }
        }
    }
    let mut rest = params;
    let mut alpn = false;
    while let Some((key, _, behind)) = split(rest) {
        match key {
            ALPN => alpn = true,
            NO_DEFAULT_ALPN if !alpn => {
                return Err(RdataError::SvcParamMissing {
                    by: NO_DEFAULT_ALPN,
                    missing: ALPN,
                });
            }
            0..=NO_DEFAULT_ALPN => {}
            _ => break,
        }
        rest = behind;
    }
    Ok(())
}

/// The first parameter's key and value, and what follows.
fn split(params: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (&[key_high, key_low, length_high, length_low], rest) = params.split_first_chunk()?;
    let length = usize::from(u16::from_be_bytes([length_high, length_low]));
    let (value, rest) = rest.split_at_checked(length)?;
    Some((u16::from_be_bytes([key_high, key_low]), value, rest))
}

fn value_has_form(key: u16, value: &[u8]) -> Option<()> {
    let good = match key {
        // Ascending, and not itself.
        MANDATORY => {
            let (keys, odd) = value.as_chunks::<2>();
            odd.is_empty() && keys.first()? != &[0, 0] && keys.is_sorted_by(|one, other| one < other)
        }
        ALPN => !value.is_empty() && counted(value),
        // no-default-alpn, ohttp (RFC 9540 4), pvd
        NO_DEFAULT_ALPN | 8 | 11 => value.is_empty(),
        // port
        3 => value.len() == 2,
        // ipv4hint
        4 => !value.is_empty() && value.len().is_multiple_of(4),
        // ipv6hint
        6 => !value.is_empty() && value.len().is_multiple_of(16),
        // dohpath (RFC 9461 5)
        7 => std::str::from_utf8(value).is_ok_and(has_dns_variable),
        // tls-supported-groups
        9 => !value.is_empty() && value.len().is_multiple_of(2) && all_differ(value),
        // docpath: no segment is the root (RFC 9953 3)
        10 => counted(value),
        // oots
        12 => !value.is_empty() && weighted(value),
        // ech is for others to read (RFC 9848 3), and so is what is not listed.
        _ => true,
    };
    good.then_some(())
}

/// Names of 1 to 255 bytes behind their lengths.
fn counted(mut names: &[u8]) -> bool {
    while let Some((&length, rest)) = names.split_first() {
        match rest.split_at_checked(usize::from(length)) {
            Some((_, rest)) if length > 0 => names = rest,
            _ => return false,
        }
    }
    true
}

/// Names of 1 to 255 bytes behind their lengths, a byte behind each.
fn weighted(mut names: &[u8]) -> bool {
    while let Some((&length, rest)) = names.split_first() {
        match rest.split_at_checked(usize::from(length) + 1) {
            Some((_, rest)) if length > 0 => names = rest,
            _ => return false,
        }
    }
    true
}

/// Whether no number of two bytes stands there twice.
fn all_differ(numbers: &[u8]) -> bool {
    let mut seen = [0u64; 1024];
    for &[high, low] in numbers.as_chunks::<2>().0 {
        let number = u16::from_be_bytes([high, low]);
        let word = &mut seen[usize::from(number / 64)];
        let bit = 1 << (number % 64);
        if *word & bit != 0 {
            return false;
        }
        *word |= bit;
    }
    true
}

/// Whether a URI template (RFC 6570) has the variable "dns".
fn has_dns_variable(template: &str) -> bool {
    template.split('{').skip(1).any(|expression| {
        let Some((expression, _)) = expression.split_once('}') else {
            return false;
        };
        expression
            .trim_start_matches(['+', '#', '.', '/', ';', '?', '&'])
            .split(',')
            .any(|variable| {
                let name = variable.split_once(':').map_or(variable, |(name, _)| name);
                name.trim_end_matches('*') == "dns"
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_their_keys_form() {
        for (params, expected) in [
            (&b""[..], Ok(())),
            (b"\x00\x03\x00\x02\x00\x35", Ok(())),
            (b"\x00\x03\x00\x01\x35", Err(RdataError::SvcParamValue(3))),
            (b"\x00\x03\x00\x02\x35", Err(RdataError::SvcParams)),
            (
                b"\x00\x04\x00\x00\x00\x03\x00\x02\x00\x35",
                Err(RdataError::SvcParamValue(4)),
            ),
            (b"\x00\x09\x00\x00\x00\x03", Err(RdataError::SvcParamValue(9))),
            (b"\x00\x09\x00\x04\x00\x1d\x00\x1d", Err(RdataError::SvcParamValue(9))),
            (b"\x00\x09\x00\x04\x00\x1d\x00\x17", Ok(())),
            (b"\x00\x01\x00\x02\x02h", Err(RdataError::SvcParamValue(1))),
            (b"\x00\x01\x00\x01\x00", Err(RdataError::SvcParamValue(1))),
            (b"\x00\x0a\x00\x00", Ok(())),
            (b"\x00\x0a\x00\x01\x00", Err(RdataError::SvcParamValue(10))),
            (b"\x00\x0c\x00\x05\x03dot\x05", Ok(())),
            (b"\x00\x0c\x00\x04\x03dot", Err(RdataError::SvcParamValue(12))),
            (b"\x00\x05\x00\x00", Ok(())),
            (b"\xff\xff\x00\x01x", Ok(())),
            (b"\xff\xff\x00\x01x\xff\xff\x00\x01x", Err(RdataError::SvcParams)),
        ] {
            assert_eq!(check_svc_params(params), expected, "{}", params.escape_ascii());
        }
    }

    #[test]
    fn keys_demand_one_another() {
        let missing = |by, missing| Err(RdataError::SvcParamMissing { by, missing });
        for (params, expected) in [
            (&b"\x00\x00\x00\x02\x00\x03\x00\x03\x00\x02\x00\x35"[..], Ok(())),
            (b"\x00\x00\x00\x02\x00\x03", missing(0, 3)),
            (b"\x00\x00\x00\x02\x00\x03\x00\x08\x00\x00", missing(0, 3)),
            (b"\x00\x00\x00\x04\x00\x03\x00\x08\x00\x08\x00\x00", missing(0, 3)),
            (
                b"\x00\x00\x00\x04\x00\x03\x00\x09\x00\x03\x00\x02\x00\x35\x00\x08\x00\x00",
                missing(0, 9),
            ),
            (b"\x00\x00\x00\x02\x00\x00", Err(RdataError::SvcParamValue(0))),
            (b"\x00\x00\x00\x04\x00\x04\x00\x03", Err(RdataError::SvcParamValue(0))),
            (b"\x00\x00\x00\x00", Err(RdataError::SvcParamValue(0))),
            (b"\x00\x02\x00\x00", missing(2, 1)),
            (b"\x00\x01\x00\x03\x02h2\x00\x02\x00\x00", Ok(())),
        ] {
            assert_eq!(check_svc_params(params), expected, "{}", params.escape_ascii());
        }
    }

    #[test]
    fn templates_have_the_variable_dns() {
        for good in ["/dns-query{?dns}", "/q{?a,dns*}", "/{dns:3}", "{#dns}"] {
            assert!(has_dns_variable(good), "{good}");
        }
        for bad in ["/dns-query", "/dns-query{?dnss}", "{?dns", "dns}", ""] {
            assert!(!has_dns_variable(bad), "{bad}");
        }
    }
}
