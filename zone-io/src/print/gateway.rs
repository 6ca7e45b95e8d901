//! The gateway of IPSECKEY (RFC 4025 3.1), the relay of AMTRELAY (RFC 8777 4.3), and HIP (RFC 8005 6) as text.

use dnssec_sign::NameRef;

use super::number::{write_base64, write_decimal, write_hex, write_ipv4, write_ipv6};

/// Appends gateway type, algorithm and gateway; `None` for a type without text.
pub(super) fn write_gateway(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (&[kind, algorithm], gateway) = bytes.split_first_chunk::<2>()?;
    write_decimal(u32::from(kind), out);
    out.push(b' ');
    write_decimal(u32::from(algorithm), out);
    write_gateway_of(kind, gateway, out)
}

/// Appends discovery bit, relay type and relay; `None` for a type without text.
pub(super) fn write_relay(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (&first, relay) = bytes.split_first()?;
    let kind = first & 0x7f;
    write_decimal(u32::from(first >> 7), out);
    out.push(b' ');
    write_decimal(u32::from(kind), out);
    write_gateway_of(kind, relay, out)
}

fn write_gateway_of(kind: u8, gateway: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.push(b' ');
    match kind {
        0 => out.push(b'.'),
        1 => write_ipv4(gateway.try_into().ok()?, out),
        2 => write_ipv6(gateway.try_into().ok()?, out),
        3 => NameRef::from_wire(gateway).ok()?.write_text(out),
        _ => return None,
    }
    Some(())
}

/// Appends algorithm, host identity tag, public key, and the names of servers.
pub(super) fn write_hip(rdata: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (&[tag, algorithm, key_high, key_low], rest) = rdata.split_first_chunk::<4>()?;
    let (tag, rest) = rest.split_at_checked(usize::from(tag))?;
    let (key, mut servers) = rest.split_at_checked(usize::from(u16::from_be_bytes([key_high, key_low])))?;
    write_decimal(u32::from(algorithm), out);
    out.push(b' ');
    write_hex(tag, out);
    out.push(b' ');
    write_base64(key, out);
    while !servers.is_empty() {
        let (server, rest) = NameRef::split_from(servers).ok()?;
        out.push(b' ');
        server.write_text(out);
        servers = rest;
    }
    Some(())
}
