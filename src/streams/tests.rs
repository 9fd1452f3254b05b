//! Streams cut, turned round, doubled, torn and wrapped.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use proptest::prelude::*;

use super::*;

const MILLI: i64 = 1_000;

fn path(port: u16, back: bool) -> Path {
    let (a, b) =
        (SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port), SocketAddr::new([10, 0, 0, 9].into(), 5060));
    let (src, dst) = if back { (b, a) } else { (a, b) };
    Path { src, dst, src_mac: None, dst_mac: None, vlan: None, mirror: None }
}

fn segment(seq: u32, payload: &[u8]) -> Segment<'_> {
    Segment {
        path: path(40_000, false),
        seq,
        syn: false,
        fin: false,
        rst: false,
        ack: true,
        ack_seq: 1,
        payload,
        truncated: false,
    }
}

fn syn(seq: u32) -> Segment<'static> {
    Segment { syn: true, ack: false, ..segment(seq, &[]) }
}

/// Streams and what came out of them.
#[derive(Default)]
struct Rig {
    streams: Streams,
    out: Vec<Vec<u8>>,
}

impl Rig {
    fn push(&mut self, at: i64, segment: &Segment<'_>) -> Outcome {
        let out = &mut self.out;
        self.streams.push(segment, Timestamp(at), &mut |_, message| out.push(message.to_vec()))
    }

    fn finish(&mut self) {
        let out = &mut self.out;
        self.streams.handle_timeout(Timestamp(i64::MAX), &mut |_, message| out.push(message.to_vec()));
    }

    fn count(&self, event: Event) -> u64 {
        self.streams.stats().events.get(event)
    }

    fn texts(&self) -> Vec<String> {
        self.out.iter().map(|one| String::from_utf8_lossy(one).into_owned()).collect()
    }
}

fn message(name: &str, body: usize) -> String {
    format!(
        "INVITE sip:{name}@h SIP/2.0\r\nCall-ID: {name}\r\nContent-Length: {body}\r\n\r\n{}",
        "b".repeat(body)
    )
}

/// Sequence number of an offset, wrapping as TCP does.
fn seq(first: u32, offset: usize) -> u32 {
    first.wrapping_add(u32::try_from(offset).unwrap())
}

#[test]
fn several_messages_in_a_segment_with_keepalives_between() {
    let (one, two, three) = (message("1", 3), message("2", 0), message("3", 9));
    let mut rig = Rig::default();
    let stream = format!("\r\n\r\n{one}{two}\r\n\r\n{three}\r\n");
    assert_eq!(rig.push(0, &segment(7, stream.as_bytes())), Outcome::Sip);
    assert_eq!(rig.texts(), [one, two, three]);
}

#[test]
fn a_keepalive_alone_and_the_byte_before_the_next_are_harmless() {
    let mut rig = Rig::default();
    rig.push(0, &syn(100));
    assert_eq!(rig.push(1, &segment(100, b"\r\n\r\n")), Outcome::Sip);
    assert_eq!(rig.push(2, &segment(103, b"\0")), Outcome::Repeat);
    rig.push(3, &segment(104, message("1", 0).as_bytes()));
    assert_eq!(rig.texts(), [message("1", 0)]);
    assert_eq!(
        rig.push(4, &Segment { fin: true, ..segment(seq(104, message("1", 0).len()), &[]) }),
        Outcome::Control
    );
    assert!(rig.streams.flows.is_empty());
}

#[test]
fn sixty_five_kilobytes_one_byte_at_a_time() {
    let stream = message("big", 65_536);
    let mut rig = Rig::default();
    for (i, byte) in stream.as_bytes().chunks(1).enumerate() {
        rig.push(0, &segment(seq(u32::MAX - 500, i), byte));
    }
    assert_eq!(rig.texts(), [stream]);
}

