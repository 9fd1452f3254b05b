//! Link headers: from a frame to what an EtherType names.
//!
//! In: `Frame`. Out: the next `Layer`. Never: assumes Ethernet.

use etherparse::{Ethernet2HeaderSlice, SingleVlanHeaderSlice};

use super::way::{Layer, Way};
use super::{Encap, Mac, Skip, Stats, mpls};
use crate::frame::{Frame, Link};

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
/// Ethernet inside something else.
pub(super) const BRIDGED: u16 = 0x6558;
const PPP: u16 = 0x880b;
const PPPOE_SESSION: u16 = 0x8864;
pub(super) const MPLS: u16 = 0x8847;
const MPLS_MULTICAST: u16 = 0x8848;
const ETHERNET_HARDWARE: u16 = 1;
const LOOPBACK_HARDWARE: u16 = 772;

/// What a frame begins with.
#[inline]
pub(super) fn first<'f>(way: &mut Way, stats: &Stats, frame: &Frame<'f>) -> Result<Layer<'f>, Skip> {
    let data = frame.data;
    match frame.link {
        Link::Ethernet => Ok(Layer::Ethernet(data)),
        Link::Raw | Link::Ipv4 | Link::Ipv6 => Ok(Layer::Ip(data)),
        Link::Null | Link::Loop => loopback(data),
        Link::Ppp => Ok(Layer::Ppp(data)),
        Link::PppEther => pppoe(stats, data),
        Link::Sll => cooked(way, data),
        Link::Sll2 => cooked2(way, data),
        Link::Nflog => nflog(data),
        Link::Hep => Ok(Layer::Hep(data)),
    }
}

#[inline]
pub(super) fn ethernet<'f>(way: &mut Way, data: &'f [u8]) -> Result<Layer<'f>, Skip> {
    let header = Ethernet2HeaderSlice::from_slice(data).map_err(|_| Skip::LinkTruncated)?;
    way.src_mac = Some(Mac(header.source()));
    way.dst_mac = Some(Mac(header.destination()));
    Ok(Layer::Typed(header.ether_type().0, data.get(14..).unwrap_or_default()))
}

#[inline]
pub(super) fn typed<'f>(way: &mut Way, stats: &Stats, kind: u16, data: &'f [u8]) -> Result<Layer<'f>, Skip> {
    match kind {
        IPV4 | IPV6 => Ok(Layer::Ip(data)),
        _ => rarer(way, stats, kind, data),
    }
}

fn rarer<'f>(way: &mut Way, stats: &Stats, kind: u16, data: &'f [u8]) -> Result<Layer<'f>, Skip> {
    match kind {
        0x8100 | 0x88a8 | 0x9100 | 0x9200 => vlan(way, stats, data),
        PPPOE_SESSION => pppoe(stats, data),
        MPLS | MPLS_MULTICAST => mpls::labels(way, stats, data),
        BRIDGED => Ok(Layer::Ethernet(data)),
        PPP => Ok(Layer::Ppp(data)),
        0..=1_500 => snap(data),
        _ => Err(Skip::NotIp),
    }
}

fn vlan<'f>(way: &mut Way, stats: &Stats, data: &'f [u8]) -> Result<Layer<'f>, Skip> {
    way.tag()?;
    stats.encap.bump(Encap::Vlan);
    let tag = SingleVlanHeaderSlice::from_slice(data).map_err(|_| Skip::LinkTruncated)?;
    let id = tag.vlan_identifier().value();
    // Id 0 only carries a priority.
    if id != 0 {
        way.vlan = Some(id);
    }
    Ok(Layer::Typed(tag.ether_type().0, data.get(4..).unwrap_or_default()))
}

/// IEEE 802.2 LLC with SNAP (RFC 1042).
fn snap(data: &[u8]) -> Result<Layer<'_>, Skip> {
    match data.split_first_chunk::<8>() {
        Some((&[0xaa, 0xaa, 3, 0, 0, 0 | 0xf8, a, b], rest)) => match u16::from_be_bytes([a, b]) {
            0..=1_500 => Err(Skip::NotIp),
            kind => Ok(Layer::Typed(kind, rest)),
        },
        _ => Err(Skip::NotIp),
    }
}

/// RFC 2516.
fn pppoe<'f>(stats: &Stats, data: &'f [u8]) -> Result<Layer<'f>, Skip> {
    let (header, rest) = data.split_first_chunk::<6>().ok_or(Skip::LinkTruncated)?;
    match header {
        [0x11, 0, ..] => {
            stats.encap.bump(Encap::Pppoe);
            Ok(Layer::Ppp(rest))
        }
        _ => Err(Skip::NotIp),
    }
}

