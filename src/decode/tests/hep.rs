//! HEPv3 from a socket and out of a capture, whole and broken.

use super::*;
use crate::decode::hep::{Hep, length};

type Sample = (&'static str, Link, Vec<u8>, Path);

fn chunk(vendor: u16, kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len() + 6).unwrap();
    [&vendor.to_be_bytes()[..], &kind.to_be_bytes(), &length.to_be_bytes(), value].concat()
}

fn packet(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = chunks.concat();
    [&b"HEP3"[..], &u16::try_from(body.len() + 6).unwrap().to_be_bytes(), &body].concat()
}

fn chunks(v6: bool, kind: u8) -> Vec<Vec<u8>> {
    let addresses = if v6 {
        [chunk(0, 5, &[0xfd; 16]), chunk(0, 6, &[0xfc; 16])]
    } else {
        [chunk(0, 3, &[10, 0, 0, 1]), chunk(0, 4, &[10, 0, 0, 2])]
    };
    let rest = [
        chunk(0, 1, &[if v6 { 10 } else { 2 }]),
        chunk(0, 2, &[6]),
        chunk(0, 7, &5060u16.to_be_bytes()),
        chunk(0, 8, &5062u16.to_be_bytes()),
        chunk(0, 9, &1_700_000_000u32.to_be_bytes()),
        chunk(0, 10, &7u32.to_be_bytes()),
        chunk(0, 11, &[kind]),
        chunk(0, 12, &2_001u32.to_be_bytes()),
        chunk(9, 15, b"another vendor's"),
        chunk(0, 14, b"secret"),
        chunk(0, 17, b"correlation"),
        chunk(0, 15, PAYLOAD),
    ];
    addresses.into_iter().chain(rest).collect()
}

pub(super) fn samples() -> Vec<Sample> {
    let (v4, v6) = (packet(&chunks(false, 1)), packet(&chunks(true, 1)));
    let tagged = packet(&[chunks(false, 1), vec![chunk(0, 18, &[0, 42])]].concat());
    vec![
        ("hep", Link::Hep, v4.clone(), path(false)),
        ("hep v6", Link::Hep, v6, path(true)),
        ("hep vlan", Link::Hep, tagged, Path { vlan: Some(42), ..path(false) }),
        ("hep in a capture", Link::Ethernet, in_udp(9_060, &v4), mirrored(path(false))),
        ("hep on any port", Link::Ethernet, in_udp(5_060, &v4), mirrored(path(false))),
    ]
}

#[test]
fn the_copied_message_comes_out() {
    for (name, link, data, want) in samples() {
        assert_eq!(decode(link, &data), whole(want), "{name}");
    }
}

#[test]
fn what_the_sender_says_of_it_is_there() {
    let data = packet(&chunks(false, 1));
    let hep = Hep::parse(&data).unwrap();
    assert_eq!(hep.timestamp(), Some(Timestamp(1_700_000_000_000_007)));
    assert_eq!((hep.protocol, hep.capture_id, hep.key), (6, 2_001, &b"secret"[..]));
    assert_eq!(length(&data), Ok(Some(data.len())));
    assert_eq!((length(b""), length(b"HEP3\0")), (Ok(None), Ok(None)));
    assert_eq!((length(b"HEP2"), length(b"HEP3\0\x05")), (Err(Skip::HepMalformed), Err(Skip::HepMalformed)));
}

#[test]
fn what_is_no_sip_or_no_hep_is_named() {
    let skip = |data: &[u8]| decode(Link::Hep, data);
    assert_eq!(skip(&packet(&chunks(false, 5))), Seen::Skip(Skip::HepOther));
    assert_eq!(skip(&packet(&chunks(false, 1)[2..])), Seen::Skip(Skip::HepMalformed), "no addresses");
    assert_eq!(skip(PAYLOAD), Seen::Skip(Skip::HepMalformed));
    let whole = packet(&chunks(false, 1));
    for cut in 0..whole.len() {
        assert_eq!(skip(&whole[..cut]), Seen::Skip(Skip::HepMalformed), "cut at {cut}");
    }
    // A chunk shorter than its own header would stand still.
    let mut still = whole;
    still[10..12].copy_from_slice(&[0, 0]);
    assert_eq!(skip(&still), Seen::Skip(Skip::HepMalformed));
}
