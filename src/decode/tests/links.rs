//! Every link type, and what stands between a link and IP.

use super::*;

/// Name, link type, frame, the path that must come out.
type Sample = (&'static str, Link, Vec<u8>, Path);

fn sll(kind: u16, payload: &[u8]) -> Vec<u8> {
    let head = [0, 0, 0, 1, 0, 6, 0x00, 0x15, 0x65, 1, 2, 3, 0, 0];
    [&head[..], &kind.to_be_bytes(), payload].concat()
}

fn sll2(kind: u16, payload: &[u8]) -> Vec<u8> {
    let tail = [0, 0, 0, 0, 0, 7, 0, 1, 0, 6, 0x00, 0x15, 0x65, 1, 2, 3, 0, 0];
    [&kind.to_be_bytes()[..], &tail, payload].concat()
}

fn tags(kinds: &[u16]) -> Vec<u8> {
    let mut out = Vec::new();
    for (i, kind) in kinds.iter().enumerate() {
        let id = 0x6000 | u16::try_from(i + 100).unwrap();
        out.extend([kind.to_be_bytes(), id.to_be_bytes()].concat());
    }
    // The first tag's type stands in the Ethernet header, so the rest moves up by one.
    let mut rest = out.split_off(2);
    rest.extend(0x0800u16.to_be_bytes());
    rest.extend(ipv4());
    typed(kinds[0], &rest)
}

fn nflog(big_endian: bool) -> Vec<u8> {
    let half = |n: u16| if big_endian { n.to_be_bytes() } else { n.to_le_bytes() };
    let mut out = vec![2, 0, 0, 30];
    out.extend([half(8), half(1), [8, 0], [1, 0]].concat());
    // A prefix of odd length is padded to four bytes.
    out.extend([&half(5)[..], &half(10), &[0, 0, 0, 0]].concat());
    let packet = ipv4();
    out.extend([&half(u16::try_from(packet.len() + 4).unwrap())[..], &half(9), &packet].concat());
    out
}

fn label(bottom: bool) -> [u8; 4] {
    [0, 0x01, 0x40 | u8::from(bottom), 64]
}

pub(super) fn samples() -> Vec<Sample> {
    let (v4, v6, eth) = (path(false), path(true), with_macs(path(false)));
    let half = Path { dst_mac: None, ..eth };
    let tagged = |vlan| Path { vlan: Some(vlan), ..eth };
    let ppp = |head: &[u8]| [head, &ipv4()].concat();
    let family = |n: [u8; 4], ip: Vec<u8>| [&n[..], &ip].concat();
    let session = [&[0x11, 0, 0, 7, 0, 80, 0x00, 0x21][..], &ipv4()].concat();
    let bridged = [&label(true)[..], &ethernet()].concat();
    let with_word = [&label(false)[..], &label(true), &[0, 0, 0, 9], &ethernet()].concat();
    vec![
        ("ethernet", Link::Ethernet, ethernet(), eth),
        ("ethernet v6", Link::Ethernet, typed(0x86dd, &ipv6()), with_macs(v6)),
        ("padding", Link::Ethernet, [ethernet(), vec![0xee; 18]].concat(), eth),
        ("snap", Link::Ethernet, typed(80, &[&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0][..], &ipv4()].concat()), eth),
        ("vlan", Link::Ethernet, tags(&[0x8100]), tagged(100)),
        ("qinq", Link::Ethernet, tags(&[0x88a8, 0x8100]), tagged(101)),
        ("0x9100", Link::Ethernet, tags(&[0x9100, 0x8100, 0x9200]), tagged(102)),
        ("eight tags", Link::Ethernet, tags(&[0x8100; 8]), tagged(107)),
        ("priority tag", Link::Ethernet, typed(0x8100, &[&[0x60, 0, 8, 0][..], &ipv4()].concat()), eth),
        ("pppoe", Link::Ethernet, typed(0x8864, &session), eth),
        (
            "qinq pppoe",
            Link::Ethernet,
            typed(0x88a8, &[&[0, 5, 0x88, 0x64][..], &session].concat()),
            tagged(5),
        ),
        ("mpls v4", Link::Ethernet, typed(0x8847, &[&label(false)[..], &label(true), &ipv4()].concat()), eth),
        ("mpls v6", Link::Ethernet, typed(0x8848, &[&label(true)[..], &ipv6()].concat()), with_macs(v6)),
        ("mpls pseudowire", Link::Ethernet, typed(0x8847, &bridged), eth),
        ("mpls control word", Link::Ethernet, typed(0x8847, &with_word), eth),
        ("raw v4", Link::Raw, ipv4(), v4),
        ("raw v6", Link::Raw, ipv6(), v6),
        ("ipv4", Link::Ipv4, ipv4(), v4),
        ("ipv6", Link::Ipv6, ipv6(), v6),
        ("null little", Link::Null, family([2, 0, 0, 0], ipv4()), v4),
        ("null big", Link::Null, family([0, 0, 0, 30], ipv6()), v6),
        ("loop", Link::Loop, family([0, 0, 0, 2], ipv4()), v4),
        ("ppp", Link::Ppp, ppp(&[0x00, 0x21]), v4),
        ("ppp compressed", Link::Ppp, ppp(&[0x21]), v4),
        ("ppp hdlc", Link::Ppp, ppp(&[0xff, 3, 0x00, 0x21]), v4),
        ("cisco hdlc", Link::Ppp, ppp(&[0x0f, 0, 0x08, 0x00]), v4),
        ("pppoe alone", Link::PppEther, session.clone(), v4),
        ("sll", Link::Sll, sll(0x0800, &ipv4()), half),
        (
            "sll vlan",
            Link::Sll,
            sll(0x8100, &[&[0, 9, 8, 0][..], &ipv4()].concat()),
            Path { vlan: Some(9), ..half },
        ),
        ("sll2", Link::Sll2, sll2(0x86dd, &ipv6()), Path { src_mac: half.src_mac, ..v6 }),
        ("nflog little", Link::Nflog, nflog(false), v4),
        ("nflog big", Link::Nflog, nflog(true), v4),
    ]
}

