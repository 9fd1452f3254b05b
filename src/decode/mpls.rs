//! MPLS: labels, and the guess at what they carry.
//!
//! In: bytes after an MPLS EtherType. Out: the next `Layer`.
//! Never: takes a pseudowire's Ethernet address for an IP version without looking further.

use super::way::{Layer, Way};
use super::{Encap, Skip, Stats};

/// Passes the label stack (RFC 3032).
pub(super) fn labels<'f>(way: &mut Way, stats: &Stats, data: &'f [u8]) -> Result<Layer<'f>, Skip> {
    stats.encap.bump(Encap::Mpls);
    let mut data = data;
    loop {
        let (&[_, _, flags, _], rest) = data.split_first_chunk::<4>().ok_or(Skip::LinkTruncated)?;
        way.tag()?;
        data = rest;
        if flags & 1 == 1 {
            return payload(way, data);
        }
    }
}

/// Nothing names what follows the last label; the first four bits are the usual hint (RFC 4928).
fn payload<'f>(way: &mut Way, data: &'f [u8]) -> Result<Layer<'f>, Skip> {
    let first = data.first().ok_or(Skip::LinkTruncated)?;
    match first >> 4 {
        4 | 6 if !is_ethernet(data) || is_sound_ip(data) => return Ok(Layer::Ip(data)),
        _ => {}
    }
    way.deeper()?;
    // A pseudowire with a control word (RFC 4385) or without.
    match data.get(4..) {
        Some(frame) if first >> 4 == 0 && is_ethernet(frame) => Ok(Layer::Ethernet(frame)),
        _ if is_ethernet(data) => Ok(Layer::Ethernet(data)),
        _ => Err(Skip::NotIp),
    }
}

/// Whether an EtherType that leads on stands where an Ethernet frame has it.
fn is_ethernet(data: &[u8]) -> bool {
    match data.get(12..14) {
        Some(&[a, b]) => matches!(
            u16::from_be_bytes([a, b]),
            0x0800 | 0x0806 | 0x86dd | 0x8100 | 0x88a8 | 0x9100 | 0x8864 | 0x8847
        ),
        _ => false,
    }
}

/// Whether it is surely IP: a right IPv4 header checksum, or an IPv6 length that fits exactly.
fn is_sound_ip(data: &[u8]) -> bool {
    match data {
        [first, ..] if first >> 4 == 4 => etherparse::Ipv4HeaderSlice::from_slice(data)
            .is_ok_and(|header| header.to_header().calc_header_checksum() == header.header_checksum()),
        _ => etherparse::Ipv6HeaderSlice::from_slice(data)
            .is_ok_and(|header| usize::from(header.payload_length()).saturating_add(40) == data.len()),
    }
}
