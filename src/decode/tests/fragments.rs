//! Fragments in any order, doubled, overlapping, alone.

use super::*;

const SECOND: i64 = 1_000_000;

fn udp_bytes(length: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let payload: Vec<u8> = (0..length).map(|i| u8::try_from(i % 251).unwrap()).collect();
    PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64).udp(5060, 5062).write(&mut out, &payload).unwrap();
    out.split_off(20)
}

/// An IPv4 fragment of `udp`; `id` tells packets apart.
fn v4(udp: &[u8], from: usize, to: usize, id: u16) -> Vec<u8> {
    piece(&udp[from..to], from, to < udp.len(), id)
}

fn piece(bytes: &[u8], from: usize, more: bool, id: u16) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    let numbers = (etherparse::IpNumber::UDP, [10, 0, 0, 1], [10, 0, 0, 2]);
    let mut header = etherparse::Ipv4Header::new(length, 64, numbers.0, numbers.1, numbers.2).unwrap();
    header.identification = id;
    header.fragment_offset = etherparse::IpFragOffset::try_new(u16::try_from(from / 8).unwrap()).unwrap();
    header.more_fragments = more;
    header.dont_fragment = false;
    let mut out = Vec::new();
    header.write(&mut out).unwrap();
    out.extend(bytes);
    out
}

fn v6(udp: &[u8], from: usize, to: usize) -> Vec<u8> {
    let mut data = ipv6()[..40].to_vec();
    data[4..6].copy_from_slice(&u16::try_from(to - from + 16).unwrap().to_be_bytes());
    // Hop-by-hop options before the fragment header.
    data[6] = 0;
    data.extend([44, 0, 1, 4, 0, 0, 0, 0]);
    let offset = u16::try_from(from).unwrap() | u16::from(to < udp.len());
    data.extend([&[17, 0][..], &offset.to_be_bytes(), &[1, 2, 3, 4], &udp[from..to]].concat());
    data
}

fn feed(decoder: &mut Decoder, ts: i64, data: &[u8]) -> Seen {
    owned(decoder.decode(&frame(Link::Raw, ts, data)))
}

fn datagram(v6: bool, udp: &[u8]) -> Seen {
    Seen::Datagram(path(v6), udp[8..].to_vec(), false)
}

const WAIT: Seen = Seen::Skip(Skip::Fragment);
const BAD: Seen = Seen::Skip(Skip::FragmentBad);

proptest! {
    /// Whatever the order and however often each fragment comes, the datagram comes out, whole,
    /// and once for as long as nothing but copies follows.
    #[test]
    fn any_order_and_doubling_gives_the_same_datagram(
        length in 100usize..3_000,
        step in 1usize..60,
        order in proptest::collection::vec(any::<prop::sample::Index>(), 0..40),
        ipv6 in any::<bool>(),
    ) {
        let udp = udp_bytes(length);
        let mut cuts: Vec<_> = (0..udp.len()).step_by(step * 8).collect();
        cuts.push(udp.len());
        let pieces: Vec<_> = cuts
            .windows(2)
            .map(|w| if ipv6 { v6(&udp, w[0], w[1]) } else { v4(&udp, w[0], w[1], 7) })
            .collect();
        prop_assume!(pieces.len() > 1);
        // Some in a random order with repeats, then the whole lot, so that none is missing.
        let some = order.iter().map(|i| i.get(&pieces));
        let (mut decoder, mut seen) = (Decoder::default(), Vec::new());
        for data in some.chain(&pieces) {
            match feed(&mut decoder, 0, data) {
                Seen::Skip(skip) => prop_assert_eq!(skip, Skip::Fragment),
                other => seen.push(other),
            }
        }
        prop_assert_eq!(seen, vec![datagram(ipv6, &udp)]);
        prop_assert_eq!(decoder.stats().defrag.get(Defrag::Overlap), 0);
    }

    /// No fragments make more memory than the bound, nor a panic.
    #[test]
    fn random_fragments_stay_bounded(
        pieces in proptest::collection::vec((0usize..8_191, 0usize..400, any::<bool>(), 0u16..40), 1..200),
    ) {
        let settings = Settings { fragmented_packets: 8, fragment_bytes: 100_000, ..Settings::default() };
        let mut decoder = Decoder::new(settings);
        for (offset, length, more, id) in pieces {
            let _ = feed(&mut decoder, 0, &piece(&vec![1; length], offset * 8, more, id));
            while decoder.poll(Timestamp(0)).is_some() {}
        }
    }
}

#[test]
fn what_came_first_counts_and_the_overlap_is_counted() {
    let udp = udp_bytes(100);
    let mut decoder = Decoder::default();
    assert_eq!(feed(&mut decoder, 0, &v4(&udp, 0, 48, 1)), WAIT);
    // Covers 40..80 with other bytes: of these only 48..80 are news.
    let mut other = udp.clone();
    other[40..48].fill(0xff);
    assert_eq!(feed(&mut decoder, 0, &v4(&other, 40, 80, 1)), WAIT);
    assert_eq!(feed(&mut decoder, 0, &v4(&udp, 80, 108, 1)), datagram(false, &udp));
    assert_eq!(decoder.stats().defrag.get(Defrag::Overlap), 1);
}

