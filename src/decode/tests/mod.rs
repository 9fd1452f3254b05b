//! Packets built header by header; each encapsulation must yield the inner datagram.

mod fragments;
mod hep;
mod l2tp;
mod links;
mod sctp;
mod tunnels;

use std::net::{IpAddr, SocketAddr};

use etherparse::PacketBuilder;
use proptest::prelude::*;

use super::*;
use crate::frame::{Frame, Link};
use crate::time::Timestamp;

pub(super) const PAYLOAD: &[u8] = b"INVITE sip:100@example.invalid SIP/2.0\r\n\r\n";
const SRC_MAC: [u8; 6] = [0x00, 0x15, 0x65, 1, 2, 3];
const DST_MAC: [u8; 6] = [0x00, 0x15, 0x65, 4, 5, 6];
const OUTER: [u8; 4] = [172, 16, 9, 9];

/// What a decoder said of a frame, in a form that outlives it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Datagram(Path, Vec<u8>, bool),
    Segment(Path, u32, Vec<u8>),
    Skip(Skip),
}

pub(super) fn owned(result: Result<Packet<'_>, Skip>) -> Seen {
    match result {
        Ok(Packet::Datagram(d)) => Seen::Datagram(d.path, d.payload.to_vec(), d.truncated),
        Ok(Packet::Segment(s)) => Seen::Segment(s.path, s.seq, s.payload.to_vec()),
        Err(skip) => Seen::Skip(skip),
    }
}

pub(super) fn frame(link: Link, ts: i64, data: &[u8]) -> Frame<'_> {
    let wire_len = u32::try_from(data.len()).unwrap();
    Frame { ts: Timestamp(ts), link, interface: 0, wire_len, data }
}

pub(super) fn decode(link: Link, data: &[u8]) -> Seen {
    owned(Decoder::default().decode(&frame(link, 0, data)))
}

/// The inner packet of all tests: 10.0.0.1:5060 to 10.0.0.2:5062.
pub(super) fn ipv4() -> Vec<u8> {
    let mut out = Vec::new();
    PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64).udp(5060, 5062).write(&mut out, PAYLOAD).unwrap();
    out
}

pub(super) fn ipv6() -> Vec<u8> {
    let mut out = Vec::new();
    let (src, dst) = ([0xfd; 16], [0xfc; 16]);
    PacketBuilder::ipv6(src, dst, 64).udp(5060, 5062).write(&mut out, PAYLOAD).unwrap();
    out
}

pub(super) fn typed(kind: u16, payload: &[u8]) -> Vec<u8> {
    [&DST_MAC[..], &SRC_MAC, &kind.to_be_bytes(), payload].concat()
}

pub(super) fn ethernet() -> Vec<u8> {
    typed(0x0800, &ipv4())
}

/// Something that `OUTER` sends by an IP protocol of its own.
pub(super) fn carried(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let header = etherparse::Ipv4Header::new(
        u16::try_from(payload.len()).unwrap(),
        64,
        etherparse::IpNumber(protocol),
        OUTER,
        [172, 16, 9, 10],
    );
    header.unwrap().write(&mut out).unwrap();
    out.extend(payload);
    typed(0x0800, &out)
}

/// Something that `OUTER` sends to a UDP port.
pub(super) fn in_udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    PacketBuilder::ethernet2([2; 6], [4; 6])
        .ipv4(OUTER, [172, 16, 9, 10], 64)
        .udp(55_555, port)
        .write(&mut out, payload)
        .unwrap();
    out
}

pub(super) fn path(v6: bool) -> Path {
    let (src, dst): (IpAddr, IpAddr) = if v6 {
        ([0xfd; 16].into(), [0xfc; 16].into())
    } else {
        ([10, 0, 0, 1].into(), [10, 0, 0, 2].into())
    };
    Path {
        src: SocketAddr::new(src, 5060),
        dst: SocketAddr::new(dst, 5062),
        src_mac: None,
        dst_mac: None,
        vlan: None,
        mirror: None,
    }
}

pub(super) fn with_macs(path: Path) -> Path {
    Path { src_mac: Some(Mac(SRC_MAC)), dst_mac: Some(Mac(DST_MAC)), ..path }
}

pub(super) fn mirrored(path: Path) -> Path {
    Path { mirror: Some(OUTER.into()), ..path }
}

pub(super) fn whole(path: Path) -> Seen {
    Seen::Datagram(path, PAYLOAD.to_vec(), false)
}

const LINKS: [Link; 11] = [
    Link::Ethernet,
    Link::Null,
    Link::Loop,
    Link::Ppp,
    Link::Raw,
    Link::Ipv4,
    Link::Ipv6,
    Link::Sll,
    Link::Sll2,
    Link::Nflog,
    Link::Hep,
];

