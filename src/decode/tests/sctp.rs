//! SCTP messages in one chunk and in many, in any order, doubled, interleaved, in UDP.

use super::tunnels::Sample;
use super::*;
use crate::tally::Label;

const B: u8 = 2;
const E: u8 = 1;
const U: u8 = 4;
const WAIT: Seen = Seen::Skip(Skip::Fragment);

fn chunk(kind: u8, flags: u8, head: &[u8], user: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + head.len() + user.len()).unwrap().to_be_bytes();
    let mut out = [&[kind, flags][..], &length, head, user].concat();
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

/// DATA on stream 3, its sequence number as bad as can be: receivers go by the TSN.
fn data(tsn: u32, flags: u8, user: &[u8]) -> Vec<u8> {
    let [a, b, c, d] = tsn.to_be_bytes();
    chunk(0, flags, &[a, b, c, d, 0, 3, 0, d, 0, 0, 0, 0], user)
}

/// I-DATA of a message on a stream; the first piece has a protocol where others have their number.
fn i_data(stream: u8, message: u8, number: u32, flags: u8, user: &[u8]) -> Vec<u8> {
    let [a, b, c, d] = if flags & B != 0 { [0, 0, 0, 46] } else { number.to_be_bytes() };
    chunk(64, flags, &[0, 0, 0, 0, 0, stream, 0, 0, 0, 0, 0, message, a, b, c, d], user)
}

fn packet(tag: u32, chunks: &[Vec<u8>]) -> Vec<u8> {
    [&5_060u16.to_be_bytes()[..], &5_062u16.to_be_bytes(), &tag.to_be_bytes(), &[0; 4], &chunks.concat()]
        .concat()
}

fn feed(decoder: &mut Decoder, ts: i64, chunks: &[Vec<u8>]) -> Seen {
    owned(decoder.decode(&frame(Link::Ethernet, ts, &carried(132, &packet(7, chunks)))))
}

fn further(decoder: &mut Decoder, ts: i64) -> Vec<Seen> {
    let mut out = Vec::new();
    while let Some(one) = decoder.poll(Timestamp(ts)) {
        out.push(owned(one));
    }
    out
}

fn outer() -> Path {
    Path {
        src: SocketAddr::new(OUTER.into(), 5_060),
        dst: SocketAddr::new([172, 16, 9, 10].into(), 5_062),
        src_mac: Some(Mac(SRC_MAC)),
        dst_mac: Some(Mac(DST_MAC)),
        ..path(false)
    }
}

fn message(user: &[u8]) -> Seen {
    Seen::Datagram(outer(), user.to_vec(), false)
}

fn cut(user: &[u8]) -> Seen {
    Seen::Datagram(outer(), user.to_vec(), true)
}

pub(super) fn samples() -> Vec<Sample> {
    let one = packet(7, &[data(1, B | E, PAYLOAD)]);
    let many = packet(7, &[data(1, B, &PAYLOAD[..9]), data(2, E, &PAYLOAD[9..])]);
    let in_udp_path = Path { src_mac: Some(Mac([2; 6])), dst_mac: Some(Mac([4; 6])), ..outer() };
    vec![
        ("sctp", Link::Ethernet, carried(132, &one), outer()),
        ("sctp in one packet", Link::Ethernet, carried(132, &many), outer()),
        ("sctp in udp", Link::Ethernet, in_udp(9_899, &one), in_udp_path),
        ("sctp in udp, chunks", Link::Ethernet, in_udp(9_899, &many), in_udp_path),
    ]
}

#[test]
fn sctp_is_read_over_ip_and_over_udp_either_way() {
    for (name, link, data, want) in samples() {
        assert_eq!(decode(link, &data), whole(want), "{name}");
    }
    let mut back = in_udp(40_000, &packet(7, &[data(1, B | E, PAYLOAD)]));
    back[34..36].copy_from_slice(&9_899u16.to_be_bytes());
    let Seen::Datagram(path, payload, false) = decode(Link::Ethernet, &back) else { panic!() };
    assert_eq!((path.src.port(), path.dst.port(), payload.as_slice()), (5_060, 5_062, PAYLOAD));
    // What is no SCTP is a datagram of that port.
    for payload in
        [&b"OPTIONS sip:a@h SIP/2.0\r\n\r\n"[..], &[0; 40], &[1; 11], &packet(7, &[data(1, 3, b"x")])[..25]]
    {
        let Seen::Datagram(path, seen, false) = decode(Link::Ethernet, &in_udp(9_899, payload)) else {
            panic!()
        };
        assert_eq!((path.dst.port(), seen.as_slice()), (9_899, payload));
    }
}