#[test]
fn every_link_yields_the_datagram() {
    for (name, link, data, want) in samples() {
        assert_eq!(decode(link, &data), whole(want), "{name}");
    }
}

#[test]
fn what_carries_no_ip_is_named() {
    let skip = |data: &[u8]| decode(Link::Ethernet, data);
    assert_eq!(skip(&tags(&[0x8100; 9])), Seen::Skip(Skip::TooManyTags));
    assert_eq!(skip(&typed(0x0806, &[0; 28])), Seen::Skip(Skip::NotIp));
    assert_eq!(skip(&typed(0x8863, &[0x11, 9, 0, 0, 0, 0])), Seen::Skip(Skip::NotIp));
    assert_eq!(skip(&typed(38, &[0x42, 0x42, 3, 0, 0, 0, 0, 0])), Seen::Skip(Skip::NotIp));
    assert_eq!(skip(&ethernet()[..13]), Seen::Skip(Skip::LinkTruncated));
    assert_eq!(skip(&ethernet()[..30]), Seen::Skip(Skip::IpMalformed));
    assert_eq!(skip(&ethernet()[..40]), Seen::Skip(Skip::TransportTruncated));
    assert_eq!(decode(Link::Null, &[7, 0, 0, 0, 0x45]), Seen::Skip(Skip::NotIp));
    assert_eq!(skip(&carried(1, &[8, 0, 0, 0])), Seen::Skip(Skip::OtherTransport));
    assert_eq!(skip(&carried(50, &[1; 40])), Seen::Skip(Skip::TunnelEncrypted));
}

