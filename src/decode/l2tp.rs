//! L2TP: version 2, and of version 3 what can be told without having seen its set-up.
//!
//! In: what came to L2TP's port or protocol. Out: the next `Layer`, or `None`: it's no tunnel.
//! Never: takes for a packet what doesn't prove to be one.

use etherparse::Ipv4HeaderSlice;

use super::way::Layer;

/// L2TP in UDP (RFC 2661, RFC 3931).
pub(super) const PORT: u16 = 1_701;

/// Version 3's cookie may have 0, 4 or 8 bytes and its sub-layer 0 or 4 (RFC 3931 section 4.6), and
/// both are agreed on when the session is set up.
const STARTS: [usize; 4] = [0, 4, 8, 12];

/// A short packet is padded to this in Ethernet, and may have its check sequence.
const PADDED: usize = 46 + 4;

/// What UDP carries: a data message of either version. Control messages are datagrams.
pub(super) fn in_udp(data: &[u8], truncated: bool) -> Option<Layer<'_>> {
    match data {
        [flags, 2, rest @ ..] => version_2(*flags, rest, data.len(), truncated),
        [0, 3, 0, 0, rest @ ..] => in_ip(rest, truncated),
        _ => None,
    }
}

/// RFC 2661 section 3.1. Reserved bits must be 0, which no text's first byte followed by a 2 has.
fn version_2(flags: u8, data: &[u8], whole: usize, truncated: bool) -> Option<Layer<'_>> {
    if flags & 0b1011_0100 != 0 {
        return None;
    }
    let (has_length, has_numbers, has_offset) = (flags & 0x40 != 0, flags & 0x08 != 0, flags & 0x02 != 0);
    let mut rest = data;
    if has_length {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length > whole && !truncated {
            return None;
        }
        // What stands behind the length isn't the message's.
        rest = after.get(..length.checked_sub(4)?).unwrap_or(after);
    }
    let (&[t1, t2, s1, s2], after) = rest.split_first_chunk::<4>()?;
    // A session's id is never 0: that is for control.
    if t1 | t2 == 0 || s1 | s2 == 0 {
        return None;
    }
    rest = after.get(if has_numbers { 4 } else { 0 }..)?;
    if has_offset {
        let (offset, after) = rest.split_first_chunk::<2>()?;
        rest = after.get(usize::from(u16::from_be_bytes(*offset))..)?;
    }
    (!rest.is_empty()).then_some(Layer::Ppp(rest))
}

/// RFC 3931 section 4.1: a session's id, then a cookie and a sub-layer of a size that only the two
/// ends know. So the packet inside is looked for where it can begin, and must prove itself.
pub(super) fn in_ip(data: &[u8], truncated: bool) -> Option<Layer<'_>> {
    let (session, rest) = data.split_first_chunk::<4>()?;
    if *session == [0; 4] {
        return None;
    }
    STARTS.iter().find_map(|at| inside(rest.get(*at..)?, truncated))
}

fn inside(data: &[u8], truncated: bool) -> Option<Layer<'_>> {
    match data {
        [0xff, 3, 0, 0x21 | 0x57, packet @ ..] | [0, 0x21 | 0x57, packet @ ..]
            if is_packet(packet, 0, truncated) =>
        {
            Some(Layer::Ppp(data))
        }
        [0x0f | 0x8f, 0, 8, 0, packet @ ..] if is_packet(packet, 0, truncated) => Some(Layer::Ppp(data)),
        _ if is_packet(data, 0, truncated) => Some(Layer::Ip(data)),
        _ if is_ethernet(data, truncated) => Some(Layer::Ethernet(data)),
        _ => None,
    }
}

/// Ethernet with up to two tags around a packet.
fn is_ethernet(data: &[u8], truncated: bool) -> bool {
    let Some((&[_, _, _, _, _, _, from, ..], mut rest)) = data.split_first_chunk::<12>() else {
        return false;
    };
    // Nobody sends from a group's address.
    if from & 1 != 0 {
        return false;
    }
    for _ in 0..3 {
        rest = match rest {
            [8, 0, packet @ ..] | [0x86, 0xdd, packet @ ..] => return is_packet(packet, PADDED, truncated),
            [0x81, 0, _, _, rest @ ..] | [0x88, 0xa8, _, _, rest @ ..] => rest,
            _ => return false,
        };
    }
    false
}

fn is_udp(data: &[u8], header: &Ipv4HeaderSlice<'_>) -> bool {
    let carried = usize::from(header.total_len()).saturating_sub(header.slice().len());
    let Some([_, _, _, _, l1, l2, _, _, ..]) = data.get(header.slice().len()..) else { return false };
    let whole = !header.more_fragments() && header.fragments_offset().value() == 0;
    header.protocol().0 == 17 && whole && usize::from(u16::from_be_bytes([*l1, *l2])) == carried
}

/// Whether an IP packet stands here that ends where the data does, but for so much padding: an IPv4
/// header's checksum must be right, or a whole UDP packet of just its length inside (a host's own packets
/// have no checksum yet where its interface puts that in); an IPv6 header must lead to something that is
/// carried.
fn is_packet(data: &[u8], padding: usize, truncated: bool) -> bool {
    let length = match data.first().map(|byte| byte >> 4) {
        Some(4) => match Ipv4HeaderSlice::from_slice(data) {
            Ok(header)
                if header.header_checksum() == header.to_header().calc_header_checksum()
                    || is_udp(data, &header) =>
            {
                usize::from(header.total_len())
            }
            _ => return false,
        },
        Some(6) => match data {
            [_, _, _, _, l1, l2, 0 | 4 | 6 | 17 | 41 | 43 | 44 | 58 | 60 | 132, hops, from, ..]
                if *hops > 0 && *from != 0xff =>
            {
                usize::from(u16::from_be_bytes([*l1, *l2])).saturating_add(40)
            }
            _ => return false,
        },
        _ => return false,
    };
    let ends_there = length <= data.len() && data.len() <= length.saturating_add(padding);
    ends_there || (truncated && length > data.len())
}
