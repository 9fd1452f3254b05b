//! IPv4 and IPv6, their extension headers and fragments.
//!
//! In: bytes that an IP header begins. Out: the next `Layer`.
//! Never: drops a packet for its checksum, trusts the captured length over the header's.

use std::net::IpAddr;

use etherparse::{
    IpFragOffset, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice, Ipv6RawExtHeaderSlice,
};

use super::fragment::{Key, Piece};
use super::way::{Layer, Way};
use super::{Encap, Skip, Stats, tunnel};

#[inline]
pub(super) fn ip<'f>(way: &mut Way, data: &'f [u8]) -> Result<Layer<'f>, Skip> {
    match data.first().map(|byte| byte >> 4) {
        Some(4) => ipv4(way, data),
        Some(6) => ipv6(way, data),
        Some(_) => Err(Skip::IpMalformed),
        None => Err(Skip::LinkTruncated),
    }
}

#[inline]
fn ipv4<'f>(way: &mut Way, data: &'f [u8]) -> Result<Layer<'f>, Skip> {
    let header = Ipv4HeaderSlice::from_slice(data).map_err(|_| Skip::IpMalformed)?;
    way.src = IpAddr::V4(header.source_addr());
    way.dst = IpAddr::V4(header.destination_addr());
    let length = usize::from(header.ihl()).saturating_mul(4);
    let payload = match usize::from(header.total_len()) {
        // Segmentation offload leaves the length to the network card.
        0 => data.get(length..),
        total => {
            way.truncated = total > data.len();
            data.get(length..total.min(data.len()))
        }
    };
    let payload = payload.ok_or(Skip::IpMalformed)?;
    let protocol = header.protocol().0;
    if !header.is_fragmenting_payload() {
        return Ok(Layer::Carried(protocol, payload));
    }
    let key = Key { src: way.src, dst: way.dst, protocol, id: u32::from(header.identification()) };
    let (offset, more) = (header.fragments_offset(), header.more_fragments());
    fragment(way, key, Piece { protocol, offset, more, payload })
}

#[inline]
fn ipv6<'f>(way: &mut Way, data: &'f [u8]) -> Result<Layer<'f>, Skip> {
    let header = Ipv6HeaderSlice::from_slice(data).map_err(|_| Skip::IpMalformed)?;
    way.src = IpAddr::V6(header.source_addr());
    way.dst = IpAddr::V6(header.destination_addr());
    let payload = data.get(40..).unwrap_or_default();
    let payload = match usize::from(header.payload_length()) {
        0 => payload,
        length => {
            way.truncated = length > payload.len();
            payload.get(..length).unwrap_or(payload)
        }
    };
    Ok(Layer::Carried(header.next_header().0, payload))
}

/// What an IP protocol number names, UDP and TCP apart. Extension headers are accepted behind
/// IPv4 too.
pub(super) fn carried<'f>(
    way: &mut Way,
    stats: &Stats,
    protocol: u8,
    data: &'f [u8],
) -> Result<Layer<'f>, Skip> {
    match protocol {
        0 | 43 | 60 | 135 | 139 | 140 => extension(data),
        44 => fragment_header(way, data),
        51 => authentication(data),
        4 | 41 => {
            way.enter()?;
            stats.encap.bump(Encap::IpInIp);
            Ok(Layer::Ip(data))
        }
        47 => tunnel::gre(way, stats, data),
        97 => tunnel::ether_ip(way, stats, data),
        115 => tunnel::l2tp(way, stats, data),
        137 => tunnel::mpls(way, data),
        50 => Err(Skip::TunnelEncrypted),
        _ => Err(Skip::OtherTransport),
    }
}

fn extension(data: &[u8]) -> Result<Layer<'_>, Skip> {
    let header = Ipv6RawExtHeaderSlice::from_slice(data).map_err(|_| Skip::IpMalformed)?;
    let rest = data.get(header.slice().len()..).unwrap_or_default();
    Ok(Layer::Carried(header.next_header().0, rest))
}

/// RFC 4302; it only vouches for what follows.
fn authentication(data: &[u8]) -> Result<Layer<'_>, Skip> {
    let [next, length, ..] = data else { return Err(Skip::IpMalformed) };
    let length = usize::from(*length).saturating_add(2).saturating_mul(4);
    Ok(Layer::Carried(*next, data.get(length..).ok_or(Skip::IpMalformed)?))
}

fn fragment_header<'f>(way: &Way, data: &'f [u8]) -> Result<Layer<'f>, Skip> {
    let header = Ipv6FragmentHeaderSlice::from_slice(data).map_err(|_| Skip::IpMalformed)?;
    let payload = data.get(8..).unwrap_or_default();
    let protocol = header.next_header().0;
    // An atomic fragment is a whole packet (RFC 6946).
    if !header.is_fragmenting_payload() {
        return Ok(Layer::Carried(protocol, payload));
    }
    let key = Key { src: way.src, dst: way.dst, protocol: 44, id: header.identification() };
    let (offset, more) = (header.fragment_offset(), header.more_fragments());
    fragment(way, key, Piece { protocol, offset, more, payload })
}

fn fragment<'f>(way: &Way, key: Key, piece: Piece<'f>) -> Result<Layer<'f>, Skip> {
    if !way.truncated {
        return Ok(Layer::Fragment(key, piece));
    }
    // A fragment that was cut by the capture can't complete a packet; a first one has headers.
    if piece.offset == IpFragOffset::ZERO {
        Ok(Layer::Carried(piece.protocol, piece.payload))
    } else {
        Err(Skip::Fragment)
    }
}