#[test]
fn lengths_rule_and_checksums_do_not() {
    let want = with_macs(path(false));
    // Both checksums wrong.
    let mut data = ethernet();
    data[24] ^= 0xff;
    data[40] ^= 0xff;
    assert_eq!(decode(Link::Ethernet, &data), whole(want));
    // Cut by the snap length: what is there, and flagged.
    let cut = &ethernet()[..60];
    assert_eq!(decode(Link::Ethernet, cut), Seen::Datagram(want, PAYLOAD[..18].to_vec(), true));
    // IP and UDP lengths of 0, as segmentation offload leaves them.
    let mut data = ethernet();
    data[16..18].fill(0);
    data[38..40].fill(0);
    assert_eq!(decode(Link::Ethernet, &data), whole(want));
    // A UDP length beyond the packet, and one below its own header.
    for (length, skip) in [(999u16, Skip::UdpMalformed), (7, Skip::UdpMalformed)] {
        let mut data = ethernet();
        data[38..40].copy_from_slice(&length.to_be_bytes());
        assert_eq!(decode(Link::Ethernet, &data), Seen::Skip(skip));
    }
    // A UDP length below the packet's: the rest is nobody's.
    let mut data = ethernet();
    data[38..40].copy_from_slice(&18u16.to_be_bytes());
    assert_eq!(decode(Link::Ethernet, &data), Seen::Datagram(want, PAYLOAD[..10].to_vec(), false));
}

#[test]
fn tcp_gives_a_segment_without_ethernet_padding() {
    let mut data = Vec::new();
    PacketBuilder::ethernet2(SRC_MAC, DST_MAC)
        .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
        .tcp(5060, 5062, 77, 1_000)
        .options_raw(&[1, 1, 1, 1])
        .unwrap()
        .write(&mut data, b"\r\n")
        .unwrap();
    data.extend([0; 6]);
    assert_eq!(decode(Link::Ethernet, &data), Seen::Segment(with_macs(path(false)), 77, b"\r\n".to_vec()));
}

#[test]
fn ipv6_extension_headers_are_walked() {
    let udp = ipv6()[40..].to_vec();
    // Hop-by-hop, routing, destination options, authentication, an atomic fragment, then UDP.
    let mut chain = vec![43, 0, 5, 2, 0, 0, 1, 0];
    chain.extend([60, 0, 0, 0, 0, 0, 0, 0]);
    chain.extend([[51, 1, 1, 12].as_slice(), &[0; 12]].concat());
    chain.extend([44, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9]);
    chain.extend([17, 0, 0, 0, 0, 0, 0, 7]);
    chain.extend(udp);
    let mut data = ipv6()[..40].to_vec();
    data[4..6].copy_from_slice(&u16::try_from(chain.len()).unwrap().to_be_bytes());
    data[6] = 0;
    data.extend(chain);
    assert_eq!(decode(Link::Raw, &data), whole(path(true)));
}

/// Every shared capture is read through, and those with SIP over UDP have the right number of it.
#[test]
fn corpora_have_the_datagrams_that_tshark_counts() {
    let dir = std::env::var("RINGFENCE_CORPORA")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpora").to_owned());
    let Ok(truth) = std::fs::read_to_string(format!("{dir}/ground_truth_files.csv")) else {
        println!("skipped: corpora not present");
        return;
    };
    for line in truth.lines().skip(1) {
        let columns: Vec<_> = line.split(',').collect();
        let bytes = std::fs::read(format!("{dir}/{}", columns[0])).unwrap();
        let (mut decoder, mut sip) = (Decoder::default(), 0);
        for (link, ts, data) in super::read_pcap(&bytes) {
            let seen = owned(decoder.decode(&frame(link, ts, data)));
            if let Seen::Datagram(_, payload, _) = seen {
                let start = payload.split(|byte| *byte == b'\n').next().unwrap_or_default();
                sip += usize::from(start.windows(8).any(|window| window.starts_with(b"SIP/2.0")));
            }
        }
        // RFC 4475's torture messages are for the parser to count, not for this test.
        if columns[0].starts_with("rfc") {
            continue;
        }
        if columns[15].starts_with("udp") {
            assert_eq!(sip.to_string(), columns[4], "{}", columns[0]);
        } else {
            assert_eq!(sip, 0, "{}", columns[0]);
        }
    }
}