#[test]
fn whole_headers_are_handed_on_when_the_body_never_comes() {
    let (whole, next) = (message("1", 40), message("2", 0));
    let (seen, missing) = whole.split_at(whole.len() - 25);
    // A hole in the body, the end of the connection, and the end of the capture.
    let mut rig = Rig::default();
    rig.push(0, &segment(7, seen.as_bytes()));
    rig.push(1, &segment(seq(7, seen.len() + missing.len()), next.as_bytes()));
    assert!(rig.out.is_empty());
    rig.finish();
    assert_eq!(rig.texts(), [seen, next.as_str()]);
    let mut rig = Rig::default();
    rig.push(0, &segment(7, seen.as_bytes()));
    rig.push(1, &Segment { fin: true, ..segment(seq(7, seen.len()), &[]) });
    assert_eq!(rig.texts(), [seen]);
    let mut rig = Rig::default();
    rig.push(0, &segment(7, seen.as_bytes()));
    rig.finish();
    assert_eq!((rig.texts(), rig.count(Event::Message)), (vec![seen.to_owned()], 1));
    // Half the headers are no message.
    let mut rig = Rig::default();
    rig.push(0, &segment(7, &whole.as_bytes()[..40]));
    rig.finish();
    assert!(rig.out.is_empty());
}

#[test]
fn picked_up_in_the_middle_of_a_message() {
    let mut rig = Rig::default();
    let rest = "=0\r\no=- 1 1 IN IP4 h\r\n";
    assert_eq!(rig.push(0, &segment(50, rest.as_bytes())), Outcome::Waiting);
    let next = message("1", 4);
    rig.push(10, &segment(seq(50, rest.len()), next.as_bytes()));
    rig.push(300 * MILLI, &segment(seq(50, rest.len() + next.len()), message("2", 0).as_bytes()));
    assert_eq!(rig.texts(), [next, message("2", 0)]);
}

#[test]
fn picked_up_with_the_first_two_segments_turned_round() {
    let stream = message("1", 700);
    let (a, b) = stream.as_bytes().split_at(300);
    let mut rig = Rig::default();
    rig.push(0, &segment(300, b));
    rig.push(1, &segment(0, a));
    assert_eq!(rig.texts(), [stream]);
}

#[test]
fn a_hole_that_the_receiver_has_is_given_up_after_200_ms() {
    let (one, two) = (message("1", 500), message("2", 5));
    let mut rig = Rig::default();
    rig.push(0, &syn(0));
    // The other side has payload of its own, so its acknowledgements are known.
    let back = Segment { path: path(40_000, true), ack_seq: 5_000, ..segment(9, b"\r\n") };
    rig.push(0, &back);
    rig.push(1, &segment(0, &one.as_bytes()[..40]));
    // The rest of the first message is lost, with some of its headers.
    assert_eq!(rig.push(2, &segment(seq(0, one.len()), two.as_bytes())), Outcome::Waiting);
    rig.push(199 * MILLI, &back);
    assert!(rig.out.is_empty());
    rig.push(203 * MILLI, &back);
    assert_eq!((rig.texts(), rig.count(Event::Gap)), (vec![two], 1));
}

#[test]
fn a_hole_that_is_sent_again_late_is_filled() {
    let stream = message("1", 500) + &message("2", 5);
    let (a, rest) = stream.as_bytes().split_at(100);
    let (b, c) = rest.split_at(200);
    let mut rig = Rig::default();
    rig.push(0, &segment(0, a));
    rig.push(1, &segment(300, c));
    rig.push(1_200 * MILLI, &segment(100, b));
    assert_eq!((rig.texts(), rig.count(Event::Gap)), (vec![message("1", 500), message("2", 5)], 0));
}

#[test]
fn a_hole_at_the_captures_end_is_given_up() {
    let mut rig = Rig::default();
    rig.push(0, &segment(0, &message("1", 0).as_bytes()[..20]));
    rig.push(1, &segment(500, message("2", 0).as_bytes()));
    rig.push(2, &segment(900, message("3", 0).as_bytes()));
    rig.finish();
    assert_eq!((rig.texts(), rig.count(Event::Gap)), (vec![message("2", 0), message("3", 0)], 2));
}

