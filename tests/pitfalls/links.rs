//! Links, tunnels, fragments, lengths.

use super::packets::*;
use super::talk::*;
use super::*;

/// Between whom a mirror's tunnel goes.
const HERE: Ip = [172, 16, 9, 9];
const THERE: Ip = [172, 16, 9, 10];

fn outer(protocol: u8, carried: &[u8]) -> Vec<u8> {
    ether4(HERE, THERE, &ip4(HERE, THERE, protocol, 1, 0, carried))
}

fn in_udp(port: u16, carried: &[u8]) -> Vec<u8> {
    outer(17, &udp(50_000, port, carried))
}

fn mpls(label: u32, last: bool) -> [u8; 4] {
    (label << 12 | u32::from(last) << 8 | 64).to_be_bytes()
}

fn vlan(id: u16, kind: u16) -> Vec<u8> {
    [id.to_be_bytes(), kind.to_be_bytes()].concat()
}

pub(crate) fn cases() -> Vec<Case> {
    [tunnels(), links(), packets()].into_iter().flatten().map(Case::dear).chain(nothing()).collect()
}

fn tunnels() -> Vec<Case> {
    let message = dear();
    let inner = ip4(PHONE, CLOUD, 17, 1, 0, &udp(5060, 5060, &message));
    let frame = ether4(PHONE, CLOUD, &inner);
    let six = ip6(A6, B6, 17, &udp(5060, 5060, &message));
    let vxlan = [8, 0, 0, 0, 0, 0, 5, 0];
    let stack = [&vlan(7, 0x8847)[..], &mpls(100, false), &mpls(200, true)].concat();
    let in_gre = ip4(HERE, THERE, 47, 1, 0, &gre(0x0800, 0, &[], &inner));
    let pppoe = [&[0x11, 0, 0, 1], &be16(inner.len() + 2)[..], &[0, 0x21]].concat();
    let erspan3 = |seq: u8| {
        let head = [&[0x20, 5, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0][..], &frame].concat();
        outer(47, &gre(0x22eb, 0x1000, &[0, 0, 0, seq], &head))
    };
    let erspan2 = [&[0x10, 5, 0, 1, 0, 0, 0, 0][..], &frame].concat();
    let geneve =
        [&[1, 0, 8, 0, 0, 0, 1, 0, 1, 2, 3, 0][..], &ip4([192, 0, 2, 1], [192, 0, 2, 2], 41, 1, 0, &six)];
    let gtp =
        [&[0x34, 0xff], &be16(inner.len() + 8)[..], &[0, 0, 0, 9, 0, 0, 0, 0x85, 1, 0x10, 5, 0], &inner];
    let nvgre = outer(47, &gre(0x6558, 0x2000, &[0, 0, 5, 1], &frame));
    let l2tp2 = [&[0x40, 2], &be16(inner.len() + 12)[..], &[0, 5, 0, 6, 0xff, 3, 0, 0x21], &inner].concat();
    let l2tp3 = [&[0, 0, 0, 77, 0, 0, 0, 0][..], &frame].concat();
    let snap = |mut data: Vec<u8>| {
        data.splice(12..14, [&be16(inner.len() + 8)[..], &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]].concat());
        data
    };
    let six_in_vxlan = fragments6(&udp(5060, 5060, &message), &[320, 160], 44, &[]);
    let outer_cut = fragments4(HERE, THERE, &udp(50_000, 4789, &[&vxlan[..], &frame].concat()), &[400]);
    vec![
        case("VLAN, MPLS twice, GRE", 1, vec![ether(HERE, THERE, 0x8100, &[stack, in_gre].concat())]),
        case("IPv6 fragments in VXLAN, backwards", 1, {
            let each = |packet: &Vec<u8>| in_udp(4789, &[&vxlan[..], &ether6(packet)].concat());
            six_in_vxlan.iter().rev().map(each).collect()
        }),
        case("VXLAN that is in fragments itself, backwards", 1, {
            outer_cut.iter().rev().map(|packet| ether4(HERE, THERE, packet)).collect()
        }),
        case("QinQ and PPPoE", 1, {
            let tags = [vlan(7, 0x8100), vlan(9, 0x8864)].concat();
            vec![ether(PHONE, CLOUD, 0x88a8, &[tags, pppoe, inner.clone()].concat())]
        }),
        case("ERSPAN III, twice", 1, vec![erspan3(0), erspan3(1)]),
        case("ERSPAN II", 1, vec![outer(47, &gre(0x88be, 0x1000, &[0, 0, 0, 1], &erspan2))]),
        case("ERSPAN I", 1, vec![outer(47, &gre(0x88be, 0, &[], &frame))]),
        case("Geneve with an option, 6in4", 1, vec![in_udp(6081, &geneve.concat())]),
        case("GTP-U with an extension", 1, vec![in_udp(2152, &gtp.concat())]),
        case("TZSP, NVGRE", 1, vec![in_udp(37_008, &[&[1, 0, 0, 1, 1][..], &nvgre].concat())]),
        case("L2TP 2 and the same in L2TP 3", 1, vec![in_udp(1701, &l2tp2), outer(115, &l2tp3)]),
        case("L2TP 3 alone, inside a packet without a checksum", 1, vec![outer(115, &l2tp3)]),
        case("a pseudowire with control word", 1, {
            vec![ether(
                HERE,
                THERE,
                0x8847,
                &[&mpls(100, false)[..], &mpls(16, true), &[0; 4], &frame].concat(),
            )]
        }),
        case("LLC and SNAP", 1, vec![snap(frame.clone())]),
        case("IP in IP", 1, vec![outer(4, &inner)]),
    ]
}