/// RFC 1661, with the framing of RFC 1662 or Cisco's in front of it, or neither.
pub(super) fn ppp(data: &[u8]) -> Result<Layer<'_>, Skip> {
    match data {
        [0xff, 3, rest @ ..] => ppp_protocol(rest),
        [0x0f | 0x8f, 0, a, b, rest @ ..] => Ok(Layer::Typed(u16::from_be_bytes([*a, *b]), rest)),
        _ => ppp_protocol(data),
    }
}

fn ppp_protocol(data: &[u8]) -> Result<Layer<'_>, Skip> {
    let (protocol, rest) = match data {
        // An odd first byte is a compressed protocol field.
        [a, rest @ ..] if a & 1 == 1 => (u16::from(*a), rest),
        [a, b, rest @ ..] => (u16::from_be_bytes([*a, *b]), rest),
        _ => return Err(Skip::LinkTruncated),
    };
    match protocol {
        0x0021 | 0x0057 => Ok(Layer::Ip(rest)),
        0x0281 | 0x0283 => Ok(Layer::Typed(MPLS, rest)),
        _ => Err(Skip::NotIp),
    }
}

/// An address family in four bytes, in the byte order of whoever captured it.
fn loopback(data: &[u8]) -> Result<Layer<'_>, Skip> {
    let (family, rest) = data.split_first_chunk::<4>().ok_or(Skip::LinkTruncated)?;
    let family = u32::from_be_bytes(*family);
    let is_ip = |n: u32| matches!(n, 2 | 10 | 24 | 28 | 30);
    if is_ip(family) || is_ip(family.swap_bytes()) { Ok(Layer::Ip(rest)) } else { Err(Skip::NotIp) }
}

fn cooked<'f>(way: &mut Way, data: &'f [u8]) -> Result<Layer<'f>, Skip> {
    let (header, rest) = data.split_first_chunk::<16>().ok_or(Skip::LinkTruncated)?;
    let [_, _, h1, h2, l1, l2, address @ .., p1, p2] = header;
    let [a, b, c, d, e, f, ..] = *address;
    let length = u16::from_be_bytes([*l1, *l2]);
    way.src_mac = hardware(u16::from_be_bytes([*h1, *h2]), length, [a, b, c, d, e, f]);
    Ok(Layer::Typed(u16::from_be_bytes([*p1, *p2]), rest))
}

fn cooked2<'f>(way: &mut Way, data: &'f [u8]) -> Result<Layer<'f>, Skip> {
    let (header, rest) = data.split_first_chunk::<20>().ok_or(Skip::LinkTruncated)?;
    let [p1, p2, _, _, _, _, _, _, h1, h2, _, length, a, b, c, d, e, f, ..] = *header;
    way.src_mac = hardware(u16::from_be_bytes([h1, h2]), u16::from(length), [a, b, c, d, e, f]);
    Ok(Layer::Typed(u16::from_be_bytes([p1, p2]), rest))
}

fn hardware(kind: u16, length: u16, address: [u8; 6]) -> Option<Mac> {
    (matches!(kind, ETHERNET_HARDWARE | LOOPBACK_HARDWARE) && length == 6).then_some(Mac(address))
}

/// Netfilter's log: four bytes, then attributes, of which 9 is the packet.
fn nflog(data: &[u8]) -> Result<Layer<'_>, Skip> {
    let (_, mut rest) = data.split_first_chunk::<4>().ok_or(Skip::LinkTruncated)?;
    while let Some((&[l1, l2, k1, k2], _)) = rest.split_first_chunk::<4>() {
        // Lengths are in the byte order of the host that logged; a packet is never 256 times as
        // long as what was captured.
        let little = u16::from_le_bytes([l1, l2]);
        let swapped = usize::from(little) > rest.len() || (little & 0xff == 0 && l2 != 0 && k1 == 0);
        let (length, kind) = if swapped {
            (u16::from_be_bytes([l1, l2]), u16::from_be_bytes([k1, k2]))
        } else {
            (little, u16::from_le_bytes([k1, k2]))
        };
        let length = usize::from(length);
        if length < 4 {
            return Err(Skip::LinkTruncated);
        }
        if kind & 0x7fff == 9 {
            return Ok(Layer::Ip(rest.get(4..length).or_else(|| rest.get(4..)).unwrap_or_default()));
        }
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Err(Skip::LinkTruncated)
}