proptest! {
    /// No bytes make the decoder panic, whatever they are said to be.
    #[test]
    fn random_bytes_never_panic(
        link in 0usize..LINKS.len(),
        frames in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 1..4),
    ) {
        let mut decoder = Decoder::default();
        for data in &frames {
            let _ = decoder.decode(&frame(LINKS[link], 0, data));
        }
        while decoder.poll(Timestamp(i64::MAX)).is_some() {}
    }

    /// Nor does any damage to any encapsulation, nor any cut.
    #[test]
    fn damaged_packets_never_panic(
        which in 0usize..96,
        cut in 0usize..400,
        flips in proptest::collection::vec((0usize..200, any::<u8>()), 0..6),
    ) {
        let all = [links::samples(), tunnels::samples(), l2tp::samples(), sctp::samples(), hep::samples()].concat();
        let (_, link, mut data, _) = all[which % all.len()].clone();
        for (at, value) in flips {
            if let Some(byte) = data.get_mut(at) { *byte = value; }
        }
        data.truncate(data.len().min(cut));
        let mut decoder = Decoder::default();
        let _ = decoder.decode(&frame(link, 0, &data));
        while decoder.poll(Timestamp(i64::MAX)).is_some() {}
    }

    /// The short way says and counts what the long way does, on damaged packets too.
    #[test]
    fn the_short_way_agrees_with_the_long_one(
        which in 0usize..96,
        cut in 60usize..400,
        flips in proptest::collection::vec((0usize..60, any::<u8>()), 0..3),
    ) {
        let all = [links::samples(), tunnels::samples(), l2tp::samples(), sctp::samples(), hep::samples()].concat();
        let (_, link, mut data, _) = all[which % all.len()].clone();
        for (at, value) in flips {
            if let Some(byte) = data.get_mut(at) { *byte = value; }
        }
        data.truncate(data.len().min(cut));
        let (mut short, mut long) = (Decoder::default(), Decoder::default());
        let one = owned(short.decode(&frame(link, 0, &data)));
        prop_assert_eq!(one, owned(long.decode_slowly(&frame(link, 0, &data))));
        prop_assert!(short.stats().encap.iter().eq(long.stats().encap.iter()));
    }
}

/// RTP from 10.0.0.1:4000 to 192.0.2.7:20000, with or without a VLAN tag.
fn speech(tagged: bool) -> Vec<u8> {
    let packet = PacketBuilder::ethernet2(SRC_MAC, DST_MAC);
    let mut out = Vec::new();
    let rtp = [&[0x80, 8, 0, 1][..], &[7; 60]].concat();
    if tagged {
        let tag = etherparse::VlanId::try_new(30).unwrap();
        let ip = packet.single_vlan(tag).ipv4([10, 0, 0, 1], [192, 0, 2, 7], 64);
        ip.udp(4_000, 20_000).write(&mut out, &rtp).unwrap();
    } else {
        packet.ipv4([10, 0, 0, 1], [192, 0, 2, 7], 64).udp(4_000, 20_000).write(&mut out, &rtp).unwrap();
    }
    out
}

#[test]
fn speech_is_known_by_its_headers() {
    for tagged in [false, true] {
        let data = speech(tagged);
        let read = Speech::read(&frame(Link::Ethernet, 0, &data)).unwrap();
        assert_eq!((read.addresses, read.ports), (0x0a00_0001_c000_0207, 4_000 << 16 | 20_000));
        assert_eq!(Speech::read(&frame(Link::Sll, 0, &data)), None);
    }
}

proptest! {
    /// What is taken for speech is a datagram of RTP with just these ends, however it was damaged, and
    /// counts as it does; unless its ports may be a tunnel's.
    #[test]
    fn speech_is_what_the_long_way_reads(
        tagged: bool,
        cut in 0usize..120,
        flips in proptest::collection::vec((0usize..60, any::<u8>()), 0..3),
        bits in proptest::collection::vec((0usize..60, 0u32..8), 0..2),
    ) {
        let mut data = speech(tagged);
        for (at, value) in flips { data[at] = value; }
        for (at, bit) in bits { data[at] ^= 1 << bit; }
        data.truncate(data.len().min(cut.max(30) + 40));
        let taken = frame(Link::Ethernet, 0, &data);
        let mut long = Decoder::default();
        let read = owned(long.decode_slowly(&taken));
        let is_rtp = |payload: &[u8]| payload.len() >= 8 && payload[0] & 0xc0 == 0x80;
        match (Speech::read(&taken), read) {
            (Some(speech), Seen::Datagram(path, payload, truncated)) => {
                let half = |n: u64| IpAddr::from(u32::try_from(n & 0xffff_ffff).unwrap().to_be_bytes());
                let ends = (half(speech.addresses >> 32), half(speech.addresses));
                prop_assert_eq!(ends, (path.src.ip(), path.dst.ip()));
                prop_assert_eq!(speech.ports, u32::from(path.src.port()) << 16 | u32::from(path.dst.port()));
                prop_assert!(is_rtp(&payload) && !truncated && path.mirror.is_none());
                let stats = Stats::default();
                speech.count(&stats);
                prop_assert!(stats.encap.iter().eq(long.stats().encap.iter()));
            }
            (Some(speech), other) => {
                let [a, b, c, d] = speech.ports.to_be_bytes();
                let (from, to) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
                prop_assert!(tunnel::is_port(from, to), "{:?}", other);
            }
            // What is odd, or no speech.
            (None, _) => {}
        }
    }
}

/// The records of a little-endian pcap file. (Capture stands above decode, so it can't be used here.)
fn read_pcap(bytes: &[u8]) -> Vec<(Link, i64, &[u8])> {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let swap = word(0) == 0xd4c3_b2a1;
    let word = |at: usize| if swap { word(at).swap_bytes() } else { word(at) };
    let link = Link::from_number(i32::try_from(word(20)).unwrap()).unwrap();
    let (mut at, mut out) = (24, Vec::new());
    while at + 16 <= bytes.len() {
        let length = usize::try_from(word(at + 8)).unwrap();
        let ts = i64::from(word(at)) * 1_000_000 + i64::from(word(at + 4));
        out.push((link, ts, &bytes[at + 16..at + 16 + length]));
        at += 16 + length;
    }
    out
}