#[test]
fn an_id_that_is_used_again_is_another_packet() {
    let (one, two) = (udp_bytes(100), udp_bytes(200));
    let mut decoder = Decoder::default();
    for udp in [&one, &two, &one] {
        assert_eq!(feed(&mut decoder, 0, &v4(udp, 0, 64, 1)), WAIT);
        assert_eq!(feed(&mut decoder, 0, &v4(udp, 64, udp.len(), 1)), datagram(false, udp));
        // The mirror's second copy.
        assert_eq!(feed(&mut decoder, 0, &v4(udp, 64, udp.len(), 1)), WAIT);
    }
}

#[test]
fn fragments_that_contradict_each_other_are_refused() {
    let udp = udp_bytes(100);
    let mut decoder = Decoder::default();
    assert_eq!(feed(&mut decoder, 0, &v4(&udp, 64, 108, 1)), WAIT);
    assert_eq!(feed(&mut decoder, 0, &piece(&[0; 64], 64, true, 1)), BAD, "beyond the end");
    assert_eq!(feed(&mut decoder, 0, &piece(&[0; 8], 64, false, 1)), BAD, "another end");
    assert_eq!(feed(&mut decoder, 0, &piece(&[0; 9], 0, true, 1)), BAD, "not a multiple of 8");
    assert_eq!(feed(&mut decoder, 0, &piece(&[0; 100], 65_528, false, 2)), BAD, "past 65535");
    assert_eq!(feed(&mut decoder, 0, &v4(&udp, 0, 64, 1)), datagram(false, &udp));
}

#[test]
fn a_first_fragment_alone_is_read_when_it_is_given_up() {
    let udp = udp_bytes(2_000);
    let mut decoder = Decoder::default();
    assert_eq!(feed(&mut decoder, 0, &v4(&udp, 0, 1_480, 1)), WAIT);
    assert!(decoder.poll(Timestamp(30 * SECOND)).is_none());
    let seen = owned(decoder.poll(Timestamp(30 * SECOND + 1)).unwrap());
    assert_eq!(seen, Seen::Datagram(path(false), udp[8..1_480].to_vec(), true));
    assert!(decoder.poll(Timestamp(i64::MAX)).is_none());
    let defrag = &decoder.stats().defrag;
    assert_eq!((defrag.get(Defrag::Expired), defrag.get(Defrag::FirstOnly)), (1, 1));
    // Its tail comes too late for it.
    assert_eq!(feed(&mut decoder, 31 * SECOND, &v4(&udp, 1_480, 2_008, 1)), WAIT);
}

#[test]
fn an_old_packet_is_not_kept_alive_by_more_fragments() {
    let udp = udp_bytes(300);
    let mut decoder = Decoder::default();
    feed(&mut decoder, 0, &v4(&udp, 0, 96, 1));
    feed(&mut decoder, 20 * SECOND, &v4(&udp, 96, 192, 1));
    assert_eq!(feed(&mut decoder, 40 * SECOND, &v4(&udp, 192, 308, 1)), WAIT);
    assert_eq!(decoder.stats().defrag.get(Defrag::Expired), 1);
}

#[test]
fn bounds_hold_and_evictions_are_counted() {
    let settings = Settings { fragmented_packets: 4, fragment_bytes: 1_000_000, ..Settings::default() };
    let mut decoder = Decoder::new(settings);
    let udp = udp_bytes(100);
    for id in 0..10 {
        feed(&mut decoder, 0, &v4(&udp, 0, 64, id));
    }
    assert_eq!(decoder.stats().defrag.get(Defrag::Evicted), 6);
    let mut given = 0;
    while decoder.poll(Timestamp(0)).is_some() {
        given += 1;
    }
    assert_eq!(given, 6);
    // By bytes: each of these claims 64 kB.
    let settings = Settings { fragment_bytes: 300_000, ..Settings::default() };
    let mut decoder = Decoder::new(settings);
    for id in 0..10 {
        feed(&mut decoder, 0, &piece(&[0; 8], 65_000, true, id));
    }
    assert!(decoder.stats().defrag.get(Defrag::Evicted) >= 5);
}

#[test]
fn a_first_fragment_that_the_capture_cut_is_read_at_once() {
    let udp = udp_bytes(2_000);
    let data = v4(&udp, 0, 1_480, 1);
    let seen = decode(Link::Raw, &data[..200]);
    assert_eq!(seen, Seen::Datagram(path(false), udp[8..180].to_vec(), true));
    assert_eq!(decode(Link::Raw, &v4(&udp, 1_480, 2_008, 1)[..100]), WAIT);
}

#[test]
fn a_fragmented_tunnel_with_fragments_inside_is_put_together() {
    let udp = udp_bytes(200);
    let mut decoder = Decoder::default();
    let mut outcomes = Vec::new();
    for (i, inner) in [v4(&udp, 0, 96, 1), v4(&udp, 96, 208, 1)].into_iter().enumerate() {
        let vxlan = [&[8, 0, 0, 0, 0, 0, 1, 0][..], &typed(0x0800, &inner)].concat();
        let outer = in_udp(4_789, &vxlan).split_off(34);
        let id = u16::try_from(i).unwrap() + 50;
        outcomes.push(feed(&mut decoder, 0, &v4(&outer, 0, 64, id)));
        outcomes.push(feed(&mut decoder, 0, &v4(&outer, 64, outer.len(), id)));
    }
    let Some(Seen::Datagram(path, payload, false)) = outcomes.last() else { panic!("{outcomes:?}") };
    assert_eq!((payload.as_slice(), path.mirror), (&udp[8..], Some([10, 0, 0, 1].into())));
    assert_eq!(outcomes[..3], [WAIT, WAIT, WAIT]);
}
