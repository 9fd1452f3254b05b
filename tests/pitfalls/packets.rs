//! Packets, byte by byte.

use super::Ip;

pub(crate) fn be16(n: usize) -> [u8; 2] {
    u16::try_from(n).unwrap().to_be_bytes()
}

/// An IPv4 packet; `fragment` is the header's flags and offset field.
pub(crate) fn ip4(src: Ip, dst: Ip, protocol: u8, id: u16, fragment: u16, carried: &[u8]) -> Vec<u8> {
    let head =
        [&[0x45, 0], &be16(carried.len() + 20)[..], &id.to_be_bytes(), &fragment.to_be_bytes()].concat();
    [&head[..], &[64, protocol, 0, 0], &src, &dst, carried].concat()
}

pub(crate) const A6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x17];
pub(crate) const B6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x05];

pub(crate) fn ip6(src: [u8; 16], dst: [u8; 16], next: u8, carried: &[u8]) -> Vec<u8> {
    [&[0x60, 0, 0, 0], &be16(carried.len())[..], &[next, 64], &src, &dst, carried].concat()
}

pub(crate) fn udp(from: u16, to: u16, payload: &[u8]) -> Vec<u8> {
    udp_of_length(from, to, payload, payload.len() + 8)
}

pub(crate) fn udp_of_length(from: u16, to: u16, payload: &[u8], length: usize) -> Vec<u8> {
    [&from.to_be_bytes()[..], &to.to_be_bytes(), &be16(length), &[0, 0], payload].concat()
}

pub(crate) fn tcp(from: u16, to: u16, seq: u32, flags: u8, ack: u32, payload: &[u8]) -> Vec<u8> {
    let ports = [from.to_be_bytes(), to.to_be_bytes()].concat();
    [&ports[..], &seq.to_be_bytes(), &ack.to_be_bytes(), &[0x50, flags, 32, 0, 0, 0, 0, 0], payload].concat()
}

pub(crate) fn ether(src: Ip, dst: Ip, kind: u16, carried: &[u8]) -> Vec<u8> {
    let mac = |ip: Ip| [0, 0x15, 0x65, ip[1], ip[2], ip[3]];
    [&mac(dst)[..], &mac(src), &kind.to_be_bytes(), carried].concat()
}

pub(crate) fn ether4(src: Ip, dst: Ip, packet: &[u8]) -> Vec<u8> {
    ether(src, dst, 0x0800, packet)
}

pub(crate) fn ether6(packet: &[u8]) -> Vec<u8> {
    ether([0, 0, 0, 2], [0, 0, 0, 1], 0x86dd, packet)
}

/// A datagram from and to port 5060.
pub(crate) fn sip(src: Ip, dst: Ip, payload: impl AsRef<[u8]>) -> Vec<u8> {
    datagram((src, 5060), (dst, 5060), payload.as_ref())
}

pub(crate) fn datagram(src: (Ip, u16), dst: (Ip, u16), payload: &[u8]) -> Vec<u8> {
    ether4(src.0, dst.0, &ip4(src.0, dst.0, 17, 1, 0, &udp(src.1, dst.1, payload)))
}

pub(crate) fn segment(src: (Ip, u16), dst: (Ip, u16), seq: u32, payload: &[u8]) -> Vec<u8> {
    flagged(src, dst, seq, 0x18, 1, payload)
}

pub(crate) fn flagged(
    src: (Ip, u16),
    dst: (Ip, u16),
    seq: u32,
    flags: u8,
    ack: u32,
    payload: &[u8],
) -> Vec<u8> {
    ether4(src.0, dst.0, &ip4(src.0, dst.0, 6, 1, 0, &tcp(src.1, dst.1, seq, flags, ack, payload)))
}

/// The frame with a VLAN tag.
pub(crate) fn tagged(frame: &[u8], id: u16) -> Vec<u8> {
    [&frame[..12], &[0x81, 0], &id.to_be_bytes(), &frame[12..]].concat()
}

/// A UDP packet in IPv4 fragments of these lengths, and a last one of the rest.
pub(crate) fn fragments4(src: Ip, dst: Ip, carried: &[u8], lengths: &[usize]) -> Vec<Vec<u8>> {
    cut(carried, lengths)
        .map(|(at, piece, more)| {
            let offset = u16::try_from(at / 8).unwrap() | if more { 0x2000 } else { 0 };
            ip4(src, dst, 17, 77, offset, piece)
        })
        .collect()
}

/// The same in IPv6, with other extension headers before the fragment's.
pub(crate) fn fragments6(carried: &[u8], lengths: &[usize], first: u8, before: &[u8]) -> Vec<Vec<u8>> {
    cut(carried, lengths)
        .map(|(at, piece, more)| {
            let offset = be16(at | usize::from(more));
            let body = [before, &[17, 0], &offset, &[0, 0, 0, 99], piece].concat();
            ip6(A6, B6, first, &body)
        })
        .collect()
}

fn cut<'a>(carried: &'a [u8], lengths: &[usize]) -> impl Iterator<Item = (usize, &'a [u8], bool)> {
    let mut at = 0;
    let mut ends: Vec<usize> = lengths
        .iter()
        .map(|length| {
            at += length;
            at
        })
        .filter(|end| *end < carried.len())
        .collect();
    ends.push(carried.len());
    let begins: Vec<usize> = [0].into_iter().chain(ends.iter().copied()).collect();
    begins.into_iter().zip(ends).map(|(begin, end)| (begin, &carried[begin..end], end < carried.len()))
}

pub(crate) fn gre(kind: u16, flags: u16, extra: &[u8], carried: &[u8]) -> Vec<u8> {
    [&flags.to_be_bytes()[..], &kind.to_be_bytes(), extra, carried].concat()
}
