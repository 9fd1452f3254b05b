//! LLDP (IEEE 802.1AB) with the TIA-1057 (LLDP-MED) extensions, and Cisco's CDP.
//!
//! In: what follows EtherType 0x88cc, or CDP's SNAP header. Out: `Neighbour`, borrowed.
//! Never: keeps it.

use std::net::IpAddr;

use super::bytes::Bytes;
use crate::decode::Mac;

/// TLVs that are read.
const TLVS: usize = 96;

/// What a device tells its switch of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Neighbour<'a> {
    /// Its hardware address.
    pub mac: Option<Mac>,
    /// Its address.
    pub ip: Option<IpAddr>,
    /// Its name.
    pub name: &'a [u8],
    /// System description, or CDP's version text.
    pub description: &'a [u8],
    /// It is a telephone: the capability bit, or LLDP-MED class III.
    pub phone: bool,
    /// It is a switch or a router.
    pub network: bool,
    /// Hardware revision (LLDP-MED subtype 5).
    pub hardware: &'a [u8],
    /// Firmware revision (6).
    pub firmware: &'a [u8],
    /// Software revision (7).
    pub software: &'a [u8],
    /// Serial number (8).
    pub serial: &'a [u8],
    /// Manufacturer (9).
    pub maker: &'a [u8],
    /// Model (10), or CDP's platform.
    pub model: &'a [u8],
    /// The VLAN for voice.
    pub voice_vlan: Option<u16>,
}

/// Reads an LLDP frame.
pub fn parse(payload: &[u8]) -> Option<Neighbour<'_>> {
    let mut bytes = Bytes(payload);
    let mut read = Neighbour::default();
    for n in 0..TLVS {
        let Some(head) = bytes.u16() else { break };
        let (kind, length) = (head >> 9, usize::from(head & 0x1ff));
        let Some(value) = bytes.take(length) else { break };
        // The chassis stands first (IEEE 802.1AB section 9.4).
        if n == 0 && kind != 1 {
            return None;
        }
        match (kind, value) {
            (0, _) => break,
            // Subtype 4 is a MAC address, 5 a network address; of the port, 3 is a MAC address.
            (1, [4, mac @ ..]) | (2, [3, mac @ ..]) => read.mac = read.mac.or(mac.try_into().ok().map(Mac)),
            (1, [5, family, address @ ..]) => read.ip = address_of(*family, address),
            (5, _) => read.name = value,
            (6, _) => read.description = value,
            (7, &[_, _, high, low]) => {
                let enabled = u16::from_be_bytes([high, low]);
                read.phone |= enabled & 0x20 != 0;
                // Bridge or router; a phone's own switch is one too.
                read.network = enabled & 0x14 != 0 && enabled & 0x20 == 0;
            }
            (8, [length, family, rest @ ..]) => {
                let address = rest.get(..usize::from(length.saturating_sub(1))).unwrap_or_default();
                read.ip = read.ip.or(address_of(*family, address));
            }
            (127, [0x00, 0x12, 0xbb, subtype, value @ ..]) => med(&mut read, *subtype, value),
            _ => {}
        }
    }
    Some(read)
}

fn address_of(family: u8, address: &[u8]) -> Option<IpAddr> {
    match family {
        1 => Some(IpAddr::from(<[u8; 4]>::try_from(address).ok()?)),
        2 => Some(IpAddr::from(<[u8; 16]>::try_from(address).ok()?)),
        _ => None,
    }
}

fn med<'a>(read: &mut Neighbour<'a>, subtype: u8, value: &'a [u8]) {
    match (subtype, value) {
        // Capabilities; class 3 is a communication device, class 4 network connectivity.
        (1, [_, _, class]) => {
            read.phone |= *class == 3;
            read.network |= *class == 4;
        }
        // Network policy: application 1 is voice; U, T, X bits, then 12 bits of VLAN.
        (2, &[1, a, b, _]) => {
            let vlan = u16::from_be_bytes([a, b]) >> 1 & 0xfff;
            read.voice_vlan = (a & 0x40 != 0 && vlan != 0).then_some(vlan);
        }
        (5, _) => read.hardware = value,
        (6, _) => read.firmware = value,
        (7, _) => read.software = value,
        (8, _) => read.serial = value,
        (9, _) => read.maker = value,
        (10, _) => read.model = value,
        _ => {}
    }
}

