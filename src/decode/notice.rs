//! What switches and hosts tell each other below IP: ARP, LLDP, CDP.
//!
//! In: a frame that carries no IP. Out: `Notice`, borrowed. Never: looks into tunnels.

use std::net::Ipv4Addr;

use super::Mac;
use crate::frame::{Frame, Link};

/// VLAN tags in front of a notice.
const TAGS: usize = 2;

/// A message below IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told<'a> {
    /// ARP for IPv4 over Ethernet (RFC 826): who says which address is his.
    Arp(Mac, Ipv4Addr),
    /// LLDP, behind its EtherType.
    Lldp(&'a [u8]),
    /// CDP, behind its SNAP header.
    Cdp(&'a [u8]),
}

/// A message below IP and its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice<'a> {
    /// Who sent the frame.
    pub src_mac: Mac,
    /// Its VLAN.
    pub vlan: Option<u16>,
    /// What it says.
    pub told: Told<'a>,
}

/// Reads a notice out of an Ethernet frame; `None` if it is none.
pub fn notice<'f>(frame: &Frame<'f>) -> Option<Notice<'f>> {
    if frame.link != Link::Ethernet {
        return None;
    }
    let (head, mut rest) = frame.data.split_first_chunk::<14>()?;
    let [_, _, _, _, _, _, a, b, c, d, e, f, k1, k2] = *head;
    let src_mac = Mac([a, b, c, d, e, f]);
    let mut kind = u16::from_be_bytes([k1, k2]);
    let mut vlan = None;
    for _ in 0..TAGS {
        if !matches!(kind, 0x8100 | 0x88a8) {
            break;
        }
        let (&[t1, t2, k1, k2], after) = rest.split_first_chunk::<4>()?;
        let id = u16::from_be_bytes([t1, t2]) & 0xfff;
        vlan = (id != 0).then_some(id).or(vlan);
        kind = u16::from_be_bytes([k1, k2]);
        rest = after;
    }
    let told = match kind {
        0x0806 => arp(rest)?,
        0x88cc => Told::Lldp(rest),
        // 802.3 length, then LLC/SNAP with Cisco's OUI and CDP's protocol.
        0..=1_500 => {
            let inside = rest.get(..usize::from(kind)).unwrap_or(rest);
            Told::Cdp(inside.strip_prefix(&[0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0x00])?)
        }
        _ => return None,
    };
    Some(Notice { src_mac, vlan, told })
}

fn arp(data: &[u8]) -> Option<Told<'_>> {
    let &[0, 1, 8, 0, 6, 4, 0, 1 | 2, a, b, c, d, e, f, i, j, k, l] = data.first_chunk::<18>()? else {
        return None;
    };
    let ip = Ipv4Addr::new(i, j, k, l);
    // A probe (RFC 5227) has no address yet.
    (!ip.is_unspecified()).then_some(Told::Arp(Mac([a, b, c, d, e, f]), ip))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;
    use proptest::prelude::*;

    fn read(data: &[u8]) -> Option<Notice<'_>> {
        notice(&Frame { ts: Timestamp(0), link: Link::Ethernet, interface: 0, wire_len: 60, data })
    }

    #[test]
    fn arp_lldp_and_cdp() {
        let ends = [[0xff; 6], [0, 0x15, 0x65, 1, 2, 3]].concat();
        let arp = [
            &ends[..],
            &[0x81, 0, 0, 30, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 0, 0x15, 0x65, 1, 2, 3, 10, 0, 3, 17],
            &[0; 10],
        ]
        .concat();
        let mac = Mac([0, 0x15, 0x65, 1, 2, 3]);
        let want = Notice { src_mac: mac, vlan: Some(30), told: Told::Arp(mac, Ipv4Addr::new(10, 0, 3, 17)) };
        assert_eq!(read(&arp), Some(want));
        let lldp = [&ends[..], &[0x88, 0xcc, 2, 7]].concat();
        assert_eq!(read(&lldp).map(|n| n.told), Some(Told::Lldp(&[2, 7])));
        let cdp = [&ends[..], &[0, 10, 0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0, 2, 180, 9, 9]].concat();
        assert_eq!(read(&cdp).map(|n| n.told), Some(Told::Cdp(&[2, 180])));
        let spanning_tree = [&ends[..], &[0, 3, 0x42, 0x42, 3]].concat();
        assert_eq!(read(&spanning_tree), None);
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = read(&bytes);
        }
    }
}
