//! The short way for nearly all packets of a mirror port: Ethernet, at most one VLAN tag, IPv4, UDP.
//!
//! In: `Frame`. Out: the same datagram as the long way's, or `None`: take the long way.
//! Never: decides about anything odd.

use std::net::{IpAddr, SocketAddr};

use etherparse::{Ethernet2HeaderSlice, Ipv4HeaderSlice, SingleVlanHeaderSlice, UdpHeaderSlice};

use super::{Datagram, Encap, Mac, Path, Stats, hep, tunnel};
use crate::frame::{Frame, Link};

const IPV4: u16 = 0x0800;
const VLAN: u16 = 0x8100;
const UDP: u8 = 17;

/// A datagram about which there is nothing to decide.
#[inline(always)]
pub(super) fn datagram<'f>(frame: &Frame<'f>, stats: &Stats) -> Option<Datagram<'f>> {
    if frame.link != Link::Ethernet {
        return None;
    }
    let ethernet = Ethernet2HeaderSlice::from_slice(frame.data).ok()?;
    let rest = frame.data.get(14..)?;
    match ethernet.ether_type().0 {
        IPV4 => ipv4(&ethernet, None, rest),
        VLAN => {
            let tag = SingleVlanHeaderSlice::from_slice(rest).ok()?;
            let id = tag.vlan_identifier().value();
            if tag.ether_type().0 != IPV4 {
                return None;
            }
            let found = ipv4(&ethernet, (id != 0).then_some(id), rest.get(4..)?);
            stats.encap.add(Encap::Vlan, u64::from(found.is_some()));
            found
        }
        _ => None,
    }
}

#[inline(always)]
fn ipv4<'f>(ethernet: &Ethernet2HeaderSlice<'_>, vlan: Option<u16>, data: &'f [u8]) -> Option<Datagram<'f>> {
    let ip = Ipv4HeaderSlice::from_slice(data).ok()?;
    if ip.protocol().0 != UDP || ip.is_fragmenting_payload() {
        return None;
    }
    let inside = data.get(ip.slice().len()..usize::from(ip.total_len()))?;
    let udp = UdpHeaderSlice::from_slice(inside).ok()?;
    let payload = inside.get(8..usize::from(udp.length()))?;
    if tunnel::is_port(udp.source_port(), udp.destination_port()) || payload.starts_with(&hep::MAGIC) {
        return None;
    }
    let path = Path {
        src: SocketAddr::new(IpAddr::V4(ip.source_addr()), udp.source_port()),
        dst: SocketAddr::new(IpAddr::V4(ip.destination_addr()), udp.destination_port()),
        src_mac: Some(Mac(ethernet.source())),
        dst_mac: Some(Mac(ethernet.destination())),
        vlan,
        mirror: None,
    };
    Some(Datagram { path, payload, truncated: false })
}