/// Reads a CDP frame behind its SNAP header (version, TTL, checksum, then TLVs).
pub fn cdp(payload: &[u8]) -> Option<Neighbour<'_>> {
    let mut bytes = Bytes(payload);
    let [version, ..] = bytes.array::<4>()?;
    if !matches!(version, 1 | 2) {
        return None;
    }
    let mut read = Neighbour::default();
    for _ in 0..TLVS {
        let (Some(kind), Some(length)) = (bytes.u16(), bytes.u16()) else { break };
        let Some(value) = usize::from(length).checked_sub(4).and_then(|length| bytes.take(length)) else {
            break;
        };
        match (kind, value) {
            (1, _) => read.name = value,
            (2, _) => read.ip = first_address(value),
            (4, &[_, _, _, bits]) => {
                // 0x80 is a telephone; 0x01 a router, 0x02 and 0x08 bridges and switches.
                read.phone = bits & 0x80 != 0;
                read.network = bits & 0x0b != 0 && !read.phone;
            }
            (5, _) => read.description = value,
            (6, _) => read.model = value,
            // VoIP VLAN reply: one byte, then the VLAN.
            (14, &[_, a, b]) => {
                read.voice_vlan = Some(u16::from_be_bytes([a, b]) & 0xfff).filter(|v| *v != 0);
            }
            _ => {}
        }
    }
    // Cisco's phones are named SEP and their hardware address.
    if let Some(digits) = read.name.strip_prefix(b"SEP") {
        read.mac = super::user_agent::find_mac(std::str::from_utf8(digits).unwrap_or_default());
        read.phone |= read.mac.is_some();
    }
    Some(read)
}

fn first_address(value: &[u8]) -> Option<IpAddr> {
    let mut bytes = Bytes(value);
    (bytes.u32()? > 0).then_some(())?;
    let [_, length] = bytes.array::<2>()?;
    let protocol = bytes.take(usize::from(length))?;
    let size = bytes.u16()?;
    (protocol == [0xcc] && size == 4).then_some(())?;
    bytes.v4().map(IpAddr::V4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tlv(kind: u16, value: &[u8]) -> Vec<u8> {
        let head = kind << 9 | u16::try_from(value.len()).unwrap();
        [&head.to_be_bytes()[..], value].concat()
    }

    fn med_tlv(subtype: u8, value: &[u8]) -> Vec<u8> {
        tlv(127, &[&[0x00, 0x12, 0xbb, subtype], value].concat())
    }

    #[test]
    fn a_phones_lldp_med() {
        let frame = [
            tlv(1, &[5, 1, 10, 0, 3, 17]),
            tlv(2, &[3, 0x00, 0x15, 0x65, 1, 2, 3]),
            tlv(3, &[0, 60]),
            tlv(5, b"SIP-T46U"),
            tlv(7, &[0, 0x24, 0, 0x24]),
            med_tlv(1, &[0, 0x33, 3]),
            med_tlv(2, &[1, 0x40, 60, 0]),
            med_tlv(6, b"108.86.0.20"),
            med_tlv(9, b"Yealink"),
            med_tlv(10, b"SIP-T46U"),
            tlv(0, b""),
        ]
        .concat();
        let read = parse(&frame).unwrap();
        assert_eq!(
            (read.ip, read.mac),
            (Some(IpAddr::from([10, 0, 3, 17])), Some(Mac([0, 0x15, 0x65, 1, 2, 3])))
        );
        assert!(read.phone && !read.network);
        assert_eq!(
            (read.firmware, read.maker, read.model),
            (&b"108.86.0.20"[..], &b"Yealink"[..], &b"SIP-T46U"[..])
        );
        assert_eq!(read.voice_vlan, Some(30));
        assert_eq!(parse(&tlv(5, b"x")), None);
    }

    #[test]
    fn a_cisco_phones_cdp() {
        let tlv = |kind: u16, value: &[u8]| {
            let length = u16::try_from(value.len() + 4).unwrap();
            [&kind.to_be_bytes()[..], &length.to_be_bytes(), value].concat()
        };
        let address = [0, 0, 0, 1, 1, 1, 0xcc, 0, 4, 10, 0, 3, 18];
        let frame = [
            vec![2, 180, 0, 0],
            tlv(1, b"SEP00562B043615"),
            tlv(2, &address),
            tlv(4, &[0, 0, 4, 0x90]),
            tlv(5, b"sip88xx.11-0-1MPP-477.loads"),
            tlv(6, b"Cisco IP Phone 8841"),
            tlv(14, &[1, 0, 30]),
        ]
        .concat();
        let read = cdp(&frame).unwrap();
        assert_eq!(
            (read.mac.unwrap().to_string(), read.ip),
            ("00:56:2b:04:36:15".to_owned(), Some(IpAddr::from([10, 0, 3, 18])))
        );
        assert!(read.phone);
        assert_eq!((read.model, read.voice_vlan), (&b"Cisco IP Phone 8841"[..], Some(30)));
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
            let _ = cdp(&bytes);
            let _ = parse(&[&[2, 2, 4, 1][..], &bytes].concat());
            let _ = cdp(&[&[2, 0, 0, 0][..], &bytes].concat());
        }
    }
}