#[test]
fn every_chunk_of_an_sctp_packet_is_given() {
    let mut decoder = Decoder::default();
    // A heartbeat, the rest of a message whose beginning isn't there, two whole messages.
    let chunks = [
        chunk(4, 0, &[0; 4], b"x"),
        data(4, E, b"rest"),
        data(5, B | E, b"one"),
        i_data(1, 1, 0, B | E, b"two"),
    ];
    assert_eq!(feed(&mut decoder, 0, &chunks), message(b"one"));
    assert_eq!(further(&mut decoder, 0), [message(b"two")]);
    assert_eq!(feed(&mut decoder, 0, &[chunk(4, 0, &[0; 4], b"x")]), Seen::Skip(Skip::OtherTransport));
    // As many as a packet can hold.
    let many: Vec<_> = (0..3_000).map(|n| data(100 + n, B | E, b"junk")).collect();
    assert_eq!(feed(&mut decoder, 0, &many), message(b"junk"));
    assert_eq!(further(&mut decoder, 0).len(), 2_999);
    assert_eq!(decoder.stats().defrag.get(Defrag::Lost), 0);
}

#[test]
fn interleaved_and_unordered_messages_are_kept_apart() {
    let mut decoder = Decoder::default();
    let pieces = [
        (i_data(1, 1, 0, B, b"a0"), None),
        (i_data(1, 1, 0, B | U, b"u0"), None),
        (i_data(2, 1, 0, B, b"b0"), None),
        (i_data(1, 2, 1, E, b"n1"), None),
        (i_data(1, 1, 1, 0, b"a1"), None),
        (i_data(2, 1, 1, E, b"b1"), Some("b0b1")),
        (i_data(1, 1, 1, E | U, b"u1"), Some("u0u1")),
        (i_data(1, 2, 0, B, b"n0"), Some("n0n1")),
        (i_data(1, 1, 2, E, b"a2"), Some("a0a1a2")),
        (data(9, B | U, b"d0"), None),
        (data(10, E | U, b"d1"), Some("d0d1")),
    ];
    for (piece, want) in pieces {
        let want = want.map_or(WAIT, |text| message(text.as_bytes()));
        assert_eq!(feed(&mut decoder, 0, &[piece]), want);
    }
    assert!(further(&mut decoder, i64::MAX).is_empty());
}

#[test]
fn what_came_first_counts_and_a_number_used_again_is_something_new() {
    let mut decoder = Decoder::default();
    assert_eq!(feed(&mut decoder, 0, &[data(u32::MAX, B, b"one")]), WAIT);
    assert_eq!(feed(&mut decoder, 0, &[data(u32::MAX, B, b"lie")]), Seen::Skip(Skip::FragmentBad));
    assert_eq!(feed(&mut decoder, 0, &[data(0, E, b"two")]), message(b"onetwo"));
    // The mirror's second copy of all of it.
    for piece in [data(u32::MAX, B, b"one"), data(0, E, b"two")] {
        assert_eq!(feed(&mut decoder, 1, &[piece]), WAIT);
    }
    assert_eq!(feed(&mut decoder, 2, &[data(u32::MAX, B, b"new")]), WAIT);
    assert_eq!(feed(&mut decoder, 2, &[data(0, E, b"two")]), message(b"newtwo"));
    let counts = decoder.stats().defrag.iter().filter(|(_, n)| *n > 0);
    assert_eq!(
        counts.map(|(what, n)| (what.name(), n)).collect::<Vec<_>>(),
        [("joined", 2), ("duplicate", 2), ("overlap", 1)]
    );
}