#[test]
fn too_much_behind_a_hole_gives_it_up() {
    let mut rig = Rig::default();
    rig.push(0, &segment(0, &message("1", 0).as_bytes()[..20]));
    let stream = message("2", 100_000);
    for (i, part) in stream.as_bytes().chunks(1_400).enumerate() {
        rig.push(1, &segment(seq(1_000, i * 1_400), part));
    }
    assert_eq!((rig.texts(), rig.count(Event::Gap)), (vec![stream], 1));
}

#[test]
fn what_came_first_counts_and_contradictions_are_counted() {
    let stream = message("1", 60);
    let bytes = stream.as_bytes();
    let lie = "x".repeat(60);
    let mut rig = Rig::default();
    rig.push(0, &segment(0, &bytes[..40]));
    rig.push(1, &segment(60, &bytes[60..80]));
    // Overlaps what was read, fills the hole, contradicts what waits, adds what is new.
    let mixed = [&lie.as_bytes()[..20], &bytes[40..60], &lie.as_bytes()[..20], &bytes[80..]].concat();
    rig.push(2, &segment(20, &mixed));
    assert_eq!((rig.texts(), rig.count(Event::Overlap)), (vec![stream], 1));
}

#[test]
fn ports_used_again_begin_a_new_stream() {
    let mut rig = Rig::default();
    rig.push(0, &syn(1_000));
    rig.push(0, &segment(1_000, &message("old", 50).as_bytes()[..30]));
    // The mirror's copy of the first SYN changes nothing.
    rig.push(1, &syn(1_000));
    rig.push(1, &segment(1_000, &message("old", 50).as_bytes()[..30]));
    rig.push(2, &syn(3_000_000_000));
    rig.push(3, &segment(3_000_000_000, message("new", 0).as_bytes()));
    assert_eq!(rig.texts(), [message("new", 0)]);
}

#[test]
fn a_stray_segment_from_far_off_does_not_tear_a_message() {
    let stream = message("1", 100);
    let (a, b) = stream.as_bytes().split_at(50);
    let mut rig = Rig::default();
    rig.push(0, &segment(0, a));
    rig.push(1, &segment(2_000_000_000, b"BYE sip:x@h SIP/2.0\r\n\r\n"));
    rig.push(2, &segment(50, b));
    assert_eq!(rig.texts(), std::slice::from_ref(&stream));
    // Between messages it may be a loss of megabytes, so it's followed.
    rig.push(3, &segment(3_000_000_000, stream.as_bytes()));
    assert_eq!((rig.texts().len(), rig.count(Event::Jump)), (2, 1));
}

#[test]
fn tls_is_counted_once_a_connection_and_not_kept() {
    let mut rig = Rig::default();
    let hello = [&[0x16, 3, 1, 2, 0, 1][..], &[0; 600]].concat();
    let back = |payload| Segment { path: path(40_000, true), ..segment(9, payload) };
    assert_eq!(rig.push(0, &segment(0, &hello)), Outcome::EncryptedStart);
    assert_eq!(rig.push(0, &back(&hello)), Outcome::Encrypted);
    assert_eq!(rig.push(0, &segment(606, &hello)), Outcome::Encrypted);
    // Met in the middle: application data.
    let data = [&[0x17, 3, 3, 0, 90][..], &[7; 90]].concat();
    let other = Segment { path: path(40_001, false), ..segment(5, &data) };
    assert_eq!(rig.push(0, &other), Outcome::EncryptedStart);
    assert_eq!(rig.count(Event::Encrypted), 2);
    assert!(rig.streams.bytes < 3 * 1_024, "{}", rig.streams.bytes);
}

#[test]
fn another_protocol_is_given_up_but_sip_after_it_is_not_missed() {
    let mut rig = Rig::default();
    rig.push(0, &syn(0));
    let line = "SSH-2.0-x and no end of it ".repeat(40);
    let mut at = 0;
    let mut last = Outcome::Sip;
    for _ in 0..300 {
        last = rig.push(1, &segment(seq(0, at), line.as_bytes()));
        at += line.len();
    }
    assert_eq!((last, rig.count(Event::NotSip)), (Outcome::NotSip, 1));
    rig.push(2, &segment(seq(0, at), message("1", 0).as_bytes()));
    assert_eq!(rig.texts(), [message("1", 0)]);
}

