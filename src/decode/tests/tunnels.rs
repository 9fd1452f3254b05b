//! Every tunnel, alone and inside others.

use super::*;
use crate::tally::Label;

pub(super) type Sample = (&'static str, Link, Vec<u8>, Path);

fn gre(flags: u8, version: u8, kind: u16, rest: &[u8]) -> Vec<u8> {
    carried(47, &[&[flags, version][..], &kind.to_be_bytes(), rest].concat())
}

pub(super) fn with(head: &[u8], inner: &[u8]) -> Vec<u8> {
    [head, inner].concat()
}

pub(super) fn samples() -> Vec<Sample> {
    let (v4, v6) = (mirrored(path(false)), mirrored(path(true)));
    let eth = mirrored(with_macs(path(false)));
    let vlan = |id| Path { vlan: Some(id), ..eth };
    let (ip, ether) = (ipv4(), ethernet());
    let erspan2 = [0, 0, 0, 1, 0x10, 0x2a, 0, 1, 0, 0, 0, 0];
    let erspan3 = |options: u8, types: u8| [0, 0, 0, 1, 0x20, 0x2a, 0, 1, 0, 0, 0, 0, 0, 0, types, options];
    let all_flags = [1, 2, 0, 0, 0, 0, 0, 9, 0, 0, 0, 8, 0, 0, 1, 2, 7, 7, 0, 0, 0, 0];
    let gtp_extended = [0x36, 0xff, 0, 99, 0, 0, 0, 1, 0, 5, 0, 0x85, 1, 2, 3, 0x40, 1, 5, 5, 0];
    let geneve_options = [2, 0, 0x65, 0x58, 0, 0, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    vec![
        ("gre", Link::Ethernet, gre(0, 0, 0x0800, &ip), v4),
        ("gre v6", Link::Ethernet, gre(0, 0, 0x86dd, &ipv6()), v6),
        ("gre all flags", Link::Ethernet, gre(0xf0, 0, 0x0800, &with(&all_flags, &ip)), v4),
        ("gre ethernet", Link::Ethernet, gre(0, 0, 0x6558, &ether), eth),
        ("nvgre", Link::Ethernet, gre(0x20, 0, 0x6558, &with(&[0, 1, 2, 3], &ether)), eth),
        ("gre mpls", Link::Ethernet, gre(0, 0, 0x8847, &with(&[0, 1, 1, 64], &ip)), v4),
        (
            "pptp",
            Link::Ethernet,
            gre(0x30, 0x81, 0x880b, &with(&[0, 9, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0x21], &ip)),
            v4,
        ),
        ("erspan 1", Link::Ethernet, gre(0, 0, 0x88be, &ether), eth),
        ("erspan 2", Link::Ethernet, gre(0x10, 0, 0x88be, &with(&erspan2, &ether)), vlan(42)),
        ("erspan 3", Link::Ethernet, gre(0x10, 0, 0x22eb, &with(&erspan3(0, 0), &ether)), vlan(42)),
        (
            "erspan 3 sub-header",
            Link::Ethernet,
            gre(0x10, 0, 0x22eb, &with(&erspan3(1, 0), &with(&[0; 8], &ether))),
            vlan(42),
        ),
        (
            "erspan 3 ip",
            Link::Ethernet,
            gre(0x10, 0, 0x22eb, &with(&erspan3(0, 8), &ip)),
            Path { vlan: Some(42), ..v4 },
        ),
        ("ip in ip", Link::Ethernet, carried(4, &ip), v4),
        ("6in4", Link::Ethernet, carried(41, &ipv6()), v6),
        ("ether ip", Link::Ethernet, carried(97, &with(&[0x30, 0], &ether)), eth),
        ("mpls in ip", Link::Ethernet, carried(137, &with(&[0, 1, 1, 64], &ip)), v4),
        ("vxlan", Link::Ethernet, in_udp(4_789, &with(&[8, 0, 0, 0, 0, 0, 1, 0], &ether)), eth),
        ("vxlan 8472", Link::Ethernet, in_udp(8_472, &with(&[8, 0, 0, 0, 0, 0, 1, 0], &ether)), eth),
        ("vxlan gpe", Link::Ethernet, in_udp(4_790, &with(&[12, 0, 0, 3, 0, 0, 1, 0], &ether)), eth),
        ("vxlan gpe v6", Link::Ethernet, in_udp(4_790, &with(&[12, 0, 0, 2, 0, 0, 1, 0], &ipv6())), v6),
        ("geneve", Link::Ethernet, in_udp(6_081, &with(&geneve_options, &ether)), eth),
        ("geneve ip", Link::Ethernet, in_udp(6_081, &with(&[0, 0, 8, 0, 0, 0, 1, 0], &ip)), v4),
        ("gtp-u", Link::Ethernet, in_udp(2_152, &with(&[0x30, 0xff, 0, 99, 0, 0, 0, 1], &ip)), v4),
        ("gtp-u extended", Link::Ethernet, in_udp(2_152, &with(&gtp_extended, &ip)), v4),
        ("tzsp", Link::Ethernet, in_udp(37_008, &with(&[1, 0, 0, 1, 0, 10, 1, 0x80, 1], &ether)), eth),
        ("mpls in udp", Link::Ethernet, in_udp(6_635, &with(&[0, 1, 1, 64], &ip)), v4),
    ]
}

#[test]
fn every_tunnel_yields_the_inner_datagram() {
    for (name, link, data, want) in samples() {
        assert_eq!(decode(link, &data), whole(want), "{name}");
    }
}

#[test]
fn each_tunnel_is_counted_as_what_it_is() {
    let mut decoder = Decoder::default();
    for (_, link, data, _) in samples() {
        decoder.decode(&frame(link, 0, &data)).unwrap();
    }
    let counts: Vec<_> =
        decoder.stats().encap.iter().filter(|(_, n)| *n > 0).map(|(encap, n)| (encap.name(), n)).collect();
    let want = [
        ("mpls", 3),
        ("gre", 6),
        ("nvgre", 1),
        ("erspan", 5),
        ("ip_in_ip", 2),
        ("ether_ip", 1),
        ("vxlan", 4),
        ("geneve", 2),
        ("gtp_u", 2),
        ("tzsp", 1),
    ];
    assert_eq!(counts, want);
}

#[test]
fn four_tunnels_deep_is_read_and_five_is_not() {
    let mut data = ethernet();
    for depth in 1..=5 {
        data = in_udp(4_789, &with(&[8, 0, 0, 0, 0, 0, 1, 0], &data));
        let seen = decode(Link::Ethernet, &data);
        if depth <= 4 {
            assert_eq!(seen, whole(mirrored(with_macs(path(false)))), "depth {depth}");
        } else {
            assert_eq!(seen, Seen::Skip(Skip::TooDeep));
        }
    }
}

#[test]
fn a_text_on_a_tunnels_port_is_a_datagram() {
    for port in [4_789, 4_790, 8_472, 6_081, 2_152, 37_008, 6_635, 1_701, 9_899] {
        let Seen::Datagram(path, payload, false) = decode(Link::Ethernet, &in_udp(port, PAYLOAD)) else {
            panic!("port {port}");
        };
        assert_eq!((path.dst.port(), path.mirror, payload.as_slice()), (port, None, PAYLOAD));
    }
}