fn links() -> Vec<Case> {
    let message = dear();
    let four = ip4(PHONE, CLOUD, 17, 1, 0, &udp(5060, 5060, &message));
    let six = ip6(A6, B6, 17, &udp(5060, 5060, &message));
    let on = |name, link, head: &[u8], packet: &[u8]| case(name, 1, vec![[head, packet].concat()]).link(link);
    let cooked = [0, 0, 0, 1, 0, 6, 0, 0x15, 0x65, 0, 3, 17, 0, 0, 8, 0];
    let cooked2 = [0x81, 0, 0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 0, 0x15, 0x65, 0, 3, 17, 0, 0, 0, 5, 8, 0];
    let nflog = [&[2, 0, 0, 0, 8, 0, 3, 0, 0, 0, 0, 0][..], &{
        let length = u16::try_from(four.len() + 4).unwrap().to_le_bytes();
        [length, [9, 0]].concat()
    }];
    vec![
        on("Linux cooked", Link::Sll, &cooked, &four),
        on("Linux cooked 2 with a VLAN tag", Link::Sll2, &cooked2, &four),
        on("BSD loopback, one byte order", Link::Null, &[0, 0, 0, 2], &four),
        on("BSD loopback, the other", Link::Null, &[30, 0, 0, 0], &six),
        on("OpenBSD loopback", Link::Loop, &[0, 0, 0, 24], &six),
        on("PPP", Link::Ppp, &[0xff, 3, 0, 0x57], &six),
        on("raw IP", Link::Raw, &[], &four),
        on("raw IPv4", Link::Ipv4, &[], &four),
        on("raw IPv6", Link::Ipv6, &[], &six),
        on("netfilter's log", Link::Nflog, &nflog.concat(), &four),
    ]
}