#[test]
fn bounds_hold_and_evictions_are_counted() {
    let settings = Settings { flows: 8, total_bytes: 200_000, ..Settings::default() };
    let mut rig = Rig { streams: Streams::new(settings), out: Vec::new() };
    let half = message("1", 60_000);
    for port in 0..100 {
        let part = Segment { path: path(port, false), ..segment(0, &half.as_bytes()[..50_000]) };
        rig.push(i64::from(port), &part);
        assert!(rig.streams.bytes <= 200_000 && rig.streams.flows.len() <= 8);
    }
    assert!(rig.count(Event::Evicted) >= 92);
    // A flood of SYNs evicts no flow.
    let kept = rig.streams.flows.len();
    for port in 0..1_000 {
        rig.push(200, &Segment { path: path(1_000 + port, false), ..syn(5) });
    }
    assert_eq!(rig.streams.flows.len(), kept);
    // Silence does.
    rig.finish();
    assert_eq!((rig.streams.flows.len(), rig.streams.bytes), (0, 0));
}

fn websocket_frame(first: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let bit = if mask.is_some() { 0x80 } else { 0 };
    let mut out = match payload.len() {
        n @ 0..126 => vec![first, bit | u8::try_from(n).unwrap()],
        n @ 126..65_536 => [&[first, bit | 126][..], &u16::try_from(n).unwrap().to_be_bytes()].concat(),
        n => [&[first, bit | 127][..], &u64::try_from(n).unwrap().to_be_bytes()].concat(),
    };
    out.extend(mask.unwrap_or_default().iter().take(if mask.is_some() { 4 } else { 0 }));
    let key = mask.unwrap_or_default();
    out.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    out
}

fn upgrade() -> String {
    "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\
     Sec-WebSocket-Protocol: chat, SIP\r\nSec-WebSocket-Key: x\r\n\r\n"
        .to_owned()
}

/// An upgrade, then masked and fragmented messages with a ping, a keepalive and a compressed one.
fn websocket_stream() -> (Vec<u8>, Vec<String>) {
    let (mask, one, two, three) =
        (Some([1, 2, 3, 4]), message("1", 200), message("2", 3), message("3", 70_000));
    let stream = [
        upgrade().into_bytes(),
        websocket_frame(0x81, mask, one.as_bytes()),
        websocket_frame(0x01, mask, &two.as_bytes()[..9]),
        websocket_frame(0x89, mask, b"ping"),
        websocket_frame(0x00, mask, &two.as_bytes()[9..30]),
        websocket_frame(0x80, mask, &two.as_bytes()[30..]),
        websocket_frame(0x81, mask, b"\r\n\r\n"),
        websocket_frame(0xc1, mask, &[9; 40]),
        websocket_frame(0x82, None, three.as_bytes()),
        websocket_frame(0x88, mask, &[3, 232]),
    ]
    .concat();
    (stream, vec![one, two, three])
}

#[test]
fn websocket_is_read_however_it_is_cut() {
    let (stream, want) = websocket_stream();
    for step in [1, 2, 3, 7, 100, 1_400, 200_000] {
        let mut rig = Rig::default();
        for (i, part) in stream.chunks(step).enumerate() {
            rig.push(0, &segment(seq(77, i * step), part));
        }
        assert_eq!(rig.texts(), want, "step {step}");
        assert_eq!((rig.count(Event::WebSocket), rig.count(Event::Compressed)), (1, 1));
    }
}

#[test]
fn websocket_is_met_in_the_middle_and_found_again_after_a_gap() {
    let one = websocket_frame(0x81, Some([5, 6, 7, 8]), message("1", 10).as_bytes());
    let two = websocket_frame(0x82, None, message("2", 10).as_bytes());
    let mut rig = Rig::default();
    rig.push(0, &segment(0, &one));
    rig.push(1, &segment(5_000, &two));
    rig.finish();
    assert_eq!(rig.texts(), [message("1", 10), message("2", 10)]);
}