#[test]
fn a_beginning_is_read_when_its_rest_never_comes() {
    let mut decoder = Decoder::default();
    assert_eq!(feed(&mut decoder, 0, &[data(1, B, b"INVITE "), data(2, 0, b"sip:")]), WAIT);
    assert_eq!(feed(&mut decoder, 0, &[data(4, E, b"end")]), WAIT);
    assert!(further(&mut decoder, 9_999_999).is_empty());
    assert_eq!(further(&mut decoder, 10_000_001), [cut(b"INVITE sip:")]);
    assert_eq!(decoder.stats().defrag.get(Defrag::Expired), 2);
    // Also while the association goes on.
    assert_eq!(feed(&mut decoder, 20_000_000, &[data(11, B, b"half")]), WAIT);
    for n in 0..3 {
        feed(&mut decoder, 25_000_000 + n * 5_000_000, &[data(20 + u32::try_from(n).unwrap() * 2, 0, b"x")]);
    }
    assert_eq!(further(&mut decoder, 35_000_000), [cut(b"half")]);
    // And what the capture cut.
    let mut data = carried(132, &packet(7, &[data(50, B | E, PAYLOAD)]));
    data.truncate(data.len() - 10);
    let seen = decode(Link::Ethernet, &data);
    assert!(matches!(&seen, Seen::Datagram(_, user, true) if PAYLOAD.starts_with(user)), "{seen:?}");
}

#[test]
fn bounds_hold_and_what_is_given_up_is_counted() {
    let mut decoder = Decoder::default();
    // Every other chunk of a message, more than one association may keep.
    for n in 0..600 {
        assert_eq!(feed(&mut decoder, 0, &[data(n * 2, 0, b"x")]), WAIT);
    }
    assert_eq!(decoder.stats().defrag.get(Defrag::Evicted), 600 - 512);
    // More associations than there may be, each with much.
    for tag in 100..700 {
        let piece = packet(tag, &[data(1, B, &[b'x'; 30_000])]);
        decoder.decode(&frame(Link::Ethernet, 0, &carried(132, &piece))).unwrap_err();
    }
    let given_up = further(&mut decoder, 0);
    assert!(
        given_up.len() >= 600 - 256 && given_up.iter().all(|one| matches!(one, Seen::Datagram(_, _, true)))
    );
    assert!(600 - given_up.len() <= 4 * 1024 * 1024 / 30_000, "{}", given_up.len());
    // A message that never ends.
    let mut decoder = Decoder::default();
    for n in 0..20 {
        let flags = if n == 0 { B } else { 0 };
        assert_eq!(feed(&mut decoder, 0, &[data(n, flags, &[b'x'; 10_000])]), WAIT);
    }
    let given_up = further(&mut decoder, 0);
    assert!(matches!(given_up.as_slice(), [Seen::Datagram(_, bytes, true)] if bytes.len() == 140_000));
}

proptest! {
    /// Whatever the order of the chunks and however often each comes, the message comes out, whole,
    /// and once for as long as nothing but copies follows.
    #[test]
    fn any_order_and_doubling_of_chunks_gives_the_same_message(
        length in 20usize..2_000,
        step in 7usize..300,
        first in any::<u32>(),
        order in proptest::collection::vec(any::<prop::sample::Index>(), 0..40),
        interleaved in any::<bool>(),
        bundled in 1usize..4,
    ) {
        let user: Vec<u8> = (0..length).map(|i| u8::try_from(i % 251).unwrap()).collect();
        let count = user.chunks(step).count();
        prop_assume!(count > 1);
        let pieces: Vec<_> = user.chunks(step).enumerate().map(|(at, piece)| {
            let flags = if at == 0 { B } else { 0 } | if at + 1 == count { E } else { 0 };
            let number = u32::try_from(at).unwrap();
            if interleaved { i_data(1, 9, number, flags, piece) } else { data(first.wrapping_add(number), flags, piece) }
        }).collect();
        let some: Vec<_> = order.iter().map(|i| i.get(&pieces)).chain(&pieces).cloned().collect();
        let (mut decoder, mut seen) = (Decoder::default(), Vec::new());
        for chunks in some.chunks(bundled) {
            match feed(&mut decoder, 0, chunks) {
                Seen::Skip(skip) => prop_assert_eq!(skip, Skip::Fragment),
                other => seen.push(other),
            }
            seen.extend(further(&mut decoder, 0));
        }
        prop_assert_eq!(seen, vec![message(&user)]);
        prop_assert!(further(&mut decoder, i64::MAX).is_empty());
    }

    /// No chunks make a panic, or more than one association may keep.
    #[test]
    fn random_chunks_stay_bounded(
        pieces in proptest::collection::vec((0u32..40, 0u8..8, 1usize..400, any::<bool>()), 1..200),
    ) {
        let mut decoder = Decoder::default();
        for (number, flags, length, interleaved) in pieces {
            let user = vec![1; length];
            let piece = if interleaved { i_data(1, 1, number, flags, &user) } else { data(number, flags, &user) };
            feed(&mut decoder, 0, &[piece]);
        }
        further(&mut decoder, i64::MAX);
    }
}