fn packets() -> Vec<Case> {
    let message = dear();
    let carried = udp(5060, 5060, &message);
    // Hop-by-hop, destination options, routing, authentication, and then a fragment.
    let mut chain = vec![0x3c, 0, 1, 4, 0, 0, 0, 0, 0x2b, 0, 1, 4, 0, 0, 0, 0, 0x33, 2, 0, 0];
    chain.extend([0; 20]);
    chain.extend([44, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
    chain.extend([0; 12]);
    let pieces = fragments4(PHONE, CLOUD, &carried, &[240, 160]);
    let lie = with(message.clone(), &[(DEAR.as_bytes(), b"00442079460000")]);
    let lies = fragments4(PHONE, CLOUD, &udp(5060, 5060, &lie), &[240, 160]);
    let at = |piece: &Vec<u8>| ether4(PHONE, CLOUD, piece);
    let whole = sip(PHONE, CLOUD, &message);
    let mut short = case("cut by the snap length", 1, vec![whole[..whole.len() - 120].to_vec()]);
    short.frames[0].2 = Some(u32::try_from(whole.len()).unwrap());
    let mut optioned = ip4(PHONE, CLOUD, 17, 1, 0, &[&[0x94, 4, 0, 0][..], &carried].concat());
    optioned[0] = 0x46;
    optioned[10..12].copy_from_slice(&[0xba, 0xd0]);
    let garbage = [&message[..], b"INVITE sip:1@x SIP/2.0\r\n\r\n"].concat();
    let padded = |length| {
        ether4(PHONE, CLOUD, &ip4(PHONE, CLOUD, 17, 1, 0, &udp_of_length(5060, 5060, &garbage, length)))
    };
    let doubled = [2usize, 0, 1].into_iter().flat_map(|i| [at(&pieces[i]), tagged(&at(&pieces[i]), 5)]);
    let huge = with(
        message.clone(),
        &[(b"Max-Forwards", &[b"X-Big: ", &[b'y'; 20_000][..], b"\r\nMax-Forwards"].concat())],
    );
    let huge = fragments4(PHONE, CLOUD, &udp(5060, 5060, &huge), &[1_480; 14]);
    vec![
        case("IPv6: four extension headers and fragments", 1, {
            fragments6(&carried, &[200, 208], 0, &chain).iter().map(|packet| ether6(packet)).collect()
        }),
        case("IPv6: an atomic fragment", 1, {
            vec![ether6(&ip6(A6, B6, 44, &[&[17, 0, 0, 0, 0, 0, 0, 5][..], &carried].concat()))]
        }),
        case("IPv4: options, padding, a bad checksum", 1, {
            vec![[&ether4(PHONE, CLOUD, &optioned)[..], &[0; 9]].concat()]
        }),
        case("a tiny first fragment", 1, {
            fragments4(PHONE, CLOUD, &carried, &[8, 16, 8]).iter().map(at).collect()
        }),
        case("fragments doubled in another VLAN, out of order", 1, doubled.collect()),
        case("an overlapping fragment that lies", 1, {
            vec![at(&pieces[0]), at(&lies[0]), at(&pieces[1]), at(&pieces[2])]
        }),
        after("the last fragment never comes", 1, {
            vec![(20, at(&pieces[0])), (20, at(&pieces[1])), (40_000, sip(PHONE, CLOUD, b"\r\n\r\n"))]
        }),
        short,
        case("garbage behind the UDP length", 1, vec![padded(message.len() + 8)]),
        case("a UDP length of 0", 1, {
            vec![ether4(PHONE, CLOUD, &ip4(PHONE, CLOUD, 17, 1, 0, &udp_of_length(5060, 5060, &message, 0)))]
        }),
        case("20 kB in fragments", 1, huge.iter().map(at).collect()),
    ]
}

fn nothing() -> Vec<Case> {
    let inner = ip4(PHONE, CLOUD, 17, 1, 0, &udp(5060, 5060, &dear()));
    let quoted = ip4(CLOUD, PHONE, 1, 1, 0, &[&[3, 3, 0, 0, 0, 0, 0, 0][..], &inner].concat());
    vec![case("an ICMP error that quotes it", 0, vec![ether4(CLOUD, PHONE, &quoted)])]
}