#[test]
fn a_websocket_without_sip_and_a_message_too_long_give_nothing() {
    let mut rig = Rig::default();
    let plain = upgrade().replace("chat, SIP", "chat");
    rig.push(0, &segment(0, plain.as_bytes()));
    rig.push(0, &segment(seq(0, plain.len()), &websocket_frame(0x81, None, b"hello")));
    let huge =
        [upgrade().into_bytes(), websocket_frame(0x81, None, message("x", 200_000).as_bytes())].concat();
    let after = websocket_frame(0x81, None, message("after", 0).as_bytes());
    for (i, part) in [huge, after].concat().chunks(1_400).enumerate() {
        rig.push(0, &Segment { path: path(2, false), ..segment(seq(0, i * 1_400), part) });
    }
    assert_eq!((rig.texts(), rig.count(Event::TooLong)), (vec![message("after", 0)], 1));
}

proptest! {
    /// Any cut into segments, any order within the window and any doubling gives the same messages.
    #[test]
    fn any_cut_order_and_doubling_gives_the_same_messages(
        bodies in proptest::collection::vec(0usize..400, 1..6),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..30),
        shuffle in proptest::collection::vec(any::<prop::sample::Index>(), 0..60),
        first in any::<u32>(),
    ) {
        let want: Vec<_> = bodies.iter().enumerate().map(|(i, n)| message(&i.to_string(), *n)).collect();
        let stream = want.join("\r\n\r\n").into_bytes();
        let mut at: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len())).chain([0, stream.len()]).collect();
        at.sort_unstable();
        at.dedup();
        let parts: Vec<_> = at.windows(2).map(|w| (w[0], &stream[w[0]..w[1]])).collect();
        let mut rig = Rig::default();
        rig.push(0, &syn(first));
        let order = shuffle.iter().map(|i| *i.get(&parts)).chain(parts.iter().copied());
        for (offset, bytes) in order {
            rig.push(1, &segment(seq(first, offset), bytes));
        }
        prop_assert_eq!(rig.texts(), want);
        prop_assert_eq!(rig.count(Event::Overlap) + rig.count(Event::Gap), 0);
    }

    /// Segments that overlap each other at will, but agree, give the same messages too.
    #[test]
    fn any_overlap_gives_the_same_messages(
        bodies in proptest::collection::vec(0usize..300, 1..5),
        ranges in proptest::collection::vec((any::<prop::sample::Index>(), 1usize..300), 0..50),
    ) {
        let want: Vec<_> = bodies.iter().enumerate().map(|(i, n)| message(&i.to_string(), *n)).collect();
        let stream = want.concat().into_bytes();
        let mut rig = Rig::default();
        rig.push(0, &syn(9));
        for (start, length) in ranges {
            let from = start.index(stream.len());
            let to = (from + length).min(stream.len());
            rig.push(1, &segment(seq(9, from), &stream[from..to]));
        }
        rig.push(2, &segment(9, &stream));
        prop_assert_eq!(rig.texts(), want);
        prop_assert_eq!(rig.count(Event::Overlap), 0);
    }

    /// No segments panic, and the account of bytes is right in the end.
    #[test]
    fn random_segments_never_panic(
        segments in proptest::collection::vec(
            (0u16..3, any::<bool>(), prop_oneof![0u32..3_000, any::<u32>()], any::<[bool; 4]>(),
             prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..200),
                Just(message("x", 20).into_bytes()),
                Just(upgrade().into_bytes()),
                Just(websocket_frame(0x01, Some([1; 4]), b"INVITE sip:a@h SIP/2.0\r\n\r\n")),
             ]),
            1..80),
    ) {
        let settings = Settings { flows: 4, total_bytes: 20_000, hole_bytes: 2_000, ..Settings::default() };
        let mut rig = Rig { streams: Streams::new(settings), out: Vec::new() };
        for (i, (port, back, seq, flags, payload)) in segments.iter().enumerate() {
            let [syn, fin, rst, ack] = *flags;
            let one = Segment { path: path(*port, *back), syn, fin, rst, ack, ..segment(*seq, payload) };
            rig.push(i64::try_from(i).unwrap() * 50 * MILLI, &one);
            let held: usize = rig.streams.flows.iter().map(|(_, _, flow)| flow.size()).sum();
            prop_assert_eq!(rig.streams.bytes, held);
            prop_assert!(held <= 20_000);
        }
        rig.finish();
        prop_assert_eq!(rig.streams.bytes, 0);
    }
}

