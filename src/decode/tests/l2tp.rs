//! L2TP as far as it can be told, and what must not be taken for it.

use super::tunnels::{Sample, with};
use super::*;

fn v2(head: &[u8], inner: &[u8]) -> Vec<u8> {
    in_udp(1_701, &with(head, inner))
}

/// Version 3 in UDP.
fn v3(rest: &[u8], inner: &[u8]) -> Vec<u8> {
    in_udp(1_701, &with(&[0, 3, 0, 0, 0, 0, 0, 7], &with(rest, inner)))
}

/// From the server's port to any.
fn answered(head: &[u8], inner: &[u8]) -> Vec<u8> {
    let mut data = in_udp(40_000, &with(head, inner));
    data[34..36].copy_from_slice(&1_701u16.to_be_bytes());
    data
}

fn length(data: &[u8]) -> [u8; 2] {
    u16::try_from(data.len()).unwrap().to_be_bytes()
}

pub(super) fn samples() -> Vec<Sample> {
    let (ip4, ip6) = (mirrored(path(false)), mirrored(path(true)));
    let eth = mirrored(with_macs(path(false)));
    let (ip, ether) = (ipv4(), ethernet());
    let ppp = with(&[0xff, 3, 0, 0x21], &ip);
    let [high, low] = length(&with(&[0; 8], &ppp));
    let counted = [0x48, 2, high, low.wrapping_add(4), 0, 1, 0, 2, 0, 3, 0, 4];
    let padded = with(&ether, &[0; 6]);
    vec![
        ("l2tp 2", Link::Ethernet, v2(&[0, 2, 0, 1, 0, 2, 0xff, 3, 0, 0x21], &ip), ip4),
        ("l2tp 2 short protocol", Link::Ethernet, v2(&[0, 2, 0, 1, 0, 2, 0x21], &ip), ip4),
        ("l2tp 2 v6", Link::Ethernet, v2(&[0, 2, 0, 1, 0, 2, 0, 0x57], &ipv6()), ip6),
        ("l2tp 2 length and numbers", Link::Ethernet, v2(&counted, &ppp), ip4),
        ("l2tp 2 offset", Link::Ethernet, v2(&[2, 2, 0, 1, 0, 2, 0, 3, 9, 9, 9], &ppp), ip4),
        ("l2tp 2 priority", Link::Ethernet, v2(&[1, 2, 0, 1, 0, 2], &ppp), ip4),
        ("l2tp 2 answer", Link::Ethernet, answered(&[0, 2, 0, 1, 0, 2], &ppp), ip4),
        ("l2tp 3 ethernet", Link::Ethernet, v3(&[], &ether), eth),
        ("l2tp 3 sub-layer", Link::Ethernet, v3(&[0x40, 0, 0, 9], &ether), eth),
        ("l2tp 3 cookie", Link::Ethernet, v3(&[1, 2, 3, 4, 5, 6, 7, 8], &ether), eth),
        (
            "l2tp 3 cookie and sub-layer",
            Link::Ethernet,
            v3(&[1, 2, 3, 4, 5, 6, 7, 8, 0x40, 0, 0, 9], &ether),
            eth,
        ),
        ("l2tp 3 ip", Link::Ethernet, v3(&[1, 2, 3, 4], &ip), ip4),
        ("l2tp 3 ip v6", Link::Ethernet, v3(&[], &ipv6()), ip6),
        ("l2tp 3 ppp", Link::Ethernet, v3(&[1, 2, 3, 4], &ppp), ip4),
        ("l2tp 3 hdlc", Link::Ethernet, v3(&[], &with(&[0x0f, 0, 8, 0], &ip)), ip4),
        ("l2tp 3 in ip", Link::Ethernet, carried(115, &with(&[0, 0, 0, 7], &ether)), eth),
        (
            "l2tp 3 in ip, cookie, padded",
            Link::Ethernet,
            carried(115, &with(&[0, 0, 0, 7, 1, 2, 3, 4], &padded)),
            eth,
        ),
        (
            "l2tp 3 in ip, tagged",
            Link::Ethernet,
            carried(115, &with(&[0, 0, 0, 7], &typed(0x8100, &with(&[0, 42, 8, 0], &ip)))),
            Path { vlan: Some(42), ..eth },
        ),
    ]
}

#[test]
fn every_kind_of_l2tp_yields_the_inner_datagram() {
    for (name, link, data, want) in samples() {
        assert_eq!(decode(link, &data), whole(want), "{name}");
    }
}

#[test]
fn l2tp_counts_as_a_level_of_depth() {
    let mut data = ethernet();
    for depth in 1..=5 {
        data = if depth == 2 {
            carried(115, &with(&[0, 0, 0, 7], &data))
        } else {
            v2(&[0, 2, 0, 1, 0, 2, 0, 0x21], &data[14..])
        };
        let seen = decode(Link::Ethernet, &data);
        match depth {
            1 => assert_eq!(seen, whole(mirrored(path(false))), "depth {depth}"),
            2..=4 => assert_eq!(seen, whole(mirrored(path(false))), "depth {depth}"),
            _ => assert_eq!(seen, Seen::Skip(Skip::TooDeep)),
        }
    }
}

/// Control messages, texts and what proves nothing are datagrams, whichever way they go.
#[test]
fn what_is_no_l2tp_data_is_a_datagram() {
    let mut bad_sum = ipv4();
    bad_sum[10] ^= 1;
    // A UDP packet of just its length proves itself without a checksum.
    bad_sum[25] ^= 1;
    for payload in [
        // A control message; version 3's in UDP has session 0.
        &[0xc8, 2, 0, 12, 0, 1, 0, 0, 0, 0, 0, 0][..],
        &[0xc8, 3, 0, 12, 0, 0, 0, 1, 0, 0, 0, 0],
        &[0, 3, 0, 0, 0, 0, 0, 0, 1, 2],
        // Reserved bits, session 0, a length beyond the datagram, an offset beyond it, nothing inside.
        &[0x20, 2, 0, 1, 0, 2, 0, 0x21, 0x45],
        &[0, 2, 0, 1, 0, 0, 0, 0x21, 0x45],
        &[0x40, 2, 1, 0, 0, 1, 0, 2, 0, 0x21, 0x45],
        &[2, 2, 0, 1, 0, 2, 1, 0, 0, 0x21],
        &[0, 2, 0, 1, 0, 2],
        b"SIP/2.0 200 OK\r\n\r\n",
        b"\r\n\r\n",
        &with(&[0, 3, 0, 0, 0, 0, 0, 7], &bad_sum),
        &with(&[0, 3, 0, 0, 0, 0, 0, 7], &with(&ipv4(), &[1])),
    ] {
        for data in [in_udp(1_701, payload), answered(payload, &[])] {
            let Seen::Datagram(path, seen, false) = decode(Link::Ethernet, &data) else {
                panic!("{payload:?}: {:?}", decode(Link::Ethernet, &data));
            };
            assert_eq!((path.mirror, seen.as_slice()), (None, payload));
        }
    }
    assert_eq!(
        decode(Link::Ethernet, &carried(115, &with(&[0, 0, 0, 7], &bad_sum))),
        Seen::Skip(Skip::OtherTransport)
    );
}