/// A body says what it likes; whatever comes after it is read.
#[test]
fn what_an_http_body_says_is_no_message_however_it_is_cut() {
    let (inside, after) = (message("inside", 4), message("after", 4));
    let length = inside.len();
    for head in [
        format!("POST /x HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{inside}"),
        format!("HTTP/1.1 200 OK\r\ncontent-length:{length}\r\n\r\n{inside}"),
        format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n{length:x};a=b\r\n{inside}\r\n\
             2\r\n\r\n\r\n0\r\n\r\n"
        ),
        "GET /x HTTP/1.1\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 900\r\n\r\n".to_owned(),
    ] {
        let stream = format!("{head}{after}");
        for step in [1, 3, 50, 10_000] {
            let mut rig = Rig::default();
            for (i, part) in stream.as_bytes().chunks(step).enumerate() {
                rig.push(0, &segment(seq(77, i * step), part));
            }
            assert_eq!(rig.texts(), [after.as_str()], "{head} step {step}");
        }
    }
    let mut rig = Rig::default();
    let to_the_end = format!("HTTP/1.0 200 OK\r\n\r\n<pre>\r\n{inside}");
    rig.push(0, &segment(0, to_the_end.as_bytes()));
    let no_chunk = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n{after}");
    rig.push(0, &Segment { path: path(3, false), ..segment(0, no_chunk.as_bytes()) });
    assert_eq!(rig.texts(), [after.as_str()]);
}

#[test]
fn hep_over_tcp_is_read_however_it_is_cut_and_met_in_the_middle() {
    let packet = |text: &str| {
        let chunk = |kind: u16, value: &[u8]| {
            let length = u16::try_from(6 + value.len()).unwrap();
            [&[0, 0][..], &kind.to_be_bytes(), &length.to_be_bytes(), value].concat()
        };
        let chunks = [
            chunk(3, &[10, 0, 0, 1]),
            chunk(4, &[10, 0, 0, 2]),
            chunk(7, &5_061u16.to_be_bytes()),
            chunk(8, &5_061u16.to_be_bytes()),
            chunk(11, &[1]),
            chunk(15, text.as_bytes()),
        ]
        .concat();
        let length = u16::try_from(6 + chunks.len()).unwrap();
        [&b"HEP3"[..], &length.to_be_bytes(), &chunks].concat()
    };
    let (one, two) = (message("1", 300), message("2", 0));
    let stream = [packet(&one), packet(&two)].concat();
    for step in [1, 5, 100, 10_000] {
        let (mut streams, mut seen) = (Streams::default(), Vec::new());
        for (i, part) in stream.chunks(step).enumerate() {
            streams.push(&segment(seq(9, i * step), part), Timestamp(0), &mut |path, text| {
                seen.push((path.src, path.mirror, String::from_utf8(text.to_vec()).unwrap()));
            });
        }
        let sender = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let from: SocketAddr = ([10, 0, 0, 1], 5_061).into();
        assert_eq!(seen, [(from, sender, one.clone()), (from, sender, two.clone())], "step {step}");
    }
    let mut rig = Rig::default();
    rig.push(0, &segment(0, &stream[100..packet(&one).len()]));
    rig.finish();
    rig.push(0, &segment(seq(0, packet(&one).len() - 100), &packet(&two)));
    rig.finish();
    assert_eq!(rig.texts(), [two.as_str()]);
}
